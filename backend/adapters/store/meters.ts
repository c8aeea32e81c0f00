/** What meters said. Readings are appended and never changed; the database refuses it (migrations.ts). */
import type { Selectable } from "kysely";
import type { MeterReading, SiteReading, SiteSlot } from "../../domain/meters.ts";
import { watt, wattHour } from "../../domain/units.ts";
import type { MeterStore } from "../../usecases/ports.ts";
import { type Columns, insertMany, keepKnown } from "./insertMany.ts";
import type { PendingReadings } from "./pendingReadings.ts";
import type { Database, Db } from "./schema.ts";
import { fromDate } from "./values.ts";

/** Inside a transaction `pending` collects small batches and writes them at commit, or before the first read. */
export const meterStore = (db: Db, pending: PendingReadings | null): MeterStore => ({
  append: (readings) => (pending ? pending.append(readings) : insertReadings(db, readings)),
  async ofSession(sessionId) {
    await pending?.flush();
    const rows = await db
      .selectFrom("meter_reading")
      .selectAll()
      .where("session_id", "=", sessionId)
      .orderBy("at")
      .execute();
    return rows.map(toReading);
  },
  async latest(sessionId) {
    await pending?.flush();
    const row = await db
      .selectFrom("meter_reading")
      .selectAll()
      .where("session_id", "=", sessionId)
      .orderBy("at", "desc")
      .limit(1)
      .executeTakeFirst();
    return row ? toReading(row) : null;
  },

  appendSite: (readings) => insertMany(db, "site_reading", SITE_READING, readings, keepKnown),
  async latestSite(groupId) {
    const row = await db
      .selectFrom("site_reading")
      .selectAll()
      .where("group_id", "=", groupId)
      .orderBy("at", "desc")
      .limit(1)
      .executeTakeFirst();
    return row ? toSiteReading(row) : null;
  },
  async putSiteSlot(slot) {
    const { group_id, slot: number, ...rest } = siteSlotRow(slot);
    await db
      .insertInto("site_slot")
      .values({ group_id, slot: number, ...rest })
      .onConflict((conflict) => conflict.columns(["group_id", "slot"]).doUpdateSet(rest))
      .execute();
  },
  async siteSlots(groupId, fromSlot) {
    const rows = await db
      .selectFrom("site_slot")
      .selectAll()
      .where("group_id", "=", groupId)
      .where("slot", ">=", fromSlot)
      .orderBy("slot")
      .execute();
    return rows.map(toSiteSlot);
  },
});

/** Appends and answers how many were new. */
export const insertReadings = (db: Db, readings: readonly MeterReading[]) =>
  insertMany(db, "meter_reading", METER_READING, readings, keepKnown);

const METER_READING: Columns<MeterReading> = {
  session_id: ["text", (reading) => reading.sessionId],
  at: ["instant", (reading) => reading.at],
  register_wh: ["bigint", (reading) => reading.registerWh],
  power_w: ["int", (reading) => reading.powerW],
};
const toReading = (row: Selectable<Database["meter_reading"]>): MeterReading => ({
  sessionId: row.session_id,
  at: fromDate(row.at),
  registerWh: wattHour(row.register_wh),
  powerW: watt(row.power_w),
});

const SITE_READING: Columns<SiteReading> = {
  group_id: ["text", (reading) => reading.groupId],
  at: ["instant", (reading) => reading.at],
  demand_w: ["int", (reading) => reading.demandW],
  production_w: ["int", (reading) => reading.productionW],
};
const toSiteReading = (row: Selectable<Database["site_reading"]>): SiteReading => ({
  groupId: row.group_id,
  at: fromDate(row.at),
  demandW: watt(row.demand_w),
  productionW: watt(row.production_w),
});

const siteSlotRow = (slot: SiteSlot): Database["site_slot"] => ({
  group_id: slot.groupId,
  slot: slot.slot,
  demand_w: slot.demandW,
  production_w: slot.productionW,
  cars_wh: slot.carsWh,
  limit_w: slot.limitW,
});
const toSiteSlot = (row: Selectable<Database["site_slot"]>): SiteSlot => ({
  groupId: row.group_id,
  slot: row.slot,
  demandW: watt(row.demand_w),
  productionW: watt(row.production_w),
  carsWh: wattHour(row.cars_wh),
  limitW: watt(row.limit_w),
});
