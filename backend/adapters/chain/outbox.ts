/** The outbox in the database: rows in and out of the shapes of outboxRow.ts. No decision is taken here. */
import { type Kysely, sql } from "kysely";
import type { ChainCall, Lane } from "../../usecases/ports.ts";
import type { Attempt, Row } from "./outboxRow.ts";
import type { Hex } from "./rpc.ts";
import type { ChainTables } from "./tables.ts";

export type Db = Kysely<ChainTables>;

export type OutboxEntry = Row & {
  readonly id: number;
  readonly key: string;
  readonly stream: string | null;
  readonly contract: string;
  readonly call: string;
  readonly args: unknown;
  readonly data: Hex;
  /** Signed bytes of the attempts, by hash. */
  readonly raw: Readonly<Record<string, Hex>>;
};

/**
 * Appends calls in the caller's transaction. A key that is there already keeps its first call, whatever the second one
 * says. Answers how many were new.
 */
export async function enqueue(trx: Db, calls: readonly ChainCall[], dueAt: number | null = null): Promise<number> {
  if (calls.length === 0) return 0;
  const values = calls.map((one) => ({
    lane: one.lane,
    key: one.key,
    stream: one.stream,
    contract: one.contract,
    call: one.call,
    args: JSON.stringify(one.args),
    data: bytesOf(one.data),
    gas_limit: one.gasLimit,
    due_at: dueAt === null ? null : instant(dueAt),
  }));
  const results = await trx
    .insertInto("outbox")
    .values(values)
    .onConflict((conflict) => conflict.column("key").doNothing())
    .returning("id")
    .execute();
  return results.length;
}

/** Signed and mined rows of a lane with the attempts at their nonce, by nonce. */
export async function readInFlight(db: Db, lane: Lane): Promise<OutboxEntry[]> {
  const rows = await db
    .selectFrom("outbox")
    .innerJoin("attempt", (join) =>
      join.onRef("attempt.outbox_id", "=", "outbox.id").onRef("attempt.nonce", "=", "outbox.nonce"),
    )
    .selectAll("outbox")
    .select([
      "hash",
      "no",
      "kind",
      "raw",
      "attempt.gas_limit as attempt_gas",
      "max_fee",
      "tip",
      "signed_at",
      "last_sent",
    ])
    .where("lane", "=", lane)
    .where("state", "in", ["signed", "mined"])
    .orderBy("outbox.nonce")
    .orderBy("no")
    .execute();
  const entries = new Map<number, OutboxEntry>();
  for (const row of rows) {
    const id = Number(row.id);
    const attempt: Attempt = {
      hash: row.hash as Hex,
      no: row.no,
      kind: row.kind,
      gasLimit: Number(row.attempt_gas),
      maxFee: BigInt(row.max_fee),
      tip: BigInt(row.tip),
      signedAt: epoch(row.signed_at),
      sentAt: row.last_sent === null ? null : epoch(row.last_sent),
    };
    const known = entries.get(id) ?? entryOf(row);
    const raw = { ...known.raw, [attempt.hash]: hexOf(row.raw) };
    entries.set(id, { ...known, attempts: [...known.attempts, attempt], raw });
  }
  return [...entries.values()];
}

/**
 * The next rows to send, in the order in which they were enqueued: due, and not behind a waiting row of their stream.
 * `parkedToo` takes parked rows whether or not their pause is over.
 */
export async function readSendable(
  db: Db,
  lane: Lane,
  now: number,
  limit: number,
  parkedToo: boolean,
): Promise<OutboxEntry[]> {
  if (limit <= 0) return [];
  const at = instant(now);
  const rows = await db
    // The first waiting row of each stream, found once: thousands may stand behind it after the chain was away.
    .with("waiting", (cte) =>
      cte
        .selectFrom("outbox")
        .select((eb) => ["stream as held", eb.fn.min("id").as("first")])
        .where("lane", "=", lane)
        .where("stream", "is not", null)
        .where((eb) =>
          eb.or([eb("state", "=", "blocked"), eb.and([eb("state", "=", "queued"), eb("due_at", ">", at)])]),
        )
        .groupBy("stream"),
    )
    .selectFrom("outbox as o")
    .leftJoin("waiting", "waiting.held", "o.stream")
    .selectAll("o")
    .where("lane", "=", lane)
    .where((eb) =>
      eb.or([
        eb("state", "=", "queued"),
        eb.and([eb("state", "=", "blocked"), parkedToo ? eb("retry_at", "is not", null) : eb("retry_at", "<=", at)]),
        eb.and([eb("state", "=", "blocked"), eb("cancelled", "=", true)]),
      ]),
    )
    .where((eb) => eb.or([eb("due_at", "is", null), eb("due_at", "<=", at)]))
    .where((eb) => eb.or([eb("waiting.first", "is", null), eb("waiting.first", ">=", eb.ref("o.id"))]))
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map(entryOf);
}

type Stored = Awaited<ReturnType<typeof selectAll>>[number];
const selectAll = (db: Db) => db.selectFrom("outbox").selectAll().execute();

