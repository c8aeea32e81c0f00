/**
 * The exact optimiser: most promised energy, then most best-effort energy, then least cost, then earliest.
 *
 * Cars draw from intervals through a flow network (source -> car -> interval -> sink) in which only the totals of the
 * intervals cost money. The reachable totals form a polymatroid, so raising the cheapest marginal price as far as a
 * maximum flow allows, and never going back, is optimal (Federgruen, Groenevelt 1986; OPTIMISER.md C.1).
 * Augmenting paths only move cars between intervals: no total and no car's energy ever falls.
 * Whole Wh and whole prices in, exact optimum out, with its proof (y, w).
 *
 * This file stands alone (types aside) and computes with + - * / floor min max and 32-bit words (& | ~ ^ << >>> clz32)
 * only, so that its stored text gives the same bytes on every machine.
 */
import type { GroupProblem, Plan } from "./problem.ts";

/** A feasible flow and the search that raises it. `energy[first[i] + t - from[i]]` is car i's Wh in interval t. */
export type Flow = ReturnType<typeof openFlow>;

/** Energy available in an interval: PV surplus first, then import up to the limit. Wh */
export function capacityOf(interval: GroupProblem["intervals"][number]): { pv: number; grid: number } {
  const net = interval.demandWh + interval.fixedWh - interval.productionWh;
  return { pv: Math.max(0, -net), grid: Math.max(0, interval.limitWh - Math.max(0, net)) };
}

