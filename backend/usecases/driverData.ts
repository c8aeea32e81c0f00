/**
 * Everything that is remembered of a driver, for the driver to read. Only what speaks of other drivers too stays out: plans
 * and the problems of refusals hold everybody's needs, and a driver's part of them stands in profiles, wishes and receipts.
 */
import type { ChargingSession } from "../domain/sessions.ts";
import { EVERY } from "./payouts.ts";
import type { Store, World } from "./ports.ts";

/** Name and version of the format. */
export const DATA_FORMAT = "oli-move/my-data/1";

export async function driverData({ store, clock }: Pick<World, "store" | "clock">, driverId: string) {
  const driver = await store.drivers.byId(driverId);
  if (!driver) throw new Error(`There is no driver ${driverId}. Register the driver first.`);
  const sessions = [];
  for (const session of await store.sessions.ofDriver(driverId, EVERY)) sessions.push(await stayOf(store, session));
  return {
    format: DATA_FORMAT,
    madeAt: clock.now(),
    driver,
    preferences: await store.drivers.preferences(driverId),
    sessions,
  };
}

async function stayOf(store: Store, session: ChargingSession) {
  const { id } = session;
  return {
    session,
    wishes: await store.sessions.wishes(id),
    admission: await store.sessions.admission(id),
    promises: await store.promises.history(id),
    refusals: (await store.priorities.refusals(id)).map(({ problem: _, x: _x, y: _y, w: _w, ...said }) => said),
    boosts: await store.priorities.boosts(id),
    grants: await store.priorities.grants(id),
    profiles: await store.profiles.ofSession(id),
    readings: await store.meters.ofSession(id),
    bill: await store.bills.ofSession(id),
    dispute: await store.disputes.ofSession(id),
  };
}
