import { expect } from "chai";
import fc from "fast-check";
import { type ChargingProfile, limitAt } from "../../backend/domain/profiles.ts";
import { type EpochSecond, epochSecond, second, watt, wattHour } from "../../backend/domain/units.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import type { GroupProblem } from "../../backend/optimisation/problem.ts";
import { periodsOf } from "../../backend/optimisation/profile.ts";
import { refine } from "../../backend/optimisation/refine.ts";
import { capToThermalLimit, type Limited, withinMinutes } from "../../backend/optimisation/withinMinutes.ts";
import { mostDeliverable } from "../support/maxFlow.ts";
import { aCar, anInterval, aProblem, randomFrom } from "../support/problems.ts";

const SLOT = 1_958_400 * 900;

/** One to three slots, the first perhaps under way, whose energy is the sum of random minutes, and up to eight cars. */
function minutely(seed: number, minimum: boolean) {
  const random = randomFrom(seed);
  const int = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const at = SLOT + int(0, 1) * int(1, 14) * 60;
  const [levelW, spread] = [int(2, 40) * 1_000, random()];
  const minutesW = new Map<number, number>();
  const capacityW = (when: EpochSecond) => minutesW.get(Math.floor(when / 60))!;
  const intervals = Array.from({ length: int(1, 3) }, (_, t) => {
    const [from, to] = [t === 0 ? at : SLOT + t * 900, SLOT + (t + 1) * 900];
    let ws = 0;
    for (let minute = from / 60; minute < to / 60; minute++) {
      minutesW.set(minute, random() < spread / 10 ? 0 : Math.round(levelW * (1 + spread * (2 * random() - 1))));
      ws += 60 * minutesW.get(minute)!;
    }
    return anInterval({
      durationS: second(to - from),
      limitWh: wattHour(Math.floor(ws / 3600)),
      price: (int(1, 4) * 10_000) as never,
    });
  });
  const cars = Array.from({ length: int(1, 8) }, (_, k) => {
    const powerW = watt([3_680, 7_360, 11_040, 22_080][int(0, 3)]!);
    const needWh = wattHour(int(0, 1) * int(0, 5_000));
    const minPowerW = watt(minimum ? (powerW > 8_000 ? 4_140 : 1_380) : 0);
    return aCar({
      session: k + 1,
      powerW,
      minPowerW,
      needWh,
      moreWh: wattHour(int(0, 6_000)),
      to: int(1, intervals.length),
    });
  });
  const problem = aProblem({ at: epochSecond(at), cars, intervals });
  return { problem, capacityW, wanted: wantedOf(problem) };
}

/** The profiles of the refined optimum, as they would be without minutes. */
function wantedOf(problem: GroupProblem): Limited[] {
  const { plan } = refine(problem, leastCost(problem));
  return problem.cars.map((car, i) => ({
    car,
    profile: periodsOf(problem, plan, i).map(({ startS, limitW }) => ({
      from: epochSecond(problem.at + startS),
      limitW,
    })),
  }));
}

/** W*s that a profile allows from one instant to another, second by second. */
function allowedWs(profile: ChargingProfile, from: number, to: number): number {
  let ws = 0;
  for (let at = from; at < to; at++) ws += limitAt(profile, epochSecond(at));
  return ws;
}

/** Start and end of each interval. */
function stretches({ at, intervals }: GroupProblem) {
  let end: number = at;
  const ends = intervals.map(({ durationS }) => (end += durationS));
  return ends.map((to, t) => ({ from: ends[t - 1] ?? at, to }));
}

/** The most that an interval's minutes could give the cars of what they want, whatever their least power. W*s */
function mostOfMinutes(
  problem: GroupProblem,
  wantedWs: readonly number[],
  from: number,
  to: number,
  capacityW: (at: EpochSecond) => number,
) {
  const minutes = Array.from({ length: (to - from) / 60 }, (_, k) => from + k * 60);
  // A minute as an interval of an hour, so that the flow's Wh are W*s.
  const cars = problem.cars.map((car) => ({ ...car, from: 0, to: minutes.length, powerW: watt(car.powerW * 60) }));
  const intervals = minutes.map((at) =>
    anInterval({ durationS: second(3_600), limitWh: wattHour(60 * capacityW(epochSecond(at))) }),
  );
  return mostDeliverable({ ...problem, cars, intervals }, wantedWs);
}

