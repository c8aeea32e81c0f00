/**
 * The rule of scheduling a second time, with bigint and from the formulas alone (contracts/interfaces/IScheduleChecker.sol):
 * its own bytes, its own cost, its own bound. Shares no code with the optimiser or its encoding.
 */
export type RawCar = {
  session: number;
  row: number;
  feeder: number;
  need: number;
  more: number;
  power: number;
  from: number;
  to: number;
};
export type RawInterval = {
  duration: number;
  limit: number;
  demand: number;
  production: number;
  fixed: number;
  feed: number;
  price: number;
};
export type RawProblem = {
  version: number;
  group: number;
  slot: number;
  at: number;
  scale: number;
  weight: number;
  voll: number;
  extra: number;
  cars: RawCar[];
  intervals: RawInterval[];
};
export type Certificate = { y: bigint[]; w: bigint[] };

const hex = (value: number | bigint, bytes: number) =>
  BigInt.asUintN(8 * bytes, BigInt(value))
    .toString(16)
    .padStart(2 * bytes, "0");

export const SALT = "5a".repeat(32);

export function packProblem(problem: RawProblem, salt = SALT): string {
  const { cars, intervals } = problem;
  const header = [
    salt,
    hex(problem.version, 1),
    hex(problem.group, 4),
    hex(problem.slot, 4),
    hex(problem.at, 5),
    hex(cars.length, 2),
    hex(intervals.length, 2),
    hex(problem.scale, 2),
    hex(problem.weight, 4),
    hex(problem.voll, 4),
    hex(problem.extra, 4),
  ];
  const carBytes = cars.map((c) =>
    [
      hex(c.session, 4),
      hex(c.row, 2),
      hex(c.feeder, 1),
      hex(c.need, 3),
      hex(c.more, 3),
      hex(c.power, 3),
      hex(c.from, 2),
      hex(c.to, 2),
    ].join(""),
  );
  const intervalBytes = intervals.map((t) =>
    [
      hex(t.duration, 2),
      hex(t.limit, 4),
      hex(t.demand, 4),
      hex(t.production, 4),
      hex(t.fixed, 4),
      hex(t.feed, 4),
      hex(t.price, 4),
    ].join(""),
  );
  return `0x${[...header, ...carBytes, ...intervalBytes].join("")}`;
}

export const packX = (x: number[][]) =>
  `0x${x
    .flat()
    .map((wh) => hex(wh, 3))
    .join("")}`;
export const packSigned = (values: bigint[]) => `0x${values.map((value) => hex(value, 8)).join("")}`;

const max = (a: bigint, b: bigint) => (a > b ? a : b);
const min = (a: bigint, b: bigint) => (a < b ? a : b);
const sum = (values: bigint[]) => values.reduce((total, value) => total + value, 0n);

/** u_it, most energy of a car in an interval, Wh. */
export const mostIn = (car: RawCar, interval: RawInterval) => (BigInt(car.power) * BigInt(interval.duration)) / 3600n;

/** What one interval offers and costs: Wh and nano-euro x scale per Wh. */
export function offerIn(problem: RawProblem, t: number) {
  const interval = problem.intervals[t]!;
  const net = BigInt(interval.demand) + BigInt(interval.fixed) - BigInt(interval.production);
  const pv = max(0n, -net);
  const grid = max(0n, BigInt(interval.limit) - max(0n, net));
  const seconds = problem.intervals.slice(0, t).reduce((total, before) => total + before.duration, 0);
  const early = BigInt(problem.weight) * BigInt(Math.floor(seconds / 60));
  const [feed, price] =
    pv > 0n ? [interval.feed, Math.max(interval.price, interval.feed)] : [interval.price, interval.price];
  return {
    pv,
    grid,
    f: BigInt(problem.scale) * BigInt(feed) + early,
    p: BigInt(problem.scale) * BigInt(price) + early,
  };
}

