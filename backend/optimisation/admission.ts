/**
 * Admission: can this car get its energy by then, with every accepted promise kept? An exact maximum flow decides, so
 * a refusal is never a matter of search order; accepted energy is only moved between intervals, never reduced.
 * The problem's `needWh` (and `first`) are the promises, its capacities the conservative ones; `moreWh` has no claim and
 * is ignored.
 */
import { microEurPerKwh, type Watt, type WattHour, wattHour } from "../domain/units.ts";
import { capacityOf, leastCost } from "./leastCost.ts";
import type { Car, GroupProblem, Plan } from "./problem.ts";
import { openPromiseFlow, type PromiseFlow } from "./promiseFlow.ts";

/** What a driver asks for: this energy within intervals [from, to), and the first part of it by a first deadline. */
export type EnergyRequest = {
  readonly energyWh: WattHour;
  readonly powerW: Watt;
  readonly from: number;
  readonly to: number;
  readonly first?: NonNullable<Car["first"]>;
};

/**
 * Why it does not fit: within `intervals` these promised sessions and the request (not listed) need `neededWh` that
 * they cannot draw at another time, and the group has `availableWh`; the difference is the shortfall. Without intervals:
 * the car's own power is too low.
 */
export type OverloadWitness = {
  readonly sessions: readonly number[];
  readonly intervals: readonly number[];
  readonly neededWh: WattHour;
  readonly availableWh: WattHour;
};

/** `firstWh`: most by the first deadline; only when less than was asked for, and then it is what the witness explains. */
type Short = { readonly shortfallWh: WattHour; readonly witness: OverloadWitness; readonly firstWh?: WattHour };
/** `energyWh`: most by the wished time. `laterTo`: end of the shortest longer stay that fits all of it, or null. */
export type AdmissionAnswer =
  | { readonly kind: "accepted" }
  | ({ readonly kind: "counter"; readonly energyWh: WattHour; readonly laterTo: number | null } & Short)
  | ({ readonly kind: "refused" } & Short);

/** One problem, asked again and again: its flow is laid once and then kept. Owns mutable state; not a value. */
export type Admission = {
  /** The answer to a request; nothing changes. */
  readonly ask: (request: EnergyRequest) => AdmissionAnswer;
  /** The same, and an accepted request is held from now on like the promises of the problem. */
  readonly accept: (session: number, request: EnergyRequest) => AdmissionAnswer;
};

export function openAdmission(problem: GroupProblem): Admission {
  let held: readonly Car[] = problem.cars;
  let flow = openPromiseFlow(problem);

  function decide(request: EnergyRequest, session: number | null): AdmissionAnswer {
    refuseNonsense(request, problem.intervals.length);
    let seat = flow.seat(request);
    if (seat < 0) {
      flow = openPromiseFlow({ ...problem, cars: held });
      seat = flow.seat(request);
    }
    const answer = answerTo(problem, held, flow, request, seat);
    if (answer.kind === "accepted" && session !== null) {
      held = [...held, carOf({ ...request, session, row: 0 })];
      flow.look();
    } else flow.unseat();
    return answer;
  }
  return { ask: (request) => decide(request, null), accept: (session, request) => decide(request, session) };
}

/** The answer to one request. To amend a promise, leave its car out of the problem and ask for all of its energy. */
export const admit = (problem: GroupProblem, request: EnergyRequest): AdmissionAnswer =>
  openAdmission(problem).ask(request);

function refuseNonsense({ energyWh, from, to, first }: EnergyRequest, m: number): void {
  if (!(from >= 0 && from < to && to <= m)) throw new RangeError(`Stay [${from}, ${to}) is not within ${m} intervals.`);
  if (!Number.isSafeInteger(energyWh) || energyWh < 0) throw new RangeError(`Request of ${energyWh} Wh.`);
  if (first && !(first.wh >= 0 && first.wh <= energyWh && first.to > from && first.to <= to))
    throw new RangeError(
      `First part of ${first.wh} Wh by interval ${first.to}, of ${energyWh} Wh in [${from}, ${to}).`,
    );
}

function answerTo(
  problem: GroupProblem,
  held: readonly Car[],
  flow: PromiseFlow,
  request: EnergyRequest,
  seat: number,
): AdmissionAnswer {
  const { energyWh, powerW, from, to, first } = request;
  const partWh = first?.wh ?? 0;
  if (first) flow.holdFirst(seat, first.to, 0);
  const firstWh = first ? flow.give(seat, from, first.to, partWh) : 0;
  const inPart = first && firstWh < partWh ? { ...request, energyWh: first.wh, to: first.to } : null;
  const partWitness = inPart && witnessOf(problem, held, flow, inPart, seat);
  if (first) flow.holdFirst(seat, first.to, energyWh - firstWh);
  const given = firstWh + flow.give(seat, from, to, energyWh - firstWh);
  if (given === energyWh && !partWitness) return { kind: "accepted" };
  const short: Short = partWitness
    ? { shortfallWh: wattHour(partWh - firstWh), witness: partWitness, firstWh: wattHour(firstWh) }
    : { shortfallWh: wattHour(energyWh - given), witness: witnessOf(problem, held, flow, request, seat) };
  let later = given;
  let laterTo: number | null = null;
  for (let t = to; t < problem.intervals.length && later < energyWh; t++) {
    flow.extend(seat, powerW, t);
    later += flow.give(seat, from, t + 1, energyWh - later);
    if (later === energyWh) laterTo = t + 1;
  }
  return given > 0 || laterTo !== null
    ? { kind: "counter", energyWh: wattHour(given), laterTo, ...short }
    : { kind: "refused", ...short };
}

