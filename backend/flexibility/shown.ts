/** Figures shown beside `flex/1` for comparison. Nothing is ever minted from them. */
import { type Second, second, type Watt, type WattHour, watt, wattHour } from "../domain/units.ts";
import type { Flexibility } from "./calculator.ts";

export type Shown = {
  /** F_t = T - E/P: how long the charging could have waited, s. */
  readonly timeFlexibilityS: Second;
  /** F_p: P when F_t is at least 15 minutes, else its share F_t / 15 min. */
  readonly powerFlexibilityW: Watt;
  /** (rated - assigned) * 0.25 kWh per slot, the rule of the system's ancestor. */
  readonly ancestorWh: WattHour;
};

const QUARTER_S = 900;

/**
 * T is the stay, plug-in to plug-out. The ancestor's rule measures against rated power, up to the interval in which the
 * session was done, in cut slots by their length; hence it pays for a car that could never draw its rated power.
 */
export function shown(flex: Flexibility, ratedPowerW: Watt): Shown {
  const { intervals, powerW, energyWh } = flex;
  const first = intervals[0];
  const last = intervals[intervals.length - 1];
  if (!first || !last || energyWh === 0 || powerW === 0)
    return { timeFlexibilityS: second(0), powerFlexibilityW: watt(0), ancestorWh: wattHour(0) };
  const chargingS = Math.ceil((energyWh * 3600) / powerW);
  const timeFlexibilityS = Math.max(0, last.to - first.from - chargingS);
  const done = intervals.findLastIndex((one) => one.meteredWh > 0);
  const ancestorWh = intervals.slice(0, done + 1).reduce((sum, one) => {
    const ratedWh = Math.floor((ratedPowerW * (one.to - one.from)) / 3600);
    return sum + Math.max(0, ratedWh - one.allowedWh);
  }, 0);
  return {
    timeFlexibilityS: second(timeFlexibilityS),
    powerFlexibilityW: watt(Math.floor((powerW * Math.min(QUARTER_S, timeFlexibilityS)) / QUARTER_S)),
    ancestorWh: wattHour(ancestorWh),
  };
}
