/** Settlements, the batches in which they are posted, and what settled sessions looked like slot by slot. */
import { type Insertable, type Selectable, sql } from "kysely";
import { wattHour } from "../../domain/units.ts";
import type { Batch, BillFigures, BillStore, SessionSlot, Settlement } from "../../usecases/ports.ts";
import { type Columns, insertMany } from "./insertMany.ts";
import { inTransaction, nextNumber } from "./numbers.ts";
import type { Database, Db } from "./schema.ts";
import { amongSessions, fromDate, fromDateOrNull, fromMoney, toDate, toMoney } from "./values.ts";

export const billStore = (db: Db): BillStore => ({
  add: (settlement, slots) =>
    inTransaction(db, async (trx) => {
      await trx.insertInto("settlement").values(settlementRow(settlement)).execute();
      await insertMany(trx, "session_slot", SESSION_SLOT, slots);
    }),
  async ofSession(sessionId) {
    const row = await db.selectFrom("settlement").selectAll().where("session_id", "=", sessionId).executeTakeFirst();
    return row ? toSettlement(row) : null;
  },
  async ofSessions(sessionIds) {
    const rows = await db.selectFrom("settlement").selectAll().where(amongSessions(sessionIds)).execute();
    return new Map(rows.map((row) => [row.session_id, toSettlement(row)]));
  },
  async waitingSince(cpoId) {
    const { lines, oldest } = await db
      .selectFrom("settlement")
      .select([(eb) => eb.fn.countAll<number>().as("lines"), (eb) => eb.fn.min("settled_at").as("oldest")])
      .where("cpo_id", "=", cpoId)
      .where("batch", "is", null)
      .where("driver_id", "is not", null)
      .executeTakeFirstOrThrow();
    return { lines, oldestAt: fromDateOrNull(oldest) };
  },
  async waiting(cpoId) {
    const rows = await db
      .selectFrom("settlement")
      .selectAll()
      .where("cpo_id", "=", cpoId)
      .where("batch", "is", null)
      .where("driver_id", "is not", null)
      .orderBy("session_number")
      .execute();
    return rows.map(toSettlement);
  },
  assignBatch: (cpoId, sessionIds, at) => inTransaction(db, (trx) => assignBatch(trx, cpoId, sessionIds, toDate(at))),
  async batches(cpoId) {
    const rows = await db.selectFrom("batch").selectAll().where("cpo_id", "=", cpoId).orderBy("seq").execute();
    return rows.map(toBatch);
  },
  async markBatch(cpoId, seq, what, at) {
    await db
      .updateTable("batch")
      .set(what === "posted" ? { posted_at: toDate(at) } : { finalised_at: toDate(at) })
      .where("cpo_id", "=", cpoId)
      .where("seq", "=", seq)
      .execute();
  },
  async unfinalised() {
    const rows = await db
      .selectFrom("batch")
      .selectAll()
      .where("posted_at", "is not", null)
      .where("finalised_at", "is", null)
      .orderBy("cpo_id")
      .orderBy("seq")
      .execute();
    return rows.map((row) => ({ cpoId: row.cpo_id, ...toBatch(row) }));
  },
  figures: (cpoId) => figures(db, cpoId),
  async ofBatch(cpoId, seq) {
    const rows = await db
      .selectFrom("settlement")
      .selectAll()
      .where("cpo_id", "=", cpoId)
      .where("batch", "=", seq)
      .orderBy("session_number")
      .execute();
    return rows.map(toSettlement);
  },
  async slots(groupId, fromSlot, toSlot) {
    const rows = await db
      .selectFrom("session_slot")
      .selectAll()
      .where("group_id", "=", groupId)
      .where("slot", ">=", fromSlot)
      .where("slot", "<", toSlot)
      .orderBy("slot")
      .orderBy("session_id")
      .execute();
    return rows.map(toSessionSlot);
  },
  async ofDriver(driverId, limit) {
    const rows = await db
      .selectFrom("settlement")
      .selectAll()
      .where("driver_id", "=", driverId)
      .orderBy("settled_at", "desc")
      .orderBy("session_number", "desc")
      .limit(limit)
      .execute();
    return rows.map(toSettlement);
  },
  async all() {
    const rows = await db.selectFrom("settlement").selectAll().orderBy("session_number").execute();
    return rows.map(toSettlement);
  },
});

