/**
 * Privacy "tenant-root" (sealSlots.ts): of all groups of a CPO the chain has one run per slot, the store says which runs stand
 * under its root. Whatever leads to the root was recorded; it is put beside the runs that the chain shows themselves, so that
 * all other checks judge both alike.
 */
import type { Cpo } from "../domain/assets.ts";
import type { Facts, GroupFile } from "./auditFacts.ts";
import { attempt, createFindings, type Findings, slotName } from "./auditFindings.ts";
import { tenantGroup } from "./ledgerPort.ts";
import type { ChainEye, Ledger, RunRecord } from "./ports.ts";
import { tenantRun } from "./sealSlots.ts";

type Parts = {
  readonly chain: ChainEye;
  readonly ledger: Ledger;
  readonly facts: Facts;
  /** As the chain shows them. */
  readonly recorded: readonly RunRecord[];
  readonly live: boolean;
  /** CPOs that are judged. */
  readonly cpos: readonly Cpo[];
  hasSlot(slot: number): boolean;
  readonly findings: Findings;
};

/** A run that the store says to stand under its CPO's root. */
type Claim = { readonly file: GroupFile; readonly run: RunRecord };

/** How the run for all groups of a CPO is called. */
export const tenantName = (cpo: Cpo) => `all groups of ${cpo.id}`;

/** Runs of groups, ascending by slot. */
export async function runsOfGroups(parts: Parts): Promise<readonly RunRecord[]> {
  const { facts, recorded, cpos } = parts;
  const tenants = new Set(facts.cpos.map(({ number }) => tenantGroup(number)));
  const runs = recorded.filter(({ group }) => !tenants.has(group));
  for (const cpo of cpos) runs.push(...runsUnder(parts, cpo));
  await auditNumbers(parts);
  return runs.toSorted((a, b) => a.slot - b.slot);
}

function runsUnder(parts: Parts, cpo: Cpo): RunRecord[] {
  const { ledger, recorded, live, hasSlot, findings } = parts;
  const own = recorded.filter(({ group }) => group === tenantGroup(cpo.number));
  const bySlot = new Map(own.map((run) => [run.slot, run]));
  const alone = new Set(recorded.map(({ group, slot }) => `${group}:${slot}`));
  const claims = claimsOf(parts, cpo);
  const runs: RunRecord[] = [];
  if (claims.size === 0 && own.length === 0) return runs;
  const check = findings.check("roots of all groups");
  for (const slot of new Set([...claims.keys(), ...bySlot.keys()])) {
    const [claimed, run] = [claims.get(slot) ?? [], bySlot.get(slot)];
    if (run) runs.push(...claimed.map((one) => one.run));
    if (!hasSlot(slot)) continue;
    check.looked();
    const where = slotName(tenantName(cpo), slot);
    if (run) attempt(check, where, () => auditRoot(run, cpo, claimed, ledger, findings));
    else if (!live || slot <= (own.at(-1)?.slot ?? 0))
      check.differs(where, `is not on chain; the store has runs of ${namesOf(claimed)} under its root`);
    for (const { file } of claimed)
      if (alone.has(`${file.group.number}:${slot}`))
        check.differs(slotName(file.group.id, slot), "is on chain by itself, and under the root of all groups as well");
  }
  return runs;
}

/** By slot. What is no run at all is none of them. */
function claimsOf({ facts, ledger, hasSlot, findings }: Parts, cpo: Cpo): ReadonlyMap<number, Claim[]> {
  const claims = new Map<number, Claim[]>();
  for (const file of facts.groups.filter((one) => one.cpo.id === cpo.id))
    for (const { run, slot } of file.records) {
      if (run === null) continue;
      // Slots that are not judged lead up to those that are.
      const check = (hasSlot(slot) ? findings : createFindings()).check("roots of all groups");
      const where = slotName(file.group.id, slot);
      check.same(where, "group of its run", run.group, file.group.number);
      check.same(where, "slot of its run", run.slot, slot);
      check.same(where, "rows of its run", run.rows, "0x");
      attempt(check, where, () => {
        ledger.linkOf(run);
        claims.set(slot, [...(claims.get(slot) ?? []), { file, run }]);
      });
    }
  return claims;
}

/** The one run on chain is what comes of the groups' runs, and nothing besides. */
function auditRoot(run: RunRecord, cpo: Cpo, claimed: readonly Claim[], ledger: Ledger, findings: Findings): void {
  const check = findings.check("roots of all groups");
  const where = slotName(tenantName(cpo), run.slot);
  if (claimed.length === 0) {
    check.differs(where, "is on chain, but the store has no run under its root");
    return;
  }
  const made = (of: readonly Claim[]) =>
    tenantRun(
      ledger,
      cpo.number,
      of.map((one) => one.run),
    );
  const { root, ...rest } = made(claimed);
  for (const [field, value] of Object.entries(rest))
    check.same(where, field, run[field as keyof RunRecord], value as string);
  if (root === run.root) return;
  // One run too many in the store can be told; one that is missing or changed cannot, nobody but the store has it.
  const left =
    claimed.length > 1 &&
    claimed.length <= TRIED &&
    claimed.find((one) => made(claimed.filter((other) => other !== one)).root === run.root);
  if (left)
    check.differs(slotName(left.file.group.id, run.slot), "is not under the root of all groups that is on chain");
  else check.differs(where, `the runs of ${namesOf(claimed)} lead to the root ${root}, the chain has ${run.root}`);
}

/** Groups of a slot that are left out in turn to find the one too many: each time the whole tree is made again. */
const TRIED = 100;
const NAMED = 10;
const namesOf = (claims: readonly Claim[]) =>
  claims.length > NAMED ? `${claims.length} groups` : claims.map(({ file }) => file.group.id).join(", ");

/** Who reads the chain alone finds whose groups a number stands for, and that it has no assets of its own. */
async function auditNumbers({ chain, recorded, live, cpos, findings }: Parts): Promise<void> {
  const check = findings.check("registers");
  const used = cpos.filter(({ number }) => recorded.some(({ group }) => group === tenantGroup(number)));
  if (used.length === 0) return;
  const [groups, assets] = [await chain.groups(), await chain.assets()];
  for (const cpo of used) {
    const number = tenantGroup(cpo.number);
    const registered = groups.findLast(({ group }) => group === number);
    if (!registered && live) findings.notes.push(`${tenantName(cpo)}: number ${number} is not registered on chain yet`);
    else
      check.same(tenantName(cpo), `CPO that number ${number} is registered for`, registered?.cpo ?? null, cpo.number);
    check.same(tenantName(cpo), "assets of its own", assets.filter(({ group }) => group === number).length, 0);
  }
}
