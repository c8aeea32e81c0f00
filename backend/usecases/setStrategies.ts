/** What an EVSE does for cars whose drivers say nothing, by the clock of its place: by day this, at night that. */
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";
import { faultOfWindows, type StrategyWindow } from "./strategies.ts";

export type StrategiesSet =
  | { readonly kind: "set"; readonly windows: readonly StrategyWindow[] }
  | Refused<"unknown-evse" | "bad-strategy">;

/** Holds for cars that are plugged in from now on; without windows what is learned holds again. */
export async function setStrategies(
  { store, clock }: Pick<World, "store" | "clock">,
  wish: { readonly evseId: string; readonly windows: readonly StrategyWindow[] },
): Promise<StrategiesSet> {
  if (!(await store.sites.evse(wish.evseId)))
    return refused("unknown-evse", `EVSE ${wish.evseId} is not registered. Register it in its group first.`);
  const fault = faultOfWindows(wish.windows);
  if (fault) return refused("bad-strategy", `${fault} Let each minute of the day be in one window at most.`);
  await store.priorities.setStrategies({ ...wish, at: clock.now() });
  return { kind: "set", windows: wish.windows };
}
