import { expect } from "chai";
import { microEurPerKwh, watt, wattHour } from "../../../backend/domain/units.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import { leastPower } from "../../../backend/optimisation/leastPower.ts";
import { crossCheck, planFrom } from "../../../backend/optimisation/model/crossCheck.ts";
import { linearProgram } from "../../../backend/optimisation/model/groupProgram.ts";
import type { LpSolution } from "../../../backend/optimisation/model/program.ts";
import { aCar, anInterval, aProblem, WEIGHTS } from "../../support/problems.ts";

const car = aCar({ session: 5, needWh: wattHour(2_000), moreWh: wattHour(500), powerW: watt(8_000), from: 0, to: 2 });
const problem = aProblem({
  cars: [car],
  intervals: [
    anInterval({ limitWh: wattHour(1_500), demandWh: wattHour(300), price: microEurPerKwh(200_000) }),
    anInterval({
      productionWh: wattHour(800),
      demandWh: wattHour(300),
      limitWh: wattHour(400),
      price: microEurPerKwh(90_000),
    }),
  ],
});
const answer = (values: readonly number[]): LpSolution => ({ kind: "optimal", objective: 0, values });

describe("cross check", () => {
  const plan = leastCost(problem);
  const values = [...plan.energyWh.flat().map((wh) => wh / 1_000), 0, 0, 0, 0, 0];

  it("agrees with the plan's own energies, also when they come with a solver's noise", () => {
    expect(plan.energyWh).to.deep.equal([[1_200, 900]]);
    expect(crossCheck(problem, plan, answer(values)).kind).to.equal("equal");
    expect(crossCheck(problem, plan, answer(values.map((v) => v + 1e-7))).kind).to.equal("equal");
    expect(planFrom(problem, [0.0014999, -1e-9])).to.deep.equal([[1, 0]]);
  });

  it("tells a dearer and a cheaper answer", () => {
    const differs = crossCheck(problem, plan, answer([1.1, 0.9]));
    expect(differs).to.include({ kind: "differs" });
    // 100 Wh of the 500 Wh best effort less: 2 EUR/kWh lost, 0.2 EUR/kWh saved, in nano-euro x scale.
    if (differs.kind === "differs") expect(differs.solverCost - differs.planCost).to.equal(3_000n * 100n * 1_800_000n);
    const dear = { ...plan, energyWh: [[1_100, 900]], cost: 0n, bound: null };
    expect(crossCheck(problem, dear, answer(values)).kind).to.equal("differs");
  });

  it("has no answer from an impossible plan, a failure or a late solver", () => {
    expect(crossCheck(problem, plan, answer([9, 9]))).to.deep.include({ kind: "no-answer" });
    expect(crossCheck(problem, plan, { kind: "time-limit" })).to.deep.equal({
      kind: "no-answer",
      reason: "time-limit",
    });
    expect(crossCheck(problem, plan, { kind: "failed", reason: "x" })).to.deep.equal({
      kind: "no-answer",
      reason: "x",
    });
  });

  it("lets a repaired plan cost more, but never less than its bound", () => {
    const crumbs = aProblem({
      cars: [{ ...car, needWh: wattHour(1_010), moreWh: wattHour(0), minPowerW: watt(4_140) }],
      intervals: [anInterval({ limitWh: wattHour(1_000) }), anInterval({ price: microEurPerKwh(300_000) })],
    });
    const exact = leastCost(crumbs);
    const { plan: repaired } = leastPower(crumbs, exact);
    expect(repaired.cost > exact.cost).to.equal(true);
    const best = exact.energyWh.flat().map((wh) => wh / 1_000);
    expect(crossCheck(crumbs, repaired, answer(best)).kind).to.equal("equal");
    const falselyBounded = { ...repaired, bound: exact.cost + 1n };
    expect(crossCheck(crumbs, falselyBounded, answer(best)).kind).to.equal("differs");
  });

  it("takes for equal, with a real early weight, what a solver cannot resolve, and nothing more", () => {
    const weights = { ...WEIGHTS, early: 5_000 };
    const near = (price: number) => ({
      ...problem,
      weights,
      intervals: [anInterval(), anInterval({ price: microEurPerKwh(price) })],
    });
    const cars = [{ ...car, moreWh: wattHour(0) }];
    // 15 minutes x 5,000 / 3,000 = 25 micro-euro per kWh: at 199,975 both intervals cost the same, at 199,970 they do not.
    for (const [price, kind] of [
      [199_975, "equal"],
      [199_970, "differs"],
      [199_980, "differs"],
    ] as const) {
      // prettier-ignore
      const group = { ...near(price), cars };
      const best = leastCost(group).energyWh[0]!;
      expect(
        crossCheck(group, leastCost(group), answer([best[1]! / 1_000, best[0]! / 1_000])).kind,
        `${price}`,
      ).to.equal(kind);
    }
  });

  it("never takes an answer below the certified bound, however close", () => {
    const claimed = { ...plan, bound: plan.cost + 1n };
    expect(crossCheck(problem, claimed, answer(values)).kind).to.equal("differs");
  });

  it("leaves out a tie-break that is beyond a solver's tolerance, and counts a real early weight", () => {
    const even = { ...problem, intervals: [anInterval(), anInterval()], cars: [{ ...car, moreWh: wattHour(0) }] };
    const exact = leastCost(even);
    expect(exact.energyWh).to.deep.equal([[2_000, 0]]);
    expect(crossCheck(even, exact, answer([0, 2])).kind).to.equal("equal");
    const hasty = { ...even, weights: { ...WEIGHTS, early: 5_000 } };
    expect(linearProgram(hasty).columns.find(({ name }) => name === "charge 5 1")!.cost).to.equal(25 / 1_000);
    expect(crossCheck(hasty, leastCost(hasty), answer([0, 2])).kind).to.equal("differs");
  });
});
