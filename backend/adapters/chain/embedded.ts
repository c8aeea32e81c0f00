/**
 * The embedded chain: Hardhat's EVM (EDR) in process, one block per transaction, no unlocked account. Because every
 * transaction is signed outside and the blocks depend on nothing else, a chain can be saved as its genesis and its raw
 * transactions and rebuilt block by block to the same head hash (`exportChain`, `importChain`).
 */
import {
  ContractDecoder,
  EdrContext,
  L1_CHAIN_TYPE,
  l1GenesisState,
  l1HardforkFromString,
  l1ProviderFactory,
  MineOrdering,
  type Provider,
} from "@nomicfoundation/edr";
import { getBytes, Transaction } from "ethers";
import { call, failure, type Hex, quantity, type Rpc, type RpcAnswer, type RpcCall, request, resultOf } from "./rpc.ts";
import { serveRpc } from "./rpcServer.ts";

/** The same rules as hardhat.config.ts and `anvil --hardfork`: EIP-7825 caps a transaction at 16,777,216 gas. */
export const HARDFORK = "osaka";
export const LOCAL_CHAIN_ID = 31_337;
const BLOCK_GAS_LIMIT = 60_000_000n;
const BASE_FEE = 1_000_000_000n;
/** A million ether: local gas is free in effect. */
const FUNDS = 10n ** 24n;

export type Genesis = {
  readonly chainId: number;
  readonly hardfork: string;
  /** Time of block 0, epoch seconds. */
  readonly at: number;
  /** Addresses that own ether from the start. */
  readonly funded: readonly Hex[];
};

export type EmbeddedChain = {
  readonly genesis: Genesis;
  readonly rpc: Rpc;
  /** http://127.0.0.1:port, when a port was asked for. */
  readonly url: string | null;
  close(): Promise<void>;
};

export type EmbeddedConfig = {
  readonly funded: readonly Hex[];
  readonly chainId?: number;
  /** Time of block 0, epoch seconds; now when absent. Later blocks carry the time that has passed since. */
  readonly genesisAt?: number;
  /** Answer JSON-RPC on 127.0.0.1 at this port (0 = any free one). */
  readonly port?: number;
};

export async function startEmbeddedChain(config: EmbeddedConfig): Promise<EmbeddedChain> {
  const at = config.genesisAt ?? Math.floor(Date.now() / 1000);
  const genesis = { chainId: config.chainId ?? LOCAL_CHAIN_ID, hardfork: HARDFORK, at, funded: [...config.funded] };
  return open(genesis, config.port);
}

async function open(genesis: Genesis, port?: number): Promise<EmbeddedChain> {
  const rpc = inProcess(genesis.chainId, await createProvider(genesis));
  const server = port === undefined ? null : await serveRpc(rpc, port);
  const close = async () => {
    await server?.close();
    await rpc.close();
  };
  return { genesis, rpc, url: server?.url ?? null, close };
}

let context: Promise<EdrContext> | undefined;

async function createProvider(genesis: Genesis): Promise<Provider> {
  context ??= (async () => {
    const created = new EdrContext();
    await created.registerProviderFactory(L1_CHAIN_TYPE, l1ProviderFactory());
    return created;
  })();
  const funded = genesis.funded.map((address) => ({ address: getBytes(address), balance: FUNDS }));
  return (await context).createProvider(
    L1_CHAIN_TYPE,
    {
      // Thousands of blocks within one second keep that second: time is never moved for data.
      allowBlocksWithSameTimestamp: true,
      allowUnlimitedContractSize: false,
      bailOnCallFailure: true,
      bailOnTransactionFailure: false,
      chainId: BigInt(genesis.chainId),
      coinbase: new Uint8Array(20),
      defaultTransactionGasLimit: 16_777_216n,
      genesisState: [...l1GenesisState(l1HardforkFromString(genesis.hardfork)), ...funded],
      hardfork: genesis.hardfork,
      initialBaseFeePerGas: BASE_FEE,
      minGasPrice: 0n,
      mining: { autoMine: true, blockGasLimit: BLOCK_GAS_LIMIT, memPool: { order: MineOrdering.Fifo } },
      network: { genesisBlockGasLimit: BLOCK_GAS_LIMIT, genesisBlockTime: BigInt(genesis.at) },
      networkId: BigInt(genesis.chainId),
      observability: {},
      ownedAccounts: [],
      precompileOverrides: [],
    },
    { enable: false, decodeConsoleLogInputsCallback: () => [], printLineCallback: () => {} },
    { subscriptionCallback: () => {} },
    new ContractDecoder(),
  );
}

