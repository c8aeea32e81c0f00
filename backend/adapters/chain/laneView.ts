/** What the writer asks the chain for on behalf of one lane. Reading only, apart from `broadcast`. */

import type { OutboxEntry } from "./outbox.ts";
import type { Inclusion, Receipt, Simulation } from "./outboxRow.ts";
import {
  call,
  type Hex,
  quantity,
  type Rpc,
  type RpcAnswer,
  RpcUnavailable,
  readHash,
  readQuantity,
  resultOf,
} from "./rpc.ts";

export type ChainView = {
  readonly head: number;
  readonly baseFee: bigint;
  readonly chainNonce: number;
  readonly balance: bigint;
  /** By transaction hash. */
  readonly receipts: ReadonlyMap<Hex, Receipt>;
  /** An endpoint was asked whether the receipts' blocks stand, and did not answer. */
  readonly silent: boolean;
};

/** One look: head, fees, the address, and the receipt of every attempt that may have been mined. */
export async function look(rpc: Rpc, address: Hex, entries: readonly OutboxEntry[]): Promise<ChainView> {
  const hashes = entries.flatMap((entry) => entry.attempts.map((attempt) => attempt.hash));
  const [block, count, balance, ...receipts] = await rpc.ask([
    call("eth_getBlockByNumber", "latest", false),
    call("eth_getTransactionCount", address, "latest"),
    call("eth_getBalance", address, "latest"),
    ...hashes.map((hash) => call("eth_getTransactionReceipt", hash)),
  ]);
  const head = objectOf("eth_getBlockByNumber", block);
  if (head === null) throw new RpcUnavailable("The node has no latest block.");
  const found = receipts
    .map((answer, i) => inclusionOf(hashes[i] as Hex, objectOf("eth_getTransactionReceipt", answer)))
    .filter((inclusion) => inclusion !== null);
  const { standing, silent } = await standingBlocks(rpc, [...new Set(found.map((receipt) => receipt.blockNumber))]);
  return {
    head: Number(readQuantity("a block's number", head.number)),
    baseFee: head.baseFeePerGas === undefined ? 0n : readQuantity("a base fee", head.baseFeePerGas),
    chainNonce: Number(readQuantity("a nonce", resultOf("eth_getTransactionCount", count))),
    balance: readQuantity("a balance", resultOf("eth_getBalance", balance)),
    receipts: new Map(
      found.map((one) => [one.hash, { ...one, canonical: stands(one, standing.get(one.blockNumber)) }]),
    ),
    silent,
  };
}

/** An object or null, whatever it has in it. */
function objectOf(method: string, answer: RpcAnswer | undefined): Readonly<Record<string, unknown>> | null {
  const result = resultOf<unknown>(method, answer);
  if (typeof result !== "object")
    throw new RpcUnavailable(`${method} was answered with nonsense: ${String(result).slice(0, 100)}`);
  return result as Readonly<Record<string, unknown>> | null;
}

/** Null for a transaction that no block holds. */
function inclusionOf(hash: Hex, receipt: Readonly<Record<string, unknown>> | null): Inclusion | null {
  if (receipt === null || receipt.blockHash === null) return null;
  return {
    hash,
    blockNumber: Number(readQuantity("a receipt's block", receipt.blockNumber)),
    blockHash: readHash("a receipt's block", receipt.blockHash),
    succeeded: readQuantity("a receipt's status", receipt.status) === 1n,
  };
}

/**
 * Hash of each block as every endpoint sees it. Nodes have given receipts of a dead branch (go-ethereum #28885), so a
 * receipt counts only while its block is the one at that height, on all endpoints.
 */
async function standingBlocks(
  rpc: Rpc,
  numbers: readonly number[],
): Promise<{ readonly standing: ReadonlyMap<number, readonly (Hex | null)[]>; readonly silent: boolean }> {
  if (numbers.length === 0) return { standing: new Map(), silent: false };
  const everywhere = await rpc.askEverywhere(
    numbers.map((number) => call("eth_getBlockByNumber", quantity(number), false)),
  );
  const hashOf = (answer: RpcAnswer | undefined): Hex | null => {
    const hash = answer?.ok ? (answer.result as { hash?: unknown } | null)?.hash : null;
    return typeof hash === "string" ? (hash as Hex) : null;
  };
  const hashes = numbers.map((_, i) => everywhere.map((answers) => hashOf(answers?.[i])));
  return {
    standing: new Map(numbers.map((number, i) => [number, hashes[i] ?? []])),
    silent: everywhere.includes(null),
  };
}

/** false as soon as one endpoint has another block there, null while one does not say. */
function stands(receipt: Inclusion, hashes: readonly (Hex | null)[] | undefined): boolean | null {
  if (hashes === undefined || hashes.length === 0) return null;
  if (hashes.some((hash) => hash !== null && hash !== receipt.blockHash)) return false;
  return hashes.includes(null) ? null : true;
}

export type Simulator = {
  readonly addressOf: (contract: string) => Hex;
  /** Name and arguments of a custom error. */
  readonly decodeRevert: (data: Hex) => string;
  readonly gasCap: number;
  /** Estimate whether or not the call names a gas limit. */
  readonly estimate: boolean;
};

/**
 * Runs the call on the state after the block `head`, the one that was looked at: a node that lags does not know it and says
 * nothing of an older one. With an estimate where no gas limit is given.
 */
export async function simulate(
  rpc: Rpc,
  from: Hex,
  entry: OutboxEntry,
  head: number,
  how: Simulator,
): Promise<Simulation> {
  const transaction = { from, to: how.addressOf(entry.contract), data: entry.data };
  const given = how.estimate ? null : entry.gasLimit;
  const one =
    given === null
      ? call("eth_estimateGas", transaction, quantity(head))
      : call("eth_call", { ...transaction, gas: quantity(Math.min(given, how.gasCap)) }, quantity(head));
  const [answer] = await rpc.ask([one]);
  if (answer?.ok) return { reverts: false, gas: given === null ? Number(readQuantity("gas", answer.result)) : null };
  const proven = answer?.revert != null;
  return { reverts: true, proven, error: proven ? how.decodeRevert(answer.revert) : (answer?.message ?? "no answer") };
}

/**
 * Hands signed bytes to every endpoint. Whatever a node says is ignored on purpose: "already known" is worded differently
 * everywhere, a lost answer looks like a lost request, and only a receipt tells the truth. Throws RpcUnavailable when no
 * endpoint answered.
 */
export async function broadcast(rpc: Rpc, raws: readonly Hex[]): Promise<void> {
  if (raws.length === 0) return;
  const answers = await rpc.askEverywhere(raws.map((raw) => call("eth_sendRawTransaction", raw)));
  if (answers.every((answer) => answer === null))
    throw new RpcUnavailable("No endpoint answered to signed transactions; they are sent again.");
}
