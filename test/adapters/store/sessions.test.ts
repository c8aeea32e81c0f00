import { expect } from "chai";
import { EvseOccupiedError, SessionExistsError } from "../../../backend/adapters/store/errors.ts";
import type { Admission } from "../../../backend/domain/sessions.ts";
import { wattHour } from "../../../backend/domain/units.ts";
import { addDriver, addSite, aSession, at, onEveryDatabase, pastSession, rejection } from "./everyDatabase.ts";

onEveryDatabase("Sessions", (given) => {
  before(() => addSite(given().store));
  afterEach(async () => {
    const { sessions } = given().store;
    for (const open of await sessions.openIn("group")) await sessions.close(open.id, at(90_000), wattHour(50_000));
  });

  it("starts a session with the next number and reads it back whole", async () => {
    const { sessions } = given().store;
    const one = await sessions.start(aSession("one", "evse-1"));
    const two = await sessions.start(aSession("two", "evse-2", { mode: "smart", phases: 1 }));
    expect([one.number, two.number]).to.deep.equal([1, 2]);
    expect(two).to.deep.equal({
      ...aSession("two", "evse-2", { mode: "smart", phases: 1 }),
      number: 2,
      unpluggedAt: null,
      endRegisterWh: null,
    });
    expect(await sessions.byId("two")).to.deep.equal(two);
    expect(await sessions.byNumber(1)).to.deep.equal(one);
    expect(await sessions.openAt("evse-2")).to.deep.equal(two);
    expect(await sessions.openIn("group")).to.deep.equal([one, two]);
    expect([await sessions.byId("no"), await sessions.byNumber(99), await sessions.openAt("evse-3")]).to.deep.equal([
      null,
      null,
      null,
    ]);
  });

  it("refuses a second car at an EVSE, whoever is there, and the number stays free", async () => {
    const { sessions } = given().store;
    const { number } = await sessions.start(aSession("there", "evse-1"));
    const error = await rejection(sessions.start(aSession("late", "evse-1")));
    expect(error).to.be.instanceOf(EvseOccupiedError);
    expect((error as EvseOccupiedError).occupantId).to.equal("there");
    expect((await sessions.start(aSession("elsewhere", "evse-2"))).number).to.equal(number + 1);
  });

  it("goes on in the same transaction after a refused start", async () => {
    const { store } = given();
    await store.sessions.start(aSession("holder", "evse-1"));
    const number = await store.transaction(async (tx) => {
      await rejection(tx.sessions.start(aSession("rival", "evse-1")));
      return (await tx.sessions.start(aSession("next", "evse-2"))).number;
    });
    const all = (await store.sessions.all()).map((session) => session.number);
    expect(all).to.deep.equal(Array.from({ length: number }, (_, i) => i + 1));
  });

  it("refuses the same session twice, also when it has ended", async () => {
    const { sessions } = given().store;
    await pastSession(given().store, "again");
    expect(await rejection(sessions.start(aSession("again", "evse-1")))).to.be.instanceOf(SessionExistsError);
    expect(await sessions.openAt("evse-1")).to.equal(null);
  });

  it("closes a session once, and not below its first register", async () => {
    const { sessions } = given().store;
    const open = await sessions.start(aSession("leaving", "evse-3"));
    await rejection(sessions.close("leaving", at(3600), wattHour(999)));
    await sessions.close("leaving", at(3600), wattHour(7_500));
    expect(await sessions.byId("leaving")).to.deep.equal({ ...open, unpluggedAt: at(3600), endRegisterWh: 7_500 });
    expect((await rejection(sessions.close("leaving", at(3700), wattHour(8_000)))).message).to.contain("not open");
    expect((await sessions.byId("leaving"))?.endRegisterWh).to.equal(7_500);
    expect((await sessions.start(aSession("arriving", "evse-3"))).evseId).to.equal("evse-3");
  });

  it("changes the mode", async () => {
    const { sessions } = given().store;
    await sessions.start(aSession("changing", "evse-3"));
    await sessions.setMode("changing", "opted-out");
    expect((await sessions.byId("changing"))?.mode).to.equal("opted-out");
    expect((await rejection(sessions.setMode("unknown", "smart"))).message).to.contain("unknown");
  });

  it("lists a driver's sessions newest first, and stays that overlap a time", async () => {
    const { store } = given();
    await addDriver(store, "ann");
    for (const [id, from] of [
      ["early", 100_000],
      ["late", 300_000],
      ["middle", 200_000],
    ] as const)
      await pastSession(store, id, { driverId: "ann", pluggedAt: at(from) });
    const ids = async (list: Promise<readonly { id: string }[]>) => (await list).map((session) => session.id);
    expect(await ids(store.sessions.ofDriver("ann", 2))).to.deep.equal(["late", "middle"]);
    const overlapping = (from: number, to: number) => ids(store.sessions.overlapping("group", at(from), at(to)));
    expect(await overlapping(103_599, 200_000)).to.deep.equal(["early"]);
    expect(await overlapping(103_600, 200_000)).to.deep.equal([]);
    expect(await overlapping(103_600, 200_001)).to.deep.equal(["middle"]);
    await store.sessions.start(aSession("plugged", "evse-2", { pluggedAt: at(400_000) }));
    expect(await overlapping(900_000, 900_001)).to.deep.equal(["plugged"]);
    await store.sessions.close("plugged", at(400_001), wattHour(1_000));
  });

  it("keeps what was said last and what was answered last", async () => {
    const { sessions } = given().store;
    await pastSession(given().store, "asking", { pluggedAt: at(500_000) });
    expect([await sessions.preferences("asking"), await sessions.admission("asking")]).to.deep.equal([null, null]);
    // Same second twice: the later call counts.
    await sessions.setPreferences("asking", at(5), { energyNeedWh: wattHour(9_000), departsAt: at(9_999) });
    await sessions.setPreferences("asking", at(5), { energyNeedWh: wattHour(8_000), departsAt: at(8_888) });
    expect(await sessions.preferences("asking")).to.deep.equal({ energyNeedWh: 8_000, departsAt: at(8_888) });
    const refused: Admission = {
      sessionId: "asking",
      at: at(5),
      kind: "refused",
      wishedWh: wattHour(90_000),
      wishedBy: at(9_999),
      offeredWh: wattHour(0),
      shortfallWh: wattHour(90_000),
    };
    const accepted: Admission = { ...refused, kind: "accepted", offeredWh: wattHour(90_000), shortfallWh: wattHour(0) };
    for (const admission of [refused, accepted]) await sessions.addAdmission(admission);
    expect(await sessions.admission("asking")).to.deep.equal(accepted);
  });
});
