/**
 * Drivers' wallets: one independent random key each, sealed (seals.ts). Keys leave this file neither in values nor in
 * messages, with the one exception that is called so: `exportKey`, for the driver alone.
 */
import { computeAddress, SigningKey, TypedDataEncoder, type TypedDataField } from "ethers";
import type { DisputeIntent, Payout, RedeemIntent, SealedWallet, Wallets } from "../../usecases/ports.ts";
import type { Hex } from "./rpc.ts";
import { createSeals, damaged, type SealConfig, type Seals } from "./seals.ts";

export type WalletConfig = SealConfig & {
  /** Whose signatures count: chain id and Settlement contract. */
  readonly domain: { readonly chainId: number; readonly settlement: Hex };
};

type Types = Record<string, TypedDataField[]>;
const field = (text: string): TypedDataField => {
  const [type, name] = text.split(" ") as [string, string];
  return { name, type };
};
/** "Name(type name,type name)", as the contract writes it. */
const typesOf = (text: string): Types => {
  const [name, fields] = text.slice(0, -1).split("(") as [string, string];
  return { [name]: fields.split(",").map(field) };
};

/** What a driver signs to turn FLEX into euros, in the contract's words; `Settlement.redeemBatch` checks it. */
export const REDEEM_TYPES = typesOf(
  "RedeemIntent(address driver,uint32 cpo,uint64 wh,uint64 minPayout,uint48 nonce,uint40 deadline)",
);
/** What a driver signs to dispute a bill; `Settlement.disputeBySig` checks it. */
export const DISPUTE_TYPES = typesOf(
  "DisputeIntent(address driver,uint32 cpo,uint32 number,uint48 nonce,uint40 deadline)",
);
/** What a driver signs to take money or FLEX out: `requestWithdrawBySig`, `withdrawBySig`, `claimFlexBySig`. */
export const PAYOUT_TYPES: Readonly<Record<Payout["kind"], Types>> = {
  announce: typesOf("RequestIntent(address owner,uint112 amount,uint48 nonce,uint40 deadline)"),
  withdraw: typesOf("WithdrawIntent(address owner,address to,uint112 amount,uint48 nonce,uint40 deadline)"),
  claim: typesOf("ClaimIntent(address owner,address to,uint48 nonce,uint40 deadline)"),
};

export const settlementDomain = (domain: WalletConfig["domain"]) => ({
  name: "Oli Move Settlement",
  version: "1",
  chainId: domain.chainId,
  verifyingContract: domain.settlement,
});

export type KeyRing = Wallets & Pick<Seals, "rewrap" | "newest" | "has">;

export function createWallets(config: WalletConfig): KeyRing {
  const seals = createSeals(config);
  const { newest, has, rewrap } = seals;

  /** Overwrites the key when the work is done. */
  function withKey<T>(wallet: SealedWallet, work: (key: Uint8Array, signer: SigningKey) => T): T {
    const key = seals.open(wallet);
    try {
      const signer = new SigningKey(key);
      if (computeAddress(signer) !== wallet.address) throw damaged(wallet.walletId);
      return work(key, signer);
    } finally {
      key.fill(0);
    }
  }

  function sign(wallet: SealedWallet, types: Types, signer: Hex, intent: object): Hex {
    if (signer !== wallet.address)
      throw new Error(`The intent names ${signer}, but wallet ${wallet.walletId} is ${wallet.address}.`);
    const digest = TypedDataEncoder.hash(settlementDomain(config.domain), types, intent);
    return withKey(wallet, (_, key) => key.sign(digest).serialized as Hex);
  }

  return {
    ...{ newest, has, rewrap },
    create(walletId) {
      const key = privateKey(config.random, walletId);
      const address = computeAddress(new SigningKey(key)) as Hex;
      const wallet = { walletId, address, ...seals.close(walletId, key) };
      key.fill(0);
      return wallet;
    },

    signRedeem: async (wallet: SealedWallet, intent: RedeemIntent) => sign(wallet, REDEEM_TYPES, intent.driver, intent),
    signDispute: async (wallet: SealedWallet, intent: DisputeIntent) =>
      sign(wallet, DISPUTE_TYPES, intent.driver, intent),
    signPayout: async (wallet: SealedWallet, { kind, ...intent }: Payout) =>
      sign(wallet, PAYOUT_TYPES[kind], intent.owner, intent),
    exportKey: async (wallet: SealedWallet) => withKey(wallet, (key): Hex => `0x${Buffer.from(key).toString("hex")}`),
  };
}

/** A uniformly random key; the one draw in 2^128 outside the curve's order is repeated. */
function privateKey(random: WalletConfig["random"], walletId: string): Uint8Array {
  for (let draw = 0; ; draw++) {
    const key = Uint8Array.from(random(32, `wallet:${walletId}:key:${draw}`));
    if (isPrivateKey(key)) return key;
  }
}

function isPrivateKey(key: Uint8Array): boolean {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const value = BigInt(`0x${Buffer.from(key).toString("hex")}`);
  return value > 0n && value < order;
}
