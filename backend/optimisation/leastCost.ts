/**
 * The exact optimiser: most promised energy, then most best-effort energy, then least cost, then earliest.
 *
 * Cars draw from intervals through a flow network (source -> car -> interval -> sink) in which only the totals of the
 * intervals cost money. The reachable totals form a polymatroid, so raising the cheapest marginal price as far as a
 * maximum flow allows, and never going back, is optimal (Federgruen, Groenevelt 1986; OPTIMISER.md C.1).
 * Augmenting paths only move cars between intervals: no total and no car's energy ever falls.
 * Whole Wh and whole prices in, exact optimum out, with its proof (y, w).
 *
 * This file stands alone (types aside) and computes with + - * / floor min max only, so that its stored text
 * gives the same bytes on every machine.
 */
import type { GroupProblem, Plan } from "./problem.ts";

/** A feasible flow and the search that raises it. `energy[first[i] + t - from[i]]` is car i's Wh in interval t. */
export type Flow = ReturnType<typeof openFlow>;

/** Energy available in an interval: PV surplus first, then import up to the limit. Wh */
export function capacityOf(interval: GroupProblem["intervals"][number]): { pv: number; grid: number } {
  const net = interval.demandWh + interval.fixedWh - interval.productionWh;
  return { pv: Math.max(0, -net), grid: Math.max(0, interval.limitWh - Math.max(0, net)) };
}

