import { expect } from "chai";
import { epochSecond, microEurPerKwh, watt } from "../../backend/domain/units.ts";
import { type OrderWish, orderFlexibility } from "../../backend/usecases/orderFlexibility.ts";
import { aSite, type Car, GROUP, HOUR, MINUTE, type Site, T0 } from "../support/world.ts";

type Part = Partial<Omit<OrderWish, "powerW" | "from" | "until">> & {
  readonly powerW?: number;
  /** Minutes from T0 on. */
  readonly from?: number;
  readonly until?: number;
};
const wishOf = ({ powerW = 8_000, from = 60, until = 120, ...part }: Part): OrderWish => ({
  id: "order",
  groupId: GROUP,
  direction: "down",
  powerW: watt(powerW),
  from: epochSecond(T0 + from * MINUTE),
  until: epochSecond(T0 + until * MINUTE),
  price: null,
  force: false,
  givenBy: "grid",
  ...part,
});
const order = (site: Site, part: Part) => orderFlexibility(site.world, wishOf(part));
const answered = async (site: Site, part: Part) => {
  const answer = await order(site, part);
  if (answer.kind !== "answered") throw new Error(answer.text);
  return answer.order;
};
const settled = async (site: Site, id = "order") => {
  const settlement = await site.store.grid.settlement(id);
  if (!settlement) throw new Error(`Order ${id} is not settled.`);
  return settlement;
};
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
/** What the meters themselves show between two times, minutes from T0 on. */
async function charged(site: Site, cars: readonly Car[], from: number, until: number) {
  await site.until(T0 + from * MINUTE);
  const before = sum(cars.map((car) => car.registerWh));
  await site.until(T0 + until * MINUTE);
  return sum(cars.map((car) => car.registerWh)) - before;
}

/** One 11 kW car that has time, a quarter-hour after it was plugged in, so that a plan is recorded. */
async function aPatientCar(wh = 40_000, hours = 6) {
  const site = await aSite({ limitW: 30_000 });
  const car = await site.plugIn(1);
  expect(await car.ask(wh, site.in(hours * HOUR))).to.include({ kind: "accepted" });
  await site.until(T0 + 20 * MINUTE);
  return { site, car };
}

