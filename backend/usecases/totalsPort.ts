/** What reconcile.ts compares: sums of the chain and of the database, under the same names. */
import type { Hex } from "./ledgerPort.ts";

/** Micro-euro, Wh or counts by subject ("bills of CPO 3"). Written as text where it is saved. */
export type Totals = Readonly<Record<string, bigint>>;

/** How far the chain was read, and what its events came to until there. */
export type Tallied = { readonly block: number; readonly hash: Hex; readonly events: Totals };

export type ChainTally = {
  /**
   * Goes on from an earlier tally, or from the first block when that one's block has been replaced; null while the chain has
   * no block that is deep enough. Rejects when the chain is away or changes meanwhile.
   */
  since(tallied: Tallied | null): Promise<(Tallied & { readonly contracts: Totals }) | null>;
};

/** Totals of what the database holds to be on the chain up to a block; 0 for every group and CPO that has nothing there. */
export type Books = { until(block: number): Promise<Totals> };

/** What is added up on both sides, or by the chain alone. Groups are SlotLedger's: one may stand for all of a CPO's. */
export const SUBJECTS = {
  records: (group: number) => `records of group ${group}`,
  lastSlot: (group: number) => `the last slot of group ${group}`,
  batches: (cpo: number) => `batches of CPO ${cpo}`,
  bills: (cpo: number) => `bills of CPO ${cpo}`,
  billed: (cpo: number) => `micro-euro billed by CPO ${cpo}`,
  credited: (cpo: number) => `micro-euro credited by CPO ${cpo}`,
  flex: (cpo: number) => `Wh of FLEX billed by CPO ${cpo}`,
  deposited: "micro-euro deposited by this service",
  held: "micro-euro that Settlement holds for others",
  missing: "micro-euro that Settlement holds for others and does not own",
  tokens: "Wh in FLEX tokens",
} as const;
