/** Pictures for people: one session as its driver watches it, one group as a cockpit shows it. Read from store and board. */
import type { MethodName } from "../domain/algorithms.ts";
import type { ChargingGroup, Evse } from "../domain/assets.ts";
import { limitAt } from "../domain/profiles.ts";
import { type EnergyPromise, isHolding, toleranceWh } from "../domain/promises.ts";
import type { Admission, Boost, ChargingPreferences, ChargingSession } from "../domain/sessions.ts";
import { slotOf } from "../domain/slots.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import {
  carsPowerW,
  deliveredWh,
  findLive,
  type GroupBoard,
  type LiveSession,
  liveSessions,
  netLoadW,
  owedWh,
} from "../usecases/board.ts";
import { gapMicroEur } from "../usecases/gap.ts";
import type { GroupLimit, Incident, StoredPlan, World } from "../usecases/ports.ts";
import { type StateOfCharge, stateOfCharge } from "../usecases/stateOfCharge.ts";

type Needs = Pick<World, "store" | "board" | "clock" | "settings">;

export type Limits = {
  readonly desiredW: number;
  readonly pendingW: number | null;
  readonly appliedW: number;
  readonly measuredW: number;
};

/** Why a car does not charge now. */
export const PAUSES = ["done", "unheard", "unconfirmed", "not-drawing", "not-yet", "later", "no-power"] as const;
export type Pause = (typeof PAUSES)[number];

export type SessionView = {
  readonly session: ChargingSession;
  readonly promise: EnergyPromise | null;
  readonly admission: Admission | null;
  readonly preferences: ChargingPreferences | null;
  readonly soc: StateOfCharge | null;
  readonly deliveredWh: number;
  /** Null once the car has gone. */
  readonly live: {
    readonly limits: Limits;
    readonly periods: readonly { readonly from: number; readonly limitW: number }[];
    /** When the wished energy will be in the car, by the latest plan. */
    readonly readyAt: number | null;
    readonly pause: Pause | null;
    /** Energy that could be guaranteed above the promise by its time, Wh, as of the latest run; negative: at risk. */
    readonly marginWh: number | null;
    /** When the promised energy will be in the car, by the latest plan; null without a promise, or when it will not. */
    readonly promiseReadyAt: number | null;
    /** Full power asked for, and what is granted now. */
    readonly boost: { readonly until: number; readonly energyWh: number | null; readonly limitW: number } | null;
    readonly notBefore: number | null;
    readonly cannotPause: boolean;
  } | null;
};

export async function sessionView(world: Needs, sessionId: string): Promise<SessionView | null> {
  const { store } = world;
  const session = await store.sessions.byId(sessionId);
  if (!session) return null;
  const promise = await store.promises.ofSession(sessionId);
  const found = findLive(world.board, sessionId);
  const now = world.clock.now();
  const preferences = await store.sessions.preferences(sessionId);
  return {
    session,
    promise,
    admission: await store.sessions.admission(sessionId),
    preferences,
    soc: stateOfCharge({
      stated: preferences?.battery,
      heard: await store.meters.latestSoc(sessionId),
      batteryWh: (session.driverId && (await store.drivers.preferences(session.driverId))?.batteryWh) || null,
      registerWh: found?.live.registerWh ?? session.endRegisterWh ?? session.startRegisterWh,
    }),
    deliveredWh: found
      ? deliveredWh(found.live)
      : (session.endRegisterWh ?? session.startRegisterWh) - session.startRegisterWh,
    live: found ? pictureOf(found.live, now, world.settings.staleS, promise) : null,
  };
}

