/** What a driver signs goes on chain one by one: each takes the next nonce, which the chain gives out. */
import { payoutKeys } from "./ledgerPort.ts";
import type { Hex, Store } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

/** What the chain has not taken after so long, it takes no more: nobody is surprised by a wish of last month. */
export const INTENT_VALID_S = 86_400;

export type SignedWaits = Refused<"redemption-waits" | "dispute-waits" | "payout-waits">;

/** Whether anything that the driver signed is not on chain yet. */
export async function signedWaits(store: Store, driverId: string, owner: Hex): Promise<SignedWaits | null> {
  if ((await store.outbox.waiting(`redeem:${owner}:`)).length > 0)
    return refused("redemption-waits", "Your redemption of FLEX is not on chain yet. Try again in a minute.");
  if (await disputeWaits(store, driverId))
    return refused("dispute-waits", "Your dispute of a bill is not on chain yet. Try again in a minute.");
  return payoutWaits(store, owner);
}

async function disputeWaits(store: Store, driverId: string): Promise<boolean> {
  for (const { sessionId, openedAt } of await store.disputes.unfinished())
    if (openedAt === null && (await store.sessions.byId(sessionId))?.driverId === driverId) return true;
  return false;
}

/** A payout that the chain refuses as it stands holds back nothing: its nonce is still free. */
async function payoutWaits(store: Store, owner: Hex): Promise<Refused<"payout-waits"> | null> {
  const calls = await store.outbox.waiting(payoutKeys(owner));
  if (calls.every(({ refusedBecause }) => refusedBecause !== null)) return null;
  return refused("payout-waits", "Your withdrawal or claim is not on chain yet. Try again in a minute.");
}
