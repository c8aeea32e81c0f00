import { expect } from "chai";
import fc from "fast-check";
import { watt, wattHour } from "../../backend/domain/units.ts";
import { planValue, violations } from "../../backend/optimisation/checker.ts";
import { fairShare } from "../../backend/optimisation/fairShare.ts";
import { firstCome } from "../../backend/optimisation/firstCome.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import type { GroupProblem, Plan } from "../../backend/optimisation/problem.ts";
import { refine } from "../../backend/optimisation/refine.ts";
import { steady } from "../../backend/optimisation/steady.ts";
import { aCar, anInterval, aProblem, randomFrom, randomProblem, realisticProblem } from "../support/problems.ts";

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** Random, with a least power of up to everything. */
function withLeastPower(seed: number): GroupProblem {
  const random = randomFrom(seed);
  const problem = randomProblem(seed);
  const cars = problem.cars.map((car) => ({ ...car, minPowerW: watt(Math.floor(car.powerW * random())) }));
  return { ...problem, cars };
}

describe("Refinement", () => {
  it("gives a feasible, chargeable plan of known value, proven where nothing was repaired at a cost", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, other) => {
        const problem = withLeastPower(seed);
        const before = withLeastPower(other);
        const exact = leastCost(problem);
        const previous = { problem: { ...before, at: problem.at }, energyWh: leastCost(before).energyWh };
        const { plan, repairedIntervals } = refine(problem, exact, { previous });
        expect(violations(problem, plan, { minimumPower: true })).to.deep.equal([]);
        const { cost, bound } = planValue(problem, plan);
        expect([plan.cost, plan.bound]).to.deep.equal([cost, bound]);
        if (repairedIntervals === 0) expect(plan.cost).to.equal(plan.bound);
        else expect(plan.cost > exact.cost).to.equal(true);
      }),
      { numRuns: 500 },
    );
  });

  it("gives the same plan for the same problem and previous plan", () => {
    const problem = realisticProblem(40, 5, { plugged: "now" });
    const previous = { problem, energyWh: leastCost(problem).energyWh };
    expect(refine(problem, leastCost(problem), { previous })).to.deep.equal(
      refine(structuredClone(problem), leastCost(problem), { previous: structuredClone(previous) }),
    );
  });

  it("never takes from a car before its second deadline, crumbs of its own aside", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, other) => {
        const random = randomFrom(other);
        const base = withLeastPower(seed);
        const cars = base.cars.map((car) =>
          car.needWh > 0 && car.to - car.from > 1 && random() < 0.5
            ? { ...car, first: { wh: car.needWh, to: car.from + 1 + Math.floor(random() * (car.to - car.from - 1)) } }
            : car,
        );
        const problem = { ...base, cars };
        const exact = leastCost(problem);
        const previous = { problem, energyWh: leastCost({ ...problem, cars: [...base.cars] }).energyWh };
        const shared = steady(problem, fairShare(problem, exact), previous);
        const early = (energyWh: Plan["energyWh"], i: number) =>
          sum(energyWh[i]!.slice(0, (cars[i]!.first?.to ?? 0) - cars[i]!.from));
        for (const [i, { first }] of cars.entries())
          if (first) expect(early(shared.energyWh, i)).to.be.at.least(early(exact.energyWh, i));
      }),
      { numRuns: 300 },
    );
  });

  it("leaves what promises lack to the earliest departure first", () => {
    const cars = [3, 2].map((to, i) => aCar({ session: i + 1, needWh: wattHour(1_000), powerW: watt(4_000), to }));
    const problem = aProblem({
      cars,
      intervals: Array.from({ length: 3 }, () => anInterval({ limitWh: wattHour(500) })),
    });
    expect(refine(problem, leastCost(problem)).plan.energyWh.map(sum)).to.deep.equal([500, 1_000]);
  });

  it("leaves to a rule who gets what", () => {
    const problem = aProblem({
      cars: [1, 2].map((session) => aCar({ session, moreWh: wattHour(1_000), powerW: watt(4_000), to: 3 })),
      intervals: Array.from({ length: 3 }, () => anInterval({ limitWh: wattHour(500) })),
    });
    const rule = firstCome(problem, { protectPromises: 0 });
    const exact = leastCost(problem);
    expect(refine(problem, exact, { keepsOrder: true }).plan).to.equal(exact);
    expect(rule.energyWh.map(sum)).to.deep.equal([1_000, 500]);
    expect(refine(problem, rule).plan).to.equal(rule);
    expect(refine(problem, leastCost(problem)).plan.energyWh.map(sum)).to.deep.equal([750, 750]);
  });

  it("is fair and steady at six amperes at no cost in groups of a garage", () => {
    for (const [cars, seed] of [
      [20, 1],
      [80, 2],
    ] as const) {
      const site = realisticProblem(cars, seed, { plugged: "now" });
      const problem = {
        ...site,
        intervals: site.intervals.map((one) => ({ ...one, limitWh: wattHour(Math.floor(one.limitWh * 0.6)) })),
      };
      const exact = leastCost(problem);
      const { plan } = refine(problem, exact);
      expect(Number(plan.cost - plan.bound!) / Number(plan.bound)).to.be.below(0.0001);
      expect(sum(plan.energyWh.flat())).to.equal(sum(exact.energyWh.flat()));
    }
  });
});
