/**
 * npm run bench -- repair [--json] [--cars 20,80] : what comes after the exact plan. Least power (6 A): crumbs, median ms,
 * how far the plan is above the certified bound, and Wh left unserved; fair share at half the limit: median ms and
 * the smallest share before and after; steady, without promises: median ms and set-point changes per car before and after. "day":
 * arrivals spread over the day; "now": all plugged in. Wrong is a violation, an unserved Wh, or a gap above 0.2 %
 * from 320 cars on (1 % below).
 */
import { parseArgs } from "node:util";
import { wattHour } from "../../backend/domain/units.ts";
import { planValue, violations } from "../../backend/optimisation/checker.ts";
import { fairShare } from "../../backend/optimisation/fairShare.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { leastPower } from "../../backend/optimisation/leastPower.ts";
import type { GroupProblem, Plan } from "../../backend/optimisation/problem.ts";
import { canSteady, setPointChanges, steady } from "../../backend/optimisation/steady.ts";
import { realisticProblem } from "../../test/support/problems.ts";

const CAR_COUNTS = [5, 20, 80, 320, 1_000, 3_000];
const RUNS = 7;
const MOST_ABOVE = (cars: number) => (cars >= 320 ? 0.002 : 0.01);

type Line = {
  readonly plugged: "day" | "now";
  readonly cars: number;
  readonly leastPower: {
    readonly crumbs: number;
    readonly ms: number;
    readonly abovePercent: number;
    readonly unservedWh: number;
    readonly violations: number;
  };
  readonly fairShare: { readonly ms: number; readonly smallestBefore: number; readonly smallestAfter: number };
  readonly steady: { readonly ms: number; readonly changesBefore: number; readonly changesAfter: number } | null;
};

export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: "boolean", default: false }, cars: { type: "string" } },
  });
  const counts = values.cars ? values.cars.split(",").map(Number) : CAR_COUNTS;
  const lines = (["day", "now"] as const).flatMap((plugged) => counts.map((cars) => line(plugged, cars)));
  const ok = lines.every(
    ({ cars, leastPower: { abovePercent, unservedWh, violations } }) =>
      violations === 0 && unservedWh === 0 && abovePercent <= 100 * MOST_ABOVE(cars),
  );
  if (values.json) console.log(JSON.stringify({ benchmark: "repair", node: process.version, ok, lines }, null, 2));
  else {
    console.log(
      `After the exact plan, 96 intervals; median ms of ${RUNS} runs in one process, Node ${process.version}.`,
    );
    console.log(
      "       cars  crumbs      ms  above %  unserved |  fair ms  smallest share |  steady ms  changes per car",
    );
    for (const one of lines) console.log(text(one));
  }
  return ok;
}

function line(plugged: "day" | "now", cars: number): Line {
  const problem = realisticProblem(cars, 1, { plugged });
  const exact = leastCost(problem);
  const repair = median(() => leastPower(problem, exact));
  const { plan, repairedIntervals } = repair.last;
  const { cost, bound } = planValue(problem, plan);

  const scarce = halved(problem);
  const short = leastCost(scarce);
  const fair = median(() => fairShare(scarce, short));
  const guests = withoutPromises(problem);
  const free = leastCost(guests);
  const calm = canSteady(guests) ? median(() => steady(guests, free)) : null;
  return {
    plugged,
    cars,
    leastPower: {
      crumbs: repairedIntervals,
      ms: repair.ms,
      abovePercent: (100 * Number(cost - bound!)) / Number(bound),
      unservedWh: servedWh(exact) - servedWh(plan),
      violations: violations(problem, plan, { minimumPower: true }).length,
    },
    fairShare: { ms: fair.ms, smallestBefore: smallest(scarce, short), smallestAfter: smallest(scarce, fair.last) },
    steady: calm && {
      ms: calm.ms,
      changesBefore: setPointChanges(guests, free) / cars,
      changesAfter: setPointChanges(guests, calm.last) / cars,
    },
  };
}

const halved = (problem: GroupProblem): GroupProblem => ({
  ...problem,
  intervals: problem.intervals.map((one) => ({ ...one, limitWh: wattHour(Math.floor(one.limitWh / 2)) })),
});
/** Only cars without promises are made steady. */
const withoutPromises = (problem: GroupProblem): GroupProblem => ({
  ...problem,
  cars: problem.cars.map((car) => ({ ...car, needWh: wattHour(0), moreWh: wattHour(car.needWh + car.moreWh) })),
});
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const servedWh = (plan: Plan) => sum(plan.energyWh.map(sum));
/** Smallest share that a car gets of its promise. */
const smallest = ({ cars }: GroupProblem, { energyWh }: Plan) =>
  Math.min(...cars.map(({ needWh }, i) => (needWh > 0 ? Math.min(1, sum(energyWh[i]!) / needWh) : 1)));

function median<T>(work: () => T): { readonly ms: number; readonly last: T } {
  let last = work();
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    last = work();
    return performance.now() - start;
  });
  return { ms: times.sort((a, b) => a - b)[Math.floor(RUNS / 2)]!, last };
}

function text({ plugged, cars, leastPower: own, fairShare: fair, steady: calm }: Line): string {
  return [
    plugged.padEnd(3),
    String(cars).padStart(6),
    String(own.crumbs).padStart(6),
    own.ms.toFixed(2).padStart(6),
    own.abovePercent.toFixed(5).padStart(7),
    String(own.unservedWh).padStart(8),
    "|",
    fair.ms.toFixed(2).padStart(6),
    `${fair.smallestBefore.toFixed(3)} -> ${fair.smallestAfter.toFixed(3)}`,
    "|",
    calm ? calm.ms.toFixed(2).padStart(9) : "        -",
    calm ? `${calm.changesBefore.toFixed(2)} -> ${calm.changesAfter.toFixed(2)}` : "too large",
  ].join("  ");
}
