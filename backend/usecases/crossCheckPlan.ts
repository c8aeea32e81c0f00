/**
 * Once an hour a general solver solves the cycle's problem of a group of up to 40 cars again. A
 * cost that differs after rounding to whole Wh is an incident; the certificate decides who was right. A rule's plan may be
 * dearer, but no solver may be cheaper than its bound.
 */
import type { ChargingGroup } from "../domain/assets.ts";
import { crossCheck } from "../optimisation/model/crossCheck.ts";
import { linearProgram } from "../optimisation/model/groupProgram.ts";
import type { GroupProblem, Plan } from "../optimisation/problem.ts";
import type { StoredPlan, World } from "./ports.ts";

const MOST_CARS = 40;
const SLOTS_PER_HOUR = 4;

export async function crossCheckPlan(
  world: Pick<World, "store" | "solve" | "clock" | "faults">,
  group: ChargingGroup,
  problem: GroupProblem,
  plan: Plan,
  stored: StoredPlan,
): Promise<void> {
  if (
    problem.slot % SLOTS_PER_HOUR !== 0 ||
    problem.cars.length === 0 ||
    problem.cars.length > MOST_CARS ||
    plan.bound === null ||
    plan.algorithm === "uncontrolled" // may be cheaper than every plan within the limit
  )
    return;
  // Second deadlines are no part of what the certificate bounds, nor of the second opinion on it.
  const recorded = { ...problem, cars: problem.cars.map(({ first: _, ...car }) => car) };
  const solution = await world.solve(linearProgram(recorded));
  const differs = world.faults?.solverDiffers(group.id) ?? false;
  const answer = crossCheck(
    problem,
    plan,
    differs && solution.kind === "optimal"
      ? { ...solution, values: solution.values.map((value) => value * 0.9) }
      : solution,
  );
  if (answer.kind === "equal") return;
  const text =
    answer.kind === "differs"
      ? `The second solver finds a cost of ${answer.solverCost}, the plan costs ${answer.planCost}; the plan's certificate has gap ${stored.bound === null ? "unknown" : stored.cost - stored.bound}.`
      : `The second solver gave no answer: ${answer.reason}.`;
  await world.store.incidents.add({
    id: `cross-check:${stored.id}`,
    at: world.clock.now(),
    groupId: group.id,
    kind: "solver-differs",
    text,
  });
}
