/** A group's last plan, read back from the bytes that were committed: what its stations follow until the next one. */
import { decodeProblem, decodeX } from "../optimisation/encoding.ts";
import type { GroupProblem } from "../optimisation/problem.ts";
import { type Before, canSteady } from "../optimisation/steady.ts";
import type { World } from "./ports.ts";

/** Undefined when there is none, or when the problem is too large for it to matter. */
export async function previousPlan(
  { plans }: Pick<World["store"], "plans">,
  groupId: string,
  problem: GroupProblem,
): Promise<Before | undefined> {
  const stored = canSteady(problem) ? await plans.latest(groupId) : null;
  if (stored === null) return undefined;
  const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
  const before = decodeProblem(bytes(stored.problem)).problem;
  return { problem: before, energyWh: decodeX(before, bytes(stored.x)) };
}
