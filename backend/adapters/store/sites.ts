/** Operators, locations, groups, EVSEs and PV. Numbers and rows are given once and never again. */
import type { Insertable, Selectable } from "kysely";
import type { AlgorithmChoice } from "../../domain/algorithms.ts";
import type { ChargingGroup, Coordinates, Cpo, Evse, Location, Place, PvAsset, Tariff } from "../../domain/assets.ts";
import { type EpochSecond, epochSecond, microEurPerKwh, watt } from "../../domain/units.ts";
import type { GroupLimit, SiteStore } from "../../usecases/ports.ts";
import { capacityLimits } from "./grid.ts";
import { inTransaction, nextNumber, returnNumber } from "./numbers.ts";
import type { Database, Db } from "./schema.ts";
import { fromDate, fromDateOrNull, toDate, toDateOrNull } from "./values.ts";

export const siteStore = (db: Db): SiteStore => ({
  addCpo: (cpo) =>
    addOnce(
      db,
      (trx) => readCpo(trx, cpo.id),
      "cpo",
      1,
      (trx, number) =>
        trx
          .insertInto("cpo")
          .values({ ...cpo, number })
          .execute(),
    ),
  async addLocation(location) {
    await db
      .insertInto("location")
      .values({
        ...{ id: location.id, cpo_id: location.cpoId, name: location.name, time_zone: location.timeZone },
        ...degrees(location.coordinates),
      })
      .onConflict((conflict) => conflict.column("id").doNothing())
      .execute();
    const row = await db.selectFrom("location").selectAll().where("id", "=", location.id).executeTakeFirstOrThrow();
    return toLocation(row);
  },
  async locations(cpoId) {
    const rows = await db.selectFrom("location").selectAll().where("cpo_id", "=", cpoId).orderBy("id").execute();
    return rows.map(toLocation);
  },
  addGroup: (group) =>
    addOnce(
      db,
      (trx) => readGroup(trx, group.id),
      "group",
      1,
      async (trx, number) => {
        await trx
          .insertInto("charging_group")
          .values(groupRow({ ...group, number }))
          .execute();
        await noteAlgorithm(trx, group.id, group.algorithm, epochSecond(0));
      },
    ),
  addEvse: (evse) =>
    addOnce(
      db,
      (trx) => readEvse(trx, evse.id),
      assetRows(evse.groupId),
      0,
      (trx, row) =>
        trx
          .insertInto("evse")
          .values(evseRow({ ...evse, row }))
          .execute(),
    ),
  addPv: (pv) =>
    addOnce(
      db,
      (trx) => readPv(trx, pv.id),
      assetRows(pv.groupId),
      0,
      (trx, row) =>
        trx
          .insertInto("pv_asset")
          .values({ id: pv.id, group_id: pv.groupId, row, rated_power_w: pv.ratedPowerW })
          .execute(),
    ),
  addTariff: (tariff) =>
    addOnce(
      db,
      (trx) => readTariff(trx, tariff.id),
      "tariff",
      1,
      (trx, number) =>
        trx
          .insertInto("tariff")
          .values({ id: tariff.id, number, cpo_id: tariff.cpoId, price_micro_eur_per_kwh: tariff.pricePerKwh })
          .execute(),
    ),

  cpos: () => db.selectFrom("cpo").selectAll().orderBy("number").execute(),
  async groups() {
    const rows = await db.selectFrom("charging_group").selectAll().orderBy("number").execute();
    return rows.map(toGroup);
  },
  group: (id) => readGroup(db, id),
  setAlgorithm: (groupId, choice, at) =>
    inTransaction(db, async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable("charging_group")
        .set({ algorithm: choice.name, algorithm_parameters: JSON.stringify(choice.parameters) })
        .where("id", "=", groupId)
        .executeTakeFirst();
      if (numUpdatedRows === 0n)
        throw new Error(`Group ${groupId} is not known, so its algorithm cannot change. Add it first.`);
      await noteAlgorithm(trx, groupId, choice, at);
    }),
  async algorithms(groupId) {
    const rows = await db
      .selectFrom("group_algorithm")
      .selectAll()
      .where("group_id", "=", groupId)
      .orderBy("no")
      .execute();
    return rows.map((row) => ({
      from: fromDate(row.from_at),
      choice: { name: row.algorithm, parameters: row.parameters },
    }));
  },
  async timeZone(groupId) {
    const row = await db
      .selectFrom("charging_group")
      .innerJoin("location", "location.id", "charging_group.location_id")
      .select("location.time_zone")
      .where("charging_group.id", "=", groupId)
      .executeTakeFirst();
    return row?.time_zone ?? null;
  },
  async evses(groupId) {
    const rows = await db.selectFrom("evse").selectAll().where("group_id", "=", groupId).orderBy("row").execute();
    return rows.map(toEvse);
  },
  evse: (id) => readEvse(db, id),
  async pvs(groupId) {
    const rows = await db.selectFrom("pv_asset").selectAll().where("group_id", "=", groupId).orderBy("row").execute();
    return rows.map(toPv);
  },
  pv: (id) => readPv(db, id),
  async setEvseStatus(id, status) {
    const { numUpdatedRows } = await db.updateTable("evse").set({ status }).where("id", "=", id).executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Error(`EVSE ${id} is not known, so its status cannot change. Add it first.`);
  },
  async setPlace(id, place) {
    const { numUpdatedRows } = await db
      .updateTable("evse")
      .set(placeColumns(place))
      .where("id", "=", id)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Error(`EVSE ${id} is not known, so its place cannot change. Add it first.`);
  },

  /** The same limit again replaces what was said of it: so an operator ends one that was open. */
  async addLimit(limit) {
    const { id, ...rest } = limitRow(limit);
    await db
      .insertInto("group_limit")
      .values({ id, ...rest })
      .onConflict((conflict) => conflict.column("id").doUpdateSet(rest))
      .execute();
  },
  async limits(groupId, after) {
    const rows = await db
      .selectFrom("group_limit")
      .selectAll()
      .where("group_id", "=", groupId)
      .where((eb) => eb.or([eb("until_at", "is", null), eb("until_at", ">", toDate(after))]))
      .orderBy("from_at")
      .orderBy("id")
      .execute();
    return [...rows.map(toLimit), ...(await capacityLimits(db, groupId, after))];
  },
  tariff: (id) => readTariff(db, id),
  async currentTariff(cpoId) {
    const row = await db
      .selectFrom("tariff")
      .selectAll()
      .where("cpo_id", "=", cpoId)
      .orderBy("number", "desc")
      .limit(1)
      .executeTakeFirst();
    return row ? toTariff(row) : null;
  },
});

