/**
 * A driver asks for energy by a time. Answered at once and exactly: accepted, a counter-offer (the most by that time,
 * the earliest time for all of it), or not possible with the shortfall. Accepted promises of others are never reduced.
 */
import { formatInstant } from "../domain/instants.ts";
import { type EnergyPromise, isHolding, offerPromise, transition } from "../domain/promises.ts";
import type { Admission, ChargingPreferences, ChargingSession } from "../domain/sessions.ts";
import { type EpochSecond, epochSecond, type WattHour, watt, wattHour } from "../domain/units.ts";
import { admit, type OverloadWitness } from "../optimisation/admission.ts";
import { findLive, type GroupBoard, type LiveSession } from "./board.ts";
import { horizonProblem } from "./horizonProblem.ts";
import type { Store, World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export type ChargingRequest = {
  readonly sessionId: string;
  readonly energyNeedWh: WattHour;
  readonly departsAt: EpochSecond;
};

export type ChargingAnswer =
  | { readonly kind: "accepted"; readonly promise: EnergyPromise }
  | {
      readonly kind: "counter-offer";
      readonly promise: EnergyPromise;
      readonly energyWh: WattHour;
      readonly laterAt: EpochSecond | null;
      readonly shortfallWh: WattHour;
    }
  | {
      readonly kind: "not-possible";
      readonly shortfallWh: WattHour;
      /** All of it would fit by then. */
      readonly laterAt: EpochSecond | null;
      readonly text: string;
    }
  | Refused<"unknown-session" | "past-departure" | "suspicious-need" | "suspicious-departure" | "closed">;

/** A need outside of these is a wrong unit rather than a wish, Wh. */
const NEED = { leastWh: 100, mostWh: 250_000 };
const LONGEST_STAY_S = 9 * 86_400;

export async function requestCharging(world: World, request: ChargingRequest): Promise<ChargingAnswer> {
  const now = world.clock.now();
  const session = await world.store.sessions.byId(request.sessionId);
  if (!session) return refused("unknown-session", `Session ${request.sessionId} is not known. Plug in first.`);
  if (session.unpluggedAt !== null) return refused("closed", `Session ${session.id} has ended. Start a new one.`);
  if (request.departsAt <= now)
    return refused("past-departure", "The departure lies in the past. Give the time at which the car will leave.");
  if (request.departsAt > now + LONGEST_STAY_S)
    return refused("suspicious-departure", "The departure is more than nine days away. Is the date right?");
  if (request.energyNeedWh < NEED.leastWh || request.energyNeedWh > NEED.mostWh)
    return refused(
      "suspicious-need",
      `A need of ${request.energyNeedWh} Wh is not plausible for a car (${NEED.leastWh} to ${NEED.mostWh} Wh). Is it in Wh?`,
    );
  const found = findLive(world.board, session.id);
  if (!found)
    throw new Error(`Session ${session.id} is open but not on the live board. Restart the service to rebuild it.`);
  const { live, group } = found;

  const present = live.promise;
  if (present && isHolding(present.state) && sameWish(live, request)) return repeat(world, session, present);

  // A new wish must not wipe out a breach: the promise whose time is over is settled with the bill.
  if (present && isHolding(present.state) && present.by <= now)
    return {
      kind: "not-possible",
      shortfallWh: request.energyNeedWh,
      laterAt: null,
      text: `The promise of ${present.energyWh} Wh until ${formatInstant(present.by)} is settled when the car is unplugged. Until then it charges as capacity allows.`,
    };

  const answer = await ask(world, group, live, request, now);
  // An amended promise counts from where it began; after one that has ended a new one begins.
  const fromRegisterWh = wattHour(present && isHolding(present.state) ? present.fromRegisterWh : live.registerWh);
  const version = ((await world.store.promises.history(session.id)).at(-1)?.version ?? 0) + 1;
  const energyWh = wattHour(answer.kind === "accepted" ? request.energyNeedWh : answer.energyWh);
  // An amendment that does not fit as wished changes nothing: the old promise stands.
  if (present && isHolding(present.state) && answer.kind !== "accepted")
    return {
      kind: "not-possible",
      shortfallWh: answer.shortfallWh,
      laterAt: answer.laterAt,
      text: `${answer.why} The promise that stands is kept; at most ${energyWh} Wh would fit by then.`,
    };

  const admission: Admission = {
    sessionId: session.id,
    at: now,
    kind: answer.kind === "accepted" ? "accepted" : energyWh > 0 ? "counter-offered" : "refused",
    wishedWh: request.energyNeedWh,
    wishedBy: request.departsAt,
    offeredWh: energyWh,
    shortfallWh: answer.kind === "accepted" ? wattHour(0) : answer.shortfallWh,
  };
  const offer =
    energyWh > 0
      ? offerPromise({ sessionId: session.id, version, energyWh, by: request.departsAt, fromRegisterWh }, now)
      : null;
  const promise = offer && answer.kind === "accepted" ? transition(offer, { kind: "accept", at: now }) : offer;
  await world.store.transaction(async (store) => {
    await remember(store, session, request, admission, now);
    if (present && isHolding(present.state)) await store.promises.put(transition(present, { kind: "amend", at: now }));
    if (promise) await store.promises.put(promise);
  });
  live.mode = promise ? "smart" : "best-effort";
  live.departsAt = request.departsAt;
  live.wishedWh = request.energyNeedWh + (fromRegisterWh - live.startRegisterWh);
  live.grant = null;
  live.promise = promise;
  world.clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: group.groupId });
  if (promise) {
    world.clock.schedule(promise.by, { kind: "promise-due", sessionId: session.id });
    if (promise.state === "offered")
      world.clock.schedule(promise.expiresAt, { kind: "offer-expiry", sessionId: session.id });
  }
  world.updates?.publish(`session:${session.id}`, { kind: "admission", admission: admission.kind });
  if (!promise)
    return {
      kind: "not-possible",
      shortfallWh: admission.shortfallWh,
      laterAt: answer.kind === "short" ? answer.laterAt : null,
      text: `${answer.kind === "short" ? answer.why : ""} The car charges as capacity allows, without a promise.`,
    };
  if (answer.kind === "accepted") return { kind: "accepted", promise };
  return { kind: "counter-offer", promise, energyWh, laterAt: answer.laterAt, shortfallWh: answer.shortfallWh };
}

