/** Lanes: one key each, one writer at a time, nonces given out in order and never twice. */
import { sql } from "kysely";
import type { Lane } from "../../usecases/ports.ts";
import { broadcast } from "./laneView.ts";
import { type Db, hexOf } from "./outbox.ts";
import { type Hex, type Rpc, readQuantity, request } from "./rpc.ts";
import type { Signer } from "./signer.ts";

export type Alarm = {
  readonly kind: "foreign-nonce" | "rewound" | "fee-ceiling" | "low-balance" | "parked" | "reverted" | "unreachable";
  readonly lane: Lane;
  readonly key: string | null;
  readonly text: string;
};

export type LaneConfig = {
  readonly db: Db;
  readonly database: "pglite" | "postgres";
  readonly rpc: Rpc;
  readonly signers: Readonly<Partial<Record<Lane, Signer>>>;
  readonly alarm: (alarm: Alarm) => void;
};

/** Roles are granted and drivers registered before slots and bills refer to them. */
const ORDER: readonly Lane[] = ["registry", "treasury", "slots", "billing", "arbiter"];
/** Looks in a row before a strange nonce is believed: nodes behind a load balancer lag. */
const STRIKES = 3;

/** Lanes that are being written in this process, per database. */
const busy = new WeakMap<object, Set<Lane>>();

export type Lanes = ReturnType<typeof createLanes>;

