/** What a driver says in the form, and the request that it becomes. Times are of the device; the API takes instants. */
import type { Preferences } from "../types.ts";

export type Wish = {
  readonly by: "energy" | "soc";
  readonly energyKwh: number;
  readonly fromPercent: number;
  readonly toPercent: number;
  /** Wh; null: not known. */
  readonly batteryWh: number | null;
  /** Local date and time as the field writes it: "2026-11-21T18:30". */
  readonly departure: string;
  readonly strategy: "cheapest" | "fastest";
  readonly cannotPause: boolean;
  /** Some of it sooner: kWh by a local time; null: no. */
  readonly first: { readonly energyKwh: number; readonly by: string } | null;
};

/** Of what the meter shows so much arrives in the battery, percent, as the API counts it (`soc` of a request). */
const EFFICIENCY_PERCENT = 88;
const DEFAULT_NEED_WH = 20_000;
const DEFAULT_STAY_S = 4 * 3600;
const DEFAULT_FROM_PERCENT = 40;
const DEFAULT_TARGET_PERCENT = 80;
const MINUTES_S = 15 * 60;

const two = (n: number) => `${n}`.padStart(2, "0");
export const localText = (at: Date) =>
  `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
const instantOf = (local: string) => new Date(local).toISOString().replace(/\.\d+Z$/, "Z");

/** So many seconds from now, on a quarter of an hour. */
export const inSeconds = (now: Date, seconds: number) =>
  localText(new Date(Math.ceil((now.getTime() / 1000 + seconds) / MINUTES_S) * MINUTES_S * 1000));
export function tomorrowAt(now: Date, hour: number): string {
  const at = new Date(now);
  if (at.getHours() >= hour) at.setDate(at.getDate() + 1);
  at.setHours(hour, 0, 0, 0);
  return localText(at);
}

export const firstWish = (preferences: Preferences, now: Date): Wish => ({
  // Whoever thinks in states of charge finds the form so.
  by: preferences.targetPercent === null ? "energy" : "soc",
  energyKwh: Math.max(1, Math.round((preferences.energyNeedWh ?? DEFAULT_NEED_WH) / 1000)),
  fromPercent: Math.min(DEFAULT_FROM_PERCENT, (preferences.targetPercent ?? 100) - 1),
  toPercent: preferences.targetPercent ?? DEFAULT_TARGET_PERCENT,
  batteryWh: preferences.batteryWh,
  departure: inSeconds(now, preferences.stayS ?? DEFAULT_STAY_S),
  strategy: "cheapest",
  cannotPause: preferences.cannotPause,
  first: null,
});

/** Wh at the meter that the wish comes to; null while the battery is not known. */
export function needWhOf({ by, energyKwh, fromPercent, toPercent, batteryWh }: Wish): number | null {
  if (by === "energy") return Math.round(energyKwh * 1000);
  if (batteryWh === null) return null;
  return Math.ceil((batteryWh * Math.max(0, toPercent - fromPercent)) / EFFICIENCY_PERCENT);
}

export function requestOf(wish: Wish) {
  const { by, energyKwh, fromPercent, toPercent, batteryWh, departure, strategy, first } = wish;
  return {
    ...(by === "energy"
      ? { energyNeedWh: Math.round(energyKwh * 1000) }
      : { soc: { fromPercent, toPercent, ...(batteryWh === null ? {} : { batteryWh }) } }),
    ...(departure === "" ? {} : { departsAt: instantOf(departure) }),
    strategy,
    ...(first ? { first: { energyWh: Math.round(first.energyKwh * 1000), by: instantOf(first.by) } } : {}),
  };
}

/** For the driver's feeling only: kWh for 100 km of a common car. */
const KWH_PER_100_KM = 18;
export const kmOf = (wh: number) => Math.round(((wh / 1000) * EFFICIENCY_PERCENT) / KWH_PER_100_KM / 5) * 5;
