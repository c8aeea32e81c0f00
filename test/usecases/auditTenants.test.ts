/** Runs under the root of all groups of a CPO, in the audit: whatever is left out, put in, changed or said twice is named. */
import { expect } from "chai";
import { saltedLeaf } from "../../backend/adapters/chain/commitments.ts";
import type { Hex } from "../../backend/adapters/chain/rpc.ts";
import { auditSystem } from "../../backend/auditSystem.ts";
import { chainTotals } from "../../backend/chainTotals.ts";
import { DEFAULT_SETTINGS, derivedRandom, openSystem } from "../../backend/compose.ts";
import { formatInstant } from "../../backend/domain/instants.ts";
import { slotStart } from "../../backend/domain/slots.ts";
import type { EpochSecond } from "../../backend/domain/units.ts";
import { replayScenario } from "../../backend/replay/replayScenario.ts";
import { readScenario } from "../../backend/replay/scenario.ts";
import type { AuditReport } from "../../backend/usecases/audit.ts";
import { tenantGroup } from "../../backend/usecases/ledgerPort.ts";
import type { ChainEye, Privacy, RunRecord } from "../../backend/usecases/ports.ts";
import { rowsText } from "../../backend/usecases/recordSlot.ts";
import { tenantRun } from "../../backend/usecases/sealSlots.ts";
import {
  type AuditedReplay,
  auditedReplay,
  expectNamed,
  type TenantRuns,
  tenantRuns,
} from "../support/auditedReplay.ts";
import { inTwoGroups, SAMPLE, shortened } from "../support/replays.ts";

const CPO = 1;
const ALL = tenantGroup(CPO);
const NUMBER = { garage: 1, yard: 2 } as const;
const WRONG: Hex = `0x${"5a".repeat(32)}`;

const slotOf = (who: string, slot: number) =>
  `recorded slot ${slot} of ${who} (${formatInstant(slotStart(slot) as EpochSecond)})`;
const ofAll = (slot: number) => slotOf("all groups of cpo", slot);
const literal = (value: unknown) => `'${JSON.stringify(value).replaceAll("'", "''")}'`;

describe("The audit of runs under the root of all groups", function () {
  this.timeout(300_000);
  let replay: AuditedReplay;
  let runs: TenantRuns["runs"];
  let slot: TenantRuns["slot"];
  let members: TenantRuns["members"];

  before(async () => {
    ({ replay, runs, slot, members } = await tenantRuns());
  });

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

  it("is nothing that is in its way: it looks at the same as where all is public, for each group", async () => {
    const { honest } = replay;
    expect(honest.differences).to.deep.equal([]);
    // With its own limit the yard refuses nobody.
    const special = ["roots of all groups", "proofs of refusals"];
    const checks = ({ table }: AuditReport) => table.map(({ check }) => check).filter((one) => !special.includes(one));
    const open = (await auditedReplay()).honest;
    expect(checks(honest)).to.deep.equal(checks(open));
    const row = (report: AuditReport) => report.table.find(({ check }) => check === special[0]);
    expect([row(open), row(honest)?.differences]).to.deep.equal([undefined, 0]);
    expect(honest.runsChecked).to.equal(2 * runs.length);
    expect(runs.length).to.equal(open.runsChecked);
  });

  it("is judged in parts: a group, a session, a time", async () => {
    const [stay] = await replay.rows<{ id: string }>(
      "select session_id as id from settlement join charging_session s on s.id = session_id where s.group_id = 'yard' limit 1",
    );
    const until = slotStart(slot);
    for (const part of [{ group: "yard" }, { group: "garage", until }, { session: stay!.id }, { from: until }])
      expect((await replay.auditAfter([], { part })).differences, JSON.stringify(part)).to.deep.equal([]);
    const chain = saying(instead(made(own("garage"))));
    expectNamed(await replay.auditAfter([], { chain, part: { group: "yard" } }), slotOf("yard", slot), "is not under");
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
    const shown = await replay.auditAfter([setRun("yard", { ...record.run, rows: "0x00" })]);
    expectNamed(shown, slotOf("yard", slot), "rows of its run is 0x00");
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

  it("follows a group through all modes, one after the other", async () => {
    const system = await openSystem({ random: derivedRandom("modes") });
    try {
      const modes: readonly Privacy[] = ["root", "tenant-root", "rows", "tenant-root"];
      let privacy = modes[0]!;
      const ledger = Object.defineProperty({ ...system.ledger }, "privacy", { get: () => privacy, enumerable: true });
      let report: AuditReport | undefined;
      await replayScenario(
        { ...system, ledger },
        {
          scenario: readScenario(inTwoGroups(shortened(SAMPLE, 8))),
          settings: DEFAULT_SETTINGS,
          version: "test",
          totals: () => chainTotals(system),
          audit: async () => (report = await auditSystem(system, { market: DEFAULT_SETTINGS.market })),
          onProgress: (share) => (privacy = modes[Math.min(3, Math.floor(4 * share))]!),
        },
      );
      expect(report!.differences).to.deep.equal([]);
      expect(report!.runsChecked).to.equal(2 * 32);
      const count = new Map<number, number>();
      for (const { group } of await system.reader.runs()) count.set(group, (count.get(group) ?? 0) + 1);
      expect([...count.keys()].sort()).to.deep.equal([1, ALL, 2].sort());
      expect(count.get(1)).to.be.within(12, 20);
      expect(count.get(2)).to.equal(count.get(1));
      expect(count.get(ALL)).to.equal(32 - count.get(1)!);
    } finally {
      await system.close();
    }
  });
});