function inProcess(chainId: number, created: Provider): Rpc {
  let provider: Provider | undefined = created;
  let id = 0;
  async function one(method: string, params: readonly unknown[]): Promise<RpcAnswer> {
    if (provider === undefined) throw new Error("The embedded chain is closed. Start a new one.");
    const { data } = await provider.handleRequest(JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params }));
    const reply = typeof data === "string" ? JSON.parse(data) : data;
    return "error" in reply ? failure(reply.error) : { ok: true, result: reply.result };
  }
  async function ask(calls: readonly RpcCall[]): Promise<RpcAnswer[]> {
    const answers: RpcAnswer[] = [];
    for (const { method, params } of calls) answers.push(await one(method, params));
    return answers;
  }
  return {
    chainId,
    ask,
    askEverywhere: async (calls) => [await ask(calls)],
    async close() {
      provider = undefined;
    },
  };
}

/** A whole embedded chain as plain JSON. */
export type ChainDump = {
  readonly format: "oli-move-chain/1";
  readonly chainId: number;
  readonly genesis: Genesis;
  readonly blocks: readonly { readonly at: number; readonly raw: readonly Hex[] }[];
  /** Hash of the last block; a rebuilt chain must end in it. */
  readonly head: Hex;
};

type RpcBlock = { hash: Hex; number: Hex; timestamp: Hex; transactions: readonly Record<string, unknown>[] };

/** Reads every block back from the chain itself, so that the dump holds exactly what was executed. */
export async function exportChain(chain: EmbeddedChain): Promise<ChainDump> {
  const { rpc, genesis } = chain;
  const height = Number(await request<Hex>(rpc, "eth_blockNumber"));
  const calls = Array.from({ length: height + 1 }, (_, n) => call("eth_getBlockByNumber", quantity(n), true));
  const blocks = (await rpc.ask(calls)).map((answer) => resultOf<RpcBlock>("eth_getBlockByNumber", answer));
  return {
    format: "oli-move-chain/1",
    chainId: genesis.chainId,
    genesis,
    blocks: blocks
      .slice(1)
      .map((block) => ({ at: Number(block.timestamp), raw: block.transactions.map(rawTransaction) })),
    head: (blocks.at(-1) as RpcBlock).hash,
  };
}

/**
 * Executes a dump again in a fresh chain, which then goes on with the time of day. Throws when the result is not the
 * chain that was saved.
 */
export async function importChain(dump: ChainDump, options: { readonly port?: number } = {}): Promise<EmbeddedChain> {
  if (dump.format !== "oli-move-chain/1")
    throw new Error(`"${String(dump.format)}" is no chain dump. Save the chain again.`);
  const chain = await open(dump.genesis, options.port);
  const { rpc } = chain;
  try {
    await request(rpc, "evm_setAutomine", false);
    for (const { at, raw } of dump.blocks) {
      for (const bytes of raw) await request(rpc, "eth_sendRawTransaction", bytes);
      await request(rpc, "evm_setNextBlockTimestamp", quantity(at));
      await request(rpc, "evm_mine");
    }
    await request(rpc, "evm_setAutomine", true);
    const head = await request<RpcBlock>(rpc, "eth_getBlockByNumber", "latest", false);
    if (head.hash !== dump.head)
      throw new Error(
        `The rebuilt chain ends in ${head.hash}, the saved one in ${dump.head}: the file was changed or the chain's rules were.`,
      );
    // Saved yesterday, the chain's clock would stay a day behind: what is recorded now would lie in its future.
    const behindS = Math.floor(Date.now() / 1000) - Number(head.timestamp);
    if (behindS > 0) await request(rpc, "evm_increaseTime", quantity(behindS));
    return chain;
  } catch (error) {
    await chain.close();
    throw error;
  }
}

/** The signed bytes of a transaction as a block shows it. */
function rawTransaction(tx: Record<string, unknown>): Hex {
  const typed = Number(tx.type) === 2;
  const fees = typed
    ? {
        maxFeePerGas: tx.maxFeePerGas as Hex,
        maxPriorityFeePerGas: tx.maxPriorityFeePerGas as Hex,
        accessList: (tx.accessList ?? []) as [],
      }
    : { gasPrice: tx.gasPrice as Hex };
  const signed = Transaction.from({
    type: Number(tx.type),
    chainId: BigInt(tx.chainId as Hex),
    nonce: Number(tx.nonce),
    to: tx.to as Hex | null,
    value: BigInt(tx.value as Hex),
    gasLimit: BigInt(tx.gas as Hex),
    data: tx.input as Hex,
    ...fees,
    signature: { r: tx.r as Hex, s: tx.s as Hex, v: BigInt((tx.yParity ?? tx.v) as Hex) },
  });
  if (signed.hash !== tx.hash) throw new Error(`Transaction ${String(tx.hash)} could not be read back byte for byte.`);
  return signed.serialized as Hex;
}
