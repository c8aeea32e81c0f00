/**
 * The API over the real world: use cases, PGlite, accounts and HTTP on a random port; virtual time, and a chain that is
 * made up. Two CPOs with one group each, two drivers, staff, an auditor, an arbiter and keys on both sides.
 */

import { createHash, randomBytes, randomUUID } from "node:crypto";
import { sql } from "kysely";
import { type DestinationStream, pino } from "pino";
import { createAccounts } from "../../backend/adapters/accounts/accounts.ts";
import { type AccountTables, accountMigrations } from "../../backend/adapters/accounts/accountTables.ts";
import { bindContracts } from "../../backend/adapters/chain/contracts.ts";
import { loadArtifacts, type Manifest } from "../../backend/adapters/chain/deployment.ts";
import { createLedger } from "../../backend/adapters/chain/ledger.ts";
import { createWallets } from "../../backend/adapters/chain/wallets.ts";
import { createQueueClock } from "../../backend/adapters/clock/queueClock.ts";
import { createStore } from "../../backend/adapters/store/store.ts";
import { DEFAULT_ALGORITHM, METHOD_NAMES } from "../../backend/domain/algorithms.ts";
import type { SentProfile } from "../../backend/domain/profiles.ts";
import { epochSecond, microEurPerKwh, watt } from "../../backend/domain/units.ts";
import { type Api, type AppOptions, createApp } from "../../backend/http/app.ts";
import type { ChainView } from "../../backend/http/deps.ts";
import { createUpdates } from "../../backend/http/events.ts";
import { type Serving, serve } from "../../backend/http/serve.ts";
import { bindUseCases } from "../../backend/http/useCases.ts";
import { createBoard } from "../../backend/usecases/board.ts";
import type { World } from "../../backend/usecases/ports.ts";
import { runJob } from "../../backend/usecases/runJob.ts";
import { setUpSite } from "../../backend/usecases/setUpSite.ts";
import { openTestDatabase } from "../support/databases.ts";

/** 2026-11-21T10:00:00Z, a slot boundary. */
export const NOON = epochSecond(1_795_255_200);
export const PASSWORD = "correct horse battery";

const artifacts = loadArtifacts();
const address = (n: number) => `0x${n.toString(16).padStart(40, "0")}` as const;
const hash = (n: number) => `0x${n.toString(16).padStart(64, "0")}` as const;
/** Calls are encoded for these addresses and never sent. */
const MANIFEST: Manifest = {
  chainId: 31_337,
  contracts: Object.fromEntries(
    Object.keys(artifacts).map((name, i) => [
      name,
      { address: address(i + 1), block: 1, tx: hash(i + 1), bytecodeHash: hash(0), args: [] },
    ]),
  ) as unknown as Manifest["contracts"],
  algorithms: Object.fromEntries(METHOD_NAMES.map((name, i) => [`${name}/1`, hash(i + 1)])),
};

export type Service = Awaited<ReturnType<typeof startService>>;

type ServiceOptions = Partial<AppOptions> & {
  readonly log?: DestinationStream;
  /** How long bills can be disputed, s. */
  readonly windowS?: number;
  /** Changes the world before anything is bound to it. */
  readonly world?: Partial<World>;
};

