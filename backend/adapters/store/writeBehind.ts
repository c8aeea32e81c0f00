/**
 * Write-behind inside one transaction: stations report one value at a time and plans change the same promises again and
 * again, the database likes few and large statements. What waits is written before the first read of its table and
 * before the commit, so nobody sees a difference, and a crash loses only what was never acknowledged.
 */
import { sql } from "kysely";
import type { Db } from "./schema.ts";

/** What waits in a transaction, to be written before its commit. */
export type Waiting = { add(flush: () => Promise<void>): void; flush(): Promise<void> };

export function createWaiting(): Waiting {
  const flushes: (() => Promise<void>)[] = [];
  return {
    add: (flush) => void flushes.push(flush),
    async flush() {
      for (const flush of flushes) await flush();
    },
  };
}

/* ---------------------------------------------------------------------------------------- rows that are replaced */

export type Rows<R> = {
  get(key: string): R | undefined;
  set(key: string, row: R): void;
  flush(): Promise<void>;
};

/** Rows by key, written together; a row that is set again replaces the one that waits. */
export function waitingRows<R>(waiting: Waiting, write: (rows: readonly R[]) => Promise<unknown>): Rows<R> {
  let rows = new Map<string, R>();
  const flush = async () => {
    if (rows.size === 0) return;
    const now = [...rows.values()];
    rows = new Map();
    await write(now);
  };
  waiting.add(flush);
  return { get: (key) => rows.get(key), set: (key, row) => void rows.set(key, row), flush };
}

/* --------------------------------------------------------------------------------------------------- readings */

export type Readings<R> = {
  /** Takes the readings and answers how many are new. */
  append(readings: readonly R[]): Promise<number>;
  flush(): Promise<void>;
};

/** A batch of this size is worth a statement of its own. */
const LARGE = 64;
const MOST_WAITING = 1000;

export type Series<R> = {
  readonly table: "meter_reading" | "site_reading";
  readonly key: "session_id" | "group_id";
  keyOf(reading: R): string;
  insert(db: Db, readings: readonly R[]): Promise<number>;
};

/** Readings of many meters. The count stays exact: whatever is later than a meter's latest is new without asking. */
export function waitingReadings<R extends { readonly at: number }>(
  trx: Db,
  waiting: Waiting,
  series: Series<R>,
): Readings<R> {
  let rows: R[] = [];
  /** Latest instant of each meter that this transaction has met. */
  const latest = new Map<string, number>();
  waiting.add(flush);
  return { append, flush };

  async function flush(): Promise<void> {
    const now = rows;
    rows = [];
    if (now.length > 0) await series.insert(trx, now);
  }

  async function append(readings: readonly R[]): Promise<number> {
    if (readings.length >= LARGE) return insertNow(readings);
    await learnLatest(readings);
    const later: R[] = [];
    const others: R[] = [];
    for (const reading of readings) {
      const key = series.keyOf(reading);
      const isLater = reading.at > (latest.get(key) ?? Number.NEGATIVE_INFINITY);
      (isLater ? later : others).push(reading);
      if (isLater) latest.set(key, reading.at);
    }
    rows.push(...later);
    if (rows.length >= MOST_WAITING) await flush();
    return later.length + (others.length > 0 ? await insertNow(others) : 0);
  }

  async function insertNow(readings: readonly R[]): Promise<number> {
    await flush();
    for (const reading of readings) {
      const known = latest.get(series.keyOf(reading));
      if (known !== undefined) latest.set(series.keyOf(reading), Math.max(known, reading.at));
    }
    return series.insert(trx, readings);
  }

  async function learnLatest(readings: readonly R[]): Promise<void> {
    const unmet = [...new Set(readings.map(series.keyOf))].filter((key) => !latest.has(key));
    if (unmet.length === 0) return;
    const { rows } = await sql<{ key: string; at: Date | null }>`
      select key, (select max(at) from ${sql.table(series.table)} where ${sql.ref(series.key)} = key) as at
      from unnest(${unmet}::text[]) as asked(key)`.execute(trx);
    for (const { key, at } of rows) latest.set(key, at === null ? Number.NEGATIVE_INFINITY : at.getTime() / 1000);
  }
}
