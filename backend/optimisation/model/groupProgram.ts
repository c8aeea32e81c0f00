/**
 * The models of USER-CHI D4.2, section 5.3, put together from their constraints, each of which is written once:
 * 5.3.1 cost, 5.3.2 V2G, 5.3.3 flexibility orders, 5.3.4 opportunity cost. Symbols: ../README.md.
 */
import { c21Discharge, c22Stored, c24First, c24Target, v21StateOfCharge } from "./batteries.ts";
import { c12CarPower, c13First, c13Shortfall, c13Target, o4Waiting } from "./charging.ts";
import type { ModelOptions, ModelProblem } from "./modelProblem.ts";
import type { Draft, LinearProgram } from "./program.ts";
import { c14SupplyLimit, c32LeastImport, type Supply, v12Supply } from "./supply.ts";

/** The program of the problem, and where to find its decisions in a solution. */
export type GroupProgram = LinearProgram & {
  /** Columns by car and interval of its stay; `discharge` and `stored` are empty for cars without a battery. */
  readonly charge: readonly (readonly number[])[];
  readonly discharge: readonly (readonly number[])[];
  readonly stored: readonly (readonly number[])[];
  readonly supply: readonly Supply[];
};

export function groupProgram(problem: ModelProblem, options: ModelOptions = {}): GroupProgram {
  const draft: Draft = { columns: [], rows: [] };
  const charge = c12CarPower(draft, problem, earlyInProgram(problem));
  const discharge = c21Discharge(draft, problem, options);
  const stored = c22Stored(draft, problem, options);
  const supply = c14SupplyLimit(draft, problem, options);
  const shortfall = c13Shortfall(draft, problem);
  c13Target(draft, problem, charge, shortfall);
  v12Supply(draft, problem, charge, discharge, supply);
  v21StateOfCharge(draft, problem, charge, discharge, stored);
  c24Target(draft, problem, stored, shortfall);
  c13First(draft, problem, charge);
  c24First(draft, problem, stored);
  c32LeastImport(draft, problem, supply);
  o4Waiting(draft, problem, charge, shortfall, options);
  return { ...draft, charge, discharge, stored, supply };
}

/** 5.3.1 (and what the problem holds beyond it) as plain data. Columns: the charge of every car and interval of its stay first. */
export function linearProgram(problem: ModelProblem, options: ModelOptions = {}): LinearProgram {
  const { columns, rows } = groupProgram(problem, options);
  return { columns, rows };
}

/** A pure tie-break (below one price unit over the whole horizon) is beyond a solver's tolerance and left out. */
export function earlyInProgram({ intervals, weights }: ModelProblem): number {
  const minutes = Math.floor(intervals.reduce((sum, { durationS }) => sum + durationS, 0) / 60);
  return weights.early * minutes < weights.scale ? 0 : weights.early;
}
