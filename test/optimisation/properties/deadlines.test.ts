/** Second deadlines and waiting costs: the network simplex against a linear program that is written down here. */
import { expect } from "chai";
import fc from "fast-check";
import { solveWithHighs } from "../../../backend/adapters/solvers/highs.ts";
import { violations } from "../../../backend/optimisation/checker.ts";
import { exactPlan, leastCostByNetwork, type Values } from "../../../backend/optimisation/exactPlan.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import { type LinearProgram, linearProgram, planFrom } from "../../../backend/optimisation/model.ts";
import type { GroupProblem } from "../../../backend/optimisation/problem.ts";
import { costByDefinition, howOften, PATIENCE_MS, problems } from "./support.ts";

/** Whole micro-euro per kWh and no tie-break: prices that a solver with tolerances tells apart. */
const WEIGHTS = { scale: 1, early: 0, voll: 10_000_000, extra: 2_000_000 };
const groups = problems({ intervals: fc.integer({ min: 1, max: 12 }), cars: 8, first: true }).map((problem) => ({
  ...problem,
  weights: WEIGHTS,
}));
const waitings = fc.constantFrom(0, 0, 20_000, 1_000_000);

describe("second deadlines and waiting costs, on random problems", function () {
  this.timeout(PATIENCE_MS);

  it("are met at the least cost: the network simplex proves it, and HiGHS finds the same, to the integer", async () => {
    let late = 0;
    await fc.assert(
      fc.asyncProperty(groups, waitings, async (problem, waitingMicroEurPerHour) => {
        const own = leastCostByNetwork(problem, { waitingMicroEurPerHour });
        expect(own.dual).to.equal(own.objective);
        const objective = (energyWh: Energy) => objectiveOf(problem, energyWh, waitingMicroEurPerHour, own.values);
        expect(objective(own.energyWh)).to.equal(own.objective);
        const solution = await solveWithHighs(programOf(problem, waitingMicroEurPerHour, own.values), 60);
        if (solution.kind !== "optimal") return expect.fail(solution.kind);
        expect(objective(planFrom(problem, solution.values))).to.equal(own.objective);
        if (problem.cars.some((_, i) => lateWh(problem, own.energyWh, i) > 0)) late++;
      }),
      howOften(500),
    );
    expect(late).to.be.greaterThan(howOften(500).numRuns / 50);
  });

  it("never make a plan infeasible, cost less than no deadline, or take promised energy from anyone", () => {
    fc.assert(
      fc.property(groups, waitings, (problem, waitingMicroEurPerHour) => {
        const plan = exactPlan(problem, { waitingMicroEurPerHour });
        const free = leastCost(problem);
        expect(violations(problem, plan)).to.deep.equal([]);
        expect(plan.bound).to.equal(free.cost);
        expect(plan.cost >= free.cost).to.equal(true);
        expect(promisedWh(problem, plan.energyWh)).to.equal(promisedWh(problem, free.energyWh));
      }),
      howOften(500),
    );
  });
});

type Energy = readonly (readonly number[])[];
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const promisedWh = ({ cars }: GroupProblem, energyWh: Energy) =>
  sum(cars.map(({ needWh }, i) => Math.min(needWh, sum(energyWh[i]!))));

/** What is charged from the first deadline on beyond the rest of the energy. */
function lateWh({ cars }: GroupProblem, energyWh: Energy, i: number): number {
  const { first, from, needWh, moreWh } = cars[i]!;
  if (!first) return 0;
  return Math.max(0, sum(energyWh[i]!.slice(first.to - from)) - (needWh + moreWh - first.wh));
}

/** Micro-euro per kWh of waiting until the end of each interval of the stay, rounded down. */
function waitingPrices({ cars, intervals }: GroupProblem, microEurPerHour: number): number[][] {
  const ends = intervals.map((_, t) =>
    Math.floor(sum(intervals.slice(0, t + 1).map(({ durationS }) => durationS)) / 60),
  );
  return cars.map(({ from, to, needWh, moreWh }) =>
    ends.slice(from, to).map((end) => {
      const minutes = end - (from === 0 ? 0 : ends[from - 1]!);
      const [paid, wanted] = [BigInt(microEurPerHour) * BigInt(minutes) * 1_000n, BigInt(60 * (needWh + moreWh))];
      return wanted === 0n ? 0 : Number((paid - (paid % wanted)) / wanted);
    }),
  );
}

/** With the values in place of voll and extra (scale 1). What is never served waits to the end. */
function objectiveOf(problem: GroupProblem, energyWh: Energy, microEurPerHour: number, values: Values): bigint {
  const prices = waitingPrices(problem, microEurPerHour);
  const weights = { ...WEIGHTS, voll: values.promised, extra: values.bestEffort };
  let objective = costByDefinition({ ...problem, weights }, energyWh);
  for (const [i, stay] of energyWh.entries()) {
    for (const [k, wh] of stay.entries()) objective += BigInt(wh) * BigInt(prices[i]![k]!);
    const { needWh, moreWh } = problem.cars[i]!;
    objective += BigInt(needWh + moreWh - sum(stay)) * BigInt(prices[i]!.at(-1)!);
    objective += BigInt(values.first) * BigInt(lateWh(problem, energyWh, i));
  }
  return objective;
}

/** kWh and EUR/MWh, as in model.ts: waiting on each charge, and one row and one column for each second deadline. */
function programOf(problem: GroupProblem, microEurPerHour: number, values: Values): LinearProgram {
  const weights = { ...WEIGHTS, voll: values.promised, extra: values.bestEffort };
  const cars = problem.cars.map(({ first: _, ...car }) => car);
  const plain = linearProgram({ ...problem, cars, weights });
  const prices = waitingPrices(problem, microEurPerHour);
  const waiting = new Map(
    problem.cars.flatMap(({ session }, i) =>
      [`short ${session}`, `unserved ${session}`].map((name) => [name, prices[i]!.at(-1)!] as const),
    ),
  );
  const charges = prices.flat();
  const columns = plain.columns.map((column, j) => ({
    ...column,
    cost: column.cost + (charges[j] ?? waiting.get(column.name) ?? 0) / 1_000,
  }));
  const rows = [...plain.rows];
  let at = 0;
  for (const { session, first, from, to, needWh, moreWh } of problem.cars) {
    const charges = Array.from({ length: to - from }, (_, k) => at + k);
    at += to - from;
    if (!first) continue;
    const terms = charges.slice(first.to - from).map((column) => ({ column, coefficient: 1 }));
    const name = `late ${session}`;
    columns.push({ name, cost: values.first / 1_000, lower: 0, upper: 1_000 });
    rows.push({
      name,
      lower: Number.NEGATIVE_INFINITY,
      upper: (needWh + moreWh - first.wh) / 1_000,
      terms: [...terms, { column: columns.length - 1, coefficient: -1 }],
    });
  }
  return { columns, rows };
}
