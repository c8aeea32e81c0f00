import { expect } from "chai";
import type { Boost, PowerGrant, Refusal } from "../../../backend/domain/sessions.ts";
import { watt, wattHour } from "../../../backend/domain/units.ts";
import { addSite, aSession, at, onEveryDatabase, rejection } from "./everyDatabase.ts";

const aBoost = (id: string, rest: Partial<Boost> = {}): Boost => ({
  id,
  sessionId: "one",
  askedBy: "driver",
  askedAt: at(60),
  until: at(3_660),
  energyWh: null,
  fromRegisterWh: wattHour(1_200),
  endedAt: null,
  ended: null,
  ...rest,
});
const steady: PowerGrant = {
  sessionId: "one",
  at: at(5),
  kind: "steady",
  limitW: watt(4_140),
  from: at(10),
  until: null,
};
const refusal: Refusal = {
  sessionId: "one",
  at: at(30),
  wishedWh: wattHour(20_000),
  wishedBy: at(3_600),
  shortfallWh: wattHour(1_500),
  problem: "00ff10",
  x: "",
  y: "8000000000000000",
  w: "01",
};

onEveryDatabase("Priorities", (given) => {
  before(async () => {
    const { store } = given();
    await addSite(store);
    await store.sessions.start(aSession("one", "evse-1", { cannotPause: true }));
    await store.sessions.start(aSession("two", "evse-2"));
  });

  it("keeps every boost, ends it once, and lists those of a group newest first", async () => {
    const { priorities } = given().store;
    await priorities.addBoost(aBoost("first"));
    await priorities.addBoost(aBoost("second", { askedBy: "cpo", energyWh: wattHour(2_000) }));
    await priorities.addBoost(aBoost("other", { sessionId: "two" }));
    await priorities.endBoost("first", at(120), "energy");
    await priorities.endBoost("first", at(180), "time");
    expect(await priorities.boosts("one")).to.deep.equal([
      aBoost("first", { endedAt: at(120), ended: "energy" }),
      aBoost("second", { askedBy: "cpo", energyWh: wattHour(2_000) }),
    ]);
    expect((await priorities.boostsIn("group", 2)).map(({ id }) => id)).to.deep.equal(["other", "second"]);
    expect(await rejection(priorities.addBoost(aBoost("first")))).to.be.instanceOf(Error);
  });

  it("keeps grants and refusals as they were written, and lets nobody change them", async () => {
    const { store, db } = given();
    const boost: PowerGrant = { ...steady, at: at(60), kind: "boost", limitW: watt(0), until: at(360) };
    await store.priorities.addGrant(steady);
    await store.priorities.addGrant(boost);
    expect(await store.priorities.grants("one")).to.deep.equal([steady, boost]);
    await store.priorities.addRefusal(refusal);
    expect(await store.priorities.refusals("one")).to.deep.equal([refusal]);
    for (const table of ["power_grant", "refusal"] as const)
      expect(String(await rejection(db.deleteFrom(table).execute()))).to.contain("append-only");
  });

  it("answers the strategies that were in force at an instant", async () => {
    const { priorities } = given().store;
    const window = { fromMinute: 0, toMinute: 0, energyWh: 9_000, strategy: { kind: "fastest" } } as const;
    await priorities.setStrategies({ evseId: "evse-1", at: at(100), windows: [window] });
    await priorities.setStrategies({ evseId: "evse-1", at: at(200), windows: [] });
    expect(await priorities.strategies("evse-1", at(99))).to.equal(null);
    expect((await priorities.strategies("evse-1", at(199)))?.windows).to.deep.equal([window]);
    expect((await priorities.strategies("evse-1", at(200)))?.windows).to.deep.equal([]);
    expect(await given().store.sites.timeZone("group")).to.equal("Europe/Oslo");
    expect(await given().store.sites.timeZone("nowhere")).to.equal(null);
  });

  it("reads sessions and wishes back with what is special about them", async () => {
    const { sessions } = given().store;
    expect((await sessions.byId("one"))?.cannotPause).to.equal(true);
    expect(await sessions.byId("two")).not.to.have.property("cannotPause");
    const plain = { energyNeedWh: wattHour(5_000), departsAt: at(9_000) };
    const special = { ...plain, notBefore: at(600), first: { wh: wattHour(1_000), by: at(1_800) } };
    await sessions.setPreferences("one", at(1), plain);
    await sessions.setPreferences("one", at(2), special);
    expect(await sessions.preferences("one")).to.deep.equal(special);
    expect(await sessions.wishes("one")).to.deep.equal([
      { at: at(1), ...plain },
      { at: at(2), ...special },
    ]);
  });
});
