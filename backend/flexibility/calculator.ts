/**
 * Method `flex/1`: how much load a session really moved, for which reason, and what that was worth. Symbols:
 *
 *   M metered Wh          A allowed Wh, never below M      B baseline Wh: this car, uncontrolled, for the energy it took
 *   E sum M               P highest 5-minute mean, W       tau connected seconds
 *   v marginal procurement value, micro-euro per kWh       r = floor(sum v M / E), what the session really paid
 *
 * The declared departure, the declared need and the rated power take no part in it: overstating them earns nothing.
 * README.md in this folder has the formulas and the cases that led to them.
 */
import { divDown, worth } from "../domain/money.ts";
import type { ChargingProfile } from "../domain/profiles.ts";
import {
  type EpochSecond,
  type MicroEur,
  type MicroEurPerKwh,
  microEur,
  microEurPerKwh,
  type Watt,
  type WattHour,
  wattHour,
} from "../domain/units.ts";
import { allowedPerInterval, entitledPerInterval } from "./allowance.ts";
import { baseline, baselineStart } from "./baseline.ts";
import type { Interval } from "./intervals.ts";
import { highestMeanW, meteredPerInterval, type RegisterSeries } from "./registers.ts";

export const FLEX_METHOD = "flex/1";
/** A price counts as high from here above the session's own mean on, micro-euro per kWh. */
export const PRICE_MARGIN = 5_000;

/** Why load was wanted away from an interval, in order of precedence. */
export type DownReason = "ORDER" | "PRICE" | "LIMIT";
/** Why load was wanted in an interval, in order of precedence. */
export type UpReason = "ORDER" | "SURPLUS" | "NEGATIVE";

/** What the group and its market were like in an interval. */
export type Circumstances = Interval & {
  /** v, from `marginalValue`. */
  readonly value: MicroEurPerKwh;
  readonly order: "down" | "up" | null;
  /** PV was left over. */
  readonly surplus: boolean;
  /** From `limitShare`; 0 and 0 where the group's baselines fitted. */
  readonly limitExcessWh: number;
  readonly limitReducibleWh: number;
};

export type FlexInterval = Interval & {
  readonly baselineWh: number;
  readonly allowedWh: number;
  readonly meteredWh: number;
  readonly value: MicroEurPerKwh;
  readonly down: DownReason | null;
  readonly up: UpReason | null;
  readonly limitExcessWh: number;
  readonly limitReducibleWh: number;
};

export type Flexibility = {
  readonly method: typeof FLEX_METHOD;
  /** P */
  readonly powerW: Watt;
  /** E */
  readonly energyWh: WattHour;
  /** From where tau counts. */
  readonly startsAt: EpochSecond;
  /** r */
  readonly meanValue: MicroEurPerKwh;
  readonly movedWh: WattHour;
  /** D and U */
  readonly downWh: WattHour;
  readonly upWh: WattHour;
  /** False for boost and opt-out. */
  readonly rewarded: boolean;
  /** F, what is minted. */
  readonly flexWh: WattHour;
  /** V, what the shift was worth in procurement; negative when it cost. */
  readonly valueMicroEur: MicroEur;
  readonly intervals: readonly FlexInterval[];
};

/**
 * Flexibility of a session from its meter, the limit that was applied and the circumstances of its intervals. With
 * `mostW`, what its EVSE gives at most, a limit that did not bind the car counts for nothing (`entitledPerInterval`).
 */
export function flexibility(session: {
  readonly series: RegisterSeries;
  readonly limit: ChargingProfile;
  readonly circumstances: readonly Circumstances[];
  readonly rewarded: boolean;
  readonly mostW?: Watt;
}): Flexibility {
  const { series, limit, circumstances, rewarded, mostW } = session;
  const meteredWh = meteredPerInterval(series, circumstances);
  const allowedWh =
    mostW === undefined
      ? allowedPerInterval(limit, circumstances)
      : entitledPerInterval(series, limit, circumstances, mostW);
  return reckon({
    powerW: highestMeanW(series),
    startsAt: baselineStart(series, limit),
    rewarded,
    intervals: circumstances.map((c, t) => ({ ...c, meteredWh: meteredWh[t]!, allowedWh: allowedWh[t]! })),
  });
}

