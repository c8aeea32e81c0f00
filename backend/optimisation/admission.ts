/**
 * Admission: can this car get its energy by then, with every accepted promise kept? An exact maximum flow decides, so
 * a refusal is never a matter of search order; accepted energy is only moved between intervals, never reduced.
 * The problem's `needWh` are the promises, its capacities the conservative ones; `moreWh` has no claim and is ignored.
 */
import { microEurPerKwh, type Watt, type WattHour, wattHour } from "../domain/units.ts";
import { capacityOf, type Flow, leastCost, openFlow } from "./leastCost.ts";
import type { Car, GroupProblem, Plan } from "./problem.ts";

/** What a driver asks for: this energy within intervals [from, to). */
export type EnergyRequest = {
  readonly energyWh: WattHour;
  readonly powerW: Watt;
  readonly from: number;
  readonly to: number;
};

/**
 * Why it does not fit: within `intervals` these promised sessions and the request (not listed) need `neededWh` that
 * they cannot draw at another time, and the group has `availableWh`. Without intervals: the car's own power is too low.
 */
export type OverloadWitness = {
  readonly sessions: readonly number[];
  readonly intervals: readonly number[];
  readonly neededWh: WattHour;
  readonly availableWh: WattHour;
};

type Short = { readonly shortfallWh: WattHour; readonly witness: OverloadWitness };
/** `energyWh`: most by the wished time. `laterTo`: end of the shortest longer stay that fits all of it, or null. */
export type AdmissionAnswer =
  | { readonly kind: "accepted" }
  | ({ readonly kind: "counter"; readonly energyWh: WattHour; readonly laterTo: number | null } & Short)
  | ({ readonly kind: "refused" } & Short);

/** The answer to one request. To amend a promise, leave its car out of the problem and ask for all of its energy. */
export function admit(problem: GroupProblem, request: EnergyRequest): AdmissionAnswer {
  const { energyWh, powerW, from, to } = request;
  const m = problem.intervals.length;
  if (!(from >= 0 && from < to && to <= m)) throw new RangeError(`Stay [${from}, ${to}) is not within ${m} intervals.`);
  if (!Number.isSafeInteger(energyWh) || energyWh < 0) throw new RangeError(`Request of ${energyWh} Wh.`);
  const asking = problem.cars.length;
  const session = (problem.cars.at(-1)?.session ?? 0) + 1;
  const car: Car = { session, row: 0, needWh: energyWh, moreWh: wattHour(0), powerW, minPowerW: wattW0, from, to: m };
  const flow = openFlow({ ...problem, cars: [...problem.cars, car] });
  const room = keepPromises(problem, flow);

  let given = 0;
  for (let t = from; t < to; t++) given += room.give(asking, t, energyWh - given);
  if (given === energyWh) return { kind: "accepted" };
  const short = { shortfallWh: wattHour(energyWh - given), witness: witnessOf(problem, request, flow) };
  let later = given;
  for (let t = to; t < m; t++) {
    later += room.give(asking, t, energyWh - later);
    if (later === energyWh) return { kind: "counter", energyWh: wattHour(given), laterTo: t + 1, ...short };
  }
  return given > 0
    ? { kind: "counter", energyWh: wattHour(given), laterTo: null, ...short }
    : { kind: "refused", ...short };
}

/**
 * Per car the Wh that could be guaranteed in addition, to it alone, with every other promise held; at most `mostWh`.
 * Negative: so much of its promise does not fit.
 */
export function slack(problem: GroupProblem, mostWh = Number.POSITIVE_INFINITY): number[] {
  const flow = openFlow(problem);
  const room = keepPromises(problem, flow);
  return problem.cars.map((car, i) => {
    if (flow.left[i]! > 0) return -flow.left[i]!;
    let given = 0;
    for (let t = car.from; t < car.to && given < mostWh; t++) given += room.give(i, t, mostWh - given);
    room.undo();
    return given;
  });
}

/**
 * Proof of a refusal: the same group with all prices 0 and the request as a promise. The cost of any plan is then its
 * shortfall times scale x voll, so the certified bound is the smallest possible shortfall.
 */
