/** The totals that are reconciled, on the real contracts: after a replayed day, and while blocks are replaced. */
import { expect } from "chai";
import { sql } from "kysely";
import { createChainTally } from "../../../backend/adapters/chain/chainTally.ts";
import { type Rpc, RpcUnavailable, request } from "../../../backend/adapters/chain/rpc.ts";
import { createBooks } from "../../../backend/adapters/store/bookTotals.ts";
import type { OpenDatabase } from "../../../backend/adapters/store/database.ts";
import { auditSystem } from "../../../backend/auditSystem.ts";
import { chainTotals } from "../../../backend/chainTotals.ts";
import { DEFAULT_SETTINGS, derivedRandom, openSystem, type System } from "../../../backend/compose.ts";
import { epochSecond, microEur } from "../../../backend/domain/units.ts";
import { replayScenario } from "../../../backend/replay/replayScenario.ts";
import { readScenario } from "../../../backend/replay/scenario.ts";
import { createBoard } from "../../../backend/usecases/board.ts";
import { health } from "../../../backend/usecases/health.ts";
import { tenantGroup } from "../../../backend/usecases/ledgerPort.ts";
import type { World } from "../../../backend/usecases/ports.ts";
import { differencesOf, lastReconciliation, reconcile } from "../../../backend/usecases/reconcile.ts";
import { SUBJECTS } from "../../../backend/usecases/totalsPort.ts";
import { startAnvil } from "../../support/anvil.ts";
import { type AuditedReplay, auditedReplay } from "../../support/auditedReplay.ts";
import { openTestDatabase, tamper, urlOf, whyNoPostgres } from "../../support/databases.ts";
import { SAMPLE, shortened } from "../../support/replays.ts";

const GROUP = 1;
const CPO = 1;

