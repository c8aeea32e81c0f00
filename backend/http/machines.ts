/** Machines: a CPO's back end reports what happens at its EVSEs and fetches profiles; a HEMS reports the rest of the site. */
import { z } from "zod";
import { slotOf } from "../domain/slots.ts";
import { watt } from "../domain/units.ts";
import * as out from "./answers.ts";
import { settlement, settlementOut } from "./billAnswers.ts";
import type { Deps } from "./deps.ts";
import { isOwnSession, ownEvse, ownGroup, ownGroups, ownSession } from "./ownership.ts";
import { granted, Problem } from "./problems.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

const noted = z
  .object({
    accepted: z.int(),
    duplicates: z.int().meta({ description: "Known before; they changed nothing" }),
    refused: z.array(z.object({ index: z.int(), detail: z.string() })),
  })
  .meta({ id: "Noted" });

type Refusals<Reading> = readonly { readonly reading: Reading; readonly text: string }[];

export function machineRoutes(deps: Deps): readonly Route[] {
  const { usecases, store } = deps;
  const tag = "Machines" as const;
  const backEnd = ["cpo-key"] as const;
  const hems = ["hems-key"] as const;

  return [
    route({
      method: "post",
      path: "/machine/evses/{evseId}/status",
      tag,
      summary: "An EVSE's status",
      who: backEnd,
      params: schemas.ofEvse,
      body: schemas.evseStatus,
      answers: { 204: { description: "Noted" } },
      async handle({ caller, params, body }) {
        const { id } = await ownEvse(deps, caller, params.evseId);
        granted(await usecases.setEvseStatus({ evseId: id, ...body }), body);
        return { status: 204 };
      },
    }),
    route({
      method: "post",
      path: "/machine/sessions",
      tag,
      summary: "A car was plugged in",
      description: "The same session id again is answered again and changes nothing.",
      who: backEnd,
      body: schemas.plugIn,
      answers: {
        201: { description: "The session is open", schema: out.session },
        200: { description: "The session is known", schema: out.session },
      },
      async handle({ caller, body }) {
        await ownEvse(deps, caller, body.evseId).catch((error: unknown) => {
          if (!(error instanceof Problem)) throw error;
          throw new Problem(error.problem, error.message, { faults: [{ pointer: "#/evseId", detail: error.message }] });
        });
        const known = await store.sessions.byId(body.sessionId);
        if (known && (!(await isOwnSession(deps, caller, known)) || known.evseId !== body.evseId)) {
          const detail = `The id ${body.sessionId} is taken by another session. Choose another one.`;
          throw new Problem("taken-id", detail, { faults: [{ pointer: "#/sessionId", detail }] });
        }
        const said = granted(await usecases.startSession(body), body);
        return { status: said.kind === "started" ? 201 : 200, body: out.sessionOut(said.session) };
      },
    }),
    route({
      method: "post",
      path: "/machine/sessions/{sessionId}/stop",
      tag,
      summary: "A car was unplugged",
      description: "Judges the promise and computes the bill. Called again it answers the same bill.",
      who: backEnd,
      params: schemas.ofSession,
      body: schemas.plugOut,
      answers: { 200: { description: "The bill", schema: settlement } },
      async handle({ caller, params, body }) {
        const { id } = await ownSession(deps, caller, params.sessionId);
        const said = granted(await usecases.stopSession({ sessionId: id, ...body }), body);
        const [standing] = await usecases.billStates([said.settlement]);
        if (!standing) throw new Error(`The bill of session ${id} was made, but does not stand anywhere.`);
        return { status: 200, body: settlementOut(standing) };
      },
    }),
    route({
      method: "post",
      path: "/machine/meter-values",
      tag,
      summary: "Meter values of sessions, as many as there are",
      description: "Each reading is taken, known already, or refused by itself; 422 when none could be taken.",
      who: backEnd,
      body: schemas.meterValues,
      answers: { 200: { description: "What became of them", schema: noted } },
      async handle({ caller, body }) {
        const strangers: Refusals<(typeof body.readings)[number]>[number][] = [];
        const own = new Map<string, boolean>();
        for (const { sessionId } of body.readings) {
          if (own.has(sessionId)) continue;
          const session = await store.sessions.byId(sessionId);
          own.set(sessionId, session !== null && (await isOwnSession(deps, caller, session)));
        }
        const readings = body.readings.filter((reading) => {
          if (own.get(reading.sessionId)) return true;
          strangers.push({
            reading,
            text: `Session ${reading.sessionId} is not open. Start it first, or check its id.`,
          });
          return false;
        });
        const said = await usecases.recordMeterReadings(readings);
        return result(body.readings, { ...said, refused: [...strangers, ...said.refused] });
      },
    }),
    route({
      method: "get",
      path: "/machine/profiles",
      tag,
      summary: "The latest profile of every open session",
      who: backEnd,
      answers: { 200: { description: "Profiles", schema: z.object({ profiles: z.array(out.profile) }) } },
      async handle({ caller }) {
        const profiles = [];
        for (const group of await ownGroups(deps, caller))
          for (const session of await store.sessions.openIn(group.id)) {
            const latest = (await store.profiles.ofSession(session.id)).at(-1);
            if (latest) profiles.push(out.profileOut(latest));
          }
        return { status: 200, body: { profiles } };
      },
    }),
    route({
      method: "post",
      path: "/machine/profiles/{profileId}/answer",
      tag,
      summary: "The station's answer to a profile",
      description: "A refusal leaves the applied limit as it was. A late or repeated answer changes nothing.",
      who: backEnd,
      params: schemas.ofProfile,
      body: schemas.profileAnswer,
      answers: { 204: { description: "Noted" } },
      async handle({ caller, params, body }) {
        const profile = await store.profiles.byId(params.profileId);
        const session = profile && (await store.sessions.byId(profile.sessionId));
        if (!profile || !session || !(await isOwnSession(deps, caller, session)))
          throw new Problem("unknown-profile", `There is no profile ${params.profileId} of yours. Check the id.`);
        if (profile.state === "sent") await usecases.answerProfile({ profileId: profile.id, ...body });
        return { status: 204 };
      },
    }),
    route({
      method: "post",
      path: "/machine/groups/{groupId}/readings",
      tag,
      summary: "Readings of building, PV and battery",
      description:
        "The cars are not part of buildingW. A charging battery counts as load, a discharging one as production.",
      who: hems,
      params: schemas.ofGroup,
      body: schemas.siteReadings,
      answers: { 200: { description: "What became of them", schema: noted } },
      async handle({ caller, params, body }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        const readings = body.readings.map(({ at, buildingW, pvW, batteryW }) => ({
          groupId: id,
          at,
          demandW: watt(buildingW + Math.max(0, batteryW ?? 0)),
          productionW: watt(pvW + Math.max(0, -(batteryW ?? 0))),
          batteryW,
        }));
        return result(readings, await usecases.recordSiteReadings(readings));
      },
    }),
    route({
      method: "put",
      path: "/machine/groups/{groupId}/forecast",
      tag,
      summary: "Forecast of building and PV, by slot",
      description: "The newest forecast of a slot wins.",
      who: hems,
      params: schemas.ofGroup,
      body: schemas.forecast,
      answers: { 204: { description: "Kept" } },
      async handle({ caller, params, body }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        await usecases.recordForecast(
          id,
          body.points.map((point) => ({ slot: slotOf(point.from), demandW: point.buildingW, productionW: point.pvW })),
        );
        return { status: 204 };
      },
    }),
  ];
}

/** What became of a batch; a batch of which nothing could be taken is a fault of its sender. */
function result<Reading>(
  sent: readonly Reading[],
  said: { readonly accepted: number; readonly duplicates: number; readonly refused: Refusals<Reading> },
) {
  const refused = said.refused
    .map(({ reading, text }) => ({ index: sent.indexOf(reading), detail: text }))
    .sort((a, b) => a.index - b.index);
  if (refused.length === sent.length)
    throw new Problem("implausible-readings", refused[0]?.detail ?? "No reading could be taken.", {
      faults: refused.map(({ index, detail }) => ({ pointer: `#/readings/${index}`, detail })),
    });
  return { status: 200, body: { accepted: said.accepted, duplicates: said.duplicates, refused } };
}
