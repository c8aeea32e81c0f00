/**
 * A grid operator or an energy trader orders flexibility. Answered at once: how much of it can be delivered in every
 * slot with all accepted promises whole, against the last certified plan recorded before the order. What is answered is
 * what is applied, by the next plan; a later request is admitted on what the order leaves, so that neither breaks the
 * other. Orders of one group add up, the earlier one first; opposite ones in the same slot are refused.
 */
import { ALGORITHM_NAMES, type AlgorithmName } from "../domain/algorithms.ts";
import { formatInstant } from "../domain/instants.ts";
import { type FlexibilityOrder, isApplied, type OrderDirection, type OrderSlot, wantedWh } from "../domain/orders.ts";
import { isTracked } from "../domain/promises.ts";
import { SLOT_S, slotFloor, slotOf } from "../domain/slots.ts";
import {
  type EpochSecond,
  energyDown,
  epochSecond,
  type MicroEurPerKwh,
  microEurPerKwh,
  type Watt,
  wattHour,
} from "../domain/units.ts";
import { slack } from "../optimisation/admission.ts";
import { exactPlan } from "../optimisation/exactPlan.ts";
import { type BySlot, deliverableDown, deliverableUp, leastBonus, withCaps } from "../optimisation/orders.ts";
import type { GroupProblem } from "../optimisation/problem.ts";
import { deliveredWh, type GroupBoard, groupBoard, liveSessions } from "./board.ts";
import { openHorizon } from "./horizonProblem.ts";
import { type BaselinePlan, baselineOf } from "./orderBaseline.ts";
import { carsSoFarWh } from "./orderLimits.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";
import { presentProblem } from "./runControlCycle.ts";
import { settlesAt } from "./settleOrder.ts";

export type OrderWish = Pick<
  FlexibilityOrder,
  "id" | "groupId" | "direction" | "powerW" | "from" | "until" | "price" | "force" | "givenBy"
>;

export type OrderAnswer =
  | { readonly kind: "answered"; readonly order: FlexibilityOrder; readonly known: boolean }
  | Refused<
      | "unknown-group"
      | "suspicious-order"
      | "past-order"
      | "not-on-slots"
      | "beyond-horizon"
      | "opposite-order"
      | "not-by-algorithm"
      | "no-baseline"
      | "taken-id"
    >;

/** Who follows a lowered limit, and who follows a lowered price. */
const CAN: Readonly<Record<OrderDirection, readonly AlgorithmName[]>> = {
  down: ALGORITHM_NAMES.filter((name) => name !== "uncontrolled"),
  up: ["least-cost", "linear-program"],
};

/** Below this an order is a value in kW, W. */
const LEAST_W = 1000;
/** An order is announced at least this long before it begins, s: a plan is made and sent. */
const NOTICE_S = 60;
const LONGEST_S = 86_400;
/** Less than this in a slot is not acknowledged, Wh: nobody could tell it from the error of the meters. */
const LEAST_WH = 25;
/** The price of an ordered slot is lowered by what it takes and this much more, as prices are still to come. Micro-euro per kWh. */
const BONUS_MARGIN = 5_000;
const MOST_BONUS = 2_000_000;

export async function orderFlexibility(world: World, wish: OrderWish): Promise<OrderAnswer> {
  const { store, clock } = world;
  const now = clock.now();
  const known = await store.grid.order(wish.id);
  if (known)
    return isSame(known, wish)
      ? { kind: "answered", order: known, known: true }
      : refused("taken-id", `There is another order ${wish.id}. Give each order an id of its own.`);
  const group = await store.sites.group(wish.groupId);
  if (!group) return refused("unknown-group", `Group ${wish.groupId} is not known.`);
  if (!CAN[wish.direction].includes(group.algorithm.name))
    return refused(
      "not-by-algorithm",
      `The group is run by ${group.algorithm.name}, which ${wish.direction === "up" ? "knows no prices and cannot be asked for more load" : "keeps no limit"}. Orders ${wish.direction} need ${CAN[wish.direction].join(" or ")}.`,
    );
  const fault = faultOf(wish, now, group.supplyLimitW);
  if (fault) return fault;
  const others = (await store.grid.orders(group.id, wish.from)).filter(isApplied);
  const opposite = others.find(
    (one) => one.direction !== wish.direction && one.from < wish.until && one.until > wish.from,
  );
  if (opposite)
    return refused(
      "opposite-order",
      `Order ${opposite.id} wants the opposite from ${formatInstant(opposite.from)} to ${formatInstant(opposite.until)}. Order other slots.`,
    );
  const baseline = await baselineOf(world, group.id, others);
  const slots = slotsBetween(wish.from, wish.until);
  if (!baseline)
    return refused(
      "no-baseline",
      "No certified plan of this group is recorded yet. Order again after the next quarter-hour.",
    );
  if (slots.some((slot) => !baseline.wh.has(slot)))
    return refused(
      "beyond-horizon",
      `The last recorded plan does not reach until ${formatInstant(wish.until)}; it looks about a day ahead. Order nearer to the time.`,
    );

  const board = groupBoard(world.board, group.id, now);
  const order = await answered(world, board, wish, slots, baseline);
  await store.grid.addOrder(order);
  clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: group.id });
  if (isApplied(order)) clock.schedule(settlesAt(order), { kind: "order-due", orderId: order.id });
  world.updates?.publish(`group:${group.id}`, { kind: "order", order: order.id, answer: order.answer });
  return { kind: "answered", order, known: false };
}

