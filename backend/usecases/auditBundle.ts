/**
 * The audit of a driver's bundle (bundle.ts): every text against its salted leaf, every leaf against its root, the bill
 * against receipt, meter and promise. Without a chain it says what only a chain can tell: whether these roots were ever
 * recorded and posted. Read-only.
 */
import type { EnergyPromise } from "../domain/promises.ts";
import { SLOT_S, slotStart } from "../domain/slots.ts";
import { FLEX_METHOD } from "../flexibility/calculator.ts";
import { flexFaults } from "../flexibility/recheck.ts";
import { canonical } from "../settlement/canonical.ts";
import { parseReceipt, type Receipt } from "../settlement/receipt.ts";
import { receiptFaults } from "../settlement/recheck.ts";
import { SETTLEMENT_METHOD } from "../settlement/settle.ts";
import { auditMeter } from "./auditBills.ts";
import { auditBundleOnChain } from "./auditBundleChain.ts";
import { auditEvidence } from "./auditEvidence.ts";
import type { OwnRows } from "./auditFacts.ts";
import {
  attempt,
  billName,
  type CheckRow,
  createFindings,
  type Difference,
  type Findings,
  promiseName,
  sessionName,
} from "./auditFindings.ts";
import { auditOutcome } from "./auditPromises.ts";
import type { Bundle, BundledBill, BundledRows, BundledSession, BundledSlot } from "./bundle.ts";
import type { ChainEye, Hex, Ledger } from "./ports.ts";

export type BundleReport = {
  readonly ok: boolean;
  /** Whether a chain was asked, too. */
  readonly onChain: boolean;
  readonly sessionsChecked: number;
  readonly billsChecked: number;
  readonly leavesChecked: number;
  readonly differences: readonly Difference[];
  readonly notes: readonly string[];
  readonly table: readonly CheckRow[];
};

/** A session of a bundle with its rows read. */
export type Unpacked = { readonly bundled: BundledSession; readonly own: OwnRows };

/** `ledger`: of the deployment that the bundle is about. `chain`: null when it is checked off line. */
export async function auditBundle(bundle: Bundle, ledger: Ledger, chain: ChainEye | null): Promise<BundleReport> {
  const findings = createFindings();
  const unpacked: Unpacked[] = [];
  for (const [i, bundled] of bundle.sessions.entries()) {
    const own = unpack(bundled, `sessions[${i}]`, findings);
    if (!own) continue;
    unpacked.push({ bundled, own });
    const where = sessionName(own.session.id);
    attempt(findings.check("leaves of recorded slots"), where, () => auditSlots(bundled, own, ledger, findings));
    attempt(findings.check("bills"), billName(own.session.id), () =>
      auditBundledBill(bundle.driver, bundled, own, ledger, findings),
    );
  }
  if (chain) await auditBundleOnChain(bundle, unpacked, chain, findings);
  else findings.notes.push(...ONLY_A_CHAIN_TELLS);
  findings.notes.push(NOT_IN_A_BUNDLE);
  return {
    ok: findings.differences.length === 0,
    onChain: chain !== null,
    sessionsChecked: bundle.sessions.length,
    billsChecked: bundle.sessions.filter(({ bill }) => bill).length,
    leavesChecked: bundle.sessions.flatMap(({ slots }) => slots.flatMap(({ leaves }) => leaves)).length,
    differences: findings.differences,
    notes: findings.notes,
    table: findings.table(),
  };
}

const ONLY_A_CHAIN_TELLS = [
  "off line: only a chain can tell whether the roots of these slots were recorded and those of these batches posted, by contracts of this source (--rpc URL)",
  "off line: only a chain can tell whether a slot of a stay was recorded that the bundle leaves out, and whether a bill was disputed (--rpc URL)",
];
const NOT_IN_A_BUNDLE =
  "not looked at, since it is no driver's alone: plans (feasible, certified, others' needs), prices, orders, limits. npm run verify with the database looks at them";

/* ---------------------------------------------------------------------------------------------------- rows */

