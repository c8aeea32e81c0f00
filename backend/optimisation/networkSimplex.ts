/**
 * Minimum-cost flow to one sink, exact for whole numbers: the primal network simplex on strongly feasible trees
 * (Cunningham 1976: no cycling) with block search for the entering arc (Grigoriadis 1986). Knows nothing of cars.
 */

/**
 * Nodes 0..n-1; n is the sink. Every unit of supply must reach it: over the arcs, or straight at `spill` per unit,
 * a way without capacity that every node has. Costs and capacities are whole; supply is not negative.
 */
export type Network = {
  readonly supply: ArrayLike<number>;
  readonly spill: ArrayLike<number>;
  readonly tail: ArrayLike<number>;
  readonly head: ArrayLike<number>;
  readonly capacity: ArrayLike<number>;
  readonly cost: ArrayLike<number>;
};

/**
 * `potential[v]` is the price of one more unit at node v: flow and potentials prove each other, because
 * cost of the flow = sum supply x potential - sum capacity x max(0, potential[tail] - cost - potential[head]).
 */
export type MinimumCostFlow = {
  readonly flow: Float64Array;
  readonly spilled: Float64Array;
  readonly potential: Float64Array;
};

const NONE = -1;
const AT_ZERO = 1;
const IN_TREE = 0;
const FULL = -1;