describe("Profiles within minutes", () => {
  it("are what was wanted where that fits", () => {
    const { problem, wanted } = minutely(5, true);
    expect(withinMinutes(problem, wanted, () => Number.POSITIVE_INFINITY)).to.deep.equal(
      wanted.map(({ profile }) => [
        ...profile.filter(({ from }) => from < stretches(problem).at(-1)!.to),
        { from: stretches(problem).at(-1)!.to, limitW: 0 },
      ]),
    );
  });

  it("put the energy of an interval into the minutes that have room for it", () => {
    const problem = aProblem({
      cars: [aCar({ session: 1, needWh: wattHour(500), powerW: watt(11_000), minPowerW: watt(1_380) })],
      intervals: [anInterval({ limitWh: wattHour(500) })],
    });
    // 2 kW on average, in minutes of 0 and of 10 kW: three of fifteen.
    const capacityW = (at: EpochSecond) => (Math.floor((at - problem.at) / 60) % 5 === 0 ? 10_000 : 0);
    const [profile] = withinMinutes(problem, wantedOf(problem), capacityW);
    expect(profile!.map(({ from, limitW }) => [from - problem.at, limitW])).to.deep.equal([
      [0, 10_000],
      [60, 0],
      [300, 10_000],
      [360, 0],
      [600, 10_000],
      [660, 0],
      [900, 0],
    ]);
  });

  it("let a car step aside into a minute that only it can use", () => {
    const car = { minPowerW: watt(1_380), needWh: wattHour(100) };
    const problem = aProblem({
      at: epochSecond(SLOT + 13 * 60),
      cars: [aCar({ session: 1, powerW: watt(6_000), ...car }), aCar({ session: 2, powerW: watt(6_000), ...car })],
      intervals: [anInterval({ durationS: second(120), limitWh: wattHour(200) })],
    });
    const wanted = [3_000, 3_000].map((limitW, i) => ({
      car: problem.cars[i]!,
      profile: [{ from: problem.at, limitW: watt(limitW) }],
    }));
    // 4 kW, then 8 kW: both get their 3 kW on average only when one of them has 5 kW or more in the second minute.
    const laid = withinMinutes(problem, wanted, (at) => (at < problem.at + 60 ? 4_000 : 8_000));
    for (const profile of laid) expect(allowedWs(profile, problem.at, problem.at + 120)).to.equal(120 * 3_000);
  });

  it("serve cars that cannot wait before the bursts of others that can", () => {
    const problem = aProblem({
      cars: [
        aCar({ session: 1, needWh: wattHour(2_650), powerW: watt(11_000), minPowerW: watt(4_140) }),
        aCar({ session: 2, needWh: wattHour(400), powerW: watt(11_000), minPowerW: watt(4_140), to: 2 }),
      ],
      intervals: [anInterval({ limitWh: wattHour(3_050) }), anInterval()],
    });
    const laid = capToThermalLimit(problem, wantedOf(problem));
    expect(allowedWs(laid[0]!, problem.at, problem.at + 900)).to.be.above(3600 * 2_649);
  });

  for (const minimum of [false, true])
    it(`never exceed any minute, and lose next to nothing that a flow could place${minimum ? " at six amperes" : ""}`, () => {
      const seen = { ws: 0, mostWs: 0 };
      fc.assert(
        fc.property(fc.nat(), (seed) => {
          const { problem, capacityW, wanted } = minutely(seed, minimum);
          const laid = withinMinutes(problem, wanted, capacityW);
          for (const [i, profile] of laid.entries()) {
            const { powerW, minPowerW } = problem.cars[i]!;
            expect(profile[0]!.from).to.equal(problem.at);
            expect(profile.at(-1)!.limitW).to.equal(0);
            for (const [k, { from, limitW }] of profile.entries()) {
              expect(limitW === 0 || (limitW >= minPowerW && limitW <= powerW), `${limitW} W`).to.equal(true);
              if (k > 0) expect(from).to.be.greaterThan(profile[k - 1]!.from);
            }
          }
          for (const { from, to } of stretches(problem)) {
            const wantedWs = wanted.map(({ profile }) => allowedWs(profile, from, to));
            const ownWs = laid.map((profile) => allowedWs(profile, from, to));
            for (const [i, ws] of ownWs.entries()) expect(ws).to.be.at.most(wantedWs[i]!);
            for (let at = from; at < to; at++) {
              const sum = laid.reduce((w, profile) => w + limitAt(profile, epochSecond(at)), 0);
              if (sum > 0) expect(sum).to.be.at.most(capacityW(epochSecond(at)));
            }
            seen.ws += ownWs.reduce((a, b) => a + b, 0);
            seen.mostWs += mostOfMinutes(problem, wantedWs, from, to, capacityW);
          }
        }),
        { numRuns: 80 },
      );
      expect(seen.ws / seen.mostWs).to.be.within(minimum ? 0.96 : 0.998, 1.000001);
    });
});
