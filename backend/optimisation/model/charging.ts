/** 5.3.1 and 5.3.4, the cars' side: power, target, waiting. One function per constraint. */
import { type ModelOptions, type ModelProblem, minutesBefore, mostWh, wantedMoreWh } from "./modelProblem.ts";
import {
  addColumn,
  atLeast,
  atMost,
  type Draft,
  equality,
  MICRO_EUR_PER_KWH,
  type Term,
  term,
  WH_PER_KWH,
} from "./program.ts";

/**
 * C1.1, C1.2: a car draws from 0 to its power, only during its stay. [kWh]   0 <= x_it <= u_it
 * Price: the early weight. Gives the columns: `charge[i][t - from]`.
 */
export function c12CarPower(draft: Draft, { cars, intervals, weights }: ModelProblem, early: number): number[][] {
  const minutes = minutesBefore(intervals);
  return cars.map(({ session, powerW, from, to }) =>
    Array.from({ length: to - from }, (_, k) => {
      const t = from + k;
      const upper = mostWh(powerW, intervals[t]!.durationS) / WH_PER_KWH;
      const cost = (early * minutes[t]!) / weights.scale / MICRO_EUR_PER_KWH;
      return addColumn(draft, { name: `charge ${session} ${t}`, cost, lower: 0, upper });
    }),
  );
}

/** What a car is short of its promise, and of its best effort; columns by car. */
export type Shortfall = { readonly short: number; readonly unserved: number };

/** C1.3, elastic: 0 <= s1_i <= need_i at v1, 0 <= s2_i <= more_i at v2. [kWh] */
export function c13Shortfall(draft: Draft, { cars, weights }: ModelProblem): Shortfall[] {
  const column = (name: string, microEurPerKwh: number, wh: number) =>
    addColumn(draft, { name, cost: microEurPerKwh / MICRO_EUR_PER_KWH, lower: 0, upper: wh / WH_PER_KWH });
  return cars.map((car) => ({
    short: column(`short ${car.session}`, weights.voll, car.needWh),
    unserved: column(`unserved ${car.session}`, weights.extra, wantedMoreWh(car)),
  }));
}

/** C1.3: the target is met within the stay, or its shortfall is paid for. [kWh]   sum_t x_it + s1_i + s2_i = need_i + more_i */
export function c13Target(draft: Draft, { cars }: ModelProblem, charge: number[][], shortfall: Shortfall[]): void {
  for (const [i, { session, needWh, moreWh, battery }] of cars.entries()) {
    if (battery) continue; // C2.4
    const { short, unserved } = shortfall[i]!;
    const terms = [...charge[i]!, short, unserved].map((column) => term(column));
    draft.rows.push(equality(`C1.3 target ${session}`, (needWh + moreWh) / WH_PER_KWH, terms));
  }
}

/**
 * C1.3, minimum energy first: the second, earlier deadline of a car. From it on only what it does not ask for is charged
 * freely; the rest is late, which costs the mean of voll and extra. [kWh]   sum_(t >= first.to) x_it - late_i <= need_i + more_i - first_i
 */
export function c13First(draft: Draft, { cars, weights }: ModelProblem, charge: number[][]): void {
  for (const [i, { session, first, from, needWh, moreWh, battery }] of cars.entries()) {
    if (!first || battery) continue; // C2.4
    const part = Math.min(first.wh, needWh + moreWh);
    const late = lateColumn(draft, session, part, weights);
    const terms = charge[i]!.slice(Math.max(0, first.to - from)).map((column) => term(column));
    draft.rows.push(atMost(`C1.3 first ${session}`, (needWh + moreWh - part) / WH_PER_KWH, [...terms, term(late, -1)]));
  }
}

export function lateColumn(draft: Draft, session: number, wh: number, weights: ModelProblem["weights"]): number {
  const cost = (weights.voll + weights.extra) / 2 / MICRO_EUR_PER_KWH;
  return addColumn(draft, { name: `late ${session}`, cost, lower: 0, upper: wh / WH_PER_KWH });
}

/**
 * O4: a session costs the opportunity of somebody else's while it is open. [EUR]
 * As D4.2 writes it no variable is in it. Corrected: z_it = 1 while car i is not complete when interval t begins,
 *   sum_(tau < t) x_i,tau + (need_i + more_i) z_it >= need_i + more_i,   price OC x hours_t x z_it.
 * Linear relaxation (the default), exactly: a kWh charged in t costs OC x age / (need_i + more_i), age being the hours from
 * the start of the stay (and previousSlots before it) to the end of t; what is never charged waits to the end of the stay.
 */
export function o4Waiting(
  draft: Draft,
  { cars, intervals }: ModelProblem,
  charge: number[][],
  shortfall: Shortfall[],
  { waitingMicroEurPerHour: price = 0, openBinaries = false }: ModelOptions,
): void {
  if (price === 0) return;
  for (const [i, car] of cars.entries()) {
    const wantedKwh = (car.needWh + wantedMoreWh(car)) / WH_PER_KWH;
    if (wantedKwh === 0) continue;
    let waitedS = SLOT_S * (car.previousSlots ?? 0);
    const soFar: Term[] = [];
    for (const [k, column] of charge[i]!.entries()) {
      const { durationS } = intervals[car.from + k]!;
      waitedS += durationS;
      if (!openBinaries) {
        raise(draft, column, (price * waitedS) / 3600 / wantedKwh);
        continue;
      }
      const name = `${car.session} ${car.from + k}`;
      const cost = (price * durationS) / 3600 / MICRO_EUR_PER_KWH;
      const open = addColumn(draft, { name: `open ${name}`, cost, lower: 0, upper: 1, integer: true });
      draft.rows.push(atLeast(`O4 open ${name}`, wantedKwh, [...soFar, term(open, wantedKwh)]));
      soFar.push(term(column));
    }
    if (openBinaries) continue;
    for (const column of Object.values(shortfall[i]!)) raise(draft, column, (price * waitedS) / 3600 / wantedKwh);
  }
}

const SLOT_S = 900;

function raise(draft: Draft, column: number, microEurPerKwh: number): void {
  const { cost, ...rest } = draft.columns[column]!;
  draft.columns[column] = { ...rest, cost: cost + microEurPerKwh / MICRO_EUR_PER_KWH };
}
