/** The compiled contracts from the folder in which `hardhat build` leaves them. */
import { readFileSync } from "node:fs";
import { type Artifact, type Artifacts, type ContractName, SOURCES } from "./artifacts.ts";

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
