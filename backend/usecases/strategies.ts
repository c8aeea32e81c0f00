/**
 * What drivers may wish, turned into one form: this much energy by then, perhaps a part of it first, perhaps not before.
 * As fast as possible, as cheap as possible, 80 % in three hours, slowly over night: all end here.
 */
import { minuteOfDay, nextAtMinute } from "../domain/localTime.ts";
import type { ChargingPreferences, StatedBattery } from "../domain/sessions.ts";
import { type EpochSecond, epochSecond, type Watt, type WattHour, wattHour } from "../domain/units.ts";
import { EFFICIENCY_PERCENT } from "./stateOfCharge.ts";

/** A need, or two states of charge of a battery. */
export type Amount =
  | { readonly kind: "energy"; readonly energyWh: WattHour }
  | {
      readonly kind: "soc";
      readonly batteryWh: WattHour;
      readonly fromPercent: number;
      readonly toPercent: number;
    };

/** `soonest`: as fast as possible, by the earliest time that admission can give, at the latest by `by`. */
export type Ready =
  | { readonly kind: "by"; readonly at: EpochSecond }
  | { readonly kind: "within"; readonly s: number }
  | { readonly kind: "soonest"; readonly latest: EpochSecond | null };

export type Wish = {
  readonly amount: Amount;
  readonly ready: Ready;
  readonly notBefore?: EpochSecond | undefined;
  /** A part of the amount (Wh, or a state of charge) by an earlier time. */
  readonly first?: { readonly amount: Amount; readonly ready: Exclude<Ready, { kind: "soonest" }> } | undefined;
};

/** The request that all strategies become. */
export type ChargingTerms = Omit<ChargingPreferences, "battery"> & {
  readonly soonest?: boolean;
  readonly battery?: Omit<StatedBattery, "registerWh">;
};

/** Without a time of its own, "as soon as possible" ends here, s. */
const SOONEST_S = 86_400;

export function termsOf({ amount, ready, notBefore, first }: Wish, now: EpochSecond): ChargingTerms {
  return {
    energyNeedWh: energyOf(amount),
    departsAt: ready.kind === "soonest" ? (ready.latest ?? epochSecond(now + SOONEST_S)) : instantOf(ready, now),
    ...(notBefore !== undefined && { notBefore }),
    ...(first && { first: { wh: energyOf(first.amount), by: instantOf(first.ready, now) } }),
    ...(ready.kind === "soonest" && { soonest: true }),
    ...(amount.kind === "soc" && { battery: { wh: amount.batteryWh, percent: amount.fromPercent } }),
  };
}

/** At the meter, rounded up to a Wh. */
export function energyOf(amount: Amount): WattHour {
  if (amount.kind === "energy") return amount.energyWh;
  const { batteryWh, fromPercent, toPercent } = amount;
  return wattHour(Math.max(0, Math.ceil((batteryWh * (toPercent - fromPercent)) / EFFICIENCY_PERCENT)));
}

const instantOf = (ready: Exclude<Ready, { kind: "soonest" }>, now: EpochSecond) =>
  ready.kind === "by" ? ready.at : epochSecond(now + ready.s);

/* -------------------------------------------------------------------------------------- day and night, per EVSE */

/**
 * What an EVSE does for a car whose driver says nothing, best effort, when it is plugged in while the local clock shows a
 * minute of [fromMinute, toMinute) (over midnight where `toMinute` is not above `fromMinute`; equal: the whole day).
 */
export type StrategyWindow = {
  readonly fromMinute: number;
  readonly toMinute: number;
  readonly energyWh: number;
  readonly strategy:
    | { readonly kind: "fastest" }
    /** Cheapest over a stay of this length, s. */
    | { readonly kind: "cheapest"; readonly stayS: number }
    /** Cheapest until the clock shows this minute of the day, and not before the clock shows the other. */
    | { readonly kind: "until"; readonly minute: number; readonly notBeforeMinute: number | null };
};

/** How a car can be charged that nothing is known of: the EVSE's power. */
export function termsOfWindow(
  windows: readonly StrategyWindow[],
  pluggedAt: EpochSecond,
  timeZone: string,
  powerW: Watt,
): ChargingPreferences | null {
  const minute = minuteOfDay(pluggedAt, timeZone);
  const window = windows.find((one) => covers(one, minute));
  if (!window) return null;
  const energyNeedWh = wattHour(window.energyWh);
  const { strategy } = window;
  switch (strategy.kind) {
    case "fastest": {
      // Best effort has no promise whose time could be early: the stay is as short as the car can make it.
      const durationS = Math.ceil((energyNeedWh * 3600 * 11) / (10 * Math.max(1, powerW)));
      return { energyNeedWh, departsAt: epochSecond(pluggedAt + Math.max(900, durationS)) };
    }
    case "cheapest":
      return { energyNeedWh, departsAt: epochSecond(pluggedAt + strategy.stayS) };
    case "until": {
      const departsAt = nextAtMinute(pluggedAt, strategy.minute, timeZone);
      if (strategy.notBeforeMinute === null) return { energyNeedWh, departsAt };
      const notBefore = nextAtMinute(pluggedAt, strategy.notBeforeMinute, timeZone);
      // Plugged in after the planned start: charging may begin.
      return { energyNeedWh, departsAt, ...(notBefore < departsAt && { notBefore }) };
    }
  }
}

const covers = ({ fromMinute, toMinute }: StrategyWindow, minute: number) =>
  fromMinute < toMinute ? fromMinute <= minute && minute < toMinute : minute >= fromMinute || minute < toMinute;

/** What the windows leave to be desired; null: nothing. */
export function faultOfWindows(windows: readonly StrategyWindow[]): string | null {
  const taken = new Int8Array(1440);
  for (const [i, window] of windows.entries()) {
    for (let minute = 0; minute < 1440; minute++) {
      if (!covers(window, minute)) continue;
      if (taken[minute] === 1) return `Window ${i} covers ${clock(minute)}, which another one covers already.`;
      taken[minute] = 1;
    }
  }
  return null;
}

const clock = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
