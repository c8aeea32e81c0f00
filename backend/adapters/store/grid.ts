/** What grid operators, traders and energy managers said: capacity profiles, with those that are forgotten, and orders. */
import type { Insertable, Selectable } from "kysely";
import { type CapacityProfile, capacityPieces } from "../../domain/capacity.ts";
import type { FlexibilityOrder, OrderSettlement } from "../../domain/orders.ts";
import { type EpochSecond, epochSecond, microEurPerKwh, watt, wattHour } from "../../domain/units.ts";
import type { GridStore, GroupLimit } from "../../usecases/ports.ts";
import type { Database, Db } from "./schema.ts";
import { fromDate, fromMoney, toDate, toMoney } from "./values.ts";

export const gridStore = (db: Db): GridStore => ({
  async addCapacity(profile) {
    await db
      .insertInto("capacity_profile")
      .values({
        id: profile.id,
        group_id: profile.groupId,
        given_at: toDate(profile.givenAt),
        given_by: profile.givenBy,
        periods: JSON.stringify(profile.periods.map(({ from, until, limitW }) => [from, until, limitW])),
      })
      .execute();
  },
  async capacities(groupId, limit) {
    const rows = await db
      .selectFrom("capacity_profile")
      .selectAll()
      .where("group_id", "=", groupId)
      .orderBy("no", "desc")
      .limit(limit)
      .execute();
    return rows.map(toCapacity);
  },

  async addOrder(order) {
    await db.insertInto("flexibility_order").values(orderRow(order)).execute();
  },
  async order(id) {
    const row = await db.selectFrom("flexibility_order").selectAll().where("id", "=", id).executeTakeFirst();
    return row ? toOrder(row) : null;
  },
  async orders(groupId, after) {
    const rows = await db
      .selectFrom("flexibility_order")
      .selectAll()
      .where("group_id", "=", groupId)
      .where("until_at", ">", toDate(after))
      .orderBy("no")
      .execute();
    return rows.map(toOrder);
  },
  async settleOrder(settlement) {
    await db
      .insertInto("order_settlement")
      .values({
        order_id: settlement.orderId,
        settled_at: toDate(settlement.settledAt),
        slots: JSON.stringify(settlement.slots),
        delivered_wh: settlement.deliveredWh,
        outcome: settlement.outcome,
        amount_micro_eur: toMoney(settlement.amountMicroEur),
        meters: JSON.stringify(settlement.meters),
      })
      .execute();
  },
  async settlement(orderId) {
    const row = await db.selectFrom("order_settlement").selectAll().where("order_id", "=", orderId).executeTakeFirst();
    return row ? toSettlement(row) : null;
  },
  async unsettled() {
    const rows = await db
      .selectFrom("flexibility_order as order")
      .leftJoin("order_settlement as settled", "settled.order_id", "order.id")
      .selectAll("order")
      .where("settled.order_id", "is", null)
      .where("order.answer", "!=", "refused")
      .orderBy("order.no")
      .execute();
    return rows.map(toOrder);
  },
});

/** The minutes of capacity profiles as limits that end after `after`, each for as long as its profile was in force. */
export async function capacityLimits(db: Db, groupId: string, after: EpochSecond): Promise<GroupLimit[]> {
  const rows = await db
    .selectFrom("capacity_profile")
    .selectAll()
    .where("group_id", "=", groupId)
    .where("no", ">=", (eb) =>
      eb
        .selectFrom("capacity_profile as earlier")
        .select((one) => one.fn.coalesce(one.fn.max("earlier.no"), one.lit(0)).as("no"))
        .where("earlier.group_id", "=", groupId)
        .where("earlier.given_at", "<=", toDate(after)),
    )
    .orderBy("no")
    .execute();
  return capacityPieces(rows.map(toCapacity))
    .filter((piece) => piece.until > after)
    .map(({ profileId, from, until, limitW, announcedAt }) => ({
      id: `${profileId}:${from}`,
      groupId,
      kind: "capacity",
      limitW,
      from,
      until,
      announcedAt,
    }));
}

const toCapacity = (row: Selectable<Database["capacity_profile"]>): CapacityProfile => ({
  id: row.id,
  groupId: row.group_id,
  givenAt: fromDate(row.given_at),
  givenBy: row.given_by,
  periods: row.periods.map(([from, until, limitW]) => ({
    from: epochSecond(from),
    until: epochSecond(until),
    limitW: watt(limitW),
  })),
});

const orderRow = (order: FlexibilityOrder): Insertable<Database["flexibility_order"]> => ({
  id: order.id,
  group_id: order.groupId,
  direction: order.direction,
  power_w: order.powerW,
  from_at: toDate(order.from),
  until_at: toDate(order.until),
  price_micro_eur_per_kwh: order.price,
  force: order.force,
  given_at: toDate(order.givenAt),
  given_by: order.givenBy,
  answer: order.answer,
  baseline: JSON.stringify(order.baseline),
  slots: JSON.stringify(order.slots),
  bonus_micro_eur_per_kwh: order.bonus,
  at_risk: JSON.stringify(order.atRisk),
});
const toOrder = (row: Selectable<Database["flexibility_order"]>): FlexibilityOrder => ({
  id: row.id,
  groupId: row.group_id,
  direction: row.direction,
  powerW: watt(row.power_w),
  from: fromDate(row.from_at),
  until: fromDate(row.until_at),
  price: row.price_micro_eur_per_kwh === null ? null : microEurPerKwh(row.price_micro_eur_per_kwh),
  force: row.force,
  givenAt: fromDate(row.given_at),
  givenBy: row.given_by,
  answer: row.answer,
  baseline: row.baseline,
  slots: row.slots,
  bonus: microEurPerKwh(row.bonus_micro_eur_per_kwh),
  atRisk: row.at_risk,
});
const toSettlement = (row: Selectable<Database["order_settlement"]>): OrderSettlement => ({
  orderId: row.order_id,
  settledAt: fromDate(row.settled_at),
  slots: row.slots,
  deliveredWh: wattHour(row.delivered_wh),
  outcome: row.outcome,
  amountMicroEur: fromMoney(row.amount_micro_eur),
  meters: row.meters,
});
