import { expect } from "chai";
import { watt, wattHour } from "../../backend/domain/units.ts";
import { planValue, violations } from "../../backend/optimisation/checker.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { leastLaxity } from "../../backend/optimisation/leastLaxity.ts";
import { aCar, anInterval, aProblem, randomProblem, realisticProblem } from "../support/problems.ts";

describe("least laxity, the fallback", () => {
  it("is feasible on every random problem and never cheaper than the optimum", () => {
    let dearer = 0;
    for (let seed = 0; seed < 2_000; seed++) {
      const problem = randomProblem(seed);
      const plan = leastLaxity(problem);
      expect(violations(problem, plan), `seed ${seed}`).to.deep.equal([]);
      expect(planValue(problem, plan)).to.deep.equal({ cost: plan.cost, bound: null });
      const best = leastCost(problem).cost;
      expect(plan.cost >= best).to.equal(true);
      if (plan.cost > best) dearer++;
    }
    expect(dearer).to.be.greaterThan(300);
  });

  it("serves first the car that can wait least, and promises before best effort", () => {
    const car = { powerW: watt(10_000), from: 0 };
    const problem = aProblem({
      cars: [
        aCar({ ...car, session: 1, moreWh: wattHour(2_500), to: 1 }),
        aCar({ ...car, session: 2, needWh: wattHour(2_500), to: 2 }),
        aCar({ ...car, session: 3, needWh: wattHour(2_500), to: 1 }),
      ],
      intervals: [anInterval({ limitWh: wattHour(3_000) }), anInterval({ limitWh: wattHour(3_000) })],
    });
    expect(leastLaxity(problem).energyWh).to.deep.equal([[0], [500, 2_000], [2_500]]);
  });

  it("uses PV surplus where the limit is 0", () => {
    const intervals = [anInterval({ limitWh: wattHour(0), productionWh: wattHour(900), demandWh: wattHour(300) })];
    const problem = aProblem({ cars: [aCar({ session: 1, needWh: wattHour(2_000) })], intervals });
    expect(leastLaxity(problem).energyWh).to.deep.equal([[600]]);
  });

  it("prefers the greater need in the same stay, and counts time that has passed", () => {
    const full = anInterval({ limitWh: wattHour(2_500) });
    const car = { powerW: watt(10_000), from: 0, to: 3 };
    const same = [
      aCar({ ...car, session: 1, needWh: wattHour(500) }),
      aCar({ ...car, session: 2, needWh: wattHour(2_500) }),
    ];
    expect(leastLaxity(aProblem({ cars: same, intervals: [full, full, full] })).energyWh).to.deep.equal([
      [0, 500, 0],
      [2_500, 0, 0],
    ]); // prettier-ignore
    // Nothing can be given at first: then the car that came first has 100 Wh of laxity left, the other one 300.
    const late = [
      aCar({ ...car, session: 1, needWh: wattHour(4_900) }),
      aCar({ ...car, session: 2, needWh: wattHour(4_700), from: 1 }),
    ];
    const intervals = [anInterval({ limitWh: wattHour(0) }), full, full];
    expect(leastLaxity(aProblem({ cars: late, intervals })).energyWh[0]).to.deep.equal([0, 2_500, 0]);
  });

  it("counts a first deadline that comes before the departure, until it has passed", () => {
    const car = { powerW: watt(10_000), from: 0, to: 4, needWh: wattHour(5_000) };
    const cars = [
      aCar({ ...car, session: 1 }),
      aCar({ ...car, session: 2, first: { wh: wattHour(2_000), to: 1 } }),
      aCar({ ...car, session: 3, needWh: wattHour(6_000) }),
    ];
    const intervals = Array.from({ length: 4 }, () => anInterval({ limitWh: wattHour(2_500) }));
    // 4,000 Wh of laxity for the third car, 5,000 for the others; the second one has 500 until its first deadline.
    const [, second, third] = leastLaxity(aProblem({ cars, intervals })).energyWh;
    expect([second![0], third![0]]).to.deep.equal([2_500, 0]);
    expect([second![1], third![1]]).to.deep.equal([0, 2_500]);
  });

  it("claims nothing about its cost", () => {
    expect(leastLaxity(realisticProblem(20))).to.include({ algorithm: "least-laxity", certificate: null, bound: null });
  });
});
