/** Privacy "tenant-root" end to end: two groups of one CPO, one run per slot on chain, and nobody can change what is under it. */
import { expect } from "chai";
import { createChainTally } from "../../backend/adapters/chain/chainTally.ts";
import { linkOf, saltedLeaf } from "../../backend/adapters/chain/commitments.ts";
import { call, type Hex, resultOf } from "../../backend/adapters/chain/rpc.ts";
import { createBooks } from "../../backend/adapters/store/bookTotals.ts";
import { formatInstant } from "../../backend/domain/instants.ts";
import { slotStart } from "../../backend/domain/slots.ts";
import type { EpochSecond } from "../../backend/domain/units.ts";
import { auditBundle, type BundleReport } from "../../backend/usecases/auditBundle.ts";
import { type Bundle, bundleOut, readBundle } from "../../backend/usecases/bundle.ts";
import { driverBundle } from "../../backend/usecases/driverBundle.ts";
import { tenantGroup } from "../../backend/usecases/ledgerPort.ts";
import type { ChainEye, RunRecord } from "../../backend/usecases/ports.ts";
import { differencesOf } from "../../backend/usecases/reconcile.ts";
import { rowsText } from "../../backend/usecases/recordSlot.ts";
import { proofWithin, tenantRun } from "../../backend/usecases/sealSlots.ts";
import { SUBJECTS } from "../../backend/usecases/totalsPort.ts";
import { type AuditedReplay, auditedReplay, expectNamed } from "../support/auditedReplay.ts";
import { sightings } from "../support/observer.ts";

const CPO = 1;
const ALL = tenantGroup(CPO);
const NUMBER = { garage: 1, yard: 2 } as const;
const WRONG: Hex = `0x${"5a".repeat(32)}`;

const slotOf = (who: string, slot: number) =>
  `recorded slot ${slot} of ${who} (${formatInstant(slotStart(slot) as EpochSecond)})`;
const ofAll = (slot: number) => slotOf("all groups of cpo", slot);
const literal = (value: unknown) => `'${JSON.stringify(value).replaceAll("'", "''")}'`;

