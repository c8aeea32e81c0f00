/** Promises: every version that was ever made, each in its latest state. */
import type { Selectable } from "kysely";
import { type EnergyPromise, isHolding, type PromiseState } from "../../domain/promises.ts";
import { type WattHour, wattHour } from "../../domain/units.ts";
import type { PromiseStore } from "../../usecases/ports.ts";
import type { Database, Db } from "./schema.ts";
import { fromDate, toDate } from "./values.ts";

export const promiseStore = (db: Db): PromiseStore => ({
  async put(promise) {
    const { session_id, version, ...rest } = promiseRow(promise);
    await db
      .insertInto("promise")
      .values({ session_id, version, ...rest })
      .onConflict((conflict) => conflict.columns(["session_id", "version"]).doUpdateSet(rest))
      .execute();
  },
  async ofSession(sessionId) {
    const versions = await readVersions(db, sessionId);
    // One that holds capacity, else the one that was judged, else the latest that came to nothing.
    const rank = ({ state }: EnergyPromise) => (isHolding(state) ? 2 : JUDGED.includes(state) ? 1 : 0);
    return versions.toSorted((a, b) => rank(b) - rank(a) || b.version - a.version)[0] ?? null;
  },
  history: (sessionId) => readVersions(db, sessionId),
  async holding(groupId) {
    const rows = await db
      .selectFrom("promise")
      .innerJoin("charging_session as session", "session.id", "promise.session_id")
      .selectAll("promise")
      .where("session.group_id", "=", groupId)
      .where("session.unplugged_at", "is", null)
      .where("promise.state", "in", HOLDING)
      .orderBy("session.number")
      .orderBy("promise.version")
      .execute();
    return rows.map(toPromise);
  },
  async all() {
    const rows = await db.selectFrom("promise").selectAll().orderBy("session_id").orderBy("version").execute();
    return rows.map(toPromise);
  },
});

const JUDGED: readonly PromiseState[] = ["kept", "late", "short"];
const HOLDING = (["offered", "accepted", "on-track", "at-risk"] as const).filter(isHolding);

async function readVersions(db: Db, sessionId: string): Promise<readonly EnergyPromise[]> {
  const rows = await db
    .selectFrom("promise")
    .selectAll()
    .where("session_id", "=", sessionId)
    .orderBy("version")
    .execute();
  return rows.map(toPromise);
}

const promiseRow = (promise: EnergyPromise): Database["promise"] => ({
  session_id: promise.sessionId,
  version: promise.version,
  energy_wh: promise.energyWh,
  by_at: toDate(promise.by),
  from_register_wh: promise.fromRegisterWh,
  state: promise.state,
  offered_at: toDate(promise.offeredAt),
  expires_at: toDate(promise.expiresAt),
  changed_at: toDate(promise.changedAt),
  slack_wh: promise.slackWh,
  good_runs: promise.goodRuns,
  missing_wh: promise.missingWh,
  missing_at_unplug_wh: promise.missingAtUnplugWh,
});
const toPromise = (row: Selectable<Database["promise"]>): EnergyPromise => ({
  sessionId: row.session_id,
  version: row.version,
  energyWh: wattHour(row.energy_wh),
  by: fromDate(row.by_at),
  fromRegisterWh: wattHour(row.from_register_wh),
  state: row.state,
  offeredAt: fromDate(row.offered_at),
  expiresAt: fromDate(row.expires_at),
  changedAt: fromDate(row.changed_at),
  slackWh: row.slack_wh,
  goodRuns: row.good_runs,
  missingWh: whOrNull(row.missing_wh),
  missingAtUnplugWh: whOrNull(row.missing_at_unplug_wh),
});
const whOrNull = (wh: number | null): WattHour | null => (wh === null ? null : wattHour(wh));
