/** The intervals of a stay: slots, cut at plug-in and plug-out. */
import { SLOT_S, type Slot, slotOf } from "../domain/slots.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";

/** Half-open: [from, to). */
export type Interval = { readonly from: EpochSecond; readonly to: EpochSecond };
export type SlotInterval = Interval & { readonly slot: Slot };

/** Slots that overlap [from, to), cut at its ends; none when it is empty. */
export const slotIntervals = (from: EpochSecond, to: EpochSecond): SlotInterval[] =>
  cut(from, to, SLOT_S).map((interval) => ({ ...interval, slot: slotOf(interval.from) }));

/** [from, to) cut at every multiple of `stepS` of UTC, for instance into minutes. */
export const evenIntervals = (from: EpochSecond, to: EpochSecond, stepS: number): Interval[] => cut(from, to, stepS);

function cut(from: number, to: number, stepS: number): Interval[] {
  const intervals: Interval[] = [];
  for (let at = from; at < to; ) {
    const end = Math.min(to, (Math.floor(at / stepS) + 1) * stepS);
    intervals.push({ from: epochSecond(at), to: epochSecond(end) });
    at = end;
  }
  return intervals;
}
