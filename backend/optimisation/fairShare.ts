/**
 * Fair share of a shortage: who must get less than promised or wanted gets the same share of it as the others, as far as
 * stays and powers allow (max-min). Cars exchange energy inside intervals: totals and the sums of s1 and s2 stay.
 *
 * What the cars can get together under fixed totals is the base of a polymatroid, in which the max-min vector is found by
 * decomposition (Fujishige 1980; Groenevelt 1991): share out as if only the sum counted; route it by a maximum flow; where
 * that fails, the cut separates cars that cannot get so much from cars that can get more; go on with each side alone.
 */
import { wattHour } from "../domain/units.ts";
import { planValue } from "./checker.ts";
import { energyOf, type Laid, lay } from "./exchange.ts";
import { leastCost } from "./leastCost.ts";
import type { GroupProblem, Plan } from "./problem.ts";

/** Above this many cars times intervals of stay a fair share may take longer than 100 ms, and is left out. */
export const MOST_SHARED = 30_000;

/**
 * The plan with the shortage shared out: promises first (served / `needWh`), then best effort (served beyond / `moreWh`),
 * exact to 1 Wh; with `promises: false` best effort only. The same plan object comes back when nobody is short, when nothing is to be gained, and above
 * `MOST_SHARED`.
 */
export function fairShare(problem: GroupProblem, plan: Plan, { promises = true } = {}): Plan {
  const { cars } = problem;
  const wanted = (i: number) => cars[i]!.needWh + cars[i]!.moreWh;
  const servedOf = (stay: readonly number[]) => stay.reduce((sum, wh) => sum + wh, 0);
  const before = plan.energyWh.map(servedOf);
  if (before.every((wh, i) => wh >= wanted(i))) return plan;
  const laid = lay(problem, plan.energyWh);
  if (laid.energy.length > MOST_SHARED) return plan;

  const promised = Float64Array.from(cars, (car, i) => Math.min(car.needWh, before[i]!));
  const bestEffort = Float64Array.from(promised, (wh, i) => before[i]! - wh);
  const steps = Uint8Array.from(cars, ({ first }) => (first === undefined ? 1 : 0));
  const wants = (of: "needWh" | "moreWh") => Float64Array.from(cars, (car) => car[of]);
  if (promises) level(laid, steps, promised, wants("needWh"));
  level(laid, steps, bestEffort, wants("moreWh"));
  const energyWh = energyOf(laid);
  if (energyWh.every((stay, i) => stay.every((wh, k) => wh === plan.energyWh[i]![k]))) return plan;
  const shared: Plan = { ...plan, energyWh };
  return earliestDepartureFirst(problem, { ...shared, cost: planValue(problem, shared).cost });
}

/**
 * Exchanges do not mind who comes first, but a promise that is put off is lost when a forecast fails. So the optimiser
 * lays the same amounts anew: the totals cannot become cheaper, and within them the earliest departure is served first.
 */
function earliestDepartureFirst(problem: GroupProblem, shared: Plan): Plan {
  if (problem.cars.some(({ first }) => first !== undefined)) return shared;
  const cars = problem.cars.map((car, i) => {
    const served = shared.energyWh[i]!.reduce((sum, wh) => sum + wh, 0);
    const needWh = wattHour(Math.min(car.needWh, served));
    return { ...car, needWh, moreWh: wattHour(served - needWh) };
  });
  const anew: Plan = { ...shared, energyWh: leastCost({ ...problem, cars }).energyWh };
  return planValue(problem, anew).cost === shared.cost ? anew : shared;
}

/**
 * Makes `got` (of `wants`, both per car, Wh) max-min fair by exchanges; other energy of the cars only moves in time.
 * Cars with a second deadline do not step aside (`steps` is 0): what came before it could come after it.
 */
