/**
 * From planned energy to what a station is told: a limit in W from a second on. A car charges at 0 or at least at its
 * minimum power (6 A per phase), so less energy than that is charged in one burst inside the interval.
 */
import { type Second, second, type Watt, watt } from "../domain/units.ts";
import { MIN_BURST_S, planValue } from "./checker.ts";
import { capacityOf } from "./leastCost.ts";
import type { Car, GroupProblem, Interval, Plan } from "./problem.ts";

/** From `startS` seconds after the problem's `at`, at most `limitW`. */
export type LimitPeriod = { readonly startS: Second; readonly limitW: Watt };

/**
 * The limits of one car: contiguous from 0 to the end of its stay, then `floorW`. The energy that they allow in an
 * interval is never above the plan's, and below it by less than one second of minimum power and one watt over the
 * interval; bursts under `MIN_BURST_S` are left out.
 */
export function periodsOf(problem: GroupProblem, plan: Plan, carIndex: number, floorW = 0): LimitPeriod[] {
  const car = problem.cars[carIndex]!;
  const energy = plan.energyWh[carIndex]!;
  const periods: { startS: Second; limitW: Watt }[] = [];
  let powerW = 0;
  const limit = (startS: number, limitW: number) => {
    const last = periods.at(-1);
    if (last?.startS === startS) periods.pop();
    if (periods.at(-1)?.limitW !== limitW) periods.push({ startS: second(startS), limitW: watt(limitW) });
    powerW = limitW;
  };
  limit(0, 0);
  let startS = 0;
  for (let t = 0; t < car.to; t++) {
    const { durationS } = problem.intervals[t]!;
    const burst = t < car.from ? NO_BURST : burstOf(car, problem.intervals[t]!, energy[t - car.from]!);
    const idleS = durationS - burst.lengthS;
    // A part of the interval goes next to the charging before it, else next to the charging after it: fewer switches.
    const late = powerW === 0 && idleS > 0 && (energy[t + 1 - car.from] ?? 0) > 0;
    if (late) limit(startS, 0);
    if (burst.lengthS > 0) limit(startS + (late ? idleS : 0), burst.powerW);
    if (!late && idleS > 0) limit(startS + burst.lengthS, 0);
    startS += durationS;
  }
  limit(startS, floorW);
  return periods;
}

const NO_BURST = { powerW: 0, lengthS: 0 };

/** Power and length that give the energy in the interval, rounded down. */
function burstOf(car: Car, interval: Interval, wh: number): { readonly powerW: number; readonly lengthS: number } {
  const steadyW = Math.floor((wh * 3600) / interval.durationS);
  if (wh === 0 || wh < leastBurstWh(car, interval)) return NO_BURST;
  if (steadyW >= car.minPowerW) return { powerW: steadyW, lengthS: interval.durationS };
  const lengthS = Math.floor((wh * 3600) / car.minPowerW);
  if (lengthS === 0) return NO_BURST;
  return { powerW: Math.min(car.powerW, Math.floor((wh * 3600) / lengthS)), lengthS };
}

/** Least energy worth switching on for. Wh */
const leastBurstWh = (car: Car, { durationS }: Interval) =>
  Math.floor((car.minPowerW * Math.min(MIN_BURST_S, durationS)) / 3600);

/**
 * Replaces energies too small for a burst: moved to another interval of the car, exchanged with another car, filled up
 * from another interval, or else left unserved. Limits stay respected and the certificate is kept, so that
 * `cost - bound` is the known price of the repair. The same plan object comes back when nothing had to change.
 */
export function repairMinimumPower(
  problem: GroupProblem,
  plan: Plan,
): { readonly plan: Plan; readonly repairedIntervals: number } {
  const { cars, intervals } = problem;
  const tooSmall = (i: number, t: number, wh: number) => wh > 0 && wh < leastBurstWh(cars[i]!, intervals[t]!);
  const bad: { readonly i: number; readonly t: number }[] = [];
  for (const [i, stay] of plan.energyWh.entries())
    for (let k = 0; k < stay.length; k++)
      if (tooSmall(i, cars[i]!.from + k, stay[k]!)) bad.push({ i, t: cars[i]!.from + k });
  if (bad.length === 0) return { plan, repairedIntervals: 0 };

  const energy = plan.energyWh.map((stay) => [...stay]);
  const spare = intervals.map((interval) => capacityOf(interval).pv + capacityOf(interval).grid);
  for (const [i, stay] of energy.entries()) for (let k = 0; k < stay.length; k++) spare[cars[i]!.from + k]! -= stay[k]!;
  const at = (i: number, t: number) => energy[i]![t - cars[i]!.from]!;
  const present = (i: number, t: number) => cars[i]!.from <= t && t < cars[i]!.to;
  /** May car i charge `wh` in interval t: within its power and not too small? */
  const fits = (i: number, t: number, wh: number) =>
    wh >= 0 && wh <= Math.floor((cars[i]!.powerW * intervals[t]!.durationS) / 3600) && !tooSmall(i, t, wh);
  const add = (i: number, t: number, wh: number) => {
    energy[i]![t - cars[i]!.from]! += wh;
    spare[t]! -= wh;
  };
  /** The car's other intervals, nearest in price first: what moves should cost as little as possible. */
  const others = (i: number, t: number) =>
    Array.from({ length: cars[i]!.to - cars[i]!.from }, (_, k) => cars[i]!.from + k)
      .filter((r) => r !== t)
      .sort((a, b) => distance(a, t) - distance(b, t) || a - b);
  const distance = (r: number, t: number) => Math.abs(intervals[r]!.price - intervals[t]!.price);

  /** Car i gives up its `wh` in t for the same energy in r, and a car in r does the opposite: totals stay. */
  function exchange(i: number, t: number, r: number, wh: number): boolean {
    if (!fits(i, r, at(i, r) + wh)) return false;
    const partner = cars.findIndex(
      (_, j) =>
        j !== i &&
        present(j, t) &&
        present(j, r) &&
        at(j, r) >= wh &&
        fits(j, t, at(j, t) + wh) &&
        fits(j, r, at(j, r) - wh),
    );
    if (partner < 0) return false;
    add(partner, r, -wh);
    add(partner, t, wh);
    add(i, t, -wh);
    add(i, r, wh);
    return true;
  }
  function move(i: number, t: number, r: number, wh: number): boolean {
    if (spare[r]! < wh || !fits(i, r, at(i, r) + wh)) return false;
    add(i, t, -wh);
    add(i, r, wh);
    return true;
  }
  function fill(i: number, t: number, r: number, wh: number): boolean {
    const missing = leastBurstWh(cars[i]!, intervals[t]!) - wh;
    if (spare[t]! < missing || at(i, r) < missing || !fits(i, r, at(i, r) - missing)) return false;
    if (!fits(i, t, wh + missing)) return false;
    add(i, r, -missing);
    add(i, t, missing);
    return true;
  }

  for (const { i, t } of bad) {
    const wh = at(i, t);
    if (!tooSmall(i, t, wh)) continue; // an earlier exchange has filled it
    const choices = others(i, t);
    const repaired =
      choices.some((r) => exchange(i, t, r, wh)) ||
      choices.some((r) => move(i, t, r, wh)) ||
      choices.some((r) => fill(i, t, r, wh));
    if (!repaired) add(i, t, -wh);
  }
  const repaired: Plan = { ...plan, energyWh: energy };
  return { plan: { ...repaired, cost: planValue(problem, repaired).cost }, repairedIntervals: bad.length };
}
