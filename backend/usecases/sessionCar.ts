/**
 * One session as the plan sees it: a car with what it is owed and wishes, or power that is set aside. Power that is set
 * aside for a planned car (a boost, the least power of a car that cannot pause) is a floor under its plan: the others see it
 * as fixed load, and the car asks for the rest only. Pure.
 */
import { type ChargingProfile, limitAt, type ProfilePeriod } from "../domain/profiles.ts";
import { type EpochSecond, watt, wattHour } from "../domain/units.ts";
import type { Car, Interval } from "../optimisation/problem.ts";
import { deliveredWh, isBroken, type LiveSession, owedWh, worstLimitW } from "./board.ts";

/** A car that overstays, or whose departure nobody knows, is planned for this long, again and again. */
const OVERSTAY_S = 2 * 3600;

/** Stations that do not obey are fixed loads, and so is who opted out; when it does not draw, it is asked like any other. */
export const isPlanned = (live: LiveSession, now: number) =>
  live.heldOutUntil <= now && (live.mode !== "opted-out" || live.seenMaxW === 0);

/** Until when a session is planned for. */
function horizonOf(live: LiveSession, at: number): number {
  if (live.promise && live.promise.by > at && owedWh(live) > 0) return live.promise.by;
  return live.departsAt > at + 60 ? live.departsAt : at + OVERSTAY_S;
}

/** Instants at which the horizon is cut for a session; the first one is the end of its stay. */
export function cutsOf(live: LiveSession, at: number): readonly number[] {
  const end = horizonOf(live, at);
  const starts = [live.notBefore, live.promise?.first?.by ?? 0, ...floorsOf(live, at).map((floor) => floor.until)];
  return [end, ...starts.filter((instant) => instant < end)];
}

/** What the car takes: seen, or else rated. W */
export const powerOf = (live: LiveSession) =>
  isBroken(live) ? 0 : Math.min(live.maxPowerW, live.seenMaxW ?? live.maxPowerW);

/* ---------------------------------------------------------------------------------------------- set aside */

/** Power that is held from `from` to `until` whatever the plan says. */
export type Floor = { readonly from: number; readonly until: number; readonly limitW: number };

export function floorsOf(live: LiveSession, at: number): readonly Floor[] {
  const powerW = powerOf(live);
  if (powerW === 0 || live.mode === "opted-out") return [];
  const floors: Floor[] = [];
  if (live.boost && live.grant && live.grant.until > at && live.grant.limitW > 0)
    floors.push({ from: at, until: live.grant.until, limitW: Math.min(live.grant.limitW, powerW) });
  if (live.steadyFrom !== null) {
    const wantWh = Math.max(0, wantedWh(live, at));
    const from = Math.max(at, live.steadyFrom);
    const limitW = Math.min(live.minPowerW, powerW);
    const until = Math.min(horizonOf(live, at), from + Math.ceil(((wantWh + LOST_WH) * 3600) / limitW));
    if (until > from) floors.push({ from, until, limitW });
  }
  return floors;
}

/** What whole W and answers of stations cost on the way: the floor does not end before the energy is in, Wh. */
const LOST_WH = 300;

/** What a car that cannot pause must be given before it may stop, Wh: what it is owed, or what it wishes beyond that. */
export const wantedWh = (live: LiveSession, at: number) =>
  Math.max(live.promise && live.promise.by > at ? owedWh(live) : 0, live.wishedWh - deliveredWh(live));

export const floorAt = (floors: readonly Floor[], instant: number) =>
  floors.reduce(
    (most, { from, until, limitW }) => (from <= instant && instant < until ? Math.max(most, limitW) : most),
    0,
  );

/** W*s of the highest floor at every instant. */
export function floorWs(floors: readonly Floor[], from: number, to: number): number {
  if (floors.length === 0) return 0;
  const cuts = [from, to, ...floors.flatMap((floor) => [floor.from, floor.until])]
    .filter((cut) => cut >= from && cut <= to)
    .sort((a, b) => a - b);
  return cuts.slice(1).reduce((ws, cut, k) => ws + floorAt(floors, cuts[k]!) * (cut - cuts[k]!), 0);
}

/** What the station is told: the plan's limits on top of the floor. The same profile comes back where there is none. */
export function onFloor(profile: ChargingProfile, live: LiveSession | undefined, at: number): ChargingProfile {
  const floors = live ? floorsOf(live, at) : [];
  if (!live || floors.length === 0) return profile;
  const cuts = new Set(
    [...profile, ...floors.flatMap(({ from, until }) => [{ from }, { from: until }])].map((p) => p.from),
  );
  const periods = [...cuts]
    .filter((from) => from >= (profile[0]?.from ?? at))
    .sort((a, b) => a - b)
    .map((from): ProfilePeriod => {
      const limitW = Math.min(live.maxPowerW, limitAt(profile, from as EpochSecond) + floorAt(floors, from));
      return { from: from as EpochSecond, limitW: watt(limitW) };
    });
  return periods.filter((period, k) => period.limitW !== periods[k - 1]?.limitW);
}

/** Energy of an interval that is set aside for a session outside of the plan, Wh, rounded up. */
export function setAsideWh(live: LiveSession, at: number, now: number, from: number, to: number): number {
  if (!isPlanned(live, now)) return fixedWh(live, from, to);
  const askedS = isAsked(live, at) ? Math.max(0, Math.min(to, askedUntil(at)) - from) : 0;
  return Math.ceil((live.minPowerW * askedS + floorWs(floorsOf(live, at), from, to)) / 3600);
}

