/** What a CPO sets up: its sites (cpoSites.ts), its tariff, and the keys of its machines. */
import { z } from "zod";
import * as out from "./answers.ts";
import { cpoSites } from "./cpoSites.ts";
import type { Deps } from "./deps.ts";
import { ownGroup } from "./ownership.ts";
import { granted, Problem } from "./problems.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

export function cpoSetup(deps: Deps): readonly Route[] {
  const { usecases, store, accounts } = deps;
  const tag = "CPO" as const;

  return [
    ...cpoSites(deps),
    route({
      method: "get",
      path: "/cpo/tariff",
      tag,
      summary: "The tariff of sessions that start now",
      who: ["staff"],
      answers: { 200: { description: "Tariff", schema: out.tariff } },
      async handle({ caller }) {
        const tariff = await store.sites.currentTariff(caller.cpoId);
        if (!tariff) throw new Problem("no-tariff", "Your CPO has no tariff. Register a site with one.");
        return { status: 200, body: out.tariffOut(tariff) };
      },
    }),
    route({
      method: "put",
      path: "/cpo/tariff",
      tag,
      summary: "Set the tariff of sessions that start from now on",
      description: "Running sessions keep theirs. The same price again changes nothing.",
      who: ["staff"],
      body: schemas.tariff,
      answers: { 200: { description: "Tariff", schema: out.tariff } },
      async handle({ caller, body }) {
        const wish = { cpoId: caller.cpoId, pricePerKwh: body.pricePerKwhMicroEur };
        return { status: 200, body: out.tariffOut(granted(await usecases.setTariff(wish), body).tariff) };
      },
    }),
    route({
      method: "get",
      path: "/cpo/keys",
      tag,
      summary: "Keys of machines",
      who: ["staff"],
      answers: {
        200: { description: "Keys, without their secrets", schema: z.object({ keys: z.array(out.machineKey) }) },
      },
      async handle({ caller }) {
        return { status: 200, body: { keys: (await accounts.keysOf(caller.cpoId)).map(out.machineKeyOut) } };
      },
    }),
    route({
      method: "post",
      path: "/cpo/keys",
      tag,
      summary: "Make a key for a back end or a HEMS",
      description: "The token is shown once: only its hash is kept. Send it as `Authorization: Bearer <token>`.",
      who: ["staff"],
      body: schemas.key,
      answers: {
        201: { description: "The key", schema: z.object({ token: z.string(), key: out.machineKey }) },
      },
      async handle({ caller, body }) {
        if (body.groupId !== null) await ownGroup(deps, caller, body.groupId);
        const { token, key } = await accounts.createKey({ ...body, cpoId: caller.cpoId });
        return { status: 201, body: { token, key: out.machineKeyOut(key) } };
      },
    }),
    route({
      method: "delete",
      path: "/cpo/keys/{keyId}",
      tag,
      summary: "Revoke a key",
      who: ["staff"],
      params: schemas.ofKey,
      answers: { 204: { description: "The key opens nothing any more" } },
      async handle({ caller, params }) {
        if (await accounts.revokeKey(caller.cpoId, params.keyId)) return { status: 204 };
        throw new Problem("unknown-key", `There is no key ${params.keyId} of yours in use.`);
      },
    }),
  ];
}
