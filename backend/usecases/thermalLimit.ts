/**
 * Under a thermal limit the powers of all cars together must fit at every instant, not only on average: bursts at the
 * least power that make up a small energy may not meet others' steady power. What does not fit is left out, the last
 * session's first; the next plan deals it out again.
 */
import { type ChargingProfile, limitAt, type ProfilePeriod } from "../domain/profiles.ts";
import { type EpochSecond, epochSecond, watt } from "../domain/units.ts";
import type { GroupProblem } from "../optimisation/problem.ts";

export type Limited = { readonly profile: ChargingProfile; readonly minPowerW: number };

/** The profiles, in the order of precedence, cut down where their sum would exceed what the interval leaves the cars. */
export function capToThermalLimit(problem: GroupProblem, wanted: readonly Limited[]): ChargingProfile[] {
  const ends = endsOf(problem);
  const until = ends[ends.length - 1] ?? problem.at;
  const cuts = new Set<number>([problem.at, ...ends]);
  for (const { profile } of wanted) for (const period of profile) if (period.from > problem.at) cuts.add(period.from);
  const capped = wanted.map((): ProfilePeriod[] => []);
  for (const at of [...cuts].filter((cut) => cut < until).sort((a, b) => a - b)) {
    let leftW = capacityW(problem, ends, at);
    for (const [i, { profile, minPowerW }] of wanted.entries()) {
      const limitW = Math.min(limitAt(profile, at as EpochSecond), leftW);
      const givenW = limitW >= minPowerW ? limitW : 0;
      leftW -= givenW;
      const periods = capped[i] as ProfilePeriod[];
      if (periods[periods.length - 1]?.limitW !== givenW) periods.push({ from: epochSecond(at), limitW: watt(givenW) });
    }
  }
  return capped.map((periods) => [...periods, { from: epochSecond(until), limitW: watt(0) }]);
}

function endsOf(problem: GroupProblem): number[] {
  let end: number = problem.at;
  return problem.intervals.map(({ durationS }) => {
    end += durationS;
    return end;
  });
}

function capacityW(problem: GroupProblem, ends: readonly number[], at: number): number {
  const interval = problem.intervals[ends.findIndex((end) => end > at)];
  if (!interval) return 0;
  const { limitWh, demandWh, productionWh, fixedWh, durationS } = interval;
  return Math.max(0, Math.floor(((limitWh - demandWh - fixedWh + productionWh) * 3600) / durationS));
}
