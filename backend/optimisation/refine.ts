/**
 * What comes after a plan's totals are decided: who of the cars gets the energy of an interval. Exchanges keep the totals
 * of the intervals and the sums of the shortfalls s1 and s2, so that a certificate still proves gap 0; only least power
 * may move totals, at a known cost.
 */
import { fairShare } from "./fairShare.ts";
import { leastPower } from "./leastPower.ts";
import type { GroupProblem, Plan } from "./problem.ts";
import { type Before, steady } from "./steady.ts";

/**
 * Fair share of shortage, few set-point changes, least power, in this order. A rule that says itself who gets what
 * (equal share, first come, ...) is only brought to least power. `repairedIntervals` counts what least power changed.
 * `previous`: the group's last plan, which the stations follow now.
 */
export function refine(
  problem: GroupProblem,
  plan: Plan,
  { previous }: { readonly previous?: Before | undefined } = {},
): { readonly plan: Plan; readonly repairedIntervals: number } {
  const free = plan.algorithm === "least-cost" || plan.algorithm === "linear-program";
  if (!free) return leastPower(problem, plan);
  return leastPower(problem, steady(problem, fairShare(problem, plan), previous));
}