export async function startService(options: ServiceOptions = {}) {
  const database = await openTestDatabase("pglite");
  for (const { up } of Object.values(accountMigrations)) await up(database.db);
  const clock = createQueueClock<never>(NOON);
  const updates = createUpdates();
  const sent: SentProfile[] = [];
  const contracts = { ...bindContracts(MANIFEST, artifacts), windowS: options.windowS ?? 0 };
  const world: World = {
    store: createStore(database.db),
    cpo: {
      sendProfile: async (profile) => {
        sent.push(profile);
      },
    },
    ledger: createLedger(contracts),
    wallets: createWallets({
      keks: { 1: new Uint8Array(32).fill(7) },
      kekVersion: 1,
      random: (bytes: number) => randomBytes(bytes),
      domain: { chainId: 31_337, settlement: contracts.addressOf("Settlement") },
    }),
    clock,
    solve: async () => ({ kind: "failed", reason: "not asked in these tests" }) as never,
    random: (bytes) => randomBytes(bytes),
    board: createBoard(),
    settings: {
      leadS: 60,
      dispatchS: 5,
      answerS: 30,
      staleS: 120,
      quantilePerMille: 950,
      flexSharePercent: 50,
      billingLines: 20,
      billingWaitS: 600,
      market: "day-ahead",
      forecast: "persistence",
    },
    updates,
    holdsArbiterKey: true,
    ...options.world,
  };
  const chain: ChainView & { away: boolean } = {
    away: false,
    account: async () => answered({ availableMicroEur: 50_000_000n, flexWh: 12_500, nonce: 0 }),
    withdrawal: async () => answered({ amountMicroEur: 0n, readyAt: 0 }),
    owed: async () => answered(0n),
    offer: async () => answered({ pricePerKwh: 45_000n, potMicroEur: 1_000_000n }),
    latest: async () =>
      answered([{ key: "slot:1:1994728", contract: "SlotLedger", call: "record", block: 12, txHash: hash(9) }]),
  };
  const answered = <T>(value: T): T => {
    if (chain.away) throw new Error("connect ECONNREFUSED 127.0.0.1:8545");
    return value;
  };
  const accounts = createAccounts({
    db: database.db.withTables<AccountTables>(),
    random: randomBytes,
    now: () => clock.now(),
    secret: randomBytes(32).toString("hex"),
    publicUrl: "http://127.0.0.1",
    signInsPerMinute: 1000,
  });
  for (const side of ["north", "south"] as const) await setUpSite(world, siteOf(side));

  const usecases = bindUseCases(world, {
    databaseKind: "pglite",
    chain: async () => answered({ chainId: 31_337, block: 12 }),
  });
  const api: Api = createApp({
    usecases,
    accounts,
    store: world.store,
    chain,
    updates,
    newId: randomUUID,
    publicGroups: ["north-1"],
    publicUrl: "http://127.0.0.1",
    audit: {
      manifest: { manifest: MANIFEST, market: "day-ahead", rpcUrl: null },
      dump: async () => new TextEncoder().encode("the whole database"),
    },
    logger: options.log ? pino({}, options.log) : pino({ level: "error" }, pino.destination(2)),
    checkAnswers: true,
    ...options,
  });
  const serving: Serving = await serve(api, { host: "127.0.0.1", port: 0 });

  const call = (
    method: string,
    path: string,
    more: { as?: Who; body?: unknown; headers?: Record<string, string> } = {},
  ) =>
    fetch(serving.url + path, {
      method,
      headers: {
        ...(more.body === undefined ? {} : { "content-type": "application/json" }),
        ...(more.as ?? {}),
        ...more.headers,
      },
      ...(more.body === undefined
        ? {}
        : { body: typeof more.body === "string" ? more.body : JSON.stringify(more.body) }),
    });

  return {
    api,
    serving,
    world,
    clock,
    chain,
    accounts,
    usecases,
    sent,
    db: database.db,
    call,
    /** The answer's status and JSON. */
    async ask(
      method: string,
      path: string,
      more: Parameters<typeof call>[2] = {},
    ): Promise<{ status: number; body: any; headers: Headers }> {
      const response = await call(method, path, more);
      const text = await response.text();
      return { status: response.status, body: text === "" ? null : JSON.parse(text), headers: response.headers };
    },
    async signUp(name: string): Promise<Who> {
      const body = { email: `${name}@example.org`, name, password: PASSWORD, consent: true };
      return cookieOf(await call("POST", "/account/sign-up", { body }));
    },
    async staff(side: Side): Promise<Who> {
      const email = `staff@${side}.example`;
      await accounts.ensureStaff({ email, name: side, password: PASSWORD, cpoId: side });
      return cookieOf(await call("POST", "/account/sign-in", { body: { email, password: PASSWORD } }));
    },
    async auditor(): Promise<Who> {
      const email = "auditor@example.org";
      await accounts.ensureAccount({ email, name: "Auditor", password: PASSWORD, kind: "auditor" });
      return cookieOf(await call("POST", "/account/sign-in", { body: { email, password: PASSWORD } }));
    },
    async arbiter(): Promise<Who> {
      const email = "arbiter@example.org";
      await accounts.ensureAccount({ email, name: "Arbiter", password: PASSWORD, kind: "arbiter" });
      return cookieOf(await call("POST", "/account/sign-in", { body: { email, password: PASSWORD } }));
    },
    async key(side: Side, purpose: "cpo" | "hems"): Promise<Who> {
      const groupId = purpose === "hems" ? `${side}-1` : null;
      return {
        authorization: `Bearer ${(await accounts.createKey({ name: purpose, cpoId: side, purpose, groupId })).token}`,
      };
    },
    /** A key that belongs to no CPO. */
    async serviceKey(purpose: "audit" | "market"): Promise<Who> {
      const { token } = await accounts.createKey({ name: purpose, cpoId: null, purpose });
      return { authorization: `Bearer ${token}` };
    },
    /** Lets the time pass, with the jobs that fall due in it. */
    async pass(seconds: number): Promise<void> {
      const until = epochSecond(clock.now() + seconds);
      for (let next = clock.next(until); next !== null; next = clock.next(until)) await runJob(world, next.job);
      clock.moveTo(until);
    },
    /** Everything that is remembered, but for login sessions and attempts to sign in. */
    async digest(): Promise<string> {
      const { rows: tables } = await sql<{ name: string }>`select table_name name from information_schema.tables
        where table_schema = 'public' and table_name not in ('account_session', 'account_rate_limit') order by 1`.execute(
        database.db,
      );
      const parts: string[] = [];
      for (const { name } of tables) {
        const { rows } = await sql<{ hash: string | null }>`select md5(string_agg(t::text, '|' order by t::text)) hash
          from ${sql.table(name)} t`.execute(database.db);
        parts.push(`${name} ${rows[0]!.hash}`);
      }
      parts.push(createHash("md5").update(JSON.stringify(world.board)).digest("hex"));
      return parts.join("\n");
    },
    async close(): Promise<void> {
      await serving.close(1000);
      await database.close();
    },
  };
}

export type Side = "north" | "south";
/** Headers that say who calls. */
export type Who = Readonly<Record<string, string>>;

async function cookieOf(response: Response): Promise<Who> {
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return {
    cookie: response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(";")[0])
      .join("; "),
  };
}

export const siteOf = (side: Side): Parameters<typeof setUpSite>[1] => ({
  cpo: { id: side, name: `CPO ${side}` },
  payee: address(side === "north" ? 101 : 102),
  location: { id: `${side}-site`, cpoId: side, name: side, timeZone: "Europe/Berlin" },
  tariff: { id: `${side}-tariff`, pricePerKwh: microEurPerKwh(350_000) },
  groups: [
    {
      group: {
        id: `${side}-1`,
        supplyLimitW: watt(22_000),
        limitKind: "contract",
        feedIn: microEurPerKwh(50_000),
        algorithm: DEFAULT_ALGORITHM,
      },
      evses: [1, 2, 3].map((n) => ({ id: `${side}-1-${n}`, maxPowerW: watt(11_000), phases: 3 as const })),
      pvs: [],
    },
  ],
});

export const iso = (at: number) => new Date(at * 1000).toISOString().replace(".000Z", "Z");
