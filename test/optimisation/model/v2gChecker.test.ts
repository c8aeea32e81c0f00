import { expect } from "chai";
import { microEurPerKwh, watt, wattHour } from "../../../backend/domain/units.ts";
import { type V2gPlan, v2gViolations } from "../../../backend/optimisation/model/v2gChecker.ts";
import { v2gValue } from "../../../backend/optimisation/model/v2gValue.ts";
import { aCar, anInterval, aProblem, WEIGHTS } from "../../support/problems.ts";
import { aBattery } from "../../support/v2gProblems.ts";

/** 80 % efficient: 1,000 Wh charged are 800 stored, and 800 stored are 640 discharged. */
const battery = aBattery({ efficiencyPerMille: 800, wear: microEurPerKwh(10_000), dischargeW: watt(8_000) });
const car = { ...aCar({ session: 4, powerW: watt(8_000), to: 3 }), battery };
const problem = {
  ...aProblem({ weights: { ...WEIGHTS, early: 0 }, cars: [car] }),
  intervals: [
    anInterval({ price: microEurPerKwh(100_000) }),
    anInterval({ price: microEurPerKwh(300_000), feedIn: microEurPerKwh(250_000), demandWh: wattHour(500) }),
    anInterval({ price: microEurPerKwh(150_000), limitWh: wattHour(1_500) }),
  ],
};
const plan = (chargeWh: number[], dischargeWh: number[]): V2gPlan => ({
  algorithm: "linear-program",
  chargeWh: [chargeWh],
  dischargeWh: [dischargeWh],
  certificate: null,
  cost: 0n,
  bound: null,
});
const rules = (of: V2gPlan, problem_: typeof problem = problem) => v2gViolations(problem_, of).map(({ rule }) => rule);
const EUR = 3_000_000_000_000n; // in nano-euro x scale

