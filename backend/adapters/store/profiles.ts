/** Charging profiles that were sent to stations, and what became of them. */
import type { Selectable } from "kysely";
import type { SentProfile } from "../../domain/profiles.ts";
import type { ProfileStore } from "../../usecases/ports.ts";
import { type Columns, insertMany, keepKnown } from "./insertMany.ts";
import type { Database, Db } from "./schema.ts";
import { fromDate, fromDateOrNull, fromPeriods, toDate, toPeriods } from "./values.ts";

export const profileStore = (db: Db): ProfileStore => ({
  async add(profiles) {
    await insertMany(db, "sent_profile", SENT_PROFILE, profiles, keepKnown);
  },
  async answer(id, state, at) {
    const changed = await db
      .updateTable("sent_profile")
      .set({ state, answered_at: toDate(at) })
      .where("id", "=", id)
      .executeTakeFirst();
    if (changed.numUpdatedRows === 0n)
      throw new Error(`Profile ${id} was never sent, so it has no answer. Check the id that the station returned.`);
  },
  async byId(id) {
    const row = await db.selectFrom("sent_profile").selectAll().where("id", "=", id).executeTakeFirst();
    return row ? toProfile(row) : null;
  },
  async ofSession(sessionId) {
    const rows = await db
      .selectFrom("sent_profile")
      .selectAll()
      .where("session_id", "=", sessionId)
      .orderBy("no")
      .execute();
    return rows.map(toProfile);
  },
  async applied(sessionId) {
    const row = await db
      .selectFrom("sent_profile")
      .select("periods")
      .where("session_id", "=", sessionId)
      .where("state", "=", "applied")
      .orderBy("answered_at", "desc")
      .orderBy("no", "desc")
      .limit(1)
      .executeTakeFirst();
    return row ? fromPeriods(row.periods) : null;
  },
});

const SENT_PROFILE: Columns<SentProfile> = {
  id: ["text", (sent) => sent.id],
  session_id: ["text", (sent) => sent.sessionId],
  evse_id: ["text", (sent) => sent.evseId],
  reason: ["text", (sent) => sent.reason],
  state: ["text", (sent) => sent.state],
  sent_at: ["instant", (sent) => sent.sentAt],
  answered_at: ["instant", (sent) => sent.answeredAt],
  periods: ["json", (sent) => toPeriods(sent.profile)],
};
const toProfile = (row: Selectable<Database["sent_profile"]>): SentProfile => ({
  id: row.id,
  sessionId: row.session_id,
  evseId: row.evse_id,
  reason: row.reason,
  state: row.state,
  sentAt: fromDate(row.sent_at),
  answeredAt: fromDateOrNull(row.answered_at),
  profile: fromPeriods(row.periods),
});
