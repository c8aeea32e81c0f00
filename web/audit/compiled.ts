/** The contracts as they were compiled with this page: what the code on a chain is compared with. */
import * as AccessManager from "../../artifacts/@openzeppelin/contracts/access/manager/AccessManager.sol/AccessManager.json";
import * as AlgorithmRegistry from "../../artifacts/contracts/AlgorithmRegistry.sol/AlgorithmRegistry.json";
import * as AssetRegistry from "../../artifacts/contracts/AssetRegistry.sol/AssetRegistry.json";
import * as FlexToken from "../../artifacts/contracts/FlexToken.sol/FlexToken.json";
import * as ScheduleChecker from "../../artifacts/contracts/ScheduleChecker.sol/ScheduleChecker.json";
import * as Settlement from "../../artifacts/contracts/Settlement.sol/Settlement.json";
import * as SlotLedger from "../../artifacts/contracts/SlotLedger.sol/SlotLedger.json";
import * as TestEuro from "../../artifacts/contracts/TestEuro.sol/TestEuro.json";
import type { Artifact, Artifacts } from "../../backend/adapters/chain/artifacts.ts";

const part = ({ abi, bytecode }: { readonly abi: unknown; readonly bytecode: string }) =>
  ({ abi, bytecode }) as Artifact;

export const COMPILED: Artifacts = {
  AccessManager: part(AccessManager),
  AssetRegistry: part(AssetRegistry),
  ScheduleChecker: part(ScheduleChecker),
  AlgorithmRegistry: part(AlgorithmRegistry),
  SlotLedger: part(SlotLedger),
  FlexToken: part(FlexToken),
  TestEuro: part(TestEuro),
  Settlement: part(Settlement),
};