describe("V2G checker", () => {
  it("accepts a cycle that ends where it began", () => {
    expect(rules(plan([1_000, 0, 0], [0, 640, 0]))).to.deep.equal([]);
    expect(rules(plan([0, 0, 0], [0, 0, 0]))).to.deep.equal([]);
  });

  it("counts a cycle's purchase, avoided import, feed-in and wear", () => {
    // -500 Wh of other load at 0.30, 140 Wh fed in at 0.25, 1 kWh bought at 0.10, wear of 640 Wh at 0.01
    const cost = v2gValue(problem, plan([1_000, 0, 0], [0, 640, 0])).cost;
    expect(cost).to.equal(((100_000n - 150_000n - 35_000n + 6_400n) * EUR) / 1_000_000n);
  });

  it("prices what is missing, promised energy first", () => {
    const wanting = { ...problem, cars: [{ ...car, needWh: wattHour(1_000), moreWh: wattHour(500) }] };
    // Nothing charged: 1 kWh at 10 EUR, half a kWh at 2 EUR.
    expect(v2gValue(wanting, plan([0, 0, 0], [0, 0, 0])).cost).to.equal(11n * EUR);
    expect(v2gValue(wanting, plan([1_000, 0, 0], [0, 0, 0])).cost).to.equal(EUR + EUR / 10n);
  });

  it("finds every broken rule", () => {
    expect(rules(plan([0, 0], [0, 0, 0]))).to.deep.equal(["shape"]);
    expect(rules(plan([0.5, 0, 0], [0, 0, 0]))).to.deep.equal(["whole"]);
    expect(rules(plan([0, 0, 0], [-1, 0, 0]))).to.deep.equal(["whole"]);
    expect(rules(plan([2_001, 0, 0], [0, 0, 1_280]))).to.deep.equal(["car-power"]);
    expect(rules(plan([2_000, 2_000, 0], [0, 0, 2_560]))).to.include("discharge-power");
    expect(rules(plan([1_000, 0, 0], [640, 0, 0]))).to.deep.equal(["both-ways"]);
    expect(rules(plan([1_000, 0, 0], [0, 641, 0]))).to.deep.equal(["drained"]);
    expect(rules(plan([1_000, 0, 0], [0, 638, 0]))).to.deep.equal(["car-energy"]);
    expect(rules(plan([1_000, 0, 0], [0, 639, 0]))).to.deep.equal([]); // within a Wh
    expect(rules(plan([0, 0, 1_501], [0, 960, 0]))).to.deep.equal(["import-limit"]);
    const small = { ...problem, cars: [{ ...car, battery: { ...battery, minWh: wattHour(19_900) } }] };
    expect(rules(plan([0, 0, 1_000], [0, 640, 0]), small)).to.deep.equal(["minimum"]);
    const full = { ...problem, cars: [{ ...car, battery: { ...battery, maxWh: wattHour(20_100) } }] };
    expect(rules(plan([1_000, 0, 0], [0, 640, 0]), full)).to.deep.equal(["maximum"]);
    const low = { ...problem, cars: [{ ...car, battery: { ...battery, minWh: wattHour(20_001) } }] };
    expect(rules(plan([2_000, 0, 0], [0, 1, 0]), low)).to.include("discharge-power"); // below its minimum it gives nothing
    const [first, second, third] = problem.intervals;
    const shut = { ...problem, intervals: [first!, { ...second!, exportLimitWh: wattHour(139) }, third!] };
    expect(rules(plan([1_000, 0, 0], [0, 640, 0]), shut)).to.deep.equal(["export-limit"]);
  });

  it("lets PV give way to an export limit, at no income", () => {
    const sunny = anInterval({ productionWh: wattHour(2_000), feedIn: microEurPerKwh(50_000) });
    const limited = { ...sunny, exportLimitWh: wattHour(500) };
    const [, second, third] = problem.intervals;
    const charging = plan([1_000, 0, 0], [0, 640, 0]);
    const costOf = (interval: typeof sunny) =>
      v2gValue({ ...problem, intervals: [interval, second!, third!] }, charging).cost;
    // Charging takes 1 kWh of surplus: worth 0.05 fed in, worth nothing where it could not have been.
    expect(costOf(sunny) - costOf(limited)).to.equal((50_000n * EUR) / 1_000_000n);
  });

  it("bounds every plan's cost for any certificate, and proves an optimum", () => {
    // One kWh stored costs 0.1 / 0.8; a kWh discharged then 0.125 / 0.8 + 0.01 of wear, below 0.25: 2,000 Wh are charged
    // at 0.1, 1,280 Wh discharged. w: the prices; z: worth of a stored Wh from what it can be sold for.
    const w = [100_000n, 250_000n, 150_000n].map((price) => price * 3_000n);
    const z = [[125_000n, 187_500n, 187_500n].map((price) => price * 3_000n)];
    const best = { ...plan([2_000, 0, 0], [0, 1_280, 0]), certificate: { w, y: [150_000n * 3_000n], z } };
    const { cost, bound } = v2gValue(problem, best);
    expect(bound! <= cost).to.equal(true);
    for (const shift of [-90_000n, -1n, 0n, 1n, 40_000n, 900_000n]) {
      const forged = { w: w.map((value) => value + shift), y: [shift], z: [z[0]!.map((value) => value - shift)] };
      expect(v2gValue(problem, { ...best, certificate: forged }).bound! <= cost, String(shift)).to.equal(true);
    }
  });

  it("bounds plans that meet a target by a Wh more, which may be paid for", () => {
    const [first] = problem.intervals;
    const paid = {
      ...problem,
      cars: [{ ...car, needWh: wattHour(1_000), to: 1 }],
      intervals: [{ ...first!, price: microEurPerKwh(-100_000), feedIn: microEurPerKwh(-100_000) }],
    };
    const y = [-100_000n * 3_000n];
    const certificate = { w: y, y, z: [[-125_000n * 3_000n]] };
    const exact = v2gValue(paid, { ...plan([1_000], [0]), certificate });
    const more = v2gValue(paid, { ...plan([1_001], [0]), certificate });
    expect(more.cost < exact.cost).to.equal(true);
    expect(more.bound! <= more.cost).to.equal(true);
    // It gives away no more than what a Wh discharged and charged again is paid: 1 / 0.64 Wh.
    expect(exact.cost - exact.bound!).to.equal((100_000n * 3_000n * 100n) / 64n);
  });
});
