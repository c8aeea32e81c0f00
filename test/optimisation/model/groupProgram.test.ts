import { expect } from "chai";
import { microEurPerKwh, second, watt, wattHour } from "../../../backend/domain/units.ts";
import { planFrom } from "../../../backend/optimisation/model/crossCheck.ts";
import { linearProgram } from "../../../backend/optimisation/model/groupProgram.ts";
import { aCar, anInterval, aProblem, randomProblem } from "../../support/problems.ts";

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