describe("The totals of a replayed day", function () {
  this.timeout(300_000);
  let replay: AuditedReplay;
  const tallyOf = ({ rpc, contracts, treasury }: System, over: Partial<Rpc> = {}) =>
    createChainTally({ ...rpc, ...over }, contracts, 0, treasury);
  before(async () => {
    replay = await auditedReplay();
  });

  it("are the same in the database, in the events and in the contracts", async () => {
    const { system, rows } = replay;
    const seen = await tallyOf(system).since(null);
    const books = await createBooks(system.database.db).until(seen!.block);
    expect(differencesOf(books, seen!.events, seen!.contracts)).to.deep.equal([]);

    const lines = await system.reader.billed();
    const sum = (of: (line: (typeof lines)[number]) => bigint) => lines.reduce((total, line) => total + of(line), 0n);
    expect(books).to.deep.include({
      [SUBJECTS.records(GROUP)]: BigInt((await system.reader.runs(GROUP)).length),
      [SUBJECTS.bills(CPO)]: BigInt(lines.length),
      [SUBJECTS.billed(CPO)]: sum(({ amount }) => amount),
      [SUBJECTS.flex(CPO)]: sum(({ flex }) => BigInt(flex)),
    });
    const [deposits] = await rows<{ n: number }>("select count(*)::int as n from outbox where call = 'deposit'");
    expect(deposits!.n).to.be.above(5);
    const tenant = tenantGroup(CPO);
    const mayBeNone = [SUBJECTS.credited(CPO), SUBJECTS.records(tenant), SUBJECTS.lastSlot(tenant)];
    for (const [subject, total] of Object.entries(books))
      expect(total > 0n || mayBeNone.includes(subject), subject).to.equal(true);
    expect(seen!.contracts[SUBJECTS.held]! > 0n).to.equal(true);
  });

  const FORGERIES: readonly (readonly [string, string])[] = [
    ["update settlement set amount_micro_eur = amount_micro_eur + 1 where batch = 1", SUBJECTS.billed(CPO)],
    ["update settlement set flex_wh = flex_wh + 1 where batch = 1", SUBJECTS.flex(CPO)],
    ["delete from settlement where batch = 1", SUBJECTS.bills(CPO)],
    ["delete from batch", SUBJECTS.batches(CPO)],
    ["delete from recorded_slot where slot = (select min(slot) from recorded_slot)", SUBJECTS.records(GROUP)],
    ["delete from recorded_slot where slot = (select max(slot) from recorded_slot)", SUBJECTS.lastSlot(GROUP)],
    [`update outbox set args = '{"amount": "1"}' where call = 'deposit'`, SUBJECTS.deposited],
  ];
  for (const [statement, subject] of FORGERIES)
    it(`name what ${statement} changed`, async () => {
      const { system } = replay;
      const seen = await tallyOf(system).since(null);
      const undo = new Error("undo");
      let subjects: string[] = [];
      const work = system.database.db.transaction().execute(async (trx) => {
        await sql`set local session_replication_role = replica`.execute(trx);
        await sql.raw(statement).execute(trx);
        const books = await createBooks(trx).until(seen!.block);
        subjects = differencesOf(books, seen!.events, seen!.contracts).map((one) => one.subject);
        throw undo;
      });
      await work.catch((error) => {
        if (error !== undo) throw error;
      });
      expect(subjects).to.include(subject);
    });

  it("leave out what lies behind the block", async () => {
    const { system, rows } = replay;
    const [middle] = await rows<{ block: number }>(
      "select (percentile_disc(0.5) within group (order by block_no))::int as block from outbox where call = 'record'",
    );
    const books = await createBooks(system.database.db).until(middle!.block);
    const runs = (await system.reader.runs(GROUP)).filter(({ block }) => block <= middle!.block);
    expect(books[SUBJECTS.records(GROUP)]).to.equal(BigInt(runs.length));
  });

  it("are read on from the last look: old blocks once", async () => {
    const { system } = replay;
    const asked: string[] = [];
    const tally = tallyOf(system, {
      ask: (calls) => {
        for (const { method, params } of calls)
          if (method === "eth_getLogs") asked.push((params[0] as { fromBlock: string }).fromBlock);
        return system.rpc.ask(calls);
      },
    });
    const first = await tally.since(null);
    expect(Number(asked[0])).to.equal(system.contracts.fromBlock);
    const again = await tally.since(first);
    expect(asked).to.have.length(1);
    expect(again).to.deep.equal(first);
    const half = { ...first!, block: first!.block - 2, hash: `0x${"00".repeat(32)}` as const };
    expect(await tally.since(half), "a block that is not there any more: all anew").to.deep.equal(first);
  });

  it("are not read when the block changes meanwhile", async () => {
    const { system } = replay;
    let looks = 0;
    const tally = tallyOf(system, {
      ask: async (calls) =>
        (await system.rpc.ask(calls)).map((answer, i) =>
          calls[i]?.method === "eth_getBlockByNumber" && answer.ok
            ? { ok: true, result: { ...(answer.result as object), hash: `0x${`${looks++}`.padStart(64, "0")}` } }
            : answer,
        ),
    });
    const error = await tally.since(null).catch((caught) => caught);
    expect(error).to.be.instanceOf(RpcUnavailable);
    expect(String(error)).to.match(/was replaced while its events were read/);
  });
});