export function costOf(problem: RawProblem, x: number[][]): bigint {
  const { cars, intervals, scale, voll, extra } = problem;
  const energy = intervals.map((_, t) => {
    const load = sum(cars.map((car, i) => (t >= car.from && t < car.to ? BigInt(x[i]![t - car.from]!) : 0n)));
    const { pv, f, p } = offerIn(problem, t);
    return f * min(load, pv) + p * max(0n, load - pv);
  });
  const missing = cars.map((car, i) => {
    const served = sum(x[i]!.map(BigInt));
    const promised = max(0n, BigInt(car.need) - served);
    const wanted = BigInt(car.need) + BigInt(car.more) - served - promised;
    return BigInt(scale) * (BigInt(voll) * promised + BigInt(extra) * wanted);
  });
  return sum(energy) + sum(missing);
}

export function boundOf(problem: RawProblem, { y, w }: Certificate): bigint {
  const { cars, intervals, scale, voll, extra } = problem;
  const v1 = BigInt(scale) * BigInt(voll);
  const v2 = BigInt(scale) * BigInt(extra);
  const ofCars = cars.map((car, i) => {
    const rents = intervals
      .slice(car.from, car.to)
      .map((interval, k) => mostIn(car, interval) * max(0n, y[i]! - w[car.from + k]!));
    return BigInt(car.need) * min(y[i]!, v1) + BigInt(car.more) * min(y[i]!, v2) - sum(rents);
  });
  const ofIntervals = intervals.map((_, t) => {
    const { pv, grid, f, p } = offerIn(problem, t);
    return pv * max(0n, w[t]! - f) + grid * max(0n, w[t]! - p);
  });
  return sum(ofCars) - sum(ofIntervals);
}

/** A feasible schedule: cars in a random order take a random part of what is still free. */
export function feasibleSchedule(problem: RawProblem, random: () => number): number[][] {
  const { cars, intervals } = problem;
  const free = intervals.map((_, t) => {
    const { pv, grid } = offerIn(problem, t);
    return pv + grid;
  });
  const x = cars.map((car) => Array.from({ length: car.to - car.from }, () => 0));
  const greed = random();
  const order = cars.map((_, i) => i).sort(() => random() - 0.5);
  for (const i of order) {
    const car = cars[i]!;
    let wanted = BigInt(car.need + car.more);
    for (let t = car.from; t < car.to; t++) {
      const most = min(min(wanted, free[t]!), mostIn(car, intervals[t]!));
      const taken = random() < greed ? most : (most * BigInt(Math.floor(random() * 1001))) / 1000n;
      x[i]![t - car.from] = Number(taken);
      wanted -= taken;
      free[t]! -= taken;
    }
  }
  return x;
}

/** Duals of every kind: small, around the prices, at the values of lost load, at the ends of i64. */
export function randomCertificate(problem: RawProblem, random: () => number): Certificate {
  const v1 = BigInt(problem.scale) * BigInt(problem.voll);
  const v2 = BigInt(problem.scale) * BigInt(problem.extra);
  const ends = [-(2n ** 63n), 2n ** 63n - 1n, 0n, 1n, -1n, v1, v2, v1 + 1n, v2 - 1n];
  const offers = problem.intervals.map((_, t) => offerIn(problem, t));
  const style = random();
  const one = (): bigint => {
    const kind = random();
    const { f, p } = offers[Math.floor(random() * offers.length)] ?? { f: 0n, p: 0n };
    if (style < 0.2 || kind < 0.1) return BigInt.asIntN(64, ends[Math.floor(random() * ends.length)]!);
    if (kind < 0.5) return BigInt.asIntN(64, random() < 0.5 ? f : p);
    if (kind < 0.8) return BigInt.asIntN(64, p + BigInt(Math.floor((random() - 0.5) * 2e9)));
    return BigInt(Math.floor((random() - 0.5) * 2 ** 53)) << BigInt(Math.floor(random() * 11));
  };
  return { y: problem.cars.map(one), w: problem.intervals.map(one) };
}