/** An empty flow over the cars and intervals of a problem. */
export function openFlow(problem: GroupProblem) {
  const { cars, intervals } = problem;
  const n = cars.length;
  const m = intervals.length;
  const from = new Int32Array(n);
  const first = new Int32Array(n + 1);
  for (let i = 0; i < n; i++) {
    from[i] = cars[i]!.from;
    first[i + 1] = first[i]! + cars[i]!.to - cars[i]!.from;
  }
  const arcs = first[n]!;
  const most = new Int32Array(arcs);
  const energy = new Int32Array(arcs);
  const total = new Float64Array(m);
  const left = new Int32Array(n);

  // Cars of each interval, earliest departure first (then session): energy goes where it is most urgent.
  const listed = new Int32Array(m + 1);
  for (let i = 0; i < n; i++) {
    const power = cars[i]!.powerW;
    for (let t = from[i]!, a = first[i]!; a < first[i + 1]!; t++, a++) {
      most[a] = Math.floor((power * intervals[t]!.durationS) / 3600);
      listed[t + 1]!++;
    }
  }
  for (let t = 0; t < m; t++) listed[t + 1]! += listed[t]!;
  const carAt = new Int32Array(arcs);
  const arcAt = new Int32Array(arcs);
  const next = listed.slice();
  for (const i of byDeparture(problem)) {
    for (let t = from[i]!, a = first[i]!; a < first[i + 1]!; t++, a++) {
      const k = next[t]!++;
      carAt[k] = i;
      arcAt[k] = a;
    }
  }

  const carLevel = new Int32Array(n);
  const intervalLevel = new Int32Array(m);
  const carNext = new Int32Array(n);
  const queue = new Int32Array(m);
  const carClosed = new Uint8Array(n);
  const closed = new Uint8Array(m);
  let depth = 0;

  /** Breadth-first search from interval t for a car with energy left to serve; `depth` is the distance found. */
  function search(t: number): boolean {
    carLevel.fill(-1);
    intervalLevel.fill(-1);
    let head = 0;
    let tail = 0;
    depth = -1;
    queue[tail++] = t;
    intervalLevel[t] = 0;
    while (head < tail) {
      const s = queue[head++]!;
      const level = intervalLevel[s]!;
      if (depth >= 0 && level > depth) break;
      for (let k = listed[s]!, end = listed[s + 1]!; k < end; k++) {
        const i = carAt[k]!;
        if (carLevel[i]! >= 0 || carClosed[i]! === 1) continue;
        const a = arcAt[k]!;
        if (energy[a]! >= most[a]!) continue;
        carLevel[i] = level;
        if (left[i]! > 0) depth = level;
        else if (depth < 0 && tail < m) {
          for (let b = first[i]!, r = from[i]!, stop = first[i + 1]!; b < stop; b++, r++) {
            if (energy[b]! > 0 && intervalLevel[r]! < 0 && closed[r]! === 0) {
              intervalLevel[r] = level + 1;
              queue[tail++] = r;
            }
          }
        }
      }
    }
    if (depth >= 0) return true;
    // What a failed search reached can never be raised again: close it for good.
    for (let q = 0; q < tail; q++) closed[queue[q]!] = 1;
    for (let i = 0; i < n; i++) if (carLevel[i]! >= 0) carClosed[i] = 1;
    return false;
  }

  /** Pushes up to `amount` into interval s along the levels of the last search (a blocking flow). */
  function push(s: number, amount: number): number {
    const level = intervalLevel[s]!;
    let rest = amount;
    for (const end = listed[s + 1]!; next[s]! < end; next[s]!++) {
      const i = carAt[next[s]!]!;
      if (carLevel[i] !== level) continue;
      const a = arcAt[next[s]!]!;
      let room = most[a]! - energy[a]!;
      if (room <= 0) continue;
      if (level === depth) {
        const moved = Math.min(rest, room, left[i]!);
        left[i]! -= moved;
        energy[a]! += moved;
        rest -= moved;
        if (rest === 0) return amount;
        continue;
      }
      for (const stop = first[i + 1]!; carNext[i]! < stop; carNext[i]!++) {
        const b = carNext[i]!;
        const r = from[i]! + b - first[i]!;
        if (energy[b]! <= 0 || intervalLevel[r] !== level + 1) continue;
        const wanted = Math.min(rest, room, energy[b]!);
        const moved = push(r, wanted);
        energy[b]! -= moved;
        energy[a]! += moved;
        rest -= moved;
        room -= moved;
        if (rest === 0) return amount;
        if (room === 0) break;
      }
    }
    return amount - rest;
  }

  /** Raises the total of interval t by up to `amount` Wh from cars with energy `left`; returns the Wh raised. */
  function raise(t: number, amount: number): number {
    let rest = amount;
    for (let k = listed[t]!, end = listed[t + 1]!; k < end && rest > 0; k++) {
      const i = carAt[k]!;
      if (left[i]! === 0) continue;
      const a = arcAt[k]!;
      const moved = Math.min(rest, left[i]!, most[a]! - energy[a]!);
      left[i]! -= moved;
      energy[a]! += moved;
      rest -= moved;
    }
    while (rest > 0 && closed[t]! === 0 && search(t)) {
      for (let s = 0; s < m; s++) next[s] = listed[s]!;
      for (let i = 0; i < n; i++) carNext[i] = first[i]!;
      rest -= push(t, rest);
    }
    total[t]! += amount - rest;
    return amount - rest;
  }

  /** Forgets which intervals were closed: needed when `left` has grown. */
  function reopen(): void {
    closed.fill(0);
    carClosed.fill(0);
  }

  return { n, m, from, first, most, energy, total, left, listed, carAt, arcAt, closed, raise, reopen };
}

/** Cars by departure, then session (cars are in ascending order of it). */
function byDeparture({ cars, intervals }: GroupProblem): Int32Array {
  const place = new Int32Array(intervals.length + 2);
  for (const car of cars) place[car.to + 1]!++;
  for (let t = 0; t <= intervals.length; t++) place[t + 1]! += place[t]!;
  const order = new Int32Array(cars.length);
  for (let i = 0; i < cars.length; i++) order[place[cars[i]!.to]!++] = i;
  return order;
}

