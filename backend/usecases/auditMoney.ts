/**
 * Money and FLEX: every event of Settlement replayed from the beginning must leave what the contract keeps now, account
 * by account, and the claims must add up to `held`:
 *
 *     held = sum of accounts + pots of batches that are not final + disputed payments + pots for FLEX
 *     FLEX in accounts - FLEX debts + tokens = billed + corrected by disputes - redeemed
 */
import type { Facts } from "./auditFacts.ts";
import type { Findings } from "./auditFindings.ts";
import type { ChainEye, Hex, MoneyEvent } from "./ports.ts";

type Books = {
  /** Micro-euro and unclaimed FLEX by address. */
  readonly euro: Map<Hex, bigint>;
  readonly flexWh: Map<Hex, bigint>;
  /** What a resolved dispute took back after it had been claimed; the next that is earned pays it. */
  readonly flexDebtsWh: Map<Hex, bigint>;
  /** By CPO, and by "cpo:seq". */
  readonly flexPots: Map<number, bigint>;
  readonly batchPots: Map<string, bigint>;
  /** Payments under dispute, by "cpo:number". */
  readonly disputed: Map<string, bigint>;
  /** What drivers owe of their bills, by "cpo:number". */
  readonly debts: Map<string, bigint>;
  readonly payees: Map<number, Hex[]>;
  tokensWh: bigint;
  billedWh: bigint;
  redeemedWh: bigint;
};

export async function auditMoney(
  chain: ChainEye,
  facts: Facts,
  events: readonly MoneyEvent[],
  findings: Findings,
): Promise<void> {
  const check = findings.check("money and FLEX");
  const books = replay(events, findings);
  const nameOf = new Map(
    [...facts.drivers.values()].map((driver) => [driver.address, `account of driver ${driver.id}`]),
  );
  for (const address of new Set([...books.euro.keys(), ...books.flexWh.keys()])) {
    const account = await chain.account(address);
    const where = nameOf.get(address) ?? `account ${address}`;
    // After a change of payee nobody knows from events alone which of them took what: they are looked at together, below.
    if (![...books.payees.values()].some((payees) => payees.length > 1 && payees.includes(address)))
      check.same(where, "balance (micro-euro)", account.available, books.euro.get(address) ?? 0n);
    check.same(where, "FLEX (Wh)", BigInt(account.flexWh), books.flexWh.get(address) ?? 0n);
  }
  for (const [cpo, pot] of books.flexPots)
    check.same(`pot for FLEX of CPO ${cpo}`, "balance (micro-euro)", await chain.flexPot(cpo), pot);

  for (const [key, owed] of books.debts) {
    const [cpo, number] = key.split(":").map(Number) as [number, number];
    check.same(`debt of session number ${number}`, "amount (micro-euro)", await chain.debt(cpo, number), owed);
  }

  const sum = (amounts: Iterable<bigint>) => [...amounts].reduce((total, one) => total + one, 0n);
  const claims =
    sum(books.euro.values()) +
    sum(books.flexPots.values()) +
    sum(books.batchPots.values()) +
    sum(books.disputed.values());
  const { held, owned, flexTokensWh } = await chain.totals();
  check.same("Settlement", "held (micro-euro)", held, claims);
  if (owned < held)
    check.differs("Settlement", `owns ${owned} micro-euro, less than the ${held} micro-euro that others have in it`);
  check.same("FLEX", "supply of tokens (Wh)", flexTokensWh, books.tokensWh);
  check.same(
    "FLEX",
    "Wh in accounts and tokens",
    sum(books.flexWh.values()) - sum(books.flexDebtsWh.values()) + flexTokensWh,
    books.billedWh - books.redeemedWh,
  );
}

const NOBODY: Hex = `0x${"00".repeat(20)}`;

