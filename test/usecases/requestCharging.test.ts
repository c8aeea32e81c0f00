import { expect } from "chai";
import { epochSecond, wattHour } from "../../backend/domain/units.ts";
import { requestCharging } from "../../backend/usecases/requestCharging.ts";
import { aSite, HOUR, MINUTE, type Site, T0 } from "../support/world.ts";

/**
 * What a group may promise until two hours from its start: 8 slots of 10 kW less 12 per mille, 2,470 Wh each. Of the
 * first slot a Wh per car that is plugged in besides is not counted, because registers show whole Wh.
 */
const TWO_HOURS_WH = 8 * 2_470;

describe("A driver who asks for energy", () => {
  let site: Site;
  beforeEach(async () => {
    site = await aSite({ limitW: 10_000, evses: 3 });
  });
  const plans = async () => (await site.store.plans.latest("group"))?.id;

  it("is promised all of it when it fits", async () => {
    const car = await site.plugIn(1);
    const answer = await car.ask(15_000, site.in(2 * HOUR));
    expect(answer).to.deep.include({ kind: "accepted" });
    const promise = await car.promise();
    expect(promise).to.include({
      state: "accepted",
      energyWh: 15_000,
      by: T0 + 2 * HOUR,
      version: 1,
      fromRegisterWh: 0,
    });
    expect(await site.store.sessions.admission(car.id)).to.include({
      kind: "accepted",
      wishedWh: 15_000,
      offeredWh: 15_000,
      shortfallWh: 0,
    });
    expect(await site.store.sessions.byId(car.id)).to.include({ mode: "smart" });
  });

  it("is offered the most that is left by then, and the earliest time for all of it", async () => {
    await (await site.plugIn(1)).ask(15_000, site.in(2 * HOUR));
    const second = await site.plugIn(2);
    const answer = await second.ask(10_000, site.in(2 * HOUR));
    const leftWh = TWO_HOURS_WH - 1 - 15_000;
    expect(answer).to.deep.include({
      kind: "counter-offer",
      energyWh: leftWh,
      shortfallWh: 10_000 - leftWh,
      // 5,241 Wh more need 3 more slots of 2,470 Wh.
      laterAt: T0 + 2 * HOUR + 45 * MINUTE,
    });
    expect(await second.promise()).to.include({ state: "offered", energyWh: leftWh, expiresAt: T0 + 120 });
  });

  it("is told the shortfall when nothing can be promised, and charges best effort", async () => {
    expect((await (await site.plugIn(1)).ask(TWO_HOURS_WH, site.in(2 * HOUR))).kind).to.equal("accepted");
    const second = await site.plugIn(2);
    const answer = await second.ask(6_000, site.in(2 * HOUR));
    expect(answer).to.include({ kind: "not-possible", shortfallWh: 6_000 });
    expect((answer as { text: string }).text)
      .to.contain("this car and 1 promised ones")
      .and.contain("as capacity allows");
    expect(await second.promise()).to.equal(null);
    expect(await site.store.sessions.byId(second.id)).to.include({ mode: "best-effort" });
    await site.minutes(30);
    expect(second.live.mode).to.equal("best-effort");
  });

  it("is promised no more than its own power gives", async () => {
    const car = await site.plugIn(1, { maxW: 3_680, phases: 1 });
    const answer = await car.ask(8_000, site.in(2 * HOUR));
    // Charging begins 8 s after the request: 892 s and 7 slots at 3,680 W.
    const mostWh = Math.floor((3_680 * 892) / 3600) + 7 * 920;
    expect(answer).to.deep.include({ kind: "counter-offer", energyWh: mostWh, laterAt: T0 + 2 * HOUR + 15 * MINUTE });
  });

  it("holds its offer for two minutes; when nobody takes it the capacity is free again", async () => {
    const first = await site.plugIn(1);
    const offered = await first.ask(30_000, site.in(2 * HOUR));
    expect(offered).to.deep.include({ kind: "counter-offer", energyWh: TWO_HOURS_WH });
    const second = await site.plugIn(2);
    expect((await second.ask(6_000, site.in(2 * HOUR))).kind).to.equal("not-possible");
    await site.until(T0 + 119);
    expect(await first.promise()).to.include({ state: "offered" });
    await site.until(T0 + 120);
    expect(first.live).to.include({ promise: null, mode: "best-effort" });
    expect((await site.store.promises.history(first.id)).map(({ state }) => state)).to.deep.equal(["expired"]);
    expect((await second.ask(6_000, site.in(2 * HOUR))).kind).to.equal("accepted");
    expect(await first.answer(true)).to.include({ kind: "refused", reason: "no-offer" });
  });

  it("takes the offer, and again: the same answer", async () => {
    const car = await site.plugIn(1);
    await car.ask(30_000, site.in(2 * HOUR));
    expect(await car.answer(true)).to.deep.include({ kind: "accepted" });
    expect(await car.answer(true)).to.deep.include({ kind: "accepted" });
    expect(await car.promise()).to.include({ state: "accepted", energyWh: TWO_HOURS_WH });
    await site.until(T0 + 2 * HOUR + 2 * MINUTE);
    expect(await car.promise()).to.include({ state: "kept" });
  });

  it("leaves the offer: the capacity is free at once and the car charges best effort", async () => {
    const first = await site.plugIn(1);
    await first.ask(30_000, site.in(2 * HOUR));
    expect(await first.answer(false)).to.deep.include({ kind: "withdrawn" });
    expect(await site.store.sessions.byId(first.id)).to.include({ mode: "best-effort" });
    expect((await (await site.plugIn(2)).ask(15_000, site.in(2 * HOUR))).kind).to.equal("accepted");
  });

  it("is offered for two minutes again when it asks again after it left the first offer", async () => {
    const car = await site.plugIn(1);
    await car.ask(30_000, site.in(2 * HOUR));
    await car.answer(false);
    await site.until(T0 + 60);
    expect(await car.ask(31_000, T0 + 2 * HOUR)).to.include({ kind: "counter-offer" });
    await site.until(T0 + 179);
    expect(await car.promise()).to.include({ state: "offered", version: 2 });
    await site.until(T0 + 180);
    expect((await site.store.promises.history(car.id)).map(({ state }) => state)).to.deep.equal([
      "withdrawn",
      "expired",
    ]);
  });

  it("keeps the record of an offer that it left when it asks again", async () => {
    const car = await site.plugIn(1);
    await car.ask(30_000, site.in(2 * HOUR));
    await car.answer(false);
    await site.minutes(1);
    await car.ask(5_000, site.in(2 * HOUR));
    const history = await site.store.promises.history(car.id);
    expect(history.map(({ version, state }) => [version, state])).to.deep.equal([
      [1, "withdrawn"],
      [2, "accepted"],
    ]);
  });

  it("asks twice: the second answer is the first one and nothing changes", async () => {
    const first = await site.plugIn(1);
    const accepted = await first.ask(15_000, T0 + 2 * HOUR);
    const second = await site.plugIn(2);
    const { laterAt: _, ...offered } = { laterAt: null, ...(await second.ask(10_000, T0 + 2 * HOUR)) };
    await site.minutes(1);
    const before = [structuredClone(first.live), structuredClone(second.live), await plans()];
    expect(await first.ask(15_000, T0 + 2 * HOUR)).to.deep.include({ ...accepted, promise: await first.promise() });
    expect(await second.ask(10_000, T0 + 2 * HOUR)).to.deep.include(offered);
    expect(await site.store.promises.all()).to.have.length(2);
    await site.seconds(5);
    expect([first.live, second.live].map(({ promise }) => promise)).to.deep.equal(
      before.slice(0, 2).map((live) => (live as typeof first.live).promise),
    );
  });
});

