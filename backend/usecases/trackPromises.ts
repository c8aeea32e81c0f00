/** After each plan: how much room every promise has left, and whether it is on track. Joins the cycle's transaction. */
import { isTracked, toleranceWh, transition } from "../domain/promises.ts";
import { slack } from "../optimisation/admission.ts";
import type { GroupBoard } from "./board.ts";
import type { BuiltProblem } from "./groupProblem.ts";
import type { World } from "./ports.ts";

/** More slack than this needs no number, Wh. */
const ENOUGH_WH = 20_000;

export async function trackPromises(
  world: Pick<World, "store" | "clock" | "settings" | "updates">,
  board: GroupBoard,
  built: BuiltProblem,
): Promise<void> {
  const now = world.clock.now();
  if (!built.cars.some(({ live }) => live.promise && isTracked(live.promise.state))) return;
  const slackWh = slack(built.problem, ENOUGH_WH);
  for (const [i, { live }] of built.cars.entries()) {
    const promise = live.promise;
    if (!promise || !isTracked(promise.state) || promise.by <= now) continue;
    const fresh = now - live.readAt <= world.settings.staleS;
    // A promise is kept within its tolerance, so less than that is no risk: whole W and Wh alone would cost it.
    const lack = slackWh[i] as number;
    const slackLeftWh = lack < 0 && -lack <= toleranceWh(promise.energyWh) ? 0 : lack;
    const assessed = transition(promise, { kind: "assess", at: now, slackWh: slackLeftWh, fresh });
    live.promise = assessed;
    if (assessed.state === promise.state) continue;
    await world.store.promises.put(assessed);
    world.updates?.publish(`session:${live.sessionId}`, { kind: "promise", state: assessed.state });
    world.updates?.publish(`group:${board.groupId}`, { kind: "promise", state: assessed.state });
  }
}
