/**
 * `equal-share`: what the limit leaves is divided equally among the cars that are present, in every interval; what one
 * of them cannot take goes to the others. Prices and departures play no part.
 */
import type { GroupProblem, Plan } from "./problem.ts";
import { planByRule, type Share } from "./rule.ts";

export type EqualShareParameters = { readonly protectPromises: number };

export const equalShare = (problem: GroupProblem, { protectPromises }: EqualShareParameters): Plan =>
  planByRule("equal-share", problem, protectPromises === 1, shareEqually);

/**
 * Max-min fair: everyone gets the same level of energy, but not more than it can take nor less than it must get. The
 * Wh that whole numbers leave go one by one to the sessions that were there first.
 */
export const shareEqually: Share = (claims, roomWh) => {
  const at = (level: number) => claims.map(({ wantedWh, leastWh }) => Math.max(leastWh, Math.min(level, wantedWh)));
  const sumAt = (level: number) => at(level).reduce((sum, wh) => sum + wh, 0);
  let low = 0;
  let high = claims.reduce((most, { wantedWh }) => Math.max(most, wantedWh), 0);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (sumAt(middle) <= roomWh) low = middle;
    else high = middle - 1;
  }
  const given = at(low);
  let rest = roomWh - sumAt(low);
  for (const [k, { wantedWh }] of claims.entries()) {
    if (rest <= 0 || given[k] !== low || given[k] === wantedWh) continue;
    given[k]!++;
    rest--;
  }
  return given;
};
