/** Drivers, what they prefer, and their sealed wallets. */
import type { Insertable, Selectable } from "kysely";
import { wattHour } from "../../domain/units.ts";
import type { Driver, DriverPreferences, DriverStore, Hex, SealedWallet } from "../../usecases/ports.ts";
import { eraseDriver } from "./erasure.ts";
import { inTransaction } from "./numbers.ts";
import type { Database, Db } from "./schema.ts";
import { fromDate, toDate } from "./values.ts";

export const driverStore = (db: Db): DriverStore => ({
  add: (driver, wallet) =>
    inTransaction(db, async (trx) => {
      await trx
        .insertInto("wallet")
        .values({
          wallet_id: wallet.walletId,
          address: wallet.address,
          kek_version: wallet.kekVersion,
          sealed_key: wallet.sealedKey,
          wrapped_dek: wallet.wrappedDek,
        })
        .execute();
      await trx
        .insertInto("driver")
        .values({
          id: driver.id,
          account_id: driver.accountId,
          name: driver.name,
          address: driver.address,
          consent_hash: driver.consentHash,
          registered_at: toDate(driver.registeredAt),
          wallet_id: wallet.walletId,
        })
        .execute();
    }),
  async byId(id) {
    const row = await db.selectFrom("driver").selectAll().where("id", "=", id).executeTakeFirst();
    return row ? toDriver(row) : null;
  },
  async byAccount(accountId) {
    const row = await db.selectFrom("driver").selectAll().where("account_id", "=", accountId).executeTakeFirst();
    return row ? toDriver(row) : null;
  },
  async all() {
    const rows = await db.selectFrom("driver").selectAll().orderBy("id").execute();
    return rows.map(toDriver);
  },
  /** Null for an erased driver too: without the wrapped key the wallet opens nothing. */
  async wallet(driverId) {
    const row = await db
      .selectFrom("driver")
      .innerJoin("wallet", "wallet.wallet_id", "driver.wallet_id")
      .selectAll("wallet")
      .where("driver.id", "=", driverId)
      .executeTakeFirst();
    return row ? toWallet(row) : null;
  },

  async preferences(driverId) {
    const row = await db
      .selectFrom("driver_preferences")
      .selectAll()
      .where("driver_id", "=", driverId)
      .executeTakeFirst();
    return row ? toPreferences(row) : null;
  },
  async setPreferences(preferences) {
    const { driver_id, ...rest } = preferencesRow(preferences);
    await db
      .insertInto("driver_preferences")
      .values({ driver_id, ...rest })
      .onConflict((conflict) => conflict.column("driver_id").doUpdateSet(rest))
      .execute();
  },
  erase: (driverId, at) => inTransaction(db, (trx) => eraseDriver(trx, driverId, at)),
});

const toDriver = (row: Selectable<Database["driver"]>): Driver => ({
  id: row.id,
  accountId: row.account_id,
  name: row.name,
  address: row.address,
  consentHash: row.consent_hash,
  registeredAt: fromDate(row.registered_at),
  ...(row.erased_at && { erasedAt: fromDate(row.erased_at) }),
});

export const toWallet = (row: Selectable<Database["wallet"]>): SealedWallet | null =>
  row.wrapped_dek === null
    ? null
    : {
        walletId: row.wallet_id,
        address: row.address as Hex,
        kekVersion: row.kek_version,
        sealedKey: row.sealed_key as Hex,
        wrappedDek: row.wrapped_dek as Hex,
      };

const preferencesRow = (preferences: DriverPreferences): Insertable<Database["driver_preferences"]> => ({
  driver_id: preferences.driverId,
  opt_in: preferences.optIn,
  energy_need_wh: preferences.energyNeedWh,
  stay_s: preferences.stayS,
  battery_wh: preferences.batteryWh,
  target_percent: preferences.targetPercent ?? null,
  cannot_pause: preferences.cannotPause ?? false,
});
const toPreferences = (row: Selectable<Database["driver_preferences"]>): DriverPreferences => ({
  driverId: row.driver_id,
  optIn: row.opt_in,
  energyNeedWh: row.energy_need_wh === null ? null : wattHour(row.energy_need_wh),
  stayS: row.stay_s,
  batteryWh: row.battery_wh === null ? null : wattHour(row.battery_wh),
  ...(row.target_percent !== null && { targetPercent: row.target_percent }),
  ...(row.cannot_pause && { cannotPause: true }),
});
