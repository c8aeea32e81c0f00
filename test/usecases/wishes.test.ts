import { expect } from "chai";
import { limitAt } from "../../backend/domain/profiles.ts";
import { type EpochSecond, microEurPerKwh, watt, wattHour } from "../../backend/domain/units.ts";
import { planValue } from "../../backend/optimisation/checker.ts";
import { decodeProblem, decodeSigned64, decodeX } from "../../backend/optimisation/encoding.ts";
import type { Plan } from "../../backend/optimisation/problem.ts";
import { aSite, HOUR, MINUTE, T0 } from "../support/world.ts";

const wh = wattHour;
const cheapLater = (slot: number) => (slot < 40 ? 200_000 : 20_000);

describe("As fast as possible", () => {
  it("is a promise by the earliest minute that admission can give", async () => {
    const site = await aSite({ limitW: 25_000, priceOf: cheapLater });
    const car = await site.plugIn(1);
    const answer = await car.ask(5_000, T0 + 8 * HOUR, { soonest: true });
    if (answer.kind !== "accepted") throw new Error(JSON.stringify(answer));
    // 5 kWh at 11.04 kW are 27.2 minutes, and the car starts some seconds from now.
    expect(answer.promise.by).to.equal(T0 + 28 * MINUTE);
    await site.minutes(30);
    expect(await car.promise()).to.include({ state: "kept" });
    // A minute earlier would not do.
    const other = await site.plugIn(2);
    expect((await other.ask(5_000, site.in(27 * MINUTE))).kind).to.equal("counter-offer");
  });

  it("waits for the promises of others, and no longer", async () => {
    const site = await aSite({ limitW: 12_000 });
    await (await site.plugIn(1)).ask(10_500, T0 + HOUR);
    const car = await site.plugIn(2);
    const answer = await car.ask(5_000, T0 + 8 * HOUR, { soonest: true });
    if (answer.kind !== "accepted") throw new Error(JSON.stringify(answer));
    const { by } = answer.promise;
    expect(by).to.be.within(T0 + 75 * MINUTE, T0 + 85 * MINUTE);
    await site.until(by + 2 * MINUTE);
    expect(await car.promise()).to.include({ state: "kept" });
  });

  it("says what fits when all of it does not by the latest time", async () => {
    const site = await aSite({ limitW: 12_000 });
    const car = await site.plugIn(1);
    const answer = await car.ask(20_000, T0 + HOUR, { soonest: true });
    expect(answer).to.include({ kind: "counter-offer" });
    // 20 kWh at 11.04 kW are 109 minutes.
    expect((answer as { laterAt: number }).laterAt).to.equal(T0 + 2 * HOUR);
  });
});

describe("A planned start", () => {
  it("keeps the car from charging before it, and the promise", async () => {
    const site = await aSite({ limitW: 25_000, priceOf: (slot) => slot * 1_000 });
    const car = await site.plugIn(1);
    await car.ask(5_000, T0 + 3 * HOUR, { notBefore: (T0 + HOUR) as never });
    site.eachSecond(() => {
      if (site.stage.at <= T0 + HOUR) expect(car.registerWh).to.equal(0);
    });
    await site.until(T0 + HOUR + 40 * MINUTE);
    expect(car.registerWh, "as early as it may: early is cheap").to.be.at.least(4_900);
    await site.until(T0 + 3 * HOUR + 2 * MINUTE);
    expect(await car.promise()).to.include({ state: "kept" });
  });

  it("after the departure is refused; energy that needs the time before it does not fit", async () => {
    const site = await aSite({ limitW: 25_000 });
    const car = await site.plugIn(1);
    expect(await car.ask(5_000, T0 + HOUR, { notBefore: (T0 + HOUR) as never })).to.include({ reason: "bad-start" });
    const answer = await car.ask(15_000, T0 + 2 * HOUR, { notBefore: (T0 + HOUR) as never });
    expect(answer).to.include({ kind: "counter-offer" });
    expect((answer as { energyWh: number }).energyWh).to.be.within(10_900, 11_040);
  });
});

