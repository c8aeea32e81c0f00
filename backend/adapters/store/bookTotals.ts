/** What the database holds to be on the chain, added up by the database; the chain's side is chain/chainTally.ts. */
import { type RawBuilder, sql } from "kysely";
import { tenantGroup } from "../../usecases/ledgerPort.ts";
import { type Books, SUBJECTS, type Totals } from "../../usecases/totalsPort.ts";
import type { Db } from "./schema.ts";

type Sums = Readonly<Record<string, string | number>>;

export const createBooks = (db: Db): Books => ({
  async until(block) {
    const rows = async (query: RawBuilder<Sums>) => (await query.execute(db)).rows;
    // A call whose effect was found there without a transaction of ours has no block.
    const there = sql<boolean>`(o.state in ('mined', 'final') and coalesce(o.block_no, 0) <= ${block})`;
    const records = await rows(sql<Sums>`
      select g.number, count(o.id) as records, coalesce(max(r.slot) filter (where o.id is not null), 0) as last
      from charging_group g left join recorded_slot r on r.group_id = g.id and r.run is null
        left join outbox o on o.key = r.record_key and ${there}
      group by g.number`);
    const sealed = await rows(sql<Sums>`
      select c.number, count(distinct o.id) as records, coalesce(max(r.slot) filter (where o.id is not null), 0) as last
      from cpo c left join (recorded_slot r join charging_group g on g.id = r.group_id and r.run is not null)
          on g.cpo_id = c.id
        left join outbox o on o.key = r.record_key and ${there}
      group by c.number`);
    const batches = await rows(sql<Sums>`
      select c.number, count(o.id) as batches
      from cpo c left join batch b on b.cpo_id = c.id
        left join outbox o on o.key = 'batch:' || c.number || ':' || b.seq and ${there}
      group by c.number`);
    const bills = await rows(sql<Sums>`
      select c.number, count(s.session_id) as bills, coalesce(sum(s.amount_micro_eur), 0) as billed,
        coalesce(sum(s.credit_micro_eur), 0) as credited, coalesce(sum(s.flex_wh), 0) as flex
      from cpo c left join (settlement s join cpo p on p.id = s.cpo_id
        join outbox o on o.key = 'batch:' || p.number || ':' || s.batch and ${there}) on s.cpo_id = c.id
      group by c.number`);
    const [deposits] = await rows(sql<Sums>`
      select coalesce(sum((o.args ->> 'amount')::numeric), 0) as amount
      from outbox o where o.contract = 'Settlement' and o.call = 'deposit' and ${there}`);

    const totals: Record<string, bigint> = { [SUBJECTS.deposited]: BigInt(deposits?.amount ?? 0) };
    const note = (subject: string, value: string | number | undefined) => {
      totals[subject] = BigInt(value ?? 0);
    };
    const runs = [...records, ...sealed.map((row) => ({ ...row, number: tenantGroup(Number(row.number)) }))];
    for (const row of runs as Sums[]) {
      note(SUBJECTS.records(Number(row.number)), row.records);
      note(SUBJECTS.lastSlot(Number(row.number)), row.last);
    }
    for (const row of batches) note(SUBJECTS.batches(Number(row.number)), row.batches);
    for (const row of bills)
      for (const name of ["bills", "billed", "credited", "flex"] as const)
        note(SUBJECTS[name](Number(row.number)), row[name]);
    return totals satisfies Totals;
  },
});
