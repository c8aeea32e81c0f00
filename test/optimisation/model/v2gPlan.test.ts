import { expect } from "chai";
import fc from "fast-check";
import { createSolver, type Solver } from "../../../backend/adapters/solvers/createSolver.ts";
import { solveWithHighs } from "../../../backend/adapters/solvers/highs.ts";
import { solveWithJavascriptLpSolver } from "../../../backend/adapters/solvers/javascriptLpSolver.ts";
import { microEurPerKwh, watt, wattHour } from "../../../backend/domain/units.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import { groupProgram, linearProgram } from "../../../backend/optimisation/model/groupProgram.ts";
import { modelOf } from "../../../backend/optimisation/model/linearProgramPlan.ts";
import type { ModelProblem } from "../../../backend/optimisation/model/modelProblem.ts";
import type { LinearProgram, LpSolution } from "../../../backend/optimisation/model/program.ts";
import { v2gValue, v2gViolations } from "../../../backend/optimisation/model/v2gChecker.ts";
import { chargeOnlyPlan, v2gPlan } from "../../../backend/optimisation/model/v2gPlan.ts";
import { aCar, anInterval, aProblem, randomProblem, WEIGHTS } from "../../support/problems.ts";
import { aBattery, randomV2gProblem, realisticV2gProblem } from "../../support/v2gProblems.ts";

const highs = (lp: LinearProgram): Promise<LpSolution> => solveWithHighs(lp, 20);
const seeds = fc.integer({ min: 0, max: 1_000_000 });
const RUNS = { numRuns: 150 };

describe("V2G plan", () => {
  const car = { ...aCar({ session: 1, powerW: watt(8_000), to: 3 }), battery: aBattery({ dischargeW: watt(4_000) }) };
  const intervals = [
    anInterval({ price: microEurPerKwh(100_000) }),
    anInterval({ price: microEurPerKwh(300_000), feedIn: microEurPerKwh(280_000) }),
    anInterval({ price: microEurPerKwh(200_000) }),
  ];
  const problem: ModelProblem = { ...aProblem({ weights: { ...WEIGHTS, early: 0 } }), cars: [car], intervals };

  it("buys cheap, sells dear and returns what it took, losses included", async () => {
    const plan = await v2gPlan(problem, {}, highs);
    // 1 kWh at 0.28, less 0.02 of wear, for 1 / 0.93^2 = 1.1562 kWh at 0.10.
    expect(plan.dischargeWh).to.deep.equal([[0, 1_000, 0]]);
    expect(plan.chargeWh).to.deep.equal([[1_157, 0, 0]]);
    expect(Number(plan.cost) / 3e12).to.be.closeTo(0.1157 - 0.28 + 0.02, 1e-9);
    expect(v2gViolations(problem, plan)).to.deep.equal([]);
  });

  it("does nothing where wear and losses eat the difference", async () => {
    const flat = { ...problem, intervals: intervals.map((one) => ({ ...one, price: microEurPerKwh(290_000) })) };
    const plan = await v2gPlan(flat, {}, highs);
    expect([...plan.chargeWh.flat(), ...plan.dischargeWh.flat()].every((wh) => wh === 0)).to.equal(true);
  });

  it("is not discharged after its target, nor below what it came with", async () => {
    const wanting = { ...problem, cars: [{ ...car, needWh: wattHour(2_000) }] };
    const plan = await v2gPlan(wanting, {}, highs);
    expect(plan.dischargeWh[0]![2]).to.equal(0);
    expect(v2gViolations(wanting, plan)).to.deep.equal([]);
    expect(v2gViolations(problem, { ...plan, chargeWh: [[0, 0, 0]], dischargeWh: [[0, 500, 0]] })).to.deep.include({
      rule: "drained",
      session: 1,
      interval: null,
      excess: 538,
    });
  });

  it("charges a car that arrives below its minimum, and does not discharge it", async () => {
    const low = { ...car, battery: aBattery({ socWh: wattHour(9_000) }) };
    const plan = await v2gPlan({ ...problem, cars: [low] }, {}, highs);
    expect(plan.dischargeWh).to.deep.equal([[0, 0, 0]]);
    expect(plan.chargeWh).to.deep.equal([[1_076, 0, 0]]); // 1,000 / 0.93
  });

  it("serves others and plans on when one car's target is out of reach", async () => {
    const impossible = { ...aCar({ session: 2, needWh: wattHour(90_000), to: 1 }), battery: aBattery() };
    const plan = await v2gPlan({ ...problem, cars: [car, impossible] }, {}, highs);
    expect(plan.dischargeWh[0]).to.deep.equal([0, 1_000, 0]);
    expect(plan.chargeWh[1]).to.deep.equal([2_750]);
  });

  it("keeps its minimum energy first from then on", async () => {
    const first = { ...car, needWh: wattHour(1_500), first: { wh: wattHour(1_000), to: 1 } };
    const limited = intervals.map((one, t) => (t === 0 ? { ...one, limitWh: wattHour(1_200) } : one));
    const plan = await v2gPlan({ ...problem, cars: [first], intervals: limited }, {}, highs);
    expect(plan.chargeWh[0]![0]).to.equal(1_200);
    // 200 Wh above the first deadline's level may be sold, less losses: 200 x 0.93^2, down to whole Wh.
    expect(plan.dischargeWh[0]![1]).to.be.within(172, 173);
  });

  it("follows an order to import as far as batteries and needs allow, and an order to import less", async () => {
    const orders = [intervals[0]!, { ...intervals[1]!, leastImportWh: wattHour(600) }, intervals[2]!];
    const wanting = { ...problem, cars: [{ ...car, needWh: wattHour(1_000) }] };
    const up = await v2gPlan({ ...wanting, intervals: orders }, {}, highs);
    expect(up.chargeWh[0]![1]).to.equal(600);
    const down = [{ ...intervals[0]!, flexibilityWh: -9_500 }, ...intervals.slice(1)];
    const less = await v2gPlan({ ...wanting, intervals: down }, {}, highs);
    expect(less.chargeWh[0]![0]).to.equal(500);
  });

  it("throws when the solver is late", async () => {
    const message = await v2gPlan(problem, {}, async () => ({ kind: "time-limit" })).catch((e: Error) => e.message);
    expect(message).to.match(/no plan \(time-limit\)/);
  });
});

