/**
 * What drivers take out themselves: a withdrawal to an address of their own (announced first, since the money can still be
 * billed until then), and FLEX as tokens. Signed with the driver's key, sent for the driver, one at a time: each takes the
 * next nonce, which the chain gives out.
 */
import { type EpochSecond, epochSecond, type MicroEur, microEur } from "../domain/units.ts";
import { batchKey, payoutKeys } from "./ledgerPort.ts";
import type { Hex, Payout, Settlement, Store, World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";
import { INTENT_VALID_S, type SignedWaits, signedWaits } from "./signedIntents.ts";

/** A driver's account on chain: `Settlement.accountOf` and `withdrawalOf`. */
export type OnChain = {
  readonly nonce: number;
  readonly availableMicroEur: bigint;
  /** FLEX that is not claimed. */
  readonly flexWh: number;
  readonly announcedMicroEur: bigint;
  /** From when the announced amount can be withdrawn. */
  readonly readyAt: EpochSecond;
};

type Wish = { readonly driverId: string; readonly onChain: OnChain };
export type Announcement = Wish & { readonly amountMicroEur: MicroEur };
export type WithdrawalWish = Announcement & { readonly to: Hex };
export type ClaimWish = Wish & { readonly to: Hex };

/** What is on its way, or what the chain refuses as it stands. */
export type WaitingPayout = {
  readonly kind: Payout["kind"];
  readonly amountMicroEur: MicroEur | null;
  readonly to: Hex | null;
  /** The chain refuses it from then on. */
  readonly deadline: EpochSecond;
  readonly refusedBecause: string | null;
};

type Needs = Pick<World, "store" | "ledger" | "wallets" | "clock">;
type Answer<Reason extends string> = { readonly kind: "queued" } | Refused<Reason | "unknown-driver"> | SignedWaits;

/** Announces a withdrawal; an earlier announcement is replaced. */
export function announceWithdrawal(
  world: Needs,
  wish: Announcement,
): Promise<Answer<"too-little-money" | "too-much-money">> {
  return payOut(world, wish, async (store, once) => {
    const fault = await amountFault(store, wish);
    return fault ?? { kind: "announce", ...once, amount: wish.amountMicroEur };
  });
}

/** Withdraws to an address of the driver's own what was announced. */
export function withdraw(
  world: Needs,
  wish: WithdrawalWish,
): Promise<Answer<"too-little-money" | "too-much-money" | "not-announced" | "notice-runs" | "bad-address">> {
  const { amountMicroEur: amount, to } = wish;
  const { announcedMicroEur, readyAt } = wish.onChain;
  return payOut(world, wish, async (store, once) => {
    const fault = addressFault(world, once.owner, to) ?? (await amountFault(store, wish));
    if (fault) return fault;
    if (amount > announcedMicroEur)
      return refused(
        "not-announced",
        `Announced is a withdrawal of ${announcedMicroEur} micro-euro. Announce ${amount} first, or withdraw less.`,
      );
    const waitS = readyAt - world.clock.now();
    if (waitS > 0) return refused("notice-runs", `The notice runs for another ${waitS} s. Withdraw after that.`);
    return { kind: "withdraw", ...once, to, amount };
  });
}

/** Turns all FLEX of the driver's account into tokens at an address of the driver's own. */
export function claimFlex(world: Needs, wish: ClaimWish): Promise<Answer<"no-flex" | "bad-address">> {
  return payOut(world, wish, async (_, once) => {
    if (wish.onChain.flexWh === 0) return refused("no-flex", "You have no FLEX that is not claimed.");
    return addressFault(world, once.owner, wish.to) ?? { kind: "claim", ...once, to: wish.to };
  });
}

/** What of the balance bills will take that are not on chain yet, micro-euro: it is not paid out. */
export async function unbookedMicroEur(store: Store, driverId: string): Promise<MicroEur> {
  const bills = await unbookedBills(store, driverId);
  return microEur(bills.reduce((sum, bill) => sum + bill.amountMicroEur, 0n));
}

/** Bills of the driver that the chain has not taken yet. */
export async function unbookedBills(store: Store, driverId: string): Promise<readonly Settlement[]> {
  const numbers = new Map((await store.sites.cpos()).map((cpo) => [cpo.id, cpo.number]));
  const waiting = new Set((await store.outbox.waiting("batch:")).map(({ key }) => key));
  const bills = await store.bills.ofDriver(driverId, EVERY);
  return bills.filter(
    ({ batch, cpoId }) => batch === null || waiting.has(batchKey(numbers.get(cpoId) as number, batch)),
  );
}
export const EVERY = 1_000_000;

/** The driver's payout that the chain has not carried out yet. */
export async function waitingPayout(store: Store, owner: string): Promise<WaitingPayout | null> {
  const [call] = await store.outbox.waiting(payoutKeys(owner as Hex));
  if (!call) return null;
  const { kind, amount, to, deadline } = call.args as { kind: Payout["kind"] } & Record<string, string & number>;
  return {
    kind,
    amountMicroEur: amount === undefined ? null : microEur(BigInt(amount)),
    to: (to as unknown as Hex | undefined) ?? null,
    deadline: epochSecond(Number(deadline)),
    refusedBecause: call.refusedBecause,
  };
}

/** Gives up payouts that the chain refuses and will refuse for ever, because their time is over. */
export async function giveUpPayouts({ store, clock }: Pick<World, "store" | "clock">): Promise<void> {
  for (const { key, args, refusedBecause } of await store.outbox.waiting("payout:"))
    if (refusedBecause !== null && Number((args as { deadline: number }).deadline) < clock.now())
      await store.outbox.cancel(key);
}

type Once = { readonly owner: Hex; readonly nonce: number; readonly deadline: EpochSecond };

async function payOut<Reason extends string>(
  { store: whole, ledger, wallets, clock }: Needs,
  { driverId, onChain }: Wish,
  decide: (store: Store, once: Once) => Promise<Payout | Refused<Reason>>,
): Promise<Answer<Reason>> {
  return whole.transaction(async (store): Promise<Answer<Reason>> => {
    const wallet = await store.drivers.wallet(driverId);
    if (!wallet) return refused("unknown-driver", `Driver ${driverId} is not registered, or was erased.`);
    const once = { owner: wallet.address, nonce: onChain.nonce, deadline: epochSecond(clock.now() + INTENT_VALID_S) };
    const payout = await decide(store, once);
    if (payout.kind === "refused") return payout;
    const wait = await signedWaits(store, driverId, wallet.address);
    if (wait) return wait;
    // What the chain refused as it stood is given up for the new wish: it may need the same nonce.
    for (const { key } of await store.outbox.waiting(payoutKeys(wallet.address))) await store.outbox.cancel(key);
    const signature = await wallets.signPayout(wallet, payout);
    await store.outbox.enqueue(ledger.payout({ ...payout, signature }));
    return { kind: "queued" };
  });
}

async function amountFault(
  store: Store,
  { driverId, amountMicroEur, onChain }: Announcement,
): Promise<Refused<"too-little-money" | "too-much-money"> | null> {
  if (amountMicroEur <= 0n) return refused("too-little-money", "Take out at least 1 micro-euro.");
  const unbooked = await unbookedMicroEur(store, driverId);
  const free = onChain.availableMicroEur - unbooked;
  if (amountMicroEur <= free) return null;
  const kept = unbooked > 0n ? `, of which bills that are not on chain yet take ${unbooked}` : "";
  return refused(
    "too-much-money",
    `Your balance is ${onChain.availableMicroEur} micro-euro${kept}. Take out at most ${free > 0n ? free : 0n}.`,
  );
}

function addressFault({ ledger }: Needs, owner: Hex, to: Hex): Refused<"bad-address"> | null {
  if (BigInt(to) === 0n) return refused("bad-address", "Nobody has the address 0. Give an address of your own.");
  if (ledger.isContract(to))
    return refused("bad-address", `${to} is a contract of this service: what is sent there is lost. Give your own.`);
  if (to.toLowerCase() === owner.toLowerCase())
    return refused("bad-address", `${to} is the account that we keep for you. Give an address whose key you hold.`);
  return null;
}
