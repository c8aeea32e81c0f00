/** After each plan: how much room every promise has left, and whether it is on track. Joins the cycle's transaction. */
import { type EnergyPromise, isTracked, toleranceWh, transition } from "../domain/promises.ts";
import { slack } from "../optimisation/admission.ts";
import { type GroupBoard, liveSessions } from "./board.ts";
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
  const tracked = liveSessions(board).filter(
    ({ promise }) => promise !== null && isTracked(promise.state) && promise.by > now,
  );
  if (tracked.length === 0) return;
  // Of two deadlines the worse one counts.
  const slacks = slack(built.promises, ENOUGH_WH);
  const slackWh = new Map(built.promises.cars.map((car, i) => [car.session, slacks[i]!]));
  for (const live of tracked) {
    const promise = live.promise as EnergyPromise;
    const fresh = now - live.readAt <= world.settings.staleS;
    const own = slackWh.get(live.number);
    // A station that does not obey is no part of the plan: nothing new is known of it, but that it may be silent.
    if (own === undefined && fresh) continue;
    // A promise is kept within its tolerance, so less than that is no risk: whole W and Wh alone would cost it.
    const lack = own ?? promise.slackWh ?? 0;
    const slackLeftWh = lack < 0 && -lack <= toleranceWh(promise.energyWh) ? 0 : lack;
    const assessed = transition(promise, { kind: "assess", at: now, slackWh: slackLeftWh, fresh });
    live.promise = assessed;
    if (assessed.slackWh !== promise.slackWh)
      world.updates?.publish(`session:${live.sessionId}`, { kind: "margin", slackWh: assessed.slackWh });
    if (assessed.state === promise.state) continue;
    await world.store.promises.put(assessed);
    world.updates?.publish(`session:${live.sessionId}`, { kind: "promise", state: assessed.state });
    world.updates?.publish(`group:${board.groupId}`, { kind: "promise", state: assessed.state });
  }
}
