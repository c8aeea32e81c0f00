/**
 * `linear-program` for groups without V2G: the model as a linear program, solved by a general solver, rounded to whole Wh
 * and judged by the checker like every other plan. Its bound is the exact method's certificate, so that the gap says
 * what the solver's tolerance and the parameters cost.
 */
import { planValue, violations } from "../checker.ts";
import { leastCost } from "../leastCost.ts";
import type { GroupProblem, Plan } from "../problem.ts";
import { planFrom } from "./crossCheck.ts";
import { linearProgram } from "./groupProgram.ts";
import { type ModelOptions, type ModelProblem, mostWh } from "./modelProblem.ts";
import type { LpSolution, Solve } from "./program.ts";

/** Parameters of `linear-program`: whole numbers from min to max. */
export const LINEAR_PROGRAM_PARAMETERS = [
  {
    name: "curtailPv",
    about:
      "1: PV may be switched down where that is cheaper than feeding in or lets cheaper energy in; 0: never by choice",
    unit: "0 or 1",
    default: 0,
    min: 0,
    max: 1,
  },
  {
    name: "exportLimitW",
    about: "min_power: most that the group may feed in; surplus beyond it is lost, so cars take it first",
    unit: "W",
    default: 1_000_000_000,
    min: 0,
    max: 1_000_000_000,
  },
  {
    name: "directionBinaries",
    about:
      "1: exact where feeding in is worth more than import costs (one binary per such interval); 0: import then counts as feeding in",
    unit: "0 or 1",
    default: 0,
    min: 0,
    max: 1,
  },
  {
    name: "waitingMicroEurPerHour",
    about: "Price of a car that is not complete (USER-CHI D4.2, 5.3.4); cost - bound is then what waiting cost",
    unit: "micro-euro per car and hour",
    default: 0,
    min: 0,
    max: 10_000_000,
  },
] as const;

/** Values by name; those left out have their default. */
export type LinearProgramParameters = Readonly<Record<string, number>>;

/**
 * The plan, with cost and bound in nano-euro x scale as the checker computes them.
 * Throws when the solver gives no optimum in time, or one that is no plan after rounding: take the fallback then.
 */
export async function linearProgramPlan(
  problem: GroupProblem,
  parameters: LinearProgramParameters,
  solve: Solve,
): Promise<Plan> {
  const { model, options } = modelOf(problem, parameters);
  const values = optimumOf(await solve(linearProgram(model, options)));
  const plan: Plan = {
    algorithm: "linear-program",
    energyWh: planFrom(problem, values),
    certificate: leastCost(problem).certificate,
    cost: 0n,
    bound: null,
  };
  const broken = violations(problem, plan)[0];
  if (broken)
    throw new Error(
      `The solver's plan breaks ${broken.rule} by ${broken.excess} after rounding to whole Wh: it is no vertex. Use another solver, or least-cost.`,
    );
  return { ...plan, ...planValue(problem, plan) };
}

/** The problem and the way of writing it down that the parameters mean. */
export function modelOf(
  problem: ModelProblem,
  parameters: LinearProgramParameters,
): { readonly model: ModelProblem; readonly options: ModelOptions } {
  const of = (name: (typeof LINEAR_PROGRAM_PARAMETERS)[number]["name"]) =>
    parameters[name] ?? LINEAR_PROGRAM_PARAMETERS.find((one) => one.name === name)!.default;
  const exportLimitW = of("exportLimitW");
  const limited = exportLimitW < LINEAR_PROGRAM_PARAMETERS[1].max;
  const intervals = problem.intervals.map((interval) => {
    if (!limited) return interval;
    const limitWh = Math.min(mostWh(exportLimitW, interval.durationS), interval.exportLimitWh ?? Infinity);
    return { ...interval, exportLimitWh: limitWh as typeof interval.limitWh };
  });
  return {
    model: { ...problem, intervals },
    options: {
      curtailPv: of("curtailPv") === 1,
      directionBinaries: of("directionBinaries") === 1,
      waitingMicroEurPerHour: of("waitingMicroEurPerHour"),
    },
  };
}

/** The values of an optimal solution; any other status is no plan. */
export function optimumOf(solution: LpSolution): readonly number[] {
  if (solution.kind === "optimal") return solution.values;
  const reason = solution.kind === "failed" ? solution.reason : solution.kind;
  throw new Error(`The solver gave no plan (${reason}). Use the fallback for this run.`);
}
