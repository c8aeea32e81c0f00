/**
 * The algorithms that a CPO may choose for a group, with their parameters: one table. Each takes the same problem and gives
 * a plan that the same checker judges, with a bound that says how far from the optimum it can be.
 */
import { ALGORITHM_NAMES, type AlgorithmChoice, type AlgorithmName } from "../domain/algorithms.ts";
import { equalShare } from "./equalShare.ts";
import { exactPlan } from "./exactPlan.ts";
import { firstCome } from "./firstCome.ts";
import { LINEAR_PROGRAM_PARAMETERS, linearProgramPlan } from "./model/linearProgramPlan.ts";
import type { Solve } from "./model/program.ts";
import type { GroupProblem, Plan } from "./problem.ts";
import { proportionalFlexibility } from "./proportionalFlexibility.ts";
import { uncontrolled } from "./uncontrolled.ts";

/** A whole number from `min` to `max`. */
export type Parameter = {
  readonly name: string;
  readonly about: string;
  /** "W", "Wh", "micro-euro per kWh and hour"; "0 or 1" for a switch. */
  readonly unit: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
};

/** Every parameter of the algorithm by its name. */
export type Parameters = Readonly<Record<string, number>>;

export type Algorithm = {
  readonly about: string;
  readonly parameters: readonly Parameter[];
  /** Whether an auditor gets the same plan from the same problem and parameters without a solver. */
  readonly repeatable: boolean;
  /** Only `uncontrolled` may plan more than the group's limit. */
  readonly withinLimit: boolean;
  readonly run: (problem: GroupProblem, parameters: Parameters, solve: Solve) => Plan | Promise<Plan>;
};

const PROTECT_PROMISES: Parameter = {
  name: "protectPromises",
  about: "1: the rule shares only what the promises leave, so that it breaks none; 0: the rule alone, promises or not",
  unit: "0 or 1",
  default: 1,
  min: 0,
  max: 1,
};

/** Prices of waiting; they are part of the problem (its early weight), so every method of it counts with them. */
const EARLY: readonly Parameter[] = [
  {
    name: "automaticEarly",
    about: "1: a price of waiting that grows as capacity gets scarce and as drivers leave early; 0: none",
    unit: "0 or 1",
    default: 1,
    min: 0,
    max: 1,
  },
  {
    name: "lostMicroEurPerKwh",
    about: "Of the automatic price: what a kWh that its driver leaves without is worth",
    unit: "micro-euro per kWh",
    default: 150_000,
    min: 0,
    max: 1_000_000,
  },
  {
    name: "scarceMicroEurPerKwhHour",
    about: "Of the automatic price: waiting when capacity is scarce",
    unit: "micro-euro per kWh and hour",
    default: 20_000,
    min: 0,
    max: 300_000,
  },
  {
    name: "earlyMicroEurPerKwhHour",
    about: "Price of waiting on top of it",
    unit: "micro-euro per kWh and hour",
    default: 0,
    min: 0,
    max: 300_000,
  },
];

export const ALGORITHMS: Readonly<Record<AlgorithmName, Algorithm>> = {
  "least-cost": {
    about: "Most promised energy, then most other energy, then least cost, then earliest; proven optimal",
    parameters: [
      ...EARLY,
      {
        name: "waitingMicroEurPerHour",
        about: "Price of a car that is not complete (USER-CHI D4.2, 5.3.4); cost - bound is then what waiting cost",
        unit: "micro-euro per car and hour",
        default: 0,
        min: 0,
        max: 10_000_000,
      },
    ],
    repeatable: true,
    withinLimit: true,
    run: (problem, of) => exactPlan(problem, { waitingMicroEurPerHour: of.waitingMicroEurPerHour! }),
  },
  "linear-program": {
    about: "The same model as a linear program, for a general solver",
    parameters: [...EARLY, ...LINEAR_PROGRAM_PARAMETERS],
    repeatable: false,
    withinLimit: true,
    run: linearProgramPlan,
  },
  "proportional-flexibility": {
    about: "Full power; beyond the limit, cars that can wait are reduced in proportion to their power flexibility",
    parameters: [
      {
        name: "highFlexibilityW",
        about: "Cars that can do without this much power are reduced first",
        unit: "W",
        default: 11_000,
        min: 0,
        max: 1_000_000,
      },
      PROTECT_PROMISES,
    ],
    repeatable: true,
    withinLimit: true,
    run: (problem, of) =>
      proportionalFlexibility(problem, {
        highFlexibilityW: of.highFlexibilityW!,
        protectPromises: of.protectPromises!,
      }),
  },
  "equal-share": {
    about: "What the limit leaves, divided equally among the cars that are there",
    parameters: [PROTECT_PROMISES],
    repeatable: true,
    withinLimit: true,
    run: (problem, of) => equalShare(problem, { protectPromises: of.protectPromises! }),
  },
  "first-come": {
    about: "In the order of plugging in, each as fast as it can",
    parameters: [PROTECT_PROMISES],
    repeatable: true,
    withinLimit: true,
    run: (problem, of) => firstCome(problem, { protectPromises: of.protectPromises! }),
  },
  uncontrolled: {
    about: "Full power from now on, above the group's limit if need be: what control is compared with",
    parameters: [],
    repeatable: true,
    withinLimit: false,
    run: (problem) => uncontrolled(problem),
  },
};

