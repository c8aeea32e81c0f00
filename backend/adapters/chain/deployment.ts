/**
 * Puts the contracts on a chain in a fixed order, gives every role to the address that holds it, and answers the manifest.
 * A deployer that never sent anything before gets the same addresses on every chain. At the end the deployer has no role
 * left, unless it is the admin itself.
 */
import { readFileSync } from "node:fs";
import { getCreateAddress, Interface, type InterfaceAbi, keccak256, ZeroHash } from "ethers";
import { chunksOf } from "./codeChunks.ts";
import { hashText } from "./commitments.ts";
import { createSender, type SendingJournal } from "./confirmedSender.ts";
import { requireCancun } from "./opcodes.ts";
import { call, type Hex, type Rpc, resultOf } from "./rpc.ts";
import type { Signer } from "./signer.ts";

/** Role numbers of the AccessManager. The arbiter decides disputes and is neither CPO nor biller. */
export const ROLES = {
  admin: 0n,
  guardian: 1n,
  operator: 2n,
  biller: 3n,
  registrar: 4n,
  arbiter: 5n,
  minter: 6n,
  publisher: 7n,
  pauser: 8n,
  faucet: 9n,
} as const;

/** Which role may call what; every other restricted function (unpause, retire) is the admin's. */
export const PERMISSIONS = [
  { role: "operator", contract: "SlotLedger", functions: ["record"] },
  { role: "biller", contract: "Settlement", functions: ["post", "pay"] },
  { role: "arbiter", contract: "Settlement", functions: ["dispute", "resolve"] },
  { role: "registrar", contract: "AssetRegistry", functions: ["register", "setState", "setGroup"] },
  { role: "registrar", contract: "Settlement", functions: ["registerDrivers", "setPayee", "setTariff", "setOffer"] },
  { role: "publisher", contract: "AlgorithmRegistry", functions: ["storeCode", "publish"] },
  { role: "pauser", contract: "SlotLedger", functions: ["pause"] },
  { role: "pauser", contract: "Settlement", functions: ["pause"] },
  { role: "minter", contract: "FlexToken", functions: ["mint", "burn"] },
  { role: "faucet", contract: "TestEuro", functions: ["mint"] },
] as const satisfies readonly { role: keyof typeof ROLES; contract: ContractName; functions: readonly string[] }[];

const SOURCES = {
  AccessManager: "@openzeppelin/contracts/access/manager/AccessManager.sol",
  AssetRegistry: "contracts/AssetRegistry.sol",
  ScheduleChecker: "contracts/ScheduleChecker.sol",
  AlgorithmRegistry: "contracts/AlgorithmRegistry.sol",
  SlotLedger: "contracts/SlotLedger.sol",
  FlexToken: "contracts/FlexToken.sol",
  TestEuro: "contracts/TestEuro.sol",
  Settlement: "contracts/Settlement.sol",
} as const;

export type ContractName = keyof typeof SOURCES;
export type Artifact = { readonly abi: InterfaceAbi; readonly bytecode: Hex };
export type Artifacts = Readonly<Record<ContractName, Artifact>>;

/** Who holds a role; several addresses may. The minter is always Settlement; without an arbiter disputes expire. */
export type RoleHolders = Readonly<
  Record<Exclude<keyof typeof ROLES, "admin" | "minter" | "arbiter">, readonly Hex[]>
> & {
  readonly arbiter?: readonly Hex[];
};

export type AlgorithmSpec = {
  /** Name and version of the method, at most 31 ASCII characters: "least-cost/1". */
  readonly method: string;
  readonly sourceHash: Hex;
  /** Text of the method that is stored on chain, compressed; none when left out. */
  readonly code?: string;
  /** Instant from which runs may name it, epoch seconds; the registry's delay must have passed by then. */
  readonly activeFrom: number;
  readonly maxScale: number;
  readonly voll: number;
  readonly extra: number;
  readonly maxEarly: number;
  readonly uri: string;
};

export type DeploymentConfig = {
  readonly admin: Hex;
  /** Seconds that every action of the admin is visible before it can be executed. */
  readonly adminDelayS: number;
  readonly holders: RoleHolders;
  /** An existing 6-decimals euro token; null deploys TestEuro (local and test networks only). */
  readonly euro: Hex | null;
  /** Seconds; 0 on local networks. */
  readonly windowS: number;
  readonly tariffNoticeS: number;
  readonly withdrawNoticeS: number;
  readonly payeeNoticeS: number;
  readonly activationDelayS: number;
  /** Most compensation above a bill, micro-euro per line. */
  readonly maxCreditMicroEur: bigint;
  readonly algorithms: readonly AlgorithmSpec[];
  /** CPOs that exist from the start and who receives their money. */
  readonly payees: readonly { readonly cpo: number; readonly payee: Hex }[];
};

