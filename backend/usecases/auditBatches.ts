/** What was posted: every line is a settlement of the store, every settlement of a driver is posted once, roots add up. */

import type { Tariff } from "../domain/assets.ts";
import type { Facts, SessionFile } from "./auditFacts.ts";
import { billName, type Check, type Findings } from "./auditFindings.ts";
import type { BillLine, ChainEye, MoneyEvent, Posted } from "./ports.ts";

export async function auditBatches(
  chain: ChainEye,
  facts: Facts,
  tariffs: readonly Tariff[],
  events: readonly MoneyEvent[],
  live: boolean,
  findings: Findings,
): Promise<void> {
  const check = findings.check("batches of bills");
  const numbers = new Map(tariffs.map((tariff) => [tariff.id, tariff.number]));
  const billed = new Map<number, { batch: Posted; line: BillLine }>();
  const lastSeq = new Map<number, number>();
  for (const batch of events) {
    if (batch.kind !== "posted") continue;
    const where = `batch ${batch.seq} of CPO ${batch.cpo}`;
    check.looked();
    check.same(where, "sequence number", batch.seq, (lastSeq.get(batch.cpo) ?? 0) + 1);
    lastSeq.set(batch.cpo, batch.seq);
    const lines = await chain.linesOf(batch);
    check.same(where, "number of lines", lines.length, batch.count);
    check.same(where, "root of its lines", chain.batchRoot(batch.cpo, batch.seq, lines), batch.root);
    const kept = await chain.batch(batch.cpo, batch.seq);
    check.same(where, "root that the contract keeps", kept.root, batch.root);
    for (const line of lines) {
      if (billed.has(line.number)) check.differs(where, `session number ${line.number} is billed a second time`);
      billed.set(line.number, { batch, line });
    }
  }
  auditEvents(events, billed, findings);
  for (const own of facts.sessions) auditPosted(own, facts, billed, numbers, live, findings);
  for (const [number, { batch }] of billed)
    if (!facts.byNumber.get(number)?.settlement)
      check.differs(
        `batch ${batch.seq} of CPO ${batch.cpo}`,
        `bills session number ${number}, which the store never settled`,
      );
}

/** The events of a batch say what its calldata says. */
function auditEvents(
  events: readonly MoneyEvent[],
  billed: ReadonlyMap<number, { batch: Posted; line: BillLine }>,
  findings: Findings,
): void {
  const check = findings.check("batches of bills");
  for (const event of events) {
    if (event.kind !== "billed") continue;
    const line = billed.get(event.number)?.line;
    const where = `event Billed of session number ${event.number}`;
    if (!line) {
      check.differs(where, "belongs to no batch");
      continue;
    }
    check.same(where, "driver", event.driver, line.driver);
    check.same(where, "amount", event.amount, line.amount);
    check.same(where, "credit", event.credit, line.credit);
    check.same(where, "FLEX (Wh)", event.flexWh, line.flex);
  }
}

function auditPosted(
  { session, settlement }: SessionFile,
  facts: Facts,
  billed: ReadonlyMap<number, { batch: Posted; line: BillLine }>,
  tariffs: ReadonlyMap<string, number>,
  live: boolean,
  findings: Findings,
): void {
  const check: Check = findings.check("batches of bills");
  const where = billName(session.id);
  const posted = billed.get(session.number);
  if (!settlement) return;
  if (settlement.driverId === null) {
    if (posted || settlement.batch !== null) check.differs(where, "has no driver, but is posted on chain");
    return;
  }
  if (!posted) {
    if (live) findings.notes.push(`${where} is not on chain yet`);
    else
      check.differs(
        where,
        settlement.batch === null ? "waits in no batch" : `batch ${settlement.batch} does not have it`,
      );
    return;
  }
  const { batch, line } = posted;
  const cpo = facts.cpos.find((one) => one.id === settlement.cpoId);
  check.same(where, "batch", settlement.batch, batch.seq);
  check.same(where, "CPO of its batch", cpo?.number ?? null, batch.cpo);
  const driver = facts.drivers.get(settlement.driverId)?.address ?? null;
  const values: readonly [string, string | number | bigint | null, string | number | bigint | null][] = [
    ["driver", driver, line.driver],
    ["amount (micro-euro)", settlement.amountMicroEur, line.amount],
    ["credit (micro-euro)", settlement.creditMicroEur, line.credit],
    ["energy (Wh)", settlement.energyWh, line.wh],
    ["FLEX (Wh)", settlement.flexWh, line.flex],
    ["number of the tariff", tariffs.get(session.tariffId) ?? null, line.tariff],
    ["hash of the receipt", settlement.detailHash, line.detail],
  ];
  for (const [name, own, chain] of values)
    if (own !== chain) check.differs(where, `${name} on chain ${chain}, the store has ${own}`);
  check.looked(values.length);
}
