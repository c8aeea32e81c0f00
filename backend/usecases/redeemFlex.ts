/** A driver turns FLEX into euros from the CPO's pot: a signed intent, relayed, so that the driver needs no gas. */
import { corrected } from "../domain/disputes.ts";
import { epochSecond } from "../domain/units.ts";
import { disputesOf } from "./billStates.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";
import { disputeWaits, payoutWaits } from "./signedWaits.ts";

/** The nonce makes an intent count once, so it needs no deadline of its own; the most that the contract's u40 holds. */
const NO_DEADLINE = epochSecond(2 ** 40 - 1);

export type Redemption = {
  readonly driverId: string;
  readonly cpoId: string;
  readonly wh: number;
  readonly nonce: number;
};

export async function redeemFlex(
  world: Pick<World, "store" | "wallets" | "ledger">,
  wish: Redemption,
): Promise<
  | { readonly kind: "queued"; readonly key: string }
  | Refused<"unknown-driver" | "unknown-cpo" | "too-little" | "too-much" | "dispute-waits" | "payout-waits">
> {
  const driver = await world.store.drivers.byId(wish.driverId);
  const wallet = driver && (await world.store.drivers.wallet(driver.id));
  if (!driver || !wallet) return refused("unknown-driver", `Driver ${wish.driverId} is not registered.`);
  const cpo = (await world.store.sites.cpos()).find((one) => one.id === wish.cpoId);
  if (!cpo) return refused("unknown-cpo", `CPO ${wish.cpoId} is not known.`);
  if (wish.wh <= 0) return refused("too-little", "Redeem at least 1 Wh of FLEX.");
  const bills = await world.store.bills.ofDriver(driver.id, 100_000);
  const disputes = await disputesOf(world.store, bills);
  const earned = bills.reduce(
    (sum, bill) => sum + corrected(bill, disputes.get(bill.sessionId)?.closed ?? null).flexWh,
    0,
  );
  if (wish.wh > earned) return refused("too-much", `Only ${earned} Wh of FLEX were ever earned.`);
  if (await disputeWaits(world.store, driver.id))
    return refused("dispute-waits", "Your dispute of a bill is not on chain yet. Try again in a minute.");
  const payout = await payoutWaits(world.store, wallet.address);
  if (payout) return payout;
  const intent = {
    driver: wallet.address,
    cpo: cpo.number,
    wh: wish.wh,
    minPayout: 0n,
    nonce: wish.nonce,
    deadline: NO_DEADLINE,
  };
  const signature = await world.wallets.signRedeem(wallet, intent);
  const key = `redeem:${wallet.address}:${wish.nonce}`;
  await world.store.outbox.enqueue(world.ledger.redeem([{ ...intent, signature }], key));
  return { kind: "queued", key };
}
