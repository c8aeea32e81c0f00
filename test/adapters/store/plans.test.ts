import { expect } from "chai";
import { watt, wattHour } from "../../../backend/domain/units.ts";
import type { StoredPlan } from "../../../backend/usecases/ports.ts";
import { addSite, aGroup, at, onEveryDatabase, rejection } from "./everyDatabase.ts";

const aPlan = (id: string, rest: Partial<StoredPlan> = {}): StoredPlan => ({
  id,
  groupId: "group",
  slot: 1_969_152,
  at: at(0),
  algorithm: "least-cost",
  parameters: { automaticEarly: 1 },
  firsts: [{ session: 7, wh: wattHour(2_500), to: 3 }],
  problem: "00ff7f",
  x: "0a",
  y: "",
  w: "beef",
  cost: 123n,
  bound: -123n,
  repairedIntervals: 2,
  solveMs: 3.25,
  cause: "slot",
  recordKey: null,
  ...rest,
});
/** Largest and smallest number of 128 bits, as the contract has them. */
const MOST = 2n ** 127n - 1n;
const LEAST = -(2n ** 127n);

onEveryDatabase("Plans", (given) => {
  before(async () => {
    await addSite(given().store);
    for (const id of ["paged", "chained", "broken"]) await given().store.sites.addGroup(aGroup(id));
  });

  it("reads a plan back byte by byte, with costs of 128 bits", async () => {
    const { plans } = given().store;
    const bytes = Array.from({ length: 20_000 }, (_, i) => ((i * 37) % 256).toString(16).padStart(2, "0")).join("");
    const long = aPlan("long", { problem: bytes, cost: MOST, bound: LEAST });
    const fallback = aPlan("fallback", { algorithm: "least-laxity", bound: null, cause: "event", x: "", w: "" });
    const periods = [
      { from: at(0), limitW: watt(11_000) },
      { from: at(900), limitW: watt(0) },
    ];
    const allocations = [
      { planId: "long", sessionNumber: 7, periods },
      { planId: "long", sessionNumber: 3, periods: [] },
    ];
    await plans.add(long, allocations);
    await plans.add(fallback, []);
    expect(await plans.byId("long")).to.deep.equal(long);
    expect(await plans.latest("group")).to.deep.equal(fallback);
    expect(await plans.allocations("long")).to.deep.equal(allocations.toReversed());
    expect([await plans.byId("none"), await plans.latest("paged")]).to.deep.equal([null, null]);
  });

  it("refuses bytes that are no hex instead of storing half of them", async () => {
    const { plans } = given().store;
    for (const problem of ["0x00", "abc", "zz"]) {
      const error = await rejection(plans.add(aPlan(`bad-${problem}`, { problem }), []));
      expect(error, problem).to.be.instanceOf(RangeError);
    }
    expect(await plans.byId("bad-abc")).to.equal(null);
  });

  it("adds neither the plan nor its allocations when one of them fails", async () => {
    const { plans } = given().store;
    const allocation = { planId: "half", sessionNumber: 1, periods: [] };
    await rejection(plans.add(aPlan("half"), [allocation, allocation]));
    expect([await plans.byId("half"), await plans.allocations("half")]).to.deep.equal([null, []]);
  });

  it("names each plan in one record: the one in force and those made before it", async () => {
    const { plans } = given().store;
    for (const id of ["chained:9", "chained:10", "chained:11"]) await plans.add(aPlan(id, { groupId: "chained" }), []);
    const waiting = async () => (await plans.unrecorded("chained")).map((plan) => plan.id);
    expect(await waiting()).to.deep.equal(["chained:9", "chained:10", "chained:11"]);
    const record = {
      groupId: "chained",
      slot: 42,
      planId: "chained:10",
      earlierPlanIds: ["chained:9"],
      rows: "0x0001",
      root: `0x${"ab".repeat(32)}`,
      leaves: [{ text: '{"a":"ü"}', salt: "0x01" }],
      run: null,
    };
    await plans.addRecord(record, "slot:3:42");
    expect(await waiting()).to.deep.equal(["chained:11"]);
    expect((await plans.byId("chained:9"))?.recordKey).to.equal("slot:3:42");
    const next = { ...record, slot: 41, planId: "chained:11", earlierPlanIds: [], leaves: [] };
    await plans.addRecord(next, "slot:3:41");
    expect(await plans.records("chained")).to.deep.equal([next, record]);
    expect(await plans.records("paged")).to.deep.equal([]);
  });

  it("refuses a record that names a plan again, and changes nothing", async () => {
    const { plans } = given().store;
    for (const id of ["once", "other"]) await plans.add(aPlan(id, { groupId: "broken" }), []);
    const record = {
      groupId: "broken",
      slot: 1,
      planId: "once",
      earlierPlanIds: [],
      rows: "0x",
      root: "0x",
      leaves: [],
      run: null,
    };
    await plans.addRecord(record, "slot:4:1");
    const again = { ...record, slot: 2, planId: "other", earlierPlanIds: ["once"] };
    expect((await rejection(plans.addRecord(again, "slot:4:2"))).message).to.contain("names 2 plans, but 1");
    expect((await plans.unrecorded("broken")).map((plan) => plan.id)).to.deep.equal(["other"]);
    expect(await plans.records("broken")).to.have.length(1);
  });

  it("keeps runs that wait for their CPO's until their slot is sealed, once", async () => {
    const { plans, sites } = given().store;
    const others = await sites.addCpo({ id: "other-cpo", name: "Another" });
    for (const [id, cpoId] of [
      ["east", "cpo"],
      ["west", "cpo"],
      ["abroad", others.id],
    ] as const)
      await sites.addGroup({ ...aGroup(id), cpoId });
    const word = `0x${"cd".repeat(32)}` as const;
    const waitingOf = async () => (await plans.unsealed()).map(({ cpoId, run }) => `${cpoId} ${run.group} ${run.slot}`);
    const put = async (groupId: string, group: number, slot: number, isAlone = false) => {
      const id = `${groupId}:${slot}`;
      await plans.add(aPlan(id, { groupId }), []);
      const commitments = { algorithm: word, problem: word, plan: word, value: word, earlier: word, root: word };
      const run = isAlone ? null : { group, slot, ...commitments, rows: "0x" as const };
      await plans.addRecord(
        { ...{ groupId, slot, planId: id, earlierPlanIds: [], rows: "0x00", root: word }, leaves: [], run },
        `slot:9:${slot}`,
      );
      return run;
    };
    const late = await put("east", 11, 51);
    const [east, west, alone] = [await put("east", 11, 50), await put("west", 12, 50), await put("west", 12, 51, true)];
    await put("abroad", 13, 50);
    expect(alone).to.equal(null);
    expect((await plans.records("east")).map(({ run }) => run)).to.deep.equal([east, late]);
    expect((await waitingOf()).sort()).to.deep.equal(["cpo 11 50", "cpo 11 51", "cpo 12 50", "other-cpo 13 50"]);
    expect((await plans.unsealed()).map(({ run }) => run.slot)).to.deep.equal([50, 50, 50, 51]);
    expect([await plans.sealedUntil("cpo"), await plans.sealedRuns("cpo", 0, 99)]).to.deep.equal([0, []]);

    await plans.seal("cpo", 50, "slot:9:50");
    expect(await waitingOf()).to.have.members(["cpo 11 51", "other-cpo 13 50"]);
    expect([await plans.sealedUntil("cpo"), await plans.sealedUntil("other-cpo")]).to.deep.equal([50, 0]);
    expect(await plans.sealedRuns("cpo", 50, 51)).to.have.deep.members([east, west]);
    expect([await plans.sealedRuns("cpo", 51, 99), await plans.sealedRuns("cpo", 0, 50)]).to.deep.equal([[], []]);
    await plans.seal("cpo", 51, "slot:9:51");
    expect([await plans.sealedUntil("cpo"), await waitingOf()]).to.deep.equal([51, ["other-cpo 13 50"]]);

    const { bytes } = given().store;
    const [first, second] = [50, 51].map((slot) => ({ cpoId: "cpo", slot }));
    expect([await bytes.newSlots(9), await bytes.newSlots(1)]).to.deep.equal([[first, second], [first]]);
    await bytes.add([{ hash: word, part: "run", of: "50:cpo" }]);
    expect(await bytes.newSlots(9)).to.deep.equal([second]);
  });

  it("turns the pages in the order of adding, whatever the ids and instants say", async () => {
    const { plans, db } = { ...given().store, db: given().db };
    await db.deleteFrom("recorded_slot").execute();
    await db.deleteFrom("plan").execute();
    const ids = ["p:9", "p:10", "P:11", "a"];
    for (const id of ids) await plans.add(aPlan(id, { groupId: "paged", at: at(100) }), []);
    const page = async (after: number, afterId: string, limit: number) =>
      (await plans.page(at(after), afterId, limit)).map((plan) => plan.id);
    expect(await page(0, "", 3)).to.deep.equal(["p:9", "p:10", "P:11"]);
    expect(await page(100, "P:11", 3)).to.deep.equal(["a"]);
    expect(await page(100, "a", 3)).to.deep.equal([]);
    expect(await page(101, "", 3)).to.deep.equal([]);
  });
});
