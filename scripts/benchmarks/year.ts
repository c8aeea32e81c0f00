/**
 * A generated year at three sites: prices, other load, PV and cars, from a seed. Invented, not recorded: prices follow the
 * usual shape of a day (dear in the morning and the evening, cheap at night and at noon), forecasts are wrong by errors
 * that grow over six hours, drivers leave 37 minutes (standard deviation) beside what they said.
 */
import { randomFrom } from "../../test/support/problems.ts";

export const DAYS = 365;
export const SLOTS_PER_DAY = 96;

export type YearCar = {
  /** Slots: plugged in during [from, to), announced until `announced`. */
  readonly from: number;
  readonly to: number;
  readonly announced: number;
  readonly needWh: number;
  readonly powerW: number;
};

export type Year = {
  readonly name: string;
  readonly limitW: number;
  /** Micro-euro per kWh by slot. */
  readonly prices: readonly number[];
  readonly demandW: readonly number[];
  readonly productionW: readonly number[];
  /** Relative errors of forecasts that are made in a slot, for slots six hours ahead and more. */
  readonly demandError: readonly number[];
  readonly productionError: readonly number[];
  /** In order of arrival. */
  readonly cars: readonly YearCar[];
};

type Site = {
  readonly name: string;
  readonly limitW: number;
  readonly evses: number;
  readonly powerW: number;
  readonly pvPeakW: number;
  /** Other load by the hour of the day, W. */
  readonly loadW: (hour: number, weekday: boolean) => number;
  /** Arrivals per day, the hours of arrival and stay (mean, standard deviation), need in Wh (least, most). */
  readonly arrivals: (weekday: boolean) => number;
  readonly arrivesAt: readonly [number, number];
  readonly stays: readonly [number, number];
  readonly needs: readonly [number, number];
};

const SITES: readonly Site[] = [
  {
    name: "work",
    limitW: 75_000,
    evses: 25,
    powerW: 11_040,
    pvPeakW: 50_000,
    loadW: (hour, weekday) => (weekday && hour >= 7 && hour < 18 ? 32_000 : 9_000),
    arrivals: (weekday) => (weekday ? 22 : 2),
    arrivesAt: [8.2, 0.8],
    stays: [8, 1.3],
    needs: [5_000, 32_000],
  },
  {
    name: "home",
    limitW: 50_000,
    evses: 25,
    powerW: 7_360,
    pvPeakW: 0,
    loadW: (hour) => (hour >= 17 && hour < 23 ? 21_000 : hour >= 6 && hour < 9 ? 14_000 : 6_000),
    arrivals: () => 18,
    arrivesAt: [18, 1.6],
    stays: [13, 1.5],
    needs: [3_000, 22_000],
  },
  {
    name: "public",
    limitW: 70_000,
    evses: 12,
    powerW: 22_080,
    pvPeakW: 15_000,
    loadW: (hour) => (hour >= 8 && hour < 21 ? 12_000 : 4_000),
    arrivals: (weekday) => (weekday ? 26 : 20),
    arrivesAt: [14, 3.5],
    stays: [3, 1.2],
    needs: [6_000, 30_000],
  },
];

export const YEAR_SITES = SITES.map(({ name }) => name);

const DEMAND_SIGMA = 0.12;
const PV_SIGMA = 0.35;
/** From slot to slot, so much of an error stays. */
const PERSISTENCE = 0.97;
const DEPARTURE_SIGMA_H = 37 / 60;

