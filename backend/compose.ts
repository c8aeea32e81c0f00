/**
 * Opens everything outside and puts it together: database, chain, contracts, writer, wallets, solvers. main.ts (the
 * service), the replay and the tests each build their World on the same System.
 */
import { createHmac, randomBytes } from "node:crypto";
import { HDNodeWallet, Mnemonic } from "ethers";
import { algorithmSpecs } from "./adapters/chain/algorithms.ts";
import { type ChainReader, createChainReader } from "./adapters/chain/chainReader.ts";
import { createChainTally } from "./adapters/chain/chainTally.ts";
import { createChainWatch } from "./adapters/chain/chainWatch.ts";
import { bindContracts, type Contracts } from "./adapters/chain/contracts.ts";
import {
  type Artifacts,
  type DeploymentConfig,
  deployContracts,
  loadArtifacts,
  localDeployment,
  type Manifest,
} from "./adapters/chain/deployment.ts";
import { createEffect } from "./adapters/chain/effect.ts";
import { type EmbeddedChain, importChain, LOCAL_CHAIN_ID, startEmbeddedChain } from "./adapters/chain/embedded.ts";
import { requireLaneRoles } from "./adapters/chain/laneRoles.ts";
import { createLedger } from "./adapters/chain/ledger.ts";
import { readManifest, requireDeployment } from "./adapters/chain/manifest.ts";
import { LOCAL_POLICY, type Policy, PUBLIC_POLICY } from "./adapters/chain/outboxRow.ts";
import { connectRpc, type Hex, type Rpc, request } from "./adapters/chain/rpc.ts";
import { localSigner, type Signer } from "./adapters/chain/signer.ts";
import type { ChainTables } from "./adapters/chain/tables.ts";
import { createWallets, type KeyRing } from "./adapters/chain/wallets.ts";
import { createWriter, type Writer } from "./adapters/chain/writer.ts";
import { createSolvers, type Solver } from "./adapters/solvers/createSolver.ts";
import { createBooks } from "./adapters/store/bookTotals.ts";
import { type DatabaseOptions, type OpenDatabase, openDatabase } from "./adapters/store/database.ts";
import { createStore } from "./adapters/store/store.ts";
import { MAX_EARLY } from "./usecases/earlyWeight.ts";
import { EXTRA, VOLL } from "./usecases/groupProblem.ts";
import type { ChainWatch, Lane, Ledger, Privacy, Settings, Store, World } from "./usecases/ports.ts";
import type { Books, ChainTally } from "./usecases/totalsPort.ts";

export type SystemOptions = {
  readonly database?: DatabaseOptions;
  /** JSON-RPC endpoints of a node; without them the embedded chain. */
  readonly chainRpcUrls?: readonly string[] | null;
  /** The embedded chain answers JSON-RPC there. */
  readonly chainRpcPort?: number;
  /** A saved embedded chain to go on with. */
  readonly chainDump?: Parameters<typeof importChain>[0];
  /** The arbiter's may be missing: then this service carries out no decisions. */
  readonly chainKeys?:
    | (Readonly<Record<Exclude<Lane, "arbiter"> | "deployer", Hex>> & { readonly arbiter?: Hex })
    | null;
  /** How long a bill can be disputed after it was posted, s, on a local chain that is deployed now; 0: never. */
  readonly disputeWindowS?: number;
  /** Folder of the manifests of public chains; deployments/ if not said. */
  readonly deployments?: URL;
  readonly walletKeks?: Readonly<Record<number, Uint8Array>> | null;
  /** What the chain shows of runs; absent: rows on a local chain, a root per group elsewhere. */
  readonly privacy?: Privacy | null;
  /** Rows may stand beside bills on a public network, because all drivers are simulated. */
  readonly publicRows?: boolean;
  readonly random: World["random"];
  readonly alarm?: (text: string) => void;
};

export type System = {
  readonly database: OpenDatabase;
  readonly store: Store;
  readonly rpc: Rpc;
  /** Null when an external node carries the chain. */
  readonly embedded: EmbeddedChain | null;
  readonly artifacts: Artifacts;
  readonly manifest: Manifest;
  readonly contracts: Contracts;
  readonly ledger: Ledger;
  readonly reader: ChainReader;
  readonly writer: Writer;
  readonly watch: ChainWatch;
  /** What is reconciled: the chain's totals and the database's. */
  readonly totals: { readonly tally: ChainTally; readonly books: Books };
  readonly holdsArbiterKey: boolean;
  readonly wallets: KeyRing;
  readonly solver: Solver;
  readonly random: World["random"];
  /** Address of the treasury lane, the payee of demo CPOs. */
  readonly treasury: Hex;
  close(): Promise<void>;
};

