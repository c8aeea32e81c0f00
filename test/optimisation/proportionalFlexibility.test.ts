import { expect } from "chai";
import { watt, wattHour } from "../../backend/domain/units.ts";
import type { GroupProblem } from "../../backend/optimisation/problem.ts";
import {
  flexibleWh,
  powerFlexibilityW,
  proportionalFlexibility,
} from "../../backend/optimisation/proportionalFlexibility.ts";
import type { Claim } from "../../backend/optimisation/rule.ts";
import { near } from "../support/near.ts";
import { aCar, anInterval, aProblem } from "../support/problems.ts";

const quarters = (...limits: number[]) => limits.map((wh) => anInterval({ limitWh: wattHour(wh) }));
const plan = (problem: GroupProblem, part: { highFlexibilityW?: number; protectPromises?: number } = {}) =>
  proportionalFlexibility(problem, { highFlexibilityW: 11_000, protectPromises: 0, ...part }).energyWh;

/** A car of 12 kW (3,000 Wh a quarter of an hour) that stays for so many of them and is owed so much. */
const claim = (quartersLeft: number, owedWh: number): Claim => ({
  car: aCar({ session: 1, powerW: watt(12_000) }),
  wantedWh: Math.min(3_000, owedWh),
  leastWh: 0,
  mostWh: 3_000,
  laterWh: 3_000 * (quartersLeft - 1),
  owedWh,
});

