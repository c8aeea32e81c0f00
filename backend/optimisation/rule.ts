/**
 * What the rules (equal share, first come, proportional flexibility, uncontrolled) have in common: they look at one
 * interval after the other and share out what it has, knowing nothing of prices and nothing of later intervals. Whole Wh.
 */
import type { MethodName } from "../domain/algorithms.ts";
import { microEurPerKwh, wattHour } from "../domain/units.ts";
import { planValue } from "./checker.ts";
import { exactPlan } from "./exactPlan.ts";
import { capacityOf, leastCost } from "./leastCost.ts";
import type { Car, GroupProblem, Plan } from "./problem.ts";

/** One car's claim on one interval, in Wh. */
export type Claim = {
  readonly car: Car;
  /** Most that it can take: within its power and the energy that it has not got yet. */
  readonly wantedWh: number;
  /** Least that it must get, else a promise could not be kept any more; never above `wantedWh`. */
  readonly leastWh: number;
  /** What its power gives in the interval, and in all later ones of its stay. */
  readonly mostWh: number;
  readonly laterWh: number;
  /** What its promise still owes it. */
  readonly owedWh: number;
};

/** Answers the Wh of each claim, from `leastWh` to `wantedWh`, in all at most `roomWh`. Claims are in order of their session. */
export type Share = (claims: readonly Claim[], roomWh: number, durationS: number) => readonly number[];

/**
 * The plan of a rule. With `protectPromises` the rule shares only what the promises leave: before it begins, promised
 * energy is laid as late as it fits, first deadlines held, and each interval's part of it is the least that its cars get
 * there. What a car gets beyond that gives back its earliest reservations. So no rule ever misses Wh
 * that any method could have promised, and as long as capacity is left later, nothing is reserved now and the rule is pure.
 * The bound is the certified optimum of the same problem: cost - bound is what the rule costs beyond it.
 */
export function planByRule(algorithm: MethodName, problem: GroupProblem, protectPromises: boolean, share: Share): Plan {
  const { cars, intervals } = problem;
  const owed = cars.map((car) => car.needWh as number);
  const left = cars.map((car) => car.needWh + car.moreWh);
  const most = cars.map((car) =>
    intervals.slice(car.from, car.to).map(({ durationS }) => Math.floor((car.powerW * durationS) / 3600)),
  );
  const later = most.map((stay) => stay.reduce((sum, wh) => sum + wh, 0));
  const reserved = protectPromises
    ? latestPromised(problem).map((stay) => [...stay])
    : most.map((stay) => stay.map(() => 0));
  const energyWh = most.map((stay) => stay.map(() => 0));

  for (const [t, interval] of intervals.entries()) {
    const present: number[] = [];
    const claims: Claim[] = [];
    for (const [i, car] of cars.entries()) {
      if (t < car.from || t >= car.to) continue;
      const mostWh = most[i]![t - car.from]!;
      later[i]! -= mostWh;
      const wantedWh = Math.min(left[i]!, mostWh);
      if (wantedWh === 0) continue;
      present.push(i);
      const leastWh = reserved[i]![t - car.from]!;
      claims.push({ car, wantedWh, leastWh, mostWh, laterWh: later[i]!, owedWh: owed[i]! });
    }
    const { pv, grid } = capacityOf(interval);
    const given = share(claims, pv + grid, interval.durationS);
    for (const [k, i] of present.entries()) {
      const wh = given[k]!;
      energyWh[i]![t - cars[i]!.from] = wh;
      left[i]! -= wh;
      owed[i] = Math.max(0, owed[i]! - wh);
      release(reserved[i]!, t - cars[i]!.from, wh);
    }
  }
  const { certificate } = leastCost(problem);
  const plan: Plan = { algorithm, energyWh, certificate, cost: 0n, bound: null };
  return { ...plan, ...planValue(problem, plan) };
}

/** Takes `wh` from the reservations of one stay, its own interval's and then the earliest first. */
function release(stay: number[], k: number, wh: number): void {
  for (let rest = wh; k < stay.length && rest > 0; k++) {
    const freed = Math.min(rest, stay[k]!);
    stay[k]! -= freed;
    rest -= freed;
  }
}

/** Most promised energy that the group can deliver, each Wh as late as possible: the cheapest plan where later is cheaper. */
function latestPromised(problem: GroupProblem): readonly (readonly number[])[] {
  const m = problem.intervals.length;
  return exactPlan({
    ...problem,
    weights: { scale: 1, early: 0, voll: 3 * m + 3, extra: m + 1 },
    cars: problem.cars.map((car) => ({ ...car, moreWh: wattHour(0) })),
    intervals: problem.intervals.map((interval, t) => {
      const price = microEurPerKwh(m - t);
      return { ...interval, price, feedIn: price };
    }),
  }).energyWh;
}

/**
 * `amount` divided in proportion to `weights`, none above its weight; what rounding leaves goes Wh by Wh to the first
 * ones. Expects amount <= sum of the weights.
 */
export function inProportion(amount: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  if (sum === 0) return weights.map(() => 0);
  // amount x weight may exceed 2^53: then the quotient is exact only in bigint.
  const parts = weights.map((weight) => Number((BigInt(amount) * BigInt(weight)) / BigInt(sum)));
  let rest = amount - parts.reduce((a, b) => a + b, 0);
  for (let k = 0; k < parts.length && rest > 0; k++) {
    if (parts[k]! === weights[k]!) continue;
    parts[k]!++;
    rest--;
  }
  return parts;
}
