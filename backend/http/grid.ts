/**
 * What grid operators, energy traders and energy managers say to a group, with a key of the CPO's: capacity profiles by
 * the minute, and flexibility orders with their compliance. The CPO's staff may do the same; auditors may read.
 */
import { z } from "zod";
import { epochSecond } from "../domain/units.ts";
import type { Deps } from "./deps.ts";
import * as grid from "./gridSchemas.ts";
import { ownGroup } from "./ownership.ts";
import { granted, Problem } from "./problems.ts";
import { type Caller, type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

/** Orders of so long ago are listed, s. */
const LISTED_S = 30 * 86_400;

export function gridRoutes(deps: Deps): readonly Route[] {
  const { usecases, store } = deps;
  const tag = "Grid" as const;
  const givers = ["staff", "cpo-key", "hems-key"] as const;
  const readers = ["staff", "auditor", "cpo-key", "hems-key"] as const;
  const nameOf = (caller: Caller) => ("keyId" in caller ? `key:${caller.keyId}` : `account:${caller.accountId}`);
  /** Each group has a room of ids of its own, so that nobody meets a stranger's. */
  const idOf = (groupId: string, orderId: string) => `${groupId}:${orderId}`;

  return [
    route({
      method: "put",
      path: "/grid/groups/{groupId}/capacity-profile",
      tag,
      summary: "What the group may import, minute by minute",
      description:
        "The new profile forgets the one before entirely; an empty one takes it back. Periods begin and end on full " +
        "minutes and do not overlap; time without a period is limited by all other limits only, which are merged by minimum.",
      who: givers,
      params: schemas.ofGroup,
      body: grid.capacityWish,
      answers: { 200: { description: "The profile, an input of every plan from now on", schema: grid.capacity } },
      async handle({ caller, params, body }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        const periods = body.periods.map(grid.periodInW);
        const said = granted(
          await usecases.setCapacityProfile({ groupId: id, givenBy: nameOf(caller), periods }),
          body,
        );
        return { status: 200, body: grid.capacityOut(said.profile) };
      },
    }),
    route({
      method: "get",
      path: "/grid/groups/{groupId}/capacity-profiles",
      tag,
      summary: "Capacity profiles, newest first: the first one is in force",
      who: readers,
      params: schemas.ofGroup,
      query: schemas.page,
      answers: { 200: { description: "Profiles", schema: z.object({ profiles: z.array(grid.capacity) }) } },
      async handle({ caller, params, query }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        const profiles = await store.grid.capacities(id, query.limit);
        return { status: 200, body: { profiles: profiles.map(grid.capacityOut) } };
      },
    }),
    route({
      method: "post",
      path: "/grid/groups/{groupId}/orders",
      tag,
      summary: "Order flexibility for whole quarter-hours",
      description:
        "Answered at once with what can be delivered while every accepted promise stays whole, against the last certified " +
        "plan recorded on chain; what is acknowledged is applied. Orders of the same direction add up, the earlier one first.",
      who: givers,
      params: schemas.ofGroup,
      body: grid.orderWish,
      answers: {
        201: { description: "The order and its answer", schema: grid.order },
        200: { description: "The order is known", schema: grid.order },
      },
      async handle({ caller, params, body }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        const { orderId, pricePerKwhMicroEur, ...wish } = body;
        if (wish.force && caller.kind === "hems-key")
          throw new Problem("forbidden", "Only the CPO's staff and back end may force an order against promises.");
        const said = granted(
          await usecases.orderFlexibility({
            ...wish,
            id: idOf(id, orderId),
            groupId: id,
            price: pricePerKwhMicroEur,
            givenBy: nameOf(caller),
          }),
          body,
        );
        const settled = said.known ? await store.grid.settlement(said.order.id) : null;
        return { status: said.known ? 200 : 201, body: grid.orderOut(said.order, settled) };
      },
    }),
    route({
      method: "get",
      path: "/grid/groups/{groupId}/orders",
      tag,
      summary: "Orders of the last 30 days and to come, with what was delivered",
      who: readers,
      params: schemas.ofGroup,
      answers: { 200: { description: "Orders", schema: z.object({ orders: z.array(grid.order) }) } },
      async handle({ caller, params }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        const orders = await store.grid.orders(id, epochSecond(usecases.now() - LISTED_S));
        const listed = [];
        for (const one of orders) listed.push(grid.orderOut(one, await store.grid.settlement(one.id)));
        return { status: 200, body: { orders: listed } };
      },
    }),
    route({
      method: "get",
      path: "/grid/groups/{groupId}/orders/{orderId}",
      tag,
      summary: "One order and its compliance",
      who: readers,
      params: grid.ofOrder,
      answers: { 200: { description: "The order", schema: grid.order } },
      async handle({ caller, params }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        const order = await store.grid.order(idOf(id, params.orderId));
        if (!order || order.groupId !== id)
          throw new Problem("unknown-order", `There is no order ${params.orderId} of this group. Check the id.`);
        return { status: 200, body: grid.orderOut(order, await store.grid.settlement(order.id)) };
      },
    }),
  ];
}
