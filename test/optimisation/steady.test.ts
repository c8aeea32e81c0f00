import { expect } from "chai";
import fc from "fast-check";
import { epochSecond, second, wattHour } from "../../backend/domain/units.ts";
import { violations } from "../../backend/optimisation/checker.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import type { Car, GroupProblem, Plan } from "../../backend/optimisation/problem.ts";
import { expectedWh, movedWh, setPointChanges, steady } from "../../backend/optimisation/steady.ts";
import { aCar, anInterval, aProblem, randomFrom, randomProblem, realisticProblem } from "../support/problems.ts";

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const totalsOf = ({ cars, intervals }: GroupProblem, { energyWh }: Pick<Plan, "energyWh">) =>
  intervals.map((_, t) => sum(cars.map(({ from }, i) => energyWh[i]![t - from] ?? 0)));

/** Two cars of 1,000 Wh per interval and 1,000 Wh for both. */
function pair(intervals: number, needs: readonly [number, number], part: Partial<GroupProblem> = {}): GroupProblem {
  return aProblem({
    cars: needs.map((needWh, i) =>
      aCar({ session: i + 1, needWh: wattHour(needWh), powerW: 4_000 as never, to: intervals }),
    ),
    intervals: Array.from({ length: intervals }, () => anInterval({ limitWh: wattHour(1_000) })),
    ...part,
  });
}

/** The same wishes without promises: nothing is so urgent that the optimiser's order must stay. */
const bestEffort = (problem: GroupProblem): GroupProblem => ({
  ...problem,
  cars: problem.cars.map((car) => ({ ...car, needWh: wattHour(0), moreWh: wattHour(car.needWh + car.moreWh) })),
});

/** The same Wh in another hand: exchanges of whole Wh between two cars and two intervals, at random. */
function shuffled(problem: GroupProblem, plan: Plan, seed: number): Plan {
  const random = randomFrom(seed);
  const pick = (n: number) => Math.floor(random() * n);
  const energyWh = plan.energyWh.map((stay) => [...stay]);
  const { cars, intervals } = problem;
  const most = (i: number, t: number) => Math.floor((cars[i]!.powerW * intervals[t]!.durationS) / 3600);
  for (let step = 0; step < 40 && cars.length > 1; step++) {
    const [i, j, t, r] = [pick(cars.length), pick(cars.length), pick(intervals.length), pick(intervals.length)];
    const place = (n: number, at: number) => at - cars[n]!.from;
    const inStay = (n: number, at: number) => at >= cars[n]!.from && at < cars[n]!.to;
    if (i === j || t === r || ![i, j].every((n) => inStay(n, t) && inStay(n, r))) continue;
    const room = Math.min(
      energyWh[i]![place(i, t)]!,
      energyWh[j]![place(j, r)]!,
      most(i, r) - energyWh[i]![place(i, r)]!,
      most(j, t) - energyWh[j]![place(j, t)]!,
    );
    const wh = Math.floor(random() * (room + 1));
    energyWh[i]![place(i, t)]! -= wh;
    energyWh[i]![place(i, r)]! += wh;
    energyWh[j]![place(j, r)]! -= wh;
    energyWh[j]![place(j, t)]! += wh;
  }
  return { ...plan, energyWh };
}

/** The problem a quarter of an hour later, when everybody did what the plan said. */
function later(problem: GroupProblem, plan: Plan): GroupProblem {
  const cars = problem.cars.flatMap((car, i): Car[] => {
    const had = car.from === 0 ? plan.energyWh[i]![0]! : 0;
    const needWh = wattHour(Math.max(0, car.needWh - had));
    const moreWh = wattHour(car.moreWh - (had - (car.needWh - needWh)));
    const to = car.to - 1;
    return to > Math.max(0, car.from - 1) ? [{ ...car, needWh, moreWh, from: Math.max(0, car.from - 1), to }] : [];
  });
  return { ...problem, at: epochSecond(problem.at + 900), cars, intervals: problem.intervals.slice(1) };
}