function fixedWh(live: LiveSession, from: number, to: number): number {
  if (live.mode === "opted-out") {
    const untilS = Math.min(to, live.grant?.until ?? 0) - from;
    return untilS > 0 ? Math.ceil(((live.grant?.limitW ?? 0) * untilS) / 3600) : 0;
  }
  return Math.ceil((Math.min(live.maxPowerW, worstLimitW(live, from as EpochSecond)) * (to - from)) / 3600);
}

/** A car that does not draw although it is owed energy is asked again this often, for so long, s. */
const ASK_AGAIN = { everyS: 1800, forS: 300 };

/** It is asked with its least power as a fixed load; when it draws, a new plan counts with it again. */
export const isAsked = (live: LiveSession, at: number) =>
  live.seenMaxW === 0 && (owedWh(live) > 0 || live.mode === "opted-out") && at - live.triedAt >= ASK_AGAIN.everyS;
export const askedUntil = (at: number) => at + ASK_AGAIN.forS;

/* ------------------------------------------------------------------------------------------------ the car */

/** The session as a car of a plan that begins at `cuts[0]`; null when it leaves before the first cut. */
export function carOf(live: LiveSession, at: EpochSecond, cuts: readonly number[]): Car | null {
  const to = lastCut(cuts, horizonOf(live, at));
  if (to === 0) return null;
  const powerW = powerOf(live);
  const floors = floorsOf(live, at);
  // Exact: x = floor + x', so the car asks for x' within what the floor leaves of its power.
  const full = floors.filter((floor) => floor.limitW >= powerW);
  const restW = powerW - Math.max(0, ...floors.filter((floor) => !full.includes(floor)).map((floor) => floor.limitW));
  const from = firstCut(cuts, Math.max(startOf(live, at, cuts[to]!), ...full.map(({ until }) => until)));
  const givenWh = Math.floor(floorWs(floors, at, cuts[to]!) / 3600);
  const owed = live.promise && live.promise.by > at ? owedWh(live) : 0;
  const common = { session: live.number, row: live.row };
  // On its least power, which is held all the time, every power beyond it can be kept.
  const leastW = live.steadyFrom === null ? live.minPowerW : 0;
  const needWh = Math.max(0, owed - givenWh);
  // Nothing is left to plan: the floor is all that the car can take, or there is no time any more for what it is owed.
  if (from >= to)
    return {
      ...common,
      ...power(restW, leastW),
      needWh: wattHour(needWh),
      moreWh: wattHour(0),
      from: to - 1,
      to,
    };
  const wishedWh = Math.max(0, moreWh(live, owed) - Math.max(0, givenWh - owed));
  const stayWh = Math.floor((restW * (cuts[to]! - cuts[from]!)) / 3600);
  return {
    ...common,
    needWh: wattHour(needWh),
    moreWh: wattHour(Math.min(wishedWh, Math.max(0, stayWh - needWh))),
    ...power(restW, leastW),
    from,
    to,
    ...firstOf(live, at, cuts, { from, to, needWh, floors }),
  };
}

const power = (powerW: number, minPowerW: number) => ({
  powerW: watt(powerW),
  minPowerW: watt(Math.min(minPowerW, powerW)),
});

/** Planned start; a car that cannot pause does not begin before its floor is sure. */
const startOf = (live: LiveSession, at: number, end: number) =>
  Math.max(live.notBefore, live.cannotPause && wantedWh(live, at) > 0 ? (live.steadyFrom ?? end) : 0);

/** Minimum energy first: what the first part still lacks, by its own time. */
function firstOf(
  live: LiveSession,
  at: EpochSecond,
  cuts: readonly number[],
  car: { from: number; to: number; needWh: number; floors: readonly Floor[] },
): Pick<Car, "first"> {
  const { promise } = live;
  const first = promise?.first;
  if (!promise || !first || first.missingWh !== null || first.by <= at || promise.by <= at) return {};
  const to = lastCut(cuts, first.by);
  if (to <= car.from || to >= car.to) return {};
  const givenWh = Math.floor(floorWs(car.floors, at, cuts[to]!) / 3600);
  const wh = first.wh - (live.registerWh - promise.fromRegisterWh) - givenWh;
  return wh > 0 ? { first: { wh: wattHour(Math.min(wh, car.needWh)), to } } : {};
}

/** Wished beyond the promise; once everything wished is in, whatever a car that still draws can take. */
function moreWh(live: LiveSession, needWh: number): number {
  if (live.mode === "opted-out") return 0;
  const missing = live.wishedWh - deliveredWh(live) - needWh;
  if (missing > 0) return missing;
  return needWh > 0 ? 0 : 0xffffff;
}

function lastCut(cuts: readonly number[], instant: number): number {
  let t = 0;
  while (t + 1 < cuts.length && cuts[t + 1]! <= instant) t++;
  return t;
}
function firstCut(cuts: readonly number[], instant: number): number {
  let t = 0;
  while (t + 1 < cuts.length && cuts[t]! < instant) t++;
  return t;
}

/* ----------------------------------------------------------------------------------- minimum energy first */

/**
 * For methods that know one deadline: until its time the first part is all that the car needs, or so much more that the
 * rest is still possible at the car's own power. Admission keeps the room of the rest, so it comes after.
 */
export function firstPartOnly({ first, ...car }: Car, intervals: readonly Interval[]): Car {
  if (!first) return car;
  const restS = intervals.slice(first.to, car.to).reduce((sum, { durationS }) => sum + durationS, 0);
  const restWh = Math.floor((car.powerW * restS) / 3600);
  return { ...car, to: first.to, needWh: wattHour(Math.max(first.wh, car.needWh - restWh)), moreWh: wattHour(0) };
}
