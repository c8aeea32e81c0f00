/**
 * npm run deploy -- --network NAME --roles FILE
 *
 * Deploys the contracts with the key in DEPLOYER_KEY over CHAIN_RPC_URL, gives the roles to the addresses in FILE and writes
 * deployments/<chainId>.json. The deployer keeps no role. FILE is JSON:
 *   { "admin": "0x..", "guardian": ["0x.."], "operator": ["0x.."], "biller": ["0x.."], "registrar": ["0x.."],
 *     "arbiter": ["0x.."], "publisher": ["0x.."], "pauser": ["0x.."], "faucet": ["0x.."], "euro": null or "0x..", "payees": [{ "cpo": 1, "payee": "0x.." }] }
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { getAddress } from "ethers";
import { algorithmSpecs } from "../backend/adapters/chain/algorithms.ts";
import {
  type DeploymentConfig,
  deployContracts,
  loadArtifacts,
  type RoleHolders,
} from "../backend/adapters/chain/deployment.ts";
import { readManifest, writeManifest } from "../backend/adapters/chain/manifest.ts";
import { connectRpc, type Hex } from "../backend/adapters/chain/rpc.ts";
import { localSigner } from "../backend/adapters/chain/signer.ts";
import { MAX_EARLY } from "../backend/usecases/earlyWeight.ts";
import { EXTRA, SCALE, VOLL } from "../backend/usecases/groupProblem.ts";

const NETWORKS: Readonly<Record<string, number>> = {
  local: 31_337,
  sepolia: 11_155_111,
  hoodi: 560_048,
  "base-sepolia": 84_532,
  "arbitrum-sepolia": 421_614,
  "op-sepolia": 11_155_420,
  "polygon-amoy": 80_002,
  volta: 73_799,
};
const HOUR = 3600;
const DAY = 24 * HOUR;
/** Seconds before something that was announced takes effect, outside local chains. */
const NOTICES = {
  adminDelayS: 2 * DAY,
  windowS: 3 * DAY,
  tariffNoticeS: DAY,
  withdrawNoticeS: 2 * DAY,
  payeeNoticeS: 2 * DAY,
  activationDelayS: DAY,
};
const NONE = { adminDelayS: 0, windowS: 0, tariffNoticeS: 0, withdrawNoticeS: 0, payeeNoticeS: 0, activationDelayS: 0 };
const HOLDERS = ["guardian", "operator", "biller", "registrar", "arbiter", "publisher", "pauser", "faucet"] as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { network: { type: "string" }, roles: { type: "string" } } });
  const { network, roles } = values;
  const chainId = NETWORKS[network ?? ""];
  const { CHAIN_RPC_URL: url, DEPLOYER_KEY: key } = process.env;
  if (network === undefined || chainId === undefined)
    throw new Error(`Say --network with one of ${Object.keys(NETWORKS).join(", ")}.`);
  if (roles === undefined)
    throw new Error("Say --roles with the file that names who holds which role; scripts/deploy.ts shows its form.");
  if (!url || !key)
    throw new Error("Set CHAIN_RPC_URL and DEPLOYER_KEY. The key should be a fresh one: it is needed only once.");
  if ((await readManifest(chainId)) !== null && network !== "local")
    throw new Error(`deployments/${chainId}.json exists. Move it away first if a second deployment is really wanted.`);

  const rpc = await connectRpc({ urls: url.split(",").map((one) => one.trim()), chainId });
  const signer = localSigner(key as Hex);
  const config = configOf(JSON.parse(readFileSync(roles, "utf8")), network === "local");
  console.log(`Deploying to ${network} (chain ${chainId}) from ${signer.address}`);
  const manifest = await deployContracts(rpc, signer, loadArtifacts(), config);
  await writeManifest(manifest);
  for (const [name, { address }] of Object.entries(manifest.contracts)) console.log(`${name.padEnd(18)}${address}`);
  console.log(`Written to deployments/${chainId}.json`);
  await rpc.close();
}

function configOf(file: Record<string, unknown>, local: boolean): DeploymentConfig {
  const address = (value: unknown, name: string): Hex => {
    try {
      return getAddress(value as string) as Hex;
    } catch {
      throw new Error(`The roles file says "${String(value)}" for ${name}; that is no address.`);
    }
  };
  const list = (name: string) => ((file[name] ?? []) as unknown[]).map((value) => address(value, name));
  const holders = Object.fromEntries(HOLDERS.map((name) => [name, list(name)])) as unknown as RoleHolders;
  const twice = holders.biller.find((one) =>
    [holders.operator, holders.registrar, holders.arbiter ?? []].some((list) => list.includes(one)),
  );
  if (twice !== undefined && !local)
    throw new Error(`${twice} would bill and hold another role. Give the biller a key of its own.`);
  const delays = local ? NONE : NOTICES;
  const weights = { maxScale: SCALE, voll: VOLL, extra: EXTRA, maxEarly: MAX_EARLY };
  // Publication takes a few minutes at most; the registry refuses an activation that comes too soon.
  const activeFrom = local ? 0 : Math.floor(Date.now() / 1000) + delays.activationDelayS + HOUR;
  return {
    ...delays,
    admin: address(file.admin, "admin"),
    holders,
    euro: file.euro ? address(file.euro, "euro") : null,
    maxCreditMicroEur: 10_000_000n,
    algorithms: algorithmSpecs(weights, activeFrom),
    payees: ((file.payees ?? []) as { cpo: number; payee: string }[]).map(({ cpo, payee }) => ({
      cpo,
      payee: address(payee, `payee of CPO ${cpo}`),
    })),
  };
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
