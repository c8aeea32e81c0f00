/**
 * A part of everything, to be judged alone: one group, one session, or a time. What came before is read as far as it must be
 * known to judge the part, and not judged itself; what belongs to everybody (contracts, registers, batches) is judged whole.
 */
import type { FlexibilityOrder } from "../domain/orders.ts";
import { slotStart } from "../domain/slots.ts";
import type { Facts, GroupFile, SessionFile } from "./auditFacts.ts";
import { at } from "./auditFindings.ts";

/** Every member narrows it. Instants are epoch seconds; `until` is exclusive. */
export type AuditWish = {
  /** Id of a group, or its number on chain. */
  readonly group?: string;
  /** Id of a session. Its group is judged while it stays, and of the bills its own. */
  readonly session?: string;
  readonly from?: number;
  readonly until?: number;
};

export type Scope = {
  readonly isWhole: boolean;
  readonly from: number;
  readonly until: number;
  /** The store as far as it is judged; each group still has all of its sessions, records and orders. */
  readonly judged: Facts;
  /** Plans of this time are read: sessions are followed from their plug-in to their bill. */
  readonly readFrom: number;
  readonly readUntil: number;
  hasGroup(groupId: string): boolean;
  hasInstant(instant: number): boolean;
  hasSlot(slot: number): boolean;
  hasSession(own: SessionFile): boolean;
  hasOrder(order: FlexibilityOrder): boolean;
  /** What was not looked at, in a sentence; null when it is everything. */
  readonly note: string | null;
};

const DAY_S = 86_400;

/** Throws for a group or session that there is not, and for a time that ends before it begins or in which nothing was. */
export function scopeOf(facts: Facts, wish: AuditWish = {}): Scope {
  const session = wish.session === undefined ? null : sessionOf(facts, wish.session);
  const asked = wish.group === undefined ? null : groupOf(facts, wish.group);
  const own = session && facts.groups.find(({ group }) => group.id === session.session.groupId);
  if (asked && own && asked !== own)
    throw new Error(`Session ${wish.session} is in group ${own.group.id}, not in ${asked.group.id}. Leave one out.`);
  const isWhole = !session && !asked && wish.from === undefined && wish.until === undefined;
  const from = Math.max(wish.from ?? 0, session?.session.pluggedAt ?? 0);
  const until = Math.min(wish.until ?? Number.POSITIVE_INFINITY, session?.closedAt ?? Number.POSITIVE_INFINITY);
  if (from >= until) throw new Error(`There is no time from ${at(from)} until ${at(until)}. Give a later end.`);

  const groups = facts.groups.filter((one) => (own ?? asked ?? one) === one);
  const ids = new Set(groups.map(({ group }) => group.id));
  const overlaps = (one: SessionFile) => one.session.pluggedAt < until && one.closedAt > from;
  const present = facts.sessions.filter((one) => isWhole || (ids.has(one.session.groupId) && overlaps(one)));
  const sessions = session ? [session] : present;
  const numbers = new Set(sessions.map((one) => one.session.number));
  const hasInstant = (instant: number) => instant >= from && instant < until;
  const hasSlot = (slot: number) => hasInstant(slotStart(slot));
  const judged = { ...facts, groups, sessions };
  if (!isWhole && sessions.length === 0 && !groups.some(({ records }) => records.some(({ slot }) => hasSlot(slot))))
    throw new Error(nothingText(groups));
  return {
    ...{ isWhole, from, until, judged, hasInstant, hasSlot },
    readFrom: isWhole ? 0 : Math.max(0, Math.min(from, ...present.map((one) => one.session.pluggedAt)) - DAY_S),
    readUntil: isWhole ? Number.POSITIVE_INFINITY : Math.max(until, ...sessions.map((one) => one.closedAt)) + DAY_S,
    hasGroup: (groupId) => ids.has(groupId),
    hasSession: (one) => numbers.has(one.session.number),
    hasOrder: (order) => isWhole || (order.givenAt >= from && order.until <= until),
    note: isWhole ? null : noteOf(facts, groups, sessions, { from, until, hasSlot }),
  };
}

function sessionOf({ sessions }: Facts, id: string): SessionFile {
  const found = sessions.find((one) => one.session.id === id);
  if (!found) throw new Error(`There is no session ${id} in the store. Check the id.`);
  return found;
}

function groupOf({ groups }: Facts, name: string): GroupFile {
  const found = groups.find(({ group }) => group.id === name || String(group.number) === name);
  if (!found)
    throw new Error(`There is no group ${name} in the store; there are ${groups.map(({ group }) => group.id).join()}.`);
  return found;
}

/** An audit of nothing would end without a difference. */
function nothingText(groups: readonly GroupFile[]): string {
  const slots = groups.flatMap(({ records }) => records.map(({ slot }) => slot)).sort((a, b) => a - b);
  const names = groups.map(({ group }) => group.id).join(", ");
  const [first, last] = [slots[0], slots.at(-1)];
  return first === undefined || last === undefined
    ? `Nothing was recorded of ${names} yet, so there is nothing to judge.`
    : `Nothing of ${names} lies in that time. Its records reach from ${at(slotStart(first))} until ${at(slotStart(last + 1))}.`;
}

function noteOf(
  facts: Facts,
  groups: readonly GroupFile[],
  sessions: readonly SessionFile[],
  { from, until, hasSlot }: Pick<Scope, "from" | "until" | "hasSlot">,
): string {
  const records = facts.groups.flatMap((one) => one.records);
  const inside = groups.flatMap((one) => one.records).filter(({ slot }) => hasSlot(slot)).length;
  const time = [from > 0 ? ` from ${at(from)}` : "", until < Number.POSITIVE_INFINITY ? ` until ${at(until)}` : ""];
  const left = [
    `${facts.groups.length - groups.length} other groups`,
    `${facts.sessions.length - sessions.length} other sessions with their bills`,
    `${records.length - inside} other recorded slots and their plans`,
  ];
  const what = `${groups.map(({ group }) => group.id).join(", ")}${time.join("")}, ${sessions.length} sessions`;
  return (
    `judged is a part only: ${what}. Not looked at: ${left.join(", ")}; money and FLEX of the contract as a whole. ` +
    "Contracts, hash chains, registers and batches were looked at as a whole"
  );
}
