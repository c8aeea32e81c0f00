/** A driver's session: start it, ask for energy by a time, answer an offer, opt out, watch it. */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { EpochSecond } from "../domain/units.ts";
import * as out from "./answers.ts";
import type { Deps } from "./deps.ts";
import { ownSession } from "./ownership.ts";
import { documentOf, granted, Problem } from "./problems.ts";
import { at, atOrNull, instantText, w, wh } from "./quantities.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";
import { sessionPicture, sessionPictureOut } from "./viewAnswers.ts";
import { termsOfBody } from "./wishes.ts";

/** A driver with this many open sessions is not charging a car any more but blocking EVSEs. */
const MOST_OPEN_SESSIONS = 3;

export const answer = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("accepted"), promise: out.promise }),
    z.object({
      kind: z.literal("counter-offer"),
      promise: out.promise.meta({ description: "Held until expiresAt; answer it with POST .../offer" }),
      laterAt: instantText.nullable().meta({ description: "When all of the wish could be in the car" }),
      shortfallWh: wh,
    }),
    z.object({
      kind: z.literal("not-possible"),
      shortfallWh: wh,
      energyWh: wh.meta({ description: "Wh that the promise that stands could be changed to; 0 without one" }),
      laterAt: instantText.nullable().meta({ description: "When all of the wish could be in the car" }),
      detail: z.string(),
    }),
  ])
  .meta({ id: "ChargingAnswer" });
export const optOutAnswer = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("full-power") }),
    z.object({ kind: z.literal("limited"), limitW: w, until: instantText }),
  ])
  .meta({ id: "OptOutAnswer" });
export const started = z.object({
  session: out.session,
  answer: z.union([answer, optOutAnswer]).nullable(),
  problem: z
    .object({ type: z.string(), detail: z.string() })
    .nullable()
    .meta({ description: "Why the wish could not be answered; the car charges best effort" }),
});
export const power = z
  .object({ power: z.array(z.object({ at: instantText, powerW: w })) })
  .meta({ id: "SessionPower" });
const MOST_POINTS = 300;

