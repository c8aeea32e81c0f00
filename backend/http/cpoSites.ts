/** A CPO's sites: what stands where, what is registered, and where charge points stand on the plan. */
import { z } from "zod";
import { DEFAULT_ALGORITHM } from "../domain/algorithms.ts";
import { microEurPerKwh } from "../domain/units.ts";
import * as out from "./answers.ts";
import type { Deps } from "./deps.ts";
import { ownEvse, ownGroup } from "./ownership.ts";
import { granted, Problem } from "./problems.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

export const sites = z.object({
  cpo: z.object({ id: z.string(), name: z.string() }),
  tariff: out.tariff.nullable().meta({ description: "Null before the first site: it names tariff and payee" }),
  locations: z.array(out.location),
});

type Site = z.output<typeof schemas.site>;

export function cpoSites(deps: Deps): readonly Route[] {
  const { usecases, store } = deps;
  const tag = "CPO" as const;

  async function cpoOf(cpoId: string) {
    const cpo = (await store.sites.cpos()).find((one) => one.id === cpoId);
    if (!cpo) throw new Problem("unknown-cpo", `Your CPO ${cpoId} is not registered yet.`);
    return { id: cpo.id, name: cpo.name };
  }

  return [
    route({
      method: "get",
      path: "/cpo/sites",
      tag,
      summary: "Locations, and whether the CPO has set up anything yet",
      who: ["staff"],
      answers: { 200: { description: "Locations; groups are at /cpo/groups", schema: sites } },
      async handle({ caller }) {
        const tariff = await store.sites.currentTariff(caller.cpoId);
        const locations = (await store.sites.locations(caller.cpoId)).map(out.locationOut);
        const body = { cpo: await cpoOf(caller.cpoId), tariff: tariff && out.tariffOut(tariff), locations };
        return { status: 200, body };
      },
    }),
    route({
      method: "post",
      path: "/cpo/sites",
      tag,
      summary: "Register a site: location, tariff, groups with their EVSEs and PV",
      description:
        "Called again it adds what is new: groups, EVSEs and PV whose ids are not known. What is known stays as it is. Everything is registered on chain too, but for the places.",
      who: ["staff"],
      body: schemas.site,
      answers: { 201: { description: "Registered", schema: z.object({ tariff: out.tariff }) } },
      async handle({ caller, body }) {
        const cpo = await cpoOf(caller.cpoId);
        await nobodyElses(deps, cpo.id, body);
        if (!(await store.sites.currentTariff(cpo.id))) refuseIncomplete(body);
        const { coordinates, ...location } = body.location;
        const { tariff } = await usecases.setUpSite({
          cpo,
          payee: body.payee ?? null,
          location: { ...location, cpoId: cpo.id, ...(coordinates ? { coordinates } : {}) },
          tariff: body.tariff ? { id: body.tariff.id, pricePerKwh: body.tariff.pricePerKwhMicroEur } : null,
          groups: body.groups.map(({ evses, pvs, feedInMicroEurPerKwh, ...group }) => ({
            group: { ...group, feedIn: microEurPerKwh(Number(feedInMicroEurPerKwh)), algorithm: DEFAULT_ALGORITHM },
            evses: evses.map(({ id, maxPowerW, phases, ...place }) => ({ id, maxPowerW, phases, place })),
            pvs,
          })),
        });
        return { status: 201, body: { tariff: out.tariffOut(tariff) } };
      },
    }),
    route({
      method: "get",
      path: "/cpo/groups/{groupId}/pvs",
      tag,
      summary: "PV of a group",
      who: ["staff", "auditor"],
      params: schemas.ofGroup,
      answers: { 200: { description: "PV", schema: z.object({ pvs: z.array(out.pv) }) } },
      async handle({ caller, params }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        return { status: 200, body: { pvs: (await store.sites.pvs(id)).map(out.pvOut) } };
      },
    }),
    route({
      method: "put",
      path: "/cpo/evses/{evseId}/place",
      tag,
      summary: "Say where an EVSE stands, for the plan of its site",
      description: "Replaces what was said before; what is left out is forgotten. It never goes on chain.",
      who: ["staff"],
      params: schemas.ofEvse,
      body: schemas.place,
      answers: { 200: { description: "The place as it is now", schema: out.place } },
      async handle({ caller, params, body }) {
        const { id } = await ownEvse(deps, caller, params.evseId);
        granted(await usecases.setPlace({ evseId: id, place: body }));
        return { status: 200, body: out.placeOut(body) };
      },
    }),
  ];
}

/** A CPO's first site says who receives its money and what drivers pay; later ones need not. */
function refuseIncomplete({ payee, tariff }: Site): void {
  const faults = [
    ...(payee ? [] : [{ pointer: "#/payee", detail: "Give the address on chain that receives your money." }]),
    ...(tariff ? [] : [{ pointer: "#/tariff", detail: "Give a tariff: its id and the price per kWh." }]),
  ];
  if (faults.length > 0)
    throw new Problem("invalid-request", "The first site of a CPO names its payee and its tariff.", { faults });
}

/** `setUpSite` leaves what exists as it is; what belongs to another CPO or another group must not become part of this site. */
async function nobodyElses({ store }: Deps, cpoId: string, site: Site): Promise<void> {
  const refuse = (pointer: string, id: string) => {
    const detail = `The id ${id} is taken. Choose another one.`;
    throw new Problem("taken-id", detail, { faults: [{ pointer, detail }] });
  };
  const groups = await store.sites.groups();
  if (groups.some((group) => group.locationId === site.location.id && group.cpoId !== cpoId))
    refuse("#/location/id", site.location.id);
  const tariff = site.tariff && (await store.sites.tariff(site.tariff.id));
  if (tariff && tariff.cpoId !== cpoId) refuse("#/tariff/id", tariff.id);
  for (const [g, planned] of site.groups.entries()) {
    const group = groups.find((one) => one.id === planned.id);
    if (group && (group.cpoId !== cpoId || group.locationId !== site.location.id))
      refuse(`#/groups/${g}/id`, planned.id);
    for (const [kind, read] of [
      ["evses", store.sites.evse],
      ["pvs", store.sites.pv],
    ] as const)
      for (const [i, { id }] of planned[kind].entries()) {
        const known = await read(id);
        if (known && known.groupId !== planned.id) refuse(`#/groups/${g}/${kind}/${i}/id`, id);
      }
  }
}
