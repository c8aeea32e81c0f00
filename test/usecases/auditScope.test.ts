/** A part of everything, judged alone: what lies in it is found as ever, what lies outside is left alone and said to be. */
import { expect } from "chai";
import { slotStart } from "../../backend/domain/slots.ts";
import type { AuditReport } from "../../backend/usecases/audit.ts";
import type { AuditWish } from "../../backend/usecases/auditScope.ts";
import { type AuditedReplay, auditedReplay, expectNamed } from "../support/auditedReplay.ts";

type Plan = { readonly id: string; readonly at: number; readonly slot: number };
type Stay = { readonly id: string; readonly from: number; readonly until: number };

describe("The audit of a part", function () {
  this.timeout(300_000);
  let replay: AuditedReplay;
  /** Plans that command recorded slots, in order. */
  let plans: Plan[];
  /** Settled sessions of drivers, by plug-in. */
  let stays: Stay[];

  before(async () => {
    replay = await auditedReplay();
    plans = await replay.rows<Plan>(
      `select plan.id, extract(epoch from at)::int as at, recorded_slot.slot from plan
         join recorded_slot on recorded_slot.plan_id = plan.id order by plan.no`,
    );
    stays = await replay.rows<Stay>(
      `select id, extract(epoch from plugged_at)::int as "from", extract(epoch from settled_at)::int as until
         from charging_session join settlement on session_id = id
         where settlement.driver_id is not null order by plugged_at, id`,
    );
  });

  const part = (wish: AuditWish, statements: readonly string[] = []): Promise<AuditReport> =>
    replay.auditAfter(statements, { part: wish });
  const changedPlan = ({ id }: Plan) => `update plan set cost = cost + 1 where id = '${id}'`;
  const changedBill = ({ id }: Stay) => `update settlement set flex_wh = flex_wh + 1 where session_id = '${id}'`;

  it("finds nothing in an honest one, wherever it is cut", async () => {
    const [first, last] = [plans[0]!.at, plans.at(-1)!.at];
    const cuts = [0.2, 0.5, 0.51, 0.8].map((share) => Math.round(first + share * (last - first)));
    const wishes: AuditWish[] = [
      { group: "garage" },
      ...cuts.map((from) => ({ from })),
      ...cuts.map((until) => ({ until })),
      { from: cuts[0]!, until: cuts[1]! },
      { from: cuts[1]!, until: cuts[2]! },
      ...stays.map(({ id }) => ({ session: id })),
    ];
    for (const wish of wishes) {
      const report = await part(wish);
      expect(report.differences, JSON.stringify(wish)).to.deep.equal([]);
      expect(report.notes[0], JSON.stringify(wish)).to.match(/^judged is a part only: garage.* Not looked at: 0 other/);
    }
  });

  it("judges the plans, records and bills of its time, and says how many it leaves", async () => {
    const { honest } = replay;
    const middle = plans[Math.floor(plans.length / 2)]!;
    const [early, late] = [await part({ until: middle.at }), await part({ from: middle.at })];
    expect(early.plansChecked).to.be.within(10, honest.plansChecked - 10);
    expect(early.plansChecked + late.plansChecked).to.be.within(honest.plansChecked, honest.plansChecked + 2);
    expect(early.runsChecked + late.runsChecked).to.equal(honest.runsChecked);
    expect(late.leavesChecked).to.be.within(1, honest.leavesChecked - 1);
    expect(late.notes[0]).to.match(new RegExp(`${early.runsChecked} other recorded slots`));
    expect(late.table.map(({ check }) => check)).not.to.include("money and FLEX");
  });

  it("names a plan of its time, and leaves one outside of it alone", async () => {
    const middle = plans[Math.floor(plans.length / 2)]!;
    const [before, after] = [plans[Math.floor(plans.length / 4)]!, plans[Math.floor((3 * plans.length) / 4)]!];
    const wish = { from: middle.at };
    expectNamed(await part(wish, [changedPlan(after)]), `plan ${after.id}`, "cost in the store");
    expect((await part(wish, [changedPlan(before)])).differences).to.deep.equal([]);
    expectNamed(await part({ until: middle.at }, [changedPlan(before)]), `plan ${before.id}`, "cost in the store");
    expect((await part({ until: middle.at }, [changedPlan(after)])).differences).to.deep.equal([]);
    expectNamed(await part({}, [changedPlan(before)]), `plan ${before.id}`, "cost in the store");
  });

  it("names a recorded slot of its time although the plan was made just before", async () => {
    const { id, at, slot } = plans.find((plan) => plan.at < slotStart(plan.slot) && plan.slot > plans[8]!.slot)!;
    expect(at).to.be.below(slotStart(slot));
    expectNamed(
      await part({ from: slotStart(slot) }, [changedPlan({ id, at, slot })]),
      `plan ${id}`,
      "cost in the store",
    );
    const root = `update recorded_slot set root = '0x${"11".repeat(32)}' where slot = ${slot}`;
    const report = await part({ from: slotStart(slot), until: slotStart(slot + 1) }, [root]);
    expect(report.differences.map(({ text }) => text).join()).to.contain("root of the leaves in the store");
    expect((await part({ from: slotStart(slot + 1) }, [root])).differences).to.deep.equal([]);
  });

  it("names a session's own bill, and leaves others' alone", async () => {
    const [one, other] = [stays[0]!, stays.at(-1)!];
    expectNamed(await part({ session: one.id }, [changedBill(one)]), `bill of session ${one.id}`, "flex_wh");
    expect((await part({ session: one.id }, [changedBill(other)])).differences).to.deep.equal([]);
    const ended = stays.find(({ until }) => until < other.from)!;
    expect((await part({ from: other.from }, [changedBill(ended)])).differences).to.deep.equal([]);
    expectNamed(await part({ from: other.from }, [changedBill(other)]), `bill of session ${other.id}`, "flex_wh");
    const report = await part({ session: one.id });
    expect(report.billsChecked).to.equal(1);
  });

  it("says so where there is no such part", async () => {
    const refused = async (wish: AuditWish, words: RegExp) => {
      const error = await part(wish).then(
        () => null,
        (thrown: Error) => thrown,
      );
      expect(error?.message, JSON.stringify(wish)).to.match(words);
    };
    await refused({ group: "attic" }, /There is no group attic in the store; there are garage/);
    await refused({ session: "s-none" }, /There is no session s-none in the store/);
    await refused({ from: 2_000_000_000, until: 1_000_000_000 }, /There is no time from 2033-05-18/);
    const empty = /^Nothing of garage lies in that time\. Its records reach from 2026-05-0\dT.* until 2026-05-0\dT/;
    await refused({ until: 1_600_000_000 }, empty);
    await refused({ group: "garage", from: 2_000_000_000 }, empty);
  });
});
