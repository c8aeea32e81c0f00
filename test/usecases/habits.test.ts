import { expect } from "chai";
import {
  createHabits,
  type Habits,
  learn,
  leavingPerHour,
  type Stay,
  takenShare,
} from "../../backend/usecases/habits.ts";
import { near } from "../support/near.ts";
import { HOUR, T0 } from "../support/world.ts";

/** T0 is 08:00 UTC. A stay as far as habits look at it; `fullAfter` hours the car took nothing any more. */
const stay = (of: {
  from: number;
  announced: number;
  takenWh?: number;
  wishedWh?: number;
  fullAfter?: number;
}): Stay => ({
  pluggedAt: T0 + of.from * HOUR,
  departsAt: T0 + of.announced * HOUR,
  startRegisterWh: 1_000,
  registerWh: 1_000 + (of.takenWh ?? 0),
  wishedWh: of.wishedWh ?? 10_000,
  seenMaxW: of.fullAfter === undefined ? null : 0,
  unwilling: of.fullAfter === undefined ? [] : [{ from: T0 + (of.from + of.fullAfter) * HOUR, until: null }],
});
const taught = (...stays: readonly (readonly [Stay, leftAfter: number])[]): Habits => {
  const habits = createHabits();
  for (const [live, hours] of stays) learn(habits, live, T0 + hours * HOUR);
  return habits;
};
const willingHours = ({ hours }: Habits) => hours.map(({ willingS }) => willingS / HOUR);
const leavers = ({ hours }: Habits) => hours.flatMap(({ left }, hour) => (left > 0 ? [[hour, left]] : []));

describe("Habits of a group's drivers", () => {
  it("count the hours of the day in which cars could take energy, and when drivers left before they said", () => {
    const habits = taught([stay({ from: 0.5, announced: 8 }), 2.25], [stay({ from: 1, announced: 8 }), 2.5]);
    expect(willingHours(habits).slice(7, 12)).to.deep.equal([0, 0.5, 2, 0.75, 0]);
    expect(leavers(habits)).to.deep.equal([[10, 2]]);
  });

  it("do not blame a driver who left as announced, a quarter of an hour before, or with a full car", () => {
    const asSaid = stay({ from: 0, announced: 2 });
    const full = stay({ from: 0, announced: 8, fullAfter: 1.5 });
    const habits = taught([asSaid, 2], [asSaid, 1.75], [full, 2]);
    expect(leavers(habits)).to.deep.equal([]);
    expect(leavers(taught([asSaid, 1.74]))).to.deep.equal([[9, 1]]);
    expect(willingHours(taught([full, 2])).slice(8, 11)).to.deep.equal([1, 0.5, 0]);
  });

  it("learn from full cars how much too much was wished, slowly at first, and never expect more than is wished", () => {
    expect(takenShare(createHabits())).to.equal(1);
    const full = stay({ from: 0, announced: 8, fullAfter: 1, takenWh: 10_000, wishedWh: 30_000 });
    expect(takenShare(taught([full, 2]))).to.equal((10_000 + 30_000) / (30_000 + 30_000));
    expect(takenShare(taught([stay({ from: 0, announced: 8, takenWh: 1_000 }), 2]))).to.equal(1);
    expect(takenShare(taught([stay({ from: 0, announced: 8, fullAfter: 1, takenWh: 20_000 }), 2]))).to.equal(1);
  });

  it("give the rate of leaving about a time of the day, across midnight, near the whole day's where little is known", () => {
    expect(leavingPerHour(createHabits(), T0)).to.satisfy(near(0.001, 1e-12));
    // A hundred stays of an hour from 23:00 on, cut short at midnight.
    const night = Array.from({ length: 100 }, () => [stay({ from: 15, announced: 20 }), 16.01] as const);
    const habits = taught(...night);
    const at = (hour: number) => leavingPerHour(habits, T0 + (hour - 8) * HOUR);
    expect(at(0)).to.be.greaterThan(0.7);
    expect(at(24)).to.equal(at(0));
    expect(at(23)).to.be.greaterThan(at(21.5));
    // Twelve hours away only the whole day speaks: (1 + 100) leavers in (1,000 + 101) hours.
    expect(at(12)).to.satisfy(near(101 / 1_101, 1e-9));
  });
});
