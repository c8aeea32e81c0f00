/** Random sessions for the laws: a car that charges under changing limits, with a meter that reports irregularly. */
import fc from "fast-check";
import type { ChargingProfile } from "../../backend/domain/profiles.ts";
import { type EpochSecond, epochSecond, microEurPerKwh, watt, wattHour } from "../../backend/domain/units.ts";
import type { Circumstances } from "../../backend/flexibility/calculator.ts";
import { slotIntervals } from "../../backend/flexibility/intervals.ts";
import { type RegisterPoint, type RegisterSeries, registerSeries } from "../../backend/flexibility/registers.ts";

/** A slot boundary. */
export const START = epochSecond(1_767_265_200);
export const at = (s: number) => epochSecond(START + s);

export const seriesOf = (points: readonly (readonly [s: number, wh: number])[]): RegisterSeries => {
  const readings = points.map(([s, wh]): RegisterPoint => ({ at: at(s), registerWh: wattHour(wh) }));
  const first = readings[0]!;
  const last = readings[readings.length - 1]!;
  return registerSeries({
    startAt: first.at,
    startWh: first.registerWh,
    endAt: last.at,
    endWh: last.registerWh,
    readings,
  });
};

export const limitOf = (...periods: readonly (readonly [s: number, w: number])[]): ChargingProfile =>
  periods.map(([s, w]) => ({ from: at(s), limitW: watt(w) }));

export type RandomSession = {
  readonly series: RegisterSeries;
  readonly limit: ChargingProfile;
  readonly circumstances: readonly Circumstances[];
};

const steps = fc.array(
  fc.record({
    durationS: fc.integer({ min: 1, max: 2_000 }),
    wh: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4_000 })),
  }),
  { minLength: 1, maxLength: 30 },
);

/** Draw and limit are independent of each other here: the laws must hold for a meter that nobody expected, too. */
export const randomSession: fc.Arbitrary<RandomSession> = fc
  .record({
    offsetS: fc.integer({ min: 0, max: 899 }),
    startWh: fc.integer({ min: 0, max: 1_000_000 }),
    steps,
    limits: fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 22_000 })), {
      maxLength: 8,
    }),
    weather: fc.array(
      fc.record({
        value: fc.integer({ min: -200_000, max: 600_000 }),
        order: fc.constantFrom("down" as const, "up" as const, null, null, null),
        surplus: fc.boolean(),
        limitExcessWh: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 6_000 })),
        limitReducibleWh: fc.integer({ min: 0, max: 9_000 }),
      }),
      { minLength: 1, maxLength: 12 },
    ),
  })
  .map(({ offsetS, startWh, steps, limits, weather }) => {
    const points: [number, number][] = [[offsetS, startWh]];
    for (const step of steps) {
      const [s, wh] = points[points.length - 1]!;
      points.push([s + step.durationS, wh + step.wh]);
    }
    const series = seriesOf(points);
    const sorted = limits.toSorted((a, b) => a[0] - b[0]);
    const limit = limitOf([0, 0], ...sorted.filter(([s], index) => s > 0 && sorted[index + 1]?.[0] !== s));
    const circumstances = slotIntervals(series[0]!.at, series[series.length - 1]!.at).map(
      (interval, index): Circumstances => {
        const one = weather[index % weather.length]!;
        return { ...interval, ...one, value: microEurPerKwh(one.value) };
      },
    );
    return { series, limit, circumstances };
  });

export const stayOf = (series: RegisterSeries): [EpochSecond, EpochSecond] => [
  series[0]!.at,
  series[series.length - 1]!.at,
];
