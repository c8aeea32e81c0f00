/**
 * The writer under faults from a seed (storm.ts). What the chain shows at the end must be what one undisturbed run would
 * have left: every number once, in order, none reverted, and not one nonce more.
 */
import { expect } from "chai";
import { CHECKPOINTS } from "../../../backend/adapters/chain/lanePass.ts";
import { type Kind, whyNoPostgres } from "../../support/databases.ts";
import { FAULTS } from "./faultyNode.ts";
import { DEPTH, type Outcome, type Setting, storm } from "./storm.ts";

/** `npm run test:faults` has more of both. */
const RECORDS = Number(process.env.FAULT_RECORDS ?? 25);
const SEEDS = Number(process.env.FAULT_SEEDS ?? 2);
const FIRST = Number(process.env.FAULT_FIRST_SEED ?? 1);
const LONG = process.env.FAULT_SEEDS !== undefined;

const PLACES: readonly (readonly [Setting["chain"], Kind])[] = [
  ["embedded", "pglite"],
  ["anvil", "postgres"],
];

function expectOneEffectEach({ setting, taken, nonces, reverts, states }: Outcome): void {
  expect(taken).to.deep.equal(Array.from({ length: setting.records }, (_, i) => i + 1));
  expect(nonces, "one nonce per call").to.equal(setting.records);
  expect(reverts, "reverted transactions").to.equal(0);
  expect(states).to.deep.equal(["final"]);
}

for (const [chain, database] of PLACES)
  describe(`the chain writer under faults on the ${chain} chain with ${database}`, function () {
    this.timeout(LONG ? 3_600_000 : 120_000);
    const outcomes: Outcome[] = [];
    before(function () {
      if (database === "postgres" && whyNoPostgres() !== null) this.skip();
    });
    after(() => {
      if (LONG && outcomes.length > 0) console.log(figures(outcomes));
    });

    for (let seed = FIRST; seed < FIRST + SEEDS; seed++)
      it(`leaves one effect of each of ${RECORDS} calls, in order (seed ${seed})`, async function () {
        const outcome = await storm({ chain, database, seed, records: RECORDS });
        if (outcome === null) return this.skip();
        outcomes.push(outcome);
        expectOneEffectEach(outcome);
        expect(Object.keys(outcome.faults).length, "faults happened").to.be.greaterThan(5);
      });

    if (SEEDS >= 20)
      it("met every fault that there is", () => {
        const met = totals(outcomes);
        const points = [...CHECKPOINTS, "while enqueueing"].map((one) => `crash ${one}`);
        const forks = Array.from({ length: DEPTH }, (_, i) => `reorg of depth ${i + 1}`);
        const stormy = chain === "anvil" ? [...forks, "mempool emptied", "dead receipt served"] : [];
        const here = ["enqueued twice", "two writers at once", "empty tank", "fee spike"];
        expect(met).to.include.all.keys(...Object.keys(FAULTS), ...points, ...stormy, ...here);
      });
  });

function totals(outcomes: readonly Outcome[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { faults } of outcomes) for (const [what, n] of Object.entries(faults)) sums[what] = (sums[what] ?? 0) + n;
  return sums;
}

function figures(outcomes: readonly Outcome[]): string {
  const sum = (of: (one: Outcome) => number) => outcomes.reduce((total, one) => total + of(one), 0);
  const records = sum(({ setting }) => setting.records);
  const taken = sum((one) => one.taken.length);
  const once = sum((one) => new Set(one.taken).size);
  const sorted = sum((one) => one.taken.filter((n, i) => n !== i + 1).length);
  const lines = [
    `${records} records over ${outcomes.length} seeds in ${sum(({ seconds }) => seconds).toFixed(0)} s:`,
    `  ${taken - once} duplicates, ${sum(({ reverts }) => reverts)} reverts, ${records - once} holes, ${sorted} out of order`,
    `  ${sum(({ bumps }) => bumps)} replacements by a higher fee`,
  ];
  const met = Object.entries(totals(outcomes)).sort(([a], [b]) => (a < b ? -1 : 1));
  return [...lines, ...met.map(([what, n]) => `  ${String(n).padStart(6)} ${what}`)].join("\n");
}
