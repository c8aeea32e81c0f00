/**
 * Carries out the deployment plan with Hardhat Ignition. Its journal in `folder` makes the deployment one that can be
 * cut off at any moment and started again.
 */
import { fileURLToPath } from "node:url";
import {
  type DeployedContract,
  type DeploymentResult,
  DeploymentResultType,
  deploy,
  type ExecutionEventListener,
  type ExecutionEventResult,
  ExecutionEventResultType,
} from "@nomicfoundation/ignition-core";
import { getCreateAddress, Interface, Transaction } from "ethers";
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
  /**
   * Milliseconds after which a transaction that is not mined is sent again with a tenth more; three minutes if not
   * said.
   */
  readonly bumpMs?: number;
};

/**
 * Answers the manifest of contracts that were compared with the chain, in which the deployer has no role any more.
 * Throws, saying what to do, when a step fails or the journal is of other code or another configuration.
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
      config: {
        // The service starts only on a deployment that is deep enough; here one block is.
        requiredConfirmations: 1,
        blockPollingInterval: ignition.pollMs ?? 1000,
        timeBeforeBumpingFees: ignition.bumpMs ?? 180_000,
        // An hour of patience, and nearly seven times the first fee at most.
        maxFeeBumps: 20,
      },
      executionEventListener: listenerOf(ignition.say ?? (() => {})),
    });

  await takeUp(deploymentDir, artifacts);
  const result = await run().catch(async (error: unknown) => {
    await recover(ignition, deploymentDir, provider, error);
    return run();
  });
  if (result.type !== DeploymentResultType.SUCCESSFUL_DEPLOYMENT) throw new Error(explain(result, deploymentDir));

  const created = await creationsOf(ignition, Object.values(result.contracts));
  const manifest = manifestOf(rpc.chainId, artifacts, config, plan, created);
  await requireDeployment(rpc, manifest, artifacts, 0);
  await requireNoRole(rpc, manifest, artifacts, config, signer.address);
  return manifest;
}

const TIMED_OUT =
  "It may still be mined, so it is not sent anew. Begin with a fresh key when the network is well again, without";

function explain(result: Exclude<DeploymentResult, { contracts: unknown }>, deploymentDir: string): string {
  if (result.type === DeploymentResultType.EXECUTION_ERROR) {
    const failed = result.failed.map(({ futureId, error }) => `${futureId}: ${error}`);
    const waiting = result.timedOut.map(({ futureId }) => `${futureId} was sent and not mined`);
    if (waiting.length > 0) return `The deployment stopped: ${waiting.join("; ")}.\n${TIMED_OUT} ${deploymentDir}.`;
    return `The deployment stopped. ${failed.join("; ")}\nCorrect what is said here, then run the same command again: it goes on from this step.`;
  }
  const errors = Object.entries(result.errors).map(([futureId, texts]) => `${futureId}: ${texts.join(" ")}`);
  if (result.type === DeploymentResultType.PREVIOUS_RUN_ERROR)
    return `An earlier run gave up. ${errors.join("; ")}\n${TIMED_OUT} ${deploymentDir}.`;
  return misfit(deploymentDir, errors.join("; "));
}

/**
 * The transactions that created the contracts. Ignition's own list of transactions fails after one was sent again with
 * higher fees; ours has every attempt, of which one was mined.
 */
async function creationsOf(
  { rpc, signer, sent }: Ignition,
  contracts: readonly DeployedContract[],
): Promise<Creations> {
  const attempts = sent.kept.map((raw) => Transaction.from(raw)).filter(({ to }) => to === null);
  const entries = contracts.map(async ({ contractName, address }): Promise<[string, Creation]> => {
    for (const { nonce, hash } of attempts) {
      if (getCreateAddress({ from: signer.address, nonce }) !== address) continue;
      const receipt = await request<{ blockNumber: Hex } | null>(rpc, "eth_getTransactionReceipt", hash);
      const tx = hash as Hex;
      if (receipt) return [contractName, { address: address as Hex, block: Number(receipt.blockNumber), tx }];
    }
    throw new Error(`${contractName} at ${address} is not on the chain any more. Wait a minute, then run this again.`);
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
