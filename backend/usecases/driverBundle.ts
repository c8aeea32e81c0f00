/** Puts a driver's bundle together from the store. */
import type { ChargingGroup, Cpo } from "../domain/assets.ts";
import type { ChargingSession } from "../domain/sessions.ts";
import { slotOf } from "../domain/slots.ts";
import { profilesText, promiseText, readingsText, sessionText } from "../settlement/evidence.ts";
import {
  BUNDLE_FORMAT,
  type Bundle,
  type BundledBill,
  type BundledSession,
  type BundledSlot,
  type WithinRoot,
} from "./bundle.ts";
import type { Hex, RecordedSlot, RunRecord, World } from "./ports.ts";
import { lineOf } from "./postBills.ts";
import { proofWithin } from "./sealSlots.ts";

type Needs = Pick<World, "store" | "ledger" | "clock">;

/** `sessions`: the driver's own. Throws for a driver whom the store does not know. */
export async function driverBundle(
  world: Needs,
  driverId: string,
  sessions: readonly ChargingSession[],
): Promise<Bundle> {
  const driver = await world.store.drivers.byId(driverId);
  if (!driver) throw new Error(`There is no driver ${driverId}. Register the driver first.`);
  const bundled: BundledSession[] = [];
  for (const session of sessions) {
    if (session.driverId !== driverId) throw new Error(`Session ${session.id} is not of driver ${driverId}.`);
    bundled.push(await sessionOf(world, session));
  }
  return { format: BUNDLE_FORMAT, madeAt: world.clock.now(), driver: driver.address as Hex, sessions: bundled };
}

async function sessionOf(world: Needs, session: ChargingSession): Promise<BundledSession> {
  const { store } = world;
  const cpo = (await store.sites.cpos()).find((one) => one.id === session.cpoId) as Cpo;
  const group = (await store.sites.group(session.groupId)) as ChargingGroup;
  return {
    cpo: cpo.number,
    group: group.number,
    rows: {
      session: sessionText(session),
      promises: (await store.promises.history(session.id)).map(promiseText),
      profiles: profilesText(await store.profiles.ofSession(session.id)),
      readings: readingsText(await store.meters.ofSession(session.id)),
    },
    bill: await billOf(world, session, cpo),
    slots: await slotsOf(world, session, cpo),
  };
}

async function billOf({ store, ledger }: Needs, session: ChargingSession, cpo: Cpo): Promise<BundledBill | null> {
  const bill = await store.bills.ofSession(session.id);
  if (!bill) return null;
  const { receipt, salt, batch: seq } = bill;
  if (seq === null) return { receipt, salt: salt as Hex, posted: null };
  const lines = [];
  for (const one of await store.bills.ofBatch(bill.cpoId, seq)) lines.push(await lineOf(store, one));
  const place = lines.findIndex((line) => line.number === session.number);
  const leaves = ledger.batchLeaves(cpo.number, seq, lines);
  const proof = ledger.merkleProof(leaves, place);
  return { receipt, salt: salt as Hex, posted: { line: lines[place]!, seq, root: ledger.merkleRoot(leaves), proof } };
}

/** The first record of a stay may be of the slot before the plug-in's, the last one of the slot after the plug-out's. */
async function slotsOf({ store, ledger, clock }: Needs, session: ChargingSession, cpo: Cpo): Promise<BundledSlot[]> {
  const [from, until] = [slotOf(session.pluggedAt) - 1, slotOf(session.unpluggedAt ?? clock.now()) + 3];
  const records = await store.plans.records(session.groupId, from, until);
  const sealed = Map.groupBy(await store.plans.sealedRuns(cpo.id, from, until), ({ slot }) => slot);
  return records
    .filter(({ run, slot }) => run === null || sealed.has(slot))
    .map((record) => ({
      ...slotFor(record, session.number, ledger),
      within: record.run && withinRoot(record.run, sealed.get(record.slot) ?? [], ledger),
    }))
    .filter(({ leaves }) => leaves.length > 0);
}

function withinRoot(own: RunRecord, runs: readonly RunRecord[], ledger: World["ledger"]): WithinRoot {
  const { algorithm, problem, plan, value, earlier, group } = own;
  return { algorithm, problem, plan, value, earlier, ...proofWithin(ledger, runs, group) };
}

function slotFor({ slot, root, leaves }: RecordedSlot, number: number, ledger: World["ledger"]) {
  const own = leaves.flatMap(({ text }, i) => (sessionOfLeaf(text) === number ? [i] : []));
  if (own.length === 0) return { slot, root: root as Hex, leaves: [] };
  const hashes = leaves.map(({ text, salt }) => ledger.leaf(salt as Hex, text));
  return {
    slot,
    root: root as Hex,
    leaves: own.map((i) => ({
      text: leaves[i]!.text,
      salt: leaves[i]!.salt as Hex,
      proof: ledger.merkleProof(hashes, i),
    })),
  };
}

/** The session that a leaf is about; null for leaves of orders and rows, which are not one driver's. */
function sessionOfLeaf(text: string): number | null {
  const leaf = JSON.parse(text) as { readonly kind?: string; readonly session?: number };
  return leaf.kind === "allocation" || leaf.kind === "promise" ? (leaf.session ?? null) : null;
}
