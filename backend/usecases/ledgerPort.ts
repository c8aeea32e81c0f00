/** The contracts, as the use cases see them: pure encoders from domain data to calls, and commitments. No network. */
import type { MethodName } from "../domain/algorithms.ts";
import type { DisputeTerms } from "../domain/disputes.ts";
import type { EpochSecond, MicroEur, MicroEurPerKwh } from "../domain/units.ts";
import type { DisputeIntent, Payout, RedeemIntent, Signed } from "./walletPort.ts";

export type Hex = `0x${string}`;

/** Chain keys with roles of their own: a stuck bill never delays a slot. */
export type Lane = "registry" | "slots" | "billing" | "treasury" | "arbiter";

/** One call that the chain writer will send once. */
export type ChainCall = {
  readonly lane: Lane;
  /** Natural and unique ("slot:7:1963008", "batch:3:118"): enqueued twice, sent once. */
  readonly key: string;
  /** Calls of one stream go out strictly in order; null means independent. */
  readonly stream: string | null;
  readonly contract: string;
  readonly call: string;
  /** For people and logs, JSON-able; never secrets. */
  readonly args: unknown;
  readonly data: Hex;
  /** Where the cost is known, so that no estimate is needed. */
  readonly gasLimit: number | null;
};

/** Keys of calls that may have to be given up. */
export const disputeKey = (cpo: number, number: number) => `dispute:${cpo}:${number}`;
export const resolveKey = (cpo: number, number: number) => `resolve:${cpo}:${number}`;
/** Begins the keys of what a driver takes out; the signature's beginning ends them, so that another wish is another call. */
export const payoutKeys = (owner: Hex) => `payout:${owner}:`;
export const batchKey = (cpo: number, seq: number) => `batch:${cpo}:${seq}`;
export const slotKey = (group: number, slot: number) => `slot:${group}:${slot}`;

/**
 * Under which number SlotLedger keeps the one run for all groups of a CPO. Groups are counted from 1 and never come so far;
 * AssetRegistry names the number's CPO, like any group's.
 */
export const tenantGroup = (cpo: number) => 2 ** 31 + cpo;

/**
 * What everybody may read of a run: its rows (limits, power, registers), cost and bound; or nothing but salted roots; or one
 * root over the runs of all groups of a CPO. Rows beside bills show which driver was at which charge point: both are never
 * public (contracts/README.md).
 */
export type Privacy = "rows" | "root" | "tenant-root";

/** Row of an asset in a run, 12 bytes on chain: limit in 10 W, power in 20 W steps, register in Wh. */
export type AssetRow = {
  readonly index: number;
  readonly limitW: number;
  readonly powerW: number;
  readonly status: number;
  readonly flags: number;
  readonly registerWh: number;
};

export type RunRecord = {
  readonly group: number;
  readonly slot: number;
  readonly algorithm: Hex;
  readonly problem: Hex;
  readonly plan: Hex;
  readonly value: Hex;
  readonly earlier: Hex;
  readonly root: Hex;
  readonly rows: Hex;
};

export type BillLine = {
  readonly number: number;
  readonly driver: Hex;
  readonly amount: bigint;
  readonly credit: bigint;
  readonly wh: number;
  readonly flex: number;
  readonly tariff: number;
  readonly detail: Hex;
};

export type AssetSpec = {
  readonly id: Hex;
  readonly group: number;
  readonly index: number;
  readonly kind: "charge-point" | "inverter" | "battery";
  readonly ratedW: number;
  readonly minW: number;
  readonly capacityWh: number;
  readonly phases: number;
  readonly connector: number;
  readonly metadata: Hex;
  readonly fromSlot: number;
};

/** What is left of a settlement's secrets when its driver was erased. */
export const ERASED = { receipt: "", salt: `0x${"00".repeat(32)}` } as const;

