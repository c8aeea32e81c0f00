/**
 * npm run test:coverage
 *
 * Runs the contract tests in a copy of the project in which the contracts count what is executed: lines by Hardhat, branches by
 * scripts/mutation/branches.ts. Prints what is missing; exit code 1 when a line was never executed or a condition was never
 * true or never false.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Condition, conditionsOf, HELPER, HELPER_FILE, marked, markOf } from "./mutation/branches.ts";
import { copyOfProject, TOP } from "./mutation/copy.ts";
import { TARGETS } from "./mutation/targets.ts";

const files = Object.keys(TARGETS).map((name) => `contracts/${name}`);
const tests = new Set(
  Object.values(TARGETS).flatMap(({ tests }) => tests.map((name) => `test/contracts/${name}.test.ts`)),
);

const copy = copyOfProject();
try {
  const conditions = conditionsOf(files, sourceOf);
  writeFileSync(join(copy, HELPER_FILE), HELPER);
  for (const file of files) {
    const wrapped = marked(file, sourceOf(file), conditions);
    writeFileSync(join(copy, file), wrapped);
  }
  runTests();
  report(lines(), conditions, marksSeen());
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function sourceOf(path: string): string {
  return readFileSync(join(TOP, path.startsWith("contracts/") ? path : `node_modules/${path}`), "utf8");
}

function runTests(): void {
  const program = join(TOP, "node_modules", "hardhat", "dist", "src", "cli.js");
  // Code that counts costs more gas than code that is deployed.
  const command = [program, "--coverage", "test", "mocha", "--grep-exclude", "below the gas cap", ...tests];
  const few = { CHECKER_CASES: "60", SETTLEMENT_SEQUENCES: "8" };
  const env = { ...process.env, ...few, HARDHAT_DISABLE_TELEMETRY: "true" };
  const { status } = spawnSync(process.execPath, command, { cwd: copy, env, stdio: "inherit" });
  if (status !== 0) throw new Error("The contract tests fail when they are counted; their own words are above.");
}

/** What Hardhat found out about lines: SF names a file, DA a line and whether it was executed. */
function lines(): { file: string; line: number; hit: boolean }[] {
  let file = "";
  return readFileSync(join(copy, "coverage", "lcov.info"), "utf8")
    .split("\n")
    .flatMap((text) => {
      if (text.startsWith("SF:")) file = text.slice(3);
      const [, line, count] = /^DA:(\d+),(\d+)/.exec(text) ?? [];
      return line !== undefined && files.includes(file) ? [{ file, line: Number(line), hit: count !== "0" }] : [];
    });
}

function marksSeen(): Set<string> {
  const folder = join(copy, "coverage", "data", "mocha");
  return new Set(
    readdirSync(folder).flatMap((name) => Object.keys(JSON.parse(readFileSync(join(folder, name), "utf8")))),
  );
}

function report(found: ReturnType<typeof lines>, conditions: readonly Condition[], seen: ReadonlySet<string>): void {
  // A run in which nothing was counted would look complete.
  if (found.length === 0 || seen.size === 0) throw new Error("Hardhat counted nothing: did its files move?");
  const missed = found.filter(({ hit }) => !hit);
  const open = conditions.flatMap((one, i) =>
    [true, false].filter((value) => !seen.has(markOf(i, value))).map((value) => ({ ...one, value })),
  );
  for (const { file, line } of missed) console.log(`${file}:${line}  never executed`);
  for (const { file, line, text, value } of open) console.log(`${file}:${line}  never ${value}: ${text}`);
  const [all, both] = [found.length, 2 * conditions.length];
  console.log(`Lines ${all - missed.length} of ${all}, branches ${both - open.length} of ${both}.`);
  if (missed.length + open.length > 0) process.exitCode = 1;
}
