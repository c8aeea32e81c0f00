/**
 * Flexibility orders: each rests on the last certified plan that was recorded before it, by that plan's bytes; every plan
 * since kept what was acknowledged; what was settled is what the meters showed. Computed anew from plans and readings.
 */
import { complianceOf, type FlexibilityOrder, type OrderSettlement, type OrderSlot } from "../domain/orders.ts";
import { SLOT_S } from "../domain/slots.ts";
import { wattHour } from "../domain/units.ts";
import type { GroupFile, SessionFile } from "./auditFacts.ts";
import { type Check, type Findings, planName } from "./auditFindings.ts";
import type { PlanFile } from "./auditPlans.ts";
import type { Ledger } from "./ports.ts";
import { commitmentsOf } from "./recordSlot.ts";

export const orderName = (id: string) => `order ${id}`;
const isApplied = (order: FlexibilityOrder) => order.answer !== "refused";

/** What of a plan the orders are held against; plans are read once and not kept. */
export type PlanOfOrders = {
  readonly id: string;
  readonly groupId: string;
  readonly now: number;
  readonly certified: boolean;
  /** A record names it as the one that commands its slot. */
  readonly commands: boolean;
  readonly problemHash: string;
  readonly planHash: string;
  /** Cars' energy by slot. Wh */
  readonly wh: ReadonlyMap<number, number>;
};

/** Keeps what the group's orders need of a plan, and holds the plan to those that were acknowledged before it. */
export function auditOrdersOfPlan(
  file: PlanFile,
  group: GroupFile,
  ledger: Ledger,
  findings: Findings,
): PlanOfOrders | null {
  if (group.orders.length === 0) return null;
  const carsWh = new Map<number, number>();
  const fixedWh = new Map<number, number>();
  const add = (to: Map<number, number>, t: number, wh: number) => {
    const slot = Math.floor(file.cuts[t]! / SLOT_S);
    to.set(slot, (to.get(slot) ?? 0) + wh);
  };
  for (const [t, interval] of file.problem.intervals.entries()) add(fixedWh, t, interval.fixedWh);
  for (const [i, car] of file.problem.cars.entries())
    for (const [k, wh] of (file.plan.energyWh[i] ?? []).entries()) add(carsWh, car.from + k, wh);

  const check = findings.check("orders");
  for (const order of group.orders) {
    if (order.direction !== "down" || order.givenAt >= file.now || file.stored.algorithm === "uncontrolled") continue;
    for (const row of order.slots) {
      const planned = carsWh.get(row.slot);
      if (row.acknowledgedWh === 0 || planned === undefined || row.slot < file.problem.slot) continue;
      check.looked();
      const roomWh = Math.max(0, row.plannedWh - row.acknowledgedWh - (fixedWh.get(row.slot) ?? 0));
      if (planned > roomWh)
        check.differs(
          orderName(order.id),
          `${planName(file.id)} has ${planned} Wh in slot ${row.slot}, the order leaves its cars ${roomWh} Wh`,
        );
    }
  }
  const wh = new Map([...fixedWh].map(([slot, fixed]) => [slot, fixed + (carsWh.get(slot) ?? 0)]));
  wh.delete(file.problem.slot);
  const { problem: problemHash, plan: planHash } = commitmentsOf(ledger, file.stored);
  const certified = file.stored.bound !== null;
  const commands = file.commands !== null;
  return { id: file.id, groupId: group.group.id, now: file.now, certified, commands, problemHash, planHash, wh };
}

/** `plans`: those of all groups that have orders. `settlements`: by order. */
export function auditOrders(
  groups: readonly GroupFile[],
  plans: readonly PlanOfOrders[],
  settlements: ReadonlyMap<string, OrderSettlement>,
  findings: Findings,
  isJudged: (order: FlexibilityOrder) => boolean = () => true,
): void {
  for (const group of groups)
    for (const [place, order] of group.orders.entries()) {
      if (!isJudged(order)) continue;
      const check = findings.check("orders");
      const own = plans.filter((plan) => plan.groupId === group.group.id);
      auditAnswer(order, check);
      auditBaseline(order, group.orders.slice(0, place).filter(isApplied), own, check);
      const settlement = settlements.get(order.id);
      const later = group.orders.slice(place + 1).filter((one) => isApplied(one) && one.direction === order.direction);
      if (settlement) auditSettlement(order, later, settlement, group, check);
      else if (isApplied(order) && own.some((plan) => plan.now > order.until + 2 * 86_400))
        check.differs(orderName(order.id), "is over for more than two days and not settled");
    }
}

function auditAnswer(order: FlexibilityOrder, check: Check): void {
  const where = orderName(order.id);
  const orderedWh = Math.floor((order.powerW * SLOT_S) / 3600);
  check.same(where, "number of slots", order.slots.length, (order.until - order.from) / SLOT_S);
  for (const [k, { slot, acknowledgedWh, ...row }] of order.slots.entries()) {
    check.same(where, `slot ${k}`, slot, order.from / SLOT_S + k);
    check.same(where, `ordered in slot ${slot} (Wh)`, row.orderedWh, orderedWh);
    if (acknowledgedWh < 0 || acknowledgedWh > orderedWh)
      check.differs(where, `acknowledges ${acknowledgedWh} Wh of ${orderedWh} Wh in slot ${slot}`);
  }
  const all = order.slots.every(({ acknowledgedWh }) => acknowledgedWh === orderedWh);
  const none = order.slots.every(({ acknowledgedWh }) => acknowledgedWh === 0);
  check.same(where, "answer", order.answer, all ? "accepted" : none ? "refused" : "reduced");
}

