/** A thread that judges one mutant after the other, in a copy of the project of its own. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parentPort } from "node:worker_threads";
import { creationCode } from "./compile.ts";
import { copyOfProject, TOP } from "./copy.ts";
import type { Mutant } from "./mutants.ts";
import type { Effort } from "./optimizer.ts";
import { TARGETS } from "./targets.ts";

export type Verdict = "killed" | "survived" | "does not compile" | "same code";
/** A mutant to be judged; the name of a file whose tests must pass; null when there is nothing more to do. */
export type Task = Mutant | string | null;

const copy = copyOfProject();
const originals = new Map<string, string | null>();

parentPort?.on("message", (task: Task) => {
  if (task === null) {
    rmSync(copy, { recursive: true, force: true });
    parentPort?.close();
  } else parentPort?.postMessage(typeof task === "string" ? passes(task, original(task)) : judge(task));
});

function judge({ file, source }: Mutant): Verdict {
  const code = creationCode(contractOf(file), { [file]: source }, "quick");
  if (code === null) return "does not compile";
  if (code === original(file)) return "same code";
  if (!passes(file, code)) return "killed";
  // Half of the time is for the optimiser: it is asked only when it can change the verdict.
  const optimised = creationCode(contractOf(file), { [file]: source }, "production");
  return optimised === original(file, "production") ? "same code" : "survived";
}

/** Whether the tests of `file` pass when its contract has this creation code. */
function passes(file: string, code: string | null): boolean {
  const contract = contractOf(file);
  const path = join(copy, "artifacts", "contracts", `${contract}.sol`, `${contract}.json`);
  const artifact = readFileSync(path, "utf8");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(artifact), bytecode: code }));
  try {
    return mocha((TARGETS[file]?.tests ?? []).map((name) => `test/contracts/${name}.test.ts`));
  } finally {
    writeFileSync(path, artifact);
  }
}

function mocha(files: readonly string[]): boolean {
  // Fewer random cases than in `npm test`, the same ones for each mutant.
  const few = { SETTLEMENT_SEQUENCES: "8", CHECKER_CASES: "60" };
  const env = { ...process.env, ...few, HARDHAT_DISABLE_TELEMETRY: "true", NODE_COMPILE_CACHE: join(copy, "cache") };
  const command = [join(TOP, "node_modules", "mocha", "bin", "mocha.js"), "--bail", ...files];
  return spawnSync(process.execPath, command, { cwd: copy, env, stdio: "ignore", timeout: 600_000 }).status === 0;
}

function original(file: string, effort: Effort = "quick"): string | null {
  const contract = contractOf(file);
  const key = `${contract} ${effort}`;
  const known = originals.get(key) ?? creationCode(contract, {}, effort);
  originals.set(key, known);
  return known;
}

function contractOf(file: string): string {
  return TARGETS[file]?.contract ?? "";
}
