/** What belongs to the driver alone: the key of the account. */
import { z } from "zod";
import { confirmed } from "./accountRoutes.ts";
import type { Deps } from "./deps.ts";
import { granted } from "./problems.ts";
import { atOrNull, instantText } from "./quantities.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

const MEANING =
  "Whoever holds this key can spend what is on the account and sign for it. It is shown this once per request and kept in " +
  "no log. Oli Move keeps its own copy, so that sessions, bills and disputes go on as before. What you sign elsewhere " +
  "takes the account's next nonce: something that you asked for here at the same moment may then be refused by the chain.";

const key = z
  .object({
    address: z.string(),
    privateKey: z.string().meta({ description: "32 bytes of hex, secp256k1" }),
    exportedBefore: instantText.nullable().meta({ description: "When the key was taken out the last time before" }),
    meaning: z.string(),
  })
  .meta({ id: "ExportedKey" });

export function driverRights(deps: Deps): readonly Route[] {
  const { usecases } = deps;
  const tag = "Driver" as const;
  const who = ["driver"] as const;

  return [
    route({
      method: "post",
      path: "/driver/key/export",
      tag,
      summary: "Take out the key of my account on chain",
      description: MEANING,
      who,
      body: schemas.keyExport,
      answers: { 200: { description: "The key", schema: key } },
      async handle({ caller: { driverId }, body, client }) {
        await confirmed(deps, body.password, client);
        const { kind: _, exportedBefore, ...shown } = granted(await usecases.exportKey({ driverId }));
        return { status: 200, body: { ...shown, exportedBefore: atOrNull(exportedBefore), meaning: MEANING } };
      },
    }),
  ];
}
