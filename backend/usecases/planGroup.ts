/**
 * The plan of one run by the algorithm that the CPO chose, or by least laxity when it is late, fails, or does not pass the
 * independent checker. Who gets what is refined afterwards, towards the previous plan; energies are made chargeable.
 */
import type { AlgorithmChoice } from "../domain/algorithms.ts";
import { ALGORITHMS, type Parameters, parametersOf, planOf } from "../optimisation/algorithms.ts";
import { planValue, type Violation, violations } from "../optimisation/checker.ts";
import { leastLaxity } from "../optimisation/leastLaxity.ts";
import type { GroupProblem, Plan } from "../optimisation/problem.ts";
import { refine } from "../optimisation/refine.ts";
import type { Before } from "../optimisation/steady.ts";
import { EARLY, earlyWeight, MAX_EARLY } from "./earlyWeight.ts";
import type { Habits } from "./habits.ts";
import type { World } from "./ports.ts";

export type Decision = {
  readonly plan: Plan;
  /** Of the algorithm that made the plan; a fallback has none. */
  readonly parameters: Parameters;
  readonly repairedIntervals: number;
  /** Why it is the fallback; null when it is not. */
  readonly failure: string | null;
};

export async function planGroup(
  problem: GroupProblem,
  choice: AlgorithmChoice,
  solve: World["solve"],
  mustFail: boolean,
  previous?: Before,
): Promise<Decision> {
  let failure: string;
  try {
    if (mustFail) throw new Error("the optimiser did not answer in time");
    const made = await planOf(problem, choice, solve);
    const { plan, repairedIntervals } = refine(problem, made, {
      previous,
      keepsOrder: keepsOrder(parametersOf(choice)),
    });
    const broken = unexpected(plan, violations(problem, plan));
    const value = planValue(problem, plan);
    if (broken.length === 0 && value.cost === plan.cost && value.bound === plan.bound)
      return { plan, parameters: parametersOf(choice), repairedIntervals, failure: null };
    failure = `the checker found ${broken[0]?.rule ?? "another value"} at interval ${broken[0]?.interval ?? "-"}`;
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  const plan = leastLaxity(problem);
  const broken = violations(problem, plan);
  if (broken.length > 0)
    throw new Error(
      `The fallback plan of group ${problem.group} breaks ${broken[0]?.rule}; nothing was sent, the applied profiles go on.`,
    );
  return { plan, parameters: {}, repairedIntervals: 0, failure };
}

/** With a price of waiting per car it matters which car waits, not only how much is charged when. */
export const keepsOrder = ({ waitingMicroEurPerHour = 0 }: Parameters) => waitingMicroEurPerHour > 0;

/** Rules that the plan's method may not break. Only `uncontrolled` may exceed the limit: to show that is what it is for. */
export function unexpected({ algorithm }: Plan, found: readonly Violation[]): readonly Violation[] {
  const withinLimit = algorithm === "least-laxity" || ALGORITHMS[algorithm].withinLimit;
  return withinLimit ? found : found.filter(({ rule }) => rule !== "group-limit");
}

/** Early weight per minute, times scale. Rules know no price of waiting: theirs is the pure tie-break, 1. */
export function earlyFor(choice: AlgorithmChoice, problem: GroupProblem, habits: Habits): number {
  const { automaticEarly = 0, earlyMicroEurPerKwhHour = 0, ...of } = parametersOf(choice);
  const automatic = automaticEarly === 1 ? earlyWeight(problem, habits, { ...EARLY, ...of }) : 1;
  const chosen = Math.floor((earlyMicroEurPerKwhHour * problem.weights.scale) / 60);
  return Math.min(MAX_EARLY, automatic + chosen);
}
