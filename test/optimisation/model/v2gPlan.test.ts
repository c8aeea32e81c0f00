import { expect } from "chai";
import { createSolver, type Solver } from "../../../backend/adapters/solvers/createSolver.ts";
import { solveWithHighs } from "../../../backend/adapters/solvers/highs.ts";
import { microEurPerKwh, watt, wattHour } from "../../../backend/domain/units.ts";
import type { ModelProblem } from "../../../backend/optimisation/model/modelProblem.ts";
import type { LinearProgram, LpSolution } from "../../../backend/optimisation/model/program.ts";
import { v2gViolations } from "../../../backend/optimisation/model/v2gChecker.ts";
import { chargeOnlyPlan, v2gPlan } from "../../../backend/optimisation/model/v2gPlan.ts";
import { near } from "../../support/near.ts";
import { aCar, anInterval, aProblem, WEIGHTS } from "../../support/problems.ts";
import { aBattery, realisticV2gProblem } from "../../support/v2gProblems.ts";

const highs = (lp: LinearProgram): Promise<LpSolution> => solveWithHighs(lp, 20);

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
    expect(Number(plan.cost) / 3e12).to.satisfy(near(0.1157 - 0.28 + 0.02, 1e-9));
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

  it("follows the solver Wh by Wh where a site is short of power, and does not give up its batteries for it", async () => {
    const tight = realisticV2gProblem(5);
    const plan = await v2gPlan(tight, {}, highs);
    expect(v2gViolations(tight, plan)).to.deep.equal([]);
    expect(plan.dischargeWh.flat().some((wh) => wh > 0)).to.equal(true);
    expect(Number(plan.cost - plan.bound!) / Number(plan.cost)).to.be.within(0, 1e-3);
  });

  it("is within a thousandth of the optimum on a realistic site, and saves beside charging only", async () => {
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
