/** A recorded slot: one row per charge point, and the salted leaves under its root. */
import type { PvAsset } from "../domain/assets.ts";
import { orderText } from "../domain/orders.ts";
import { type ChargingProfile, limitAt } from "../domain/profiles.ts";
import { slotStart } from "../domain/slots.ts";
import { FLEX_METHOD } from "../flexibility/calculator.ts";
import { type Commanded, inForce, limitsAt } from "./auditCommands.ts";
import { type Facts, type GroupFile, readingBefore, type SessionFile } from "./auditFacts.ts";
import { type Findings, promiseName, slotName } from "./auditFindings.ts";
import type { PlanFile } from "./auditPlans.ts";
import { promisesAt } from "./auditRuns.ts";
import type { Hex, Ledger, RecordedSlot, RunRecord } from "./ports.ts";
import { rowsText } from "./recordSlot.ts";

const SILENT_S = 120;
const ROW_BYTES = 12;

export function auditRows(
  file: PlanFile,
  group: GroupFile,
  run: Pick<RunRecord, "slot" | "rows">,
  allotments: ReadonlyMap<number, ChargingProfile>,
  /** Slot since which an asset is registered on chain, by its row; where it is not there yet, always. */
  since: ReadonlyMap<number, number>,
  findings: Findings,
): void {
  const check = findings.check("rows of recorded slots");
  const where = slotName(group.group.id, run.slot);
  const bytes = Buffer.from(run.rows.slice(2), "hex");
  const hasRow = ({ row }: { readonly row: number }) => (since.get(row) ?? 0) <= run.slot;
  const assets = [...group.evses, ...group.pvs].filter(hasRow).sort((a, b) => a.row - b.row);
  // Registered late on purpose, a charge point would stand in no record while cars charge at it.
  for (const { id, row } of group.evses.filter((evse) => !hasRow(evse)))
    if (!present(group, id, file.now).includes(null))
      check.differs(where, `${id} has no row before slot ${since.get(row)}, but a car is there`);
  if (!check.same(where, "number of rows", bytes.length / ROW_BYTES, assets.length)) return;
  for (const [i, asset] of assets.entries()) {
    check.looked();
    const row = bytes.subarray(i * ROW_BYTES, (i + 1) * ROW_BYTES);
    if (!check.same(where, `index of row ${i}`, row.readUInt16BE(0), asset.row)) continue;
    const power = row.readInt16BE(4) * 20;
    const given = [row.readUInt16BE(2) * 10, power, row.readUInt8(6), row.readUInt8(7), row.readUInt32BE(8)];
    const possible =
      "ratedPowerW" in asset
        ? [inverterRow(asset, power)]
        : present(group, asset.id, file.now).map((own) => rowOf(own, group, asset.id, file.now, run.slot, allotments));
    for (const [column, name] of COLUMNS.entries()) {
      const wanted = possible.flatMap((one) => one[column]!);
      if (!wanted.includes(given[column]!))
        check.differs(where, `${name} of ${asset.id} is ${given[column]}, not ${[...new Set(wanted)].join(" or ")}`);
    }
  }
}
const COLUMNS = ["limit (W)", "power (W)", "status", "flags", "register (Wh)"];

/** Who occupied the EVSE; null for nobody. Both where somebody came or went in the very second. */
function present(group: GroupFile, evseId: string, now: number): (SessionFile | null)[] {
  const own = group.sessions.filter((one) => one.session.evseId === evseId);
  const found = own.filter((one) => one.session.pluggedAt <= now && now <= one.closedAt);
  const certain = found.some((one) => Math.max(one.session.pluggedAt, one.knownAt) < now && now < one.closedAt);
  return certain ? found : [...found, null];
}

/** PV gives, up to its rated power; what it gave at that second is kept nowhere else. */
function inverterRow({ ratedPowerW }: PvAsset, powerW: number): number[][] {
  const possible = powerW <= 0 && -powerW <= ratedPowerW + 20;
  return [[Math.floor(ratedPowerW / 10) * 10], possible ? [powerW] : [], powerW < 0 ? [2] : [0, 2], [0], [0]];
}

/** What the row may say, value by value. */
function rowOf(
  own: SessionFile | null,
  group: GroupFile,
  evseId: string,
  now: number,
  slot: number,
  allotments: ReadonlyMap<number, ChargingProfile>,
): number[][] {
  if (own === null) {
    const before = group.sessions.filter((one) => one.session.evseId === evseId && one.closedAt <= now);
    const last = before.reduce<SessionFile | null>((a, b) => (a && a.closedAt > b.closedAt ? a : b), null);
    return [[0], [0], [0], [0], [last?.session.endRegisterWh ?? 0]];
  }
  const reading = readingBefore(own, now);
  const powerW = reading?.powerW ?? 0;
  const silent = now - (reading?.at ?? own.session.pluggedAt) > SILENT_S;
  const allotment = allotments.get(own.session.number);
  const limits = limitsAt([...commandsOf(own, now), ...(allotment ? [allotment] : [])], slot);
  return [
    limits.map((limitW) => Math.floor(limitW / 10) * 10),
    [Math.round(powerW / 20) * 20],
    [silent ? 3 : powerW > 0 ? 2 : 1],
    [0],
    [reading?.registerWh ?? own.session.startRegisterWh],
  ];
}

/**
 * Who is no car of the plan keeps what is in force. Who opted out is granted a power anew with the plan, which is on its way
 * to the station as soon as all decreases are confirmed.
 */
