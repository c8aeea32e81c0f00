/**
 * Random problems that shrink, and how often they are tried. Ordinary runs try the same problems each time; the long form
 * (npm run test:long) sets PROPERTY_RUNS and a new PROPERTY_SEED, which it prints. Both may be set by hand.
 */
import fc from "fast-check";
import { microEurPerKwh, second, watt, wattHour } from "../../../backend/domain/units.ts";
import type { Car, GroupProblem, Interval } from "../../../backend/optimisation/problem.ts";
import { aCar, anInterval, aProblem, WEIGHTS } from "../../support/problems.ts";

const SEED = Number(process.env.PROPERTY_SEED ?? 20_261_121);

/** How often a property is tried: `ordinary` times, or PROPERTY_RUNS. */
export const howOften = (ordinary: number) => ({
  numRuns: Number(process.env.PROPERTY_RUNS ?? ordinary),
  seed: SEED,
  // A failed property says seed and path; what is shrunk is what is reported.
  verbose: fc.VerbosityLevel.None,
});

/** The long form has no time limit. */
export const PATIENCE_MS = process.env.PROPERTY_RUNS ? 0 : 120_000;

type Size = { readonly intervals: fc.Arbitrary<number>; readonly cars: number; readonly first?: boolean };

/** Mostly short horizons, in which everything meets; and whole days: 96 quarters of an hour, 92 and 100 when clocks change. */
export const DAYS = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom(92, 96, 100) },
);
export const SHORT = fc.integer({ min: 1, max: 6 });

/** Few distinct prices: ties are the rule. Negative ones, and feed-in values above the price. */
const interval = (big: number): fc.Arbitrary<Interval> =>
  fc
    .record({
      durationS: fc.oneof(fc.constant(900), fc.integer({ min: 1, max: 1_800 })),
      limitWh: fc.oneof({ weight: 5, arbitrary: fc.nat(14) }, fc.constant(0)),
      demandWh: fc.oneof(fc.constant(0), fc.nat(6)),
      productionWh: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(12)),
      fixedWh: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(3)),
      price: fc.constantFrom(-50_000, -10_000, 0, 10_000, 20_000, 20_000, 70_000, 250_000),
      feedIn: fc.constantFrom(-20_000, 0, 10_000, 20_000, 120_000),
    })
    .map(({ durationS, limitWh, demandWh, productionWh, fixedWh, price, feedIn }) =>
      anInterval({
        durationS: second(durationS),
        limitWh: wattHour(limitWh * big),
        demandWh: wattHour(demandWh * big),
        productionWh: wattHour(productionWh * big),
        fixedWh: wattHour(fixedWh * big),
        price: microEurPerKwh(price),
        feedIn: microEurPerKwh(feedIn),
      }),
    );

const wish = fc.oneof(fc.constant(0), fc.nat(20));

/** A car for m intervals; its session is set later. */
const car = (m: number, big: number, withFirst: boolean): fc.Arbitrary<Car> =>
  fc
    .record({
      stay: fc.tuple(fc.nat(m - 1), fc.nat(m - 1)),
      need: wish,
      more: wish,
      power: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 })),
      first: withFirst ? fc.option(fc.tuple(fc.nat(100), fc.nat(m)), { nil: null }) : fc.constant(null),
    })
    .map(({ stay: [a, b], need, more, power, first }) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b) + 1];
      const part = first && {
        first: { wh: wattHour(Math.floor((need * big * first[0]) / 100)), to: from + 1 + (first[1] % (to - from)) },
      };
      return aCar({
        session: 0,
        needWh: wattHour(need * big),
        moreWh: wattHour(more * big),
        powerW: watt(power * big),
        from,
        to,
        ...part,
      });
    });

/** A tie-break, an early weight above prices, values that some prices exceed, and promises worth as much as the rest. */
const weights = fc.oneof(
  { weight: 6, arbitrary: fc.constant(WEIGHTS) },
  { weight: 1, arbitrary: fc.nat(4_000_000).map((early) => ({ ...WEIGHTS, early })) },
  { weight: 1, arbitrary: fc.constant({ scale: 1, early: 2, voll: 60_000, extra: 15_000 }) },
  { weight: 1, arbitrary: fc.constant({ scale: 65_535, early: 0, voll: 4_000_000_000, extra: 4_000_000_000 }) },
);

/** Groups with ties, zero capacity, PV surplus, negative prices, and shortage of promised and of best-effort energy. */
export const problems = ({ intervals, cars, first = false }: Size): fc.Arbitrary<GroupProblem> =>
  fc.tuple(intervals, fc.constantFrom(1, 1, 1_000), weights).chain(([m, big, weight]) =>
    fc
      .record({
        intervals: fc.array(interval(big), { minLength: m, maxLength: m }),
        cars: fc.array(car(m, big, first), { maxLength: cars }),
      })
      .map((part) =>
        aProblem({
          weights: weight,
          intervals: part.intervals,
          cars: part.cars.map((one, i) => ({ ...one, session: i + 1, row: i + 1 })),
        }),
      ),
  );

/** README.md, "Objective", summed car by car and Wh by Wh of an interval: nano-euro x scale. */
export function costByDefinition(
  { cars, intervals, weights }: GroupProblem,
  energyWh: readonly (readonly number[])[],
): bigint {
  let cost = 0n;
  let elapsedS = 0;
  for (const [t, v] of intervals.entries()) {
    const wait = BigInt(weights.early) * BigInt(Math.floor(elapsedS / 60));
    elapsedS += v.durationS;
    const wh = cars.reduce((sum, { from }, i) => sum + (energyWh[i]![t - from] ?? 0), 0);
    const surplus = Math.max(0, v.productionWh - v.demandWh - v.fixedWh);
    const [feedIn, price] = surplus > 0 ? [v.feedIn, Math.max(v.price, v.feedIn)] : [v.price, v.price];
    const fromSurplus = Math.min(wh, surplus);
    cost += BigInt(fromSurplus) * BigInt(weights.scale) * BigInt(feedIn);
    cost += BigInt(wh - fromSurplus) * BigInt(weights.scale) * BigInt(price) + BigInt(wh) * wait;
  }
  for (const [i, { needWh, moreWh }] of cars.entries()) {
    const served = energyWh[i]!.reduce((sum, wh) => sum + wh, 0);
    const short = Math.max(0, needWh - served);
    cost += BigInt(weights.scale) * BigInt(weights.voll) * BigInt(short);
    cost += BigInt(weights.scale) * BigInt(weights.extra) * BigInt(needWh + moreWh - served - short);
  }
  return cost;
}