describe("A promise that is amended", () => {
  it("is replaced when the new wish fits, and counts what is charged already", async () => {
    const site = await aSite({ limitW: 10_000 });
    const car = await site.plugIn(1);
    await car.ask(6_000, T0 + 2 * HOUR);
    await site.minutes(30);
    const chargedWh = car.registerWh;
    expect(chargedWh).to.be.within(4_500, 5_000);
    // Of 11,000 Wh by 9:00 some 6,000 are missing; half an hour gives 4,940: no. Of 9,500 some 4,600 are missing: yes.
    expect(await car.ask(11_000, T0 + HOUR)).to.include({ kind: "not-possible" });
    expect((await car.ask(9_500, T0 + HOUR)).kind).to.equal("accepted");
    expect((await site.store.promises.history(car.id)).map(({ version, state }) => [version, state])).to.deep.equal([
      [1, "amended"],
      [2, "accepted"],
    ]);
    expect(await car.promise()).to.include({ energyWh: 9_500, by: T0 + HOUR, fromRegisterWh: 0 });
    await site.minutes(32);
    expect(await car.promise()).to.include({ state: "kept", version: 2 });
  });

  it("stands as it was when the new wish does not fit, and says how much would", async () => {
    const site = await aSite({ limitW: 10_000 });
    const first = await site.plugIn(1);
    await first.ask(6_000, T0 + 2 * HOUR);
    const second = await site.plugIn(2);
    await second.ask(10_000, T0 + 2 * HOUR);
    const before = await first.promise();
    const answer = await first.ask(12_000, T0 + 2 * HOUR);
    const leftWh = TWO_HOURS_WH - 1 - 10_000;
    expect(answer).to.include({ kind: "not-possible", shortfallWh: 12_000 - leftWh });
    expect((answer as { text: string }).text)
      .to.contain("promise that stands is kept")
      .and.contain(`${leftWh} Wh`);
    expect(await first.promise()).to.deep.equal(before);
    expect(first.live.promise).to.deep.equal(before);
    expect(await site.store.sessions.preferences(first.id)).to.include({ energyNeedWh: 6_000 });
  });

  it("never takes from another promise", async () => {
    const site = await aSite({ limitW: 10_000 });
    const first = await site.plugIn(1);
    await first.ask(9_000, T0 + HOUR);
    const second = await site.plugIn(2);
    expect((await second.ask(9_000, T0 + HOUR)).kind).to.equal("counter-offer");
    await second.answer(true);
    await second.ask(9_500, T0 + HOUR);
    await site.minutes(62);
    expect(await first.promise()).to.include({ state: "kept" });
    expect(await second.promise()).to.include({ state: "kept" });
  });

  it("to a later time is judged at the later time", async () => {
    const site = await aSite({ limitW: 10_000 });
    const car = await site.plugIn(1);
    await car.ask(4_000, T0 + HOUR);
    expect((await car.ask(6_000, T0 + 2 * HOUR)).kind).to.equal("accepted");
    await site.until(T0 + HOUR + 2 * MINUTE);
    expect(await car.promise()).to.include({ state: "on-track" });
    await site.until(T0 + 2 * HOUR + 2 * MINUTE);
    expect(await car.promise()).to.include({ state: "kept", version: 2 });
  });

  it("after it was missed keeps its breach: no new wish wipes it out", async () => {
    const site = await aSite({ limitW: 10_000 });
    const car = await site.plugIn(1);
    await car.ask(9_000, T0 + HOUR);
    await site.until(T0 + 15 * MINUTE);
    await site.limit("operator", 0, 2 * HOUR);
    await site.until(T0 + 62 * MINUTE);
    const before = await car.promise();
    expect(before).to.include({ state: "at-risk" });
    expect(before!.missingWh).to.be.greaterThan(6_000);
    const answer = await car.ask(1_000, T0 + 5 * HOUR);
    expect(answer).to.include({ kind: "not-possible" });
    expect((answer as { text: string }).text).to.contain("9000 Wh until 2026-03-02T09:00:00Z is settled");
    expect(await car.promise()).to.deep.equal(before);
    const { receipt } = await car.unplug();
    expect(receipt.promise).to.deep.include({ outcome: "short", energyWh: 9_000 });
    expect(receipt.promise!.compensation.amountMicroEur > 2_000_000n).to.equal(true);
  });

  it("after its end begins anew: the energy counts from the new request", async () => {
    const site = await aSite({ limitW: 10_000 });
    const car = await site.plugIn(1);
    await car.ask(4_000, T0 + HOUR);
    await site.minutes(62);
    expect(await car.promise()).to.include({ state: "kept" });
    const registerWh = car.live.registerWh;
    expect((await car.ask(5_000, site.in(HOUR))).kind).to.equal("accepted");
    expect(await car.promise()).to.include({ version: 2, state: "accepted", fromRegisterWh: registerWh });
    await site.minutes(62);
    expect(await car.promise()).to.include({ state: "kept" });
    expect(car.registerWh - registerWh).to.be.at.least(4_900);
  });
});

