/**
 * `uncontrolled`: every car charges at full power from now until it has what it wants, as if nobody controlled anything.
 * The group's limit is not looked at: to show what that would mean is what this method is for. The checker names each
 * interval that exceeds the limit; every other rule holds. Its cost may therefore be below the bound, which counts only
 * plans within the limit.
 */
import type { GroupProblem, Plan } from "./problem.ts";
import { planByRule } from "./rule.ts";

export const uncontrolled = (problem: GroupProblem): Plan =>
  planByRule("uncontrolled", problem, false, (claims) => claims.map(({ wantedWh }) => wantedWh));
