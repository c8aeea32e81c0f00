/**
 * What a driver could try in order to earn more FLEX. Each attempt is a comparison of two runs of the calculator: the
 * honest session and the gamed one. Where something can be gained, the test says how much and why.
 */
import { expect } from "chai";
import fc from "fast-check";
import { microEurPerKwh, type Watt, watt, wattHour } from "../../backend/domain/units.ts";
import { type Circumstances, type Flexibility, flexibility, reckon } from "../../backend/flexibility/calculator.ts";
import { slotIntervals } from "../../backend/flexibility/intervals.ts";
import { registerSeries } from "../../backend/flexibility/registers.ts";
import { shown } from "../../backend/flexibility/shown.ts";
import { near } from "../support/near.ts";
import { at } from "./sessions.ts";

const SLOT_S = 900;
const calm = { order: null, surplus: false, limitExcessWh: 0, limitReducibleWh: 0 } as const;
type Weather = Partial<Pick<Circumstances, "order" | "surplus">>;

/** A session slot by slot from `first` on, drawing exactly what is allowed. Values in thousands of micro-euro per kWh. */
const ofSlots = (powerW: number, meteredWh: readonly number[], value: readonly number[], first = 0): Flexibility =>
  reckon({
    powerW: watt(powerW),
    startsAt: at(first * SLOT_S),
    rewarded: true,
    intervals: meteredWh.map((wh, t) => ({
      ...calm,
      from: at((first + t) * SLOT_S),
      to: at((first + t + 1) * SLOT_S),
      value: microEurPerKwh(1_000 * (value[first + t] ?? 0)),
      meteredWh: wh,
      allowedWh: wh,
    })),
  });

/** What a car draws minute by minute under a limit, and what that earns. The system gives it no more than it was seen to take. */
function driven(of: {
  readonly hours: number;
  readonly mostW: number;
  readonly needWh: number;
  /** What the limit would be for a car that takes everything, W. */
  readonly limitW: (s: number) => number;
  /** What the car chooses to take at most, W; the limit follows it from the next minute on. */
  readonly wantsW: (s: number) => number;
  readonly value: readonly number[];
  readonly weather?: Weather;
}): Flexibility {
  const endS = of.hours * 3600;
  const periods: { from: ReturnType<typeof at>; limitW: Watt }[] = [];
  const readings = [];
  let ws = 0;
  let seenW = of.mostW;
  for (let s = 0; s < endS; s += 60) {
    const limitW = Math.min(of.limitW(s), seenW);
    periods.push({ from: at(s), limitW: watt(limitW) });
    const drawnW = Math.min(limitW, of.wantsW(s), (of.needWh * 3600 - ws) / 60);
    ws += drawnW * 60;
    readings.push({ at: at(s + 60), registerWh: wattHour(Math.floor(ws / 3600)) });
    // As in recordReadings.ts: a draw clearly below the limit is all that the car is given from then on.
    seenW = drawnW < limitW - 150 ? Math.ceil(drawnW * 1.05) + 50 : drawnW > 0 && limitW >= seenW ? of.mostW : seenW;
  }
  return flexibility({
    series: registerSeries({
      startAt: at(0),
      startWh: wattHour(0),
      endAt: at(endS),
      endWh: wattHour(Math.floor(ws / 3600)),
      readings,
    }),
    limit: periods,
    circumstances: slotIntervals(at(0), at(endS)).map((interval, t) => ({
      ...interval,
      ...calm,
      ...of.weather,
      value: microEurPerKwh(1_000 * (of.value[t] ?? 0)),
    })),
    rewarded: true,
    mostW: watt(of.mostW),
  });
}

/** The cheapest slots of the stay for this many full slots, earliest first among equals: least cost for one car. */
function cheapest(values: readonly number[], count: number, fullWh: number): number[] {
  const best = values.map((_, t) => t).sort((a, b) => values[a]! - values[b]! || a - b);
  const chosen = new Set(best.slice(0, count));
  return values.map((_, t) => (chosen.has(t) ? fullWh : 0));
}
/** The same allowance, but the car is full after `wh`. */
const until = (allowedWh: readonly number[], wh: number): number[] => {
  let left = wh;
  return allowedWh.map((allowed) => {
    const drawn = Math.min(allowed, left);
    left -= drawn;
    return drawn;
  });
};
const prices = fc.array(fc.integer({ min: -30, max: 250 }), { minLength: 4, maxLength: 24 });
const FULL_WH = 1_840;
const POWER_W = 4 * FULL_WH;

