/**
 * An order is over: what the meters of the group's sessions showed in its slots against its baseline, what was thereby
 * delivered, and what it is paid. Everything that it rests on is kept with it, so that an audit can do it again.
 */

import type { MeterReading } from "../domain/meters.ts";
import {
  complianceOf,
  deliveredWh,
  type FlexibilityOrder,
  isApplied,
  type OrderSettlement,
  type SlotDelivery,
} from "../domain/orders.ts";
import type { ChargingSession } from "../domain/sessions.ts";
import { slotStart } from "../domain/slots.ts";
import { type EpochSecond, epochSecond, wattHour } from "../domain/units.ts";
import { meteredPerInterval, registerSeries } from "../flexibility/registers.ts";
import type { World } from "./ports.ts";

/** Readings may come late, s. */
const LATE_S = 300;
/** A meter that is still not heard after this long is settled as far as it was, s. */
const PATIENCE_S = 86_400;

export const settlesAt = ({ until }: Pick<FlexibilityOrder, "until">) => epochSecond(until + LATE_S);

/** Settles an order whose time is over, once; tried again later while a meter has not been heard since. */
export async function settleOrder(
  world: Pick<World, "store" | "clock" | "updates">,
  orderId: string,
): Promise<OrderSettlement | null> {
  const { store, clock } = world;
  const now = clock.now();
  const order = await store.grid.order(orderId);
  if (!order || !isApplied(order) || (await store.grid.settlement(orderId))) return null;
  if (now < settlesAt(order)) {
    clock.schedule(settlesAt(order), { kind: "order-due", orderId });
    return null;
  }
  const sessions = await store.sessions.overlapping(order.groupId, order.from, order.until);
  const files = await Promise.all(
    sessions.map(async (session) => ({ session, readings: await store.meters.ofSession(session.id) })),
  );
  const waits = files.some(
    ({ session, readings }) => session.unpluggedAt === null && (readings.at(-1)?.at ?? 0) < order.until,
  );
  if (waits && now < order.until + PATIENCE_S) {
    clock.schedule(epochSecond(now + LATE_S), { kind: "order-due", orderId });
    return null;
  }
  const later = (await store.grid.orders(order.groupId, order.from)).filter(isApplied);
  const settlement = reckonOrder(order, later, files, now);
  await store.grid.settleOrder(settlement);
  world.updates?.publish(`group:${order.groupId}`, {
    kind: "order-settled",
    order: order.id,
    outcome: settlement.outcome,
  });
  return settlement;
}

export type Metered = { readonly session: ChargingSession; readonly readings: readonly MeterReading[] };

/** The settlement itself, from what was stored: pure, so that it can be done again. */
export function reckonOrder(
  order: FlexibilityOrder,
  others: readonly FlexibilityOrder[],
  files: readonly Metered[],
  settledAt: EpochSecond,
): OrderSettlement {
  const intervals = order.slots.map(({ slot }) => ({ from: slotStart(slot), to: slotStart(slot + 1) }));
  const meters = files
    .map((file) => ({ session: file.session.number, wh: meteredPerInterval(seriesOf(file, settledAt), intervals) }))
    .sort((a, b) => a.session - b.session);
  const next = nextOrder(order, others);
  const slots = order.slots.map((row, k): SlotDelivery => {
    const measuredWh = wattHour(meters.reduce((sum, { wh }) => sum + wh[k]!, 0));
    return {
      slot: row.slot,
      measuredWh,
      deliveredWh: deliveredWh(order.direction, row, measuredWh, next.get(row.slot)),
    };
  });
  return { orderId: order.id, settledAt, slots, ...complianceOf(order, slots), meters };
}

/** The register of a stay as far as it was known then. */
function seriesOf({ session, readings }: Metered, knownAt: EpochSecond) {
  const { pluggedAt, unpluggedAt, startRegisterWh, endRegisterWh } = session;
  const known = readings.filter((one) => one.at <= knownAt);
  const ended = unpluggedAt !== null && unpluggedAt <= knownAt && endRegisterWh !== null;
  const last = known.at(-1);
  return registerSeries({
    startAt: pluggedAt,
    startWh: startRegisterWh,
    endAt: ended ? unpluggedAt : epochSecond(Math.max(last?.at ?? pluggedAt, pluggedAt)),
    endWh: ended ? endRegisterWh : wattHour(Math.max(last?.registerWh ?? startRegisterWh, startRegisterWh)),
    readings: known,
  });
}

/** Where the next later order of the same direction began, by slot: what lies beyond is its. Wh */
function nextOrder(order: FlexibilityOrder, others: readonly FlexibilityOrder[]): Map<number, number> {
  const place = others.findIndex((one) => one.id === order.id);
  const next = new Map<number, number>();
  for (const one of others.slice(place + 1))
    if (one.direction === order.direction)
      for (const row of one.slots) if (!next.has(row.slot) && row.acknowledgedWh > 0) next.set(row.slot, row.plannedWh);
  return next;
}
