import { expect } from "chai";
import { microEurPerKwh, second, watt, wattHour } from "../../../backend/domain/units.ts";
import { planFrom } from "../../../backend/optimisation/model/crossCheck.ts";
import { linearProgram } from "../../../backend/optimisation/model/groupProgram.ts";
import type { ModelOptions, ModelProblem } from "../../../backend/optimisation/model/modelProblem.ts";
import { aCar, anInterval, aProblem, randomProblem } from "../../support/problems.ts";
import { aBattery } from "../../support/v2gProblems.ts";

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
    it("is the limit, at the price", () => expect(column("import 0")).to.include({ upper: 1.5, cost: 200 }));
    it("lets PV surplus be fed in, so that using it costs its feed-in value", () => {
      expect(column("export 1")).to.include({ upper: 0.5, cost: -60 });
      expect(column("import 1")).to.include({ upper: 0.4, cost: 90 });
      expect(column("export 0")).to.equal(undefined);
    });
    it("leaves cars nothing, but fails nobody, when the other load alone is above the limit", () => {
      const over = { ...problem, intervals: [anInterval({ demandWh: wattHour(99_999) }), anInterval()] };
      expect(linearProgram(over).columns.find(({ name }) => name === "import 0")!.upper).to.equal(99.999);
    });
  });

  describe("V1.2 supply", () => {
    it("subtracts PV production", () => {
      const terms = { "charge 5 1": 1, "import 1": -1, "export 1": 1 };
      expect(row("V1.2 supply 1")).to.deep.equal({ lower: 0.5, upper: 0.5, terms });
      expect(row("V1.2 supply 0")).to.deep.include({ lower: -0.3, upper: -0.3 });
    });
  });

  it("has no column that may be negative", () => {
    for (let seed = 0; seed < 200; seed++) {
      for (const { lower } of linearProgram(randomProblem(seed)).columns) expect(lower).to.equal(0);
    }
  });
});

describe("linear program of a group with a battery", () => {
  const battery = aBattery({
    socWh: wattHour(20_000),
    minWh: wattHour(10_000),
    maxWh: wattHour(50_000),
    dischargeW: watt(4_000),
    efficiencyPerMille: 800,
    wear: microEurPerKwh(10_000),
  });
  const withBattery = { ...problem, cars: [{ ...car, battery }] };
  const programOf = (of: ModelProblem, options: ModelOptions = {}) => {
    const program = linearProgram(of, options);
    return {
      column: (name: string) => program.columns.find((c) => c.name === name),
      row: (name: string) => {
        const found = program.rows.find((r) => r.name === name);
        if (!found) return undefined;
        const terms = Object.fromEntries(found.terms.map((t) => [program.columns[t.column]!.name, t.coefficient]));
        return { lower: found.lower, upper: found.upper, terms };
      },
      names: [...program.columns, ...program.rows].map(({ name }) => name),
    };
  };
  const v2g = programOf(withBattery);

  it("C2.1: discharges at most 1 kWh in a quarter of an hour at 4 kW, at the price of wear", () => {
    expect(v2g.column("discharge 5 0")).to.include({ lower: 0, upper: 1, cost: 10 });
  });

  it("C2.1: wears more where energy is worth less than nothing", () => {
    const [first, second_] = problem.intervals;
    const paid = { ...first!, price: microEurPerKwh(-100_000), feedIn: microEurPerKwh(-100_000) };
    const program = programOf({ ...withBattery, intervals: [paid, second_!] });
    expect(program.column("discharge 5 0")!.cost).to.equal(56.251); // 0.1 x (1 / 0.64 - 1), and a little
    expect(program.column("discharge 5 1")!.cost).to.equal(10);
  });

  it("C2.2: stays between minimum and maximum, or where it came from outside of them", () => {
    expect(v2g.column("stored 5 0")).to.include({ lower: 10, upper: 50 });
    const outside = (socWh: number) =>
      programOf({ ...problem, cars: [{ ...car, battery: { ...battery, socWh: wattHour(socWh) } }] });
    expect(outside(4_000).column("stored 5 1")).to.include({ lower: 4, upper: 50 });
    expect(outside(4_000).names.some((name) => name.startsWith("discharge"))).to.equal(false);
    expect(outside(60_000).column("stored 5 1")).to.include({ lower: 10, upper: 60 });
  });

  it("V2.1: holds what it held, what came in less losses, without what went out and losses", () => {
    const terms = { "stored 5 1": 1, "stored 5 0": -1, "charge 5 1": -0.8, "discharge 5 1": 1.25 };
    expect(v2g.row("V2.1 stored 5 1")).to.deep.equal({ lower: 0, upper: 0, terms });
    expect(v2g.row("V2.1 stored 5 0")).to.deep.include({ lower: 20, upper: 20 });
  });

  it("C2.4: ends with what was asked for, counted as charged at the EVSE, in place of C1.3", () => {
    const terms = { "stored 5 1": 1, "short 5": 0.8, "unserved 5": 0.8 };
    expect(v2g.row("C2.4 target 5")).to.deep.equal({ lower: 22, upper: 22, terms });
    expect(v2g.row("C1.3 target 5")).to.equal(undefined);
  });

  it("C2.4: wants at least what lifts it to its minimum", () => {
    const low = { ...car, needWh: wattHour(0), battery: { ...battery, socWh: wattHour(9_000) } };
    expect(programOf({ ...problem, cars: [low] }).column("unserved 5")).to.include({ upper: 1.25 });
  });

  it("V1.2: gives to the supply point", () => {
    expect(v2g.row("V1.2 supply 1")!.terms).to.include({ "charge 5 1": 1, "discharge 5 1": -1, "export 1": 1 });
  });

  it("C2.3: exports no more than min_power allows; the rest of the sun is lost", () => {
    const [first, second_] = problem.intervals;
    const shut = programOf({ ...withBattery, intervals: [first!, { ...second_!, exportLimitWh: wattHour(200) }] });
    expect(v2g.column("export 1")).to.include({ upper: 1.5 }); // 500 Wh of surplus, 1 kWh of battery
    expect(v2g.column("curtail 1")).to.equal(undefined);
    expect(shut.column("export 1")).to.include({ upper: 0.2 });
    expect(shut.column("curtail 1")).to.include({ upper: 0.8, cost: 0 });
  });

  it("C3.1, C3.2: orders lower the limit, or ask for import at the worth of best effort", () => {
    const [first, second_] = problem.intervals;
    const ordered = programOf({
      ...withBattery,
      intervals: [
        { ...first!, flexibilityWh: -700 },
        { ...second_!, leastImportWh: wattHour(300) },
      ],
    });
    expect(ordered.column("import 0")).to.include({ upper: 0.8 });
    expect(ordered.row("C3.2 least import 1")).to.deep.equal({
      lower: 0.3,
      upper: Number.POSITIVE_INFINITY,
      terms: { "import 1": 1, "export 1": -1, "missed 1": 1 },
    });
    expect(ordered.column("missed 1")).to.include({ cost: 2_000 });
  });

  it("gives no columns of batteries to cars without one", () => {
    expect(programOf(problem).names.filter((name) => /discharge|stored|C2|V2/.test(name))).to.deep.equal([]);
  });
});
