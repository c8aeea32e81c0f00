/**
 * The tables of the chain side: lanes (one key each), the outbox of calls, every signed attempt to send one, and the
 * drivers' sealed keys.
 */
import { type Generated, type Kysely, sql } from "kysely";

/** int8 comes back as a number from PGlite and as text from pg; `Number()` it at the border. */
type BigInteger = number | string;
type Numeric = string;

export type LaneTable = {
  name: string;
  address: string;
  chain_id: number;
  next_nonce: BigInteger;
  state: Generated<"open" | "blocked">;
  /** Why the lane is blocked, for a human. */
  reason: string | null;
};

export type OutboxTable = {
  id: Generated<BigInteger>;
  lane: string;
  /** Natural and unique: the same business fact is enqueued once, however often it is tried. */
  key: string;
  stream: string | null;
  contract: string;
  call: string;
  args: unknown;
  data: Uint8Array;
  gas_limit: BigInteger | null;
  state: Generated<"queued" | "signed" | "mined" | "final" | "blocked" | "reverted">;
  nonce: BigInteger | null;
  tx_hash: string | null;
  block_no: BigInteger | null;
  block_hash: string | null;
  succeeded: boolean | null;
  cancelled: Generated<boolean>;
  tries: Generated<number>;
  error: string | null;
  /** Not before this instant; null = at once. */
  due_at: Date | null;
  /** When a blocked row is simulated again; null = only by hand. */
  retry_at: Date | null;
  created_at: Generated<Date>;
};

export type AttemptTable = {
  hash: string;
  outbox_id: BigInteger;
  no: number;
  nonce: BigInteger;
  kind: "call" | "noop";
  gas_limit: BigInteger;
  raw: Uint8Array;
  max_fee: Numeric;
  tip: Numeric;
  signed_at: Date;
  last_sent: Date | null;
};

/** A driver's key, sealed; see wallets.ts. */
export type WalletTable = {
  wallet_id: string;
  address: string;
  kek_version: number;
  sealed_key: string;
  /** null once the driver is erased: the key is then lost for ever, also in old copies of `sealed_key`. */
  wrapped_dek: string | null;
  /** When the driver last took the key out. */
  exported_at: Generated<Date | null>;
};

export type ChainTables = { lane: LaneTable; outbox: OutboxTable; attempt: AttemptTable; wallet: WalletTable };

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("lane")
    .addColumn("name", "text", (c) => c.primaryKey())
    .addColumn("address", "text", (c) => c.notNull().unique())
    .addColumn("chain_id", "integer", (c) => c.notNull())
    .addColumn("next_nonce", "bigint", (c) => c.notNull())
    .addColumn("state", "text", (c) => c.notNull().defaultTo("open").check(sql`state in ('open', 'blocked')`))
    .addColumn("reason", "text")
    .execute();
  await db.schema
    .createTable("outbox")
    .addColumn("id", "bigserial", (c) => c.primaryKey())
    .addColumn("lane", "text", (c) => c.notNull())
    .addColumn("key", "text", (c) => c.notNull().unique())
    .addColumn("stream", "text")
    .addColumn("contract", "text", (c) => c.notNull())
    .addColumn("call", "text", (c) => c.notNull())
    .addColumn("args", "jsonb", (c) => c.notNull())
    .addColumn("data", "bytea", (c) => c.notNull())
    .addColumn("gas_limit", "bigint")
    .addColumn("state", "text", (c) =>
      c
        .notNull()
        .defaultTo("queued")
        .check(sql`state in ('queued', 'signed', 'mined', 'final', 'blocked', 'reverted')`),
    )
    .addColumn("nonce", "bigint")
    .addColumn("tx_hash", "text")
    .addColumn("block_no", "bigint")
    .addColumn("block_hash", "text")
    .addColumn("succeeded", "boolean")
    .addColumn("cancelled", "boolean", (c) => c.notNull().defaultTo(false))
    .addColumn("tries", "integer", (c) => c.notNull().defaultTo(0))
    .addColumn("error", "text")
    .addColumn("due_at", "timestamptz")
    .addColumn("retry_at", "timestamptz")
    .addColumn("created_at", "timestamptz", (c) => c.notNull().defaultTo(sql`now()`))
    .addUniqueConstraint("outbox_lane_nonce", ["lane", "nonce"])
    .addCheckConstraint("outbox_nonce_while_sent", sql`(state in ('signed', 'mined')) <= (nonce is not null)`)
    .execute();
  // Nearly all rows are final: the writer's reads touch only the open ones.
  await sql`create index outbox_open on outbox (lane, state, id) where state not in ('final', 'reverted')`.execute(db);
  await db.schema
    .createTable("attempt")
    .addColumn("hash", "text", (c) => c.primaryKey())
    .addColumn("outbox_id", "bigint", (c) => c.notNull().references("outbox.id"))
    .addColumn("no", "integer", (c) => c.notNull())
    .addColumn("nonce", "bigint", (c) => c.notNull())
    .addColumn("kind", "text", (c) => c.notNull().check(sql`kind in ('call', 'noop')`))
    .addColumn("gas_limit", "bigint", (c) => c.notNull())
    .addColumn("raw", "bytea", (c) => c.notNull())
    .addColumn("max_fee", "numeric", (c) => c.notNull())
    .addColumn("tip", "numeric", (c) => c.notNull())
    .addColumn("signed_at", "timestamptz", (c) => c.notNull())
    .addColumn("last_sent", "timestamptz")
    .addUniqueConstraint("attempt_outbox_no", ["outbox_id", "no"])
    .execute();
  await db.schema
    .createTable("wallet")
    .addColumn("wallet_id", "text", (c) => c.primaryKey())
    .addColumn("address", "text", (c) => c.notNull().unique())
    .addColumn("kek_version", "integer", (c) => c.notNull())
    .addColumn("sealed_key", "text", (c) => c.notNull())
    .addColumn("wrapped_dek", "text")
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ["wallet", "attempt", "outbox", "lane"]) await db.schema.dropTable(table).execute();
}
