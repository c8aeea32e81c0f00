/**
 * Disputes: what the chain said (events), what the contract keeps, and what the store knows are the same, each bill comes
 * to what its refund left of it, and nobody waits longer than the term.
 */
import type { Facts, SessionFile } from "./auditFacts.ts";
import { at, type Check, type Findings } from "./auditFindings.ts";
import type { ChainEye, MoneyEvent } from "./ports.ts";

type Opened = Extract<MoneyEvent, { kind: "disputed" }>;
type Ended = Extract<MoneyEvent, { kind: "resolved" }>;
type Said = { readonly opened: Opened | null; readonly ended: Ended | null; readonly paidLater: bigint };
type Times = { readonly live: boolean; readonly termS: number; readonly now: number };

const disputeName = (sessionId: string) => `dispute of session ${sessionId}`;

export async function auditDisputes(
  chain: ChainEye,
  facts: Facts,
  events: readonly MoneyEvent[],
  options: Omit<Times, "now">,
  findings: Findings,
): Promise<void> {
  const times = { ...options, now: await chain.now() };
  const check = findings.check("disputes");
  const said = new Map<number, Said>();
  const pots = new Map<string, bigint>();
  for (const event of events) {
    if (event.kind === "posted") pots.set(`${event.cpo}:${event.seq}`, event.pot);
    if (event.kind === "disputed") {
      const key = `${event.cpo}:${event.seq}`;
      pots.set(key, (pots.get(key) ?? 0n) - event.paid);
    }
    if (event.kind !== "disputed" && event.kind !== "resolved" && event.kind !== "debt-paid") continue;
    const known = said.get(event.number) ?? { opened: null, ended: null, paidLater: 0n };
    if (event.kind === "disputed") said.set(event.number, { ...known, opened: event });
    else if (event.kind === "resolved") said.set(event.number, { ...known, ended: event });
    else said.set(event.number, { ...known, paidLater: known.paidLater + event.amount });
  }
  for (const [key, pot] of pots) {
    const [cpo, seq] = key.split(":").map(Number) as [number, number];
    // What was disputed has left the pot: an event that is missing shows here, too.
    check.same(`batch ${seq} of CPO ${cpo}`, "pot that the contract keeps", (await chain.batch(cpo, seq)).pot, pot);
  }
  for (const own of facts.sessions) {
    const told = said.get(own.session.number);
    if (own.dispute || told?.opened || told?.ended)
      await auditDispute(chain, facts, own, told ?? { opened: null, ended: null, paidLater: 0n }, times, findings);
  }
  for (const [number, { opened, ended }] of said)
    if ((opened || ended) && !facts.byNumber.has(number))
      check.differs(`dispute of session number ${number}`, "is on chain, but the store knows no such session");
}

async function auditDispute(
  chain: ChainEye,
  facts: Facts,
  own: SessionFile,
  told: Said,
  times: Times,
  findings: Findings,
): Promise<void> {
  const check = findings.check("disputes");
  const where = disputeName(own.session.id);
  const { settlement } = own;
  const { opened, ended } = told;
  if (!settlement) {
    check.differs(where, "is about a session that was never settled");
    return;
  }
  const cpo = facts.cpos.find((one) => one.id === settlement.cpoId)?.number ?? 0;
  const kept = await chain.dispute(cpo, own.session.number);
  const state = ended ? "resolved" : opened ? "open" : "none";
  check.same(where, "state that the contract keeps", kept.state, state);
  if (ended && !opened) check.differs(where, "was decided on chain, but no event says that it was opened");
  if (opened) {
    check.same(where, "batch", opened.seq, settlement.batch);
    check.same(where, "amount of the bill (micro-euro)", opened.amount, settlement.amountMicroEur);
    const driver = facts.drivers.get(settlement.driverId ?? "")?.address ?? null;
    check.same(where, "driver", opened.driver, driver);
  }
  if (ended && opened) {
    const comesTo = ended.toCpo + told.paidLater + (await chain.debt(cpo, own.session.number));
    check.same(where, "what the bill comes to (micro-euro)", comesTo, settlement.amountMicroEur - ended.refund);
  }
  compareOpening(own, told, kept.openedAt, times, findings);
  compareEnd(own, told, times, findings);
  auditWaiting(where, kept, times, check, findings);
}

/** Since when it is open: store and chain. */
function compareOpening(
  { session, dispute }: SessionFile,
  { opened }: Said,
  openedAt: number,
  { live }: Times,
  findings: Findings,
): void {
  const check = findings.check("disputes");
  const where = disputeName(session.id);
  const stored = dispute?.openedAt ?? null;
  if (stored !== null && opened) check.same(where, "time of its opening", stored, openedAt);
  else if (stored !== null) check.differs(where, `is open in the store since ${at(stored)}, but not on chain`);
  else if (opened) missing(live, where, "is open on chain, but the store does not know it", findings);
  else if (dispute?.lapsedAt) findings.notes.push(`${where} did not reach the chain in time`);
  else if (dispute) missing(live, where, "was asked, but is not on chain", findings);
}

/** How it ended: the arbiter's decision in the store, what the store noted, and what the chain said. */
function compareEnd({ session, dispute }: SessionFile, { ended }: Said, { live }: Times, findings: Findings): void {
  const check = findings.check("disputes");
  const where = disputeName(session.id);
  const { closed = null, decision = null } = dispute ?? {};
  if (closed && !ended)
    check.differs(where, `ended in the store with ${closed.refundMicroEur} micro-euro of refund, but not on chain`);
  if (ended && !closed)
    missing(
      live,
      where,
      `ended on chain with ${ended.refund} micro-euro of refund, the store does not know it`,
      findings,
    );
  if (ended && closed) {
    check.same(where, "refund in the store (micro-euro)", closed.refundMicroEur, ended.refund);
    check.same(where, "given back, in the store (micro-euro)", closed.backMicroEur, ended.back);
    check.same(where, "FLEX given, in the store (Wh)", BigInt(closed.flexDeltaWh), ended.flexDeltaWh);
  }
  if (decision && ended) {
    check.same(where, "refund that the arbiter decided (micro-euro)", decision.refundMicroEur, ended.refund);
    check.same(where, "FLEX that the arbiter decided (Wh)", BigInt(decision.flexDeltaWh), ended.flexDeltaWh);
  }
  if (decision && !ended) missing(live, where, "was decided, but the decision is not on chain", findings);
}

/** A running service may not have got so far; otherwise it is a difference. */
function missing(live: boolean, where: string, text: string, findings: Findings): void {
  if (live) findings.notes.push(`${where} ${text} yet`);
  else findings.check("disputes").differs(where, text);
}

function auditWaiting(
  where: string,
  kept: Awaited<ReturnType<ChainEye["dispute"]>>,
  { termS, now }: Times,
  check: Check,
  findings: Findings,
): void {
  check.looked();
  if (kept.state !== "open") return;
  const until = kept.openedAt + termS;
  if (now >= until)
    check.differs(where, `is undecided since ${at(kept.openedAt)}: it should have expired at ${at(until)}`);
  else findings.notes.push(`${where} is undecided since ${at(kept.openedAt)}; at ${at(until)} it expires`);
}
