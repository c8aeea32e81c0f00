/**
 * The chain by itself and its registers: is it this source's code, is the log of runs whole, and are the groups, assets,
 * drivers and tariffs that it knows those of the store?
 */
import { SLOT_S, slotStart } from "../domain/slots.ts";
import type { Facts, GroupFile } from "./auditFacts.ts";
import { at, type Findings, slotName } from "./auditFindings.ts";
import { tenantName } from "./auditTenants.ts";
import { tenantGroup } from "./ledgerPort.ts";
import type { ChainEye, Hex, Ledger, MoneyEvent, RecordedSlot, RunRecord, Store } from "./ports.ts";

/** A time without records that the operator announced, for instance a restart. */
export type Outage = { readonly from: number; readonly until: number };

export async function auditDeployment(chain: ChainEye, findings: Findings): Promise<void> {
  const check = findings.check("contracts");
  check.looked();
  for (const text of await chain.deploymentDifferences()) {
    const [name = "deployment"] = text.split(":");
    check.differs(`contract ${name}`, text);
  }
}

/**
 * Every group's log of runs leads to the head that the contract keeps, slot by slot. `recorded`: as the chain shows them;
 * `runs`: of groups, also those that the chain knows by a root alone.
 */
export async function auditHashChains(
  chain: ChainEye,
  facts: Facts,
  { recorded, runs }: { readonly recorded: readonly RunRecord[]; readonly runs: readonly RunRecord[] },
  options: { readonly live: boolean; readonly outages: readonly Outage[]; hasSlot(slot: number): boolean },
  findings: Findings,
): Promise<void> {
  const check = findings.check("hash chain of runs");
  const numbers = new Set([...recorded.map((run) => run.group), ...facts.groups.map(({ group }) => group.number)]);
  for (const number of numbers) {
    const own = recorded.filter((run) => run.group === number);
    const file = facts.groups.find(({ group }) => group.number === number);
    const tenant = facts.cpos.find((cpo) => tenantGroup(cpo.number) === number);
    const name = tenant ? tenantName(tenant) : `group ${file?.group.id ?? number}`;
    const head = await chain.head(number);
    check.looked(own.length);
    if (chain.chainOf(own) !== head.chain)
      check.differs(name, `the ${own.length} recorded runs do not lead to the head of the contract's hash chain`);
    if ((own.at(-1)?.slot ?? 0) !== head.slot)
      check.differs(name, `the last recorded slot is ${own.at(-1)?.slot ?? "none"}, the contract's head ${head.slot}`);
    if (tenant) continue;
    if (!file) {
      check.differs(name, `${own.length} runs are recorded, but the store does not know the group`);
      continue;
    }
    const all = runs.filter((run) => run.group === number);
    for (const [i, run] of all.entries())
      if (options.hasSlot(run.slot)) auditGap(name, all[i - 1] ?? null, run, options.outages, findings);
    auditRecords(file, all, options, findings);
  }
}

function auditGap(
  name: string,
  before: RunRecord | null,
  run: RunRecord,
  outages: readonly Outage[],
  findings: Findings,
): void {
  if (before === null || run.slot === before.slot + 1) return;
  const check = findings.check("slots without a record");
  check.looked();
  const [from, until] = [slotStart(before.slot + 1), slotStart(run.slot)];
  const text = `${run.slot - before.slot - 1} slots from ${at(from)} to ${at(until)} have no record`;
  // A slot is missed when the service was away as its cycle was due, up to one slot before.
  if (outages.some((outage) => outage.from - SLOT_S <= from && until <= outage.until + SLOT_S))
    findings.notes.push(`${name}: ${text}; an outage was declared`);
  else check.differs(name, text);
}

/** Records of the store and runs of the chain are the same slots. */
function auditRecords(
  { group, records }: GroupFile,
  runs: readonly RunRecord[],
  { live, hasSlot }: { readonly live: boolean; hasSlot(slot: number): boolean },
  findings: Findings,
): void {
  const check = findings.check("recorded slots");
  const bySlot = new Map(runs.map((run) => [run.slot, run]));
  const stored = new Map(records.map((record) => [record.slot, record]));
  for (const run of runs)
    if (hasSlot(run.slot) && !stored.has(run.slot))
      check.differs(slotName(group.id, run.slot), "is on chain, but not in the store");
  const waiting: RecordedSlot[] = [];
  for (const record of records) {
    if (!hasSlot(record.slot)) continue;
    const run = bySlot.get(record.slot);
    if (run) compareRecord(group.id, record, run, findings);
    else if (live && record.slot > (runs.at(-1)?.slot ?? 0)) waiting.push(record);
    else check.differs(slotName(group.id, record.slot), "is in the store, but not on chain");
  }
  if (waiting.length > 0)
    findings.notes.push(
      `${group.id}: ${waiting.length} records of the store are not on chain yet, from slot ${waiting[0]!.slot} on`,
    );
}