/** The method itself, from whole numbers only: what an auditor recomputes from a receipt. */
export function reckon(session: {
  readonly powerW: Watt;
  readonly startsAt: EpochSecond;
  readonly rewarded: boolean;
  readonly intervals: readonly (Circumstances & { readonly meteredWh: number; readonly allowedWh: number })[];
}): Flexibility {
  const { powerW, startsAt, rewarded, intervals } = session;
  const energyWh = intervals.reduce((sum, { meteredWh }) => sum + meteredWh, 0);
  const paid = intervals.reduce((sum, { value, meteredWh }) => sum + worth(meteredWh, value), 0n);
  const meanValue = energyWh === 0 ? 0 : Number(divDown(paid, BigInt(energyWh)));
  const baselineWh = baseline({ powerW, startsAt, intervals, meteredWh: intervals.map((one) => one.meteredWh) });

  let movedWh = 0;
  let downWh = 0;
  let upWh = 0;
  let saved = 0n;
  const rows = intervals.map((one, t): FlexInterval => {
    const row = judged(one, baselineWh[t]!, meanValue);
    movedWh += Math.max(0, row.baselineWh - row.meteredWh);
    if (row.down) downWh += reduced(row);
    if (row.up) upWh += Math.max(0, row.meteredWh - row.baselineWh);
    saved += worth(row.baselineWh - row.meteredWh, row.value);
    return row;
  });
  return {
    method: FLEX_METHOD,
    powerW,
    energyWh: wattHour(energyWh),
    startsAt,
    meanValue: microEurPerKwh(meanValue),
    movedWh: wattHour(movedWh),
    downWh: wattHour(downWh),
    upWh: wattHour(upWh),
    rewarded,
    // A Wh counts once: it left one interval and came in another, however long it was deferred.
    flexWh: wattHour(rewarded ? Math.min(movedWh, Math.max(downWh, upWh)) : 0),
    valueMicroEur: microEur(divDown(saved, 1000n)),
    intervals: rows,
  };
}

function judged(
  one: Circumstances & { readonly meteredWh: number; readonly allowedWh: number },
  baselineWh: number,
  meanValue: number,
): FlexInterval {
  const { from, to, value, meteredWh, limitExcessWh, limitReducibleWh } = one;
  const allowedWh = Math.max(meteredWh, one.allowedWh);
  return {
    from,
    to,
    baselineWh,
    allowedWh,
    meteredWh,
    value,
    down:
      one.order === "down" ? "ORDER" : value >= meanValue + PRICE_MARGIN ? "PRICE" : limitExcessWh > 0 ? "LIMIT" : null,
    up: one.order === "up" ? "ORDER" : one.surplus ? "SURPLUS" : value < 0 ? "NEGATIVE" : null,
    limitExcessWh,
    limitReducibleWh,
  };
}

/** (B - A)+; for a LIMIT only this session's share of the excess, `min(1, excess / sum (B - A)+)` of it, rounded down. */
function reduced(row: FlexInterval): number {
  const reducedWh = Math.max(0, row.baselineWh - row.allowedWh);
  if (row.down !== "LIMIT" || reducedWh === 0) return reducedWh;
  const ofWh = Math.max(row.limitReducibleWh, reducedWh);
  return Math.floor((reducedWh * Math.min(row.limitExcessWh, ofWh)) / ofWh);
}

/** v: the price; while PV is left over at the measured import, the feed-in value, never above the price. */
export function marginalValue(at: {
  /** Measured import of the group, cars included; negative when it exports. */
  readonly importWh: number;
  readonly price: MicroEurPerKwh;
  readonly feedIn: MicroEurPerKwh;
}): { readonly value: MicroEurPerKwh; readonly surplus: boolean } {
  const surplus = at.importWh < 0;
  return { value: surplus && at.feedIn < at.price ? at.feedIn : at.price, surplus };
}

/**
 * How far the group's baselines would have gone above the limit, and how much its sessions gave up together: a Wh is
 * rewarded for the limit only where it was needed. `otherWh` is demand - production and may be negative.
 */
export function limitShare(group: {
  readonly limitWh: number;
  readonly otherWh: number;
  readonly sessions: readonly { readonly baselineWh: number; readonly allowedWh: number }[];
}): { readonly limitExcessWh: number; readonly limitReducibleWh: number } {
  let baselinesWh = 0;
  let reducibleWh = 0;
  for (const { baselineWh, allowedWh } of group.sessions) {
    baselinesWh += baselineWh;
    reducibleWh += Math.max(0, baselineWh - allowedWh);
  }
  const excessWh = Math.max(0, baselinesWh + group.otherWh - group.limitWh);
  return { limitExcessWh: excessWh, limitReducibleWh: excessWh > 0 ? reducibleWh : 0 };
}
