/** RFC 3339 in UTC, the form of instants on every wire. Reading the text needs no clock. */
import { type EpochSecond, epochSecond } from "./units.ts";

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Whole second of the instant, rounded down. Throws a RangeError that shows the text. */
export function parseInstant(text: string): EpochSecond {
  const ms = RFC3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new RangeError(`"${text}" is not an RFC 3339 instant such as 2026-03-01T10:00:00Z`);
  return epochSecond(Math.floor(ms / 1000));
}

export const formatInstant = (at: EpochSecond) => new Date(at * 1000).toISOString().replace(".000Z", "Z");
