/**
 * Write-behind for meter readings inside one transaction: a station reports one value at a time, the database likes
 * hundreds. Nothing outlives the transaction, so a crash loses only what was never acknowledged.
 */
import { sql } from "kysely";
import type { MeterReading } from "../../domain/meters.ts";
import type { Db } from "./schema.ts";

export type PendingReadings = {
  /** Takes the readings and answers how many are new. */
  append(readings: readonly MeterReading[]): Promise<number>;
  /** Writes what is still waiting. Before a read, and before the commit. */
  flush(): Promise<void>;
};

/** A batch of this size is worth a statement of its own. */
const LARGE = 64;
const MOST_WAITING = 1000;

type Insert = (db: Db, readings: readonly MeterReading[]) => Promise<number>;

export function pendingReadings(trx: Db, insert: Insert): PendingReadings {
  let waiting: MeterReading[] = [];
  /** Latest instant of each session that this transaction has met: whatever is later is new without asking again. */
  const latest = new Map<string, number>();

  async function flush(): Promise<void> {
    const readings = waiting;
    waiting = [];
    if (readings.length > 0) await insert(trx, readings);
  }

  async function append(readings: readonly MeterReading[]): Promise<number> {
    if (readings.length >= LARGE) return insertNow(readings);
    await learnLatest(trx, latest, readings);
    const later: MeterReading[] = [];
    const others: MeterReading[] = [];
    for (const reading of readings) {
      const isLater = reading.at > (latest.get(reading.sessionId) ?? Number.NEGATIVE_INFINITY);
      (isLater ? later : others).push(reading);
      if (isLater) latest.set(reading.sessionId, reading.at);
    }
    waiting.push(...later);
    if (waiting.length >= MOST_WAITING) await flush();
    return later.length + (others.length > 0 ? await insertNow(others) : 0);
  }

  async function insertNow(readings: readonly MeterReading[]): Promise<number> {
    await flush();
    for (const { sessionId, at } of readings)
      if (latest.has(sessionId)) latest.set(sessionId, Math.max(at, latest.get(sessionId)!));
    return insert(trx, readings);
  }

  return { append, flush };
}

async function learnLatest(trx: Db, latest: Map<string, number>, readings: readonly MeterReading[]): Promise<void> {
  const unmet = [...new Set(readings.map((reading) => reading.sessionId))].filter((id) => !latest.has(id));
  if (unmet.length === 0) return;
  const { rows } = await sql<{ session_id: string; at: Date | null }>`
    select id as session_id, (select max(at) from meter_reading where session_id = id) as at
    from unnest(${unmet}::text[]) as asked(id)`.execute(trx);
  for (const { session_id, at } of rows)
    latest.set(session_id, at === null ? Number.NEGATIVE_INFINITY : at.getTime() / 1000);
}
