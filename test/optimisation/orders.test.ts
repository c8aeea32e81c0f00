/** How much of an order can be delivered, against every possible answer on small groups. */
import { expect } from "chai";
import fc from "fast-check";
import { microEurPerKwh, second, watt, wattHour } from "../../backend/domain/units.ts";
import { violations } from "../../backend/optimisation/checker.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import {
  carsWhBySlot,
  deliverableDown,
  deliverableUp,
  evenMost,
  leastBonus,
  shortWh,
  withBonus,
  withCaps,
} from "../../backend/optimisation/orders.ts";
import type { GroupProblem } from "../../backend/optimisation/problem.ts";
import { mostDeliverable } from "../support/maxFlow.ts";
import { aCar, anInterval, aProblem, randomProblem } from "../support/problems.ts";

const START = 1_958_400;
const slot = (k: number) => START + k;

/** Up to four slots of up to 4 Wh, up to three cars: small enough to try everything. */
const tiny = fc
  .record({
    slots: fc.array(
      fc.record({
        limitWh: fc.integer({ min: 0, max: 6 }),
        demandWh: fc.integer({ min: 0, max: 2 }),
        productionWh: fc.constantFrom(0, 0, 3),
        fixedWh: fc.constantFrom(0, 0, 1),
        price: fc.integer({ min: -2, max: 5 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    cars: fc.array(
      fc.record({
        needWh: fc.integer({ min: 0, max: 6 }),
        moreWh: fc.integer({ min: 0, max: 4 }),
        whPerSlot: fc.integer({ min: 0, max: 3 }),
        from: fc.nat(3),
        length: fc.integer({ min: 1, max: 4 }),
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ slots, cars }): GroupProblem => {
    const m = slots.length;
    return aProblem({
      intervals: slots.map(({ limitWh, demandWh, productionWh, fixedWh, price }) =>
        anInterval({
          limitWh: wattHour(limitWh),
          demandWh: wattHour(demandWh),
          productionWh: wattHour(productionWh),
          fixedWh: wattHour(fixedWh),
          feedIn: microEurPerKwh(0),
          price: microEurPerKwh(price * 10_000),
        }),
      ),
      cars: cars.map(({ needWh, moreWh, whPerSlot, from, length }, i) => {
        const starts = Math.min(from, m - 1);
        return aCar({
          session: i + 1,
          needWh: wattHour(needWh),
          moreWh: wattHour(moreWh),
          powerW: watt(whPerSlot * 4),
          from: starts,
          to: Math.min(m, starts + length),
        });
      }),
    });
  });

/** Every vector with entries from 0 to `most`. */
function* every(most: readonly number[]): Generator<number[]> {
  if (most.length === 0) return yield [];
  for (const rest of every(most.slice(1))) for (let n = 0; n <= most[0]!; n++) yield [n, ...rest];
}

/** By definition: every set of slots as a cut; what the cars must draw in it beyond what it gives is short (min cut). */
function shortByCuts(problem: GroupProblem, roomWh: readonly number[]): number {
  const { cars, intervals } = problem;
  let worst = 0;
  for (let set = 0; set < 1 << intervals.length; set++) {
    const inside = (t: number) => (set >> t) % 2 === 1;
    let short = 0;
    for (const car of cars) {
      let elsewhereWh = 0;
      for (let t = car.from; t < car.to; t++) if (!inside(t)) elsewhereWh += Math.floor((car.powerW * 900) / 3600);
      short += Math.max(0, car.needWh - elsewhereWh);
    }
    for (const [t, wh] of roomWh.entries()) if (inside(t)) short -= wh;
    worst = Math.max(worst, short);
  }
  return worst;
}
const roomOf = (problem: GroupProblem) =>
  problem.intervals.map(({ limitWh, demandWh, fixedWh, productionWh }) => {
    const net = demandWh + fixedWh - productionWh;
    return Math.max(0, -net) + Math.max(0, limitWh - Math.max(0, net));
  });

/** The most even of them: the largest smallest one, then the largest second smallest, ... */
const evenest = (vectors: readonly number[][]) =>
  vectors
    .map((vector) => vector.toSorted((a, b) => a - b))
    .reduce((a, b) => {
      const k = a.findIndex((n, i) => n !== b[i]);
      return k >= 0 && b[k]! > a[k]! ? b : a;
    });
const sorted = (amounts: Iterable<number>) => [...amounts].sort((a, b) => a - b);
const total = (amounts: Iterable<number>) => [...amounts].reduce((sum, wh) => sum + wh, 0);

describe("What can be delivered of an order", () => {
  it("down is the most, dealt out as evenly as possible, that leaves promises as whole as they were", () => {
    let reduced = 0;
    fc.assert(
      fc.property(tiny, fc.nat(5), fc.integer({ min: 1, max: 3 }), (problem, orderedWh, seed) => {
        const plan = leastCost(problem);
        const planned = carsWhBySlot(problem, plan);
        const m = problem.intervals.length;
        const ordered = Array.from({ length: m }, (_, t) => t).filter((t) => (t + seed) % 3 !== 0 || m === 1);
        const plannedWh = new Map(ordered.map((t) => [slot(t), planned.get(slot(t))!]));
        const said = deliverableDown(problem, plannedWh, orderedWh);

        const room = roomOf(problem);
        const before = shortByCuts(problem, room);
        expect(before, "short before").to.equal(shortWh(problem));
        const fixed = (t: number) => problem.intervals[t]!.fixedWh as number;
        const most = ordered.map((t) => Math.min(orderedWh, planned.get(slot(t))! - fixed(t)));
        const possible = [...every(most)].filter((given) => {
          const capped = room.map((wh, t) => {
            const k = ordered.indexOf(t);
            return k < 0 ? wh : Math.min(wh, planned.get(slot(t))! - given[k]! - fixed(t));
          });
          return shortByCuts(problem, capped) <= before;
        });
        expect(sorted(said.values())).to.deep.equal(evenest(possible));
        expect(total(said.values())).to.equal(Math.max(...possible.map(total)));
        expect(possible.some((given) => given.every((wh, k) => wh === said.get(slot(ordered[k]!))))).to.equal(true);
        if (total(said.values()) < total(most)) reduced++;
      }),
      { numRuns: 1_000 },
    );
    expect(reduced, "orders that could not be delivered in full").to.be.greaterThan(20);
  });

  it("up is the most that cars can still take, whatever the promises need elsewhere", () => {
    let reduced = 0;
    fc.assert(
      fc.property(tiny, fc.nat(4), (problem, orderedWh) => {
        const plan = leastCost(problem);
        const planned = carsWhBySlot(problem, plan);
        const ordered = problem.intervals.flatMap((_, t) => (t % 2 === 0 ? [t] : []));
        const said = deliverableUp(problem, new Map(ordered.map((t) => [slot(t), planned.get(slot(t))!])), orderedWh);
        // Everything that three cars can do, one Wh at a time.
        const stays = problem.cars.map((car) =>
          [...every(Array.from({ length: car.to - car.from }, () => Math.floor(car.powerW / 4)))].filter(
            (wh) => total(wh) <= car.needWh + car.moreWh,
          ),
        );
        const room = roomOf(problem);
        const reached = new Set<string>();
        const servedMost = total(problem.cars.map(({ needWh }) => needWh)) - shortByCuts(problem, room);
        const visit = (i: number, used: readonly number[], served: number): void => {
          if (i === stays.length) {
            if (served >= servedMost) reached.add(JSON.stringify(ordered.map((t) => used[t]!)));
            return;
          }
          const car = problem.cars[i]!;
          for (const wh of stays[i]!) {
            const next = used.map((sum, t) => sum + (t >= car.from && t < car.to ? wh[t - car.from]! : 0));
            if (next.every((sum, t) => sum <= room[t]!)) visit(i + 1, next, served + Math.min(car.needWh, total(wh)));
          }
        };
        visit(
          0,
          room.map(() => 0),
          0,
        );
        const vectors = [...reached].map((text) => JSON.parse(text) as number[]);
        const base = ordered.map((t) => planned.get(slot(t))! - problem.intervals[t]!.fixedWh);
        const given = ordered.map((t) => said.get(slot(t))! as number);
        const holds = (raised: readonly number[]) =>
          vectors.some((vector) => vector.every((wh, k) => wh >= base[k]! + raised[k]!));
        expect(holds(given), `${given} on ${base}`).to.equal(true);
        const possible = [...every(ordered.map(() => orderedWh))].filter(holds);
        expect(sorted(given)).to.deep.equal(evenest(possible));
        if (given.some((wh) => wh < orderedWh)) reduced++;
      }),
      { numRuns: 1_000 },
    );
    expect(reduced).to.be.greaterThan(20);
  });

  it("leaves a plan of the same exact class: gap 0, nothing above the caps, promises as whole as before", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.nat(3_000), (seed, orderedWh) => {
        const problem = randomProblem(seed);
        const plan = leastCost(problem);
        const plannedWh = carsWhBySlot(problem, plan);
        const said = deliverableDown(problem, plannedWh, orderedWh);
        const caps = new Map([...plannedWh].filter(([s]) => said.get(s)! > 0).map(([s, wh]) => [s, wh - said.get(s)!]));
        const ordered = withCaps(problem, caps);
        const after = leastCost(ordered);
        expect(violations(ordered, after)).to.deep.equal([]);
        expect(after.bound).to.equal(after.cost);
        const taken = carsWhBySlot(ordered, after);
        const fixed = carsWhBySlot(problem, { energyWh: [] });
        for (const [s, wh] of caps) expect(taken.get(s)!, `slot ${s}`).to.be.at.most(Math.max(wh, fixed.get(s)!));
        const needs = problem.cars.map(({ needWh }) => needWh);
        expect(mostDeliverable(ordered, needs)).to.equal(mostDeliverable(problem, needs));
      }),
      { numRuns: 300 },
    );
  });
});

describe("The price of an upward order", () => {
  it("is lowered by the least with which the plan takes what is wanted", () => {
    // Prices in 10,000: the car goes to slot 0, unless slot 1 is cheaper by more than 3.
    const problem = aProblem({
      intervals: [5, 8, 20].map((price) => anInterval({ price: microEurPerKwh(price * 10_000) })),
      cars: [aCar({ session: 1, needWh: wattHour(2_000), to: 3 })],
    });
    const wanted = new Map([[slot(1), 2_000]]);
    expect(leastBonus(problem, wanted, 1_000_000, leastCost)).to.equal(30_001);
    const cheaper = withBonus(problem, new Map([[slot(1), 30_001]]));
    expect(carsWhBySlot(cheaper, leastCost(cheaper)).get(slot(1))).to.equal(2_000);
    expect(leastBonus(problem, new Map([[slot(1), 9_000]]), 1_000_000, leastCost), "out of reach").to.equal(1_000_000);
  });
});

describe("A cap on a slot", () => {
  it("is shared out over the slot's intervals by time, after what is spent, and counts fixed load", () => {
    const half = anInterval({ durationS: second(300), limitWh: wattHour(4_000), demandWh: wattHour(500) });
    const problem = aProblem({
      intervals: [half, { ...half, durationS: second(600), fixedWh: wattHour(300) }, anInterval()],
    });
    const capped = withCaps(problem, new Map([[slot(0), 2_000]]), 500);
    // 1,200 Wh are left: 400 in the first third, 800 in the rest.
    expect(roomOf(capped)).to.deep.equal([400, 800, 10_000]);
  });

  it("leaves surplus that the cars may not take out of the problem", () => {
    const problem = aProblem({ intervals: [anInterval({ productionWh: wattHour(5_000) })] });
    expect(roomOf(withCaps(problem, new Map([[slot(0), 1_200]])))).to.deep.equal([1_200]);
  });
});

describe("Even amounts", () => {
  it("fill up together until one cannot go on, the last unit to the first that can take it", () => {
    expect(evenMost([10, 10, 10], (v) => total(v) <= 20 && v[1]! <= 3)).to.deep.equal([9, 3, 8]);
    expect(evenMost([5, 0, 5], () => true)).to.deep.equal([5, 0, 5]);
    expect(evenMost([5, 5], (v) => total(v) === 0)).to.deep.equal([0, 0]);
  });
});
