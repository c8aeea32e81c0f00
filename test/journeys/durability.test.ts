/**
 * PostgreSQL and a node of its own hold everything that counts: the replay there gives the report of the embedded
 * default, and a process that is killed again and again, at whatever it is doing, ends in the same report and the same rows.
 *
 * The short form runs the first hours of the sample. The long one:
 *   DURABILITY_SCENARIO=DIR [DURABILITY_SEED=7] [DURABILITY_KILLS=12] npx mocha test/journeys/durability.test.ts
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect } from "chai";
import { call, type Hex, request, resultOf } from "../../backend/adapters/chain/rpc.ts";
import type { OpenDatabase } from "../../backend/adapters/store/database.ts";
import { auditSystem } from "../../backend/auditSystem.ts";
import { chainTotals } from "../../backend/chainTotals.ts";
import { DEFAULT_SETTINGS, derivedRandom, openSystem } from "../../backend/compose.ts";
import { replayScenario } from "../../backend/replay/replayScenario.ts";
import type { Report } from "../../backend/replay/report.ts";
import { readScenario } from "../../backend/replay/scenario.ts";
import { type TimelessReport, withoutTimings } from "../../backend/replay/withoutTimings.ts";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { openTestDatabase, urlOf, whyNoPostgres } from "../support/databases.ts";
import { factsOf, type ReplayProcess, SAMPLE, seeded, shortened, startReplay } from "../support/replays.ts";

const given = process.env.DURABILITY_SCENARIO;
const SCENARIO = given ?? shortened(SAMPLE, 30);
const SEED = Number(process.env.DURABILITY_SEED ?? 1);
/** Kills at a random block, beside those in the named situations. */
const RANDOM_KILLS = Number(process.env.DURABILITY_KILLS ?? (given ? 8 : 3));
/** Contracts, algorithms and wiring: the transactions of a deployment. */
const DEPLOYMENT = 11;
/** The last bills, offer, pot and redemption have moments of their own. */
const LAST = 6;

type Ran = { readonly report: TimelessReport; readonly facts: Record<string, string> };

describe(`A replay on PostgreSQL and anvil (${basename(SCENARIO)}, seed ${SEED})`, function () {
  this.timeout(given ? 3_600_000 : 300_000);
  let embedded: Ran;

  before(async function () {
    const reason = whyNoPostgres();
    if (reason) {
      console.warn(`      left out: ${reason}`);
      return this.skip();
    }
    embedded = await onEmbeddedDefaults();
  });

  if (given)
    it("gives the report of the embedded default", async () => {
      await outside(async (place) => {
        const replay = place.start();
        expect(await replay.ended, replay.log()).to.equal(0);
        const { report, facts } = await place.left(replay);
        expect(report).to.deep.equal(embedded.report);
        expect(facts).to.deep.equal(embedded.facts);
      });
    });

  it("gives the report of the embedded default, although it is killed again and again", async () => {
    await outside(async (place) => {
      const killed: string[] = [];
      for (const moment of momentsOf(embedded.report)) {
        const replay = place.start();
        await place.kill(replay, moment);
        killed.push(moment.name);
      }
      const last = place.start();
      expect(await last.ended, last.log()).to.equal(0);
      const { report, facts } = await place.left(last);
      expect(report, `killed ${killed.join(", ")}`).to.deep.equal(embedded.report);
      expect(facts, `killed ${killed.join(", ")}`).to.deep.equal(embedded.facts);
    });
  });
});

/* ------------------------------------------------------------------------------------------------ when to kill */

type Seen = {
  readonly db: OpenDatabase["db"];
  /** Transactions whose bytes are in the database, and those that are in a block, the deployment's included. */
  readonly signed: number;
  readonly mined: number;
};

type Moment = { readonly name: string; come(seen: Seen): Promise<boolean> };

