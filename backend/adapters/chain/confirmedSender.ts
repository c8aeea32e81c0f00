/** One transaction after the other, each mined before the next: for deployments. A service that must survive crashes has the writer. */
import { Transaction } from "ethers";
import { call, type Hex, type Rpc, request } from "./rpc.ts";
import type { Signer } from "./signer.ts";

export type Mined = { readonly nonce: number; readonly block: number; readonly tx: Hex };
/** EIP-7825: no transaction above this runs on any current network. */
const GAS_CAP = 16_777_216;
const POLL_MS = 500;
const PATIENCE_MS = 300_000;

/**
 * Signed bytes, kept before they are sent: who is killed on the way goes on with the same transactions, so that
 * contracts get the same addresses as without the interruption.
 */
export type SendingJournal = {
  /** What was kept by an earlier start, in order. */
  readonly kept: readonly Hex[];
  keep(raw: Hex): Promise<void>;
};

/** The function that it answers throws, naming `what`, when the transaction would fail, is refused, fails or is not mined. */
export async function createSender(
  rpc: Rpc,
  signer: Signer,
  journal: SendingJournal = { kept: [], keep: async () => {} },
): Promise<(what: string, to: Hex | null, data: Hex) => Promise<Mined>> {
  const begun = journal.kept.map((raw) => Transaction.from(raw));
  let nonce = begun[0]?.nonce ?? Number(await request<Hex>(rpc, "eth_getTransactionCount", signer.address, "latest"));
  let step = 0;
  return async (what, to, data) => {
    const earlier = begun[step];
    const raw = journal.kept[step++];
    if (!earlier || !raw) return sendNew(what, to, data);
    if (earlier.to?.toLowerCase() !== to?.toLowerCase() || earlier.data !== data)
      throw new Error(
        `${what} was begun with other code or another configuration. Start it anew on a fresh chain and a fresh database.`,
      );
    // It may be mined, on its way or lost; what the node says to the same bytes a second time does not matter.
    await rpc.ask([call("eth_sendRawTransaction", raw)]);
    return confirmed(what, earlier.hash as Hex);
  };

  async function sendNew(what: string, to: Hex | null, data: Hex): Promise<Mined> {
    const transaction = { from: signer.address, data, ...(to === null ? {} : { to }) };
    const [estimate] = await rpc.ask([call("eth_estimateGas", transaction)]);
    if (!estimate?.ok)
      throw new Error(`${what} would fail: ${estimate?.message} ${estimate?.revert ?? ""}. Check the configuration.`);
    const gasLimit = Math.min(GAS_CAP, Math.ceil(Number(estimate.result) * 1.2));
    const block = await request<{ baseFeePerGas: Hex }>(rpc, "eth_getBlockByNumber", "latest", false);
    const tip = BigInt(await request<Hex>(rpc, "eth_maxPriorityFeePerGas"));
    const maxFee = 2n * BigInt(block.baseFeePerGas) + tip;
    const { raw, hash } = await signer.sign({ chainId: rpc.chainId, nonce, to, data, gasLimit, maxFee, tip });
    await journal.keep(raw);
    const [sent] = await rpc.ask([call("eth_sendRawTransaction", raw)]);
    if (!sent?.ok)
      throw new Error(
        `${what} was refused by the node: ${sent?.message}. Give ${signer.address} enough to pay for gas.`,
      );
    return confirmed(what, hash);
  }

  async function confirmed(what: string, hash: Hex): Promise<Mined> {
    const receipt = await receiptOf(rpc, what, hash);
    if (BigInt(receipt.status) !== 1n)
      throw new Error(
        `${what} failed in transaction ${hash}. The deployment is incomplete: start again with a fresh key.`,
      );
    return { nonce: nonce++, block: Number(receipt.blockNumber), tx: hash };
  }
}

async function receiptOf(rpc: Rpc, what: string, hash: Hex): Promise<{ status: Hex; blockNumber: Hex }> {
  for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
    const receipt = await request<{ status: Hex; blockNumber: Hex } | null>(rpc, "eth_getTransactionReceipt", hash);
    if (receipt) return receipt;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(
    `${what} was sent as ${hash} and not mined within ${PATIENCE_MS / 1000} s. Wait for it, then start again with a fresh key.`,
  );
}
