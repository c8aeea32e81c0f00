/**
 * Flexibility orders on a group's problem: the cars' energy of a slot capped (down), or the slot made cheap (up), and
 * how much can be delivered with every promise whole. Exact by maximum flows: which reductions leave the promises whole
 * is a polymatroid, so filling all slots evenly until one cannot give more finds a fair share and the largest total.
 */
import { SLOT_S } from "../domain/slots.ts";
import { microEurPerKwh, type WattHour, wattHour } from "../domain/units.ts";
import { capacityOf, openFlow } from "./leastCost.ts";
import type { Car, GroupProblem, Interval, Plan } from "./problem.ts";
import { openPromiseFlow } from "./promiseFlow.ts";

/** A horizon: a problem, or one that has no cars yet. */
type Intervals = Pick<GroupProblem, "at" | "intervals">;

/** By slot number. */
export type BySlot = ReadonlyMap<number, number>;

/** The slot of each interval. */
export function slotsOf({ at, intervals }: Intervals): number[] {
  let startsAt: number = at;
  return intervals.map(({ durationS }) => {
    const slot = Math.floor(startsAt / SLOT_S);
    startsAt += durationS;
    return slot;
  });
}

/** Cars' energy of a plan by slot, with what is set aside for those who did not opt in. Wh */
export function carsWhBySlot(problem: GroupProblem, plan: Pick<Plan, "energyWh">): Map<number, number> {
  const slots = slotsOf(problem);
  const bySlot = new Map<number, number>();
  const add = (t: number, wh: number) => bySlot.set(slots[t]!, (bySlot.get(slots[t]!) ?? 0) + wh);
  for (const [t, { fixedWh }] of problem.intervals.entries()) add(t, fixedWh);
  for (const [i, car] of problem.cars.entries())
    for (const [k, wh] of (plan.energyWh[i] ?? []).entries()) add(car.from + k, wh);
  return bySlot;
}

/**
 * The problem in which the cars of a slot (fixed ones included) take at most `capsWh`; of the problem's first slot
 * `spentWh` are spent already. What a cap leaves beside fixed load is shared out over the slot's intervals by time. PV
 * that the cars may not take is left out of the problem: it is fed in whatever they do.
 */
export function withCaps<Laid extends Intervals>(problem: Laid, capsWh: BySlot, spentWh = 0): Laid {
  if (capsWh.size === 0) return problem;
  const roomWh = roomUnder(problem, capsWh, spentWh);
  const intervals = problem.intervals.map((interval, t) => {
    const wh = roomWh[t];
    return wh === null || wh === undefined ? interval : withRoom(interval, wh);
  });
  return { ...problem, intervals };
}

/** What a cap leaves the planned cars in each interval, Wh; null where there is none. */
function roomUnder(problem: Intervals, capsWh: BySlot, spentWh: number): (number | null)[] {
  const slots = slotsOf(problem);
  const lengthS = new Map<number, number>();
  const takenWh = new Map<number, number>([[slots[0]!, spentWh]]);
  for (const [t, { durationS, fixedWh }] of problem.intervals.entries()) {
    lengthS.set(slots[t]!, (lengthS.get(slots[t]!) ?? 0) + durationS);
    takenWh.set(slots[t]!, (takenWh.get(slots[t]!) ?? 0) + fixedWh);
  }
  return problem.intervals.map(({ durationS }, t) => {
    const capWh = capsWh.get(slots[t]!);
    if (capWh === undefined) return null;
    return Math.floor((Math.max(0, capWh - takenWh.get(slots[t]!)!) * durationS) / lengthS.get(slots[t]!)!);
  });
}

/** The interval in which the cars that are planned may take no more than `roomWh`. */
function withRoom(interval: Interval, roomWh: number): Interval {
  const { limitWh, demandWh, productionWh, fixedWh } = interval;
  const netWh = demandWh + fixedWh - productionWh;
  if (netWh >= 0) return { ...interval, limitWh: wattHour(Math.min(limitWh, netWh + roomWh)) };
  const surplusWh = -netWh;
  return {
    ...interval,
    limitWh: wattHour(Math.min(limitWh, Math.max(0, roomWh - surplusWh))),
    productionWh: wattHour(productionWh - Math.max(0, surplusWh - roomWh)),
  };
}

