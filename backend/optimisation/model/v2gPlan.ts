/** 5.3.2 solved: the program's energies in whole Wh that keep every limit, with a proven bound. */
import { leastCost } from "../leastCost.ts";
import type { GroupProblem } from "../problem.ts";
import { earlyInProgram, type GroupProgram, groupProgram } from "./groupProgram.ts";
import { type LinearProgramParameters, modelOf, optimumOf } from "./linearProgramPlan.ts";
import {
  dischargeableW,
  type ModelCar,
  type ModelOptions,
  type ModelProblem,
  mostWh,
  netWh,
  wantedMoreWh,
} from "./modelProblem.ts";
import { type LpSolution, MICRO_EUR_PER_KWH, type Solve, WH_PER_KWH } from "./program.ts";
import { importLimitWh } from "./supply.ts";
import { type V2gCertificate, type V2gPlan, type V2gRules, v2gViolations } from "./v2gChecker.ts";
import { v2gValue } from "./v2gValue.ts";

/** What solvers leave of a Wh. */
const NOISE_WH = 1e-3;

/**
 * Charges and discharges of a group in which some cars have batteries, with cost and bound as v2gChecker computes them
 * (a pure tie-break is not counted). The bound is proven by the solver's row duals alone; with binaries there are none.
 * When rounding breaks a rule nevertheless, the plan charges only, by the exact method.
 * Throws when the solver gives no optimum in time.
 */
export async function v2gPlan(
  problem: ModelProblem,
  parameters: LinearProgramParameters,
  solve: Solve,
): Promise<V2gPlan> {
  const { model: asked, options } = modelOf(problem, parameters);
  const model = { ...asked, weights: { ...asked.weights, early: earlyInProgram(asked) } };
  const program = groupProgram(model, { ...options, roundingMargin: true });
  const solution = await solve({ columns: program.columns, rows: program.rows });
  const values = optimumOf(solution);
  const certificate = await certificateOf(model, options, program, solution, solve);
  const planned = (energies: Energies): V2gPlan => {
    const plan: V2gPlan = { algorithm: "linear-program", ...energies, certificate, cost: 0n, bound: null };
    return { ...plan, ...v2gValue(model, plan, options) };
  };
  const plan = planned(inWholeWh(model, program, values));
  return v2gViolations(model, plan, options).length === 0 ? plan : planned(chargeOnly(model));
}

type Energies = Pick<V2gPlan, "chargeWh" | "dischargeWh">;

/**
 * The certificate, from the solution's duals or, where the program prices what the cost does not count (minimum energy first,
 * orders to consume, opportunity cost), from those of the program without it. Null with binaries, and when the second answer is late.
 */
async function certificateOf(
  model: ModelProblem,
  options: ModelOptions,
  program: GroupProgram,
  solution: LpSolution,
  solve: Solve,
): Promise<V2gCertificate | null> {
  const { waitingMicroEurPerHour = 0, ...judged } = options;
  const extras =
    waitingMicroEurPerHour > 0 ||
    model.cars.some(({ first }) => first) ||
    model.intervals.some(({ leastImportWh }) => leastImportWh !== undefined);
  const duals = (of: LpSolution) => (of.kind === "optimal" ? of.duals : undefined);
  if (!extras) return certificateFrom(model, program, duals(solution));
  const bare = {
    ...model,
    cars: model.cars.map(({ first: _, ...car }) => car),
    intervals: model.intervals.map(({ leastImportWh: _, ...interval }) => interval),
  };
  const bareProgram = groupProgram(bare, { ...judged, roundingMargin: true });
  const { columns, rows } = bareProgram;
  return certificateFrom(bare, bareProgram, duals(await solve({ columns, rows })));
}

/** The duals of C1.3 and C2.4, V1.2, V2.1 as whole numbers. Any numbers are sound; good ones bound tightly. */
function certificateFrom(
  { cars, intervals, weights }: ModelProblem,
  { rows }: GroupProgram,
  duals: readonly number[] | undefined,
): V2gCertificate | null {
  if (!duals) return null;
  const byName = new Map(rows.map(({ name }, r) => [name, duals[r]!]));
  const price = (name: string, factor: number) =>
    BigInt(Math.round((byName.get(name) ?? 0) * factor * MICRO_EUR_PER_KWH * weights.scale));
  return {
    w: intervals.map((_, t) => price(`V1.2 supply ${t}`, -1)),
    y: cars.map(({ session, battery }) =>
      battery ? price(`C2.4 target ${session}`, battery.efficiencyPerMille / 1000) : price(`C1.3 target ${session}`, 1),
    ),
    z: cars.map(({ session, battery, from, to }) =>
      battery ? Array.from({ length: to - from }, (_, k) => price(`V2.1 stored ${session} ${from + k}`, -1)) : [],
    ),
  };
}

/**
 * One car while its plan is rounded. Energies in 1 / (1000 e) Wh, in which a Wh charged is e^2 and a Wh discharged 10^6;
 * a car without a battery counts what it has charged.
 */
type Rounding = { readonly car: ModelCar; readonly e: number; stored: number; target: number };

/**
 * Interval after interval, each car follows the solver: a battery's stored energy is never below the solver's and above it
 * by less than one Wh discharged (charge rounded up, discharge down, what is too much carried on), other cars are
 * never above it. Where whole Wh do not fit in the group's limits, those furthest ahead of the solver wait.
 */
