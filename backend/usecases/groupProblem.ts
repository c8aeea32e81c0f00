/**
 * From the live picture of a group to the GroupProblem of one run: the horizon is cut at its start, at every slot
 * boundary and at every announced departure (rounded down to `cutS`); limits, loads and prices are laid over it.
 * Pure: the same picture gives the same problem.
 */
import type { AlgorithmName } from "../domain/algorithms.ts";
import type { ChargingGroup } from "../domain/assets.ts";
import type { FlexibilityOrder } from "../domain/orders.ts";
import { SLOT_S, SLOTS_PER_DAY, slotCeil, slotOf, slotStart } from "../domain/slots.ts";
import { type EpochSecond, epochSecond, microEurPerKwh, second, wattHour } from "../domain/units.ts";
import type { Car, GroupProblem, Interval, Weights } from "../optimisation/problem.ts";
import { type GroupBoard, importSoFarWh, type LiveSession, liveSessions } from "./board.ts";
import { hasCapacity, limitInForce, limitWs, slotLimitWs } from "./groupLimits.ts";
import { carsSoFarWh, filledUp, underOrders } from "./orderLimits.ts";
import type { GroupLimit, PricePoint } from "./ports.ts";
import { carOf, cutsOf, firstPartOnly, isPlanned, setAsideWh } from "./sessionCar.ts";

export { askedUntil, isAsked, isPlanned } from "./sessionCar.ts";

export type ProblemInput = {
  readonly group: ChargingGroup;
  readonly board: GroupBoard;
  readonly now: EpochSecond;
  /** Start of the plan. */
  readonly at: EpochSecond;
  readonly limits: readonly GroupLimit[];
  /** Flexibility orders that are applied. */
  readonly orders?: readonly FlexibilityOrder[];
  readonly prices: readonly PricePoint[];
  /** Other load minus PV per slot from the slot of `at` on, W; the last value is repeated. */
  readonly netW: readonly number[];
  readonly weights: Pick<Weights, "early">;
  readonly staleS: number;
  /** Share of the limit that is kept free, per mille. */
  readonly reservePerMille: number;
  /** The horizon reaches this instant at least, and is cut at these: a request that is asked about. */
  readonly alsoUntil?: number;
  readonly alsoCuts?: readonly number[];
};

/** Value of promised and of best-effort energy, micro-euro per kWh: far above every price, promised far above the rest. */
export const VOLL = 40_000_000;
export const EXTRA = 10_000_000;
/** Multiplies prices, above the minutes of the longest horizon, so that an early weight of 1 only breaks ties. */
export const SCALE = 20_000;
/**
 * Kept free of the limit, per mille: plans, because registers show whole Wh and stations answer with a delay; promises,
 * because what plans lose on the way (whole W, whole Wh, least power) must not be promised to anyone.
 */
export const RESERVE = { plan: 3, promise: 12 };
/** Algorithms that know a first and a last deadline per car. */
const KNOW_FIRST: readonly AlgorithmName[] = ["least-cost", "linear-program"];
/** The longest horizon: u16 minutes stay below SCALE. */
const HORIZON_S = 10 * 86_400;

export type SessionCar = { readonly live: LiveSession; readonly car: Car };

export type BuiltProblem = {
  readonly problem: GroupProblem;
  readonly cars: readonly SessionCar[];
  /** The same with every deadline, for admission and tracking; some algorithms know one per car (firstPartOnly). */
  readonly promises: GroupProblem;
};

export function groupProblem(input: ProblemInput): BuiltProblem {
  const { group, board, at } = input;
  const sessions = liveSessions(board);
  const planned = sessions.filter((live) => isPlanned(live, input.now));
  const cutS = planned.length > 100 ? 300 : 60;
  const ends = planned.flatMap((live) => cutsOf(live, at));
  // Under a capacity profile a grant must be as high on average as it is at every instant.
  for (const { grant } of sessions) if (grant && hasCapacity(input.limits, at, grant.until)) ends.push(grant.until);
  const cuts = horizonCuts(at, [...ends, ...(input.alsoCuts ?? [])], input.alsoUntil ?? at, cutS);
  const laid = { at, intervals: layIntervals(input, cuts, sessions) };
  const { orders = [] } = input;
  const soFarWh = carsSoFarWh(board, at, input.staleS);
  const { intervals } = underOrders(laid, orders, soFarWh);
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
  if (KNOW_FIRST.includes(group.algorithm.name) || problem.cars.every((car) => car.first === undefined))
    return { problem: filledUp(problem, orders, soFarWh), cars, promises: problem };
  const own = cars.map(({ live, car }) => ({ live, car: firstPartOnly(car, intervals) }));
  const plain = { ...problem, cars: own.map(({ car }) => car) };
  return { problem: filledUp(plain, orders, soFarWh), cars: own, promises: problem };
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
        ? Math.floor(budget * shareOfSlot(input, from, to))
        : Math.floor((limitWs(group, limits, from, to) * keep) / 3600);
    intervals.push({
      durationS: second(durationS),
      limitWh: wattHour(Math.max(0, limitWh)),
      demandWh: wattHour(Math.max(0, Math.ceil((net * durationS) / 3600))),
      productionWh: wattHour(Math.max(0, Math.floor((-net * durationS) / 3600))),
      fixedWh: wattHour(sessions.reduce((sum, live) => sum + setAsideWh(live, at, input.now, from, to), 0)),
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
  // Thermal: never above the limit at any moment, whatever the slot has saved so far. Nor is it used under another limit,
  // nor in another minute of a capacity profile.
  const changes = slotWs !== limitInForce(group, limits, at) * SLOT_S;
  const byTheMinute = hasCapacity(limits, at, slotStart(board.slot + 1));
  return changes || byTheMinute || group.limitKind === "thermal" ? Math.min(leftWh, restWh) : leftWh;
}

/** Share of the running slot's rest that falls into an interval of it: by time, under a capacity profile by its minutes. */
function shareOfSlot({ group, board, at, limits }: ProblemInput, from: number, to: number): number {
  const end = slotStart(board.slot + 1);
  if (!hasCapacity(limits, at, end)) return (to - from) / (end - at);
  const restWs = limitWs(group, limits, at, end);
  return restWs === 0 ? 0 : limitWs(group, limits, from, to) / restWs;
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
