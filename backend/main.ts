/**
 * The service: `npm start`. Opens the system, replays the last day of the simulated site or of a recorded scenario (unless
 * --no-demo), then serves the API and lives on in real time: the control cycle by the clock, the chain writer beside it.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import pino from "pino";
import { createAccounts } from "./adapters/accounts/accounts.ts";
import { type AccountTables, accountMigrations } from "./adapters/accounts/accountTables.ts";
import { sourceTexts } from "./adapters/chain/algorithms.ts";
import { call, type Hex, resultOf } from "./adapters/chain/rpc.ts";
import { createQueueClock } from "./adapters/clock/queueClock.ts";
import { chainView } from "./chainView.ts";
import { DEFAULT_SETTINGS, openSystem, type System, trueRandom } from "./compose.ts";
import { type Config, type Flags, readConfig, readFlags } from "./config.ts";
import { epochSecond, microEur } from "./domain/units.ts";
import { createApp } from "./http/app.ts";
import { createUpdates } from "./http/events.ts";
import { serve } from "./http/serve.ts";
import { bindUseCases, type RunStep, type UseCases } from "./http/useCases.ts";
import { webPages } from "./http/webPages.ts";
import { DAYS_AHEAD, demoSite } from "./replay/demoSite.ts";
import { inPresent } from "./replay/inPresent.ts";
import { type LivingSite, liveScenario } from "./replay/liveScenario.ts";
import { worldOf } from "./replay/replayScenario.ts";
import { readScenario } from "./replay/scenario.ts";
import { everyMinute } from "./usecases/everyMinute.ts";
import { followDisputes } from "./usecases/followDisputes.ts";
import { loadBoard, saveBoard } from "./usecases/loadBoard.ts";
import { giveUpPayouts } from "./usecases/payouts.ts";
import type { Job, Settings, World } from "./usecases/ports.ts";
import { reconcile } from "./usecases/reconcile.ts";
import { runJob } from "./usecases/runJob.ts";

const config = readConfig();
const logger = pino({ level: config.logLevel }, pino.destination({ fd: 2, sync: true }));
/** Who tries the product sees a bill on chain soon. */
const SIMULATED: Settings = { ...DEFAULT_SETTINGS, billingWaitS: 20 };
const DAY_S = 86_400;
const VISITOR_DEPOSIT = microEur(100_000_000n);
const TICK_MS = 500;
const WRITER_MS = 1000;
const FOLLOW_MS = 5000;
const RECONCILE_MS = 3_600_000;
/** A difference is looked at again so soon, to be believed. */
const RECHECK_MS = 60_000;

async function start(): Promise<void> {
  requireSecrets(config);
  const flags = readFlags(process.argv.slice(2));
  const living = livingSite(flags);
  const publicUrl = config.publicUrl ?? `http://${config.host}:${config.port}`;
  const system = await openSystem({
    database: {
      ...(config.databaseUrl ? { url: config.databaseUrl } : {}),
      migrations: accountMigrations,
    },
    chainRpcUrls: config.chainRpcUrls,
    chainRpcPort: config.chainRpcPort ?? (await freePort(8545)),
    chainKeys: config.chainKeys,
    privacy: config.privacy,
    publicRows: config.publicRows,
    walletKeks: config.walletKeks,
    disputeWindowS: config.disputeWindowS,
    random: trueRandom,
    alarm: (text) => logger.error({ text }, "chain writer"),
  });
  const accounts = createAccounts({
    db: system.database.db.withTables<AccountTables>(),
    random: (bytes) => trueRandom(bytes, "account"),
    now: () => Math.floor(Date.now() / 1000),
    secret: config.authSecret ?? Buffer.from(trueRandom(32, "auth")).toString("hex"),
    publicUrl,
  });
  const updates = createUpdates();
  const run = inLine();
  const site = living ? await simulated(system, updates, living, flags.days) : await bareService(system, updates);

  const bound = bindUseCases(site.world, { databaseKind: system.database.kind, chain: () => probe(system) }, run);
  const usecases = site.publicGroups.length > 0 ? { ...bound, registerDriver: withDeposit(system, bound) } : bound;
  const api = createApp({
    usecases,
    accounts,
    store: system.store,
    chain: chainView(system),
    updates,
    newId: randomUUID,
    publicGroups: site.publicGroups,
    ...(living?.recorded ? { recorded: living.recorded } : {}),
    publicUrl,
    audit: {
      manifest: { manifest: system.manifest, market: DEFAULT_SETTINGS.market, rpcUrl: system.embedded?.url ?? null },
      texts: sourceTexts(),
      dump: system.database.kind === "pglite" ? () => run(() => system.database.dump()) : null,
    },
    pages: webPages(fileURLToPath(new URL("../dist/web", import.meta.url))),
    logger,
  });
  const serving = await serve(api, config);
  const stop = live(system, site, run);
  await greet(system, serving.url, accounts, site.publicGroups.length > 0);

  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      logger.info({ signal }, "stopping");
      void (async () => {
        await serving.close();
        await stop();
        await system.close();
        process.exit(0);
      })();
    });
}