export type DeployedContract = {
  readonly address: Hex;
  readonly block: number;
  readonly tx: Hex;
  /** keccak256 of the creation code without arguments, as the compiler gives it. */
  readonly bytecodeHash: Hex;
  /** Constructor arguments; amounts as decimal strings. */
  readonly args: readonly unknown[];
};

export type Manifest = {
  readonly chainId: number;
  readonly contracts: Readonly<Partial<Record<ContractName, DeployedContract>>> &
    Readonly<Record<Exclude<ContractName, "TestEuro">, DeployedContract>>;
  /** Version on chain by method name. */
  readonly algorithms: Readonly<Record<string, Hex>>;
};

/** Reads what `hardhat build` wrote. Throws when the contracts are not compiled. */
export function loadArtifacts(folder: URL | string = new URL("../../../artifacts/", import.meta.url)): Artifacts {
  const read = (name: ContractName): Artifact => {
    const file = new URL(`${SOURCES[name]}/${name}.json`, folder);
    try {
      return JSON.parse(readFileSync(file, "utf8")) as Artifact;
    } catch (error) {
      throw new Error(`The compiled contract ${name} cannot be read. Run \`node scripts/setup.mjs\` to compile.`, {
        cause: error,
      });
    }
  };
  return Object.fromEntries((Object.keys(SOURCES) as ContractName[]).map((name) => [name, read(name)])) as Artifacts;
}

/** Everything without a delay, for local chains: one address per role, TestEuro, EUR 10 of compensation at most. */
export function localDeployment(
  holders: RoleHolders,
  rest: Partial<DeploymentConfig> & Pick<DeploymentConfig, "admin">,
): DeploymentConfig {
  const delays = {
    adminDelayS: 0,
    windowS: 0,
    tariffNoticeS: 0,
    withdrawNoticeS: 0,
    payeeNoticeS: 0,
    activationDelayS: 0,
  };
  return { ...delays, euro: null, maxCreditMicroEur: 10_000_000n, algorithms: [], payees: [], ...rest, holders };
}

/**
 * Deploys and wires everything; ~15 transactions, each confirmed before the next. With a journal it goes on where an
 * earlier start was cut off.
 */
export async function deployContracts(
  rpc: Rpc,
  signer: Signer,
  artifacts: Artifacts,
  config: DeploymentConfig,
  journal?: SendingJournal,
): Promise<Manifest> {
  await requireCancun(rpc);
  const send = await createSender(rpc, signer, journal);
  const contracts: Partial<Record<ContractName, DeployedContract>> = {};

  async function deploy(name: ContractName, args: readonly unknown[] = []): Promise<Hex> {
    const { bytecode, abi } = artifacts[name];
    const mined = await send(`deploy ${name}`, null, creationCode({ bytecode, abi }, args));
    const address = getCreateAddress({ from: signer.address, nonce: mined.nonce }) as Hex;
    contracts[name] = {
      address,
      block: mined.block,
      tx: mined.tx,
      bytecodeHash: keccak256(bytecode) as Hex,
      args: args.map(plain),
    };
    return address;
  }
  const tell = (name: ContractName, verb: string, args: readonly unknown[]) =>
    send(`${name}.${verb}`, (contracts[name] as DeployedContract).address, encode(artifacts[name], verb, args));

  const authority = await deploy("AccessManager", [signer.address]);
  await deploy("AssetRegistry", [authority]);
  const checker = await deploy("ScheduleChecker");
  const registry = await deploy("AlgorithmRegistry", [authority, config.activationDelayS]);
  await deploy("SlotLedger", [authority, registry]);
  const flexToken = await deploy("FlexToken", [authority]);
  const euro = config.euro ?? (await deploy("TestEuro", [authority]));
  const notices = [config.windowS, config.tariffNoticeS, config.withdrawNoticeS, config.payeeNoticeS];
  await deploy("Settlement", [authority, euro, flexToken, notices, config.maxCreditMicroEur]);

  // Until functions have roles of their own, they are the admin's: the deployer may still call them.
  const algorithms: Record<string, Hex> = {};
  const stored = new Set<string>();
  for (const algorithm of config.algorithms) {
    const spec = specOf(algorithm, checker);
    if (algorithm.code !== undefined && !stored.has(spec.code)) {
      stored.add(spec.code);
      for (const chunk of chunksOf(algorithm.code)) await tell("AlgorithmRegistry", "storeCode", [spec.code, chunk]);
    }
    await tell("AlgorithmRegistry", "publish", [spec]);
    algorithms[algorithm.method] = versionOf(artifacts.AlgorithmRegistry, spec);
  }
  for (const { cpo, payee } of config.payees) await tell("Settlement", "setPayee", [cpo, payee]);

  await tell("AccessManager", "multicall", [wiring(signer.address, artifacts, contracts, config)]);
  return { chainId: rpc.chainId, contracts: contracts as Manifest["contracts"], algorithms };
}