function pictureOf(live: LiveSession, now: EpochSecond, staleS: number, promise: EnergyPromise | null) {
  return {
    limits: limitsOf(live, now),
    periods: live.desired.filter((_, i) => (live.desired[i + 1]?.from ?? Number.POSITIVE_INFINITY) > now),
    readyAt: readyAt(live, now, live.wishedWh - deliveredWh(live), live.wishedWh),
    pause: pauseOf(live, now, staleS),
    marginWh: (live.promise ?? promise)?.slackWh ?? null,
    promiseReadyAt:
      live.promise && isHolding(live.promise.state) ? readyAt(live, now, owedWh(live), live.promise.energyWh) : null,
    boost: live.boost && {
      until: live.boost.until,
      energyWh: live.boost.energyWh,
      limitW: live.grant?.limitW ?? 0,
    },
    notBefore: live.notBefore > now ? live.notBefore : null,
    cannotPause: live.cannotPause,
  };
}

export const limitsOf = (live: LiveSession, now: EpochSecond): Limits => ({
  desiredW: limitAt(live.desired, now),
  pendingW: live.pending ? limitAt(live.pending.profile, now) : null,
  appliedW: limitAt(live.applied, now),
  measuredW: live.powerW,
});

/**
 * Follows the plan's limits until `missingWh` of a goal are in; null when the plan ends before. Limits are whole W, so
 * that a plan's sum may be a few Wh short of the goal: what a promise tolerates counts as met.
 */
function readyAt(live: LiveSession, now: EpochSecond, missingWh: number, goalWh: number): number | null {
  let restWs = missingWh * 3600;
  if (restWs <= 0) return now;
  const mostW = Math.min(live.maxPowerW, live.seenMaxW ?? live.maxPowerW);
  const ends = live.desired.map((period) => period.from).filter((from) => from > now);
  let at: number = now;
  let drawnUntil: number = now;
  for (const end of [...ends, at + LONGEST_S]) {
    const powerW = Math.min(mostW, limitAt(live.desired, epochSecond(at)));
    if (powerW > 0) {
      if (restWs <= powerW * (end - at)) return Math.ceil(at + restWs / powerW);
      drawnUntil = end;
    }
    restWs -= powerW * (end - at);
    at = end;
  }
  return restWs <= toleranceWh(goalWh) * 3600 ? drawnUntil : null;
}

function pauseOf(live: LiveSession, now: EpochSecond, staleS: number): Pause | null {
  if (live.powerW > 0) return null;
  if (deliveredWh(live) >= live.wishedWh) return "done";
  if (now - live.readAt > staleS && live.readAt > live.pluggedAt) return "unheard";
  if (live.pending) return "unconfirmed";
  if (limitAt(live.applied, now) > 0) return "not-drawing";
  if (live.notBefore > now) return "not-yet";
  return live.desired.some((period) => period.from > now && period.limitW > 0) ? "later" : "no-power";
}

/** The last limit of a profile holds on; nobody waits longer than this, s. */
const LONGEST_S = 9 * 86_400;

export type EvseRow = {
  readonly evse: Evse;
  readonly sessionNumber: number | null;
  readonly sessionId: string | null;
  readonly limits: Limits | null;
  readonly ratedW: number;
  readonly promise: EnergyPromise | null;
  readonly stale: boolean;
  /** Full power that was asked for and has not ended. */
  readonly boost: RunningBoost | null;
};

export type RunningBoost = Pick<Boost, "askedBy" | "askedAt" | "until" | "energyWh"> & {
  /** Granted now. */
  readonly limitW: number;
};

export type GroupView = {
  readonly group: ChargingGroup;
  readonly at: EpochSecond;
  readonly limitW: number;
  readonly importW: number;
  readonly carsW: number;
  readonly demandW: number;
  readonly productionW: number;
  readonly batteryW: number | null;
  readonly price: number | null;
  readonly limits: readonly GroupLimit[];
  readonly rows: readonly EvseRow[];
  readonly plan: PlanView | null;
  readonly guardActions: number;
  readonly lastCycleAt: number | null;
  readonly incidents: readonly Incident[];
};

