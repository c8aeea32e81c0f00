/** javascript-lp-solver: the general solver for small programs. Runs synchronously, so only inside worker.ts. */
import solverModule, { type Model } from "javascript-lp-solver";
import type { LinearProgram, LpSolution } from "../../optimisation/model/program.ts";

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
  const integer = columns.find((column) => column.integer);
  if (integer) return { kind: "failed", reason: `column "${integer.name}" is an integer; only HiGHS takes those` };
  const variables: Record<string, Record<string, number>> = {};
  const constraints: Bounds = {};
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
  // Its presolving drops rows, and their prices with them.
  const model: Model = { optimize: "cost", opType: "min", constraints, variables, options: { presolve: false } };
  const answer = solver.Solve(model, undefined, true) as unknown as FullAnswer;
  if (!answer.feasible) return { kind: "infeasible" };
  if (answer.bounded === false) return { kind: "unbounded" };
  const solution = answer.solutionSet ?? {};
  const values = columns.map((_, j) => solution[`c${j}`] ?? 0);
  const objective = columns.reduce((sum, { cost }, j) => sum + cost * values[j]!, 0);
  const duals = dualsOf(answer._tableau, constraints, rows.length);
  return { kind: "optimal", objective, values, ...(duals && { duals }) };
}

type Bounds = Record<string, { min?: number; max?: number; equal?: number }>;

/** What the package answers when asked for everything; its types leave out the tableau. */
type FullAnswer = {
  readonly feasible: boolean;
  readonly bounded?: boolean;
  readonly solutionSet?: Readonly<Record<string, number>>;
  readonly _tableau?: Tableau;
};
type Tableau = {
  readonly matrix: Float64Array;
  readonly width: number;
  readonly costRowIndex: number;
  readonly varIndexByCol: readonly number[];
  readonly model: {
    readonly constraints: readonly { readonly slack: { index: number }; readonly isUpperBound: boolean }[];
  };
};

/**
 * The reduced cost of a constraint's slack is its price; an equality is two constraints. Without the tableau as we know
 * it there are no prices: whoever needs a bound then has none, and a wrong price could only make a bound weaker.
 */
function dualsOf(tableau: Tableau | undefined, bounds: Bounds, rowCount: number): number[] | undefined {
  const constraints = tableau?.model?.constraints;
  if (!tableau?.matrix || !tableau.varIndexByCol || !constraints) return undefined;
  const columnOf = new Map([...tableau.varIndexByCol].map((index, column) => [index, column]));
  const price = ({ slack, isUpperBound }: (typeof constraints)[number]) => {
    const column = columnOf.get(slack.index);
    if (column === undefined || column === 0) return 0; // basic: not binding
    const reduced = tableau.matrix[tableau.costRowIndex * tableau.width + column]!;
    return isUpperBound ? reduced : -reduced;
  };
  const duals = new Array<number>(rowCount).fill(0);
  let next = 0;
  for (const [name, { min, max, equal }] of Object.entries(bounds)) {
    const parts = equal !== undefined || (min !== undefined && max !== undefined) ? 2 : 1;
    for (let k = 0; k < parts; k++, next++) {
      if (name.startsWith("r")) duals[Number(name.slice(1))]! += price(constraints[next]!);
    }
  }
  return next === constraints.length ? duals : undefined;
}
