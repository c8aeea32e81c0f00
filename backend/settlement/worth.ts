/** What the energy of a stay was worth on the wholesale market, as its receipt says: when it was charged, and at once. */
import { type MicroEur, microEur } from "../domain/units.ts";
import type { ReceiptInterval } from "./receipt.ts";

type Worth = Pick<ReceiptInterval, "meteredWh" | "baselineWh" | "value">;

/** Whole micro-euro; "at once" is the same energy as the car would have drawn it uncontrolled. */
export function worths(intervals: readonly Worth[]): { readonly metered: MicroEur; readonly atOnce: MicroEur } {
  const worth = (wh: (one: Worth) => number) =>
    microEur(intervals.reduce((sum, one) => sum + BigInt(wh(one)) * BigInt(one.value), 0n) / WH_PER_KWH);
  return { metered: worth((one) => one.meteredWh), atOnce: worth((one) => one.baselineWh) };
}

const WH_PER_KWH = 1000n;