describe("Minimum energy first", () => {
  const first = { wh: wh(4_000), by: (T0 + 30 * MINUTE) as never };

  it("is charged by its own time, the rest when it is cheap", async () => {
    const site = await aSite({ limitW: 25_000, priceOf: cheapLater });
    const car = await site.plugIn(1);
    const answer = await car.ask(10_000, T0 + 4 * HOUR, { first });
    if (answer.kind !== "accepted") throw new Error(JSON.stringify(answer));
    await site.minutes(30);
    expect(car.registerWh).to.be.within(3_950, 4_200);
    await site.minutes(2);
    expect((await car.promise())?.first).to.deep.include({ wh: 4_000, missingWh: 0 });
    await site.until(T0 + 2 * HOUR - MINUTE);
    expect(car.registerWh, "nothing more before it is cheap").to.be.at.most(4_200);
    await site.until(T0 + 4 * HOUR + 2 * MINUTE);
    expect(await car.promise()).to.include({ state: "kept" });
  });

  it("keeps the room of its rest, whoever asks later", async () => {
    const site = await aSite({ limitW: 12_000, evses: 3 });
    const car = await site.plugIn(1);
    expect((await car.ask(10_000, T0 + HOUR, { first: { ...first, wh: wh(2_000) } })).kind).to.equal("accepted");
    const other = await site.plugIn(2);
    const answer = await other.ask(8_000, T0 + HOUR);
    expect(answer.kind).to.equal("counter-offer");
    expect((answer as { energyWh: number }).energyWh).to.be.below(1_900);
    await other.answer(true);
    await site.minutes(62);
    for (const one of [car, other]) expect(await one.promise(), one.id).to.include({ state: "kept" });
  });

  it("that does not fit is answered with what does, both by their times", async () => {
    const site = await aSite({ limitW: 25_000 });
    const car = await site.plugIn(1);
    const answer = await car.ask(10_000, T0 + 2 * HOUR, { first: { wh: wh(8_000), by: first.by } });
    if (answer.kind !== "counter-offer") throw new Error(JSON.stringify(answer));
    expect(answer.promise.first?.wh).to.be.within(5_300, 5_500);
    await car.answer(true);
    await site.minutes(122);
    expect(await car.promise()).to.include({ state: "kept" });
    expect((await car.promise())?.first?.missingWh).to.be.at.most(100);
  });

  it("missed is told, and judged once", async () => {
    const site = await aSite({ limitW: 25_000 });
    const car = await site.plugIn(1);
    await car.ask(10_000, T0 + 3 * HOUR, { first });
    car.slowTo(4_200);
    await site.minutes(33);
    const missingWh = (await car.promise())?.first?.missingWh ?? 0;
    expect(missingWh).to.be.within(1_900, 2_000);
    await site.minutes(60);
    expect((await car.promise())?.first?.missingWh).to.equal(missingWh);
  });

  it("that is no part of the wish is refused", async () => {
    const site = await aSite();
    const car = await site.plugIn(1);
    for (const part of [
      { wh: wh(20_000), by: first.by },
      { wh: wh(1_000), by: T0 as never },
      { wh: wh(1_000), by: (T0 + 2 * HOUR) as never },
    ])
      expect(await car.ask(10_000, T0 + 2 * HOUR, { first: part })).to.include({ reason: "bad-first" });
  });
});

describe("Both counter-offers", () => {
  it("can be taken: less by the wished time, or all of it later", async () => {
    const site = await aSite({ limitW: 12_000, evses: 3 });
    await (await site.plugIn(1)).ask(8_000, T0 + HOUR);
    const car = await site.plugIn(2);
    const answer = await car.ask(8_000, T0 + HOUR);
    if (answer.kind !== "counter-offer" || answer.laterAt === null) throw new Error(JSON.stringify(answer));
    const taken = await car.answer(true, "later");
    expect(taken).to.include({ kind: "accepted" });
    expect(await car.promise()).to.include({ state: "accepted", energyWh: 8_000, by: answer.laterAt, version: 2 });
    expect(await car.answer(true, "later"), "twice is answered twice").to.include({ kind: "accepted" });
    await site.until(answer.laterAt + 2 * MINUTE);
    expect(await car.promise()).to.include({ state: "kept" });
  });

  it("the later one may be gone, and the lesser one still stands", async () => {
    const site = await aSite({ limitW: 12_000, evses: 3 });
    await (await site.plugIn(1)).ask(8_000, T0 + HOUR);
    const car = await site.plugIn(2);
    const answer = await car.ask(8_000, T0 + HOUR);
    if (answer.kind !== "counter-offer" || answer.laterAt === null) throw new Error(JSON.stringify(answer));
    const faster = await site.plugIn(3);
    const other = await faster.ask(11_000, T0 + 2 * HOUR);
    if (other.kind === "counter-offer") await faster.answer(true);
    expect(await car.answer(true, "later")).to.include({ kind: "refused", reason: "later-gone" });
    expect(await car.answer(true, "less")).to.include({ kind: "accepted" });
    expect(await car.promise()).to.include({ energyWh: answer.energyWh, by: T0 + HOUR, state: "accepted" });
  });

  it("can be taken later only while the offer stands", async () => {
    const site = await aSite({ limitW: 12_000 });
    const car = await site.plugIn(1);
    await car.ask(20_000, T0 + HOUR);
    await site.minutes(3);
    expect(await car.answer(true, "later")).to.include({ kind: "refused", reason: "no-offer" });
  });
});

