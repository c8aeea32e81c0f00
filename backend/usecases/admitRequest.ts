/**
 * The exact question of a request: does it fit into what is surely there, with all promises held? Accepted, or short with
 * the most energy by the wished time, the earliest time for all of it, who stands in the way, and a proof.
 *
 * Minimum energy first is admitted as two steps, the first part by its time and the rest after it. That is conservative: a
 * rest that could only be charged together with the first part is not counted on.
 */
import { formatInstant } from "../domain/instants.ts";
import { isHolding } from "../domain/promises.ts";
import type { FirstPart, Refusal } from "../domain/sessions.ts";
import { type EpochSecond, epochSecond, type WattHour, watt, wattHour } from "../domain/units.ts";
import { admit, type OverloadWitness, refusalProof } from "../optimisation/admission.ts";
import { encodeProblem, encodeW, encodeX, encodeY } from "../optimisation/encoding.ts";
import type { Car, GroupProblem } from "../optimisation/problem.ts";
import type { GroupBoard, LiveSession } from "./board.ts";
import { openHorizon } from "./horizonProblem.ts";
import type { World } from "./ports.ts";
import { secondPartOf, sessionNumberOf } from "./sessionCar.ts";
import type { ChargingTerms } from "./strategies.ts";

export type Asked =
  | { readonly kind: "accepted" }
  | {
      readonly kind: "short";
      /** Most by the wished time, counted like the wish; 0 when it is too little to promise. */
      readonly energyWh: number;
      /** Most of the first part by its time, when there is one. */
      readonly firstWh: number;
      readonly shortfallWh: WattHour;
      readonly laterAt: EpochSecond | null;
      /** Who needs what when, in words: the overload witness of the exact search. */
      readonly why: string;
      readonly proof: Pick<Refusal, "problem" | "x" | "y" | "w"> | null;
    };

/** Below the tolerance of judging it, a promise would promise nothing, Wh. */
const LEAST_WH = 100;

export async function ask(
  world: World,
  group: GroupBoard,
  live: LiveSession,
  terms: ChargingTerms,
  now: EpochSecond,
): Promise<Asked> {
  const { energyNeedWh, departsAt, notBefore = 0, first } = terms;
  const open = await openHorizon(world, group, now, departsAt, [notBefore, ...(first ? [first.by] : [])]);
  const { problem, ends } = open({ without: live });
  const powerW = watt(Math.min(live.maxPowerW, live.seenMaxW ?? live.maxPowerW));
  const until = (instant: number) => ends.filter((end) => end <= instant).length;
  const to = until(departsAt);
  const from = notBefore > problem.at ? until(notBefore) + (ends.includes(notBefore) ? 0 : 1) : 0;
  const amended = live.promise && isHolding(live.promise.state) ? live.promise : null;
  const delivered = amended ? live.registerWh - amended.fromRegisterWh : 0;
  const nothing = {
    kind: "short",
    energyWh: 0,
    firstWh: 0,
    shortfallWh: wattHour(energyNeedWh),
    laterAt: null,
  } as const;
  if (to === 0) return { ...nothing, why: "The departure is less than a minute away.", proof: null };
  if (from >= to) return { ...nothing, why: "The planned start leaves no time before the departure.", proof: null };

  const missingWh = Math.max(0, energyNeedWh - delivered);
  const firstWh = first ? Math.min(missingWh, Math.max(0, first.wh - delivered)) : 0;
  const session = secondPartOf(live.number);
  const step = askFirst(problem, { session, first, firstWh, powerW, from, firstTo: first ? until(first.by) : 0 });
  const rest = { energyWh: wattHour(missingWh - firstWh), powerW, from: step.restFrom, to };
  const answer = rest.from < to ? admit(step.problem, rest) : null;
  if (step.shortWh === 0 && (answer?.kind === "accepted" || rest.energyWh === 0)) return { kind: "accepted" };

  const givenWh =
    firstWh -
    step.shortWh +
    (answer?.kind === "accepted" ? rest.energyWh : answer?.kind === "counter" ? answer.energyWh : 0);
  const witness = step.witness ?? (answer && answer.kind !== "accepted" ? answer.witness : null);
  const later = step.shortWh === 0 && answer?.kind === "counter" ? answer.laterTo : null;
  const asked = { session: live.number, row: live.row };
  const refused = step.shortWh > 0 ? { problem, request: step.request } : { problem: step.problem, request: rest };
  return {
    kind: "short",
    energyWh: givenWh >= LEAST_WH ? delivered + givenWh : 0,
    firstWh: delivered + firstWh - step.shortWh,
    shortfallWh: wattHour(missingWh - givenWh),
    laterAt: later === null ? null : epochSecond(ends[later - 1]!),
    why: witness ? overload(witness, problem.at, ends) : "The first part leaves no time for the rest.",
    proof:
      refused.request.from < refused.request.to
        ? proofOf(world, refused.problem, { ...refused.request, ...asked }, `${live.sessionId}:${now}`)
        : null,
  };
}

