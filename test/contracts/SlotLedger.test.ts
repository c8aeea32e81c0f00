import { expect } from "chai";
import { concat, encodeBytes32String, id as hash, toBeHex } from "ethers";
import { networkHelpers } from "../support/chain.ts";
import { randomFrom } from "../support/problems.ts";
import { proofOf, rootOf } from "../support/settlement.ts";
import {
  aRow,
  chainOf,
  extend,
  FIRST_CHAIN,
  GROUP,
  ledgerFixture,
  linkOf,
  type Run,
  rowsOf,
  SLOT,
  ZERO,
} from "../support/slotLedger.ts";

const history = (aRun: (part: Partial<Run>) => { run: Run }, slots: readonly number[]) =>
  slots.map((slot) => aRun({ slot, root: hash(`${slot}`) }).run);

describe("SlotLedger", () => {
  describe("record", () => {
    it("emits everything of the run and moves the head", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const { run } = aRun();
      await expect(ledger.record([run]))
        .to.emit(ledger, "SlotRecorded")
        .withArgs(GROUP, SLOT, Object.values(run));
      expect([...(await ledger.headOf(GROUP))]).to.deep.equal([BigInt(SLOT), chainOf([run])]);
    });

    it("chains every field: changing any one gives another head", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const { run } = aRun();
      const others: Run[] = [
        { ...run, problem: hash("a") },
        { ...run, plan: hash("a") },
        { ...run, value: hash("a") },
        { ...run, earlier: hash("a") },
        { ...run, root: hash("a") },
        { ...run, rows: rowsOf(3) },
        { ...run, slot: SLOT - 1 },
        { ...run, group: GROUP + 1 },
        { ...run, algorithm: hash("a") },
      ];
      const links = await Promise.all([run, ...others].map((one) => ledger.linkOf(one)));
      expect(links).to.deep.equal([run, ...others].map(linkOf));
      expect(new Set(links).size).to.equal(10);
    });

    it("records several groups in one call, each with a chain of its own", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const runs = [1, 2, 3].map((group) => aRun({ group }).run);
      await ledger.record(runs);
      for (const run of runs) expect((await ledger.headOf(run.group)).chain).to.equal(chainOf([run]));
    });

    it("takes several slots of one group in one call (catching up), and old slots at any time", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const runs = history(aRun, [1_000, 1_001, 1_002]);
      await ledger.record(runs);
      expect((await ledger.headOf(GROUP)).chain).to.equal(chainOf(runs));
    });

    it("names a gap, from the first to the last slot without a run, but not before the first run", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      await expect(ledger.record(history(aRun, [1_000, 1_001]))).not.to.emit(ledger, "Skipped");
      await expect(ledger.record(history(aRun, [1_005])))
        .to.emit(ledger, "Skipped")
        .withArgs(GROUP, 1_002, 1_004);
      await expect(ledger.record(history(aRun, [1_007])))
        .to.emit(ledger, "Skipped")
        .withArgs(GROUP, 1_006, 1_006);
    });

    it("refuses a slot twice, an earlier slot, and slot 0", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      await expect(ledger.record(history(aRun, [0])))
        .to.be.revertedWithCustomError(ledger, "OutOfOrder")
        .withArgs(GROUP, 0, 0);
      await ledger.record(history(aRun, [1_000]));
      for (const slot of [1_000, 999])
        await expect(ledger.record(history(aRun, [slot])))
          .to.be.revertedWithCustomError(ledger, "OutOfOrder")
          .withArgs(GROUP, slot, 1_000);
      await expect(ledger.record(history(aRun, [1_001, 1_001]))).to.be.revertedWithCustomError(ledger, "OutOfOrder");
      expect((await ledger.headOf(GROUP)).slot).to.equal(1_000n);
    });

    it("allows the slot after the block's and refuses the one after that", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const last = Math.floor((await networkHelpers.time.latest()) / 900) + 1;
      await networkHelpers.time.setNextBlockTimestamp(last * 900 - 1);
      await expect(ledger.record(history(aRun, [last + 1])))
        .to.be.revertedWithCustomError(ledger, "SlotInFuture")
        .withArgs(GROUP, last + 1, last);
      await networkHelpers.time.setNextBlockTimestamp(last * 900);
      await ledger.record(history(aRun, [last + 1]));
    });

    it("refuses rows that are no whole rows, not ascending, or twice the same index", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const join = (...rows: string[]) => `0x${rows.map((row) => row.slice(2)).join("")}`;
      const bad = [
        `${rowsOf(2)}00`,
        rowsOf(2).slice(0, -2),
        "0x00",
        join(aRow(1), aRow(0)),
        join(aRow(4), aRow(4)),
        join(aRow(65_535), aRow(0)),
      ];
      for (const rows of bad)
        await expect(ledger.record([aRun({ rows }).run]))
          .to.be.revertedWithCustomError(ledger, "RowsMalformed")
          .withArgs(GROUP, SLOT);
      await ledger.record([aRun({ rows: join(aRow(0), aRow(7), aRow(65_535)), slot: 1_000 }).run]);
      await ledger.record([aRun({ rows: "0x", slot: 1_001 }).run]);
    });

    it("takes rows of ascending indices and no others, however many there are and wherever two are out of order", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const random = randomFrom(5);
      const below = (most: number) => Math.floor(random() * most);
      // Everything but the index is noise, at both ends above all.
      const row = (index: number) => {
        const noise = Array.from({ length: 10 }, () => [0, 255, below(256)][below(3)]!);
        return concat([toBeHex(index, 2), Uint8Array.from(noise)]);
      };
      const passes = (indices: readonly number[]) =>
        ledger.record.staticCall([aRun({ rows: concat(indices.map(row)) }).run]).then(
          () => true,
          (error: { data: string }) => {
            expect(ledger.interface.parseError(error.data)?.name).to.equal("RowsMalformed");
            return false;
          },
        );
      for (const count of [1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 18, 25, 26]) {
        const step = [1, 2, Math.floor(65_535 / count)][below(3)]!;
        const indices = Array.from({ length: count }, (_, i) => i * step + below(step));
        expect(await passes(indices), `${count} ascending rows`).to.equal(true);
        for (let at = 1; at < count; at++) {
          const [before, here] = [indices[at - 1]!, indices[at]!];
          const twice = indices.with(at, before);
          const swapped = indices.with(at - 1, here).with(at, before);
          expect(await passes(twice), `row ${at} of ${count} has the index of its neighbour`).to.equal(false);
          expect(await passes(swapped), `rows ${at - 1} and ${at} of ${count} swapped`).to.equal(false);
        }
      }
    });

    it("refuses a run that names no algorithm", async () => {
      const { ledger, algorithms, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      await expect(ledger.record([aRun({ algorithm: ZERO }).run]))
        .to.be.revertedWithCustomError(algorithms, "UnknownVersion")
        .withArgs(ZERO);
    });

    it("refuses an algorithm that is unknown or not active yet, also as the second run", async () => {
      const { ledger, algorithms, publisher, spec, checker, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const late = (await networkHelpers.time.latest()) + 1_000;
      const later = {
        ...spec,
        method: encodeBytes32String("next/1"),
        checker: await checker.getAddress(),
        encoding: 1,
        activeFrom: late,
      };
      const version = await algorithms.connect(publisher).publish.staticCall(later);
      await algorithms.connect(publisher).publish(later);
      const [good, unknown, early] = [
        aRun({ slot: 1_000 }).run,
        aRun({ algorithm: hash("none") }).run,
        aRun({ algorithm: version }).run,
      ];
      await expect(ledger.record([good, unknown]))
        .to.be.revertedWithCustomError(algorithms, "UnknownVersion")
        .withArgs(hash("none"));
      await expect(ledger.record([early]))
        .to.be.revertedWithCustomError(algorithms, "NotActive")
        .withArgs(version, late);
      await networkHelpers.time.increaseTo(late);
      await ledger.record([good, early]);
    });

    it("lets nobody but the operator record, whatever other role they hold", async () => {
      const { ledger, admin, biller, registrar, pauser, guardian, aRun } =
        await networkHelpers.loadFixture(ledgerFixture);
      for (const stranger of [admin, biller, registrar, pauser, guardian])
        await expect(ledger.connect(stranger).record([aRun().run]))
          .to.be.revertedWithCustomError(ledger, "AccessManagedUnauthorized")
          .withArgs(stranger.address);
    });
  });

  describe("pause", () => {
    it("stops record and nothing else; only the admin resumes", async () => {
      const { ledger, pauser, admin, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const { run, bytes } = aRun();
      await ledger.record([run]);
      await expect(ledger.connect(pauser).pause()).to.emit(ledger, "Paused").withArgs(pauser.address);
      await expect(ledger.record([aRun({ slot: SLOT + 1 }).run])).to.be.revertedWithCustomError(
        ledger,
        "EnforcedPause",
      );
      await ledger.confirm(FIRST_CHAIN, run, [], ...bytes);
      await expect(ledger.connect(pauser).unpause()).to.be.revertedWithCustomError(ledger, "AccessManagedUnauthorized");
      await expect(ledger.connect(admin).unpause()).to.emit(ledger, "Unpaused");
      await ledger.record([aRun({ slot: SLOT + 1 }).run]);
    });

    it("is out of the operator's and the admin's reach", async () => {
      const { ledger, operator, admin } = await networkHelpers.loadFixture(ledgerFixture);
      for (const stranger of [operator, admin])
        await expect(ledger.connect(stranger).pause()).to.be.revertedWithCustomError(
          ledger,
          "AccessManagedUnauthorized",
        );
    });
  });

  describe("proves", () => {
    it("accepts a run of any age with the chain before it and the links after it", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const runs = history(aRun, [1_000, 1_001, 1_004, 1_005]);
      await ledger.record(runs);
      for (const [i, run] of runs.entries())
        expect(await ledger.proves(chainOf(runs.slice(0, i)), run, runs.slice(i + 1).map(linkOf)), `run ${i}`).to.equal(
          true,
        );
    });

    it("refuses a run that was changed, left out, moved, or put in", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const [a, b, c] = history(aRun, [1_000, 1_001, 1_002]) as [Run, Run, Run];
      await ledger.record([a, b, c]);
      const lies: [string, Run, string[]][] = [
        [chainOf([a]), { ...b, value: hash("other") }, [linkOf(c)]],
        [chainOf([a]), c, []],
        [chainOf([a]), b, []],
        [chainOf([b]), a, [linkOf(c)]],
        [FIRST_CHAIN, b, [linkOf(c)]],
        [chainOf([a, b, c]), aRun({ slot: 1_003 }).run, []],
        [chainOf([a]), { ...b, group: 8 }, [linkOf(c)]],
      ];
      for (const [before, run, later] of lies) expect(await ledger.proves(before, run, later)).to.equal(false);
    });

    it("refuses anything for a group without records", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      expect(await ledger.proves(FIRST_CHAIN, aRun().run, [])).to.equal(false);
      expect([...(await ledger.headOf(GROUP))]).to.deep.equal([0n, FIRST_CHAIN]);
    });
  });

  describe("a tenant's root", () => {
    const TENANT = 4_000_000_000;

    async function tenantRun() {
      const fixture = await ledgerFixture();
      const members = [1, 2, 3, 4, 5].map((group) => fixture.aRun({ group, rows: "0x", value: hash(`${group}`) }).run);
      const links = members.map(linkOf);
      const nothing = { problem: ZERO, plan: ZERO, value: ZERO, rows: "0x" };
      const tenant = fixture.aRun({ ...nothing, group: TENANT, root: rootOf(links) }).run;
      await fixture.ledger.record([tenant]);
      const within = (run: Run, index: number, part: Partial<Run> = {}) =>
        fixture.ledger.provesWithin(FIRST_CHAIN, { ...tenant, ...part }, [], run, proofOf(links, index));
      return { ...fixture, members, tenant, within };
    }

    it("leads to the run of each of its groups, with as many groups as it likes", async () => {
      const { members, within } = await networkHelpers.loadFixture(tenantRun);
      for (const [index, run] of members.entries()) expect(await within(run, index)).to.equal(true);
    });

    it("does not lead to a run that was changed, of another slot, or out of a root that was not recorded", async () => {
      const { members, within } = await networkHelpers.loadFixture(tenantRun);
      const run = members[2]!;
      expect(await within({ ...run, plan: hash("other") }, 2)).to.equal(false);
      expect(await within({ ...run, group: 9 }, 2)).to.equal(false);
      expect(await within(run, 3)).to.equal(false);
      expect(await within(run, 2, { root: linkOf(run) })).to.equal(false);
      expect(await within(run, 2, { slot: SLOT - 1 })).to.equal(false);
    });

    it("refuses a run of another slot even when its link is in the tree", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const other = aRun({ group: 1, slot: SLOT - 1, rows: "0x" }).run;
      const tenant = aRun({ group: TENANT, rows: "0x", root: linkOf(other) }).run;
      await ledger.record([tenant]);
      expect(await ledger.provesWithin(FIRST_CHAIN, tenant, [], other, [])).to.equal(false);
      const same = { ...other, slot: SLOT };
      const next = aRun({ group: TENANT, slot: SLOT + 1, rows: "0x", root: linkOf(same) }).run;
      expect(await ledger.provesWithin(FIRST_CHAIN, next, [], same, [])).to.equal(false);
    });
  });

  it("lets anybody rebuild the head from the events alone", async () => {
    const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
    await ledger.record(history(aRun, [1_000, 1_003]));
    await ledger.record(history(aRun, [1_004]));
    const events = await ledger.queryFilter(ledger.filters.SlotRecorded(GROUP));
    const chain = events.reduce(
      (before: string, { args }: { args: { run: { toObject(): Run } } }) => extend(before, linkOf(args.run.toObject())),
      FIRST_CHAIN,
    );
    expect(chain).to.equal((await ledger.headOf(GROUP)).chain);
  });
});