export type Ledger = {
  /** Versions (keccak256 of the registered specification) of the algorithms that plans may claim. */
  readonly versions: Readonly<Record<MethodName, Hex>>;
  /** Of this deployment. */
  readonly disputeTerms: DisputeTerms;
  /** Of the runs that are recorded from now on. */
  readonly privacy: Privacy;
  setGroup(g: { group: number; cpo: number; capacityW: number; parent: number; fromSlot: number }): ChainCall;
  registerAssets(list: readonly AssetSpec[]): ChainCall;
  assetId(cpo: number, salt: Hex, evseId: string): Hex;
  /** A CPO exists on chain once it has a payee. */
  setPayee(p: { cpo: number; payee: Hex }): ChainCall;
  /** Lets Settlement take the treasury's euros; once, before the first deposit. */
  approveDeposits(): ChainCall;
  registerDrivers(list: readonly { driver: Hex; consent: Hex }[]): ChainCall;
  mintTestEuro(to: Hex, amount: MicroEur, key: string): ChainCall;
  deposit(to: Hex, amount: MicroEur, key: string): ChainCall;
  setTariff(t: {
    tariff: number;
    cpo: number;
    maxPerKwh: MicroEurPerKwh;
    maxFixed: MicroEur;
    fromAt: EpochSecond;
  }): ChainCall;
  setOffer(o: { cpo: number; price: MicroEurPerKwh; key: string }): ChainCall;
  fundPot(p: { cpo: number; amount: MicroEur; key: string }): ChainCall;
  record(runs: readonly RunRecord[]): ChainCall;
  /** Hash over all fields of a run. */
  linkOf(run: RunRecord): Hex;
  post(batch: { cpo: number; seq: number; lines: readonly BillLine[] }): ChainCall;
  redeem(intents: readonly Signed<RedeemIntent>[], key: string): ChainCall;
  /** Announcing a withdrawal, withdrawing, or claiming FLEX as tokens. */
  payout(payout: Signed<Payout>): ChainCall;
  /** Seconds from announcing a withdrawal until it can be made. */
  readonly withdrawNoticeS: number;
  /** Whether a contract of this deployment lies there: whatever is sent to it is lost. */
  isContract(address: Hex): boolean;
  finalise(b: { cpo: number; seq: number }): ChainCall;
  /** `lines` are those of the whole batch, in the order in which they were posted: one of them is proven. */
  dispute(d: { seq: number; lines: readonly BillLine[]; intent: Signed<DisputeIntent> }): ChainCall;
  /** The arbiter's decision. */
  resolve(d: { cpo: number; number: number; refund: MicroEur; flexDeltaWh: number }): ChainCall;
  /** Ends a dispute that nobody decided in time. */
  expire(d: { cpo: number; number: number }): ChainCall;

  problemHash(p: Uint8Array): Hex;
  /** The salt is the first 32 bytes of the problem. */
  planHash(salt: Hex, x: Uint8Array, y: Uint8Array, w: Uint8Array): Hex;
  valueWord(v: { mode: Privacy; cost: bigint; bound: bigint | null; salt: Hex }): Hex;
  earlierLink(previous: Hex, plan: { at: EpochSecond; algorithm: Hex; problem: Hex; plan: Hex; value: Hex }): Hex;
  packRows(rows: readonly AssetRow[]): Hex;
  /** Hash of a salted leaf: OpenZeppelin's double hash over (salt, keccak256(text)). */
  leaf(salt: Hex, text: string): Hex;
  merkleRoot(leaves: readonly Hex[]): Hex;
  /** Siblings from the leaf upwards. Throws when there is no leaf of this index. */
  merkleProof(leaves: readonly Hex[], index: number): Hex[];
  /** Leaves of a batch in the order of its lines, as the contract hashes them. */
  batchLeaves(cpo: number, seq: number, lines: readonly BillLine[]): Hex[];
  /** keccak256 of UTF-8 text. */
  hashText(text: string): Hex;
};
