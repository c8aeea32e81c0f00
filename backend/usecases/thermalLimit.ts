/** Limits at every instant are laid by a pure function; see there. */
export { capToThermalLimit, intervalCapacity, type Limited, withinMinutes } from "../optimisation/withinMinutes.ts";
