/** What a V2G plan costs, and what its certificate proves: the judge's second half, in whole numbers (see v2gChecker.ts). */
import type { ModelCar, ModelProblem } from "./modelProblem.ts";
import {
  batteryOf,
  netOf,
  type SupplyPoint,
  supplyOf,
  type V2gCertificate,
  type V2gPlan,
  type V2gRules,
} from "./v2gChecker.ts";

/** Cost of the plan and lower bound of every plan's cost, nano-euro x scale; `bound` is null without certificate. */
export function v2gValue(problem: ModelProblem, plan: V2gPlan, rules: V2gRules = {}) {
  return { cost: costOf(problem, plan, rules), bound: plan.certificate && boundOf(problem, plan.certificate, rules) };
}

function costOf(problem: ModelProblem, plan: V2gPlan, rules: V2gRules): bigint {
  const { cars, intervals, weights } = problem;
  const scale = BigInt(weights.scale);
  const early = earlyOf(problem);
  const wearOf = wearsOf(problem, rules);
  const load = intervals.map(() => 0);
  let cost = 0n;
  for (const [i, car] of cars.entries()) {
    const battery = batteryOf(car);
    let stored = battery.soc;
    for (const [k, c] of plan.chargeWh[i]!.entries()) {
      const t = car.from + k;
      const d = plan.dischargeWh[i]![k]!;
      load[t]! += c - d;
      stored += battery.perCharged * c - battery.perDischarged * d;
      cost += early[t]! * BigInt(c);
      if (d > 0) cost += scale * BigInt(wearOf(car, t) * d);
    }
    // Missing Wh as charged at the EVSE, in e^2-ths.
    const missing = BigInt(Math.max(0, battery.target - stored));
    const perWh = BigInt(battery.perCharged);
    const bestEffort = smaller(missing, perWh * BigInt(battery.moreWh));
    const v = BigInt(weights.voll) * (missing - bestEffort) + BigInt(weights.extra) * bestEffort;
    cost += -floorDivide(-scale * v, perWh);
  }
  for (const [t, interval] of intervals.entries()) {
    const supply = supplyOf(problem, t, rules);
    const net = netOf(interval);
    cost += scale * BigInt(billOf(supply, net + load[t]!) - billOf(supply, net));
  }
  return cost;
}

/**
 * Relaxing V1.2 with w, V2.1 with z and the target with y leaves one minimum over each box: a lower bound for any whole
 * w, y, z. What is not in it (minimum energy first, orders to consume, opportunity cost) makes plans dearer, never cheaper.
 */
