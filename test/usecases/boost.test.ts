import { expect } from "chai";
import { aSite, HOUR, MINUTE, T0 } from "../support/world.ts";

/** Everything waits for the second hour: it costs a tenth. */
const cheapLater = (slot: number) => (slot < 36 ? 200_000 : 20_000);

describe("A boost", () => {
  it("charges at full power now, although later is cheaper, and ends by itself", async () => {
    const site = await aSite({ limitW: 25_000, priceOf: cheapLater });
    const car = await site.plugIn(1);
    await car.ask(8_000, T0 + 3 * HOUR);
    await site.minutes(2);
    expect(car.allowedW).to.equal(0);
    const answer = await car.boost({ until: T0 + 12 * MINUTE });
    expect(answer).to.include({ kind: "boosted", limitW: 11_040, isFull: true });
    await site.seconds(10);
    expect(car.allowedW).to.equal(11_040);
    await site.until(T0 + 13 * MINUTE);
    expect(car.live.boost).to.equal(null);
    expect(car.allowedW).to.equal(0);
    expect(car.registerWh).to.be.within(1_750, 1_850);
    expect(await site.store.priorities.boosts(car.id)).to.have.length(1);
    expect((await site.store.priorities.boosts(car.id))[0]).to.include({
      askedBy: "driver",
      askedAt: T0 + 2 * MINUTE,
      until: T0 + 12 * MINUTE,
      endedAt: T0 + 12 * MINUTE,
      ended: "time",
    });
    await site.until(T0 + 3 * HOUR + 2 * MINUTE);
    expect(await car.promise(), "its own promise stays").to.include({ state: "kept", energyWh: 8_000 });
  });

  it("ends when the energy is in that was asked for", async () => {
    const site = await aSite({ limitW: 25_000, priceOf: cheapLater });
    const car = await site.plugIn(1);
    await car.ask(9_000, T0 + 3 * HOUR);
    await car.boost({ energyWh: 2_000 });
    await site.minutes(15);
    expect(car.registerWh).to.be.within(2_000, 2_400);
    expect((await site.store.priorities.boosts(car.id))[0]).to.include({ ended: "energy", energyWh: 2_000 });
    expect(car.allowedW).to.equal(0);
  });

  it("takes no more than leaves every promise of others whole, and gets more when there is more", async () => {
    const site = await aSite({ limitW: 16_000 });
    const other = await site.plugIn(1);
    await other.ask(9_000, T0 + HOUR);
    const car = await site.plugIn(2);
    const answer = await car.boost({ until: T0 + 2 * HOUR });
    expect(answer).to.include({ kind: "boosted", isFull: false });
    // 16 kW less 12 per mille leave 15.8 kWh for an hour, the other car needs 9 of them: between 6 and 7 kW are constant.
    expect((answer as { limitW: number }).limitW).to.be.within(6_000, 6_850);
    await site.minutes(62);
    expect(await other.promise()).to.include({ state: "kept", missingWh: 0 });
    await site.minutes(5);
    expect(car.allowedW).to.equal(11_040);
    for (const slot of [0, 1, 2, 3]) expect(site.meanImportW(slot)).to.be.at.most(16_000);
  });

  it("never breaks its own promise either: granted nothing, it charges as planned", async () => {
    const site = await aSite({ limitW: 12_000 });
    const other = await site.plugIn(1);
    const car = await site.plugIn(2);
    await other.ask(5_500, T0 + HOUR);
    await car.ask(5_500, T0 + HOUR);
    await car.boost();
    await site.minutes(62);
    for (const one of [other, car]) expect(await one.promise(), one.id).to.include({ state: "kept" });
  });

  it("earns no FLEX for the session, whatever it moved before or after, and the bill says so", async () => {
    const site = await aSite({ limitW: 25_000, priceOf: cheapLater });
    const [moved, boosted] = [await site.plugIn(1), await site.plugIn(2)];
    for (const car of [moved, boosted]) await car.ask(5_000, T0 + 3 * HOUR);
    await site.minutes(1);
    await boosted.boost({ energyWh: 1_000 });
    await site.minutes(179);
    expect((await moved.unplug()).settlement.flexWh).to.be.greaterThan(3_000);
    const { settlement, receipt } = await boosted.unplug();
    expect(settlement.flexWh).to.equal(0);
    expect(receipt.flex.rewarded).to.equal(false);
  });

  it("can be cancelled, replaced and repeated; each request is kept", async () => {
    const site = await aSite({ limitW: 25_000, priceOf: cheapLater });
    const car = await site.plugIn(1);
    await car.ask(5_000, T0 + 3 * HOUR);
    expect(await car.cancelBoost()).to.include({ kind: "refused", reason: "no-boost" });
    await car.boost();
    await site.minutes(2);
    await car.boost({ until: T0 + 30 * MINUTE });
    await site.minutes(2);
    expect(await car.cancelBoost()).to.deep.equal({ kind: "cancelled" });
    await site.minutes(1);
    expect(car.allowedW).to.equal(0);
    expect((await site.store.priorities.boosts(car.id)).map(({ ended }) => ended)).to.deep.equal([
      "cancelled",
      "cancelled",
    ]);
  });

  it("is refused to who opted out, and with a time that is no time", async () => {
    const site = await aSite();
    const car = await site.plugIn(1);
    expect(await car.boost({ until: T0 })).to.include({ kind: "refused", reason: "bad-boost" });
    expect(await car.boost({ until: T0 + 25 * HOUR })).to.include({ kind: "refused", reason: "bad-boost" });
    await car.optOut();
    expect(await car.boost()).to.include({ kind: "refused", reason: "opted-out" });
  });

  it("is lowered when the limit falls, and survives a restart", async () => {
    const site = await aSite({ limitW: 25_000 });
    const car = await site.plugIn(1);
    await car.boost({ until: T0 + 2 * HOUR });
    await site.until(T0 + 15 * MINUTE);
    await site.limit("operator", 6_000, 30 * MINUTE);
    await site.minutes(2);
    expect(car.allowedW).to.be.within(5_500, 6_000);
    await site.until(T0 + 20 * MINUTE);
    await site.restart();
    await site.until(T0 + 52 * MINUTE);
    for (const slot of [1, 2]) expect(site.meanImportW(slot), `slot ${slot}`).to.be.at.most(6_000);
    expect(car.live.boost).to.include({ until: T0 + 2 * HOUR });
    expect(car.allowedW).to.equal(11_040);
  });
});

describe("A car that opted out and is full", () => {
  it("gives its grant back within minutes, and gets it again when it draws", async () => {
    const site = await aSite({ limitW: 12_000 });
    const full = await site.plugIn(1, { takesWh: 1_000 });
    await full.optOut();
    const other = await site.plugIn(2);
    await site.minutes(4);
    expect(other.allowedW).to.be.lessThan(1_500);
    // 1 kWh is in after 5.5 minutes.
    await site.minutes(8);
    expect(full.live.grant).to.equal(null);
    expect(other.allowedW).to.be.greaterThan(10_000);
    expect((await other.ask(9_000, site.in(HOUR))).kind, "its room can be promised").to.equal("accepted");
    await site.minutes(62);
    expect(await other.promise()).to.include({ state: "kept" });
    if (full.station.car) full.station.car.roomWs += 5_000 * 3600;
    await other.unplug();
    await site.minutes(10);
    expect(full.allowedW).to.equal(11_040);
    expect(full.registerWh).to.be.greaterThan(2_000);
  });
});
