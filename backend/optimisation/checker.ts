/**
 * The independent judge of plans: is it feasible, what does it cost, and what does its certificate prove?
 * Shares no code with the optimisers; the formulas are those of the on-chain checker (README.md, "Certificate").
 */
import type { GroupProblem, Plan } from "./problem.ts";

/** One rule broken. `bySession` is null for rules about a whole interval; `excess` is in the rule's unit. */
export type Violation = {
  readonly rule:
    | "shape" // arrays do not match the cars and their stays
    | "whole" // energy is not a whole, non-negative number of Wh
    | "car-power" // more Wh in an interval than the car's power allows
    | "car-energy" // more Wh than needed and wanted
    | "group-limit" // more Wh in an interval than PV surplus and import limit give
    | "minimum-power"; // too little to run at minimum power for `MIN_BURST_S`
  readonly session: number | null;
  readonly interval: number | null;
  readonly excess: number;
};

/** Charging for less than this is not worth switching a contactor. */
export const MIN_BURST_S = 30;

/**
 * Every rule that the plan breaks; an empty list means feasible. With `minimumPower: true` (plans that go to stations)
 * each energy must also be deliverable at 0 or at least the minimum power by switching inside its interval.
 */
export function violations(problem: GroupProblem, plan: Plan, options = { minimumPower: false }): Violation[] {
  const found: Violation[] = [];
  const { cars, intervals } = problem;
  const report = (rule: Violation["rule"], session: number | null, interval: number | null, excess: number) =>
    found.push({ rule, session, interval, excess });

  if (plan.energyWh.length !== cars.length) {
    report("shape", null, null, plan.energyWh.length - cars.length);
    return found;
  }
  const load = new Array<number>(intervals.length).fill(0);
  for (const [i, car] of cars.entries()) {
    const stay = plan.energyWh[i] ?? [];
    if (stay.length !== car.to - car.from || car.from < 0 || car.to > intervals.length) {
      report("shape", car.session, null, stay.length - (car.to - car.from));
      continue;
    }
    let served = 0;
    for (let k = 0; k < stay.length; k++) {
      const t = car.from + k;
      const wh = stay[k] ?? Number.NaN;
      const interval = intervals[t];
      if (!Number.isSafeInteger(wh) || wh < 0 || interval === undefined) {
        report("whole", car.session, t, wh);
        continue;
      }
      served += wh;
      load[t] = (load[t] ?? 0) + wh;
      const most = Math.floor((car.powerW * interval.durationS) / 3600);
      if (wh > most) report("car-power", car.session, t, wh - most);
      if (options.minimumPower && wh > 0) {
        const least = (car.minPowerW * Math.min(MIN_BURST_S, interval.durationS)) / 3600;
        if (wh < Math.floor(least)) report("minimum-power", car.session, t, Math.floor(least) - wh);
      }
    }
    if (served > car.needWh + car.moreWh) report("car-energy", car.session, null, served - car.needWh - car.moreWh);
  }
  for (const [t, interval] of intervals.entries()) {
    const net = interval.demandWh + interval.fixedWh - interval.productionWh;
    const available = net < 0 ? interval.limitWh - net : Math.max(interval.limitWh - net, 0);
    const excess = (load[t] ?? 0) - available;
    if (excess > 0) report("group-limit", null, t, excess);
  }
  return found;
}

/** Cost of the plan and lower bound of every plan's cost, in nano-euro x scale; `bound` is null without certificate. */
export function planValue(problem: GroupProblem, plan: Plan): { readonly cost: bigint; readonly bound: bigint | null } {
  const { cars, intervals, weights } = problem;
  const scale = BigInt(weights.scale);
  const v1 = scale * BigInt(weights.voll);
  const v2 = scale * BigInt(weights.extra);

  const load = new Array<bigint>(intervals.length).fill(0n);
  let cost = 0n;
  for (const [i, car] of cars.entries()) {
    const need = BigInt(car.needWh);
    const more = BigInt(car.moreWh);
    let served = 0n;
    for (const [k, wh] of plan.energyWh[i]!.entries()) {
      if (wh === 0) continue;
      served += BigInt(wh);
      load[car.from + k]! += BigInt(wh);
    }
    const s1 = positive(need - served);
    const s2 = need + more - served - s1;
    cost += v1 * s1 + v2 * s2;
  }
  const slots = intervalsInBigint(problem);
  for (const [t, { pv, f, p }] of slots.entries()) {
    cost += load[t]! < pv ? f * load[t]! : f * pv + p * (load[t]! - pv);
  }

  if (plan.certificate === null) return { cost, bound: null };
  const { y, w } = plan.certificate;
  let bound = 0n;
  for (const [i, car] of cars.entries()) {
    const yi = y[i]!;
    bound += BigInt(car.needWh) * lower(yi, v1) + BigInt(car.moreWh) * lower(yi, v2);
    for (let t = car.from; t < car.to; t++) {
      const gain = yi - w[t]!;
      if (gain > 0n) bound -= BigInt(Math.floor((car.powerW * intervals[t]!.durationS) / 3600)) * gain;
    }
  }
  for (const [t, { pv, grid, f, p }] of slots.entries()) {
    bound -= pv * positive(w[t]! - f) + grid * positive(w[t]! - p);
  }
  return { cost, bound };
}

/** e_t = whole minutes from `at` to the interval; f and p as in README.md, "Objective". */
function intervalsInBigint({ intervals, weights }: GroupProblem) {
  let elapsedS = 0;
  return intervals.map(({ durationS, limitWh, demandWh, productionWh, fixedWh, feedIn, price }) => {
    const net = BigInt(demandWh) + BigInt(fixedWh) - BigInt(productionWh);
    const early = BigInt(weights.early) * BigInt(Math.floor(elapsedS / 60));
    elapsedS += durationS;
    const pv = positive(-net);
    const grid = positive(BigInt(limitWh) - positive(net));
    const upper = pv > 0n && feedIn > price ? feedIn : price;
    const f = BigInt(weights.scale) * BigInt(pv > 0n ? feedIn : price) + early;
    const p = BigInt(weights.scale) * BigInt(upper) + early;
    return { pv, grid, f, p };
  });
}

const positive = (a: bigint) => (a > 0n ? a : 0n);
const lower = (a: bigint, b: bigint) => (a < b ? a : b);
