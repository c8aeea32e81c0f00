/**
 * Keys stay where they are: a driver signs up, withdraws, takes the key out and is erased; wallets are damaged, keys are
 * rotated, things go wrong. Then everything that the service said, logged or kept is searched for the keys of all that.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { expect } from "chai";
import { sql } from "kysely";
import { type Logger, pino } from "pino";
import { createAccounts } from "../../backend/adapters/accounts/accounts.ts";
import { type AccountTables, accountMigrations } from "../../backend/adapters/accounts/accountTables.ts";
import { type Hex, quantity, request } from "../../backend/adapters/chain/rpc.ts";
import { createSeals } from "../../backend/adapters/chain/seals.ts";
import { createQueueClock } from "../../backend/adapters/clock/queueClock.ts";
import { chainView } from "../../backend/chainView.ts";
import { DEFAULT_SETTINGS, openSystem, type System, type SystemOptions, trueRandom } from "../../backend/compose.ts";
import { epochSecond, microEur } from "../../backend/domain/units.ts";
import { createApp } from "../../backend/http/app.ts";
import { createUpdates } from "../../backend/http/events.ts";
import { type Serving, serve } from "../../backend/http/serve.ts";
import { bindUseCases } from "../../backend/http/useCases.ts";
import { worldOf } from "../../backend/replay/replayScenario.ts";
import { createBoard } from "../../backend/usecases/board.ts";
import { exportKey } from "../../backend/usecases/exportKey.ts";
import type { World } from "../../backend/usecases/ports.ts";
import { rotateKeys } from "../../backend/usecases/rotateKeys.ts";
import { addressOf, formsOf, type Secret, secretsIn } from "../support/keyMaterial.ts";

const PASSWORD = "correct horse battery";
const OWN = "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB";
const KEKS = { 1: new Uint8Array(randomBytes(32)), 2: new Uint8Array(randomBytes(32)) };
const AUTH_SECRET = randomBytes(32).toString("hex");
/** Keys of the writer's lanes, as CHAIN_KEYS gives them. */
const LANES = Object.fromEntries(
  ["deployer", "registry", "slots", "billing", "treasury", "arbiter"].map((lane) => [lane, randomBytes(32)]),
);
const EURO = 1_000_000n;

