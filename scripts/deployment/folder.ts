/** deployments/chain-<chain>-<genesis>/: what a deployment that was cut off needs to go on. */
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { Transaction } from "ethers";
import type { SendingJournal } from "../../backend/adapters/chain/confirmedSender.ts";
import { type Hex, type Rpc, request } from "../../backend/adapters/chain/rpc.ts";

export type DeploymentFolder = {
  readonly url: URL;
  /** What this run keeps is in it at once. */
  readonly sent: SendingJournal;
  /**
   * Start of the run that sent the first transaction, epoch seconds: what is published names instants counted from
   * it.
   */
  readonly startedAt: number;
};

/** Local chains come and go under one chain id: the genesis block tells them apart. `nowAt`: epoch seconds. */
export async function openFolder(deployments: URL, rpc: Rpc, nowAt: number): Promise<DeploymentFolder> {
  const { hash } = await request<{ hash: Hex }>(rpc, "eth_getBlockByNumber", "0x0", false);
  const url = new URL(`chain-${rpc.chainId}-${hash.slice(2, 10)}/`, deployments);
  await mkdir(url, { recursive: true });
  const sent = await sentIn(new URL("sent.txt", url));
  const started = new URL("started.json", url);
  if (sent.kept.length > 0) return { url, sent, startedAt: JSON.parse(await readFile(started, "utf8")).startedAt };
  await writeFile(started, `${JSON.stringify({ startedAt: nowAt })}\n`, { flush: true });
  return { url, sent, startedAt: nowAt };
}

/** One signed transaction per line, on the disk before it is sent. */
async function sentIn(file: URL): Promise<SendingJournal> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const kept = text.split("\n").filter((line): line is Hex => isTransaction(line));
  return {
    kept,
    async keep(raw) {
      await appendFile(file, `\n${raw}`, { flush: true });
      kept.push(raw);
    },
  };
}

/** A line that was cut off is one that was never sent. */
function isTransaction(line: string): boolean {
  try {
    return Transaction.from(line).isSigned();
  } catch {
    return false;
  }
}
