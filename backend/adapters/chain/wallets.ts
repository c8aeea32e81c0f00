/**
 * Drivers' wallets: one independent random key each, sealed so that a database alone is worth nothing.
 *
 *   sealedKey  = AES-256-GCM(DEK, key, aad "key:<walletId>:v1")            hex of iv 12 | tag 16 | ciphertext 32
 *   wrappedDek = AES-256-GCM(KEK, DEK, aad "dek:<walletId>:v<kekVersion>")
 *
 * The data key (DEK) is the wallet's own, the key-encryption key (KEK) comes from the configuration. Deleting a wrapped
 * DEK is erasure: independent keys can be forgotten one by one, children of one seed cannot. A new KEK re-wraps DEKs
 * only. Keys leave this file neither in values nor in messages.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { computeAddress, SigningKey, TypedDataEncoder, type TypedDataField } from "ethers";
import type { DisputeIntent, RedeemIntent, SealedWallet, Wallets } from "../../usecases/ports.ts";
import type { Hex } from "./rpc.ts";

export type WalletConfig = {
  /** 32 bytes each, by version. Old versions stay until every wallet is re-wrapped. */
  readonly keks: Readonly<Record<number, Uint8Array>>;
  /** Version that new wallets are wrapped under. */
  readonly kekVersion: number;
  /** Cryptographic randomness; a replay derives it from its seed and the label. */
  readonly random: (bytes: number, label: string) => Uint8Array;
  /** Whose signatures count: chain id and Settlement contract. */
  readonly domain: { readonly chainId: number; readonly settlement: Hex };
};

/** What a driver signs to turn FLEX into euros, in the contract's words; `Settlement.redeemBatch` checks it. */
export const REDEEM_TYPES: Record<string, TypedDataField[]> = {
  RedeemIntent: [
    { name: "driver", type: "address" },
    { name: "cpo", type: "uint32" },
    { name: "wh", type: "uint64" },
    { name: "minPayout", type: "uint64" },
    { name: "nonce", type: "uint48" },
    { name: "deadline", type: "uint40" },
  ],
};

/** What a driver signs to dispute a bill; `Settlement.disputeBySig` checks it. */
export const DISPUTE_TYPES: Record<string, TypedDataField[]> = {
  DisputeIntent: [
    { name: "driver", type: "address" },
    { name: "cpo", type: "uint32" },
    { name: "number", type: "uint32" },
    { name: "nonce", type: "uint48" },
    { name: "deadline", type: "uint40" },
  ],
};

export const settlementDomain = (domain: WalletConfig["domain"]) => ({
  name: "Oli Move Settlement",
  version: "1",
  chainId: domain.chainId,
  verifyingContract: domain.settlement,
});

export type KeyRing = Wallets & {
  /** The same wallet under the newest KEK; only the wrapping changes. Repeatable, so a rotation can be resumed. */
  rewrap(wallet: SealedWallet): SealedWallet;
};

export function createWallets(config: WalletConfig): KeyRing {
  const { random } = config;
  const kek = (version: number) => {
    const found = config.keks[version];
    if (found === undefined || found.length !== 32)
      throw new Error(`Key-encryption key ${version} is missing or not 32 bytes long. Put it into the configuration.`);
    return found;
  };

  function open({ walletId, kekVersion, wrappedDek, sealedKey }: SealedWallet): Uint8Array {
    const dek = unseal(kek(kekVersion), wrappedDek, `dek:${walletId}:v${kekVersion}`, walletId);
    try {
      return unseal(dek, sealedKey, `key:${walletId}:v1`, walletId);
    } finally {
      dek.fill(0);
    }
  }

  function sign(wallet: SealedWallet, digest: string): Hex {
    const key = open(wallet);
    try {
      const signer = new SigningKey(key);
      if (computeAddress(signer) !== wallet.address) throw damaged(wallet.walletId);
      return signer.sign(digest).serialized as Hex;
    } finally {
      key.fill(0);
    }
  }

  function signIntent(wallet: SealedWallet, types: Record<string, TypedDataField[]>, intent: { readonly driver: Hex }) {
    if (intent.driver !== wallet.address)
      throw new Error(`The intent names ${intent.driver}, but wallet ${wallet.walletId} is ${wallet.address}.`);
    return sign(wallet, TypedDataEncoder.hash(settlementDomain(config.domain), types, { ...intent }));
  }

  return {
    create(walletId) {
      const key = privateKey(random, walletId);
      const dek = Uint8Array.from(random(32, `wallet:${walletId}:dek`));
      const kekVersion = config.kekVersion;
      const wallet = {
        walletId,
        address: computeAddress(new SigningKey(key)) as Hex,
        kekVersion,
        sealedKey: seal(dek, key, `key:${walletId}:v1`, random(12, `wallet:${walletId}:iv:key`)),
        wrappedDek: wrap(walletId, kekVersion, dek),
      };
      key.fill(0);
      dek.fill(0);
      return wallet;
    },

    signRedeem: async (wallet: SealedWallet, intent: RedeemIntent) => signIntent(wallet, REDEEM_TYPES, intent),
    signDispute: async (wallet: SealedWallet, intent: DisputeIntent) => signIntent(wallet, DISPUTE_TYPES, intent),

    rewrap(wallet) {
      if (wallet.kekVersion === config.kekVersion) return wallet;
      const aad = `dek:${wallet.walletId}:v${wallet.kekVersion}`;
      const dek = unseal(kek(wallet.kekVersion), wallet.wrappedDek, aad, wallet.walletId);
      const wrappedDek = wrap(wallet.walletId, config.kekVersion, dek);
      dek.fill(0);
      return { ...wallet, kekVersion: config.kekVersion, wrappedDek };
    },
  };

  function wrap(walletId: string, version: number, dek: Uint8Array): Hex {
    return seal(kek(version), dek, `dek:${walletId}:v${version}`, random(12, `wallet:${walletId}:iv:dek:${version}`));
  }
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

function seal(key: Uint8Array, plain: Uint8Array, aad: string, iv: Uint8Array): Hex {
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  cipher.setAAD(Buffer.from(aad));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return `0x${Buffer.concat([iv, cipher.getAuthTag(), body]).toString("hex")}`;
}

function unseal(key: Uint8Array, sealed: string, aad: string, walletId: string): Uint8Array {
  const bytes = Buffer.from(sealed.slice(2), "hex");
  if (bytes.length !== 60) throw damaged(walletId);
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from(aad));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]));
  } catch {
    throw damaged(walletId);
  }
}

const damaged = (walletId: string) =>
  new Error(
    `Wallet ${walletId} does not open: its row was changed, belongs to another wallet, or the key-encryption key is another one. Check the configured key, then restore the row.`,
  );