describe("A flexibility order down", () => {
  it("is acknowledged in full where the cars can wait, and delivered", async () => {
    const { site, car } = await aPatientCar();
    const said = await answered(site, { powerW: 11_000, price: microEurPerKwh(50_000) });
    expect(said.answer).to.equal("accepted");
    expect(said.slots.map(({ orderedWh }) => orderedWh)).to.deep.equal([2_750, 2_750, 2_750, 2_750]);
    const planned = sum(said.slots.map(({ plannedWh }) => plannedWh));
    expect(await charged(site, [car], 60, 120)).to.be.at.most(planned - 11_000);
    await site.until(T0 + 126 * MINUTE);
    const { outcome, deliveredWh, amountMicroEur } = await settled(site);
    expect([outcome, amountMicroEur]).to.deep.equal(["met", BigInt(deliveredWh * 50)]);
    expect(deliveredWh).to.equal(11_000);
    await site.until(T0 + 6 * HOUR);
    const { receipt } = await car.unplug();
    expect(receipt.promise).to.include({ outcome: "kept" });
    expect(receipt.flex.intervals.filter(({ down }) => down === "ORDER").length).to.equal(4);
  });

  it("is reduced to what a promise leaves, evenly, and the promise is kept", async () => {
    // 22,000 Wh in two hours at 11.04 kW: hardly an hour's power may be missed. Half of it lies in the ordered hour.
    const { site, car } = await aPatientCar(16_000, 2);
    const said = await answered(site, { from: 45, until: 105, powerW: 11_000 });
    expect(said.answer).to.equal("reduced");
    const acknowledged = said.slots.map(({ acknowledgedWh }) => acknowledgedWh);
    await site.until(T0 + 110 * MINUTE + 10 * MINUTE);
    const { receipt } = await car.unplug();
    expect(receipt.promise).to.include({ outcome: "kept" });
    await site.until(T0 + 125 * MINUTE);
    expect(await settled(site)).to.include({ outcome: "met" });
    expect((await settled(site)).deliveredWh).to.be.at.least(sum(acknowledged) - 100);
  });

  it("is refused where nothing can wait, and changes nothing", async () => {
    const { site, car } = await aPatientCar(21_950, 2);
    const said = await answered(site, { from: 45, until: 105, powerW: 11_000 });
    expect(said).to.include({ answer: "refused" });
    await site.until(T0 + 2 * HOUR);
    expect((await car.unplug()).receipt.promise).to.include({ outcome: "kept" });
    await site.until(T0 + 3 * HOUR);
    expect(await site.store.grid.settlement("order")).to.equal(null);
  });

  it("that is acknowledged is held against a later request, which gets what is left", async () => {
    const { site } = await aPatientCar();
    expect(await answered(site, { powerW: 11_000 })).to.include({ answer: "accepted" });
    const late = await site.plugIn(2);
    // 20 minutes from now the order begins; until then there is room for some 6 kWh and in the ordered hour for none.
    await site.until(T0 + 25 * MINUTE);
    const answer = await late.ask(15_000, epochSecond(T0 + 2 * HOUR));
    expect(answer.kind).to.equal("counter-offer");
    await late.answer(true);
    const cars = [late];
    await charged(site, cars, 60, 120);
    await site.until(T0 + 126 * MINUTE);
    expect(await settled(site)).to.include({ outcome: "met" });
    expect((await late.unplug()).receipt.promise).to.include({ outcome: "kept" });
  });

  it("adds to another one, the earlier first; no Wh counts twice", async () => {
    const { site, car } = await aPatientCar();
    const first = await answered(site, { id: "first", powerW: 4_000 });
    const second = await answered(site, { id: "second", powerW: 3_000, from: 75 });
    expect([first.answer, second.answer]).to.deep.equal(["accepted", "accepted"]);
    for (const [k, { plannedWh }] of second.slots.entries())
      expect(plannedWh).to.equal(first.slots[k + 1]!.plannedWh - 1_000);
    const gotWh = await charged(site, [car], 60, 120);
    await site.until(T0 + 126 * MINUTE);
    const [a, b] = [await settled(site, "first"), await settled(site, "second")];
    expect([a.deliveredWh, b.deliveredWh]).to.deep.equal([4_000, 2_250]);
    expect(sum(first.slots.map(({ plannedWh }) => plannedWh)) - gotWh).to.be.at.least(6_250);
  });

  it("is kept by a rule too: equal share", async () => {
    const { site, car } = await aPatientCar();
    await site.store.sites.setAlgorithm(GROUP, { name: "equal-share", parameters: {} }, site.now());
    await site.until(T0 + 35 * MINUTE);
    const said = await answered(site, { powerW: 6_000 });
    expect(said.answer).to.equal("accepted");
    const gotWh = await charged(site, [car], 60, 120);
    expect(gotWh).to.be.at.most(sum(said.slots.map(({ plannedWh }) => plannedWh)) - 6_000);
  });

  it("given again is the same order", async () => {
    const { site } = await aPatientCar();
    const once = await order(site, {});
    expect(once).to.include({ kind: "answered", known: false });
    const again = await order(site, {});
    expect(again).to.include({ kind: "answered", known: true });
    expect("order" in again && "order" in once && again.order).to.deep.equal("order" in once && once.order);
    expect(await order(site, { powerW: 9_000 })).to.include({ kind: "refused", reason: "taken-id" });
    expect((await site.store.grid.orders(GROUP, epochSecond(0))).length).to.equal(1);
  });

  it("is settled after a restart too, once", async () => {
    const { site } = await aPatientCar();
    await answered(site, { powerW: 11_000 });
    await site.until(T0 + 90 * MINUTE);
    await site.restart();
    await site.until(T0 + 3 * HOUR);
    expect(await settled(site)).to.include({ outcome: "met" });
    expect(await site.store.grid.unsettled()).to.deep.equal([]);
  });

  it("whose meter was silent waits for it", async () => {
    const { site, car } = await aPatientCar();
    await answered(site, { powerW: 11_000 });
    await site.until(T0 + 100 * MINUTE);
    car.station.silentUntil = T0 + 140 * MINUTE;
    await site.until(T0 + 139 * MINUTE);
    expect(await site.store.grid.settlement("order")).to.equal(null);
    await site.until(T0 + 150 * MINUTE);
    expect((await settled(site)).deliveredWh).to.be.greaterThan(0);
  });
});

describe("A forced order", () => {
  it("is applied against a promise, names it, and the grid has the blame", async () => {
    const { site, car } = await aPatientCar(21_000, 2);
    const said = await answered(site, { from: 45, until: 105, powerW: 11_000, force: true });
    expect(said.answer).to.equal("accepted");
    expect(said.atRisk.map(({ sessionId }) => sessionId)).to.deep.equal([car.id]);
    expect(said.atRisk[0]!.missingWh).to.be.within(7_500, 11_000);
    const gotWh = await charged(site, [car], 45, 105);
    expect(gotWh).to.be.at.most(150);
    await site.until(T0 + 2 * HOUR);
    const { receipt } = await car.unplug();
    expect(receipt.promise).to.include({ outcome: "short" });
    const { orderWh, systemWh, operatorWh } = receipt.promise!.shares;
    expect([systemWh, operatorWh]).to.deep.equal([0, 0]);
    expect(orderWh).to.be.greaterThan(7_000);
  });
});

