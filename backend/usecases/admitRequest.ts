/**
 * The exact question of a request: does it fit into what is surely there, with all promises held? Accepted, or short with
 * the most energy by the wished time, the earliest time for all of it, who stands in the way, and a proof.
 */
import { formatInstant } from "../domain/instants.ts";
import { isHolding } from "../domain/promises.ts";
import type { Refusal } from "../domain/sessions.ts";
import { type EpochSecond, epochSecond, type WattHour, watt, wattHour } from "../domain/units.ts";
import { admit, type EnergyRequest, type OverloadWitness, refusalProof } from "../optimisation/admission.ts";
import { encodeProblem, encodeW, encodeX, encodeY } from "../optimisation/encoding.ts";
import type { GroupProblem } from "../optimisation/problem.ts";
import type { GroupBoard, LiveSession } from "./board.ts";
import { openHorizon } from "./horizonProblem.ts";
import type { World } from "./ports.ts";
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
      readonly proof: Proof | null;
    };

/** What could not be met whatever the plan, and the certificate of it. */
type Proof = Pick<Refusal, "shortfallWh" | "problem" | "x" | "y" | "w">;

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
  const firstTo = first ? until(first.by) : 0;
  if (firstWh > 0 && firstTo <= from)
    return { ...nothing, why: "The first part is wished in less than a minute.", proof: null };
  const part = firstWh > 0 && firstTo < to ? { first: { wh: wattHour(firstWh), to: firstTo } } : {};
  const request: EnergyRequest = { energyWh: wattHour(missingWh), powerW, from, to, ...part };
  const answer = admit(problem, request);
  if (answer.kind === "accepted") return { kind: "accepted" };

  const givenWh = answer.kind === "counter" ? answer.energyWh : 0;
  // Later is on offer only when nothing but time is missing.
  const later = answer.kind === "counter" && answer.firstWh === undefined ? answer.laterTo : null;
  const asking = { session: live.number, row: live.row };
  const shortfallWh = wattHour(Math.max(missingWh - givenWh, answer.shortfallWh));
  const proven = proofOf(world, problem, { ...request, ...asking }, `${live.sessionId}:${now}`);
  return {
    kind: "short",
    energyWh: givenWh >= LEAST_WH ? delivered + givenWh : 0,
    firstWh: delivered + (answer.firstWh ?? firstWh),
    shortfallWh,
    laterAt: later === null ? null : epochSecond(ends[later - 1]!),
    why: overload(answer.witness, problem.at, ends),
    proof: { shortfallWh, ...proven },
  };
}

/** The certificate that nobody can find more, as bytes; anyone can check them, in TypeScript or by the contract. */
function proofOf(
  world: Pick<World, "random">,
  problem: GroupProblem,
  request: Parameters<typeof refusalProof>[1],
  label: string,
): Omit<Proof, "shortfallWh"> {
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
  const { sessions, intervals, neededWh, availableWh } = witness;
  const first = intervals[0];
  const last = intervals[intervals.length - 1];
  if (first === undefined || last === undefined)
    return `The car can take ${availableWh} Wh in that time at its own power, ${neededWh} Wh are wished.`;
  const from = formatInstant(first === 0 ? at : epochSecond(ends[first - 1] as number));
  const until = formatInstant(epochSecond(ends[last] as number));
  return `Between ${from} and ${until} this car and ${sessions.length} promised ones need ${neededWh} Wh; ${availableWh} Wh are surely there.`;
}
