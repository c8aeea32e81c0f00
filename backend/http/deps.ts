/** What the routes work with; main.ts gives the real ones, tests give theirs. */
import type { EpochSecond } from "../domain/units.ts";
import type { Store } from "../usecases/ports.ts";
import type { Accounts } from "./accountsPort.ts";
import type { Updates } from "./events.ts";
import type { UseCases } from "./useCases.ts";

export type Deps = {
  readonly usecases: UseCases;
  readonly accounts: Accounts;
  /** Read only here: whatever changes something is a use case. */
  readonly store: Store;
  readonly chain: ChainView;
  readonly updates: Updates;
  /** A fresh id that nobody can guess. */
  readonly newId: () => string;
  /** Groups whose live state everybody may see: the demo site's. */
  readonly publicGroups: readonly string[];
  /** When the demo site's cars were recorded; absent: they are made up. */
  readonly recorded?: Recorded;
  readonly publicUrl: string;
  readonly audit: AuditSource;
};

export type Recorded = { readonly from: EpochSecond; readonly until: EpochSecond };

/** What `npm run verify -- --service` needs. */
export type AuditSource = {
  /** Where the records lie on chain; public. */
  readonly manifest: { readonly manifest: unknown; readonly market: string; readonly rpcUrl: string | null };
  /** Source texts that the chain commits to, by keccak256 of their UTF-8. */
  readonly texts?: ReadonlyMap<string, string>;
  /** The whole database as bytes; null where it is not in this process (PostgreSQL). */
  readonly dump: (() => Promise<Uint8Array>) | null;
};

/** What the API reads from the chain. Each rejects while the chain is away. */
export type ChainView = {
  /** `Settlement.accountOf`. */
  account(address: string): Promise<ChainAccount>;
  /** `Settlement.withdrawalOf`: what is announced, and from when it can be withdrawn. */
  withdrawal(address: string): Promise<{ readonly amountMicroEur: bigint; readonly readyAt: number }>;
  /** What a driver still owes of bills that the balance did not cover, micro-euro. */
  owed(address: string): Promise<bigint>;
  /** `Settlement.offerOf`: what a CPO pays for FLEX, and what is left in its pot. */
  offer(cpoNumber: number): Promise<{ readonly pricePerKwh: bigint; readonly potMicroEur: bigint }>;
  /** Latest calls that the chain took, newest first. */
  latest(limit: number): Promise<readonly ChainRecord[]>;
};

export type ChainAccount = {
  readonly availableMicroEur: bigint;
  readonly flexWh: bigint | number;
  readonly nonce: number;
};

export type ChainRecord = {
  /** "slot:7:1963008", "batch:3:118". */
  readonly key: string;
  readonly contract: string;
  readonly call: string;
  readonly block: number | null;
  readonly txHash: string | null;
};
