/**
 * A plan laid open for exchanges: what comes after the optimum moves energy between cars inside intervals, so that the
 * totals of the intervals, and with them cost and certificate, stay. Flat arrays, since groups have thousands of cars.
 */
import { capacityOf } from "./leastCost.ts";
import type { GroupProblem } from "./problem.ts";

/**
 * `energy[first[i] + t - from[i]]` is car i's Wh in interval t and `most` what its power allows there. Interval t has the
 * cars `carAt[k]` at the places `arcAt[k]` of `energy`, for k from `listed[t]` to `listed[t + 1]`.
 */
export type Laid = ReturnType<typeof lay>;

export function lay({ cars, intervals }: GroupProblem, energyWh: readonly (readonly number[])[]) {
  const [n, m] = [cars.length, intervals.length];
  const from = new Int32Array(n);
  const first = new Int32Array(n + 1);
  const listed = new Int32Array(m + 1);
  for (const [i, car] of cars.entries()) {
    from[i] = car.from;
    first[i + 1] = first[i]! + car.to - car.from;
    for (let t = car.from; t < car.to; t++) listed[t + 1]!++;
  }
  for (let t = 0; t < m; t++) listed[t + 1]! += listed[t]!;
  const arcs = first[n]!;
  const most = new Int32Array(arcs);
  const energy = new Int32Array(arcs);
  const carAt = new Int32Array(arcs);
  const arcAt = new Int32Array(arcs);
  const served = new Float64Array(n);
  const total = new Float64Array(m);
  const next = listed.slice();
  for (const [i, { powerW }] of cars.entries()) {
    const stay = energyWh[i]!;
    for (let a = first[i]!, t = from[i]!; a < first[i + 1]!; a++, t++) {
      const wh = stay[t - from[i]!]!;
      most[a] = Math.floor((powerW * intervals[t]!.durationS) / 3600);
      energy[a] = wh;
      served[i]! += wh;
      total[t]! += wh;
      const k = next[t]!++;
      carAt[k] = i;
      arcAt[k] = a;
    }
  }
  const capacity = Float64Array.from(intervals, (interval) => capacityOf(interval).pv + capacityOf(interval).grid);
  return { n, m, from, first, most, energy, served, total, capacity, listed, carAt, arcAt };
}

/** Back to one list of Wh per car's stay. */
export function energyOf({ n, first, energy }: Laid): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from(energy.subarray(first[i]!, first[i + 1]!)));
}

/**
 * Cost of an interval when the cars together draw `wh`, in micro-euro per kWh x scale x Wh (the unit of README.md,
 * "Objective"): f for PV surplus, p for import.
 */
export function costOfTotals({ intervals, weights }: GroupProblem): (t: number, wh: number) => number {
  let elapsedS = 0;
  const prices = intervals.map((interval) => {
    const { price, feedIn, durationS } = interval;
    const early = weights.early * Math.floor(elapsedS / 60);
    elapsedS += durationS;
    const { pv } = capacityOf(interval);
    return {
      pv,
      f: weights.scale * (pv > 0 ? feedIn : price) + early,
      p: weights.scale * (pv > 0 ? Math.max(price, feedIn) : price) + early,
    };
  });
  return (t, wh) => {
    const { pv, f, p } = prices[t]!;
    return wh <= pv ? f * wh : f * pv + p * (wh - pv);
  };
}
