/**
 * Numbers that are given once and without gaps. They come from a table and not from a sequence: a sequence keeps what a
 * rolled-back transaction took, and the names on chain must be the same in every replay.
 */
import { sql } from "kysely";
import type { Db } from "./schema.ts";

/** The next number of the counter. Whoever asks for the same counter waits until this transaction ends. */
export async function nextNumber(trx: Db, counter: string, first = 1): Promise<number> {
  const { value } = await trx
    .insertInto("counter")
    .values({ name: counter, value: first })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: sql`counter.value + 1` }))
    .returning("value")
    .executeTakeFirstOrThrow();
  return value;
}

/** Gives back the number just taken in the same transaction. */
export async function returnNumber(trx: Db, counter: string): Promise<void> {
  await trx.updateTable("counter").set({ value: sql`value - 1` }).where("name", "=", counter).execute();
}

/** Runs the work in one transaction, the open one if there is one. */
export const inTransaction = <T>(db: Db, work: (trx: Db) => Promise<T>): Promise<T> =>
  db.isTransaction ? work(db) : db.transaction().execute(work);
