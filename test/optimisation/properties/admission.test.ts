/** Admission with first deadlines against a maximum flow on a matrix, and against every plan there is on tiny groups. */
import { expect } from "chai";
import fc from "fast-check";
import { watt, wattHour } from "../../../backend/domain/units.ts";
import {
  admit,
  type EnergyRequest,
  openAdmission,
  refusalProof,
  slack,
} from "../../../backend/optimisation/admission.ts";
import { planValue, violations } from "../../../backend/optimisation/checker.ts";
import { capacityOf } from "../../../backend/optimisation/leastCost.ts";
import type { Car, GroupProblem } from "../../../backend/optimisation/problem.ts";
import { mostWithDeadlines } from "../../support/maxFlow.ts";
import { aCar, anInterval, aProblem } from "../../support/problems.ts";
import { howOften, PATIENCE_MS, problems } from "./support.ts";

const sites = problems({ intervals: fc.integer({ min: 1, max: 8 }), cars: 0 });
const wishes = problems({ intervals: fc.constant(8), cars: 14, first: true }).map(({ cars }) => cars);

describe("admission, on random groups and requests", function () {
  this.timeout(PATIENCE_MS);

  it("accepts one after another exactly what a maximum flow can serve, and displaces nobody", () => {
    const seen = { accepted: 0, counter: 0, refused: 0, first: 0, later: 0 };
    fc.assert(
      fc.property(sites, wishes, (site, cars) => {
        const admission = openAdmission(site);
        let held: Car[] = [];
        for (const wish of cars) {
          const asked = within(site, wish);
          const answer = admission.accept(asked.session, requestOf(asked));
          seen[answer.kind]++;
          const all = { ...site, cars: [...held, asked] };
          const fits = mostWithDeadlines(all) === needOf(all);
          expect(answer.kind === "accepted").to.equal(fits);
          if (fits) {
            held = [...held, asked];
            continue;
          }
          if (answer.kind === "accepted") continue;
          const before = needOf({ ...site, cars: held });
          const { energyWh, firstWh, laterTo } = mostOf(site, held, asked);
          if (firstWh !== undefined) seen.first++;
          if (laterTo !== null) seen.later++;
          expect(answer.firstWh).to.equal(firstWh);
          if (answer.kind === "counter") expect([answer.energyWh, answer.laterTo]).to.deep.equal([energyWh, laterTo]);
          else expect([energyWh, laterTo]).to.deep.equal([0, null]);
          const lacking = firstWh === undefined ? asked.needWh - energyWh : asked.first!.wh - firstWh;
          expect(answer.shortfallWh).to.equal(lacking);
          expect(answer.witness.neededWh - answer.witness.availableWh).to.equal(lacking);
          // Those who are named are short by as much when nobody else is there.
          const named = held.filter(({ session }) => answer.witness.sessions.includes(session));
          const { first, ...whole } = asked;
          const part = firstWh === undefined ? asked : { ...whole, needWh: first!.wh, to: first!.to };
          const alone = { ...site, cars: [...named, part] };
          expect(needOf(alone) - mostWithDeadlines(alone)).to.be.at.least(lacking);
          expect(mostWithDeadlines({ ...site, cars: held })).to.equal(before);
        }
        // Asked anew, with the flow of all promises laid at once: nobody lacks anything.
        expect(slack({ ...site, cars: held }).every((wh) => wh >= 0)).to.equal(true);
      }),
      howOften(1_500),
    );
    for (const [what, times] of Object.entries(seen))
      expect(times, what).to.be.greaterThan(howOften(1_500).numRuns / 40);
  });

  it("gives the same answer whether the flow was kept or is laid anew, and asking changes nothing", () => {
    fc.assert(
      fc.property(sites, wishes, (site, cars) => {
        const admission = openAdmission(site);
        const held: Car[] = [];
        for (const wish of cars) {
          const asked = within(site, wish);
          const fresh = admit({ ...site, cars: held }, requestOf(asked));
          const [once, twice] = [admission.ask(requestOf(asked)), admission.ask(requestOf(asked))];
          expect(once).to.deep.equal(fresh);
          expect(twice).to.deep.equal(fresh);
          if (admission.accept(asked.session, requestOf(asked)).kind === "accepted") held.push(asked);
        }
      }),
      howOften(800),
    );
  });

  it("says of every promise how much more it could be", () => {
    fc.assert(
      fc.property(sites, wishes, (site, cars) => {
        const group = { ...site, cars: cars.map((wish) => within(site, wish)) };
        const margins = slack(group);
        if (mostWithDeadlines(group) < needOf(group)) {
          expect(Math.min(...margins)).to.be.lessThan(0);
          return;
        }
        for (const [i, margin] of margins.entries()) {
          const more = (wh: number) => ({
            ...group,
            cars: group.cars.map((car, j) => (i === j ? { ...car, needWh: wattHour(car.needWh + wh) } : car)),
          });
          expect(mostWithDeadlines(more(margin))).to.equal(needOf(more(margin)));
          expect(mostWithDeadlines(more(margin + 1))).to.be.lessThan(needOf(more(margin + 1)));
        }
      }),
      howOften(200),
    );
  });

  it("proves refusals: a certified shortfall that is never more than the true one, and equal to it without first parts", () => {
    let proven = 0;
    fc.assert(
      fc.property(sites, wishes, fc.boolean(), (site, cars, withFirst) => {
        const all = cars
          .map((wish) => within(site, wish))
          .map(({ first, ...car }) => (withFirst && first ? { ...car, first } : car));
        const held: Car[] = [];
        for (const asked of all) {
          const answer = admit({ ...site, cars: held }, requestOf(asked));
          if (answer.kind === "accepted") {
            held.push(asked);
            continue;
          }
          const proof = refusalProof({ ...site, cars: held }, { ...requestOf(asked), session: asked.session, row: 1 });
          expect(violations(proof.problem, proof.plan)).to.deep.equal([]);
          const { scale, voll } = site.weights;
          const { cost, bound } = planValue(proof.problem, proof.plan);
          expect([cost, bound]).to.deep.equal([cost, BigInt(proof.shortfallWh) * BigInt(scale) * BigInt(voll)]);
          const given = answer.kind === "counter" ? answer.energyWh : 0;
          if (withFirst) expect(proof.shortfallWh).to.be.at.most(Math.max(answer.shortfallWh, asked.needWh - given));
          else expect(proof.shortfallWh).to.equal(answer.shortfallWh);
          if (proof.shortfallWh > 0) proven++;
        }
      }),
      howOften(300),
    );
    expect(proven).to.be.greaterThan(howOften(300).numRuns / 2);
  });
});

