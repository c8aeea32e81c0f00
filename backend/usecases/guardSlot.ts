/** The in-slot guard at work: between two plans, the slot's mean import must not rise above the limit. */
import { type ChargingProfile, limitAt, nextChange } from "../domain/profiles.ts";
import { isHolding } from "../domain/promises.ts";
import { SLOT_S, slotStart } from "../domain/slots.ts";
import { type EpochSecond, watt } from "../domain/units.ts";
import { type GuardedSession, guard } from "../optimisation/guard.ts";
import { type GroupBoard, importSoFarWh, type LiveSession, liveSessions, netLoadW, powerNow } from "./board.ts";
import { dispatchProfiles, type Wish } from "./dispatchProfiles.ts";
import { limitInForce, slotLimitWs } from "./groupLimits.ts";
import type { World } from "./ports.ts";

/** A register shows whole Wh: on average half a Wh of each session is not seen, 2 W over a slot. Less than plans keep free. */
const UNSEEN_W = 2;

export async function guardSlot(world: World, group: GroupBoard): Promise<void> {
  const now = world.clock.now();
  const { staleS } = world.settings;
  const sessions = liveSessions(group);
  if (group.coming) {
    const { supplyLimitW, limits } = group.coming;
    group.limitW = limitInForce({ supplyLimitW }, limits, now);
    group.slotLimitW = slotLimitWs({ supplyLimitW }, limits, now) / SLOT_S;
  }
  if (sessions.length === 0 || group.limitW === 0 || group.unlimited) return;
  const slotEnd = slotStart(group.slot + 1);
  const obeying = sessions.filter((live) => live.heldOutUntil <= now && !live.silent);
  const others = sessions.filter((live) => !obeying.includes(live));
  const action = guard({
    limitW: (group.limitKind === "thermal" ? group.limitW : group.slotLimitW) - sessions.length * UNSEEN_W,
    elapsedS: now - slotStart(group.slot),
    importedWh: countedImportWh(group, now, staleS),
    otherLoadW: netLoadW(group) + others.reduce((sum, live) => sum + powerNow(live, now, staleS), 0),
    reactionS: world.settings.dispatchS,
    sessions: obeying.map(
      (live): GuardedSession => ({
        session: live.sessionId,
        limitW: limitAt(live.pending?.profile ?? live.applied, now),
        measuredW: projectedW(live, now, slotEnd),
        // A car that cannot pause is the last one to be stopped.
        promised: live.steadyFrom !== null || (live.promise !== null && isHolding(live.promise.state)),
        slackWh: live.steadyFrom !== null ? Number.MIN_SAFE_INTEGER : (live.promise?.slackWh ?? 0),
        minPowerW: live.minPowerW,
        wantedW: limitAt(live.desired, now),
      }),
    ),
  });
  if (action.kind === "hold") return;
  group.guardActions++;
  const limits = new Map(action.limits.map((limit) => [limit.session, limit.limitW]));
  const wishes = obeying.flatMap((live): Wish[] => {
    const limitW = limits.get(live.sessionId);
    if (limitW === undefined) return [];
    const guarded = until(live.desired, now, limitW, slotEnd);
    return [{ live, profile: group.coming ? lower(live.desired, guarded, now, slotEnd) : guarded }];
  });
  await dispatchProfiles(world, group, wishes, "guard");
}

/** A contract's limit is a mean, so what the slot saved may be used later; under a thermal limit it is gone. */
function countedImportWh(group: GroupBoard, now: EpochSecond, staleS: number): number {
  const importedWh = importSoFarWh(group, now, staleS);
  return group.limitKind === "thermal"
    ? Math.max(importedWh, (group.limitW * (now - slotStart(group.slot))) / 3600)
    : importedWh;
}

/** Mean power until the end of the slot if nothing changes: a car that takes what it gets follows its profile. */
function projectedW(live: LiveSession, now: EpochSecond, slotEnd: EpochSecond): number {
  const profile = live.pending?.profile ?? live.applied;
  let ws = 0;
  for (let at: number = now; at < slotEnd; ) {
    const to = Math.min(slotEnd, nextChange(profile, at as EpochSecond) ?? slotEnd);
    ws += Math.min(limitAt(profile, at as EpochSecond), live.maxPowerW) * (to - at);
    at = to;
  }
  const meanW = ws / Math.max(1, slotEnd - now);
  const allowedW = Math.min(live.maxPowerW, limitAt(profile, now));
  return live.seenMaxW !== null && live.powerW < allowedW ? Math.min(live.powerW, meanW) : meanW;
}

/** Within the slot never above the plan's profile, which follows a capacity profile minute by minute. */
function lower(
  desired: ChargingProfile,
  guarded: ChargingProfile,
  now: EpochSecond,
  slotEnd: EpochSecond,
): ChargingProfile {
  const cuts = desired.map((period) => period.from).filter((from) => from > now && from < slotEnd);
  return [
    ...[now, ...cuts].map((from) => ({
      from,
      limitW: watt(Math.min(limitAt(desired, from), limitAt(guarded, from))),
    })),
    ...guarded.filter((period) => period.from >= slotEnd),
  ];
}

/** The guard's limit until the slot ends, the plan's after it. */
const until = (
  desired: ChargingProfile,
  now: EpochSecond,
  limitW: ChargingProfile[number]["limitW"],
  slotEnd: EpochSecond,
): ChargingProfile => [
  { from: now, limitW },
  { from: slotEnd, limitW: limitAt(desired, slotEnd) as typeof limitW },
  ...desired.filter((period) => period.from > slotEnd),
];
