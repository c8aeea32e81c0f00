/**
 * The year slot by slot, on the level of the GroupProblem: arrivals are admitted on what is surely there, every slot is
 * planned anew with what is known then, its first interval is carried out as far as the true load leaves room.
 */
import { createSolvers } from "../../backend/adapters/solvers/createSolver.ts";
import type { AlgorithmChoice } from "../../backend/domain/algorithms.ts";
import { epochSecond, microEurPerKwh, second, type WattHour, watt, wattHour } from "../../backend/domain/units.ts";
import { admit } from "../../backend/optimisation/admission.ts";
import { planOf } from "../../backend/optimisation/algorithms.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { leastLaxity } from "../../backend/optimisation/leastLaxity.ts";
import type { GroupProblem, Interval } from "../../backend/optimisation/problem.ts";
import { EXTRA, SCALE, VOLL } from "../../backend/usecases/groupProblem.ts";
import { createHabits, type Habits, learn } from "../../backend/usecases/habits.ts";
import { earlyFor } from "../../backend/usecases/planGroup.ts";
import { type Figures, jain, percent, round } from "./figures.ts";
import { SLOTS_PER_DAY, type Year, type YearCar } from "./year.ts";

const HORIZON = 96;
const SLOT_S = 900;
/** Admission counts with more load and less PV than forecast: 1.645 standard deviations, the 95 % quantile. */
const SURE = { demand: 1.645 * 0.12, production: 1.645 * 0.35 };
/** A promise counts as kept within this of it, as in domain/promises.ts. */
const toleranceWh = (promisedWh: number) => Math.max(100, promisedWh / 100);

type Solve = Parameters<typeof planOf>[2];
const NO_SOLVER: Solve = async () => ({ kind: "failed", reason: "only linear-program asks for a solver" });

type Present = YearCar & {
  readonly number: number;
  readonly promisedWh: number;
  gotWh: number;
  setWh: number;
  changes: number;
  fullAt: number | null;
};

type Run = { readonly cars: readonly Present[]; readonly carsWh: readonly number[] };

export async function yearFigures(year: Year, days: number, choice: AlgorithmChoice): Promise<Figures> {
  const solvers = choice.name === "linear-program" ? createSolvers() : null;
  const run = await simulate(year, days, choice, solvers?.solve ?? NO_SOLVER);
  await solvers?.close();
  const foresight = perfect(
    year,
    run.cars.map((car) => car.gotWh),
  );
  const wantedWh = year.cars.map(wantedOf);
  const gotWh = run.cars.map((car) => car.gotWh);
  const cost = costOf(year, run.carsWh);
  const deliveredWh = sum(gotWh);
  const short = run.cars.filter((car) => car.promisedWh - car.gotWh > toleranceWh(car.promisedWh));
  // Who leaves before the announced time cannot blame anyone else.
  const ours = short.filter((car) => car.to >= car.announced);
  return {
    site: `year, ${year.name}`,
    algorithm: choice.name,
    deliveredKwh: round(deliveredWh / 1000, 1),
    unmetPercent: percent(sum(wantedWh) - deliveredWh, sum(wantedWh)),
    centPerKwh: round(cost / deliveredWh / 10, 4),
    aboveForesightPercent: round(100 * (cost / costOf(year, foresight) - 1), 2),
    limitViolations: run.carsWh.filter((wh, slot) => wh > 0 && wh > capacityWh(year, slot) + 1).length,
    promises: {
      made: run.cars.filter((car) => car.promisedWh > 0).length,
      kept: run.cars.filter((car) => car.promisedWh > 0).length - short.length,
      late: 0,
      short: short.length,
      promisedKwh: round(sum(run.cars.map((car) => car.promisedWh)) / 1000, 1),
      ourFaultKwh: round(sum(ours.map((car) => car.promisedWh - car.gotWh)) / 1000, 1),
    },
    setPointsPerSession: round(sum(run.cars.map((car) => car.changes)) / run.cars.length, 2),
    fairness: round(jain(run.cars.map((car, i) => car.gotWh / Math.max(1, wantedWh[i]!))), 4),
  };
}

