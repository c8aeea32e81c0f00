/**
 * How much a minute of waiting costs in the plan. Three things speak for charging early: scarce capacity that is left
 * unused now cannot be given to those who arrive later, drivers leave earlier than they said, and what is later is less
 * sure. The defaults come from the curve in optimisation/README.md.
 */
import type { GroupProblem } from "../optimisation/problem.ts";
import { type Habits, leavingPerHour, takenShare } from "./habits.ts";

export type EarlyParameters = {
  /** Cost of an hour of delay when capacity is scarce, micro-euro per kWh. */
  readonly scarceMicroEurPerKwhHour: number;
  /** What a kWh that its driver leaves without is worth, micro-euro. */
  readonly lostMicroEurPerKwh: number;
};

export const EARLY: EarlyParameters = { scarceMicroEurPerKwhHour: 20_000, lostMicroEurPerKwh: 150_000 };
/** Prices that are not published yet may turn out otherwise: cost of an hour of delay anywhere, micro-euro per kWh. */
const UNSURE_PER_HOUR = 300;
/** Capacity counts as scarce from here on: wanted energy over what the group can give by the same departure. */
const SCARCE = { from: 0.5, to: 0.9 };
/** What a car may want beyond its wish counts up to here, Wh: nobody knows how much room its battery has. */
const MOST_MORE_WH = 20_000;
/** The largest weight that is registered with the algorithm, per minute and times scale. */
export const MAX_EARLY = 100_000_000;

/** Early weight per minute, times scale, as the problem's header has it; at least 1, a pure tie-break. */
export function earlyWeight(problem: GroupProblem, habits: Habits, parameters: EarlyParameters = EARLY): number {
  const scarce = (scarcity(problem, takenShare(habits)) - SCARCE.from) / (SCARCE.to - SCARCE.from);
  const perHour =
    UNSURE_PER_HOUR +
    parameters.scarceMicroEurPerKwhHour * Math.min(1, Math.max(0, scarce)) +
    parameters.lostMicroEurPerKwh * leavingPerHour(habits, problem.at);
  return Math.min(MAX_EARLY, Math.max(1, Math.floor((perHour * problem.weights.scale) / 60)));
}

/** Largest share, over all departures d, of the capacity until d that cars leaving by d take of what they want. */
export function scarcity(problem: GroupProblem, takenShare: number): number {
  const wantedBy = new Float64Array(problem.intervals.length + 1);
  for (const car of problem.cars)
    wantedBy[car.to] = (wantedBy[car.to] as number) + takenShare * (car.needWh + Math.min(car.moreWh, MOST_MORE_WH));
  let capacityWh = 0;
  let wantedWh = 0;
  let worst = 0;
  for (const [t, interval] of problem.intervals.entries()) {
    capacityWh += Math.max(
      0,
      interval.limitWh - Math.max(0, interval.demandWh + interval.fixedWh - interval.productionWh),
    );
    wantedWh += wantedBy[t + 1] as number;
    if (wantedWh > 0) worst = Math.max(worst, capacityWh > 0 ? wantedWh / capacityWh : 2);
  }
  return worst;
}
