/** Orders as a plan sees them: what was acknowledged, laid on the intervals. Pure. */
import { type FlexibilityOrder, isApplied, wantedWh } from "../domain/orders.ts";
import { slotOf, slotStart } from "../domain/slots.ts";
import type { EpochSecond } from "../domain/units.ts";
import { type BySlot, shortWh, withBonus, withCaps } from "../optimisation/orders.ts";
import type { GroupProblem } from "../optimisation/problem.ts";
import { type GroupBoard, importSoFarWh } from "./board.ts";
import type { GroupLimit } from "./ports.ts";

/**
 * Down orders cap the cars' energy of their slots. Up orders lower the price of theirs: the problem stays in the exact
 * class, its certificate is one for these prices, and what the preference costs is the difference at the market's. So
 * that one slot does not take what another one is to have, a plan fills each up to what was acknowledged (`filledUp`).
 */
export function underOrders<Laid extends Pick<GroupProblem, "at" | "intervals">>(
  laid: Laid,
  orders: readonly FlexibilityOrder[],
  spentWh: number,
): Laid {
  return orders.length === 0 ? laid : withBonus(withCaps(laid, capsOf(orders), spentWh), bonusOf(orders));
}

/** Most energy of the cars by slot; of several orders the one that leaves least. Wh */
export const capsOf = (orders: readonly FlexibilityOrder[]): BySlot =>
  merged(orders, "down", (order, k) => wantedWh(order, order.slots[k]!), Math.min);

/** What upward orders want, as a cap too, as long as no promise needs more. For plans; a promise may count on all there is. */
export function filledUp(problem: GroupProblem, orders: readonly FlexibilityOrder[], spentWh: number): GroupProblem {
  const wanted = merged(orders, "up", (order, k) => wantedWh(order, order.slots[k]!), Math.max);
  if (wanted.size === 0) return problem;
  const filled = withCaps(problem, wanted, spentWh);
  return shortWh(filled) <= shortWh(problem) ? filled : problem;
}

/** Micro-euro per kWh by slot. */
export const bonusOf = (orders: readonly FlexibilityOrder[]): BySlot =>
  merged(orders, "up", (order) => order.bonus, Math.max);

function merged(
  orders: readonly FlexibilityOrder[],
  direction: FlexibilityOrder["direction"],
  value: (order: FlexibilityOrder, k: number) => number,
  of: (a: number, b: number) => number,
): Map<number, number> {
  const bySlot = new Map<number, number>();
  for (const order of orders)
    if (isApplied(order) && order.direction === direction)
      for (const [k, { slot, acknowledgedWh }] of order.slots.entries()) {
        if (acknowledgedWh === 0) continue;
        const before = bySlot.get(slot);
        bySlot.set(slot, before === undefined ? value(order, k) : of(before, value(order, k)));
      }
  return bySlot;
}

/** What the cars have taken in the running slot, Wh; a register shows whole Wh, so up to 1 Wh of each is not seen yet. */
export function carsSoFarWh(board: GroupBoard, at: EpochSecond, staleS: number): number {
  if (board.slot !== slotOf(at)) return 0;
  const alone: GroupBoard = { ...board, site: null, demandWs: 0, productionWs: 0, unseenWs: 0 };
  return Math.ceil(importSoFarWh(alone, at, staleS)) + Object.keys(board.sessions).length;
}

/** What was wanted of a group, by limits and by orders. */
export type Wanted = { readonly limits: readonly GroupLimit[]; readonly orders: readonly FlexibilityOrder[] };

/** The direction that an order gave to any part of [from, to), as far as it was acknowledged; down before up. */
export function orderIn({ limits, orders }: Wanted, from: number, to: number): FlexibilityOrder["direction"] | null {
  if (limits.some((one) => one.kind === "order" && one.from < to && (one.until === null || one.until > from)))
    return "down";
  const applied = orders.filter(
    (order) =>
      order.givenAt < to &&
      order.slots.some(
        ({ slot, acknowledgedWh }) => acknowledgedWh > 0 && slotStart(slot) < to && slotStart(slot + 1) > from,
      ),
  );
  return applied.some(({ direction }) => direction === "down") ? "down" : applied.length > 0 ? "up" : null;
}