/** An empty flow over the cars and intervals of a problem. Write `left`, then raise intervals; after writing it again, `reopen`. */
export function openFlow(problem: GroupProblem) {
  const { cars, intervals } = problem;
  const n = cars.length;
  const m = intervals.length;
  const from = new Int32Array(n);
  const to = new Int32Array(n);
  const first = new Int32Array(n);
  const { order, gone } = byDeparture(problem);
  let arcs = 0;
  for (let rank = 0; rank < n; rank++) {
    const i = order[rank]!;
    from[i] = cars[i]!.from;
    to[i] = cars[i]!.to;
    first[i] = arcs;
    arcs += to[i]! - from[i]!;
  }
  const most = new Int32Array(arcs);
  const energy = new Int32Array(arcs);
  const total = new Float64Array(m);
  const left = new Int32Array(n);

  // Sets, 32 members to a word (a shift by r is one by r modulo 32): cars by rank, earliest departure first, so that
  // energy goes where it is most urgent, and intervals. A search then looks at words instead of arcs.
  const carWords = Math.floor((n + 31) / 32);
  const words = Math.floor((m + 31) / 32);
  /** Per interval, the cars that could draw more there. */
  const room = new Int32Array(m * carWords);
  /** Per rank, the intervals that the car draws in. */
  const used = new Int32Array(n * words);
  /** The arc of a rank in interval t is origin[rank] + t. */
  const origin = new Int32Array(n);
  /** Where the run of equally long intervals around each interval ends. */
  const runEnd = new Int32Array(m).fill(m);
  for (let t = m - 2; t >= 0; t--)
    runEnd[t] = intervals[t]!.durationS === intervals[t + 1]!.durationS ? runEnd[t + 1]! : t + 1;
  for (let rank = 0; rank < n; rank++) {
    const i = order[rank]!;
    const word = rank >>> 5;
    origin[rank] = first[i]! - from[i]!;
    for (let t = from[i]!, end = t; t < to[i]!; t = end) {
      end = Math.min(to[i]!, runEnd[t]!);
      const wh = Math.floor((cars[i]!.powerW * intervals[t]!.durationS) / 3600);
      if (wh === 0) continue;
      for (let a = origin[rank]! + t; a < origin[rank]! + end; a++) most[a] = wh;
      // Only where a run begins and ends: an exclusive or from interval to interval completes the sets below.
      room[t * carWords + word]! ^= 1 << rank;
      if (end < m) room[end * carWords + word]! ^= 1 << rank;
    }
  }
  for (let k = carWords; k < m * carWords; k++) room[k]! ^= room[k - carWords]!;
  /** Cars with energy left to serve, and cars and intervals that no failed search has reached. */
  const wanting = new Int32Array(carWords);
  const openCars = new Int32Array(carWords);
  const open = new Int32Array(words);
  const closed = new Uint8Array(m);

  // Of the last search: intervals by their distance from the one to be raised, and how far each push has come.
  const level = new Int32Array(m);
  const layers = new Int32Array((m + 1) * words);
  const queue = new Int32Array(m);
  const next = new Int32Array(m);
  const unseenCars = new Int32Array(carWords);
  const unseen = new Int32Array(words);
  const beyond = new Int32Array(words);
  /** Cars that lead from their layer to the next one. */
  const leading = new Int32Array(carWords);
  let depth = 0;
  let ready = false;

  /** Breadth-first search from interval t for one where a car with energy left has room; `depth` is its distance. */
  function search(t: number): boolean {
    unseenCars.set(openCars);
    unseen.set(open);
    leading.fill(0);
    layers.fill(0, 0, words);
    let head = 0;
    let tail = 0;
    const see = (r: number, distance: number) => {
      unseen[r >>> 5]! &= ~(1 << r);
      layers[distance * words + (r >>> 5)]! |= 1 << r;
      level[r] = distance;
      next[r] = gone[r]!;
      queue[tail++] = r;
    };
    see(t, 0);
    for (let distance = 0; head < tail; distance++) {
      const end = tail;
      depth = distance;
      for (let q = head; q < end; q++) if (wanted(queue[q]!)) return true;
      layers.fill(0, (distance + 1) * words, (distance + 2) * words);
      beyond.set(unseen);
      for (; head < end; head++) {
        const base = queue[head]! * carWords;
        for (let k = gone[queue[head]!]! >>> 5; k < carWords; k++) {
          let cars = room[base + k]! & unseenCars[k]!;
          unseenCars[k]! &= ~cars;
          for (; cars !== 0; cars &= cars - 1) {
            const rank = 32 * k + lowest(cars);
            for (let j = 0; j < words; j++) {
              const leads = used[rank * words + j]! & beyond[j]!;
              if (leads !== 0) leading[k]! |= 1 << rank;
              for (let set = leads & unseen[j]!; set !== 0; set &= set - 1) see(32 * j + lowest(set), distance + 1);
            }
          }
        }
      }
    }
    // What a failed search reached can never be raised again: close it for good.
    for (let q = 0; q < tail; q++) closed[queue[q]!] = 1;
    openCars.set(unseenCars);
    open.set(unseen);
    return false;
  }

  /** Can any car with energy left draw more in interval t? */
  function wanted(t: number): boolean {
    for (let k = gone[t]! >>> 5; k < carWords; k++) if ((room[t * carWords + k]! & wanting[k]!) !== 0) return true;
    return false;
  }

  /** Serves cars with energy left in interval t, up to `amount`, from rank next[t] on; returns the Wh served. */
  function serve(t: number, amount: number): number {
    const base = t * carWords;
    let rest = amount;
    let k = next[t]! >>> 5;
    for (; k < carWords; k++) {
      for (let cars = room[base + k]! & wanting[k]!; cars !== 0; cars &= cars - 1) {
        const rank = 32 * k + lowest(cars);
        const i = order[rank]!;
        const a = origin[rank]! + t;
        const moved = Math.min(rest, left[i]!, most[a]! - energy[a]!) | 0;
        left[i]! -= moved;
        if (left[i] === 0) wanting[k]! &= ~(1 << rank);
        draw(rank, t, moved);
        rest -= moved;
        if (rest === 0) {
          next[t] = 32 * k;
          return amount;
        }
      }
    }
    next[t] = 32 * k;
    return amount - rest;
  }

  /** Pushes up to `amount` into interval s along the layers of the last search (a blocking flow). */
  function push(s: number, amount: number): number {
    const layer = level[s]! + 1;
    if (layer > depth) return serve(s, amount);
    let rest = amount;
    for (let k = next[s]! >>> 5, skip = next[s]! & 31; k < carWords; k++, skip = 0) {
      for (let cars = ((room[s * carWords + k]! & leading[k]!) >>> skip) << skip; cars !== 0; cars &= cars - 1) {
        const rank = 32 * k + lowest(cars);
        next[s] = rank;
        const base = origin[rank]!;
        const possible = Math.min(rest, most[base + s]! - energy[base + s]!) | 0;
        let space = possible;
        for (let j = 0; j < words && space > 0; j++) {
          for (let set = used[rank * words + j]! & layers[layer * words + j]!; set !== 0 && space > 0; set &= set - 1) {
            const r = 32 * j + lowest(set);
            const wish = Math.min(space, energy[base + r]!) | 0;
            const moved = layer === depth ? serve(r, wish) : push(r, wish);
            if (moved < wish) layers[layer * words + j]! &= ~(1 << r); // nothing more can be pushed into r
            if (moved === 0) continue;
            draw(rank, r, -moved);
            space -= moved;
          }
        }
        if (space === possible) continue;
        draw(rank, s, possible - space);
        rest -= possible - space;
        if (rest === 0) return amount;
      }
    }
    next[s] = 32 * carWords;
    return amount - rest;
  }

  /** The car of that rank draws `wh` more (or less) in interval t. */
  function draw(rank: number, t: number, wh: number): void {
    const a = origin[rank]! + t;
    const before = energy[a]!;
    const after = before + wh;
    energy[a] = after;
    if (before === 0) used[rank * words + (t >>> 5)]! |= 1 << t;
    else if (after === 0) used[rank * words + (t >>> 5)]! &= ~(1 << t);
    if (after === most[a]) room[t * carWords + (rank >>> 5)]! &= ~(1 << rank);
    else if (before === most[a]) room[t * carWords + (rank >>> 5)]! |= 1 << rank;
  }

  /** The car may draw up to `wh` in interval t, which it is not below. */
  function allow(rank: number, t: number, wh: number): void {
    const a = origin[rank]! + t;
    most[a] = wh;
    if (energy[a]! < wh) room[t * carWords + (rank >>> 5)]! |= 1 << rank;
    else room[t * carWords + (rank >>> 5)]! &= ~(1 << rank);
  }

  /** Raises the total of interval t by up to `amount` Wh from cars with energy `left`; returns the Wh raised. */
  function raise(t: number, amount: number): number {
    if (!ready) reopen();
    next[t] = gone[t]!;
    let rest = amount > 0 ? amount - serve(t, amount) : 0;
    while (rest > 0 && closed[t] === 0 && search(t)) {
      const pushed = push(t, rest);
      if (pushed === 0)
        throw new Error("A way was found and nothing fits through. Use the fallback and report the problem.");
      rest -= pushed;
    }
    total[t]! += amount - rest;
    return amount - rest;
  }

  /** Reads what is `left` anew, and forgets which intervals were closed. */
  function reopen(): void {
    ready = true;
    closed.fill(0);
    openCars.fill(-1);
    for (let t = 0; t < m; t++) open[t >>> 5]! |= 1 << t;
    wanting.fill(0);
    for (let rank = 0; rank < n; rank++) if (left[order[rank]!]! > 0) wanting[rank >>> 5]! |= 1 << rank;
  }

  return { n, m, from, to, first, most, energy, total, left, order, room, used, closed, raise, reopen, draw, allow };
}

