/** The laws of Settlement, by what the chain says itself: its storage, read by SettlementReader, and its events. */
import { expect } from "chai";
import type { Log } from "ethers";
import { networkHelpers, provider } from "./chain.ts";
import { TERMS } from "./settlement.ts";
import { CPOS, DELAYS, type Walk } from "./settlementTown.ts";
import { send } from "./settlementWalk.ts";

type Person = { available: bigint; flex: bigint; flexDebt: bigint; nonce: bigint; euros: bigint; tokens: bigint };
type Cpo = {
  lastSeq: bigint;
  batches: bigint;
  openPots: bigint;
  finalPots: bigint;
  price: bigint;
  flexPot: bigint;
};
export type Picture = {
  held: bigint;
  owned: bigint;
  supply: bigint;
  /** Paid for lines that are in dispute. */
  disputed: bigint;
  people: readonly Person[];
  cpos: readonly Cpo[];
};

const sum = (values: Iterable<bigint>) => [...values].reduce((a, b) => a + b, 0n);
const keyOf = (cpo: bigint | string, number: bigint | number) => `${cpo}:${number}`;

export async function pictureOf({ place, model }: Walk): Promise<Picture> {
  const { settlement, euro, flex, people, reader } = place;
  const disputes = [...model.disputes.keys()].map((key) => key.split(":"));
  const addresses = people.map(({ address }) => address);
  const asked = [settlement.target, euro.target, flex.target, addresses, CPOS, disputes];
  const data = reader.interface.encodeFunctionData("read", asked);
  // Straight to the chain: ethers would take as long again.
  const answer = (await provider.request({ method: "eth_call", params: [{ to: reader.target, data }] })) as string;
  const [picture] = reader.interface.decodeFunctionResult("read", answer);
  return picture.toObject(true) as Picture;
}

/** Hold after every call. */
export const LAWS: Readonly<Record<string, (picture: Picture, walk: Walk) => void>> = {
  invariantHeldEqualsClaims({ held, disputed, people, cpos }) {
    const balances = sum(people.map(({ available }) => available));
    const pots = sum(cpos.map(({ openPots, flexPot }) => openPots + flexPot));
    expect(held).to.equal(balances + pots + disputed);
  },

  invariantBacked({ held, owned }, { model }) {
    expect(owned).to.equal(held + model.totals.donated);
  },

  invariantEurosConserved({ owned, people }, { place }) {
    expect(owned + sum(people.map(({ euros }) => euros))).to.equal(BigInt(people.length) * place.purse);
  },

  invariantFlexConserved({ supply, people }, { model }) {
    const { flexPosted, flexCorrected, flexRedeemed } = model.totals;
    const unclaimed = sum(people.map(({ flex, flexDebt }) => flex - flexDebt));
    expect(unclaimed + supply).to.equal(flexPosted + flexCorrected - flexRedeemed);
    expect(sum(people.map(({ tokens }) => tokens))).to.equal(supply);
  },

  invariantSeqDense({ cpos }, { model }) {
    for (const [i, { lastSeq, batches }] of cpos.entries()) {
      const posted = [...model.batches.keys()].filter((key) => key.startsWith(`${CPOS[i]}:`)).length;
      expect([lastSeq, batches]).to.deep.equal([BigInt(posted), BigInt(posted)]);
    }
  },

  invariantPotOnlyWhileOpen({ cpos }, { model }) {
    for (const [i, { openPots, finalPots }] of cpos.entries()) {
      const own = [...model.batches].filter(([key]) => key.startsWith(`${CPOS[i]}:`)).map(([, batch]) => batch);
      const pots = (final: boolean) => sum(own.filter(({ finalised }) => finalised === final).map(({ pot }) => pot));
      expect([openPots, finalPots]).to.deep.equal([pots(false), pots(true)]);
    }
  },

  invariantEverybodyHasWhatTheModelSays({ people, cpos }, { place, model, nonces }) {
    for (const [i, { address }] of place.people.entries()) {
      const own = model.accounts.get(address) ?? { available: 0n, flex: 0n, flexDebt: 0n };
      expect({ ...people[i] }, address).to.deep.equal({
        available: own.available,
        flex: own.flex,
        flexDebt: own.flexDebt,
        nonce: BigInt(nonces.get(address) ?? 0),
        euros: model.wallets.get(address),
        tokens: model.tokens.get(address) ?? 0n,
      });
    }
    for (const [i, cpo] of CPOS.entries()) {
      const { price, pot } = model.offers.get(cpo) ?? { price: 0n, pot: 0n };
      expect([cpos[i]?.price, cpos[i]?.flexPot]).to.deep.equal([price, pot]);
    }
  },
};

