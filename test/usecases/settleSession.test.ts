import { expect } from "chai";
import { epochSecond, microEurPerKwh, watt } from "../../backend/domain/units.ts";
import { setEvseStatus } from "../../backend/usecases/setEvseStatus.ts";
import { setTariff } from "../../backend/usecases/setTariff.ts";
import { aSite, evseId, HOUR, MINUTE, type Site, T0 } from "../support/world.ts";

const NOBODY = { driverWh: 0, vehicleWh: 0, orderWh: 0, outageWh: 0, operatorWh: 0, systemWh: 0 };
/** 0.35 EUR per kWh. */
const PRICE = 350_000n;

const fault = (site: Site, evse: number, status: "INOPERATIVE" | "AVAILABLE") => {
  site.stage.evses[evseId(evse)]!.faultUntil = status === "INOPERATIVE" ? T0 + 86_400 : 0;
  return setEvseStatus(site.world, { evseId: evseId(evse), status, at: site.now() });
};

describe("The bill of a session", () => {
  it("has energy lines that add up to the metered energy, at the session's price, rounded down once", async () => {
    const site = await aSite();
    const car = await site.plugIn(1, { takesWh: 7_654 });
    await site.minutes(60);
    const { receipt, settlement } = await car.unplug();
    expect(receipt.lines).to.deep.equal([
      { kind: "energy", energyWh: 7_654, pricePerKwh: 350_000, amountMicroEur: (7_654n * PRICE) / 1000n },
    ]);
    expect(receipt.meter).to.include({ startAt: T0, startWh: 0, endAt: T0 + HOUR, endWh: 7_654 });
    expect(settlement).to.include({ energyWh: 7_654, amountMicroEur: 2_678_900n, compensationMicroEur: 0n });
    expect(receipt.promise).to.equal(null);
  });

  it("of the next car begins where the register stood", async () => {
    const site = await aSite();
    const first = await site.plugIn(1, { takesWh: 2_000 });
    await site.minutes(30);
    await first.unplug();
    const second = await site.plugIn(1, { takesWh: 1_500 });
    await site.minutes(30);
    const { receipt, settlement } = await second.unplug();
    expect(receipt.meter).to.include({ startWh: 2_000, endWh: 3_500 });
    expect(settlement.energyWh).to.equal(1_500);
  });

  it("keeps the price that the session started with", async () => {
    const site = await aSite();
    const car = await site.plugIn(1, { takesWh: 1_000 });
    await setTariff(site.world, { cpoId: "cpo", pricePerKwh: microEurPerKwh(900_000) });
    await site.minutes(15);
    expect((await car.unplug()).settlement.amountMicroEur).to.equal(350_000n);
    const next = await site.plugIn(1, { takesWh: 1_000 });
    await site.minutes(15);
    expect((await next.unplug()).settlement.amountMicroEur).to.equal(900_000n);
  });

  it("is 0 for a car that only plugged in", async () => {
    const site = await aSite();
    const car = await site.plugIn(1);
    const { settlement } = await car.unplug();
    expect(settlement).to.include({ energyWh: 0, amountMicroEur: 0n, creditMicroEur: 0n, flexWh: 0 });
  });
});

describe("A promise that was kept", () => {
  it("costs nobody anything, also when the driver leaves long after", async () => {
    const site = await aSite();
    const car = await site.plugIn(1);
    await car.ask(6_000, T0 + HOUR);
    await site.minutes(90);
    const { receipt } = await car.unplug();
    expect(receipt.promise).to.deep.include({ outcome: "kept", missingWh: 0, missingAtUnplugWh: 0, shares: NOBODY });
    expect(await car.promise()).to.include({ state: "kept" });
  });

  it("within 100 Wh or 1 % counts as kept", async () => {
    const site = await aSite();
    const car = await site.plugIn(1, { takesWh: 5_900 });
    await car.ask(6_000, T0 + HOUR);
    await site.minutes(70);
    const { receipt } = await car.unplug();
    expect(receipt.promise).to.deep.include({ outcome: "kept", missingWh: 100, shares: NOBODY });
    expect(receipt.amountMicroEur).to.equal((5_900n * PRICE) / 1000n);
  });
});

