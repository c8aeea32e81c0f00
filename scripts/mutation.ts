/**
 * npm run test:mutation -- [--contract NAME] [--sample N] [--seed S]
 *
 * Changes one place of a contract at a time, compiles it in a copy of the project and runs the tests of that contract, which
 * must pass before. A change that no test notices is a survivor. Prints one line per mutant and the score; exit code 1 below
 * 90 %. Known survivors that change nothing anybody could observe are in scripts/mutation/equivalent.json, with the reason; they
 * do not count.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Mutant, mutantsOf } from "./mutation/mutants.ts";

const TOP = fileURLToPath(new URL("..", import.meta.url));
const LEAST_SCORE = 90;
/** Which tests belong to which source; all must pass before anything is changed. */
const TESTS: Readonly<Record<string, readonly string[]>> = {
  "AlgorithmRegistry.sol": ["AlgorithmRegistry"],
  "AssetRegistry.sol": ["AssetRegistry"],
  "FlexToken.sol": ["tokens"],
  "TestEuro.sol": ["tokens"],
  "ScheduleChecker.sol": ["ScheduleChecker"],
  "SlotLedger.sol": ["SlotLedger", "SlotLedger.confirm"],
  "Settlement.sol": [
    "Settlement.bills",
    "Settlement.batches",
    "Settlement.disputes",
    "Settlement.flexibility",
    "Settlement.intents",
    "Settlement.money",
    "Settlement.registers",
    "Settlement.invariants",
  ],
  "libraries/AccountWord.sol": ["Settlement.bills", "Settlement.disputes", "Settlement.invariants"],
  "libraries/BillTree.sol": ["Settlement.bills", "Settlement.disputes"],
  "libraries/IntentHash.sol": ["Settlement.intents", "Settlement.disputes", "Settlement.flexibility"],
};

type Verdict = "killed" | "survived" | "does not compile" | "equivalent";

function main(): void {
  const { values } = parseArgs({
    options: { contract: { type: "string" }, sample: { type: "string" }, seed: { type: "string", default: "1" } },
  });
  const sources = Object.keys(TESTS).filter((name) => values.contract === undefined || name.includes(values.contract));
  if (sources.length === 0) throw new Error(`Say --contract with a part of one of ${Object.keys(TESTS).join(", ")}.`);
  const all = sources.flatMap((name) => mutantsOf(name, readFileSync(join(TOP, "contracts", name), "utf8")));
  const chosen = values.sample === undefined ? all : sampled(all, Number(values.sample), Number(values.seed));
  const copy = copyOfProject();
  try {
    requirePassing(copy, new Set(chosen.map(({ file }) => file)));
    const counts = new Map<Verdict, number>();
    for (const mutant of chosen) {
      const verdict = judge(copy, mutant);
      counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
      console.log(`${verdict.padEnd(17)}${mutant.file}:${mutant.line}  ${mutant.before}  ->  ${mutant.after}`);
    }
    report(counts, chosen.length, all.length);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Sources, tests and configuration; the installed packages are shared. */
function copyOfProject(): string {
  const copy = mkdtempSync(join(tmpdir(), "oli-move-mutation-"));
  for (const part of [
    "backend",
    "contracts",
    "test",
    "artifacts",
    "cache",
    "package.json",
    "hardhat.config.ts",
    "tsconfig.json",
    ".mocharc.cjs",
  ])
    cpSync(join(TOP, part), join(copy, part), { recursive: true });
  symlinkSync(join(TOP, "node_modules"), join(copy, "node_modules"), "junction");
  return copy;
}

function judge(copy: string, mutant: Mutant): Verdict {
  if (isEquivalent(mutant)) return "equivalent";
  const path = join(copy, "contracts", mutant.file);
  const original = readFileSync(path, "utf8");
  writeFileSync(path, mutant.source);
  try {
    if (!run(copy, "hardhat/dist/src/cli.js", ["build", "--quiet"])) return "does not compile";
    const files = (TESTS[mutant.file] ?? []).map((name) => `test/contracts/${name}.test.ts`);
    return run(copy, "mocha/bin/mocha.js", ["--bail", ...files]) ? "survived" : "killed";
  } finally {
    writeFileSync(path, original);
  }
}

/** Tests that fail anyway would count every mutant as killed. */
function requirePassing(copy: string, files: ReadonlySet<string>): void {
  if (!run(copy, "hardhat/dist/src/cli.js", ["build", "--quiet"])) throw new Error("The contracts do not compile.");
  for (const name of new Set([...files].flatMap((file) => TESTS[file] ?? [])))
    if (!run(copy, "mocha/bin/mocha.js", ["--bail", `test/contracts/${name}.test.ts`]))
      throw new Error(`test/contracts/${name}.test.ts fails without any change. Mend it first.`);
}

/** Whether a program of node_modules ends well. */
function run(cwd: string, program: string, args: readonly string[]): boolean {
  const env = { ...process.env, HARDHAT_DISABLE_TELEMETRY: "true", SETTLEMENT_SEQUENCES: "2", CHECKER_CASES: "60" };
  const command = [join(TOP, "node_modules", program), ...args];
  return spawnSync(process.execPath, command, { cwd, env, stdio: "ignore", timeout: 600_000 }).status === 0;
}

function isEquivalent({ file, before, after }: Mutant): boolean {
  const known = JSON.parse(readFileSync(new URL("mutation/equivalent.json", import.meta.url), "utf8")) as readonly {
    readonly file: string;
    readonly before: string;
    readonly after: string;
  }[];
  return known.some((one) => one.file === file && one.before === before && one.after === after);
}

/** `count` of them, spread evenly after a shuffle by the seed. */
function sampled<T>(all: readonly T[], count: number, seed: number): T[] {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  return all
    .map((one) => ({ one, key: next() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, count)
    .map(({ one }) => one);
}

function report(counts: ReadonlyMap<Verdict, number>, tried: number, all: number): void {
  const of = (verdict: Verdict) => counts.get(verdict) ?? 0;
  const judged = of("killed") + of("survived");
  const score = judged === 0 ? 100 : (100 * of("killed")) / judged;
  console.log(
    `\n${tried} of ${all} mutants: ${of("killed")} killed, ${of("survived")} survived, ${of("equivalent")} equivalent, ${of("does not compile")} do not compile. Score ${score.toFixed(1)} %.`,
  );
  if (score < LEAST_SCORE) process.exitCode = 1;
}

main();
