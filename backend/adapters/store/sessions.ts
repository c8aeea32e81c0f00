/** Charging sessions, what their drivers said, and what admission answered. */
import type { Insertable, Selectable } from "kysely";
import type { Admission, ChargingPreferences, ChargingSession } from "../../domain/sessions.ts";
import { watt, wattHour } from "../../domain/units.ts";
import type { SessionStore } from "../../usecases/ports.ts";
import { EvseOccupiedError, SessionExistsError } from "./errors.ts";
import { inTransaction, nextNumber, returnNumber } from "./numbers.ts";
import type { Database, Db } from "./schema.ts";
import { fromDate, fromDateOrNull, toDate, toDateOrNull } from "./values.ts";

export const sessionStore = (db: Db): SessionStore => ({
  start: (session) => inTransaction(db, (trx) => start(trx, session)),
  async setMode(id, mode) {
    const changed = await db.updateTable("charging_session").set({ mode }).where("id", "=", id).executeTakeFirst();
    if (changed.numUpdatedRows === 0n) throw unknown(id);
  },
  async close(id, unpluggedAt, endRegisterWh) {
    const changed = await db
      .updateTable("charging_session")
      .set({ unplugged_at: toDate(unpluggedAt), end_register_wh: endRegisterWh })
      .where("id", "=", id)
      .where("unplugged_at", "is", null)
      .executeTakeFirst();
    if (changed.numUpdatedRows === 0n)
      throw new Error(`Session ${id} is not open, so it cannot be closed. Read it first: a stop may have come twice.`);
  },

  byId: (id) => readSession(db, id),
  async byNumber(number) {
    const row = await db.selectFrom("charging_session").selectAll().where("number", "=", number).executeTakeFirst();
    return row ? toSession(row) : null;
  },
  openAt: (evseId) => readOpen(db, evseId),
  async openIn(groupId) {
    const rows = await db
      .selectFrom("charging_session")
      .selectAll()
      .where("group_id", "=", groupId)
      .where("unplugged_at", "is", null)
      .orderBy("number")
      .execute();
    return rows.map(toSession);
  },
  async ofDriver(driverId, limit) {
    const rows = await db
      .selectFrom("charging_session")
      .selectAll()
      .where("driver_id", "=", driverId)
      .orderBy("plugged_at", "desc")
      .orderBy("number", "desc")
      .limit(limit)
      .execute();
    return rows.map(toSession);
  },
  async overlapping(groupId, from, to) {
    const rows = await db
      .selectFrom("charging_session")
      .selectAll()
      .where("group_id", "=", groupId)
      .where("plugged_at", "<", toDate(to))
      .where((eb) => eb.or([eb("unplugged_at", "is", null), eb("unplugged_at", ">", toDate(from))]))
      .orderBy("number")
      .execute();
    return rows.map(toSession);
  },
  async all() {
    const rows = await db.selectFrom("charging_session").selectAll().orderBy("number").execute();
    return rows.map(toSession);
  },

  async setPreferences(sessionId, at, preferences) {
    const { energyNeedWh, departsAt, notBefore, first, battery } = preferences;
    await db
      .insertInto("session_preferences")
      .values({
        session_id: sessionId,
        at: toDate(at),
        energy_need_wh: energyNeedWh,
        departs_at: toDate(departsAt),
        not_before: toDateOrNull(notBefore ?? null),
        first_wh: first?.wh ?? null,
        first_by: toDateOrNull(first?.by ?? null),
        battery_wh: battery?.wh ?? null,
        battery_percent: battery?.percent ?? null,
        battery_register_wh: battery?.registerWh ?? null,
      })
      .execute();
  },
  async preferences(sessionId): Promise<ChargingPreferences | null> {
    const row = await db
      .selectFrom("session_preferences")
      .selectAll()
      .where("session_id", "=", sessionId)
      .orderBy("no", "desc")
      .limit(1)
      .executeTakeFirst();
    return row ? toPreferences(row) : null;
  },
  async wishes(sessionId) {
    const rows = await db
      .selectFrom("session_preferences")
      .selectAll()
      .where("session_id", "=", sessionId)
      .orderBy("no")
      .execute();
    return rows.map((row) => ({ at: fromDate(row.at), ...toPreferences(row) }));
  },

  async addAdmission(admission) {
    await db.insertInto("admission").values(admissionRow(admission)).execute();
  },
  async admission(sessionId) {
    const row = await db
      .selectFrom("admission")
      .selectAll()
      .where("session_id", "=", sessionId)
      .orderBy("no", "desc")
      .limit(1)
      .executeTakeFirst();
    return row ? toAdmission(row) : null;
  },
});