async function assignBatch(trx: Db, cpoId: string, sessionIds: readonly string[], at: Date): Promise<number> {
  const seq = await nextNumber(trx, `batches of ${cpoId}`);
  await trx.insertInto("batch").values({ cpo_id: cpoId, seq, at, posted_at: null, finalised_at: null }).execute();
  const { numUpdatedRows } = await trx
    .updateTable("settlement")
    .set({ batch: seq })
    .where("cpo_id", "=", cpoId)
    .where("session_id", "in", [...sessionIds])
    .where("batch", "is", null)
    .executeTakeFirst();
  if (Number(numUpdatedRows) !== sessionIds.length)
    throw new Error(
      `Batch ${seq} of CPO ${cpoId} names ${sessionIds.length} settlements, but ${numUpdatedRows} of them wait. ` +
        "A session is billed once: read the waiting ones again, in the same transaction.",
    );
  return seq;
}

/** Sums over all bills of a CPO, by the database. */
async function figures(db: Db, cpoId: string): Promise<BillFigures> {
  const { rows } = await sql<Record<string, string>>`
    select count(*) as bills, coalesce(sum(energy_wh), 0) as energy, coalesce(sum(amount_micro_eur), 0) as billed,
      coalesce(sum(credit_micro_eur), 0) as credited, coalesce(sum(refund_micro_eur), 0) as refunded,
      coalesce(sum(flex_wh + coalesce(flex_delta_wh, 0)), 0) as flex,
      count(*) filter (where opened_at is not null and closed_at is null) as disputes,
      coalesce(sum(amount_micro_eur) filter (where opened_at is not null and closed_at is null), 0) as disputed
    from settlement left join dispute using (session_id)
    where settlement.cpo_id = ${cpoId} and driver_id is not null`.execute(db);
  const { bills, energy, billed, credited, refunded, flex, disputes, disputed } = rows[0]!;
  return {
    bills: Number(bills),
    energyWh: wattHour(Number(energy)),
    billedMicroEur: fromMoney(billed!),
    creditedMicroEur: fromMoney(credited!),
    refundedMicroEur: fromMoney(refunded!),
    flexWh: wattHour(Number(flex)),
    disputes: Number(disputes),
    disputedMicroEur: fromMoney(disputed!),
  };
}

const toBatch = (row: Selectable<Database["batch"]>): Batch => ({
  seq: row.seq,
  at: fromDate(row.at),
  postedAt: fromDateOrNull(row.posted_at),
  finalisedAt: fromDateOrNull(row.finalised_at),
});

const settlementRow = (settlement: Settlement): Insertable<Database["settlement"]> => ({
  session_id: settlement.sessionId,
  session_number: settlement.sessionNumber,
  cpo_id: settlement.cpoId,
  driver_id: settlement.driverId,
  settled_at: toDate(settlement.settledAt),
  energy_wh: settlement.energyWh,
  amount_micro_eur: toMoney(settlement.amountMicroEur),
  credit_micro_eur: toMoney(settlement.creditMicroEur),
  compensation_micro_eur: toMoney(settlement.compensationMicroEur),
  flex_wh: settlement.flexWh,
  flex_value_micro_eur: toMoney(settlement.flexValueMicroEur),
  ancestor_wh: settlement.ancestorWh,
  receipt: settlement.receipt,
  salt: settlement.salt,
  detail_hash: settlement.detailHash,
  batch: settlement.batch,
});
const toSettlement = (row: Selectable<Database["settlement"]>): Settlement => ({
  sessionId: row.session_id,
  sessionNumber: row.session_number,
  cpoId: row.cpo_id,
  driverId: row.driver_id,
  settledAt: fromDate(row.settled_at),
  energyWh: wattHour(row.energy_wh),
  amountMicroEur: fromMoney(row.amount_micro_eur),
  creditMicroEur: fromMoney(row.credit_micro_eur),
  compensationMicroEur: fromMoney(row.compensation_micro_eur),
  flexWh: wattHour(row.flex_wh),
  flexValueMicroEur: fromMoney(row.flex_value_micro_eur),
  ancestorWh: wattHour(row.ancestor_wh),
  receipt: row.receipt,
  salt: row.salt,
  detailHash: row.detail_hash,
  batch: row.batch,
});

const SESSION_SLOT: Columns<SessionSlot> = {
  session_id: ["text", (slot) => slot.sessionId],
  group_id: ["text", (slot) => slot.groupId],
  slot: ["int", (slot) => slot.slot],
  baseline_wh: ["bigint", (slot) => slot.baselineWh],
  allowed_wh: ["bigint", (slot) => slot.allowedWh],
  metered_wh: ["bigint", (slot) => slot.meteredWh],
};
const toSessionSlot = (row: Selectable<Database["session_slot"]>): SessionSlot => ({
  sessionId: row.session_id,
  groupId: row.group_id,
  slot: row.slot,
  baselineWh: row.baseline_wh,
  allowedWh: row.allowed_wh,
  meteredWh: row.metered_wh,
});
