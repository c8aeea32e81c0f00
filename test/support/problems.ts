/** Random and realistic GroupProblems for tests and benchmarks, from a seed: the same seed gives the same problem. */
import { epochSecond, microEurPerKwh, second, watt, wattHour } from "../../backend/domain/units.ts";
import type { Car, GroupProblem, Interval } from "../../backend/optimisation/problem.ts";

/** Mulberry32: a small seeded generator, uniform in [0, 1). */
export function randomFrom(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function aCar(part: Partial<Car> & { readonly session: number }): Car {
  return {
    row: part.session,
    needWh: wattHour(0),
    moreWh: wattHour(0),
    powerW: watt(11_000),
    minPowerW: watt(0),
    from: 0,
    to: 1,
    ...part,
  };
}

export function anInterval(part: Partial<Interval> = {}): Interval {
  return {
    durationS: second(900),
    limitWh: wattHour(10_000),
    demandWh: wattHour(0),
    productionWh: wattHour(0),
    fixedWh: wattHour(0),
    feedIn: microEurPerKwh(60_000),
    price: microEurPerKwh(200_000),
    ...part,
  };
}

/** voll > extra + price spread and extra above every price, for prices within +-1 EUR/kWh. */
export const WEIGHTS = { scale: 3_000, early: 1, voll: 10_000_000, extra: 2_000_000 };

export function aProblem(part: Partial<GroupProblem> = {}): GroupProblem {
  return {
    group: 7,
    slot: 1_958_400,
    at: epochSecond(1_958_400 * 900),
    weights: WEIGHTS,
    cars: [],
    intervals: [anInterval()],
    ...part,
  };
}

/** Small and nasty: ties, zero caps, PV surplus, negative prices, shortage on both levels, odd durations, zero needs. */
export function randomProblem(seed: number): GroupProblem {
  const random = randomFrom(seed);
  const int = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const m = int(1, 14);
  const n = int(0, 12);
  const big = random() < 0.3 ? 1_000 : 1;
  const levels = int(1, 5);
  const surplus = random();
  const tight = random();
  const intervals = Array.from({ length: m }, () => {
    const price = int(-levels, levels * 3) * 10_000;
    return anInterval({
      durationS: second(random() < 0.7 ? 900 : int(1, 1_800)),
      limitWh: wattHour(random() < 0.15 ? 0 : int(0, Math.ceil(12 * tight)) * big),
      demandWh: wattHour(random() < 0.5 ? 0 : int(0, 6) * big),
      productionWh: wattHour(random() < surplus ? int(0, 12) * big : 0),
      fixedWh: wattHour(random() < 0.8 ? 0 : int(0, 3) * big),
      feedIn: microEurPerKwh(random() < 0.7 ? Math.min(price, int(-2, 3) * 10_000) : int(-5, 12) * 10_000),
      price: microEurPerKwh(price),
    });
  });
  const kind = random();
  let session = 0;
  const cars = Array.from({ length: n }, () => {
    const from = int(0, m - 1);
    session += int(1, 3);
    return aCar({
      session,
      needWh: wattHour(kind < 0.2 || random() < 0.2 ? 0 : int(0, 15) * big),
      moreWh: wattHour(kind > 0.8 || random() < 0.4 ? 0 : int(0, 15) * big),
      powerW: watt(int(0, 24) * big),
      from,
      to: int(from + 1, m),
    });
  });
  const pick = random();
  const weights =
    pick < 0.7
      ? WEIGHTS
      : pick < 0.8
        ? { ...WEIGHTS, early: int(0, 40_000_000) } // an early weight that outweighs prices
        : pick < 0.9
          ? { scale: 1, early: int(0, 5), voll: int(0, 5) * 10_000 + 50_000, extra: int(0, 5) * 10_000 } // worth less than some prices
          : { scale: int(1, 65_535), early: 0, voll: 4_000_000_000, extra: 4_000_000_000 };
  return aProblem({ weights, cars, intervals });
}

/** A site of realistic size: 11 kW cars, a dynamic tariff, PV, other load, and a limit that is tight in the evening. */
export function realisticProblem(
  carCount: number,
  seed = 1,
  options: { readonly intervals?: number; readonly plugged?: "day" | "now"; readonly moreShare?: number } = {},
): GroupProblem {
  const random = randomFrom(seed * 1_000_003 + carCount);
  const int = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const m = options.intervals ?? 96;
  const perCar = carCount * 2_750;
  const intervals = Array.from({ length: m }, (_, t) => {
    const hour = (t / 4) % 24;
    const sun = Math.max(0, Math.sin(((hour - 6) / 12) * Math.PI));
    const price = 120_000 - 60_000 * sun + (hour >= 17 && hour < 21 ? 110_000 : 0) + int(-8_000, 8_000);
    return anInterval({
      limitWh: wattHour(Math.ceil(perCar * 0.22)),
      demandWh: wattHour(Math.floor(perCar * (0.06 + 0.03 * random() + (hour >= 17 && hour < 22 ? 0.06 : 0)))),
      productionWh: wattHour(Math.floor(perCar * 0.2 * sun * (0.6 + 0.4 * random()))),
      feedIn: microEurPerKwh(55_000),
      price: microEurPerKwh(Math.round(price)),
    });
  });
  const powers = [3_680, 7_360, 11_040, 11_040, 22_080];
  const cars = Array.from({ length: carCount }, (_, i) => {
    const from = options.plugged === "now" ? 0 : int(0, m - 8);
    const to = Math.min(m, from + int(8, 48));
    const powerW = powers[int(0, powers.length - 1)]!;
    const wanted = Math.min(int(4_000, 40_000), Math.floor((powerW / 4) * (to - from) * 0.95));
    const more = random() < (options.moreShare ?? 0.3) ? Math.floor(wanted * random()) : 0;
    return aCar({
      session: i + 1,
      needWh: wattHour(wanted - more),
      moreWh: wattHour(more),
      powerW: watt(powerW),
      minPowerW: watt(powerW === 11_040 || powerW === 22_080 ? 4_140 : 1_380),
      from,
      to,
    });
  });
  return aProblem({ cars, intervals });
}
