/** A deployed set of contracts on Hardhat's chain, one actor per role, and calls that read like sentences. */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { Contract, type Interface } from "ethers";
import { network } from "hardhat";
import {
  type ContractName,
  type DeploymentConfig,
  deployContracts,
  loadArtifacts,
  localDeployment,
} from "../../backend/adapters/chain/deployment.ts";
import { failure, type Hex, type Rpc } from "../../backend/adapters/chain/rpc.ts";
import { localSigner } from "../../backend/adapters/chain/signer.ts";

export const { ethers, networkHelpers, provider } = await network.create();

/** A contract whose functions come from its ABI at run time: the compiler knows none of them. */
export type Verbs = any;

/** The key of nobody: only ever used on chains in memory. */
const DEPLOYER_KEY: Hex = `0x${"d".repeat(64)}`;
export const deployer = localSigner(DEPLOYER_KEY);

/** A chain of Hardhat's behind the product's own JSON-RPC type. */
export function rpcOver(chain: typeof provider): Rpc {
  const ask: Rpc["ask"] = (calls) =>
    Promise.all(
      calls.map(async ({ method, params }) => {
        try {
          return { ok: true as const, result: await chain.request({ method, params: [...params] }) };
        } catch (error) {
          return failure(error);
        }
      }),
    );
  return { chainId: 31_337, ask, askEverywhere: async (calls) => [await ask(calls)], close: async () => {} };
}
export const rpc = rpcOver(provider);

/** Another chain on which nothing has happened yet, in which the deployer owns `balance`. */
export async function freshChain(balance = 10n ** 24n, hardfork = "osaka"): Promise<Rpc> {
  const fresh = await network.create({ network: "default", override: { hardfork } });
  await fresh.networkHelpers.setBalance(deployer.address, balance);
  return rpcOver(fresh.provider);
}

export type Actors = Readonly<
  Record<
    "admin" | "guardian" | "operator" | "biller" | "registrar" | "publisher" | "pauser" | "faucet" | "arbiter",
    HardhatEthersSigner
  >
>;

/** Deploys all contracts; `overrides` changes delays and limits. Use inside a named fixture of `loadFixture`. */
export async function deployAll(overrides: Partial<DeploymentConfig> = {}) {
  const [admin, guardian, operator, biller, registrar, publisher, pauser, faucet, arbiter, ...others] =
    await ethers.getSigners();
  const actors = { admin, guardian, operator, biller, registrar, publisher, pauser, faucet, arbiter } as Actors;
  await networkHelpers.setBalance(deployer.address, 10n ** 24n);
  const only = (signer: HardhatEthersSigner): Hex[] => [signer.address as Hex];
  const config = localDeployment(
    {
      guardian: only(actors.guardian),
      operator: only(actors.operator),
      biller: only(actors.biller),
      registrar: only(actors.registrar),
      publisher: only(actors.publisher),
      pauser: only(actors.pauser),
      faucet: only(actors.faucet),
      arbiter: only(actors.arbiter),
    },
    { admin: actors.admin.address as Hex, ...overrides },
  );
  const artifacts = loadArtifacts();
  const manifest = await deployContracts(rpc, deployer, artifacts, config);
  const at = (name: ContractName) =>
    new Contract(
      manifest.contracts[name]?.address ?? "",
      artifacts[name].abi as unknown as Interface,
      ethers.provider,
    ) as Verbs;
  return {
    ...actors,
    others,
    config,
    manifest,
    artifacts,
    manager: at("AccessManager"),
    registry: at("AssetRegistry"),
    checker: at("ScheduleChecker"),
    algorithms: at("AlgorithmRegistry"),
    ledger: at("SlotLedger"),
    flex: at("FlexToken"),
    euro: at("TestEuro"),
    settlement: at("Settlement"),
  };
}
