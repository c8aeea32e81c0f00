/**
 * The page to read first. One control cycle of one charging group: what is known -> GroupProblem -> Plan -> checked ->
 * stored and appended to the chain's outbox in one transaction -> profiles to the stations.
 * Runs before every slot, and at once after an event (plug-in, plug-out, changed preference or limit, lost meter).
 */
import type { ChargingGroup } from "../domain/assets.ts";
import type { ChargingProfile, ProfilePeriod } from "../domain/profiles.ts";
import { SLOT_S, slotFloor, slotOf, slotStart } from "../domain/slots.ts";
import { type EpochSecond, epochSecond, watt } from "../domain/units.ts";
import { encodeProblem, encodeW, encodeX, encodeY } from "../optimisation/encoding.ts";
import type { GroupProblem, Plan } from "../optimisation/problem.ts";
import { periodsOf } from "../optimisation/profile.ts";
import { withinMinutes } from "../optimisation/withinMinutes.ts";
import { type GroupBoard, groupBoard, type LiveSession, liveSessions } from "./board.ts";
import { crossCheckPlan } from "./crossCheckPlan.ts";
import { dispatchProfiles, type Wish } from "./dispatchProfiles.ts";
import { forecastNet } from "./forecastNet.ts";
import { GRANT_S, trimGrants } from "./grants.ts";
import { carsCapacity, grantProfiles, hasCapacity, noteLimits } from "./groupLimits.ts";
import { askedUntil, type BuiltProblem, groupProblem, isAsked, RESERVE } from "./groupProblem.ts";
import { earlyFor, planGroup } from "./planGroup.ts";
import type { Allocation, GroupLimit, StoredPlan, World } from "./ports.ts";
import { previousPlan } from "./previousPlan.ts";
import { recordSlot } from "./recordSlot.ts";
import { onFloor } from "./sessionCar.ts";
import { trackPromises } from "./trackPromises.ts";

export type CycleCause = "slot" | "event";

export async function runControlCycle(world: World, groupId: string, cause: CycleCause): Promise<StoredPlan> {
  const now = world.clock.now();
  const board = groupBoard(world.board, groupId, now);
  const { group, built, limits } = await presentProblem(world, board, now);
  const { problem } = built;

  const previous = await previousPlan(world.store, groupId, problem);
  const began = performance.now();
  const mustFail = world.faults?.optimiserFails(groupId) ?? false;
  const decision = await planGroup(problem, group.algorithm, world.solve, mustFail, previous);
  const solveMs = performance.now() - began;
  const { plan, repairedIntervals } = decision;

  const salt = world.random(32, `plan:${groupId}:${now}:${board.cycles}`);
  const stored: StoredPlan = {
    id: `${groupId}:${now}:${board.cycles++}`,
    groupId,
    slot: slotOf(problem.at),
    at: problem.at,
    algorithm: plan.algorithm,
    parameters: decision.parameters,
    firsts: problem.cars.flatMap(({ session, first }) => (first ? [{ session, ...first }] : [])),
    problem: hex(encodeProblem(problem, salt)),
    x: hex(encodeX(problem, plan)),
    y: plan.certificate ? hex(encodeY(plan)) : "",
    w: plan.certificate ? hex(encodeW(plan)) : "",
    cost: plan.cost,
    bound: plan.bound,
    repairedIntervals,
    solveMs,
    cause,
    recordKey: null,
  };
  const wishes = wishesOf(group, board, built, plan, limits);
  const allocations: Allocation[] = built.cars.map(({ live, car }) => ({
    planId: stored.id,
    sessionNumber: car.session,
    periods: wishes.get(live.sessionId) ?? [],
  }));

  await world.store.transaction(async (store) => {
    await store.plans.add(stored, allocations);
    if (decision.failure)
      await store.incidents.add({
        id: `fallback:${stored.id}`,
        at: now,
        groupId,
        kind: "fallback",
        text: `Least laxity instead of ${group.algorithm.name}: ${decision.failure}.`,
      });
    await trackPromises({ ...world, store }, board, built);
    if (cause === "slot") await recordSlot({ ...world, store }, group, board, stored, wishes);
  });

  board.lastCycleAt = now;
  board.expectedNetW = Math.round(
    ((problem.intervals[0]?.demandWh ?? 0) - (problem.intervals[0]?.productionWh ?? 0)) *
      (3600 / (problem.intervals[0]?.durationS ?? SLOT_S)),
  );
  const all: Wish[] = liveSessions(board).flatMap((live) => {
    const profile = wishes.get(live.sessionId);
    return profile && live.heldOutUntil <= now ? [{ live, profile }] : [];
  });
  await dispatchProfiles(world, board, all, "plan");
  world.updates?.publish(`group:${groupId}`, { kind: "plan", plan: stored.id });
  if (cause === "slot") await crossCheckPlan(world, group, problem, plan, stored);
  return stored;
}

