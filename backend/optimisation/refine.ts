/**
 * What comes after a plan's totals are decided: who of the cars gets the energy of an interval. Exchanges keep the totals
 * of the intervals and the sums of the shortfalls s1 and s2, so that a certificate still proves gap 0; only least power
 * may move totals, at a known cost.
 */
import { leastPower } from "./leastPower.ts";
import type { GroupProblem, Plan } from "./problem.ts";

/** Fair share of shortage, few set-point changes, least power, in this order. */
export function refine(problem: GroupProblem, plan: Plan): { readonly plan: Plan; readonly repairedIntervals: number } {
  return leastPower(problem, plan);
}
