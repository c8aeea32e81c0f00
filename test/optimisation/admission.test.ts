import { expect } from "chai";
import { watt, wattHour } from "../../backend/domain/units.ts";
import { admit, refusalProof, slack } from "../../backend/optimisation/admission.ts";
import { planValue } from "../../backend/optimisation/checker.ts";
import type { GroupProblem } from "../../backend/optimisation/problem.ts";
import { mostDeliverable } from "../support/maxFlow.ts";
import { aCar, anInterval, aProblem, randomFrom, randomProblem } from "../support/problems.ts";

const needs = (problem: GroupProblem) => problem.cars.map((car) => car.needWh as number);
const withRequest = (problem: GroupProblem, powerW: number, from: number, to: number) => ({
  ...problem,
  cars: [...problem.cars, aCar({ session: 1_000_000, powerW: watt(powerW), from, to })],
});

describe("admission", () => {
  // Two intervals of 2,500 Wh; one 10 kW car is promised 2,000 Wh within both.
  const problem = aProblem({
    cars: [aCar({ session: 1, needWh: wattHour(2_000), powerW: watt(10_000), from: 0, to: 2 })],
    intervals: [0, 1, 2].map((t) => anInterval({ limitWh: wattHour(t === 2 ? 1_000 : 2_500) })),
  });
  const ask = (energyWh: number, to: number) =>
    admit(problem, { energyWh: wattHour(energyWh), powerW: watt(10_000), from: 0, to });

  it("accepts what fits by moving the promised car to another interval", () => {
    expect(ask(2_500, 1)).to.deep.equal({ kind: "accepted" });
  });

  it("offers the most by then, and the earliest time for all of it", () => {
    expect(ask(3_500, 2)).to.deep.equal({
      kind: "counter",
      energyWh: 3_000,
      laterTo: 3,
      shortfallWh: 500,
      witness: { sessions: [1], intervals: [0, 1], neededWh: 5_500, availableWh: 5_000 },
    });
  });

  it("says when no later time helps either", () => {
    expect(ask(4_100, 2)).to.include({ kind: "counter", energyWh: 3_000, laterTo: null });
  });

  it("blames the car's own power when the group has room", () => {
    const answer = admit(problem, { energyWh: wattHour(1_000), powerW: watt(1_000), from: 0, to: 1 });
    const witness = { sessions: [], intervals: [], neededWh: 750, availableWh: 0 };
    expect(answer).to.deep.equal({ kind: "counter", energyWh: 250, laterTo: null, shortfallWh: 750, witness });
  });

  it("refuses, with the shortfall and who needs the capacity, when nothing is left", () => {
    const full = { ...problem, cars: [{ ...problem.cars[0]!, needWh: wattHour(2_500), to: 1 }] };
    const answer = admit(full, { energyWh: wattHour(700), powerW: watt(10_000), from: 0, to: 1 });
    expect(answer).to.include({ kind: "counter", energyWh: 0, laterTo: 2 });
    const shut = { ...full, intervals: full.intervals.slice(0, 1) };
    expect(admit(shut, { energyWh: wattHour(700), powerW: watt(10_000), from: 0, to: 1 })).to.deep.equal({
      kind: "refused",
      shortfallWh: 700,
      witness: { sessions: [1], intervals: [0], neededWh: 3_200, availableWh: 2_500 },
    });
  });

  it("moves a car within its first deadline, and none beyond it", () => {
    const intervals = [0, 1, 2].map(() => anInterval({ limitWh: wattHour(1_000) }));
    const early = aCar({
      session: 1,
      needWh: wattHour(1_000),
      powerW: watt(4_000),
      from: 0,
      to: 3,
      first: { wh: wattHour(1_000), to: 2 },
    });
    const late = aCar({ session: 2, needWh: wattHour(1_000), powerW: watt(4_000), from: 1, to: 3 });
    const request = { energyWh: wattHour(1_000), powerW: watt(4_000), from: 0, to: 1 };
    // The second car makes room in the middle for the first one.
    expect(admit(aProblem({ intervals, cars: [early, late] }), request)).to.deep.equal({ kind: "accepted" });
    const stuck = { ...late, to: 2 };
    expect(admit(aProblem({ intervals, cars: [early, stuck] }), request)).to.deep.equal({
      kind: "counter",
      energyWh: 0,
      laterTo: 3,
      shortfallWh: 1_000,
      witness: { sessions: [1, 2], intervals: [0, 1], neededWh: 3_000, availableWh: 2_000 },
    });
  });

  it("names who is in the way of a car that may still wait beyond its first deadline", () => {
    const intervals = [0, 1].map(() => anInterval({ limitWh: wattHour(1_000) }));
    const car = { needWh: wattHour(1_000), powerW: watt(4_000), to: 2 };
    const cars = [
      aCar({ ...car, session: 1, from: 0, first: { wh: wattHour(200), to: 1 } }),
      aCar({ ...car, session: 2, from: 1 }),
    ];
    const request = { energyWh: wattHour(500), powerW: watt(4_000), from: 0, to: 1 };
    const { kind, ...answer } = admit(aProblem({ intervals, cars }), request);
    expect(kind).to.equal("refused");
    expect(answer).to.deep.equal({
      shortfallWh: 500,
      witness: { sessions: [1, 2], intervals: [0, 1], neededWh: 2_500, availableWh: 2_000 },
    });
  });

  it("equals a full maximum flow and never displaces a promise, on random groups", () => {
    const kinds = { accepted: 0, counter: 0, refused: 0, later: 0 };
    for (let seed = 0; seed < 1_500; seed++) {
      const problem = randomProblem(seed);
      const random = randomFrom(seed + 7);
      const m = problem.intervals.length;
      const from = Math.floor(random() * m);
      const to = from + 1 + Math.floor(random() * (m - from));
      const powerW = Math.floor(random() * 30_000);
      const energyWh = Math.floor(random() * random() * 8_000) * (random() < 0.5 ? 1 : 0) + Math.floor(random() * 12);
      const promised = mostDeliverable(problem, needs(problem));
      const mostUntil = (end: number) =>
        mostDeliverable(withRequest(problem, powerW, from, end), [...needs(problem), energyWh]) - promised;

      const answer = admit(problem, { energyWh: wattHour(energyWh), powerW: watt(powerW), from, to });
      kinds[answer.kind]++;
      const most = mostUntil(to);
      expect(answer.kind === "accepted", `seed ${seed}`).to.equal(most === energyWh);
      if (answer.kind === "accepted") continue;
      expect(answer.shortfallWh).to.equal(energyWh - most);
      expect(answer.witness.neededWh - answer.witness.availableWh).to.equal(energyWh - most);
      let laterTo: number | null = null;
      for (let end = to + 1; end <= m && laterTo === null; end++) if (mostUntil(end) === energyWh) laterTo = end;
      if (answer.kind === "refused") expect([most, laterTo]).to.deep.equal([0, null]);
      else expect([answer.energyWh, answer.laterTo]).to.deep.equal([most, laterTo]);
      if (laterTo !== null) kinds.later++;
    }
    for (const count of Object.values(kinds)) expect(count).to.be.greaterThan(50);
  });

  it("names sessions and intervals that cannot hold what they need, whatever the plan", () => {
    let checked = 0;
    for (let seed = 0; seed < 600; seed++) {
      const problem = randomProblem(seed);
      const [from, to] = [0, problem.intervals.length];
      const answer = admit(problem, { energyWh: wattHour(20_000), powerW: watt(50_000), from, to });
      if (answer.kind === "accepted" || answer.witness.sessions.length === 0) continue;
      // Only those cars, only with what they must take inside: still short by the same amount or more.
      const { sessions, intervals } = answer.witness;
      const kept = problem.cars.filter((car) => sessions.includes(car.session));
      const alone = withRequest({ ...problem, cars: kept }, 50_000, from, to);
      const wanted = [...needs({ ...problem, cars: kept }), 20_000];
      const missing = wanted.reduce((a, b) => a + b, 0) - mostDeliverable(alone, wanted);
      expect(missing).to.be.at.least(answer.shortfallWh);
      expect(intervals.length).to.be.greaterThan(0);
      checked++;
    }
    expect(checked).to.be.greaterThan(100);
  });

  it("proves a refusal: the certified bound is the smallest possible shortfall", () => {
    for (let seed = 0; seed < 400; seed++) {
      const problem = randomProblem(seed);
      const to = problem.intervals.length;
      const asked = withRequest(problem, 40_000, 0, to);
      const wanted = [...needs(problem), 9_000];
      const missing = wanted.reduce((a, b) => a + b, 0) - mostDeliverable(asked, wanted);
      const request = { energyWh: wattHour(9_000), powerW: watt(40_000), from: 0, to, session: 1_000_000, row: 1 };
      const proof = refusalProof(problem, request);
      expect(proof.shortfallWh).to.equal(missing);
      const { scale, voll } = problem.weights;
      expect(planValue(proof.problem, proof.plan).bound).to.equal(BigInt(missing) * BigInt(scale) * BigInt(voll));
    }
  });
});

