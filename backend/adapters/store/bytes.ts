/** The index of committed bytes by hash; the bytes themselves stay in plans and settlements. */
import { sql } from "kysely";
import type { ByteStore, IndexedBytes } from "../../usecases/ports.ts";
import { type Columns, insertMany, keepKnown } from "./insertMany.ts";
import type { Db } from "./schema.ts";

export const byteStore = (db: Db): ByteStore => ({
  async find(hash) {
    const row = await db.selectFrom("byte_index").selectAll().where("hash", "=", hash).limit(1).executeTakeFirst();
    return row ? { hash, part: row.part, of: row.of_id } : null;
  },
  async add(indexed) {
    await insertMany(db, "byte_index", BYTES, indexed, keepKnown);
  },
  async newPlans(limit) {
    const rows = await db
      .selectFrom("plan")
      .leftJoin("byte_index", (join) => join.onRef("of_id", "=", "plan.id").on("part", "=", "problem"))
      .select("plan.id")
      .where("of_id", "is", null)
      .orderBy("plan.no")
      .limit(limit)
      .execute();
    return rows.map(({ id }) => id);
  },
  async newReceipts(limit) {
    const rows = await db
      .selectFrom("settlement")
      .leftJoin("byte_index", (join) => join.onRef("of_id", "=", "session_id").on("part", "=", "detail"))
      .select("session_id")
      .where("of_id", "is", null)
      .orderBy("session_number")
      .limit(limit)
      .execute();
    return rows.map((row) => row.session_id);
  },
  async newSlots(limit) {
    const { rows } = await sql<{ cpo_id: string; slot: number }>`
      select distinct g.cpo_id, r.slot from recorded_slot r join charging_group g on g.id = r.group_id
        left join byte_index b on b.of_id = r.slot || ':' || g.cpo_id and b.part = 'run'
      where r.run is not null and r.record_key is not null and b.of_id is null
      order by r.slot limit ${limit}`.execute(db);
    return rows.map(({ cpo_id, slot }) => ({ cpoId: cpo_id, slot }));
  },
});

const BYTES: Columns<IndexedBytes> = {
  hash: ["text", ({ hash }) => hash],
  part: ["text", ({ part }) => part],
  of_id: ["text", (one) => one.of],
};