describe("A steady plan", () => {
  it("is the previous one as long as that still fits", () => {
    const problem = bestEffort(pair(4, [2_000, 2_000]));
    const exact = leastCost(problem);
    for (const energyWh of [
      [
        [0, 1_000, 1_000, 0],
        [1_000, 0, 0, 1_000],
      ],
      [
        [300, 700, 1_000, 0],
        [700, 300, 0, 1_000],
      ],
    ])
      expect(steady(problem, exact, { problem, energyWh }).energyWh).to.deep.equal(energyWh);
  });

  it("follows any previous plan with the same totals to the Wh, in random groups", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, other) => {
        const problem = bestEffort(randomProblem(seed));
        const exact = leastCost(problem);
        const { energyWh } = shuffled(problem, exact, other);
        expect(steady(problem, exact, { problem, energyWh }).energyWh).to.deep.equal(energyWh);
      }),
      { numRuns: 500 },
    );
  });

  it("changes who charges when, and nothing else", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.boolean(), (seed, other, follows) => {
        const problem = randomProblem(seed);
        const before = randomProblem(other);
        const exact = leastCost(problem);
        const previous = { problem: { ...before, at: problem.at }, energyWh: leastCost(before).energyWh };
        const plan = steady(problem, exact, follows ? previous : undefined);
        expect(violations(problem, plan)).to.deep.equal([]);
        expect(totalsOf(problem, plan)).to.deep.equal(totalsOf(problem, exact));
        expect(plan.energyWh.map(sum)).to.deep.equal(exact.energyWh.map(sum));
        expect([plan.cost, plan.bound]).to.deep.equal([exact.cost, exact.bound]);
        if (follows) expect(movedWh(problem, plan, previous)).to.be.at.most(movedWh(problem, exact, previous));
        else expect(setPointChanges(problem, plan)).to.be.at.most(setPointChanges(problem, exact));
      }),
      { numRuns: 500 },
    );
  });

  it("lets one car charge after the other instead of in turns", () => {
    const problem = bestEffort(pair(4, [2_000, 2_000]));
    const turns = {
      ...leastCost(problem),
      energyWh: [
        [1_000, 0, 1_000, 0],
        [0, 1_000, 0, 1_000],
      ],
    };
    expect(setPointChanges(problem, turns)).to.equal(8);
    const plan = steady(problem, turns);
    expect(setPointChanges(problem, plan)).to.equal(4);
    expect(plan.energyWh).to.deep.equal([
      [1_000, 1_000, 0, 0],
      [0, 0, 1_000, 1_000],
    ]);
  });

  it("leaves a promise where the optimiser put it", () => {
    const cars = [
      aCar({ session: 1, needWh: wattHour(1_700), to: 2 }),
      aCar({ session: 2, moreWh: wattHour(2_000), to: 4 }),
    ];
    const problem = { ...pair(4, [0, 0]), cars };
    const exact = leastCost(problem);
    const wished = [
      [700, 1_000],
      [300, 0, 1_000, 700],
    ];
    expect(exact.energyWh[0]).to.deep.equal([1_000, 700]);
    expect(steady(problem, exact, { problem, energyWh: wished }).energyWh[0]).to.deep.equal([1_000, 700]);
    const guest = { ...problem, cars: [{ ...cars[0]!, needWh: wattHour(0), moreWh: wattHour(1_700) }, cars[1]!] };
    expect(steady(guest, exact, { problem: guest, energyWh: wished }).energyWh).to.deep.equal(wished);
  });

  it("expects what the previous plan gave a session at the same time, whatever the intervals are now", () => {
    const previous = {
      problem: aProblem({
        at: epochSecond(9_000),
        cars: [aCar({ session: 5, to: 2 }), aCar({ session: 7, from: 1, to: 2 })],
        intervals: [anInterval(), anInterval()],
      }),
      energyWh: [[900, 300], [600]],
    };
    const problem = aProblem({
      at: epochSecond(9_300),
      cars: [aCar({ session: 5, to: 3 }), aCar({ session: 6, to: 3 }), aCar({ session: 7, to: 4 })],
      intervals: [
        anInterval({ durationS: second(300) }),
        anInterval({ durationS: second(600) }),
        anInterval({ durationS: second(600) }),
        anInterval(),
      ],
    });
    // 900 Wh until second 9,900 and 300 Wh until 10,800; the second interval has 300 s of each.
    expect(expectedWh(problem, previous)).to.deep.equal([
      [300, 400, 200],
      [-1, -1, -1], // unknown then
      [0, 200, 400, -1], // beyond its horizon
    ]);
  });

  it("moves next to nothing when nothing changed for five hours, promises or not", () => {
    for (const cars of [20, 80])
      for (const moreShare of [1, 0.3, 0]) {
        let [moved, planned] = [0, 0];
        for (let seed = 1; seed <= 2; seed++) {
          let problem = realisticProblem(cars, seed, { plugged: "now", moreShare });
          let plan = steady(problem, leastCost(problem));
          for (let run = 0; run < 20; run++) {
            const previous = { problem, energyWh: plan.energyWh };
            problem = later(problem, plan);
            plan = steady(problem, leastCost(problem), previous);
            moved += movedWh(problem, plan, previous);
            planned += sum(plan.energyWh.flat());
          }
        }
        expect(moved / planned, `${cars} cars, ${moreShare} with best effort`).to.be.below(0.03);
      }
  });

  it("switches a fifth less than the optimiser's own order in crowded groups of 20 and 80 cars", () => {
    for (const cars of [20, 80]) {
      let [before, after] = [0, 0];
      for (let seed = 1; seed <= 4; seed++) {
        const problem = bestEffort(realisticProblem(cars, seed, { plugged: "now" }));
        const exact = leastCost(problem);
        before += setPointChanges(problem, exact);
        after += setPointChanges(problem, steady(problem, exact));
      }
      expect(after / before, `${cars} cars`).to.be.below(0.8);
    }
  });
});
