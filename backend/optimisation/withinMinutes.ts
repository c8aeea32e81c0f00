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

/** A stretch of an interval in which capacity and wishes are constant, and what each car gets there. */
type Span = { readonly at: number; readonly lengthS: number; readonly capacityW: number; readonly powersW: number[] };

/**
 * The profiles, in their order, with their sum at or below `capacityW` at every second of the horizon; each allows in
 * an interval at most what it allowed before, and changes only in intervals in which they do not fit. `capacityW` is what
 * the cars may draw together from an instant on, W; it may change at whole minutes and at the intervals' cuts.
 */
export function withinMinutes(
  problem: GroupProblem,
  wanted: readonly Limited[],
  capacityW: (at: EpochSecond) => number,
): ChargingProfile[] {
  const ends = endsOf(problem);
  const until = ends[ends.length - 1] ?? problem.at;
  const laid = wanted.map((): ProfilePeriod[] => []);
  const cars = wanted.map(({ car }) => ({ ...car, laxityWh: laxityWh(problem, car) }));
  const turns = [...wanted.keys()].sort((a, b) => cars[a]!.laxityWh - cars[b]!.laxityWh || a - b);
  const changes = [...new Set(wanted.flatMap(({ profile }) => profile.map(({ from }) => from as number)))];
  changes.sort((a, b) => a - b);
  let next = 0;
  let begin: number = problem.at;
  for (const end of ends) {
    const cuts = new Set([begin]);
    for (; next < changes.length && changes[next]! < end; next++) if (changes[next]! > begin) cuts.add(changes[next]!);
    let freeW = capacityW(epochSecond(begin));
    for (let at = (Math.floor(begin / MINUTE_S) + 1) * MINUTE_S; at < end; at += MINUTE_S) {
      const nextW = capacityW(epochSecond(at));
      if (nextW !== freeW) cuts.add(at);
      freeW = nextW;
    }
    const starts = [...cuts].sort((a, b) => a - b);
    const spans = starts.map(
      (at, k): Span => ({
        at,
        lengthS: (starts[k + 1] ?? end) - at,
        capacityW: Math.max(0, Math.floor(capacityW(epochSecond(at)))),
        powersW: wanted.map(({ profile }) => limitAt(profile, epochSecond(at))),
      }),
    );
    if (spans.some((span) => roomW(span) < 0)) layAnew(spans, cars, turns, begin - problem.at < EXCHANGED_S);
    for (const { at, powersW } of spans)
      for (const [i, powerW] of powersW.entries()) {
        const periods = laid[i] as ProfilePeriod[];
        if (periods[periods.length - 1]?.limitW !== powerW)
          periods.push({ from: epochSecond(at), limitW: watt(powerW) });
      }
    begin = end;
  }
  return laid.map((periods) => [...periods, { from: epochSecond(until), limitW: watt(0) }]);
}

/** What comes later is cut as well, but exchanged only by a later plan. */
const EXCHANGED_S = 2 * 3600;

/** A car and what the rest of its stay could give beyond what it is owed. */
type Waiting = Car & { readonly laxityWh: number };

/** Owed energy, and less than a quarter of an hour to lose. */
const isUrgent = ({ needWh, laxityWh, powerW }: Waiting) => needWh > 0 && laxityWh < powerW / 4;

const roomW = ({ capacityW, powersW }: Span) => powersW.reduce((left, powerW) => left - powerW, capacityW);

/**
 * One interval anew, in two ways, of which the better one stays: each span shared out as it was wanted, or each span to
 * the cars with the longest time to go at full power. Then what was lost is made up for, directly or by exchanges.
 */
function layAnew(spans: readonly Span[], cars: readonly Waiting[], turns: readonly number[], exchanges: boolean): void {
  const wantedWs = cars.map((_, i) => spans.reduce((sum, span) => sum + span.powersW[i]! * span.lengthS, 0));
  const ways = [share, longestFirst].map((way) => {
    const leftWs = [...wantedWs];
    const tried = spans.map((span): Span => {
      const powersW = way(span, cars, turns, leftWs);
      for (const [i, powerW] of powersW.entries()) leftWs[i]! -= powerW * span.lengthS;
      return { ...span, powersW };
    });
    for (const i of turns) makeUpFor(i, tried, cars[i]!, leftWs);
    if (exchanges)
      for (const i of turns)
        for (let part = leftWs[i]!; part >= LEAST_EXCHANGED_WS; ) {
          const movedWs = exchange(i, Math.min(part, leftWs[i]!), tried, cars);
          leftWs[i]! -= movedWs;
          if (movedWs === 0) part = Math.floor(part / 2);
        }
    const missing = (counts: (car: Waiting) => boolean) =>
      leftWs.reduce((sum, ws, i) => sum + (counts(cars[i]!) ? ws : 0), 0);
    return { tried, lostWs: [missing(isUrgent), missing(({ needWh }) => needWh > 0), missing(() => true)] };
  });
  const [asWanted, other] = ways as [(typeof ways)[number], (typeof ways)[number]];
  // Urgent energy counts before owed and this before all; and other powers must be worth their switching.
  const gains = asWanted.lostWs.map((ws, k) => ws - other.lostWs[k]!);
  const decisive = gains.find((ws) => Math.abs(ws) > LEAST_EXCHANGED_WS) ?? 0;
  for (const [k, { powersW }] of (decisive > 0 ? other : asWanted).tried.entries())
    for (const [i, powerW] of powersW.entries()) spans[k]!.powersW[i] = powerW;
}

