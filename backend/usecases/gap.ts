/** What a stored plan costs above its certified bound, as money. */
import { divUp } from "../domain/money.ts";
import type { StoredPlan } from "./ports.ts";

/** Offset of the u16 `scale` in the header of a problem: salt 32, version 1, group 4, slot 4, at 5, n 2, m 2. */
const SCALE_AT = 50;

/** Costs are in nano-euro x scale. Rounded up; null without a bound. */
export function gapMicroEur({ cost, bound, problem }: Pick<StoredPlan, "cost" | "bound" | "problem">): bigint | null {
  if (bound === null) return null;
  const scale = BigInt(`0x${problem.slice(2 * SCALE_AT, 2 * SCALE_AT + 4) || "1"}`);
  return divUp(cost - bound, 1000n * (scale > 0n ? scale : 1n));
}