function commandsOf(own: SessionFile, now: number): ChargingProfile[] {
  const granted =
    own.session.mode === "opted-out"
      ? own.profiles.filter((one) => one.sentAt >= now && one.sentAt <= now + CONFIRMED_S)
      : [];
  return [...inForce(own, now), ...granted.map((one) => one.profile)];
}
const CONFIRMED_S = 30;

/** Leaves lead to the root on chain; what they say is what was allotted and promised. */
export function auditLeaves(
  record: RecordedSlot,
  run: RunRecord,
  file: PlanFile,
  group: GroupFile,
  facts: Facts,
  allotments: ReadonlyMap<number, ChargingProfile>,
  commanded: Commanded,
  ledger: Ledger,
  findings: Findings,
): void {
  const check = findings.check("leaves of recorded slots");
  const where = slotName(group.group.id, run.slot);
  const { leaves } = record;
  check.looked(leaves.length);
  const root =
    leaves.length > 0 ? ledger.merkleRoot(leaves.map(({ salt, text }) => ledger.leaf(salt as Hex, text))) : ZERO;
  if (root !== run.root) {
    check.differs(where, `its ${leaves.length} leaves lead to the root ${root}, the chain has ${run.root}`);
    return;
  }
  const owners = new Set<string>();
  for (const { text } of leaves) {
    const order = group.orders.find((one) => orderText(one) === text);
    if (order) {
      owners.add(`order:${order.id}`);
      continue;
    }
    if (run.rows === "0x" && text === rowsText(group.group.number, run.slot, record.rows)) {
      owners.add("rows");
      continue;
    }
    const leaf = parse(text);
    const own = facts.byNumber.get(leaf?.session ?? -1);
    if (!leaf || !own) {
      check.differs(where, `a leaf belongs to no session: ${text}`);
      continue;
    }
    owners.add(`${leaf.kind}:${leaf.session}`);
    if (leaf.kind === "allocation") auditAllocationLeaf(leaf, own, record, file, allotments, commanded, findings);
    else auditPromiseLeaf(leaf, own, record, file, findings);
  }
  if (run.rows === "0x" && record.rows !== "0x" && !owners.has("rows"))
    check.differs(where, "has no leaf for its rows as the store has them");
  for (const { id, givenAt, until } of group.orders)
    if (givenAt < file.now && until > file.now && !owners.has(`order:${id}`))
      check.differs(where, `has no leaf for order ${id} as the store has it`);
  for (const car of file.problem.cars) {
    if (!owners.has(`allocation:${car.session}`))
      check.differs(where, `has no leaf for the allotment of session number ${car.session}`);
    if (car.needWh > 0 && !owners.has(`promise:${car.session}`))
      check.differs(where, `has no leaf for the promise of session number ${car.session}`);
  }
}

type Leaf = { readonly kind: string; readonly session: number } & Readonly<Record<string, unknown>>;

function parse(text: string): Leaf | null {
  try {
    const leaf = JSON.parse(text) as Leaf;
    return leaf.kind === "allocation" || leaf.kind === "promise" ? leaf : null;
  } catch {
    return null;
  }
}

function auditAllocationLeaf(
  leaf: Leaf,
  own: SessionFile,
  record: RecordedSlot,
  file: PlanFile,
  allotments: ReadonlyMap<number, ChargingProfile>,
  commanded: Commanded,
  findings: Findings,
): void {
  const check = findings.check("leaves of recorded slots");
  const where = `${slotName(record.groupId, record.slot)}, allotment of session ${own.session.id}`;
  check.same(where, "slot", leaf.slot as number, record.slot);
  check.same(where, "plan", leaf.plan as string, record.planId);
  const allotment = allotments.get(own.session.number);
  // Who is no car of this plan has what the latest plan allotted to it, whether or not it had to be sent.
  const latest = commanded.get(own.session.number)?.allotments.at(-1)?.profile;
  const wanted = allotment
    ? [limitAt(allotment, slotStart(record.slot))]
    : limitsAt([...commandsOf(own, file.now), ...(latest ? [latest] : [])], record.slot);
  if (!wanted.includes(leaf.limitW as number))
    check.differs(where, `limit is ${leaf.limitW} W, allotted were ${[...new Set(wanted)].join(" or ")} W`);
}

function auditPromiseLeaf(
  leaf: Leaf,
  own: SessionFile,
  record: RecordedSlot,
  file: PlanFile,
  findings: Findings,
): void {
  const check = findings.check("leaves of recorded slots");
  const held = promisesAt(own, file.now);
  const slot = slotName(record.groupId, record.slot);
  if (!held.some((one) => one && one.energyWh === leaf.energyWh && one.by === leaf.by)) {
    const last = held[0] ?? own.promises.findLast((one) => one.offeredAt <= file.now);
    const where = promiseName(own.session.id, last?.version ?? 0);
    const store = last ? `${last.energyWh} Wh by ${last.by}` : "no promise";
    check.differs(where, `${slot} holds ${leaf.energyWh} Wh by ${leaf.by}, the store has ${store}`);
    return;
  }
  const where = `${slot}, promise of session ${own.session.id}`;
  check.same(where, "most power (W)", leaf.maxPowerW as number, own.session.maxPowerW);
  check.same(where, "plug-in", leaf.pluggedAt as number, own.session.pluggedAt);
  check.same(where, "method of the baseline", leaf.baseline as string, FLEX_METHOD);
}

const ZERO: Hex = `0x${"00".repeat(32)}`;