/** The problem in which slots cost less by their bonus, micro-euro per kWh: a plan of the same exact class prefers them. */
export function withBonus<Laid extends Intervals>(problem: Laid, bonus: BySlot): Laid {
  if (bonus.size === 0) return problem;
  const slots = slotsOf(problem);
  return {
    ...problem,
    intervals: problem.intervals.map((interval, t) => {
      const less = bonus.get(slots[t]!) ?? 0;
      return less === 0 ? interval : { ...interval, price: microEurPerKwh(interval.price - less) };
    }),
  };
}

/** Promised Wh that do not fit, all promises together, first deadlines included. */
export function shortWh(problem: GroupProblem): number {
  if (problem.cars.some((car) => car.first)) {
    const { missing, missingFirst } = openPromiseFlow(problem);
    return problem.cars.reduce((sum, _, i) => sum + missing[i]! + missingFirst[i]!, 0);
  }
  const flow = openFlow(problem);
  for (const [i, car] of problem.cars.entries()) flow.left[i] = car.needWh;
  for (const [t, interval] of problem.intervals.entries()) {
    const { pv, grid } = capacityOf(interval);
    flow.raise(t, pv + grid);
  }
  let short = 0;
  for (let i = 0; i < problem.cars.length; i++) short += flow.left[i]!;
  return short;
}

/**
 * How much the cars' energy of each slot can be lowered below `plannedWh`, at most `orderedWh`, all slots together, so
 * that no promise gets shorter than it is. Wh by slot.
 */
export function deliverableDown(
  problem: GroupProblem,
  plannedWh: BySlot,
  orderedWh: number,
  spentWh = 0,
): Map<number, WattHour> {
  const slots = [...plannedWh.keys()];
  const fixedWh = carsWhBySlot(problem, { energyWh: [] });
  const mostWh = slots.map((slot) =>
    Math.min(orderedWh, Math.max(0, (plannedWh.get(slot) ?? 0) - (fixedWh.get(slot) ?? 0))),
  );
  const shortBefore = shortWh(problem);
  const holds = (reducedWh: readonly number[], untouched: boolean) => {
    const capsWh = new Map(
      slots.flatMap((slot, k) =>
        untouched && reducedWh[k] === 0 ? [] : [[slot, (plannedWh.get(slot) ?? 0) - reducedWh[k]!] as const],
      ),
    );
    return shortWh(withCaps(problem, capsWh, spentWh)) <= shortBefore;
  };
  // No ordered slot takes up what another one gives, unless what is known by now does not fit the old plan any more.
  const nothing = slots.map(() => 0);
  const outgrown = !holds(nothing, false);
  return named(
    slots,
    evenMost(mostWh, (reducedWh) => holds(reducedWh, outgrown)),
  );
}

/**
 * How much the cars' energy of each slot can be raised above `plannedWh`, at most `orderedWh`, all slots together, by
 * what cars owe and wish (`needWh` and `moreWh`). Promises take no harm: a flow that fills the slots and one that serves
 * the promises can be joined into one that does both (Mendelsohn and Dulmage 1958). Wh by slot.
 */
