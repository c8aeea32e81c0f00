/** EDR and anvil as EVMs: nodes that are asked over JSON-RPC and told the header of each block. */
import { gunzipSync } from "node:zlib";
import { network } from "hardhat";
import { type Hex, quantity, type Rpc, request } from "../../../backend/adapters/chain/rpc.ts";
import { startAnvil } from "../anvil.ts";
import { rpcOver } from "../chain.ts";
import { storageRootOf } from "./ethereumjs.ts";
import { BLOCK_GAS, COINBASE, type Evm, type Fork, GENESIS_AT, type Log, type Outcome } from "./trace.ts";

const FUNDS = quantity(10n ** 24n);

/** A call within a transaction, as `callTracer` shows it. */
export type Call = {
  readonly type: string;
  readonly to?: Hex;
  readonly input: Hex;
  readonly output?: Hex;
  readonly error?: string;
  readonly calls?: readonly Call[];
};

export type Node = Evm & {
  readonly rpc: Rpc;
  /** The tree of calls of the transaction that ran last. */
  lastCall(): Call;
};

type Receipt = { status: Hex; gasUsed: Hex; logs: Log[] };
type Header = Readonly<Record<"number" | "timestamp" | "baseFeePerGas" | "miner" | "gasLimit" | "mixHash", Hex>>;

/** Hardhat's chain, which is the embedded chain's EVM, under any fork. */
export async function edr(fork: Fork, funded: readonly Hex[]): Promise<Node> {
  const chain = await network.create({
    network: "default",
    override: {
      hardfork: fork,
      initialDate: new Date(GENESIS_AT * 1000).toISOString(),
      coinbase: COINBASE,
      blockGasLimit: BLOCK_GAS,
      throwOnTransactionFailures: false,
    },
  });
  const node = nodeOver("EDR", fork, rpcOver(chain.provider), "hardhat", () => chain.close());
  for (const address of funded) await request(node.rpc, "hardhat_setBalance", address, FUNDS);
  return node;
}

/** anvil as a process; null where the platform has none. */
export async function anvil(fork: Fork, funded: readonly Hex[]): Promise<Node | null> {
  const process = await startAnvil({
    mines: true,
    funded,
    hardfork: fork,
    flags: ["--timestamp", String(GENESIS_AT), "--gas-limit", String(BLOCK_GAS)],
  });
  if (process === null) return null;
  await request(process.rpc, "anvil_setCoinbase", COINBASE);
  const node = nodeOver("anvil", fork, process.rpc, "anvil", () => process.stop());
  type Dump = { readonly accounts: Readonly<Record<Hex, { readonly storage: Readonly<Record<Hex, Hex>> }>> };
  let dump: Dump | undefined;
  /** Its own root counts words that were set to 0 again: here it is computed from all words that it holds. */
  async function account(address: Hex) {
    dump ??= JSON.parse(gunzipSync(bytesOf(await request(node.rpc, "anvil_dumpState"))).toString("utf8")) as Dump;
    const storageRoot = await storageRootOf(dump.accounts[address]?.storage ?? {});
    return { ...(await node.account(address)), storageRoot };
  }
  const run: Evm["run"] = (step) => {
    dump = undefined;
    return node.run(step);
  };
  return { ...node, run, account };
}

function nodeOver(
  name: string,
  fork: Fork,
  rpc: Rpc,
  prefix: "hardhat" | "anvil",
  close: () => Promise<unknown>,
): Node {
  const ask = <T>(method: string, ...params: readonly unknown[]) => request<T>(rpc, method, ...params);
  let last: Call | undefined;

  async function run({ what, raw, block }: Parameters<Evm["run"]>[0]): Promise<Outcome> {
    await ask("evm_setNextBlockTimestamp", quantity(block.at));
    await ask(`${prefix}_setNextBlockBaseFeePerGas`, quantity(block.baseFee));
    // anvil chooses one itself.
    if (prefix === "hardhat") await ask("hardhat_setPrevRandao", block.prevRandao);
    const hash = await ask<Hex>("eth_sendRawTransaction", raw);
    const receipt = await mined(hash);
    const header = await ask<Header>("eth_getBlockByNumber", "latest", false);
    const [got, wanted] = [
      [header.number, header.timestamp, header.baseFeePerGas, header.gasLimit].map(BigInt),
      [BigInt(block.number), BigInt(block.at), block.baseFee, BLOCK_GAS],
    ];
    const randao = prefix === "hardhat" ? header.mixHash : block.prevRandao;
    if (`${got}` !== `${wanted}` || randao !== block.prevRandao || header.miner !== COINBASE)
      throw new Error(`${name} ran "${what}" in the block ${JSON.stringify(header)} instead of ${wanted}.`);
    last = await ask<Call>("debug_traceTransaction", hash, { tracer: "callTracer" });
    return {
      ok: BigInt(receipt.status) === 1n,
      gas: BigInt(receipt.gasUsed),
      output: last.output ?? "0x",
      logs: receipt.logs.map(({ address, topics, data }) => ({ address: lower(address), topics, data })),
    };
  }

  /** anvil answers before its block is made. */
  async function mined(hash: Hex): Promise<Receipt> {
    for (;;) {
      const receipt = await ask<Receipt | null>("eth_getTransactionReceipt", hash);
      if (receipt !== null) return receipt;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  return {
    name,
    fork,
    rpc,
    run,
    lastCall() {
      if (last === undefined) throw new Error("Nothing ran yet.");
      return last;
    },
    async account(address) {
      const proof = await ask<{ nonce: Hex; balance: Hex; storageHash: Hex }>("eth_getProof", address, [], "latest");
      const code = await ask<Hex>("eth_getCode", address, "latest");
      return { nonce: BigInt(proof.nonce), balance: BigInt(proof.balance), code, storageRoot: proof.storageHash };
    },
    word: (address, slot) => ask<Hex>("eth_getStorageAt", address, slot, "latest"),
    setCode: async (address, code) => void (await ask(`${prefix}_setCode`, address, code)),
    setWord: async (address, slot, word) => void (await ask(`${prefix}_setStorageAt`, address, slot, word)),
    close: async () => void (await close()),
  };
}

const bytesOf = (hex: Hex) => Buffer.from(hex.slice(2), "hex");
const lower = (hex: Hex) => hex.toLowerCase() as Hex;
