/**
 * The exact optimum of a group, whichever method it takes: the greedy of leastCost.ts, or the network simplex when a
 * car has a second deadline (`Car.first`) or waiting has a price of its own per car, which the greedy cannot know.
 */
import { planValue } from "./checker.ts";
import { capacityOf, leastCost } from "./leastCost.ts";
import { minimumCostFlow, type Network } from "./networkSimplex.ts";
import type { GroupProblem, Plan } from "./problem.ts";

export type ExactParameters = {
  /**
   * Opportunity cost of a car that is not complete, micro-euro per car and hour (USER-CHI D4.2, 5.3.4). As a linear
   * relaxation each kWh at the end of interval t costs this times the hours since the stay began / the energy wanted.
   */
  readonly waitingMicroEurPerHour?: number;
};

/**
 * The cheapest plan. Its certificate bounds the problem as the bytes on chain state it, without second deadlines and
 * waiting costs: cost - bound is what these cost. Throws as `leastCost` does.
 */
export function exactPlan(problem: GroupProblem, parameters: ExactParameters = {}): Plan {
  const relaxed = leastCost(problem);
  if (!parameters.waitingMicroEurPerHour && problem.cars.every(({ first }) => first === undefined)) return relaxed;
  const { energyWh } = leastCostByNetwork(problem, parameters);
  const plan: Plan = { ...relaxed, energyWh };
  return { ...plan, cost: planValue(problem, plan).cost };
}

/**
 * The optimum with second deadlines and waiting costs, and its proof. `y`, `w`: price of one more Wh for a car, and in an
 * interval. `objective` = cost of the plan + waiting + missed first parts, nano-euro x scale; `dual` is what y and w prove
 * that no plan can undercut: they are equal.
 */
export type NetworkOptimum = {
  readonly energyWh: readonly (readonly number[])[];
  readonly objective: bigint;
  readonly dual: bigint;
  readonly y: readonly bigint[];
  readonly w: readonly bigint[];
};

/**
 * The same optimum as `leastCost` by another method, for what the greedy cannot do. A car is a node with the energy that
 * it wants; its first deadline is a second node that everything from `first.to` on passes through: at most
 * need + more - first.wh freely, the rest at a price between promised and best-effort energy. About ten times slower.
 */
export function leastCostByNetwork(problem: GroupProblem, parameters: ExactParameters = {}): NetworkOptimum {
  const { cars, intervals } = problem;
  const network = networkOf(problem, parameters.waitingMicroEurPerHour ?? 0);
  const { flow, spilled, potential } = minimumCostFlow(network);

  let arc = 0;
  const energyWh = cars.map(({ from, to }) => {
    arc += to - from;
    return Array.from(flow.subarray(arc - (to - from), arc));
  });
  let objective = 0n;
  let dual = 0n;
  for (let a = 0; a < flow.length; a++) {
    objective += BigInt(flow[a]!) * BigInt(network.cost[a]!);
    const after = potential[network.head[a]!] ?? 0;
    const gain = potential[network.tail[a]!]! - network.cost[a]! - after;
    if (gain > 0) dual -= BigInt(network.capacity[a]!) * BigInt(gain);
  }
  for (let v = 0; v < spilled.length; v++) {
    objective += BigInt(spilled[v]!) * BigInt(network.spill[v]!);
    dual += BigInt(network.supply[v]!) * BigInt(potential[v]!);
  }
  const big = (from: number, count: number) => Array.from(potential.subarray(from, from + count), BigInt);
  return { energyWh, objective, dual, y: big(0, cars.length), w: big(cars.length, intervals.length) };
}

/** Nodes: cars, intervals, then one for the late part of each car with a first deadline. Arcs: the charges first. */
function networkOf(problem: GroupProblem, waitingMicroEurPerHour: number): Network {
  const { cars, intervals, weights } = problem;
  const [n, m] = [cars.length, intervals.length];
  const v1 = weights.scale * weights.voll;
  const v2 = weights.scale * weights.extra;
  if (v1 < v2) throw new RangeError(`voll ${weights.voll} is below extra ${weights.extra}: a promise must come first.`);
  const supply: number[] = cars.map(({ needWh, moreWh }) => needWh + moreWh);
  const sink = n + m + cars.filter(({ first }) => first !== undefined).length;
  const tail: number[] = [];
  const head: number[] = [];
  const capacity: number[] = [];
  const cost: number[] = [];
  const add = (from: number, to: number, most: number, price: number): void => {
    tail.push(from);
    head.push(to);
    capacity.push(most);
    cost.push(price);
  };

  const endMinute = endMinutes(problem);
  let late = n + m;
  for (const [i, { powerW, from, to, first }] of cars.entries()) {
    const before = from === 0 ? 0 : endMinute[from - 1]!;
    for (let t = from; t < to; t++) {
      const waiting = (waitingMicroEurPerHour * (endMinute[t]! - before)) / 60 / (supply[i]! / 1000);
      const price = supply[i] === 0 ? 0 : Math.floor(weights.scale * waiting);
      const node = first !== undefined && t >= first.to ? late : i;
      add(node, n + t, Math.floor((powerW * intervals[t]!.durationS) / 3600), price);
    }
    if (first !== undefined) late++;
  }
  late = n + m;
  for (const [i, { first, moreWh }] of cars.entries()) {
    add(i, sink, moreWh, v2);
    if (first === undefined) continue;
    const part = Math.min(first.wh, supply[i]!);
    add(i, late, supply[i]! - part, 0);
    add(i, late, part, Math.floor((v1 + v2) / 2));
    late++;
  }
  for (const [t, interval] of intervals.entries()) {
    const { pv, grid } = capacityOf(interval);
    const early = weights.early * (t === 0 ? 0 : endMinute[t - 1]!);
    // With surplus, importing is never cheaper than using it (README.md, "Objective").
    const price = pv > 0 ? Math.max(interval.price, interval.feedIn) : interval.price;
    add(n + t, sink, pv, weights.scale * interval.feedIn + early);
    add(n + t, sink, grid, weights.scale * price + early);
  }
  // What a car does not get costs v1. An interval or a late part must not be left that way: a Wh more costs more.
  const spill = Array.from({ length: sink }, (_, v) => (v < n ? v1 : v1 + 1));
  while (supply.length < sink) supply.push(0);
  return { supply, spill, tail, head, capacity, cost };
}

/** Whole minutes from `at` to the end of each interval. */
function endMinutes({ intervals }: GroupProblem): number[] {
  let elapsedS = 0;
  return intervals.map(({ durationS }) => {
    elapsedS += durationS;
    return Math.floor(elapsedS / 60);
  });
}