/** In the order in which they come. The random ones are a transaction that was just signed, or was just mined. */
function momentsOf(report: TimelessReport): Moment[] {
  const random = seeded(SEED);
  const between = (from: number, to: number) => from + Math.floor(random() * (to - from));
  const { transactions } = report.chain;
  const contracts = between(1, DEPLOYMENT);
  const places = Array.from({ length: RANDOM_KILLS }, () => between(1, transactions - LAST)).sort((a, b) => a - b);
  return [
    { name: `after ${contracts} transactions of the deployment`, come: async ({ mined }) => mined >= contracts },
    ...places.map((n, i): Moment => {
      const [what, least] = i % 2 === 0 ? (["signed", n] as const) : (["mined", n + DEPLOYMENT] as const);
      return { name: `when ${least} transactions were ${what}`, come: async (seen) => seen[what] >= least };
    }),
    { name: "while the last bills are posted", come: ({ db }) => lastBillsWait(db, report.sessions.total) },
    {
      name: "while FLEX is redeemed",
      come: async ({ db }) => (await calls(db).where("call", "=", "redeemBatch").execute()).length > 0,
    },
    {
      name: "when everything is mined",
      come: async ({ mined }) => mined >= transactions + DEPLOYMENT,
    },
  ];
}

const calls = (db: OpenDatabase["db"]) => db.selectFrom("outbox").select("id");

/** Every session is settled and in a batch, and a batch is on its way. */
async function lastBillsWait(db: OpenDatabase["db"], sessions: number): Promise<boolean> {
  const posting = await calls(db).where("call", "=", "post").where("state", "!=", "final").execute();
  const billed = await db.selectFrom("settlement").where("batch", "is not", null).select("session_id").execute();
  return posting.length > 0 && billed.length === sessions;
}

/* ------------------------------------------------------------------------------------------------ where it runs */

async function onEmbeddedDefaults(): Promise<Ran> {
  const scenario = readScenario(SCENARIO);
  const system = await openSystem({ random: derivedRandom(`replay of ${scenario.name}`) });
  try {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    const { report } = await replayScenario(system, {
      scenario,
      settings: { ...DEFAULT_SETTINGS, flexSharePercent: scenario.flexSharePercent },
      version,
      totals: () => chainTotals(system),
      audit: () => auditSystem(system, { market: DEFAULT_SETTINGS.market }),
    });
    return { report: asRead(report), facts: await factsOf(system.database.db) };
  } finally {
    await system.close();
  }
}

const asRead = (report: Report): TimelessReport => withoutTimings(JSON.parse(JSON.stringify(report)) as Report);

type Place = {
  start(): ReplayProcess;
  /** Lets it run until the moment has come, then kills it. Throws when it ended before. */
  kill(replay: ReplayProcess, moment: Moment): Promise<void>;
  left(replay: ReplayProcess): Promise<Ran>;
};

/** A fresh database and a fresh node that outlive every process of the replay. */
async function outside(work: (place: Place) => Promise<void>): Promise<void> {
  const database = await openTestDatabase("postgres");
  let anvil: Anvil | null = null;
  try {
    anvil = await startAnvil({ mines: true, funded: [], accounts: 10 });
    if (anvil === null) throw new Error("anvil did not start within 15 s.");
    const { url, rpc } = anvil;
    const { db } = database;
    const databaseUrl = await urlOf(database);
    const accounts = await request<Hex[]>(rpc, "eth_accounts");
    const seen = async (): Promise<Seen> => {
      const nonces = await rpc.ask(accounts.map((address) => call("eth_getTransactionCount", address, "latest")));
      const mined = nonces.reduce((sum, nonce) => sum + Number(resultOf<Hex>("eth_getTransactionCount", nonce)), 0);
      const { n } = await db.selectFrom("attempt").select(db.fn.countAll().as("n")).executeTakeFirstOrThrow();
      return { db, signed: Number(n), mined };
    };
    await work({
      start: () => startReplay(SCENARIO, { databaseUrl, chainUrl: url }),
      async kill(replay, moment) {
        let running = true;
        replay.ended.then(() => {
          running = false;
        });
        while (running && !(await moment.come(await seen())));
        if (!(await replay.kill()))
          throw new Error(`It ended before the moment came (${moment.name}): ${replay.log()}`);
      },
      async left(replay) {
        const report = withoutTimings(JSON.parse(readFileSync(replay.out, "utf8")) as Report);
        return { report, facts: await factsOf(db) };
      },
    });
  } finally {
    await anvil?.stop();
    await database.close();
  }
}