/** Marginal prices of an interval in units of micro-euro per kWh / scale: `f` for PV surplus, `p` for import. */
function marginalPrices({ intervals, weights }: GroupProblem) {
  const f = new Float64Array(intervals.length);
  const p = new Float64Array(intervals.length);
  let elapsed = 0;
  for (let t = 0; t < intervals.length; t++) {
    const { price, feedIn, durationS } = intervals[t]!;
    const early = weights.early * Math.floor(elapsed / 60);
    const surplus = capacityOf(intervals[t]!).pv > 0;
    // With surplus the price is at least the feed-in value and without it both are the price: the cost stays convex.
    f[t] = weights.scale * (surplus ? feedIn : price) + early;
    p[t] = weights.scale * (surplus ? Math.max(price, feedIn) : price) + early;
    elapsed += durationS;
  }
  return { f, p };
}

/**
 * The cheapest plan and its proof. Units of cost: nano-euro x scale. `bound` equals `cost`: complementary slackness of
 * (y, w) is checked before it is claimed. Throws when weights are contradictory or numbers leave the exact range.
 */
export function leastCost(problem: GroupProblem): Plan {
  const { cars, intervals, weights } = problem;
  const n = cars.length;
  const m = intervals.length;
  const v1 = weights.scale * weights.voll;
  const v2 = weights.scale * weights.extra;
  if (v1 < v2) throw new RangeError(`voll ${weights.voll} is below extra ${weights.extra}: a promise must come first.`);
  const flow = openFlow(problem);
  const { f, p } = marginalPrices(problem);
  const pv = new Float64Array(m);
  const grid = new Float64Array(m);
  const steps: { readonly t: number; readonly price: number; rest: number }[] = [];
  for (let t = 0; t < m; t++) {
    const capacity = capacityOf(intervals[t]!);
    pv[t] = capacity.pv;
    grid[t] = capacity.grid;
    if (Math.max(f[t]!, -f[t]!, p[t]!, -p[t]!) > 9007199254740991)
      throw new RangeError(`The scaled price of interval ${t} is beyond 2^53. Lower scale or early.`);
    if (capacity.pv > 0) steps.push({ t, price: f[t]!, rest: capacity.pv });
    if (capacity.grid > 0) steps.push({ t, price: p[t]!, rest: capacity.grid });
  }
  steps.sort((a, b) => a.price - b.price || a.t - b.t);

  /** Serves what the cars have `left`, cheapest marginal price first, while a Wh is worth its price. */
  function serve(value: number): void {
    flow.reopen();
    let open = 0;
    for (let i = 0; i < n; i++) open += flow.left[i]!;
    for (const step of steps) {
      if (open === 0 || step.price > value) return;
      if (step.rest === 0 || flow.closed[step.t]! === 1) continue;
      const raised = flow.raise(step.t, step.rest);
      step.rest -= raised;
      open -= raised;
    }
  }
  for (let i = 0; i < n; i++) flow.left[i] = cars[i]!.needWh;
  serve(v1);
  let wanted = 0;
  for (let i = 0; i < n; i++) {
    wanted += cars[i]!.moreWh;
    flow.left[i]! += cars[i]!.moreWh;
  }
  if (wanted > 0) serve(v2);

  const { y, w } = dualPrices(problem, flow, { f, p, pv, grid, v1, v2 });
  let cost = 0n;
  for (let t = 0; t < m; t++) {
    const free = Math.min(flow.total[t]!, pv[t]!);
    cost += BigInt(f[t]!) * BigInt(free) + BigInt(p[t]!) * BigInt(flow.total[t]! - free);
  }
  let short = 0;
  let unserved = 0;
  const energyWh: number[][] = [];
  for (let i = 0; i < n; i++) {
    const missing = Math.max(0, flow.left[i]! - cars[i]!.moreWh);
    short += missing;
    unserved += flow.left[i]! - missing;
    const stay: number[] = [];
    for (let a = flow.first[i]!; a < flow.first[i + 1]!; a++) stay.push(flow.energy[a]!);
    energyWh.push(stay);
  }
  cost += BigInt(v1) * BigInt(short) + BigInt(v2) * BigInt(unserved);
  const certificate = { y: Array.from(y, BigInt), w: Array.from(w, BigInt) };
  return { algorithm: "least-cost", energyWh, certificate, cost, bound: cost };
}

