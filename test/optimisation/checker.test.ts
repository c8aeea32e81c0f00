import { expect } from "chai";
import { microEurPerKwh, watt, wattHour } from "../../backend/domain/units.ts";
import { planValue, violations } from "../../backend/optimisation/checker.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import type { GroupProblem, Plan } from "../../backend/optimisation/problem.ts";
import { aCar, anInterval, aProblem, randomFrom, randomProblem } from "../support/problems.ts";

const planOf = (...energyWh: number[][]): Plan => ({
  algorithm: "least-cost",
  energyWh,
  certificate: null,
  cost: 0n,
  bound: null,
});

describe("violations", () => {
  const problem = aProblem({
    cars: [
      aCar({ session: 4, needWh: wattHour(1_000), moreWh: wattHour(500), powerW: watt(4_000), from: 0, to: 2 }),
      aCar({ session: 9, needWh: wattHour(1_000), powerW: watt(4_000), minPowerW: watt(4_000), from: 1, to: 2 }),
    ],
    intervals: [
      anInterval({ limitWh: wattHour(1_200), demandWh: wattHour(300) }),
      anInterval({ limitWh: wattHour(1_600) }),
    ],
  });
  const found = (...energyWh: number[][]) => violations(problem, planOf(...energyWh), { minimumPower: true });

  it("finds none in a feasible plan", () => {
    expect(found([900, 600], [1_000])).to.deep.equal([]);
  });

  it("finds more than the group's limit leaves after the other load", () => {
    expect(found([901, 0], [0])).to.deep.equal([{ rule: "group-limit", session: null, interval: 0, excess: 1 }]);
  });

  it("finds more than a car's power allows", () => {
    expect(found([0, 0], [1_001])[0]).to.deep.equal({ rule: "car-power", session: 9, interval: 1, excess: 1 });
  });

  it("finds more energy than was asked for", () => {
    expect(found([900, 601], [0])).to.deep.equal([{ rule: "car-energy", session: 4, interval: null, excess: 1 }]);
  });

  it("finds too little energy for a burst at minimum power", () => {
    expect(found([0, 0], [32])).to.deep.equal([{ rule: "minimum-power", session: 9, interval: 1, excess: 1 }]);
  });

  it("finds fractions, negative energy and energy outside the stay", () => {
    expect(found([0.5, -1], [0]).map(({ rule, interval }) => [rule, interval])).to.deep.equal([
      ["whole", 0],
      ["whole", 1],
    ]); // prettier-ignore
    expect(found([0, 0], [0, 1])).to.deep.equal([{ rule: "shape", session: 9, interval: null, excess: 1 }]);
    expect(found([0, 0])).to.deep.equal([{ rule: "shape", session: null, interval: null, excess: -1 }]);
  });

  it("finds every single Wh added to a plan that has no room for it", () => {
    let caught = 0;
    for (let seed = 0; seed < 500; seed++) {
      const problem = randomProblem(seed);
      const plan = leastCost(problem);
      for (const [i, stay] of plan.energyWh.entries()) {
        for (let k = 0; k < stay.length; k++) {
          const changed = plan.energyWh.map((row) => [...row]);
          changed[i]![k]!++;
          const room = hasRoom(problem, plan, i, k);
          expect(violations(problem, { ...plan, energyWh: changed }).length === 0, `seed ${seed}`).to.equal(room);
          if (!room) caught++;
        }
      }
    }
    expect(caught).to.be.greaterThan(2_000);
  });

  function hasRoom(problem: GroupProblem, plan: Plan, i: number, k: number): boolean {
    const car = problem.cars[i]!;
    const t = car.from + k;
    const v = problem.intervals[t]!;
    const used = problem.cars.reduce((wh, c, j) => wh + (plan.energyWh[j]![t - c.from] ?? 0), 0);
    const served = plan.energyWh[i]!.reduce((a, b) => a + b, 0);
    // With the Wh: import within the limit, or only what PV leaves over.
    const importWh = v.demandWh + v.fixedWh + used + 1 - v.productionWh;
    const alone = v.demandWh + v.fixedWh - v.productionWh;
    return (
      importWh <= Math.max(v.limitWh, alone) &&
      (plan.energyWh[i]![k]! + 1) * 3600 <= car.powerW * v.durationS &&
      served + 1 <= car.needWh + car.moreWh
    );
  }
});