/** Everything that Settlement told since `block`, as named arguments. */
async function eventsSince(walk: Walk, block: number) {
  const { settlement } = walk.place;
  const logs: Log[] = await settlement.runner.provider.getLogs({ address: settlement.target, fromBlock: block + 1 });
  return logs.flatMap((log) => {
    const found = settlement.interface.parseLog(log);
    return found === null ? [] : [{ name: found.name as string, args: found.args.toObject() }];
  });
}

/**
 * Hold at the end of a walk and speak about its whole history, by the events since `block` alone: what an outsider knows who
 * reads nothing else.
 */
export async function expectLawfulHistory(walk: Walk, block: number): Promise<void> {
  const events = await eventsSince(walk, block);
  const accounts = new Map<string, bigint>();
  const payeeOf = (cpo: bigint) => (cpo === 3n ? walk.place.payee.address : walk.place.carl.address);
  const paid = new Map<string, bigint>();
  const billed = new Map<string, number>();
  const give = (owner: string, amount: bigint) => accounts.set(owner, (accounts.get(owner) ?? 0n) + amount);
  for (const { name, args } of events) {
    const key = keyOf(args.cpo, args.number);
    const pays = (amount: bigint) => {
      paid.set(key, (paid.get(key) ?? 0n) + amount);
      give(args.driver, -amount);
    };
    const credited = (amount: bigint) => {
      give(args.driver, amount);
      give(payeeOf(args.cpo), -amount);
    };
    const tell: Record<string, () => void> = {
      Deposited: () => give(args.to, args.amount),
      Withdrawn: () => give(args.owner, 0n - args.amount),
      Billed: () => {
        billed.set(key, (billed.get(key) ?? 0) + 1);
        pays(args.amount);
        credited(args.credit);
      },
      Shortfall: () => pays(0n - args.missing),
      CreditShort: () => credited(0n - args.missing),
      Finalised: () => give(args.payee, args.paid),
      DebtPaid: () => {
        pays(args.amount);
        give(payeeOf(args.cpo), args.amount);
      },
      Paid: () => credited(args.amount),
      Resolved: () => {
        pays(0n - args.back);
        give(args.payee, args.toCpo);
      },
      PotReclaimed: () => give(args.payee, args.amount),
      Redeemed: () => give(args.owner, args.payout),
    };
    tell[name]?.();
  }

  expect(
    [...billed.values()].every((times) => times === 1),
    "invariantNoSessionTwice",
  ).to.equal(true);
  for (const [key, batch] of walk.model.batches)
    for (const { number, wh } of batch.lines) {
      const most = (BigInt(wh) * TERMS.maxPerKwh) / 1_000n + TERMS.maxFixed;
      const amount = paid.get(keyOf(key.split(":")[0]!, number)) ?? 0n;
      expect(amount >= 0n && amount <= most, "invariantDriverNeverPaysAboveTariff").to.equal(true);
    }
  for (const [owner, { available }] of walk.model.accounts)
    expect(accounts.get(owner) ?? 0n, "invariantEventsTellEveryBalance").to.equal(available);
}

/** invariantWithdrawAlwaysPossible: at any time, also paused and retired, everybody takes out what is theirs, to the last unit. */
export async function expectEverybodyCanLeave(walk: Walk): Promise<void> {
  const { settlement, people, pauser, admin } = walk.place;
  const must = async (from: string, verb: string, ...args: unknown[]) =>
    expect(
      await send(walk, from, settlement.target, settlement.interface.encodeFunctionData(verb, args)),
      verb,
    ).to.equal(null);
  if (!walk.paused) await must(pauser.address, "pause");
  await must(admin.address, "retire");
  const before = await pictureOf(walk);
  for (const [i, { address }] of people.entries()) await must(address, "requestWithdraw", before.people[i]!.available);
  await networkHelpers.time.increase(DELAYS.withdrawNoticeS);
  for (const [i, { address }] of people.entries())
    await must(address, "withdraw", before.people[i]!.available, address);
  const after = await pictureOf(walk);
  for (const [i, { available, euros }] of after.people.entries()) {
    const own = before.people[i]!;
    expect([available, euros]).to.deep.equal([0n, own.euros + own.available]);
  }
  LAWS.invariantHeldEqualsClaims!(after, walk);
}
