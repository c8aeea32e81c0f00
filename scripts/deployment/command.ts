/** What `npm run deploy` does, step by step: everything that can be refused is, before the first transaction. */
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { formatEther } from "ethers";
import { algorithmSpecs } from "../../backend/adapters/chain/algorithms.ts";
import { LOCAL_CHAIN_ID } from "../../backend/adapters/chain/embedded.ts";
import { loadArtifacts } from "../../backend/adapters/chain/loadArtifacts.ts";
import { DEPLOYMENTS, readManifest, writeManifest } from "../../backend/adapters/chain/manifest.ts";
import { requireCancun } from "../../backend/adapters/chain/opcodes.ts";
import { connectRpc, type Hex, type Rpc, request } from "../../backend/adapters/chain/rpc.ts";
import { localSigner } from "../../backend/adapters/chain/signer.ts";
import { REGISTERED } from "../../backend/compose.ts";
import { openFolder } from "./folder.ts";
import { deployWithIgnition } from "./ignite.ts";
import { deployerKey, endpointsOf, type Network, networkNamed } from "./network.ts";
import { configAt, readSettings, requireStranger } from "./settings.ts";

/** Gas of the whole deployment, rounded up; test/scripts/deploy.test.ts holds it against the real one. */
export const GAS = 25_000_000n;

type Say = (text: string) => void;

/** `say` is told what happens. Throws, before the first transaction, when something is missing or must not be. */
export async function deployCommand(args: readonly string[], say: Say): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      network: { type: "string", default: "local" },
      roles: { type: "string" },
      verify: { type: "boolean", default: false },
      /** Folder of the manifests. */
      folder: { type: "string" },
    },
  });
  const folder = values.folder === undefined ? DEPLOYMENTS : pathToFileURL(`${values.folder}/`);
  const network = await networkNamed(values.network);
  if (values.verify) await verify(network, folder, say);
  else await deploy(network, folder, values.roles, say);
}

async function deploy(network: Network, folder: URL, roles: string | undefined, say: Say): Promise<void> {
  const { name, chainId } = network;
  const local = chainId === LOCAL_CHAIN_ID;
  if (roles === undefined)
    throw new Error("Say --roles with the file that names who holds which role; scripts/deploy.ts shows its form.");
  const settings = readSettings(roles, local);
  if (!local && (await readManifest(chainId, folder)) !== null)
    throw new Error(`deployments/${chainId}.json exists. Move it away first if a second deployment is really wanted.`);
  const signer = localSigner(await deployerKey(network));
  if (!local) requireStranger(settings, signer.address);
  const rpc = await connectRpc({ urls: await endpointsOf(network), chainId });
  await requireCancun(rpc);
  await requireFunds(rpc, signer.address, name);

  say(`Deploying to ${name} (chain ${chainId}) from ${signer.address}`);
  const { url, sent, startedAt } = await openFolder(folder, rpc, Math.floor(Date.now() / 1000));
  const manifest = await deployWithIgnition({
    rpc,
    signer,
    artifacts: loadArtifacts(),
    config: configAt(settings, startedAt, (activeFrom) => algorithmSpecs(REGISTERED, activeFrom)),
    folder: url,
    sent,
    say: (step) => say(`  ${step}`),
    pollMs: local ? 100 : 1000,
  });
  await writeManifest(manifest, folder);
  for (const [contract, { address }] of Object.entries(manifest.contracts)) say(`${contract.padEnd(18)}${address}`);
  say(`Written to ${fileURLToPath(new URL(`${chainId}.json`, folder))}`);
}

async function verify(network: Network, folder: URL, say: Say): Promise<void> {
  const { name, chainId } = network;
  const manifest = await readManifest(chainId, folder);
  if (manifest === null) throw new Error(`There is no deployments/${chainId}.json. Deploy first.`);
  // Loaded only here: a deployment does without it.
  const { verifySources } = await import("./sources.ts");
  const results = await verifySources(manifest, {
    network: name,
    rpcUrl: (await endpointsOf(network))[0] as string,
    sourcifyUrl: process.env.SOURCIFY_URL,
  });
  for (const { contract, service, refusal } of results)
    say(`${contract.padEnd(18)}${service.padEnd(10)} ${refusal ?? "holds the sources"}`);
  const missing = results.filter(({ refusal }) => refusal !== null);
  if (missing.length > 0)
    throw new Error(
      `${missing.length} of ${results.length} were not verified. The contracts work all the same; try again later.`,
    );
}

/** A key that has sent nothing yet must be able to pay for everything. */
async function requireFunds(rpc: Rpc, deployer: Hex, network: string): Promise<void> {
  if (Number(await request<Hex>(rpc, "eth_getTransactionCount", deployer, "latest")) > 0) return;
  const balance = BigInt(await request<Hex>(rpc, "eth_getBalance", deployer, "latest"));
  const needed = GAS * BigInt(await request<Hex>(rpc, "eth_gasPrice"));
  if (balance < needed)
    throw new Error(
      `The deployer ${deployer} has ${formatEther(balance)} ether on ${network}; the deployment may cost ${formatEther(needed)}. Send it so much; nothing was sent yet.`,
    );
}
