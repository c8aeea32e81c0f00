import { expect } from "chai";
import { microEurPerKwh, second, watt, wattHour } from "../../backend/domain/units.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { crossCheck, type LpSolution, linearProgram, planFrom } from "../../backend/optimisation/model.ts";
import { repairMinimumPower } from "../../backend/optimisation/profile.ts";
import { aCar, anInterval, aProblem, randomProblem, WEIGHTS } from "../support/problems.ts";

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
const { columns, rows } = linearProgram(problem);
const column = (name: string) => columns.find((c) => c.name === name);
const row = (name: string) => {
  const found = rows.find((r) => r.name === name)!;
  const terms = Object.fromEntries(found.terms.map((term) => [columns[term.column]!.name, term.coefficient]));
  return { lower: found.lower, upper: found.upper, terms };
};
const answer = (values: readonly number[]): LpSolution => ({ kind: "optimal", objective: 0, values });

describe("linear program of a group", () => {
  describe("C1.2 car power", () => {
    it("gives an 8 kW car at most 2 kWh in a quarter of an hour, and less in a shorter interval", () => {
      expect(column("charge 5 0")).to.include({ lower: 0, upper: 2, cost: 0 });
      const minute = { ...problem, intervals: [anInterval({ durationS: second(60) }), anInterval()] };
      expect(linearProgram(minute).columns[0]!.upper).to.equal(0.133);
    });
    it("counts a later stay from its first interval", () => {
      const late = linearProgram({ ...problem, cars: [{ ...car, from: 1 }] });
      const [target] = late.rows;
      expect(late.columns[0]!.name).to.equal("charge 5 1");
      expect(target!.terms.map((term) => late.columns[term.column]!.name)).to.deep.equal([
        "charge 5 1",
        "short 5",
        "unserved 5",
      ]); // prettier-ignore
      expect(planFrom({ ...problem, cars: [{ ...car, from: 1 }] }, [0.7, 9])).to.deep.equal([[700]]);
    });
    it("has no column outside the stay", () => {
      expect(columns.filter(({ name }) => name.startsWith("charge"))).to.have.length(2);
    });
  });

  describe("C1.3 target", () => {
    it("adds up to the need, or pays for the shortfall", () => {
      const terms = { "charge 5 0": 1, "charge 5 1": 1, "short 5": 1, "unserved 5": 1 };
      expect(row("C1.3 target 5")).to.deep.equal({ lower: 2.5, upper: 2.5, terms });
      expect(column("short 5")).to.include({ upper: 2, cost: 10_000 });
      expect(column("unserved 5")).to.include({ upper: 0.5, cost: 2_000 });
    });
  });

  describe("C1.4 supply limit", () => {
    it("leaves what the other load does not take", () =>
      expect(column("import 0")).to.include({ upper: 1.2, cost: 200 }));
    it("allows PV surplus on top of the limit, at its feed-in value", () => {
      expect(column("surplus 1")).to.include({ upper: 0.5, cost: 60 });
      expect(column("import 1")).to.include({ upper: 0.4, cost: 90 });
      expect(column("surplus 0")).to.equal(undefined);
    });
    it("is 0, not negative, when the other load alone is above the limit", () => {
      const over = { ...problem, intervals: [anInterval({ demandWh: wattHour(99_999) }), anInterval()] };
      expect(linearProgram(over).columns.find(({ name }) => name === "import 0")!.upper).to.equal(0);
    });
  });

  describe("V1.2 supply", () => {
    it("subtracts PV production", () => {
      const terms = { "charge 5 1": 1, "import 1": -1, "surplus 1": -1 };
      expect(row("V1.2 supply 1")).to.deep.equal({ lower: 0, upper: 0, terms });
    });
  });

  it("has no column that may be negative", () => {
    for (let seed = 0; seed < 200; seed++) {
      for (const { lower } of linearProgram(randomProblem(seed)).columns) expect(lower).to.equal(0);
    }
  });
});

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
    const { plan: repaired } = repairMinimumPower(crumbs, exact);
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
    expect(linearProgram(hasty).columns.find(({ name }) => name === "import 1")!.cost).to.equal((200_000 + 25) / 1_000);
    expect(crossCheck(hasty, leastCost(hasty), answer([0, 2])).kind).to.equal("differs");
  });
});
