/** A copy of the project in which contracts may be changed or instrumented while others use the original. */
import { cpSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OPTIMIZER } from "./optimizer.ts";

export const TOP = fileURLToPath(new URL("../..", import.meta.url));
const PARTS = [
  ...["backend", "contracts", "test", "artifacts", "cache"],
  ...["package.json", "hardhat.config.ts", "tsconfig.json", ".mocharc.cjs"],
];

/**
 * Sources, tests, compiled contracts and configuration; the installed packages are shared. Hardhat optimises less there, and
 * contracts may have any size: code that is changed, or counts what it does, is larger than a chain allows and can have too
 * many variables for the full optimiser. The caller removes the folder.
 */
export function copyOfProject(): string {
  const copy = mkdtempSync(join(tmpdir(), "oli-move-contracts-"));
  for (const part of PARTS) cpSync(join(TOP, part), join(copy, part), { recursive: true });
  symlinkSync(join(TOP, "node_modules"), join(copy, "node_modules"), "junction");
  cpSync(join(TOP, "hardhat.config.ts"), join(copy, "hardhat.original.ts"));
  writeFileSync(
    join(copy, "hardhat.config.ts"),
    `import config from "./hardhat.original.ts";
const [first] = config.solidity.compilers;
const compiler = { ...first, settings: { ...first.settings, optimizer: ${JSON.stringify(OPTIMIZER.counting)} } };
const chain = { ...config.networks.default, allowUnlimitedContractSize: true };
export default {
  ...config,
  solidity: { ...config.solidity, compilers: [compiler], overrides: {} },
  networks: { ...config.networks, default: chain },
  test: { ...config.test, mocha: { timeout: 1_200_000 } },
};\n`,
  );
  return copy;
}
