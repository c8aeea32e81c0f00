/**
 * A contract that makes lost, repeated and reordered calls visible: it takes the numbers 1, 2, 3, ... in this order,
 * logs each, and reverts `OutOfOrder(expected)` for any other. Assembled by hand; calldata is the number as a word.
 */
import { AbiCoder, id, toBeHex, zeroPadValue } from "ethers";
import { call, type Hex, type Rpc, request, resultOf } from "../../../backend/adapters/chain/rpc.ts";
import type { Signer } from "../../../backend/adapters/chain/signer.ts";
import type { ChainCall, Lane } from "../../../backend/usecases/ports.ts";

const OUT_OF_ORDER = id("OutOfOrder(uint256)").slice(2, 10);

const CODE = [
  "600035", //            number = calldata[0]
  "600054600101", //      expected = storage[0] + 1
  "81811460 22 57", //    number == expected: go on at 0x22
  `63${OUT_OF_ORDER}60e01b600052`, // revert OutOfOrder(expected)
  "60045260246000fd",
  "5b50", //              0x22
  "80600055", //          storage[0] = number
  "60006000a100", //      log with the number as its topic
]
  .join("")
  .replaceAll(" ", "");

/** Copies the code behind it into memory and returns it. */
const INIT = `0x602e600c600039602e6000f3${CODE}` as Hex;

export const wordOf = (n: number) => zeroPadValue(toBeHex(n), 32) as Hex;

/** Deploys with the signer's next nonce and answers the address. */
export async function deploySequence(rpc: Rpc, signer: Signer): Promise<Hex> {
  const nonce = Number(await request<Hex>(rpc, "eth_getTransactionCount", signer.address, "latest"));
  const fees = { maxFee: 100_000_000_000n, tip: 1n };
  const { raw, hash } = await signer.sign({
    chainId: rpc.chainId,
    nonce,
    to: null,
    data: INIT,
    gasLimit: 200_000,
    ...fees,
  });
  await request(rpc, "eth_sendRawTransaction", raw);
  for (let look = 0; look < 200; look++) {
    const receipt = await request<{ contractAddress: Hex } | null>(rpc, "eth_getTransactionReceipt", hash);
    if (receipt !== null) return receipt.contractAddress;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("The sequence contract was not mined.");
}

export function sequenceCall(lane: Lane, n: number, over: Partial<ChainCall> = {}): ChainCall {
  const base = { lane, key: `${lane}:${n}`, stream: lane, contract: "Sequence", call: "take", args: { n } };
  return { ...base, data: wordOf(n), gasLimit: 120_000, ...over };
}

/** The numbers that the chain has taken, in the order of the log. */
export async function numbersTaken(rpc: Rpc, address: Hex): Promise<number[]> {
  const [answer] = await rpc.ask([call("eth_getLogs", { address, fromBlock: "0x0", toBlock: "latest" })]);
  return resultOf<{ topics: Hex[] }[]>("eth_getLogs", answer).map((log) => Number(log.topics[0]));
}

export function decodeOutOfOrder(data: Hex): string {
  if (!data.startsWith(`0x${OUT_OF_ORDER}`)) return data;
  return `OutOfOrder(${AbiCoder.defaultAbiCoder().decode(["uint256"], `0x${data.slice(10)}`)[0]})`;
}
