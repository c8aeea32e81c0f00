/** What meters said. Readings are appended and never changed; the database refuses it (migrations.ts). */
import { type Selectable, sql } from "kysely";
import type { MeterReading, SiteReading, SiteSlot } from "../../domain/meters.ts";
import { epochSecond, watt, wattHour } from "../../domain/units.ts";
import type { MeterStore } from "../../usecases/ports.ts";
import { type Columns, insertMany, keepKnown } from "./insertMany.ts";
import type { Database, Db } from "./schema.ts";
import { fromDate } from "./values.ts";
import { type Series, type Waiting, waitingReadings } from "./writeBehind.ts";

/** `waiting` collects small batches inside a transaction (writeBehind.ts). */
export function meterStore(db: Db, waiting: Waiting | null): MeterStore {
  const meters = waiting && waitingReadings(db, waiting, METERS);
  const sites = waiting && waitingReadings(db, waiting, SITES);
  return {
    append: (readings) => (meters ? meters.append(readings) : METERS.insert(db, readings)),
    async ofSession(sessionId) {
      await meters?.flush();
      return readSession(db, sessionId);
    },
    async latest(sessionId) {
      await meters?.flush();
      const row = await newest(db, sessionId).executeTakeFirst();
      return row ? toReading(row) : null;
    },
    async latestSoc(sessionId) {
      await meters?.flush();
      const row = await newest(db, sessionId).where("soc_percent", "is not", null).executeTakeFirst();
      return row ? toReading(row) : null;
    },

    appendSite: (readings) => (sites ? sites.append(readings) : SITES.insert(db, readings)),
    async latestSite(groupId) {
      await sites?.flush();
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
    async siteSlots(groupId, fromSlot, untilSlot) {
      const rows = await db
        .selectFrom("site_slot")
        .selectAll()
        .where("group_id", "=", groupId)
        .where("slot", ">=", fromSlot)
        .$if(untilSlot !== undefined, (query) => query.where("slot", "<", untilSlot as number))
        .orderBy("slot")
        .execute();
      return rows.map(toSiteSlot);
    },
  };
}

const newest = (db: Db, sessionId: string) =>
  db.selectFrom("meter_reading").selectAll().where("session_id", "=", sessionId).orderBy("at", "desc").limit(1);

/** A session has a thousand readings: as one JSON value they come four times as fast as in rows of their own. */
async function readSession(db: Db, sessionId: string): Promise<readonly MeterReading[]> {
  const { rows } = await sql<{ readings: readonly (readonly [number, number, number, number | null])[] | null }>`
    select json_agg(json_build_array(extract(epoch from at)::bigint, register_wh, power_w, soc_percent) order by at) as readings
    from meter_reading where session_id = ${sessionId}`.execute(db);
  const readings = rows[0]?.readings ?? [];
  return readings.map(([at, registerWh, powerW, socPercent]) => ({
    sessionId,
    at: epochSecond(at),
    registerWh: wattHour(registerWh),
    powerW: watt(powerW),
    ...(socPercent !== null && { socPercent }),
  }));
}

const METERS: Series<MeterReading> = {
  table: "meter_reading",
  key: "session_id",
  keyOf: (reading) => reading.sessionId,
  insert: (db, readings) => insertMany(db, "meter_reading", METER_READING, readings, keepKnown),
};
const SITES: Series<SiteReading> = {
  table: "site_reading",
  key: "group_id",
  keyOf: (reading) => reading.groupId,
  insert: (db, readings) => insertMany(db, "site_reading", SITE_READING, readings, keepKnown),
};

const METER_READING: Columns<MeterReading> = {
  session_id: ["text", (reading) => reading.sessionId],
  at: ["instant", (reading) => reading.at],
  register_wh: ["bigint", (reading) => reading.registerWh],
  power_w: ["int", (reading) => reading.powerW],
  soc_percent: ["int", (reading) => reading.socPercent ?? null],
};
const toReading = (row: Selectable<Database["meter_reading"]>): MeterReading => ({
  sessionId: row.session_id,
  at: fromDate(row.at),
  registerWh: wattHour(row.register_wh),
  powerW: watt(row.power_w),
  ...(row.soc_percent !== null && { socPercent: row.soc_percent }),
});

const SITE_READING: Columns<SiteReading> = {
  group_id: ["text", (reading) => reading.groupId],
  at: ["instant", (reading) => reading.at],
  demand_w: ["int", (reading) => reading.demandW],
  production_w: ["int", (reading) => reading.productionW],
  battery_w: ["int", (reading) => reading.batteryW ?? null],
};
const toSiteReading = (row: Selectable<Database["site_reading"]>): SiteReading => ({
  groupId: row.group_id,
  at: fromDate(row.at),
  demandW: watt(row.demand_w),
  productionW: watt(row.production_w),
  ...(row.battery_w !== null && { batteryW: row.battery_w }),
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
