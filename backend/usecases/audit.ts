/**
 * The audit: everything that the contracts ever said against everything in the store. Nothing is trusted: hashes are taken
 * of the bytes again, costs and bounds are computed by the contract and by a second checker, exact plans are made again by the
 * method's text on chain, bills from readings, balances from events. A difference names the thing. Read-only.
 *
 * What nobody can recompute afterwards is not checked: forecasts of other load and PV, what a driver wished beyond the
 * promise, the early weight within its registered maximum, what others in the group could have given up when a bill was
 * made (LIMIT), how much of its time a car was unwilling (only the most that it can have left). Readings between two
 * records of a session that is still open are not committed to anywhere yet. Whether meters and prices told the truth, and
 * whether an arbiter decided well, is beyond any audit of records.
 */
import type { OrderSettlement } from "../domain/orders.ts";
import { slotOf } from "../domain/slots.ts";
import { epochSecond } from "../domain/units.ts";
import { auditBatches } from "./auditBatches.ts";
import { auditBill } from "./auditBills.ts";
import { auditDeployment, auditHashChains, auditRegisters, type Outage, readTariffs } from "./auditChain.ts";
import { auditDisputes } from "./auditDisputes.ts";
import { noteErasures } from "./auditErasures.ts";
import { auditEveryPlan } from "./auditEveryPlan.ts";
import { auditEvidence } from "./auditEvidence.ts";
import { type Facts, readFacts } from "./auditFacts.ts";
import {
  attempt,
  billName,
  type CheckRow,
  createFindings,
  type Difference,
  type Findings,
  sessionName,
} from "./auditFindings.ts";
import type { Gap } from "./auditMethod.ts";
import { auditMoney } from "./auditMoney.ts";
import { auditOrders } from "./auditOrders.ts";
import { auditPromises } from "./auditPromises.ts";
import { auditRefusals } from "./auditRefusals.ts";
import { type AuditWish, scopeOf } from "./auditScope.ts";
import { runsOfGroups } from "./auditTenants.ts";
import { tenantGroup } from "./ledgerPort.ts";
import type { ChainEye, Ledger, Store } from "./ports.ts";

export type { Outage } from "./auditChain.ts";
export type { CheckRow, Difference } from "./auditFindings.ts";

export type AuditParts = {
  readonly store: Store;
  readonly ledger: Ledger;
  /** Made before the store is read: it sees the chain as of then. */
  readonly chain: ChainEye;
  /** Name of the price series that plans and bills used. */
  readonly market: string;
  /** What the store has and the chain not yet waits in the outbox: a note instead of a difference. */
  readonly live?: boolean;
  readonly outages?: readonly Outage[];
  /**
   * What the checker contract is asked about: every plan (the default), or those alone that command a slot, which takes half
   * the time. The checker in TypeScript judges every plan either way.
   */
  readonly contractJudges?: "every plan" | "recorded runs";
  /** Judges this part alone, and says what was not looked at. */
  readonly part?: AuditWish;
  /** Share done, 0 to 1. */
  readonly onProgress?: (share: number, what: string) => void;
};

export type AuditReport = {
  readonly ok: boolean;
  readonly runsChecked: number;
  readonly plansChecked: number;
  readonly billsChecked: number;
  readonly leavesChecked: number;
  readonly readingsChecked: number;
  readonly differences: readonly Difference[];
  readonly notes: readonly string[];
  readonly table: readonly CheckRow[];
  /** Plans of rules, and plans repaired for least power, that cost more than the certified optimum; dearest first. */
  readonly gaps: readonly Gap[];
};

