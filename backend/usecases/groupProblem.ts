/**
 * From the live picture of a group to the GroupProblem of one run: the horizon is cut at its start, at every slot
 * boundary and at every announced departure (rounded down to `cutS`); limits, loads and prices are laid over it.
 * Pure: the same picture gives the same problem.
 */
import type { ChargingGroup } from "../domain/assets.ts";
import { SLOT_S, SLOTS_PER_DAY, slotCeil, slotFloor, slotOf, slotStart } from "../domain/slots.ts";
import { type EpochSecond, epochSecond, microEurPerKwh, second, watt, wattHour } from "../domain/units.ts";
import type { Car, GroupProblem, Interval, Weights } from "../optimisation/problem.ts";
import {
  deliveredWh,
  type GroupBoard,
  importSoFarWh,
  isBroken,
  type LiveSession,
  liveSessions,
  owedWh,
  worstLimitW,
} from "./board.ts";
import type { GroupLimit, PricePoint } from "./ports.ts";

export type ProblemInput = {
  readonly group: ChargingGroup;
  readonly board: GroupBoard;
  readonly now: EpochSecond;
  /** Start of the plan. */
  readonly at: EpochSecond;
  readonly limits: readonly GroupLimit[];
  readonly prices: readonly PricePoint[];
  /** Other load minus PV per slot from the slot of `at` on, W; the last value is repeated. */
  readonly netW: readonly number[];
  readonly weights: Pick<Weights, "early">;
  readonly staleS: number;
  /** Share of the limit that is kept free, per mille. */
  readonly reservePerMille: number;
  /** The horizon reaches this instant at least, and is cut at this departure: a request that is asked about. */
  readonly alsoUntil?: EpochSecond;
  readonly alsoCut?: EpochSecond;
};

/** Value of promised and of best-effort energy, micro-euro per kWh: far above every price, promised far above the rest. */
export const VOLL = 40_000_000;
export const EXTRA = 10_000_000;
/** Multiplies prices, above the minutes of the longest horizon, so that an early weight of 1 only breaks ties. */
export const SCALE = 20_000;
/** A car that overstays, or whose departure nobody knows, is planned for this long, again and again. */
const OVERSTAY_S = 2 * 3600;
/**
 * Kept free of the limit, per mille: plans, because registers show whole Wh and stations answer with a delay; promises,
 * because what plans lose on the way (whole W, whole Wh, least power) must not be promised to anyone.
 */
export const RESERVE = { plan: 3, promise: 12 };
/** The longest horizon: u16 minutes stay below SCALE. */
const HORIZON_S = 10 * 86_400;

export type SessionCar = { readonly live: LiveSession; readonly car: Car };

export type BuiltProblem = { readonly problem: GroupProblem; readonly cars: readonly SessionCar[] };

export function groupProblem(input: ProblemInput): BuiltProblem {
  const { group, board, at } = input;
  const sessions = liveSessions(board);
  const planned = sessions.filter((live) => isPlanned(live, input.now));
  const cutS = planned.length > 100 ? 300 : 60;
  const ends = planned.map((live) => horizonOf(live, at));
  const cuts = horizonCuts(
    at,
    input.alsoCut === undefined ? ends : [...ends, input.alsoCut],
    input.alsoUntil ?? at,
    cutS,
  );
  const intervals = layIntervals(input, cuts, sessions);
  const cars: SessionCar[] = [];
  for (const live of planned) {
    const car = carOf(live, at, cuts);
    if (car) cars.push({ live, car });
  }
  const problem: GroupProblem = {
    group: group.number,
    slot: slotOf(at),
    at,
    weights: { scale: SCALE, early: input.weights.early, voll: VOLL, extra: EXTRA },
    cars: cars.map((entry) => entry.car),
    intervals,
  };
  return { problem, cars };
}

/** Opted-out sessions and stations that do not obey are fixed loads, not cars of the plan. */
export const isPlanned = (live: LiveSession, now: number) => live.mode !== "opted-out" && live.heldOutUntil <= now;

