/**
 * A driver disputes a bill: the reason stays here, on chain goes only the proof that this line was posted, signed by the
 * driver and sent for the driver. What was paid for the bill then waits outside the CPO's pot until the dispute ends.
 */
import { type Dispute, disputableUntil } from "../domain/disputes.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import type { DisputeIntent, Settlement, Store, World } from "./ports.ts";
import { lineOf } from "./postBills.ts";
import { type Refused, refused } from "./refused.ts";

export type DisputeWish = {
  readonly sessionId: string;
  readonly driverId: string;
  readonly reason: string;
  /** The driver's next on chain: `Settlement.accountOf`. */
  readonly nonce: number;
};

export async function disputeBill(
  world: Pick<World, "store" | "ledger" | "wallets" | "clock">,
  wish: DisputeWish,
): Promise<
  | { readonly kind: "asked"; readonly dispute: Dispute }
  | Refused<"unknown-session" | "no-settlement" | "final" | "not-posted" | "disputed" | "window-closed">
> {
  const { ledger, wallets } = world;
  const now = world.clock.now();
  return world.store.transaction(async (store) => {
    const session = await store.sessions.byId(wish.sessionId);
    if (!session || session.driverId !== wish.driverId)
      return refused("unknown-session", `There is no session ${wish.sessionId} of yours. Check the id.`);
    const bill = await store.bills.ofSession(session.id);
    if (!bill) return refused("no-settlement", "The session still runs. Its bill comes when the car is unplugged.");
    if (await store.disputes.ofSession(session.id))
      return refused("disputed", "You disputed this bill before. A bill can be disputed once.");
    if (ledger.disputeTerms.windowS === 0)
      return refused("final", "Bills cannot be disputed here: this deployment's window for disputes is 0 seconds.");
    const posted = await postedAt(store, bill);
    if (bill.batch === null || posted === null)
      return refused("not-posted", "The bill is not on chain yet. Once it is, you can dispute it there.");
    const until = disputableUntil(posted, ledger.disputeTerms);
    if (now >= until) return refused("window-closed", "The time in which this bill could be disputed is over.");

    const wallet = await store.drivers.wallet(wish.driverId);
    const cpo = (await store.sites.cpos()).find((one) => one.id === bill.cpoId);
    if (!wallet || !cpo) throw new Error(`The bill of session ${session.id} is posted, but its driver or CPO is gone.`);
    const lines = [];
    for (const one of await store.bills.ofBatch(bill.cpoId, bill.batch)) lines.push(await lineOf(store, one));
    const intent: DisputeIntent = {
      driver: wallet.address,
      cpo: cpo.number,
      number: session.number,
      nonce: wish.nonce,
      // Later it would not be taken anyway.
      deadline: epochSecond(posted + ledger.disputeTerms.windowS),
    };
    const signature = await wallets.signDispute(wallet, intent);
    await store.outbox.enqueue(ledger.dispute({ seq: bill.batch, lines, intent: { ...intent, signature } }));
    const dispute: Dispute = {
      sessionId: session.id,
      cpoId: bill.cpoId,
      reason: wish.reason,
      askedAt: now,
      ...{ openedAt: null, lapsedAt: null, decision: null, closed: null },
    };
    await store.disputes.put(dispute);
    return { kind: "asked", dispute };
  });
}

/** When the chain posted the bill's batch; null while it has not. */
async function postedAt(store: Store, { cpoId, batch }: Settlement): Promise<EpochSecond | null> {
  return (await store.bills.batches(cpoId)).find(({ seq }) => seq === batch)?.postedAt ?? null;
}
