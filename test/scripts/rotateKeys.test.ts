/** `npm run rotate` as a process that is killed (SIGKILL: no handler runs) while it works, on PostgreSQL. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { sql } from "kysely";
import { createWallets } from "../../backend/adapters/chain/wallets.ts";
import { type OpenDatabase, openDatabase } from "../../backend/adapters/store/database.ts";
import { createStore } from "../../backend/adapters/store/store.ts";
import { epochSecond } from "../../backend/domain/units.ts";
import { openTestDatabase, urlOf, whyNoPostgres } from "../support/databases.ts";
import { secretsIn } from "../support/keyMaterial.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/rotateKeys.ts", import.meta.url));
const KEKS = [1, 2].map((version) => ({ version, key: new Uint8Array(randomBytes(32)) }));
const textOf = (some: typeof KEKS) =>
  some.map(({ version, key }) => `${version}:${Buffer.from(key).toString("hex")}`).join(",");
const ringOf = (some: typeof KEKS) =>
  createWallets({
    keks: Object.fromEntries(some.map(({ version, key }) => [version, key])),
    kekVersion: Math.max(...some.map(({ version }) => version)),
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    domain: { chainId: 31_337, settlement: `0x${"c5".repeat(20)}` },
  });
const COUNT = 450;
const id = (i: number) => `driver-${String(i).padStart(3, "0")}`;

describe("npm run rotate, killed while it works", function () {
  this.timeout(300_000);
  let database: OpenDatabase;
  let other: OpenDatabase;
  let url: string;

  before(async function () {
    if (whyNoPostgres() !== null) return this.skip();
    database = await openTestDatabase("postgres");
    url = await urlOf(database);
    other = await openDatabase({ url, migrate: false });
    const first = ringOf(KEKS.slice(0, 1));
    await createStore(database.db).transaction(async (inStep) => {
      for (let i = 0; i < COUNT; i++) {
        const wallet = first.create(id(i));
        const { address } = wallet;
        const driver = { id: id(i), accountId: null, name: id(i), address, registeredAt: epochSecond(1) };
        await inStep.drivers.add({ ...driver, consentHash: Buffer.from(randomBytes(32)).toString("hex") }, wallet);
      }
    });
  });
  after(async () => {
    await other?.close();
    await database?.close();
  });

  const versions = () => createStore(database.db).wallets.kekVersions();
  const under = async (version: number) => (await versions()).find((one) => one.version === version)?.wallets ?? 0;

  function rotate(keks = KEKS) {
    const env = { PATH: process.env.PATH, DATABASE_URL: url, CHAIN_RPC_URL: "http://127.0.0.1:1" };
    const child = spawn(process.execPath, [SCRIPT], {
      env: { ...env, WALLET_KEKS: textOf(keks) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        said += String(chunk);
      });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    return { kill: () => child.kill("SIGKILL"), ended, said: () => said };
  }

  /** Runs until it stands before a wallet that another transaction holds, and is killed there. */
  async function killedAt(wallet: string, wrappedBefore: number): Promise<string> {
    const run = rotate();
    await other.db
      .transaction()
      .execute(async (trx) => {
        await sql`select 1 from wallet where wallet_id = ${wallet} for update`.execute(trx);
        while (!(await stands())) await new Promise((resolve) => setTimeout(resolve, 20));
        expect(await under(2)).to.equal(wrappedBefore);
        run.kill();
        expect(await run.ended, "killed, not ended by itself").to.equal(null);
      })
      .catch((error: unknown) => {
        run.kill();
        throw error;
      });
    // The server finds out that nobody is there any more, and takes the open transaction back.
    while (await someoneElse()) await new Promise((resolve) => setTimeout(resolve, 20));
    return run.said();
  }
  const stands = async () => (await sessions("wait_event_type = 'Lock'")) > 0;
  const someoneElse = async () =>
    (await sessions("state = 'idle in transaction' or query like 'update \"wallet\"%'")) > 0;
  async function sessions(condition: string): Promise<number> {
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from pg_stat_activity
      where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid() and (${sql.raw(condition)})`.execute(
      database.db,
    );
    return rows[0]?.n ?? 0;
  }

  it("loses nobody's key, goes on where it was, and says no key", async () => {
    const store = createStore(database.db);
    const [old, both, newest] = [KEKS.slice(0, 1), KEKS, KEKS.slice(1)].map(ringOf) as [
      ReturnType<typeof ringOf>,
      ReturnType<typeof ringOf>,
      ReturnType<typeof ringOf>,
    ];
    const walletOf = async (i: number) => (await store.drivers.wallet(id(i)))!;
    const keys = await Promise.all(Array.from({ length: COUNT }, async (_, i) => old.exportKey(await walletOf(i))));
    const said: string[] = [];
    for (const [wallet, wrappedBefore] of [
      [0, 0],
      [150, 100],
      [199, 100],
      [300, 300],
      [449, 400],
    ] as const) {
      said.push(await killedAt(id(wallet), wrappedBefore));
      expect(await under(2), "whole transactions").to.equal(wrappedBefore);
      expect(await under(1)).to.equal(COUNT - wrappedBefore);
      for (let i = 0; i < COUNT; i++) expect(await both.exportKey(await walletOf(i)), id(i)).to.equal(keys[i]);
    }
    const last = rotate();
    expect(await last.ended).to.equal(0);
    said.push(last.said());
    expect(last.said()).to.match(/^50 wallets wrapped anew; 450 are under version 2\./);
    expect(await versions()).to.deep.equal([{ version: 2, wallets: COUNT }]);
    for (let i = 0; i < COUNT; i++) expect(await newest.exportKey(await walletOf(i)), id(i)).to.equal(keys[i]);

    const without = rotate(KEKS.slice(0, 1));
    expect(await without.ended).to.equal(2);
    said.push(without.said());
    const secrets = [
      ...KEKS.map(({ version, key }) => ({ name: `key ${version}`, bytes: key })),
      ...keys.map((key, i) => ({ name: id(i), bytes: Buffer.from(key.slice(2), "hex") })),
    ];
    for (const text of said) expect(secretsIn(text, secrets)).to.deep.equal([]);
  });
});
