/**
 * The same problem as a linear program in plain data, one function per constraint with the name that it has in
 * README.md (USER-CHI D4.2, section 5.3): a second opinion on the exact method by general solvers.
 * Inside the program energy is kWh and prices are EUR/MWh (1,000 micro-euro per kWh): well conditioned numbers, in
 * which one micro-euro per kWh is far above a solver's tolerance. Only variables >= 0: javascript-lp-solver answers
 * "infeasible" to feasible programs with unrestricted ones.
 */
import { planValue, violations } from "./checker.ts";
import type { GroupProblem, Plan } from "./problem.ts";

/** A variable with its price in the objective. lower >= 0; `upper` may be Infinity. */
export type Column = { readonly name: string; readonly cost: number; readonly lower: number; readonly upper: number };
export type Term = { readonly column: number; readonly coefficient: number };
/** lower <= sum of coefficient x column <= upper. */
export type Row = {
  readonly name: string;
  readonly lower: number;
  readonly upper: number;
  readonly terms: readonly Term[];
};
/** Minimise the cost of the columns. */
export type LinearProgram = { readonly columns: readonly Column[]; readonly rows: readonly Row[] };

export type LpSolution =
  | { readonly kind: "optimal"; readonly objective: number; readonly values: readonly number[] }
  | { readonly kind: "infeasible" | "unbounded" | "time-limit" }
  | { readonly kind: "failed"; readonly reason: string };

/** The solver port. Never rejects: a failure is a solution of kind `failed`. */
export type Solve = (lp: LinearProgram) => Promise<LpSolution>;

const WH_PER_KWH = 1_000;
const MICRO_EUR_PER_KWH = 1_000; // per EUR/MWh

/** Columns: the charge of every car and interval of its stay first, in the order of x; then imports, PV use, shortfalls. */
export function linearProgram(problem: GroupProblem): LinearProgram {
  const early = earlyInProgram(problem);
  const charges = c12CarPower(problem);
  const supply = c14SupplyLimit(problem, early);
  const shortfalls = c13Shortfall(problem);
  const columns = [...charges, ...supply, ...shortfalls];
  const place = new Map(columns.map(({ name }, column) => [name, column]));
  const rows = [...c13Target(problem, place), ...v12Supply(problem, place)];
  return { columns, rows };
}

const chargeOf = (session: number, t: number) => `charge ${session} ${t}`;
const importOf = (t: number) => `import ${t}`;
const surplusOf = (t: number) => `surplus ${t}`;

/** C1.2: a car charges at 0 to its power, only during its stay. [kWh]   0 <= x_it <= u_it */
function c12CarPower({ cars, intervals }: GroupProblem): Column[] {
  return cars.flatMap(({ session, powerW, from, to }) =>
    Array.from({ length: to - from }, (_, k) => {
      const upper = Math.floor((powerW * intervals[from + k]!.durationS) / 3600) / WH_PER_KWH;
      return { name: chargeOf(session, from + k), cost: 0, lower: 0, upper };
    }),
  );
}

/** C1.3: the target is met within the stay, or its shortfall is paid for. [kWh]   sum_t x_it + s1_i + s2_i = need_i + more_i */
function c13Target({ cars }: GroupProblem, place: ReadonlyMap<string, number>): Row[] {
  return cars.map(({ session, needWh, moreWh, from, to }) => {
    const names = Array.from({ length: to - from }, (_, k) => chargeOf(session, from + k));
    names.push(`short ${session}`, `unserved ${session}`);
    return equality(`C1.3 target ${session}`, (needWh + moreWh) / WH_PER_KWH, sumOf(names, place));
  });
}

/** C1.3, elastic: 0 <= s1_i <= need_i at v1, 0 <= s2_i <= more_i at v2. [kWh] */
function c13Shortfall({ cars, weights }: GroupProblem): Column[] {
  return cars.flatMap(({ session, needWh, moreWh }) => [
    { name: `short ${session}`, cost: weights.voll / MICRO_EUR_PER_KWH, lower: 0, upper: needWh / WH_PER_KWH },
    { name: `unserved ${session}`, cost: weights.extra / MICRO_EUR_PER_KWH, lower: 0, upper: moreWh / WH_PER_KWH },
  ]);
}

/**
 * C1.4 and O1: import within what the limit leaves, at the price; PV surplus at its feed-in value. [kWh, EUR/MWh]
 * 0 <= import_t <= grid_t,  0 <= surplus_t <= pv_t
 */
