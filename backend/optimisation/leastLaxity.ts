/**
 * The fallback when the optimiser is late or fails: who can wait least charges first, as early as possible.
 * Feasible by construction, one loop, claims nothing about its cost.
 */
import { planValue } from "./checker.ts";
import type { GroupProblem, Plan } from "./problem.ts";

/**
 * Laxity = Wh that the rest of the stay could still give minus Wh still promised (Liu, Layland 1973, in energy). With a
 * first deadline that is still to come: the less of this and of the same until then for the first part.
 */
export function leastLaxity(problem: GroupProblem): Plan {
  const { cars, intervals } = problem;
  const mostWh = (i: number, t: number) => Math.floor((cars[i]!.powerW * intervals[t]!.durationS) / 3600);
  const energyWh = cars.map((car) => new Array<number>(car.to - car.from).fill(0));
  const need = cars.map((car) => car.needWh as number);
  const more = cars.map((car) => car.moreWh as number);
  const couldGive = cars.map((car, i) => sumOf(car.from, car.to, (t) => mostWh(i, t)));
  const couldGiveFirst = cars.map(({ from, first }, i) => (first ? sumOf(from, first.to, (t) => mostWh(i, t)) : 0));
  const laxityAt = (t: number) => (i: number) => {
    const { first, needWh } = cars[i]!;
    const laxity = couldGive[i]! - need[i]!;
    if (first === undefined || t >= first.to) return laxity;
    return Math.min(laxity, couldGiveFirst[i]! - Math.max(0, first.wh - (needWh - need[i]!)));
  };

  for (const [t, interval] of intervals.entries()) {
    const net = interval.demandWh + interval.fixedWh - interval.productionWh;
    let free = Math.max(0, -net) + Math.max(0, interval.limitWh - Math.max(0, net));
    const present = Array.from(cars.keys()).filter((i) => cars[i]!.from <= t && t < cars[i]!.to);
    const laxity = laxityAt(t);
    const order = present.sort((a, b) => laxity(a) - laxity(b) || a - b);
    // Promises of every car before the best effort of any.
    for (const wanted of [need, more]) {
      for (const i of order) {
        const planned = energyWh[i]!;
        const k = t - cars[i]!.from;
        const wh = Math.min(free, wanted[i]!, mostWh(i, t) - planned[k]!);
        planned[k]! += wh;
        wanted[i]! -= wh;
        free -= wh;
      }
    }
    for (const i of order) {
      couldGive[i]! -= mostWh(i, t);
      couldGiveFirst[i]! -= mostWh(i, t);
    }
  }
  const plan: Plan = { algorithm: "least-laxity", energyWh, certificate: null, cost: 0n, bound: null };
  return { ...plan, cost: planValue(problem, plan).cost };
}

function sumOf(from: number, to: number, value: (t: number) => number): number {
  let sum = 0;
  for (let t = from; t < to; t++) sum += value(t);
  return sum;
}