function compareRecord(groupId: string, record: RecordedSlot, run: RunRecord, findings: Findings): void {
  const check = findings.check("recorded slots");
  const where = slotName(groupId, record.slot);
  // Without rows on chain they are under the root: auditLeaves.
  if (run.rows !== "0x" && record.rows !== run.rows)
    check.differs(where, `rows in the store (${record.rows.length / 2 - 1} bytes) are not the recorded ones`);
  check.same(where, "root of the leaves in the store", record.root, run.root);
}

/** Groups, charge points and PV as registered, and nothing else. */
export async function auditRegisters(
  chain: ChainEye,
  ledger: Ledger,
  facts: Facts,
  money: readonly MoneyEvent[],
  tariffs: Awaited<ReturnType<typeof readTariffs>>,
  live: boolean,
  findings: Findings,
): Promise<void> {
  const check = findings.check("registers");
  const groups = await chain.groups();
  const assets = await chain.assets();
  for (const { group, cpo, evses, pvs } of facts.groups) {
    const where = `group ${group.id}`;
    // The latest setting that was made: capacities are judged by it, lower ones for a time are limits of their own.
    const registered = groups.findLast((one) => one.group === group.number);
    if (!registered) {
      if (live) findings.notes.push(`${where} is not on chain yet`);
      else check.differs(where, "is not registered on chain");
      continue;
    }
    check.same(where, "supply limit (W)", group.supplyLimitW, registered.capacityW);
    check.same(where, "number of its CPO", cpo.number, registered.cpo);
    const own = new Map(assets.filter((asset) => asset.group === group.number).map((asset) => [asset.index, asset]));
    for (const evse of evses) {
      const asset = own.get(evse.row);
      own.delete(evse.row);
      const name = `EVSE ${evse.id}`;
      if (!asset) {
        check.differs(name, `row ${evse.row} of ${where} is not registered on chain`);
        continue;
      }
      check.same(name, "kind on chain", asset.kind, 1);
      check.same(name, "power (W)", evse.maxPowerW, asset.ratedW);
      check.same(name, "phases", evse.phases, asset.phases);
      check.same(name, "hash of its id", ledger.hashText(evse.id), asset.metadata);
    }
    for (const pv of pvs) {
      const asset = own.get(pv.row);
      own.delete(pv.row);
      if (check.same(`PV ${pv.id}`, "kind on chain", asset?.kind ?? null, 2))
        check.same(`PV ${pv.id}`, "power (W)", pv.ratedPowerW, asset?.ratedW ?? null);
    }
    for (const index of own.keys()) check.differs(where, `row ${index} is registered on chain, but not in the store`);
  }
  auditDrivers(facts, money, live, findings);
  auditTariffs(facts, money, tariffs, findings);
}

function auditDrivers(facts: Facts, money: readonly MoneyEvent[], live: boolean, findings: Findings): void {
  const check = findings.check("registers");
  const consents = new Map<Hex, Hex>();
  for (const event of money) if (event.kind === "driver-registered") consents.set(event.driver, event.consent);
  for (const driver of facts.drivers.values()) {
    const consent = consents.get(driver.address as Hex);
    if (consent === undefined && live) findings.notes.push(`driver ${driver.id} is not on chain yet`);
    else check.same(`driver ${driver.id}`, "hash of the consent", driver.consentHash, consent ?? null);
    consents.delete(driver.address as Hex);
  }
  for (const address of consents.keys())
    check.differs(`driver ${address}`, "is registered on chain, but the store knows no such driver");
}

/** The tariffs that sessions were billed by. */
export async function readTariffs(store: Store, facts: Facts) {
  const ids = new Set(facts.sessions.map((file) => file.session.tariffId));
  const tariffs = await Promise.all([...ids].map((id) => store.sites.tariff(id)));
  return tariffs.filter((tariff) => tariff !== null);
}

function auditTariffs(
  facts: Facts,
  money: readonly MoneyEvent[],
  tariffs: Awaited<ReturnType<typeof readTariffs>>,
  findings: Findings,
): void {
  const check = findings.check("registers");
  const set = new Map(money.flatMap((event) => (event.kind === "tariff-set" ? [[event.tariff, event] as const] : [])));
  for (const tariff of tariffs) {
    const where = `tariff ${tariff.id}`;
    const registered = set.get(tariff.number);
    if (!registered) {
      check.differs(where, `number ${tariff.number} is not registered on chain`);
      continue;
    }
    check.same(where, "price (micro-euro per kWh)", BigInt(tariff.pricePerKwh), registered.maxPerKwh);
    const cpo = facts.cpos.find((one) => one.id === tariff.cpoId);
    check.same(where, "number of its CPO", cpo?.number ?? null, registered.cpo);
  }
}