type Asked =
  | { readonly kind: "accepted" }
  | {
      readonly kind: "short";
      readonly energyWh: number;
      readonly shortfallWh: WattHour;
      readonly laterAt: EpochSecond | null;
      /** Who needs what when, in words: the overload witness of the exact search. */
      readonly why: string;
    };

/** The exact question: does it fit into what is surely there, all promises held? */
async function ask(
  world: World,
  group: GroupBoard,
  live: LiveSession,
  request: ChargingRequest,
  now: EpochSecond,
): Promise<Asked> {
  const powerW = watt(Math.min(live.maxPowerW, live.seenMaxW ?? live.maxPowerW));
  const { problem, ends } = await horizonProblem(world, group, now, live, request.departsAt);
  let to = 0;
  while (to < ends.length && (ends[to] as number) <= request.departsAt) to++;
  const alone = wattHour(request.energyNeedWh);
  if (to === 0)
    return {
      kind: "short",
      energyWh: 0,
      shortfallWh: alone,
      laterAt: null,
      why: "The departure is less than a minute away.",
    };
  const amended = live.promise && isHolding(live.promise.state) ? live.promise : null;
  const delivered = amended ? live.registerWh - amended.fromRegisterWh : 0;
  const missingWh = wattHour(Math.max(0, request.energyNeedWh - delivered));
  const answer = admit(problem, { energyWh: missingWh, powerW, from: 0, to });
  if (answer.kind === "accepted") return { kind: "accepted" };
  const why = overload(answer.witness, problem.at, ends);
  if (answer.kind === "refused")
    return { kind: "short", energyWh: 0, shortfallWh: answer.shortfallWh, laterAt: null, why };
  const laterTo = answer.laterTo;
  // The promise must be worth its name: below the tolerance of judging it, it would promise nothing.
  const energyWh = answer.energyWh >= NEED.leastWh ? delivered + answer.energyWh : 0;
  return {
    kind: "short",
    energyWh,
    shortfallWh: answer.shortfallWh,
    laterAt: laterTo === null ? null : epochSecond(ends[laterTo - 1] as number),
    why,
  };
}

async function remember(
  store: Store,
  session: ChargingSession,
  request: ChargingPreferences & { sessionId: string },
  admission: Admission,
  now: EpochSecond,
): Promise<void> {
  await store.sessions.setPreferences(session.id, now, {
    energyNeedWh: request.energyNeedWh,
    departsAt: request.departsAt,
  });
  await store.sessions.addAdmission(admission);
  await store.sessions.setMode(session.id, admission.kind === "refused" ? "best-effort" : "smart");
}

/** The same wish again is the same request: answered again, nothing changes. */
const sameWish = (live: LiveSession, request: ChargingRequest) =>
  live.departsAt === request.departsAt &&
  live.wishedWh === request.energyNeedWh + ((live.promise?.fromRegisterWh ?? 0) - live.startRegisterWh);

async function repeat(world: World, session: ChargingSession, promise: EnergyPromise): Promise<ChargingAnswer> {
  if (promise.state !== "offered") return { kind: "accepted", promise };
  const admission = await world.store.sessions.admission(session.id);
  return {
    kind: "counter-offer",
    promise,
    energyWh: promise.energyWh,
    laterAt: null,
    shortfallWh: admission?.shortfallWh ?? wattHour(0),
  };
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
