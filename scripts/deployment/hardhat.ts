/** Hardhat with this project's settings, wherever it is started from. */
import { fileURLToPath } from "node:url";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";
import type { HttpNetworkUserConfig } from "hardhat/types/config";
import config from "../../hardhat.config.ts";
import type { Sources } from "./sources.ts";

const TOP = fileURLToPath(new URL("../..", import.meta.url));

export const hardhat = () => createHardhatRuntimeEnvironment(config, {}, TOP);

/** For one network, with the settings that compiled what was deployed and without any key: it can send nothing. */
export function readingOnly({ network, rpcUrl, sourcifyUrl }: Sources) {
  const there = config.networks?.[network] as HttpNetworkUserConfig;
  const keyless = { ...there, url: rpcUrl, accounts: "remote" as const };
  const networks = { ...config.networks, [network]: keyless };
  const verify = { ...config.verify, sourcify: sourcifyUrl === undefined ? {} : { apiUrl: sourcifyUrl } };
  return createHardhatRuntimeEnvironment({ ...config, networks, verify }, { network, buildProfile: "default" }, TOP);
}
