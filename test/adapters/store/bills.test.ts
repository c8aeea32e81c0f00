import { expect } from "chai";
import { microEur, wattHour } from "../../../backend/domain/units.ts";
import type { Settlement } from "../../../backend/usecases/ports.ts";
import { addDriver, addSite, aSettlement, at, onEveryDatabase, pastSession, rejection } from "./everyDatabase.ts";

/** The first amount that a float would bend. */
const BEYOND = 2n ** 53n + 1n;

onEveryDatabase("Bills", (given) => {
  async function settled(id: string, rest: Partial<Settlement> = {}): Promise<Settlement> {
    const { store } = given();
    const settlement = aSettlement(await pastSession(store, id, { driverId: rest.driverId ?? null }), rest);
    await store.bills.add(settlement, []);
    return settlement;
  }
  const ids = async (list: Promise<readonly Settlement[]>) => (await list).map((one) => one.sessionId);

  before(async () => {
    await addSite(given().store);
    await addDriver(given().store, "ann");
    await addDriver(given().store, "bob");
  });

  it("keeps money beyond 2^53 to the last micro-euro", async () => {
    const rich = await settled("rich", {
      amountMicroEur: microEur(BEYOND),
      creditMicroEur: microEur(10n ** 30n + 1n),
      compensationMicroEur: microEur(BEYOND + 1n),
      flexValueMicroEur: microEur(-BEYOND),
    });
    expect(await given().store.bills.ofSession("rich")).to.deep.equal(rich);
    expect(await given().store.bills.ofSession("poor")).to.equal(null);
  });

  it("refuses to settle a session twice", async () => {
    const once = await settled("once");
    await rejection(given().store.bills.add({ ...once, energyWh: wattHour(1) }, []));
    expect((await given().store.bills.ofSession("once"))?.energyWh).to.equal(8_000);
  });

  it("finds those of many sessions at once", async () => {
    const { bills } = given().store;
    const found = await bills.ofSessions(["once", "poor", "rich"]);
    expect([...found.keys()]).to.have.members(["once", "rich"]);
    for (const [id, bill] of found) expect(bill).to.deep.equal(await bills.ofSession(id));
    expect((await bills.ofSessions([])).size).to.equal(0);
  });

  it("batches the waiting settlements of drivers, numbered per CPO from 1", async () => {
    const { bills } = given().store;
    await settled("guest");
    await settled("b2", { driverId: "ann" });
    await settled("b1", { driverId: "bob" });
    await settled("b3", { driverId: "ann" });
    expect(await ids(bills.waiting("cpo"))).to.deep.equal(["b2", "b1", "b3"]);
    const oldest = Math.min(...(await bills.waiting("cpo")).map((one) => one.settledAt));
    expect(await bills.waitingSince("cpo")).to.deep.equal({ lines: 3, oldestAt: oldest });
    expect(await bills.assignBatch("cpo", ["b1", "b2"], at(9_000))).to.equal(1);
    expect(await ids(bills.waiting("cpo"))).to.deep.equal(["b3"]);
    expect(await bills.assignBatch("cpo", ["b3"], at(9_900))).to.equal(2);
    expect(await ids(bills.ofBatch("cpo", 1))).to.deep.equal(["b2", "b1"]);
    expect(await bills.batches("cpo")).to.deep.equal([
      { seq: 1, at: at(9_000), postedAt: null, finalisedAt: null },
      { seq: 2, at: at(9_900), postedAt: null, finalisedAt: null },
    ]);
    expect((await bills.ofSession("b3"))?.batch).to.equal(2);
    expect(await bills.waitingSince("cpo")).to.deep.equal({ lines: 0, oldestAt: null });
    expect([await bills.waiting("none"), await bills.batches("none"), await bills.ofBatch("cpo", 3)]).to.deep.equal([
      [],
      [],
      [],
    ]);
  });

  it("remembers when the chain posted and finalised a batch", async () => {
    const { bills } = given().store;
    const unfinalised = async () => (await bills.unfinalised()).map(({ cpoId, seq }) => `${cpoId} ${seq}`);
    expect(await unfinalised()).to.deep.equal([]);
    await bills.markBatch("cpo", 2, "posted", at(9_990));
    await bills.markBatch("cpo", 1, "posted", at(9_991));
    await bills.markBatch("none", 1, "posted", at(9_992));
    expect(await unfinalised()).to.deep.equal(["cpo 1", "cpo 2"]);
    await bills.markBatch("cpo", 1, "finalised", at(9_995));
    expect(await unfinalised()).to.deep.equal(["cpo 2"]);
    const [first, second] = await bills.batches("cpo");
    expect(first).to.include({ postedAt: at(9_991), finalisedAt: at(9_995) });
    expect(second).to.include({ postedAt: at(9_990), finalisedAt: null });
  });

  it("refuses a batch that names a posted settlement, and the batch number stays free", async () => {
    const { bills } = given().store;
    await settled("new", { driverId: "ann" });
    const error = await rejection(bills.assignBatch("cpo", ["new", "b1"], at(9_999)));
    expect(error.message).to.contain("names 2 settlements, but 1");
    expect(await ids(bills.waiting("cpo"))).to.deep.equal(["new"]);
    expect(await bills.assignBatch("cpo", ["new"], at(9_999))).to.equal(3);
  });

  it("lists a driver's bills newest first, and all by session number", async () => {
    const { bills } = given().store;
    expect(await ids(bills.ofDriver("ann", 2))).to.deep.equal(["new", "b3"]);
    const numbers = (await bills.all()).map((one) => one.sessionNumber);
    expect(numbers).to.deep.equal(numbers.toSorted((a, b) => a - b));
    expect(numbers).to.have.length(7);
  });

  it("gives the slots of a group's settled sessions from a slot to before another", async () => {
    const { bills, sites } = given().store;
    const slot = (sessionId: string, number: number) => ({
      sessionId,
      groupId: "group",
      slot: number,
      baselineWh: 2_750,
      allowedWh: 2_000,
      meteredWh: 1_999,
    });
    const own = [slot("slots", 10), slot("slots", 11), slot("slots", 12)];
    await pastSession(given().store, "slots");
    const settlement = { ...(await bills.ofSession("once"))!, sessionId: "slots", sessionNumber: 99 };
    await bills.add(settlement, own);
    expect(await bills.slots("group", 11, 12)).to.deep.equal([own[1]]);
    expect(await bills.slots("group", 0, 99)).to.deep.equal(own);
    expect(await bills.slots("elsewhere", 0, 99)).to.deep.equal([]);
    expect(await sites.group("elsewhere")).to.equal(null);
  });
});