describe("proportional flexibility, the rule of Oli Move's ancestor", () => {
  it("F_p is the whole power when the car can wait for a quarter of an hour or longer", () => {
    // T = 60 min, E = 9 kWh, P = 12 kW: F_t = 60 - 45 = 15 min.
    expect(flexibleWh(claim(4, 9_000))).to.equal(3_000);
    expect(powerFlexibilityW(claim(4, 9_000), 900)).to.equal(12_000);
  });

  it("F_p = F_t * P / 15 when it can wait for less", () => {
    // T = 60 min, E = 11 kWh: F_t = 60 - 55 = 5 min, F_p = 5 * 12 / 15 = 4 kW.
    expect(powerFlexibilityW(claim(4, 11_000), 900)).to.equal(4_000);
    // T = 15 min, the last step, E = 2.4 kWh: F_t = 15 - 12 = 3 min, F_p = 3 * 12 / 15 = 2.4 kW.
    expect(powerFlexibilityW(claim(1, 2_400), 900)).to.satisfy(near(2_400, 1e-9));
  });

  it("F_p is the whole power also where whole Wh would make it a little less", () => {
    // 11 kW for 901 s are 2,753.06 Wh, and 2,753 Wh in 901 s are 10,999.8 W.
    const odd = { ...claim(4, 1_000), car: aCar({ session: 1, powerW: watt(11_000) }), mostWh: 2_753 };
    expect(powerFlexibilityW(odd, 901)).to.equal(11_000);
  });

  it("F_p is 0 when the car cannot wait, or not even charge enough in its stay", () => {
    expect(powerFlexibilityW(claim(4, 12_000), 900)).to.equal(0);
    expect(powerFlexibilityW(claim(4, 15_000), 900)).to.equal(0);
  });

  it("lets everyone charge at full power while the sum is within the limit", () => {
    const cars = [1, 2].map((session) => aCar({ session, needWh: wattHour(5_000), powerW: watt(8_000), to: 4 }));
    expect(plan(aProblem({ cars, intervals: quarters(4_000, 4_000, 4_000, 4_000) }))).to.deep.equal([
      [2_000, 2_000, 1_000, 0],
      [2_000, 2_000, 1_000, 0],
    ]);
  });

  it("reduces cars of high flexibility first, in proportion to their F_p", () => {
    // 22 kW, 12 kW and 8 kW, all wholly flexible: 5,500 + 3,000 + 2,000 = 10,500 Wh, 1,700 Wh too much. The first two have
    // high flexibility (22 and 12 kW): they give 1,700 * 22 / 34 = 1,100 and 1,700 * 12 / 34 = 600.
    const cars = [22_000, 12_000, 8_000].map((powerW, k) =>
      aCar({ session: k + 1, needWh: wattHour(7_000), powerW: watt(powerW), to: 8 }),
    );
    const intervals = quarters(8_800, ...new Array(7).fill(20_000));
    expect(plan(aProblem({ cars, intervals })).map(([now]) => now)).to.deep.equal([4_400, 2_400, 2_000]);
  });

  it("leaves them P - F_p, and takes the rest from cars of low flexibility", () => {
    // 12 kW each. The first can wait for long; the second for 10 min: F_p 8 kW, low, so that it keeps 4 kW = 1,000 Wh.
    // Room for 1,500 of 6,000 Wh: the first gives all of its 3,000, the second 1,500 of the 2,000 that it can give.
    const cars = [
      aCar({ session: 1, needWh: wattHour(3_000), powerW: watt(12_000), to: 4 }),
      aCar({ session: 2, needWh: wattHour(4_000), powerW: watt(12_000), to: 2 }),
    ];
    const intervals = quarters(1_500, 3_000, 3_000, 3_000);
    expect(plan(aProblem({ cars, intervals })).map(([now]) => now)).to.deep.equal([0, 1_500]);
  });

  it("takes from cars of low flexibility only what they can do without", () => {
    // 8 kW each, 1,000 Wh too much: the first can wait, the second has 2,000 Wh to get in its last quarter of an hour.
    const cars = [
      aCar({ session: 1, needWh: wattHour(2_000), powerW: watt(8_000), to: 4 }),
      aCar({ session: 2, needWh: wattHour(2_000), powerW: watt(8_000), to: 1 }),
    ];
    expect(plan(aProblem({ cars, intervals: quarters(3_000, 3_000, 3_000, 3_000) })).map(([now]) => now)).to.deep.equal(
      [1_000, 2_000],
    );
  });

  it("counts with the energy that is left in each interval", () => {
    // After the first quarter of an hour the first car owes 3,000 Wh for two more: it can wait, F_p is 12 kW, and it gives
    // all of the 1,500 Wh that are too much. With the 6,000 Wh of before it could do without nothing.
    const cars = [
      aCar({ session: 1, needWh: wattHour(6_000), powerW: watt(12_000), to: 3 }),
      aCar({ session: 2, needWh: wattHour(4_000), powerW: watt(8_000), to: 8 }),
    ];
    const intervals = quarters(5_000, 3_500, ...new Array(6).fill(9_000));
    expect(plan(aProblem({ cars, intervals }))).to.deep.equal([
      [3_000, 1_500, 1_500],
      [2_000, 2_000, 0, 0, 0, 0, 0, 0],
    ]);
  });

  it("counts a car as highly flexible from the parameter on", () => {
    const cars = [12_000, 8_000].map((powerW, k) =>
      aCar({ session: k + 1, needWh: wattHour(2_000), powerW: watt(powerW), to: 8 }),
    );
    const problem = aProblem({ cars, intervals: quarters(3_000, ...new Array(7).fill(9_000)) });
    // 4,000 Wh are wanted, 1,000 too many. At 11 kW the first alone gives; at 8 kW both, 2,000 : 2,000 (what they want).
    expect(plan(problem).map(([now]) => now)).to.deep.equal([1_000, 2_000]);
    expect(plan(problem, { highFlexibilityW: 8_000 }).map(([now]) => now)).to.deep.equal([1_500, 1_500]);
    expect(plan(problem, { highFlexibilityW: 12_001 }).map(([now]) => now)).to.deep.equal([1_500, 1_500]);
  });

  it("reduces all in proportion to what they have left where nobody can wait", () => {
    // The ancestor assigned nothing here. 3,000 and 2,000 Wh are wanted and cannot wait; 2,500 are there.
    const cars = [
      aCar({ session: 1, needWh: wattHour(3_000), powerW: watt(12_000) }),
      aCar({ session: 2, needWh: wattHour(2_000), powerW: watt(8_000) }),
    ];
    expect(plan(aProblem({ cars, intervals: quarters(2_500) }))).to.deep.equal([[1_500], [1_000]]);
  });

  it("loses no Wh to rounding", () => {
    const cars = [1, 2, 3].map((session) => aCar({ session, needWh: wattHour(2_000), powerW: watt(8_000), to: 4 }));
    const energy = plan(aProblem({ cars, intervals: quarters(1_000, 1_001, 9_000, 9_000) }));
    expect(energy.map(([now]) => now)).to.deep.equal([333, 333, 334]);
    expect(energy.map((stay) => stay.reduce((a, b) => a + b))).to.deep.equal([2_000, 2_000, 2_000]);
  });

  it("takes best effort as wholly flexible", () => {
    const cars = [
      aCar({ session: 1, moreWh: wattHour(3_000), powerW: watt(12_000) }),
      aCar({ session: 2, needWh: wattHour(3_000), powerW: watt(12_000) }),
    ];
    expect(plan(aProblem({ cars, intervals: quarters(3_500) }))).to.deep.equal([[500], [3_000]]);
  });
});
