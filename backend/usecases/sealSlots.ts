/**
 * Privacy "tenant-root": the runs of all groups of a CPO in one slot go to the chain as one Merkle root. Each group's record
 * is made as ever and waits in the store. The slot is sealed when all of the CPO's groups have recorded it, at the latest when
 * it begins: a group that stands still holds nobody up. Who records a slot that is sealed already does so by itself, as in
 * the mode "root". What waits is sealed in whatever mode the service runs by then.
 */
import { slotStart } from "../domain/slots.ts";
import { slotKey, tenantGroup } from "./ledgerPort.ts";
import type { Hex, Ledger, RunRecord, World } from "./ports.ts";

type Needs = Pick<World, "store" | "ledger" | "clock">;

/** Key of the call that is going to seal the slot; null where a group records by itself. */
export async function sealKeyOf(
  { store, ledger }: Pick<World, "store" | "ledger">,
  cpoId: string,
  slot: number,
): Promise<string | null> {
  if (ledger.privacy !== "tenant-root" || slot <= (await store.plans.sealedUntil(cpoId))) return null;
  const cpo = (await store.sites.cpos()).find(({ id }) => id === cpoId);
  if (!cpo) throw new Error(`There is no CPO ${cpoId} in the store. Add it before its groups.`);
  return slotKey(tenantGroup(cpo.number), slot);
}

/** Seals what is due, in the order of slots. One transaction: a slot is sealed once, or waits on. */
export async function sealSlots({ store, ledger, clock }: Needs): Promise<void> {
  if ((await store.plans.unsealed()).length === 0) return;
  await store.transaction(async (store) => {
    const waiting = await store.plans.unsealed();
    const groups = await store.sites.groups();
    for (const { id, number } of await store.sites.cpos()) {
      const own = waiting.filter(({ cpoId }) => cpoId === id).map(({ run }) => run);
      const count = groups.filter(({ cpoId }) => cpoId === id).length;
      for (const slot of new Set(own.map((run) => run.slot))) {
        const runs = own.filter((run) => run.slot === slot);
        if (runs.length < count && clock.now() < slotStart(slot)) break;
        await sealSlot({ store, ledger }, { id, number }, runs);
      }
    }
  });
}

/** The CPO's number among groups is registered with its first slot, for everybody who reads the chain alone. */
async function sealSlot(
  { store, ledger }: Omit<Needs, "clock">,
  cpo: { readonly id: string; readonly number: number },
  runs: readonly RunRecord[],
): Promise<void> {
  const run = tenantRun(ledger, cpo.number, runs);
  const { group, slot } = run;
  if ((await store.plans.sealedUntil(cpo.id)) === 0)
    await store.outbox.enqueue(ledger.setGroup({ group, cpo: cpo.number, capacityW: 0, parent: 0, fromSlot: slot }));
  await store.plans.seal(cpo.id, slot, slotKey(group, slot));
  await store.outbox.enqueue(ledger.record([run]));
}

/**
 * One run for those of a CPO's groups in one slot. It commits to nothing but the root; the algorithm, which the contract
 * insists on, is least-cost whatever the groups run, and says nothing.
 */
export function tenantRun(ledger: Ledger, cpo: number, runs: readonly RunRecord[]): RunRecord {
  const slot = runs[0]?.slot;
  if (slot === undefined || runs.some((run) => run.slot !== slot))
    throw new RangeError(`${runs.length} runs are not those of one slot.`);
  const nothing = { problem: ZERO, plan: ZERO, value: ZERO, earlier: ZERO, rows: "0x" } as const;
  const root = ledger.merkleRoot(linksOf(ledger, runs));
  return { group: tenantGroup(cpo), slot, algorithm: ledger.versions["least-cost"], ...nothing, root };
}

/** Siblings from the run of a group up to the root over these. Throws when the group has none among them. */
export function proofWithin(ledger: Ledger, runs: readonly RunRecord[], group: number): Within {
  const index = byGroup(runs).findIndex((run) => run.group === group);
  const links = linksOf(ledger, runs);
  return { proof: ledger.merkleProof(links, index), root: ledger.merkleRoot(links) };
}
type Within = { readonly proof: readonly Hex[]; readonly root: Hex };

/** Both children of each inner node of the tree over these, in the order in which they are hashed. */
export function nodesOver(ledger: Ledger, runs: readonly RunRecord[]): (readonly [low: Hex, high: Hex])[] {
  const nodes: (readonly [Hex, Hex])[] = [];
  for (let level = linksOf(ledger, runs); level.length > 1; ) {
    const pairs = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => level.slice(2 * i, 2 * i + 2).sort());
    nodes.push(...pairs.flatMap(([low, high]) => (low && high ? [[low, high] as const] : [])));
    level = pairs.map((pair) => ledger.merkleRoot(pair));
  }
  return nodes;
}

const byGroup = (runs: readonly RunRecord[]) => runs.toSorted((a, b) => a.group - b.group);
const linksOf = (ledger: Ledger, runs: readonly RunRecord[]) => byGroup(runs).map((run) => ledger.linkOf(run));

const ZERO: Hex = `0x${"00".repeat(32)}`;
