/** The chain's outbox as the use cases see it; its rows belong to the chain writer (adapters/chain). */
import { sql } from "kysely";
import type { OutboxStore } from "../../usecases/ports.ts";
import { enqueue } from "../chain/outbox.ts";
import type { ChainTables } from "../chain/tables.ts";
import type { Db } from "./schema.ts";
import { fromDateOrNull } from "./values.ts";

export const outboxStore = (db: Db): OutboxStore => ({
  async enqueue(call) {
    await enqueue(db.$pickTables<keyof ChainTables>(), [call]);
  },
  async cancel(key) {
    const given = db.updateTable("outbox").set({ cancelled: true }).where("key", "=", key);
    await given.where("state", "not in", ["final", "reverted"]).execute();
  },
  async waiting(prefix) {
    const rows = await db
      .selectFrom("outbox")
      .select(["key", "args", "state", "error"])
      .where(sql<boolean>`starts_with(key, ${prefix})`)
      .where("state", "not in", ["final", "reverted"])
      .where("cancelled", "=", false)
      .orderBy("id")
      .execute();
    return rows.map(({ key, args, state, error }) => ({
      ...{ key, args },
      refusedBecause: state === "blocked" ? (error ?? "the chain refuses it") : null,
    }));
  },
  async open() {
    const row = await db
      .selectFrom("outbox")
      .select((eb) => [eb.fn.countAll<number>().as("count"), eb.fn.min("created_at").as("oldest_at")])
      .where("state", "not in", ["final", "reverted"])
      .executeTakeFirstOrThrow();
    return { count: row.count, oldestAt: fromDateOrNull(wholeSecond(row.oldest_at)) };
  },
});

const wholeSecond = (at: Date | null) => (at === null ? null : new Date(Math.floor(at.getTime() / 1000) * 1000));