describe("Gaming flex/1 earns nothing more", () => {
  it("by an overstated need: the car is full before it comes to the cheapest slots", () => {
    fc.assert(
      fc.property(prices, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 12 }), (values, slots, more) => {
        const honest = ofSlots(POWER_W, cheapest(values, slots, FULL_WH), values);
        const wh = honest.energyWh;
        const gamed = ofSlots(POWER_W, until(cheapest(values, slots + more, FULL_WH), wh), values);
        expect(gamed.energyWh).to.equal(wh);
        expect(gamed.flexWh).to.be.at.most(honest.flexWh);
        expect(gamed.valueMicroEur <= honest.valueMicroEur).to.equal(true);
      }),
      { numRuns: 500 },
    );
  });

  it("by an overstated stay: hours at the plug without a draw change nothing", () => {
    fc.assert(
      fc.property(prices, prices, fc.integer({ min: 1, max: 6 }), (values, later, slots) => {
        const drawn = cheapest(values, slots, FULL_WH);
        const honest = ofSlots(POWER_W, drawn, values);
        const gamed = ofSlots(POWER_W, [...drawn, ...later.map(() => 0)], [...values, ...later]);
        expect([gamed.flexWh, gamed.valueMicroEur]).to.deep.equal([honest.flexWh, honest.valueMicroEur]);
      }),
      { numRuns: 300 },
    );
  });

  it("by an inflated rated power: the ancestor's rule pays for it, flex/1 has no such input", () => {
    const values = [120, 100, 60, 60];
    const flex = ofSlots(3_680, [0, 0, 920, 920], values);
    const ancestor = [3_680, 11_040, 22_080].map((ratedW) => shown(flex, watt(ratedW)).ancestorWh);
    // (rated - assigned) * 0.25 h: 2 x 920 at the true power, then 2 x 2,760 + 2 x 1,840 and 2 x 5,520 + 2 x 4,600.
    expect(ancestor).to.deep.equal([1_840, 9_200, 20_240]);
    expect(flex.flexWh).to.equal(1_840);
    // Declared in the EVSE's place, it only widens what the car is said to have left undrawn.
    const game = { hours: 2, needWh: 3_680, limitW: (s: number) => (s < 3_600 ? 0 : 3_680), wantsW: () => 3_680 };
    const value = [120, 120, 120, 120, 60, 60, 60, 60];
    const [honest, gamed] = [3_680, 22_080].map((mostW) => driven({ ...game, mostW, value }));
    expect(honest!.flexWh).to.equal(3_680);
    expect(gamed!.flexWh).to.equal(honest!.flexWh);
  });

  it("by a feigned slow draw: a limit that follows the car's own draw is not the limit's doing", () => {
    // Dear for an hour, cheap then; the car could take 7,360 W at once, and nothing else limits it.
    const value = [150, 150, 150, 150, 50, 50, 50, 50];
    const game = { hours: 2, mostW: 7_360, needWh: 7_000, limitW: () => 7_360, value };
    const honest = driven({ ...game, wantsW: () => 7_360 });
    const slow = driven({ ...game, wantsW: (s) => (s < 3_600 ? 1_400 : 7_360) });
    expect(honest.flexWh).to.equal(0);
    expect(slow.movedWh).to.be.greaterThan(4_000);
    expect(slow.flexWh).to.equal(0);
    // Not drawing at all: the baseline begins with the first draw.
    const late = driven({ ...game, wantsW: (s) => (s < 3_600 ? 0 : 7_360) });
    expect(late.flexWh).to.equal(0);
    expect(late.movedWh).to.be.below(10);
  });

  it("by toggling: slots in which the car left out part of what it was given count as given in full", () => {
    const value = [150, 150, 150, 150, 50, 50, 50, 50];
    const game = { hours: 2, mostW: 7_360, needWh: 7_000, limitW: () => 7_360, value };
    for (const everyS of [60, 300, 600, 900]) {
      const toggling = driven({ ...game, wantsW: (s) => (s < 3_600 && (s / everyS) % 2 < 1 ? 0 : 7_360) });
      expect(toggling.flexWh, `every ${everyS} s`).to.equal(0);
    }
  });

  it("and honest deferral by the system is rewarded all the same", () => {
    const value = [150, 150, 150, 150, 50, 50, 50, 50];
    const limitW = (s: number) => (s < 3_600 ? 0 : 7_360);
    const flex = driven({ hours: 2, mostW: 7_360, needWh: 7_000, limitW, wantsW: () => 7_360, value });
    expect(flex).to.include({ movedWh: 7_000, flexWh: 7_000, valueMicroEur: 700_000n });
  });
});

