/**
 * npm run deploy -- --network NAME --roles FILE     deploys, and writes deployments/<chainId>.json
 * npm run deploy -- --network NAME --verify         shows the sources of what is deployed to Sourcify
 *
 * Networks are in hardhat.config.ts. CHAIN_RPC_URL names the endpoint and DEPLOYER_KEY the key, in the environment or in Hardhat's
 * keystore (`npx hardhat keystore set DEPLOYER_KEY`). The deployer keeps no role. FILE is JSON:
 *   { "admin": "0x..", "guardian": ["0x.."], "operator": ["0x.."], "biller": ["0x.."], "registrar": ["0x.."],
 *     "arbiter": ["0x.."], "publisher": ["0x.."], "pauser": ["0x.."], "faucet": ["0x.."],
 *     "euro": null or "0x..", "payees": [{ "cpo": 1, "payee": "0x.." }], "delays": { "windowS": 259200 } }
 * Who is cut off starts the same command again: it goes on where it stopped. --folder FOLDER is another place than deployments/.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { formatEther } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import { algorithmSpecs } from "../backend/adapters/chain/algorithms.ts";
import { loadArtifacts } from "../backend/adapters/chain/artifacts.ts";
import { LOCAL_CHAIN_ID } from "../backend/adapters/chain/embedded.ts";
import { DEPLOYMENTS, readManifest, writeManifest } from "../backend/adapters/chain/manifest.ts";
import { requireCancun } from "../backend/adapters/chain/opcodes.ts";
import { connectRpc, type Hex, type Rpc, request } from "../backend/adapters/chain/rpc.ts";
import { localSigner } from "../backend/adapters/chain/signer.ts";
import { REGISTERED } from "../backend/compose.ts";
import { openFolder } from "./deployment/folder.ts";
import { hardhat } from "./deployment/hardhat.ts";
import { deployWithIgnition } from "./deployment/ignite.ts";
import { configAt, readSettings, requireStranger } from "./deployment/settings.ts";

/** Gas of the whole deployment, rounded up; test/scripts/deploy.test.ts holds it against the real one. */
const GAS = 25_000_000n;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      network: { type: "string", default: "local" },
      roles: { type: "string" },
      verify: { type: "boolean", default: false },
      /** Folder of the manifests. */
      folder: { type: "string" },
    },
  });
  const folder = values.folder === undefined ? DEPLOYMENTS : pathToFileURL(`${values.folder}/`);
  const network = networkNamed((await hardhat()).config, values.network);
  if (values.verify) await verify(network, folder);
  else await deploy(network, folder, values.roles);
}

async function deploy(network: Network, folder: URL, roles: string | undefined): Promise<void> {
  const { name, chainId } = network;
  const local = chainId === LOCAL_CHAIN_ID;
  if (roles === undefined)
    throw new Error("Say --roles with the file that names who holds which role; scripts/deploy.ts shows its form.");
  const settings = readSettings(readJson(roles), local);
  if (!local && (await readManifest(chainId, folder)) !== null)
    throw new Error(`deployments/${chainId}.json exists. Move it away first if a second deployment is really wanted.`);
  const signer = localSigner((await secret(network.accounts[0], "DEPLOYER_KEY")) as Hex);
  if (!local) requireStranger(settings, signer.address);
  const rpc = await connectRpc({ urls: await endpoints(network), chainId });
  await requireCancun(rpc);
  await requireFunds(rpc, signer.address, name);

  console.log(`Deploying to ${name} (chain ${chainId}) from ${signer.address}`);
  const { url, sent, startedAt } = await openFolder(folder, rpc, Math.floor(Date.now() / 1000));
  const manifest = await deployWithIgnition({
    rpc,
    signer,
    artifacts: loadArtifacts(),
    config: configAt(settings, startedAt, (activeFrom) => algorithmSpecs(REGISTERED, activeFrom)),
    folder: url,
    sent,
    say: (step) => console.log(`  ${step}`),
    pollMs: local ? 100 : 1000,
  });
  await writeManifest(manifest, folder);
  for (const [contract, { address }] of Object.entries(manifest.contracts))
    console.log(`${contract.padEnd(18)}${address}`);
  console.log(`Written to ${fileURLToPath(new URL(`${chainId}.json`, folder))}`);
}

async function verify(network: Network, folder: URL): Promise<void> {
  const { name, chainId } = network;
  const manifest = await readManifest(chainId, folder);
  if (manifest === null) throw new Error(`There is no deployments/${chainId}.json. Deploy first.`);
  // Loaded only here: a deployment does without it.
  const { verifySources } = await import("./deployment/sources.ts");
  const results = await verifySources(manifest, {
    network: name,
    rpcUrl: (await endpoints(network))[0] as string,
    sourcifyUrl: process.env.SOURCIFY_URL,
  });
  for (const { contract, service, refusal } of results)
    console.log(`${contract.padEnd(18)}${service.padEnd(10)} ${refusal ?? "holds the sources"}`);
  const missing = results.filter(({ refusal }) => refusal !== null);
  if (missing.length > 0)
    throw new Error(
      `${missing.length} of ${results.length} were not verified. The contracts work all the same; try again later.`,
    );
}

function readJson(path: string): unknown {
  const text = readFileSync(path, "utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is no JSON: ${(error as Error).message}`);
  }
}

type Configuration = HardhatRuntimeEnvironment["config"];
type HttpNetwork = Extract<Configuration["networks"][string], { type: "http" }>;
type Secret = HttpNetwork["url"];
type Network = {
  readonly name: string;
  readonly chainId: number;
  readonly url: Secret;
  readonly accounts: readonly Secret[];
};

function networkNamed(config: Configuration, name: string): Network {
  const networks = Object.entries(config.networks).flatMap(([name, network]): Network[] => {
    // Hardhat adds networks of its own, without a chain id.
    if (network.type !== "http" || network.chainId === undefined || !Array.isArray(network.accounts)) return [];
    return [{ name, chainId: network.chainId, url: network.url, accounts: network.accounts }];
  });
  const found = networks.find((one) => one.name === name);
  if (found) return found;
  throw new Error(
    `There is no network ${name}. Say --network with one of ${networks.map(({ name }) => name).join(", ")}.`,
  );
}

/** As the service reads them: one or more, separated by commas. */
const endpoints = async ({ url }: Network) => (await secret(url, "CHAIN_RPC_URL")).split(",").map((one) => one.trim());

async function secret(variable: Secret | undefined, name: string): Promise<string> {
  try {
    return await (variable as Secret).get();
  } catch (error) {
    throw new Error(
      `${name} is not known: ${(error as Error).message.split("\n")[0]} Set it in the environment or with \`npx hardhat keystore set ${name}\`; nothing was sent.`,
    );
  }
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

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
