/** Plans as they were made, what they allotted, and what the chain was told of them. */
import type { Insertable, Selectable } from "kysely";
import type { Allocation, PlanStore, RecordedSlot, RunRecord, StoredPlan } from "../../usecases/ports.ts";
import { type Columns, insertMany } from "./insertMany.ts";
import { inTransaction } from "./numbers.ts";
import type { Database, Db } from "./schema.ts";
import { fromDate, fromHex, fromPeriods, toDate, toHex, toPeriods } from "./values.ts";

export const planStore = (db: Db): PlanStore => ({
  add: (plan, allocations) =>
    inTransaction(db, async (trx) => {
      await trx.insertInto("plan").values(planRow(plan)).execute();
      await insertMany(trx, "allocation", ALLOCATION, allocations);
    }),
  async unrecorded(groupId) {
    const rows = await db
      .selectFrom("plan")
      .selectAll()
      .where("group_id", "=", groupId)
      .where("record_key", "is", null)
      .orderBy("no")
      .execute();
    return rows.map(toPlan);
  },
  addRecord: (record, key) =>
    inTransaction(db, async (trx) => {
      await trx.insertInto("recorded_slot").values(recordRow(record, key)).execute();
      const named = [record.planId, ...record.earlierPlanIds];
      const { numUpdatedRows } = await trx
        .updateTable("plan")
        .set({ record_key: key })
        .where("id", "in", named)
        .where("record_key", "is", null)
        .executeTakeFirst();
      if (Number(numUpdatedRows) !== named.length)
        throw new Error(
          `Record ${key} names ${named.length} plans, but ${numUpdatedRows} of them wait for a record. ` +
            "Name each plan once, in the record that follows it.",
        );
    }),
  async records(groupId, fromSlot = 0, untilSlot = 2 ** 31 - 1) {
    const rows = await db
      .selectFrom("recorded_slot")
      .selectAll()
      .where("group_id", "=", groupId)
      .where("slot", ">=", fromSlot)
      .where("slot", "<", untilSlot)
      .orderBy("slot")
      .execute();
    return rows.map(toRecord);
  },
  async unsealed() {
    const rows = await tenantRuns(db).where("record_key", "is", null).execute();
    return rows.map(({ cpo_id, run }) => ({ cpoId: cpo_id, run: run as RunRecord }));
  },
  async seal(cpoId, slot, key) {
    await db
      .updateTable("recorded_slot")
      .set({ record_key: key })
      .where("group_id", "in", db.selectFrom("charging_group").select("id").where("cpo_id", "=", cpoId))
      .where("slot", "=", slot)
      .where("record_key", "is", null)
      .execute();
  },
  async sealedUntil(cpoId) {
    const sealed = tenantRuns(db, "desc").where("cpo_id", "=", cpoId).where("record_key", "is not", null);
    return (await sealed.limit(1).executeTakeFirst())?.slot ?? 0;
  },
  async sealedRuns(cpoId, fromSlot, untilSlot) {
    const sealed = tenantRuns(db).where("cpo_id", "=", cpoId).where("record_key", "is not", null);
    const rows = await sealed.where("slot", ">=", fromSlot).where("slot", "<", untilSlot).execute();
    return rows.map(({ run }) => run as RunRecord);
  },
  byId: (id) => readOne(db.selectFrom("plan").selectAll().where("id", "=", id)),
  async page(after, afterId, limit) {
    const last = await db.selectFrom("plan").select("no").where("id", "=", afterId).executeTakeFirst();
    const rows = await db
      .selectFrom("plan")
      .selectAll()
      .where((eb) => (last ? eb("no", ">", last.no) : eb("at", ">=", toDate(after))))
      .orderBy("no")
      .limit(limit)
      .execute();
    return rows.map(toPlan);
  },
  async allocations(planId) {
    const rows = await db
      .selectFrom("allocation")
      .selectAll()
      .where("plan_id", "=", planId)
      .orderBy("session_number")
      .execute();
    return rows.map(toAllocation);
  },
  latestRecorded: (groupId) =>
    readOne(
      db
        .selectFrom("plan")
        .innerJoin("recorded_slot", "recorded_slot.plan_id", "plan.id")
        .selectAll("plan")
        .where("plan.group_id", "=", groupId)
        .where("plan.bound", "is not", null)
        .orderBy("plan.no", "desc")
        .limit(1),
    ),
  latest: (groupId) =>
    readOne(db.selectFrom("plan").selectAll().where("group_id", "=", groupId).orderBy("no", "desc").limit(1)),
});