describe("What can be gained, how much, and why", () => {
  it("waiting for PV by oneself: exactly what came into the surplus beyond the baseline, which is a real shift", () => {
    // The car feigns 1,400 W for an hour and takes 7,360 W while PV is left over.
    const dear = driven({
      hours: 2,
      mostW: 7_360,
      needWh: 7_000,
      limitW: () => 7_360,
      wantsW: (s) => (s < 3_600 ? 1_400 : 7_360),
      value: [150, 150, 150, 150, 0, 0, 0, 0],
      weather: { surplus: true },
    });
    const cameWh = dear.intervals.reduce((sum, one) => sum + Math.max(0, one.meteredWh - one.baselineWh), 0);
    expect(dear.downWh).to.equal(0);
    expect(dear.flexWh).to.equal(cameWh);
    expect(dear.flexWh).to.be.within(5_000, 5_650);
    // It is worth what is minted for: what it would have cost at once minus what it cost.
    expect(Number(dear.valueMicroEur)).to.satisfy(near(cameWh * 150, 150));
  });

  it("unplugging in between: V changes by the worth of the baseline that begins anew, and F stays within the energy", () => {
    const draw = fc.array(fc.constantFrom(0, 0, FULL_WH), { minLength: 2, maxLength: 16 });
    fc.assert(
      fc.property(draw, prices, fc.nat(), (meteredWh, values, where) => {
        const cut = 1 + (where % (meteredWh.length - 1));
        const whole = ofSlots(POWER_W, meteredWh, values);
        const parts = [
          ofSlots(POWER_W, meteredWh.slice(0, cut), values),
          ofSlots(POWER_W, meteredWh.slice(cut), values, cut),
        ];
        const anew = parts.flatMap((part) => part.intervals.map((one) => one.baselineWh));
        const gained = whole.intervals.reduce((sum, one, t) => sum + (anew[t]! - one.baselineWh) * one.value, 0);
        const worthOf = (flexes: readonly Flexibility[]) => flexes.reduce((sum, flex) => sum + flex.valueMicroEur, 0n);
        expect(Number(worthOf(parts) - whole.valueMicroEur)).to.satisfy(near(gained / 1_000, 2));
        expect(parts.reduce((sum, part) => sum + part.flexWh, 0)).to.be.at.most(whole.energyWh);
      }),
      { numRuns: 500 },
    );
  });

  it("unplugging in between, the worst of it: as much as arriving at the dear hour, when the stay spans two of them", () => {
    // Charged in the second and the fourth slot. In one stay both Wh would have come at once, at 100; in two the second
    // car-load would have come at 200 and came at 150.
    const values = [100, 60, 200, 150];
    const meteredWh = [0, FULL_WH, 0, FULL_WH];
    const whole = ofSlots(POWER_W, meteredWh, values);
    const parts = [ofSlots(POWER_W, meteredWh.slice(0, 2), values), ofSlots(POWER_W, meteredWh.slice(2), values, 2)];
    expect(whole).to.include({ flexWh: 0, valueMicroEur: -92_000n });
    expect(parts.map((part) => part.flexWh)).to.deep.equal([FULL_WH, FULL_WH]);
    expect(parts.map((part) => part.valueMicroEur)).to.deep.equal([73_600n, 92_000n]);
    // A shift that spans the cut loses by it: nothing drawn before the cut is nothing moved.
    const across = [0, 0, FULL_WH, 0];
    expect(ofSlots(POWER_W, across, [150, 100, 60, 70]).flexWh).to.equal(FULL_WH);
    expect(ofSlots(POWER_W, across.slice(2), [150, 100, 60, 70], 2).flexWh).to.equal(0);
  });

  it("bursts of five minutes raise P, the power that the car really has; the energy bounds the rest", () => {
    const value = [150, 150, 150, 150, 50, 50, 50, 50];
    const game = { hours: 2, mostW: 11_040, needWh: 5_520, limitW: (s: number) => (s < 3_600 ? 0 : 11_040), value };
    const steady = driven({ ...game, wantsW: () => 5_520 });
    const burst = driven({ ...game, wantsW: (s) => (s < 3_900 ? 11_040 : 5_000) });
    expect([steady.powerW, burst.powerW]).to.deep.equal([5_520, 11_040]);
    expect(steady.flexWh).to.equal(5_520);
    expect(burst.flexWh).to.be.at.most(steady.flexWh);
  });
});
