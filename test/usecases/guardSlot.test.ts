import { expect } from "chai";
import { limitAt } from "../../backend/domain/profiles.ts";
import { aSite, HOUR, MINUTE, T0 } from "../support/world.ts";

describe("The in-slot guard", () => {
  it("keeps the slot's mean below the limit when the building's load jumps in the middle of it", async () => {
    const site = await aSite({ limitW: 20_000, demandW: 2_000 });
    const cars = [await site.plugIn(1), await site.plugIn(2)];
    await site.until(T0 + 22 * MINUTE);
    const before = cars[0]!.allowedW + cars[1]!.allowedW;
    expect(before).to.be.within(17_500, 18_000);
    // 7 of 15 minutes at 20 kW are over: the cars must give way for all of the 10 kW more.
    site.load(12_000);
    await site.until(T0 + 30 * MINUTE);
    expect(site.meanImportW(1)).to.be.within(19_500, 20_000);
    expect(site.board.guardActions).to.be.greaterThan(0);
  });

  it("takes nothing when the slot has saved enough before the jump", async () => {
    const site = await aSite({ limitW: 20_000, demandW: 2_000 });
    await site.until(T0 + 25 * MINUTE);
    const car = await site.plugIn(1);
    await site.until(T0 + 26 * MINUTE);
    const actions = site.board.guardActions;
    site.load(19_000);
    await site.until(T0 + 30 * MINUTE);
    // 10 minutes at 2 kW saved 3 kWh: 11 kW above the limit for 5 minutes fit into it.
    expect(site.board.guardActions).to.equal(actions);
    expect(car.registerWh).to.be.within(880, 920);
    expect(site.meanImportW(1)).to.be.at.most(20_000);
  });

  it("trims best effort before promises", async () => {
    const site = await aSite({ limitW: 20_000, demandW: 2_000 });
    const promised = await site.plugIn(1);
    await promised.ask(9_000, T0 + HOUR);
    const other = await site.plugIn(2);
    await site.until(T0 + 20 * MINUTE);
    const before = [promised.allowedW, other.allowedW];
    site.load(8_000);
    await site.until(T0 + 21 * MINUTE + 10);
    expect(promised.allowedW).to.be.at.least(before[0]! - 200);
    expect(other.allowedW).to.be.lessThan(before[1]! - 4_000);
    await site.until(T0 + 30 * MINUTE);
    expect(site.meanImportW(1)).to.be.at.most(20_000);
  });

  it("gives back when the load falls again", async () => {
    const site = await aSite({ limitW: 20_000, demandW: 2_000 });
    const cars = [await site.plugIn(1), await site.plugIn(2)];
    const sum = () => cars[0]!.allowedW + cars[1]!.allowedW;
    await site.until(T0 + 18 * MINUTE);
    site.load(16_000);
    await site.minutes(2);
    const trimmedW = sum();
    expect(trimmedW).to.be.lessThan(8_000);
    site.load(2_000);
    await site.minutes(2);
    expect(sum()).to.be.greaterThan(15_000);
    await site.until(T0 + 30 * MINUTE);
    expect(site.meanImportW(1)).to.be.within(18_500, 20_000);
  });

  it("counts a silent station with the most that it may draw, not with what it drew last", async () => {
    const site = await aSite({ limitW: 20_000, demandW: 2_000 });
    const silent = await site.plugIn(1);
    await site.plugIn(2);
    await site.until(T0 + 15 * MINUTE);
    silent.slowTo(1_000);
    silent.station.silentUntil = T0 + HOUR;
    await site.until(T0 + 19 * MINUTE);
    const { live } = silent;
    expect(live.silent).to.equal(true);
    expect(live.powerW).to.be.greaterThan(6_000);
    site.load(12_000);
    await site.until(T0 + 30 * MINUTE);
    const worstW = Math.min(live.maxPowerW, limitAt(live.applied, site.now()));
    expect(worstW).to.be.greaterThan(0);
    expect(site.meanImportW(1)).to.be.at.most(20_000);
  });
});

describe("A register that stands still", () => {
  it("hides no import: the power that its station reports counts, and nothing twice when it moves again", async () => {
    const site = await aSite({ limitW: 20_000, demandW: 2_000 });
    const frozen = await site.plugIn(1);
    const other = await site.plugIn(2);
    await frozen.ask(30_000, T0 + 3 * HOUR);
    await site.until(T0 + 16 * MINUTE);
    frozen.station.frozen = { until: T0 + 41 * MINUTE, registerWh: frozen.registerWh };
    await site.until(T0 + 20 * MINUTE);
    // A new plan in the middle of it would spend what seems to be left of the slot.
    site.load(3_000);
    await site.until(T0 + 30 * MINUTE);
    expect(site.meanImportW(1)).to.be.within(19_000, 20_000);
    await site.until(T0 + 60 * MINUTE);
    for (const slot of [2, 3]) expect(site.meanImportW(slot), `slot ${slot}`).to.be.within(18_000, 20_000);
    expect(other.registerWh).to.be.greaterThan(5_000);
  });
});

describe("A building that takes the whole limit by itself", () => {
  it("leaves the cars nothing, and they start again when it is done", async () => {
    const site = await aSite({ limitW: 20_000, demandW: 5_000 });
    const car = await site.plugIn(1);
    await site.until(T0 + 16 * MINUTE);
    site.load(25_000);
    await site.until(T0 + 18 * MINUTE);
    expect(car.allowedW).to.equal(0);
    const registerWh = car.registerWh;
    await site.until(T0 + 40 * MINUTE);
    expect(car.registerWh).to.equal(registerWh);
    site.load(5_000);
    await site.until(T0 + 46 * MINUTE);
    expect(car.allowedW).to.be.greaterThan(4_140);
  });
});
