/** Plans of rules in the audit: they are made again, held against the CPO's choice, and their gap is named. */
import { expect } from "chai";
import type { AlgorithmName } from "../../backend/domain/algorithms.ts";
import type { StoredPlan } from "../../backend/usecases/ports.ts";
import { type AuditedReplay, auditedReplay, expectNamed } from "../support/auditedReplay.ts";

describe("The audit of groups that run a rule", function () {
  this.timeout(300_000);
  let replay: AuditedReplay;
  let target: StoredPlan;

  /** A plan made inside a slot or for one, in which several cars charge at once. */
  async function aPlanBy(algorithm: AlgorithmName): Promise<StoredPlan> {
    const [row] = await replay.rows<{ id: string }>(
      `select id from plan where algorithm = '${algorithm}' and cost > bound and length(problem) > 64 + 26 * 96 + 20 * 3
       order by no limit 1`,
    );
    return (await replay.system.store.plans.byId(row!.id))!;
  }

  describe("equal share", () => {
    before(async () => {
      replay = await auditedReplay("equal-share");
      target = await aPlanBy("equal-share");
    });
    const where = () => `plan ${target.id}`;

    it("finds nothing in an honest run, and names what each plan costs above the optimum", () => {
      const { ok, differences, gaps, plansChecked } = replay.honest;
      expect(differences).to.deep.equal([]);
      expect(ok).to.equal(true);
      expect(plansChecked).to.be.greaterThan(50);
      const own = gaps.filter(({ algorithm }) => algorithm === "equal-share");
      expect(own.length).to.be.greaterThan(20);
      for (const { gap, microEur } of own) expect(gap > 0n && microEur > 0n).to.equal(true);
    });

    it("finds energies that the rule does not give", async () => {
      // Some Wh of the first car's first interval are taken away: still feasible, and dearer.
      const wh = Number.parseInt(target.x.slice(0, 6), 16);
      expect(wh).to.be.greaterThan(0);
      const x = (wh - 1).toString(16).padStart(6, "0") + target.x.slice(6);
      const report = await replay.auditAfter([`update plan set x = '\\x${x}' where id = '${target.id}'`]);
      expectNamed(report, where(), "is not what equal-share gives for its problem");
    });

    it("finds a bound that is weaker than it could be", async () => {
      const report = await replay.auditAfter([
        `update plan set y = '\\x${"0".repeat(target.y.length)}', w = '\\x${"0".repeat(target.w.length)}', bound = 0 where id = '${target.id}'`,
      ]);
      expectNamed(report, where(), "bound that its problem gives is 0, not");
    });

    it("finds parameters that nobody had chosen", async () => {
      const report = await replay.auditAfter([
        `update plan set parameters = '{"protectPromises": 0}' where id = '${target.id}'`,
      ]);
      expectNamed(
        report,
        where(),
        "made by equal-share protectPromises 0, the group had equal-share protectPromises 1",
      );
    });

    it("finds plans by another method than the group had", async () => {
      const report = await replay.auditAfter([`update group_algorithm set algorithm = 'first-come'`]);
      expectNamed(report, where(), "the group had first-come protectPromises 1");
    });

    it("finds a rule's plan that passes for least cost", async () => {
      const report = await replay.auditAfter([`update plan set algorithm = 'least-cost' where id = '${target.id}'`]);
      expect(target.repairedIntervals).to.equal(0);
      expectNamed(report, where(), "gap between cost and certified bound");
    });

    it("finds a first deadline that nobody promised", async () => {
      const session = Number.parseInt(target.problem.slice(128, 136), 16);
      const report = await replay.auditAfter([
        `update plan set firsts = '[{"session": ${session}, "wh": 500, "to": 1}]' where id = '${target.id}'`,
      ]);
      expectNamed(report, where(), "500 Wh first, which nobody promised");
    });
  });

  describe("uncontrolled", () => {
    before(async () => {
      replay = await auditedReplay("uncontrolled");
      target = await aPlanBy("uncontrolled");
    });

    it("finds nothing in an honest run, and says how far it exceeds the limit", () => {
      expect(replay.honest.differences).to.deep.equal([]);
      const [note] = replay.honest.notes.filter((one) => one.includes("uncontrolled"));
      expect(note).to.match(/garage: \d+ uncontrolled plans exceed the limit in \d+ intervals, by up to \d+ Wh/);
    });

    it("finds the same plans above the limit when another method claims them", async () => {
      const over = await replay.rows<{ id: string }>(
        `select id from plan where algorithm = 'uncontrolled' order by no`,
      );
      const report = await replay.auditAfter(
        over.map(({ id }) => `update plan set algorithm = 'first-come' where id = '${id}'`),
      );
      const named = report.differences.map(({ text }) => text);
      expect(named.some((text) => text.startsWith("breaks group-limit at interval"))).to.equal(true);
      expect(named.some((text) => text.startsWith("ScheduleChecker refuses it: rule 7 at"))).to.equal(true);
    });
  });
});
