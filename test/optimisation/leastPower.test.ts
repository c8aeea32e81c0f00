import { expect } from "chai";
import { second, watt, wattHour } from "../../backend/domain/units.ts";
import { planValue, violations } from "../../backend/optimisation/checker.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { leastPower } from "../../backend/optimisation/leastPower.ts";
import type { GroupProblem, Plan } from "../../backend/optimisation/problem.ts";
import { aCar, anInterval, aProblem, randomFrom, realisticProblem } from "../support/problems.ts";

const planOf = (...energyWh: number[][]): Plan => ({
  algorithm: "least-cost",
  energyWh,
  certificate: null,
  cost: 0n,
  bound: null,
});
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const servedOf = ({ energyWh }: Plan) => energyWh.map(sum);

describe("Least power", () => {
  it("returns the same plan when every energy is worth switching on for", () => {
    const problem = aProblem({ cars: [aCar({ session: 1, needWh: wattHour(500), minPowerW: watt(1_380) })] });
    const plan = leastCost(problem);
    expect(leastPower(problem, plan)).to.deep.equal({ plan, repairedIntervals: 0 });
    expect(leastPower(problem, plan).plan).to.equal(plan);
  });

  it("moves a crumb to another interval of the car", () => {
    const problem = aProblem({
      cars: [aCar({ session: 1, needWh: wattHour(1_010), minPowerW: watt(4_140), from: 0, to: 2 })],
      intervals: [anInterval({ limitWh: wattHour(1_000) }), anInterval({ price: 250_000 as never })],
    });
    const plan = leastCost(problem);
    expect(plan.energyWh).to.deep.equal([[1_000, 10]]);
    const repaired = leastPower(problem, plan);
    expect(repaired.repairedIntervals).to.equal(1);
    expect(repaired.plan.energyWh).to.deep.equal([[976, 34]]); // filled up: 34 Wh are 30 s at 4,140 W
    expect(repaired.plan.cost).to.equal(planValue(problem, repaired.plan).cost);
    expect(repaired.plan.bound).to.equal(plan.bound);
  });

  it("leaves unserved what no repair can place", () => {
    const problem = aProblem({ cars: [aCar({ session: 1, needWh: wattHour(10), minPowerW: watt(4_140) })] });
    expect(leastPower(problem, leastCost(problem)).plan.energyWh).to.deep.equal([[0]]);
  });

  it("keeps limits and needs of realistic groups, at a known and small cost", () => {
    let repaired = 0;
    for (let seed = 0; seed < 12; seed++) {
      const problem = realisticProblem(60, seed);
      const exact = leastCost(problem);
      const { plan, repairedIntervals } = leastPower(problem, exact);
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
      const { plan, repairedIntervals } = leastPower(problem, exact);
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
    expect(leastPower(problem, leastCost(problem)).plan.energyWh).to.deep.equal([[1_000, 0, 34, 976]]);
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
    expect(leastPower(problem, crumbs)).to.deep.include({ repairedIntervals: 1 });
    expect(leastPower(problem, crumbs).plan.energyWh).to.deep.equal([
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
    expect(leastPower(problem, planOf([33])).plan.energyWh).to.not.deep.equal([[33]]);
    expect(leastPower(problem, planOf([34])).repairedIntervals).to.equal(0);
  });

  it("fills a crumb up from another interval of its car, while another car makes the opposite exchange", () => {
    const car = { minPowerW: watt(4_140), from: 0, to: 2 };
    const problem = aProblem({
      cars: [
        aCar({ session: 1, needWh: wattHour(1_045), powerW: watt(4_140), ...car }),
        aCar({ session: 2, needWh: wattHour(1_205), powerW: watt(5_000), ...car }),
      ],
      intervals: [anInterval({ limitWh: wattHour(1_250) }), anInterval({ limitWh: wattHour(1_000) })],
    });
    // Car 1 has full power in interval 0 (1,035 Wh), so its 10 Wh have no other place; 24 Wh more make 34.
    expect(leastPower(problem, planOf([1_035, 10], [215, 990])).plan.energyWh).to.deep.equal([
      [1_011, 34],
      [239, 966],
    ]);
  });

  it("lets a promise take what would be a crumb from best effort, and not the other way round", () => {
    const car = { minPowerW: watt(4_140), powerW: watt(11_000) };
    const problem = (promised: 0 | 1) =>
      aProblem({
        cars: [0, 1].map((i) =>
          aCar({ session: i + 1, ...car, [i === promised ? "needWh" : "moreWh"]: wattHour(i === 1 ? 40 : 500) }),
        ),
        intervals: [anInterval({ limitWh: wattHour(510) })],
      });
    const crumb = planOf([500], [10]);
    expect(leastPower(problem(1), crumb).plan.energyWh).to.deep.equal([[476], [34]]);
    expect(leastPower(problem(0), crumb).plan.energyWh).to.deep.equal([[500], [0]]);
  });

  it("takes best effort before what was promised to others", () => {
    const car = { minPowerW: watt(4_140), powerW: watt(11_000) };
    const problem = aProblem({
      cars: [
        aCar({ session: 1, needWh: wattHour(500), ...car }),
        aCar({ session: 2, moreWh: wattHour(500), ...car }),
        aCar({ session: 3, needWh: wattHour(40), ...car }),
      ],
      intervals: [anInterval({ limitWh: wattHour(1_010) })],
    });
    expect(leastPower(problem, planOf([500], [500], [10])).plan.energyWh).to.deep.equal([[500], [476], [34]]);
  });

  it("serves as much as any plan that is chargeable does, but where a crumb is most of a tiny need", () => {
    const seen = { repaired: 0, worse: 0, servedWh: 0, mostWh: 0 };
    for (let seed = 0; seed < 1_200; seed++) {
      const problem = tinyProblem(seed);
      const { plan, repairedIntervals } = leastPower(problem, leastCost(problem));
      expect(violations(problem, plan, { minimumPower: true }), `seed ${seed}`).to.deep.equal([]);
      if (repairedIntervals === 0) continue;
      const own = value(problem, servedOf(plan));
      const most = mostChargeable(problem);
      expect(own, `seed ${seed}`).to.be.at.most(most);
      seen.repaired++;
      if (own < most) seen.worse++;
      seen.servedWh += own;
      seen.mostWh += most;
    }
    expect(seen.repaired).to.be.greaterThan(500);
    expect(seen.worse / seen.repaired).to.be.below(0.08);
    expect(seen.servedWh / seen.mostWh).to.be.above(0.98);
  });

  for (const plugged of ["day", "now"] as const)
    for (const intervals of [92, 96, 100])
      it(`leaves nothing unserved at six amperes, all plugged in by ${plugged}, ${intervals} intervals`, () => {
        for (const [cars, seeds, most] of [
          [20, 10, 0.01],
          [80, 5, 0.005],
          [320, 2, 0.002],
        ] as const)
          for (let seed = 1; seed <= seeds; seed++) {
            const problem = realisticProblem(cars, seed, { intervals, plugged });
            const exact = leastCost(problem);
            const { plan } = leastPower(problem, exact);
            const { cost, bound } = planValue(problem, plan);
            expect(violations(problem, plan, { minimumPower: true })).to.deep.equal([]);
            expect(sum(servedOf(plan)), `${cars} cars, seed ${seed}`).to.equal(sum(servedOf(exact)));
            expect(Number(cost - bound!) / Number(bound)).to.be.within(0, most);
          }
      });
});

/** Where every second energy is a crumb: bursts of 3 to 10 Wh, needs and limits of a few. */
function tinyProblem(seed: number): GroupProblem {
  const random = randomFrom(seed);
  const int = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const m = int(1, 4);
  const cars = Array.from({ length: int(1, 3) }, (_, k) => {
    const from = int(0, m - 1);
    const minPowerW = watt(int(0, 1) ? 360 : 600);
    return aCar({
      session: k + 1,
      minPowerW,
      powerW: watt(minPowerW + int(0, 600)),
      needWh: wattHour(int(0, 12)),
      moreWh: wattHour(int(0, 1) ? int(0, 8) : 0),
      from,
      to: int(from + 1, m),
    });
  });
  const intervals = Array.from({ length: m }, () =>
    anInterval({ durationS: second(int(30, 60)), limitWh: wattHour(int(0, 14)), price: (int(0, 3) * 10_000) as never }),
  );
  return aProblem({ cars, intervals });
}

/** Promised Wh count a hundred times. */
const value = ({ cars }: GroupProblem, served: readonly number[]) =>
  sum(served.map((wh, i) => 99 * Math.min(wh, cars[i]!.needWh) + wh));

/** The most that any chargeable plan serves, by trying all of them: every vector of served Wh after every interval. */
function mostChargeable(problem: GroupProblem): number {
  const { cars, intervals } = problem;
  let reached = new Map<string, readonly number[]>([["", cars.map(() => 0)]]);
  for (const [t, { durationS, limitWh }] of intervals.entries()) {
    const next = new Map<string, readonly number[]>();
    for (const before of reached.values()) {
      const charge = (i: number, leftWh: number, served: readonly number[]): void => {
        if (i === cars.length) {
          next.set(served.join(), served);
          return;
        }
        const { from, to, powerW, minPowerW, needWh, moreWh } = cars[i]!;
        charge(i + 1, leftWh, [...served, before[i]!]);
        if (t < from || t >= to) return;
        const most = Math.min(leftWh, Math.floor((powerW * durationS) / 3600), needWh + moreWh - before[i]!);
        for (let wh = Math.floor((minPowerW * 30) / 3600); wh <= most; wh++)
          charge(i + 1, leftWh - wh, [...served, before[i]! + wh]);
      };
      charge(0, limitWh, []);
    }
    reached = next;
  }
  return Math.max(...[...reached.values()].map((served) => value(problem, served)));
}
