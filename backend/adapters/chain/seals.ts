/**
 * How keys are sealed, so that a database alone is worth nothing:
 *
 *   sealedKey  = AES-256-GCM(DEK, key, aad "key:<walletId>:v1")            hex of iv 12 | tag 16 | ciphertext 32
 *   wrappedDek = AES-256-GCM(KEK, DEK, aad "dek:<walletId>:v<kekVersion>")
 *
 * The data key (DEK) is the wallet's own, the key-encryption key (KEK) comes from the configuration. Deleting a wrapped
 * DEK is erasure: independent keys can be forgotten one by one, children of one seed cannot. A new KEK re-wraps DEKs only.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { SealedWallet, SealKeeper } from "../../usecases/ports.ts";
import type { Hex } from "./rpc.ts";

export type SealConfig = {
  /** 32 bytes each, by version. Old versions stay until every wallet is re-wrapped. */
  readonly keks: Readonly<Record<number, Uint8Array>>;
  /** Version that new wallets are wrapped under. */
  readonly kekVersion: number;
  /** Cryptographic randomness; a replay derives it from its seed and the label. */
  readonly random: (bytes: number, label: string) => Uint8Array;
};

export type Seals = SealKeeper & {
  /** Seals a key under a new DEK. */
  close(walletId: string, key: Uint8Array): Pick<SealedWallet, "kekVersion" | "sealedKey" | "wrappedDek">;
  /** The key itself: whoever asks for it overwrites it after use. */
  open(wallet: SealedWallet): Uint8Array;
};

export function createSeals({ keks, kekVersion, random }: SealConfig): Seals {
  const kek = (version: number) => {
    const found = keks[version];
    if (found === undefined || found.length !== 32)
      throw new Error(`Key-encryption key ${version} is missing or not 32 bytes long. Put it into the configuration.`);
    return found;
  };

  function dekOf({ walletId, kekVersion: version, wrappedDek }: SealedWallet): Uint8Array {
    return unseal(kek(version), wrappedDek, `dek:${walletId}:v${version}`, walletId);
  }

  function wrap(walletId: string, dek: Uint8Array): Hex {
    const iv = random(12, `wallet:${walletId}:iv:dek:${kekVersion}`);
    return seal(kek(kekVersion), dek, `dek:${walletId}:v${kekVersion}`, iv);
  }

  return {
    newest: kekVersion,
    has: (version) => keks[version]?.length === 32,

    close(walletId, key) {
      const dek = Uint8Array.from(random(32, `wallet:${walletId}:dek`));
      const sealedKey = seal(dek, key, `key:${walletId}:v1`, random(12, `wallet:${walletId}:iv:key`));
      const wrappedDek = wrap(walletId, dek);
      dek.fill(0);
      return { kekVersion, sealedKey, wrappedDek };
    },

    open(wallet) {
      const dek = dekOf(wallet);
      try {
        return unseal(dek, wallet.sealedKey, `key:${wallet.walletId}:v1`, wallet.walletId);
      } finally {
        dek.fill(0);
      }
    },

    rewrap(wallet) {
      if (wallet.kekVersion === kekVersion) return wallet;
      const dek = dekOf(wallet);
      const wrappedDek = wrap(wallet.walletId, dek);
      dek.fill(0);
      return { ...wallet, kekVersion, wrappedDek };
    },
  };
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

export const damaged = (walletId: string) =>
  new Error(
    `Wallet ${walletId} does not open: its row was changed, belongs to another wallet, or the key-encryption key is another one. Check the configured key, then restore the row.`,
  );
