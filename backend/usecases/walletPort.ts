/** Drivers' keys, and what is signed with them: intents (EIP-712) that anyone may send, so that drivers need no gas. */
import type { EpochSecond, MicroEur } from "../domain/units.ts";
import type { Hex } from "./ledgerPort.ts";

export type Signed<Intent> = Intent & { readonly signature: Hex };

/** Each nonce works once; the next one of a driver is `Settlement.accountOf(driver).nonce`. */
type Once = { readonly nonce: number; readonly deadline: EpochSecond };

export type RedeemIntent = Once & {
  readonly driver: Hex;
  readonly cpo: number;
  readonly wh: number;
  readonly minPayout: bigint;
};

export type DisputeIntent = Once & {
  readonly driver: Hex;
  readonly cpo: number;
  /** Of the session. */
  readonly number: number;
};

/** How money and FLEX leave the contract. `to` is an address of the driver's own. */
export type Payout =
  | (Once & { readonly kind: "announce"; readonly owner: Hex; readonly amount: MicroEur })
  | (Once & { readonly kind: "withdraw"; readonly owner: Hex; readonly to: Hex; readonly amount: MicroEur })
  /** All FLEX that is not claimed yet. */
  | (Once & { readonly kind: "claim"; readonly owner: Hex; readonly to: Hex });

/** What is stored of a wallet; no key material outside the seal. */
export type SealedWallet = {
  readonly walletId: string;
  readonly address: Hex;
  readonly kekVersion: number;
  /** Hex of iv, tag and ciphertext. */
  readonly sealedKey: Hex;
  readonly wrappedDek: Hex;
};

export type Wallets = {
  create(walletId: string): SealedWallet;
  signRedeem(wallet: SealedWallet, intent: RedeemIntent): Promise<Hex>;
  signDispute(wallet: SealedWallet, intent: DisputeIntent): Promise<Hex>;
  signPayout(wallet: SealedWallet, payout: Payout): Promise<Hex>;
  /** The key itself, 32 bytes of hex: for its driver and nobody else, never into a log. */
  exportKey(wallet: SealedWallet): Promise<Hex>;
};

export type WalletStore = {
  /** Notes that the driver takes the key out. Answers when that happened the last time before, or null. */
  noteExport(walletId: string, at: EpochSecond): Promise<EpochSecond | null>;
  /** How many wallets are wrapped under which version of the KEK; erased ones are under none. */
  kekVersions(): Promise<readonly { readonly version: number; readonly wallets: number }[]>;
  /** Wallets under other versions, by id, after the one that was given. */
  notUnder(version: number, after: string, limit: number): Promise<readonly SealedWallet[]>;
  /** Stores the new wrapping, unless the wallet was wrapped otherwise or erased since it was read: then false. */
  rewrap(read: SealedWallet, wrapped: SealedWallet): Promise<boolean>;
};

/** The key-encryption keys (KEKs) that wallets are wrapped under. */
export type SealKeeper = {
  /** Version that new wallets are wrapped under. */
  readonly newest: number;
  has(version: number): boolean;
  /** The same wallet under the newest KEK; only the wrapping changes. Repeatable, so a rotation can be resumed. */
  rewrap(wallet: SealedWallet): SealedWallet;
};