/** The cheapest flow. Throws when costs are so large that sums of them would not be exact. */
export function minimumCostFlow(network: Network): MinimumCostFlow {
  const n = network.supply.length;
  const arcs = network.tail.length;
  const root = n;
  // The ways straight to the sink are arcs as well, after the others: the first tree is their star.
  const tail = Int32Array.from({ length: arcs + n }, (_, a) => (a < arcs ? network.tail[a]! : a - arcs));
  const head = Int32Array.from({ length: arcs + n }, (_, a) => (a < arcs ? network.head[a]! : root));
  const cost = Float64Array.from({ length: arcs + n }, (_, a) =>
    a < arcs ? network.cost[a]! : network.spill[a - arcs]!,
  );
  const capacity = new Float64Array(arcs + n).fill(Number.POSITIVE_INFINITY);
  capacity.set(network.capacity);
  const flow = new Float64Array(arcs + n);
  flow.set(network.supply, arcs);
  const state = new Int8Array(arcs + n).fill(AT_ZERO, 0, arcs);
  refuseInexact(cost, n);

  const parent = new Int32Array(n + 1).fill(root);
  /** The tree arc to the parent; it points up when the node is its tail. */
  const link = Int32Array.from({ length: n + 1 }, (_, v) => arcs + v);
  const depth = new Int32Array(n + 1).fill(1);
  const potential = new Float64Array(n + 1);
  const child = new Int32Array(n + 1).fill(NONE);
  const older = new Int32Array(n + 1).fill(NONE);
  const younger = new Int32Array(n + 1).fill(NONE);
  parent[root] = NONE;
  depth[root] = 0;
  for (let v = 0; v < n; v++) {
    potential[v] = cost[arcs + v]!;
    adopt(root, v);
  }

  function adopt(above: number, v: number): void {
    const eldest = child[above]!;
    parent[v] = above;
    older[v] = NONE;
    younger[v] = eldest;
    if (eldest !== NONE) older[eldest] = v;
    child[above] = v;
  }

  function leave(v: number): void {
    if (older[v] === NONE) child[parent[v]!] = younger[v]!;
    else younger[older[v]!] = younger[v]!;
    if (younger[v] !== NONE) older[younger[v]!] = older[v]!;
  }

  const block = Math.max(20, Math.ceil(Math.sqrt(arcs + n)));
  let place = 0;

  /** The arc whose use saves most per unit within the first block that has any, or NONE: the flow is optimal. */
  function entering(): number {
    let best = 0;
    let found = NONE;
    let inBlock = block;
    for (let looked = 0; looked < arcs + n; looked++) {
      const a = place;
      place = place + 1 === arcs + n ? 0 : place + 1;
      const saved = state[a]! * (cost[a]! + potential[head[a]!]! - potential[tail[a]!]!);
      if (saved < best) {
        best = saved;
        found = a;
      }
      if (--inBlock === 0) {
        if (found !== NONE) return found;
        inBlock = block;
      }
    }
    return found;
  }

  for (let arc = entering(); arc !== NONE; arc = entering()) pivot(arc);

  /** Pushes flow around the cycle that the arc closes; the arc that stops it leaves the tree. */
  function pivot(arc: number): void {
    const forward = state[arc] === AT_ZERO;
    const start = forward ? tail[arc]! : head[arc]!;
    const end = forward ? head[arc]! : tail[arc]!;
    let join = start;
    for (let other = end; join !== other; ) {
      if (depth[join]! >= depth[other]!) join = parent[join]!;
      else other = parent[other]!;
    }
    // Down from the join to `start` and up from `end`. Of several that stop the flow, the last on the way from the join
    // leaves: the tree stays strongly feasible.
    let amount = capacity[arc]!;
    let stop = NONE;
    let stopAtStart = false;
    for (let v = start; v !== join; v = parent[v]!) {
      const a = link[v]!;
      const most = tail[a] === v ? flow[a]! : capacity[a]! - flow[a]!;
      if (most < amount) {
        amount = most;
        stop = v;
        stopAtStart = true;
      }
    }
    for (let v = end; v !== join; v = parent[v]!) {
      const a = link[v]!;
      const most = tail[a] === v ? capacity[a]! - flow[a]! : flow[a]!;
      if (most <= amount) {
        amount = most;
        stop = v;
        stopAtStart = false;
      }
    }
    if (amount > 0) {
      flow[arc]! += forward ? amount : -amount;
      for (let v = start; v !== join; v = parent[v]!) flow[link[v]!]! += tail[link[v]!] === v ? -amount : amount;
      for (let v = end; v !== join; v = parent[v]!) flow[link[v]!]! += tail[link[v]!] === v ? amount : -amount;
    }
    if (stop === NONE) {
      state[arc] = forward ? FULL : AT_ZERO;
      return;
    }
    state[link[stop]!] = flow[link[stop]!] === 0 ? AT_ZERO : FULL;
    state[arc] = IN_TREE;
    rehang(stopAtStart ? start : end, stopAtStart ? end : start, arc, stop);
  }

  /** Turns the branch that hung at `stop` around, so that it hangs at `v` under `above` by the entering arc. */
  function rehang(v: number, above: number, arc: number, stop: number): void {
    const shift = (tail[arc] === v ? cost[arc]! + potential[above]! : potential[above]! - cost[arc]!) - potential[v]!;
    let at = v;
    let by = arc;
    for (let under = above; ; ) {
      const before = parent[at]!;
      const was = link[at]!;
      leave(at);
      adopt(under, at);
      link[at] = by;
      if (at === stop) break;
      under = at;
      at = before;
      by = was;
    }
    // Walk the branch: every potential in it moves by the same amount.
    for (let u = v; ; ) {
      depth[u] = depth[parent[u]!]! + 1;
      potential[u]! += shift;
      if (child[u] !== NONE) {
        u = child[u]!;
        continue;
      }
      while (u !== v && younger[u] === NONE) u = parent[u]!;
      if (u === v) break;
      u = younger[u]!;
    }
  }

  return { flow: flow.slice(0, arcs), spilled: flow.slice(arcs), potential: potential.slice(0, n) };
}

/** A potential is at most one way to the sink plus an alternating sum along a path. */
function refuseInexact(cost: Float64Array, nodes: number): void {
  let spill = 0;
  let most = 0;
  for (let a = 0; a < cost.length; a++) {
    const size = Math.abs(cost[a]!);
    if (a < cost.length - nodes) most = Math.max(most, size);
    else spill = Math.max(spill, size);
  }
  if (spill + most > 2 ** 50)
    throw new RangeError(`Costs of ${spill + most} leave the exact range of sums. Lower scale, early or the values.`);
}
