/** A driver turns FLEX into euros from the CPO's pot: a signed intent, relayed, so that the driver needs no gas. */
import { corrected } from "../domain/disputes.ts";
import { epochSecond } from "../domain/units.ts";
import { disputesOf } from "./billStates.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";
import { INTENT_VALID_S, type SignedWaits, signedWaits } from "./signedIntents.ts";

export type Redemption = {
  readonly driverId: string;
  readonly cpoId: string;
  readonly wh: number;
  readonly nonce: number;
};

/** `nonce` is the driver's next on chain: `Settlement.accountOf`. */
export async function redeemFlex(
  { store: whole, wallets, ledger, clock }: Pick<World, "store" | "wallets" | "ledger" | "clock">,
  wish: Redemption,
): Promise<
  | { readonly kind: "queued"; readonly key: string }
  | SignedWaits
  | Refused<"unknown-driver" | "unknown-cpo" | "too-little" | "too-much">
> {
  return whole.transaction(async (store) => {
    const driver = await store.drivers.byId(wish.driverId);
    const wallet = driver && (await store.drivers.wallet(driver.id));
    if (!driver || !wallet) return refused("unknown-driver", `Driver ${wish.driverId} is not registered.`);
    const cpo = (await store.sites.cpos()).find((one) => one.id === wish.cpoId);
    if (!cpo) return refused("unknown-cpo", `CPO ${wish.cpoId} is not known.`);
    if (wish.wh <= 0) return refused("too-little", "Redeem at least 1 Wh of FLEX.");
    const bills = await store.bills.ofDriver(driver.id, 100_000);
    const disputes = await disputesOf(store, bills);
    const earned = bills.reduce(
      (sum, bill) => sum + corrected(bill, disputes.get(bill.sessionId)?.closed ?? null).flexWh,
      0,
    );
    if (wish.wh > earned) return refused("too-much", `Only ${earned} Wh of FLEX were ever earned.`);
    const waits = await signedWaits(store, driver.id, wallet.address);
    if (waits) return waits;
    const intent = {
      driver: wallet.address,
      cpo: cpo.number,
      wh: wish.wh,
      minPayout: 0n,
      nonce: wish.nonce,
      deadline: epochSecond(clock.now() + INTENT_VALID_S),
    };
    const signature = await wallets.signRedeem(wallet, intent);
    // A batch passes over an intent that does not hold, and its nonce stays free: the next wish needs a key of its own.
    const key = `redeem:${wallet.address}:${wish.nonce}:${signature.slice(2, 18)}`;
    await store.outbox.enqueue(ledger.redeem([{ ...intent, signature }], key));
    return { kind: "queued", key };
  });
}