function c14SupplyLimit({ intervals, weights }: GroupProblem, early: number): Column[] {
  let elapsedS = 0;
  return intervals.flatMap(({ durationS, limitWh, demandWh, fixedWh, productionWh, price, feedIn }, t) => {
    const wait = (early * Math.floor(elapsedS / 60)) / weights.scale;
    elapsedS += durationS;
    const net = demandWh + fixedWh - productionWh;
    const cost = (price_: number) => (price_ + wait) / MICRO_EUR_PER_KWH;
    const limit = Math.max(0, net < 0 ? limitWh : limitWh - net) / WH_PER_KWH;
    // With surplus, importing is never cheaper than using it: see README.md, "Objective".
    const dearest = net < 0 && feedIn > price ? feedIn : price;
    const columns: Column[] = [{ name: importOf(t), cost: cost(dearest), lower: 0, upper: limit }];
    if (net < 0) columns.push({ name: surplusOf(t), cost: cost(feedIn), lower: 0, upper: -net / WH_PER_KWH });
    return columns;
  });
}

/** V1.2: what the cars draw is imported or PV surplus. [kWh]   sum_i x_it - import_t - surplus_t = 0 */
function v12Supply({ cars, intervals }: GroupProblem, place: ReadonlyMap<string, number>): Row[] {
  return intervals.map((_, t) => {
    const present = cars.filter(({ from, to }) => from <= t && t < to).map(({ session }) => chargeOf(session, t));
    const supplied = sumOf([importOf(t), surplusOf(t)], place).map(({ column }) => ({ column, coefficient: -1 }));
    return equality(`V1.2 supply ${t}`, 0, [...sumOf(present, place), ...supplied]);
  });
}

const equality = (name: string, value: number, terms: readonly Term[]): Row => ({
  name,
  lower: value,
  upper: value,
  terms,
});
const sumOf = (names: readonly string[], place: ReadonlyMap<string, number>): Term[] =>
  names.flatMap((name) => {
    const column = place.get(name);
    return column === undefined ? [] : [{ column, coefficient: 1 }];
  });

/** A pure tie-break (below one price unit over the whole horizon) is beyond a solver's tolerance and left out. */
function earlyInProgram({ intervals, weights }: GroupProblem): number {
  const minutes = Math.floor(intervals.reduce((sum, { durationS }) => sum + durationS, 0) / 60);
  return weights.early * minutes < weights.scale ? 0 : weights.early;
}

export type CrossCheck =
  | { readonly kind: "equal"; readonly cost: bigint }
  | { readonly kind: "differs"; readonly planCost: bigint; readonly solverCost: bigint }
  | { readonly kind: "no-answer"; readonly reason: string };

/** The solver's charges as whole Wh. */
export function planFrom(problem: GroupProblem, values: readonly number[]): number[][] {
  let next = 0;
  return problem.cars.map(({ from, to }) =>
    Array.from({ length: to - from }, () => Math.max(0, Math.round((values[next++] ?? 0) * WH_PER_KWH))),
  );
}

/**
 * Does the solver find the plan's cost? Both are judged by the checker, after rounding to whole Wh, without a pure
 * tie-break. A repaired plan may cost more than the solver's, which then must not undercut its certified bound.
 */
export function crossCheck(problem: GroupProblem, plan: Plan, solution: LpSolution): CrossCheck {
  if (solution.kind === "failed") return { kind: "no-answer", reason: solution.reason };
  if (solution.kind !== "optimal") return { kind: "no-answer", reason: solution.kind };
  const solved: Plan = {
    algorithm: "least-cost",
    energyWh: planFrom(problem, solution.values),
    certificate: null,
    cost: 0n,
    bound: null,
  };
  const broken = violations(problem, solved)[0];
  if (broken) return { kind: "no-answer", reason: `after rounding its plan breaks ${broken.rule} by ${broken.excess}` };

  const early = earlyInProgram(problem);
  const judged: GroupProblem = { ...problem, weights: { ...problem.weights, early } };
  const planCost = planValue(judged, plan).cost;
  const solverCost = planValue(judged, solved).cost;
  const undercuts = plan.bound !== null && planValue(problem, solved).cost < plan.bound;
  const repaired = plan.bound !== null && plan.bound < plan.cost;
  // An early weight makes prices finer than a solver resolves: a hundredth of a micro-euro per kWh is then the same.
  const energyWh = solved.energyWh.reduce((sum, stay) => sum + stay.reduce((a, b) => a + b, 0), 0);
  const tolerance = early === 0 ? 0n : BigInt(Math.ceil((problem.weights.scale * energyWh) / 100));
  const within = repaired ? solverCost <= planCost : distance(planCost, solverCost) <= tolerance;
  return within && !undercuts ? { kind: "equal", cost: solverCost } : { kind: "differs", planCost, solverCost };
}

const distance = (a: bigint, b: bigint) => (a > b ? a - b : b - a);
