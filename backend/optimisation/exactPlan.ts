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

/** Prices per Wh in units of micro-euro per kWh / scale. */
export type Values = {
  /** Of promised and of best-effort energy that a car does not get. */
  readonly promised: number;
  readonly bestEffort: number;
  /** Of energy that was to come by the first deadline and comes later. */
  readonly first: number;
};

/**
 * The optimum with second deadlines and waiting costs, and its proof. `y`, `w`: price of one more Wh for a car, and in an
 * interval. `objective` = cost of the plan, with `values` for what is not served, + waiting, in which energy that is never
 * served waits to the end of the stay. `dual` is what y and w prove that no plan can undercut: they are equal.
 */
export type NetworkOptimum = {
  readonly energyWh: readonly (readonly number[])[];
  readonly values: Values;
  readonly objective: bigint;
  readonly dual: bigint;
  readonly y: readonly bigint[];
  readonly w: readonly bigint[];
};

/**
 * The same optimum as `leastCost` by another method, for what the greedy cannot do. A car is a node with the energy that
 * it wants; its first deadline is a second node that everything from `first.to` on passes through: at most
 * need + more - first.wh freely, the rest at a price. Lexicographic: most promised energy, then most of the first parts
 * in time, then most best effort, then least cost with waiting. About ten times slower than the greedy.
 */
export function leastCostByNetwork(problem: GroupProblem, parameters: ExactParameters = {}): NetworkOptimum {
  const { cars, intervals } = problem;
  const { network, values } = networkOf(problem, parameters.waitingMicroEurPerHour ?? 0);
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
  return { energyWh, values, objective, dual, y: big(0, cars.length), w: big(cars.length, intervals.length) };
}

/** Nodes: cars, intervals, then one for the late part of each car with a first deadline. Arcs: the charges first. */
function networkOf(problem: GroupProblem, waitingMicroEurPerHour: number): { network: Network; values: Values } {
  const { cars, intervals, weights } = problem;
  const [n, m] = [cars.length, intervals.length];
  if (weights.voll < weights.extra)
    throw new RangeError(`voll ${weights.voll} is below extra ${weights.extra}: a promise must come first.`);
  const supply: number[] = cars.map(({ needWh, moreWh }) => needWh + moreWh);
  const firsts = cars.filter(({ first }) => first !== undefined).length;
  const sink = n + m + firsts;
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

  const prices = pricesOf(problem);
  const waiting = waitingPrices(
    problem,
    waitingMicroEurPerHour,
    Math.floor(EXACT / ((Math.min(n, m) + 2) * (firsts + 4))),
  );
  const values = valuesOf(problem, prices, waiting, firsts);
  let late = n + m;
  for (const [i, { powerW, from, to, first }] of cars.entries()) {
    for (let t = from; t < to; t++) {
      const node = first !== undefined && t >= first.to ? late : i;
      add(node, n + t, Math.floor((powerW * intervals[t]!.durationS) / 3600), waiting[i]![t - from]!);
    }
    if (first !== undefined) late++;
  }
  late = n + m;
  for (const [i, { first, moreWh }] of cars.entries()) {
    add(i, sink, moreWh, values.bestEffort + waiting[i]!.at(-1)!);
    if (first === undefined) continue;
    const part = Math.min(first.wh, supply[i]!);
    add(i, late, supply[i]! - part, 0);
    add(i, late, part, values.first);
    late++;
  }
  for (const [t, { pv, grid, f, p }] of prices.entries()) {
    add(n + t, sink, pv, f);
    add(n + t, sink, grid, p);
  }
  // An interval or a late part must not be left straight to the sink: it would cost more than not to serve any car.
  const never = waiting.reduce((most, stay) => Math.max(most, stay.at(-1)!), values.promised) * 2;
  const spill = Array.from({ length: sink }, (_, v) => (v < n ? values.promised + waiting[v]!.at(-1)! : never));
  while (supply.length < sink) supply.push(0);
  return { network: { supply, spill, tail, head, capacity, cost }, values };
}

/** Sums of so large prices are still exact. */
const EXACT = 2 ** 50;

/**
 * One Wh more of something may change everything else along one cycle of moves: two intervals' prices, the waiting of every
 * car at most once, and every first part at most once. Each value outweighs what is below it along such a cycle.
 */
function valuesOf(
  { weights, intervals }: GroupProblem,
  prices: Prices,
  waiting: readonly (readonly number[])[],
  firsts: number,
): Values {
  const longest = waiting.reduce((most, stay) => Math.max(most, stay.at(-1)!), 0);
  const moved = longest * (Math.min(waiting.length, intervals.length) + 2);
  const bestEffort = weights.scale * weights.extra + moved;
  const usable = prices.filter(({ pv, grid }) => pv + grid > 0).flatMap(({ f, p }) => [f, p]);
  const spread = usable.reduce((a, b) => Math.max(a, b), 0) - usable.reduce((a, b) => Math.min(a, b), 0);
  const first = bestEffort + spread + moved + 1;
  const promised = weights.scale * weights.voll;
  if (firsts === 0) return { promised: moved > 0 ? Math.max(promised, first) : promised, first, bestEffort };
  return { promised: Math.max(promised, first * (Math.min(firsts, intervals.length) + 1)), first, bestEffort };
}

/** Of each car's Wh in each interval of its stay: whole, at most `most`. Rounded down in integers, so that it is the same anywhere. */
function waitingPrices({ cars, intervals, weights }: GroupProblem, microEurPerHour: number, most: number): number[][] {
  const perHour = BigInt(weights.scale) * BigInt(microEurPerHour) * 1_000n; // Wh per kWh
  const endMinute: number[] = [];
  let elapsedS = 0;
  for (const { durationS } of intervals) {
    elapsedS += durationS;
    endMinute.push(Math.floor(elapsedS / 60));
  }
  return cars.map(({ from, to, needWh, moreWh }) => {
    const before = from === 0 ? 0 : endMinute[from - 1]!;
    const perMinute = BigInt(60 * (needWh + moreWh));
    return endMinute
      .slice(from, to)
      .map((end) => (perMinute === 0n ? 0 : Math.min(most, Number((perHour * BigInt(end - before)) / perMinute))));
  });
}

type Prices = readonly { readonly pv: number; readonly grid: number; readonly f: number; readonly p: number }[];

/** README.md, "Objective": f for PV surplus, p for import, with the early weight. */
function pricesOf({ intervals, weights }: GroupProblem): Prices {
  let elapsedS = 0;
  return intervals.map((interval) => {
    const { pv, grid } = capacityOf(interval);
    const early = weights.early * Math.floor(elapsedS / 60);
    elapsedS += interval.durationS;
    const dearest = pv > 0 ? Math.max(interval.price, interval.feedIn) : interval.price;
    return { pv, grid, f: weights.scale * interval.feedIn + early, p: weights.scale * dearest + early };
  });
}
