/** What holds for every algorithm, on random problems: days of 92 and 100 slots, ties, zero capacity, negative prices. */
import { expect } from "chai";
import fc from "fast-check";
import { ALGORITHM_NAMES, type AlgorithmName } from "../../../backend/domain/algorithms.ts";
import { watt } from "../../../backend/domain/units.ts";
import { ALGORITHMS, repeat } from "../../../backend/optimisation/algorithms.ts";
import { planValue, violations } from "../../../backend/optimisation/checker.ts";
import { shareEqually } from "../../../backend/optimisation/equalShare.ts";
import { exactPlan } from "../../../backend/optimisation/exactPlan.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import type { GroupProblem, Plan } from "../../../backend/optimisation/problem.ts";
import { refine } from "../../../backend/optimisation/refine.ts";
import { inProportion } from "../../../backend/optimisation/rule.ts";
import { aCar, WEIGHTS } from "../../support/problems.ts";
import { DAYS, howOften, PATIENCE_MS, problems } from "./support.ts";

const REPEATABLE = ALGORITHM_NAMES.filter((name) => ALGORITHMS[name].repeatable);
const RULES = REPEATABLE.filter((name) => name !== "least-cost" && name !== "uncontrolled");
const hasProtection = (name: AlgorithmName) =>
  ALGORITHMS[name].parameters.some((one) => one.name === "protectPromises");

/** Cars that must charge at some least power or pause. */
const anyGroup = problems({ intervals: DAYS, cars: 10 }).map((problem) => ({
  ...problem,
  cars: problem.cars.map((car) => ({ ...car, minPowerW: watt(Math.min(car.powerW, 4_140)) })),
}));
/** Promised energy above all other, and that above every price. */
const anyWorth = anyGroup.map((problem) => ({ ...problem, weights: WEIGHTS }));

const planOf = (problem: GroupProblem, name: AlgorithmName, parameters: Record<string, number> = {}): Plan =>
  repeat(problem, { name, parameters });
const servedWh = (plan: Plan) => plan.energyWh.map((stay) => stay.reduce((sum, wh) => sum + wh, 0));
const shortWh = ({ cars }: GroupProblem, plan: Plan) =>
  servedWh(plan).reduce((sum, wh, i) => sum + Math.max(0, cars[i]!.needWh - wh), 0);
const holds = <T>(property: fc.IProperty<T>) => fc.assert(property, howOften(400));

describe("every algorithm, on random problems", function () {
  this.timeout(PATIENCE_MS);

  for (const name of REPEATABLE)
    it(`${name}: the checker finds nothing${name === "uncontrolled" ? " but the group's limit" : ""}, before and after least power, and the cost is what it says`, () => {
      holds(
        fc.property(anyGroup, fc.boolean(), (problem, protect) => {
          const choice: Record<string, number> = hasProtection(name) ? { protectPromises: protect ? 1 : 0 } : {};
          const plan = planOf(problem, name, choice);
          const refined = refine(problem, plan).plan;
          for (const one of [plan, refined]) {
            const broken = violations(problem, one).filter(
              ({ rule }) => !(name === "uncontrolled" && rule === "group-limit"),
            );
            expect(broken).to.deep.equal([]);
            expect(planValue(problem, one)).to.deep.equal({ cost: one.cost, bound: one.bound });
            if (name !== "uncontrolled") expect(one.cost >= one.bound!).to.equal(true);
            expect(one.algorithm).to.equal(name);
          }
        }),
      );
    });

  it("every bound is the optimum's cost", () => {
    holds(
      fc.property(anyGroup, fc.constantFrom(...REPEATABLE), (problem, name) => {
        expect(planOf(problem, name).bound).to.equal(leastCost(problem).cost);
      }),
    );
  });

  it("a rule that protects promises leaves no more of them short than the optimum", () => {
    holds(
      fc.property(anyWorth, fc.constantFrom(...RULES), (problem, name) => {
        expect(shortWh(problem, planOf(problem, name))).to.equal(shortWh(problem, leastCost(problem)));
      }),
    );
  });

  it("and where all of them can be kept, first parts in time, it keeps them all", () => {
    const withFirst = problems({ intervals: DAYS, cars: 8, first: true });
    holds(
      fc.property(withFirst, fc.constantFrom(...RULES), (group, name) => {
        const problem = { ...group, weights: WEIGHTS };
        const missing = ({ energyWh }: Plan) =>
          problem.cars.reduce((sum, { first, from }, i) => {
            if (!first) return sum;
            const early = energyWh[i]!.slice(0, first.to - from).reduce((a, b) => a + b, 0);
            return sum + Math.max(0, first.wh - early);
          }, 0);
        const [plan, best] = [planOf(problem, name), exactPlan(problem)];
        expect(shortWh(problem, plan)).to.equal(shortWh(problem, best));
        fc.pre(shortWh(problem, best) === 0 && missing(best) === 0);
        expect(missing(plan)).to.equal(0);
      }),
    );
  });

  it("a rule leaves nothing unused that a car of the interval could still take", () => {
    holds(
      fc.property(anyGroup, fc.constantFrom(...RULES), fc.boolean(), (problem, name, protect) => {
        const plan = planOf(problem, name, { protectPromises: protect ? 1 : 0 });
        for (const [t, interval] of problem.intervals.entries()) {
          const net = interval.demandWh + interval.fixedWh - interval.productionWh;
          const roomWh = net < 0 ? interval.limitWh - net : Math.max(0, interval.limitWh - net);
          const load = problem.cars.reduce((sum, car, i) => sum + (plan.energyWh[i]![t - car.from] ?? 0), 0);
          if (load === roomWh) continue;
          for (const [i, car] of problem.cars.entries()) {
            if (t < car.from || t >= car.to) continue;
            const stay = plan.energyWh[i]!;
            const before = stay.slice(0, t - car.from + 1).reduce((sum, wh) => sum + wh, 0);
            const mostWh = Math.floor((car.powerW * interval.durationS) / 3600);
            const full = stay[t - car.from] === mostWh || before === car.needWh + car.moreWh;
            expect(full, `session ${car.session}, interval ${t}`).to.equal(true);
          }
        }
      }),
    );
  });

  it("the same problem gives the same plan, and nobody's plan depends on what is not in the problem's bytes", () => {
    holds(
      fc.property(anyGroup, fc.constantFrom(...RULES), (problem, name) => {
        const cars = problem.cars.map((car) => ({ ...car, minPowerW: watt(0) }));
        expect(planOf({ ...problem, cars }, name).energyWh).to.deep.equal(planOf(problem, name).energyWh);
      }),
    );
  });
});

