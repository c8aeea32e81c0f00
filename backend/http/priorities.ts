/**
 * Priority, and what stands against it: boosts with their history, refusals with their proofs, strategies of EVSEs. A
 * driver's own sessions, a CPO's own groups; auditors read.
 */
import { z } from "zod";
import type { Boost, PowerGrant, Refusal } from "../domain/sessions.ts";
import type { StrategyWindow } from "../usecases/strategies.ts";
import type { Deps } from "./deps.ts";
import { ownEvse, ownGroup, ownSession } from "./ownership.ts";
import { granted } from "./problems.ts";
import { at, atOrNull, instantText, w, wh } from "./quantities.ts";
import { type Caller, type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

const EARNS_NOTHING =
  "A session that was ever boosted earns no FLEX: it did not leave the time of charging to the group.";

const boost = z
  .object({
    id: z.string(),
    sessionId: z.string(),
    askedBy: z.enum(["driver", "cpo"]),
    askedAt: instantText,
    until: instantText,
    energyWh: wh.nullable(),
    endedAt: instantText.nullable(),
    ended: z.enum(["energy", "time", "cancelled", "unplugged"]).nullable(),
  })
  .meta({ id: "Boost" });
const boostOut = (of: Boost): z.output<typeof boost> => ({
  id: of.id,
  sessionId: of.sessionId,
  askedBy: of.askedBy,
  askedAt: at(of.askedAt),
  until: at(of.until),
  energyWh: of.energyWh,
  endedAt: atOrNull(of.endedAt),
  ended: of.ended,
});
const grant = z
  .object({
    at: instantText,
    kind: z.enum(["opt-out", "boost", "steady"]),
    limitW: w,
    from: instantText,
    until: instantText.nullable(),
  })
  .meta({ id: "PowerGrant" });
const grantOut = (of: PowerGrant): z.output<typeof grant> => ({
  at: at(of.at),
  kind: of.kind,
  limitW: of.limitW,
  from: at(of.from),
  until: atOrNull(of.until),
});
const boosted = z
  .object({
    boost,
    limitW: w.meta({ description: "W; granted now, renewed as long as the boost lasts" }),
    isFull: z.boolean(),
    note: z.string(),
  })
  .meta({ id: "Boosted" });
const history = z.object({ boosts: z.array(boost), grants: z.array(grant) });

const refusal = z
  .object({
    at: instantText,
    wishedWh: wh,
    wishedBy: instantText,
    shortfallWh: wh.meta({ description: "Wh that did not fit beside the promises that there were" }),
    proof: z
      .object({ problem: z.string(), x: z.string(), y: z.string(), w: z.string() })
      .meta({ description: "Hex; ScheduleChecker takes them and answers a bound: shortfall x voll x scale" }),
  })
  .meta({ id: "Refusal" });
const refusalOut = ({ at: when, wishedWh, wishedBy, shortfallWh, ...of }: Refusal): z.output<typeof refusal> => ({
  at: at(when),
  wishedWh,
  wishedBy: at(wishedBy),
  shortfallWh,
  proof: { problem: `0x${of.problem}`, x: `0x${of.x}`, y: `0x${of.y}`, w: `0x${of.w}` },
});

const windows = z
  .object({
    evseId: z.string(),
    windows: z.array(
      z.object({
        fromMinute: z.int(),
        toMinute: z.int(),
        energyWh: wh,
        strategy: z.discriminatedUnion("kind", [
          z.object({ kind: z.literal("fastest") }),
          z.object({ kind: z.literal("cheapest"), stayS: z.int() }),
          z.object({ kind: z.literal("until"), minute: z.int(), notBeforeMinute: z.int().nullable() }),
        ]),
      }),
    ),
  })
  .meta({ id: "EvseStrategies" });

export function priorityRoutes(deps: Deps): readonly Route[] {
  const { usecases, store } = deps;
  const readers = ["staff", "auditor"] as const;

  const sides = [
    { base: "/driver/sessions/{sessionId}", tag: "Driver", asks: ["driver"], reads: ["driver"], askedBy: "driver" },
    { base: "/cpo/sessions/{sessionId}", tag: "CPO", asks: ["staff"], reads: readers, askedBy: "cpo" },
  ] as const;

  return [
    ...sides.flatMap(({ base, tag, asks, reads, askedBy }) => [
      route({
        method: "post",
        path: `${base}/boost`,
        tag,
        summary: "Full power now, as far as every promise stays whole",
        description: `Ends by itself; asked again it replaces the one before. ${EARNS_NOTHING}`,
        who: asks as readonly Caller["kind"][],
        params: schemas.ofSession,
        body: schemas.boost,
        answers: { 200: { description: "What is granted now", schema: boosted } },
        async handle({ caller, params, body }) {
          const { id } = await ownSession(deps, caller, params.sessionId);
          const said = granted(await usecases.boost({ sessionId: id, askedBy, ...body }), body);
          const { limitW, isFull } = said;
          return { status: 200, body: { boost: boostOut(said.boost), limitW, isFull, note: EARNS_NOTHING } };
        },
      }),
      route({
        method: "delete",
        path: `${base}/boost`,
        tag,
        summary: "End the boost",
        who: asks as readonly Caller["kind"][],
        params: schemas.ofSession,
        answers: { 204: { description: "Ended" } },
        async handle({ caller, params }) {
          const { id } = await ownSession(deps, caller, params.sessionId);
          granted(await usecases.cancelBoost({ sessionId: id }));
          return { status: 204 };
        },
      }),
      route({
        method: "get",
        path: `${base}/boosts`,
        tag,
        summary: "Boosts of a session, and what was granted when",
        who: reads as readonly Caller["kind"][],
        params: schemas.ofSession,
        answers: { 200: { description: "Oldest first", schema: history } },
        async handle({ caller, params }) {
          const { id } = await ownSession(deps, caller, params.sessionId);
          const boosts = await store.priorities.boosts(id);
          const grants = await store.priorities.grants(id);
          return { status: 200, body: { boosts: boosts.map(boostOut), grants: grants.map(grantOut) } };
        },
      }),
      route({
        method: "get",
        path: `${base}/refusals`,
        tag,
        summary: "What did not fit as wished, with the proof",
        who: reads as readonly Caller["kind"][],
        params: schemas.ofSession,
        answers: { 200: { description: "Oldest first", schema: z.object({ refusals: z.array(refusal) }) } },
        async handle({ caller, params }) {
          const { id } = await ownSession(deps, caller, params.sessionId);
          return { status: 200, body: { refusals: (await store.priorities.refusals(id)).map(refusalOut) } };
        },
      }),
    ]),
    route({
      method: "get",
      path: "/cpo/groups/{groupId}/boosts",
      tag: "CPO",
      summary: "Latest boosts in a group",
      who: readers,
      params: schemas.ofGroup,
      query: schemas.page,
      answers: { 200: { description: "Newest first", schema: z.object({ boosts: z.array(boost) }) } },
      async handle({ caller, params, query }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        const boosts = await store.priorities.boostsIn(id, query.limit);
        return { status: 200, body: { boosts: boosts.map(boostOut) } };
      },
    }),
    route({
      method: "get",
      path: "/cpo/evses/{evseId}/strategies",
      tag: "CPO",
      summary: "What an EVSE does for cars whose drivers say nothing",
      who: readers,
      params: schemas.ofEvse,
      answers: { 200: { description: "By the clock of its place; none: as learned", schema: windows } },
      async handle({ caller, params }) {
        const { id } = await ownEvse(deps, caller, params.evseId);
        return { status: 200, body: windowsOut(id, (await store.priorities.strategies(id, usecases.now()))?.windows) };
      },
    }),
    route({
      method: "put",
      path: "/cpo/evses/{evseId}/strategies",
      tag: "CPO",
      summary: "Set what an EVSE does for cars whose drivers say nothing",
      description:
        "For cars that are plugged in from now on. Minutes are those of the location's clock, summer time and all.",
      who: ["staff"],
      params: schemas.ofEvse,
      body: schemas.strategies,
      answers: { 200: { description: "The strategies as they are now", schema: windows } },
      async handle({ caller, params, body }) {
        const { id } = await ownEvse(deps, caller, params.evseId);
        const said = granted(await usecases.setStrategies({ evseId: id, windows: body.windows }), body);
        return { status: 200, body: windowsOut(id, said.windows) };
      },
    }),
  ];
}

const windowsOut = (evseId: string, of: readonly StrategyWindow[] = []): z.output<typeof windows> => ({
  evseId,
  windows: of.map((window) => ({ ...window })),
});