function inWholeWh(problem: ModelProblem, program: GroupProgram, values: readonly number[]): Energies {
  const { cars, intervals } = problem;
  const chargeWh = cars.map(({ from, to }) => new Array<number>(to - from).fill(0));
  const dischargeWh = cars.map(({ from, to }) => new Array<number>(to - from).fill(0));
  const states = cars.map((car): Rounding => {
    const e = car.battery?.efficiencyPerMille ?? 1000;
    const stored = (car.battery?.socWh ?? 0) * 1000 * e;
    return { car, e, stored, target: stored };
  });
  for (const [t, interval] of intervals.entries()) {
    const present = states.flatMap(({ car }, i) => (car.from <= t && t < car.to ? [{ i, k: t - car.from }] : []));
    let total = netWh(interval);
    for (const { i, k } of present) {
      const [c, d] = step(states[i]!, i, k, interval.durationS);
      chargeWh[i]![k] = c;
      dischargeWh[i]![k] = d;
      total += c - d;
    }
    const over = total - importLimitWh(interval);
    const { exported, curtailed } = program.supply[t]!;
    const exportable = exported === null ? 0 : (interval.exportLimitWh ?? Number.POSITIVE_INFINITY);
    const out = -total - exportable - (curtailed === null ? 0 : interval.productionWh);
    if (over > 0) spread(over, chargeWh, present, t, 1);
    if (out > 0) spread(out, dischargeWh, present, t, -1);
    for (const { i, k } of present) states[i]!.stored = storedAfter(states[i]!, chargeWh[i]![k]!, dischargeWh[i]![k]!);
  }
  return { chargeWh, dischargeWh };

  /** The whole Wh of this interval that bring the car to where the solver has it at its end. */
  function step(state: Rounding, i: number, k: number, durationS: number): [charge: number, discharge: number] {
    const { car, e } = state;
    const most = mostWh(car.powerW, durationS);
    if (!car.battery) {
      state.target += values[program.charge[i]![k]!]! * WH_PER_KWH * 1_000_000;
      return [clamp(Math.floor((state.target - state.stored) / 1_000_000 + NOISE_WH), most), 0];
    }
    const { socWh, minWh } = car.battery;
    const least = k === car.to - car.from - 1 ? socWh : Math.min(socWh, minWh);
    const solvedWh = values[program.stored[i]![k]!]! * WH_PER_KWH - NOISE_WH;
    state.target = Math.max(Math.ceil(solvedWh * 1000 * e), least * 1000 * e);
    const charge = clamp(Math.ceil((state.target - state.stored) / e ** 2), most);
    const discharge = Math.floor((state.stored - state.target) / 1_000_000);
    return [charge, clamp(discharge, mostWh(dischargeableW(car), durationS))];
  }

  /** Takes `wh` off the plans of an interval, one Wh a car at first: who leaves last, who is furthest ahead (`sign` 1) first. */
  function spread(
    wh: number,
    plans: number[][],
    present: readonly { i: number; k: number }[],
    t: number,
    sign: 1 | -1,
  ) {
    const leaves = (i: number) => Number(!!cars[i]!.battery && cars[i]!.to === t + 1);
    const ahead = ({ i, k }: { i: number; k: number }) => {
      const state = states[i]!;
      return (storedAfter(state, chargeWh[i]![k]!, dischargeWh[i]![k]!) - state.target) / state.e ** 2;
    };
    const order = present
      .map((one) => ({ ...one, leaves: leaves(one.i), ahead: ahead(one) }))
      .sort((a, b) => a.leaves - b.leaves || sign * (b.ahead - a.ahead));
    let left = wh;
    for (const most of [1, Number.POSITIVE_INFINITY]) {
      for (const { i, k } of order) {
        const taken = Math.min(most, left, plans[i]![k]!);
        plans[i]![k]! -= taken;
        left -= taken;
      }
    }
  }
}

const storedAfter = ({ stored, e }: Rounding, charge: number, discharge: number) =>
  stored + e ** 2 * charge - 1_000_000 * discharge;

const clamp = (value: number, most: number) => Math.min(Math.max(0, value), most);

/** The exact plan of the same group when no battery is discharged, judged like a V2G plan (a pure tie-break is not counted). */
export function chargeOnlyPlan(problem: ModelProblem, rules: V2gRules = {}): V2gPlan {
  const model = { ...problem, weights: { ...problem.weights, early: earlyInProgram(problem) } };
  const plan: V2gPlan = { algorithm: "linear-program", ...chargeOnly(model), certificate: null, cost: 0n, bound: null };
  return { ...plan, ...v2gValue(model, plan, rules) };
}

function chargeOnly(model: ModelProblem): Energies {
  const chargeWh = leastCost(withoutBatteries(model)).energyWh;
  return { chargeWh, dischargeWh: chargeWh.map((stay) => stay.map(() => 0)) };
}

/** The problem as the certificate knows it: batteries charge, as far as they have room; the limit includes flexibility. */
export function withoutBatteries(model: ModelProblem): GroupProblem {
  const cars = model.cars.map(({ battery, previousSlots: _, ...car }) => {
    if (!battery) return car;
    const wanted = wantedMoreWh({ ...car, battery });
    const room = Math.floor((Math.max(0, battery.maxWh - battery.socWh) * 1000) / battery.efficiencyPerMille);
    const needWh = Math.min(car.needWh, room);
    return { ...car, needWh, moreWh: Math.min(wanted, room - needWh) } as typeof car;
  });
  const intervals = model.intervals.map(({ flexibilityWh = 0, exportLimitWh: _, leastImportWh: __, ...interval }) => ({
    ...interval,
    limitWh: Math.max(0, interval.limitWh + flexibilityWh) as typeof interval.limitWh,
  }));
  return { ...model, cars, intervals };
}
