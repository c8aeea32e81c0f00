/** Random and realistic groups with batteries, from a seed. */
import { microEurPerKwh, watt, wattHour } from "../../backend/domain/units.ts";
import type { Battery, ModelCar, ModelInterval, ModelProblem } from "../../backend/optimisation/model/modelProblem.ts";
import { randomFrom, randomProblem, realisticProblem } from "./problems.ts";

export function aBattery(part: Partial<Battery> = {}): Battery {
  return {
    socWh: wattHour(20_000),
    minWh: wattHour(10_000),
    maxWh: wattHour(50_000),
    dischargeW: watt(11_000),
    efficiencyPerMille: 930,
    wear: microEurPerKwh(20_000),
    ...part,
  };
}

/**
 * Small and nasty: batteries below their minimum, above their maximum, full, empty, lossy, without wear; export limits,
 * orders, and all that randomProblem has.
 */
export function randomV2gProblem(seed: number): ModelProblem {
  const problem = randomProblem(seed);
  const random = randomFrom(seed + 77_777);
  const int = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const kilo = random() < 0.5 ? 1 : 500;
  const cars = problem.cars.map((car): ModelCar => {
    if (random() < 0.3) return car;
    const [minWh, socWh] = [int(0, 10) * kilo, int(0, 20) * kilo];
    const maxWh = minWh + int(0, 15) * kilo;
    const battery = aBattery({
      socWh: wattHour(socWh),
      minWh: wattHour(minWh),
      maxWh: wattHour(maxWh),
      dischargeW: watt(random() < 0.2 ? 0 : int(0, 24) * kilo),
      efficiencyPerMille: random() < 0.2 ? 1_000 : int(500, 999),
      wear: microEurPerKwh(random() < 0.4 ? 0 : int(0, 5) * 10_000),
    });
    return { ...car, powerW: watt(car.powerW * kilo), battery };
  });
  const limited = random();
  const intervals = problem.intervals.map(
    (interval): ModelInterval => ({
      ...interval,
      limitWh: wattHour(interval.limitWh * (random() < 0.5 ? kilo : 1)),
      ...(random() < limited && { exportLimitWh: wattHour(int(0, 6) * kilo) }),
      ...(random() < 0.15 && { flexibilityWh: int(-6, 6) * kilo }),
      ...(random() < 0.1 && { leastImportWh: wattHour(int(0, 6) * kilo) }),
    }),
  );
  return { ...problem, cars, intervals };
}

/** The realistic site with 40 to 80 kWh batteries in the first `v2gShare` of its cars. */
export function realisticV2gProblem(carCount: number, seed = 1, v2gShare = 1): ModelProblem {
  const problem = realisticProblem(carCount, seed, { moreShare: 0.3 });
  const random = randomFrom(seed * 31 + carCount);
  const cars = problem.cars.map((car, i): ModelCar => {
    if (i >= carCount * v2gShare) return car;
    const size = 40_000 + Math.floor(random() * 40_000);
    const wanted = car.needWh + car.moreWh;
    const minWh = Math.floor(size * 0.2);
    const socWh = Math.max(minWh, Math.floor((size - wanted) * (0.3 + 0.7 * random())));
    const battery = aBattery({
      socWh: wattHour(socWh),
      minWh: wattHour(minWh),
      maxWh: wattHour(size),
      dischargeW: watt(Math.min(car.powerW, 11_040)),
    });
    return { ...car, battery };
  });
  return { ...problem, cars };
}