describe("Energy that a promise lacks is the", () => {
  it("vehicle's when its battery was full before", async () => {
    const site = await aSite();
    const car = await site.plugIn(1, { takesWh: 4_000 });
    await car.ask(10_000, T0 + 2 * HOUR);
    await site.until(T0 + 2 * HOUR + 5 * MINUTE);
    const { receipt, settlement } = await car.unplug();
    expect(receipt.promise).to.deep.include({
      outcome: "short",
      missingWh: 6_000,
      missingAtUnplugWh: 6_000,
      shares: { ...NOBODY, vehicleWh: 6_000 },
    });
    expect(settlement.compensationMicroEur).to.equal(0n);
  });

  it("vehicle's when it drew less than it was allowed", async () => {
    const site = await aSite();
    const car = await site.plugIn(1);
    await car.ask(10_000, T0 + HOUR);
    await site.minutes(5);
    car.slowTo(4_500);
    await site.until(T0 + 62 * MINUTE);
    const { receipt } = await car.unplug();
    const { missingWh, shares, outcome } = receipt.promise!;
    // 299 s at 11 kW, then 55 min at 4.5 kW: about 5 kWh of 10.
    expect(missingWh).to.be.within(4_900, 5_000);
    expect(outcome).to.equal("short");
    expect(shares).to.deep.equal({ ...NOBODY, vehicleWh: missingWh });
  });

  it("driver's when the car left before its time", async () => {
    // The cheap hour is the second one: the plan waits for it, and the driver does not.
    const site = await aSite({ priceOf: (slot) => (slot < 36 ? 200_000 : 50_000) });
    const car = await site.plugIn(1);
    await car.ask(9_000, T0 + 2 * HOUR);
    await site.until(T0 + HOUR);
    expect(car.registerWh).to.equal(0);
    const { receipt, settlement } = await car.unplug();
    expect(receipt.promise).to.deep.include({
      outcome: "short",
      missingWh: 9_000,
      shares: { ...NOBODY, driverWh: 9_000 },
    });
    expect(settlement).to.include({ compensationMicroEur: 0n, amountMicroEur: 0n });
    expect(await car.promise()).to.include({ state: "short" });
  });

  it("operator's when the station failed: compensated at the full price", async () => {
    const site = await aSite();
    const car = await site.plugIn(1);
    await car.ask(10_000, T0 + HOUR);
    await site.until(T0 + 20 * MINUTE);
    await fault(site, 1, "INOPERATIVE");
    await site.until(T0 + 21 * MINUTE);
    expect(await car.promise()).to.include({ state: "at-risk" });
    await site.until(T0 + 65 * MINUTE);
    const chargedWh = car.registerWh;
    expect(chargedWh).to.be.within(3_600, 3_680);
    const { receipt, settlement } = await car.unplug();
    const missingWh = 10_000 - chargedWh;
    expect(receipt.promise).to.deep.include({
      outcome: "short",
      missingWh,
      shares: { ...NOBODY, operatorWh: missingWh },
    });
    // ceil(350,000 * 2 * missing / 2000) micro-euro, and the bill is what is left of the energy's price.
    const due = (PRICE * BigInt(missingWh)) / 1000n;
    const owed = (PRICE * BigInt(chargedWh)) / 1000n;
    expect(settlement).to.include({ compensationMicroEur: due, amountMicroEur: 0n, creditMicroEur: due - owed });
    expect(receipt.lines.map(({ kind }) => kind)).to.deep.equal(["energy", "promise-compensation"]);
    expect(receipt.lines.reduce((sum, line) => sum + line.amountMicroEur, 0n)).to.equal(owed - due);
  });

  it("operator's when the station was late only: compensated at half the price", async () => {
    const site = await aSite();
    const car = await site.plugIn(1);
    await car.ask(10_000, T0 + HOUR);
    await site.until(T0 + 20 * MINUTE);
    await fault(site, 1, "INOPERATIVE");
    await site.until(T0 + 50 * MINUTE);
    await fault(site, 1, "AVAILABLE");
    await site.until(T0 + 61 * MINUTE);
    expect(await car.promise()).to.include({ state: "at-risk" });
    const inTimeWh = (await car.promise())!.missingWh!;
    await site.until(T0 + 2 * HOUR);
    const { receipt, settlement } = await car.unplug();
    const { outcome, missingWh, missingAtUnplugWh, shares } = receipt.promise!;
    expect({ outcome, missingAtUnplugWh, shares }).to.deep.equal({
      outcome: "late",
      missingAtUnplugWh: 0,
      shares: { ...NOBODY, operatorWh: missingWh },
    });
    expect(missingWh).to.equal(inTimeWh);
    expect(missingWh).to.be.within(4_500, 4_700);
    expect(settlement.compensationMicroEur).to.equal((PRICE * BigInt(missingWh) + 1999n) / 2000n);
  });

  it("operator's when it lowered the limit under the promise", async () => {
    const site = await aSite({ limitW: 12_000 });
    const car = await site.plugIn(1);
    await car.ask(10_000, T0 + HOUR);
    await site.until(T0 + 15 * MINUTE);
    await site.limit("operator", 5_000);
    await site.until(T0 + 62 * MINUTE);
    const { receipt } = await car.unplug();
    const { missingWh, shares } = receipt.promise!;
    expect(missingWh).to.be.within(3_500, 3_700);
    expect(shares).to.deep.equal({ ...NOBODY, operatorWh: missingWh });
    expect(receipt.promise!.compensation.amountMicroEur > 1_000_000n).to.equal(true);
  });

  it("grid's when an order lowered the limit, and compensated too", async () => {
    const site = await aSite({ limitW: 12_000 });
    const car = await site.plugIn(1);
    await car.ask(10_000, T0 + HOUR);
    await site.until(T0 + 15 * MINUTE);
    await site.limit("order", 5_000, 2 * HOUR);
    await site.until(T0 + 62 * MINUTE);
    const { receipt } = await car.unplug();
    const { missingWh, shares } = receipt.promise!;
    expect(missingWh).to.be.within(3_500, 3_700);
    expect(shares).to.deep.equal({ ...NOBODY, orderWh: missingWh });
    expect(receipt.promise!.compensation.amountMicroEur > 1_000_000n).to.equal(true);
  });

  it("operator's when the station was silent and its limit could not be raised", async () => {
    const site = await aSite({ priceOf: (slot) => (slot < 34 ? 200_000 : 50_000) });
    const car = await site.plugIn(1);
    await car.ask(10_000, T0 + 90 * MINUTE);
    await site.until(T0 + 5 * MINUTE);
    car.station.silentUntil = T0 + 80 * MINUTE;
    // Its profile for the cheap slots is in the station, so that silence alone breaks nothing: it must lose it.
    car.station.profile = [{ from: epochSecond(T0), limitW: watt(0) }];
    await site.until(T0 + 92 * MINUTE);
    const { receipt } = await car.unplug();
    const { missingWh, shares } = receipt.promise!;
    expect(missingWh).to.be.greaterThan(7_000);
    expect(shares.operatorWh).to.equal(missingWh);
  });
});

describe("A session's evidence", () => {
  it("sums up to the register's rise, minute by minute", async () => {
    const site = await aSite();
    const car = await site.plugIn(1, { takesWh: 3_000 });
    await car.ask(3_000, T0 + HOUR);
    await site.minutes(40);
    const { receipt, settlement } = await car.unplug();
    expect(receipt.meter.readings).to.equal((await site.store.meters.ofSession(car.id)).length);
    const slots = await site.store.bills.slots("group", 0, 2 ** 31 - 1);
    expect(slots.reduce((sum, slot) => sum + slot.meteredWh, 0)).to.equal(settlement.energyWh);
    expect(slots.map(({ slot }) => slot - T0 / 900)).to.deep.equal([0, 1, 2]);
    expect(receipt.flex.intervals.reduce((sum, one) => sum + one.baselineWh, 0)).to.equal(3_000);
    expect(receipt.plan).not.to.equal(null);
    expect(receipt.evidence.promises).to.have.length(1);
  });
});