/** On chain an EVSE and a PV plant are both members of their group, so they count in one list, from 0. */
const assetRows = (groupId: string) => `rows of ${groupId}`;

/** Adds what is not there yet, under the counter's next number; answers what is there then. */
async function addOnce<T>(
  db: Db,
  read: (db: Db) => Promise<T | null>,
  counter: string,
  first: number,
  insert: (trx: Db, number: number) => Promise<unknown>,
): Promise<T> {
  const known = await read(db);
  if (known) return known;
  return inTransaction(db, async (trx) => {
    const number = await nextNumber(trx, counter, first);
    // Whoever held the counter before may have added the same one.
    const added = await read(trx);
    if (added) await returnNumber(trx, counter);
    else await insert(trx, number);
    return added ?? ((await read(trx)) as T);
  });
}

/** Since when the group has run what. */
async function noteAlgorithm(db: Db, groupId: string, { name, parameters }: AlgorithmChoice, at: EpochSecond) {
  await db
    .insertInto("group_algorithm")
    .values({ group_id: groupId, from_at: toDate(at), algorithm: name, parameters: JSON.stringify(parameters) })
    .execute();
}

async function readCpo(db: Db, id: string): Promise<Cpo | null> {
  return (await db.selectFrom("cpo").selectAll().where("id", "=", id).executeTakeFirst()) ?? null;
}
async function readGroup(db: Db, id: string): Promise<ChargingGroup | null> {
  const row = await db.selectFrom("charging_group").selectAll().where("id", "=", id).executeTakeFirst();
  return row ? toGroup(row) : null;
}
async function readEvse(db: Db, id: string): Promise<Evse | null> {
  const row = await db.selectFrom("evse").selectAll().where("id", "=", id).executeTakeFirst();
  return row ? toEvse(row) : null;
}
async function readPv(db: Db, id: string): Promise<PvAsset | null> {
  const row = await db.selectFrom("pv_asset").selectAll().where("id", "=", id).executeTakeFirst();
  return row ? toPv(row) : null;
}
async function readTariff(db: Db, id: string): Promise<Tariff | null> {
  const row = await db.selectFrom("tariff").selectAll().where("id", "=", id).executeTakeFirst();
  return row ? toTariff(row) : null;
}

