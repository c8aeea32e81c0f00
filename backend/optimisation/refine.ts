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
 * Fair share of best effort, few set-point changes, least power, in this order. A rule that says itself who gets what (equal
 * share, first come, ...) is only brought to least power; so is a plan that `keepsOrder`, because its method prices
 * the waiting of each car. What promises lack is not shared out: a shortage is often only forecast, and the earliest
 * departure, served first, would lose for good what a later one may still get. `previous`: the group's last plan, which the stations follow now.
 *
 * `repairedIntervals`: how many energies least power had to change; 0 when cars only exchanged, since the plan is then
 * as cheap and as proven as before.
 */
export function refine(
  problem: GroupProblem,
  plan: Plan,
  { previous, keepsOrder = false }: { readonly previous?: Before | undefined; readonly keepsOrder?: boolean } = {},
): { readonly plan: Plan; readonly repairedIntervals: number } {
  const free = !keepsOrder && (plan.algorithm === "least-cost" || plan.algorithm === "linear-program");
  const shared = free ? steady(problem, fairShare(problem, plan, { promises: false }), previous) : plan;
  // Exchanges know one deadline per car: where they would miss a first one, the plan stays as it was.
  const repair = leastPower(problem, keepsFirsts(problem, plan, shared) ? shared : plan);
  return { plan: repair.plan, repairedIntervals: repair.plan.cost === plan.cost ? 0 : repair.repairedIntervals };
}

/** Whether each first part gets what the plan before gave it, as far as it was wanted. */
const keepsFirsts = ({ cars }: GroupProblem, before: Plan, after: Plan): boolean =>
  cars.every(({ first, from }, i) => {
    if (!first) return true;
    const early = ({ energyWh }: Plan) => energyWh[i]!.slice(0, first.to - from).reduce((sum, wh) => sum + wh, 0);
    return early(after) >= Math.min(first.wh, early(before));
  });