/** 5 Wh: not worth a change of power. */
const LEAST_EXCHANGED_WS = 18_000;

/**
 * One span. Cars that are owed energy get their least power first, because a burst is all or nothing, then more, each
 * up to its wish, urgent ones before the others; who is owed nothing gets what is left.
 */
function share({ capacityW, powersW }: Span, cars: readonly Waiting[], turns: readonly number[]): number[] {
  const givenW = powersW.map(() => 0);
  let leftW = capacityW;
  const raise = (i: number, toW: number) => {
    const { minPowerW } = cars[i] as Car;
    const before = givenW[i] as number;
    const afterW = Math.min(toW, powersW[i] as number, before + leftW);
    if (afterW < minPowerW || afterW <= before) return;
    givenW[i] = afterW;
    leftW -= afterW - before;
  };
  const urgent = turns.filter((i) => isUrgent(cars[i]!));
  for (const i of urgent) raise(i, cars[i]!.minPowerW);
  for (const i of urgent) raise(i, powersW[i]!);
  for (const i of turns) if (cars[i]!.needWh > 0) raise(i, cars[i]!.minPowerW);
  for (const i of turns) raise(i, powersW[i] as number);
  return givenW;
}

/** One span to those that need longest for what they still want in the interval, owed energy first. */
function longestFirst(
  span: Span,
  cars: readonly Waiting[],
  turns: readonly number[],
  leftWs: readonly number[],
): number[] {
  const givenW = cars.map(() => 0);
  let leftW = span.capacityW;
  const owed = (i: number) => Number(cars[i]!.needWh > 0) + Number(isUrgent(cars[i]!));
  const timeS = (i: number) => leftWs[i]! / Math.max(1, cars[i]!.powerW);
  for (const i of [...turns].sort((a, b) => owed(b) - owed(a) || timeS(b) - timeS(a))) {
    const powerW = Math.min(cars[i]!.powerW, leftW, Math.floor(leftWs[i]! / span.lengthS));
    if (powerW === 0 || powerW < cars[i]!.minPowerW) continue;
    givenW[i] = powerW;
    leftW -= powerW;
  }
  return givenW;
}

/** What a car lost it gets in the rest of the same interval, where its power and the capacity leave room. */
function makeUpFor(i: number, spans: readonly Span[], { minPowerW, powerW }: Car, lostWs: number[]): void {
  for (const span of spans) {
    const ownW = span.powersW[i]!;
    const raisedW = Math.min(roomW(span), powerW - ownW, Math.floor(lostWs[i]! / span.lengthS));
    if (raisedW <= 0 || ownW + raisedW < minPowerW) continue;
    span.powersW[i] = ownW + raisedW;
    lostWs[i]! -= raisedW * span.lengthS;
  }
}

/** A car takes `takenW` in span `s`, for which others there must give `missingW`; `by` is who takes it. */
type Step = {
  readonly s: number;
  readonly by: number;
  readonly takenW: number;
  readonly missingW: number;
  readonly before: Step | null;
};

/**
 * Car i gets up to `partWs` more in a span without enough room, because others step aside from there to spans that have
 * it: breadth-first over spans, each step by a car that keeps 0 or at least its least power in both. Answers the W*s
 * that it got; others lose less than 1 W a step where spans differ in length.
 */
function exchange(i: number, partWs: number, spans: readonly Span[], cars: readonly Waiting[]): number {
  const fits = (j: number, powerW: number) =>
    powerW === 0 || (powerW >= Math.max(1, cars[j]!.minPowerW) && powerW <= cars[j]!.powerW);
  const seen = new Set<number>();
  const queue: Step[] = [];
  const reach = (s: number, ws: number, by: number, before: Step | null) => {
    const takenW = Math.floor(ws / spans[s]!.lengthS);
    if (seen.has(s) || takenW === 0 || !fits(by, spans[s]!.powersW[by]! + takenW)) return;
    seen.add(s);
    queue.push({ s, by, takenW, missingW: takenW - roomW(spans[s]!), before });
  };
  for (const s of spans.keys()) reach(s, partWs, i, null);
  for (const step of queue) {
    if (step.missingW <= 0) {
      for (let at: Step | null = step; at !== null; at = at.before) {
        spans[at.s]!.powersW[at.by]! += at.takenW;
        if (at.before === null) return at.takenW * spans[at.s]!.lengthS;
        spans[at.before.s]!.powersW[at.by]! -= at.before.missingW;
      }
    }
    const { powersW, lengthS } = spans[step.s]!;
    for (const j of cars.keys()) {
      const restW = powersW[j]! - step.missingW;
      if (j === i || restW < 0 || !fits(j, restW)) continue;
      for (const r of spans.keys()) if (r !== step.s) reach(r, step.missingW * lengthS, j, step);
    }
  }
  return 0;
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