function unpack({ rows, bill }: BundledSession, where: string, findings: Findings): OwnRows | null {
  const check = findings.check("rows under bills");
  try {
    const session = parse(rows.session, "session") as OwnRows["session"];
    const receipt = bill ? readable(bill.receipt, billName(session.id), findings) : null;
    return { session, receipt, ...seriesOf(rows, session.id) };
  } catch (error) {
    check.differs(where, `its rows cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function seriesOf(rows: BundledRows, sessionId: string): Pick<OwnRows, "readings" | "profiles" | "promises"> {
  const readings = parse(rows.readings, "readings") as [number, number, number][];
  const profiles = parse(rows.profiles, "profiles") as { readonly profile: [number, number][] }[];
  const own = {
    readings: readings.map(([at, registerWh, powerW]) => ({ sessionId, at, registerWh, powerW })),
    profiles: profiles.map((sent) => ({ ...sent, profile: sent.profile.map(([from, limitW]) => ({ from, limitW })) })),
    promises: rows.promises.map((text) => parse(text, "promise")),
  };
  return own as unknown as Pick<OwnRows, "readings" | "profiles" | "promises">;
}

/** Throws unless it is the one text of its value. */
function parse(text: string, what: string): unknown {
  const value = JSON.parse(text);
  if (canonical(value) !== text) throw new RangeError(`the text of ${what} is not canonical`);
  return value;
}

function readable(text: string, where: string, findings: Findings): Receipt | null {
  try {
    return parseReceipt(text);
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    findings.check("bills").differs(where, `its receipt cannot be read: ${fault}`);
    return null;
  }
}

/* ---------------------------------------------------------------------------------------------------- bill */

function auditBundledBill(
  driver: Hex,
  bundled: BundledSession,
  own: OwnRows,
  ledger: Ledger,
  findings: Findings,
): void {
  const { bill } = bundled;
  const { receipt, session } = own;
  const where = billName(session.id);
  if (!bill) {
    findings.notes.push(`${sessionName(session.id)} has no bill yet: nothing vouches for its rows but its leaves`);
    return;
  }
  const check = findings.check("bills");
  check.looked();
  auditPosting(bill, bundled.cpo, where, ledger, findings);
  if (!receipt) return;
  for (const fault of [...receiptFaults(receipt), ...flexFaults(receipt.flex)]) check.differs(where, fault);
  check.same(where, "driver's address in the receipt", receipt.driver, driver);
  check.same(where, "number of the session in the receipt", receipt.session, session.number);
  check.same(where, "number of the CPO in the receipt", receipt.cpo, bundled.cpo);
  check.same(where, "number of the group in the receipt", receipt.group, bundled.group);
  check.same(where, "tariff in the receipt", receipt.tariff.id, session.tariffId);
  check.same(where, "method of flexibility", receipt.methods.flexibility, FLEX_METHOD);
  check.same(where, "method of settlement", receipt.methods.settlement, SETTLEMENT_METHOD);
  if (bill.posted) auditLine(bill.posted.line, receipt, check, where);
  else findings.notes.push(`${where} is in no batch yet: nothing on chain vouches for it`);
  auditEvidence(own, ledger, findings);
  auditMeter(own, receipt, check, where);
  if (receipt.promise) auditOutcome(own, receipt.promise, findings);
}

/** Salt and receipt give the line's detail, and the line leads to the batch's root. */
function auditPosting(bill: BundledBill, cpo: number, where: string, ledger: Ledger, findings: Findings): void {
  const check = findings.check("bills");
  const { posted } = bill;
  if (!posted) return;
  check.same(where, "hash of salt and receipt", ledger.leaf(bill.salt, bill.receipt), posted.line.detail);
  const [leaf] = ledger.batchLeaves(cpo, posted.seq, [posted.line]);
  const proofs = findings.check("batches of bills");
  proofs.same(where, `root of batch ${posted.seq} by its proof`, climb(leaf!, posted.proof, ledger), posted.root);
}

type Same = ReturnType<Findings["check"]>;
type Line = NonNullable<BundledBill["posted"]>["line"];

function auditLine(line: Line, receipt: Receipt, check: Same, where: string): void {
  check.same(where, "session on chain", line.number, receipt.session);
  check.same(where, "driver on chain", line.driver, receipt.driver);
  check.same(where, "amount on chain (micro-euro)", line.amount, receipt.amountMicroEur);
  check.same(where, "credit on chain (micro-euro)", line.credit, receipt.creditMicroEur);
  check.same(where, "energy on chain (Wh)", line.wh, receipt.meter.endWh - receipt.meter.startWh);
  check.same(where, "FLEX on chain (Wh)", line.flex, receipt.flex.flexWh);
  check.same(where, "number of the tariff on chain", line.tariff, receipt.tariff.number);
}

/** Root that a leaf and its siblings lead to: OpenZeppelin's sorted pairs. */
const climb = (leaf: Hex, proof: readonly Hex[], ledger: Ledger): Hex =>
  proof.reduce((node, sibling) => ledger.merkleRoot([node, sibling]), leaf);

/* ---------------------------------------------------------------------------------------------------- slots */

type Leaf = {
  readonly kind: "allocation" | "promise";
  readonly session: number;
  readonly slot: number;
  readonly limitW: number;
  readonly energyWh: number;
  readonly by: number;
  readonly maxPowerW: number;
  readonly pluggedAt: number;
  readonly baseline: string;
};

/** Own leaves lead to their roots, say what rows and promises say, and a promise that held once holds until it ends. */
function auditSlots({ slots, group }: BundledSession, own: OwnRows, ledger: Ledger, findings: Findings): void {
  const check = findings.check("leaves of recorded slots");
  let version = 0;
  let last = 0;
  for (const slot of slots) {
    const where = `recorded slot ${slot.slot}, session ${own.session.id}`;
    if (slot.slot <= last) check.differs(where, `comes after slot ${last}`);
    last = slot.slot;
    if (slot.within) {
      const { root, proof, ...rest } = slot.within;
      const link = ledger.linkOf({ group, slot: slot.slot, ...rest, root: slot.root, rows: "0x" });
      check.same(where, "root of all groups by its proof", climb(link, proof, ledger), root);
    }
    const kinds = new Set<string>();
    for (const leaf of slot.leaves) {
      check.looked();
      const root = climb(ledger.leaf(leaf.salt, leaf.text), leaf.proof, ledger);
      if (root !== slot.root) {
        check.differs(where, `the leaf ${leaf.text} leads to ${root}, the root is ${slot.root}`);
        continue;
      }
      const said = JSON.parse(leaf.text) as Leaf;
      kinds.add(said.kind);
      if (said.session !== own.session.number) check.differs(where, `has a leaf of session number ${said.session}`);
      else if (said.kind === "allocation") auditAllocation(said, slot, own, check, where);
      else version = auditPromise(said, slot, own, version, findings);
    }
    if (!kinds.has("allocation")) check.differs(where, "has no leaf for what was allotted");
    const owed = own.promises.find((one) => isOwed(one, own, slot.slot));
    if (owed && !kinds.has("promise"))
      check.differs(promiseName(own.session.id, owed.version), `slot ${slot.slot} has no leaf of it`);
  }
}

function auditAllocation(said: Leaf, { slot }: BundledSlot, { session }: OwnRows, check: Same, where: string): void {
  check.same(where, "slot in the leaf", said.slot, slot);
  if (!(said.limitW >= 0 && said.limitW <= session.maxPowerW))
    check.differs(where, `allots ${said.limitW} W, the session has ${session.maxPowerW} W`);
}

/** Answers the version that the leaf is of: it never goes back. */
function auditPromise(said: Leaf, { slot }: BundledSlot, own: OwnRows, before: number, findings: Findings): number {
  const check = findings.check("leaves of recorded slots");
  const { session, promises } = own;
  const fits = promises.filter((one) => one.energyWh === said.energyWh && one.by === said.by);
  const promise = fits.find((one) => one.version >= before) ?? fits[0];
  if (!promise) {
    const known = promises.findLast((one) => one.offeredAt < slotStart(slot + 1));
    const text = known ? `${known.energyWh} Wh by ${known.by}` : "no promise";
    const where = promiseName(session.id, known?.version ?? 0);
    check.differs(where, `slot ${slot} holds ${said.energyWh} Wh by ${said.by}, the bundle has ${text}`);
    return before;
  }
  const where = promiseName(session.id, promise.version);
  if (promise.version < before) check.differs(where, `is in slot ${slot} again, after version ${before}`);
  if (promise.offeredAt >= slotStart(slot + 1))
    check.differs(where, `is in slot ${slot}, before it was offered at ${promise.offeredAt}`);
  check.same(where, `most power in slot ${slot} (W)`, said.maxPowerW, session.maxPowerW);
  check.same(where, `plug-in in slot ${slot}`, said.pluggedAt, session.pluggedAt);
  check.same(where, `method of the baseline in slot ${slot}`, said.baseline, FLEX_METHOD);
  return promise.version;
}

/** Whether a promise held throughout the time in which the record of a slot was made: the slot and the one before it. */
function isOwed(promise: EnergyPromise, { session, promises }: OwnRows, slot: number): boolean {
  const next = promises.find(({ version }) => version === promise.version + 1);
  const dropped = promise.state === "expired" || promise.state === "withdrawn" ? promise.changedAt : Infinity;
  const until = Math.min(promise.by, next?.offeredAt ?? Infinity, dropped, session.unpluggedAt ?? Infinity);
  return promise.offeredAt <= slotStart(slot) - SLOT_S && until >= slotStart(slot + 1);
}