/** The first member of a word that is not empty. */
const lowest = (word: number): number => 31 - Math.clz32(word & -word);

/** Cars by departure, then session (cars are in ascending order of it), and how many have gone when an interval begins. */
function byDeparture({ cars, intervals }: GroupProblem) {
  const place = new Int32Array(intervals.length + 2);
  for (const car of cars) place[car.to + 1]!++;
  for (let t = 0; t <= intervals.length; t++) place[t + 1]! += place[t]!;
  const order = new Int32Array(cars.length);
  for (let i = 0; i < cars.length; i++) order[place[cars[i]!.to]!++] = i;
  return { order, gone: place };
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
  const { energy, first } = flow;
  let short = 0;
  let unserved = 0;
  const energyWh = new Array<number[]>(n);
  for (let i = 0; i < n; i++) {
    const missing = Math.max(0, flow.left[i]! - cars[i]!.moreWh);
    short += missing;
    unserved += flow.left[i]! - missing;
    const begin = first[i]!;
    const length = cars[i]!.to - cars[i]!.from;
    const stay = new Array<number>(length);
    for (let k = 0; k < length; k++) stay[k] = energy[begin + k]!;
    energyWh[i] = stay;
  }
  cost += BigInt(v1) * BigInt(short) + BigInt(v2) * BigInt(unserved);
  const certificate = { y: bigints(y), w: bigints(w) };
  return { algorithm: "least-cost", energyWh, certificate, cost, bound: cost };
}

