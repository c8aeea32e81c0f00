/** A driver: preferences, the scan of an EVSE, the list of sessions; one session, the money and disputes are in files of their own. */
import { z } from "zod";
import * as out from "./answers.ts";
import type { Deps } from "./deps.ts";
import { driverBundles } from "./driverBundles.ts";
import { driverData } from "./driverData.ts";
import { driverDisputes } from "./driverDisputes.ts";
import { driverMoney } from "./driverMoney.ts";
import { driverPayouts } from "./driverPayouts.ts";
import { driverRights } from "./driverRights.ts";
import { driverSessions } from "./driverSessions.ts";
import { Problem } from "./problems.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

export const scanned = z
  .object({
    ...out.evse.shape,
    free: z.boolean(),
    pricePerKwhMicroEur: out.tariff.shape.pricePerKwhMicroEur.nullable(),
  })
  .meta({ id: "ScannedEvse" });

export function driverRoutes(deps: Deps): readonly Route[] {
  const { usecases, store } = deps;
  const tag = "Driver" as const;
  const who = ["driver"] as const;

  return [
    route({
      method: "get",
      path: "/driver/preferences",
      tag,
      summary: "My preferences",
      who,
      answers: { 200: { description: "Preferences, or what holds without any", schema: out.preferences } },
      handle: async ({ caller }) => ({
        status: 200,
        body: out.preferencesOut(await store.drivers.preferences(caller.driverId)),
      }),
    }),
    route({
      method: "put",
      path: "/driver/preferences",
      tag,
      summary: "Set my preferences",
      who,
      body: schemas.preferences,
      answers: { 200: { description: "Preferences as they are now", schema: out.preferences } },
      async handle({ caller, body }) {
        const wish = { driverId: caller.driverId, ...body } as Parameters<typeof usecases.setDriverPreferences>[0];
        await usecases.setDriverPreferences(wish);
        return { status: 200, body: out.preferencesOut(wish) };
      },
    }),
    route({
      method: "get",
      path: "/driver/evses/{evseId}",
      tag,
      summary: "Scan an EVSE: its state and its price",
      who,
      params: schemas.ofEvse,
      answers: { 200: { description: "The EVSE", schema: scanned } },
      async handle({ params }) {
        const evse = await store.sites.evse(params.evseId);
        const group = evse && (await store.sites.group(evse.groupId));
        if (!evse || !group) throw new Problem("unknown-evse", `EVSE ${params.evseId} is not known. Check its label.`);
        const tariff = await store.sites.currentTariff(group.cpoId);
        const free = (await store.sessions.openAt(evse.id)) === null && isWorking(evse.status);
        const pricePerKwhMicroEur = tariff && out.tariffOut(tariff).pricePerKwhMicroEur;
        return { status: 200, body: { ...out.evseOut(evse), free, pricePerKwhMicroEur } };
      },
    }),
    route({
      method: "get",
      path: "/driver/sessions",
      tag,
      summary: "My sessions, newest first",
      who,
      query: schemas.page,
      answers: { 200: { description: "Sessions", schema: z.object({ sessions: z.array(out.session) }) } },
      async handle({ caller, query }) {
        const sessions = await store.sessions.ofDriver(caller.driverId, query.limit);
        return { status: 200, body: { sessions: sessions.map(out.sessionOut) } };
      },
    }),
    ...driverSessions(deps),
    ...driverMoney(deps),
    ...driverPayouts(deps),
    ...driverRights(deps),
    ...driverDisputes(deps),
    ...driverBundles(deps),
    ...driverData(deps),
  ];
}

const isWorking = (status: string) => status !== "INOPERATIVE" && status !== "OUTOFORDER";
