/**
 * `proportional-flexibility`: the rule of Oli Move's ancestor (github.com/Ted-0808). Per car, with T = time left, E = energy
 * owed, P = power, and d = length of the interval (15 min in the source):
 *
 *   F_t = T - E / P                            how long it can wait
 *   F_p = P if F_t >= d, else F_t * P / d      power that it can do without in this interval; 0 when it cannot wait
 *
 * Everyone charges at P. Where that is more than the group has, cars of high flexibility (F_p at or above a threshold) are
 * reduced in proportion to their F_p, down to P - F_p; then, if that is not enough, those of low flexibility likewise.
 *
 * What the ancestor did wrong, and what is done here:
 * - a local variable let every request be reported as rejected, another was never defined: requests are admitted exactly
 *   (admission.ts), before and outside of the rule
 * - a stay that was exactly one step long never became the last one; sessions in their last step were subtracted unchecked;
 *   removing from a list while indexing it read the wrong car: intervals and cars are visited once, each within its stay
 * - nothing was assigned when F_p could not cover the excess: then all are reduced in proportion to what they have left
 * - rounding to 0.1 kW and kWh lost energy in every step: whole Wh, the remainder is handed out
 * - its forecast did not reduce E of the high group although the step left it P - F_p: there is one computation here, over
 *   the whole horizon, with the energy left updated after each interval
 * - cars were assumed to draw rated power: P is what EVSE and car allow, lowered to what the car was seen to take
 * - one group with a fixed name, and no lock between two requests: use cases run one after the other per group
 * - flexibility was measured against rated power, so that overstating paid: nothing is minted here, see flex/1
 *
 * E is the promised energy: what nobody promised can wait, so best effort is wholly flexible.
 */
import type { GroupProblem, Plan } from "./problem.ts";
import { type Claim, inProportion, planByRule, type Share } from "./rule.ts";

export type ProportionalParameters = { readonly highFlexibilityW: number; readonly protectPromises: number };

export const proportionalFlexibility = (
  problem: GroupProblem,
  { highFlexibilityW, protectPromises }: ProportionalParameters,
): Plan =>
  planByRule("proportional-flexibility", problem, protectPromises === 1, reduceByFlexibility(highFlexibilityW));

/** F_p as energy of the interval, F_p * d: most + later is T * P, so that F_t * P = most + later - E. Wh */
export const flexibleWh = ({ mostWh, laterWh, owedWh }: Claim): number =>
  Math.max(0, Math.min(mostWh, mostWh + laterWh - owedWh));

/** F_p: the car's power where all of it can wait, whatever whole Wh make of it. W */
export function powerFlexibilityW(claim: Claim, durationS: number): number {
  const wh = flexibleWh(claim);
  return wh === claim.mostWh ? claim.car.powerW : (wh * 3600) / durationS;
}

export const reduceByFlexibility =
  (highFlexibilityW: number): Share =>
  (claims, roomWh, durationS) => {
    const given = claims.map(({ wantedWh }) => wantedWh);
    let excess = given.reduce((sum, wh) => sum + wh, 0) - roomWh;
    /** Takes from these cars in proportion to what each of them can give up. */
    function reduce(canGive: (claim: Claim, k: number) => number): void {
      const most = claims.map((claim, k) => Math.max(0, canGive(claim, k)));
      const amount = Math.min(
        excess,
        most.reduce((a, b) => a + b, 0),
      );
      if (amount <= 0) return;
      for (const [k, wh] of inProportion(amount, most).entries()) given[k]! -= wh;
      excess -= amount;
    }
    const isHigh = (claim: Claim) => powerFlexibilityW(claim, durationS) >= highFlexibilityW;
    /** Down to P - F_p, but not below what keeps promises. */
    const flexible = (claim: Claim, k: number) => given[k]! - Math.max(claim.leastWh, claim.mostWh - flexibleWh(claim));
    reduce((claim, k) => (isHigh(claim) ? flexible(claim, k) : 0));
    reduce((claim, k) => (isHigh(claim) ? 0 : flexible(claim, k)));
    reduce((claim, k) => given[k]! - claim.leastWh);
    return given;
  };
