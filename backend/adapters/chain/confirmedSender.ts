/** One transaction after the other, each mined before the next: for deployments. A service that must survive crashes has the writer. */
import { call, type Hex, type Rpc, request } from "./rpc.ts";
import type { Signer } from "./signer.ts";

export type Mined = { readonly nonce: number; readonly block: number; readonly tx: Hex };
/** EIP-7825: no transaction above this runs on any current network. */
const GAS_CAP = 16_777_216;
const POLL_MS = 500;
const PATIENCE_MS = 300_000;

/** The function that it answers throws, naming `what`, when the transaction would fail, is refused, fails or is not mined. */
export async function createSender(
  rpc: Rpc,
  signer: Signer,
): Promise<(what: string, to: Hex | null, data: Hex) => Promise<Mined>> {
  let nonce = Number(await request<Hex>(rpc, "eth_getTransactionCount", signer.address, "latest"));
  return async (what, to, data) => {
    const transaction = { from: signer.address, data, ...(to === null ? {} : { to }) };
    const [estimate] = await rpc.ask([call("eth_estimateGas", transaction)]);
    if (!estimate?.ok)
      throw new Error(`${what} would fail: ${estimate?.message} ${estimate?.revert ?? ""}. Check the configuration.`);
    const gasLimit = Math.min(GAS_CAP, Math.ceil(Number(estimate.result) * 1.2));
    const block = await request<{ baseFeePerGas: Hex }>(rpc, "eth_getBlockByNumber", "latest", false);
    const tip = BigInt(await request<Hex>(rpc, "eth_maxPriorityFeePerGas"));
    const maxFee = 2n * BigInt(block.baseFeePerGas) + tip;
    const { raw, hash } = await signer.sign({ chainId: rpc.chainId, nonce, to, data, gasLimit, maxFee, tip });
    const [sent] = await rpc.ask([call("eth_sendRawTransaction", raw)]);
    if (!sent?.ok)
      throw new Error(
        `${what} was refused by the node: ${sent?.message}. Give ${signer.address} enough to pay for gas.`,
      );
    const receipt = await receiptOf(rpc, what, hash);
    if (BigInt(receipt.status) !== 1n)
      throw new Error(
        `${what} failed in transaction ${hash}. The deployment is incomplete: start again with a fresh key.`,
      );
    return { nonce: nonce++, block: Number(receipt.blockNumber), tx: hash };
  };
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
