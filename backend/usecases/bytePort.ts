/** The index of committed bytes: which row has the bytes of a hash. */
import type { Hex } from "./ledgerPort.ts";

/** Parts of a plan, of a settlement, and of a slot that was sealed for all groups; what each is stands in committedBytes.ts. */
export type PlanPart = "problem" | "plan" | "x" | "y" | "w";
export type ReceiptPart = "detail" | "salted" | "receipt";
export type SlotPart = "run" | "node";

/** `of`: id of the plan or of the session, or "slot:id of the CPO". */
export type IndexedBytes = {
  readonly hash: Hex;
  readonly part: PlanPart | ReceiptPart | SlotPart;
  readonly of: string;
};

export type ByteStore = {
  find(hash: Hex): Promise<IndexedBytes | null>;
  /** What is known already stays as it is. */
  add(indexed: readonly IndexedBytes[]): Promise<void>;
  /** Ids of plans that are not in the index, at most so many. */
  newPlans(limit: number): Promise<readonly string[]>;
  /** Ids of settled sessions that are not in the index, at most so many. */
  newReceipts(limit: number): Promise<readonly string[]>;
  /** Slots that were sealed for all groups and are not in the index, at most so many. */
  newSlots(limit: number): Promise<readonly { readonly cpoId: string; readonly slot: number }[]>;
};
