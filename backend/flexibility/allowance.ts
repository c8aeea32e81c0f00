/** What a car was allowed to draw: the limits that its station had applied, as a step function of time. */
import { type ChargingProfile, limitAt, type ProfilePeriod, type SentProfile } from "../domain/profiles.ts";
import type { EpochSecond, Watt } from "../domain/units.ts";
import { evenIntervals, type Interval } from "./intervals.ts";
import { meteredPerInterval, type RegisterSeries } from "./registers.ts";

/**
 * The limit that held from `from` on. A profile holds from the station's confirmation until the next confirmed one; one
 * that was refused or never answered changes nothing. `beforeW` holds until the first confirmation.
 */
export function appliedLimit(sent: readonly SentProfile[], from: EpochSecond, beforeW: Watt): ChargingProfile {
  const applied = sent
    .filter((profile) => profile.state === "applied" && profile.answeredAt !== null && profile.profile.length > 0)
    .toSorted((a, b) => a.answeredAt! - b.answeredAt! || a.sentAt - b.sentAt);
  const periods: ProfilePeriod[] = [{ from, limitW: beforeW }];
  for (const one of applied) {
    const starts = Math.max(from, one.answeredAt!) as EpochSecond;
    while (periods.length > 0 && periods[periods.length - 1]!.from >= starts) periods.pop();
    periods.push({ from: starts, limitW: limitAt(one.profile, starts) as Watt });
    for (const period of one.profile) if (period.from > starts) periods.push(period);
  }
  return periods;
}

/** Wh that the limit allowed in each of the ascending intervals, rounded down once per interval. */
export function allowedPerInterval(limit: ChargingProfile, intervals: readonly Interval[]): number[] {
  let next = 0;
  return intervals.map(({ from, to }) => {
    while ((limit[next]?.from ?? Number.POSITIVE_INFINITY) <= from) next++;
    let wattSeconds = 0;
    let index = next;
    for (let at: number = from; at < to; index++) {
      const end = Math.min(to, limit[index]?.from ?? to);
      wattSeconds += ((limit[index - 1] ?? limit[0])?.limitW ?? 0) * (end - at);
      at = end;
    }
    return Math.floor(wattSeconds / 3600);
  });
}

/** A car's willingness is looked at in windows of so many seconds. */
const WINDOW_S = 300;
/** Left undrawn beyond this share and this energy, an allowance was not what bound the car; Wh for whole-Wh registers. */
const UNDRAWN = { perCent: 3, wh: 3 };
/** A car that takes less than this of its allowance does not want to charge, and is not offered much for a while, s. */
const NOT_WILLING = { perCent: 25, forS: 3600 };
/** A 5-minute mean from whole Wh may be this much above the true one, W. */
const MEAN_STEP_W = 12;

/**
 * What the car could have had in each of the ascending intervals, Wh: what was allowed; but all that its EVSE gives in
 * windows in which it left part of its allowance undrawn, and in the hour after it took next to nothing, until it draws
 * again. For a plan gives away what a car does not draw, and the lower limit that follows is then the car's own doing:
 * feigning a slow draw would be rewarded as flexibility.
 */
export function entitledPerInterval(
  series: RegisterSeries,
  limit: ChargingProfile,
  intervals: readonly Interval[],
  mostW: Watt,
): number[] {
  let declinedUntil = Number.NEGATIVE_INFINITY;
  return allowedPerInterval(limit, intervals).map((wholeWh, t) => {
    const windows = evenIntervals(intervals[t]!.from, intervals[t]!.to, WINDOW_S);
    const allowed = allowedPerInterval(limit, windows);
    const metered = meteredPerInterval(series, windows);
    return windows.reduce((sum, { from, to }, k) => {
      const [allowedWh, meteredWh] = [allowed[k]!, metered[k]!];
      const undrawnWh = allowedWh - meteredWh;
      const left = undrawnWh > UNDRAWN.wh && undrawnWh * 100 > allowedWh * UNDRAWN.perCent;
      const own = left || from < declinedUntil;
      if (left && meteredWh * 100 < allowedWh * NOT_WILLING.perCent) declinedUntil = to + NOT_WILLING.forS;
      else if (meteredWh > UNDRAWN.wh) declinedUntil = Number.NEGATIVE_INFINITY;
      const allWh = Math.ceil(((mostW + MEAN_STEP_W) * (to - from)) / 3600);
      return own ? sum + Math.max(0, allWh - allowedWh) : sum;
    }, wholeWh);
  });
}

/** What was allowed and drawn between two readings. */
export type Draw = Interval & { readonly allowedWh: number; readonly meteredWh: number };

/**
 * Allowed and metered Wh from each reading to the next, cut once more at `cutAt` (a promise's time). Not finer than the
 * readings: between two of them nobody knows when the energy flowed, and guessing would blame the car for it.
 */
export function drawSeries(series: RegisterSeries, limit: ChargingProfile, cutAt?: EpochSecond): Draw[] {
  const instants = series.map((point) => point.at);
  const first = instants[0];
  const last = instants[instants.length - 1];
  if (first === undefined || last === undefined) return [];
  if (cutAt !== undefined && cutAt > first && cutAt < last && !instants.includes(cutAt))
    instants.splice(
      instants.findIndex((at) => at > cutAt),
      0,
      cutAt,
    );
  const intervals = instants.slice(1).map((to, index): Interval => ({ from: instants[index]!, to }));
  const meteredWh = meteredPerInterval(series, intervals);
  const allowedWh = allowedPerInterval(limit, intervals);
  return intervals.map((interval, t) => ({ ...interval, allowedWh: allowedWh[t]!, meteredWh: meteredWh[t]! }));
}

/** First instant in [from, to) at which the limit was above 0, or null. */
export function firstOffer(limit: ChargingProfile, from: EpochSecond, to: EpochSecond): EpochSecond | null {
  if (limitAt(limit, from) > 0) return from;
  return limit.find((period) => period.from > from && period.from < to && period.limitW > 0)?.from ?? null;
}