export function createLanes(config: LaneConfig) {
  const { db, rpc } = config;
  const known = new Set<Lane>();
  const strikes = new Map<Lane, { readonly trouble: string; readonly count: number }>();

  function signerOf(lane: Lane): Signer {
    const signer = config.signers[lane];
    if (signer === undefined) throw new Error(`No key is configured for the lane "${lane}".`);
    return signer;
  }

  /** Runs the work as the lane's only writer; null when another process or call is at it. */
  async function exclusively<T>(lane: Lane, work: (db: Db) => Promise<T>): Promise<T | null> {
    const mine = busy.get(db) ?? new Set<Lane>();
    busy.set(db, mine);
    if (mine.has(lane)) return null;
    mine.add(lane);
    try {
      await register(lane);
      return config.database === "pglite" ? await work(db) : await underAdvisoryLock(db, signerOf(lane).address, work);
    } finally {
      mine.delete(lane);
    }
  }

  /** First use: the lane begins at the address's nonce. Later: address and chain must be the ones it began with. */
  async function register(lane: Lane): Promise<void> {
    if (known.has(lane)) return;
    const { address } = signerOf(lane);
    const found = await db.selectFrom("lane").selectAll().where("name", "=", lane).executeTakeFirst();
    if (found === undefined) {
      const nonce = await countOf(address);
      await db
        .insertInto("lane")
        .values({ name: lane, address, chain_id: rpc.chainId, next_nonce: nonce, reason: null })
        .onConflict((conflict) => conflict.column("name").doNothing())
        .execute();
    } else if (found.address !== address || found.chain_id !== rpc.chainId) {
      throw new Error(
        `Lane ${lane} of this database belongs to ${found.address} on chain ${found.chain_id}, but the configuration says ${address} on chain ${rpc.chainId}. Use the database and the chain that belong together.`,
      );
    }
    known.add(lane);
  }

  const countOf = async (address: Hex) =>
    Number(readQuantity("a nonce", await request(rpc, "eth_getTransactionCount", address, "latest")));

  async function read(own: Db, lane: Lane) {
    const row = await own.selectFrom("lane").selectAll().where("name", "=", lane).executeTakeFirstOrThrow();
    return { open: row.state === "open", nextNonce: Number(row.next_nonce) };
  }

  async function takeNonces(trx: Db, lane: Lane, count: number): Promise<number[]> {
    if (count === 0) return [];
    const { next_nonce } = await trx
      .updateTable("lane")
      .set({ next_nonce: sql<number>`next_nonce + ${count}` })
      .where("name", "=", lane)
      .returning("next_nonce")
      .executeTakeFirstOrThrow();
    return Array.from({ length: count }, (_, i) => Number(next_nonce) - count + i);
  }

  /** Counts what looks wrong and acts on it when it stays. `ours` is the nonce that should come next on chain. */
  async function watch(own: Db, lane: Lane, what: "foreign" | "rewound" | null, chainNonce: number, ours: number) {
    const before = strikes.get(lane);
    const count = before?.trouble === what ? before.count + 1 : 1;
    strikes.delete(lane);
    if (what === null) return;
    if (count < STRIKES) {
      strikes.set(lane, { trouble: what, count });
    } else if (what === "foreign") {
      const text = `The chain counts ${chainNonce} transactions of this key, we know of ${ours}: somebody else uses it. Find out who, then reopen the lane.`;
      await own.updateTable("lane").set({ state: "blocked", reason: text }).where("name", "=", lane).execute();
      config.alarm({ kind: "foreign-nonce", lane, key: null, text });
    } else {
      await resend(own, lane, chainNonce, ours);
    }
  }

  /** A block that counted as final is gone. The same bytes are valid again, so they are sent again. */
  async function resend(own: Db, lane: Lane, fromNonce: number, beforeNonce: number): Promise<void> {
    const lost = await own
      .selectFrom("attempt")
      .innerJoin("outbox", "outbox.id", "attempt.outbox_id")
      .select(["attempt.raw", "outbox.key"])
      .where("outbox.lane", "=", lane)
      .where("attempt.nonce", ">=", fromNonce)
      .where("attempt.nonce", "<", beforeNonce)
      .orderBy("attempt.nonce")
      .orderBy("attempt.no")
      .execute();
    await own
      .updateTable("outbox")
      .set({ state: "signed", tx_hash: null, block_no: null, block_hash: null, succeeded: null })
      .where("lane", "=", lane)
      .where("state", "in", ["final", "reverted"])
      .where("nonce", ">=", fromNonce)
      .where("nonce", "<", beforeNonce)
      .execute();
    const remedy = lost.length > 0 ? "They are sent again." : "None of them is in the outbox: the lane cannot go on.";
    const text = `The chain lost the transactions ${fromNonce} to ${beforeNonce - 1} of this key below the depth that counts as final. ${remedy}`;
    config.alarm({ kind: "rewound", lane, key: lost[0]?.key ?? null, text });
    await broadcast(
      rpc,
      lost.map(({ raw }) => hexOf(raw)),
    );
  }

  /** Rows whose nonce somebody else used get a new one; the lane starts again behind the chain's count. */
  async function reopen(lane: Lane): Promise<void> {
    const nonce = await countOf(signerOf(lane).address);
    await db.transaction().execute(async (trx) => {
      await trx
        .updateTable("outbox")
        .set({ state: "queued", nonce: null, tries: sql<number>`tries + 1` })
        .where("lane", "=", lane)
        .where("state", "=", "signed")
        .where("nonce", "<", nonce)
        .execute();
      await trx
        .updateTable("lane")
        .set({ state: "open", reason: null, next_nonce: sql<number>`greatest(next_nonce, ${nonce})` })
        .where("name", "=", lane)
        .execute();
    });
  }

  return {
    order: ORDER.filter((lane) => config.signers[lane]),
    signerOf,
    exclusively,
    read,
    takeNonces,
    watch,
    reopen,
  };
}

/** The lock belongs to the connection, so all of the lane's queries run on it; a dead process gives it up. */
async function underAdvisoryLock<T>(db: Db, address: Hex, work: (db: Db) => Promise<T>): Promise<T | null> {
  return db.connection().execute(async (connection) => {
    const key = sql`hashtextextended(${address}, 0)`;
    const { rows } = await sql<{ held: boolean }>`select pg_try_advisory_lock(${key}) as held`.execute(connection);
    if (rows[0]?.held !== true) return null;
    try {
      return await work(connection);
    } finally {
      await sql`select pg_advisory_unlock(${key})`.execute(connection);
    }
  });
}
