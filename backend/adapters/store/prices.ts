/** Wholesale prices, carbon intensity and forecasts from outside, by slot. */
import { sql } from "kysely";
import { microEurPerKwh } from "../../domain/units.ts";
import type { CarbonPoint, ForecastPoint, PricePoint, PriceStore } from "../../usecases/ports.ts";
import { type Columns, insertMany, keepKnown, replacing } from "./insertMany.ts";
import type { Db } from "./schema.ts";

export const priceStore = (db: Db): PriceStore => ({
  async put(market, prices) {
    await insertMany(db, "price", priceColumns(market), prices, keepKnown);
  },
  /** Every plan reads some hundred prices: as one JSON value they come four times as fast as in rows of their own. */
  async from(market, slot, untilSlot): Promise<readonly PricePoint[]> {
    const { rows } = await sql<{ prices: readonly (readonly [slot: number, price: number])[] | null }>`
      select json_agg(json_build_array(slot, price_micro_eur_per_kwh) order by slot) as prices
      from price where market = ${market} and slot >= ${slot}
        and (${untilSlot ?? null}::integer is null or slot < ${untilSlot ?? null}::integer)`.execute(db);
    return (rows[0]?.prices ?? []).map(([slot, price]) => ({ slot, price: microEurPerKwh(price) }));
  },

  async putCarbon(market, points) {
    const columns = carbonColumns(market);
    await insertMany(db, "carbon_intensity", columns, oneASlot(points), replacing(["market", "slot"], columns));
  },
  async carbon(market, fromSlot, untilSlot): Promise<readonly CarbonPoint[]> {
    const rows = await db
      .selectFrom("carbon_intensity")
      .select(["slot", "grams_per_kwh as gramsPerKwh"])
      .where("market", "=", market)
      .where("slot", ">=", fromSlot)
      .where("slot", "<", untilSlot)
      .orderBy("slot")
      .execute();
    return rows;
  },

  async putForecast(groupId, points) {
    const columns = forecastColumns(groupId);
    await insertMany(db, "forecast", columns, oneASlot(points), replacing(["group_id", "slot"], columns));
  },
  async forecast(groupId, fromSlot): Promise<readonly ForecastPoint[]> {
    const rows = await db
      .selectFrom("forecast")
      .selectAll()
      .where("group_id", "=", groupId)
      .where("slot", ">=", fromSlot)
      .orderBy("slot")
      .execute();
    return rows.map((row) => ({ slot: row.slot, demandW: row.demand_w, productionW: row.production_w }));
  },
});

/** A statement may touch a row only once, so of two points for one slot the later is taken. */
const oneASlot = <Point extends { readonly slot: number }>(points: readonly Point[]) => [
  ...new Map(points.map((point) => [point.slot, point])).values(),
];

const priceColumns = (market: string): Columns<PricePoint> => ({
  market: ["text", () => market],
  slot: ["int", (point) => point.slot],
  price_micro_eur_per_kwh: ["bigint", (point) => point.price],
});

const carbonColumns = (market: string): Columns<CarbonPoint> => ({
  market: ["text", () => market],
  slot: ["int", (point) => point.slot],
  grams_per_kwh: ["int", (point) => point.gramsPerKwh],
});

const forecastColumns = (groupId: string): Columns<ForecastPoint> => ({
  group_id: ["text", () => groupId],
  slot: ["int", (point) => point.slot],
  demand_w: ["int", (point) => point.demandW],
  production_w: ["int", (point) => point.productionW],
});