export type PlanView = {
  readonly id: string;
  readonly at: EpochSecond;
  readonly slot: number;
  readonly algorithm: MethodName;
  readonly cause: "slot" | "event";
  /** Cost minus certified bound; 0: no cheaper plan exists; null: this plan claims nothing. */
  readonly gap: bigint | null;
  readonly gapMicroEur: bigint | null;
  readonly repairedIntervals: number;
  readonly solveMs: number;
};

const DAY_S = 86_400;

export async function groupView(world: Needs, groupId: string): Promise<GroupView | null> {
  const { store } = world;
  const group = await store.sites.group(groupId);
  if (!group) return null;
  const now = world.clock.now();
  const board = world.board.groups[groupId];
  const carsW = board ? carsPowerW(board, now, world.settings.staleS) : 0;
  const incidents = await store.incidents.since(epochSecond(now - DAY_S));
  return {
    group,
    at: now,
    limitW: limitNow(group, board),
    carsW,
    importW: carsW + (board ? netLoadW(board) : 0),
    demandW: board?.site?.demandW ?? 0,
    productionW: board?.site?.productionW ?? 0,
    batteryW: board?.site?.batteryW ?? null,
    price: (await store.prices.from(world.settings.market, slotOf(now)))[0]?.price ?? null,
    // Of a capacity profile the present minute; the whole of it is at /grid.
    limits: (await store.sites.limits(groupId, now)).filter((one) => one.kind !== "capacity" || one.from <= now),
    rows: rowsOf(
      await store.sites.evses(groupId),
      board,
      await runningBoosts(store, board),
      now,
      world.settings.staleS,
    ),
    plan: await planView(world, groupId),
    guardActions: board?.guardActions ?? 0,
    lastCycleAt: board && board.lastCycleAt > 0 ? board.lastCycleAt : null,
    // Of no group: the chain's, which is everybody's.
    incidents: incidents.filter((incident) => incident.groupId === groupId || incident.groupId === null),
  };
}

const limitNow = (group: ChargingGroup, board: GroupBoard | undefined) =>
  board && board.lastCycleAt > 0 ? board.limitW : group.supplyLimitW;

/** By session. Who asked stands in the store only. */
async function runningBoosts(
  store: World["store"],
  board: GroupBoard | undefined,
): Promise<ReadonlyMap<string, RunningBoost>> {
  const running = new Map<string, RunningBoost>();
  for (const { sessionId, boost, grant } of board ? liveSessions(board) : []) {
    const asked = boost && (await store.priorities.boosts(sessionId)).find(({ id }) => id === boost.id);
    if (asked) running.set(sessionId, { ...asked, limitW: grant?.limitW ?? 0 });
  }
  return running;
}

function rowsOf(
  evses: readonly Evse[],
  board: GroupBoard | undefined,
  boosts: ReadonlyMap<string, RunningBoost>,
  now: EpochSecond,
  staleS: number,
): EvseRow[] {
  const sessions = new Map((board ? liveSessions(board) : []).map((live) => [live.evseId, live]));
  return evses.map((evse) => {
    const live = sessions.get(evse.id);
    return {
      evse,
      sessionNumber: live?.number ?? null,
      sessionId: live?.sessionId ?? null,
      limits: live ? limitsOf(live, now) : null,
      ratedW: evse.maxPowerW,
      promise: live?.promise ?? null,
      stale: live ? now - live.readAt > staleS : false,
      boost: (live && boosts.get(live.sessionId)) ?? null,
    };
  });
}

async function planView({ store }: Needs, groupId: string): Promise<PlanView | null> {
  const plan = await store.plans.latest(groupId);
  return plan && planViewOf(plan);
}

export const planViewOf = ({
  id,
  at,
  slot,
  algorithm,
  cause,
  repairedIntervals,
  solveMs,
  cost,
  bound,
  problem,
}: StoredPlan): PlanView => ({
  id,
  at,
  slot,
  algorithm,
  cause,
  repairedIntervals,
  solveMs,
  gap: bound === null ? null : cost - bound,
  gapMicroEur: gapMicroEur({ cost, bound, problem }),
});