type Site = {
  readonly world: World;
  readonly publicGroups: readonly string[];
  tick(): Promise<void>;
  save(): Promise<void>;
};

/** The bare service: its own clock, the board as it was when it stopped. */
async function bareService(system: System, updates: World["updates"]): Promise<Site> {
  const clock = createQueueClock<{ readonly kind: "minute" }>(epochSecond(Math.floor(Date.now() / 1000)));
  clock.follow(Date.now);
  const board = await loadBoard(system.store, clock);
  const world: World = {
    ...worldOf(system, DEFAULT_SETTINGS),
    holdsArbiterKey: system.holdsArbiterKey,
    clock,
    board,
    cpo: unreachable,
    ...(updates ? { updates } : {}),
  };
  clock.put(Math.ceil(clock.now() / 60) * 60, { kind: "minute" });
  return {
    world,
    publicGroups: [],
    async tick() {
      for (let event = clock.next(clock.now()); event !== null; event = clock.next(clock.now())) {
        if ("job" in event) await runJob(world, event.job as Job);
        else {
          // A minute that failed is followed by the next one.
          await everyMinute(world).finally(() => clock.put(Math.floor(clock.now() / 60) * 60 + 60, event));
        }
      }
    },
    save: () => saveBoard(system.store, board, clock.now()),
  };
}

/** Without a simulated site, CPO back ends fetch their profiles by the API and answer there. */
const unreachable: World["cpo"] = { sendProfile: async () => undefined };

/** What is replayed and lived; a folder that holds no scenario is refused before anything is opened. */
function livingSite({ site }: Flags): LivingSite | null {
  if (site === "none") return null;
  if (site === "demo") return { name: "demo", from: demoSite };
  const recording = readScenario(site.scenario);
  return {
    name: recording.name,
    recorded: { from: recording.from, until: recording.to },
    from: (from) => inPresent(recording, from, epochSecond(from + DAYS_AHEAD * DAY_S)),
  };
}

/** A simulated site: its last days are history within seconds, then it goes on. */
async function simulated(system: System, updates: World["updates"], living: LivingSite, days: number): Promise<Site> {
  const began = performance.now();
  const run = await liveScenario(system, living, {
    ...{ days, settings: SIMULATED, wall: Date.now },
    more: { holdsArbiterKey: system.holdsArbiterKey, ...(updates ? { updates } : {}) },
    onProgress(share) {
      if (process.stderr.isTTY)
        process.stderr.write(`\rReplaying the last days of ${living.name} ... ${Math.round(100 * share)} %`);
    },
  });
  if (process.stderr.isTTY) process.stderr.write("\n");
  const { world, scenario } = run;
  logger.info(
    { site: scenario.name, seconds: Math.round((performance.now() - began) / 1000) },
    "the simulated site's last days are replayed",
  );
  if (world.clock.now() >= scenario.to)
    logger.warn({ site: scenario.name }, "the simulated site has ended: no car comes by itself any more");
  return {
    world,
    publicGroups: scenario.groups.map((group) => group.id),
    tick: () => run.live(Date.now),
    save: () => system.store.snapshots.save(`replay:${scenario.name}`, world.clock.now(), run.state),
  };
}

/** Who joins the simulated site gets test euros to charge with. */
const withDeposit =
  (system: System, bound: UseCases): UseCases["registerDriver"] =>
  async (wanted) => {
    const driver = await bound.registerDriver(wanted);
    const address = driver.address as Hex;
    await system.store.transaction(async (store) => {
      await store.outbox.enqueue(system.ledger.mintTestEuro(system.treasury, VISITOR_DEPOSIT, `mint:${address}`));
      await store.outbox.enqueue(system.ledger.deposit(address, VISITOR_DEPOSIT, `deposit:${address}`));
    });
    return driver;
  };

