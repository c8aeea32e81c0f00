import { expect } from "chai";
import { parametersOf } from "../../backend/optimisation/algorithms.ts";
import { EARLY, earlyWeight, MAX_EARLY, scarcity } from "../../backend/usecases/earlyWeight.ts";
import { EXTRA, VOLL } from "../../backend/usecases/groupProblem.ts";
import { createHabits, type Habits } from "../../backend/usecases/habits.ts";
import { near } from "../support/near.ts";
import { aCar, anInterval, aProblem } from "../support/problems.ts";
import { HOUR } from "../support/world.ts";

const wh = (n: number) => n as never;
const perMinute = (perHour: number) => Math.floor((perHour * 20_000) / 60);

describe("The weight of charging early", () => {
  const problem = (needWh: number) =>
    aProblem({
      weights: { scale: 20_000, early: 1, voll: VOLL, extra: EXTRA },
      cars: [aCar({ session: 1, needWh: wh(needWh), to: 2 })],
      intervals: [anInterval({ limitWh: wh(1_000) }), anInterval({ limitWh: wh(1_000) })],
    });
  const afterStays = (hours: number, left: number, rest: Partial<Habits> = {}): Habits => ({
    ...createHabits(),
    hours: Array.from({ length: 24 }, () => ({ willingS: (hours * HOUR) / 24, left: left / 24 })),
    ...rest,
  });

  it("grows with scarcity, which is wanted energy over what is there by the same departure", () => {
    const needs = [0, 500, 1_000, 2_000, 3_000];
    expect(needs.map((need) => scarcity(problem(need), 1))).to.deep.equal([0, 0.25, 0.5, 1, 1.5]);
    const weights = [0, 1_000, 1_400, 1_800, 4_000].map((need) => earlyWeight(problem(need), createHabits()));
    // 300 anywhere; one early leaver in 1,000 h at 150,000 per kWh: 150; up to 20,000 more between 0.5 and 0.9.
    expect(weights).to.deep.equal([450, 450, 10_450, 20_450, 20_450].map(perMinute));
  });

  it("sees no scarcity in wishes for more than is taken", () => {
    expect(scarcity(problem(2_000), 0.5)).to.equal(0.5);
    // 10 kWh taken of 70 wished, beside 30 of both before anything was known: 0.4 of a Wh that is wished.
    const modest = { ...createHabits(), takenWh: 10_000, wishedWh: 70_000 };
    expect(earlyWeight(problem(2_000), createHabits())).to.equal(perMinute(20_450));
    expect(earlyWeight(problem(2_000), modest)).to.equal(perMinute(450));
  });

  it("grows with the drivers who left before they said, and stays within what is registered", () => {
    // The same in every hour of the day: (1 + 29) early leavers in (1,000 + 500) h, 0.02 per hour.
    const hours = 500;
    const rate = (left: number) => {
      // Triangle of the six half hours around a full hour: weights 5/6, 3/6, 1/6 on both sides.
      const near = 3;
      const day = (1 + left) / (1_000 + hours);
      return ((near * left) / 24 + 10 * day) / ((near * hours) / 24 + 10);
    };
    expect(earlyWeight(problem(0), afterStays(hours, 29))).to.satisfy(near(perMinute(300 + 150_000 * rate(29)), 1));
    expect(earlyWeight(problem(0), afterStays(1, 1_000_000_000))).to.equal(MAX_EARLY);
  });

  it("has the parameters that a CPO may choose for least cost, with the same defaults", () => {
    expect(parametersOf({ name: "least-cost", parameters: {} })).to.include(EARLY);
    const worthless = { ...EARLY, lostMicroEurPerKwh: 0 };
    expect(earlyWeight(problem(0), afterStays(500, 29), worthless)).to.equal(perMinute(300));
  });
});