export function refusalProof(
  problem: GroupProblem,
  request: EnergyRequest & { readonly session: number; readonly row: number },
): { readonly problem: GroupProblem; readonly plan: Plan; readonly shortfallWh: WattHour } {
  const { session, row, energyWh, powerW, from, to } = request;
  const car: Car = { session, row, needWh: energyWh, moreWh: wattHour(0), powerW, minPowerW: wattW0, from, to };
  const zero = microEurPerKwh(0);
  const priceless: GroupProblem = {
    ...problem,
    weights: { ...problem.weights, early: 0 },
    cars: [...problem.cars.map((c) => ({ ...c, moreWh: wattHour(0) })), car].sort((a, b) => a.session - b.session),
    intervals: problem.intervals.map((interval) => ({ ...interval, price: zero, feedIn: zero })),
  };
  const plan = leastCost(priceless);
  const { scale, voll } = problem.weights;
  return { problem: priceless, plan, shortfallWh: wattHour(Number(plan.cost / (BigInt(scale) * BigInt(voll)))) };
}

const wattW0 = 0 as Watt;

/** Routes all promises (as far as they fit), then offers the room that is left. */
function keepPromises(problem: GroupProblem, flow: Flow) {
  const { m, from, first, most, energy, total } = flow;
  const { listed, carAt, arcAt } = carsPerInterval(flow);
  const spare = new Float64Array(m);
  for (const [i, car] of problem.cars.entries()) flow.left[i] = car.needWh;
  flow.reopen();
  // Latest first: cars that are plugged in now find what is spare in intervals that they can use themselves.
  for (let t = m - 1; t >= 0; t--) {
    const { pv, grid } = capacityOf(problem.intervals[t]!);
    flow.raise(t, pv + grid);
    spare[t] = pv + grid - total[t]!;
  }
  /** 1: no spare energy can be reached from this interval by moving cars. */
  const exhausted = new Uint8Array(m);
  const exhaustedAtFirst = reachless();
  const seen = new Uint8Array(m);
  const queue = new Int32Array(m);
  const carSeen = new Int32Array(flow.n);
  let searches = 0;
  const before = new Int32Array(m); // the interval from which a car would move here ...
  const leaves = new Int32Array(m); // ... leaving this arc
  const enters = new Int32Array(m); // ... for this one
  const undone: { readonly arc: number; readonly wh: number }[] = [];
  const spent: { readonly t: number; readonly wh: number }[] = [];

  /** Gives car i up to `amount` Wh in interval t, moving other cars to spare energy; returns the Wh given. */
  function give(i: number, t: number, amount: number): number {
    const own = first[i]! + t - from[i]!;
    let given = 0;
    while (given < amount && energy[own]! < most[own]! && exhausted[t]! === 0) {
      const end = search(i, t);
      if (end < 0) break;
      let moved = Math.min(amount - given, most[own]! - energy[own]!, spare[end]!);
      for (let r = end; r !== t; r = before[r]!)
        moved = Math.min(moved, energy[leaves[r]!]!, most[enters[r]!]! - energy[enters[r]!]!);
      for (let r = end; r !== t; r = before[r]!) {
        change(leaves[r]!, -moved);
        change(enters[r]!, moved);
      }
      change(own, moved);
      spare[end]! -= moved;
      spent.push({ t: end, wh: moved });
      given += moved;
    }
    return given;
  }

  /** Nearest interval with spare energy that moves of other cars can reach from t, or -1 (all reached are exhausted). */
  function search(asking: number, t: number): number {
    let tail = 0;
    searches++;
    seen.fill(0);
    seen[t] = 1;
    queue[tail++] = t;
    for (let head = 0; head < tail; head++) {
      const s = queue[head]!;
      if (spare[s]! > 0) return s;
      for (let k = listed[s]!; k < listed[s + 1]!; k++) {
        const j = carAt[k]!;
        const a = arcAt[k]!;
        if (energy[a]! === 0 || carSeen[j]! === searches || j === asking || tail === m) continue;
        carSeen[j] = searches;
        for (let b = first[j]!, r = from[j]!; b < first[j + 1]!; b++, r++) {
          if (seen[r]! === 1 || exhausted[r]! === 1 || energy[b]! >= most[b]!) continue;
          seen[r] = 1;
          leaves[r] = a;
          enters[r] = b;
          before[r] = s;
          queue[tail++] = r;
        }
      }
    }
    for (let q = 0; q < tail; q++) exhausted[queue[q]!] = 1;
    return -1;
  }

  /** Intervals from which no interval with spare energy can be reached at all: the answer for many cars at once. */
  function reachless(): Uint8Array {
    const none = new Uint8Array(m).fill(1);
    const open: number[] = [];
    const reached = new Uint8Array(flow.n);
    for (let t = 0; t < m; t++) if (spare[t]! > 0) open.push(t);
    for (const t of open) none[t] = 0;
    for (let t = open.pop(); t !== undefined; t = open.pop()) {
      for (let k = listed[t]!; k < listed[t + 1]!; k++) {
        const j = carAt[k]!;
        if (reached[j]! === 1 || energy[arcAt[k]!]! >= most[arcAt[k]!]!) continue;
        reached[j] = 1;
        for (let b = first[j]!, r = from[j]!; b < first[j + 1]!; b++, r++) {
          if (energy[b]! === 0 || none[r]! === 0) continue;
          none[r] = 0;
          open.push(r);
        }
      }
    }
    return none;
  }

  function change(arc: number, wh: number): void {
    energy[arc]! += wh;
    undone.push({ arc, wh });
  }

  /** Takes back everything given since the last undo. */
  function undo(): void {
    for (const { arc, wh } of undone) energy[arc]! -= wh;
    for (const { t, wh } of spent) spare[t]! += wh;
    undone.length = 0;
    spent.length = 0;
    exhausted.set(exhaustedAtFirst);
  }

  undo();
  return { give, undo };
}

