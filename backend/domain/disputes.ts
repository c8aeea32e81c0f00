/**
 * A bill after it was made: for a while its driver may dispute it, then an arbiter may lower it, and one day it is final.
 * What the chain said is in `openedAt` and `closed`; everything else waits for it.
 */
import type { EpochSecond, MicroEur } from "./units.ts";
import { epochSecond, microEur } from "./units.ts";

/** Of the deployment; it never changes. Seconds. */
export type DisputeTerms = {
  /** From posting a batch until its bills can no longer be disputed; 0: they never can. */
  readonly windowS: number;
  /** From opening a dispute until it ends in the driver's favour, when nobody decides. */
  readonly termS: number;
};

export type Dispute = {
  readonly sessionId: string;
  readonly cpoId: string;
  /** The driver's words, never on chain; null when it was opened on chain without us. */
  readonly reason: string | null;
  readonly askedAt: EpochSecond;
  /** Time of the block; null while it is on its way. */
  readonly openedAt: EpochSecond | null;
  /** When it was clear that it had not reached the chain in time. */
  readonly lapsedAt: EpochSecond | null;
  /** The arbiter's word, which the chain carries out. */
  readonly decision: Decision | null;
  readonly closed: Closed | null;
};

export type Decision = {
  readonly at: EpochSecond;
  /** Account of the arbiter. */
  readonly by: string;
  /** What the bill is lowered by. */
  readonly refundMicroEur: MicroEur;
  /** FLEX given (positive) or taken back. */
  readonly flexDeltaWh: number;
  readonly text: string;
};

/** How the chain ended it. */
export type Closed = {
  /** Time of the block. */
  readonly at: EpochSecond;
  readonly refundMicroEur: MicroEur;
  /** The part of the refund that went to the driver's balance; the rest went off a debt. */
  readonly backMicroEur: MicroEur;
  readonly flexDeltaWh: number;
};

export type BillState =
  /** The session has no driver whom we bill. */
  | { readonly kind: "unbilled" }
  /** In no batch yet. */
  | { readonly kind: "waiting" }
  /** In a batch that the chain has not confirmed yet. */
  | { readonly kind: "posting" }
  /** Can be disputed before `until`. */
  | { readonly kind: "open"; readonly until: EpochSecond }
  /** The driver's dispute is on its way to the chain. */
  | { readonly kind: "asked" }
  /** Undecided, it ends at `until` in the driver's favour. */
  | { readonly kind: "disputed"; readonly until: EpochSecond }
  | { readonly kind: "resolved" | "expired"; readonly refundMicroEur: MicroEur; readonly flexDeltaWh: number }
  | { readonly kind: "final" };

/** A dispute needs a moment to reach the chain: the last of them is asked this long before the window ends, s. */
const WAY_S = 120;

/** Until when we take disputes of a batch that was posted at that block's time. */
export const disputableUntil = (postedAt: EpochSecond, { windowS }: DisputeTerms) =>
  epochSecond(postedAt + windowS - Math.min(WAY_S, Math.floor(windowS / 2)));

export function billState(
  bill: { readonly driverId: string | null; readonly batch: number | null },
  postedAt: EpochSecond | null,
  dispute: Dispute | null,
  terms: DisputeTerms,
  now: EpochSecond,
): BillState {
  if (bill.driverId === null) return { kind: "unbilled" };
  if (bill.batch === null) return { kind: "waiting" };
  if (dispute?.closed) {
    const { refundMicroEur, flexDeltaWh } = dispute.closed;
    return { kind: hasExpired(dispute, terms) ? "expired" : "resolved", refundMicroEur, flexDeltaWh };
  }
  if (dispute?.openedAt) return { kind: "disputed", until: endsAt(dispute.openedAt, terms) };
  if (dispute && dispute.lapsedAt === null) return { kind: "asked" };
  if (terms.windowS === 0) return { kind: "final" };
  if (postedAt === null) return { kind: "posting" };
  const until = disputableUntil(postedAt, terms);
  return now < until && !dispute ? { kind: "open", until } : { kind: "final" };
}

/** When an undecided dispute ends in the driver's favour. */
export const endsAt = (openedAt: EpochSecond, { termS }: DisputeTerms) => epochSecond(openedAt + termS);

/** Ended by time: nobody had decided. */
const hasExpired = ({ openedAt, decision, closed }: Dispute, { termS }: DisputeTerms) =>
  decision === null && closed !== null && openedAt !== null && closed.at - openedAt >= termS;

/** What a bill comes to once its dispute has ended. */
export function corrected<Bill extends { readonly amountMicroEur: MicroEur; readonly flexWh: number }>(
  bill: Bill,
  closed: Closed | null,
): { readonly dueMicroEur: MicroEur; readonly flexWh: number } {
  return {
    dueMicroEur: microEur(bill.amountMicroEur - (closed?.refundMicroEur ?? 0n)),
    flexWh: bill.flexWh + (closed?.flexDeltaWh ?? 0),
  };
}