export async function audit(parts: AuditParts): Promise<AuditReport> {
  const { store, ledger, chain, market } = parts;
  const live = parts.live ?? false;
  const progress = parts.onProgress ?? (() => undefined);
  const findings = createFindings();

  progress(0, "chain");
  await auditDeployment(chain, findings);
  const everyRun = await chain.runs();
  const events = await chain.moneyEvents();
  progress(0.05, "store");
  const facts = await readFacts(store, market, (share) => progress(0.05 + 0.25 * share, "store"));
  const scope = scopeOf(facts, parts.part);
  const { judged } = scope;
  if (scope.note) findings.notes.push(scope.note);
  const cpos = scope.isWhole
    ? facts.cpos
    : facts.cpos.filter((one) => judged.groups.some(({ cpo }) => cpo.id === one.id));
  const numbers = new Set([
    ...judged.groups.map(({ group }) => group.number),
    ...cpos.map(({ number }) => tenantGroup(number)),
  ]);
  const recorded = scope.isWhole ? everyRun : everyRun.filter((run) => numbers.has(run.group));
  const { hasSlot } = scope;
  const known = await runsOfGroups({ chain, ledger, facts, recorded, live, cpos, hasSlot, findings });
  const runs = known.filter((run) => scope.isWhole || numbers.has(run.group));
  const outages = parts.outages ?? [];
  await auditHashChains(chain, judged, { recorded, runs }, { live, outages, hasSlot }, findings);
  const tariffs = await readTariffs(store, facts);
  await auditRegisters(chain, ledger, judged, events, tariffs, live, findings);

  const plans = await auditEveryPlan(
    {
      ...{ store, ledger, chain, facts: judged, runs, findings },
      scope: scope.isWhole ? undefined : scope,
      contractJudges: parts.contractJudges ?? "every plan",
    },
    (share) => progress(0.3 + 0.55 * share, "plans"),
  );
  progress(0.85, "bills");
  for (const own of judged.sessions) {
    const check = findings.check("bills");
    attempt(check, sessionName(own.session.id), () => auditEvidence(own, ledger, findings));
    const group = facts.groups.find((one) => one.group.id === own.session.groupId);
    if (!group) {
      findings
        .check("bills")
        .differs(`session ${own.session.id}`, `is in a group ${own.session.groupId} that there is not`);
      continue;
    }
    const tariff = tariffs.find((one) => one.id === own.session.tariffId) ?? null;
    attempt(check, billName(own.session.id), () => {
      auditPromises(own, group, findings);
      auditBill(own, { facts, group, tariff, plans: plans.hashes, ledger, findings });
    });
  }
  await auditSessionSlots(store, judged, findings);
  auditOrders(judged.groups, plans.ordered, await settlementsOf(store, judged), findings, scope.hasOrder);
  await auditRefusals(judged.groups, parts.contractJudges === "recorded runs" ? null : chain, findings, scope);
  await auditBatches(chain, judged, tariffs, events, live, findings);
  await auditDisputes(chain, judged, events, { live, termS: ledger.disputeTerms.termS }, findings);
  noteErasures(judged, findings);
  if (scope.isWhole) await auditMoney(chain, facts, events, findings);
  progress(1, "done");
  return {
    ok: findings.differences.length === 0,
    runsChecked: runs.filter((run) => scope.hasSlot(run.slot)).length,
    plansChecked: plans.count,
    billsChecked: judged.sessions.filter((own) => own.settlement).length,
    leavesChecked: plans.leaves,
    readingsChecked: judged.sessions.reduce((sum, own) => sum + own.readings.length, 0),
    differences: findings.differences,
    notes: findings.notes,
    table: findings.table(),
    gaps: plans.gaps.toSorted((a, b) => (a.gap < b.gap ? 1 : -1)),
  };
}

async function settlementsOf(store: Store, facts: Facts): Promise<ReadonlyMap<string, OrderSettlement>> {
  const settled = new Map<string, OrderSettlement>();
  for (const order of facts.groups.flatMap(({ orders }) => orders)) {
    const settlement = await store.grid.settlement(order.id);
    if (settlement) settled.set(order.id, settlement);
  }
  return settled;
}

/** The most that a slot's column holds. */
const LAST_SLOT = 2 ** 31 - 1;

/** Others' limit shares were computed from these rows, which are the receipts' own intervals. */
async function auditSessionSlots(store: Store, facts: Facts, findings: Findings): Promise<void> {
  const check = findings.check("slots of bills");
  for (const { group } of facts.groups) {
    const sessions = facts.sessions.filter(({ session }) => session.groupId === group.id);
    const rows = new Map<string, { baselineWh: number; allowedWh: number; meteredWh: number }>();
    for (const row of await store.bills.slots(group.id, 0, LAST_SLOT)) rows.set(`${row.sessionId} ${row.slot}`, row);
    for (const { session, receipt } of sessions)
      for (const one of receipt?.flex.intervals ?? []) {
        const slot = slotOf(epochSecond(one.from));
        const row = rows.get(`${session.id} ${slot}`);
        const where = `bill of session ${session.id}, slot ${slot}`;
        check.same(where, "baseline (Wh)", row?.baselineWh ?? null, one.baselineWh);
        check.same(where, "allowed (Wh)", row?.allowedWh ?? null, one.allowedWh);
        check.same(where, "metered (Wh)", row?.meteredWh ?? null, one.meteredWh);
      }
  }
}
