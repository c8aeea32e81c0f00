/** Promises: every version that was ever made, each in its latest state. */
import type { Selectable } from "kysely";
import { type EnergyPromise, isHolding, type PromiseState } from "../../domain/promises.ts";
import { type WattHour, wattHour } from "../../domain/units.ts";
import type { PromiseStore } from "../../usecases/ports.ts";
import { type Columns, insertMany, replacing } from "./insertMany.ts";
import type { Database, Db } from "./schema.ts";
import { amongSessions, fromDate } from "./values.ts";
import { type Waiting, waitingRows } from "./writeBehind.ts";

/** Every run assesses every promise: inside a transaction only the last state of a version is written. */
export function promiseStore(db: Db, waiting: Waiting | null): PromiseStore {
  const rows = waiting && waitingRows<EnergyPromise>(waiting, (promises) => write(db, promises));
  return {
    async put(promise) {
      if (rows) rows.set(`${promise.sessionId} ${promise.version}`, promise);
      else await write(db, [promise]);
    },
    async ofSession(sessionId) {
      await rows?.flush();
      return inForce(await readVersions(db, [sessionId]));
    },
    async ofSessions(sessionIds) {
      await rows?.flush();
      const versions = Map.groupBy(await readVersions(db, sessionIds), (promise) => promise.sessionId);
      return new Map([...versions].map(([sessionId, all]) => [sessionId, inForce(all) as EnergyPromise]));
    },
    async history(sessionId) {
      await rows?.flush();
      return readVersions(db, [sessionId]);
    },
    async holding(groupId) {
      await rows?.flush();
      const found = await db
        .selectFrom("promise")
        .innerJoin("charging_session as session", "session.id", "promise.session_id")
        .selectAll("promise")
        .where("session.group_id", "=", groupId)
        .where("session.unplugged_at", "is", null)
        .where("promise.state", "in", HOLDING)
        .orderBy("session.number")
        .orderBy("promise.version")
        .execute();
      return found.map(toPromise);
    },
    async all() {
      await rows?.flush();
      const found = await db.selectFrom("promise").selectAll().orderBy("session_id").orderBy("version").execute();
      return found.map(toPromise);
    },
  };
}

const JUDGED: readonly PromiseState[] = ["kept", "late", "short"];
const HOLDING = (["offered", "accepted", "on-track", "at-risk"] as const).filter(isHolding);

/** One that holds capacity, else the one that was judged, else the latest that came to nothing. */
function inForce(versions: readonly EnergyPromise[]): EnergyPromise | null {
  const rank = ({ state }: EnergyPromise) => (isHolding(state) ? 2 : JUDGED.includes(state) ? 1 : 0);
  return versions.toSorted((a, b) => rank(b) - rank(a) || b.version - a.version)[0] ?? null;
}

async function readVersions(db: Db, sessionIds: readonly string[]): Promise<readonly EnergyPromise[]> {
  const rows = await db.selectFrom("promise").selectAll().where(amongSessions(sessionIds)).orderBy("version").execute();
  return rows.map(toPromise);
}

const write = (db: Db, promises: readonly EnergyPromise[]) =>
  insertMany(db, "promise", PROMISE, promises, replacing(["session_id", "version"], PROMISE));

const PROMISE: Columns<EnergyPromise> = {
  session_id: ["text", (promise) => promise.sessionId],
  version: ["int", (promise) => promise.version],
  energy_wh: ["bigint", (promise) => promise.energyWh],
  by_at: ["instant", (promise) => promise.by],
  from_register_wh: ["bigint", (promise) => promise.fromRegisterWh],
  state: ["text", (promise) => promise.state],
  offered_at: ["instant", (promise) => promise.offeredAt],
  expires_at: ["instant", (promise) => promise.expiresAt],
  changed_at: ["instant", (promise) => promise.changedAt],
  slack_wh: ["bigint", (promise) => promise.slackWh],
  good_runs: ["int", (promise) => promise.goodRuns],
  missing_wh: ["bigint", (promise) => promise.missingWh],
  missing_at_unplug_wh: ["bigint", (promise) => promise.missingAtUnplugWh],
  first_part: ["json", (promise) => (promise.first ? JSON.stringify(promise.first) : null)],
};
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
  ...(row.first_part && { first: row.first_part }),
});
const whOrNull = (wh: number | null): WattHour | null => (wh === null ? null : wattHour(wh));
