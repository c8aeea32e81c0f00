/**
 * Puts the contracts on a chain by the deployment plan and answers the manifest. A deployer that never sent anything
 * before gets the same addresses on every chain.
 */
import { getCreateAddress, Interface, keccak256 } from "ethers";
import { type Artifact, type Artifacts, type ContractName, creationCode, encodeCall } from "./artifacts.ts";
import { createSender, type SendingJournal } from "./confirmedSender.ts";
import { type DeploymentConfig, deploymentPlan, type Known, resolveAll, type Step, specOf } from "./deploymentPlan.ts";
import { requireCancun } from "./opcodes.ts";
import { call, type Hex, type Rpc, resultOf } from "./rpc.ts";
import type { Signer } from "./signer.ts";

export type { Artifact, Artifacts, ContractName } from "./artifacts.ts";
export {
  type AlgorithmSpec,
  CANCELLABLE,
  type DeploymentConfig,
  localDeployment,
  PERMISSIONS,
  ROLES,
  type RoleHolders,
} from "./deploymentPlan.ts";
export { loadArtifacts } from "./loadArtifacts.ts";

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

/** Where and when a contract was created. */
export type Creation = Pick<DeployedContract, "address" | "block" | "tx">;
export type Creations = Readonly<Partial<Record<ContractName, Creation>>>;

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
  const plan = deploymentPlan(config, signer.address, artifacts);
  const send = await createSender(rpc, signer, journal);
  const created: Partial<Record<ContractName, Creation>> = {};
  const known = knownBy(artifacts, created);
  for (const step of plan) {
    const args = resolveAll(step.args, known);
    if (step.kind === "deploy") {
      const { nonce, block, tx } = await send(
        `deploy ${step.contract}`,
        null,
        creationCode(artifacts[step.contract], args),
      );
      created[step.contract] = { address: getCreateAddress({ from: signer.address, nonce }) as Hex, block, tx };
    } else {
      const data = encodeCall(artifacts[step.contract], step.verb, args);
      await send(`${step.contract}.${step.verb}`, known.address(step.contract), data);
    }
  }
  return manifestOf(rpc.chainId, artifacts, config, plan, created);
}

/** The manifest of a plan that was carried out. */
export function manifestOf(
  chainId: number,
  artifacts: Artifacts,
  config: DeploymentConfig,
  plan: readonly Step[],
  created: Creations,
): Manifest {
  const known = knownBy(artifacts, created);
  const contracts = plan
    .filter((step) => step.kind === "deploy")
    .map(({ contract, args }): [ContractName, DeployedContract] => {
      const { address, block, tx } = created[contract] as Creation;
      const bytecodeHash = keccak256(artifacts[contract].bytecode) as Hex;
      return [contract, { address, block, tx, bytecodeHash, args: resolveAll(args, known).map(plain) }];
    });
  const versions = config.algorithms.map((algorithm) => [
    algorithm.method,
    versionOf(artifacts.AlgorithmRegistry, specOf(algorithm, known.address("ScheduleChecker"))),
  ]);
  return {
    chainId,
    contracts: Object.fromEntries(contracts) as Manifest["contracts"],
    algorithms: Object.fromEntries(versions),
  };
}

/** What the plan's later steps need of the contracts that exist; the plan's order sees to it that they do. */
function knownBy(artifacts: Artifacts, created: Creations): Known<Hex> {
  const known: Known<Hex> = {
    address: (contract) => (created[contract] as Creation).address,
    calldata: ({ contract, verb, args }) => encodeCall(artifacts[contract], verb, resolveAll(args, known)),
  };
  return known;
}

/** keccak256(abi.encode(spec)). */
function versionOf({ abi }: Artifact, spec: object): Hex {
  const publish = new Interface(abi).encodeFunctionData("publish", [spec]);
  return keccak256(`0x${publish.slice(10)}`) as Hex;
}

/**
 * Compares a chain with the manifest and the local compile; answers one sentence per difference. The creation
 * transaction is compared byte for byte, because immutables make the code at the address differ from the compiler's.
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

/** Null when the arguments are not what this constructor takes. */
function creationCodeOrNull(artifact: Artifact, args: readonly unknown[]): Hex | null {
  try {
    return creationCode(artifact, args);
  } catch {
    return null;
  }
}

const plain = (value: unknown): unknown => (typeof value === "bigint" ? value.toString() : value);
