import { expect } from "chai";
import { optOut } from "../../backend/usecases/optOut.ts";
import { aSite, HOUR, MINUTE, T0 } from "../support/world.ts";

describe("A driver who opts out", () => {
  it("charges at full power when every promise stays whole", async () => {
    const site = await aSite({ limitW: 25_000 });
    const promised = await site.plugIn(1);
    await promised.ask(10_000, T0 + 2 * HOUR);
    const car = await site.plugIn(2);
    expect(await car.optOut()).to.deep.equal({ kind: "full-power" });
    await site.minutes(1);
    expect(car.allowedW).to.equal(11_040);
    expect(await site.store.sessions.byId(car.id)).to.include({ mode: "opted-out" });
    expect(await site.store.sessions.admission(car.id)).to.include({ kind: "opted-out" });
    await site.minutes(121);
    expect(await promised.promise()).to.include({ state: "kept" });
    expect(car.registerWh).to.be.within(22_300, 22_448);
  });

  it("gets full power although the limit is below both, when the promise can wait for it", async () => {
    const site = await aSite({ limitW: 15_000 });
    const promised = await site.plugIn(1);
    await promised.ask(20_000, T0 + 4 * HOUR);
    const car = await site.plugIn(2, { takesWh: 8_000 });
    expect(await car.optOut()).to.deep.equal({ kind: "full-power" });
    await site.minutes(50);
    expect(car.registerWh).to.equal(8_000);
    await site.minutes(200);
    expect(await promised.promise()).to.include({ state: "kept" });
  });

  it("is offered the equal share for an hour when full power would break a promise", async () => {
    const site = await aSite({ limitW: 20_000 });
    const promised = await site.plugIn(1);
    await promised.ask(10_500, T0 + HOUR);
    const car = await site.plugIn(2);
    const answer = await car.optOut();
    // 20 kW less 12 per mille, and 2 Wh that registers do not show yet; one other car and this one.
    const shareW = Math.floor(((5_000 * 0.988 - 1) * 3600) / 892 / 2);
    expect(answer).to.include({ kind: "offer", until: T0 + HOUR });
    expect((answer as { limitW: number }).limitW).to.be.within(Math.floor(9_880 / 2), shareW);
    await site.minutes(62);
    expect(await promised.promise()).to.include({ state: "kept" });
  });

  it("is offered nothing while promises need everything, and what is free again when the hour is over", async () => {
    const site = await aSite({ limitW: 11_500 });
    const promised = await site.plugIn(1);
    await promised.ask(10_900, T0 + HOUR);
    const car = await site.plugIn(2);
    expect(await car.optOut()).to.deep.equal({ kind: "offer", limitW: 0, until: T0 + HOUR });
    await site.minutes(59);
    expect(car.registerWh).to.equal(0);
    await site.minutes(3);
    expect(car.live.grant!.until).to.be.within(T0 + 2 * HOUR - 2 * MINUTE, T0 + 2 * HOUR + 2 * MINUTE);
    expect(car.allowedW).to.be.greaterThan(5_000);
    expect(await promised.promise()).to.include({ state: "kept" });
  });

  it("is lowered when the limit falls below what it was granted, and raised when its hour is over", async () => {
    const site = await aSite({ limitW: 25_000 });
    const car = await site.plugIn(1);
    expect(await car.optOut()).to.deep.equal({ kind: "full-power" });
    await site.until(T0 + 15 * MINUTE);
    await site.limit("operator", 6_000, 30 * MINUTE);
    await site.minutes(2);
    expect(car.allowedW).to.be.within(5_800, 6_000);
    await site.until(T0 + 45 * MINUTE);
    for (const slot of [1, 2]) expect(site.meanImportW(slot), `slot ${slot}`).to.be.at.most(6_000);
    await site.until(T0 + 62 * MINUTE);
    expect(car.allowedW).to.equal(11_040);
  });

  it("is a fixed load that later requests cannot take", async () => {
    const site = await aSite({ limitW: 12_000 });
    const car = await site.plugIn(1);
    await car.optOut();
    const later = await site.plugIn(2);
    const answer = await later.ask(8_000, T0 + HOUR);
    expect(answer.kind).to.be.oneOf(["counter-offer", "not-possible"]);
    expect((answer as { energyWh?: number }).energyWh ?? 0).to.be.lessThan(900);
    await site.minutes(59);
    expect(car.registerWh).to.be.within(10_700, 11_040);
  });

  it("takes the offer back that it had not answered yet", async () => {
    const site = await aSite({ limitW: 10_000 });
    const car = await site.plugIn(1);
    expect((await car.ask(30_000, T0 + HOUR)).kind).to.equal("counter-offer");
    await car.optOut();
    expect(car.live).to.include({ promise: null, mode: "opted-out" });
    expect((await site.store.promises.history(car.id)).map(({ state }) => state)).to.deep.equal(["withdrawn"]);
    await site.minutes(3);
    expect(car.live.mode, "the offer's expiry changes nothing").to.equal("opted-out");
    expect(await site.store.sessions.byId(car.id)).to.include({ mode: "opted-out" });
  });

  it("is refused while it has a promise, and may opt out when that is kept; the bill still tells of it", async () => {
    const site = await aSite({ limitW: 12_000 });
    const car = await site.plugIn(1);
    await car.ask(5_000, T0 + HOUR);
    const answer = await car.optOut();
    expect(answer).to.include({ kind: "refused", reason: "promised" });
    expect(car.live.mode).to.equal("smart");
    await site.minutes(62);
    expect(await car.optOut()).to.deep.equal({ kind: "full-power" });
    await site.minutes(10);
    const { receipt } = await car.unplug();
    expect(receipt.promise).to.include({ outcome: "kept", energyWh: 5_000 });
    expect(receipt.flex.rewarded, "an opted-out session earns no FLEX").to.equal(false);
  });

  it("twice is answered twice and remembered once", async () => {
    const site = await aSite({ limitW: 25_000 });
    const car = await site.plugIn(1);
    await car.optOut();
    await site.minutes(1);
    expect(await car.optOut()).to.deep.equal({ kind: "full-power" });
    expect(await site.store.sessions.admission(car.id)).to.include({ at: T0 });
  });

  it("is refused for a session that is not open", async () => {
    const site = await aSite();
    expect(await optOut(site.world, { sessionId: "nobody" })).to.include({
      kind: "refused",
      reason: "unknown-session",
    });
  });
});
