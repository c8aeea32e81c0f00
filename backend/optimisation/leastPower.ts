/**
 * Least power: a car charges at 0 or at least at its least power (6 A per phase), and not in bursts under `MIN_BURST_S`.
 * Energies too small for a burst (crumbs) are exchanged for others, so that nothing is left unserved that could be served.
 */
import { MIN_BURST_S, planValue } from "./checker.ts";
import { costOfTotals, energyOf, type Laid, lay } from "./exchange.ts";
import type { Car, GroupProblem, Interval, Plan } from "./problem.ts";

/** Least energy worth switching on for. Wh */
export const leastBurstWh = (car: Car, { durationS }: Interval) =>
  Math.floor((car.minPowerW * Math.min(MIN_BURST_S, durationS)) / 3600);

/**
 * The plan without crumbs, and how many it had. A crumb is placed in other intervals of its car, or filled up from them,
 * whichever costs least: other cars make the opposite exchange, over any number of steps, so that the totals of the
 * intervals stay, or the last of them ends in an interval with room. What then has no place is tried in smaller parts,
 * takes the place of best effort when it was promised, and else gives its room to others that are short.
 *
 * Limits and needs stay respected. The certificate is kept: `cost - bound` is the known price of the repair, 0 when cars
 * only exchanged. The same plan object comes back when nothing had to change.
 */
export function leastPower(
  problem: GroupProblem,
  plan: Plan,
): { readonly plan: Plan; readonly repairedIntervals: number } {
  const { cars, intervals } = problem;
  const crumbs: { readonly i: number; readonly t: number }[] = [];
  for (const [i, car] of cars.entries())
    for (const [k, wh] of plan.energyWh[i]!.entries())
      if (wh > 0 && wh < leastBurstWh(car, intervals[car.from + k]!)) crumbs.push({ i, t: car.from + k });
  if (crumbs.length === 0) return { plan, repairedIntervals: 0 };

  const repair = openRepair(problem, lay(problem, plan.energyWh));
  const left = crumbs.filter(({ i, t }) => !repair.settle(i, t));
  for (const { i, t } of left.filter(({ i, t }) => !repair.settle(i, t))) repair.drop(i, t);
  repair.serveDropped();
  const repaired: Plan = { ...plan, energyWh: energyOf(repair.laid) };
  return { plan: { ...repaired, cost: planValue(problem, repaired).cost }, repairedIntervals: crumbs.length };
}

/** So many short cars are asked whether they can use what others had to leave: a search each. */
const MOST_ATTEMPTS = 32;

/** A way to make room for some Wh: the interval in which it begins, the one in which it ends, and its cost. */
type Way = { readonly start: number; readonly end: number; readonly cost: number };

