/** Drivers' sealed keys: which key-encryption key wraps them, and when they were taken out. */

import type { WalletStore } from "../../usecases/ports.ts";
import { toWallet } from "./drivers.ts";
import type { Db } from "./schema.ts";
import { fromDateOrNull, toDate } from "./values.ts";

export const walletStore = (db: Db): WalletStore => ({
  async noteExport(walletId, at) {
    const one = db.selectFrom("wallet").select("exported_at").where("wallet_id", "=", walletId);
    const before = await one.executeTakeFirstOrThrow();
    await db
      .updateTable("wallet")
      .set({ exported_at: toDate(at) })
      .where("wallet_id", "=", walletId)
      .execute();
    return fromDateOrNull(before.exported_at);
  },
  async kekVersions() {
    const rows = await db
      .selectFrom("wallet")
      .select((eb) => ["kek_version as version", eb.fn.countAll<number>().as("wallets")])
      .where("wrapped_dek", "is not", null)
      .groupBy("kek_version")
      .orderBy("kek_version")
      .execute();
    return rows.map(({ version, wallets }) => ({ version, wallets: Number(wallets) }));
  },
  async notUnder(version, after, limit) {
    const rows = await db
      .selectFrom("wallet")
      .selectAll()
      .where("wrapped_dek", "is not", null)
      .where("kek_version", "<>", version)
      .where("wallet_id", ">", after)
      .orderBy("wallet_id")
      .limit(limit)
      .execute();
    return rows.flatMap((row) => toWallet(row) ?? []);
  },
  async rewrap(read, wrapped) {
    const { numUpdatedRows } = await db
      .updateTable("wallet")
      .set({ wrapped_dek: wrapped.wrappedDek, kek_version: wrapped.kekVersion })
      .where("wallet_id", "=", read.walletId)
      .where("wrapped_dek", "=", read.wrappedDek)
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  },
});
