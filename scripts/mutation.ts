/**
 * npm run test:mutation -- [--contract NAME] [--lines FROM-TO] [--sample N] [--seed S] [--jobs J]
 *
 * Changes one place of a contract at a time, compiles that contract, and runs its tests, which must pass before, against the
 * changed code. A change that no test notices is a survivor. Prints one line per mutant and a table of scores; exit code 1 when
 * the whole is below 90 %. Changes that leave the compiled code as it was are no mistakes, and those listed with a reason in
 * scripts/mutation/equivalent.json change nothing that anybody could observe: neither counts.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { TOP } from "./mutation/copy.ts";
import type { Judgement, Task } from "./mutation/judge.ts";
import { type Mutant, mutantsOf } from "./mutation/mutants.ts";
import { TARGETS } from "./mutation/targets.ts";

const LEAST_SCORE = 90;
type Result = Judgement["verdict"] | "equivalent";

const { values } = parseArgs({
  options: {
    contract: { type: "string" },
    lines: { type: "string", default: "1-9999" },
    sample: { type: "string" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: "2" },
  },
});
const sources = Object.keys(TARGETS).filter((name) => values.contract === undefined || name.includes(values.contract));
if (sources.length === 0) throw new Error(`Say --contract with a part of one of ${Object.keys(TARGETS).join(", ")}.`);
const [from = 1, to = from] = values.lines.split("-").map(Number);
const all = sources
  .flatMap((name) => mutantsOf(name, readFileSync(join(TOP, "contracts", name), "utf8")))
  .filter(({ line }) => line >= from && line <= to);
const chosen = values.sample === undefined ? all : sampled(all, Number(values.sample), Number(values.seed));
const results = await judgeAll(chosen, Number(values.jobs));
report(chosen, results);

/** Verdicts in the order of the mutants, each printed as soon as all before it are known. */
async function judgeAll(mutants: readonly Mutant[], jobs: number): Promise<Result[]> {
  const known = knownEquivalents();
  const found: { verdict: Result; by: string }[] = [];
  let printed = 0;
  let next = 0;
  const workers = Array.from({ length: jobs }, () => startJudge());
  try {
    // Tests that fail anyway would count every mutant as killed.
    for (const file of new Set(mutants.map(({ file }) => file)))
      if ((await workers[0]!.ask(file)) !== "")
        throw new Error(`The tests of contracts/${file} fail without any change. Mend them first.`);
    await Promise.all(
      workers.map(async ({ ask }) => {
        for (let i = next++; i < mutants.length; i = next++) {
          const mutant = mutants[i]!;
          found[i] = known(mutant) ? { verdict: "equivalent", by: "" } : ((await ask(mutant)) as Judgement);
          for (; found[printed] !== undefined; printed++) print(mutants[printed]!, found[printed]!);
        }
      }),
    );
  } finally {
    for (const { end } of workers) end();
  }
  return found.map(({ verdict }) => verdict);
}

/** A thread that answers one question at a time. */
function startJudge() {
  const worker = new Worker(new URL("mutation/judge.ts", import.meta.url));
  const ask = async (task: Task): Promise<unknown> => {
    const answer = once(worker, "message");
    worker.postMessage(task);
    return (await answer)[0];
  };
  return { ask, end: () => worker.postMessage(null) };
}

function knownEquivalents(): (mutant: Mutant) => boolean {
  const list = JSON.parse(readFileSync(new URL("mutation/equivalent.json", import.meta.url), "utf8")) as readonly {
    readonly file: string;
    readonly before: string;
    readonly after: string;
    readonly reason: string;
  }[];
  return ({ file, before, after }) =>
    list.some((one) => one.file === file && one.before === before && one.after === after);
}

/** `count` of them, drawn by the seed. */
function sampled<T>(whole: readonly T[], count: number, seed: number): T[] {
  let state = seed >>> 0;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  return whole
    .map((one) => ({ one, key: random() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, count)
    .map(({ one }) => one);
}

function print({ file, line, before, after }: Mutant, { verdict, by }: { verdict: Result; by: string }): void {
  console.log(`${verdict.padEnd(17)}${file}:${line}  ${before}  ->  ${after}${by === "" ? "" : `  (${by})`}`);
}

function report(mutants: readonly Mutant[], results: readonly Result[]): void {
  const row = (name: string, own: readonly Result[]) => {
    const of = (...wanted: Result[]) => own.filter((one) => wanted.includes(one)).length;
    const judged = of("killed", "survived");
    const score = judged === 0 ? 100 : (100 * of("killed")) / judged;
    const aside = of("equivalent", "same code");
    console.log(`| ${name} | ${judged} | ${of("killed")} | ${of("survived")} | ${aside} | ${score.toFixed(1)} % |`);
    return score;
  };
  console.log("\n| source | mutants | killed | survived | no mistake | score |\n|---|---|---|---|---|---|");
  for (const file of new Set(mutants.map(({ file }) => file)))
    row(
      file,
      results.filter((_, i) => mutants[i]?.file === file),
    );
  if (row("all", results) < LEAST_SCORE) process.exitCode = 1;
}
