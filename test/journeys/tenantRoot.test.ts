/** Privacy "tenant-root" end to end: two groups of one CPO, one run per slot on chain, nobody found there, drivers and totals served. */
import { expect } from "chai";
import { createChainTally } from "../../backend/adapters/chain/chainTally.ts";
import { linkOf } from "../../backend/adapters/chain/commitments.ts";
import { call, type Hex, resultOf } from "../../backend/adapters/chain/rpc.ts";
import { createBooks } from "../../backend/adapters/store/bookTotals.ts";
import { auditBundle, type BundleReport } from "../../backend/usecases/auditBundle.ts";
import { type Bundle, bundleOut, readBundle } from "../../backend/usecases/bundle.ts";
import { driverBundle } from "../../backend/usecases/driverBundle.ts";
import { tenantGroup } from "../../backend/usecases/ledgerPort.ts";
import type { ChainEye, RunRecord } from "../../backend/usecases/ports.ts";
import { differencesOf } from "../../backend/usecases/reconcile.ts";
import { proofWithin } from "../../backend/usecases/sealSlots.ts";
import { SUBJECTS } from "../../backend/usecases/totalsPort.ts";
import { type AuditedReplay, type TenantRuns, tenantRuns } from "../support/auditedReplay.ts";
import { sightings } from "../support/observer.ts";

const CPO = 1;
const ALL = tenantGroup(CPO);
const NUMBER = { garage: 1, yard: 2 } as const;
const WRONG: Hex = `0x${"5a".repeat(32)}`;

describe("One run for all groups of a CPO", function () {
  this.timeout(300_000);
  let replay: AuditedReplay;
  let runs: TenantRuns["runs"];
  let slot: TenantRuns["slot"];
  let members: TenantRuns["members"];

  before(async () => {
    ({ replay, runs, slot, members } = await tenantRuns());
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
        const { proof } = proofWithin(ledger, members, run.group);
        expect(await proves(run, proof)).to.equal(true);
        expect(await proves({ ...run, value: WRONG }, proof)).to.equal(false);
        expect(await proves(run, [WRONG])).to.equal(false);
      }
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
