import { expect } from "chai";
import { microEurPerKwh, second, watt, wattHour } from "../../backend/domain/units.ts";
import { planValue, violations } from "../../backend/optimisation/checker.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import type { GroupProblem } from "../../backend/optimisation/problem.ts";
import { mostDeliverable } from "../support/maxFlow.ts";
import { aCar, anInterval, aProblem, randomProblem, realisticProblem, WEIGHTS } from "../support/problems.ts";

const priced = (...prices: number[]) => prices.map((price) => anInterval({ price: microEurPerKwh(price) }));
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe("least cost", () => {
  const carIn = (needWh: number, to: number, part: object = {}) =>
    aCar({ session: 1, needWh: wattHour(needWh), powerW: watt(4_000), from: 0, to, ...part });

  it("charges in the cheapest intervals", () => {
    const problem = aProblem({ cars: [carIn(1_500, 3)], intervals: priced(300_000, 100_000, 200_000) });
    expect(leastCost(problem).energyWh).to.deep.equal([[0, 1_000, 500]]);
  });

  it("charges as early as possible where prices tie", () => {
    const problem = aProblem({ cars: [carIn(1_500, 3)], intervals: priced(200_000, 200_000, 200_000) });
    expect(leastCost(problem).energyWh).to.deep.equal([[1_000, 500, 0]]);
    const unweighted = { ...problem, weights: { ...WEIGHTS, early: 0 } };
    expect(leastCost(unweighted).energyWh).to.deep.equal([[1_000, 500, 0]]);
  });

  it("states its cost in nano-euro x scale: 1,000 Wh at 0.10 EUR in the second quarter of an hour", () => {
    const problem = aProblem({ cars: [carIn(1_000, 2)], intervals: priced(200_000, 100_000) });
    expect(leastCost(problem).cost).to.equal(1_000n * (3_000n * 100_000n + 15n)); // 15 minutes of early weight 1
  });

  it("takes PV surplus first and values it at the feed-in price", () => {
    const problem = aProblem({
      cars: [carIn(1_000, 2)],
      intervals: [anInterval(), anInterval({ productionWh: wattHour(600), limitWh: wattHour(0) })],
    });
    expect(leastCost(problem).energyWh).to.deep.equal([[400, 600]]);
  });

  it("moves a flexible car out of the way of one that cannot wait", () => {
    const problem = aProblem({
      cars: [carIn(1_000, 2), { ...carIn(1_000, 1), session: 2 }],
      intervals: [anInterval({ limitWh: wattHour(1_000) }), anInterval({ price: microEurPerKwh(900_000) })],
    });
    expect(leastCost(problem).energyWh).to.deep.equal([[0, 1_000], [1_000]]);
  });

  it("serves promises before best effort, and best effort only above its price", () => {
    const car = { needWh: wattHour(0), moreWh: wattHour(1_000) };
    const problem = aProblem({
      weights: { ...WEIGHTS, extra: 250_000 },
      cars: [carIn(0, 2, car), { ...carIn(1_000, 1), session: 2 }],
      intervals: [anInterval({ limitWh: wattHour(1_200) }), anInterval({ price: microEurPerKwh(300_000) })],
    });
    expect(leastCost(problem).energyWh).to.deep.equal([[200, 0], [1_000]]);
  });

  it("takes paid energy at a negative price, up to what the car wants", () => {
    const problem = aProblem({ cars: [carIn(1_500, 2)], intervals: priced(50_000, -50_000) });
    expect(leastCost(problem).energyWh).to.deep.equal([[500, 1_000]]);
  });

  it("lets an early weight of one hour outweigh a price", () => {
    const intervals = priced(100_000, 99_000);
    expect(leastCost(aProblem({ cars: [carIn(1_000, 2)], intervals })).energyWh).to.deep.equal([[0, 1_000]]);
    const weights = { ...WEIGHTS, early: 1_000_000 }; // 15 min x 1,000,000 > 3,000 x 1,000
    expect(leastCost(aProblem({ weights, cars: [carIn(1_000, 2)], intervals })).energyWh).to.deep.equal([[1_000, 0]]);
  });

  it("limits a car by the duration of each interval", () => {
    const problem = aProblem({
      cars: [carIn(5_000, 2)],
      intervals: [anInterval({ durationS: second(60) }), anInterval({ durationS: second(840) })],
    });
    expect(leastCost(problem).energyWh).to.deep.equal([[66, 933]]);
  });

  it("plans nothing for nobody, and keeps a car without power at 0", () => {
    expect(leastCost(aProblem())).to.deep.include({ energyWh: [], cost: 0n, bound: 0n });
    expect(leastCost(aProblem({ cars: [carIn(500, 1, { powerW: watt(0) })] })).energyWh).to.deep.equal([[0]]);
  });

  it("refuses weights that would let best effort displace a promise, and numbers beyond exactness", () => {
    expect(() => leastCost(aProblem({ weights: { ...WEIGHTS, voll: 1 } }))).to.throw(RangeError, "voll");
    const intervals = Array.from({ length: 2_500 }, () => anInterval({ durationS: second(65_535) }));
    expect(() => leastCost(aProblem({ weights: { ...WEIGHTS, early: 2 ** 32 - 1 }, intervals }))).to.throw(
      RangeError,
      "2^53",
    );
  });
});

