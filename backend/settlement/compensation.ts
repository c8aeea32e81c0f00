/** What a driver gets for a promise that was broken. */
import { divUp, worth } from "../domain/money.ts";
import { type MicroEur, type MicroEurPerKwh, microEur, type WattHour, wattHour } from "../domain/units.ts";
import type { Shares } from "./attribution.ts";

/** EUR 10 per session. */
export const COMPENSATION_CAP = microEur(10_000_000n);

export type Compensation = {
  readonly amountMicroEur: MicroEur;
  /** Compensated Wh that never came, at the full price. */
  readonly missingWh: WattHour;
  /** Compensated Wh that came after `by`, at half the price. */
  readonly lateWh: WattHour;
  readonly pricePerKwh: MicroEurPerKwh;
};

/**
 * C = min(cap, ceil(price * (2 * missing + late) / 2000)), 0 when the promise was kept.
 *
 * The compensated part K is what operator and system caused, and orders unless the operator says otherwise. Of the
 * missing part S, U is still missing at unplug and S - U came late; which cause a given Wh had cannot be observed, so
 * the compensated ones count as the worse kind first, in the driver's favour:
 *
 *     missing = min(K, U)      late = K - missing
 *
 * 20,000 Wh promised, 16,000 in time, 1,000 not drawn though allowed, 18,500 at unplug, 0.35 EUR/kWh:
 * S = 4,000, K = 4,000 - 1,000 = 3,000, U = 1,500, so missing = 1,500 and late = 1,500, and
 * C = ceil(350,000 * (2 * 1,500 + 1,500) / 2000) = 787,500 micro-euro. (Taking the car's 1,000 Wh off U first would give
 * 612,500, sharing it out evenly 721,875.)
 */
export function compensation(breach: {
  readonly outcome: "kept" | "late" | "short";
  readonly shares: Shares;
  /** U */
  readonly missingAtUnplugWh: number;
  /** What the driver pays, micro-euro per kWh; nothing is compensated at a price below 0. */
  readonly pricePerKwh: MicroEurPerKwh;
  readonly compensateOrders?: boolean;
}): Compensation {
  const { outcome, shares, pricePerKwh } = breach;
  const orderWh = breach.compensateOrders === false ? 0 : shares.orderWh;
  const compensatedWh = outcome === "kept" ? 0 : shares.operatorWh + shares.systemWh + orderWh;
  const missingWh = Math.min(compensatedWh, breach.missingAtUnplugWh);
  const lateWh = compensatedWh - missingWh;
  const due = pricePerKwh > 0 ? divUp(worth(2 * missingWh + lateWh, pricePerKwh), 2000n) : 0n;
  return {
    amountMicroEur: due < COMPENSATION_CAP ? microEur(due) : COMPENSATION_CAP,
    missingWh: wattHour(missingWh),
    lateWh: wattHour(lateWh),
    pricePerKwh,
  };
}
