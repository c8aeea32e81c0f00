/**
 * The live picture of every group: what each EVSE may draw, what it draws, and what the slot has imported so far.
 * Plain data, changed in place by the use cases after their transaction has committed, saved with every step
 * (snapshots) and brought up to date from the store at start (loadBoard.ts). Everything here can be rebuilt.
 *
 * Per session four limits are kept apart: `desired` (the latest plan's), `pending` (sent, not answered), `applied`
 * (confirmed by the station) and `powerW` (measured).
 */
import type { Evse } from "../domain/assets.ts";
import { MIN_POWER_PER_PHASE_W } from "../domain/assets.ts";
import type { MeterReading, SiteReading, SiteSlot } from "../domain/meters.ts";
import { type ChargingProfile, limitAt, nextChange } from "../domain/profiles.ts";
import { type EnergyPromise, isHolding } from "../domain/promises.ts";
import type { ChargingMode, ChargingSession } from "../domain/sessions.ts";
import { SLOT_S, slotOf, slotStart } from "../domain/slots.ts";
import { type EpochSecond, type Watt, watt, wattHour } from "../domain/units.ts";
import { createHabits, type Habits, learn } from "./habits.ts";
import type { GroupLimit } from "./ports.ts";

export type Board = { readonly groups: Record<string, GroupBoard> };

export type GroupBoard = {
  readonly groupId: string;
  /** Slot under accumulation. */
  slot: number;
  /** Latest HEMS reading; null where none ever came (no other load behind the limit). */
  site: { demandW: number; productionW: number; batteryW?: number | undefined; at: number } | null;
  /** Energy of the other load in this slot until `siteUpTo`, W*s. */
  demandWs: number;
  productionWs: number;
  siteUpTo: number;
  /**
   * What the other load may have taken beside that: a rise that a reading shows may have begun right after the reading
   * before. Falls count against rises. In this slot, W*s.
   */
  unseenWs: number;
  /** Energy in this slot of sessions that ended in it, Wh. */
  endedWh: number;
  /** Other load that the latest plan expected for the current slot, W; a nowcast far from it asks for a new plan. */
  expectedNetW: number;
  lastCycleAt: number;
  /** What its drivers turned out to do, against what they said. */
  readonly habits: Habits;
  /** Cycles so far; names the next plan. */
  cycles: number;
  /** Times that the in-slot guard acted. */
  guardActions: number;
  /** Latest slot recorded on chain. */
  recordedSlot: number;
  /** Last register of each EVSE without a session, Wh. */
  readonly registers: Record<string, number>;
  /** Limit in force at the latest cycle, W. */
  limitW: number;
  /** Mean of the limit over the running slot, W: what a contract is judged by when a limit begins or ends inside it. */
  slotLimitW: number;
  limitKind: "contract" | "thermal";
  /** Limits around now, while a capacity profile changes them without a new plan; else null. */
  coming: { readonly supplyLimitW: Watt; readonly limits: readonly GroupLimit[] } | null;
  /** The group runs `uncontrolled`: nothing keeps its cars within the limit. */
  unlimited?: boolean;
  /** The HEMS has not reported for too long. */
  siteSilent: boolean;
  readonly sessions: Record<string, LiveSession>;
};

