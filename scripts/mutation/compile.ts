/** One contract compiled in this process, which keeps the compiler loaded: seconds instead of a whole `hardhat build`. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { TOP } from "./copy.ts";
import { type Effort, OPTIMIZER } from "./optimizer.ts";

type Solc = {
  compile(input: string, callbacks: { import(path: string): { contents: string } | { error: string } }): string;
};
type Output = {
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, { evm: { bytecode: { object: string } } }>>>>;
};

const solc = createRequire(import.meta.url)("solc") as Solc;

/**
 * Creation code of `contracts/<contract>.sol` when `changed` replaces files by name (relative to contracts/); null when it does
 * not compile.
 */
export function creationCode(
  contract: string,
  changed: Readonly<Record<string, string>>,
  effort: Effort,
): string | null {
  const name = `contracts/${contract}.sol`;
  const read = (path: string) => {
    const own = changed[path.replace(/^contracts\//, "")];
    return own ?? readFileSync(join(TOP, path.startsWith("contracts/") ? path : `node_modules/${path}`), "utf8");
  };
  const input = {
    language: "Solidity",
    sources: { [name]: { content: read(name) } },
    settings: {
      evmVersion: "cancun",
      viaIR: true,
      optimizer: OPTIMIZER[effort],
      debug: { debugInfo: [] },
      // Without the hash of the source at its end, equal code is equal.
      metadata: { appendCBOR: false, bytecodeHash: "none" },
      outputSelection: { [name]: { [contract]: ["evm.bytecode.object"] } },
    },
  };
  const output = JSON.parse(
    solc.compile(JSON.stringify(input), { import: (path) => ({ contents: read(path) }) }),
  ) as Output;
  const code = output.contracts?.[name]?.[contract]?.evm.bytecode.object;
  return code === undefined || code === "" ? null : `0x${code}`;
}
