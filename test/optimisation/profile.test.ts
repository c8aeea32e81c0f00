import { expect } from "chai";
import { second, watt, wattHour } from "../../backend/domain/units.ts";
import { planValue, violations } from "../../backend/optimisation/checker.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import type { GroupProblem, Plan } from "../../backend/optimisation/problem.ts";
import { type LimitPeriod, periodsOf, repairMinimumPower } from "../../backend/optimisation/profile.ts";
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

  it("never allows more than the plan and at most a little less, at 0 or at least minimum power", () => {
    let bursts = 0;
    for (let seed = 0; seed < 400; seed++) {
      const random = randomFrom(seed);
      const base = seed % 2 ? realisticProblem(12, seed, { intervals: 24 }) : randomProblem(seed);
      const problem: GroupProblem = {
        ...base,
        cars: base.cars.map((car) => ({ ...car, minPowerW: watt(Math.floor(car.powerW * random())) })),
      };
      const { plan } = repairMinimumPower(problem, leastCost(problem));
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
          expect(allowed).to.be.at.most(planned + 1e-9);
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
  });
});

describe("minimum power repair", () => {
  it("returns the same plan when every energy is worth switching on for", () => {
    const problem = aProblem({ cars: [aCar({ session: 1, needWh: wattHour(500), minPowerW: watt(1_380) })] });
    const plan = leastCost(problem);
    expect(repairMinimumPower(problem, plan)).to.deep.equal({ plan, repairedIntervals: 0 });
    expect(repairMinimumPower(problem, plan).plan).to.equal(plan);
  });

  it("moves a crumb to another interval of the car", () => {
    const problem = aProblem({
      cars: [aCar({ session: 1, needWh: wattHour(1_010), minPowerW: watt(4_140), from: 0, to: 2 })],
      intervals: [anInterval({ limitWh: wattHour(1_000) }), anInterval({ price: 250_000 as never })],
    });
    const plan = leastCost(problem);
    expect(plan.energyWh).to.deep.equal([[1_000, 10]]);
    const repaired = repairMinimumPower(problem, plan);
    expect(repaired.repairedIntervals).to.equal(1);
    expect(repaired.plan.energyWh).to.deep.equal([[976, 34]]); // filled up: 34 Wh are 30 s at 4,140 W
    expect(repaired.plan.cost).to.equal(planValue(problem, repaired.plan).cost);
    expect(repaired.plan.bound).to.equal(plan.bound);
  });

  it("leaves unserved what no repair can place", () => {
    const problem = aProblem({ cars: [aCar({ session: 1, needWh: wattHour(10), minPowerW: watt(4_140) })] });
    expect(repairMinimumPower(problem, leastCost(problem)).plan.energyWh).to.deep.equal([[0]]);
  });

  it("keeps limits and needs of realistic groups, at a known and small cost", () => {
    let repaired = 0;
    for (let seed = 0; seed < 12; seed++) {
      const problem = realisticProblem(60, seed);
      const exact = leastCost(problem);
      const { plan, repairedIntervals } = repairMinimumPower(problem, exact);
      repaired += repairedIntervals;
      expect(violations(problem, plan, { minimumPower: true })).to.deep.equal([]);
      const { cost, bound } = planValue(problem, plan);
      expect([cost, bound]).to.deep.equal([plan.cost, exact.bound]);
      expect(Number(cost - bound!) / Number(bound)).to.be.within(0, 0.002);
    }
    expect(repaired).to.be.greaterThan(10);
  });

  it("repairs crowded groups full of crumbs within every limit", () => {
    const outcome = { repaired: 0, unserved: 0, kept: 0 };
    for (let seed = 0; seed < 600; seed++) {
      const random = randomFrom(seed);
      const int = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
      const m = int(1, 8);
      const cars = Array.from({ length: int(1, 7) }, (_, k) => {
        const minPowerW = watt([1_380, 4_140][int(0, 1)]!);
        const from = int(0, m - 1);
        const needWh = wattHour(int(0, 150));
        const powerW = watt(minPowerW + int(0, 3_000));
        return aCar({
          session: k + 1,
          needWh,
          moreWh: wattHour(int(0, 60)),
          powerW,
          minPowerW,
          from,
          to: int(from + 1, m),
        });
      });
      const intervals = Array.from({ length: m }, () =>
        anInterval({
          limitWh: wattHour(int(0, 160)),
          price: (int(0, 3) * 10_000) as never,
          durationS: second(random() < 0.8 ? 900 : int(10, 120)),
        }),
      );
      const problem = aProblem({ cars, intervals });
      const exact = leastCost(problem);
      const { plan, repairedIntervals } = repairMinimumPower(problem, exact);
      expect(violations(problem, plan, { minimumPower: true }), `seed ${seed}`).to.deep.equal([]);
      expect(repairedIntervals).to.equal(violations(problem, exact, { minimumPower: true }).length);
      const { cost, bound } = planValue(problem, plan);
      expect([plan.cost, plan.bound]).to.deep.equal([cost, bound]);
      const served = (energyWh: readonly (readonly number[])[]) => energyWh.flat().reduce((a, b) => a + b, 0);
      const lost = served(exact.energyWh) - served(plan.energyWh);
      expect(lost).to.be.at.least(0);
      outcome.repaired += repairedIntervals;
      if (lost > 0) outcome.unserved++;
      else if (repairedIntervals > 0) outcome.kept++;
    }
    expect(outcome.repaired).to.be.greaterThan(500);
    expect(Math.min(outcome.unserved, outcome.kept)).to.be.greaterThan(25);
  });

  it("takes the place that is nearest in price", () => {
    const prices = [100_000, 500_000, 140_000, 120_000];
    const problem = aProblem({
      cars: [aCar({ session: 1, needWh: wattHour(2_010), minPowerW: watt(4_140), from: 0, to: 4 })],
      intervals: prices.map((price, t) =>
        anInterval({ price: price as never, limitWh: wattHour(t === 0 || t === 3 ? 1_000 : 990) }),
      ),
    });
    // 10 Wh are left for interval 2; 24 Wh more fill it up, and come from interval 3 (20,000 away), not from 0.
    expect(leastCost(problem).energyWh).to.deep.equal([[1_000, 0, 10, 1_000]]);
    expect(repairMinimumPower(problem, leastCost(problem)).plan.energyWh).to.deep.equal([[1_000, 0, 34, 976]]);
  });

  it("exchanges with another car, so that cost stays", () => {
    const car = { minPowerW: watt(4_140), from: 0, to: 2 };
    const problem = aProblem({
      cars: [
        aCar({ session: 1, needWh: wattHour(510), ...car, powerW: watt(5_000) }),
        aCar({ session: 2, needWh: wattHour(1_000), ...car, powerW: watt(5_000) }),
      ],
      intervals: [
        anInterval({ limitWh: wattHour(1_000) }),
        anInterval({ limitWh: wattHour(510), price: 900_000 as never }),
      ],
    });
    const crumbs = {
      ...leastCost(problem),
      energyWh: [
        [500, 10],
        [500, 500],
      ],
    }; // prettier-ignore
    expect(repairMinimumPower(problem, crumbs)).to.deep.include({ repairedIntervals: 1 });
    expect(repairMinimumPower(problem, crumbs).plan.energyWh).to.deep.equal([
      [510, 0],
      [490, 510],
    ]); // prettier-ignore
  });

  it("finds the crumbs by the same rule as the checker", () => {
    const problem = aProblem({
      cars: [aCar({ session: 1, moreWh: wattHour(500), minPowerW: watt(4_140) })],
      intervals: [anInterval({ durationS: second(900) })],
    });
    const rules = (wh: number) => violations(problem, planOf([wh]), { minimumPower: true }).map(({ rule }) => rule);
    expect(rules(33)).to.deep.equal(["minimum-power"]);
    expect(rules(34)).to.deep.equal([]);
    expect(repairMinimumPower(problem, planOf([33])).plan.energyWh).to.not.deep.equal([[33]]);
    expect(repairMinimumPower(problem, planOf([34])).repairedIntervals).to.equal(0);
  });
});