describe("No key", function () {
  this.timeout(300_000);
  /** Everything that was said, by where. */
  const said = new Map<string, string[]>();
  const note = (where: string, text: string) => said.set(where, [...(said.get(where) ?? []), text]);
  /** Keys of wallets and the keys that seal them, as they were drawn. */
  const drawn: Secret[] = [];
  const random: World["random"] = (bytes, label) => {
    const fresh = trueRandom(bytes, label);
    if (bytes === 32 && label.startsWith("wallet:")) drawn.push({ name: label, bytes: Uint8Array.from(fresh) });
    return fresh;
  };
  const secrets = (): Secret[] => [
    ...drawn,
    { name: "key-encryption key 1", bytes: KEKS[1] },
    { name: "key-encryption key 2", bytes: KEKS[2] },
    { name: "secret of the cookies", bytes: Buffer.from(AUTH_SECRET, "hex") },
    ...Object.entries(LANES).map(([lane, bytes]) => ({ name: `key of lane ${lane}`, bytes })),
  ];
  let system: System;
  let world: World;
  let serving: Serving;
  let clock: ReturnType<typeof createQueueClock<never>>;
  /** What the export answered: the one place where a key belongs. */
  let exported: string;
  let statuses: readonly string[];

  async function ask(method: string, path: string, cookie: string | null, body?: object) {
    const response = await fetch(serving.url + path, {
      method,
      headers: { "content-type": "application/json", ...(cookie === null ? {} : { cookie }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const whole = `${method} ${path} ${response.status} ${inspect(response.headers)} ${text}`;
    if (path === "/driver/key/export" && response.ok) exported = whole;
    else note("answers", whole);
    return { status: response.status, body: text === "" ? null : JSON.parse(text), headers: response.headers };
  }
  async function signUp(name: string) {
    const credentials = { email: `${name}@example.org`, name, password: PASSWORD, consent: true };
    const { headers, body } = await ask("POST", "/account/sign-up", null, credentials);
    const cookie = headers
      .getSetCookie()
      .map((one) => one.split(";")[0])
      .join("; ");
    return { cookie, address: body.address as Hex, driverId: body.driverId as string };
  }
  const fail = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail("it was done"),
      (error: Error) => note("errors", `${inspect(error, { depth: 9, showHidden: true })} ${error.stack}`),
    );

  before(async () => {
    const log = { write: (line: string) => note("log", line) };
    const logger: Logger = pino({ level: "trace" }, log);
    system = await openSystem({
      database: { migrations: accountMigrations },
      chainKeys: Object.fromEntries(
        Object.entries(LANES).map(([lane, bytes]) => [lane, `0x${bytes.toString("hex")}`]),
      ) as NonNullable<SystemOptions["chainKeys"]>,
      walletKeks: { 1: KEKS[1] },
      random,
      alarm: (text) => logger.error({ text }, "chain writer"),
    });
    for (const bytes of Object.values(LANES))
      await request(system.rpc, "hardhat_setBalance", addressOf(bytes), quantity(10n ** 24n));
    clock = createQueueClock<never>(epochSecond(Math.floor(Date.now() / 1000)));
    const cpo = { sendProfile: async () => undefined };
    world = { ...worldOf(system, DEFAULT_SETTINGS), clock, board: createBoard(), cpo };
    const api = createApp({
      usecases: bindUseCases(world, { databaseKind: "pglite", chain: async () => ({ chainId: 31_337, block: 1 }) }),
      accounts: createAccounts({
        db: system.database.db.withTables<AccountTables>(),
        random: randomBytes,
        now: () => clock.now(),
        secret: AUTH_SECRET,
        publicUrl: "http://127.0.0.1",
        signInsPerMinute: 100,
      }),
      store: system.store,
      chain: chainView(system),
      updates: createUpdates(),
      newId: randomUUID,
      publicGroups: [],
      publicUrl: "http://127.0.0.1",
      audit: { manifest: { manifest: system.manifest, market: "day-ahead", rpcUrl: null }, dump: null },
      logger,
      checkAnswers: true,
    });
    serving = await serve(api, { host: "127.0.0.1", port: 0 });
    statuses = await everythingThatDriversDo();
  });
  after(async () => {
    await serving?.close(1000);
    await system?.close();
  });

  async function everythingThatDriversDo(): Promise<readonly string[]> {
    const { ledger, writer, store, database } = system;
    const [anna, ben] = [await signUp("anna"), await signUp("ben")];
    await store.transaction(async ({ outbox }) => {
      await outbox.enqueue(ledger.mintTestEuro(system.treasury, microEur(10n * EURO), "mint"));
      await outbox.enqueue(ledger.approveDeposits());
      await outbox.enqueue(ledger.deposit(anna.address, microEur(5n * EURO), "deposit"));
    });
    await writer.drain();
    const amountMicroEur = String(3n * EURO);
    const again = { password: PASSWORD };
    const steps: string[] = [];
    const step = async (path: string, { cookie }: { readonly cookie: string }, body: object) =>
      steps.push(`${path} ${(await ask("POST", path, cookie, body)).status}`);

    await step("/driver/withdrawal/announcement", anna, { amountMicroEur });
    await writer.drain();
    clock.moveTo(epochSecond((await system.reader.withdrawal(anna.address)).readyAt));
    await step("/driver/withdrawal", anna, { amountMicroEur, to: OWN, ...again });
    await writer.drain();
    await step("/driver/key/export", anna, { password: "something else", understood: true });
    await step("/driver/key/export", anna, { ...again, understood: true });
    await step("/driver/flex/claim", anna, { to: OWN, ...again });

    // An intent that the chain refuses: the writer tells everybody.
    const wallet = (await store.drivers.wallet(anna.driverId))!;
    const intent = {
      kind: "claim",
      owner: wallet.address,
      to: OWN,
      nonce: 99,
      deadline: epochSecond(2 ** 40 - 1),
    } as const;
    await store.outbox.enqueue(ledger.payout({ ...intent, signature: await world.wallets.signPayout(wallet, intent) }));
    await writer.drain();
    for (const path of ["/driver/withdrawal", "/driver/bundle"]) await ask("GET", path, anna.cookie);

    // A wallet whose row was changed, and one whose key-encryption key this service does not have.
    const damage = (row: object) =>
      database.db.updateTable("wallet").set(row).where("wallet_id", "=", ben.driverId).execute();
    const { wrappedDek } = (await store.drivers.wallet(ben.driverId))!;
    await damage({ wrapped_dek: wallet.wrappedDek });
    await step("/driver/key/export", ben, { ...again, understood: true });
    await fail(exportKey(world, { driverId: ben.driverId }));
    await damage({ wrapped_dek: wrappedDek });
    const keep = (keks: Record<number, Uint8Array>) => createSeals({ keks, kekVersion: 2, random });
    await fail(rotateKeys({ store, seals: keep({ 2: KEKS[2] }) }));
    expect(await rotateKeys({ store, seals: keep(KEKS) })).to.include({ rewrapped: 2, underNewest: 2 });
    await step("/driver/key/export", ben, { ...again, understood: true });

    for (const { key } of await store.outbox.waiting("payout:")) await store.outbox.cancel(key);
    await step("/driver/erasure", anna, again);
    await step("/driver/erasure", anna, { ...again, giveUp: true });
    await ask("GET", "/account", anna.cookie);
    for (const path of ["/health", "/openapi.json", "/audit/manifest"]) await ask("GET", path, null);
    return steps;
  }

  it("is missed by the search, in whatever form it stands", () => {
    const [secret] = secrets() as [Secret];
    for (const form of formsOf(secret.bytes))
      for (const text of [`key ${form}.`, form.toUpperCase(), JSON.stringify({ a: [form] })])
        expect(secretsIn(text, secrets()), text).to.contain(secret.name);
    expect(secretsIn(Buffer.from(secret.bytes).subarray(0, 16).toString("hex"), secrets())).to.deep.equal([
      secret.name,
    ]);
    expect(secretsIn(JSON.stringify(Buffer.from(secret.bytes)), secrets())).to.deep.equal([secret.name]);
    expect(secretsIn("nothing", secrets())).to.deep.equal([]);
  });

  it("is left out of what was done: each of these was really tried", async () => {
    expect(statuses).to.deep.equal([
      "/driver/withdrawal/announcement 202",
      "/driver/withdrawal 202",
      "/driver/key/export 401",
      "/driver/key/export 200",
      "/driver/flex/claim 409",
      "/driver/key/export 500",
      "/driver/key/export 500",
      "/driver/erasure 409",
      "/driver/erasure 200",
    ]);
    const [balance] = await system.reader.ask("TestEuro", "balanceOf", [OWN]);
    expect(balance, "the money is at the driver's own address").to.equal(3n * EURO);
    expect(drawn.map(({ name }) => name.replace(/driver-[^:]*/, "")).toSorted()).to.deep.equal([
      ...["wallet::dek", "wallet::dek", "wallet::key:0", "wallet::key:0"],
    ]);
    const log = said.get("log")!.join("");
    for (const words of ["does not open", "key 2 is missing", "IntentRefused"]) expect(log).to.contain(words);
  });

  it("is in any answer but the export's, which has the one that was asked for", () => {
    for (const text of said.get("answers")!) expect(secretsIn(text, secrets()), text.slice(0, 200)).to.deep.equal([]);
    const [found, ...others] = secretsIn(exported, secrets());
    expect(others).to.deep.equal([]);
    const { bytes } = drawn.find(({ name }) => name === found)!;
    expect(exported).to.contain(`"address":"${addressOf(bytes)}"`);
  });

  it("is in any line of the log, or in any error with all that hangs on it", () => {
    expect(said.get("log")!.length).to.be.above(15);
    for (const where of ["log", "errors"])
      for (const text of said.get(where)!) expect(secretsIn(text, secrets()), text.slice(0, 200)).to.deep.equal([]);
    const cookies =
      said
        .get("answers")!
        .join("")
        .match(/session_token=[\w.%-]{20,}/g) ?? [];
    expect(cookies.length).to.be.above(0);
    const log = said.get("log")!.join("");
    for (const secret of [PASSWORD, ...cookies.map((cookie) => cookie.split("=")[1]!)])
      expect(log).not.to.contain(secret);
  });

  it("is in any row of any table, as text or as bytes, sealed columns included", async () => {
    const { db } = system.database;
    let rows = 0;
    for (const { name } of await db.introspection.getTables()) {
      const found = await sql<{ row: string }>`select row_to_json(t)::text "row" from ${sql.table(name)} t`.execute(db);
      for (const { row } of found.rows)
        expect(secretsIn(row, secrets()), `${name} ${row.slice(0, 200)}`).to.deep.equal([]);
      rows += found.rows.length;
    }
    expect(rows).to.be.above(25);
  });

  it("is in any transaction or log of the chain", async () => {
    const head = Number(await request<Hex>(system.rpc, "eth_blockNumber"));
    for (let block = 0; block <= head; block++) {
      const number = `0x${block.toString(16)}`;
      const whole = await request(system.rpc, "eth_getBlockByNumber", number, true);
      const logs = await request(system.rpc, "eth_getLogs", { fromBlock: number, toBlock: number });
      expect(secretsIn(JSON.stringify([whole, logs]), secrets()), `block ${block}`).to.deep.equal([]);
    }
  });

  it("is shown by the things in memory that hold them", () => {
    const shown = [system.wallets, world, system.writer].map((one) => inspect(one, { depth: 6, showHidden: true }));
    for (const text of shown) expect(secretsIn(text, secrets())).to.deep.equal([]);
  });
});