/** Neighbours are often equal, and then share one bigint. */
function bigints(values: Float64Array): bigint[] {
  const all = new Array<bigint>(values.length);
  for (let i = 0; i < values.length; i++)
    all[i] = i > 0 && values[i] === values[i - 1] ? all[i - 1]! : BigInt(values[i]!);
  return all;
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
  const { n, m, total, left, order, room, used } = flow;
  const { cars } = problem;
  const carWords = Math.floor((n + 31) / 32);
  const words = Math.floor((m + 31) / 32);
  const y = new Float64Array(n).fill(v1);
  const w = new Float64Array(m).fill(v1);
  /** Cars by rank, and intervals, that no price has reached yet. */
  const unpriced = new Int32Array(carWords).fill(-1);
  const waiting = new Int32Array(words).fill(-1);
  const queue = new Int32Array(m);
  let head = 0;
  let tail = 0;

  function reachCar(rank: number, value: number): void {
    unpriced[rank >>> 5]! &= ~(1 << rank);
    y[order[rank]!] = value;
    for (let j = 0; j < words; j++)
      for (let set = used[rank * words + j]! & waiting[j]!; set !== 0; set &= set - 1)
        reach(32 * j + lowest(set), value);
  }
  function reach(t: number, value: number): void {
    waiting[t >>> 5]! &= ~(1 << t);
    w[t] = value;
    queue[tail++] = t;
  }
  function spread(value: number): void {
    for (; head < tail; head++) {
      const base = queue[head]! * carWords;
      for (let k = 0; k < carWords; k++)
        for (let set = room[base + k]! & unpriced[k]!; set !== 0; set &= set - 1) reachCar(32 * k + lowest(set), value);
    }
  }
  /** Price of the next Wh of an interval, and of the last one used. */
  const nextPrice = (t: number) =>
    total[t]! < pv[t]! ? f[t]! : total[t]! < pv[t]! + grid[t]! ? p[t]! : Number.POSITIVE_INFINITY;
  const lastPrice = (t: number) => (total[t]! > pv[t]! ? p[t]! : total[t]! > 0 ? f[t]! : Number.NEGATIVE_INFINITY);
  const isIn = (set: Int32Array, member: number) => ((set[member >>> 5]! >>> member) & 1) === 1;
  const servesMore = (i: number) => left[i]! < cars[i]!.moreWh;

  const sources = Array.from({ length: m }, (_, t) => ({ t, price: nextPrice(t) })).filter(({ price }) => price < v1);
  sources.push({ t: m, price: v2 }); // not an interval: the cars whose best effort is served, worth v2 at most
  sources.sort((a, b) => a.price - b.price || a.t - b.t);
  for (const { t, price } of sources) {
    if (t < m && isIn(waiting, t)) reach(t, price);
    if (t === m)
      for (let rank = 0; rank < n; rank++) if (isIn(unpriced, rank) && servesMore(order[rank]!)) reachCar(rank, v2);
    spread(price);
  }

  // Complementary slackness: with it, bound = cost by linear programming duality, term by term. Between a car and an
  // interval it holds by the sweep: a car with room there has y <= w, and one that draws there y >= w.
  let proven = true;
  for (let t = 0; t < m; t++) if (w[t]! > nextPrice(t) || w[t]! < lastPrice(t)) proven = false;
  for (let i = 0; i < n; i++) {
    const { needWh, moreWh } = cars[i]!;
    const short = Math.max(0, left[i]! - moreWh);
    if (short > 0 && y[i]! < v1) proven = false;
    if (left[i]! - short > 0 && y[i]! < v2) proven = false;
    if (servesMore(i) && y[i]! > v2) proven = false;
    if (short < needWh && y[i]! > v1) proven = false;
  }
  if (!proven)
    throw new Error("The least-cost plan could not be proven optimal. Use the fallback and report the problem.");
  return { y, w };
}