function level(laid: Laid, steps: Uint8Array, got: Float64Array, wants: Float64Array): void {
  const { n, m, from, first, most, energy, listed, carAt, arcAt } = laid;
  if (got.every((wh, i) => wh >= wants[i]!)) return;
  /** Cars and intervals are split into teams that exchange nothing with each other any more. */
  const teamOfCar = new Int32Array(n);
  const teamOfInterval = new Int32Array(m);
  const target = new Float64Array(n);
  const carLevel = new Int32Array(n);
  const intervalLevel = new Int32Array(m);
  const carNext = new Int32Array(n);
  const intervalNext = new Int32Array(m);
  let rich = 0;

  /** Distances from the cars below their target, up to the nearest car above it; false when none is reached. */
  function search(team: number, members: readonly number[]): boolean {
    for (const i of members) carLevel[i] = -1;
    intervalLevel.fill(-1);
    let queue = members.filter((i) => got[i]! < target[i]!);
    for (const i of queue) carLevel[i] = 0;
    rich = -1;
    for (let depth = 0; queue.length > 0 && rich < 0; depth++) {
      const reached: number[] = [];
      for (const i of queue)
        for (let a = first[i]!, t = from[i]!; a < first[i + 1]!; a++, t++) {
          if (energy[a]! >= most[a]! || intervalLevel[t]! >= 0 || teamOfInterval[t] !== team) continue;
          intervalLevel[t] = depth;
          for (let k = listed[t]!; k < listed[t + 1]!; k++) {
            const j = carAt[k]!;
            if (carLevel[j]! >= 0 || teamOfCar[j] !== team || steps[j] === 0 || energy[arcAt[k]!] === 0) continue;
            carLevel[j] = depth + 1;
            if (got[j]! > target[j]!) rich = depth + 1;
            reached.push(j);
          }
        }
      queue = reached;
    }
    return rich >= 0;
  }

  /** Car i takes up to `wh` from cars one step nearer to one that has too much (a blocking flow). */
  function take(i: number, wh: number): number {
    let left = wh;
    for (; carNext[i]! < first[i + 1]!; carNext[i]!++) {
      const a = carNext[i]!;
      const t = from[i]! + a - first[i]!;
      if (intervalLevel[t] !== carLevel[i]) continue;
      for (; intervalNext[t]! < listed[t + 1]!; intervalNext[t]!++) {
        const k = intervalNext[t]!;
        const j = carAt[k]!;
        const b = arcAt[k]!;
        if (carLevel[j] !== carLevel[i]! + 1 || energy[b] === 0) continue;
        const most1 = Math.min(left, most[a]! - energy[a]!, energy[b]!);
        if (most1 === 0) break;
        const spare = Math.min(most1, Math.max(0, got[j]! - target[j]!));
        got[j]! -= spare;
        const moved = spare + (spare < most1 && carLevel[j]! < rich ? take(j, most1 - spare) : 0);
        energy[a]! += moved;
        energy[b]! -= moved;
        left -= moved;
        if (left === 0) return wh;
      }
    }
    return wh - left;
  }

  let teams = 1;
  const open: { readonly team: number; readonly members: readonly number[] }[] = [
    { team: 0, members: Array.from({ length: n }, (_, i) => i) },
  ];
  while (open.length > 0) {
    const { team, members } = open.pop()!;
    apportion(members, got, wants, target);
    while (search(team, members)) {
      for (const i of members) carNext[i] = first[i]!;
      for (let t = 0; t < m; t++) intervalNext[t] = listed[t]!;
      for (const i of members) if (carLevel[i] === 0) got[i]! += take(i, target[i]! - got[i]!);
    }
    // Those reached from cars that are still below their target cannot have more, whatever the others do.
    const tight = members.filter((i) => carLevel[i]! >= 0);
    if (tight.length === 0) continue;
    for (const i of tight) teamOfCar[i] = teams;
    for (let t = 0; t < m; t++) if (intervalLevel[t]! >= 0) teamOfInterval[t] = teams;
    open.push({ team: teams++, members: tight });
    open.push({ team, members: members.filter((i) => carLevel[i]! < 0) });
  }
}

/** Targets with the sum of `got`, as if only the sum counted: the same share of `wants` for all, whole Wh. */
function apportion(members: readonly number[], got: Float64Array, wants: Float64Array, target: Float64Array): void {
  let sum = 0;
  let wanted = 0;
  for (const i of members) {
    sum += got[i]!;
    wanted += wants[i]!;
  }
  const exact = (i: number) => (wanted === 0 ? 0 : wants[i]! * (sum / wanted));
  let left = sum;
  for (const i of members) {
    target[i] = Math.min(wants[i]!, Math.floor(exact(i)));
    left -= target[i]!;
  }
  const largestRestFirst = [...members].sort((a, b) => exact(b) - target[b]! - (exact(a) - target[a]!) || a - b);
  while (left > 0)
    for (const i of largestRestFirst) {
      if (left === 0 || target[i]! >= wants[i]!) continue;
      target[i]!++;
      left--;
    }
}
