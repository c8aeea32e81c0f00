/** Energy between instants, from the cumulative and often irregular register readings of one session. */
import { type EpochSecond, type Watt, type WattHour, watt } from "../domain/units.ts";
import type { Interval } from "./intervals.ts";

export type RegisterPoint = { readonly at: EpochSecond; readonly registerWh: WattHour };

/** Readings of a stay, from plug-in to plug-out: instants rise, registers never fall. */
export type RegisterSeries = readonly RegisterPoint[];

/** Length of the window whose highest mean is the session's power P, s. */
export const MEAN_WINDOW_S = 300;

/**
 * The readings of a stay between its start and its end. The register at plug-in and plug-out is billed and therefore
 * right: readings outside the stay are left out, readings that contradict start, end or an earlier one are brought into
 * line. Throws when the register fell over the stay as a whole.
 */
export function registerSeries(stay: {
  readonly startAt: EpochSecond;
  readonly startWh: WattHour;
  readonly endAt: EpochSecond;
  readonly endWh: WattHour;
  readonly readings: readonly RegisterPoint[];
}): RegisterSeries {
  const { startAt, startWh, endAt, endWh } = stay;
  if (endWh < startWh || endAt < startAt)
    throw new RangeError(
      `The register went from ${startWh} Wh at ${startAt} to ${endWh} Wh at ${endAt}: neither falls. Hold the session and ask the CPO for the true readings.`,
    );
  const series: RegisterPoint[] = [{ at: startAt, registerWh: startWh }];
  const inside = stay.readings.filter((reading) => reading.at > startAt && reading.at < endAt);
  for (const reading of inside.toSorted((a, b) => a.at - b.at)) {
    const last = series[series.length - 1]!;
    if (reading.at === last.at) continue;
    const registerWh = Math.min(Math.max(reading.registerWh, last.registerWh), endWh) as WattHour;
    series.push({ at: reading.at, registerWh });
  }
  if (endAt > startAt) series.push({ at: endAt, registerWh: endWh });
  return series;
}

/** Register at an instant: linear between two readings, rounded down to whole Wh; the first or last one outside. */
export const registerAt = (series: RegisterSeries, at: number): number => exactAt(series, at).wholeWh;

/** Register at an instant, exactly: wholeWh + over / under, the fraction below 1. */
function exactAt(series: RegisterSeries, at: number): { wholeWh: number; over: number; under: number } {
  const next = indexAfter(series, at);
  const before = series[next - 1];
  const after = series[next];
  if (!before || !after) return { wholeWh: (before ?? after)?.registerWh ?? 0, over: 0, under: 1 };
  const under = after.at - before.at;
  const risen = (after.registerWh - before.registerWh) * (at - before.at);
  return { wholeWh: before.registerWh + Math.floor(risen / under), over: risen % under, under };
}

/** Wh per interval. Over intervals without gaps they sum up to the register's difference exactly. */
export function meteredPerInterval(series: RegisterSeries, intervals: readonly Interval[]): number[] {
  return intervals.map(({ from, to }) => registerAt(series, to) - registerAt(series, from));
}

/**
 * P: the highest metered 5-minute mean, W, rounded up. Of all windows of 300 s inside the stay that begin or end at a
 * reading, the one with most energy: between readings the register is a straight line, so no other window has more. A
 * stay shorter than that is one window.
 */
export function highestMeanW(series: RegisterSeries): Watt {
  const first = series[0];
  const last = series[series.length - 1];
  if (!first || !last || last.at <= first.at) return watt(0);
  const windowS = Math.min(MEAN_WINDOW_S, last.at - first.at);
  let mostW = 0;
  for (const { at } of series)
    for (const from of [at, at - windowS])
      if (from >= first.at && from + windowS <= last.at) mostW = Math.max(mostW, meanW(series, from, windowS));
  return watt(mostW);
}

/**
 * Mean power from `from` on, W, rounded up. Exact: whole Wh and fraction are rounded apart, and either the window is
 * 300 s, so that whole Wh give whole W, or it is the stay, which begins and ends at a reading and has no fraction.
 */
function meanW(series: RegisterSeries, from: number, durationS: number): number {
  const start = exactAt(series, from);
  const end = exactAt(series, from + durationS);
  const over = end.over * start.under - start.over * end.under;
  const wholeW = Math.ceil(((end.wholeWh - start.wholeWh) * 3600) / durationS);
  return wholeW + Math.ceil((over * 3600) / (start.under * end.under * durationS));
}

/** Latest instant up to which nothing was drawn, or null when nothing was drawn at all. */
export function firstDraw(series: RegisterSeries): EpochSecond | null {
  const drawn = series.findIndex((point) => point.registerWh > series[0]!.registerWh);
  return drawn < 1 ? null : series[drawn - 1]!.at;
}

/** Index of the first point later than the instant (binary search). */
function indexAfter(series: RegisterSeries, at: number): number {
  let low = 0;
  let high = series.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (series[middle]!.at <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
