/** 5.3.2, V2G: only cars with a battery have these columns and rows. One function per constraint. */
import type { Shortfall } from "./charging.ts";
import { lateColumn } from "./charging.ts";
import {
  type Battery,
  dischargeableW,
  leastWorth,
  type ModelOptions,
  type ModelProblem,
  mostWh,
  wantedMoreWh,
  wearPrice,
} from "./modelProblem.ts";
import { addColumn, atLeast, type Draft, equality, MICRO_EUR_PER_KWH, term, WH_PER_KWH } from "./program.ts";

/** C2.1: a car gives from 0 to its discharging power (D4.2 lacks the minus sign). [kWh]   0 <= d_vt <= D_vt, at the price of wear */
export function c21Discharge(draft: Draft, { cars, intervals }: ModelProblem, options: ModelOptions): number[][] {
  const worth = leastWorth(intervals, options);
  return cars.map((car) => {
    const { battery, from, to, session } = car;
    const powerW = dischargeableW(car);
    if (!battery || powerW === 0) return [];
    return Array.from({ length: to - from }, (_, k) => {
      const t = from + k;
      const cost = wearPrice(battery, worth[t]!) / MICRO_EUR_PER_KWH;
      const upper = mostWh(powerW, intervals[t]!.durationS) / WH_PER_KWH;
      return addColumn(draft, { name: `discharge ${session} ${t}`, cost, lower: 0, upper });
    });
  });
}

/**
 * C2.2: stored energy between minimum and maximum. [kWh]   min(min_v, soc_v) <= s_vt <= max(max_v, soc_v)
 * Soft by clamping: a battery that arrives outside its limits stays where it is, and nobody's plan fails. Rounding to
 * whole Wh leaves a battery fuller than the program says by less than one discharged Wh, which is kept free.
 */
export function c22Stored(draft: Draft, { cars }: ModelProblem, options: ModelOptions): number[][] {
  return cars.map(({ battery, from, to, session }) => {
    if (!battery) return [];
    const { socWh, minWh, maxWh } = battery;
    const lower = Math.min(minWh, socWh) / WH_PER_KWH;
    const upper = Math.max(maxWh - (options.roundingMargin ? wholeWh(battery) : 0), socWh) / WH_PER_KWH;
    return Array.from({ length: to - from }, (_, k) =>
      addColumn(draft, { name: `stored ${session} ${from + k}`, cost: 0, lower, upper }),
    );
  });
}

/** What one Wh discharged takes from the battery, rounded up. Wh */
const wholeWh = ({ efficiencyPerMille }: Battery) => Math.ceil(1000 / efficiencyPerMille);

/** V2.1: stored energy as a recursion (a running sum has a quadratic number of terms). [kWh]   s_vt = s_v,t-1 + eta x_vt - d_vt / eta */
export function v21StateOfCharge(
  draft: Draft,
  { cars }: ModelProblem,
  charge: number[][],
  discharge: number[][],
  stored: number[][],
): void {
  for (const [i, { battery, session, from }] of cars.entries()) {
    if (!battery) continue;
    const eta = battery.efficiencyPerMille / 1000;
    for (const [k, column] of stored[i]!.entries()) {
      const terms = [term(column), term(charge[i]![k]!, -eta)];
      if (discharge[i]!.length > 0) terms.push(term(discharge[i]![k]!, 1 / eta));
      if (k > 0) terms.push(term(stored[i]![k - 1]!, -1));
      draft.rows.push(equality(`V2.1 stored ${session} ${from + k}`, k > 0 ? 0 : battery.socWh / WH_PER_KWH, terms));
    }
  }
}

/**
 * C2.4, in place of C1.3: at the end of the stay the battery holds what it held and eta x (need + more), or the
 * shortfall is paid for. Nothing is drained for good, nothing is drained after the target. [kWh]
 *   s_v,end + eta (s1_v + s2_v) = soc_v + eta (need_v + more_v)
 */
export function c24Target(draft: Draft, { cars }: ModelProblem, stored: number[][], shortfall: Shortfall[]): void {
  for (const [i, car] of cars.entries()) {
    const { battery, session } = car;
    if (!battery) continue;
    const eta = battery.efficiencyPerMille / 1000;
    const { short, unserved } = shortfall[i]!;
    const target = battery.socWh + eta * (car.needWh + wantedMoreWh(car));
    const end = stored[i]!.at(-1);
    const terms = [...(end === undefined ? [] : [term(end)]), term(short, eta), term(unserved, eta)];
    const value = (end === undefined ? target - battery.socWh : target) / WH_PER_KWH;
    draft.rows.push(equality(`C2.4 target ${session}`, value, terms));
  }
}

/** C2.4, minimum energy first: reached by then and kept from then on. [kWh]   s_vt + eta late_v >= soc_v + eta first_v for t >= first.to - 1 */
export function c24First(draft: Draft, { cars, weights }: ModelProblem, stored: number[][]): void {
  for (const [i, { battery, session, first, from }] of cars.entries()) {
    if (!battery || !first) continue;
    const eta = battery.efficiencyPerMille / 1000;
    const late = lateColumn(draft, session, first.wh, weights);
    const least = (battery.socWh + eta * first.wh) / WH_PER_KWH;
    for (const [k, column] of stored[i]!.entries()) {
      if (from + k < first.to - 1) continue;
      draft.rows.push(atLeast(`C2.4 first ${session} ${from + k}`, least, [term(column), term(late, eta)]));
    }
  }
}
