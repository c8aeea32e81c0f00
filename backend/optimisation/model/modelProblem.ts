/**
 * What the models of USER-CHI D4.2 know beyond a GroupProblem: batteries that may be discharged, limits of export,
 * flexibility orders, sessions that have waited. All of it is optional: a GroupProblem is a ModelProblem.
 */
import type { MicroEurPerKwh, Watt, WattHour } from "../../domain/units.ts";
import type { Car, GroupProblem, Interval } from "../problem.ts";

/** A car that may also be discharged (5.3.2). */
export type Battery = {
  readonly socWh: WattHour;
  /** Never discharged below it; a car that arrives below it is charged up to it (best effort) and not discharged. */
  readonly minWh: WattHour;
  readonly maxWh: WattHour;
  readonly dischargeW: Watt;
  /** Of charging and of discharging, each way. 1 to 1,000 */
  readonly efficiencyPerMille: number;
  /** Ageing, per kWh discharged, measured at the EVSE. */
  readonly wear: MicroEurPerKwh;
};

export type ModelCar = Car & {
  readonly battery?: Battery;
  /** Slots that the session has waited before this horizon (5.3.4). */
  readonly previousSlots?: number;
};

export type ModelInterval = Interval & {
  /** `min_power`: most energy that the group may export; without it, any. */
  readonly exportLimitWh?: WattHour;
  /** 5.3.3: raises (or, negative, lowers) the import limit. */
  readonly flexibilityWh?: number;
  /** 5.3.3: an order to consume: import at least so much, as far as promises and needs allow. */
  readonly leastImportWh?: WattHour;
};

export type ModelProblem = Omit<GroupProblem, "cars" | "intervals"> & {
  readonly cars: readonly ModelCar[];
  readonly intervals: readonly ModelInterval[];
};

/** How a model is to be written down; `LINEAR_PROGRAM_PARAMETERS` explains those that a CPO may choose. */
export type ModelOptions = {
  /** PV may be switched down; otherwise only what the export limit does not take is. */
  readonly curtailPv?: boolean;
  /** Exact where feeding in is worth more than import costs: one binary per such interval. */
  readonly directionBinaries?: boolean;
  /** 5.3.4: opportunity cost of a car that is not complete, micro-euro per car and hour. */
  readonly waitingMicroEurPerHour?: number;
  /** 5.3.4 with one binary per car and interval, for comparison in small groups. */
  readonly openBinaries?: boolean;
  /** Room for rounding V2G plans to whole Wh: 1 Wh of import per battery that leaves, 2 Wh of export per battery. */
  readonly roundingMargin?: boolean;
};

/** The most energy in an interval at a power. Wh */
export const mostWh = (powerW: number, durationS: number) => Math.floor((powerW * durationS) / 3600);

/** Best effort of a car: what it wants, and at least what lifts it to its minimum state of charge. Wh */
export function wantedMoreWh({ needWh, moreWh, battery }: ModelCar): number {
  if (!battery || battery.socWh >= battery.minWh) return moreWh;
  const toMinimum = Math.ceil(((battery.minWh - battery.socWh) * 1000) / battery.efficiencyPerMille);
  return Math.max(moreWh, toMinimum - needWh);
}

/** A car below its minimum is not discharged in this plan; the next one looks again. */
export const dischargeableW = ({ battery }: ModelCar) =>
  battery && battery.socWh >= battery.minWh ? battery.dischargeW : 0;

/** demand + fixed - production. Wh */
export const netWh = ({ demandWh, fixedWh, productionWh }: Interval) => demandWh + fixedWh - productionWh;

export type Prices = {
  readonly import: number;
  readonly feedIn: number;
  /** Price of a kWh of PV not produced. */
  readonly curtail: number;
  /** Import and export exclude each other only with a binary. */
  readonly binary: boolean;
  readonly mayExport: boolean;
};

/**
 * O1 is convex only if feeding in is worth no more than import costs. Where it is worth more, in order of preference:
 * PV that may be curtailed is, instead of being exported for nothing or less; a binary; or the convex reading of the
 * certificate: with surplus import costs what feeding in is worth, without it feeding in is worth what import costs.
 * micro-euro per kWh
 */
export function pricesOf(interval: ModelInterval, options: ModelOptions): Prices {
  const { price, feedIn } = interval;
  const curtail = options.curtailPv ? 0 : Math.max(0, -feedIn);
  const exact = { import: price, feedIn, curtail, binary: false, mayExport: true };
  if (feedIn <= price) return exact;
  if (options.curtailPv && feedIn <= 0) return { ...exact, mayExport: false };
  if (options.directionBinaries) return { ...exact, binary: true };
  return netWh(interval) < 0 ? { ...exact, import: feedIn } : { ...exact, feedIn: price };
}

/**
 * The least that energy can be worth in each interval: its own prices where as much as there is can be fed in; elsewhere the
 * lowest of the horizon, since a battery may want to be rid of energy in order to be paid for more. Never above 0.
 * micro-euro per kWh
 */
export function leastWorth(intervals: readonly ModelInterval[], options: ModelOptions): number[] {
  const prices = intervals.map((interval) => pricesOf(interval, options));
  const own = prices.map((one) => Math.min(0, one.import, one.feedIn));
  const lowest = Math.min(0, ...own);
  return intervals.map(({ exportLimitWh }, t) =>
    exportLimitWh === undefined && prices[t]!.mayExport ? own[t]! : lowest,
  );
}

/**
 * Price of discharging a kWh: wear, and above |p| (1/eta^2 - 1) where energy is worth p < 0, or the model would burn energy by
 * charging and discharging at once. micro-euro per kWh
 */
export function wearPrice({ wear, efficiencyPerMille }: Battery, worth: number): number {
  if (worth === 0) return wear;
  const squared = efficiencyPerMille ** 2;
  return Math.max(wear, Math.floor((-worth * (1_000_000 - squared)) / squared) + 1);
}

/** Minutes from the start of the horizon to each interval. */
export function minutesBefore(intervals: readonly Interval[]): number[] {
  let elapsedS = 0;
  return intervals.map(({ durationS }) => {
    const minutes = Math.floor(elapsedS / 60);
    elapsedS += durationS;
    return minutes;
  });
}
