/** javascript-lp-solver: the general solver for small programs. Runs synchronously, so only inside worker.ts. */
import solverModule, { type Model } from "javascript-lp-solver";
import type { LinearProgram, LpSolution } from "../../optimisation/model.ts";

/** The package's types describe its CommonJS form, in which the default export is one level deeper. */
const solver = solverModule as unknown as typeof solverModule.default;

/**
 * Every bound becomes a row: the package knows no bounds but >= 0. Its `unrestricted` variables answer "infeasible" to
 * feasible programs (release 1.0.3), so a column below 0 is refused rather than passed on.
 */
export function solveWithJavascriptLpSolver({ columns, rows }: LinearProgram): LpSolution {
  const negative = columns.find(({ lower }) => !(lower >= 0));
  if (negative)
    return { kind: "failed", reason: `column "${negative.name}" may be negative; split it in two columns >= 0` };
  const variables: Record<string, Record<string, number>> = {};
  const constraints: Record<string, { min?: number; max?: number; equal?: number }> = {};
  for (const [j, { cost, lower, upper }] of columns.entries()) {
    const terms: Record<string, number> = { cost };
    if (lower > 0 || upper < Number.POSITIVE_INFINITY) {
      constraints[`b${j}`] = {
        ...(lower > 0 && { min: lower }),
        ...(upper < Number.POSITIVE_INFINITY && { max: upper }),
      };
      terms[`b${j}`] = 1;
    }
    variables[`c${j}`] = terms;
  }
  for (const [r, { lower, upper, terms }] of rows.entries()) {
    const [hasMin, hasMax] = [lower > Number.NEGATIVE_INFINITY, upper < Number.POSITIVE_INFINITY];
    if (!hasMin && !hasMax) continue;
    constraints[`r${r}`] =
      lower === upper ? { equal: lower } : { ...(hasMin && { min: lower }), ...(hasMax && { max: upper }) };
    for (const { column, coefficient } of terms) {
      const variable = variables[`c${column}`]!;
      variable[`r${r}`] = (variable[`r${r}`] ?? 0) + coefficient;
    }
  }
  const model: Model = { optimize: "cost", opType: "min", constraints, variables };
  const answer = solver.Solve(model) as {
    feasible: boolean;
    bounded?: boolean;
    result: number;
    [name: string]: unknown;
  };
  if (!answer.feasible) return { kind: "infeasible" };
  if (answer.bounded === false) return { kind: "unbounded" };
  const values = columns.map((_, j) => (answer[`c${j}`] as number | undefined) ?? 0);
  return { kind: "optimal", objective: columns.reduce((sum, { cost }, j) => sum + cost * values[j]!, 0), values };
}