describe("A request that cannot be meant", () => {
  let site: Site;
  before(async () => {
    site = await aSite();
    await site.plugIn(1);
    const gone = await site.plugIn(2);
    await site.minutes(1);
    await gone.unplug();
  });
  const ask = (sessionId: string, wh: number, inS: number) =>
    requestCharging(site.world, { sessionId, energyNeedWh: wattHour(wh), departsAt: epochSecond(site.now() + inS) });

  const cases: [string, Parameters<typeof ask>, string, RegExp][] = [
    ["a departure in the past", ["s1", 5_000, -1], "past-departure", /time at which the car will leave/],
    ["a departure now", ["s1", 5_000, 0], "past-departure", /past/],
    ["a departure in ten days", ["s1", 5_000, 10 * 86_400], "suspicious-departure", /Is the date right/],
    ["a need of 500,000 Wh", ["s1", 500_000, HOUR], "suspicious-need", /500000 Wh.*250000 Wh.*Is it in Wh/],
    ["a need of 20 Wh, which is 20 kWh", ["s1", 20, HOUR], "suspicious-need", /20 Wh.*Is it in Wh/],
    ["a negative need", ["s1", -5_000, HOUR], "suspicious-need", /-5000 Wh/],
    ["an unknown session", ["nobody", 5_000, HOUR], "unknown-session", /nobody.*Plug in first/],
    ["a session that has ended", ["s2", 5_000, HOUR], "closed", /s2 has ended/],
  ];
  for (const [what, args, reason, text] of cases)
    it(`is refused: ${what}`, async () => {
      const answer = await ask(...args);
      expect(answer).to.include({ kind: "refused", reason });
      expect((answer as { text: string }).text).to.match(text);
      expect(await site.store.promises.all()).to.deep.equal([]);
      expect(await site.store.sessions.admission("s1")).to.equal(null);
    });
});