/** The cars of interval t and their arcs are at listed[t] .. listed[t + 1]. */
function carsPerInterval({ n, m, from, first }: Flow) {
  const listed = new Int32Array(m + 1);
  for (let i = 0; i < n; i++) for (let t = from[i]!, a = first[i]!; a < first[i + 1]!; t++, a++) listed[t + 1]!++;
  for (let t = 0; t < m; t++) listed[t + 1]! += listed[t]!;
  const next = listed.slice();
  const carAt = new Int32Array(first[n]!);
  const arcAt = new Int32Array(first[n]!);
  for (let i = 0; i < n; i++) {
    for (let t = from[i]!, a = first[i]!; a < first[i + 1]!; t++, a++) {
      carAt[next[t]!] = i;
      arcAt[next[t]!++] = a;
    }
  }
  return { listed, carAt, arcAt };
}

/** The cut that stopped the search: the full intervals that the request reaches, and every car that it meets there. */
function witnessOf(problem: GroupProblem, request: EnergyRequest, flow: Flow): OverloadWitness {
  const { first, from, most, energy } = flow;
  const asking = problem.cars.length;
  const inside = new Uint8Array(flow.m);
  const sessions: number[] = [];
  const joined = new Uint8Array(asking);
  for (let t = request.from, a = first[asking]!; t < request.to; t++, a++) if (energy[a]! < most[a]!) inside[t] = 1;
  for (let grown = true; grown; ) {
    grown = false;
    for (let i = 0; i < asking; i++) {
      if (joined[i] === 1) continue;
      for (let a = first[i]!, t = from[i]!; a < first[i + 1]!; a++, t++)
        if (energy[a]! > 0 && inside[t]! === 1) joined[i] = 1;
      if (joined[i] !== 1) continue;
      grown = true;
      for (let a = first[i]!, t = from[i]!; a < first[i + 1]!; a++, t++) if (energy[a]! < most[a]!) inside[t] = 1;
    }
  }
  let neededWh = request.energyWh as number;
  for (let t = request.from, a = first[asking]!; t < request.to; t++, a++) if (inside[t] === 0) neededWh -= most[a]!;
  for (let i = 0; i < asking; i++) {
    if (joined[i] !== 1) continue;
    sessions.push(problem.cars[i]!.session);
    for (let a = first[i]!, t = from[i]!; a < first[i + 1]!; a++, t++) if (inside[t] === 1) neededWh += energy[a]!;
  }
  const intervals: number[] = [];
  let availableWh = 0;
  for (let t = 0; t < flow.m; t++) {
    if (inside[t] === 0) continue;
    intervals.push(t);
    const { pv, grid } = capacityOf(problem.intervals[t]!);
    availableWh += pv + grid;
  }
  return { sessions, intervals, neededWh: wattHour(neededWh), availableWh: wattHour(availableWh) };
}
