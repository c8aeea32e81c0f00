/** `linear-program` on random problems, whatever its parameters. */
import { expect } from "chai";
import fc from "fast-check";
import { solveWithHighs } from "../../../backend/adapters/solvers/highs.ts";
import { planValue, violations } from "../../../backend/optimisation/checker.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import { linearProgramPlan } from "../../../backend/optimisation/model/linearProgramPlan.ts";
import type { LinearProgram, LpSolution } from "../../../backend/optimisation/model/program.ts";
import type { GroupProblem, Plan } from "../../../backend/optimisation/problem.ts";
import { DAYS, howOften, PATIENCE_MS, problems } from "./support.ts";

const highs = (lp: LinearProgram): Promise<LpSolution> => solveWithHighs(lp, 20);
const groups = problems({ intervals: DAYS, cars: 8, first: true });
const parameters = fc.record({
  curtailPv: fc.constantFrom(0, 1),
  exportLimitW: fc.constantFrom(0, 20, 8_000, 1_000_000_000),
  directionBinaries: fc.constantFrom(0, 1),
  waitingMicroEurPerHour: fc.constantFrom(0, 0, 100_000),
});
const promisedWh = ({ cars }: GroupProblem, { energyWh }: Plan) =>
  cars.reduce(
    (sum, { needWh }, i) =>
      sum +
      Math.min(
        needWh,
        energyWh[i]!.reduce((a, b) => a + b, 0),
      ),
    0,
  );

describe("linear-program, on random problems", function () {
  this.timeout(PATIENCE_MS);

  it("breaks no rule, costs no less than its bound, and serves what can be promised, whatever its parameters", async () => {
    await fc.assert(
      fc.asyncProperty(groups, parameters, async (problem, chosen) => {
        const plan = await linearProgramPlan(problem, chosen, highs);
        expect(violations(problem, plan)).to.deep.equal([]);
        expect(planValue(problem, plan)).to.deep.equal({ cost: plan.cost, bound: plan.bound });
        expect(plan.bound! <= plan.cost).to.equal(true);
        // Late energy and waiting have prices that many cars together may outweigh; export limits and PV do not.
        if (chosen.waitingMicroEurPerHour > 0 || problem.cars.some(({ first }) => first)) return;
        const [served, wanted] = [promisedWh(problem, plan), promisedWh(problem, leastCost(problem))];
        // Least cost lets a promise go where feeding in, which these parameters may forbid, earns more than it.
        if (problem.intervals.some(({ feedIn }) => feedIn > problem.weights.voll))
          expect(served).to.be.at.least(wanted);
        else expect(served).to.equal(wanted);
      }),
      howOften(200),
    );
  });
});