describe("One run for all groups of a CPO", function () {
  this.timeout(300_000);
  let replay: AuditedReplay;
  /** As the chain shows them. */
  let runs: readonly RunRecord[];
  /** A slot in the middle, and the groups' own runs in it. */
  let slot: number;
  let members: readonly RunRecord[];

  before(async () => {
    replay = await auditedReplay("least-cost", "tenant-root", 2);
    runs = await replay.eye.runs();
    slot = runs[Math.floor(runs.length / 2)]!.slot;
    members = await replay.system.store.plans.sealedRuns("cpo", slot, slot + 1);
  });

  describe("on chain", () => {
    it("is one transaction per slot, all of one size, whoever came or left", async () => {
      const { rpc, reader, store } = { ...replay.system };
      const found = await reader.runs();
      expect(new Set(found.map(({ group }) => group))).to.deep.equal(new Set([ALL]));
      expect(found.map((run) => run.slot)).to.deep.equal(found.map((_, i) => found[0]!.slot + i));
      expect(found.length).to.equal((await store.plans.records("yard")).length);
      expect(new Set(found.map(({ tx }) => tx)).size).to.equal(found.length);
      const sent = await rpc.ask(found.map(({ tx }) => call("eth_getTransactionByHash", tx)));
      const sizes = sent.map((one) => resultOf<{ input: Hex }>("eth_getTransactionByHash", one).input.length);
      expect(new Set(sizes).size).to.equal(1);
      const receipts = await rpc.ask(found.slice(1).map(({ tx }) => call("eth_getTransactionReceipt", tx)));
      const gas = receipts.map((one) => Number(resultOf<{ gasUsed: Hex }>("eth_getTransactionReceipt", one).gasUsed));
      // As much as any run without rows; 0 is cheaper as data than a hash.
      expect(Math.max(...gas), `gas ${Math.min(...gas)} to ${Math.max(...gas)}`).to.be.below(57_000);
      console.log(`      (record: ${Math.min(...gas)} to ${Math.max(...gas)} gas)`);
    });

    it("shows a stranger nobody, not even how many groups there are in it", async () => {
      expect(await sightings(replay.system.reader)).to.deep.equal([]);
      const zero = `0x${"00".repeat(32)}`;
      for (const { algorithm, problem, plan, value, earlier, rows } of runs)
        expect([problem, plan, value, earlier, rows, algorithm]).to.deep.equal([
          ...[zero, zero, zero, zero, "0x", replay.system.ledger.versions["least-cost"]],
        ]);
      expect(new Set(runs.map(({ root }) => root)).size).to.equal(runs.length);
      const guesses = members.flatMap(({ problem, plan, root }) => [problem, plan, root]);
      for (const { root } of runs) expect(guesses).not.to.include(root);
    });

    it("contains each group's run, says the contract, and no other", async () => {
      const { reader, ledger } = replay.system;
      const at = runs.findIndex((run) => run.slot === slot);
      const before = replay.eye.chainOf(runs.slice(0, at));
      const later = runs.slice(at + 1).map((run) => linkOf(run));
      const proves = async (run: RunRecord, proof: readonly Hex[]) =>
        (await reader.ask("SlotLedger", "provesWithin", [before, runs[at], later, run, proof]))[0] as boolean;
      expect(members).to.have.length(2);
      for (const run of members) {
        const proof = proofWithin(ledger, members, run.group);
        expect(await proves(run, proof)).to.equal(true);
        expect(await proves({ ...run, value: WRONG }, proof)).to.equal(false);
        expect(await proves(run, [WRONG])).to.equal(false);
      }
    });
  });

  describe("for the audit", () => {
    /** The chain as it would be if it had always said this: also its heads. */
    const saying = (said: readonly RunRecord[]): ChainEye => ({
      ...replay.eye,
      runs: async () => said,
      head: async (group) => {
        const own = said.filter((run) => run.group === group);
        return { slot: own.at(-1)?.slot ?? 0, chain: replay.eye.chainOf(own) };
      },
    });
    const instead = (root: Hex, rest: Partial<RunRecord> = {}) =>
      runs.map((run) => (run.slot === slot ? { ...run, ...rest, root } : run));
    const own = (group: keyof typeof NUMBER) => members.find((run) => run.group === NUMBER[group])!;
    const made = (...of: readonly RunRecord[]) => tenantRun(replay.system.ledger, CPO, of).root;
    const setRun = (group: string, run: unknown) =>
      `update recorded_slot set run = ${literal(run)} where group_id = '${group}' and slot = ${slot}`;

    it("is nothing that is in its way: it looks at the same as where each group has a root of its own", async () => {
      const { honest } = replay;
      const single = (await auditedReplay("least-cost", "root", 2)).honest;
      expect([honest.differences, single.differences]).to.deep.equal([[], []]);
      const checks = (of: typeof honest) => of.table.map(({ check }) => check);
      expect(checks(honest).filter((check) => check !== "roots of all groups")).to.deep.equal(checks(single));
      expect(honest.runsChecked).to.equal(2 * runs.length);
      for (const counted of ["runsChecked", "plansChecked", "billsChecked", "leavesChecked"] as const)
        expect(honest[counted], counted).to.equal(single[counted]);
    });

    it("is judged in parts: a group, a session, a time", async () => {
      const [stay] = await replay.rows<{ id: string }>(
        "select session_id as id from settlement join charging_session s on s.id = session_id where s.group_id = 'yard' limit 1",
      );
      const until = slotStart(slot);
      for (const part of [{ group: "yard" }, { group: "garage", until }, { session: stay!.id }, { from: until }])
        expect((await replay.auditAfter([], { part })).differences, JSON.stringify(part)).to.deep.equal([]);
      const chain = saying(instead(made(own("garage"))));
      expectNamed(
        await replay.auditAfter([], { chain, part: { group: "yard" } }),
        slotOf("yard", slot),
        "is not under",
      );
      expect((await replay.auditAfter([], { chain, part: { group: "yard", until } })).differences).to.deep.equal([]);
    });

    it("names the group whose run was left out", async () => {
      for (const [left, kept] of [
        ["yard", "garage"],
        ["garage", "yard"],
      ] as const) {
        const report = await replay.auditAfter([], { chain: saying(instead(made(own(kept)))) });
        expectNamed(report, slotOf(left, slot), "is not under the root of all groups that is on chain");
        expect(report.differences).to.have.length(1);
      }
    });

    it("names the slot in which a run was put in, or changed on chain", async () => {
      const more = { ...own("yard"), group: 3 };
      for (const root of [made(...members, more), made(own("garage"), { ...own("yard"), value: WRONG }), WRONG]) {
        const report = await replay.auditAfter([], { chain: saying(instead(root)) });
        expectNamed(report, ofAll(slot), /^the runs of garage, yard lead to the root .*, the chain has /);
        expect(report.differences).to.have.length(1);
      }
    });

    it("names the slot whose run is missing, and the hash chain when an event was removed", async () => {
      const without = runs.filter((run) => run.slot !== slot);
      const report = await replay.auditAfter([], { chain: { ...replay.eye, runs: async () => without } });
      expectNamed(report, "all groups of cpo", "do not lead to the head of the contract's hash chain");
      expectNamed(report, ofAll(slot), "is not on chain; the store has runs of garage, yard under its root");
      for (const group of ["garage", "yard"])
        expectNamed(report, slotOf(group, slot), "is in the store, but not on chain");
      const never = await replay.auditAfter([], { chain: saying(without) });
      expectNamed(never, ofAll(slot), "is not on chain");
      const swapped = runs.map((run, i) =>
        run.slot === slot ? runs[i + 1]! : runs[i - 1]?.slot === slot ? runs[i - 1]! : run,
      );
      const reordered = await replay.auditAfter([], { chain: { ...replay.eye, runs: async () => swapped } });
      expectNamed(reordered, "all groups of cpo", "do not lead to the head");
    });

    it("names records that were changed, with whatever hangs on them in the store", async () => {
      const record = (await replay.system.store.plans.records("yard", slot, slot + 1))[0]!;
      const rows = record.rows.slice(0, -1) + (record.rows.endsWith("0") ? "1" : "0");
      const text = rowsText(NUMBER.yard, slot, rows);
      const leaves = record.leaves.map((leaf) => (leaf.text.includes('"kind":"rows"') ? { ...leaf, text } : leaf));
      const root = replay.system.ledger.merkleRoot(leaves.map((leaf) => saltedLeaf(leaf.salt as Hex, leaf.text)));
      expect(root).not.to.equal(record.root);
      const report = await replay.auditAfter([
        `update recorded_slot set rows = '${rows}', leaves = ${literal(leaves)}, root = '${root}',
           run = ${literal({ ...record.run, root })} where group_id = 'yard' and slot = ${slot}`,
      ]);
      expectNamed(report, ofAll(slot), "lead to the root");

      for (const field of ["problem", "plan", "value", "algorithm"] as const) {
        const changed = await replay.auditAfter([setRun("yard", { ...record.run, [field]: WRONG })]);
        expectNamed(changed, ofAll(slot), "lead to the root", field);
        expectNamed(changed, `plan ${record.planId}`, "", field);
      }
      const earlier = await replay.auditAfter([setRun("yard", { ...record.run, earlier: WRONG })]);
      expectNamed(earlier, ofAll(slot), "lead to the root");
      expectNamed(
        await replay.auditAfter([setRun("yard", own("garage"))]),
        slotOf("yard", slot),
        "group of its run is 1",
      );
      expectNamed(
        await replay.auditAfter([setRun("yard", { ...record.run, slot: 1 })]),
        slotOf("yard", slot),
        "slot of its run",
      );
      expectNamed(
        await replay.auditAfter([setRun("yard", { group: 2, slot })]),
        slotOf("yard", slot),
        "cannot be checked",
      );
    });

    it("names records that were taken away, and those that pretend to be recorded by themselves", async () => {
      const alone = `update recorded_slot set run = null where group_id = 'yard' and slot = ${slot}`;
      const report = await replay.auditAfter([alone]);
      expectNamed(report, slotOf("yard", slot), "is in the store, but not on chain");
      expectNamed(report, ofAll(slot), "the runs of garage lead to the root");
      const gone = await replay.auditAfter([`delete from recorded_slot where group_id = 'yard' and slot = ${slot}`]);
      expectNamed(gone, ofAll(slot), "the runs of garage lead to the root");
      const both = await replay.auditAfter(
        ["garage", "yard"].map((group) => `delete from recorded_slot where group_id = '${group}' and slot = ${slot}`),
      );
      expectNamed(both, ofAll(slot), "is on chain, but the store has no run under its root");
      expectNamed(both, "group yard", "have no record");
    });

    it("accepts a group's run by itself where it came too late for all, and no second one", async () => {
      const late = own("yard");
      const chain = saying([...instead(made(own("garage"))), late]);
      const alone = `update recorded_slot set run = null where group_id = 'yard' and slot = ${slot}`;
      expect((await replay.auditAfter([alone], { chain })).differences).to.deep.equal([]);
      const twice = await replay.auditAfter([], { chain: saying([...runs, late]) });
      expectNamed(twice, slotOf("yard", slot), "is on chain by itself, and under the root of all groups as well");
    });

    it("names a run for all groups that says more than its root, or whose number is somebody else's", async () => {
      for (const [field, value] of [
        ["problem", WRONG],
        ["earlier", WRONG],
        ["rows", "0x00"],
        ["algorithm", WRONG],
      ] as const) {
        const [one] = instead(made(...members), { [field]: value }).filter((run) => run.slot === slot);
        const chain = saying(runs.map((run) => (run.slot === slot ? one! : run)));
        expectNamed(await replay.auditAfter([], { chain }), ofAll(slot), `${field} is`);
      }
      const groups = await replay.eye.groups();
      const without = { ...replay.eye, groups: async () => groups.filter(({ group }) => group !== ALL) };
      expectNamed(
        await replay.auditAfter([], { chain: without }),
        "all groups of cpo",
        "is registered for is null, not 1",
      );
      const others = {
        ...replay.eye,
        groups: async () => groups.map((one) => (one.group === ALL ? { ...one, cpo: 2 } : one)),
      };
      expectNamed(await replay.auditAfter([], { chain: others }), "all groups of cpo", "is registered for is 2, not 1");
      const assets = await replay.eye.assets();
      const own = { ...replay.eye, assets: async () => [...assets, { ...assets[0]!, group: ALL }] };
      expectNamed(await replay.auditAfter([], { chain: own }), "all groups of cpo", "assets of its own is 1");
    });

    it("waits in a live system for what is not sealed or not sent yet, and for nothing else", async () => {
      const last = runs.at(-1)!.slot;
      const chain = saying(runs.filter((run) => run.slot < last));
      const live = await replay.auditAfter([], { chain, live: true });
      expect(live.differences).to.deep.equal([]);
      for (const group of ["garage", "yard"])
        expect(live.notes.join("\n")).to.contain(
          `${group}: 1 records of the store are not on chain yet, from slot ${last} on`,
        );
      expectNamed(await replay.auditAfter([], { chain }), ofAll(last), "is not on chain");
      const hole = saying(runs.filter((run) => run.slot !== slot));
      expectNamed(await replay.auditAfter([], { chain: hole, live: true }), ofAll(slot), "is not on chain");
    });
  });

  describe("for a driver", () => {
    let bundles: Bundle[];
    /** Of a driver in the yard. */
    let bundle: Bundle;
    before(async () => {
      const { store, ledger } = replay.system;
      const clock = { now: () => 1_777_999_999 };
      bundles = [];
      for (const driver of await store.drivers.all()) {
        const sessions = await store.sessions.ofDriver(driver.id, 100);
        bundles.push(await driverBundle({ store, ledger, clock } as never, driver.id, sessions));
      }
      bundle = bundles.find(({ sessions: [one] }) => one?.group === NUMBER.yard && one.slots.length > 4)!;
    });
    const check = (of: Bundle, chain: ChainEye | null = null) => auditBundle(of, replay.system.ledger, chain);
    const tampered = (change: (file: any) => void, chain: ChainEye | null = null) => {
      const file = JSON.parse(JSON.stringify(bundleOut(bundle)));
      change(file);
      return check(readBundle(file), chain);
    };
    function expectFound({ differences }: BundleReport, where: string, words: string, what = ""): void {
      const all = differences.map((one) => `${one.where}: ${one.text}`);
      const found = differences.some((one) => one.where === where && one.text.includes(words));
      expect(found, `${what} ${where} ${words} among\n${all.join("\n")}\n`).to.equal(true);
    }
    const place = () => {
      const { slots, rows } = bundle.sessions[0]!;
      const s = Math.floor(slots.length / 2);
      return {
        s,
        slot: slots[s]!.slot,
        where: `recorded slot ${slots[s]!.slot}, session ${JSON.parse(rows.session).id}`,
      };
    };

    it("leads from the driver's own leaves to a root on chain, and is honest for every driver", async () => {
      for (const of of bundles)
        for (const chain of [null, replay.eye]) expect((await check(of, chain)).differences).to.deep.equal([]);
      const within = bundles.flatMap(({ sessions }) => sessions.flatMap(({ slots }) => slots.map((one) => one.within)));
      expect(within.length).to.be.above(50);
      expect(within.filter((one) => one?.proof.length === 1)).to.have.length(within.length);
    });

    it("shows a byte that was changed between leaf and root, off line, and a root that is none on chain", async () => {
      const { s, where } = place();
      for (const field of ["algorithm", "problem", "plan", "value", "earlier", "root"]) {
        const report = await tampered((file) => (file.sessions[0].slots[s].within[field] = WRONG));
        expectFound(report, where, "root of all groups by its proof is", field);
      }
      const sibling = await tampered((file) => (file.sessions[0].slots[s].within.proof = [WRONG]));
      expectFound(sibling, where, "root of all groups by its proof is");
      const forged = runs.map((run) => ({ ...run, root: WRONG }));
      const others = await check(bundle, { ...replay.eye, runs: async () => forged });
      expectFound(others, where, "root of all groups is");
      expectFound(others, "all groups of CPO 1", "do not lead to the head");
      const alone = await tampered((file) => (file.sessions[0].slots[s].within = null), replay.eye);
      expectFound(alone, where, "is not on chain");
    });

    it("shows a slot of the stay that was left out", async () => {
      const { s, where } = place();
      const report = await tampered((file) => file.sessions[0].slots.splice(s, 1), replay.eye);
      expectFound(report, where, "but not in the bundle");
    });
  });

  describe("in the totals that are reconciled", () => {
    const look = async () => {
      const { rpc, contracts, treasury, database } = replay.system;
      const seen = (await createChainTally(rpc, contracts, 0, treasury).since(null))!;
      const books = await createBooks(database.db).until(seen.block);
      return { seen, books, differences: differencesOf(books, seen.events, seen.contracts) };
    };

    it("counts once, under the number of all groups; the groups' own have none", async () => {
      const { books, differences } = await look();
      expect(differences).to.deep.equal([]);
      expect(books).to.deep.include({
        [SUBJECTS.records(ALL)]: BigInt(runs.length),
        [SUBJECTS.lastSlot(ALL)]: BigInt(runs.at(-1)!.slot),
        [SUBJECTS.records(1)]: 0n,
        [SUBJECTS.records(2)]: 0n,
      });
    });

    it("is missed when the store has no record of a slot any more", async () => {
      const { seen } = await look();
      const undo = new Error("undo");
      let found: readonly string[] = [];
      await replay.system.database.db
        .transaction()
        .execute(async (trx) => {
          await trx.deleteFrom("recorded_slot").where("slot", "=", slot).execute();
          found = differencesOf(await createBooks(trx).until(seen.block), seen.events, seen.contracts).map(
            (one) => one.subject,
          );
          throw undo;
        })
        .catch((error) => {
          if (error !== undo) throw error;
        });
      expect(found).to.deep.equal([SUBJECTS.records(ALL)]);
    });
  });
});