export type LiveSession = {
  readonly sessionId: string;
  readonly number: number;
  readonly evseId: string;
  readonly row: number;
  mode: ChargingMode;
  readonly pluggedAt: number;
  readonly maxPowerW: number;
  readonly minPowerW: number;
  readonly startRegisterWh: number;
  /** What the driver wished, or what was learned. */
  departsAt: number;
  wishedWh: number;
  /** The promise in force, if any. */
  promise: EnergyPromise | null;
  /** Opt-out or boost: fixed power granted until then. */
  grant: { limitW: number; until: number } | null;
  /** Full power asked for until then, or until the energy is in. */
  boost: { id: string; until: number; energyWh: number | null; fromRegisterWh: number } | null;
  /** Planned start: no charging before. 0: at once. */
  notBefore: number;
  /** Once it charges it is never set to 0 before its energy is in, as far as limits allow. */
  cannotPause: boolean;
  /** Since when, or from when on, its least power is set aside; null: not yet. */
  steadyFrom: number | null;

  registerWh: number;
  powerW: number;
  readAt: number;
  slotStartWh: number;

  desired: ChargingProfile;
  pending: { id: string; profile: ChargingProfile; sentAt: number } | null;
  applied: ChargingProfile;
  /** An increase that waits until the decreases of its plan are confirmed. */
  held: { profile: ChargingProfile; reason: "plan" | "guard" } | null;

  /** Highest power seen, W. */
  peakW: number;
  /** Energy that the applied limit allowed in this slot until `allowedUpTo`, W*s. */
  allowedWs: number;
  allowedUpTo: number;
  /** Slots of this session that have ended. */
  readonly slots: { slot: number; meteredWh: number; allowedWh: number }[];

  /** Profiles sent so far; names the next one. */
  sends: number;

  /** Since when the car has drawn clearly less than it may; null while it takes what it gets. */
  underSince: number | null;
  /** Most that the car was seen to take when it was allowed more; null: its rated power. 0: it does not draw. */
  seenMaxW: number | null;
  /** When it was last offered enough to draw, and did not. */
  triedAt: number;
  /** The station refused or did not answer: its applied limit is taken as a fixed load until then. */
  heldOutUntil: number;
  /** Register did not move although power was reported. */
  frozenSince: number | null;
  /** What flowed in this slot meanwhile by the power reported, W*s. */
  frozenWs: number;
  frozenNoted: boolean;
  /** The meter has not been heard for too long. */
  silent: boolean;
  /** Times in which the car drew clearly less than it was offered; the promise's missing energy then is the vehicle's. */
  readonly unwilling: { from: number; until: number | null }[];
  /** Times in which the station was out of order or silent: the operator's. */
  readonly faults: { from: number; until: number | null }[];
};

export const createBoard = (): Board => ({ groups: {} });

export function groupBoard(board: Board, groupId: string, now: EpochSecond): GroupBoard {
  let group = board.groups[groupId];
  if (!group) {
    group = {
      groupId,
      slot: slotOf(now),
      site: null,
      demandWs: 0,
      productionWs: 0,
      siteUpTo: now,
      unseenWs: 0,
      endedWh: 0,
      expectedNetW: 0,
      lastCycleAt: 0,
      habits: createHabits(),
      cycles: 0,
      guardActions: 0,
      recordedSlot: 0,
      registers: {},
      limitW: 0,
      slotLimitW: 0,
      limitKind: "contract",
      coming: null,
      siteSilent: false,
      sessions: {},
    };
    board.groups[groupId] = group;
  }
  return group;
}

export const liveSessions = (group: GroupBoard) => Object.values(group.sessions).sort((a, b) => a.number - b.number);

/** Least power other than 0 of a car: 6 A per phase in use, never above its own most. */
export const minPowerOf = (maxPowerW: number, phases: number) => Math.min(MIN_POWER_PER_PHASE_W * phases, maxPowerW);

export function addSession(group: GroupBoard, session: ChargingSession, evse: Evse, now: EpochSecond): LiveSession {
  const stopped: ChargingProfile = [{ from: now, limitW: watt(0) }];
  const live: LiveSession = {
    sessionId: session.id,
    number: session.number,
    evseId: session.evseId,
    row: evse.row,
    mode: session.mode,
    pluggedAt: session.pluggedAt,
    maxPowerW: session.maxPowerW,
    minPowerW: minPowerOf(session.maxPowerW, session.phases),
    startRegisterWh: session.startRegisterWh,
    departsAt: session.pluggedAt,
    wishedWh: 0,
    promise: null,
    grant: null,
    boost: null,
    notBefore: 0,
    cannotPause: session.cannotPause ?? false,
    steadyFrom: null,
    registerWh: session.startRegisterWh,
    powerW: 0,
    readAt: session.pluggedAt,
    slotStartWh: session.startRegisterWh,
    desired: stopped,
    pending: null,
    applied: stopped,
    held: null,
    peakW: 0,
    allowedWs: 0,
    allowedUpTo: now,
    slots: [],
    sends: 0,
    underSince: null,
    seenMaxW: null,
    triedAt: 0,
    heldOutUntil: 0,
    frozenSince: null,
    frozenWs: 0,
    frozenNoted: false,
    silent: false,
    unwilling: [],
    faults: [],
  };
  group.sessions[session.id] = live;
  return live;
}

