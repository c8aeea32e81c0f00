/**
 * npm run bench -- optimiser [--json] [--cars 5,20] : milliseconds of the exact method, of HiGHS and (up to 80 cars) of
 * javascript-lp-solver on the same instance, with equal objectives and the certificate's gap. Exit code 1 when they differ.
 */
import { parseArgs } from "node:util";
import { solveWithHighs } from "../../backend/adapters/solvers/highs.ts";
import { solveWithJavascriptLpSolver } from "../../backend/adapters/solvers/javascriptLpSolver.ts";
import { planValue, violations } from "../../backend/optimisation/checker.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { crossCheck, type LpSolution, linearProgram } from "../../backend/optimisation/model.ts";
import { realisticProblem } from "../../test/support/problems.ts";

const CAR_COUNTS = [5, 20, 80, 320, 1_000, 3_000];
const INTERVALS = 96;
/** Above this a dense tableau takes tens of seconds (320 cars) and gigabytes (1,000 cars). */
const MOST_CARS_IN_TABLEAU = 80;
const TIME_LIMIT_S = 300;

type Timed = { readonly ms: number; readonly runs: number; readonly objectiveEqual: boolean; readonly answer: string };
type Line = {
  readonly cars: number;
  readonly intervals: number;
  readonly variables: number;
  readonly leastCost: { readonly ms: number; readonly firstMs: number; readonly runs: number };
  readonly check: { readonly ms: number; readonly violations: number; readonly gap: string };
  readonly highs: Timed;
  readonly javascriptLpSolver: Timed | null;
  /** Energy cost and unserved energy at its value, EUR. */
  readonly objectiveEur: number;
};

async function line(cars: number): Promise<Line> {
  const problem = realisticProblem(cars, 1, { intervals: INTERVALS });
  const first = performance.now();
  const plan = leastCost(problem);
  const firstMs = performance.now() - first;
  const runs = cars <= 320 ? 31 : 11;
  const own = await median(runs, () => leastCost(problem));
  const check = await median(5, () => planValue(problem, plan));
  const value = planValue(problem, plan);

  const lp = linearProgram(problem);
  const timed = async (times: number, solve: () => LpSolution | Promise<LpSolution>): Promise<Timed> => {
    const { ms, last } = await median(times, solve);
    const answer = crossCheck(problem, plan, last);
    return { ms, runs: times, objectiveEqual: answer.kind === "equal", answer: answer.kind };
  };
  const repeats = cars <= 80 ? 5 : cars <= 320 ? 3 : 1;
  return {
    cars,
    intervals: INTERVALS,
    variables: lp.columns.length,
    leastCost: { ms: own.ms, firstMs, runs },
    check: {
      ms: check.ms,
      violations: violations(problem, plan).length,
      gap: String(value.cost - (value.bound ?? 0n)),
    },
    highs: await timed(repeats, () => solveWithHighs(lp, TIME_LIMIT_S)),
    javascriptLpSolver:
      cars <= MOST_CARS_IN_TABLEAU ? await timed(repeats, () => solveWithJavascriptLpSolver(lp)) : null,
    objectiveEur: Number(plan.cost / BigInt(problem.weights.scale)) / 1e9,
  };
}

/** Runs once to warm up when it is repeated at all; every time counts from then on. */
async function median<T>(runs: number, work: () => T | Promise<T>): Promise<{ readonly ms: number; readonly last: T }> {
  const times: number[] = [];
  let last = runs > 1 ? await work() : undefined;
  for (let k = 0; k < runs; k++) {
    const start = performance.now();
    last = await work();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { ms: times[Math.floor(runs / 2)]!, last: last as T };
}

/** True when every cost is equal and every gap 0. */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: "boolean", default: false }, cars: { type: "string" } },
  });
  const counts = values.cars ? values.cars.split(",").map(Number) : CAR_COUNTS;

  const lines: Line[] = [];
  if (!values.json) {
    console.log(
      `Least cost for ${INTERVALS} intervals; median ms in one process, Node ${process.version}; x = times our method.`,
    );
    console.log("  cars  variables  least-cost  check     HiGHS         x  jlp           x  equal  gap  objective EUR");
  }
  for (const cars of counts) {
    const result = await line(cars);
    lines.push(result);
    if (!values.json) console.log(text(result));
  }
  const ok = lines.every(
    ({ check, highs, javascriptLpSolver }) =>
      check.gap === "0" &&
      check.violations === 0 &&
      highs.objectiveEqual &&
      (javascriptLpSolver?.objectiveEqual ?? true),
  );
  if (values.json) console.log(JSON.stringify({ benchmark: "optimiser", node: process.version, ok, lines }, null, 2));
  return ok;
}

function text({ cars, variables, leastCost: own, check, highs, javascriptLpSolver: jlp, objectiveEur }: Line): string {
  const ms = (value: number) => (value < 100 ? value.toFixed(2) : value.toFixed(0));
  const times = (other: Timed) => `${ms(other.ms).padStart(8)}  ${(other.ms / own.ms).toFixed(0).padStart(5)}x`;
  return [
    String(cars).padStart(6),
    String(variables).padStart(9),
    ms(own.ms).padStart(10),
    ms(check.ms).padStart(5),
    times(highs).padStart(16),
    (jlp ? times(jlp) : "-").padStart(13),
    (highs.objectiveEqual && (jlp?.objectiveEqual ?? true) ? "yes" : "NO").padStart(5),
    check.gap.padStart(3),
    objectiveEur.toFixed(6).padStart(13),
  ].join("  ");
}
