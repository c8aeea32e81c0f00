/** The arbiter decides a dispute: what the bill is lowered by, and what FLEX is given or taken back. The chain carries it out. */

import type { Cpo } from "../domain/assets.ts";
import { type Decision, type Dispute, endsAt } from "../domain/disputes.ts";
import type { MicroEur } from "../domain/units.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export type DecisionWish = {
  readonly sessionId: string;
  /** Account of the arbiter. */
  readonly by: string;
  readonly refundMicroEur: MicroEur;
  readonly flexDeltaWh: number;
  readonly text: string;
};

/** The same decision again is answered like the first time. */
export async function decideDispute(
  world: Pick<World, "store" | "ledger" | "clock" | "holdsArbiterKey">,
  wish: DecisionWish,
): Promise<
  | { readonly kind: "decided" | "duplicate"; readonly dispute: Dispute }
  | Refused<
      "unknown-dispute" | "dispute-not-open" | "already-decided" | "bad-refund" | "bad-flex-delta" | "no-arbiter-key"
    >
> {
  const now = world.clock.now();
  const { refundMicroEur, flexDeltaWh } = wish;
  return world.store.transaction(async (store) => {
    const dispute = await store.disputes.ofSession(wish.sessionId);
    const bill = dispute && (await store.bills.ofSession(wish.sessionId));
    if (!dispute || !bill) return refused("unknown-dispute", `No bill of session ${wish.sessionId} is disputed.`);
    if (dispute.decision)
      return isSame(dispute.decision, wish)
        ? { kind: "duplicate", dispute }
        : refused(
            "already-decided",
            `The dispute was decided: ${dispute.decision.refundMicroEur} micro-euro of refund.`,
          );
    if (dispute.closed) return refused("already-decided", "The dispute has ended on chain.");
    if (dispute.openedAt === null)
      return refused("dispute-not-open", "The dispute is not on chain yet. Wait until it is open there.");
    if (now >= endsAt(dispute.openedAt, world.ledger.disputeTerms))
      return refused("already-decided", "Nobody decided the dispute in time: it ends in the driver's favour.");
    if (refundMicroEur > bill.amountMicroEur)
      return refused("bad-refund", `The bill is ${bill.amountMicroEur} micro-euro. Refund at most that.`);
    const flexWh = bill.flexWh + flexDeltaWh;
    if (flexWh < 0 || flexWh > bill.energyWh)
      return refused(
        "bad-flex-delta",
        `The bill has ${bill.flexWh} Wh of FLEX for ${bill.energyWh} Wh charged: between 0 and these it can become.`,
      );
    if (!world.holdsArbiterKey)
      return refused("no-arbiter-key", "This service holds no arbiter's key. Decide with Settlement.resolve on chain.");

    const cpo = (await store.sites.cpos()).find((one) => one.id === bill.cpoId) as Cpo;
    const decision: Decision = { at: now, by: wish.by, refundMicroEur, flexDeltaWh, text: wish.text };
    const decided: Dispute = { ...dispute, decision };
    await store.outbox.enqueue(
      world.ledger.resolve({ cpo: cpo.number, number: bill.sessionNumber, refund: refundMicroEur, flexDeltaWh }),
    );
    await store.disputes.put(decided);
    return { kind: "decided", dispute: decided };
  });
}

const isSame = (decision: Decision, wish: DecisionWish) =>
  decision.refundMicroEur === wish.refundMicroEur && decision.flexDeltaWh === wish.flexDeltaWh;
