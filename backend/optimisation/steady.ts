/**
 * Steady: a plan does not jump when nothing changed, and switches seldom. Energy is exchanged between cars at equal
 * totals of intervals and cars, so that cost, shortfalls and certificate stay. Cars that are owed a promise take no part.
 *
 * Interval by interval in the order of time, each car is brought to what the previous plan gave it there, else to its
 * power of the interval before, else to 0 or full power. Each step is a cycle in the residual network (others of the
 * interval step aside to later intervals, and the car gives there what it takes here), so the rest can always be
 * completed: a previous plan that still fits is met exactly.
 */
import { planValue } from "./checker.ts";
import { energyOf, lay } from "./exchange.ts";
import type { GroupProblem, Plan } from "./problem.ts";

/** Above this many cars times intervals of stay it takes too long; large groups change little by one car anyway. */
export const MOST_STEADY = 4_000;

/** The energies of a plan and the problem that it was made for: what the stations follow. */
export type Before = { readonly problem: GroupProblem; readonly energyWh: Plan["energyWh"] };

export function canSteady({ cars }: GroupProblem): boolean {
  const arcs = cars.reduce((sum, { from, to }) => sum + to - from, 0);
  return arcs > 0 && arcs <= MOST_STEADY;
}

/**
 * The plan, as close to the previous one and with as few set-point changes as exchanges in the order of time reach. The
 * same plan object comes back when nothing is exchanged, and above `MOST_STEADY`.
 */
export function steady(problem: GroupProblem, plan: Plan, previous?: Before): Plan {
  if (!canSteady(problem)) return plan;
  const followed = exchanged(problem, plan, previous);
  const closerWh = previous ? movedWh(problem, plan, previous) - movedWh(problem, followed, previous) : 0;
  const fewer = setPointChanges(problem, followed) < setPointChanges(problem, plan);
  if (closerWh < 0 || (closerWh === 0 && !fewer)) return plan;
  return { ...followed, cost: planValue(problem, followed).cost };
}

/** Energies of a previous plan in the intervals of a problem, by car and stay; -1 where it knew nothing. Wh */
export function expectedWh(problem: GroupProblem, previous: Before): number[][] {
  const startsOf = ({ at, intervals }: GroupProblem) => {
    let end: number = at;
    return [end, ...intervals.map(({ durationS }) => (end += durationS))];
  };
  const [starts, old] = [startsOf(problem), startsOf(previous.problem)];
  const places = new Map(previous.problem.cars.map(({ session }, i) => [session, i]));
  return problem.cars.map(({ session, from, to }) => {
    const place = places.get(session);
    const stay = new Array<number>(to - from).fill(-1);
    if (place === undefined) return stay;
    const car = previous.problem.cars[place]!;
    let u = 0;
    for (let t = from; t < to; t++) {
      const [begin, end] = [starts[t]!, starts[t + 1]!];
      while (u < old.length - 1 && old[u + 1]! <= begin) u++;
      if (old[0]! > begin || old[old.length - 1]! < end) continue;
      let wh = 0;
      for (let v = u; v < old.length - 1 && old[v]! < end; v++) {
        const shareS = Math.min(end, old[v + 1]!) - Math.max(begin, old[v]!);
        const inV = v >= car.from && v < car.to ? previous.energyWh[place]![v - car.from]! : 0;
        wh += (inV * shareS) / (old[v + 1]! - old[v]!);
      }
      stay[t - from] = Math.round(wh);
    }
    return stay;
  });
}

/** How much of what the previous plan expected comes at another time or to another car, where it knew anything. Wh */
export function movedWh(problem: GroupProblem, plan: Plan, previous: Before): number {
  const expected = expectedWh(problem, previous);
  let sum = 0;
  for (const [i, stay] of expected.entries())
    for (const [k, wh] of stay.entries()) if (wh >= 0) sum += Math.abs(plan.energyWh[i]![k]! - wh);
  return sum / 2;
}

/** How often the cars' power changes from one interval to the next, from 0 before and to 0 after their stay. */
export function setPointChanges({ cars, intervals }: GroupProblem, plan: Plan): number {
  let changes = 0;
  for (const [i, { from }] of cars.entries()) {
    let beforeW = 0;
    for (const [k, wh] of plan.energyWh[i]!.entries()) {
      const powerW = Math.floor((wh * 3600) / intervals[from + k]!.durationS);
      if (powerW !== beforeW) changes++;
      beforeW = powerW;
    }
    if (beforeW !== 0) changes++;
  }
  return changes;
}

