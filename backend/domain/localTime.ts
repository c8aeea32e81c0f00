/**
 * Clocks on walls: the local time of an IANA time zone at an instant, and the instant at which a clock shows a time. Days
 * with a change of summer time have 23 or 25 hours; the zone's rules are those of the runtime.
 */
import { type EpochSecond, epochSecond } from "./units.ts";

const DAY_S = 86_400;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Local time minus UTC at the instant, s. Throws a RangeError for a zone that is not known. */
export function offsetS(at: EpochSecond, timeZone: string): number {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat("en-GB", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
  formats.set(timeZone, format);
  const parts = Object.fromEntries(format.formatToParts(at * 1000).map(({ type, value }) => [type, Number(value)]));
  const { year, month, day, hour, minute, second } = parts as Record<string, number>;
  return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) / 1000 - at;
}

export function isTimeZone(text: string): boolean {
  try {
    offsetS(epochSecond(0), text);
    return true;
  } catch {
    return false;
  }
}

/** Minutes that the clock shows since midnight, 0 to 1439. */
export const minuteOfDay = (at: EpochSecond, timeZone: string) =>
  Math.floor(((((at + offsetS(at, timeZone)) % DAY_S) + DAY_S) % DAY_S) / 60);

/**
 * The first instant after `after` at which the clock shows this minute of the day. A time that a change to summer time
 * leaves out is the instant of the change; of one that comes twice the first one after `after` is meant.
 */
export function nextAtMinute(after: EpochSecond, minute: number, timeZone: string): EpochSecond {
  const midnight = Math.floor((after + offsetS(after, timeZone)) / DAY_S) * DAY_S;
  const found: number[] = [];
  for (const day of [0, 1, 2]) {
    const wall = midnight + day * DAY_S + minute * 60;
    // The offsets around that time: one as a rule, two on the day of a change.
    const offsets = [-DAY_S, DAY_S].map((aside) => offsetS(epochSecond(wall + aside), timeZone));
    const shown = offsets
      .map((offset) => wall - offset)
      .filter((at) => at + offsetS(epochSecond(at), timeZone) === wall);
    if (shown.length > 0) found.push(...shown);
    else found.push(changeNear(wall - Math.max(...offsets), wall - Math.min(...offsets), timeZone));
  }
  return epochSecond(Math.min(...found.filter((at) => at > after)));
}

/** The instant between the two at which the offset changes. */
function changeNear(from: number, to: number, timeZone: string): number {
  const before = offsetS(epochSecond(from), timeZone);
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetS(epochSecond(middle), timeZone) === before) low = middle;
    else high = middle;
  }
  return high;
}