async function answered(
  world: World,
  board: GroupBoard,
  wish: OrderWish,
  slots: readonly number[],
  baseline: BaselinePlan,
): Promise<FlexibilityOrder> {
  const now = world.clock.now();
  const orderedWh = energyDown(wish.powerW, SLOT_S);
  const plannedWh = new Map(slots.map((slot) => [slot, baseline.wh.get(slot) ?? 0]));
  const { problem } = (await openHorizon(world, board, now, wish.until))();
  const spentWh = carsSoFarWh(board, problem.at, world.settings.staleS);
  const possible =
    wish.direction === "up"
      ? deliverableUp(withWishes(problem, board), plannedWh, orderedWh)
      : wish.force
        ? new Map([...plannedWh].map(([slot, wh]) => [slot, wattHour(Math.min(orderedWh, wh))]))
        : deliverableDown(problem, plannedWh, orderedWh, spentWh);
  const rows = slots.map(
    (slot): OrderSlot => ({
      slot,
      orderedWh,
      plannedWh: wattHour(plannedWh.get(slot) ?? 0),
      acknowledgedWh: wattHour((possible.get(slot) ?? 0) < LEAST_WH ? 0 : (possible.get(slot) ?? 0)),
    }),
  );
  const all = rows.every(({ acknowledgedWh }) => acknowledgedWh >= orderedWh);
  const none = rows.every(({ acknowledgedWh }) => acknowledgedWh === 0);
  const wanted: BySlot = new Map(rows.map((row) => [row.slot, wantedWh(wish, row)]));
  const { id, groupId, direction, powerW, from, until, price, force, givenBy } = wish;
  return {
    ...{ id, groupId, direction, powerW, from, until, price, force, givenBy },
    givenAt: now,
    answer: all ? "accepted" : none ? "refused" : "reduced",
    baseline: baseline.named,
    slots: rows,
    bonus: direction === "up" && !none ? await bonusFor(world, board, wanted) : microEurPerKwh(0),
    atRisk: force && direction === "down" ? atRisk(problem, withCaps(problem, wanted, spentWh), board) : [],
  };
}

async function bonusFor(world: World, board: GroupBoard, wanted: BySlot): Promise<MicroEurPerKwh> {
  const { built } = await presentProblem(world, board, world.clock.now());
  // Whatever waiting costs by then.
  const topped = withCaps(built.problem, wanted);
  const { weights } = topped;
  const bonuses = [1, weights.early].map((early) =>
    leastBonus({ ...topped, weights: { ...weights, early } }, wanted, MOST_BONUS, (one) => exactPlan(one)),
  );
  return microEurPerKwh(BONUS_MARGIN + Math.max(...bonuses));
}

/** Only what drivers wish counts as energy that can be moved here: what a car could take beyond it nobody knows. */
function withWishes(problem: GroupProblem, board: GroupBoard): GroupProblem {
  const wishes = new Map(liveSessions(board).map((live) => [live.number, live.wishedWh - deliveredWh(live)]));
  const cars = problem.cars.map((car) => ({
    ...car,
    moreWh: wattHour(Math.max(0, Math.min(car.moreWh, (wishes.get(car.session) ?? 0) - car.needWh))),
  }));
  return { ...problem, cars };
}

/** Promises that get shorter under the caps, by the exact flow; of several short ones the flow may choose. */
function atRisk(before: GroupProblem, after: GroupProblem, board: GroupBoard): FlexibilityOrder["atRisk"] {
  const missing = (problem: GroupProblem) => slack(problem, 1).map((wh) => Math.max(0, -wh));
  const [was, is] = [missing(before), missing(after)];
  const promised = liveSessions(board).filter(({ promise }) => promise && isTracked(promise.state));
  return promised.flatMap((live) => {
    const i = before.cars.findIndex(({ session }) => session === live.number);
    const moreWh = (is[i] ?? 0) - (was[i] ?? 0);
    return moreWh > 0 ? [{ sessionId: live.sessionId, missingWh: wattHour(moreWh) }] : [];
  });
}

/** What is wrong with the order itself. */
function faultOf(
  wish: OrderWish,
  now: EpochSecond,
  supplyLimitW: Watt,
): Extract<OrderAnswer, { kind: "refused" }> | null {
  const { powerW, from, until, force } = wish;
  if (powerW < LEAST_W)
    return refused(
      "suspicious-order",
      `An order of ${powerW} W is less than one car can give. Orders are in W: is ${powerW} kW = ${powerW * 1000} W meant?`,
    );
  if (powerW > supplyLimitW)
    return refused(
      "suspicious-order",
      `An order of ${powerW} W is above the group's supply limit of ${supplyLimitW} W. Is it in W?`,
    );
  if (from % SLOT_S !== 0 || until % SLOT_S !== 0)
    return refused(
      "not-on-slots",
      "An order is for whole quarter-hours. Begin and end at minute 00, 15, 30 or 45, second 00.",
    );
  const earliest = force ? slotFloor(now) : epochSecond(now + NOTICE_S);
  if (until <= from) return refused("past-order", "The order ends before it begins. Give a later `until`.");
  if (from < earliest)
    return refused(
      "past-order",
      `The order begins at ${formatInstant(from)}, but the earliest time is ${formatInstant(earliest)}: plans are sent a minute ahead.`,
    );
  if (until - from > LONGEST_S)
    return refused("suspicious-order", "The order is longer than a day. Order one day at a time.");
  return null;
}

const slotsBetween = (from: EpochSecond, until: EpochSecond) =>
  Array.from({ length: (until - from) / SLOT_S }, (_, k) => slotOf(from) + k);

const isSame = (order: FlexibilityOrder, wish: OrderWish) =>
  (["groupId", "direction", "powerW", "from", "until", "price", "force"] as const).every(
    (key) => order[key] === wish[key],
  );