function replay(events: readonly MoneyEvent[], findings: Findings): Books {
  const check = findings.check("money and FLEX");
  const books: Books = {
    ...{ euro: new Map(), flexWh: new Map(), flexPots: new Map(), batchPots: new Map(), payees: new Map() },
    ...{ flexDebtsWh: new Map(), disputed: new Map(), debts: new Map() },
    ...{ tokensWh: 0n, billedWh: 0n, redeemedWh: 0n },
  };
  const add = <K>(map: Map<K, bigint>, key: K, amount: bigint) => map.set(key, (map.get(key) ?? 0n) + amount);
  const payee = (cpo: number): Hex => {
    const known = books.payees.get(cpo)?.at(-1);
    if (known === undefined) check.differs(`CPO ${cpo}`, "money is moved, but it never had a payee");
    return known ?? NOBODY;
  };
  /** Earned flexibility pays the debt first; what is taken back beyond the account's becomes debt. */
  const addFlex = (owner: Hex, wh: bigint) => {
    const balance = (books.flexWh.get(owner) ?? 0n) - (books.flexDebtsWh.get(owner) ?? 0n) + wh;
    books.flexWh.set(owner, balance > 0n ? balance : 0n);
    books.flexDebtsWh.set(owner, balance < 0n ? -balance : 0n);
    books.billedWh += wh;
  };
  /** A refund goes off the debt first. Answers how much of it. */
  const cancel = (key: string, refund: bigint): bigint => {
    const owed = books.debts.get(key) ?? 0n;
    const cancelled = refund < owed ? refund : owed;
    if (cancelled > 0n) books.debts.set(key, owed - cancelled);
    return cancelled;
  };
  const shortfalls = new Map<string, bigint>();
  const creditShorts = new Map<string, bigint>();
  for (const event of events) {
    if (event.kind === "shortfall") shortfalls.set(`${event.cpo}:${event.number}`, event.missing);
    if (event.kind === "credit-short") creditShorts.set(`${event.cpo}:${event.number}`, event.missing);
  }
  /** What the batch that is being posted has taken so far; `Posted` comes after its lines. */
  let taken = 0n;
  for (const event of events) {
    check.looked();
    switch (event.kind) {
      case "deposited":
        add(books.euro, event.to, event.amount);
        break;
      case "withdrawn":
        add(books.euro, event.from, -event.amount);
        break;
      case "payee-set":
        books.payees.set(event.cpo, [...(books.payees.get(event.cpo) ?? []), event.payee]);
        break;
      case "billed": {
        const key = `${event.cpo}:${event.number}`;
        const had = books.euro.get(event.driver) ?? 0n;
        const paid = event.amount < had ? event.amount : had;
        const missing = event.amount - paid;
        if (missing !== (shortfalls.get(key) ?? 0n))
          check.differs(
            `bill of session number ${event.number}`,
            `shortfall on chain is ${shortfalls.get(key) ?? 0n}, a balance of ${had} for a bill of ${event.amount} leaves ${missing}`,
          );
        add(books.euro, event.driver, -paid);
        if (missing > 0n) books.debts.set(key, missing);
        addFlex(event.driver, BigInt(event.flexWh));
        taken += paid;
        const given = event.credit - (creditShorts.get(key) ?? 0n);
        add(books.euro, payee(event.cpo), -given);
        add(books.euro, event.driver, given);
        break;
      }
      case "posted":
        check.same(`batch ${event.seq} of CPO ${event.cpo}`, "pot (micro-euro)", event.pot, taken);
        books.batchPots.set(`${event.cpo}:${event.seq}`, event.pot);
        taken = 0n;
        break;
      case "finalised":
        books.batchPots.delete(`${event.cpo}:${event.seq}`);
        add(books.euro, event.payee, event.paid);
        break;
      case "disputed":
        add(books.batchPots, `${event.cpo}:${event.seq}`, -event.paid);
        books.disputed.set(`${event.cpo}:${event.number}`, event.paid);
        break;
      case "resolved":
        check.same(
          `dispute of session number ${event.number}`,
          "paid (micro-euro)",
          event.back + event.toCpo,
          books.disputed.get(`${event.cpo}:${event.number}`) ?? 0n,
        );
        check.same(
          `dispute of session number ${event.number}`,
          "given back beside what was owed (micro-euro)",
          event.back,
          event.refund - cancel(`${event.cpo}:${event.number}`, event.refund),
        );
        books.disputed.delete(`${event.cpo}:${event.number}`);
        add(books.euro, event.driver, event.back);
        add(books.euro, event.payee, event.toCpo);
        addFlex(event.driver, event.flexDeltaWh);
        break;
      case "debt-paid":
        add(books.debts, `${event.cpo}:${event.number}`, -event.amount);
        add(books.euro, event.driver, -event.amount);
        add(books.euro, payee(event.cpo), event.amount);
        break;
      case "paid":
        add(books.euro, payee(event.cpo), -event.amount);
        add(books.euro, event.driver, event.amount);
        break;
      case "pot-funded":
        add(books.flexPots, event.cpo, event.amount);
        break;
      case "pot-reclaimed":
        add(books.flexPots, event.cpo, -event.amount);
        add(books.euro, event.by, event.amount);
        break;
      case "flex-claimed":
        add(books.flexWh, event.owner, -event.wh);
        books.tokensWh += event.wh;
        break;
      case "redeemed":
        add(books.flexWh, event.owner, event.fromTokens - event.wh);
        books.tokensWh -= event.fromTokens;
        books.redeemedWh += event.wh;
        add(books.flexPots, event.cpo, -event.payout);
        add(books.euro, event.owner, event.payout);
        break;
    }
  }
  return books;
}