describe("least cost, on random problems with ties, zero caps, surplus, negative prices and shortage", () => {
  const seen = { surplus: 0, negative: 0, shortPromise: 0, shortMore: 0, full: 0, odd: 0 };

  it("is feasible and proven optimal with gap 0 by the independent checker, 4,000 times", () => {
    for (let seed = 0; seed < 4_000; seed++) {
      const problem = randomProblem(seed);
      const plan = leastCost(problem);
      expect(violations(problem, plan), `seed ${seed}`).to.deep.equal([]);
      const { cost, bound } = planValue(problem, plan);
      expect(bound, `seed ${seed}`).to.equal(cost);
      expect([plan.cost, plan.bound], `seed ${seed}`).to.deep.equal([cost, bound]);
      count(problem, plan.energyWh);
    }
    for (const [what, times] of Object.entries(seen)) expect(times, what).to.be.greaterThan(150);
  });

  it("delivers as much promised energy, and then as much energy, as a maximum flow can", () => {
    for (let seed = 0; seed < 1_000; seed++) {
      const problem = { ...randomProblem(seed), weights: WEIGHTS };
      const served = leastCost(problem).energyWh.map(sum);
      const promised = problem.cars.map((car, i) => Math.min(car.needWh, served[i]!));
      expect(sum(promised), `seed ${seed}`).to.equal(
        mostDeliverable(
          problem,
          problem.cars.map((car) => car.needWh),
        ),
      );
      const wanted = problem.cars.map((car) => car.needWh + car.moreWh);
      expect(sum(served), `seed ${seed}`).to.equal(mostDeliverable(problem, wanted));
    }
  });

  it("gives the same plan again, and none of its numbers depends on the order of computation", () => {
    for (let seed = 0; seed < 50; seed++) {
      const problem = randomProblem(seed);
      expect(leastCost(structuredClone(problem))).to.deep.equal(leastCost(problem));
    }
  });

  it("proves realistic groups of 5 to 600 cars optimal", () => {
    for (const cars of [5, 40, 150, 600]) {
      for (const plugged of ["day", "now"] as const) {
        const problem = realisticProblem(cars, 3, { plugged });
        const plan = leastCost(problem);
        expect(violations(problem, plan)).to.deep.equal([]);
        const { cost, bound } = planValue(problem, plan);
        expect(bound).to.equal(cost);
      }
    }
  });

  function count(problem: GroupProblem, energyWh: readonly (readonly number[])[]): void {
    const { cars, intervals } = problem;
    const missing = cars.map((car, i) => car.needWh + car.moreWh - sum(energyWh[i]!));
    if (intervals.some((v) => v.productionWh > v.demandWh + v.fixedWh)) seen.surplus++;
    if (intervals.some((v) => v.price < 0)) seen.negative++;
    if (cars.some((car, i) => missing[i]! > car.moreWh)) seen.shortPromise++;
    if (cars.some((car, i) => missing[i]! > 0 && missing[i]! < car.moreWh)) seen.shortMore++;
    if (cars.length > 0 && missing.every((wh) => wh === 0)) seen.full++;
    if (intervals.some((v) => v.durationS !== 900)) seen.odd++;
  }
});
