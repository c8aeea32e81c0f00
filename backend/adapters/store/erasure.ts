/**
 * What goes when a driver is erased, and what stays: numbers, amounts, energies and hashes that stand on chain, and the
 * charge points' own records, without anybody's name.
 */
import type { EpochSecond } from "../../domain/units.ts";
import { ERASED } from "../../usecases/ledgerPort.ts";
import type { Db } from "./schema.ts";
import { toDate } from "./values.ts";

export async function eraseDriver(trx: Db, driverId: string, at: EpochSecond): Promise<void> {
  const ofDriver = trx.selectFrom("driver").where("id", "=", driverId);
  const sessions = trx.selectFrom("charging_session").select("id").where("driver_id", "=", driverId);
  await trx
    .updateTable("wallet")
    // Without the wrapped DEK the sealed key opens nothing, in old copies of the database neither.
    .set({ wrapped_dek: null, sealed_key: "" })
    .where("wallet_id", "in", ofDriver.select("wallet_id"))
    .execute();
  await trx.deleteFrom("driver_preferences").where("driver_id", "=", driverId).execute();
  await trx
    .updateTable("settlement")
    .set({ receipt: ERASED.receipt, salt: ERASED.salt })
    .where("driver_id", "=", driverId)
    .execute();
  await trx.deleteFrom("byte_index").where("of_id", "in", sessions).execute();
  await trx
    .updateTable("dispute")
    .set((eb) => ({ reason: null, decided_text: eb.case().when("decided_at", "is", null).then(null).else("").end() }))
    .where("session_id", "in", sessions)
    .execute();
  await trx
    .updateTable("driver")
    .set({ account_id: null, name: "", erased_at: toDate(at) })
    .where("id", "=", driverId)
    .execute();
}
