import { expect } from "chai";
import fc from "fast-check";
import { watt, wattHour } from "../../backend/domain/units.ts";
import { violations } from "../../backend/optimisation/checker.ts";
import { fairShare } from "../../backend/optimisation/fairShare.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import type { Car, GroupProblem, Plan } from "../../backend/optimisation/problem.ts";
import { mostDeliverable } from "../support/maxFlow.ts";
import { aCar, anInterval, aProblem, randomProblem, realisticProblem } from "../support/problems.ts";

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const servedOf = ({ energyWh }: Plan) => energyWh.map(sum);
const promisedOf = ({ cars }: GroupProblem, plan: Plan) => servedOf(plan).map((wh, i) => Math.min(wh, cars[i]!.needWh));

/** Wh in each interval, all cars together. */
function totalsOf({ cars, intervals }: GroupProblem, { energyWh }: Plan): number[] {
  return intervals.map((_, t) => sum(cars.map(({ from }, i) => energyWh[i]![t - from] ?? 0)));
}

describe("Fair share of shortage", () => {
  const group = (cars: readonly Partial<Car>[], ...limitsWh: number[]) =>
    aProblem({
      cars: cars.map((car, i) => aCar({ session: i + 1, to: limitsWh.length, ...car })),
      intervals: limitsWh.map((limitWh) => anInterval({ limitWh: wattHour(limitWh) })),
    });

  it("returns the same plan when nobody is short", () => {
    const problem = group([{ needWh: wattHour(500) }, { moreWh: wattHour(400) }], 1_000);
    const plan = leastCost(problem);
    expect(fairShare(problem, plan)).to.equal(plan);
  });

  it("gives all the same share of what they were promised", () => {
    const problem = group([{ needWh: wattHour(2_000) }, { needWh: wattHour(1_000) }], 750, 750);
    expect(servedOf(leastCost(problem))).to.deep.equal([1_500, 0]);
    expect(servedOf(fairShare(problem, leastCost(problem)))).to.deep.equal([1_000, 500]);
  });

  it("serves promises before best effort, and shares what is left of it", () => {
    const best = { moreWh: wattHour(1_000) };
    const problem = group([{ needWh: wattHour(600), ...best }, best, { moreWh: wattHour(2_000) }], 1_000);
    expect(servedOf(fairShare(problem, leastCost(problem)))).to.deep.equal([700, 100, 200]);
  });

  it("gives who cannot have an equal share what they can, and the others no less for it", () => {
    const need = { needWh: wattHour(1_000) };
    // Car 1 is there in the scarce interval only, car 2 is slow; car 3 has most of the other interval.
    const problem = group([{ ...need, to: 1 }, { ...need, powerW: watt(1_200) }, need], 200, 1_500);
    const plan = fairShare(problem, leastCost(problem));
    expect(servedOf(plan)).to.deep.equal([200, 300, 1_000]);
  });

  it("is max-min to 1 Wh: filling up step by step, each step a maximum flow, gives the same", () => {
    let short = 0;
    for (let seed = 0; seed < 400; seed++) {
      const problem = randomProblem(seed);
      if (problem.cars.some(({ needWh }) => needWh > 100)) continue;
      const exact = leastCost(problem);
      const plan = fairShare(problem, exact);
      const promised = promisedOf(problem, plan);
      if (promised.every((wh, i) => wh === problem.cars[i]!.needWh)) continue;
      short++;
      const filled = filledUp(problem, exact);
      for (const [i, wh] of promised.entries())
        expect(Math.abs(wh - filled[i]!), `seed ${seed}, car ${i}: ${wh} or ${filled[i]} Wh`).to.be.at.most(1);
    }
    expect(short).to.be.greaterThan(50);
  });

  it("keeps totals, promised and delivered energy and cost, and leaves no exchange that would be fairer", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const problem = randomProblem(seed);
        const exact = leastCost(problem);
        const plan = fairShare(problem, exact);
        expect(violations(problem, plan)).to.deep.equal([]);
        expect(totalsOf(problem, plan)).to.deep.equal(totalsOf(problem, exact));
        expect(sum(promisedOf(problem, plan))).to.equal(sum(promisedOf(problem, exact)));
        expect([plan.cost, plan.bound]).to.deep.equal([exact.cost, exact.bound]);
        expect(mostUnfairWh(problem, plan)).to.be.below(1);
      }),
      { numRuns: 500 },
    );
  });

  it("raises the smallest share of a crowded site", () => {
    const site = realisticProblem(60, 3, { plugged: "now", moreShare: 0 });
    const problem = {
      ...site,
      intervals: site.intervals.map((one) => ({ ...one, limitWh: wattHour(Math.floor(one.limitWh / 2)) })),
    };
    const smallest = (plan: Plan) => Math.min(...servedOf(plan).map((wh, i) => wh / problem.cars[i]!.needWh));
    const exact = leastCost(problem);
    expect(smallest(exact)).to.be.below(0.05);
    expect(smallest(fairShare(problem, exact))).to.be.above(0.2);
  });
});

/** Max-min by hand: all shares rise together in small steps; who cannot follow stays. Within the plan's totals. */
function filledUp(problem: GroupProblem, plan: Plan): number[] {
  const { cars } = problem;
  const limited: GroupProblem = {
    ...problem,
    intervals: totalsOf(problem, plan).map((limitWh, t) => ({
      ...anInterval({ limitWh: wattHour(limitWh) }),
      durationS: problem.intervals[t]!.durationS,
    })),
  };
  const possible = (wh: readonly number[]) => mostDeliverable(limited, wh) === sum(wh);
  const got = cars.map(() => 0);
  const open = new Set(cars.keys());
  // The next Wh goes to the smallest share after it, as long as it can be delivered to anybody.
  while (open.size > 0) {
    const next = [...open].reduce((a, b) =>
      (got[b]! + 1) * cars[a]!.needWh < (got[a]! + 1) * cars[b]!.needWh ? b : a,
    );
    got[next]!++;
    if (got[next]! > cars[next]!.needWh || !possible(got)) {
      got[next]!--;
      open.delete(next);
    }
  }
  return got;
}

/** The most Wh that could pass from a larger share to a smaller one until both are equal, in either class. */
function mostUnfairWh({ cars, intervals }: GroupProblem, plan: Plan): number {
  const served = servedOf(plan);
  const classes = [
    { got: served.map((wh, i) => Math.min(wh, cars[i]!.needWh)), wants: cars.map(({ needWh }) => needWh) },
    { got: served.map((wh, i) => Math.max(0, wh - cars[i]!.needWh)), wants: cars.map(({ moreWh }) => moreWh) },
  ];
  const at = (i: number, t: number) => plan.energyWh[i]![t - cars[i]!.from];
  /** Cars that can give energy to car i, over any number of others. */
  function givers(i: number): Set<number> {
    const found = new Set([i]);
    for (const k of found)
      for (const [t, { durationS }] of intervals.entries()) {
        const wh = at(k, t);
        if (wh === undefined || wh >= Math.floor((cars[k]!.powerW * durationS) / 3600)) continue;
        for (const j of cars.keys()) if ((at(j, t) ?? 0) > 0) found.add(j);
      }
    return found;
  }
  let most = 0;
  for (const i of cars.keys()) {
    const reach = givers(i);
    for (const { got, wants } of classes) {
      if (got[i]! >= wants[i]!) continue;
      for (const j of reach)
        if (j !== i && got[j]! > 0)
          most = Math.max(most, (got[j]! * wants[i]! - got[i]! * wants[j]!) / (wants[i]! + wants[j]!));
    }
  }
  return most;
}