/** Least cost with everything known, for all that the cars could have taken. */
export function yearForesight(year: Year): Figures {
  const wantedWh = year.cars.map(wantedOf);
  const carsWh = perfect(year, wantedWh);
  return {
    site: `year, ${year.name}`,
    algorithm: "perfect foresight",
    deliveredKwh: round(sum(carsWh) / 1000, 1),
    unmetPercent: percent(sum(wantedWh) - sum(carsWh), sum(wantedWh)),
    centPerKwh: round(costOf(year, carsWh) / sum(carsWh) / 10, 4),
    aboveForesightPercent: 0,
    limitViolations: 0,
    promises: null,
    setPointsPerSession: null,
    fairness: 1,
  };
}

async function simulate(year: Year, days: number, choice: AlgorithmChoice, solve: Solve): Promise<Run> {
  const all: Present[] = [];
  const carsWh: number[] = [];
  const habits = createHabits();
  let present: Present[] = [];
  let next = 0;
  for (let slot = 0; slot < days * SLOTS_PER_DAY + SLOTS_PER_DAY; slot++) {
    for (const car of present) if (car.to <= slot) learnFrom(habits, car);
    present = present.filter((car) => car.to > slot);
    for (; next < year.cars.length && year.cars[next]!.from <= slot; next++) {
      const arrived = year.cars[next]!;
      const promisedWh = promise(year, slot, present, arrived);
      const car = { ...arrived, number: next + 1, promisedWh, gotWh: 0, setWh: 0, changes: 0, fullAt: null };
      all.push(car);
      present.push(car);
    }
    carsWh.push(await carryOut(year, slot, present, choice, habits, solve));
  }
  return { cars: all, carsWh };
}

function learnFrom(habits: Habits, car: Present): void {
  learn(
    habits,
    {
      pluggedAt: car.from * SLOT_S,
      departsAt: car.announced * SLOT_S,
      startRegisterWh: 0,
      registerWh: car.gotWh,
      wishedWh: car.needWh,
      seenMaxW: car.fullAt === null ? null : 0,
      unwilling: car.fullAt === null ? [] : [{ from: car.fullAt * SLOT_S, until: null }],
    },
    car.to * SLOT_S,
  );
}

/** What is promised to the newcomer: its need, or the most that fits beside the promises of the others. */
function promise(year: Year, slot: number, present: readonly Present[], car: YearCar): number {
  const problem = problemOf(year, slot, present, SURE);
  const to = Math.min(car.announced - slot, HORIZON);
  const answer = admit(problem, { energyWh: wattHour(car.needWh), powerW: watt(car.powerW), from: 0, to });
  return answer.kind === "accepted" ? car.needWh : answer.kind === "counter" ? answer.energyWh : 0;
}

/** Plans from this slot on and carries the slot out; Wh of the cars. */
async function carryOut(
  year: Year,
  slot: number,
  present: readonly Present[],
  choice: AlgorithmChoice,
  habits: Habits,
  solve: Solve,
): Promise<number> {
  if (!present.some((car) => car.gotWh < car.needWh)) return 0;
  const draft = problemOf(year, slot, present);
  const problem = { ...draft, weights: { ...draft.weights, early: earlyFor(choice, draft, habits) } };
  // As in the control cycle: when a solver is late or fails, least laxity plans this slot.
  const plan = await planOf(problem, choice, solve).catch(() => leastLaxity(problem));
  const planned = new Map(problem.cars.map((car, i) => [car.session, plan.energyWh[i]?.[0] ?? 0]));
  const wishedWh = sum([...planned.values()]);
  // The guard: what the true load does not leave room for is trimmed from all alike.
  const share = choice.name === "uncontrolled" ? 1 : Math.min(1, capacityWh(year, slot) / Math.max(1, wishedWh));
  let carsWh = 0;
  for (const car of present) {
    const setWh = Math.floor((planned.get(car.number) ?? 0) * share);
    if (setWh !== car.setWh) car.changes++;
    car.setWh = setWh;
    car.gotWh += setWh;
    carsWh += setWh;
    if (car.gotWh >= car.needWh) car.fullAt ??= slot + 1;
  }
  return carsWh;
}