export function removeSession(group: GroupBoard, sessionId: string, at: EpochSecond): void {
  const live = group.sessions[sessionId];
  if (!live) return;
  if (live.mode === "smart") learn(group.habits, live, at);
  group.endedWh += live.registerWh - live.slotStartWh;
  group.registers[live.evseId] = live.registerWh;
  delete group.sessions[sessionId];
}

/** Brings the other load's energy of the slot up to `now`; a reading holds until the next one. */
function integrateSite(group: GroupBoard, now: number): void {
  const durationS = now - group.siteUpTo;
  if (durationS <= 0) return;
  if (group.site) {
    group.demandWs += group.site.demandW * durationS;
    group.productionWs += group.site.productionW * durationS;
  }
  group.siteUpTo = now;
}

/** Counts what the applied limit allowed until `to`. */
export function integrateAllowed(live: LiveSession, to: number): void {
  let at = live.allowedUpTo;
  while (at < to) {
    const until = Math.min(to, nextChange(live.applied, at as EpochSecond) ?? to);
    live.allowedWs += Math.min(live.maxPowerW, limitAt(live.applied, at as EpochSecond)) * (until - at);
    at = until;
  }
  live.allowedUpTo = Math.max(live.allowedUpTo, to);
}

/** Moves on to the slot of `now`; answers what the slots that ended were. */
export function rollSlots(group: GroupBoard, now: EpochSecond): SiteSlot[] {
  const ended: SiteSlot[] = [];
  while (group.slot < slotOf(now)) {
    const end = slotStart(group.slot + 1);
    integrateSite(group, end);
    let carsWh = group.endedWh;
    for (const live of liveSessions(group)) {
      integrateAllowed(live, end);
      const meteredWh = live.registerWh - live.slotStartWh;
      live.slots.push({
        slot: group.slot,
        meteredWh,
        allowedWh: Math.max(meteredWh, Math.floor(live.allowedWs / 3600)),
      });
      carsWh += meteredWh;
      live.allowedWs = 0;
      live.frozenWs = 0;
      live.slotStartWh = live.registerWh;
    }
    ended.push({
      groupId: group.groupId,
      slot: group.slot,
      demandW: watt(Math.round(group.demandWs / SLOT_S)),
      productionW: watt(Math.round(group.productionWs / SLOT_S)),
      carsWh: wattHour(carsWh),
      limitW: watt(group.coming ? Math.floor(group.slotLimitW) : group.limitW),
    });
    group.slot++;
    group.demandWs = 0;
    group.productionWs = 0;
    group.unseenWs = 0;
    group.slotLimitW = group.limitW;
    group.endedWh = 0;
  }
  return ended;
}

export const siteOf = ({ groupId: _, ...site }: SiteReading): NonNullable<GroupBoard["site"]> => site;

export function foldSiteReading(group: GroupBoard, reading: SiteReading): void {
  integrateSite(group, reading.at);
  if (group.site) {
    const unseenS = Math.max(0, reading.at - Math.max(group.site.at, slotStart(group.slot)));
    group.unseenWs += (reading.demandW - reading.productionW - netLoadW(group)) * unseenS;
  }
  group.site = siteOf(reading);
}

/** Between two readings that lie further apart, energy is shared out over the slots, s. */
const GAP_S = 120;

