/** What a chain adds to the audit of a bundle: were these roots recorded and posted, and is no slot of a stay left out? */
import { SLOT_S, slotStart } from "../domain/slots.ts";
import type { Unpacked } from "./auditBundle.ts";
import { auditDeployment } from "./auditChain.ts";
import { at, billName, type Findings } from "./auditFindings.ts";
import type { Bundle } from "./bundle.ts";
import { tenantGroup } from "./ledgerPort.ts";
import type { ChainEye, RunRecord } from "./ports.ts";

export async function auditBundleOnChain(
  bundle: Bundle,
  sessions: readonly Unpacked[],
  chain: ChainEye,
  findings: Findings,
): Promise<void> {
  await auditDeployment(chain, findings);
  if (!(await chain.account(bundle.driver)).isDriver)
    findings.check("registers").differs(`driver ${bundle.driver}`, "is not registered on chain");
  const runs = Map.groupBy(await chain.runs(), ({ group }) => group);
  const names = new Map<number, string>();
  for (const { cpo, group } of sessions.map(({ bundled }) => bundled))
    names.set(group, `group ${group}`).set(tenantGroup(cpo), `all groups of CPO ${cpo}`);
  for (const [group, name] of names) {
    const own = runs.get(group) ?? [];
    const check = findings.check("hash chain of runs");
    check.looked(own.length);
    if (chain.chainOf(own) !== (await chain.head(group)).chain)
      check.differs(name, `its ${own.length} recorded runs do not lead to the head of the hash chain`);
  }
  for (const one of sessions) {
    const of = (group: number) => new Map((runs.get(group) ?? []).map((run) => [run.slot, run]));
    auditRoots(one, of(one.bundled.group), of(tenantGroup(one.bundled.cpo)), findings);
    await auditBatch(one, chain, findings);
  }
}

type Runs = ReadonlyMap<number, RunRecord>;

/** `runs`: of the group alone; `ofAll`: of all groups of its CPO. */
function auditRoots({ bundled, own }: Unpacked, runs: Runs, ofAll: Runs, findings: Findings): void {
  const check = findings.check("recorded slots");
  const { session, profiles } = own;
  for (const { slot, root, within } of bundled.slots) {
    const where = `recorded slot ${slot}, session ${session.id}`;
    const run = (within ? ofAll : runs).get(slot);
    if (run) check.same(where, within ? "root of all groups" : "root", (within ?? { root }).root, run.root);
    else check.differs(where, "is not on chain");
  }
  // The service certainly knew of the session once it had sent a profile; a slot is recorded just before it begins, or in it.
  const known = (profiles[0]?.sentAt ?? Number.POSITIVE_INFINITY) + SLOT_S;
  const gone = session.unpluggedAt ?? Number.NEGATIVE_INFINITY;
  const bundledSlots = new Set(bundled.slots.map(({ slot }) => slot));
  for (const slot of [...runs.keys(), ...ofAll.keys()])
    if (slotStart(slot) >= known && slotStart(slot + 1) <= gone && !bundledSlots.has(slot))
      check.differs(
        `recorded slot ${slot}, session ${session.id}`,
        `is on chain (${at(slotStart(slot))}), but not in the bundle`,
      );
}

async function auditBatch({ bundled, own }: Unpacked, chain: ChainEye, findings: Findings): Promise<void> {
  const posted = bundled.bill?.posted;
  if (!posted) return;
  const where = billName(own.session.id);
  const kept = await chain.batch(bundled.cpo, posted.seq);
  findings
    .check("batches of bills")
    .same(where, `root of batch ${posted.seq} that the contract keeps`, posted.root, kept.root);
  const { state, openedAt } = await chain.dispute(bundled.cpo, own.session.number);
  if (state !== "none")
    findings.notes.push(`${where} was disputed at ${at(openedAt)}; the dispute is ${state} on chain`);
}
