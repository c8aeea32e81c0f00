/**
 * Networks, endpoints and the deployer's key, as hardhat.config.ts, the environment and Hardhat's keystore name them.
 */
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import type { Hex } from "../../backend/adapters/chain/rpc.ts";
import { hardhat } from "./hardhat.ts";

type Configuration = HardhatRuntimeEnvironment["config"];
type HttpNetwork = Extract<Configuration["networks"][string], { type: "http" }>;
type Secret = HttpNetwork["url"];
export type Network = {
  readonly name: string;
  readonly chainId: number;
  readonly url: Secret;
  readonly accounts: readonly Secret[];
};

/** Throws when hardhat.config.ts has no such network. */
export async function networkNamed(name: string): Promise<Network> {
  const { config } = await hardhat();
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
export const endpointsOf = async ({ url }: Network) =>
  (await secret(url, "CHAIN_RPC_URL")).split(",").map((one) => one.trim());

export const deployerKey = async ({ accounts }: Network) => (await secret(accounts[0], "DEPLOYER_KEY")) as Hex;

async function secret(variable: Secret | undefined, name: string): Promise<string> {
  try {
    return await (variable as Secret).get();
  } catch (error) {
    throw new Error(
      `${name} is not known: ${(error as Error).message.split("\n")[0]} Set it in the environment or with \`npx hardhat keystore set ${name}\`; nothing was sent.`,
    );
  }
}
