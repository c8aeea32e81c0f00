/**
 * The chain as the audit sees it: what the contracts said (events, in order), what they hold now, and what the rule says
 * about a schedule. All answers are of one block, so that they agree with each other. Amounts are bigint micro-euro.
 */
import type { GroupProblem, Plan } from "../optimisation/problem.ts";
import type { BillLine, Hex, RunRecord } from "./ledgerPort.ts";

export type ChainEye = {
  /** Everything is read as of this block. */
  readonly block: number;
  /** Time of that block. */
  now(): Promise<number>;
  /** Address of the checker that this source compiles to. */
  readonly checker: Hex;
  /** One sentence per difference between chain, manifest and local compile. */
  deploymentDifferences(): Promise<readonly string[]>;

  /** Recorded runs of all groups in the order in which they were recorded. */
  runs(): Promise<readonly RunRecord[]>;
  head(group: number): Promise<{ readonly slot: number; readonly chain: Hex }>;
  /** The published specification of a version; null when there is none. */
  algorithm(version: Hex): Promise<PublishedAlgorithm | null>;
  /** The text behind a specification's `code`, ready to run. Throws when the chain does not have the text of that hash. */
  method(code: Hex): Promise<StoredMethod>;
  /** Asks the contract at `checker`. */
  check(checker: Hex, p: Hex, x: Hex, y: Hex, w: Hex): Promise<Judgement>;

  groups(): Promise<readonly RegisteredGroup[]>;
  assets(): Promise<readonly RegisteredAsset[]>;
  /** Everything that ever happened to money and FLEX, oldest first. */
  moneyEvents(): Promise<readonly MoneyEvent[]>;
  /** Lines of a batch, from the transaction that posted it. */
  linesOf(batch: Posted): Promise<readonly BillLine[]>;

  account(owner: Hex): Promise<{ readonly available: bigint; readonly flexWh: number; readonly isDriver: boolean }>;
  batch(cpo: number, seq: number): Promise<{ readonly root: Hex; readonly pot: bigint; readonly finalised: boolean }>;
  /** The dispute of a session's line as the contract keeps it; `openedAt` is 0 without one. */
  dispute(cpo: number, number: number): Promise<{ readonly state: DisputeState; readonly openedAt: number }>;
  /** What a driver still owes of a session's bill. */
  debt(cpo: number, number: number): Promise<bigint>;
  /** Euros that a CPO has put aside for FLEX. */
  flexPot(cpo: number): Promise<bigint>;
  /** The sum of all claims that Settlement keeps, the euros that it owns, and all FLEX tokens there are. */
  totals(): Promise<{ readonly held: bigint; readonly owned: bigint; readonly flexTokensWh: bigint }>;

  /** The hash chain that a group's runs lead to. */
  chainOf(runs: readonly RunRecord[]): Hex;
  /** Root of a batch as the contract computes it from its lines. */
  batchRoot(cpo: number, seq: number, lines: readonly BillLine[]): Hex;
};

export type DisputeState = "none" | "open" | "resolved";

export type PublishedAlgorithm = {
  readonly method: string;
  readonly sourceHash: Hex;
  /** Hash of the text that is stored on chain; zero for methods that have none there. */
  readonly code: Hex;
  readonly checker: Hex;
  readonly voll: number;
  readonly extra: number;
  readonly maxScale: number;
  readonly maxEarly: number;
};

/** A method whose text came from the chain. */
export type StoredMethod = {
  /** Whether it is, to the byte, the text that this source has. */
  readonly isOurs: boolean;
  run(problem: GroupProblem): Pick<Plan, "energyWh" | "certificate">;
};

/** What a checker says about a schedule; `rule` numbers are IScheduleChecker's. */
export type Judgement =
  | { readonly kind: "checked"; readonly cost: bigint; readonly bound: bigint }
  | { readonly kind: "broken"; readonly rule: number; readonly at: number };

export type RegisteredGroup = {
  readonly group: number;
  readonly cpo: number;
  readonly capacityW: number;
  readonly fromSlot: number;
};

export type RegisteredAsset = {
  readonly id: Hex;
  readonly group: number;
  readonly index: number;
  /** 1 charge point, 2 inverter, 3 battery. */
  readonly kind: number;
  readonly ratedW: number;
  readonly minW: number;
  readonly phases: number;
  readonly metadata: Hex;
  /** Records have a row of it from this slot on. */
  readonly fromSlot: number;
};

export type Posted = {
  readonly kind: "posted";
  readonly cpo: number;
  readonly seq: number;
  readonly root: Hex;
  readonly pot: bigint;
  readonly count: number;
  readonly tx: Hex;
};

type OfBill = { readonly cpo: number; readonly number: number; readonly driver: Hex };

export type MoneyEvent =
  | { readonly kind: "deposited"; readonly from: Hex; readonly to: Hex; readonly amount: bigint }
  | { readonly kind: "withdrawn"; readonly from: Hex; readonly to: Hex; readonly amount: bigint }
  | { readonly kind: "driver-registered"; readonly driver: Hex; readonly consent: Hex }
  | { readonly kind: "payee-set"; readonly cpo: number; readonly payee: Hex }
  | {
      readonly kind: "tariff-set";
      readonly tariff: number;
      readonly cpo: number;
      readonly maxPerKwh: bigint;
      readonly maxFixed: bigint;
    }
  | Posted
  | (OfBill & { readonly kind: "billed"; readonly amount: bigint; readonly credit: bigint; readonly flexWh: number })
  | (OfBill & { readonly kind: "shortfall" | "credit-short"; readonly missing: bigint })
  | (OfBill & { readonly kind: "debt-paid"; readonly amount: bigint; readonly left: bigint })
  | (OfBill & { readonly kind: "disputed"; readonly seq: number; readonly amount: bigint; readonly paid: bigint })
  | (OfBill & {
      readonly kind: "resolved";
      readonly payee: Hex;
      readonly refund: bigint;
      readonly back: bigint;
      readonly toCpo: bigint;
      readonly flexDeltaWh: bigint;
    })
  | {
      readonly kind: "finalised";
      readonly cpo: number;
      readonly seq: number;
      readonly payee: Hex;
      readonly paid: bigint;
    }
  | { readonly kind: "paid"; readonly cpo: number; readonly driver: Hex; readonly amount: bigint }
  | { readonly kind: "pot-funded" | "pot-reclaimed"; readonly cpo: number; readonly by: Hex; readonly amount: bigint }
  | { readonly kind: "offer-set"; readonly cpo: number; readonly price: bigint }
  | { readonly kind: "flex-claimed"; readonly owner: Hex; readonly wh: bigint }
  | {
      readonly kind: "redeemed";
      readonly cpo: number;
      readonly owner: Hex;
      readonly wh: bigint;
      readonly fromTokens: bigint;
      readonly payout: bigint;
    };