/** Wanted and least energies, and room for at least the least ones. */
const sharing = fc
  .record({
    claims: fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 7 }),
    spareWh: fc.nat(120),
  })
  .map(({ claims, spareWh }) => {
    const list = claims.map(([a, b], k) => ({
      car: aCar({ session: k + 1 }),
      wantedWh: Math.max(a, b) + 1,
      leastWh: k % 2 === 0 ? 0 : Math.min(a, b),
      mostWh: Math.max(a, b) + 1,
      laterWh: 0,
      owedWh: 0,
    }));
    return { list, roomWh: list.reduce((sum, one) => sum + one.leastWh, 0) + spareWh };
  });

describe("shares", function () {
  this.timeout(PATIENCE_MS);

  it("equal share is what pouring Wh by Wh to whoever has least gives", () => {
    holds(
      fc.property(sharing, ({ list, roomWh }) => {
        // Another route: everyone has what it must get; each further Wh goes to the lowest that can take it, first one first.
        const poured = list.map(({ leastWh }) => leastWh);
        for (let rest = roomWh - poured.reduce((a, b) => a + b, 0); rest > 0; rest--) {
          let lowest = -1;
          for (const [k, { wantedWh }] of list.entries())
            if (poured[k]! < wantedWh && (lowest < 0 || poured[k]! < poured[lowest]!)) lowest = k;
          if (lowest < 0) break;
          poured[lowest]!++;
        }
        expect(shareEqually(list, roomWh, 900)).to.deep.equal(poured);
      }),
    );
  });

  it("proportions add up to the amount, stay below their weights, and are off by less than 1", () => {
    const weights = fc.array(fc.nat(16_777_215), { minLength: 1, maxLength: 9 });
    holds(
      fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true }), (list, share) => {
        const sum = list.reduce((a, b) => a + b, 0);
        const amount = Math.floor(share * sum);
        const parts = inProportion(amount, list);
        expect(parts.reduce((a, b) => a + b, 0)).to.equal(amount);
        for (const [k, part] of parts.entries()) {
          expect(part).to.be.at.least(0).and.at.most(list[k]!);
          // Cross-multiplied, so that nothing is rounded.
          const off = BigInt(part) * BigInt(sum) - BigInt(amount) * BigInt(list[k]!);
          expect(off === 0n || (off > -BigInt(sum) && off <= BigInt(sum))).to.equal(true);
        }
      }),
    );
  });
});
