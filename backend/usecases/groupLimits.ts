/**
 * What a group may import when: the supply limit and all limits that hold at an instant, merged by minimum. Limits of
 * the operator and of orders in W are held by the mean of an interval; a capacity profile is held in every minute.
 */
import type { ChargingGroup } from "../domain/assets.ts";
import { CAPACITY_STEP_S } from "../domain/capacity.ts";
import type { ChargingProfile, ProfilePeriod } from "../domain/profiles.ts";
import { SLOT_S, slotFloor } from "../domain/slots.ts";
import { type EpochSecond, epochSecond, watt } from "../domain/units.ts";
import type { GroupProblem } from "../optimisation/problem.ts";
import { intervalCapacity } from "../optimisation/withinMinutes.ts";
import type { GroupBoard } from "./board.ts";
import type { GroupLimit } from "./ports.ts";

type Supply = Pick<ChargingGroup, "supplyLimitW">;

const holds = (limit: GroupLimit, at: number) => limit.from <= at && (limit.until === null || at < limit.until);
const overlaps = (limit: GroupLimit, from: number, to: number) =>
  limit.from < to && (limit.until === null || limit.until > from);

export const limitInForce = (group: Supply, limits: readonly GroupLimit[], at: EpochSecond): number =>
  limits.reduce(
    (leastW, limit) => (holds(limit, at) ? Math.min(leastW, limit.limitW) : leastW),
    group.supplyLimitW as number,
  );

/** Import that the running slot may have in all: under the limits that there were, and under the present one at most. */
export function slotLimitWs(group: Supply, limits: readonly GroupLimit[], at: EpochSecond): number {
  let ws = 0;
  let from: number = slotFloor(at);
  for (const to of [...changesWithin(limits, from, at), at]) {
    ws += limitInForce(group, limits, epochSecond(from)) * (to - from);
    from = to;
  }
  return ws + limitWs(group, limits, at, slotFloor(at) + SLOT_S);
}

/**
 * What the limits allow between two instants, W*s. Of the operator's and orders' limits the one at `from` holds all the
 * time: one that begins in between lowers it, one that ends waits for a new plan. A capacity profile counts minute by
 * minute, because what is sent to the stations follows it minute by minute.
 */
export function limitWs(group: Supply, limits: readonly GroupLimit[], from: number, to: number): number {
  const here = limits.filter((limit) => overlaps(limit, from, to));
  const heldW = limitInForce(
    group,
    here.filter((limit) => limit.kind !== "capacity"),
    epochSecond(from),
  );
  let ws = 0;
  let at = from;
  for (const next of [...changesWithin(here, from, to), to]) {
    ws += Math.min(heldW, limitInForce(group, here, epochSecond(at))) * (next - at);
    at = next;
  }
  return ws;
}

/** The capacity profile at an instant; without end where none speaks of it. W */
export const capacityAt = (limits: readonly GroupLimit[], at: EpochSecond): number =>
  limits.find((limit) => limit.kind === "capacity" && holds(limit, at))?.limitW ?? Number.POSITIVE_INFINITY;

/** Whether a capacity profile speaks of any time between two instants. */
export const hasCapacity = (limits: readonly GroupLimit[], from: number, to: number) =>
  limits.some((limit) => limit.kind === "capacity" && overlaps(limit, from, to));

/** Instants within (from, to) at which a limit begins or ends. */
const changesWithin = (limits: readonly GroupLimit[], from: number, to: number): number[] =>
  [
    ...new Set(
      limits
        .flatMap((limit) => [limit.from as number, limit.until as number | null])
        .filter((at): at is number => at !== null && at > from && at < to),
    ),
  ].sort((a, b) => a - b);

/** What the guard goes by until the next plan: the limit in force and the mean over the running slot. */
export function noteLimits(board: GroupBoard, group: Supply, limits: readonly GroupLimit[], now: EpochSecond): void {
  board.limitW = limitInForce(group, limits, now);
  board.slotLimitW = slotLimitWs(group, limits, now) / SLOT_S;
  // Only a capacity profile changes without a new plan.
  const until = now + 2 * SLOT_S;
  board.coming = hasCapacity(limits, slotFloor(now), until)
    ? { supplyLimitW: group.supplyLimitW, limits: limits.filter((limit) => overlaps(limit, slotFloor(now), until)) }
    : null;
}

