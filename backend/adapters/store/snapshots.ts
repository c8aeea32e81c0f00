/** The live board and the pending jobs as JSON, one row per name, overwritten with each step. */
import type { SnapshotStore } from "../../usecases/ports.ts";
import type { Db } from "./schema.ts";
import { fromDate, toDate } from "./values.ts";

export const snapshotStore = (db: Db): SnapshotStore => ({
  async save(name, at, state) {
    const values = { at: toDate(at), state: JSON.stringify(state) };
    await db
      .insertInto("snapshot")
      .values({ name, ...values })
      .onConflict((conflict) => conflict.column("name").doUpdateSet(values))
      .execute();
  },
  async load(name) {
    const row = await db.selectFrom("snapshot").selectAll().where("name", "=", name).executeTakeFirst();
    return row ? { at: fromDate(row.at), state: JSON.parse(row.state) } : null;
  },
});
