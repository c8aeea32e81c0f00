import { expect } from "chai";
import { aSite, HOUR, MINUTE, T0 } from "../support/world.ts";

describe("A restart", () => {
  it("finds open sessions, promises, wishes, registers and applied limits again, and the next cycle works", async () => {
    const site = await aSite({ limitW: 20_000, evses: 3, demandW: 3_000 });
    const smart = await site.plugIn(1);
    await smart.ask(12_000, T0 + 3 * HOUR);
    const free = await site.plugIn(2);
    const gone = await site.plugIn(3);
    await site.until(T0 + 19 * MINUTE);
    await gone.unplug();
    await site.until(T0 + 21 * MINUTE);
    const seen = (car: typeof smart) => {
      const { mode, departsAt, wishedWh, promise, registerWh, powerW, readAt, applied } = structuredClone(car.live);
      return { mode, departsAt, wishedWh, promise: promise?.energyWh, registerWh, powerW, readAt, applied };
    };
    const before = [seen(smart), seen(free), site.board.site];
    const allowedW = site.allowedW();

    await site.restart();
    expect(site.board.sessions).to.have.all.keys(smart.id, free.id);
    expect([seen(smart), seen(free), site.board.site]).to.deep.equal(before);
    expect(site.allowedW(), "the stations went on").to.equal(allowedW);
    const plansBefore = (await site.store.plans.latest("group"))!.id;
    await site.seconds(5);
    expect((await site.store.plans.latest("group"))!.id).not.to.equal(plansBefore);
    await site.until(T0 + 3 * HOUR + 2 * MINUTE);
    expect(await smart.promise()).to.include({ state: "kept" });
    for (let slot = 0; slot < 12; slot++) expect(site.meanImportW(slot), `slot ${slot}`).to.be.at.most(20_000);
    const { receipt, settlement } = await smart.unplug();
    expect(settlement.energyWh).to.equal(smart.registerWh);
    expect(receipt.promise).to.include({ outcome: "kept" });
  });

  it("lets an offer expire that was open, and judges a promise whose time came meanwhile", async () => {
    const site = await aSite({ limitW: 10_000 });
    const kept = await site.plugIn(1);
    await kept.ask(4_000, T0 + 40 * MINUTE);
    await site.until(T0 + 39 * MINUTE);
    const offered = await site.plugIn(2);
    expect((await offered.ask(60_000, T0 + 3 * HOUR)).kind).to.equal("counter-offer");
    await site.restart();
    expect(offered.live.promise).to.include({ state: "offered" });
    await site.minutes(4);
    expect(offered.live).to.include({ promise: null, mode: "best-effort" });
    expect(await kept.promise()).to.include({ state: "kept" });
    await site.restart();
    expect(offered.live.promise).to.equal(null);
    expect(await offered.answer(true)).to.include({ kind: "refused", reason: "no-offer" });
  });

  it("counts a profile that was sent and not answered until the station was asked again", async () => {
    const site = await aSite({ limitW: 12_000 });
    const first = await site.plugIn(1);
    await site.minutes(20);
    const second = await site.plugIn(2);
    await second.ask(5_000, T0 + 55 * MINUTE);
    await site.seconds(2);
    expect(first.live.pending).not.to.equal(null);
    const allowedW = first.allowedW;
    await site.restart();
    expect(first.live.pending).to.include({ sentAt: T0 + 20 * MINUTE + 1 });
    expect(first.allowedW).to.equal(allowedW);
    await site.until(T0 + 57 * MINUTE);
    expect(await second.promise()).to.include({ state: "kept" });
    for (const car of [first, second]) {
      const profiles = await car.profiles();
      expect(profiles.at(-1)!.sentAt, "profiles after the restart are new ones").to.be.greaterThan(T0 + 21 * MINUTE);
      const ids = profiles.map(({ id }) => id);
      expect(ids).to.deep.equal(ids.map((_, i) => `${car.id}#${i + 1}`));
    }
    for (let slot = 1; slot < 3; slot++) expect(site.meanImportW(slot), `slot ${slot}`).to.be.at.most(12_000);
  });

  it("keeps an opted-out session opted out and grants it power again", async () => {
    const site = await aSite({ limitW: 25_000 });
    const car = await site.plugIn(1);
    await car.optOut();
    await site.minutes(20);
    await site.restart();
    expect(car.live.mode).to.equal("opted-out");
    await site.minutes(3);
    expect(car.allowedW).to.equal(11_040);
  });

  it("still lifts a limit when its time is over", async () => {
    const site = await aSite({ limitW: 20_000 });
    const car = await site.plugIn(1);
    await site.minutes(3);
    await site.limit("order", 5_000, 20 * MINUTE);
    await site.minutes(1);
    await site.restart();
    await site.until(T0 + 22 * MINUTE);
    expect(car.allowedW).to.be.at.most(5_000);
    await site.until(T0 + 23 * MINUTE + 10);
    expect(car.allowedW).to.be.greaterThan(10_900);
  });

  it("after a night away does not invent what it did not see", async () => {
    const site = await aSite({ limitW: 20_000, demandW: 3_000 });
    const car = await site.plugIn(1);
    await site.until(T0 + 16 * MINUTE);
    const { slot } = site.board;
    await site.away(8 * HOUR);
    const slots = await site.store.meters.siteSlots("group", 0);
    expect(slots.map((one) => one.slot)).to.deep.equal([slot - 1]);
    await site.until(site.now() + 31 * MINUTE);
    expect(car.live.silent).to.equal(false);
    const since = await site.store.meters.siteSlots("group", slot);
    expect(since.at(-1)).to.include({ demandW: 3_000 });
    expect(
      since.every(({ carsWh }) => carsWh <= 11_040 / 4 + 1),
      JSON.stringify(since),
    ).to.equal(true);
  });
});
