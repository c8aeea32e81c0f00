import { expect } from "chai";
import { solveWithHighs } from "../../../backend/adapters/solvers/highs.ts";
import { solveWithJavascriptLpSolver } from "../../../backend/adapters/solvers/javascriptLpSolver.ts";
import { dualBound } from "../../../backend/optimisation/model/dualBound.ts";
import { groupProgram } from "../../../backend/optimisation/model/groupProgram.ts";
import type { LinearProgram } from "../../../backend/optimisation/model/program.ts";
import { randomFrom } from "../../support/problems.ts";
import { randomV2gProblem } from "../../support/v2gProblems.ts";

/** min 3 a + b, a + b >= 4, 0 <= a <= 9, 0 <= b <= 3: optimum a 1, b 3, objective 6, dual 3. */
const program: LinearProgram = {
  columns: [
    { name: "a", cost: 3, lower: 0, upper: 9 },
    { name: "b", cost: 1, lower: 0, upper: 3 },
  ],
  rows: [
    {
      name: "r",
      lower: 4,
      upper: Number.POSITIVE_INFINITY,
      terms: [
        { column: 0, coefficient: 1 },
        { column: 1, coefficient: 1 },
      ],
    },
  ],
};

describe("dual bound", () => {
  it("is the optimum for optimal duals, and below it for all others", () => {
    expect(dualBound(program, [3])).to.be.within(6 - 1e-12, 6);
    expect(dualBound(program, [2])).to.be.within(5 - 1e-12, 5); // 2 x 4 + 0 - 1 x 3
    expect(dualBound(program, [4])).to.be.below(6); // 16 - 9 - 9
    expect(dualBound(program, [0])).to.be.within(-1e-12, 0);
  });

  it("claims nothing where a column is unbounded", () => {
    const [a, b] = program.columns;
    const unbounded = { ...program, columns: [{ ...a!, upper: Number.POSITIVE_INFINITY }, b!] };
    expect(dualBound(unbounded, [4])).to.equal(Number.NEGATIVE_INFINITY);
    expect(dualBound(unbounded, [3])).to.be.within(6 - 1e-12, 6);
    expect(dualBound(program, [-1])).to.equal(Number.NEGATIVE_INFINITY); // a row without upper bound
  });

  it("equals the objective of both solvers on random V2G programs, and is never above it, whatever the duals", async () => {
    for (let seed = 0; seed < 60; seed++) {
      const { columns, rows } = groupProgram(randomV2gProblem(seed));
      const lp = { columns, rows };
      const random = randomFrom(seed);
      for (const solution of [await solveWithHighs(lp, 10), solveWithJavascriptLpSolver(lp)]) {
        expect(solution.kind, `seed ${seed}`).to.equal("optimal");
        if (solution.kind !== "optimal") return;
        const tolerance = 1e-6 * (1 + Math.abs(solution.objective));
        const bound = dualBound(lp, solution.duals!);
        expect(Math.abs(solution.objective - bound), `seed ${seed}`).to.be.below(tolerance);
        const disturbed = solution.duals!.map((dual) => dual + (random() < 0.3 ? (random() - 0.5) * 50 : 0));
        expect(dualBound(lp, disturbed), `seed ${seed}`).to.be.below(solution.objective + tolerance);
      }
    }
  });
});