export function deliverableUp(given: GroupProblem, plannedWh: BySlot, orderedWh: number): Map<number, WattHour> {
  const problem = { ...given, cars: given.cars.flatMap(inParts) };
  const slots = [...plannedWh.keys()];
  const ofInterval = slotsOf(problem);
  const holds = (raisedWh: readonly number[], lenient: boolean) => {
    const wantedWh = new Map(slots.map((slot, k) => [slot, (plannedWh.get(slot) ?? 0) + raisedWh[k]!]));
    const flow = openFlow(problem);
    for (const [i, car] of problem.cars.entries()) flow.left[i] = car.needWh + car.moreWh;
    return roomUnder(problem, wantedWh, 0).every((wh, t) => {
      if (wh === null) return true;
      const { pv, grid } = capacityOf(problem.intervals[t]!);
      const raised = flow.raise(t, Math.min(wh, pv + grid));
      return raised === wh || (lenient && raisedWh[slots.indexOf(ofInterval[t]!)] === 0);
    });
  };
  // No ordered slot gives up what was planned in it to another one, unless the old plan does not fit any more.
  const nothing = slots.map(() => 0);
  const outgrown = !holds(nothing, false);
  return named(
    slots,
    evenMost(
      slots.map(() => orderedWh),
      (raisedWh) => holds(raisedWh, outgrown),
    ),
  );
}

/** A car with a first deadline as two that follow each other: what fits so fits in truth. */
function inParts({ first, ...car }: Car): Car[] {
  if (!first) return [car];
  const rest = { from: first.to, needWh: wattHour(Math.max(0, car.needWh - first.wh)) };
  return [
    { ...car, to: first.to, needWh: first.wh, moreWh: wattHour(0) },
    ...(first.to < car.to ? [{ ...car, ...rest }] : []),
  ];
}

/**
 * The least bonus with which the plan takes `wantedWh` in every slot, up to `mostBonus`; with `mostBonus` the plan takes
 * what it can. Micro-euro per kWh.
 */
export function leastBonus(
  problem: GroupProblem,
  wanted: BySlot,
  mostBonus: number,
  plan: (problem: GroupProblem) => Pick<Plan, "energyWh">,
): number {
  const lengths = new Map<number, number>();
  for (const slot of slotsOf(problem)) lengths.set(slot, (lengths.get(slot) ?? 0) + 1);
  const reaches = (bonus: number) => {
    const cheaper = withBonus(problem, new Map([...wanted.keys()].map((slot) => [slot, bonus])));
    const bySlot = carsWhBySlot(cheaper, plan(cheaper));
    // What is shared out over intervals is rounded down in each of them.
    return [...wanted].every(([slot, wh]) => (bySlot.get(slot) ?? 0) >= wh - (lengths.get(slot) ?? 0) + 1);
  };
  return mostBonus - (mostThat(mostBonus, (less) => reaches(mostBonus - less)) ?? 0);
}

/**
 * The amounts, at most `most` each, that are as even as possible and cannot be raised any more; none of them is given
 * up for another. `holds` must be true of smaller amounts whenever it is of larger ones, and of none at all.
 */
export function evenMost(most: readonly number[], holds: (amounts: readonly number[]) => boolean): number[] {
  if (holds(most)) return [...most];
  let amounts = most.map(() => 0);
  let open = [...most.keys()].filter((k) => most[k]! > 0);
  const raised = (by: number) =>
    amounts.map((amount, k) => (open.includes(k) ? Math.min(most[k]!, amount + by) : amount));
  const oneMore = (k: number) => amounts.map((amount, j) => (j === k ? amount + 1 : amount));
  while (open.length > 0) {
    const furthest = Math.max(...open.map((k) => most[k]! - amounts[k]!));
    amounts = raised(mostThat(furthest, (by) => holds(raised(by))) ?? 0);
    // The last Wh goes to the first ones that can take it.
    const still: number[] = [];
    for (const k of open) {
      if (amounts[k]! >= most[k]! || !holds(oneMore(k))) continue;
      amounts = oneMore(k);
      still.push(k);
    }
    open = still;
  }
  return amounts;
}

/** The largest whole number from 0 to `most` that holds, or null when not even 0 does. */
function mostThat(most: number, holds: (n: number) => boolean): number | null {
  if (!holds(0)) return null;
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

const named = (slots: readonly number[], amounts: readonly number[]) =>
  new Map(slots.map((slot, k) => [slot, wattHour(amounts[k]!)]));
