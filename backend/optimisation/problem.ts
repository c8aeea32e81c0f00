/**
 * GroupProblem: everything that one run of one charging group is allowed to know, in the integers that the
 * certificate commits to. Plan: what the run decided. Symbols and formulas are in optimisation/README.md.
 */
import type { MethodName } from "../domain/algorithms.ts";
import type { EpochSecond, MicroEurPerKwh, Second, Watt, WattHour } from "../domain/units.ts";

/** A stretch of the horizon in which every limit is constant; limits scale with its duration. */
export type Interval = {
  readonly durationS: Second;
  /** Most energy that the group may import. */
  readonly limitWh: WattHour;
  /** Forecast of the other load behind the limit. */
  readonly demandWh: WattHour;
  /** Forecast of PV production. */
  readonly productionWh: WattHour;
  /** Energy set aside for sessions that did not opt in. */
  readonly fixedWh: WattHour;
  /** Worth of a kWh of PV surplus fed into the grid. */
  readonly feedIn: MicroEurPerKwh;
  readonly price: MicroEurPerKwh;
};

/** One car's claim on the horizon. Intervals are the half-open range [from, to). */
export type Car = {
  /** The session's number on chain (u32); cars are in ascending order of it. */
  readonly session: number;
  /** The EVSE's row in the group on chain. */
  readonly row: number;
  /** Energy still owed by a promise; served before any `moreWh` of any car. */
  readonly needWh: WattHour;
  /** Best-effort energy wanted beyond the promise (or all of it, when there is none). */
  readonly moreWh: WattHour;
  /** Most power that EVSE and car allow. */
  readonly powerW: Watt;
  /** Least power other than 0 (6 A per phase in use); never above `powerW`. Not part of the certificate. */
  readonly minPowerW: Watt;
  readonly from: number;
  readonly to: number;
  /** Minimum energy first: this much by the start of interval `to`, as a second, earlier deadline. Not part of the certificate. */
  readonly first?: { readonly wh: WattHour; readonly to: number };
};

/** The parameters of an algorithm version; registered with it, so that an auditor can hold a run against them. */
export type Weights = {
  /** Multiplies prices; above the horizon's minutes it makes `early` a pure tie-break. u16 */
  readonly scale: number;
  /** Cost of one Wh per whole minute after `at`, in micro-euro per kWh / scale. u32 */
  readonly early: number;
  /** Value of promised energy, micro-euro per kWh: voll > extra + highest - lowest price. u32 */
  readonly voll: number;
  /** Value of best-effort energy, micro-euro per kWh, above every price. u32 */
  readonly extra: number;
};

export type GroupProblem = {
  /** Number of the group on chain (u32). */
  readonly group: number;
  /** Slot that the run is recorded under (u32). */
  readonly slot: number;
  /** Start of the first interval. */
  readonly at: EpochSecond;
  readonly weights: Weights;
  readonly cars: readonly Car[];
  readonly intervals: readonly Interval[];
};

/** Dual values: one integer per car (worth of one more Wh for it) and one per interval (marginal price there). */
export type Certificate = { readonly y: readonly bigint[]; readonly w: readonly bigint[] };

export type Plan = {
  readonly algorithm: MethodName;
  /** Wh per car and interval of its stay: `energyWh[car][t - from]`. */
  readonly energyWh: readonly (readonly number[])[];
  /** Bounds the cost of every plan of the problem, whichever method made this one; `least-laxity` claims nothing. */
  readonly certificate: Certificate | null;
  /** In nano-euro x scale, as the on-chain checker computes it. */
  readonly cost: bigint;
  readonly bound: bigint | null;
};
