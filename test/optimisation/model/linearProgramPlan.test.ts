import { expect } from "chai";
import { createSolver, type Solver } from "../../../backend/adapters/solvers/createSolver.ts";
import { microEurPerKwh, watt, wattHour } from "../../../backend/domain/units.ts";
import { planValue, violations } from "../../../backend/optimisation/checker.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import { LINEAR_PROGRAM_PARAMETERS, linearProgramPlan } from "../../../backend/optimisation/model/linearProgramPlan.ts";
import type { LpSolution } from "../../../backend/optimisation/model/program.ts";
import { aCar, anInterval, aProblem, randomProblem, realisticProblem, WEIGHTS } from "../../support/problems.ts";

const late = async (): Promise<LpSolution> => ({ kind: "time-limit" });

for (const solver of ["javascript-lp-solver", "highs"] as const) {
  describe(`linear-program by ${solver}`, () => {
    let port: Solver;
    before(() => {
      port = createSolver({ solver });
    });
    after(() => port.close());

    it("finds feasible plans at the cost of the exact method, with a bound below them", async function () {
      this.timeout(20_000);
      for (let seed = 0; seed < 200; seed++) {
        const random = randomProblem(seed);
        const problem = { ...random, weights: { ...random.weights, early: 0 } };
        const plan = await linearProgramPlan(problem, {}, port.solve);
        expect(violations(problem, plan), `seed ${seed}`).to.deep.equal([]);
        expect(plan.cost, `seed ${seed}`).to.equal(leastCost(problem).cost);
        expect(plan.bound, `seed ${seed}`).to.equal(plan.cost);
      }
    });

    it("lets cars take the surplus that an export limit would lose", async () => {
      const problem = aProblem({
        weights: { ...WEIGHTS, early: 0 },
        cars: [aCar({ session: 1, needWh: wattHour(1_000), to: 2 })],
        intervals: [
          // Worth 60,000 fed in, but only 500 of the 1,500 Wh can be: 1,000 Wh are free.
          anInterval({ productionWh: wattHour(1_500) }),
          anInterval({ price: microEurPerKwh(50_000) }),
        ],
      });
      expect((await linearProgramPlan(problem, {}, port.solve)).energyWh).to.deep.equal([[0, 1_000]]);
      const limited = await linearProgramPlan(problem, { exportLimitW: 2_000 }, port.solve);
      expect(limited.energyWh).to.deep.equal([[1_000, 0]]);
      // What it costs beyond the optimum of the recorded problem, which knows no export limit: 1 kWh x 0.01 EUR.
      expect(limited.cost - limited.bound!).to.equal(3_000n * 10_000n * 1_000n);
    });

    it("switches PV down to buy at a price below 0, when it may", async () => {
      const problem = aProblem({
        cars: [aCar({ session: 1, needWh: wattHour(1_000), to: 2 })],
        intervals: [
          anInterval({ productionWh: wattHour(1_500), price: microEurPerKwh(-90_000), feedIn: microEurPerKwh(0) }),
          anInterval({ price: microEurPerKwh(-10_000), feedIn: microEurPerKwh(-10_000) }),
        ],
      });
      expect((await linearProgramPlan(problem, {}, port.solve)).energyWh).to.deep.equal([[0, 1_000]]);
      expect((await linearProgramPlan(problem, { curtailPv: 1 }, port.solve)).energyWh).to.deep.equal([[1_000, 0]]);
    });

    it("charges the first part before its own deadline, the rest where it is cheap", async () => {
      const first = { wh: wattHour(700), to: 1 };
      const problem = aProblem({
        cars: [aCar({ session: 1, needWh: wattHour(1_500), to: 2, first })],
        intervals: [anInterval(), anInterval({ price: microEurPerKwh(50_000) })],
      });
      expect((await linearProgramPlan(problem, {}, port.solve)).energyWh).to.deep.equal([[700, 800]]);
      const late = { ...problem, cars: [{ ...problem.cars[0]!, powerW: watt(2_000) }] };
      expect((await linearProgramPlan(late, {}, port.solve)).energyWh).to.deep.equal([[500, 500]]);
    });

    it("serves who has waited for less energy first when sessions cost their opportunity", async () => {
      const cars = [
        aCar({ session: 1, needWh: wattHour(2_000), powerW: watt(8_000), to: 2 }),
        aCar({ session: 2, needWh: wattHour(500), powerW: watt(8_000), to: 2 }),
      ];
      const problem = aProblem({ cars, intervals: [anInterval({ limitWh: wattHour(500) }), anInterval()] });
      const { energyWh } = await linearProgramPlan(problem, { waitingMicroEurPerHour: 40_000 }, port.solve);
      expect(energyWh).to.deep.equal([
        [0, 2_000],
        [500, 0],
      ]);
    });
  });
}

describe("linear-program", () => {
  const problem = realisticProblem(3);

  it("throws when the solver is late, fails or answers what is no plan", async () => {
    const message = async (solution: LpSolution) =>
      linearProgramPlan(problem, {}, async () => solution).then(
        () => "a plan",
        (error: Error) => error.message,
      );
    expect(await message(await late())).to.match(/no plan \(time-limit\)/);
    expect(await message({ kind: "failed", reason: "no memory" })).to.match(/no plan \(no memory\)/);
    expect(await message({ kind: "optimal", objective: 0, values: new Array(1_000).fill(9e3) })).to.match(/car-power/);
  });

  it("has parameters whose defaults lie within their bounds", () => {
    for (const one of LINEAR_PROGRAM_PARAMETERS) {
      expect(one.default, one.name).to.be.within(one.min, one.max);
      expect(one.about, one.name).to.match(/\S/);
    }
  });

  it("counts cost and bound as the checker does", async () => {
    const port = createSolver({ solver: "highs" });
    const plan = await linearProgramPlan(problem, {}, port.solve);
    await port.close();
    expect(planValue(problem, plan)).to.deep.equal({ cost: plan.cost, bound: plan.bound });
  });
});
