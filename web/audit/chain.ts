/** A deployment on a chain as the explorer reads it: through whatever node its reader names, and nothing else. */
import { createChainEye } from "../../backend/adapters/chain/chainEye.ts";
import { chainOf, createChainReader, type RecordedRun } from "../../backend/adapters/chain/chainReader.ts";
import { unpackRows } from "../../backend/adapters/chain/commitments.ts";
import { bindContracts } from "../../backend/adapters/chain/contracts.ts";
import { deploymentDifferences, type Manifest } from "../../backend/adapters/chain/deployment.ts";
import { createLedger } from "../../backend/adapters/chain/ledger.ts";
import { connectRpc, type Hex, type Rpc, request } from "../../backend/adapters/chain/rpc.ts";
import { auditBundle, type BundleReport } from "../../backend/usecases/auditBundle.ts";
import { readBundle } from "../../backend/usecases/bundle.ts";
import { COMPILED } from "./compiled.ts";

export type { BundleReport, Hex, Manifest };
export type Opened = Awaited<ReturnType<typeof openDeployment>>;
export type Run = RecordedRun;

/** Throws in words when the node does not answer or has another chain. */
export async function openDeployment(url: string, manifest: Manifest) {
  const rpc = await connectRpc({ urls: [url] });
  if (rpc.chainId !== manifest.chainId)
    throw new Error(`The deployment is on chain ${manifest.chainId}, the node has chain ${rpc.chainId}.`);
  const contracts = bindContracts(manifest, COMPILED);
  const reader = createChainReader(rpc, contracts);
  return {
    ...{ rpc, manifest, contracts, reader, ledger: createLedger(contracts) },
    block: async () => Number(await request<Hex>(rpc, "eth_blockNumber")),
    /** What is not as it was compiled with this page; nothing: all is. */
    differences: () => deploymentDifferences(rpc, manifest, COMPILED),
    runs: (group?: number) => reader.runs(group),
    /** Whether the runs of a group, in their order, lead to the head that the contract keeps. */
    async isComplete(group: number, runs: readonly Run[]) {
      return chainOf(runs) === (await reader.head(group)).chain;
    },
    funds: reader.funds,
    batches: () => reader.posted(),
    batch: reader.batch,
    assets: async () =>
      (await reader.logs("AssetRegistry", "Registered")).map(({ args: { asset, id }, tx }) => ({
        ...{ id: id as Hex, tx, group: Number(asset.group), index: Number(asset.index), kind: Number(asset.kind) },
        ratedW: Number(asset.ratedPower),
      })),
    algorithm: reader.algorithm,
    rowsOf: (run: Run) => unpackRows(run.rows),
    transaction: (hash: Hex) => transaction(rpc, contracts, hash),
    bundle: (text: string) => checkBundle(rpc, manifest, text),
  };
}

async function checkBundle(rpc: Rpc, manifest: Manifest, text: string): Promise<BundleReport> {
  const { manifest: _, ...plain } = JSON.parse(text) as { readonly manifest?: unknown };
  const contracts = bindContracts(manifest, COMPILED);
  const eye = await createChainEye(rpc, manifest, contracts, COMPILED);
  return auditBundle(readBundle(plain), createLedger(contracts), eye);
}

export type Transaction = Awaited<ReturnType<typeof transaction>>;

async function transaction(rpc: Rpc, contracts: ReturnType<typeof bindContracts>, hash: Hex) {
  type Log = { readonly address: Hex; readonly topics: Hex[]; readonly data: Hex };
  type Receipt = {
    readonly blockNumber: Hex;
    readonly gasUsed: Hex;
    readonly from: Hex;
    readonly to: Hex | null;
    readonly status: Hex;
    readonly logs: Log[];
  };
  const receipt = await request<Receipt | null>(rpc, "eth_getTransactionReceipt", hash);
  if (!receipt) throw new Error(`The node has no transaction ${hash}.`);
  const nameOf = (address: string | null) =>
    Object.entries(contracts.abi).find(([name]) => contractAddress(contracts, name) === address?.toLowerCase())?.[0] ??
    null;
  return {
    hash,
    block: Number(receipt.blockNumber),
    gas: Number(receipt.gasUsed),
    succeeded: receipt.status === "0x1",
    from: receipt.from,
    to: nameOf(receipt.to) ?? receipt.to ?? "–",
    events: receipt.logs.map(({ address, topics, data }) => {
      const name = nameOf(address);
      const parsed =
        name === null ? null : contracts.abi[name as keyof typeof contracts.abi].parseLog({ topics, data });
      return `${name ?? address}.${parsed?.name ?? topics[0]}`;
    }),
  };
}

function contractAddress(contracts: ReturnType<typeof bindContracts>, name: string): string | null {
  try {
    return contracts.addressOf(name).toLowerCase();
  } catch {
    // TestEuro is not part of every deployment.
    return null;
  }
}
