/** Boosts, power granted outside of plans, refusals with their proofs, and the strategies of EVSEs; nothing is overwritten. */
import type { Selectable } from "kysely";
import type { Boost } from "../../domain/sessions.ts";
import { watt, wattHour } from "../../domain/units.ts";
import type { PriorityStore } from "../../usecases/ports.ts";
import type { Database, Db } from "./schema.ts";
import { fromDate, fromDateOrNull, fromHex, toDate, toDateOrNull, toHex } from "./values.ts";

export const priorityStore = (db: Db): PriorityStore => ({
  async addBoost(boost) {
    await db
      .insertInto("boost")
      .values({
        id: boost.id,
        session_id: boost.sessionId,
        asked_by: boost.askedBy,
        asked_at: toDate(boost.askedAt),
        until_at: toDate(boost.until),
        energy_wh: boost.energyWh,
        from_register_wh: boost.fromRegisterWh,
        ended_at: toDateOrNull(boost.endedAt),
        ended: boost.ended,
      })
      .execute();
  },
  async endBoost(id, at, ended) {
    await db
      .updateTable("boost")
      .set({ ended_at: toDate(at), ended })
      .where("id", "=", id)
      .where("ended_at", "is", null)
      .execute();
  },
  async boosts(sessionId) {
    const rows = await db.selectFrom("boost").selectAll().where("session_id", "=", sessionId).orderBy("no").execute();
    return rows.map(toBoost);
  },
  async boostsIn(groupId, limit) {
    const rows = await db
      .selectFrom("boost")
      .innerJoin("charging_session as session", "session.id", "boost.session_id")
      .selectAll("boost")
      .where("session.group_id", "=", groupId)
      .orderBy("boost.no", "desc")
      .limit(limit)
      .execute();
    return rows.map(toBoost);
  },

  async addGrant(grant) {
    await db
      .insertInto("power_grant")
      .values({
        session_id: grant.sessionId,
        at: toDate(grant.at),
        kind: grant.kind,
        limit_w: grant.limitW,
        from_at: toDate(grant.from),
        until_at: toDateOrNull(grant.until),
      })
      .execute();
  },
  async grants(sessionId) {
    const rows = await db
      .selectFrom("power_grant")
      .selectAll()
      .where("session_id", "=", sessionId)
      .orderBy("no")
      .execute();
    return rows.map((row) => ({
      sessionId: row.session_id,
      at: fromDate(row.at),
      kind: row.kind,
      limitW: watt(row.limit_w),
      from: fromDate(row.from_at),
      until: fromDateOrNull(row.until_at),
    }));
  },

  async addRefusal(refusal) {
    await db
      .insertInto("refusal")
      .values({
        session_id: refusal.sessionId,
        at: toDate(refusal.at),
        wished_wh: refusal.wishedWh,
        wished_by: toDate(refusal.wishedBy),
        shortfall_wh: refusal.shortfallWh,
        problem: fromHex(refusal.problem),
        x: fromHex(refusal.x),
        y: fromHex(refusal.y),
        w: fromHex(refusal.w),
      })
      .execute();
  },
  async refusals(sessionId) {
    const rows = await db.selectFrom("refusal").selectAll().where("session_id", "=", sessionId).orderBy("no").execute();
    return rows.map((row) => ({
      sessionId: row.session_id,
      at: fromDate(row.at),
      wishedWh: wattHour(row.wished_wh),
      wishedBy: fromDate(row.wished_by),
      shortfallWh: wattHour(row.shortfall_wh),
      problem: toHex(row.problem),
      x: toHex(row.x),
      y: toHex(row.y),
      w: toHex(row.w),
    }));
  },

  async setStrategies({ evseId, at, windows }) {
    await db
      .insertInto("evse_strategies")
      .values({ evse_id: evseId, at: toDate(at), windows: JSON.stringify(windows) })
      .execute();
  },
  async strategies(evseId, at) {
    const row = await db
      .selectFrom("evse_strategies")
      .selectAll()
      .where("evse_id", "=", evseId)
      .where("at", "<=", toDate(at))
      .orderBy("no", "desc")
      .limit(1)
      .executeTakeFirst();
    return row ? { evseId: row.evse_id, at: fromDate(row.at), windows: row.windows } : null;
  },
});

const toBoost = (row: Selectable<Database["boost"]>): Boost => ({
  id: row.id,
  sessionId: row.session_id,
  askedBy: row.asked_by,
  askedAt: fromDate(row.asked_at),
  until: fromDate(row.until_at),
  energyWh: row.energy_wh === null ? null : wattHour(row.energy_wh),
  fromRegisterWh: wattHour(row.from_register_wh),
  endedAt: fromDateOrNull(row.ended_at),
  ended: row.ended,
});
