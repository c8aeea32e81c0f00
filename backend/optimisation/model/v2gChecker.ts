/**
 * The independent judge of V2G plans: is it feasible? (v2gValue.ts: what does it cost, what is proven?) Shares no code with
 * the model, only its data types; whole numbers throughout. Stored energy is counted in 1 / (1000 x efficiency) Wh,
 * in which a Wh charged is e^2 and a Wh discharged is 10^6, e being the efficiency per mille: no rounding anywhere.
 * Formulas: ../README.md, "V2G".
 */
import type { ModelCar, ModelInterval, ModelProblem } from "./modelProblem.ts";

/** Row duals, in micro-euro per kWh x scale. */
export type V2gCertificate = {
  /** Price of a Wh at the supply point, by interval. */
  readonly w: readonly bigint[];
  /** Worth of one more Wh charged, by car. */
  readonly y: readonly bigint[];
  /** Worth of one more Wh stored, by car and interval of its stay; empty for cars without a battery. */
  readonly z: readonly (readonly bigint[])[];
};

export type V2gPlan = {
  readonly algorithm: "linear-program";
  /** Wh by car and interval of its stay, measured at the EVSE. */
  readonly chargeWh: readonly (readonly number[])[];
  readonly dischargeWh: readonly (readonly number[])[];
  readonly certificate: V2gCertificate | null;
  /** The supply point's bill with the plan less the bill without any car, wear, waiting and shortfall. Nano-euro x scale. */
  readonly cost: bigint;
  readonly bound: bigint | null;
};

/** What changes the judgement: may PV be curtailed by choice, are prices exact or read convexly. */
export type V2gRules = { readonly curtailPv?: boolean; readonly directionBinaries?: boolean };

export type V2gViolation = {
  readonly rule:
    | "shape"
    | "whole"
    | "car-power"
    | "discharge-power"
    | "both-ways" // charging and discharging in one interval
    | "minimum" // discharged below the minimum state of charge
    | "maximum" // fuller than the battery's maximum
    | "car-energy" // more than was asked for, by a Wh or more
    | "drained" // leaves with less than it came with
    | "import-limit"
    | "export-limit";
  readonly session: number | null;
  readonly interval: number | null;
  /** In Wh, rounded up. */
  readonly excess: number;
};

/** Every rule that the plan breaks; an empty list means feasible. */
export function v2gViolations(problem: ModelProblem, plan: V2gPlan, rules: V2gRules = {}): V2gViolation[] {
  const found: V2gViolation[] = [];
  const report = (rule: V2gViolation["rule"], session: number | null, interval: number | null, excess: number) =>
    found.push({ rule, session, interval, excess: Math.ceil(excess) });
  const { cars, intervals } = problem;
  const load = intervals.map(() => 0);
  for (const [i, car] of cars.entries()) {
    const [charge, discharge] = [plan.chargeWh[i] ?? [], plan.dischargeWh[i] ?? []];
    const stay = car.to - car.from;
    if (charge.length !== stay || discharge.length !== stay) {
      report("shape", car.session, null, Math.abs(charge.length - stay) + Math.abs(discharge.length - stay));
      continue;
    }
    const battery = batteryOf(car);
    let stored = battery.soc;
    let charged = 0;
    for (let k = 0; k < stay; k++) {
      const t = car.from + k;
      const [c, d] = [charge[k]!, discharge[k]!];
      if (!Number.isSafeInteger(c) || !Number.isSafeInteger(d) || c < 0 || d < 0) {
        report("whole", car.session, t, Number.isFinite(c + d) ? Math.abs(c) + Math.abs(d) : 0);
        continue;
      }
      const { durationS } = intervals[t]!;
      const mostIn = Math.floor((car.powerW * durationS) / 3600);
      const mostOut = Math.floor((battery.dischargeW * durationS) / 3600);
      if (c > mostIn) report("car-power", car.session, t, c - mostIn);
      if (d > mostOut) report("discharge-power", car.session, t, d - mostOut);
      if (c > 0 && d > 0) report("both-ways", car.session, t, Math.min(c, d));
      charged += c;
      stored += battery.perCharged * c - battery.perDischarged * d;
      load[t]! += c - d;
      if (stored < battery.lowest) report("minimum", car.session, t, (battery.lowest - stored) / battery.perStored);
      if (stored > battery.highest) report("maximum", car.session, t, (stored - battery.highest) / battery.perStored);
    }
    if (!car.battery && charged > car.needWh + car.moreWh)
      report("car-energy", car.session, null, charged - car.needWh - car.moreWh);
    if (car.battery) {
      // Whole Wh cannot meet a target behind losses exactly: up to one Wh of discharging more is meeting it.
      const over = stored - battery.target - battery.perDischarged;
      if (over > 0) report("car-energy", car.session, null, over / battery.perStored);
      if (stored < battery.soc) report("drained", car.session, null, (battery.soc - stored) / battery.perStored);
    }
  }
  for (const [t, interval] of intervals.entries()) {
    const supply = supplyOf(problem, t, rules);
    const total = netOf(interval) + load[t]!;
    if (total > supply.importMost) report("import-limit", null, t, total - supply.importMost);
    const out = -total - supply.curtailMost - supply.exportMost;
    if (out > 0) report("export-limit", null, t, out);
  }
  return found;
}

