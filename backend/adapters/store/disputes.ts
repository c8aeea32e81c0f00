/** Disputes of bills: what was asked, what the arbiter decided, and what the chain made of it. */
import type { Insertable, Selectable } from "kysely";
import type { Closed, Decision, Dispute } from "../../domain/disputes.ts";
import type { DisputeStore } from "../../usecases/ports.ts";
import type { Database, Db } from "./schema.ts";
import { amongSessions, fromDate, fromDateOrNull, fromMoney, toDate, toDateOrNull, toMoney } from "./values.ts";

export const disputeStore = (db: Db): DisputeStore => ({
  async put(dispute) {
    const { session_id, ...rest } = rowOf(dispute);
    await db
      .insertInto("dispute")
      .values({ session_id, ...rest })
      .onConflict((conflict) => conflict.column("session_id").doUpdateSet(rest))
      .execute();
  },
  async ofSession(sessionId) {
    const row = await db.selectFrom("dispute").selectAll().where("session_id", "=", sessionId).executeTakeFirst();
    return row ? toDispute(row) : null;
  },
  async ofSessions(sessionIds) {
    if (sessionIds.length === 0) return [];
    return (await db.selectFrom("dispute").selectAll().where(amongSessions(sessionIds)).execute()).map(toDispute);
  },
  async unfinished() {
    const rows = await db
      .selectFrom("dispute")
      .selectAll()
      .where("closed_at", "is", null)
      .where("lapsed_at", "is", null)
      .orderBy("asked_at")
      .orderBy("session_id")
      .execute();
    return rows.map(toDispute);
  },
  async ofCpo(cpoId, limit) {
    const rows = await db
      .selectFrom("dispute")
      .selectAll()
      .where("cpo_id", "=", cpoId)
      .orderBy("asked_at", "desc")
      .orderBy("session_id")
      .limit(limit)
      .execute();
    return rows.map(toDispute);
  },
  async all() {
    const rows = await db.selectFrom("dispute").selectAll().orderBy("session_id").execute();
    return rows.map(toDispute);
  },
});

const rowOf = ({ decision, closed, ...dispute }: Dispute): Insertable<Database["dispute"]> => ({
  session_id: dispute.sessionId,
  cpo_id: dispute.cpoId,
  reason: dispute.reason,
  asked_at: toDate(dispute.askedAt),
  opened_at: toDateOrNull(dispute.openedAt),
  lapsed_at: toDateOrNull(dispute.lapsedAt),
  decided_at: decision && toDate(decision.at),
  decided_by: decision?.by ?? null,
  decided_refund_micro_eur: decision && toMoney(decision.refundMicroEur),
  decided_flex_delta_wh: decision?.flexDeltaWh ?? null,
  decided_text: decision?.text ?? null,
  closed_at: closed && toDate(closed.at),
  refund_micro_eur: closed && toMoney(closed.refundMicroEur),
  back_micro_eur: closed && toMoney(closed.backMicroEur),
  flex_delta_wh: closed?.flexDeltaWh ?? null,
});

const toDispute = (row: Selectable<Database["dispute"]>): Dispute => ({
  sessionId: row.session_id,
  cpoId: row.cpo_id,
  reason: row.reason,
  askedAt: fromDate(row.asked_at),
  openedAt: fromDateOrNull(row.opened_at),
  lapsedAt: fromDateOrNull(row.lapsed_at),
  decision: row.decided_at && toDecision(row, row.decided_at),
  closed: row.closed_at && toClosed(row, row.closed_at),
});
// The table's checks keep the columns of a decision, and of an end, together.
const toDecision = (row: Selectable<Database["dispute"]>, at: Date): Decision => ({
  at: fromDate(at),
  by: row.decided_by ?? "",
  refundMicroEur: fromMoney(row.decided_refund_micro_eur ?? "0"),
  flexDeltaWh: row.decided_flex_delta_wh ?? 0,
  text: row.decided_text ?? "",
});
const toClosed = (row: Selectable<Database["dispute"]>, at: Date): Closed => ({
  at: fromDate(at),
  refundMicroEur: fromMoney(row.refund_micro_eur ?? "0"),
  backMicroEur: fromMoney(row.back_micro_eur ?? "0"),
  flexDeltaWh: row.flex_delta_wh ?? 0,
});