describe("A flexibility order up", () => {
  it("moves charging into its slots, up to what cars owe and wish; the market's price is what bills use", async () => {
    const site = await aSite({ limitW: 30_000, priceOf: (slot) => (slot % 96 < 60 ? 100_000 : 40_000) });
    // Cheap from 15:00 on (slot 60 of the day): without the order the car waits for it.
    const car = await site.plugIn(1);
    await car.ask(20_000, site.in(10 * HOUR));
    await site.until(T0 + 20 * MINUTE);
    const said = await answered(site, { direction: "up", powerW: 11_000 });
    expect(said.answer).to.equal("accepted");
    expect(said.slots.map(({ plannedWh }) => plannedWh)).to.deep.equal([0, 0, 0, 0]);
    // At equal prices the earlier slot is taken; 5,000 are the margin.
    expect(said.bonus).to.equal(60_000 + 5_000);
    expect(await charged(site, [car], 60, 120)).to.be.within(10_900, 11_040);
    await site.until(T0 + 126 * MINUTE);
    expect(await settled(site)).to.include({ outcome: "met" });
    await site.until(T0 + 10 * HOUR);
    const { receipt } = await car.unplug();
    expect(receipt.promise).to.include({ outcome: "kept" });
    const ups = receipt.flex.intervals.filter(({ up }) => up === "ORDER");
    expect(ups.map(({ value }) => value as number)).to.deep.equal([100_000, 100_000, 100_000, 100_000]);
  });

  it("is reduced to what is wished, and refused where nobody wishes anything", async () => {
    const { site, car } = await aPatientCar(12_000, 6);
    await site.until(T0 + 50 * MINUTE);
    const said = await answered(site, { direction: "up", from: 120, until: 180, powerW: 11_000 });
    expect(said.answer).to.equal("reduced");
    expect(sum(said.slots.map(({ acknowledgedWh }) => acknowledgedWh))).to.be.at.most(12_000 - car.registerWh + 200);
    await car.unplug();
    expect(await answered(site, { id: "again", direction: "up", from: 180, until: 240 })).to.include({
      answer: "refused",
    });
  });
});

describe("An order that cannot be meant", () => {
  for (const [what, part, reason, says] of [
    ["in kW", { powerW: 20 }, "suspicious-order", /20 kW = 20000 W/],
    ["above the supply limit", { powerW: 31_000 }, "suspicious-order", /supply limit of 30000 W/],
    ["of the past", { from: 0 }, "past-order", /earliest time is/],
    ["that ends before it begins", { until: 60 }, "past-order", /ends before it begins/],
    ["not for whole quarter-hours", { from: 61 }, "not-on-slots", /minute 00, 15, 30 or 45/],
    ["for longer than a day", { until: 60 + 25 * 60 }, "suspicious-order", /longer than a day/],
    ["for next week", { from: 10_080, until: 10_140 }, "beyond-horizon", /about a day ahead/],
    ["of an unknown group", { groupId: "nowhere" }, "unknown-group", /nowhere/],
  ] as readonly (readonly [string, Part, string, RegExp])[])
    it(`is refused: ${what}`, async () => {
      const { site } = await aPatientCar();
      const said = await order(site, part);
      expect(said).to.include({ kind: "refused", reason });
      expect("text" in said && said.text).to.match(says);
      expect(await site.store.grid.orders(GROUP, epochSecond(0))).to.deep.equal([]);
    });

  it("is refused: the opposite of one that stands", async () => {
    const { site } = await aPatientCar();
    await answered(site, {});
    const said = await order(site, { id: "opposite", direction: "up", from: 105, until: 150 });
    expect(said).to.include({ kind: "refused", reason: "opposite-order" });
    expect(await order(site, { id: "beside", direction: "up", from: 120, until: 150 })).to.include({
      kind: "answered",
    });
  });

  for (const [name, direction] of [
    ["equal-share", "up"],
    ["uncontrolled", "down"],
  ] as const)
    it(`is refused: ${direction}, of a group that is run by ${name}`, async () => {
      const { site } = await aPatientCar();
      await site.store.sites.setAlgorithm(GROUP, { name, parameters: {} }, site.now());
      expect(await order(site, { direction })).to.include({ kind: "refused", reason: "not-by-algorithm" });
    });

  it("is refused: before any plan was recorded", async () => {
    const site = await aSite();
    expect(await order(site, {})).to.include({ kind: "refused", reason: "no-baseline" });
  });
});
