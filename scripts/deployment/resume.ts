/** What has to be put right in Ignition's journal before a deployment that was cut off goes on. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Artifact, type EIP1193Provider, status, trackTransaction, wipe } from "@nomicfoundation/ignition-core";
import { Transaction } from "ethers";
import type { Artifacts, ContractName } from "../../backend/adapters/chain/artifacts.ts";
import type { SendingJournal } from "../../backend/adapters/chain/confirmedSender.ts";
import { call, type Rpc, request } from "../../backend/adapters/chain/rpc.ts";

/**
 * Prepares the journal of an earlier run. What is on the chain must be this code (Ignition compares only what is not);
 * a step that failed or has sent nothing is forgotten, so that it can be tried with other arguments. One that timed out
 * may still happen.
 */
export async function takeUp(deploymentDir: string, artifacts: Artifacts): Promise<void> {
  const file = (name: string) => readFileSync(join(deploymentDir, name), "utf8");
  if (!existsSync(join(deploymentDir, "journal.jsonl"))) return;
  dropIfCutOff(join(deploymentDir, "deployed_addresses.json"));
  const { contracts, failed, started } = await status(deploymentDir, resolverOf(artifacts));
  for (const [futureId, { contractName }] of Object.entries(contracts))
    if (JSON.parse(file(`artifacts/${futureId}.json`)).bytecode !== artifacts[contractName as ContractName].bytecode)
      throw new Error(misfit(deploymentDir, `${contractName} was deployed with another bytecode.`));
  const lines = file("journal.jsonl")
    .split("\n")
    .filter((line) => line.includes('"TRANSACTION_PREPARE_SEND"'));
  const sending = new Set(lines.map((line) => JSON.parse(line).futureId));
  const idle = [...failed.map(({ futureId }) => futureId), ...started.filter((futureId) => !sending.has(futureId))];
  for (const futureId of idle) await wipe(deploymentDir, resolverOf(artifacts), futureId);
}

/** Ignition keeps a list of addresses for people, beside its journal; one that a kill cut off would stop the next run. */
function dropIfCutOff(list: string): void {
  try {
    JSON.parse(readFileSync(list, "utf8"));
  } catch {
    rmSync(list, { force: true });
  }
}

/**
 * Where a run died between "about to send" and "sent": the transaction is in our own journal, or it was never sent.
 * Throws any other error, with the remedy.
 */
export async function recover(
  { rpc, sent, artifacts }: { readonly rpc: Rpc; readonly sent: SendingJournal; readonly artifacts: Artifacts },
  deploymentDir: string,
  provider: EIP1193Provider,
  error: unknown,
): Promise<void> {
  const lost = lostTransaction(error);
  if (lost === null)
    throw new Error(
      `The deployment stopped: ${(error as Error).message}\nMend that, then run the same command again: it goes on from there.`,
      { cause: error },
    );
  const raw = sent.kept.findLast((bytes) => Transaction.from(bytes).nonce === lost.nonce);
  if (raw === undefined) return wipe(deploymentDir, resolverOf(artifacts), lost.futureId);
  const hash = Transaction.from(raw).hash as string;
  // It may be mined, on its way or lost; what the node says to the same bytes a second time matters only when it is
  // lost.
  const [again] = await rpc.ask([call("eth_sendRawTransaction", raw)]);
  if ((await request(rpc, "eth_getTransactionByHash", hash)) === null)
    throw new Error(
      `The node does not take transaction ${hash} of ${lost.futureId}: ${again?.ok ? "it forgets it" : again?.message}. Mend that (most often the deployer has too little ether), then run the same command again.`,
    );
  await trackTransaction(deploymentDir, hash, provider, 1);
}

/** Ignition's error TRANSACTION_LOST. */
function lostTransaction(error: unknown): { readonly futureId: string; readonly nonce: number } | null {
  const { number, messageArguments } = error as { number?: number; messageArguments?: object };
  return number === 10_410 ? (messageArguments as { futureId: string; nonce: number }) : null;
}

export const misfit = (deploymentDir: string, difference: string) =>
  `What is to be deployed does not fit what was begun in ${deploymentDir}. ${difference}\nRepeat the first run's code and roles, or move that folder away and begin with a fresh key.`;

/** Ignition is given its artifacts with the module; it asks for nothing else. */
export function resolverOf(artifacts: Artifacts) {
  return {
    loadArtifact: async (name: string) => artifacts[name as ContractName] as unknown as Artifact,
    getBuildInfo: async () => undefined,
  };
}