/** A car's battery in 1 / (1000 e) Wh; without a battery a lossless one that takes what is asked for. */
export function batteryOf(car: ModelCar) {
  const { battery, needWh } = car;
  if (!battery) {
    const wanted = needWh + car.moreWh;
    const exact = { perStored: 1, perCharged: 1, perDischarged: 1, dischargeW: 0, moreWh: car.moreWh as number };
    return { ...exact, soc: 0, lowest: 0, highest: Number.POSITIVE_INFINITY, target: wanted };
  }
  const { socWh, minWh, maxWh, efficiencyPerMille: e } = battery;
  const perStored = 1000 * e;
  const below = socWh < minWh;
  const toMinimum = below ? Math.ceil(((minWh - socWh) * 1000) / e) : 0;
  const moreWh = Math.max(car.moreWh, toMinimum - needWh);
  return {
    perStored,
    perCharged: e * e,
    perDischarged: 1_000_000,
    dischargeW: below ? 0 : battery.dischargeW,
    moreWh,
    soc: socWh * perStored,
    lowest: Math.min(socWh, minWh) * perStored,
    // A battery that arrives full gives and takes whole Wh: one of discharging more is still full.
    highest: Math.max(socWh + Math.ceil(1000 / e), maxWh) * perStored,
    target: socWh * perStored + e * e * (needWh + moreWh),
  };
}

export const netOf = ({ demandWh, fixedWh, productionWh }: ModelInterval) => demandWh + fixedWh - productionWh;

export type SupplyPoint = ReturnType<typeof supplyOf>;

/** Limits and prices of the supply point in an interval. */
export function supplyOf({ cars, intervals }: ModelProblem, t: number, { curtailPv, directionBinaries }: V2gRules) {
  const interval = intervals[t]!;
  const net = netOf(interval);
  const surplus = Math.max(0, -net);
  let { price, feedIn }: { price: number; feedIn: number } = interval;
  const curtail = curtailPv ? 0 : Math.max(0, -feedIn);
  let exportMost = interval.exportLimitWh ?? Number.MAX_SAFE_INTEGER;
  if (feedIn > price) {
    if (curtailPv && feedIn <= 0) exportMost = 0;
    else if (directionBinaries) {
      // exact
    } else if (net < 0) price = feedIn;
    else feedIn = price;
  }
  let mostOut = surplus;
  for (const car of cars) {
    if (car.battery && car.from <= t && t < car.to)
      mostOut += Math.floor((car.battery.dischargeW * interval.durationS) / 3600);
  }
  exportMost = Math.min(exportMost, mostOut);
  const mayCurtail = curtailPv || exportMost < surplus;
  return {
    price,
    feedIn,
    curtail,
    byChoice: curtailPv === true,
    importMost: Math.max(interval.limitWh + (interval.flexibilityWh ?? 0), net, 0),
    exportMost,
    curtailMost: mayCurtail ? interval.productionWh : 0,
  };
}
