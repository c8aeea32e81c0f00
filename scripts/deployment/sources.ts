/**
 * Source verification: the manifest's contracts are shown, with their sources, to Sourcify and to an explorer whose
 * key is given.
 */
import { verifyContract } from "@nomicfoundation/hardhat-verify/verify";
import { type ContractName, SOURCES } from "../../backend/adapters/chain/artifacts.ts";
import type { DeployedContract, Manifest } from "../../backend/adapters/chain/deployment.ts";
import { readingOnly } from "./hardhat.ts";

export type Sources = {
  readonly network: string;
  readonly rpcUrl: string;
  /** Another Sourcify than the public one. */
  readonly sourcifyUrl?: string | undefined;
};

export type SourceResult = {
  readonly contract: ContractName;
  readonly service: "sourcify" | "etherscan";
  /** Null: the service holds the sources now. */
  readonly refusal: string | null;
};

/**
 * Never throws for a service that is away or says no: that is in the result. Sourcify calls AccessManager and
 * ScheduleChecker a match, not an exact match: alone they need no remapping, and the build's is in their metadata.
 */
export async function verifySources(manifest: Manifest, sources: Sources): Promise<SourceResult[]> {
  const hre = await readingOnly(sources);
  const explorer = (await hre.config.verify.etherscan.apiKey.get()) !== "";
  const results: SourceResult[] = [];
  for (const service of explorer ? (["sourcify", "etherscan"] as const) : (["sourcify"] as const))
    for (const [contract, deployed] of Object.entries(manifest.contracts) as [ContractName, DeployedContract][]) {
      const what = {
        address: deployed.address,
        constructorArgs: [...deployed.args],
        contract: `${SOURCES[contract]}:${contract}`,
        creationTxHash: deployed.tx,
        provider: service,
      };
      const refusal = await verifyContract(what, hre).then(
        () => null,
        (error: Error) => error.message,
      );
      results.push({ contract, service, refusal });
    }
  return results;
}
