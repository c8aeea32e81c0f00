/**
 * Priority: full power now, as far as every promise of the others stays whole, and the session's own. It ends by itself,
 * can be cancelled, and every request is kept with what was granted. The session earns no FLEX any more: it asked for the
 * power at once, so there is nothing that it moved.
 */
import type { Boost } from "../domain/sessions.ts";
import { type EpochSecond, epochSecond, type WattHour, wattHour } from "../domain/units.ts";
import { findLive } from "./board.ts";
import { endBoost, renewGrant } from "./grants.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export type BoostRequest = {
  readonly sessionId: string;
  readonly askedBy: Boost["askedBy"];
  /** An hour from now without it; a day, when an energy ends it. */
  readonly until?: EpochSecond | undefined;
  readonly energyWh?: WattHour | undefined;
};

export type BoostAnswer =
  | {
      readonly kind: "boosted";
      readonly boost: Boost;
      /** Granted now; it is looked at again every few minutes while it is not full. W */
      readonly limitW: number;
      readonly isFull: boolean;
    }
  | Refused<"unknown-session" | "opted-out" | "bad-boost">;

const USUAL_S = 3600;
const LONGEST_S = 86_400;

export async function boost(world: World, request: BoostRequest): Promise<BoostAnswer> {
  const { sessionId, askedBy, energyWh } = request;
  const found = findLive(world.board, sessionId);
  if (!found) return refused("unknown-session", `Session ${sessionId} is not open. Plug in first.`);
  const { live, group } = found;
  const now = world.clock.now();
  if (live.mode === "opted-out")
    return refused("opted-out", "This session opted out: it has what can be given already.");
  if (request.until !== undefined && (request.until <= now || request.until > now + LONGEST_S))
    return refused("bad-boost", "A boost ends within the next 24 hours. Give a time from now on, or none.");
  const until = request.until ?? epochSecond(now + (energyWh === undefined ? USUAL_S : LONGEST_S));
  const asked: Boost = {
    id: `${sessionId}:${now}:${(await world.store.priorities.boosts(sessionId)).length}`,
    sessionId,
    askedBy,
    askedAt: now,
    until,
    energyWh: energyWh ?? null,
    fromRegisterWh: wattHour(live.registerWh),
    endedAt: null,
    ended: null,
  };
  await world.store.transaction(async (store) => {
    await endBoost({ ...world, store }, live, "cancelled");
    await store.priorities.addBoost(asked);
  });
  live.boost = { id: asked.id, until, energyWh: asked.energyWh, fromRegisterWh: asked.fromRegisterWh };
  await renewGrant(world, group, live);
  world.clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: group.groupId });
  world.updates?.publish(`group:${group.groupId}`, { kind: "boost", sessionId });
  const limitW = live.grant?.limitW ?? 0;
  return { kind: "boosted", boost: asked, limitW, isFull: limitW >= live.maxPowerW };
}

export type BoostCancelled = { readonly kind: "cancelled" } | Refused<"unknown-session" | "no-boost">;

export async function cancelBoost(
  world: World,
  { sessionId }: { readonly sessionId: string },
): Promise<BoostCancelled> {
  const found = findLive(world.board, sessionId);
  if (!found) return refused("unknown-session", `Session ${sessionId} is not open.`);
  if (!found.live.boost)
    return refused("no-boost", "There is no boost to cancel: it has ended, or was never asked for.");
  await endBoost(world, found.live, "cancelled");
  world.clock.schedule(epochSecond(world.clock.now() + 1), { kind: "cycle", groupId: found.group.groupId });
  return { kind: "cancelled" };
}
