/** What the writer's tests run on: PGlite, the embedded chain, one ordered contract, a clock that the test holds. */
import { type EmbeddedChain, startEmbeddedChain } from "../../../backend/adapters/chain/embedded.ts";
import { type Db, enqueue } from "../../../backend/adapters/chain/outbox.ts";
import { LOCAL_POLICY, type Policy } from "../../../backend/adapters/chain/outboxRow.ts";
import { call, type Hex, type Rpc, request, resultOf } from "../../../backend/adapters/chain/rpc.ts";
import { localSigner, type Signer } from "../../../backend/adapters/chain/signer.ts";
import type { ChainTables } from "../../../backend/adapters/chain/tables.ts";
import { type Alarm, createWriter, type Writer, type WriterConfig } from "../../../backend/adapters/chain/writer.ts";
import { type OpenDatabase, openDatabase } from "../../../backend/adapters/store/database.ts";
import type { ChainCall } from "../../../backend/usecases/ports.ts";
import { type Kind, openTestDatabase, urlOf } from "../../support/databases.ts";
import { decodeOutOfOrder, deploySequence, numbersTaken } from "./sequence.ts";

export const key = (n: number): Hex => `0x${n.toString(16).padStart(64, "0")}`;
export const DEPLOYER = localSigner(key(0xd0));
export const SLOTS = localSigner(key(0x51));
export const BILLING = localSigner(key(0xb1));

/** One database of each kind for all tests of the process; opening one takes a second. */
const opened = new Map<Kind, Promise<OpenDatabase>>();

export async function freshDatabase(kind: Kind = "pglite"): Promise<Db> {
  const database = opened.get(kind) ?? openTestDatabase(kind);
  opened.set(kind, database);
  const db = (await database).db.$pickTables<keyof ChainTables>();
  for (const table of ["attempt", "outbox", "lane", "wallet"] as const) await db.deleteFrom(table).execute();
  return db;
}

/** A second pool on the PostgreSQL database of `freshDatabase`, as another process would have. */
export async function secondPool(): Promise<OpenDatabase> {
  const first = await (opened.get("postgres") as Promise<OpenDatabase>);
  return openDatabase({ url: await urlOf(first) });
}

export type Bench = {
  readonly db: Db;
  readonly rpc: Rpc;
  readonly address: Hex;
  readonly alarms: Alarm[];
  readonly config: WriterConfig;
  readonly clock: { now: number };
  writer(over?: Partial<WriterConfig>): Writer;
  enqueue(...calls: ChainCall[]): Promise<number>;
  taken(): Promise<number[]>;
  states(): Promise<Record<string, string>>;
};

export async function aBench(rpc: Rpc, policy: Partial<Policy> = {}, kind: Kind = "pglite"): Promise<Bench> {
  const db = await freshDatabase(kind);
  const address = await deploySequence(rpc, DEPLOYER);
  const alarms: Alarm[] = [];
  const clock = { now: 1_800_000_000 };
  const config: WriterConfig = {
    db,
    database: kind,
    rpc,
    signers: { slots: SLOTS, billing: BILLING },
    policy: { ...LOCAL_POLICY, ...policy },
    addressOf: () => address,
    decodeRevert: decodeOutOfOrder,
    effect: async ({ args }) => (await numbersTaken(rpc, address)).includes((args as { n: number }).n),
    now: () => clock.now,
    alarm: (alarm) => alarms.push(alarm),
  };
  return {
    db,
    rpc,
    address,
    alarms,
    config,
    clock,
    writer: (over = {}) => createWriter({ ...config, ...over }),
    enqueue: (...calls) => db.transaction().execute((trx) => enqueue(trx, calls)),
    taken: () => numbersTaken(rpc, address),
    async states() {
      const rows = await db.selectFrom("outbox").select(["key", "state"]).orderBy("id").execute();
      return Object.fromEntries(rows.map((row) => [row.key, row.state]));
    },
  };
}

export async function embedded(): Promise<EmbeddedChain> {
  return startEmbeddedChain({ funded: [DEPLOYER.address, SLOTS.address, BILLING.address] });
}

export async function nonceOf(rpc: Rpc, signer: Signer): Promise<number> {
  return Number(await request<Hex>(rpc, "eth_getTransactionCount", signer.address, "latest"));
}

/** A transaction that did not go through the outbox. */
export async function sendForeign(rpc: Rpc, signer: Signer, nonce: number): Promise<void> {
  const fees = { maxFee: 100_000_000_000n, tip: 1n };
  const plain = { chainId: rpc.chainId, nonce, to: signer.address, data: "0x" as const, gasLimit: 21_000, ...fees };
  const { raw } = await signer.sign(plain);
  const [answer] = await rpc.ask([call("eth_sendRawTransaction", raw)]);
  resultOf("eth_sendRawTransaction", answer);
}