/**
 * What the cars may draw together at an instant, where it is to be held at every instant: under a thermal limit always,
 * under a capacity profile in its minutes. Null: the means over the intervals are enough. W, possibly without end.
 * `grants` are set aside in the problem and share in it here.
 */
export function carsCapacity(
  group: Pick<ChargingGroup, "supplyLimitW" | "limitKind">,
  problem: GroupProblem,
  limits: readonly GroupLimit[],
  grants: readonly Grant[] = [],
): ((at: EpochSecond) => number) | null {
  const thermal = group.limitKind === "thermal";
  const meanW = intervalCapacity(problem);
  const ends: number[] = [];
  let end: number = problem.at;
  for (const { durationS } of problem.intervals) {
    end += durationS;
    ends.push(end);
  }
  if (!hasCapacity(limits, problem.at, end)) return thermal ? meanW : null;
  // Interval by interval: the limits that touch it, when any of them is a capacity; and the load beside the cars.
  const touched = problem.intervals.map((interval, t) => {
    const here = limits.filter((limit) => overlaps(limit, ends[t]! - interval.durationS, ends[t]!));
    const grantedWh = grants.reduce((sum, one) => sum + grantWh(one, ends[t]! - interval.durationS, ends[t]!), 0);
    const besideWh = interval.demandWh + interval.fixedWh - grantedWh - interval.productionWh;
    const byTheMinute = here.some((limit) => limit.kind === "capacity");
    return byTheMinute ? { here, besideW: Math.ceil((besideWh * 3600) / interval.durationS) } : null;
  });
  return (at) => {
    const t = ends.findIndex((one) => one > at);
    const one = touched[t];
    if (!one) return thermal ? meanW(at) : Number.POSITIVE_INFINITY;
    const limitW = thermal ? limitInForce(group, one.here, at) : capacityAt(one.here, at);
    return Math.max(0, Math.floor(limitW) - one.besideW);
  };
}

/** Power granted to a session outside of the plan. */
export type Grant = { readonly limitW: number; readonly until: number };

/** A grant's part of what is set aside in [from, to). Wh */
const grantWh = ({ limitW, until }: Grant, from: number, to: number) =>
  Math.ceil((limitW * Math.max(0, Math.min(to, until) - from)) / 3600);

/**
 * Grants as limits over time: constant, but for the minutes in which a capacity profile leaves less, where the first ones
 * keep theirs and nobody gets less than the least power other than 0.
 */
export function grantProfiles(
  at: EpochSecond,
  grants: readonly (Grant & { readonly minPowerW: number })[],
  capacityW: ((at: EpochSecond) => number) | null,
): ChargingProfile[] {
  const profiles = grants.map((): ProfilePeriod[] => []);
  const end = Math.max(at + 1, ...grants.map(({ until }) => until));
  const cuts = new Set<number>([at, ...grants.map(({ until }) => Math.max(until, at + 1))]);
  if (capacityW)
    for (let minute = Math.ceil((at + 1) / CAPACITY_STEP_S) * CAPACITY_STEP_S; minute < end; minute += CAPACITY_STEP_S)
      cuts.add(minute);
  for (const from of [...cuts].sort((a, b) => a - b)) {
    let freeW = capacityW ? capacityW(epochSecond(from)) : Number.POSITIVE_INFINITY;
    for (const [i, { limitW, until, minPowerW }] of grants.entries()) {
      const wantedW = from < until || from === at ? limitW : 0;
      const givenW = wantedW <= freeW ? wantedW : freeW >= minPowerW ? Math.floor(freeW) : 0;
      freeW -= givenW;
      const periods = profiles[i]!;
      if (periods[periods.length - 1]?.limitW !== givenW)
        periods.push({ from: epochSecond(from), limitW: watt(givenW) });
    }
  }
  return profiles;
}
