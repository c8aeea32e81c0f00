import { expect } from "chai";
import { second, watt, wattHour } from "../../backend/domain/units.ts";
import { violations } from "../../backend/optimisation/checker.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import type { GroupProblem, Plan } from "../../backend/optimisation/problem.ts";
import { type LimitPeriod, periodsOf } from "../../backend/optimisation/profile.ts";
import { refine } from "../../backend/optimisation/refine.ts";
import { aCar, anInterval, aProblem, randomFrom, randomProblem, realisticProblem } from "../support/problems.ts";

const planOf = (...energyWh: number[][]): Plan => ({
  algorithm: "least-cost",
  energyWh,
  certificate: null,
  cost: 0n,
  bound: null,
});
const short = (periods: readonly LimitPeriod[]) => periods.map(({ startS, limitW }) => [startS, limitW]);

/** Energy that the limits allow from one second to another. Wh */
function allowedWh(periods: readonly LimitPeriod[], fromS: number, toS: number): number {
  let sum = 0;
  for (const [k, { startS, limitW }] of periods.entries()) {
    const end = Math.min(periods[k + 1]?.startS ?? toS, toS);
    sum += limitW * Math.max(0, end - Math.max(startS, fromS));
  }
  return sum / 3600;
}

describe("charging periods", () => {
  const group = (stays: number, minPowerW = 4_140) =>
    aProblem({
      cars: [aCar({ session: 1, needWh: wattHour(9_000), minPowerW: watt(minPowerW), from: 1, to: 1 + stays })],
      intervals: Array.from({ length: stays + 1 }, () => anInterval()),
    });

  it("turns 2,750 Wh in a quarter of an hour into 11 kW, and ends in 0", () => {
    expect(short(periodsOf(group(1), planOf([2_750]), 0))).to.deep.equal([
      [0, 0],
      [900, 11_000],
      [1_800, 0],
    ]); // prettier-ignore
  });

  it("merges equal neighbours and ends in the given floor", () => {
    const periods = periodsOf(group(3), planOf([2_000, 2_000, 2_750]), 0, 1_380);
    expect(short(periods)).to.deep.equal([
      [0, 0],
      [900, 8_000],
      [2_700, 11_000],
      [3_600, 1_380],
    ]); // prettier-ignore
  });

  it("charges less than the minimum in one burst, next to other charging", () => {
    const at4140 = 517; // 517 Wh = 4,140 W for 449 s; 4,145 W use it up
    const steady = 2_000;
    expect(short(periodsOf(group(1), planOf([at4140]), 0))).to.deep.equal([
      [0, 0],
      [900, 4_145],
      [1_349, 0],
    ]);
    expect(short(periodsOf(group(2), planOf([steady, at4140]), 0)).slice(2)).to.deep.equal([
      [1_800, 4_145],
      [2_249, 0],
    ]);
    expect(short(periodsOf(group(2), planOf([at4140, steady]), 0))).to.deep.equal([
      [0, 0],
      [900 + 900 - 449, 4_145],
      [1_800, 8_000],
      [2_700, 0],
    ]);
  });

  it("tells a car at full power the same limit, however short the interval", () => {
    const [powerW, shortS] = [6_656, 34];
    const problem = aProblem({
      cars: [aCar({ session: 1, powerW: watt(powerW), needWh: wattHour(1_726), from: 0, to: 2 })],
      intervals: [anInterval({ durationS: second(shortS) }), anInterval()],
    });
    const wholeWh = [Math.floor((powerW * shortS) / 3600), powerW / 4];
    expect(short(periodsOf(problem, planOf(wholeWh), 0))).to.deep.equal([
      [0, powerW],
      [shortS + 900, 0],
    ]);
    const part = periodsOf(problem, planOf([wholeWh[0]! - 1, powerW / 4]), 0);
    expect(part[0]!.limitW).to.be.below(powerW - 100);
  });

  it("never allows a whole Wh more than the plan and at most a little less, at 0 or at least minimum power", () => {
    let bursts = 0;
    let rounded = 0;
    for (let seed = 0; seed < 400; seed++) {
      const random = randomFrom(seed);
      const base = seed % 2 ? realisticProblem(12, seed, { intervals: 24 }) : randomProblem(seed);
      const problem: GroupProblem = {
        ...base,
        cars: base.cars.map((car) => ({ ...car, minPowerW: watt(Math.floor(car.powerW * random())) })),
      };
      const { plan } = refine(problem, leastCost(problem));
      expect(violations(problem, plan, { minimumPower: true })).to.deep.equal([]);
      for (const [i, car] of problem.cars.entries()) {
        const periods = periodsOf(problem, plan, i);
        for (const [k, { startS, limitW }] of periods.entries()) {
          expect(limitW === 0 || (limitW >= car.minPowerW && limitW <= car.powerW), `${limitW} W`).to.equal(true);
          if (k > 0) expect(startS).to.be.greaterThan(periods[k - 1]!.startS);
          if (k > 0) expect(limitW).to.not.equal(periods[k - 1]!.limitW);
        }
        let startS = 0;
        for (const [t, { durationS }] of problem.intervals.entries()) {
          const planned = t >= car.from && t < car.to ? plan.energyWh[i]![t - car.from]! : 0;
          const allowed = allowedWh(periods, startS, startS + durationS);
          const isFull = planned > 0 && planned === Math.floor((car.powerW * durationS) / 3600);
          expect(allowed, "more only at full power").to.be.below(planned + (isFull ? 1 : 1e-9));
          if (allowed > planned + 1e-9) rounded++;
          if (planned * 3600 < car.minPowerW * durationS && planned > 0) bursts++;
          // One second of minimum power (bursts are whole seconds) and one watt over the interval.
          expect(planned - allowed, `seed ${seed} car ${i} t ${t}`).to.be.below(
            (car.minPowerW + durationS) / 3600 + 1e-9,
          );
          startS += durationS;
        }
      }
    }
    expect(bursts).to.be.greaterThan(300);
    expect(rounded).to.be.greaterThan(300);
  });
});
