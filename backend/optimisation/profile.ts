/**
 * From planned energy to what a station is told: a limit in W from a second on. A car charges at 0 or at least at its
 * minimum power (6 A per phase), so less energy than that is charged in one burst inside the interval.
 */
import { type Second, second, type Watt, watt } from "../domain/units.ts";
import { leastBurstWh } from "./leastPower.ts";
import type { Car, GroupProblem, Interval, Plan } from "./problem.ts";

/** From `startS` seconds after the problem's `at`, at most `limitW`. */
export type LimitPeriod = { readonly startS: Second; readonly limitW: Watt };

/**
 * The limits of one car: contiguous from 0 to the end of its stay, then `floorW`. The energy that they allow in an
 * interval is, in whole Wh rounded down, never above the plan's, and below it by less than one second of minimum power
 * and one watt over the interval; bursts under `MIN_BURST_S` are left out.
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

/** Power and length that give the energy in the interval: all of the car's power where that is what was planned, else rounded down. */
function burstOf(car: Car, interval: Interval, wh: number): { readonly powerW: number; readonly lengthS: number } {
  // Whole Wh of a few seconds are a coarse measure of power: without this, a car at full power would be told another limit by
  // every plan that begins inside a slot.
  const isFull = wh === Math.floor((car.powerW * interval.durationS) / 3600);
  const steadyW = isFull ? car.powerW : Math.floor((wh * 3600) / interval.durationS);
  if (wh === 0 || wh < leastBurstWh(car, interval)) return NO_BURST;
  if (steadyW >= car.minPowerW) return { powerW: steadyW, lengthS: interval.durationS };
  const lengthS = Math.floor((wh * 3600) / car.minPowerW);
  if (lengthS === 0) return NO_BURST;
  return { powerW: Math.min(car.powerW, Math.floor((wh * 3600) / lengthS)), lengthS };
}
