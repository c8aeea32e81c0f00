/**
 * A driver asks for energy by a time. Answered at once and exactly: accepted, a counter-offer (the most by that time,
 * the earliest time for all of it), or not possible with the shortfall. Accepted promises of others are never reduced.
 * All strategies end here (strategies.ts); what fits is decided in admitRequest.ts.
 */
import { formatInstant } from "../domain/instants.ts";
import { type EnergyPromise, isHolding, offerPromise, transition } from "../domain/promises.ts";
import type { Admission, ChargingSession } from "../domain/sessions.ts";
import { type EpochSecond, epochSecond, type WattHour, wattHour } from "../domain/units.ts";
import { type Asked, ask, soonestFor } from "./admitRequest.ts";
import { findLive, type GroupBoard, type LiveSession } from "./board.ts";
import { renewGrant, setSteady, steadyStart } from "./grants.ts";
import { openHorizon } from "./horizonProblem.ts";
import type { Store, World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";
import type { ChargingTerms } from "./strategies.ts";

export type ChargingRequest = ChargingTerms & { readonly sessionId: string };

export type ChargingAnswer =
  | { readonly kind: "accepted"; readonly promise: EnergyPromise }
  | {
      readonly kind: "counter-offer";
      readonly promise: EnergyPromise;
      readonly energyWh: WattHour;
      /** All of it would fit by then; taken with `answerOffer({ which: "later" })`. */
      readonly laterAt: EpochSecond | null;
      readonly shortfallWh: WattHour;
    }
  | {
      readonly kind: "not-possible";
      readonly shortfallWh: WattHour;
      /** What a changed promise could be by then; 0 where there is none to change. */
      readonly energyWh: WattHour;
      /** All of it would fit by then. */
      readonly laterAt: EpochSecond | null;
      readonly text: string;
    }
  | Refused<
      | "unknown-session"
      | "past-departure"
      | "suspicious-need"
      | "suspicious-departure"
      | "closed"
      | "bad-start"
      | "bad-first"
    >;

/** A need outside of these is a wrong unit rather than a wish, Wh. */
const NEED = { leastWh: 100, mostWh: 250_000 };
const LONGEST_STAY_S = 9 * 86_400;

export async function requestCharging(world: World, request: ChargingRequest): Promise<ChargingAnswer> {
  const now = world.clock.now();
  const session = await world.store.sessions.byId(request.sessionId);
  if (!session) return refused("unknown-session", `Session ${request.sessionId} is not known. Plug in first.`);
  if (session.unpluggedAt !== null) return refused("closed", `Session ${session.id} has ended. Start a new one.`);
  const fault = faultOf(request, now);
  if (fault) return fault;
  const found = findLive(world.board, session.id);
  if (!found)
    throw new Error(`Session ${session.id} is open but not on the live board. Restart the service to rebuild it.`);
  const { live, group } = found;

  const present = live.promise;
  const holding = present && isHolding(present.state) ? present : null;
  if (holding && sameWish(live, request)) return repeat(world, session, holding);
  // A new wish must not wipe out a breach: the promise whose time is over is settled with the bill.
  if (holding && holding.by <= now)
    return {
      kind: "not-possible",
      shortfallWh: request.energyNeedWh,
      energyWh: wattHour(0),
      laterAt: null,
      text: `The promise of ${holding.energyWh} Wh until ${formatInstant(holding.by)} is settled when the car is unplugged. Until then it charges as capacity allows.`,
    };

  const soonest = request.soonest ? await soonestFor(world, group, live, request, now) : null;
  const { first: wishedFirst, ...rest } = request;
  const departsAt = soonest ?? request.departsAt;
  // By then all of it is in: a first part would come after it.
  const isFirst = wishedFirst !== undefined && wishedFirst.by < departsAt;
  const terms: ChargingTerms = { ...rest, departsAt, ...(isFirst && { first: wishedFirst }) };
  // An amended promise counts from where it began; after one that has ended a new one begins.
  const fromRegisterWh = wattHour(holding ? holding.fromRegisterWh : live.registerWh);
  const { answer, steadyFrom } = await askSteadily(world, group, live, terms, fromRegisterWh, now);
  const isAccepted = answer.kind === "accepted";
  const energyWh = wattHour(isAccepted ? terms.energyNeedWh : answer.energyWh);
  const admission: Admission = {
    sessionId: session.id,
    at: now,
    kind: isAccepted ? "accepted" : energyWh > 0 ? "counter-offered" : "refused",
    wishedWh: terms.energyNeedWh,
    wishedBy: terms.departsAt,
    offeredWh: energyWh,
    shortfallWh: isAccepted ? wattHour(0) : answer.shortfallWh,
    ...(!isAccepted && answer.laterAt !== null && { laterAt: answer.laterAt }),
  };
  // An amendment that does not fit as wished changes nothing: the old promise stands.
  if (holding && !isAccepted) {
    await addProof(world.store, admission, answer);
    return {
      kind: "not-possible",
      shortfallWh: answer.shortfallWh,
      energyWh,
      laterAt: answer.laterAt,
      text: `${answer.why} The promise that stands is kept; at most ${energyWh} Wh would fit by then.`,
    };
  }
  const version = ((await world.store.promises.history(session.id)).at(-1)?.version ?? 0) + 1;
  const first = firstPart(terms, answer, energyWh);
  const offer =
    energyWh > 0
      ? offerPromise({ sessionId: session.id, version, energyWh, by: terms.departsAt, fromRegisterWh, first }, now)
      : null;
  const promise = offer && isAccepted ? transition(offer, { kind: "accept", at: now }) : offer;
  await world.store.transaction(async (store) => {
    const { energyNeedWh, departsAt, notBefore, battery } = terms;
    await store.sessions.setPreferences(session.id, now, {
      ...{ energyNeedWh, departsAt },
      ...(notBefore !== undefined && { notBefore }),
      ...(terms.first && { first: terms.first }),
      ...(battery && { battery: { ...battery, registerWh: wattHour(live.registerWh) } }),
    });
    await store.sessions.addAdmission(admission);
    await store.sessions.setMode(session.id, admission.kind === "refused" ? "best-effort" : "smart");
    await addProof(store, admission, answer);
    if (holding) await store.promises.put(transition(holding, { kind: "amend", at: now }));
    if (promise) await store.promises.put(promise);
  });
  live.mode = promise ? "smart" : "best-effort";
  live.departsAt = terms.departsAt;
  live.notBefore = terms.notBefore ?? 0;
  live.wishedWh = terms.energyNeedWh + (fromRegisterWh - live.startRegisterWh);
  live.promise = promise;
  if (steadyFrom !== null) await setSteady(world, live, steadyFrom);
  if (live.boost) await renewGrant(world, group, live);
  else live.grant = null;
  schedule(world, group, session.id, promise, now);
  world.updates?.publish(`session:${session.id}`, { kind: "admission", admission: admission.kind });
  if (isAccepted && promise) return { kind: "accepted", promise };
  const { laterAt, shortfallWh, why } = answer as Asked & { kind: "short" };
  if (promise) return { kind: "counter-offer", promise, energyWh, laterAt, shortfallWh };
  const text = `${why} The car charges as capacity allows, without a promise.`;
  return { kind: "not-possible", shortfallWh, energyWh: wattHour(0), laterAt, text };
}

function faultOf(request: ChargingTerms, now: EpochSecond): Exclude<ChargingAnswer, { kind: "accepted" }> | null {
  const { energyNeedWh, departsAt, notBefore, first } = request;
  if (departsAt <= now)
    return refused("past-departure", "The departure lies in the past. Give the time at which the car will leave.");
  if (departsAt > now + LONGEST_STAY_S)
    return refused("suspicious-departure", "The departure is more than nine days away. Is the date right?");
  if (energyNeedWh < NEED.leastWh || energyNeedWh > NEED.mostWh)
    return refused(
      "suspicious-need",
      `A need of ${energyNeedWh} Wh is not plausible for a car (${NEED.leastWh} to ${NEED.mostWh} Wh). Is it in Wh?`,
    );
  if (notBefore !== undefined && notBefore >= departsAt)
    return refused("bad-start", "The planned start is not before the departure. Give an earlier one, or none.");
  if (first && (first.wh > energyNeedWh || first.by >= departsAt || first.by <= Math.max(now, notBefore ?? 0)))
    return refused(
      "bad-first",
      `${first.wh} Wh by ${formatInstant(first.by)} is no first part of ${energyNeedWh} Wh by ${formatInstant(departsAt)}. Give less energy, and a time between the start and the departure.`,
    );
  return null;
}

/** A car that cannot pause must be able to go on at its least power until the energy is in, or nothing is promised. */
async function askSteadily(
  world: World,
  group: GroupBoard,
  live: LiveSession,
  terms: ChargingTerms,
  fromRegisterWh: WattHour,
  now: EpochSecond,
): Promise<{ readonly answer: Asked; readonly steadyFrom: number | null }> {
  const answer = await ask(world, group, live, terms, now);
  const energyWh = answer.kind === "accepted" ? terms.energyNeedWh : answer.energyWh;
  if (!live.cannotPause || energyWh === 0) return { answer, steadyFrom: null };
  const by = terms.departsAt;
  const first = firstPart(terms, answer, energyWh);
  const promise = offerPromise(
    { sessionId: "", version: 1, energyWh: wattHour(energyWh), by, fromRegisterWh, first },
    now,
  );
  const wishedWh = energyWh + (fromRegisterWh - live.startRegisterWh);
  const tried = { ...live, promise, departsAt: by, wishedWh, notBefore: terms.notBefore ?? 0 };
  const open = await openHorizon(world, group, now, by, [terms.notBefore ?? 0]);
  const steadyFrom = steadyStart(open, tried, now);
  if (steadyFrom !== null) return { answer, steadyFrom };
  const short = answer.kind === "short" ? answer : { laterAt: null, proof: null };
  const why =
    "The car cannot pause, and there is no time from which on its least power is sure until its energy is in.";
  return {
    answer: { ...short, kind: "short", energyWh: 0, firstWh: 0, shortfallWh: terms.energyNeedWh, why },
    steadyFrom: null,
  };
}

/** The first part as it can be promised; none when it is all, or too little. */
function firstPart({ first }: ChargingTerms, answer: Asked, energyWh: number): ChargingTerms["first"] {
  if (!first || answer.kind === "accepted") return first;
  const wh = Math.min(first.wh, answer.firstWh, energyWh);
  return wh >= NEED.leastWh ? { wh: wattHour(wh), by: first.by } : undefined;
}

async function addProof(store: Store, admission: Admission, answer: Asked): Promise<void> {
  if (answer.kind === "accepted" || answer.proof === null) return;
  const { sessionId, at, wishedWh, wishedBy } = admission;
  await store.priorities.addRefusal({ sessionId, at, wishedWh, wishedBy, ...answer.proof });
}

function schedule(
  world: World,
  group: GroupBoard,
  sessionId: string,
  promise: EnergyPromise | null,
  now: EpochSecond,
): void {
  world.clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: group.groupId });
  if (!promise) return;
  world.clock.schedule(promise.by, { kind: "promise-due", sessionId });
  if (promise.first) world.clock.schedule(promise.first.by, { kind: "first-due", sessionId });
  if (promise.state === "offered") world.clock.schedule(promise.expiresAt, { kind: "offer-expiry", sessionId });
}

/** The same wish again is the same request: answered again, nothing changes. */
function sameWish(live: LiveSession, { energyNeedWh, departsAt, notBefore, first, soonest }: ChargingTerms): boolean {
  const { promise } = live;
  const isSameTime = soonest ? live.departsAt <= departsAt : live.departsAt === departsAt;
  return (
    isSameTime &&
    live.wishedWh === energyNeedWh + ((promise?.fromRegisterWh ?? 0) - live.startRegisterWh) &&
    live.notBefore === (notBefore ?? 0) &&
    (promise?.first?.by ?? 0) === (first?.by ?? 0) &&
    (promise?.state === "offered" || (promise?.first?.wh ?? 0) === (first?.wh ?? 0))
  );
}

async function repeat(world: World, session: ChargingSession, promise: EnergyPromise): Promise<ChargingAnswer> {
  if (promise.state !== "offered") return { kind: "accepted", promise };
  const admission = await world.store.sessions.admission(session.id);
  return {
    kind: "counter-offer",
    promise,
    energyWh: promise.energyWh,
    laterAt: admission?.laterAt ?? null,
    shortfallWh: admission?.shortfallWh ?? wattHour(0),
  };
}