/** Everything known now, as the problem of one run. */
export async function presentProblem(
  world: World,
  board: GroupBoard,
  now: EpochSecond,
): Promise<{ group: ChargingGroup; built: BuiltProblem; limits: readonly GroupLimit[] }> {
  const group = await world.store.sites.group(board.groupId);
  if (!group)
    throw new Error(
      `Group ${board.groupId} is on the live board but not in the store. Add the group before its EVSEs.`,
    );
  const at = epochSecond(now + world.settings.dispatchS);
  const limits = await world.store.sites.limits(group.id, slotFloor(now));
  noteLimits(board, group, limits, now);
  board.limitKind = group.limitKind;
  board.unlimited = group.algorithm.name === "uncontrolled";
  const prices = await world.store.prices.from(world.settings.market, slotOf(at) - 192);
  const net = await forecastNet(world, board, at);
  const input = {
    group,
    board,
    now,
    at,
    limits,
    orders: await world.store.grid.orders(group.id, slotFloor(now)),
    prices,
    netW: net.plan,
    staleS: world.settings.staleS,
    reservePerMille: RESERVE.plan,
  };
  let draft = groupProblem({ ...input, weights: { early: 1 } });
  if (await trimGrants(world, board, draft.problem)) draft = groupProblem({ ...input, weights: { early: 1 } });
  const early = earlyFor(group.algorithm, draft.problem, board.habits);
  return { group, limits, built: early === 1 ? draft : groupProblem({ ...input, weights: { early } }) };
}

/** The plan as limits over time, per session. Opted-out sessions get their grant, cars that do not draw what is left. */
function wishesOf(
  group: ChargingGroup,
  board: GroupBoard,
  built: BuiltProblem,
  plan: Plan,
  limits: readonly GroupLimit[],
): Map<string, ChargingProfile> {
  const { problem, cars } = built;
  const wishes = new Map<string, ChargingProfile>();
  for (const [i, { live, car }] of cars.entries()) {
    if (car.powerW === 0) continue;
    const periods = periodsOf(problem, plan, i).map(
      (period): ProfilePeriod => ({ from: epochSecond(problem.at + period.startS), limitW: watt(period.limitW) }),
    );
    wishes.set(live.sessionId, periods);
  }
  const capacityW = plan.algorithm === "uncontrolled" ? null : carsCapacity(group, problem, limits);
  if (capacityW !== null) {
    const planned = cars.filter(({ live }) => wishes.has(live.sessionId));
    const wanted = planned.map(({ live, car }) => ({
      profile: wishes.get(live.sessionId) ?? [],
      car,
    }));
    for (const [i, profile] of withinMinutes(problem, wanted, capacityW).entries())
      wishes.set((planned[i] as (typeof planned)[number]).live.sessionId, profile);
  }
  for (const [sessionId, profile] of wishes)
    wishes.set(sessionId, onFloor(profile, board.sessions[sessionId], problem.at));
  const out = liveSessions(board).filter((live) => live.mode === "opted-out");
  const byTheMinute = hasCapacity(limits, problem.at, problem.at + GRANT_S) && plan.algorithm !== "uncontrolled";
  const grants = out.map(({ grant, minPowerW }) => {
    const { limitW, until } = grant ?? { limitW: 0, until: problem.at };
    return { limitW, until: byTheMinute ? lastCut(problem, until) : until, minPowerW };
  });
  const grantedW = byTheMinute ? carsCapacity(group, problem, limits, grants) : null;
  for (const [i, profile] of grantProfiles(problem.at, grants, grantedW).entries())
    wishes.set((out[i] as LiveSession).sessionId, profile);
  let spareW = spareNow(problem, plan);
  const slotsEnd = slotStart(slotOf(problem.at) + 2);
  for (const { live, car } of cars) {
    if (car.powerW > 0) continue;
    // A car that does not draw is asked again: now and then by right, else with what nobody else uses.
    const byRight = isAsked(live, problem.at);
    const limitW = byRight || spareW >= live.minPowerW ? live.minPowerW : 0;
    if (!byRight) spareW -= limitW;
    wishes.set(live.sessionId, [
      { from: problem.at, limitW: watt(limitW) },
      { from: epochSecond(byRight ? askedUntil(problem.at) : slotsEnd), limitW: watt(0) },
    ]);
  }
  return wishes;
}

/** The last end of an interval by then. */
function lastCut({ at, intervals }: GroupProblem, by: number): number {
  let end: number = at;
  for (const { durationS } of intervals) {
    if (end + durationS > by) break;
    end += durationS;
  }
  return end;
}

/** Power that the plan leaves free in its first intervals, until the end of the next slot. */
function spareNow(problem: GroupProblem, plan: Plan): number {
  let spareW = Number.POSITIVE_INFINITY;
  let startS = 0;
  for (const [t, interval] of problem.intervals.entries()) {
    if (problem.at + startS >= slotFloor(problem.at) + 2 * SLOT_S) break;
    const usedWh = problem.cars.reduce(
      (sum, car, i) => sum + (t >= car.from && t < car.to ? (plan.energyWh[i]?.[t - car.from] ?? 0) : 0),
      0,
    );
    const net = interval.demandWh + interval.fixedWh - interval.productionWh;
    spareW = Math.min(spareW, ((interval.limitWh - net - usedWh) * 3600) / interval.durationS);
    startS += interval.durationS;
  }
  return Math.max(0, Math.floor(spareW));
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