export function driverSessions(deps: Deps): readonly Route[] {
  const { usecases, store } = deps;
  const tag = "Driver" as const;
  const who = ["driver"] as const;

  async function ask(
    { driverId }: { readonly driverId: string },
    sessionId: string,
    body: z.output<typeof schemas.chargingRequest>,
    /** From when on a wish "within so many seconds" counts. */
    from: EpochSecond,
  ): Promise<z.output<typeof answer>> {
    const batteryWh = (await store.drivers.preferences(driverId))?.batteryWh ?? null;
    const terms = termsOfBody(body, from, batteryWh);
    const said = granted(await usecases.requestCharging({ sessionId, ...terms }), body);
    switch (said.kind) {
      case "accepted":
        return { kind: "accepted", promise: out.promiseOut(said.promise) };
      case "counter-offer":
        return {
          kind: "counter-offer",
          promise: out.promiseOut(said.promise),
          laterAt: atOrNull(said.laterAt),
          shortfallWh: said.shortfallWh,
        };
      case "not-possible":
        return {
          kind: "not-possible",
          shortfallWh: said.shortfallWh,
          energyWh: said.energyWh,
          laterAt: atOrNull(said.laterAt),
          detail: said.text,
        };
    }
  }

  async function optOut(sessionId: string): Promise<z.output<typeof optOutAnswer>> {
    const said = granted(await usecases.optOut({ sessionId }));
    return said.kind === "full-power" ? said : { kind: "limited", limitW: said.limitW, until: at(said.until) };
  }

  async function picture(sessionId: string) {
    const view = await usecases.sessionView(sessionId);
    return view && sessionPictureOut(view);
  }

  /** Means of equal spans, so that a picture of any stay has as many points. */
  async function powerOf(sessionId: string): Promise<z.output<typeof power>["power"]> {
    const readings = await store.meters.ofSession(sessionId);
    const [first, last] = [readings[0], readings.at(-1)];
    if (!first || !last) return [];
    const spanS = 60 * Math.max(1, Math.ceil((last.at - first.at) / 60 / MOST_POINTS));
    const spans = Map.groupBy(readings, (one) => one.at - (one.at % spanS));
    return [...spans].map(([from, within]) => ({
      at: at(from),
      powerW: Math.round(within.reduce((sum, one) => sum + one.powerW, 0) / within.length),
    }));
  }

  return [
    route({
      method: "post",
      path: "/driver/sessions",
      tag,
      summary: "Start a session at a scanned EVSE",
      description:
        "Opt in with a need and a departure: the answer is a promise, a counter-offer or not possible; or opt out: full " +
        "power if every promise stays whole, else a limited power. The car charges in any case.",
      who,
      body: schemas.sessionWish,
      answers: {
        201: { description: "Started", schema: started },
        200: { description: "The same request as before", schema: started },
      },
      async handle({ caller, body }) {
        const evse = await store.sites.evse(body.evseId);
        if (!evse) throw unknownEvse(body.evseId);
        if (body.optIn && body.departsAt !== undefined && body.departsAt <= usecases.now()) throw pastDeparture();
        const sessionId = sessionIdOf(caller.driverId, body.requestId ?? deps.newId());
        if ((await store.sessions.byId(sessionId)) === null) await notTooMany(deps, caller.driverId);
        const said = free(
          await usecases.startSession({
            sessionId,
            evseId: evse.id,
            driverId: caller.driverId,
            at: usecases.now(),
            registerWh: usecases.registerOf(evse.groupId, evse.id),
            carMaxPowerW: body.carMaxPowerW,
            phases: body.phases,
            cannotPause: body.cannotPause,
          }),
          body,
        );
        // The session stands, whatever comes of the wish: the car is plugged in.
        const wished = body.optIn ? ask(caller, sessionId, body, said.session.pluggedAt) : optOut(sessionId);
        const [reply, problem] = await wished.then(
          (one) => [one, null] as const,
          (error: unknown) => {
            if (error instanceof Problem) return [null, problemTold(error)] as const;
            throw error;
          },
        );
        const session = out.sessionOut((await store.sessions.byId(sessionId)) ?? said.session);
        return { status: said.kind === "started" ? 201 : 200, body: { session, answer: reply, problem } };
      },
    }),
    route({
      method: "get",
      path: "/driver/sessions/{sessionId}",
      tag,
      summary: "Watch a session",
      who,
      params: schemas.ofSession,
      answers: { 200: { description: "The session now", schema: sessionPicture } },
      async handle({ caller, params }) {
        await ownSession(deps, caller, params.sessionId);
        return { status: 200, body: await picture(params.sessionId) };
      },
    }),
    route({
      method: "get",
      path: "/driver/sessions/{sessionId}/events",
      tag,
      summary: "Watch a session live",
      description: "Server-sent events named `session`; the data is what GET of the session answers.",
      who,
      params: schemas.ofSession,
      answers: { 200: { description: "Event stream", type: "text/event-stream" } },
      async handle({ caller, params }) {
        const { id, groupId } = await ownSession(deps, caller, params.sessionId);
        const topics = [`session:${id}`, `group:${groupId}`];
        return { feed: { event: "session", topics, picture: () => picture(id) } };
      },
    }),
    route({
      method: "get",
      path: "/driver/sessions/{sessionId}/power",
      tag,
      summary: "What the meter said so far",
      who,
      params: schemas.ofSession,
      answers: { 200: { description: `Means of equal spans, at most ${MOST_POINTS + 1}`, schema: power } },
      async handle({ caller, params }) {
        const { id } = await ownSession(deps, caller, params.sessionId);
        return { status: 200, body: { power: await powerOf(id) } };
      },
    }),
    route({
      method: "post",
      path: "/driver/sessions/{sessionId}/stop",
      tag,
      summary: "End the session from afar",
      description: "The station is asked to end it; the bill follows when it has. Not every station can.",
      who,
      params: schemas.ofSession,
      answers: { 204: { description: "The station is asked" } },
      async handle({ caller, params }) {
        const { id } = await ownSession(deps, caller, params.sessionId);
        granted(await usecases.askToStop({ sessionId: id }));
        return { status: 204 };
      },
    }),
    route({
      method: "put",
      path: "/driver/sessions/{sessionId}/request",
      tag,
      summary: "Ask for energy by a time, or change the wish",
      description:
        "As cheap as possible by the departure, as fast as possible, 80 % in three hours, a part of it first, not before " +
        "a time: all are one request. An accepted promise that cannot be changed as wished stands as it was.",
      who,
      params: schemas.ofSession,
      body: schemas.chargingRequest,
      answers: { 200: { description: "The answer", schema: answer } },
      async handle({ caller, params, body }) {
        const { id } = await ownSession(deps, caller, params.sessionId);
        return { status: 200, body: await ask(caller, id, body, usecases.now()) };
      },
    }),
    route({
      method: "post",
      path: "/driver/sessions/{sessionId}/offer",
      tag,
      summary: "Take or leave a counter-offer",
      who,
      params: schemas.ofSession,
      body: schemas.offerAnswer,
      answers: { 200: { description: "The promise after the answer", schema: out.promise } },
      async handle({ caller, params, body }) {
        const { id } = await ownSession(deps, caller, params.sessionId);
        const said = granted(await usecases.answerOffer({ sessionId: id, ...body }), body);
        if (said.kind === "expired")
          throw new Problem("offer-expired", "The offer ended before it was answered. Ask again.");
        return { status: 200, body: out.promiseOut(said.promise) };
      },
    }),
    route({
      method: "post",
      path: "/driver/sessions/{sessionId}/opt-out",
      tag,
      summary: "Full power now, without a promise",
      who,
      params: schemas.ofSession,
      answers: { 200: { description: "What is granted", schema: optOutAnswer } },
      async handle({ caller, params }) {
        const { id } = await ownSession(deps, caller, params.sessionId);
        return { status: 200, body: await optOut(id) };
      },
    }),
  ];
}

