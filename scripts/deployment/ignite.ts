/**
 * Carries out the deployment plan with Hardhat Ignition. Its journal in `folder` makes the deployment one that can be cut off at
 * any moment and started again.
 */
import { fileURLToPath } from "node:url";
import {
  type DeploymentResult,
  DeploymentResultType,
  deploy,
  type ExecutionEventListener,
  type ExecutionEventResult,
  ExecutionEventResultType,
  listTransactions,
  TransactionStatus,
} from "@nomicfoundation/ignition-core";
import { Interface } from "ethers";
import { type Artifacts, encodeCall } from "../../backend/adapters/chain/artifacts.ts";
import type { SendingJournal } from "../../backend/adapters/chain/confirmedSender.ts";
import { type Creation, type Creations, type Manifest, manifestOf } from "../../backend/adapters/chain/deployment.ts";
import { type DeploymentConfig, deploymentPlan, ROLES } from "../../backend/adapters/chain/deploymentPlan.ts";
import { requireDeployment } from "../../backend/adapters/chain/manifest.ts";
import { type Hex, type Rpc, request } from "../../backend/adapters/chain/rpc.ts";
import type { Signer } from "../../backend/adapters/chain/signer.ts";
import { ignitionModule } from "./module.ts";
import { signingProvider } from "./provider.ts";
import { misfit, recover, resolverOf, takeUp } from "./resume.ts";

export type Ignition = {
  readonly rpc: Rpc;
  readonly signer: Signer;
  readonly artifacts: Artifacts;
  /** The same as in the run that was cut off. */
  readonly config: DeploymentConfig;
  /** Where Ignition keeps its journal; one for each chain. */
  readonly folder: URL;
  /** Signed transactions, kept before they are sent. */
  readonly sent: SendingJournal;
  /** Is told each step that is done. */
  readonly say?: (text: string) => void;
  /** Milliseconds between two looks for a new block; 1,000 if not said. */
  readonly pollMs?: number;
};

/**
 * Answers the manifest of contracts that were compared with the chain, in which the deployer has no role any more. Throws,
 * saying what to do, when a step fails or the journal is of other code or another configuration.
 */
export async function deployWithIgnition(ignition: Ignition): Promise<Manifest> {
  const { rpc, signer, artifacts, config, folder } = ignition;
  const plan = deploymentPlan(config, signer.address, artifacts);
  const provider = signingProvider(rpc, signer, ignition.sent);
  const deploymentDir = fileURLToPath(folder);
  const module = ignitionModule(plan, artifacts);
  const run = () =>
    deploy({
      provider,
      deploymentDir,
      ignitionModule: module,
      artifactResolver: resolverOf(artifacts),
      accounts: [signer.address],
      deploymentParameters: {},
      // The service starts only on a deployment that is deep enough; here one block is.
      config: { requiredConfirmations: 1, blockPollingInterval: ignition.pollMs ?? 1000 },
      executionEventListener: listenerOf(ignition.say ?? (() => {})),
    });

  await takeUp(deploymentDir, artifacts);
  const result = await run().catch(async (error: unknown) => {
    await recover(ignition, deploymentDir, provider, error);
    return run();
  });
  if (result.type !== DeploymentResultType.SUCCESSFUL_DEPLOYMENT) throw new Error(explain(result, deploymentDir));

  const created = await creationsOf(rpc, deploymentDir, artifacts);
  const manifest = manifestOf(rpc.chainId, artifacts, config, plan, created);
  await requireDeployment(rpc, manifest, artifacts, 0);
  await requireNoRole(rpc, manifest, artifacts, config, signer.address);
  return manifest;
}

function explain(result: Exclude<DeploymentResult, { contracts: unknown }>, deploymentDir: string): string {
  if (result.type === DeploymentResultType.EXECUTION_ERROR) {
    const failed = result.failed.map(({ futureId, error }) => `${futureId}: ${error}`);
    const waiting = result.timedOut.map(({ futureId }) => `${futureId} was sent and not mined`);
    return `The deployment stopped. ${[...failed, ...waiting].join("; ")}\nCorrect what is said here, then run the same command again: it goes on from this step.`;
  }
  const errors = Object.entries(result.errors).map(([futureId, texts]) => `${futureId}: ${texts.join(" ")}`);
  if (result.type === DeploymentResultType.PREVIOUS_RUN_ERROR)
    return `An earlier run left steps open. ${errors.join("; ")}\nWait until they are mined; if they never are, move ${deploymentDir} away and begin with a fresh key.`;
  return misfit(deploymentDir, errors.join("; "));
}

async function creationsOf(rpc: Rpc, deploymentDir: string, artifacts: Artifacts): Promise<Creations> {
  const transactions = await listTransactions(deploymentDir, resolverOf(artifacts));
  const creations = transactions.filter(
    ({ status, address }) => status === TransactionStatus.SUCCESS && address !== undefined,
  );
  const entries = creations.map(async ({ name, address, txHash }): Promise<[string, Creation]> => {
    const receipt = await request<{ blockNumber: Hex } | null>(rpc, "eth_getTransactionReceipt", txHash);
    if (receipt === null)
      throw new Error(
        `${name}'s transaction ${txHash} is not on the chain any more. Wait a minute, then run this again.`,
      );
    return [name as string, { address: address as Hex, block: Number(receipt.blockNumber), tx: txHash as Hex }];
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function requireNoRole(
  rpc: Rpc,
  { contracts }: Manifest,
  { AccessManager }: Artifacts,
  config: DeploymentConfig,
  deployer: Hex,
): Promise<void> {
  if (BigInt(config.admin) === BigInt(deployer)) return;
  for (const [role, number] of Object.entries(ROLES)) {
    const data = encodeCall(AccessManager, "hasRole", [number, deployer]);
    const answer = await request<Hex>(rpc, "eth_call", { to: contracts.AccessManager.address, data }, "latest");
    const [has] = new Interface(AccessManager.abi).decodeFunctionResult("hasRole", answer);
    if (has) throw new Error(`The deployer ${deployer} still has the role ${role}. Do not use this deployment.`);
  }
}

/** Of the many things that Ignition tells only the finished steps are passed on. */
function listenerOf(say: (text: string) => void): ExecutionEventListener {
  const done = async ({ futureId, result }: { futureId: string; result: ExecutionEventResult }) => {
    if (result.type === ExecutionEventResultType.SUCCESS) say(futureId.slice(futureId.indexOf("#") + 1));
  };
  const heard: Partial<ExecutionEventListener> = {
    deploymentExecutionStateComplete: done,
    callExecutionStateComplete: done,
  };
  return new Proxy(heard, {
    get: (all, name) => all[name as keyof ExecutionEventListener] ?? (async () => undefined),
  }) as ExecutionEventListener;
}