describe("V2G plans of random groups", () => {
  it("break no rule and cost no less than their bound, which is near", async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 0, max: 1 }), async (seed, curtailPv) => {
        const problem = randomV2gProblem(seed);
        const plan = await v2gPlan(problem, { curtailPv }, highs);
        const { model, options } = modelOf(problem, { curtailPv });
        expect(v2gViolations(model, plan, options)).to.deep.equal([]);
        expect(plan.bound! <= plan.cost).to.equal(true);
        expect(plan.cost <= chargeOnlyPlan(model, options).cost + roundingOf(problem)).to.equal(true);
      }),
      RUNS,
    );
  });

  it("have equal objectives in both solvers, and an optimum whatever state of charge a car arrives with", async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(seeds, fc.boolean(), async (seed, curtailPv) => {
        const lp = linearProgram(randomV2gProblem(seed), {
          curtailPv,
          waitingMicroEurPerHour: seed % 3 === 0 ? 20_000 : 0,
        });
        const [one, other] = [await highs(lp), solveWithJavascriptLpSolver(lp)];
        if (one.kind !== "optimal" || other.kind !== "optimal") throw new Error(`${one.kind}, ${other.kind}`);
        expect(Math.abs(one.objective - other.objective)).to.be.below(1e-5 * (1 + Math.abs(one.objective)));
      }),
      RUNS,
    );
  });

  it("cost what the exact method's do, to the integer, when no car has a battery", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const random = randomProblem(seed);
        const problem = { ...random, weights: { ...random.weights, early: 0 } };
        const { cost } = leastCost(problem);
        const plan = await v2gPlan(problem, {}, highs);
        expect(plan.cost).to.equal(cost);
        expect(chargeOnlyPlan(problem).cost).to.equal(cost);
      }),
      RUNS,
    );
  });

  it("neither import and export nor charge and discharge at once at negative prices", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.boolean(), async (seed, curtailPv) => {
        // Below 0 everywhere; no limit of export and no order to consume, which make energy worth less than any price.
        const random = randomV2gProblem(seed);
        const problem = {
          ...random,
          intervals: random.intervals.map(({ exportLimitWh: _, leastImportWh: __, ...interval }, t) => ({
            ...interval,
            price: microEurPerKwh(-10_000 * (1 + ((seed + t) % 7))),
            feedIn: microEurPerKwh(10_000 * ((seed * 7 + t) % 5) - 60_000),
          })),
        };
        const program = groupProgram(problem, { curtailPv });
        const solution = await highs(program);
        if (solution.kind !== "optimal") throw new Error(solution.kind);
        const at = (column: number | null | undefined) => (column == null ? 0 : solution.values[column]!);
        for (const [t, { imported, exported }] of program.supply.entries()) {
          const { price, feedIn } = problem.intervals[t]!;
          // What is imported and fed in at the same price costs nothing and says nothing.
          if (price > feedIn) expect(Math.min(at(imported), at(exported))).to.be.below(1e-6);
        }
        for (const [i, stay] of program.discharge.entries()) {
          for (const [k, column] of stay.entries())
            expect(Math.min(at(program.charge[i]![k]), at(column))).to.be.below(1e-6);
        }
      }),
      RUNS,
    );
  });

  it("are bounded by any certificate, however forged", async () => {
    await fc.assert(
      fc.asyncProperty(
        seeds,
        fc.array(fc.integer({ min: -400_000, max: 400_000 }), { minLength: 5, maxLength: 20 }),
        async (seed, noise) => {
          const problem = randomV2gProblem(seed);
          const plan = await v2gPlan(problem, {}, highs);
          const { model, options } = modelOf(problem, {});
          const bent = (values: readonly bigint[]) =>
            values.map((value, k) => value + BigInt(noise[k % noise.length]! * problem.weights.scale));
          const { w, y, z } = plan.certificate!;
          const certificate = { w: bent(w), y: bent(y), z: z.map(bent) };
          const { bound } = v2gValue(model, { ...plan, certificate }, options);
          expect(bound! <= plan.cost).to.equal(true);
          expect(bound! <= chargeOnlyPlan(model, options).cost).to.equal(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("of realistic size are within a thousandth of the optimum and save beside charging only", async () => {
    let port: Solver | undefined;
    try {
      port = createSolver({ solver: "highs" });
      const problem = realisticV2gProblem(20);
      const plan = await v2gPlan(problem, {}, port.solve);
      expect(v2gViolations(problem, plan)).to.deep.equal([]);
      expect(Number(plan.cost - plan.bound!) / Number(plan.cost)).to.be.within(0, 1e-3);
      expect(plan.cost < chargeOnlyPlan(problem).cost).to.equal(true);
    } finally {
      await port?.close();
    }
  });
});

/** What whole Wh may cost: some Wh of each battery at the worth of promised energy. */
function roundingOf({ cars, weights }: ModelProblem): bigint {
  return BigInt(cars.length * 10) * BigInt(weights.scale) * BigInt(weights.voll + weights.extra + 1_000_000);
}