function exchanged(problem: GroupProblem, plan: Plan, previous: Before | undefined): Plan {
  const { cars, intervals } = problem;
  const laid = lay(problem, plan.energyWh);
  const { n, m, from, first, most, energy, listed, carAt, arcAt } = laid;
  const expected = previous ? expectedWh(problem, previous).flat() : new Array<number>(energy.length).fill(-1);
  /** Settled, or of an interval that is settled. */
  const fixed = new Uint8Array(energy.length);
  // Promises keep the optimiser's order, the earliest departure first: what is put off is lost when a forecast fails.
  for (const [i, { needWh }] of cars.entries()) if (needWh > 0) fixed.fill(1, first[i]!, first[i + 1]!);
  const offCourse = new Uint8Array(n);
  const seen = new Uint8Array(m);
  const carSeen = new Uint8Array(n);
  const queue = new Int32Array(m);
  const before = new Int32Array(m);
  const via = new Int32Array(m);
  const into = new Int32Array(m);
  const arcOf = (i: number, t: number) => first[i]! + t - from[i]!;

  /** What the energy of a place can still rise (+1) or fall (-1). */
  const roomOf = (a: number, sign: number) => (fixed[a] === 1 ? 0 : sign > 0 ? most[a]! - energy[a]! : energy[a]!);

  /** The nearest interval where car i can do the opposite of what it does in t, others stepping aside; or -1. */
  function findEnd(i: number, t: number, sign: number): number {
    seen.fill(0);
    carSeen.fill(0);
    carSeen[i] = 1;
    let [head, tail] = [0, 0];
    queue[tail++] = t;
    seen[t] = 1;
    before[t] = -1;
    while (head < tail) {
      const r = queue[head++]!;
      for (let k = listed[r]!; k < listed[r + 1]!; k++) {
        const j = carAt[k]!;
        if (carSeen[j] === 1 || roomOf(arcAt[k]!, -sign) === 0) continue;
        carSeen[j] = 1;
        for (let s = Math.max(t, from[j]!), b = arcOf(j, s); b < first[j + 1]!; b++, s++) {
          if (seen[s] === 1 || roomOf(b, sign) === 0) continue;
          seen[s] = 1;
          [before[s], via[s], into[s]] = [r, arcAt[k]!, b];
          if (s >= from[i]! && s < from[i]! + first[i + 1]! - first[i]! && roomOf(arcOf(i, s), -sign) > 0) return s;
          queue[tail++] = s;
        }
      }
    }
    return -1;
  }

  /** Brings car i in interval t to `wh`, as far as the others can step aside; true when it is reached. */
  function bring(i: number, t: number, wh: number): boolean {
    const a = arcOf(i, t);
    while (energy[a] !== wh) {
      const sign = energy[a]! < wh ? 1 : -1;
      const end = findEnd(i, t, sign);
      if (end < 0) return false;
      let amount = Math.min(Math.abs(wh - energy[a]!), roomOf(arcOf(i, end), -sign));
      for (let s = end; before[s]! >= 0; s = before[s]!)
        amount = Math.min(amount, roomOf(via[s]!, -sign), roomOf(into[s]!, sign));
      energy[a]! += sign * amount;
      energy[arcOf(i, end)]! -= sign * amount;
      for (let s = end; before[s]! >= 0; s = before[s]!) {
        energy[via[s]!]! -= sign * amount;
        energy[into[s]!]! += sign * amount;
      }
    }
    return true;
  }

  for (let t = 0; t < m; t++) {
    const here: number[] = [];
    for (let k = listed[t]!; k < listed[t + 1]!; k++) here.push(carAt[k]!);
    if (laid.total[t] === 0) {
      for (const i of here) fixed[arcOf(i, t)] = 1;
      continue;
    }
    const kept = (i: number) =>
      t === from[i]!
        ? 0
        : Math.min(
            most[arcOf(i, t)]!,
            Math.round((energy[arcOf(i, t) - 1]! * intervals[t]!.durationS) / intervals[t - 1]!.durationS),
          );
    const settle = (order: readonly number[], wanted: (i: number) => number) => {
      for (const i of order) {
        const a = arcOf(i, t);
        if (fixed[a] === 0 && bring(i, t, wanted(i))) fixed[a] = 1;
      }
    };
    const open = () => here.filter((i) => fixed[arcOf(i, t)] === 0);
    // What was expected: those first that were to stay idle, so that the others take up the differences, and of these
    // first those that have left their course before.
    const expectedOf = (i: number) => Math.min(most[arcOf(i, t)]!, expected[arcOf(i, t)]!);
    const known = here.filter((i) => expected[arcOf(i, t)]! >= 0);
    const rank = (i: number) => (expectedOf(i) === 0 ? 0 : 1 + offCourse[i]!);
    settle(
      known.toSorted((a, b) => rank(a) - rank(b) || a - b),
      expectedOf,
    );
    for (const i of known) if (fixed[arcOf(i, t)] === 0) offCourse[i] = 1;
    // Idle cars stay idle, those first that leave last.
    settle(
      open()
        .filter((i) => kept(i) === 0)
        .sort((a, b) => cars[b]!.to - cars[a]!.to || b - a),
      () => 0,
    );
    // The same power as before, full power first: who runs at part of it takes up the differences.
    const part = (i: number) => Number(kept(i) < most[arcOf(i, t)]!);
    settle(
      open()
        .filter((i) => kept(i) > 0)
        .sort((a, b) => part(a) - part(b) || a - b),
      kept,
    );
    // Those that must begin do so at full power.
    settle(open(), (i) => most[arcOf(i, t)]!);
    for (const i of here) fixed[arcOf(i, t)] = 1;
  }
  return { ...plan, energyWh: energyOf(laid) };
}