/** The same name and seed give the same year. */
export function yearOf(name: string, seed = 1, days = DAYS): Year {
  const site = SITES.find((one) => one.name === name);
  if (!site) throw new Error(`There is no site ${name}. Sites of the year: ${YEAR_SITES.join(", ")}.`);
  const random = randomFrom(seed * 7_919 + SITES.indexOf(site));
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const slots = Array.from({ length: (days + 2) * SLOTS_PER_DAY }, (_, slot) => slot);
  const daily = (sigma: number) => Array.from({ length: days + 2 }, () => 1 + sigma * normal());
  const [dearness, load, sun] = [daily(0.2), daily(0.08), Array.from({ length: days + 2 }, random)];
  const dayOf = (slot: number) => Math.floor(slot / SLOTS_PER_DAY);
  const hourOf = (slot: number) => (slot % SLOTS_PER_DAY) / 4;
  const series = (errors: number, walk = 0) =>
    slots.map(() => {
      walk = PERSISTENCE * walk + Math.sqrt(1 - PERSISTENCE ** 2) * normal();
      return errors * walk;
    });
  return {
    name,
    limitW: site.limitW,
    prices: slots.map((slot) => {
      const hour = Math.floor(hourOf(slot));
      // 55,000 for what is no energy (grid fee, levies), the rest with the shape of the day and of the season.
      const shape = SHAPE[hour]! - 14 * season(dayOf(slot)) * bell(hour, 13, 3);
      return Math.round(55_000 + 1_000 * (dearness[dayOf(slot)]! * shape + normal()));
    }),
    demandW: slots.map((slot) =>
      Math.round(
        site.loadW(hourOf(slot), isWeekday(dayOf(slot))) * load[dayOf(slot)]! * (1 + 0.05 * normal()) +
          4_000 * (1 - season(dayOf(slot))),
      ),
    ),
    productionW: slots.map((slot) => {
      const day = dayOf(slot);
      const clear = season(day) * 0.75 + 0.25;
      return Math.round(
        site.pvPeakW * clear * (0.25 + 0.75 * sun[day]!) * bell(hourOf(slot), 13, 2.6) * (0.9 + 0.2 * random()),
      );
    }),
    demandError: series(DEMAND_SIGMA),
    productionError: series(PV_SIGMA),
    cars: carsOf(site, days, random, normal),
  };
}

/** Micro-euro per Wh of each hour: night, morning, noon, evening. */
const SHAPE = [52, 48, 45, 44, 46, 56, 74, 92, 96, 84, 70, 58, 50, 48, 54, 66, 82, 104, 122, 118, 100, 82, 68, 58];
const bell = (hour: number, middle: number, width: number) => Math.exp(-(((hour - middle) / width) ** 2));
/** 0 in midwinter, 1 in midsummer. */
const season = (day: number) => 0.5 - 0.5 * Math.cos((2 * Math.PI * day) / 365);
const isWeekday = (day: number) => day % 7 < 5;

function carsOf(site: Site, days: number, random: () => number, normal: () => number): YearCar[] {
  const cars: YearCar[] = [];
  const freeAt = new Array<number>(site.evses).fill(0);
  for (let day = 0; day < days; day++) {
    const count = Math.max(0, Math.round(site.arrivals(isWeekday(day)) * (1 + 0.2 * normal())));
    const hours = Array.from({ length: count }, () => site.arrivesAt[0] + site.arrivesAt[1] * normal()).sort(
      (a, b) => a - b,
    );
    for (const hour of hours) {
      const from = day * SLOTS_PER_DAY + Math.max(0, Math.floor(hour * 4));
      const staysH = Math.max(0.75, site.stays[0] + site.stays[1] * normal());
      const announced = from + Math.max(2, Math.floor(staysH * 4));
      const to = Math.max(from + 1, Math.round(announced + 4 * DEPARTURE_SIGMA_H * normal()));
      const evse = freeAt.findIndex((at) => at <= from);
      if (evse < 0) continue;
      freeAt[evse] = to;
      const [least, most] = site.needs;
      const wishedWh = least + Math.floor((most - least) * random() * random());
      const needWh = Math.min(wishedWh, (site.powerW / 4) * (announced - from));
      cars.push({ from, to, announced, needWh, powerW: site.powerW });
    }
  }
  return cars.sort((a, b) => a.from - b.from);
}