describe("admission, against every plan there is", function () {
  this.timeout(PATIENCE_MS);

  it("refuses nothing that any plan could serve, and accepts nothing that none can", () => {
    const tiny = fc.record({
      limits: fc.array(fc.nat(4), { minLength: 1, maxLength: 3 }),
      cars: fc.array(
        fc.record({
          stay: fc.tuple(fc.nat(2), fc.nat(2)),
          need: fc.nat(5),
          most: fc.nat(3),
          part: fc.nat(5),
          end: fc.nat(2),
          hasFirst: fc.boolean(),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    });
    const seen = { accepted: 0, short: 0 };
    fc.assert(
      fc.property(tiny, ({ limits, cars }) => {
        const m = limits.length;
        const all = cars.map(({ stay, need, most, part, end, hasFirst }, i) => {
          const [a, b] = stay.map((t) => t % m) as [number, number];
          const [from, to] = [Math.min(a, b), Math.max(a, b) + 1];
          const first = { first: { wh: wattHour(Math.min(part, need)), to: from + 1 + (end % (to - from)) } };
          return aCar({
            session: i + 1,
            needWh: wattHour(need),
            powerW: watt(4 * most),
            from,
            to,
            ...(hasFirst && first),
          });
        });
        const site = aProblem({ intervals: limits.map((wh) => anInterval({ limitWh: wattHour(wh) })) });
        const admission = openAdmission(site);
        const held: Car[] = [];
        for (const car of all) {
          const isAccepted = admission.accept(car.session, requestOf(car)).kind === "accepted";
          expect(isAccepted).to.equal(anyPlanServes({ ...site, cars: [...held, car] }));
          if (isAccepted) held.push(car);
          seen[isAccepted ? "accepted" : "short"]++;
        }
      }),
      howOften(1_500),
    );
    expect(Math.min(seen.accepted, seen.short)).to.be.greaterThan(howOften(1_500).numRuns / 5);
  });
});

const needOf = ({ cars }: GroupProblem) => cars.reduce((sum, { needWh }) => sum + needWh, 0);
const requestOf = ({ needWh, powerW, from, to, first }: Car): EnergyRequest => ({
  energyWh: needWh,
  powerW,
  from,
  to,
  ...(first && { first }),
});

/** The wish, moved into the site's horizon. */
function within({ intervals }: GroupProblem, { first, ...wish }: Car): Car {
  const m = intervals.length;
  const from = wish.from % m;
  const to = Math.min(m, from + wish.to - wish.from);
  const part = first && { first: { wh: first.wh, to: from + 1 + ((first.to - wish.from - 1) % (to - from)) } };
  return { ...wish, from, to, ...part };
}

/** The counter-offer by definition: most by the first deadline, then most by the end, then the earliest end for all. */
function mostOf(site: GroupProblem, held: readonly Car[], asked: Car) {
  const { first, ...car } = asked;
  const kept = needOf({ ...site, cars: [...held] });
  const served = (part: Partial<Car>) => mostWithDeadlines({ ...site, cars: [...held, { ...car, ...part }] }) - kept;
  const most = first ? served({ needWh: first.wh, to: first.to }) : 0;
  const part = first && { first: { wh: wattHour(most), to: first.to } };
  const energyWh = served({ ...part });
  let laterTo: number | null = null;
  for (let to = car.to + 1; to <= site.intervals.length && laterTo === null && energyWh < car.needWh; to++)
    if (served({ ...part, to }) === car.needWh) laterTo = to;
  return { energyWh, firstWh: first && most < first.wh ? most : undefined, laterTo };
}

/** Tries everything: x_it from 0 to its most, within each interval's capacity, to exactly the need and first part. */
function anyPlanServes({ cars, intervals }: GroupProblem): boolean {
  const free = intervals.map((interval) => capacityOf(interval).pv + capacityOf(interval).grid);
  const place = (i: number, t: number, left: number, early: number): boolean => {
    const car = cars[i];
    if (car === undefined) return true;
    if (car.first && t === car.first.to && early < car.first.wh) return false;
    if (t === car.to) return left === 0 && start(i + 1);
    const most = Math.min(left, free[t]!, Math.floor((car.powerW * intervals[t]!.durationS) / 3600));
    for (let wh = 0; wh <= most; wh++) {
      free[t]! -= wh;
      const isServed = place(i, t + 1, left - wh, early + wh);
      free[t]! += wh;
      if (isServed) return true;
    }
    return false;
  };
  const start = (i: number): boolean => cars[i] === undefined || place(i, cars[i]!.from, cars[i]!.needWh, 0);
  return start(0);
}
