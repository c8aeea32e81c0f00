/** Stays of a group with what they came to. Whatever many stays share is read once for all of them. */
import type { EnergyPromise } from "../domain/promises.ts";
import type { ChargingSession } from "../domain/sessions.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import { type StayFigures, stayFigures } from "./billFigures.ts";
import type { Settlement, World } from "./ports.ts";

export type Stay = {
  readonly session: ChargingSession;
  readonly promise: EnergyPromise | null;
  /** Null while it lasts. */
  readonly billed: { readonly bill: Settlement; readonly figures: StayFigures } | null;
};

/** Those that overlap [from, until), by number of the session. */
export async function stays(
  world: Pick<World, "store" | "settings" | "clock">,
  groupId: string,
  from: EpochSecond,
  until: EpochSecond,
  evseId?: string,
): Promise<readonly Stay[]> {
  const { store, clock } = world;
  const sessions = (await store.sessions.overlapping(groupId, from, until)).filter(
    (one) => evseId === undefined || one.evseId === evseId,
  );
  const ids = sessions.map(({ id }) => id);
  const promises = await store.promises.ofSessions(ids);
  const bills = await store.bills.ofSessions(ids);
  const first = epochSecond(sessions.reduce<number>((least, { pluggedAt }) => Math.min(least, pluggedAt), from));
  const last = epochSecond(sessions.reduce<number>((most, one) => Math.max(most, one.unpluggedAt ?? 0), until));
  const figuresOf = await stayFigures(world, groupId, first, epochSecond(Math.min(last, clock.now())));
  return sessions.map((session) => {
    const bill = bills.get(session.id);
    return {
      session,
      promise: promises.get(session.id) ?? null,
      billed: bill ? { bill, figures: figuresOf(bill) } : null,
    };
  });
}