function boundOf(problem: ModelProblem, { w, y, z }: V2gCertificate, rules: V2gRules): bigint {
  const { cars, intervals, weights } = problem;
  const scale = BigInt(weights.scale);
  const early = earlyOf(problem);
  const wearOf = wearsOf(problem, rules);
  let bound = 0n;
  for (const [t, interval] of intervals.entries()) {
    const supply = supplyOf(problem, t, rules);
    const net = netOf(interval);
    bound += w[t]! * BigInt(net) - scale * BigInt(billOf(supply, net));
    bound -= BigInt(supply.importMost) * positive(w[t]! - scale * BigInt(supply.price));
    bound -= BigInt(supply.exportMost) * positive(scale * BigInt(supply.feedIn) - w[t]!);
    bound -= BigInt(supply.curtailMost) * positive(-scale * BigInt(supply.curtail) - w[t]!);
  }
  for (const [i, car] of cars.entries()) {
    const battery = batteryOf(car);
    const yi = y[i]!;
    const [v1, v2] = [scale * BigInt(weights.voll), scale * BigInt(weights.extra)];
    bound += BigInt(car.needWh) * smaller(yi, v1) + BigInt(battery.moreWh) * smaller(yi, v2);
    const stay = car.to - car.from;
    if (!car.battery) {
      for (let t = car.from; t < car.to; t++) {
        const most = Math.floor((car.powerW * intervals[t]!.durationS) / 3600);
        bound -= BigInt(most) * positive(yi - w[t]! - early[t]!);
      }
      continue;
    }
    if (stay === 0) continue;
    // All terms of a battery times 1000 e; floored once.
    const unit = BigInt(battery.perStored);
    const [charged, discharged] = [BigInt(battery.perCharged), BigInt(battery.perDischarged)];
    const soc = BigInt(car.battery.socWh);
    const [low, high] = [BigInt(battery.lowest / battery.perStored), BigInt(battery.highest / battery.perStored)];
    let sum = discharged * yi * soc - unit * z[i]![0]! * soc;
    for (let k = 0; k < stay; k++) {
      const t = car.from + k;
      const zk = z[i]![k]!;
      const mostIn = Math.floor((car.powerW * intervals[t]!.durationS) / 3600);
      const mostOut = Math.floor((battery.dischargeW * intervals[t]!.durationS) / 3600);
      const wear = scale * BigInt(wearOf(car, t));
      sum -= BigInt(mostIn) * positive(charged * zk - unit * (w[t]! + early[t]!));
      sum -= BigInt(mostOut) * positive(unit * (w[t]! - wear) - discharged * zk);
      const held = k < stay - 1 ? unit * (zk - z[i]![k + 1]!) : unit * zk - discharged * yi;
      sum += held > 0n ? low * held : high * held;
    }
    // A target met with up to one Wh of discharging more.
    if (yi < 0n) sum += floorDivide(yi * discharged * 1000n, BigInt(car.battery.efficiencyPerMille));
    bound += floorDivide(sum, unit);
  }
  return bound;
}

/** The least that `total` Wh at the supply point (negative: out) can cost, in nano-euro: curtailing is tried where it may bend the bill. */
function billOf(supply: SupplyPoint, total: number): number {
  const { price, feedIn, curtail, importMost, exportMost, curtailMost, byChoice } = supply;
  const forced = Math.max(0, -total - exportMost);
  const tries = byChoice ? [forced, Math.max(0, -total), importMost - total, curtailMost] : [forced];
  const bills = tries
    .map((less) => Math.min(Math.max(less, forced), Math.max(forced, curtailMost)))
    .filter((less) => total + less <= importMost || less === forced)
    .map((less) => price * Math.max(0, total + less) - feedIn * Math.max(0, -total - less) + curtail * less);
  return Math.min(...bills);
}

/** Price of wear by interval, raised where charging and discharging at once would pay. micro-euro per kWh */
function wearsOf(problem: ModelProblem, rules: V2gRules): (car: ModelCar, t: number) => number {
  const worst = problem.intervals.map((_, t) => {
    const { price, feedIn } = supplyOf(problem, t, rules);
    return Math.min(price, feedIn, 0);
  });
  const worstOfAll = worst.reduce((least, one) => Math.min(least, one), 0);
  return ({ battery }, t) => {
    if (!battery) return 0;
    const { exportLimitWh, price, feedIn } = problem.intervals[t]!;
    const shut = exportLimitWh !== undefined || (rules.curtailPv === true && price < feedIn && feedIn <= 0);
    const p = shut ? worstOfAll : worst[t]!;
    const e2 = battery.efficiencyPerMille * battery.efficiencyPerMille;
    return p === 0 ? battery.wear : Math.max(battery.wear, 1 + Math.floor((-p * (1_000_000 - e2)) / e2));
  };
}

/** Early weight x whole minutes, by interval. */
function earlyOf({ intervals, weights }: ModelProblem): bigint[] {
  let elapsedS = 0;
  return intervals.map(({ durationS }) => {
    const minutes = Math.floor(elapsedS / 60);
    elapsedS += durationS;
    return BigInt(weights.early) * BigInt(minutes);
  });
}

const positive = (a: bigint) => (a > 0n ? a : 0n);
const smaller = (a: bigint, b: bigint) => (a < b ? a : b);
const floorDivide = (a: bigint, b: bigint) => (a >= 0n || a % b === 0n ? a / b : a / b - 1n);
