/**
 * The driver does not take part: full power when every promise stays whole, else the equal share for the next hour,
 * renewed hourly. What is granted is a fixed load in the problem of the others.
 */
import { isTracked, transition } from "../domain/promises.ts";
import { epochSecond, wattHour } from "../domain/units.ts";
import { slack } from "../optimisation/admission.ts";
import type { GroupProblem } from "../optimisation/problem.ts";
import { findLive, type GroupBoard, type LiveSession, liveSessions } from "./board.ts";
import { horizonProblem } from "./horizonProblem.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export type OptOutAnswer =
  | { readonly kind: "full-power" }
  | { readonly kind: "offer"; readonly limitW: number; readonly until: number }
  | Refused<"unknown-session" | "promised">;

export const GRANT_S = 3600;

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

/** The most constant power for the next hour that leaves every promise whole: full, else at most the equal share. */
export async function renewGrant(world: World, group: GroupBoard, live: LiveSession): Promise<void> {
  const now = world.clock.now();
  const until = now + GRANT_S;
  const { problem } = await horizonProblem(world, group, now, live, epochSecond(until));
  // Promises that are short by themselves (a car that does not draw) must not get shorter, the others must stay whole.
  const shortWh = missingWh(problem);
  const holds = (limitW: number) => {
    const tried = withFixed(problem, limitW, until - problem.at);
    return fits(tried) && missingWh(tried) <= shortWh;
  };
  let limitW = 0;
  if (holds(live.maxPowerW)) limitW = live.maxPowerW;
  else {
    const others = liveSessions(group).length;
    const shareW = Math.min(live.maxPowerW, Math.floor(freeNow(problem) / Math.max(1, others)));
    for (const tryW of [shareW, Math.floor(shareW / 2), live.minPowerW])
      if (limitW === 0 && tryW >= live.minPowerW && holds(tryW)) limitW = tryW;
  }
  live.grant = { limitW, until };
}

function withFixed(problem: GroupProblem, limitW: number, untilS: number): GroupProblem {
  let startS = 0;
  const intervals = problem.intervals.map((interval) => {
    const heldS = Math.max(0, Math.min(untilS - startS, interval.durationS));
    startS += interval.durationS;
    return { ...interval, fixedWh: wattHour(interval.fixedWh + Math.ceil((limitW * heldS) / 3600)) };
  });
  return { ...problem, intervals };
}

/** Promised Wh that do not fit, all promises together. */
const missingWh = (problem: GroupProblem) => slack(problem, 1).reduce((sum, wh) => sum + Math.max(0, -wh), 0);

const fits = (problem: GroupProblem) =>
  problem.intervals.every((i) => i.fixedWh === 0 || i.demandWh + i.fixedWh - i.productionWh <= i.limitWh);

const freeNow = (problem: GroupProblem) => {
  const first = problem.intervals[0];
  return first
    ? (Math.max(0, first.limitWh - first.demandWh - first.fixedWh + first.productionWh) * 3600) / first.durationS
    : 0;
};
