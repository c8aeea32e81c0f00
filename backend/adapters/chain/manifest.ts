/**
 * deployments/<chainId>.json: what was deployed where. A service starts only on contracts that are what this source
 * compiles to, byte for byte, and whose deployment can no longer be undone by a reorganisation.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { type Artifacts, deploymentDifferences, type Manifest } from "./deployment.ts";
import { type Hex, type Rpc, request } from "./rpc.ts";

/** Where manifests are kept. */
export const DEPLOYMENTS = new URL("../../../deployments/", import.meta.url);

/** The manifest of a chain; null when nothing of ours was deployed there. */
export async function readManifest(chainId: number, folder: URL = DEPLOYMENTS): Promise<Manifest | null> {
  const file = new URL(`${chainId}.json`, folder);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.chainId !== chainId || typeof manifest.contracts?.Settlement?.address !== "string")
    throw new Error(`deployments/${chainId}.json is no manifest of chain ${chainId}. Restore it from version control.`);
  return manifest;
}

/** Writes the file whole or not at all. */
export async function writeManifest(manifest: Manifest, folder: URL = DEPLOYMENTS): Promise<void> {
  await mkdir(folder, { recursive: true });
  const draft = new URL(`${manifest.chainId}.json.draft`, folder);
  await writeFile(draft, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(draft, new URL(`${manifest.chainId}.json`, folder));
}

/** Throws unless the chain carries the local compile, `depth` blocks deep. */
export async function requireDeployment(
  rpc: Rpc,
  manifest: Manifest,
  artifacts: Artifacts,
  depth: number,
): Promise<void> {
  const differences = await deploymentDifferences(rpc, manifest, artifacts);
  if (differences.length > 0)
    throw new Error(
      `The contracts on chain ${rpc.chainId} are not the ones of this source:\n${differences.join("\n")}\nCheck out the version that was deployed, or deploy this one.`,
    );
  const head = Number(await request<Hex>(rpc, "eth_blockNumber"));
  const last = Math.max(...Object.values(manifest.contracts).map(({ block }) => block));
  if (head - last < depth)
    throw new Error(
      `The deployment in block ${last} is ${head - last} blocks deep, ${depth} are needed. Wait for ${depth - (head - last)} more blocks, then start again.`,
    );
}