describe("slack", () => {
  it("is what each car alone could be given on top with all promises held", () => {
    let positive = 0;
    for (let seed = 0; seed < 500; seed++) {
      const problem = randomProblem(seed);
      const held = needs(problem);
      const promised = mostDeliverable(problem, held);
      const kept = promised === held.reduce((a, b) => a + b, 0);
      const margins = slack(problem);
      for (const [i, margin] of margins.entries()) {
        if (margin < 0) continue;
        if (margin > 0) positive++;
        if (!kept) continue; // who is short decides what is held
        const wanted = held.map((wh, j) => (j === i ? 1_000_000 : wh));
        expect(margin, `seed ${seed}, car ${i}`).to.equal(mostDeliverable(problem, wanted) - promised);
      }
      const short = margins.reduce((sum, margin) => sum + Math.max(0, -margin), 0);
      expect(short).to.equal(held.reduce((a, b) => a + b, 0) - promised);
    }
    expect(positive).to.be.greaterThan(500);
  });

  it("asks of one car what leaves the room of all as it was, after first deadlines too", () => {
    // The first car is promised 1,000 Wh that may all come late; asked first, it must not lock itself out of the later ones.
    const limits = [0, 7_000, 11_000, 10_000, 0];
    const problem = aProblem({
      intervals: limits.map((limitWh) => anInterval({ limitWh: wattHour(limitWh) })),
      cars: [
        aCar({
          session: 1,
          needWh: wattHour(1_000),
          powerW: watt(4_000),
          from: 1,
          to: 3,
          first: { wh: wattHour(0), to: 2 },
        }),
        aCar({ session: 2, needWh: wattHour(7_000), powerW: watt(32_000), from: 0, to: 3 }),
      ],
    });
    expect(slack(problem)).to.deep.equal([1_000, 8_000]);
    expect(slack({ ...problem, cars: problem.cars.slice().reverse() })).to.deep.equal([8_000, 1_000]);
  });

  it("stops at the amount that matters to the caller", () => {
    expect(slack(aProblem({ cars: [aCar({ session: 1 })] }), 100)).to.deep.equal([100]);
  });
});
