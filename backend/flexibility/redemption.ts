/** What FLEX is worth to a CPO, and what a flexibility order delivered. */
import { divDown } from "../domain/money.ts";
import { type MicroEur, type MicroEurPerKwh, microEurPerKwh, type WattHour, wattHour } from "../domain/units.ts";

/**
 * The most that a CPO may offer for a period, micro-euro per kWh of FLEX, rounded down:
 * (share * max(0, sum V) + its drivers' share of order revenue) / sum F. Redeeming all of it then never costs more than
 * that share of what was saved. 0 when no FLEX was earned.
 */
export function redemptionOffer(period: {
  /** Sum F */
  readonly flexWh: number;
  /** Sum V */
  readonly valueMicroEur: bigint;
  readonly sharePercent: number;
  readonly orderShareMicroEur?: MicroEur;
}): MicroEurPerKwh {
  if (period.flexWh <= 0) return microEurPerKwh(0);
  const saved = period.valueMicroEur > 0n ? period.valueMicroEur : 0n;
  const hundredths = saved * BigInt(period.sharePercent) + (period.orderShareMicroEur ?? 0n) * 100n;
  return microEurPerKwh(Number(divDown(hundredths * 1000n, 100n * BigInt(period.flexWh))));
}

/**
 * Wh that a group delivered on a flexibility order in an interval: min(ordered, (plan - measured)+) downwards, the
 * mirror image upwards. `plannedWh` is the group's import in the last certified plan recorded before the order.
 */
export function orderDeliveredWh(order: {
  readonly direction: "down" | "up";
  readonly orderedWh: number;
  readonly plannedWh: number;
  readonly measuredWh: number;
}): WattHour {
  const changeWh = order.direction === "down" ? order.plannedWh - order.measuredWh : order.measuredWh - order.plannedWh;
  return wattHour(Math.min(order.orderedWh, Math.max(0, changeWh)));
}
