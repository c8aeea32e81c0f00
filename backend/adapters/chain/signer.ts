/** Signs transactions of one lane. The key stays in here: it is in no message, no log and no other object. */
import { computeAddress, keccak256, SigningKey, Transaction } from "ethers";
import type { Hex } from "./rpc.ts";

export type UnsignedTransaction = {
  readonly chainId: number;
  readonly nonce: number;
  readonly to: Hex | null;
  readonly data: Hex;
  readonly gasLimit: number;
  readonly maxFee: bigint;
  readonly tip: bigint;
};

export type Signer = {
  readonly address: Hex;
  /** Deterministic (RFC 6979): the same transaction gives the same bytes, so its hash is known before it is sent. */
  sign(transaction: UnsignedTransaction): Promise<{ readonly raw: Hex; readonly hash: Hex }>;
};

export function localSigner(privateKey: Hex): Signer {
  const key = signingKey(privateKey);
  return {
    address: computeAddress(key) as Hex,
    async sign({ maxFee, tip, ...rest }) {
      const transaction = Transaction.from({ ...rest, type: 2, maxFeePerGas: maxFee, maxPriorityFeePerGas: tip });
      transaction.signature = key.sign(hashOf(transaction.unsignedSerialized));
      // Its own `hash` would serialise everything once more: half the time of a signature for a large record.
      const raw = transaction.serialized as Hex;
      return { raw, hash: hashOf(raw) };
    },
  };
}

const hashOf = (bytes: string) => keccak256(Buffer.from(bytes.slice(2), "hex")) as Hex;

/** The libraries would show parts of a bad key in their messages. */
function signingKey(privateKey: string): SigningKey {
  try {
    const key = new SigningKey(privateKey);
    computeAddress(key);
    return key;
  } catch {
    throw new Error(
      "A signing key is not 32 bytes of hex inside the order of secp256k1. Correct the key in the configuration.",
    );
  }
}
