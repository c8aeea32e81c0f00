/** Charging profiles that were sent to stations, and what became of them. */
import type { Selectable } from "kysely";
import type { ProfileState, SentProfile } from "../../domain/profiles.ts";
import type { EpochSecond } from "../../domain/units.ts";
import type { ProfileStore } from "../../usecases/ports.ts";
import { type Columns, insertMany, keepKnown } from "./insertMany.ts";
import type { Database, Db } from "./schema.ts";
import { fromDate, fromDateOrNull, fromPeriods, toDate, toPeriods } from "./values.ts";
import { type Waiting, waitingRows } from "./writeBehind.ts";

/** Most profiles are answered seconds after they were sent, so in a transaction both become one row written once. */
export function profileStore(db: Db, waiting: Waiting | null): ProfileStore {
  const rows = waiting && waitingRows<SentProfile>(waiting, (profiles) => writeAnswered(db, profiles));
  return {
    async add(profiles) {
      if (!rows) await insertMany(db, "sent_profile", SENT_PROFILE, profiles, keepKnown);
      else for (const sent of profiles) if (!rows.get(sent.id)) rows.set(sent.id, sent);
    },
    async answer(id, state, at) {
      const sent = rows?.get(id);
      if (sent) rows?.set(id, { ...sent, state, answeredAt: at });
      else if ((await writeAnswer(db, id, state, at)) === 0)
        throw new Error(`Profile ${id} was never sent, so it has no answer. Check the id that the station returned.`);
    },
    async byId(id) {
      await rows?.flush();
      const row = await db.selectFrom("sent_profile").selectAll().where("id", "=", id).executeTakeFirst();
      return row ? toProfile(row) : null;
    },
    async ofSession(sessionId) {
      await rows?.flush();
      const found = await db
        .selectFrom("sent_profile")
        .selectAll()
        .where("session_id", "=", sessionId)
        .orderBy("no")
        .execute();
      return found.map(toProfile);
    },
    async applied(sessionId) {
      await rows?.flush();
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
  };
}

async function writeAnswered(db: Db, profiles: readonly SentProfile[]): Promise<void> {
  if ((await insertMany(db, "sent_profile", SENT_PROFILE, profiles, keepKnown)) === profiles.length) return;
  // One of them was there before: it stays, but its answer counts.
  for (const { id, state, answeredAt } of profiles)
    if (answeredAt !== null) await writeAnswer(db, id, state, answeredAt);
}

async function writeAnswer(db: Db, id: string, state: ProfileState, at: EpochSecond): Promise<number> {
  const changed = await db
    .updateTable("sent_profile")
    .set({ state, answered_at: toDate(at) })
    .where("id", "=", id)
    .executeTakeFirst();
  return Number(changed.numUpdatedRows);
}

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