export const DEFAULT_SETTINGS: Settings = {
  leadS: 60,
  dispatchS: 5,
  answerS: 10,
  staleS: 120,
  quantilePerMille: 950,
  flexSharePercent: 50,
  billingLines: 200,
  billingWaitS: 86_400,
  market: "day-ahead",
  forecast: "persistence",
};

/** Bytes that the seed and the label decide: replays give the same salts and keys again. */
export const derivedRandom =
  (seed: string): World["random"] =>
  (bytes, label) => {
    const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, i) =>
      createHmac("sha256", seed).update(`${label}#${i}`).digest(),
    );
    return new Uint8Array(Buffer.concat(blocks).subarray(0, bytes));
  };

export const trueRandom: World["random"] = (bytes) => new Uint8Array(randomBytes(bytes));

/** What runs of this source may claim; registered with each method. */
export const REGISTERED = { maxScale: 65_535, voll: VOLL, extra: EXTRA, maxEarly: MAX_EARLY };

/** The public development accounts that local nodes fund; worth nothing anywhere else. */
const DEVELOPMENT_MNEMONIC = "test test test test test test test test test test test junk";
const developmentKey = (index: number) =>
  HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(DEVELOPMENT_MNEMONIC), `m/44'/60'/0'/0/${index}`).privateKey as Hex;

const LANES = ["registry", "slots", "billing", "treasury"] as const satisfies readonly Lane[];
const ARBITER = 8;
/** The deployer's address decides the contracts' addresses; a chain that another database deployed on takes the next one. */
const DEPLOYERS = [4, 5, 6, 7, 9];

export async function openSystem(options: SystemOptions): Promise<System> {
  const database = await openDatabase(options.database ?? {});
  const store = createStore(database.db);
  const solver = createSolvers();
  const opened: { close(): Promise<unknown> }[] = [solver, database];
  try {
    const keys = laneKeys(options.chainKeys ?? null);
    const { rpc, embedded } = await openChain(options);
    opened.unshift(embedded ?? rpc);
    if (rpc.chainId !== LOCAL_CHAIN_ID && !options.chainKeys)
      throw new Error(`CHAIN_KEYS is needed on chain ${rpc.chainId}: the development keys are for local chains only.`);
    const privacy = privacyOn(rpc.chainId, options);
    const signers = signersOf(keys);
    const artifacts = loadArtifacts();
    const manifest = await deployed(rpc, store, artifacts, signers, options);
    const contracts = bindContracts(manifest, artifacts);
    await requireLaneRoles(rpc, contracts, manifest, signers);
    const reader = createChainReader(rpc, contracts);
    const policy: Policy = rpc.chainId === LOCAL_CHAIN_ID ? LOCAL_POLICY : PUBLIC_POLICY;
    const writer = createWriter({
      db: database.db.$pickTables<keyof ChainTables>(),
      database: database.kind,
      rpc,
      signers,
      policy,
      addressOf: contracts.addressOf,
      decodeRevert: contracts.decodeRevert,
      effect: createEffect(rpc, contracts, policy.depth),
      now: () => Math.floor(Date.now() / 1000),
      alarm: (alarm) => options.alarm?.(typeof alarm === "string" ? alarm : JSON.stringify(alarm)),
      patienceMs: embedded ? 0 : 60_000,
    });
    const keks = options.walletKeks ?? { 1: options.random(32, "wallet-kek") };
    const settlement = contracts.addressOf("Settlement");
    const wallets = createWallets({
      keks,
      kekVersion: Math.max(...Object.keys(keks).map(Number)),
      random: options.random,
      domain: { chainId: rpc.chainId, settlement },
    });
    return {
      database,
      store,
      rpc,
      embedded,
      artifacts,
      manifest,
      contracts,
      ledger: createLedger(contracts, privacy),
      reader,
      writer,
      watch: createChainWatch(rpc, contracts, policy.depth),
      totals: {
        tally: createChainTally(rpc, contracts, policy.depth, signers.treasury.address),
        books: createBooks(database.db),
      },
      holdsArbiterKey: signers.arbiter !== undefined,
      wallets,
      solver,
      random: options.random,
      treasury: signers.treasury.address,
      async close() {
        for (const one of opened) await one.close();
      },
    };
  } catch (error) {
    for (const one of opened) await one.close().catch(() => undefined);
    throw error;
  }
}

/** Throws where rows would be public beside the bills that this service posts. */
export function privacyOn(
  chainId: number,
  { privacy, publicRows }: Pick<SystemOptions, "privacy" | "publicRows">,
): Privacy {
  const local = chainId === LOCAL_CHAIN_ID;
  if (privacy === "rows" && !local && publicRows !== true)
    throw new Error(
      `Rows on chain ${chainId} would be public beside the bills: together they show which driver was at which charge point. Set CHAIN_PRIVACY=root or tenant-root, or CHAIN_PUBLIC_ROWS=yes where all drivers are simulated.`,
    );
  return privacy ?? (local ? "rows" : "root");
}