/** Calls on the AccessManager, in one transaction: functions get roles, roles get holders, the deployer leaves. */
function wiring(
  deployer: Hex,
  artifacts: Artifacts,
  contracts: Partial<Record<ContractName, DeployedContract>>,
  config: DeploymentConfig,
): Hex[] {
  const manage = (verb: string, ...args: unknown[]) => encode(artifacts.AccessManager, verb, args);
  const present = PERMISSIONS.filter(({ contract }) => contracts[contract] !== undefined);
  const functions = present.map(({ role, contract, functions }) => {
    const abi = new Interface(artifacts[contract].abi);
    const selectors = functions.map((name) => abi.getFunction(name)?.selector);
    return manage("setTargetFunctionRole", contracts[contract]?.address, selectors, ROLES[role]);
  });
  const labels = Object.entries(ROLES).filter(([role]) => role !== "admin");
  const settlement = contracts.Settlement as DeployedContract;
  const holders = { ...config.holders, minter: [settlement.address] };
  const grants = Object.entries(holders).flatMap(([role, list]) =>
    list.map((address) => manage("grantRole", ROLES[role as keyof typeof ROLES], address, 0)),
  );
  const keepsAdmin = BigInt(config.admin) === BigInt(deployer);
  return [
    ...functions,
    ...labels.map(([role, id]) => manage("labelRole", id, role.toUpperCase())),
    ...labels.filter(([role]) => role !== "guardian").map(([, id]) => manage("setRoleGuardian", id, ROLES.guardian)),
    ...grants,
    manage("grantRole", ROLES.admin, config.admin, config.adminDelayS),
    ...(keepsAdmin ? [] : [manage("renounceRole", ROLES.admin, deployer)]),
  ];
}

/** The specification as the contract takes it. */
function specOf({ method, code, ...spec }: AlgorithmSpec, checker: Hex) {
  const name = Buffer.from(method, "ascii");
  if (name.length > 31 || name.toString("ascii") !== method)
    throw new RangeError(`"${method}" is no method name: at most 31 ASCII characters.`);
  const padded = `0x${Buffer.concat([name, Buffer.alloc(32 - name.length)]).toString("hex")}`;
  return { ...spec, method: padded, code: code === undefined ? ZeroHash : hashText(code), checker, encoding: 1 };
}

/** keccak256(abi.encode(spec)). */
function versionOf({ abi }: Artifact, spec: object): Hex {
  const publish = new Interface(abi).encodeFunctionData("publish", [spec]);
  return keccak256(`0x${publish.slice(10)}`) as Hex;
}

/**
 * Compares a chain with the manifest and the local compile; answers one sentence per difference. The creation transaction
 * is compared byte for byte, because immutables make the code at the address differ from the compiler's.
 */
export async function deploymentDifferences(rpc: Rpc, manifest: Manifest, artifacts: Artifacts): Promise<string[]> {
  if (rpc.chainId !== manifest.chainId)
    return [`The chain is ${rpc.chainId}; the manifest is for ${manifest.chainId}.`];
  const entries = Object.entries(manifest.contracts) as [ContractName, DeployedContract][];
  const found = await Promise.all(
    entries.map(async ([name, { address, tx, args, bytecodeHash }]) => {
      const [sent, receipt, code] = await rpc.ask([
        call("eth_getTransactionByHash", tx),
        call("eth_getTransactionReceipt", tx),
        call("eth_getCode", address, "latest"),
      ]);
      const input = resultOf<{ input: Hex } | null>("eth_getTransactionByHash", sent)?.input;
      const created = resultOf<{ contractAddress: Hex | null } | null>(
        "eth_getTransactionReceipt",
        receipt,
      )?.contractAddress;
      const differences: string[] = [];
      if (keccak256(artifacts[name].bytecode) !== bytecodeHash)
        differences.push(`${name}: the local compile is not the code in the manifest.`);
      if (input !== creationCodeOrNull(artifacts[name], args))
        differences.push(`${name}: ${tx} did not deploy the local compile with the manifest's arguments.`);
      if (created?.toLowerCase() !== address.toLowerCase())
        differences.push(`${name}: ${tx} did not create ${address}.`);
      if (resultOf<Hex>("eth_getCode", code) === "0x") differences.push(`${name}: there is no code at ${address}.`);
      return differences;
    }),
  );
  return found.flat();
}

const encode = ({ abi }: Artifact, verb: string, args: readonly unknown[]): Hex =>
  new Interface(abi).encodeFunctionData(verb, args) as Hex;

function creationCode({ abi, bytecode }: Artifact, args: readonly unknown[]): Hex {
  return `${bytecode}${new Interface(abi).encodeDeploy(args).slice(2)}`;
}

/** Null when the arguments are not what this constructor takes. */
function creationCodeOrNull(artifact: Artifact, args: readonly unknown[]): Hex | null {
  try {
    return creationCode(artifact, args);
  } catch {
    return null;
  }
}

const plain = (value: unknown): unknown => (typeof value === "bigint" ? value.toString() : value);
