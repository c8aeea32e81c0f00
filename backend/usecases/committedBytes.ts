/**
 * What the chain commits to, by its hash: keccak256 of the bytes that come back is what was asked for, so nobody has to be
 * believed. Where a commitment is a hash of hashes, these come back, and each of them can be asked for in turn:
 *
 *   Run.problem  ->  p
 *   Run.plan     ->  salt | keccak256(x) | keccak256(y) | keccak256(w)   ->  x, y, w
 *   Run.root of all groups  ->  two hashes, ascending  -> .. ->  nine words: a group's run, whose link this is
 *   Line.detail  ->  keccak256(salt | text hash)  ->  salt | text hash   ->  text of the receipt
 *
 * The index is made of plans, settlements and sealed slots when somebody asks: plans are made every few minutes, auditors come rarely.
 */
import type {
  Hex,
  IndexedBytes,
  Ledger,
  PlanPart,
  ReceiptPart,
  RunRecord,
  Settlement,
  SlotPart,
  Store,
  StoredPlan,
} from "./ports.ts";
import { nodesOver } from "./sealSlots.ts";

export type CommittedBytes = { readonly part: IndexedBytes["part"]; readonly bytes: Uint8Array };

/** Plans, receipts, and slots, that are indexed at a time. */
const PAGE = 64;

/** Null when nothing in the store has this hash: it never had, or it was erased or changed since. */
export async function committedBytes(
  { store, ledger }: { readonly store: Store; readonly ledger: Ledger },
  hash: Hex,
): Promise<CommittedBytes | null> {
  let found = await store.bytes.find(hash);
  if (!found) {
    await extendIndex(store, ledger);
    found = await store.bytes.find(hash);
  }
  const bytes = found && (await bytesAt(store, ledger, found));
  return found && bytes && keccak(ledger, bytes) === hash ? { part: found.part, bytes } : null;
}

async function extendIndex(store: Store, ledger: Ledger): Promise<void> {
  const { bytes, plans, bills } = store;
  for (let ids = await bytes.newPlans(PAGE); ids.length > 0; ids = await bytes.newPlans(PAGE)) {
    const found = [];
    for (const id of ids) found.push(...indexed(ledger, id, planParts(ledger, (await plans.byId(id))!)));
    await bytes.add(found);
  }
  for (let ids = await bytes.newReceipts(PAGE); ids.length > 0; ids = await bytes.newReceipts(PAGE)) {
    const found = [];
    for (const id of ids) found.push(...indexed(ledger, id, receiptParts(ledger, (await bills.ofSession(id))!)));
    await bytes.add(found);
  }
  for (let slots = await bytes.newSlots(PAGE); slots.length > 0; slots = await bytes.newSlots(PAGE))
    for (const { cpoId, slot } of slots) {
      const of = `${slot}:${cpoId}`;
      const parts = slotParts(ledger, await plans.sealedRuns(cpoId, slot, slot + 1));
      await bytes.add([...parts].map(([hash, { part }]) => ({ hash, part, of })));
    }
}

async function bytesAt(store: Store, ledger: Ledger, { hash, part, of }: IndexedBytes): Promise<Uint8Array | null> {
  if (part === "run" || part === "node") {
    const [, slot, cpoId] = /^(\d+):(.*)$/s.exec(of) as unknown as [string, string, string];
    const runs = await store.plans.sealedRuns(cpoId, Number(slot), Number(slot) + 1);
    return slotParts(ledger, runs).get(hash)?.bytes ?? null;
  }
  if (part === "detail" || part === "salted" || part === "receipt") {
    const bill = await store.bills.ofSession(of);
    return bill && receiptParts(ledger, bill)[part];
  }
  const plan = await store.plans.byId(of);
  return plan && planParts(ledger, plan)[part];
}

function planParts(ledger: Ledger, plan: StoredPlan): Readonly<Record<PlanPart, Uint8Array>> {
  const [problem, x, y, w] = [plan.problem, plan.x, plan.y, plan.w].map(fromHex) as [Buffer, Buffer, Buffer, Buffer];
  const hashes = [x, y, w].map((bytes) => fromHex(keccak(ledger, bytes)));
  return { problem, plan: Buffer.concat([problem.subarray(0, 32), ...hashes]), x, y, w };
}

function receiptParts(ledger: Ledger, { salt, receipt }: Settlement): Readonly<Record<ReceiptPart, Uint8Array>> {
  const salted = Buffer.concat([fromHex(salt), fromHex(ledger.hashText(receipt))]);
  return { detail: fromHex(keccak(ledger, salted)), salted, receipt: Buffer.from(receipt, "utf8") };
}

/** By hash: the groups' runs as they are hashed, and what the inner nodes up to the root are hashes of. */
function slotParts(ledger: Ledger, runs: readonly RunRecord[]) {
  const parts = new Map<Hex, { readonly part: SlotPart; readonly bytes: Uint8Array }>();
  for (const run of runs) parts.set(ledger.linkOf(run), { part: "run", bytes: runBytes(ledger, run) });
  for (const [low, high] of nodesOver(ledger, runs))
    parts.set(ledger.merkleRoot([low, high]), { part: "node", bytes: fromHex(low + high.slice(2)) });
  return parts;
}

/** abi.encode of a run, with the hash of its rows (ISlotLedger's link). */
function runBytes(ledger: Ledger, run: RunRecord): Uint8Array {
  const numbers = [run.group, run.slot].map((n) => n.toString(16).padStart(64, "0")).join("");
  const { algorithm, problem, plan, value, earlier, root } = run;
  const words = [algorithm, problem, plan, value, earlier, root, keccak(ledger, fromHex(run.rows))];
  return fromHex(numbers + words.map((word) => word.slice(2)).join(""));
}

const indexed = (ledger: Ledger, of: string, parts: Readonly<Record<string, Uint8Array>>): IndexedBytes[] =>
  Object.entries(parts).map(([part, bytes]) => ({
    hash: keccak(ledger, bytes),
    part: part as IndexedBytes["part"],
    of,
  }));

/** A problem's commitment is the bare hash of its bytes. */
const keccak = (ledger: Ledger, bytes: Uint8Array) => ledger.problemHash(bytes);
const fromHex = (hex: string) => Buffer.from(hex.startsWith("0x") ? hex.slice(2) : hex, "hex");
