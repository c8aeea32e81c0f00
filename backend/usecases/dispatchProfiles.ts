/**
 * From wished limits to limits in force: decreases first, wait for their confirmation, then increases, so that the sum
 * never rises above the limit on the way. A station's refusal leaves its applied limit as it was.
 */
import { type ChargingProfile, compact, limitAt, type ProfileReason, type SentProfile } from "../domain/profiles.ts";
import { SLOT_S } from "../domain/slots.ts";
import { type EpochSecond, epochSecond, watt } from "../domain/units.ts";
import { type GroupBoard, groupBoard, integrateAllowed, type LiveSession, liveSessions } from "./board.ts";
import type { World } from "./ports.ts";

type Needs = Pick<World, "store" | "cpo" | "clock" | "board" | "settings" | "updates">;

/** A profile that is left alone must agree with the wished one for this long, s. */
const LOOK_AHEAD_S = 2 * SLOT_S;
/** After a refusal or silence the applied limit counts as a fixed load for this long, s. */
const HELD_OUT_S = 120;

export type Wish = { readonly live: LiveSession; readonly profile: ChargingProfile };

/** Sends what has to change. Wishes replace earlier ones that still wait. */
export async function dispatchProfiles(
  world: Needs,
  group: GroupBoard,
  wishes: readonly Wish[],
  reason: ProfileReason,
): Promise<void> {
  const now = world.clock.now();
  const decreases: Wish[] = [];
  for (const wish of wishes) {
    const { live, profile } = wish;
    if (reason === "plan") live.desired = profile;
    live.held = null;
    const inForce = live.pending?.profile ?? live.applied;
    if (agree(inForce, profile, now)) continue;
    if (isIncrease(inForce, profile)) live.held = { profile, reason: reason === "guard" ? "guard" : "plan" };
    else decreases.push(wish);
  }
  await send(world, decreases, reason);
  await sendHeldIncreases(world, group);
}

/** Sends the increases that wait, as soon as no decrease of the group is unanswered. */
async function sendHeldIncreases(world: Needs, group: GroupBoard): Promise<void> {
  const sessions = liveSessions(group);
  if (sessions.some((live) => live.pending !== null)) return;
  const held = sessions.flatMap((live) =>
    live.held ? [{ live, profile: live.held.profile, reason: live.held.reason }] : [],
  );
  for (const { live } of held) live.held = null;
  for (const reason of ["plan", "guard"] as const)
    await send(
      world,
      held.filter((wish) => wish.reason === reason),
      reason,
    );
}

async function send(world: Needs, wishes: readonly Wish[], reason: ProfileReason): Promise<void> {
  if (wishes.length === 0) return;
  const now = world.clock.now();
  const profiles = wishes.map(({ live, profile }): SentProfile => {
    // A plan begins some seconds after it was made; until then an increase must not take what others still use.
    const old = live.pending?.profile ?? live.applied;
    const early = startOf(profile) > now && isIncrease(old, profile);
    const kept = compact(early ? [{ from: now, limitW: watt(limitAt(old, now)) }, ...profile] : profile, now);
    return {
      id: `${live.sessionId}#${++live.sends}`,
      sessionId: live.sessionId,
      evseId: live.evseId,
      reason,
      state: "sent",
      sentAt: now,
      answeredAt: null,
      profile: kept,
    };
  });
  await world.store.profiles.add(profiles);
  for (const [i, { live }] of wishes.entries()) {
    const sent = profiles[i] as SentProfile;
    live.pending = { id: sent.id, profile: sent.profile, sentAt: now };
    world.clock.schedule(epochSecond(now + world.settings.answerS), { kind: "answer-due", profileId: sent.id });
  }
  // An unreachable station answers by silence: "answer-due" turns it into a time-out.
  for (const profile of profiles) await world.cpo.sendProfile(profile).catch(() => undefined);
}

export type ProfileAnswer = {
  readonly profileId: string;
  readonly state: "applied" | "refused" | "timed-out";
  readonly at: EpochSecond;
};

/** The station's answer to a profile, or the lack of one. An answer to a profile that is no longer pending changes no limit. */
export async function answerProfile(
  world: Needs,
  answer: ProfileAnswer,
): Promise<{ kind: "noted" } | { kind: "refused"; reason: "unknown-profile"; text: string }> {
  const found = findPending(world.board.groups, answer.profileId);
  if (!found) {
    const known = await world.store.profiles.byId(answer.profileId);
    if (!known)
      return {
        kind: "refused",
        reason: "unknown-profile",
        text: `No profile ${answer.profileId} was sent; answer with the id that came with the profile.`,
      };
    return { kind: "noted" };
  }
  const { group, live } = found;
  await world.store.transaction(async (store) => {
    await store.profiles.answer(answer.profileId, answer.state, answer.at);
    if (answer.state !== "applied")
      await store.incidents.add({
        id: `profile:${answer.profileId}`,
        at: answer.at,
        groupId: group.groupId,
        kind: answer.state === "refused" ? "refused-profile" : "silent-station",
        text: `${live.evseId} ${answer.state === "refused" ? "refused" : "did not answer"} the profile ${answer.profileId}; its applied limit stays.`,
      });
  });
  const pending = live.pending;
  integrateAllowed(live, answer.at);
  live.pending = null;
  if (answer.state === "applied" && pending) live.applied = pending.profile;
  else {
    if (answer.state === "timed-out" && pending) live.applied = worse(live.applied, pending.profile, answer.at);
    live.heldOutUntil = answer.at + HELD_OUT_S;
    for (const other of liveSessions(group)) other.held = null;
    world.clock.schedule(epochSecond(answer.at + 1), { kind: "cycle", groupId: group.groupId });
  }
  await sendHeldIncreases(world, groupBoard(world.board, group.groupId, answer.at));
  world.updates?.publish(`group:${group.groupId}`, { kind: "answer", sessionId: live.sessionId });
  return { kind: "noted" };
}

function findPending(
  groups: Record<string, GroupBoard>,
  profileId: string,
): { group: GroupBoard; live: LiveSession } | null {
  for (const group of Object.values(groups))
    for (const live of Object.values(group.sessions)) if (live.pending?.id === profileId) return { group, live };
  return null;
}

/** Silence: the station may or may not have taken the profile, so the higher limit is counted. */
const worse = (applied: ChargingProfile, sent: ChargingProfile, at: EpochSecond): ChargingProfile =>
  limitAt(sent, at) > limitAt(applied, at) ? sent : applied;

/** Same limits from now on for as long as the next plan is not due. */
export function agree(a: ChargingProfile, b: ChargingProfile, now: EpochSecond): boolean {
  const until = now + LOOK_AHEAD_S;
  const instants = [now, ...a.map((p) => p.from), ...b.map((p) => p.from)].filter((at) => at >= now && at < until);
  return instants.every((at) => limitAt(a, at as EpochSecond) === limitAt(b, at as EpochSecond));
}

/** Whether the new profile allows more than the old one when it begins; a change planned for later changes all EVSEs together. */
const isIncrease = (old: ChargingProfile, wished: ChargingProfile) =>
  limitAt(wished, startOf(wished)) > limitAt(old, startOf(wished));

const startOf = (profile: ChargingProfile) => epochSecond(profile[0]?.from ?? 0);
