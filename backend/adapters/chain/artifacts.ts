/** The compiled contracts: what the compiler gives, and how their calls are encoded. */
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

export const encodeCall = ({ abi }: Artifact, verb: string, args: readonly unknown[]): Hex =>
  new Interface(abi).encodeFunctionData(verb, args) as Hex;

/** The compiler's creation code with the constructor's arguments behind it. */
export const creationCode = ({ abi, bytecode }: Artifact, args: readonly unknown[]): Hex =>
  `${bytecode}${new Interface(abi).encodeDeploy(args).slice(2)}`;
