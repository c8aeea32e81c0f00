/** A CPO's staff: groups and their live state, limits, allocations, incidents; bills and set-up are in files of their own. Auditors may read all of it. */
import { z } from "zod";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import * as out from "./answers.ts";
import { algorithmChoice, algorithmChoiceOut, cpoAlgorithms } from "./cpoAlgorithms.ts";
import { cpoHistory } from "./cpoHistory.ts";
import { cpoMoney } from "./cpoMoney.ts";
import { cpoSetup } from "./cpoSetup.ts";
import type { Deps } from "./deps.ts";
import { ownGroup, ownGroups } from "./ownership.ts";
import { granted } from "./problems.ts";
import { at, instantText, w } from "./quantities.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";
import { groupPicture, groupPictureOut, plan } from "./viewAnswers.ts";

const DAY_S = 86_400;

export const group = z
  .object({
    id: z.string(),
    number: z.int().meta({ description: "Name of the group on chain" }),
    cpoId: z.string(),
    locationId: z.string(),
    supplyLimitW: w,
    limitKind: z.enum(["contract", "thermal"]),
    algorithm: algorithmChoice,
  })
  .meta({ id: "Group" });
const allocations = z.object({
  plan: plan.nullable(),
  allocations: z.array(
    z.object({ sessionNumber: z.int(), periods: z.array(z.object({ from: instantText, limitW: w })) }),
  ),
});

export function cpoRoutes(deps: Deps): readonly Route[] {
  const { usecases, store } = deps;
  const tag = "CPO" as const;
  const readers = ["staff", "auditor"] as const;

  async function picture(groupId: string) {
    const view = await usecases.groupView(groupId);
    return view && groupPictureOut(view);
  }

  return [
    route({
      method: "get",
      path: "/cpo/groups",
      tag,
      summary: "Charging groups",
      who: readers,
      answers: { 200: { description: "Groups", schema: z.object({ groups: z.array(group) }) } },
      async handle({ caller }) {
        const groups = (await ownGroups(deps, caller)).map((one) => ({
          id: one.id,
          number: one.number,
          cpoId: one.cpoId,
          locationId: one.locationId,
          supplyLimitW: one.supplyLimitW,
          limitKind: one.limitKind,
          algorithm: algorithmChoiceOut(one.algorithm),
        }));
        return { status: 200, body: { groups } };
      },
    }),
    route({
      method: "get",
      path: "/cpo/groups/{groupId}",
      tag,
      summary: "Live state of a group",
      who: readers,
      params: schemas.ofGroup,
      answers: { 200: { description: "The group now", schema: groupPicture } },
      async handle({ caller, params }) {
        await ownGroup(deps, caller, params.groupId);
        return { status: 200, body: await picture(params.groupId) };
      },
    }),
    route({
      method: "get",
      path: "/cpo/groups/{groupId}/events",
      tag,
      summary: "Live state of a group, live",
      description: "Server-sent events named `group`; the data is what GET of the group answers.",
      who: readers,
      params: schemas.ofGroup,
      answers: { 200: { description: "Event stream", type: "text/event-stream" } },
      async handle({ caller, params }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        return { feed: { event: "group", topics: [`group:${id}`], picture: () => picture(id) } };
      },
    }),
    route({
      method: "get",
      path: "/cpo/groups/{groupId}/evses",
      tag,
      summary: "EVSEs of a group",
      who: readers,
      params: schemas.ofGroup,
      answers: { 200: { description: "EVSEs", schema: z.object({ evses: z.array(out.evse) }) } },
      async handle({ caller, params }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        return { status: 200, body: { evses: (await store.sites.evses(id)).map(out.evseOut) } };
      },
    }),
    route({
      method: "get",
      path: "/cpo/groups/{groupId}/limits",
      tag,
      summary: "Limits that hold now or later",
      who: readers,
      params: schemas.ofGroup,
      answers: { 200: { description: "Limits", schema: z.object({ limits: z.array(out.groupLimit) }) } },
      async handle({ caller, params }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        const limits = await store.sites.limits(id, usecases.now());
        return { status: 200, body: { limits: limits.map(out.groupLimitOut) } };
      },
    }),
    route({
      method: "post",
      path: "/cpo/groups/{groupId}/limits",
      tag,
      summary: "Lower the limit: the operator's own, or a grid operator's order",
      description: "All limits that hold at an instant are merged by minimum; none can raise the supply limit.",
      who: ["staff"],
      params: schemas.ofGroup,
      body: schemas.groupLimit,
      answers: { 201: { description: "The limit, an input of every plan from now on", schema: out.groupLimit } },
      async handle({ caller, params, body }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        const said = granted(await usecases.setGroupLimit({ groupId: id, ...body }), body);
        return { status: 201, body: out.groupLimitOut(said.limit) };
      },
    }),
    route({
      method: "delete",
      path: "/cpo/groups/{groupId}/limits",
      tag,
      summary: "Take back the operator's own open-ended limit",
      who: ["staff"],
      params: schemas.ofGroup,
      answers: { 204: { description: "Only the supply limit and orders hold" } },
      async handle({ caller, params }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        await usecases.liftGroupLimit(id);
        return { status: 204 };
      },
    }),
    route({
      method: "get",
      path: "/cpo/groups/{groupId}/allocations",
      tag,
      summary: "The latest plan: which session gets how much power when",
      who: readers,
      params: schemas.ofGroup,
      answers: { 200: { description: "Allocations", schema: allocations } },
      async handle({ caller, params }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        const latest = (await picture(id))?.plan ?? null;
        const list = latest ? await store.plans.allocations(latest.id) : [];
        return {
          status: 200,
          body: {
            plan: latest,
            allocations: list.map((one) => ({
              sessionNumber: one.sessionNumber,
              periods: one.periods.map((period) => ({ from: at(period.from), limitW: period.limitW })),
            })),
          },
        };
      },
    }),
    route({
      method: "get",
      path: "/cpo/incidents",
      tag,
      summary: "Incidents of the last 24 hours",
      description: "Of your groups, and of none: totals on which database and chain differ.",
      who: readers,
      answers: { 200: { description: "Incidents", schema: z.object({ incidents: z.array(out.incident) }) } },
      async handle({ caller }) {
        const own = new Set((await ownGroups(deps, caller)).map((one) => one.id));
        const since: EpochSecond = epochSecond(usecases.now() - DAY_S);
        const incidents = (await store.incidents.since(since)).filter(
          (one) => one.groupId === null || own.has(one.groupId),
        );
        return { status: 200, body: { incidents: incidents.map(out.incidentOut) } };
      },
    }),
    ...cpoHistory(deps),
    ...cpoMoney(deps),
    ...cpoAlgorithms(deps),
    ...cpoSetup(deps),
  ];
}