/** Records that stand, or are going to, under their CPO's root. */
const tenantRuns = (db: Db, order: "asc" | "desc" = "asc") =>
  db
    .selectFrom("recorded_slot")
    .innerJoin("charging_group", "charging_group.id", "recorded_slot.group_id")
    .select(["cpo_id", "slot", "run"])
    .where("run", "is not", null)
    .orderBy("slot", order);

type PlanRow = Selectable<Database["plan"]>;

async function readOne(query: { executeTakeFirst(): Promise<PlanRow | undefined> }): Promise<StoredPlan | null> {
  const row = await query.executeTakeFirst();
  return row ? toPlan(row) : null;
}

const planRow = (plan: StoredPlan): Insertable<Database["plan"]> => ({
  id: plan.id,
  group_id: plan.groupId,
  slot: plan.slot,
  at: toDate(plan.at),
  algorithm: plan.algorithm,
  parameters: JSON.stringify(plan.parameters),
  firsts: JSON.stringify(plan.firsts),
  problem: fromHex(plan.problem),
  x: fromHex(plan.x),
  y: fromHex(plan.y),
  w: fromHex(plan.w),
  cost: plan.cost.toString(),
  bound: plan.bound === null ? null : plan.bound.toString(),
  repaired_intervals: plan.repairedIntervals,
  solve_ms: plan.solveMs,
  cause: plan.cause,
  record_key: plan.recordKey,
});
const toPlan = (row: PlanRow): StoredPlan => ({
  id: row.id,
  groupId: row.group_id,
  slot: row.slot,
  at: fromDate(row.at),
  algorithm: row.algorithm,
  parameters: row.parameters,
  firsts: row.firsts,
  problem: toHex(row.problem),
  x: toHex(row.x),
  y: toHex(row.y),
  w: toHex(row.w),
  cost: BigInt(row.cost),
  bound: row.bound === null ? null : BigInt(row.bound),
  repairedIntervals: row.repaired_intervals,
  solveMs: row.solve_ms,
  cause: row.cause,
  recordKey: row.record_key,
});

const ALLOCATION: Columns<Allocation> = {
  plan_id: ["text", (allocation) => allocation.planId],
  session_number: ["int", (allocation) => allocation.sessionNumber],
  periods: ["json", (allocation) => toPeriods(allocation.periods)],
};
const toAllocation = (row: Selectable<Database["allocation"]>): Allocation => ({
  planId: row.plan_id,
  sessionNumber: row.session_number,
  periods: fromPeriods(row.periods),
});

const recordRow = (record: RecordedSlot, key: string): Insertable<Database["recorded_slot"]> => ({
  group_id: record.groupId,
  slot: record.slot,
  record_key: record.run ? null : key,
  plan_id: record.planId,
  earlier_plan_ids: JSON.stringify(record.earlierPlanIds),
  rows: record.rows,
  root: record.root,
  leaves: JSON.stringify(record.leaves),
  run: record.run && JSON.stringify(record.run),
});
const toRecord = (row: Selectable<Database["recorded_slot"]>): RecordedSlot => ({
  groupId: row.group_id,
  slot: row.slot,
  planId: row.plan_id,
  earlierPlanIds: row.earlier_plan_ids,
  rows: row.rows,
  root: row.root,
  leaves: row.leaves,
  // A saved run of an earlier version has no such column.
  run: row.run ?? null,
});