export type ParsedChoice =
  | { readonly kind: "choice"; readonly choice: AlgorithmChoice }
  /** `parameter` is null when the algorithm itself is unknown. */
  | { readonly kind: "refused"; readonly parameter: string | null; readonly text: string };

/** A choice as somebody wrote it; parameters that are left out keep their default, now and when defaults change. */
export function parseChoice(name: unknown, parameters: Readonly<Record<string, unknown>> = {}): ParsedChoice {
  if (typeof name !== "string" || !isAlgorithm(name))
    return {
      kind: "refused",
      parameter: null,
      text: `There is no algorithm ${quoted(name)}. Known algorithms: ${ALGORITHM_NAMES.join(", ")}.`,
    };
  const known = ALGORITHMS[name].parameters;
  const chosen: Record<string, number> = {};
  for (const [key, value] of Object.entries(parameters)) {
    const refuse = (text: string): ParsedChoice => ({ kind: "refused", parameter: key, text });
    const parameter = known.find((one) => one.name === key);
    if (!parameter)
      return refuse(
        known.length === 0
          ? `${name} has no parameters, so not ${quoted(key)} either.`
          : `${name} has no parameter ${quoted(key)}. It has: ${known.map((one) => one.name).join(", ")}.`,
      );
    const { unit, min, max } = parameter;
    if (typeof value !== "number" || !Number.isSafeInteger(value))
      return refuse(`${key} of ${name} is a whole number (${unit}), not ${quoted(value)}.`);
    if (value < min || value > max)
      return refuse(`${key} of ${name} is from ${min} to ${max} (${unit}); ${value} is outside.`);
    chosen[key] = value;
  }
  return { kind: "choice", choice: { name, parameters: chosen } };
}

const isAlgorithm = (name: string): name is AlgorithmName => (ALGORITHM_NAMES as readonly string[]).includes(name);

const quoted = (value: unknown) => JSON.stringify(value) ?? String(value);

/** The parameters that a choice means, defaults filled in. */
export function parametersOf({ name, parameters }: AlgorithmChoice): Parameters {
  return Object.fromEntries(ALGORITHMS[name].parameters.map((one) => [one.name, parameters[one.name] ?? one.default]));
}

/** The plan of the chosen algorithm. Solvers answer late, so all of them are awaited. */
export async function planOf(problem: GroupProblem, choice: AlgorithmChoice, solve: Solve): Promise<Plan> {
  return ALGORITHMS[choice.name].run(problem, parametersOf(choice), solve);
}

/** The same plan again, for an auditor. Throws for algorithms that are not `repeatable`: their solver is not at hand. */
export function repeat(problem: GroupProblem, choice: AlgorithmChoice): Plan {
  const { repeatable, run } = ALGORITHMS[choice.name];
  if (!repeatable) throw new Error(`A plan of ${choice.name} cannot be repeated without its solver.`);
  return run(problem, parametersOf(choice), async () => ({
    kind: "failed",
    reason: "an auditor has no solver",
  })) as Plan;
}
