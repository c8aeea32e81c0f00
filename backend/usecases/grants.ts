/**
 * Power that is set aside outside of the plan: full power for who opted out or asked for a boost, the least power of a car
 * that cannot pause. One rule for all three: never so much that a promise of anybody would be short because of it.
 */
import type { PowerGrant } from "../domain/sessions.ts";
import { SLOT_S, slotCeil } from "../domain/slots.ts";
import { epochSecond, watt } from "../domain/units.ts";
import type { GroupProblem } from "../optimisation/problem.ts";
import { type GroupBoard, type LiveSession, liveSessions } from "./board.ts";
import { type Change, fits, type Horizon, missingWh, openHorizon } from "./horizonProblem.ts";
import type { World } from "./ports.ts";
import { powerOf, wantedWh } from "./sessionCar.ts";

/** A grant is given for this long and then looked at again, s. */
export const GRANT_S = 3600;
/** A boost that could not be given in full is tried again this often, s. */
const RETRY_S = 300;
/** The most constant power is found to this, W. */
const STEP_W = 50;

type Ask = (change?: Change) => Horizon;

/** Whether everything stays whole with the session as it is in `as`; what was short before must not get shorter. */
const holds = (ask: Ask, as: LiveSession, shortWh: number) => {
  const tried = ask({ as });
  return fits(tried) && missingWh(tried) <= shortWh;
};

/* -------------------------------------------------------------------------------- opt-out and boost */

/** The most constant power that leaves every promise whole: full if that is possible, else as much as there is by rule. */
export async function renewGrant(world: World, group: GroupBoard, live: LiveSession): Promise<void> {
  const now = world.clock.now();
  // A car that does not draw needs no grant: it is asked again like any other (sessionCar.ts).
  if (live.mode === "opted-out" && live.seenMaxW === 0) {
    live.grant = null;
    await note(world, live, "opt-out", 0, now, now);
    return;
  }
  const until = untilOf(live, now);
  const ask = await openHorizon(world, group, now, until);
  const base = ask({ as: { ...live, grant: null } });
  const shortWh = missingWh(base);
  const mostW = mostOf(live);
  // Once it charges, a car that cannot pause must be able to go on when the boost is over.
  const steadyFrom = live.cannotPause && live.boost ? Math.min(live.steadyFrom ?? now, now) : live.steadyFrom;
  const isWhole = (limitW: number) => holds(ask, { ...live, grant: { limitW, until }, steadyFrom }, shortWh);
  let limitW = 0;
  if (mostW > 0 && isWhole(mostW)) limitW = mostW;
  else if (live.boost) limitW = largest(live.minPowerW, mostW, isWhole);
  else {
    const others = liveSessions(group).length;
    const shareW = Math.min(mostW, Math.floor(freeNow(base.problem) / Math.max(1, others)));
    for (const tryW of [shareW, Math.floor(shareW / 2), live.minPowerW])
      if (limitW === 0 && tryW >= live.minPowerW && isWhole(tryW)) limitW = tryW;
  }
  live.grant = { limitW, until };
  if (limitW > 0 && live.boost) await setSteady(world, live, steadyFrom);
  await note(world, live, live.boost ? "boost" : "opt-out", limitW, now, until);
}

/** Rated power, or what the car was seen to take when it was allowed more. W */
const mostOf = (live: LiveSession) => (live.seenMaxW ? Math.min(live.maxPowerW, live.seenMaxW) : live.maxPowerW);

function untilOf(live: LiveSession, now: number): number {
  const { boost } = live;
  if (!boost) return now + GRANT_S;
  const until = Math.min(boost.until, now + GRANT_S);
  const missing = missingOfBoost(live);
  // What flows is never above the grant, so the energy is in at the earliest then; a minute more for the way there.
  return missing === null ? until : Math.min(until, now + Math.ceil((missing * 3600) / Math.max(1, mostOf(live))) + 60);
}

/** The largest power from `least` on that is whole, to STEP_W; the wholeness of a power implies that of every lower one. */
function largest(least: number, most: number, isWhole: (limitW: number) => boolean): number {
  if (most < least || !isWhole(least)) return 0;
  let [low, high] = [least, most];
  while (high - low > STEP_W) {
    const middle = Math.floor((low + high) / 2);
    if (isWhole(middle)) low = middle;
    else high = middle;
  }
  return low;
}

const freeNow = (problem: GroupProblem) => {
  const first = problem.intervals[0];
  return first
    ? (Math.max(0, first.limitWh - first.demandWh - first.fixedWh + first.productionWh) * 3600) / first.durationS
    : 0;
};

/** What a boost of an amount still lacks, Wh; null for one that only time ends. */
export const missingOfBoost = ({ boost, registerWh }: LiveSession) =>
  boost === null || boost.energyWh === null ? null : boost.energyWh - (registerWh - boost.fromRegisterWh);

type Noting = Pick<World, "store" | "clock" | "updates">;

async function note(
  world: Noting,
  live: LiveSession,
  kind: PowerGrant["kind"],
  limitW: number,
  from: number,
  until: number | null,
): Promise<void> {
  const { sessionId } = live;
  const at = world.clock.now();
  const grant = { sessionId, at, kind, limitW: watt(limitW), from: epochSecond(from) };
  await world.store.priorities.addGrant({ ...grant, until: until === null ? null : epochSecond(until) });
  world.updates?.publish(`session:${sessionId}`, { kind: "grant", limitW });
}

/* ---------------------------------------------------------------------------- cars that cannot pause */

/** How far ahead a start is looked for when the least power cannot be held from now on: slots. */
const LATER_SLOTS = 12;

