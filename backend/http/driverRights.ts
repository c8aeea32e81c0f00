/** What belongs to the driver alone: the key of the account, and to be forgotten. */
import { z } from "zod";
import { confirmed } from "./accountRoutes.ts";
import type { Deps } from "./deps.ts";
import { granted } from "./problems.ts";
import { at, atOrNull, instantText, money, moneyText, wh } from "./quantities.ts";
import { onChainOf, readChain } from "./readChain.ts";
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

const erasure = z
  .object({ erasedAt: instantText, givenUpMicroEur: moneyText, givenUpFlexWh: wh, kept: z.string() })
  .meta({ id: "Erasure" });

const KEPT =
  "Your name, e-mail, password, key, preferences, receipts and their salts are deleted. What stands on chain stays there, " +
  "under an address that nobody can be found behind, and so do the charge points' records, without your name.";

export function driverRights(deps: Deps): readonly Route[] {
  const { usecases, accounts, chain } = deps;
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
    route({
      method: "post",
      path: "/driver/erasure",
      tag,
      summary: "Forget me, for good",
      description: `Once nothing is open and the balance is paid out, or given up. ${KEPT}`,
      who,
      body: schemas.erasure,
      answers: { 200: { description: "Erased and signed out", schema: erasure } },
      async handle({ caller: { driverId, accountId }, body: { password, giveUp }, client }) {
        await confirmed(deps, password, client);
        const onChain = await onChainOf(deps, driverId);
        const owedMicroEur = await readChain(chain.owed(onChain.address));
        const erased = granted(await usecases.eraseDriver({ driverId, onChain, owedMicroEur, giveUp }), { giveUp });
        const cookies = await accounts.signOut(client);
        await accounts.remove(accountId);
        const { givenUpMicroEur, givenUpFlexWh } = erased;
        const body = { erasedAt: at(erased.at), givenUpMicroEur: money(givenUpMicroEur), givenUpFlexWh, kept: KEPT };
        return { status: 200, body, cookies };
      },
    }),
  ];
}