async function openChain(options: SystemOptions): Promise<{ rpc: Rpc; embedded: EmbeddedChain | null }> {
  if (options.chainRpcUrls) return { rpc: await connectRpc({ urls: options.chainRpcUrls }), embedded: null };
  const port = options.chainRpcPort === undefined ? {} : { port: options.chainRpcPort };
  const funded = Array.from({ length: 10 }, (_, i) => localSigner(developmentKey(i)).address);
  const embedded = options.chainDump
    ? await importChain(options.chainDump, port)
    : await startEmbeddedChain({ funded, ...port });
  return { rpc: embedded.rpc, embedded };
}

type LaneKeys = Omit<NonNullable<SystemOptions["chainKeys"]>, "deployer">;
const laneKeys = (given: SystemOptions["chainKeys"]): LaneKeys =>
  given ?? {
    ...(Object.fromEntries(LANES.map((lane, i) => [lane, developmentKey(i)])) as LaneKeys),
    arbiter: developmentKey(ARBITER),
  };

type Signers = Readonly<Record<(typeof LANES)[number], Signer>> & { readonly arbiter?: Signer };

/** Throws when the arbiter would decide with the key that bills. */
function signersOf(keys: LaneKeys): Signers {
  if (keys.arbiter !== undefined && LANES.some((lane) => keys[lane] === keys.arbiter))
    throw new Error("The arbiter's key is another lane's too. Who bills must not decide disputes: give it its own.");
  const signers = Object.fromEntries(LANES.map((lane) => [lane, localSigner(keys[lane])])) as Signers;
  return keys.arbiter === undefined ? signers : { ...signers, arbiter: localSigner(keys.arbiter) };
}

/** The contracts of this chain: of a test network from deployments/, on a local chain deployed once and remembered in the database. */
async function deployed(
  rpc: Rpc,
  store: Store,
  artifacts: Artifacts,
  signers: Signers,
  options: SystemOptions,
): Promise<Manifest> {
  if (rpc.chainId !== LOCAL_CHAIN_ID) {
    const manifest = await readManifest(rpc.chainId, options.deployments);
    if (!manifest) throw new Error(`Nothing is deployed on chain ${rpc.chainId}. Run npm run deploy first.`);
    await requireDeployment(rpc, manifest, artifacts, PUBLIC_POLICY.depth);
    return manifest;
  }
  const genesis = await request<{ hash: Hex }>(rpc, "eth_getBlockByNumber", "0x0", false);
  const name = `manifest:${genesis.hash}`;
  const known = await store.snapshots.load(name);
  if (known) {
    await requireDeployment(rpc, known.state as Manifest, artifacts, 0);
    return known.state as Manifest;
  }
  const config = localConfig(signers, options.disputeWindowS ?? 0);
  const manifest = await deployOnce(rpc, store, genesis.hash, artifacts, config);
  await store.snapshots.save(name, 0 as never, manifest);
  return manifest;
}

/**
 * Who is killed while deploying goes on with the transactions that were signed: the contracts' addresses are part of
 * what drivers sign, and must not depend on how often a process was started.
 */
async function deployOnce(rpc: Rpc, store: Store, genesis: Hex, artifacts: Artifacts, config: DeploymentConfig) {
  const name = `deployment:${genesis}`;
  const begun = (await store.snapshots.load(name))?.state as { deployer: number; sent: Hex[] } | undefined;
  const deployer = begun?.deployer ?? (await freshDeployer(rpc));
  const sent = [...(begun?.sent ?? [])];
  return deployContracts(rpc, localSigner(developmentKey(deployer)), artifacts, config, {
    kept: [...sent],
    async keep(raw) {
      sent.push(raw);
      await store.snapshots.save(name, 0 as never, { deployer, sent });
    },
  });
}

/** Index of a development account that never sent anything on this chain. */
async function freshDeployer(rpc: Rpc): Promise<number> {
  for (const index of DEPLOYERS) {
    const { address } = localSigner(developmentKey(index));
    if (Number(await request<Hex>(rpc, "eth_getTransactionCount", address, "latest")) === 0) return index;
  }
  throw new Error("All development deployers were used on this local chain. Start a fresh one.");
}

function localConfig({ registry, slots, billing, treasury, arbiter }: Signers, windowS: number): DeploymentConfig {
  const holders = {
    guardian: [treasury.address],
    operator: [slots.address],
    biller: [billing.address],
    registrar: [registry.address],
    publisher: [registry.address],
    pauser: [treasury.address],
    faucet: [treasury.address],
    ...(arbiter ? { arbiter: [arbiter.address] } : {}),
  };
  return localDeployment(holders, {
    windowS,
    admin: localSigner(developmentKey(9)).address,
    algorithms: algorithmSpecs(REGISTERED),
  });
}