/**
 * From when on the least power of a car that cannot pause can be held until its energy is in, with its own promise and
 * everybody else's whole; null when there is no such time soon. A car that charges already goes on.
 */
export function steadyStart(ask: Ask, live: LiveSession, now: number): number | null {
  const begun = live.steadyFrom !== null && live.steadyFrom <= now ? live.steadyFrom : null;
  const shortWh = missingWh(ask({ without: live }));
  const first = Math.max(now, live.notBefore);
  const end = live.promise && live.promise.by > now ? live.promise.by : Number.POSITIVE_INFINITY;
  const starts = begun === null ? [first, ...slotsAfter(first)].filter((start) => start < end) : [begun];
  return starts.find((steadyFrom) => holds(ask, { ...live, steadyFrom }, shortWh)) ?? null;
}

const slotsAfter = (instant: number) => {
  const next = slotCeil(epochSecond(instant + 1));
  return Array.from({ length: LATER_SLOTS }, (_, k) => next + k * SLOT_S);
};

/** Begins to hold the least power when that breaks nothing. */
async function renewSteady(world: World, group: GroupBoard, live: LiveSession): Promise<boolean> {
  const now = world.clock.now();
  const ask = await openHorizon(world, group, now, now + GRANT_S);
  // A promise that cannot be whole any more must not keep the car from charging at all.
  const start = steadyStart(ask, live, now) ?? steadyStart(ask, { ...live, promise: null }, now);
  if (start === null) return false;
  await setSteady(world, live, start);
  return true;
}

/** From when on the least power is held; null: no more. */
export async function setSteady(world: Noting, live: LiveSession, from: number | null): Promise<void> {
  if (live.steadyFrom === from) return;
  live.steadyFrom = from;
  await note(world, live, "steady", from === null ? 0 : live.minPowerW, from ?? world.clock.now(), null);
}

/* ------------------------------------------------------------------------------------ minute by minute */

/** Grants end, are looked at again, and begin. Called once a minute. */
export async function tickGrants(world: World, group: GroupBoard): Promise<void> {
  const now = world.clock.now();
  for (const live of liveSessions(group)) {
    const before = live.grant?.limitW;
    const boosted = live.boost !== null;
    if (live.boost && isOver(live, now)) await endBoost(world, live, now >= live.boost.until ? "time" : "energy");
    else if (live.boost || (live.mode === "opted-out" && live.grant)) {
      const ends = live.grant === null || live.grant.until <= now + 60;
      const short = live.boost !== null && (live.grant?.limitW ?? 0) < powerOf(live) && now % RETRY_S === 0;
      if (ends || short) await renewGrant(world, group, live);
      if (ends || live.grant?.limitW !== before) replan(world, group);
    }
    if (boosted && live.boost === null) replan(world, group);
    if (!live.cannotPause) continue;
    const wants = wantedWh(live, now) > 0 && powerOf(live) > 0;
    if (!wants) await setSteady(world, live, null);
    else if (live.steadyFrom === null && live.notBefore <= now && (await renewSteady(world, group, live)))
      replan(world, group);
  }
}

const isOver = (live: LiveSession, now: number) =>
  live.boost !== null && (now >= live.boost.until || (missingOfBoost(live) ?? 1) <= 0);

export async function endBoost(
  world: Pick<World, "store" | "clock" | "updates">,
  live: LiveSession,
  ended: "energy" | "time" | "cancelled" | "unplugged",
): Promise<void> {
  if (!live.boost) return;
  await world.store.priorities.endBoost(live.boost.id, world.clock.now(), ended);
  live.boost = null;
  live.grant = null;
  world.updates?.publish(`session:${live.sessionId}`, { kind: "boost", ended });
}

const replan = (world: World, group: GroupBoard) =>
  world.clock.schedule(epochSecond(world.clock.now() + 1), { kind: "cycle", groupId: group.groupId });

/* -------------------------------------------------------------------------------------- when limits fall */

/**
 * What was granted must fit too when a limit falls: within the next slot grants are cut alike, and where that is not enough
 * cars that cannot pause have to, the limit comes first. Answers whether anything was lowered.
 */
export async function trimGrants(world: Noting, board: GroupBoard, problem: GroupProblem): Promise<boolean> {
  const granted = liveSessions(board).filter(
    (live) => live.grant !== null && live.grant.limitW > 0 && (live.mode === "opted-out" || live.boost !== null),
  );
  let share = 1;
  let isTooMuch = false;
  let startS = 0;
  for (const { durationS, limitWh, demandWh, productionWh, fixedWh } of problem.intervals) {
    if (startS >= SLOT_S) break;
    const from = problem.at + startS;
    startS += durationS;
    const freeWh = Math.max(0, limitWh - demandWh + productionWh);
    if (fixedWh <= freeWh) continue;
    const grantedWh = granted.reduce(
      (sum, { grant }) => sum + (grant!.limitW * Math.max(0, Math.min(durationS, grant!.until - from))) / 3600,
      0,
    );
    const otherWh = Math.max(0, fixedWh - grantedWh);
    if (otherWh > freeWh) isTooMuch = true;
    if (grantedWh > 0) share = Math.min(share, Math.max(0, freeWh - otherWh) / grantedWh);
  }
  let isLowered = share < 1 && granted.length > 0;
  for (const live of share < 1 ? granted : []) {
    const limitW = Math.floor(live.grant!.limitW * share);
    live.grant = { limitW: limitW >= live.minPowerW ? limitW : 0, until: live.grant!.until };
  }
  for (const live of isTooMuch ? liveSessions(board) : [])
    if (live.steadyFrom !== null) {
      await setSteady(world, live, null);
      isLowered = true;
    }
  return isLowered;
}
