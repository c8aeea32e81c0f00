import { expect } from "chai";
import fc from "fast-check";
import { solveWithHighs } from "../../../backend/adapters/solvers/highs.ts";
import { microEurPerKwh, wattHour } from "../../../backend/domain/units.ts";
import { groupProgram } from "../../../backend/optimisation/model/groupProgram.ts";
import type { ModelOptions, ModelProblem } from "../../../backend/optimisation/model/modelProblem.ts";
import { near } from "../../support/near.ts";
import { aCar, anInterval, aProblem, randomProblem } from "../../support/problems.ts";
import { howOften, PATIENCE_MS } from "../properties/support.ts";

/** A program's solution, and 5.3.4 as D4.2 means it: hours of all intervals that begin with a car that is not complete. */
async function solved(problem: ModelProblem, options: ModelOptions) {
  const program = groupProgram(problem, options);
  const solution = await solveWithHighs(program, 20);
  if (solution.kind !== "optimal") throw new Error(solution.kind);
  let openHours = 0;
  for (const [i, car] of problem.cars.entries()) {
    const wanted = (car.needWh + car.moreWh) / 1000;
    let served = 0;
    for (const [k, column] of program.charge[i]!.entries()) {
      if (served < wanted - 1e-6) openHours += problem.intervals[car.from + k]!.durationS / 3600;
      served += solution.values[column]!;
    }
  }
  return { objective: solution.objective, openHours, bound: solution.bound, program, values: solution.values };
}

describe("O4 opportunity cost", () => {
  const two = [
    aCar({ session: 1, needWh: wattHour(2_000), to: 4 }),
    aCar({ session: 2, needWh: wattHour(500), to: 4 }),
  ];
  const problem = aProblem({
    weights: { scale: 1, early: 0, voll: 10_000_000, extra: 2_000_000 },
    cars: two,
    intervals: [0, 1, 2, 3].map(() => anInterval({ limitWh: wattHour(1_000) })),
  });

  it("prices energy by the age of its session, per kWh of its need", () => {
    const program = groupProgram(
      { ...problem, cars: [{ ...two[0]!, previousSlots: 3 }, two[1]!] },
      { waitingMicroEurPerHour: 24_000 },
    );
    const costs = program.charge.map((stay) => stay.map((column) => program.columns[column]!.cost));
    // EUR/MWh: 0.006 EUR x age / 2 kWh, and / 0.5 kWh.
    expect(costs).to.deep.equal([
      [12, 15, 18, 21],
      [12, 24, 36, 48],
    ]);
  });

  it("completes the short session first, relaxed and with binaries", async () => {
    const [relaxed, exact] = [
      await solved(problem, { waitingMicroEurPerHour: 40_000 }),
      await solved(problem, { waitingMicroEurPerHour: 40_000, openBinaries: true }),
    ];
    for (const { openHours, program, values } of [relaxed, exact]) {
      expect(openHours).to.equal(1); // 2.5 kWh at 1 kWh a slot: the short one in the first, the long one in the third
      expect(values[program.charge[1]![0]!]).to.satisfy(near(0.5, 1e-6));
    }
    // Energy at 0.2 EUR/kWh, and an hour at 0.04: one slot of the short session, three of the long one.
    expect(exact.objective).to.satisfy(near(500 + 40, 1e-6));
    expect(exact.bound).to.be.within(539.9, 540 + 1e-6);
  });

  it("is bounded by its linear relaxation from below and by the relaxed plan from above", async function () {
    this.timeout(PATIENCE_MS);
    const waitingMicroEurPerHour = 40_000;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 100_000 }), async (seed) => {
        const random = randomProblem(seed);
        const small = { ...random, weights: problem.weights, cars: random.cars.slice(0, 4) };
        const relaxed = await solved(small, { waitingMicroEurPerHour });
        const exact = await solved(small, { waitingMicroEurPerHour, openBinaries: true });
        const energy = groupProgram(small).columns.reduce((sum, { cost }, j) => sum + cost * relaxed.values[j]!, 0);
        const tolerance = 1e-5 * (1 + Math.abs(exact.objective));
        expect(exact.objective).to.be.at.least(relaxed.objective - tolerance);
        const waiting = (waitingMicroEurPerHour / 1000) * relaxed.openHours;
        expect(exact.bound ?? exact.objective).to.be.at.most(energy + waiting + tolerance);
      }),
      howOften(40),
    );
  });
});

describe("O1 with binaries", () => {
  /** 1 kWh of surplus, worth 0.05 fed in, import paid with 0.09: a car that takes 2 kWh. */
  const sunny = aProblem({
    weights: { scale: 1, early: 0, voll: 10_000_000, extra: 2_000_000 },
    cars: [aCar({ session: 1, needWh: wattHour(2_000) })],
    intervals: [
      anInterval({ productionWh: wattHour(1_000), price: microEurPerKwh(-90_000), feedIn: microEurPerKwh(50_000) }),
    ],
  });

  it("never imports and exports at once, where a linear program with the true prices would do both", async () => {
    const exact = await solved(sunny, { directionBinaries: true });
    const at = (name: string) => exact.values[exact.program.columns.findIndex((column) => column.name === name)];
    expect([at("import 0"), at("export 0")].map((kwh) => Math.round(kwh! * 1e6) / 1e6 + 0)).to.deep.equal([1, 0]);
    expect(exact.objective).to.satisfy(near(-90, 1e-6));
  });

  it("read convexly, import costs what feeding in is worth", async () => {
    const convex = await solved(sunny, {});
    expect(convex.objective).to.satisfy(near(50, 1e-6));
    expect(convex.program.columns.some(({ integer }) => integer)).to.equal(false);
  });

  it("are where feeding in is worth more than import costs, and nowhere else", () => {
    for (let seed = 0; seed < 60; seed++) {
      const problem = randomProblem(seed);
      const { columns } = groupProgram(problem, { directionBinaries: true });
      const binaries = columns.flatMap(({ name, integer }) => (integer ? [name] : []));
      const expected = problem.intervals.flatMap(({ price, feedIn, demandWh, fixedWh, productionWh }, t) =>
        feedIn > price && productionWh > demandWh + fixedWh ? [`importing ${t}`] : [],
      );
      expect(binaries, `seed ${seed}`).to.deep.equal(expected);
    }
  });
});