/** The first part by its time; the group's problem with what fits of it, and where the rest begins. */
function askFirst(
  problem: GroupProblem,
  own: Pick<Car, "session" | "powerW" | "from"> & { first: FirstPart | undefined; firstWh: number; firstTo: number },
) {
  const { firstWh, powerW, from, firstTo } = own;
  const request = { energyWh: wattHour(firstWh), powerW, from, to: firstTo };
  const none = { problem, request, witness: null };
  if (!own.first || firstWh === 0) return { ...none, shortWh: 0, restFrom: from };
  if (firstTo <= from) return { ...none, shortWh: firstWh, restFrom: from };
  const answer = admit(problem, request);
  const shortWh = answer.kind === "accepted" ? 0 : answer.shortfallWh;
  const needWh = wattHour(firstWh - shortWh);
  const car: Car = {
    powerW,
    from,
    to: firstTo,
    session: own.session,
    row: 0,
    needWh,
    moreWh: wattHour(0),
    minPowerW: watt(0),
  };
  return {
    problem: { ...problem, cars: [...problem.cars, car] },
    request,
    shortWh,
    restFrom: firstTo,
    witness: answer.kind === "accepted" ? null : answer.witness,
  };
}

/** The certificate that nobody can find more, as bytes; anyone can check them, in TypeScript or by the contract. */
function proofOf(
  world: Pick<World, "random">,
  problem: GroupProblem,
  request: Parameters<typeof refusalProof>[1],
  label: string,
): Pick<Refusal, "problem" | "x" | "y" | "w"> {
  const proof = refusalProof(problem, request);
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  return {
    problem: hex(encodeProblem(proof.problem, world.random(32, `refusal:${label}`))),
    x: hex(encodeX(proof.problem, proof.plan)),
    y: hex(encodeY(proof.plan)),
    w: hex(encodeW(proof.plan)),
  };
}

/**
 * As fast as possible: the earliest minute by which all of it can be promised, at most `departsAt`; null when that is too
 * early. Exact: whole intervals first, then the minutes of the one in which it ends.
 */
export async function soonestFor(
  world: World,
  group: GroupBoard,
  live: LiveSession,
  terms: ChargingTerms,
  now: EpochSecond,
): Promise<EpochSecond | null> {
  const { departsAt, notBefore = 0 } = terms;
  const open = await openHorizon(world, group, now, departsAt, [notBefore]);
  const coarse = open({ without: live });
  const amended = live.promise && isHolding(live.promise.state) ? live.promise : null;
  const delivered = amended ? live.registerWh - amended.fromRegisterWh : 0;
  const energyWh = wattHour(Math.max(0, terms.energyNeedWh - delivered));
  const powerW = watt(Math.min(live.maxPowerW, live.seenMaxW ?? live.maxPowerW));
  const until = (ends: readonly number[], instant: number) => ends.filter((end) => end <= instant).length;
  const start = (ends: readonly number[]) =>
    notBefore > coarse.problem.at ? until(ends, notBefore) + (ends.includes(notBefore) ? 0 : 1) : 0;
  const from = start(coarse.ends);
  if (from >= coarse.ends.length) return null;
  const answer = admit(coarse.problem, { energyWh, powerW, from, to: from + 1 });
  const to = answer.kind === "accepted" ? from + 1 : answer.kind === "counter" ? answer.laterTo : null;
  if (to === null) return null;
  let [low, high] = [to > 1 ? coarse.ends[to - 2]! : coarse.problem.at, coarse.ends[to - 1]!];
  if (low >= departsAt) return null;
  while (high - low > 60) {
    const middle = Math.ceil((low + high) / 120) * 60;
    if (middle <= low || middle >= high) break;
    const { problem, ends } = open({ without: live, cuts: [middle] });
    const [begin, end] = [start(ends), until(ends, middle)];
    const isEnough = end > begin && admit(problem, { energyWh, powerW, from: begin, to: end }).kind === "accepted";
    if (isEnough) high = middle;
    else low = middle;
  }
  return high <= departsAt ? epochSecond(high) : null;
}

function overload(witness: OverloadWitness, at: EpochSecond, ends: readonly number[]): string {
  const { intervals, neededWh, availableWh } = witness;
  const sessions = new Set(witness.sessions.map(sessionNumberOf));
  const first = intervals[0];
  const last = intervals[intervals.length - 1];
  if (first === undefined || last === undefined)
    return `The car can take ${availableWh} Wh in that time at its own power, ${neededWh} Wh are wished.`;
  const from = formatInstant(first === 0 ? at : epochSecond(ends[first - 1] as number));
  const until = formatInstant(epochSecond(ends[last] as number));
  return `Between ${from} and ${until} this car and ${sessions.size} promised ones need ${neededWh} Wh; ${availableWh} Wh are surely there.`;
}
