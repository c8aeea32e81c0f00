/**
 * Limits that hold at every instant, not only on average: a thermal limit, or a capacity that changes from minute to
 * minute inside an interval. Bursts at the least power that make up a small energy may not meet others' steady power.
 * What does not fit is laid into the rest of the interval, or else left out, of the car first that can wait longest; the
 * next plan deals it out again.
 */
import { type ChargingProfile, limitAt, type ProfilePeriod } from "../domain/profiles.ts";
import { type EpochSecond, epochSecond, watt } from "../domain/units.ts";
import type { Car, GroupProblem } from "./problem.ts";

export type Limited = { readonly profile: ChargingProfile; readonly car: Car };

const MINUTE_S = 60;

/** The profiles, in their order, cut down where their sum would exceed what the interval leaves the cars. */
export const capToThermalLimit = (problem: GroupProblem, wanted: readonly Limited[]): ChargingProfile[] =>
  withinMinutes(problem, wanted, intervalCapacity(problem));

/** Power that limit, other load and PV of an interval leave the cars on average, W. */
export function intervalCapacity(problem: GroupProblem): (at: EpochSecond) => number {
  const ends = endsOf(problem);
  return (at) => intervalW(problem, ends, at);
}

/**
 * The profiles, in their order, with their sum at or below `capacityW` at every second of the horizon; each allows in
 * an interval at most what it allowed before. `capacityW` is what the cars may draw together from an instant on, W; it
 * may change at whole minutes and at the intervals' cuts.
 */
export function withinMinutes(
  problem: GroupProblem,
  wanted: readonly Limited[],
  capacityW: (at: EpochSecond) => number,
): ChargingProfile[] {
  const ends = endsOf(problem);
  const until = ends[ends.length - 1] ?? problem.at;
  const cuts = new Set<number>([problem.at, ...ends]);
  let freeW = Number.NaN;
  for (let at = Math.ceil(problem.at / MINUTE_S) * MINUTE_S; at < until; at += MINUTE_S) {
    const nextW = capacityW(epochSecond(at));
    if (nextW !== freeW) cuts.add(at);
    freeW = nextW;
  }
  for (const { profile } of wanted) for (const period of profile) if (period.from > problem.at) cuts.add(period.from);
  const capped = wanted.map((): ProfilePeriod[] => []);
  const turns = [...wanted.keys()].sort((a, b) => {
    const [one, other] = [wanted[a] as Limited, wanted[b] as Limited];
    return laxityWh(problem, one.car) - laxityWh(problem, other.car) || a - b;
  });
  const starts = [...cuts].filter((cut) => cut < until).sort((a, b) => a - b);
  const powers = starts.map((at) =>
    share(
      Math.max(0, Math.floor(capacityW(at as EpochSecond))),
      wanted.map(({ profile }) => limitAt(profile, at as EpochSecond)),
      wanted.map(({ car }) => car),
      turns,
    ),
  );
  for (const end of ends) makeUpFor(wanted, turns, { starts, powers, ends, end, capacityW });
  for (const [k, powersW] of powers.entries()) {
    for (const [i, powerW] of powersW.entries()) {
      const periods = capped[i] as ProfilePeriod[];
      const from = epochSecond(starts[k] as number);
      if (periods[periods.length - 1]?.limitW !== powerW) periods.push({ from, limitW: watt(powerW) });
    }
  }
  return capped.map((periods) => [...periods, { from: epochSecond(until), limitW: watt(0) }]);
}

/**
 * One instant. Cars that are owed energy get their least power first, because a burst is all or nothing, then more, each
 * up to its limit; the others get what is left.
 */
function share(freeW: number, limitsW: readonly number[], cars: readonly Car[], turns: readonly number[]): number[] {
  const givenW = limitsW.map(() => 0);
  let leftW = freeW;
  const raise = (i: number, toW: number) => {
    const { minPowerW } = cars[i] as Car;
    const before = givenW[i] as number;
    const afterW = Math.min(toW, limitsW[i] as number, before + leftW);
    if (afterW < minPowerW || afterW <= before) return;
    givenW[i] = afterW;
    leftW -= afterW - before;
  };
  const owed = turns.filter((i) => (cars[i] as Car).needWh > 0);
  for (const i of owed) raise(i, (cars[i] as Car).minPowerW);
  for (const i of turns) raise(i, limitsW[i] as number);
  return givenW;
}

/** What a car lost to others' bursts it gets in the rest of the same interval, where its power and the limit leave room. */
function makeUpFor(
  wanted: readonly Limited[],
  turns: readonly number[],
  laid: {
    starts: readonly number[];
    powers: number[][];
    ends: readonly number[];
    end: number;
    capacityW: (at: EpochSecond) => number;
  },
): void {
  const { starts, powers, ends, end, capacityW } = laid;
  const spans = starts.flatMap((at, k) =>
    at < end && ends.find((one) => one > at) === end
      ? [{ at, powersW: powers[k]!, lengthS: (starts[k + 1] ?? end) - at }]
      : [],
  );
  for (const i of turns) {
    const { profile, car } = wanted[i] as Limited;
    let lostWs = spans.reduce(
      (sum, { at, powersW, lengthS }) => sum + (limitAt(profile, at as EpochSecond) - powersW[i]!) * lengthS,
      0,
    );
    for (const { at, powersW, lengthS } of spans) {
      if (lostWs < lengthS) continue;
      const freeW = Math.floor(capacityW(at as EpochSecond)) - powersW.reduce((sum, powerW) => sum + powerW, 0);
      const raisedW = Math.min(freeW, car.powerW - powersW[i]!, Math.floor(lostWs / lengthS));
      if (raisedW <= 0 || powersW[i]! + raisedW < car.minPowerW) continue;
      powersW[i]! += raisedW;
      lostWs -= raisedW * lengthS;
    }
  }
}

/** What the rest of its stay could give beyond what it is owed; who is owed nothing can wait longest. */
function laxityWh({ intervals }: GroupProblem, { needWh, powerW, from, to }: Car): number {
  if (needWh === 0) return Number.MAX_SAFE_INTEGER;
  const stayS = intervals.slice(from, to).reduce((sum, { durationS }) => sum + durationS, 0);
  return Math.floor((powerW * stayS) / 3600) - needWh;
}

function endsOf(problem: GroupProblem): number[] {
  let end: number = problem.at;
  return problem.intervals.map(({ durationS }) => {
    end += durationS;
    return end;
  });
}

function intervalW(problem: GroupProblem, ends: readonly number[], at: number): number {
  const interval = problem.intervals[ends.findIndex((end) => end > at)];
  if (!interval) return 0;
  const { limitWh, demandWh, productionWh, fixedWh, durationS } = interval;
  return Math.max(0, Math.floor(((limitWh - demandWh - fixedWh + productionWh) * 3600) / durationS));
}
