/**
 * `first-come`: in the order in which they were plugged in (the order of session numbers), each car charges as fast as it
 * can; whoever comes later waits for what is left.
 */
import type { GroupProblem, Plan } from "./problem.ts";
import { planByRule, type Share } from "./rule.ts";

export type FirstComeParameters = { readonly protectPromises: number };

export const firstCome = (problem: GroupProblem, { protectPromises }: FirstComeParameters): Plan =>
  planByRule("first-come", problem, protectPromises === 1, serveInTurn);

/** All that is left beside what the others must get at least. */
export const serveInTurn: Share = (claims, roomWh) => {
  let free = roomWh - claims.reduce((sum, { leastWh }) => sum + leastWh, 0);
  return claims.map(({ wantedWh, leastWh }) => {
    const extra = Math.max(0, Math.min(wantedWh - leastWh, free));
    free -= extra;
    return leastWh + extra;
  });
};
