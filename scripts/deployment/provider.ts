/** What Hardhat Ignition talks to: our JSON-RPC client, with the deployer's key behind it. */
import type { EIP1193Provider } from "@nomicfoundation/ignition-core";
import type { SendingJournal } from "../../backend/adapters/chain/confirmedSender.ts";
import type { Hex, Rpc } from "../../backend/adapters/chain/rpc.ts";
import type { Signer } from "../../backend/adapters/chain/signer.ts";

type Transaction = { readonly nonce: Hex; readonly gas: Hex; readonly to?: Hex | null; readonly data: Hex } & {
  readonly [fee in "maxFeePerGas" | "maxPriorityFeePerGas" | "gasPrice"]?: Hex;
};

/**
 * Transactions are signed here and kept in the journal before they are sent. Ignition writes down that it is about to
 * send and afterwards what was sent: who is killed in between finds the transaction in this journal.
 */
export function signingProvider(rpc: Rpc, signer: Signer, journal: SendingJournal): EIP1193Provider {
  async function plainly(method: string, params: readonly unknown[]): Promise<unknown> {
    const [answer] = await rpc.ask([{ method, params }]);
    if (answer?.ok) return answer.result;
    // Ignition reads the reason of a revert from `data`, as providers give it.
    throw Object.assign(new Error(answer?.message ?? `${method} got no answer`), {
      code: answer?.code,
      data: answer?.revert ?? undefined,
    });
  }

  async function send(transaction: Transaction): Promise<unknown> {
    const price = transaction.maxFeePerGas ?? (transaction.gasPrice as Hex);
    const { raw } = await signer.sign({
      chainId: rpc.chainId,
      nonce: Number(transaction.nonce),
      to: transaction.to ?? null,
      data: transaction.data,
      gasLimit: Number(transaction.gas),
      maxFee: BigInt(price),
      tip: BigInt(transaction.maxPriorityFeePerGas ?? price),
    });
    await journal.keep(raw);
    return plainly("eth_sendRawTransaction", [raw]);
  }

  return {
    async request({ method, params }) {
      const list = (params ?? []) as readonly unknown[];
      if (method === "eth_accounts") return [signer.address];
      if (method === "eth_sendTransaction") return send(list[0] as Transaction);
      return plainly(method, list);
    },
  };
}