/** What is known in the slot; `sure` adds and takes off so much of the forecasts. Overstayers are planned for an hour. */
function problemOf(
  year: Year,
  slot: number,
  present: readonly Present[],
  sure: { readonly demand: number; readonly production: number } = { demand: 0, production: 0 },
): GroupProblem {
  const cars = present.filter((car) => car.gotWh < car.needWh);
  const intervals = Array.from({ length: HORIZON }, (_, k): Interval => {
    const grown = Math.min(1, (k + 1) / 24);
    const factor = (error: number, margin: number) => Math.max(0, 1 + grown * (error + margin));
    return {
      ...quarterHour(year),
      demandWh: wh((year.demandW[slot + k] ?? 0) * factor(year.demandError[slot]!, sure.demand)),
      productionWh: wh((year.productionW[slot + k] ?? 0) * factor(year.productionError[slot]!, -sure.production)),
      price: microEurPerKwh(priceKnown(year, slot, slot + k)),
    };
  });
  return {
    ...problemAt(slot),
    cars: cars.map((car) => {
      const leftWh = car.needWh - car.gotWh;
      const needWh = car.announced > slot ? Math.min(leftWh, Math.max(0, car.promisedWh - car.gotWh)) : 0;
      return {
        session: car.number,
        row: 0,
        needWh: wattHour(needWh),
        moreWh: wattHour(leftWh - needWh),
        powerW: watt(car.powerW),
        minPowerW: watt(0),
        from: 0,
        to: Math.min(HORIZON, car.announced > slot ? car.announced - slot : 4),
      };
    }),
    intervals,
  };
}

/** Prices of tomorrow are known from 13:00; later ones are guessed from the same time of the last known day. */
function priceKnown(year: Year, now: number, slot: number): number {
  const day = Math.floor(now / SLOTS_PER_DAY);
  const known = (day + (now % SLOTS_PER_DAY >= 52 ? 2 : 1)) * SLOTS_PER_DAY;
  const at = slot < known ? slot : slot - SLOTS_PER_DAY * Math.ceil((slot - known + 1) / SLOTS_PER_DAY);
  return year.prices[at] ?? 0;
}

/** The whole year as one problem, for these energies; Wh of the cars by slot. */
function perfect(year: Year, wantedWh: readonly number[]): number[] {
  const slots = Math.max(...year.cars.map((car) => car.to));
  const problem: GroupProblem = {
    ...problemAt(0),
    weights: { ...problemAt(0).weights, scale: 65_535 },
    cars: year.cars.map((car, i) => ({
      session: i + 1,
      row: 0,
      needWh: wattHour(wantedWh[i]!),
      moreWh: wattHour(0),
      powerW: watt(car.powerW),
      minPowerW: watt(0),
      from: car.from,
      to: car.to,
    })),
    intervals: Array.from({ length: slots }, (_, slot) => ({
      ...quarterHour(year),
      demandWh: wh(year.demandW[slot] ?? 0),
      productionWh: wh(year.productionW[slot] ?? 0),
      price: microEurPerKwh(year.prices[slot] ?? 0),
    })),
  };
  const carsWh = new Array<number>(slots).fill(0);
  const plan = leastCost(problem);
  for (const [i, car] of year.cars.entries())
    for (const [k, energyWh] of plan.energyWh[i]!.entries()) carsWh[car.from + k]! += energyWh;
  return carsWh;
}

const problemAt = (slot: number) => ({
  group: 1,
  slot,
  at: epochSecond(slot * SLOT_S),
  weights: { scale: SCALE, early: 1, voll: VOLL, extra: EXTRA },
});

const quarterHour = (year: Year) => ({
  durationS: second(SLOT_S),
  limitWh: wh(year.limitW),
  fixedWh: wattHour(0),
  feedIn: microEurPerKwh(0),
});

/** Energy of a slot at this power, Wh. */
const wh = (powerW: number): WattHour => wattHour(Math.floor(powerW / 4));

const capacityWh = (year: Year, slot: number) =>
  wh(year.limitW) - wh(year.demandW[slot] ?? 0) + wh(year.productionW[slot] ?? 0);

const wantedOf = (car: YearCar) => Math.min(car.needWh, (car.powerW / 4) * (car.to - car.from));

/** What the import that the cars caused cost, micro-euro per kWh x Wh. */
const costOf = (year: Year, carsWh: readonly number[]) =>
  carsWh.reduce((cost, energyWh, slot) => {
    const net = wh(year.demandW[slot] ?? 0) - wh(year.productionW[slot] ?? 0);
    return cost + (Math.max(0, net + energyWh) - Math.max(0, net)) * (year.prices[slot] ?? 0);
  }, 0) / 1000;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