/** The plan it names was recorded before the order and the last one of its kind; what it planned is what the order says. */
function auditBaseline(
  order: FlexibilityOrder,
  earlier: readonly FlexibilityOrder[],
  plans: readonly PlanOfOrders[],
  check: Check,
): void {
  const where = orderName(order.id);
  const named = plans.find(({ id }) => id === order.baseline.planId);
  if (!named) {
    check.differs(where, `rests on ${planName(order.baseline.planId)}, which the group never had`);
    return;
  }
  // In the very second of the order a plan may have been made before or after it.
  const possible = (before: number) =>
    plans.filter((plan) => plan.commands && plan.certified && plan.now < before).at(-1);
  if (named !== possible(order.givenAt) && named !== possible(order.givenAt + 1))
    check.differs(where, `rests on ${planName(named.id)}, which is not the last certified plan recorded before it`);
  check.same(where, "problem of the baseline", order.baseline.problemHash, named.problemHash);
  check.same(where, "plan of the baseline", order.baseline.planHash, named.planHash);
  const unknown = earlier.filter((one) => one.givenAt >= named.now);
  for (const { slot, plannedWh } of order.slots) {
    const wanted = unknown
      .flatMap((one) => one.slots.filter((row) => row.slot === slot).map((row) => ({ row, direction: one.direction })))
      .reduce((wh, { row, direction }) => wantedOf(direction, row, wh), named.wh.get(slot) ?? -1);
    check.same(where, `planned in slot ${slot} (Wh)`, plannedWh, wanted);
  }
}

const wantedOf = (direction: "down" | "up", { plannedWh, acknowledgedWh }: OrderSlot, wh: number) =>
  direction === "down" ? Math.min(wh, plannedWh - acknowledgedWh) : Math.max(wh, plannedWh + acknowledgedWh);

function auditSettlement(
  order: FlexibilityOrder,
  later: readonly FlexibilityOrder[],
  settlement: OrderSettlement,
  group: GroupFile,
  check: Check,
): void {
  const where = orderName(order.id);
  const sessions = group.sessions.filter(
    ({ session }) => session.pluggedAt < order.until && (session.unpluggedAt ?? order.until) > order.from,
  );
  const slots = order.slots.map((row, k) => {
    const [from, to] = [row.slot * SLOT_S, (row.slot + 1) * SLOT_S];
    let measuredWh = 0;
    for (const own of sessions) {
      const points = pointsOf(own, settlement.settledAt);
      const wh = registerAt(points, to) - registerAt(points, from);
      const said = settlement.meters.find(({ session }) => session === own.session.number)?.wh[k] ?? 0;
      check.same(where, `energy of session ${own.session.id} in slot ${row.slot} (Wh)`, said, wh);
      measuredWh += wh;
    }
    const next = later.flatMap((one) => one.slots).find((one) => one.slot === row.slot && one.acknowledgedWh > 0);
    const edgeWh = next ? next.plannedWh : measuredWh;
    const movedWh =
      order.direction === "down"
        ? row.plannedWh - Math.max(measuredWh, edgeWh)
        : Math.min(measuredWh, edgeWh) - row.plannedWh;
    const deliveredWh = Math.max(0, Math.min(row.orderedWh, movedWh));
    const said = settlement.slots[k];
    check.same(where, `measured in slot ${row.slot} (Wh)`, said?.measuredWh ?? null, measuredWh);
    check.same(where, `delivered in slot ${row.slot} (Wh)`, said?.deliveredWh ?? null, deliveredWh);
    return { slot: row.slot, measuredWh: wattHour(measuredWh), deliveredWh: wattHour(deliveredWh) };
  });
  const again = complianceOf(order, slots);
  check.same(where, "delivered (Wh)", settlement.deliveredWh, again.deliveredWh);
  check.same(where, "outcome", settlement.outcome, again.outcome);
  check.same(where, "amount (micro-euro)", settlement.amountMicroEur, again.amountMicroEur);
}

type Point = { readonly at: number; readonly wh: number };

/** The register of a stay as far as it was known at an instant; it never falls and never passes its end. */
function pointsOf({ session, readings }: SessionFile, knownAt: number): Point[] {
  const { pluggedAt, unpluggedAt, startRegisterWh, endRegisterWh } = session;
  const known = readings.filter((one) => one.at <= knownAt && one.at > pluggedAt);
  const over = unpluggedAt !== null && unpluggedAt <= knownAt;
  const last = over ? { at: unpluggedAt as number, wh: endRegisterWh as number } : null;
  const points: Point[] = [{ at: pluggedAt, wh: startRegisterWh }];
  for (const { at, registerWh } of known) {
    if (last && at >= last.at) continue;
    points.push({ at, wh: Math.min(last?.wh ?? registerWh, Math.max(points.at(-1)!.wh, registerWh)) });
  }
  return last && last.at > pluggedAt ? [...points, last] : points;
}

/** Between two readings in proportion to the time, rounded down. */
function registerAt(points: readonly Point[], instant: number): number {
  const next = points.findIndex(({ at }) => at > instant);
  if (next === -1) return points.at(-1)!.wh;
  if (next === 0) return points[0]!.wh;
  const [a, b] = [points[next - 1]!, points[next]!];
  return a.wh + Math.floor(((b.wh - a.wh) * (instant - a.at)) / (b.at - a.at));
}