describe("value of a plan", () => {
  it("prices PV, import, and both kinds of unserved energy by hand-computed numbers", () => {
    const problem = aProblem({
      weights: { scale: 10, early: 2, voll: 1_000, extra: 500 },
      cars: [
        aCar({ session: 1, needWh: wattHour(100), moreWh: wattHour(50), from: 0, to: 2 }),
        aCar({ session: 2, needWh: wattHour(30), from: 1, to: 2 }),
      ],
      intervals: [
        anInterval({ price: microEurPerKwh(80) }),
        anInterval({ price: microEurPerKwh(70), feedIn: microEurPerKwh(20), productionWh: wattHour(40) }),
      ],
    });
    // e = 0 and 15 min. Interval 1: 40 Wh of PV at 10*20+30, the rest at 10*70+30.
    const cost = (a: number, b: number, c: number) => planValue(problem, planOf([a, b], [c])).cost;
    expect(cost(10, 0, 0)).to.equal(10n * 800n + 90n * 10_000n + 50n * 5_000n + 30n * 10_000n);
    expect(cost(90, 30, 25)).to.equal(90n * 800n + 40n * 230n + 15n * 730n + 30n * 5_000n + 5n * 10_000n);
  });

  it("uses the higher of price and feed-in for import while there is surplus, and the price alone without", () => {
    const weights = { scale: 1, early: 0, voll: 1_000, extra: 500 };
    const dear = { price: microEurPerKwh(10), feedIn: microEurPerKwh(30) };
    const costWith = (productionWh: number) => {
      const intervals = [anInterval({ ...dear, productionWh: wattHour(productionWh) })];
      const problem = aProblem({ weights, intervals, cars: [aCar({ session: 1, needWh: wattHour(5) })] });
      return planValue(problem, planOf([5])).cost;
    };
    expect(costWith(3)).to.equal(5n * 30n);
    expect(costWith(0)).to.equal(5n * 10n);
  });

  it("has no bound without certificate", () => {
    expect(planValue(aProblem(), planOf())).to.deep.equal({ cost: 0n, bound: null });
  });

  it("never bounds above the optimum, whatever the certificate says", () => {
    let weaker = 0;
    for (let seed = 0; seed < 1_500; seed++) {
      const problem = randomProblem(seed);
      const plan = leastCost(problem);
      const random = randomFrom(seed);
      const size = random() < 0.5 ? 10 : problem.weights.scale * problem.weights.voll * 2;
      const forged = (values: readonly bigint[]) => values.map((v) => v + BigInt(Math.round((random() - 0.5) * size)));
      const certificate = { y: forged(plan.certificate!.y), w: forged(plan.certificate!.w) };
      const { bound } = planValue(problem, { ...plan, certificate });
      expect(bound! <= plan.cost, `seed ${seed}`).to.equal(true);
      if (bound! < plan.cost) weaker++;
    }
    expect(weaker).to.be.greaterThan(1_000);
  });

  it("shows every plan that costs more: moving one Wh never beats the optimum", () => {
    let dearer = 0;
    for (let seed = 0; seed < 500; seed++) {
      const problem = randomProblem(seed);
      const plan = leastCost(problem);
      for (const [i, stay] of plan.energyWh.entries()) {
        const taken = stay.findIndex((wh) => wh > 0);
        for (let k = 0; k < stay.length && taken >= 0; k++) {
          const changed = plan.energyWh.map((row) => [...row]);
          changed[i]![taken]!--;
          changed[i]![k]!++;
          const other = { ...plan, energyWh: changed };
          if (violations(problem, other).length > 0) continue;
          const { cost } = planValue(problem, other);
          expect(cost >= plan.cost, `seed ${seed}`).to.equal(true);
          if (cost > plan.cost) dearer++;
        }
      }
    }
    expect(dearer).to.be.greaterThan(300);
  });
});
