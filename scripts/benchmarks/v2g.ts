/**
 * npm run bench -- v2g [--json] [--cars 5,20,80] [--share 100] : V2G plans of a realistic site over 96 intervals, all of
 * its cars (or a share of them, %) with batteries. Time from the problem to the judged plan: writing the program, HiGHS in
 * its worker thread, rounding, bound. Wrong: a violation, a bound above the cost, or a gap above a thousandth.
 */
import { parseArgs } from "node:util";
import { createSolver } from "../../backend/adapters/solvers/createSolver.ts";
import { groupProgram } from "../../backend/optimisation/model/groupProgram.ts";
import { v2gViolations } from "../../backend/optimisation/model/v2gChecker.ts";
import { chargeOnlyPlan, v2gPlan } from "../../backend/optimisation/model/v2gPlan.ts";
import { realisticV2gProblem } from "../../test/support/v2gProblems.ts";

const CAR_COUNTS = [5, 20, 80, 320];
const LARGEST_GAP = 1e-3;

type Line = {
  readonly cars: number;
  readonly columns: number;
  readonly rows: number;
  readonly ms: { readonly median: number; readonly first: number; readonly write: number; readonly runs: number };
  readonly violations: number;
  /** (cost - bound) / cost, proven by row duals. */
  readonly relativeGap: number;
  /** Energy, wear and unserved energy at its value; and the same when the cars only charge. */
  readonly costEur: number;
  readonly chargeOnlyEur: number;
  readonly dischargedKwh: number;
};

export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      cars: { type: "string" },
      share: { type: "string", default: "100" },
    },
  });
  const counts = values.cars ? values.cars.split(",").map(Number) : CAR_COUNTS;
  const share = Number(values.share) / 100;
  const lines: Line[] = [];
  if (!values.json)
    console.log("  cars  columns    rows  median ms  first ms  write ms       gap  cost EUR  only charging");
  for (const cars of counts) {
    const result = await line(cars, share);
    lines.push(result);
    if (!values.json) console.log(text(result));
  }
  const ok = lines.every(
    ({ violations, relativeGap }) => violations === 0 && 0 <= relativeGap && relativeGap <= LARGEST_GAP,
  );
  if (values.json) console.log(JSON.stringify({ benchmark: "v2g", node: process.version, share, ok, lines }, null, 2));
  return ok;
}

async function line(cars: number, share: number): Promise<Line> {
  const problem = realisticV2gProblem(cars, 1, share);
  const solver = createSolver({ solver: "highs", timeLimitS: 300 });
  const times: number[] = [];
  const runs = cars <= 80 ? 7 : 3;
  let plan = chargeOnlyPlan(problem);
  const chargeOnly = plan.cost;
  for (let k = 0; k <= runs; k++) {
    const start = performance.now();
    plan = await v2gPlan(problem, {}, solver.solve);
    times.push(performance.now() - start);
  }
  await solver.close();
  const start = performance.now();
  const { columns, rows } = groupProgram(problem, { roundingMargin: true });
  const write = performance.now() - start;
  const [first, ...rest] = times;
  const euro = (cost: bigint) => Number(cost / BigInt(problem.weights.scale)) / 1e9;
  return {
    cars,
    columns: columns.length,
    rows: rows.length,
    ms: { median: rest.sort((a, b) => a - b)[Math.floor(runs / 2)]!, first: first!, write, runs },
    violations: v2gViolations(problem, plan).length,
    relativeGap: plan.bound === null ? Number.POSITIVE_INFINITY : Number(plan.cost - plan.bound) / Number(plan.cost),
    costEur: euro(plan.cost),
    chargeOnlyEur: euro(chargeOnly),
    dischargedKwh: plan.dischargeWh.flat().reduce((sum, wh) => sum + wh, 0) / 1000,
  };
}

function text({ cars, columns, rows, ms, relativeGap, costEur, chargeOnlyEur }: Line): string {
  return [
    String(cars).padStart(6),
    String(columns).padStart(7),
    String(rows).padStart(6),
    ms.median.toFixed(0).padStart(9),
    ms.first.toFixed(0).padStart(8),
    ms.write.toFixed(0).padStart(8),
    relativeGap.toExponential(1).padStart(8),
    costEur.toFixed(2).padStart(8),
    chargeOnlyEur.toFixed(2).padStart(13),
  ].join("  ");
}