function openRepair(problem: GroupProblem, laid: Laid) {
  const { cars, intervals } = problem;
  const { n, m, from, first, most, energy, served, total, capacity, listed, carAt, arcAt } = laid;
  const costOf = costOfTotals(problem);
  const [v1, v2] = [problem.weights.scale * problem.weights.voll, problem.weights.scale * problem.weights.extra];
  const least = new Int32Array(energy.length);
  for (const [i, car] of cars.entries())
    for (let a = first[i]!, t = from[i]!; a < first[i + 1]!; a++, t++) least[a] = leastBurstWh(car, intervals[t]!);
  /** Wh that had to be left out, per car. */
  const dropped = new Map<number, number>();

  const arcOf = (i: number, t: number) => first[i]! + t - from[i]!;
  const fits = (a: number, wh: number) => wh === 0 || (wh >= least[a]! && wh <= most[a]!);
  const canTake = (a: number, wh: number) => fits(a, energy[a]! + wh);
  const canGive = (a: number, wh: number) => energy[a]! >= wh && fits(a, energy[a]! - wh);
  const room = (t: number, wh: number) => total[t]! + wh <= capacity[t]!;
  const added = (t: number, wh: number) => costOf(t, total[t]! + wh) - costOf(t, total[t]!);
  const stayOf = (i: number) => Array.from({ length: first[i + 1]! - first[i]! }, (_, k) => from[i]! + k);

  const seen = new Uint8Array(m);
  const carSeen = new Uint8Array(n);
  const queue = new Int32Array(m);
  /** How an interval was reached: the car at `via` gives there, in the interval before, and takes at `into`. */
  const via = new Int32Array(m);
  const into = new Int32Array(m);
  const before = new Int32Array(m);

  /**
   * Breadth-first over intervals: car i wants to draw `wh` more in one of `starts`; cars step aside from there to others
   * of their intervals until one is reached that `costAt` gives a cost (else Infinity). The cheapest end; the first
   * that is free at once.
   */
  function findWay(i: number, wh: number, starts: readonly number[], costAt: (t: number) => number): Way | null {
    seen.fill(0);
    carSeen.fill(0);
    carSeen[i] = 1;
    let [head, tail] = [0, 0];
    let best: Way | null = null;
    const reach = (t: number) => {
      seen[t] = 1;
      queue[tail++] = t;
      const cost = costAt(t);
      if (cost < (best?.cost ?? Number.POSITIVE_INFINITY)) best = { start: -1, end: t, cost };
    };
    for (const t of starts) {
      before[t] = -1;
      if (seen[t] === 0) reach(t);
    }
    while (head < tail && !((best as Way | null)?.cost === 0)) {
      const r = queue[head++]!;
      for (let k = listed[r]!; k < listed[r + 1]!; k++) {
        const j = carAt[k]!;
        // Whatever a car can take it has offered at its first visit.
        // What comes before a second deadline stays there.
        if (carSeen[j] === 1 || cars[j]!.first !== undefined || !canGive(arcAt[k]!, wh)) continue;
        carSeen[j] = 1;
        for (let b = first[j]!, s = from[j]!; b < first[j + 1]!; b++, s++) {
          if (seen[s] === 1 || !canTake(b, wh)) continue;
          [via[s], into[s], before[s]] = [arcAt[k]!, b, r];
          reach(s);
        }
      }
    }
    if (best === null) return null;
    const found: Way = best;
    let start = found.end;
    while (before[start]! >= 0) start = before[start]!;
    return { ...found, start };
  }

  /** Lets the cars on the way step aside; the totals change at its end only, by whoever asked for it. */
  function stepAside(way: Way, wh: number): void {
    for (let s = way.end; before[s]! >= 0; s = before[s]!) {
      energy[via[s]!]! -= wh;
      energy[into[s]!]! += wh;
    }
  }
  function draw(i: number, t: number, wh: number): void {
    energy[arcOf(i, t)]! += wh;
    served[i]! += wh;
  }

  /** The crumb of car i in interval t goes elsewhere or is filled up; false when neither is possible. */
  function settle(i: number, t: number): boolean {
    const crumb = arcOf(i, t);
    const wh = energy[crumb]!;
    if (wh === 0 || wh >= least[crumb]!) return true; // an earlier exchange has filled it
    const stay = stayOf(i);
    const missing = least[crumb]! - wh;

    // Elsewhere: free when the chain of cars that step aside ends in t, which the crumb leaves.
    const saved = added(t, -wh);
    const elsewhere = stay.filter((r) => r !== t && canTake(arcOf(i, r), wh));
    const moveCost = (r: number) => (r === t ? 0 : room(r, wh) ? added(r, wh) + saved : Number.POSITIVE_INFINITY);
    const move = findWay(i, wh, elsewhere, moveCost);
    if (move?.cost === 0) {
      apply(move);
      return true;
    }

    // Filled up: free when the chain ends in an interval in which the car itself gives what it takes here.
    const givers = stay.filter((r) => r !== t && canGive(arcOf(i, r), missing));
    const gives = new Set(givers);
    const giver = givers.reduce((a, b) => (a < 0 || added(b, -missing) < added(a, -missing) ? b : a), -1);
    const fillCost = (r: number) =>
      gives.has(r)
        ? 0
        : giver >= 0 && room(r, missing)
          ? added(r, missing) + added(giver, -missing)
          : Number.POSITIVE_INFINITY;
    const fill = givers.length > 0 && missing + wh <= most[crumb]! ? findWay(i, missing, [t], fillCost) : null;
    if (fill !== null && fill.cost < (move?.cost ?? Number.POSITIVE_INFINITY)) {
      const free = gives.has(fill.end);
      stepAside(fill, missing);
      draw(i, t, missing);
      draw(i, free ? fill.end : giver, -missing);
      if (free) return true;
      total[fill.end]! += missing;
      total[giver]! -= missing;
      return true;
    }
    if (move !== null) {
      findWay(i, wh, elsewhere, moveCost); // the search for a fill has overwritten its steps
      apply(move);
      return true;
    }
    return false;

    function apply(way: Way): void {
      stepAside(way, wh);
      draw(i, t, -wh);
      draw(i, way.start, wh);
      total[t]! -= wh;
      total[way.end]! += wh;
    }
  }

  /** What car i gains by `wh` more, and loses by `wh` less; a car gives up best effort before its promise. */
  function worth(i: number, wh: number): number {
    const promised = Math.min(wh, Math.max(0, cars[i]!.needWh - served[i]!));
    return v1 * promised + v2 * (wh - promised);
  }
  const loss = (i: number, wh: number) => {
    const promised = Math.max(0, wh - Math.max(0, served[i]! - cars[i]!.needWh));
    return v1 * promised + v2 * (wh - promised);
  };
  /** The car that loses least by giving `wh` in interval t, or -1. */
  function giverIn(t: number, i: number, wh: number): number {
    let giver = -1;
    for (let k = listed[t]!; k < listed[t + 1]!; k++) {
      const j = carAt[k]!;
      if (j !== i && canGive(arcAt[k]!, wh) && (giver < 0 || loss(j, wh) < loss(giver, wh))) giver = j;
    }
    return giver;
  }
  /** Car i, short itself, takes `wh` that another car then lacks, when that is the lesser loss. */
  function takeOver(i: number, wh: number, starts: readonly number[], mostLoss: number): boolean {
    const way = findWay(i, wh, starts, (t) => {
      const giver = giverIn(t, i, wh);
      return giver < 0 || loss(giver, wh) >= mostLoss ? Number.POSITIVE_INFINITY : loss(giver, wh);
    });
    if (way === null) return false;
    draw(giverIn(way.end, i, wh), way.end, -wh);
    stepAside(way, wh);
    draw(i, way.start, wh);
    return true;
  }
  /** Without a place for a crumb: what it lacks comes from a car that loses less by it, or it is left out. */
  function drop(i: number, t: number): void {
    const crumb = arcOf(i, t);
    const wh = energy[crumb]!;
    if (wh === 0 || wh >= least[crumb]!) return;
    const missing = least[crumb]! - wh;
    const wanted = served[i]! + missing <= cars[i]!.needWh + cars[i]!.moreWh && least[crumb]! <= most[crumb]!;
    if (wanted && takeOver(i, missing, [t], worth(i, missing) + loss(i, wh))) return;
    draw(i, t, -wh);
    total[t]! -= wh;
    dropped.set(i, (dropped.get(i) ?? 0) + wh);
  }

  /** Serves up to `wh` more of car i where there is room, or where others can make some; answers what is left. */
  function serve(i: number, wh: number): number {
    let left = wh;
    for (const t of stayOf(i).sort((r, s) => added(r, 1) - added(s, 1))) {
      const a = arcOf(i, t);
      const part = Math.min(left, capacity[t]! - total[t]!, most[a]! - energy[a]!);
      if (part <= 0 || !canTake(a, part)) continue;
      draw(i, t, part);
      total[t]! += part;
      left -= part;
    }
    for (let part = left; part > 0 && left > 0; part = Math.min(left, Math.floor(part / 2))) {
      const starts = stayOf(i).filter((r) => canTake(arcOf(i, r), part));
      const costAt = (t: number) => (room(t, part) ? added(t, part) : Number.POSITIVE_INFINITY);
      const way = starts.length > 0 ? findWay(i, part, starts, costAt) : null;
      if (way === null) continue;
      stepAside(way, part);
      draw(i, way.start, part);
      total[way.end]! += part;
      left -= part;
    }
    return left;
  }

  /** What was dropped: any place at any price, in parts; a promise before best effort; its room to others last. */
  function serveDropped(): void {
    let lost = 0;
    const shortOf = (i: number) => cars[i]!.needWh + cars[i]!.moreWh - served[i]!;
    for (const [i, wh] of dropped) {
      const left = serve(i, Math.min(wh, shortOf(i)));
      const starts = stayOf(i).filter((t) => canTake(arcOf(i, t), left));
      if (left === 0 || !takeOver(i, left, starts, worth(i, left))) lost += left;
    }
    let attempts = MOST_ATTEMPTS;
    for (const promised of [true, false])
      for (let i = 0; i < n && lost > 0 && attempts > 0; i++) {
        const short = promised ? cars[i]!.needWh - served[i]! : shortOf(i);
        if (short <= 0) continue;
        attempts--;
        const wh = Math.min(short, lost);
        lost -= wh - serve(i, wh);
      }
  }

  return { laid, settle, drop, serveDropped };
}
