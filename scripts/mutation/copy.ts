/** A copy of the project in which contracts may be changed or instrumented while others use the original. */
import { cpSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const TOP = fileURLToPath(new URL("../..", import.meta.url));
const PARTS = [
  ...["backend", "contracts", "test", "artifacts", "cache"],
  ...["package.json", "hardhat.config.ts", "tsconfig.json", ".mocharc.cjs"],
];

/**
 * Sources, tests, compiled contracts and configuration; the installed packages are shared. Contracts may have any size there:
 * code that is not optimised, or counts what it does, is larger than a chain allows. The caller removes the folder.
 */
export function copyOfProject(): string {
  const copy = mkdtempSync(join(tmpdir(), "oli-move-contracts-"));
  for (const part of PARTS) cpSync(join(TOP, part), join(copy, part), { recursive: true });
  symlinkSync(join(TOP, "node_modules"), join(copy, "node_modules"), "junction");
  cpSync(join(TOP, "hardhat.config.ts"), join(copy, "hardhat.original.ts"));
  writeFileSync(
    join(copy, "hardhat.config.ts"),
    `import config from "./hardhat.original.ts";
const own = { ...config.networks.default, allowUnlimitedContractSize: true };
export default { ...config, networks: { ...config.networks, default: own } };\n`,
  );
  return copy;
}
