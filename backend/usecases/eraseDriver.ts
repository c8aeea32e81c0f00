/**
 * A driver is forgotten, for good: name, account, key, preferences, receipts and their salts. What stands on chain stays
 * there, under an address that nobody can be found behind; totals and everybody else's proofs hold as before.
 */
import { type EpochSecond, type MicroEur, microEur } from "../domain/units.ts";
import { payoutKeys } from "./ledgerPort.ts";
import { EVERY, type OnChain, unbookedBills } from "./payouts.ts";
import type { Hex, Store, World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";
import { type SignedWaits, signedWaits } from "./signedIntents.ts";

export type Erasure = {
  readonly driverId: string;
  readonly onChain: OnChain;
  /** What the driver still owes of bills, micro-euro. */
  readonly owedMicroEur: bigint;
  /** The driver leaves to nobody what is on the account: without the key it stays in the contract for ever. */
  readonly giveUp: boolean;
};

type Unfinished = Refused<"session-open" | "bill-open" | "dispute-open" | "debt-left" | "balance-left"> | SignedWaits;
export type Erased = {
  readonly kind: "erased";
  readonly at: EpochSecond;
  readonly givenUpMicroEur: MicroEur;
  readonly givenUpFlexWh: number;
};

/** Whoever calls this has made sure, just now, that it is the driver who asks. Asked again, it answers the same. */
export async function eraseDriver(
  { store: whole, ledger, clock }: Pick<World, "store" | "ledger" | "clock">,
  wish: Erasure,
): Promise<Erased | Unfinished | Refused<"unknown-driver">> {
  const { driverId, onChain } = wish;
  const left = { givenUpMicroEur: microEur(onChain.availableMicroEur), givenUpFlexWh: onChain.flexWh };
  return whole.transaction(async (store) => {
    const driver = await store.drivers.byId(driverId);
    if (!driver) return refused("unknown-driver", `Driver ${driverId} is not registered.`);
    if (driver.erasedAt !== undefined) return { kind: "erased", at: driver.erasedAt, ...left };
    const unfinished = await unfinishedAffair(store, ledger.disputeTerms.windowS, driver.address as Hex, wish);
    if (unfinished) return unfinished;
    // What the chain refused as it stood is given up with the key.
    for (const { key } of await store.outbox.waiting(payoutKeys(driver.address as Hex))) await store.outbox.cancel(key);
    await store.drivers.erase(driverId, clock.now());
    return { kind: "erased", at: clock.now(), ...left };
  });
}

async function unfinishedAffair(
  store: Store,
  windowS: number,
  address: Hex,
  { driverId, onChain, owedMicroEur, giveUp }: Erasure,
): Promise<Unfinished | null> {
  const sessions = await store.sessions.ofDriver(driverId, EVERY);
  if (sessions.some(({ unpluggedAt }) => unpluggedAt === null))
    return refused("session-open", "Your car is plugged in. Unplug it first; its bill comes then.");
  if (sessions.length > (await store.bills.ofDriver(driverId, EVERY)).length)
    return refused("bill-open", "A session of yours is not billed yet. Try again in a minute.");
  if ((await unbookedBills(store, driverId)).length > 0)
    return refused("bill-open", "A bill of yours is not on chain yet. It is posted within a day.");
  const mine = new Set(sessions.map(({ id }) => id));
  if ((await store.disputes.unfinished()).some(({ sessionId }) => mine.has(sessionId)))
    return refused("dispute-open", "A dispute of yours is not decided. It ends after 30 days at the latest.");
  if (windowS > 0 && (await hasOpenBatch(store, driverId)))
    return refused("bill-open", "A bill of yours can still be disputed. Once it is final you can be erased.");
  const waits = await signedWaits(store, driverId, address);
  if (waits) return waits;
  if (owedMicroEur > 0n)
    return refused("debt-left", `You owe ${owedMicroEur} micro-euro of your bills. Have them paid first.`);
  const { availableMicroEur, flexWh } = onChain;
  if (!giveUp && (availableMicroEur > 0n || flexWh > 0))
    return refused(
      "balance-left",
      `${availableMicroEur} micro-euro and ${flexWh} Wh of FLEX are left. Take them out first, or give them up for ever.`,
    );
  return null;
}

/** Whether a bill of the driver is in a batch that is not final. */
async function hasOpenBatch(store: Store, driverId: string): Promise<boolean> {
  const open = new Set((await store.bills.unfinalised()).map(({ cpoId, seq }) => `${cpoId} ${seq}`));
  const bills = await store.bills.ofDriver(driverId, EVERY);
  return bills.some(({ cpoId, batch }) => open.has(`${cpoId} ${batch}`));
}
