/** Disputes outside: where they are remembered, and what the chain says of them. */
import type { Dispute } from "../domain/disputes.ts";
import type { EpochSecond, MicroEur } from "../domain/units.ts";

/** A bill is disputed once, so that a dispute is found by its session. */
export type DisputeStore = {
  /** Adds it, or replaces what was known of it. */
  put(dispute: Dispute): Promise<void>;
  ofSession(sessionId: string): Promise<Dispute | null>;
  ofSessions(sessionIds: readonly string[]): Promise<readonly Dispute[]>;
  /** On their way to the chain or open there, oldest first. */
  unfinished(): Promise<readonly Dispute[]>;
  /** Newest first. */
  ofCpo(cpoId: string, limit: number): Promise<readonly Dispute[]>;
  /** By session. */
  all(): Promise<readonly Dispute[]>;
};

/** Follows the chain from block to block, as far as blocks count as final. */
export type ChainWatch = {
  /** What happened after `block` (null: from the beginning), oldest first; null while there is no later block. */
  since(block: number | null): Promise<ChainNews | null>;
};

export type ChainNews = {
  /** The last block that was looked at, and its time. */
  readonly block: number;
  readonly at: EpochSecond;
  readonly events: readonly WatchedEvent[];
};

/** `at` is the time of the block. CPOs and sessions by their numbers. */
type OfCpo = { readonly at: EpochSecond; readonly cpo: number };
export type WatchedEvent =
  | (OfCpo & { readonly kind: "posted" | "finalised"; readonly seq: number })
  | (OfCpo & { readonly kind: "disputed"; readonly number: number })
  | (OfCpo & {
      readonly kind: "resolved";
      readonly number: number;
      readonly refund: MicroEur;
      readonly back: MicroEur;
      readonly flexDeltaWh: number;
    });