type Prices = {
  readonly f: Float64Array;
  readonly p: Float64Array;
  readonly pv: Float64Array;
  readonly grid: Float64Array;
  readonly v1: number;
  readonly v2: number;
};

/**
 * y (worth of one more Wh to a car) and w (price of one more Wh in an interval), by one sweep over the residual graph:
 * in ascending order, each interval hands the price of its next Wh to every car that could still move there, and such
 * a car hands it to every interval that it uses. What nothing reaches is worth v1.
 */
function dualPrices(problem: GroupProblem, flow: Flow, { f, p, pv, grid, v1, v2 }: Prices) {
  const { n, m, from, first, most, energy, total, left, listed, carAt, arcAt } = flow;
  const { cars } = problem;
  const y = new Float64Array(n).fill(v1);
  const w = new Float64Array(m).fill(v1);
  const carDone = new Uint8Array(n);
  const done = new Uint8Array(m);
  const queue = new Int32Array(m);
  let head = 0;
  let tail = 0;

  function reachCar(i: number, value: number): void {
    carDone[i] = 1;
    y[i] = value;
    for (let b = first[i]!, r = from[i]!; b < first[i + 1]!; b++, r++) {
      if (energy[b]! > 0 && done[r]! === 0) reach(r, value);
    }
  }
  function reach(t: number, value: number): void {
    done[t] = 1;
    w[t] = value;
    queue[tail++] = t;
  }
  function spread(value: number): void {
    for (; head < tail; head++) {
      const s = queue[head]!;
      for (let k = listed[s]!; k < listed[s + 1]!; k++) {
        const a = arcAt[k]!;
        if (carDone[carAt[k]!]! === 0 && energy[a]! < most[a]!) reachCar(carAt[k]!, value);
      }
    }
  }
  /** Price of the next Wh of an interval, and of the last one used. */
  const nextPrice = (t: number) =>
    total[t]! < pv[t]! ? f[t]! : total[t]! < pv[t]! + grid[t]! ? p[t]! : Number.POSITIVE_INFINITY;
  const lastPrice = (t: number) => (total[t]! > pv[t]! ? p[t]! : total[t]! > 0 ? f[t]! : Number.NEGATIVE_INFINITY);
  const servesMore = (i: number) => left[i]! < cars[i]!.moreWh;

  const sources = Array.from({ length: m }, (_, t) => ({ t, price: nextPrice(t) })).filter(({ price }) => price < v1);
  sources.push({ t: m, price: v2 }); // not an interval: the cars whose best effort is served, worth v2 at most
  sources.sort((a, b) => a.price - b.price || a.t - b.t);
  for (const { t, price } of sources) {
    if (t === m) for (let i = 0; i < n; i++) if (carDone[i]! === 0 && servesMore(i)) reachCar(i, v2);
    if (t < m && done[t]! === 0) reach(t, price);
    spread(price);
  }

  // Complementary slackness: with it, bound = cost by linear programming duality, term by term.
  let proven = true;
  for (let t = 0; t < m; t++) if (w[t]! > nextPrice(t) || w[t]! < lastPrice(t)) proven = false;
  for (let i = 0; i < n; i++) {
    const { needWh, moreWh } = cars[i]!;
    const short = Math.max(0, left[i]! - moreWh);
    if (short > 0 && y[i]! < v1) proven = false;
    if (left[i]! - short > 0 && y[i]! < v2) proven = false;
    if (servesMore(i) && y[i]! > v2) proven = false;
    if (short < needWh && y[i]! > v1) proven = false;
    for (let a = first[i]!, t = from[i]!; a < first[i + 1]!; a++, t++) {
      if (energy[a]! < most[a]! && y[i]! > w[t]!) proven = false;
      if (energy[a]! > 0 && y[i]! < w[t]!) proven = false;
    }
  }
  if (!proven)
    throw new Error("The least-cost plan could not be proven optimal. Use the fallback and report the problem.");
  return { y, w };
}
