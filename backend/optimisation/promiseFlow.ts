/**
 * One feasible flow of all promises, kept and extended: a further car gets energy along shortest augmenting paths, on
 * which others move between intervals but never lose any. What the paths cannot give, no plan can (Ford, Fulkerson).
 *
 * A first deadline (`Car.first`) bounds what a car may draw late, from `first.to` on: `lateLeft` is what is left of that.
 * A car without any left may not move energy from before its deadline to after it.
 */
import { type Watt, wattHour } from "../domain/units.ts";
import { capacityOf, openFlow } from "./leastCost.ts";
import type { Car, GroupProblem } from "./problem.ts";

/** Places for cars that come later; when they are taken, the flow is laid anew with as many again. */
const SEATS = 32;

export type Placed = { readonly powerW: Watt; readonly from: number; readonly to: number };
export type PromiseFlow = ReturnType<typeof openPromiseFlow>;

/** Routes all promises (`needWh`) as far as they fit within the capacities; `moreWh` has no claim. */
export function openPromiseFlow(problem: GroupProblem) {
  const { intervals } = problem;
  const empty: Car = { ...NOBODY, to: intervals.length };
  const flow = openFlow({ ...problem, cars: [...problem.cars, ...Array.from({ length: SEATS }, () => empty)] });
  const { n, m, from, to, first, most, energy, total, left, order, room, used, draw } = flow;
  const carWords = Math.floor((n + 31) / 32);
  const words = Math.floor((m + 31) / 32);
  const rankOf = new Int32Array(n);
  for (let rank = 0; rank < n; rank++) rankOf[order[rank]!] = rank;

  const spare = new Float64Array(m);
  /** By car: the interval of the first deadline (m: none), and what may still be drawn from there on. */
  const turn = new Int32Array(n).fill(m);
  const lateLeft = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  /** Promised Wh that did not fit, by car, and Wh that only fit after the first deadline. */
  const missing = new Float64Array(n);
  const missingFirst = new Float64Array(n);

  // Intervals from which no move leads to spare energy are not in `reach`; it may hold others.
  const reach = new Int32Array(words);
  const reachAtRest = new Int32Array(words);
  const unseen = new Int32Array(words);
  const unseenCars = new Int32Array(carWords);
  const queue = new Int32Array(m);
  const wanted = new Uint8Array(m);
  const towards = new Int32Array(m); // the interval to which a car moves from here ...
  const mover = new Int32Array(m); // ... and the rank of that car

  const has = (set: Int32Array, t: number) => ((set[t >>> 5]! >>> t) & 1) === 1;
  const arcOf = (i: number, t: number) => first[i]! + t - from[i]!;
  const isShut = (i: number, t: number) => t >= turn[i]! && lateLeft[i] === 0;

  /** Car i draws `wh` more (or less) in interval t. */
  function change(i: number, t: number, wh: number): void {
    draw(rankOf[i]!, t, wh);
    if (t >= turn[i]!) lateLeft[i]! -= wh;
  }

  /** Gives car i up to `amount` Wh within [start, end); returns the Wh given. */
  function give(i: number, start: number, end: number, amount: number): number {
    let given = 0;
    for (let t = start; t < end && given < amount; t++) {
      const moved = Math.min(amount - given, spare[t]!, roomIn(i, t));
      if (moved <= 0) continue;
      change(i, t, moved);
      spare[t]! -= moved;
      given += moved;
    }
    while (given < amount) {
      const entry = search(i, start, end);
      if (entry < 0) break;
      const pushed = push(i, entry, amount - given);
      if (!(pushed > 0)) throw new Error("A way was found and nothing fits through. Report the problem.");
      given += pushed;
    }
    return given;
  }

  const roomIn = (i: number, t: number) =>
    Math.min(most[arcOf(i, t)]! - energy[arcOf(i, t)]!, t >= turn[i]! ? lateLeft[i]! : Number.POSITIVE_INFINITY);

  /** Breadth-first from all spare energy, against the moves, to an interval that car i could enter; -1: there is none. */
  function search(i: number, start: number, end: number): number {
    let any = false;
    for (let t = start; t < end; t++) {
      wanted[t] = has(reach, t) && roomIn(i, t) > 0 ? 1 : 0;
      if (wanted[t] === 1) any = true;
    }
    const found = any ? sweep(wanted) : -1;
    wanted.fill(0, start, end);
    return found;
  }

  function sweep(goals: Uint8Array): number {
    unseen.fill(-1);
    unseenCars.fill(-1);
    let tail = 0;
    for (let t = 0; t < m; t++) {
      if (spare[t]! === 0) continue;
      unseen[t >>> 5]! &= ~(1 << t);
      towards[t] = -1;
      queue[tail++] = t;
    }
    for (let head = 0; head < tail; head++) {
      const s = queue[head]!;
      for (let k = 0; k < carWords; k++) {
        for (let cars = room[s * carWords + k]! & unseenCars[k]!; cars !== 0; cars &= cars - 1) {
          const rank = 32 * k + 31 - Math.clz32(cars & -cars);
          const j = order[rank]!;
          const shut = isShut(j, s);
          if (!shut) unseenCars[k]! &= ~(1 << rank);
          for (let w = 0; w < words; w++) {
            for (let set = used[rank * words + w]! & unseen[w]!; set !== 0; set &= set - 1) {
              const r = 32 * w + 31 - Math.clz32(set & -set);
              if (shut && r < turn[j]!) continue;
              unseen[w]! &= ~(1 << r);
              towards[r] = s;
              mover[r] = rank;
              queue[tail++] = r;
              if (goals[r] === 1) return r;
            }
          }
        }
      }
    }
    for (let w = 0; w < words; w++) reach[w] = ~unseen[w]!;
    return -1;
  }

  /** Along the path that the search found: car i enters `entry`, whoever is there moves on, up to the spare energy. */
  function push(i: number, entry: number, amount: number): number {
    let moved = Math.min(amount, roomIn(i, entry));
    let end = entry;
    for (; towards[end]! >= 0; end = towards[end]!) {
      const j = order[mover[end]!]!;
      const next = towards[end]!;
      moved = Math.min(moved, energy[arcOf(j, end)]!, most[arcOf(j, next)]! - energy[arcOf(j, next)]!);
      if (next >= turn[j]! && end < turn[j]!) moved = Math.min(moved, lateLeft[j]!);
    }
    moved = Math.min(moved, spare[end]!);
    for (let t = entry; t !== end; t = towards[t]!) {
      const j = order[mover[t]!]!;
      change(j, t, -moved);
      change(j, towards[t]!, moved);
    }
    change(i, entry, moved);
    spare[end]! -= moved;
    return moved;
  }

  /** Takes `wh` from car i, the latest first, so that what it has before its first deadline stays. */
  function take(i: number, wh: number): void {
    let rest = wh;
    for (let t = to[i]! - 1; t >= from[i]! && rest > 0; t--) {
      const moved = Math.min(rest, energy[arcOf(i, t)]!);
      if (moved === 0) continue;
      change(i, t, -moved);
      spare[t]! += moved;
      rest -= moved;
    }
  }

  function lateWh(i: number): number {
    let sum = 0;
    for (let t = turn[i]!; t < to[i]!; t++) sum += energy[arcOf(i, t)]!;
    return sum;
  }

  /** Looks anew from where spare energy can be reached. To be called when promises have been added. */
  function look(): void {
    sweep(wanted);
    reachAtRest.set(reach);
  }

  /** Most Wh, up to `mostWh`, that car i could get on top of its promise; nothing changes. */
  function spareFor(i: number, start: number, end: number, mostWh: number): number {
    const lateMost = lateLeft[i]! + lateWh(i);
    lateLeft[i] = Number.POSITIVE_INFINITY;
    const given = give(i, start, end, mostWh);
    take(i, given);
    lateLeft[i] = lateMost - lateWh(i);
    // Every maximum flow has the same cuts, so what was out of reach before is so again.
    reach.set(reachAtRest);
    return given;
  }

  let seated = problem.cars.length;
  /** A place for one more car, without energy, or -1 when all are taken. */
  function seat({ powerW, from: start, to }: Placed): number {
    if (seated === n) return -1;
    for (let t = start; t < to; t++) extend(seated, powerW, t);
    return seated++;
  }

  /** The car at a seat may charge in interval t too. */
  function extend(i: number, powerW: Watt, t: number): void {
    flow.allow(rankOf[i]!, t, Math.floor((powerW * intervals[t]!.durationS) / 3600));
  }

  /** Undoes the last `seat`. */
  function unseat(): void {
    seated--;
    turn[seated] = m;
    lateLeft[seated] = Number.POSITIVE_INFINITY;
    take(seated, Number.POSITIVE_INFINITY);
    for (let t = 0; t < m; t++) flow.allow(rankOf[seated]!, t, 0);
    reach.set(reachAtRest);
  }

  /** From interval `to` on car i may draw `lateWh` and no more; it draws nothing there yet. */
  function holdFirst(i: number, to: number, lateWh: number): void {
    turn[i] = to;
    lateLeft[i] = lateWh;
  }

  for (const [i, car] of problem.cars.entries()) left[i] = car.first ? 0 : car.needWh;
  // Earliest first, earliest departure first: little has to be moved again.
  for (let t = 0; t < m; t++) {
    const { pv, grid } = capacityOf(intervals[t]!);
    flow.raise(t, pv + grid);
    spare[t] = pv + grid - total[t]!;
  }
  reach.fill(-1);
  for (const [i, { first: part, needWh, from: start, to }] of problem.cars.entries()) {
    missing[i] = left[i]!;
    if (part === undefined) continue;
    // What does not fit by the first deadline is owed by the second one.
    holdFirst(i, part.to, 0);
    const early = give(i, start, Math.min(part.to, to), Math.min(part.wh, needWh));
    missingFirst[i] = Math.min(part.wh, needWh) - early;
    holdFirst(i, part.to, needWh - early);
    missing[i] = needWh - early - give(i, start, to, needWh - early);
  }
  look();

  return { flow, rankOf, turn, missing, missingFirst, isShut, give, spareFor, look, seat, extend, unseat, holdFirst };
}

const NOBODY: Car = {
  session: 0,
  row: 0,
  needWh: wattHour(0),
  moreWh: wattHour(0),
  powerW: 0 as Watt,
  minPowerW: 0 as Watt,
  from: 0,
  to: 0,
};
