/**
 * A driver disputes a bill: the reason stays here, on chain goes only the proof that this line was posted, signed by the
 * driver and sent for the driver. What was paid for the bill then waits outside the CPO's pot until the dispute ends.
 */
import type { Cpo } from "../domain/assets.ts";
import { type Dispute, disputableUntil } from "../domain/disputes.ts";
import type { ChargingSession } from "../domain/sessions.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import type { DisputeIntent, SealedWallet, Settlement, World } from "./ports.ts";
import { lineOf } from "./postBills.ts";
import { type Refused, refused } from "./refused.ts";
import { type SignedWaits, signedWaits } from "./signedIntents.ts";

type Mine = { readonly sessionId: string; readonly driverId: string };
export type DisputeWish = Mine & {
  readonly reason: string;
  /** The driver's next on chain: `Settlement.accountOf`. */
  readonly nonce: number;
};

type Disputable = {
  readonly kind: "disputable";
  readonly session: ChargingSession;
  readonly bill: Settlement;
  readonly wallet: SealedWallet;
  readonly batch: number;
  /** When the window ends on chain. */
  readonly until: EpochSecond;
};
type NotDisputable =
  | SignedWaits
  | Refused<
      | "unknown-session"
      | "no-settlement"
      | "bill-final"
      | "not-posted"
      | "window-closed"
      | "already-disputed"
      | "unknown-driver"
    >;

/** Whether the driver may dispute the bill of this session now. */
export async function disputable(
  { store, ledger, clock }: Pick<World, "store" | "ledger" | "clock">,
  { sessionId, driverId }: Mine,
): Promise<Disputable | NotDisputable> {
  const { windowS } = ledger.disputeTerms;
  const session = await store.sessions.byId(sessionId);
  if (!session || session.driverId !== driverId)
    return refused("unknown-session", `There is no session ${sessionId} of yours. Check the id.`);
  const bill = await store.bills.ofSession(session.id);
  if (!bill) return refused("no-settlement", "The session still runs. Its bill comes when the car is unplugged.");
  if (await store.disputes.ofSession(session.id))
    return refused("already-disputed", "You disputed this bill before. A bill can be disputed once.");
  if (windowS === 0)
    return refused("bill-final", "Bills cannot be disputed here: this deployment's window for disputes is 0 seconds.");
  const batches = await store.bills.batches(bill.cpoId);
  const postedAt = batches.find(({ seq }) => seq === bill.batch)?.postedAt ?? null;
  if (bill.batch === null || postedAt === null)
    return refused("not-posted", "The bill is not on chain yet. You can dispute it as soon as it is posted there.");
  if (clock.now() >= disputableUntil(postedAt, ledger.disputeTerms))
    return refused("window-closed", "The time in which this bill could be disputed is over.");
  const wallet = await store.drivers.wallet(driverId);
  if (!wallet) return refused("unknown-driver", "Your key is erased: nobody can sign for you any more.");
  const waits = await signedWaits(store, driverId, wallet.address);
  if (waits) return waits;
  return { kind: "disputable", session, bill, wallet, batch: bill.batch, until: epochSecond(postedAt + windowS) };
}

export async function disputeBill(
  world: Pick<World, "store" | "ledger" | "wallets" | "clock">,
  wish: DisputeWish,
): Promise<{ readonly kind: "asked"; readonly dispute: Dispute } | NotDisputable> {
  const { ledger, wallets, clock } = world;
  return world.store.transaction(async (store) => {
    const found = await disputable({ store, ledger, clock }, wish);
    if (found.kind === "refused") return found;
    const { session, bill, wallet, batch, until } = found;
    const cpo = (await store.sites.cpos()).find((one) => one.id === bill.cpoId) as Cpo;
    const lines = [];
    for (const one of await store.bills.ofBatch(bill.cpoId, batch)) lines.push(await lineOf(store, one));
    const intent: DisputeIntent = {
      driver: wallet.address,
      cpo: cpo.number,
      number: session.number,
      nonce: wish.nonce,
      deadline: until,
    };
    const signature = await wallets.signDispute(wallet, intent);
    const dispute: Dispute = {
      sessionId: session.id,
      cpoId: bill.cpoId,
      reason: wish.reason,
      askedAt: clock.now(),
      ...{ openedAt: null, lapsedAt: null, decision: null, closed: null },
    };
    await store.outbox.enqueue(ledger.dispute({ seq: batch, lines, intent: { ...intent, signature } }));
    await store.disputes.put(dispute);
    return { kind: "asked", dispute };
  });
}
