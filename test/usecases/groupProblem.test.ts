import { expect } from "chai";
import { microEurPerKwh, watt } from "../../backend/domain/units.ts";
import { slotLimitWs } from "../../backend/usecases/groupLimits.ts";
import { EXTRA, isAsked, priceLookup, SCALE, VOLL } from "../../backend/usecases/groupProblem.ts";
import type { GroupLimit } from "../../backend/usecases/ports.ts";
import { presentProblem } from "../../backend/usecases/runControlCycle.ts";
import { aSite, GROUP, HOUR, MINUTE, T0 } from "../support/world.ts";

describe("The problem of a run", () => {
  it("is cut at slots and at announced departures, and no car charges after its own", async () => {
    const site = await aSite({ evses: 3 });
    const leaves = [20 * MINUTE, 2 * HOUR + 7 * MINUTE + 30];
    for (const [i, s] of leaves.entries()) await (await site.plugIn(i + 1)).ask(1_000, T0 + s);
    const { built } = await presentProblem(site.world, site.board, site.now());
    const { cars, intervals, at } = built.problem;
    const starts = intervals.map(
      (_, t) => intervals.slice(0, t).reduce((sum, one) => sum + one.durationS, 0) + at - T0,
    );
    expect(starts.slice(0, 4)).to.deep.equal([5, 15 * MINUTE, 20 * MINUTE, 30 * MINUTE]);
    expect(cars.map(({ from, to }) => [from, starts[to]])).to.deep.equal([
      [0, 20 * MINUTE],
      // Rounded down to the minute: never later than announced.
      [0, 2 * HOUR + 7 * MINUTE],
    ]);
    expect(intervals.length).to.be.at.least(96);
  });

  it("values promised energy above best effort and best effort above any price that there is", () => {
    // D6: a penalty that is cheaper than charging would leave cars uncharged. EUR 5 per kWh is the European cap.
    expect(EXTRA).to.be.greaterThan(5_000_000);
    expect(VOLL).to.be.greaterThan(EXTRA + 2 * 5_000_000);
    expect(SCALE).to.be.greaterThan(10 * 1_440);
  });

  it("charges a car in spite of a price of EUR 4 per kWh, when it was promised", async () => {
    const site = await aSite({ priceOf: () => 4_000_000 });
    const car = await site.plugIn(1);
    await car.ask(3_000, T0 + HOUR);
    await site.minutes(62);
    expect(await car.promise()).to.include({ state: "kept" });
  });

  it("does not change when it is built again: no hidden state", async () => {
    const site = await aSite({ demandW: 3_000, priceOf: (slot) => slot * 1_000 });
    await (await site.plugIn(1)).ask(5_000, T0 + HOUR);
    await site.plugIn(2);
    await site.minutes(20);
    const build = async () => (await presentProblem(site.world, site.board, site.now())).built.problem;
    expect(await build()).to.deep.equal(await build());
  });
});

describe("The limit of the running slot", () => {
  const group = { supplyLimitW: watt(10_000) } as Parameters<typeof slotLimitWs>[0];
  const limit = (from: number, until: number | null, limitW: number): GroupLimit =>
    ({
      id: "x",
      groupId: GROUP,
      kind: "order",
      limitW,
      from: T0 + from,
      until: until === null ? null : T0 + until,
    }) as never;
  const meanW = (at: number, ...limits: GroupLimit[]) => slotLimitWs(group, limits, (T0 + at) as never) / 900;

  it("is the supply limit when nothing else holds", () => {
    expect(meanW(300)).to.equal(10_000);
    expect(meanW(300, limit(900, null, 4_000)), "a limit of the next slot").to.equal(10_000);
  });

  it("is the mean of what there was and of what holds now", () => {
    // 5 minutes at 10 kW, 10 at 4 kW; and the other way round.
    expect(meanW(300, limit(300, null, 4_000))).to.equal(6_000);
    expect(meanW(300, limit(-900, 300, 4_000))).to.equal(8_000);
  });

  it("counts on no limit's end before it has come, and on its beginning at once", () => {
    expect(meanW(299, limit(-900, 300, 4_000))).to.equal(4_000);
    expect(meanW(0, limit(600, null, 4_000))).to.equal(8_000);
  });
});

describe("A price that is not known yet", () => {
  it("is that of the same quarter-hour of the last day that is known", () => {
    const priceOf = priceLookup([10, 11, 12, 105, 106].map((slot) => ({ slot, price: microEurPerKwh(slot * 1_000) })));
    expect([10, 106, 107, 108, 201, 203].map(priceOf)).to.deep.equal([
      10_000, 106_000, 11_000, 12_000, 105_000, 11_000,
    ]);
  });
});

describe("A car that does not draw", () => {
  it("is asked again after half an hour, when a promise is owed and not before", async () => {
    const site = await aSite();
    const car = await site.plugIn(1, { takesWh: 500 });
    await car.ask(8_000, T0 + 4 * HOUR);
    await site.minutes(8);
    const { live } = car;
    expect(live.seenMaxW).to.equal(0);
    expect(isAsked(live, live.triedAt + 1_799)).to.equal(false);
    expect(isAsked(live, live.triedAt + 1_800)).to.equal(true);
    expect(isAsked({ ...live, seenMaxW: 4_000 }, live.triedAt + 1_800)).to.equal(false);
    expect(isAsked({ ...live, promise: null }, live.triedAt + 1_800)).to.equal(false);
  });
});
