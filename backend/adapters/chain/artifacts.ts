/** The compiled contracts, as `hardhat build` writes them. */
import { readFileSync } from "node:fs";
import { Interface, type InterfaceAbi } from "ethers";
import type { Hex } from "./rpc.ts";

/** Source file of each contract that is deployed. */
export const SOURCES = {
  AccessManager: "@openzeppelin/contracts/access/manager/AccessManager.sol",
  AssetRegistry: "contracts/AssetRegistry.sol",
  ScheduleChecker: "contracts/ScheduleChecker.sol",
  AlgorithmRegistry: "contracts/AlgorithmRegistry.sol",
  SlotLedger: "contracts/SlotLedger.sol",
  FlexToken: "contracts/FlexToken.sol",
  TestEuro: "contracts/TestEuro.sol",
  Settlement: "contracts/Settlement.sol",
} as const;

export type ContractName = keyof typeof SOURCES;
export type Artifact = { readonly abi: InterfaceAbi; readonly bytecode: Hex };
export type Artifacts = Readonly<Record<ContractName, Artifact>>;

/** Reads what `hardhat build` wrote. Throws when the contracts are not compiled. */
export function loadArtifacts(folder: URL | string = new URL("../../../artifacts/", import.meta.url)): Artifacts {
  const read = (name: ContractName): Artifact => {
    const file = new URL(`${SOURCES[name]}/${name}.json`, folder);
    try {
      return JSON.parse(readFileSync(file, "utf8")) as Artifact;
    } catch (error) {
      throw new Error(`The compiled contract ${name} cannot be read. Run \`node scripts/setup.mjs\` to compile.`, {
        cause: error,
      });
    }
  };
  return Object.fromEntries((Object.keys(SOURCES) as ContractName[]).map((name) => [name, read(name)])) as Artifacts;
}

export const encodeCall = ({ abi }: Artifact, verb: string, args: readonly unknown[]): Hex =>
  new Interface(abi).encodeFunctionData(verb, args) as Hex;

/** The compiler's creation code with the constructor's arguments behind it. */
export const creationCode = ({ abi, bytecode }: Artifact, args: readonly unknown[]): Hex =>
  `${bytecode}${new Interface(abi).encodeDeploy(args).slice(2)}`;