/** Everything that changes the live picture goes through one line, one step after the other. */
function inLine(): RunStep {
  let last: Promise<unknown> = Promise.resolve();
  return (step) => {
    const next = last.then(step, step);
    last = next.catch(() => undefined);
    return next;
  };
}

/** The clock ticks and the chain writer writes, until stopped. A failure is logged and the next round tries again. */
function live(system: System, site: Site, run: RunStep): () => Promise<void> {
  let stopped = false;
  let savedAt = 0;
  const repeat = async (everyMs: number, what: string, work: () => Promise<unknown>) => {
    while (!stopped) {
      await work().catch((error: unknown) => logger.error({ err: error }, what));
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  const ticking = repeat(TICK_MS, "a tick failed", () =>
    run(async () => {
      await site.tick();
      if (Date.now() - savedAt < 60_000) return;
      savedAt = Date.now();
      await site.save();
    }),
  );
  const writing = repeat(WRITER_MS, "the chain writer failed", () => system.writer.pass());
  const following = repeat(FOLLOW_MS, "the chain could not be followed", () =>
    Promise.all([followDisputes(site.world, system.watch, run), run(() => giveUpPayouts(site.world))]),
  );
  let lookAtMs = 0;
  const reconciling = repeat(FOLLOW_MS, "database and chain could not be compared", async () => {
    if (Date.now() < lookAtMs) return;
    // Also after a failure: not at once again.
    lookAtMs = Date.now() + RECHECK_MS;
    const done = await reconcile(site.world, system.totals, run);
    const subjects = done?.differences.map(({ subject }) => subject) ?? [];
    if (subjects.length > 0) logger.warn({ subjects, block: done?.block }, "database and chain differ");
    if (done?.settled) lookAtMs = Date.now() + RECONCILE_MS;
  });
  return async () => {
    stopped = true;
    await Promise.all([ticking, writing, following, reconciling]);
    await run(() => site.save()).catch((error: unknown) =>
      logger.error({ err: error }, "the last state was not saved"),
    );
  };
}

async function probe(system: System): Promise<{ chainId: number; block: number }> {
  const [answer] = await system.rpc.ask([call("eth_blockNumber")]);
  return { chainId: system.rpc.chainId, block: Number(resultOf<Hex>("eth_blockNumber", answer)) };
}

/** The port, or any free one when somebody else has it. */
const freePort = (port: number) =>
  new Promise<number>((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(0));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(port)));
  });

/** Secrets have no defaults where something is kept; in memory they are random and end with the process. */
function requireSecrets(config: Config): void {
  if (!config.databaseUrl) return;
  const missing = [config.authSecret ? null : "AUTH_SECRET", config.walletKeks ? null : "WALLET_KEKS"].filter(
    (name) => name !== null,
  );
  if (missing.length > 0)
    throw new Error(
      `${missing.join(" and ")} must be set where DATABASE_URL keeps accounts and wallets. README's table says how.`,
    );
}

/** What a newcomer needs to know: where to look, and how to check. */
async function greet(
  system: System,
  url: string,
  accounts: ReturnType<typeof createAccounts>,
  simulated: boolean,
): Promise<void> {
  const lines = [
    `Oli Move is running.`,
    `  open           ${url}/   to charge, to operate, to check`,
    `  API            ${url}/docs`,
    `  health         ${url}/health`,
  ];
  if (system.embedded?.url)
    lines.push(`  chain          ${system.embedded.url} (JSON-RPC, chain ${system.rpc.chainId})`);
  if (system.database.kind === "postgres") lines.push("  accounts       npm run accounts");
  else {
    const { token } = await accounts.createKey({ name: "auditor at the keyboard", cpoId: null, purpose: "audit" });
    lines.push(
      "  kept           nothing: database and chain are in memory and end with this process",
      `  check it all   npm run verify -- --service ${url} --key ${token}`,
    );
    if (simulated) {
      const password = Buffer.from(trueRandom(9, "staff")).toString("base64url");
      await accounts.ensureStaff({ email: "operator@example.org", name: "Operator", password, cpoId: "cpo" });
      await accounts.ensureAccount({ email: "arbiter@example.org", name: "Arbiter", password, kind: "arbiter" });
      lines.push(
        `  CPO staff      operator@example.org, password ${password}`,
        "  arbiter        arbiter@example.org, the same password",
      );
    }
  }
  console.log(lines.join("\n"));
}

await start().catch((error: Error) => {
  console.error(`Oli Move did not start: ${error.message}`);
  process.exit(1);
});