/** Until when a session is planned for. */
function horizonOf(live: LiveSession, at: number): number {
  if (live.promise && live.promise.by > at && owedWh(live) > 0) return live.promise.by;
  return live.departsAt > at + 60 ? live.departsAt : at + OVERSTAY_S;
}

function horizonCuts(at: EpochSecond, departures: readonly number[], alsoUntil: number, cutS: number): number[] {
  const ends = departures
    .map((end) => Math.floor(Math.min(end, at + HORIZON_S) / cutS) * cutS)
    .filter((end) => end > at);
  const until = slotCeil(
    epochSecond(Math.max(at + SLOTS_PER_DAY * SLOT_S, Math.min(alsoUntil, at + HORIZON_S), ...ends)),
  );
  const cuts = new Set([at as number, ...ends]);
  for (let boundary = slotCeil(epochSecond(at + 1)) as number; boundary <= until; boundary += SLOT_S)
    cuts.add(boundary);
  return [...cuts].sort((a, b) => a - b);
}

function layIntervals(input: ProblemInput, cuts: readonly number[], sessions: readonly LiveSession[]): Interval[] {
  const { group, board, at, limits, netW } = input;
  const firstSlot = slotOf(at);
  const priceOf = priceLookup(input.prices);
  const fixed = sessions.filter((live) => !isPlanned(live, input.now));
  const asked = sessions.filter((live) => isPlanned(live, input.now) && isAsked(live, at));
  const intervals: Interval[] = [];
  const budget = currentSlotBudget(input);
  const keep = 1 - input.reservePerMille / 1000;
  for (let t = 0; t + 1 < cuts.length; t++) {
    const from = cuts[t] as number;
    const to = cuts[t + 1] as number;
    const durationS = to - from;
    const slot = slotOf(from as EpochSecond);
    const net = netW[Math.min(slot - firstSlot, netW.length - 1)] ?? 0;
    const limitWh =
      slot === board.slot && slot === firstSlot
        ? Math.floor((budget * durationS) / (slotStart(slot + 1) - at))
        : Math.floor((limitWs(group, limits, from, to) * keep) / 3600);
    intervals.push({
      durationS: second(durationS),
      limitWh: wattHour(Math.max(0, limitWh)),
      demandWh: wattHour(Math.max(0, Math.ceil((net * durationS) / 3600))),
      productionWh: wattHour(Math.max(0, Math.floor((-net * durationS) / 3600))),
      fixedWh: wattHour(
        fixed.reduce((sum, live) => sum + fixedWh(live, from, to), 0) +
          asked.reduce(
            (sum, live) => sum + Math.ceil((live.minPowerW * Math.max(0, Math.min(to, askedUntil(at)) - from)) / 3600),
            0,
          ),
      ),
      feedIn: group.feedIn,
      price: microEurPerKwh(priceOf(slot)),
    });
  }
  return intervals;
}

/** What is left of the running slot's energy at the start of the plan, Wh: the limit is a mean over the whole slot. */
function currentSlotBudget({ group, board, at, limits, staleS, reservePerMille }: ProblemInput): number {
  const slotWs = slotLimitWs(group, limits, at);
  const slotWh = (slotWs * (1 - reservePerMille / 1000)) / 3600;
  // A register shows whole Wh: up to 1 Wh of each session is not seen yet.
  const soFarWh = importSoFarWh(board, at, staleS) + Object.keys(board.sessions).length;
  const restWh = limitWs(group, limits, at, slotStart(board.slot + 1)) / 3600;
  const leftWh = slotWh - soFarWh;
  // Thermal: never above the limit at any moment, whatever the slot has saved so far. Nor is it used under another limit.
  const changes = slotWs !== limitInForce(group, limits, at) * SLOT_S;
  return changes || group.limitKind === "thermal" ? Math.min(leftWh, restWh) : leftWh;
}

/** Import that the running slot may have in all: under the limits that there were, and under the present one at most. */
export function slotLimitWs(group: ChargingGroup, limits: readonly GroupLimit[], at: EpochSecond): number {
  let ws = 0;
  let from: number = slotFloor(at);
  for (const to of [...changesWithin(limits, from, at), at]) {
    ws += limitInForce(group, limits, epochSecond(from)) * (to - from);
    from = to;
  }
  return ws + limitWs(group, limits, at, slotFloor(at) + SLOT_S);
}

