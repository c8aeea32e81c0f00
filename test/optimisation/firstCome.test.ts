import { expect } from "chai";
import { watt, wattHour } from "../../backend/domain/units.ts";
import { violations } from "../../backend/optimisation/checker.ts";
import { firstCome } from "../../backend/optimisation/firstCome.ts";
import { uncontrolled } from "../../backend/optimisation/uncontrolled.ts";
import { aCar, anInterval, aProblem } from "../support/problems.ts";

const quarters = (...limits: number[]) => limits.map((wh) => anInterval({ limitWh: wattHour(wh) }));

describe("first come", () => {
  it("charges the car with the lowest session number as fast as it can, then the next", () => {
    const cars = [4, 5, 9].map((session) => aCar({ session, moreWh: wattHour(3_000), powerW: watt(8_000), to: 3 }));
    // 8 kW are 2,000 Wh a quarter of an hour.
    const plan = firstCome(aProblem({ cars, intervals: quarters(3_000, 3_000, 3_000) }), { protectPromises: 0 });
    expect(plan.energyWh).to.deep.equal([
      [2_000, 1_000, 0],
      [1_000, 2_000, 0],
      [0, 0, 2_000],
    ]);
  });

  it("leaves whoever came first waiting only for what was promised to others", () => {
    const cars = [
      aCar({ session: 1, moreWh: wattHour(3_000), powerW: watt(8_000), to: 2 }),
      aCar({ session: 2, needWh: wattHour(1_500), powerW: watt(8_000), to: 2 }),
    ];
    const problem = aProblem({ cars, intervals: quarters(2_000, 1_000) });
    expect(firstCome(problem, { protectPromises: 1 }).energyWh).to.deep.equal([
      [1_500, 0],
      [500, 1_000],
    ]);
    expect(firstCome(problem, { protectPromises: 0 }).energyWh).to.deep.equal([
      [2_000, 1_000],
      [0, 0],
    ]);
  });
});

describe("uncontrolled", () => {
  const cars = [1, 2].map((session) => aCar({ session, needWh: wattHour(2_500), powerW: watt(8_000), to: 2 }));
  const problem = aProblem({ cars, intervals: quarters(3_000, 3_000) });

  it("charges everyone at full power from now on", () => {
    expect(uncontrolled(problem).energyWh).to.deep.equal([
      [2_000, 500],
      [2_000, 500],
    ]);
  });

  it("exceeds the limit, says the checker, by what it exceeds it", () => {
    expect(violations(problem, uncontrolled(problem))).to.deep.equal([
      { rule: "group-limit", session: null, interval: 0, excess: 1_000 },
    ]);
  });

  it("may be cheaper than every plan within the limit, which is what its bound is for", () => {
    const dear = anInterval({ limitWh: wattHour(3_000), price: problem.intervals[0]!.price });
    const later = anInterval({ ...dear, price: (problem.intervals[0]!.price * 2) as typeof dear.price });
    const plan = uncontrolled(aProblem({ cars, intervals: [dear, later] }));
    expect(plan.bound! > plan.cost).to.equal(true);
  });
});
