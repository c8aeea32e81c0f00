import { expect } from "chai";
import { microEurPerKwh, watt, wattHour } from "../../backend/domain/units.ts";
import { planValue, violations } from "../../backend/optimisation/checker.ts";
import { exactPlan, leastCostByNetwork } from "../../backend/optimisation/exactPlan.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { minimumCostFlow } from "../../backend/optimisation/networkSimplex.ts";
import { aCar, anInterval, aProblem, randomProblem, realisticProblem } from "../support/problems.ts";

describe("minimum-cost flow", () => {
  it("takes the cheap way until it is full, then the dear one, then spills", () => {
    // Node 0 has 10 units; 0 -> 1 costs 1 (4 units), 1 -> sink costs 2; 0 -> sink costs 5 (3 units); spilling costs 9.
    const { flow, spilled, potential } = minimumCostFlow({
      supply: [10, 0],
      spill: [9, 9],
      tail: [0, 1, 0],
      head: [1, 2, 2],
      capacity: [4, 100, 3],
      cost: [1, 2, 5],
    });
    expect(Array.from(flow)).to.deep.equal([4, 4, 3]);
    expect(Array.from(spilled)).to.deep.equal([3, 0]);
    expect(Array.from(potential)).to.deep.equal([9, 2]);
  });

  it("refuses costs whose sums would not be exact", () => {
    const flow = () => minimumCostFlow({ supply: [1], spill: [2 ** 53], tail: [], head: [], capacity: [], cost: [] });
    expect(flow).to.throw(RangeError, "exact range");
  });
});

describe("least cost by network simplex", () => {
  it("has the cost of the greedy and proves it, on random problems", () => {
    for (let seed = 0; seed < 1_500; seed++) {
      const problem = randomProblem(seed);
      const { objective, dual, energyWh } = leastCostByNetwork(problem);
      const plan = leastCost(problem);
      expect([objective, dual], `seed ${seed}`).to.deep.equal([plan.cost, plan.cost]);
      expect(violations(problem, { ...plan, energyWh })).to.deep.equal([]);
    }
  });

  it("has the cost of the greedy in a realistic group of 300 cars", () => {
    const problem = realisticProblem(300, 2);
    expect(leastCostByNetwork(problem).objective).to.equal(leastCost(problem).cost);
  });
});

describe("exact plan", () => {
  const priced = (...prices: number[]) => prices.map((price) => anInterval({ price: microEurPerKwh(price) }));
  const car = aCar({ session: 1, needWh: wattHour(1_500), powerW: watt(4_000), to: 3 });

  it("is the greedy's when there is nothing that the greedy cannot do", () => {
    const problem = aProblem({ cars: [car], intervals: priced(300_000, 100_000, 200_000) });
    expect(exactPlan(problem, { waitingMicroEurPerHour: 0 })).to.deep.equal(leastCost(problem));
  });

  it("gives a car its first part by its first deadline, at a known price", () => {
    const first = { wh: wattHour(700), to: 1 };
    const problem = aProblem({ cars: [{ ...car, first }], intervals: priced(300_000, 100_000, 200_000) });
    const plan = exactPlan(problem);
    expect(plan.energyWh).to.deep.equal([[700, 800, 0]]);
    // 500 Wh move from 0.20 and 200 Wh from 0.10 to 0.30 EUR/kWh; the tie-break counts 15 minutes each.
    const dearer = 3_000n * (500n * 100_000n + 200n * 200_000n) - 500n * 30n - 200n * 15n;
    expect(plan.cost - (plan.bound ?? 0n)).to.equal(dearer);
    expect(planValue(problem, plan)).to.deep.equal({ cost: plan.cost, bound: plan.bound });
  });

  it("charges late what cannot be had by the first deadline", () => {
    const first = { wh: wattHour(1_300), to: 1 };
    const problem = aProblem({ cars: [{ ...car, first }], intervals: priced(300_000, 100_000, 200_000) });
    expect(exactPlan(problem).energyWh).to.deep.equal([[1_000, 500, 0]]);
  });

  it("prefers a first part to another car's best effort, and a promise to a first part", () => {
    const intervals = [anInterval({ limitWh: wattHour(500) }), anInterval()];
    const first = { ...car, needWh: wattHour(400), to: 2, first: { wh: wattHour(400), to: 1 } };
    const other = (part: object) => ({ ...car, session: 2, needWh: wattHour(0), to: 1, ...part });
    const bestEffort = aProblem({ cars: [first, other({ moreWh: wattHour(300) })], intervals });
    expect(exactPlan(bestEffort).energyWh).to.deep.equal([[400, 0], [100]]);
    const promised = aProblem({ cars: [first, other({ needWh: wattHour(300) })], intervals });
    expect(exactPlan(promised).energyWh).to.deep.equal([[200, 200], [300]]);
  });

  it("lets a price of waiting complete a small need before a large one", () => {
    // Both wait alike; finishing the 250 Wh costs four times as much per Wh as the 1,000 Wh.
    const intervals = Array.from({ length: 5 }, () => anInterval({ limitWh: wattHour(250) }));
    const cars = [
      { ...car, needWh: wattHour(1_000), to: 5 },
      { ...car, session: 2, needWh: wattHour(250), to: 5 },
    ];
    const plan = exactPlan(aProblem({ cars, intervals }), { waitingMicroEurPerHour: 100_000 });
    expect(plan.energyWh).to.deep.equal([
      [0, 250, 250, 250, 250],
      [250, 0, 0, 0, 0],
    ]);
  });

  it("waits for a price that is worth it, and no longer", () => {
    const problem = aProblem({
      cars: [{ ...car, needWh: wattHour(1_000) }],
      intervals: priced(150_000, 120_000, 100_000),
    });
    // One quarter of an hour of waiting costs 0.025 EUR for this 1 kWh: 0.03 EUR are worth one, 0.02 EUR not another.
    expect(exactPlan(problem, { waitingMicroEurPerHour: 100_000 }).energyWh).to.deep.equal([[0, 1_000, 0]]);
  });

  it("stays feasible and above its bound by what second deadlines cost, in a realistic group", () => {
    const { cars, ...rest } = realisticProblem(150, 5, { plugged: "now" });
    const problem = {
      ...rest,
      cars: cars.map((c, i) => (i % 3 ? c : { ...c, first: { wh: wattHour(Math.floor(c.needWh / 3)), to: 6 } })),
    };
    const plan = exactPlan(problem);
    expect(violations(problem, plan)).to.deep.equal([]);
    expect(plan.bound).to.equal(leastCost(problem).cost);
    const { objective, dual } = leastCostByNetwork(problem);
    expect(dual).to.equal(objective);
    expect(Number(plan.cost - (plan.bound ?? 0n)) / Number(plan.bound)).to.be.within(0, 0.05);
  });
});
