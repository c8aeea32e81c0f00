/** One method on one instance, in a process of its own: node optimiserChild.ts METHOD CARS prints what it measured as JSON. */
import { pathToFileURL } from "node:url";
import { solveWithHighs } from "../../backend/adapters/solvers/highs.ts";
import { solveWithJavascriptLpSolver } from "../../backend/adapters/solvers/javascriptLpSolver.ts";
import { planValue, violations } from "../../backend/optimisation/checker.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { crossCheck, type LpSolution, linearProgram } from "../../backend/optimisation/model.ts";
import { realisticProblem } from "../../test/support/problems.ts";

const INTERVALS = 96;
const TIME_LIMIT_S = 300;

export type Own = {
  readonly ms: number;
  /** The first call in a new process. */
  readonly firstMs: number;
  readonly runs: number;
  readonly peakMb: number;
  readonly variables: number;
  readonly checkMs: number;
  readonly violations: number;
  readonly gap: string;
  /** Energy cost and unserved energy at its value, EUR. */
  readonly objectiveEur: number;
};
export type Solver = {
  /** Of the fastest method. */
  readonly ms: number;
  readonly method: string;
  readonly methods: Readonly<Record<string, number>>;
  readonly runs: number;
  readonly peakMb: number;
  readonly objectiveEqual: boolean;
};
export type Measured = Own | Solver;

/** Methods of HiGHS. Simplex takes minutes at 10,000 cars, where the interior point method does not. */
const HIGHS = {
  simplex: { solver: "simplex" },
  "simplex without presolve": { solver: "simplex", presolve: "off" },
  "interior point": { solver: "ipm" },
};
const MOST_CARS_IN_SIMPLEX = 3_000;

const peakMb = () => Math.round(process.resourceUsage().maxRSS / 1024);

async function own(cars: number): Promise<Own> {
  const problem = realisticProblem(cars, 1, { intervals: INTERVALS });
  const first = performance.now();
  const plan = leastCost(problem);
  const firstMs = performance.now() - first;
  const runs = cars <= 3_000 ? 101 : 9;
  const { ms } = await median(runs, () => leastCost(problem));
  const peak = peakMb();
  const check = await median(5, () => planValue(problem, plan));
  const value = planValue(problem, plan);
  return {
    ms,
    firstMs,
    runs,
    peakMb: peak,
    variables: plan.energyWh.reduce((sum, stay) => sum + stay.length, 0) + INTERVALS,
    checkMs: check.ms,
    violations: violations(problem, plan).length,
    gap: String(value.cost - (value.bound ?? 0n)),
    objectiveEur: Number(plan.cost / BigInt(problem.weights.scale)) / 1e9,
  };
}

async function solver(cars: number, ways: Readonly<Record<string, Solve>>, runs: number): Promise<Solver> {
  const problem = realisticProblem(cars, 1, { intervals: INTERVALS });
  const plan = leastCost(problem);
  const lp = linearProgram(problem);
  const methods: Record<string, number> = {};
  let objectiveEqual = true;
  for (const [name, solve] of Object.entries(ways)) {
    const { ms, last } = await median(runs, () => solve(lp));
    methods[name] = ms;
    objectiveEqual &&= crossCheck(problem, plan, last).kind === "equal";
  }
  const [method, ms] = Object.entries(methods).reduce((best, each) => (each[1] < best[1] ? each : best));
  return { ms, method, methods, runs, peakMb: peakMb(), objectiveEqual };
}

type Solve = (lp: ReturnType<typeof linearProgram>) => LpSolution | Promise<LpSolution>;

/** Warm where it can be: some calls before the first that counts. */
async function median<T>(runs: number, work: () => T | Promise<T>): Promise<{ readonly ms: number; readonly last: T }> {
  const times: number[] = [];
  for (let k = 1; k < runs; k += 3) await work();
  let last: T | undefined;
  for (let k = 0; k < runs; k++) {
    const start = performance.now();
    last = await work();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { ms: times[Math.floor(runs / 2)]!, last: last as T };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [who, count] = process.argv.slice(2);
  const cars = Number(count);
  const repeats = cars <= 80 ? 9 : cars <= 320 ? 5 : 1;
  const ways = Object.entries(HIGHS)
    .filter(([name]) => name === "interior point" || cars <= MOST_CARS_IN_SIMPLEX)
    .map(([name, options]): [string, Solve] => [name, (lp) => solveWithHighs(lp, TIME_LIMIT_S, options)]);
  const result =
    who === "least-cost"
      ? await own(cars)
      : who === "highs"
        ? await solver(cars, Object.fromEntries(ways), repeats)
        : await solver(cars, { tableau: solveWithJavascriptLpSolver }, cars <= 80 ? repeats : 1);
  console.log(JSON.stringify(result));
}
