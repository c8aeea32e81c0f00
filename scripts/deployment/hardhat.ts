/** Hardhat with this project's settings, wherever it is started from. */
import { fileURLToPath } from "node:url";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";
import type { HttpNetworkUserConfig } from "hardhat/types/config";
import config from "../../hardhat.config.ts";

const TOP = fileURLToPath(new URL("../..", import.meta.url));

export const hardhat = () => createHardhatRuntimeEnvironment(config, {}, TOP);

/** For one network, with the settings that compiled what was deployed and without any key: it can send nothing. */
export function readingOnly(network: string) {
  const keyless = { ...(config.networks?.[network] as HttpNetworkUserConfig), accounts: "remote" as const };
  const networks = { ...config.networks, [network]: keyless };
  return createHardhatRuntimeEnvironment({ ...config, networks }, { network, buildProfile: "default" }, TOP);
}
