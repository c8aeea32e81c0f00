/** HiGHS in WebAssembly: the general solver for large programs. Runs synchronously, so only inside worker.ts. */
import highsModule, { type Model } from "highs";
import type { LinearProgram, LpSolution } from "../../optimisation/model/program.ts";
import { type PackedProgram, pack } from "./packed.ts";

/** The package's types describe its CommonJS form, in which the default export is one level deeper. */
const loadHighs = highsModule as unknown as typeof highsModule.default;

/**
 * From this size on the interior point method (with crossover to a vertex) after presolving; below it the dual simplex
 * method on the program as it is written, which our programs (limits as bounds, no redundant rows) are best served by:
 * twice as fast as with presolving up to 25,000 columns, as fast at 80,000.
 */
const INTERIOR_POINT_COLUMNS = 100_000;

/** Relative gap at which a mixed-integer program counts as solved. */
const MIP_GAP = 1e-4;

/** HiGHS' codes of variable types. */
const CONTINUOUS = 0;
const INTEGER = 1;

/** The loaded module is kept: its memory never shrinks, so every model is disposed. */
let loaded: ReturnType<typeof loadHighs> | undefined;

/** `options` of HiGHS in place of those that are chosen by size, to compare methods. */
export function solveWithHighs(
  lp: LinearProgram,
  timeLimitS: number,
  options?: Readonly<Record<string, string>>,
): Promise<LpSolution> {
  return solvePacked(pack(lp), timeLimitS, options);
}

export async function solvePacked(
  lp: PackedProgram,
  timeLimitS: number,
  options?: Readonly<Record<string, string>>,
): Promise<LpSolution> {
  loaded ??= loadHighs();
  const highs = await loaded;
  const model = highs.createModel(modelData(lp, highs.infinity));
  const mixedInteger = lp.integer !== null;
  try {
    const large = lp.cost.length >= INTERIOR_POINT_COLUMNS;
    model.options.set({ output_flag: false, time_limit: timeLimitS });
    // Equal prices make a search for the last millionth endless: the bound that comes with the answer says what is left.
    const chosen = mixedInteger ? { mip_rel_gap: MIP_GAP } : large ? { solver: "ipm" } : { presolve: "off" };
    model.options.set(options ?? chosen);
    model.zeroAllClocks(); // the time limit counts a cumulative clock
    model.run();
    const status = highs.constants.modelStatus;
    switch (model.getModelStatus()) {
      case status.optimal:
        return {
          kind: "optimal",
          objective: model.getObjectiveValue(),
          ...answerOf(model, mixedInteger),
        };
      case status.empty:
        return {
          kind: "optimal",
          objective: 0,
          values: Array.from(lp.lower),
          duals: Array.from(lp.rowLower, () => 0),
        };
      case status.infeasible:
        return { kind: "infeasible" };
      case status.unbounded:
      case status.unboundedOrInfeasible:
        return { kind: "unbounded" };
      case status.timeLimit:
        return { kind: "time-limit" }; // its objective is no bound and its values are no plan
      default:
        return { kind: "failed", reason: `HiGHS ended with model status ${model.getModelStatus()}` };
    }
  } finally {
    model.dispose();
  }
}

function answerOf(model: Model, mixedInteger: boolean) {
  const { colValue, rowDual } = model.getSolution();
  const values = Array.from(colValue);
  return mixedInteger
    ? { values, bound: Number(model.info.get("mip_dual_bound")) }
    : { values, duals: Array.from(rowDual) };
}

/** Row-wise sparse matrix. */
function modelData(lp: PackedProgram, infinity: number) {
  const { cost, lower, upper, integer, rowLower, rowUpper, starts, indices, coefficients } = lp;
  const bounds = (values: Float64Array) =>
    values.map((value) => (Number.isFinite(value) || Number.isNaN(value) ? value : Math.sign(value) * infinity));
  return {
    numCols: cost.length,
    numRows: rowLower.length,
    colCost: cost,
    colLower: bounds(lower),
    colUpper: bounds(upper),
    rowLower: bounds(rowLower),
    rowUpper: bounds(rowUpper),
    ...(integer && { integrality: integer.map((whole) => (whole ? INTEGER : CONTINUOUS)) }),
    matrix: {
      format: "csr" as const,
      numRows: rowLower.length,
      numCols: cost.length,
      starts,
      indices,
      values: coefficients,
    },
  };
}
