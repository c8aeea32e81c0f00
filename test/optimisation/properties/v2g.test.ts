import { expect } from "chai";
import fc from "fast-check";
import { solveWithHighs } from "../../../backend/adapters/solvers/highs.ts";
import { solveWithJavascriptLpSolver } from "../../../backend/adapters/solvers/javascriptLpSolver.ts";
import { microEurPerKwh } from "../../../backend/domain/units.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import { groupProgram, linearProgram } from "../../../backend/optimisation/model/groupProgram.ts";
import { modelOf } from "../../../backend/optimisation/model/linearProgramPlan.ts";
import type { ModelProblem } from "../../../backend/optimisation/model/modelProblem.ts";
import type { LinearProgram, LpSolution } from "../../../backend/optimisation/model/program.ts";
import { v2gViolations } from "../../../backend/optimisation/model/v2gChecker.ts";
import { chargeOnlyPlan, v2gPlan } from "../../../backend/optimisation/model/v2gPlan.ts";
import { v2gValue } from "../../../backend/optimisation/model/v2gValue.ts";
import { randomProblem } from "../../support/problems.ts";
import { randomV2gProblem } from "../../support/v2gProblems.ts";
import { howOften, PATIENCE_MS } from "./support.ts";

const highs = (lp: LinearProgram): Promise<LpSolution> => solveWithHighs(lp, 20);
const seeds = fc.integer({ min: 0, max: 1_000_000 });
const RUNS = howOften(150);

describe("V2G plans of random groups", function () {
  this.timeout(PATIENCE_MS);

  it("break no rule and cost no less than their bound, which is near", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 0, max: 1 }), async (seed, curtailPv) => {
        const problem = randomV2gProblem(seed);
        const plan = await v2gPlan(problem, { curtailPv }, highs);
        const { model, options } = modelOf(problem, { curtailPv });
        expect(v2gViolations(model, plan, options)).to.deep.equal([]);
        expect(plan.bound! <= plan.cost).to.equal(true);
        if (problem.intervals.some(({ leastImportWh }) => leastImportWh !== undefined)) return; // an order costs
        expect(plan.cost <= chargeOnlyPlan(model, options).cost + roundingOf(problem)).to.equal(true);
      }),
      RUNS,
    );
  });

  it("discharge where the solver does: rounding gives up on less than one nasty group in twenty", async () => {
    let [asked, gaveUp] = [0, 0];
    for (let seed = 0; seed < 400; seed++) {
      let solvedKwh = 0;
      const plan = await v2gPlan(randomV2gProblem(seed), {}, async (lp) => {
        const solution = await highs(lp);
        if (solution.kind === "optimal")
          solvedKwh = lp.columns.reduce(
            (sum, { name }, j) => sum + (name.startsWith("discharge") ? solution.values[j]! : 0),
            0,
          );
        return solution;
      });
      if (solvedKwh < 0.02) continue;
      asked++;
      if (plan.dischargeWh.flat().every((wh) => wh === 0)) gaveUp++;
    }
    expect(asked).to.be.greaterThan(50);
    expect(gaveUp).to.be.at.most(asked / 20);
  });

  it("have equal objectives in both solvers, and an optimum whatever state of charge a car arrives with", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.boolean(), async (seed, curtailPv) => {
        const lp = linearProgram(randomV2gProblem(seed), {
          curtailPv,
          waitingMicroEurPerHour: seed % 3 === 0 ? 20_000 : 0,
        });
        const [one, other] = [await highs(lp), solveWithJavascriptLpSolver(lp)];
        if (one.kind !== "optimal" || other.kind !== "optimal") throw new Error(`${one.kind}, ${other.kind}`);
        expect(Math.abs(one.objective - other.objective)).to.be.below(1e-5 * (1 + Math.abs(one.objective)));
      }),
      RUNS,
    );
  });

  it("cost what the exact method's do, to the integer, when no car has a battery", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const random = randomProblem(seed);
        const problem = { ...random, weights: { ...random.weights, early: 0 } };
        const { cost } = leastCost(problem);
        const plan = await v2gPlan(problem, {}, highs);
        expect(plan.cost).to.equal(cost);
        expect(chargeOnlyPlan(problem).cost).to.equal(cost);
      }),
      RUNS,
    );
  });

  it("neither import and export nor charge and discharge at once at negative prices", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.boolean(), async (seed, curtailPv) => {
        // Below 0 everywhere; no limit of export and no order to consume, which make energy worth less than any price.
        const random = randomV2gProblem(seed);
        const problem = {
          ...random,
          intervals: random.intervals.map(({ exportLimitWh: _, leastImportWh: __, ...interval }, t) => ({
            ...interval,
            price: microEurPerKwh(-10_000 * (1 + ((seed + t) % 7))),
            feedIn: microEurPerKwh(10_000 * ((seed * 7 + t) % 5) - 60_000),
          })),
        };
        const program = groupProgram(problem, { curtailPv });
        const solution = await highs(program);
        if (solution.kind !== "optimal") throw new Error(solution.kind);
        const at = (column: number | null | undefined) => (column == null ? 0 : solution.values[column]!);
        for (const [t, { imported, exported }] of program.supply.entries()) {
          const { price, feedIn } = problem.intervals[t]!;
          // What is imported and fed in at the same price costs nothing and says nothing.
          if (price > feedIn) expect(Math.min(at(imported), at(exported))).to.be.below(1e-6);
        }
        for (const [i, stay] of program.discharge.entries()) {
          for (const [k, column] of stay.entries())
            expect(Math.min(at(program.charge[i]![k]), at(column))).to.be.below(1e-6);
        }
      }),
      RUNS,
    );
  });

  it("are bounded by any certificate, however forged", async () => {
    await fc.assert(
      fc.asyncProperty(
        seeds,
        fc.array(fc.integer({ min: -400_000, max: 400_000 }), { minLength: 5, maxLength: 20 }),
        async (seed, noise) => {
          const problem = randomV2gProblem(seed);
          const plan = await v2gPlan(problem, {}, highs);
          const { model, options } = modelOf(problem, {});
          const bent = (values: readonly bigint[]) =>
            values.map((value, k) => value + BigInt(noise[k % noise.length]! * problem.weights.scale));
          const { w, y, z } = plan.certificate!;
          const certificate = { w: bent(w), y: bent(y), z: z.map(bent) };
          const { bound } = v2gValue(model, { ...plan, certificate }, options);
          expect(bound! <= plan.cost).to.equal(true);
          expect(bound! <= chargeOnlyPlan(model, options).cost).to.equal(true);
        },
      ),
      howOften(60),
    );
  });
});

/** What whole Wh may cost: some Wh of each battery at the worth of promised energy. */
function roundingOf({ cars, weights }: ModelProblem): bigint {
  return BigInt(cars.length * 10) * BigInt(weights.scale) * BigInt(weights.voll + weights.extra + 1_000_000);
}
