/**
 * How much a minute of waiting costs in the plan. Two things speak for charging early: scarce capacity that is left
 * unused now cannot be given to those who arrive later, and drivers leave earlier than they said.
 */
import type { GroupProblem } from "../optimisation/problem.ts";
import type { GroupBoard } from "./board.ts";

/** Cost of an hour of delay when capacity is scarce, micro-euro per kWh. */
const SCARCE_PER_HOUR = 40_000;
/** Capacity counts as scarce from here on: wanted energy over what the group can give by the same departure. */
const SCARCE = { from: 0.5, to: 0.9 };
/** What a kWh that its driver leaves without is worth: about the price that drivers pay, micro-euro per kWh. */
const LOST_PER_KWH = 300_000;
/** Before the group's drivers are known: one early leaver in so many hours. */
const PRIOR = { leavers: 1, hours: 200 };
/** The largest weight that is registered with the algorithm, per minute and times scale. */
export const MAX_EARLY = 100_000_000;

/** Early weight per minute, times scale, as the problem's header has it; at least 1, a pure tie-break. */
export function earlyWeight(problem: GroupProblem, stays: GroupBoard["stays"]): number {
  const scarce = Math.min(1, Math.max(0, (scarcity(problem) - SCARCE.from) / (SCARCE.to - SCARCE.from)));
  const perHour = SCARCE_PER_HOUR * scarce + LOST_PER_KWH * leavingPerHour(stays);
  return Math.min(MAX_EARLY, Math.max(1, Math.floor((perHour * problem.weights.scale) / 60)));
}

/** Rate at which drivers of this group leave before their stated departure, per hour of stay. */
const leavingPerHour = (stays: GroupBoard["stays"]) =>
  (stays.endedEarly + PRIOR.leavers) / (stays.lengthS / 3600 + PRIOR.hours);

/** Largest share, over all departures d, of the capacity until d that cars leaving by d want. */
export function scarcity(problem: GroupProblem): number {
  const wantedBy = new Float64Array(problem.intervals.length + 1);
  for (const car of problem.cars)
    wantedBy[car.to] = (wantedBy[car.to] as number) + car.needWh + Math.min(car.moreWh, 20_000);
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