describe("A refusal", () => {
  it("comes with a proof that the checker accepts, for exactly the shortfall", async () => {
    const site = await aSite({ limitW: 12_000, evses: 3, priceOf: cheapLater });
    await (await site.plugIn(1)).ask(8_000, T0 + HOUR);
    const car = await site.plugIn(2);
    const answer = await car.ask(8_000, T0 + HOUR);
    if (answer.kind !== "counter-offer") throw new Error(JSON.stringify(answer));
    const [refusal, ...more] = await site.store.priorities.refusals(car.id);
    expect(more).to.deep.equal([]);
    expect(refusal).to.include({ at: T0, wishedWh: 8_000, shortfallWh: answer.shortfallWh });
    const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
    const { problem } = decodeProblem(bytes(refusal!.problem));
    const certificate = { y: decodeSigned64(bytes(refusal!.y)), w: decodeSigned64(bytes(refusal!.w)) };
    const plan: Plan = {
      algorithm: "least-cost",
      energyWh: decodeX(problem, bytes(refusal!.x)),
      certificate,
      cost: 0n,
      bound: null,
    };
    const { cost, bound } = planValue(problem, plan);
    expect(cost).to.equal(bound);
    expect(bound! / (BigInt(problem.weights.scale) * BigInt(problem.weights.voll))).to.equal(
      BigInt(answer.shortfallWh),
    );
    expect(problem.intervals.every(({ price }) => price === microEurPerKwh(0))).to.equal(true);
  });

  it("leaves none where all of it fits", async () => {
    const site = await aSite();
    const car = await site.plugIn(1);
    await car.ask(5_000, T0 + HOUR);
    expect(await site.store.priorities.refusals(car.id)).to.deep.equal([]);
  });
});

describe("A car that cannot pause", () => {
  it("is never set to 0 from its first charge until its energy is in", async () => {
    const site = await aSite({ limitW: 20_000, priceOf: (slot) => ((slot * 5) % 7) * 30_000 });
    const car = await site.plugIn(1, { cannotPause: true, takesWh: 15_000 });
    const other = await site.plugIn(2);
    await car.ask(14_000, T0 + 3 * HOUR);
    await other.ask(20_000, T0 + 3 * HOUR);
    let began = false;
    const pauses: number[] = [];
    site.eachSecond(() => {
      const allowedW = limitAt(car.station.profile, site.stage.at as EpochSecond);
      if (allowedW > 0) began = true;
      if (began && car.registerWh < 13_900 && allowedW < 4_140) pauses.push(site.stage.at);
    });
    await site.until(T0 + 3 * HOUR + 2 * MINUTE);
    expect(began).to.equal(true);
    expect(pauses).to.deep.equal([]);
    for (const one of [car, other]) expect(await one.promise(), one.id).to.include({ state: "kept" });
  });

  it("uses what is beyond its least power when it is cheap", async () => {
    const site = await aSite({ limitW: 20_000, priceOf: cheapLater });
    const car = await site.plugIn(1, { cannotPause: true });
    await car.ask(20_000, T0 + 3 * HOUR);
    await site.minutes(90);
    expect(car.registerWh, "its least power").to.be.within(6_100, 7_000);
    await site.until(T0 + 3 * HOUR + 2 * MINUTE);
    expect(await car.promise()).to.include({ state: "kept" });
  });

  it("starts when its least power is sure, and breaks no promise", async () => {
    const site = await aSite({ limitW: 12_000 });
    const other = await site.plugIn(1);
    await other.ask(10_900, T0 + HOUR);
    const car = await site.plugIn(2, { cannotPause: true });
    await site.minutes(55);
    expect(car.registerWh).to.equal(0);
    await site.minutes(20);
    expect(await other.promise()).to.include({ state: "kept" });
    expect(car.registerWh).to.be.greaterThan(500);
    expect(watt(car.allowedW)).to.be.at.least(4_140);
  });
});
