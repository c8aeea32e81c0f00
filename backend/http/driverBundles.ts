/** What a driver takes away: everything of own stays that can be checked without this service. */
import { z } from "zod";
import type { ChargingSession } from "../domain/sessions.ts";
import { BUNDLE_FORMAT, bundleOut } from "../usecases/bundle.ts";
import type { Deps } from "./deps.ts";
import { ownSession } from "./ownership.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

const bundle = z
  .object({
    format: z.literal(BUNDLE_FORMAT),
    madeAt: z.int().meta({ description: "s since 1970" }),
    driver: z.string().meta({ description: "My address on chain" }),
    sessions: z.array(
      z.looseObject({
        cpo: z.int(),
        group: z.int(),
        rows: z.looseObject({}).meta({ description: "Canonical texts whose hashes stand in the receipt" }),
        bill: z.looseObject({}).nullable().meta({ description: "Receipt, salt, line on chain, proof in its batch" }),
        slots: z.array(z.looseObject({})).meta({ description: "My leaves of recorded slots, with salts and proofs" }),
      }),
    ),
    manifest: z.unknown().meta({ description: "The deployment that it is about" }),
  })
  .meta({ id: "Bundle" });

export function driverBundles(deps: Deps): readonly Route[] {
  const { usecases, store, audit } = deps;
  const shared = {
    method: "get",
    tag: "Driver",
    description:
      "Save it as a file: `npm run verify -- --bundle FILE` checks it off line, and with `--rpc URL` against the chain. " +
      "It holds personal data of the driver and of nobody else.",
    who: ["driver"],
    answers: { 200: { description: "The bundle", schema: bundle } },
  } as const;
  const answer = async (driverId: string, sessions: readonly ChargingSession[]) => ({
    status: 200 as const,
    body: { ...bundleOut(await usecases.driverBundle(driverId, sessions)), manifest: audit.manifest.manifest },
  });

  return [
    route({
      ...shared,
      path: "/driver/bundle",
      summary: "My latest sessions with promises, receipts, bills, leaves and proofs",
      query: schemas.page,
      handle: async ({ caller, query }) =>
        answer(caller.driverId, await store.sessions.ofDriver(caller.driverId, query.limit)),
    }),
    route({
      ...shared,
      path: "/driver/sessions/{sessionId}/bundle",
      summary: "One session with promises, receipt, bill, leaves and proofs",
      params: schemas.ofSession,
      handle: async ({ caller, params }) => answer(caller.driverId, [await ownSession(deps, caller, params.sessionId)]),
    }),
  ];
}