type NewSession = Parameters<SessionStore["start"]>[0];

/**
 * Takes the EVSE and the next number. Starting sessions wait for each other at the counter, so that the second one at
 * an EVSE sees the first; the partial unique index holds even if a caller comes by another way.
 */
async function start(trx: Db, session: NewSession): Promise<ChargingSession> {
  const number = await nextNumber(trx, "session");
  const started: ChargingSession = { ...session, number, unpluggedAt: null, endRegisterWh: null };
  const inserted = await trx
    .insertInto("charging_session")
    .values(sessionRow(started))
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows === 1n) return started;
  await returnNumber(trx, "session");
  if (await readSession(trx, session.id)) throw new SessionExistsError(session.id);
  const occupant = await readOpen(trx, session.evseId);
  throw new EvseOccupiedError(session.evseId, occupant?.id ?? "unknown", session.id);
}

async function readSession(db: Db, id: string): Promise<ChargingSession | null> {
  const row = await db.selectFrom("charging_session").selectAll().where("id", "=", id).executeTakeFirst();
  return row ? toSession(row) : null;
}
async function readOpen(db: Db, evseId: string): Promise<ChargingSession | null> {
  const row = await db
    .selectFrom("charging_session")
    .selectAll()
    .where("evse_id", "=", evseId)
    .where("unplugged_at", "is", null)
    .executeTakeFirst();
  return row ? toSession(row) : null;
}

const unknown = (id: string) => new Error(`Session ${id} is not known. Start it first.`);

const sessionRow = (session: ChargingSession): Insertable<Database["charging_session"]> => ({
  id: session.id,
  number: session.number,
  cpo_id: session.cpoId,
  group_id: session.groupId,
  evse_id: session.evseId,
  driver_id: session.driverId,
  tariff_id: session.tariffId,
  mode: session.mode,
  plugged_at: toDate(session.pluggedAt),
  unplugged_at: null,
  max_power_w: session.maxPowerW,
  phases: session.phases,
  start_register_wh: session.startRegisterWh,
  end_register_wh: null,
  cannot_pause: session.cannotPause ?? false,
});
const toSession = (row: Selectable<Database["charging_session"]>): ChargingSession => ({
  id: row.id,
  number: row.number,
  cpoId: row.cpo_id,
  groupId: row.group_id,
  evseId: row.evse_id,
  driverId: row.driver_id,
  tariffId: row.tariff_id,
  mode: row.mode,
  pluggedAt: fromDate(row.plugged_at),
  unpluggedAt: fromDateOrNull(row.unplugged_at),
  maxPowerW: watt(row.max_power_w),
  phases: row.phases as ChargingSession["phases"],
  startRegisterWh: wattHour(row.start_register_wh),
  endRegisterWh: row.end_register_wh === null ? null : wattHour(row.end_register_wh),
  ...(row.cannot_pause && { cannotPause: true }),
});

function toPreferences(row: Selectable<Database["session_preferences"]>): ChargingPreferences {
  const { first_wh: wh, first_by: by, not_before: notBefore } = row;
  const { battery_wh: batteryWh, battery_percent: percent, battery_register_wh: registerWh } = row;
  return {
    energyNeedWh: wattHour(row.energy_need_wh),
    departsAt: fromDate(row.departs_at),
    ...(notBefore && { notBefore: fromDate(notBefore) }),
    ...(wh !== null && by !== null && { first: { wh: wattHour(wh), by: fromDate(by) } }),
    ...(batteryWh !== null &&
      percent !== null &&
      registerWh !== null && { battery: { wh: wattHour(batteryWh), percent, registerWh: wattHour(registerWh) } }),
  };
}

const admissionRow = (admission: Admission): Insertable<Database["admission"]> => ({
  session_id: admission.sessionId,
  at: toDate(admission.at),
  kind: admission.kind,
  wished_wh: admission.wishedWh,
  wished_by: toDate(admission.wishedBy),
  offered_wh: admission.offeredWh,
  shortfall_wh: admission.shortfallWh,
  later_at: toDateOrNull(admission.laterAt ?? null),
});
const toAdmission = (row: Selectable<Database["admission"]>): Admission => ({
  sessionId: row.session_id,
  at: fromDate(row.at),
  kind: row.kind,
  wishedWh: wattHour(row.wished_wh),
  wishedBy: fromDate(row.wished_by),
  offeredWh: wattHour(row.offered_wh),
  shortfallWh: wattHour(row.shortfall_wh),
  ...(row.later_at && { laterAt: fromDate(row.later_at) }),
});
