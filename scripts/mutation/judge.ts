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

/** `by` is the first test that failed, or nothing. */
export type Judgement = {
  readonly verdict: "killed" | "survived" | "does not compile" | "same code";
  readonly by: string;
};
/** A mutant to be judged; the name of a file whose tests must pass; null when there is nothing more to do. */
export type Task = Mutant | string | null;

const copy = copyOfProject();
const originals = new Map<string, string | null>();

parentPort?.on("message", (task: Task) => {
  if (task === null) {
    rmSync(copy, { recursive: true, force: true });
    parentPort?.close();
  } else parentPort?.postMessage(typeof task === "string" ? failing(task, original(task)) : judge(task));
});

function judge({ file, source }: Mutant): Judgement {
  const contract = contractOf(file);
  const code = creationCode(contract, { [file]: source }, "quick");
  if (code === null) return { verdict: "does not compile", by: "" };
  if (code === original(file)) return { verdict: "same code", by: "" };
  const by = failing(file, code);
  if (by !== "") return { verdict: "killed", by };
  // Half of the time is for the optimiser: it is asked only when it can change the verdict.
  const optimised = creationCode(contract, { [file]: source }, "production");
  return { verdict: optimised === original(file, "production") ? "same code" : "survived", by: "" };
}

/** First of the tests of `file` that fails when its contract has this creation code; empty when none does. */
function failing(file: string, code: string | null): string {
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

function mocha(files: readonly string[]): string {
  // Fewer random cases than in `npm test`, the same ones for each mutant.
  const few = { SETTLEMENT_SEQUENCES: "8", CHECKER_CASES: "60" };
  const env = { ...process.env, ...few, HARDHAT_DISABLE_TELEMETRY: "true", NODE_COMPILE_CACHE: join(copy, "cache") };
  const program = join(TOP, "node_modules", "mocha", "bin", "mocha.js");
  // A busy machine must not look like a mistake that was noticed.
  const command = [program, "--bail", "--reporter", "tap", "--timeout", "1200000", ...files];
  const options = { cwd: copy, env, encoding: "utf8", timeout: 3_600_000, maxBuffer: 2 ** 28 } as const;
  let words = "";
  for (let attempt = 1; attempt <= 2; attempt++) {
    const { status, stdout, stderr } = spawnSync(process.execPath, command, options);
    const [, title] = /^not ok \d+ (.*)$/m.exec(stdout) ?? [];
    if (title !== undefined) return title;
    if (status === 0) return "";
    words = `${stdout.slice(-2_000)}${stderr.slice(-2_000)}`;
  }
  // Only a test that failed counts: a process that ends in another way says nothing about the mutant.
  throw new Error(`The tests ended twice before any of them failed.\n${words}`);
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