describe("The reconciliation while blocks are replaced", function () {
  this.timeout(120_000);

  it("raises an incident for a deposit that the chain forgot, and ends it when the writer has sent it again", async function () {
    const anvil = await startAnvil({ mines: true, funded: [], accounts: 10 });
    if (anvil === null) return this.skip();
    const system = await openSystem({ chainRpcUrls: [anvil.url], random: derivedRandom("reconcile test") });
    try {
      const { rpc, ledger, store, treasury, contracts, writer } = system;
      const enqueue = async (...calls: Parameters<typeof store.outbox.enqueue>[0][]) => {
        for (const one of calls) await store.outbox.enqueue(one);
        return writer.drain();
      };
      const sources = {
        tally: createChainTally(rpc, contracts, 0, treasury),
        books: createBooks(system.database.db),
      };
      const look = () => reconcile({ store, clock: { now: () => epochSecond(1_800_000_000) } as never }, sources);
      const deposit = (n: number) => ledger.deposit(treasury, microEur(BigInt(n)), `deposit:${n}`);
      await enqueue(ledger.mintTestEuro(treasury, microEur(1_000n), "mint"), ledger.approveDeposits(), deposit(10));
      for (let i = 0; i < 3; i++) await request(rpc, "evm_mine");
      expect((await look())?.differences).to.deep.equal([]);
      await enqueue(deposit(7));
      expect(await look()).to.deep.include({ differences: [], settled: true });

      // The block of the second deposit is replaced by an empty one, which counts as final here.
      await request(rpc, "anvil_reorg", 1, []);
      await request(rpc, "anvil_dropAllTransactions");
      const found = await look();
      expect(found).to.include({ settled: false });
      expect(found?.differences).to.deep.equal([
        { subject: SUBJECTS.deposited, database: 17n, events: 10n, contracts: null },
      ]);
      await look();
      expect((await store.incidents.since(epochSecond(0))).map(({ kind, text }) => `${kind}: ${text}`)).to.deep.equal([
        `chain: Database and chain differ on ${SUBJECTS.deposited} as of block ${found?.block}: the database has 17, ` +
          "the chain's events say 10. Run npm run verify to find where.",
      ]);

      // What follows waits until the lane has found out and has sent the same bytes again.
      await enqueue(deposit(1));
      for (let i = 0; i < 10 && (await writer.status()).open > 0; i++) await writer.pass();
      expect(await look()).to.deep.include({ differences: [], settled: true });
      expect((await store.incidents.since(epochSecond(0))).at(-1)?.text).to.match(/agree again/);
      expect(await lastReconciliation(store)).to.include({ differences: 0 });
    } finally {
      await system.close();
      await anvil.stop();
    }
  });
});

describe("The totals on PostgreSQL", function () {
  this.timeout(300_000);
  let database: OpenDatabase;
  let system: System;
  before(async function () {
    if (whyNoPostgres() !== null) return this.skip();
    database = await openTestDatabase("postgres");
    system = await openSystem({ database: { url: await urlOf(database) }, random: derivedRandom("reconcile test") });
    await replayScenario(system, {
      scenario: readScenario(shortened(SAMPLE, 12)),
      settings: DEFAULT_SETTINGS,
      version: "test",
      totals: () => chainTotals(system),
      audit: () => auditSystem(system, { market: DEFAULT_SETTINGS.market }),
    });
  });
  after(async () => {
    await system?.close();
    await database?.close();
  });
  const clock = { now: () => epochSecond(1_900_000_000) } as World["clock"];
  const look = () => reconcile({ store: system.store, clock }, system.totals);
  const told = async () => (await system.store.incidents.since(clock.now())).map(({ text }) => text);

  it("are the chain's, look after look", async () => {
    for (const _ of [1, 2])
      expect(await look())
        .to.include({ settled: true })
        .and.have.property("differences").that.is.empty;
    const block = (await look())!.block;
    const books = await system.totals.books.until(block);
    expect(books[SUBJECTS.bills(CPO)]! > 0n && books[SUBJECTS.billed(CPO)]! > 0n).to.equal(true);
    expect(await told()).to.deep.equal([]);
  });

  it("become an incident when one changes, and none any more when it is put right", async () => {
    const change = (by: string) =>
      tamper(database.db, `update settlement set amount_micro_eur = amount_micro_eur ${by}`);
    const before = (await system.totals.books.until((await look())!.block))[SUBJECTS.billed(CPO)]!;
    const bills = (await system.totals.books.until((await look())!.block))[SUBJECTS.bills(CPO)]!;
    // Above what a JavaScript number can hold.
    await change("+ 9007199254740993");
    expect(await look()).to.include({ settled: false });
    expect(await told()).to.deep.equal([]);
    await look();
    const [first, ...more] = await told();
    expect(more).to.deep.equal([]);
    expect(first).to.contain(`the database has ${before + bills * 9_007_199_254_740_993n}, `);
    expect(await lastReconciliation(system.store)).to.include({ differences: 1 });
    const world = { store: system.store, clock, board: createBoard() };
    const seen = await health(world, { databaseKind: "postgres", chain: async () => ({ chainId: 31_337, block: 1 }) });
    expect(seen.reconciliation).to.include({ differences: 1 });
    expect(seen.incidents).to.include({ chain: 1 });

    await change("- 9007199254740993");
    await look();
    expect((await told()).at(-1)).to.match(/agree again on micro-euro billed/);
    expect(await lastReconciliation(system.store)).to.include({ differences: 0 });
  });
});
