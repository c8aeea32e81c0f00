/**
 * A flexibility order: a grid operator or an energy trader wants a group's cars to take less (`down`) or more (`up`) than
 * planned, for whole slots. It is answered at once with what can be delivered while every accepted promise stays whole;
 * what was acknowledged is what is applied. What counts is the cars' energy: the building's is a forecast that nobody
 * orders and nobody could check afterwards.
 *
 *   accepted | reduced | refused, then settled: met | partly | missed
 */
import { divDown, worth } from "./money.ts";
import type { EpochSecond, MicroEur, MicroEurPerKwh, Watt, WattHour } from "./units.ts";
import { microEur, wattHour } from "./units.ts";

export type OrderDirection = "down" | "up";

/** One slot of an order. Energies are the cars' of the whole group, those included that did not opt in. */
export type OrderSlot = {
  readonly slot: number;
  /** What was ordered: the power over the slot, rounded down. */
  readonly orderedWh: WattHour;
  /** Baseline: the last certified plan recorded before the order, with the orders that it did not know yet. */
  readonly plannedWh: WattHour;
  /** What was promised to the grid. */
  readonly acknowledgedWh: WattHour;
};

/** The plan that an order is settled against, by what the chain says of it. */
export type OrderBaseline = { readonly planId: string; readonly problemHash: string; readonly planHash: string };

export type FlexibilityOrder = {
  readonly id: string;
  readonly groupId: string;
  readonly direction: OrderDirection;
  readonly powerW: Watt;
  /** Slot boundaries. */
  readonly from: EpochSecond;
  readonly until: EpochSecond;
  /** Paid per kWh delivered, where one was agreed. */
  readonly price: MicroEurPerKwh | null;
  /** Emergency: applied in full, even against promises. */
  readonly force: boolean;
  readonly givenAt: EpochSecond;
  /** A key or an account, by its id. */
  readonly givenBy: string;
  readonly answer: "accepted" | "reduced" | "refused";
  readonly baseline: OrderBaseline;
  readonly slots: readonly OrderSlot[];
  /** Up: by so much the price of the ordered slots is lowered for the plan, micro-euro per kWh. */
  readonly bonus: MicroEurPerKwh;
  /** Force: promises that may be missed because of it, and by how much. */
  readonly atRisk: readonly { readonly sessionId: string; readonly missingWh: WattHour }[];
};

/** What became of one slot. */
export type SlotDelivery = { readonly slot: number; readonly measuredWh: WattHour; readonly deliveredWh: WattHour };

export type OrderSettlement = {
  readonly orderId: string;
  readonly settledAt: EpochSecond;
  readonly slots: readonly SlotDelivery[];
  readonly deliveredWh: WattHour;
  readonly outcome: "met" | "partly" | "missed";
  readonly amountMicroEur: MicroEur;
  /** What each session's meter showed slot by slot, by session number; their sums are `measuredWh`. */
  readonly meters: readonly { readonly session: number; readonly wh: readonly number[] }[];
};

export const isApplied = ({ answer }: Pick<FlexibilityOrder, "answer">) => answer !== "refused";

/** The order and its answer as one text, for the chain; no session in it. */
export const orderText = (order: FlexibilityOrder) =>
  JSON.stringify({
    answer: order.answer,
    direction: order.direction,
    force: order.force,
    from: order.from,
    givenAt: order.givenAt,
    id: order.id,
    kind: "order",
    plan: order.baseline.planHash,
    powerW: order.powerW,
    price: order.price,
    slots: order.slots.map(({ slot, orderedWh, plannedWh, acknowledgedWh }) => [
      slot,
      orderedWh,
      plannedWh,
      acknowledgedWh,
    ]),
    until: order.until,
  });

/** Energy that the cars may have, or are to have, in a slot of the order. */
export const wantedWh = ({ direction }: Pick<FlexibilityOrder, "direction">, slot: OrderSlot) =>
  direction === "down" ? slot.plannedWh - slot.acknowledgedWh : slot.plannedWh + slot.acknowledgedWh;

/** A slot that misses its acknowledged energy by no more than this is measurement: max(100 Wh, 1 %). */
const toleranceWh = (wh: number) => Math.max(100, Math.floor(wh / 100));

/**
 * Delivered per slot: down min(ordered, (planned - measured)+), up min(ordered, (measured - planned)+). What a later order
 * of the same direction began from (`nextWh`) is the end of this one, so that a Wh counts once.
 */
export function deliveredWh(
  direction: OrderDirection,
  { orderedWh, plannedWh }: OrderSlot,
  measuredWh: number,
  nextWh: number | null = null,
): WattHour {
  const movedWh =
    direction === "down"
      ? plannedWh - Math.max(measuredWh, nextWh ?? measuredWh)
      : Math.min(measuredWh, nextWh ?? measuredWh) - plannedWh;
  return wattHour(Math.min(orderedWh, Math.max(0, movedWh)));
}

/** The order's compliance from what was delivered in each of its slots. */
export function complianceOf(
  order: Pick<FlexibilityOrder, "slots" | "price">,
  slots: readonly SlotDelivery[],
): Pick<OrderSettlement, "deliveredWh" | "outcome" | "amountMicroEur"> {
  const deliveredWh = slots.reduce((sum, one) => sum + one.deliveredWh, 0);
  const held = order.slots.every(
    ({ acknowledgedWh }, k) => (slots[k]?.deliveredWh ?? 0) >= acknowledgedWh - toleranceWh(acknowledgedWh),
  );
  return {
    deliveredWh: wattHour(deliveredWh),
    outcome: held ? "met" : deliveredWh > 0 ? "partly" : "missed",
    amountMicroEur: microEur(order.price === null ? 0n : divDown(worth(deliveredWh, order.price), 1000n)),
  };
}
