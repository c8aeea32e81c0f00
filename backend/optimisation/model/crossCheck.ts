/** A second opinion on a plan: the same problem, solved as a linear program by a general solver. */
import { planValue, violations } from "../checker.ts";
import type { GroupProblem, Plan } from "../problem.ts";
import { earlyInProgram } from "./groupProgram.ts";
import { type LpSolution, WH_PER_KWH } from "./program.ts";

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
