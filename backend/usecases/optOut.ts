/**
 * The driver does not take part: full power when every promise stays whole, else the equal share for the next hour,
 * renewed hourly. What is granted is a fixed load in the problem of the others.
 */
import { isTracked, transition } from "../domain/promises.ts";
import { epochSecond, wattHour } from "../domain/units.ts";
import { findLive, type LiveSession } from "./board.ts";
import { endBoost, renewGrant } from "./grants.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export type OptOutAnswer =
  | { readonly kind: "full-power" }
  | { readonly kind: "offer"; readonly limitW: number; readonly until: number }
  | Refused<"unknown-session" | "promised">;

export async function optOut(world: World, { sessionId }: { readonly sessionId: string }): Promise<OptOutAnswer> {
  const found = findLive(world.board, sessionId);
  if (!found) return refused("unknown-session", `Session ${sessionId} is not open. Plug in first.`);
  const { live, group } = found;
  const now = world.clock.now();
  const promise = live.promise;
  if (promise && isTracked(promise.state) && promise.by > now)
    return refused(
      "promised",
      "This session has a promise until its departure. Amend the promise, or wait for its end.",
    );
  const withdrawn = promise?.state === "offered" ? transition(promise, { kind: "withdraw", at: now }) : null;
  if (live.mode !== "opted-out")
    await world.store.transaction(async (store) => {
      if (withdrawn) await store.promises.put(withdrawn);
      await endBoost({ ...world, store }, live, "cancelled");
      await store.sessions.setMode(sessionId, "opted-out");
      await store.sessions.addAdmission({
        sessionId,
        at: now,
        kind: "opted-out",
        wishedWh: wattHour(0),
        wishedBy: now,
        offeredWh: wattHour(0),
        shortfallWh: wattHour(0),
      });
    });
  live.mode = "opted-out";
  // A promise that has ended stays: its outcome is part of the bill.
  if (withdrawn) live.promise = null;
  await renewGrant(world, group, live);
  world.clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: group.groupId });
  const grant = live.grant as NonNullable<LiveSession["grant"]>;
  return grant.limitW >= live.maxPowerW
    ? { kind: "full-power" }
    : { kind: "offer", limitW: grant.limitW, until: grant.until };
}