const toLocation = (row: Selectable<Database["location"]>): Location => ({
  id: row.id,
  cpoId: row.cpo_id,
  name: row.name,
  timeZone: row.time_zone,
  ...toCoordinates(row),
});

const degrees = (at: Coordinates | null | undefined) => ({
  latitude: at?.latitude ?? null,
  longitude: at?.longitude ?? null,
});
function toCoordinates({ latitude, longitude }: ReturnType<typeof degrees>): { coordinates?: Coordinates } {
  return latitude === null || longitude === null ? {} : { coordinates: { latitude, longitude } };
}

const placeColumns = (place: Place | undefined) => ({
  ...degrees(place?.coordinates),
  floor_level: place?.floorLevel ?? null,
  physical_reference: place?.physicalReference ?? null,
});
function toPlace(row: Selectable<Database["evse"]>): { place?: Place } {
  const { coordinates = null } = toCoordinates(row);
  const { floor_level: floorLevel, physical_reference: physicalReference } = row;
  if (coordinates === null && floorLevel === null && physicalReference === null) return {};
  return { place: { coordinates, floorLevel, physicalReference } };
}

const groupRow = (group: ChargingGroup): Insertable<Database["charging_group"]> => ({
  id: group.id,
  number: group.number,
  cpo_id: group.cpoId,
  location_id: group.locationId,
  supply_limit_w: group.supplyLimitW,
  limit_kind: group.limitKind,
  feed_in_micro_eur_per_kwh: group.feedIn,
  algorithm: group.algorithm.name,
  algorithm_parameters: JSON.stringify(group.algorithm.parameters),
});
const toGroup = (row: Selectable<Database["charging_group"]>): ChargingGroup => ({
  id: row.id,
  number: row.number,
  cpoId: row.cpo_id,
  locationId: row.location_id,
  supplyLimitW: watt(row.supply_limit_w),
  limitKind: row.limit_kind,
  feedIn: microEurPerKwh(row.feed_in_micro_eur_per_kwh),
  algorithm: { name: row.algorithm, parameters: row.algorithm_parameters },
});

const evseRow = (evse: Evse): Insertable<Database["evse"]> => ({
  id: evse.id,
  group_id: evse.groupId,
  row: evse.row,
  max_power_w: evse.maxPowerW,
  phases: evse.phases,
  status: evse.status,
  ...placeColumns(evse.place),
});
const toEvse = (row: Selectable<Database["evse"]>): Evse => ({
  id: row.id,
  groupId: row.group_id,
  row: row.row,
  maxPowerW: watt(row.max_power_w),
  phases: row.phases as Evse["phases"],
  status: row.status,
  ...toPlace(row),
});

const toPv = (row: Selectable<Database["pv_asset"]>): PvAsset => ({
  id: row.id,
  groupId: row.group_id,
  row: row.row,
  ratedPowerW: watt(row.rated_power_w),
});

const toTariff = (row: Selectable<Database["tariff"]>): Tariff => ({
  id: row.id,
  number: row.number,
  cpoId: row.cpo_id,
  pricePerKwh: microEurPerKwh(row.price_micro_eur_per_kwh),
});

/** Capacity profiles are kept whole, in grid.ts. */
function ownKind({ id, kind }: GroupLimit): Insertable<Database["group_limit"]>["kind"] {
  if (kind === "capacity") throw new Error(`Limit ${id} is part of a capacity profile. Add the profile instead.`);
  return kind;
}

const limitRow = (limit: GroupLimit): Insertable<Database["group_limit"]> => ({
  id: limit.id,
  group_id: limit.groupId,
  kind: ownKind(limit),
  limit_w: limit.limitW,
  from_at: toDate(limit.from),
  until_at: toDateOrNull(limit.until),
});
const toLimit = (row: Selectable<Database["group_limit"]>): GroupLimit => ({
  id: row.id,
  groupId: row.group_id,
  kind: row.kind,
  limitW: row.limit_w,
  from: fromDate(row.from_at),
  until: fromDateOrNull(row.until_at),
});
