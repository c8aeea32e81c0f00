/** The exact method, the network simplex and both general solvers agree; the checker proves it. */
import { expect } from "chai";
import fc from "fast-check";
import { solveWithHighs } from "../../../backend/adapters/solvers/highs.ts";
import { solveWithJavascriptLpSolver } from "../../../backend/adapters/solvers/javascriptLpSolver.ts";
import { wattHour } from "../../../backend/domain/units.ts";
import { planValue, violations } from "../../../backend/optimisation/checker.ts";
import { leastCostByNetwork } from "../../../backend/optimisation/exactPlan.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import { leastLaxity } from "../../../backend/optimisation/leastLaxity.ts";
import { crossCheck, linearProgram } from "../../../backend/optimisation/model.ts";
import type { Plan } from "../../../backend/optimisation/problem.ts";
import { costByDefinition, DAYS, howOften, PATIENCE_MS, problems, SHORT } from "./support.ts";

const anyGroup = problems({ intervals: DAYS, cars: 12 });
const smallGroup = problems({ intervals: SHORT, cars: 6 });

describe("least cost, on random problems", function () {
  this.timeout(PATIENCE_MS);

  it("is feasible, and its certificate proves by the checker that nothing is cheaper: gap 0", () => {
    fc.assert(
      fc.property(anyGroup, (problem) => {
        const plan = leastCost(problem);
        expect(violations(problem, plan)).to.deep.equal([]);
        const { cost, bound } = planValue(problem, plan);
        expect([cost, bound, plan.cost]).to.deep.equal([cost, cost, cost]);
      }),
      howOften(4_000),
    );
  });

  it("costs what the network simplex finds, to the integer", () => {
    fc.assert(
      fc.property(anyGroup, (problem) => {
        const { objective, dual, energyWh } = leastCostByNetwork(problem);
        const plan = leastCost(problem);
        expect([objective, dual]).to.deep.equal([plan.cost, plan.cost]);
        expect(violations(problem, { ...plan, energyWh })).to.deep.equal([]);
        expect(planValue(problem, { ...plan, energyWh }).cost).to.equal(plan.cost);
      }),
      howOften(3_000),
    );
  });

  it("costs what HiGHS finds, to the integer", async () => {
    await fc.assert(
      fc.asyncProperty(anyGroup, async (problem) => {
        const plan = leastCost(problem);
        const answer = crossCheck(problem, plan, await solveWithHighs(linearProgram(problem), 60));
        expect(answer.kind, JSON.stringify(answer, bigints)).to.equal("equal");
      }),
      howOften(600),
    );
  });

  it("costs what javascript-lp-solver finds, to the integer", () => {
    fc.assert(
      fc.property(smallGroup, (problem) => {
        const plan = leastCost(problem);
        const answer = crossCheck(problem, plan, solveWithJavascriptLpSolver(linearProgram(problem)));
        expect(answer.kind, JSON.stringify(answer, bigints)).to.equal("equal");
      }),
      howOften(400),
    );
  });

  it("does not depend on the order of the cars, nor costs less with less supply or more when a car stays longer", () => {
    fc.assert(
      fc.property(anyGroup, fc.nat(), (problem, k) => {
        const { cost } = leastCost(problem);
        const { cars, intervals } = problem;
        const turned = cars.map((_, i) => ({ ...cars[(i + k) % cars.length]!, session: i + 1 }));
        expect(leastCost({ ...problem, cars: turned }).cost).to.equal(cost);
        const less = intervals.map((v, t) => (t % 2 ? v : { ...v, limitWh: wattHour(Math.floor(v.limitWh / 2)) }));
        expect(leastCost({ ...problem, intervals: less }).cost >= cost).to.equal(true);
        const longer = cars.map((car) => ({ ...car, to: Math.min(car.to + 1, intervals.length) }));
        expect(leastCost({ ...problem, cars: longer }).cost <= cost).to.equal(true);
      }),
      howOften(600),
    );
  });
});

describe("certificates, on random problems", function () {
  this.timeout(PATIENCE_MS);

  it("show every dearer schedule, by exactly what it costs too much", () => {
    let dearer = 0;
    const [steps, group] = [fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { maxLength: 6 }), anyGroup];
    fc.assert(
      fc.property(group, steps, (problem, moves) => {
        const best = leastCost(problem);
        for (const energyWh of [leastLaxity(problem).energyWh, moved(best, moves)]) {
          const plan: Plan = { ...best, energyWh };
          if (violations(problem, plan).length > 0) continue;
          const { cost, bound } = planValue(problem, plan);
          expect(bound).to.equal(best.cost);
          expect(cost >= best.cost).to.equal(true);
          expect(cost - best.cost).to.equal(
            costByDefinition(problem, energyWh) - costByDefinition(problem, best.energyWh),
          );
          if (cost > best.cost) dearer++;
        }
      }),
      howOften(2_000),
    );
    expect(dearer).to.be.greaterThan(howOften(2_000).numRuns / 10);
  });

  it("cannot be forged: no whole numbers prove more than the optimum", () => {
    let less = 0;
    const changes = fc.array(fc.tuple(fc.boolean(), fc.nat(), fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n })), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(anyGroup, changes, fc.boolean(), (problem, forged, fromScratch) => {
        const best = leastCost(problem);
        const y = fromScratch ? problem.cars.map(() => 0n) : [...best.certificate!.y];
        const w = fromScratch ? problem.intervals.map(() => 0n) : [...best.certificate!.w];
        for (const [isCar, place, by] of forged) {
          const list = isCar ? y : w;
          if (list.length > 0) list[place % list.length]! += by;
        }
        const bound = planValue(problem, { ...best, certificate: { y, w } }).bound ?? 0n;
        expect(bound <= best.cost).to.equal(true);
        if (bound < best.cost) less++;
      }),
      howOften(2_000),
    );
    expect(less).to.be.greaterThan(howOften(2_000).numRuns / 10);
  });
});

/** Moves one Wh between intervals of a car, or takes or adds one. */
function moved(plan: Plan, moves: readonly (readonly [number, number, number])[]): number[][] {
  const energyWh = plan.energyWh.map((stay) => [...stay]);
  for (const [i, a, b] of moves) {
    const stay = energyWh[i % Math.max(1, energyWh.length)];
    if (stay === undefined) continue;
    if (a % 3 > 0) stay[a % stay.length]! -= 1;
    if (b % 3 > 0) stay[b % stay.length]! += 1;
  }
  return energyWh;
}

const bigints = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}` : value);