/**
 * Per car the Wh that could be guaranteed in addition, to it alone, with every other promise held; at most `mostWh`.
 * Negative: so much of its promise does not fit, or not by its first deadline.
 */
export function slack(problem: GroupProblem, mostWh = Number.POSITIVE_INFINITY): number[] {
  const flow = openPromiseFlow(problem);
  return problem.cars.map((car, i) => {
    const lacking = Math.max(flow.missing[i]!, flow.missingFirst[i]!);
    return lacking > 0 ? -lacking : flow.spareFor(i, car.from, car.to, mostWh);
  });
}

/**
 * Proof of a refusal: the same group with all prices 0 and the request as a promise. The cost of any plan is then its
 * shortfall times scale x voll, so the certified bound is the smallest possible shortfall. Second deadlines are not in
 * the bytes: a car stands for its whole promise or for its first part, whichever proves more, so that with them the
 * proven shortfall may be less than the true one.
 */
export function refusalProof(
  problem: GroupProblem,
  request: EnergyRequest & { readonly session: number; readonly row: number },
): { readonly problem: GroupProblem; readonly plan: Plan; readonly shortfallWh: WattHour } {
  const zero = microEurPerKwh(0);
  const { scale, voll } = problem.weights;
  const proofWith = (cars: readonly Car[]) => {
    const priceless: GroupProblem = {
      ...problem,
      weights: { ...problem.weights, early: 0 },
      cars: cars.map((car) => ({ ...car, moreWh: wattHour(0) })).sort((a, b) => a.session - b.session),
      intervals: problem.intervals.map((interval) => ({ ...interval, price: zero, feedIn: zero })),
    };
    const plan = leastCost(priceless);
    const shortfallWh = wattHour(Number(plan.cost / (BigInt(scale) * BigInt(voll))));
    return { problem: priceless, plan, shortfallWh };
  };
  const all = [...problem.cars, carOf(request)];
  const whole = proofWith(all.map(({ first: _, ...car }) => car));
  if (all.every(({ first }) => first === undefined)) return whole;
  const parts = proofWith(all.map(({ first, ...car }) => (first ? { ...car, to: first.to, needWh: first.wh } : car)));
  return parts.shortfallWh > whole.shortfallWh ? parts : whole;
}

const carOf = ({
  energyWh,
  powerW,
  ...at
}: EnergyRequest & { readonly session: number; readonly row: number }): Car => ({
  ...at,
  powerW,
  needWh: energyWh,
  moreWh: wattHour(0),
  minPowerW: 0 as Watt,
});

/**
 * The cut that stopped the search: the full intervals that the request reaches, and every car that it meets there.
 * A car that may draw no more after its first deadline leads from before it only to other intervals before it.
 */
function witnessOf(
  problem: GroupProblem,
  held: readonly Car[],
  { flow, turn, isShut, rankOf }: PromiseFlow,
  request: EnergyRequest,
  asking: number,
): OverloadWitness {
  const { first, from, to, most, energy, used, m } = flow;
  const words = Math.floor((m + 31) / 32);
  const inside = new Int32Array(words);
  const isInside = (t: number) => ((inside[t >>> 5]! >>> t) & 1) === 1;
  const arcOf = (i: number, t: number) => first[i]! + t - from[i]!;
  /** Every interval with room for the car before `end` is reached. */
  const enter = (i: number, start: number, end: number): void => {
    for (let t = start; t < end; t++) if (energy[arcOf(i, t)]! < most[arcOf(i, t)]!) inside[t >>> 5]! |= 1 << t;
  };
  const draws = (i: number, start: number, end: number): boolean => {
    for (let t = start; t < end; t++) if (isInside(t) && energy[arcOf(i, t)]! > 0) return true;
    return false;
  };
  const askingShut = isShut(asking, request.to - 1);
  enter(asking, request.from, askingShut ? turn[asking]! : request.to);
  const joined = new Uint8Array(asking + 1);
  const WHOLE = 2; // 1: met only before its first deadline
  for (let grown = true; grown; ) {
    grown = false;
    // The request itself may be in its own way after its first deadline.
    for (let i = askingShut ? asking : asking - 1; i >= 0; i--) {
      if (joined[i] === WHOLE) continue;
      let met = 0;
      for (let w = 0; w < words; w++) met |= used[rankOf[i]! * words + w]! & inside[w]!;
      if (met === 0) continue;
      const end = to[i]!;
      const shut = isShut(i, end - 1);
      const part = !shut || draws(i, Math.max(from[i]!, turn[i]!), end) ? WHOLE : 1;
      if (part <= joined[i]!) continue;
      joined[i] = part;
      grown = true;
      enter(i, from[i]!, part === WHOLE ? end : Math.min(turn[i]!, end));
    }
  }
  let neededWh = request.energyWh as number;
  for (let t = request.from; t < request.to; t++) if (!isInside(t)) neededWh -= energy[arcOf(asking, t)]!;
  const sessions: number[] = [];
  for (const [i, { session }] of held.entries()) {
    if (joined[i] === 0) continue;
    sessions.push(session);
    for (let t = from[i]!; t < to[i]!; t++) if (isInside(t)) neededWh += energy[arcOf(i, t)]!;
  }
  const intervals: number[] = [];
  let availableWh = 0;
  for (let t = 0; t < m; t++) {
    if (!isInside(t)) continue;
    intervals.push(t);
    const { pv, grid } = capacityOf(problem.intervals[t]!);
    availableWh += pv + grid;
  }
  return { sessions, intervals, neededWh: wattHour(neededWh), availableWh: wattHour(availableWh) };
}
