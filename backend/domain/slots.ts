/** The 15-minute grid: a slot is 900 s of UTC, so a local day has 92, 96 or 100 of them. */
import { type EpochSecond, epochSecond } from "./units.ts";

export const SLOT_S = 900;
export const SLOTS_PER_DAY = 96;

/** Number of a slot: `floor(epoch / 900)`, a u32 on chain. */
export type Slot = number & { readonly slot: unique symbol };

export const slotOf = (at: EpochSecond) => Math.floor(at / SLOT_S) as Slot;
export const slotStart = (slot: number) => epochSecond(slot * SLOT_S);
export const slotFloor = (at: EpochSecond) => slotStart(slotOf(at));
/** Start of the first slot at or after the instant. */
export const slotCeil = (at: EpochSecond) => epochSecond(Math.ceil(at / SLOT_S) * SLOT_S);