function entryOf(row: Stored): OutboxEntry {
  const mined = row.tx_hash !== null && row.block_hash !== null && row.block_no !== null;
  return {
    id: Number(row.id),
    key: row.key,
    stream: row.stream,
    contract: row.contract,
    call: row.call,
    args: row.args,
    data: hexOf(row.data),
    raw: {},
    state: row.state,
    nonce: row.nonce === null ? null : Number(row.nonce),
    attempts: [],
    inclusion: mined
      ? {
          hash: row.tx_hash as Hex,
          blockNumber: Number(row.block_no),
          blockHash: row.block_hash as Hex,
          succeeded: row.succeeded === true,
        }
      : null,
    cancelled: row.cancelled,
    gasLimit: row.gas_limit === null ? null : Number(row.gas_limit),
    tries: row.tries,
    retryAt: row.retry_at === null ? null : epoch(row.retry_at),
    error: row.error,
  };
}

/** Writes the changeable part of a row, provided that nobody changed its state since it was read. */
export async function save(trx: Db, before: OutboxEntry, after: OutboxEntry): Promise<void> {
  const { inclusion } = after;
  const result = await trx
    .updateTable("outbox")
    .set({
      state: after.state,
      nonce: after.nonce,
      tx_hash: inclusion?.hash ?? null,
      block_no: inclusion?.blockNumber ?? null,
      block_hash: inclusion?.blockHash ?? null,
      succeeded: inclusion?.succeeded ?? null,
      tries: after.tries,
      error: after.error,
      retry_at: after.retryAt === null ? null : instant(after.retryAt),
    })
    .where("id", "=", before.id)
    .where("state", "=", before.state)
    .executeTakeFirst();
  if (Number(result.numUpdatedRows) !== 1)
    throw new Error(`Another writer changed "${before.key}" at the same time. Run one writer per lane.`);
}

export async function addAttempts(
  trx: Db,
  list: readonly {
    readonly entry: OutboxEntry;
    readonly attempt: Attempt;
    readonly nonce: number;
    readonly raw: Hex;
  }[],
): Promise<void> {
  if (list.length === 0) return;
  await trx
    .insertInto("attempt")
    .values(
      list.map(({ entry, attempt, nonce, raw }) => ({
        hash: attempt.hash,
        outbox_id: entry.id,
        no: attempt.no,
        nonce,
        kind: attempt.kind,
        gas_limit: attempt.gasLimit,
        raw: bytesOf(raw),
        max_fee: attempt.maxFee.toString(),
        tip: attempt.tip.toString(),
        signed_at: instant(attempt.signedAt),
        last_sent: null,
      })),
    )
    .execute();
}

/** Attempt numbers go on over re-signings with a new nonce, so the highest is looked up. */
export async function highestAttempts(trx: Db, ids: readonly number[]): Promise<Map<number, number>> {
  if (ids.length === 0) return new Map();
  const rows = await trx
    .selectFrom("attempt")
    .select(["outbox_id", sql<number>`max(no)`.as("no")])
    .where("outbox_id", "in", [...ids])
    .groupBy("outbox_id")
    .execute();
  return new Map(rows.map((row) => [Number(row.outbox_id), Number(row.no)]));
}

export async function markSent(trx: Db, hashes: readonly Hex[], now: number): Promise<void> {
  if (hashes.length === 0) return;
  await trx
    .updateTable("attempt")
    .set({ last_sent: instant(now) })
    .where("hash", "in", [...hashes])
    .execute();
}

export type OpenRows = {
  readonly open: number;
  readonly parked: number;
  /** Epoch seconds at which the oldest open row was enqueued. */
  readonly oldestAt: number | null;
  readonly byLane: ReadonlyMap<string, Readonly<Record<string, number>>>;
};

/** Rows that are neither final nor given up, by lane and state. */
export async function readOpenRows(db: Db): Promise<OpenRows> {
  const rows = await db
    .selectFrom("outbox")
    .select(["lane", "state", sql<number>`count(*)`.as("n"), sql<Date>`min(created_at)`.as("oldest")])
    .where("state", "not in", ["final", "reverted"])
    .groupBy(["lane", "state"])
    .execute();
  const byLane = new Map<string, Record<string, number>>();
  for (const { lane, state, n } of rows) byLane.set(lane, { ...byLane.get(lane), [state]: Number(n) });
  return {
    open: rows.reduce((sum, { n }) => sum + Number(n), 0),
    parked: rows.reduce((sum, { state, n }) => sum + (state === "blocked" ? Number(n) : 0), 0),
    oldestAt: rows.length === 0 ? null : Math.min(...rows.map(({ oldest }) => epoch(oldest))),
    byLane,
  };
}

const bytesOf = (hex: Hex): Uint8Array => Buffer.from(hex.slice(2), "hex");
export const hexOf = (bytes: Uint8Array): Hex =>
  `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`;

export const instant = (at: number) => new Date(at * 1000);
export const epoch = (at: Date) => Math.floor(at.getTime() / 1000);
