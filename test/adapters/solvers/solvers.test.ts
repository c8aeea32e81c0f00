import { expect } from "chai";
import { createSolver, createSolvers, type Solver } from "../../../backend/adapters/solvers/createSolver.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import { crossCheck } from "../../../backend/optimisation/model/crossCheck.ts";
import { linearProgram } from "../../../backend/optimisation/model/groupProgram.ts";
import type { Column, LinearProgram } from "../../../backend/optimisation/model/program.ts";
import { randomProblem, realisticProblem } from "../../support/problems.ts";

const aColumn = (cost: number, upper = Number.POSITIVE_INFINITY, lower = 0): Column => ({
  name: `x${cost}`,
  cost,
  lower,
  upper,
});
const program = (
  columns: Column[],
  ...rows: [lower: number, coefficients: number[], upper: number][]
): LinearProgram => ({
  columns,
  rows: rows.map(([lower, coefficients, upper], r) => ({
    name: `r${r}`,
    lower,
    upper,
    terms: coefficients.map((coefficient, column) => ({ column, coefficient })),
  })),
});
const infinity = Number.POSITIVE_INFINITY;

for (const solver of ["javascript-lp-solver", "highs"] as const) {
  describe(`solver port: ${solver}`, () => {
    let port: Solver;
    before(() => {
      port = createSolver({ solver });
    });
    after(() => port.close());

    it("minimises within rows and bounds", async () => {
      // 3 a + 2 b + c, a + b + c >= 10, c <= 4, b in [1, 5], a - b <= 2: c 4, b 5, a 1
      const lp = program(
        [aColumn(3), aColumn(2, 5, 1), aColumn(1, 4)],
        [10, [1, 1, 1], infinity],
        [-infinity, [1, -1, 0], 2],
      );
      const solution = await port.solve(lp);
      expect(solution.kind).to.equal("optimal");
      if (solution.kind !== "optimal") return;
      expect(solution.values.map((v) => Math.round(v * 1e6) / 1e6)).to.deep.equal([1, 5, 4]);
      expect(Math.abs(solution.objective - 17)).to.be.below(1e-6);
      // One more unit of the first row comes from a, at 3; the second row does not bind.
      expect(solution.duals?.map((v) => Math.round(v * 1e6) / 1e6 + 0)).to.deep.equal([3, 0]);
    });

    it("tells infeasible, unbounded and empty programs apart", async () => {
      expect(await port.solve(program([aColumn(1, 3)], [4, [1], infinity]))).to.deep.equal({ kind: "infeasible" });
      expect(await port.solve(program([aColumn(-1)], [0, [1], infinity]))).to.deep.equal({ kind: "unbounded" });
      expect(await port.solve(program([]))).to.deep.include({ kind: "optimal", objective: 0, values: [] });
    });

    it("finds the optimiser's cost on random groups", async function () {
      this.timeout(20_000);
      for (let seed = 0; seed < 250; seed++) {
        const problem = randomProblem(seed);
        const answer = crossCheck(problem, leastCost(problem), await port.solve(linearProgram(problem)));
        expect(
          answer.kind,
          `seed ${seed}: ${JSON.stringify(answer, (_, v) => (typeof v === "bigint" ? String(v) : v))}`,
        ).to.equal("equal");
      }
    });

    it("finds the optimiser's cost on a group of realistic size", async () => {
      const problem = realisticProblem(solver === "highs" ? 60 : 15);
      expect(crossCheck(problem, leastCost(problem), await port.solve(linearProgram(problem))).kind).to.equal("equal");
    });

    it("answers questions in the order in which they were asked", async () => {
      const answers = await Promise.all(
        [2, 3, 4].map((least) => port.solve(program([aColumn(1)], [least, [1], infinity]))),
      );
      expect(answers.map((answer) => answer.kind === "optimal" && Math.round(answer.objective))).to.deep.equal([
        2, 3, 4,
      ]);
    });

    it("answers time-limit when it is late, and replaces a thread that has grown old", async () => {
      const hasty = createSolver({ solver, timeLimitS: solver === "highs" ? 0.001 : -0.5 });
      const problem = realisticProblem(100);
      expect((await hasty.solve(linearProgram(problem))).kind).to.equal("time-limit");
      await hasty.close();
      const calm = createSolver({ solver, programsPerWorker: 1 });
      for (const least of [1, 2]) {
        const solution = await calm.solve(program([aColumn(1)], [least, [1], infinity]));
        expect(solution.kind === "optimal" && Math.round(solution.objective)).to.equal(least);
      }
      await calm.close();
    });

    it("fails, without rejecting, on nonsense and after it was closed", async () => {
      const broken = createSolver({ solver });
      const nonsense = {
        columns: [aColumn(1)],
        rows: [{ name: "r", lower: 0, upper: 1, terms: [{ column: 7, coefficient: 1 }] }],
      };
      expect((await broken.solve(nonsense)).kind).to.equal("failed");
      await broken.close();
      expect((await broken.solve(program([aColumn(1)]))).kind).to.equal("failed");
    });
  });
}

describe("solver port", () => {
  it("solves whole-number programs by HiGHS only, with the bound that it proves", async () => {
    // 5 a + 4 b >= 7 at 3 a + 2 b: 1.75 b would cost 3.5; in whole numbers 2 b cost 4
    const [a, b] = [aColumn(3, 9), aColumn(2, 9)].map((column) => ({ ...column, integer: true as const }));
    const whole = program([a!, b!], [7, [5, 4], infinity]);
    const port = createSolvers();
    const solution = await port.solve(whole);
    await port.close();
    expect(solution).to.deep.include({ kind: "optimal", objective: 4, bound: 4 });
    expect(solution.kind === "optimal" && solution.values.map((value) => value + 0)).to.deep.equal([0, 2]);
    expect(solution).not.to.have.property("duals");
    const small = createSolver({ solver: "javascript-lp-solver" });
    expect(await small.solve(whole)).to.deep.include({ kind: "failed" });
    await small.close();
  });

  it("refuses variables that may be negative where the package would answer wrongly", async () => {
    const port = createSolver({ solver: "javascript-lp-solver" });
    const solution = await port.solve(program([aColumn(0, infinity, -infinity)], [-5, [1], -5]));
    expect(solution).to.include({ kind: "failed" });
    await port.close();
  });

  it("sends small programs to one solver and large ones to the other, with the same answer", async () => {
    const problem = realisticProblem(8);
    for (const smallColumns of [0, 1e9]) {
      const port = createSolvers({ smallColumns });
      expect(crossCheck(problem, leastCost(problem), await port.solve(linearProgram(problem))).kind).to.equal("equal");
      await port.close();
    }
  });
});