/** Follows from the request, so that the same request meets the same session; says nothing of the driver. */
const sessionIdOf = (driverId: string, requestId: string) =>
  `ses-${createHash("sha256")
    .update(JSON.stringify([driverId, requestId]))
    .digest("base64url")
    .slice(0, 22)}`;

/** Beside an answer that is good otherwise. */
function problemTold(problem: Problem) {
  const { type, detail } = documentOf(problem, "");
  return { type, detail };
}

/** Whose session occupies the EVSE is nobody's business. */
function free<Said extends Awaited<ReturnType<Deps["usecases"]["startSession"]>>>(
  said: Said,
  body: { readonly evseId: string },
) {
  if (said.kind !== "refused" || said.reason !== "occupied") return granted(said, body);
  const detail = `EVSE ${body.evseId} is occupied. Choose another one, or wait until it is free.`;
  throw new Problem("occupied", detail, { faults: [{ pointer: "#/evseId", detail }] });
}

const unknownEvse = (evseId: string) => {
  const detail = `EVSE ${evseId} is not known. Check its label.`;
  return new Problem("unknown-evse", detail, { faults: [{ pointer: "#/evseId", detail }] });
};

const pastDeparture = () => {
  const detail = "The departure lies in the past. Give the time at which the car will leave.";
  return new Problem("past-departure", detail, { faults: [{ pointer: "#/departsAt", detail }] });
};

async function notTooMany({ store }: Deps, driverId: string): Promise<void> {
  const open = (await store.sessions.ofDriver(driverId, 50)).filter((session) => session.unpluggedAt === null);
  if (open.length >= MOST_OPEN_SESSIONS)
    throw new Problem(
      "too-many-sessions",
      `${open.length} sessions of yours are open. Unplug one of those cars first.`,
    );
}