export function foldMeterReading(group: GroupBoard, live: LiveSession, reading: MeterReading): void {
  // What flowed while the meter was not heard or stood still belongs to the slots in which it flowed: evenly, but to
  // this slot not less than the power reported in it.
  const since = live.frozenSince ?? live.readAt;
  const slotStartAt = slotStart(group.slot);
  if (reading.at - since > GAP_S && since < slotStartAt && slotStartAt < reading.at) {
    const risenWh = reading.registerWh - live.registerWh;
    const evenWh = (risenWh * (reading.at - slotStartAt)) / (reading.at - since);
    const reportedWh = (live.frozenWs + live.powerW * (reading.at - Math.max(live.readAt, slotStartAt))) / 3600;
    const inSlotWh = live.frozenSince === null ? evenWh : Math.max(evenWh, reportedWh);
    live.slotStartWh = reading.registerWh - Math.min(risenWh, Math.ceil(inSlotWh));
  }
  live.registerWh = reading.registerWh;
  live.powerW = reading.powerW;
  live.peakW = Math.max(live.peakW, reading.powerW);
  live.readAt = reading.at;
}

/** Power of the cars now, W. A stale or unanswered station counts with the most that it may draw. */
export function carsPowerW(group: GroupBoard, now: EpochSecond, staleS: number): number {
  return liveSessions(group).reduce((sum, live) => sum + powerNow(live, now, staleS), 0);
}

export function powerNow(live: LiveSession, now: EpochSecond, staleS: number): number {
  if (now - live.readAt <= staleS) return live.powerW;
  return Math.min(live.maxPowerW, worstLimitW(live, now));
}

/** The most that the station may allow: until a pending profile is answered, the higher of the two. */
export function worstLimitW(live: LiveSession, at: EpochSecond): number {
  const appliedW = limitAt(live.applied, at);
  return live.pending ? Math.max(appliedW, limitAt(live.pending.profile, at)) : appliedW;
}

/** Import of the slot until `now`, Wh (may be negative in surplus): registers, then present power since their reading. */
export function importSoFarWh(group: GroupBoard, now: EpochSecond, staleS: number): number {
  let carsWh = group.endedWh;
  for (const live of Object.values(group.sessions)) {
    const since = Math.max(live.readAt, slotStart(group.slot));
    carsWh +=
      live.frozenWs / 3600 +
      live.registerWh -
      live.slotStartWh +
      (powerNow(live, now, staleS) * Math.max(0, now - since)) / 3600;
  }
  const restS = Math.max(0, now - group.siteUpTo);
  const netWs =
    group.demandWs - group.productionWs + Math.max(0, group.unseenWs) + (group.site ? netLoadW(group) * restS : 0);
  return carsWh + netWs / 3600;
}

export const netLoadW = (group: GroupBoard) => (group.site ? group.site.demandW - group.site.productionW : 0);

export const deliveredWh = (live: LiveSession) => live.registerWh - live.startRegisterWh;

/** The station is out of order (not merely silent): it gives no power, whatever it is allowed. */
export const isBroken = (live: LiveSession) => live.faults.at(-1)?.until === null && !live.silent;

/** A version that never was in force, or is not any more: an offer that nobody took, or one that was amended. */
export const cameToNothing = (promise: EnergyPromise) =>
  promise.state === "expired" || promise.state === "withdrawn" || promise.state === "amended";

/** Energy that the promise in force still owes at its terms, Wh; 0 without one. */
export const owedWh = (live: LiveSession) =>
  live.promise && isHolding(live.promise.state)
    ? Math.max(0, live.promise.energyWh - (live.registerWh - live.promise.fromRegisterWh))
    : 0;

export function findLive(board: Board, sessionId: string): { group: GroupBoard; live: LiveSession } | null {
  for (const group of Object.values(board.groups)) {
    const live = group.sessions[sessionId];
    if (live) return { group, live };
  }
  return null;
}
