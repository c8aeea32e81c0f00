/** What a CPO sets up: its site, its tariff, and the keys of its machines. */
import { z } from "zod";
import { DEFAULT_ALGORITHM } from "../domain/algorithms.ts";
import { microEurPerKwh } from "../domain/units.ts";
import * as out from "./answers.ts";
import type { Deps } from "./deps.ts";
import { ownGroup } from "./ownership.ts";
import { granted, Problem } from "./problems.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

export function cpoSetup(deps: Deps): readonly Route[] {
  const { usecases, store, accounts } = deps;
  const tag = "CPO" as const;

  async function cpoOf(cpoId: string) {
    const cpo = (await store.sites.cpos()).find((one) => one.id === cpoId);
    if (!cpo) throw new Problem("unknown-cpo", `Your CPO ${cpoId} is not registered yet.`);
    return cpo;
  }

  return [
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
      method: "post",
      path: "/cpo/sites",
      tag,
      summary: "Register a site: location, tariff, groups with their EVSEs and PV",
      description: "Called again with the same ids it changes nothing. Everything is registered on chain too.",
      who: ["staff"],
      body: schemas.site,
      answers: { 201: { description: "Registered", schema: z.object({ tariff: out.tariff }) } },
      async handle({ caller, body }) {
        const { id, name } = await cpoOf(caller.cpoId);
        await nobodyElses(deps, caller.cpoId, body);
        const { tariff } = await usecases.setUpSite({
          cpo: { id, name },
          payee: body.payee,
          location: { ...body.location, cpoId: id },
          tariff: { id: body.tariff.id, pricePerKwh: body.tariff.pricePerKwhMicroEur },
          groups: body.groups.map(({ evses, pvs, feedInMicroEurPerKwh, ...group }) => ({
            group: { ...group, feedIn: microEurPerKwh(Number(feedInMicroEurPerKwh)), algorithm: DEFAULT_ALGORITHM },
            evses,
            pvs,
          })),
        });
        return { status: 201, body: { tariff: out.tariffOut(tariff) } };
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

/** `setUpSite` leaves what exists as it is; ids of another CPO must not become part of this site. */
async function nobodyElses({ store }: Deps, cpoId: string, site: z.output<typeof schemas.site>): Promise<void> {
  const refuse = (pointer: string, id: string) => {
    const detail = `The id ${id} is taken. Choose another one.`;
    throw new Problem("taken-id", detail, { faults: [{ pointer, detail }] });
  };
  const groups = await store.sites.groups();
  if (groups.some((group) => group.locationId === site.location.id && group.cpoId !== cpoId))
    refuse("#/location/id", site.location.id);
  const tariff = await store.sites.tariff(site.tariff.id);
  if (tariff && tariff.cpoId !== cpoId) refuse("#/tariff/id", tariff.id);
  for (const [g, planned] of site.groups.entries()) {
    const group = groups.find((one) => one.id === planned.id);
    if (group && (group.cpoId !== cpoId || group.locationId !== site.location.id))
      refuse(`#/groups/${g}/id`, planned.id);
    for (const [e, { id }] of planned.evses.entries()) {
      const evse = await store.sites.evse(id);
      if (evse && evse.groupId !== planned.id) refuse(`#/groups/${g}/evses/${e}/id`, id);
    }
  }
}
