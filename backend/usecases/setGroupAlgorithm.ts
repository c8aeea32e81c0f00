/** A CPO chooses how the power of a group is shared out. The next plan, a second later, is made that way. */
import { ALGORITHM_NAMES, type AlgorithmChoice } from "../domain/algorithms.ts";
import { epochSecond } from "../domain/units.ts";
import { ALGORITHMS, parametersOf, parseChoice } from "../optimisation/algorithms.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export type AlgorithmWish = {
  readonly groupId: string;
  readonly name: string;
  /** By name; what is left out has the algorithm's default, also when it was set before. */
  readonly parameters?: Readonly<Record<string, unknown>>;
};

export type AlgorithmSet = { readonly kind: "set" | "duplicate"; readonly choice: AlgorithmChoice };

export async function setGroupAlgorithm(
  world: Pick<World, "store" | "clock">,
  wish: AlgorithmWish,
): Promise<AlgorithmSet | Refused<"unknown-group" | "unknown-algorithm" | "unknown-parameter">> {
  const { groupId } = wish;
  const group = await world.store.sites.group(groupId);
  if (!group) return refused("unknown-group", `Group ${groupId} is not known.`);
  const parsed = parseChoice(wish.name, wish.parameters);
  if (parsed.kind === "refused")
    return refused(parsed.parameter === null ? "unknown-algorithm" : "unknown-parameter", parsed.text);
  const { choice } = parsed;
  if (isSame(choice, group.algorithm)) return { kind: "duplicate", choice };
  const now = world.clock.now();
  await world.store.sites.setAlgorithm(groupId, choice, now);
  world.clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId });
  return { kind: "set", choice };
}

function isSame(a: AlgorithmChoice, b: AlgorithmChoice): boolean {
  const [one, other] = [parametersOf(a), parametersOf(b)];
  return a.name === b.name && Object.entries(one).every(([name, value]) => other[name] === value);
}

/** What a CPO may choose from. */
export const listAlgorithms = () =>
  ALGORITHM_NAMES.map((name) => {
    const { about, parameters, withinLimit } = ALGORITHMS[name];
    return { name, about, parameters, withinLimit };
  });