/** What the limit at `from` allows until `to`, W*s; one that begins in between lowers it, one that ends waits for a new plan. */
function limitWs(group: ChargingGroup, limits: readonly GroupLimit[], from: number, to: number): number {
  const firstW = limitInForce(group, limits, epochSecond(from));
  let ws = 0;
  let at = from;
  for (const next of [...changesWithin(limits, from, to), to]) {
    ws += Math.min(firstW, limitInForce(group, limits, epochSecond(at))) * (next - at);
    at = next;
  }
  return ws;
}

const changesWithin = (limits: readonly GroupLimit[], from: number, to: number) =>
  limits
    .flatMap((limit) => [limit.from as number, limit.until as number | null])
    .filter((at) => at !== null && at > from && at < to)
    .map(Number)
    .sort((a, b) => a - b);

function fixedWh(live: LiveSession, from: number, to: number): number {
  if (live.mode === "opted-out") {
    const untilS = Math.min(to, live.grant?.until ?? 0) - from;
    return untilS > 0 ? Math.ceil(((live.grant?.limitW ?? 0) * untilS) / 3600) : 0;
  }
  return Math.ceil((Math.min(live.maxPowerW, worstLimitW(live, from as EpochSecond)) * (to - from)) / 3600);
}

export function limitInForce(group: ChargingGroup, limits: readonly GroupLimit[], at: EpochSecond): number {
  return limits.reduce(
    (least, limit) =>
      limit.from <= at && (limit.until === null || at < limit.until) ? Math.min(least, limit.limitW) : least,
    group.supplyLimitW as number,
  );
}

/** Known price of a slot, or that of the same quarter-hour of the last known day. */
export function priceLookup(prices: readonly PricePoint[]): (slot: number) => number {
  const bySlot = new Map(prices.map((point) => [point.slot, point.price as number]));
  const last = prices.length > 0 ? (prices[prices.length - 1] as PricePoint).slot : 0;
  return (slot) => {
    let known = slot;
    while (known > last) known -= SLOTS_PER_DAY;
    return bySlot.get(known) ?? bySlot.get(last) ?? 0;
  };
}

function carOf(live: LiveSession, at: EpochSecond, cuts: readonly number[]): Car | null {
  const end = horizonOf(live, at);
  let to = 0;
  while (to + 1 < cuts.length && (cuts[to + 1] as number) <= end) to++;
  if (to === 0) return null;
  const powerW = isBroken(live) ? 0 : Math.min(live.maxPowerW, live.seenMaxW ?? live.maxPowerW);
  const needWh = live.promise && live.promise.by > at ? owedWh(live) : 0;
  const stayWh = Math.floor((powerW * ((cuts[to] as number) - at)) / 3600);
  return {
    session: live.number,
    row: live.row,
    needWh: wattHour(needWh),
    moreWh: wattHour(Math.min(moreWh(live, needWh), Math.max(0, stayWh - needWh))),
    powerW: watt(powerW),
    minPowerW: watt(Math.min(live.minPowerW, powerW)),
    from: 0,
    to,
  };
}

/** A car that does not draw although it is owed energy is asked again this often, for so long, s. */
const ASK_AGAIN = { everyS: 1800, forS: 300 };

/** It is asked with its least power as a fixed load; when it draws, a new plan counts with it again. */
export const isAsked = (live: LiveSession, at: number) =>
  live.seenMaxW === 0 && owedWh(live) > 0 && at - live.triedAt >= ASK_AGAIN.everyS;
export const askedUntil = (at: number) => at + ASK_AGAIN.forS;

/** Wished beyond the promise; once everything wished is in, whatever a car that still draws can take. */
function moreWh(live: LiveSession, needWh: number): number {
  const missing = live.wishedWh - deliveredWh(live) - needWh;
  if (missing > 0) return missing;
  return needWh > 0 ? 0 : 0xffffff;
}
