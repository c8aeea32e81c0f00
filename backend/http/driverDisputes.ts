/** A driver's disputes: how a bill stands, and what can be done about it. */
import * as out from "./billAnswers.ts";
import type { Deps } from "./deps.ts";
import { ownSession } from "./ownership.ts";
import { granted, Problem } from "./problems.ts";
import { readChain } from "./readChain.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

export function driverDisputes(deps: Deps): readonly Route[] {
  const { usecases, store, chain } = deps;
  const tag = "Driver" as const;
  const who = ["driver"] as const;

  async function standing(sessionId: string) {
    const bill = await store.bills.ofSession(sessionId);
    const [found] = bill ? await usecases.billStates([bill]) : [];
    if (!found) throw new Problem("no-settlement", "The session still runs. Its bill comes when the car is unplugged.");
    return out.disputeOut(found, usecases.disputeTerms);
  }

  return [
    route({
      method: "get",
      path: "/driver/sessions/{sessionId}/dispute",
      tag,
      summary: "How my bill stands: until when I can dispute it, what it costs, what happens next",
      who,
      params: schemas.ofSession,
      answers: { 200: { description: "The bill and its dispute, if there is one", schema: out.dispute } },
      async handle({ caller, params }) {
        const { id } = await ownSession(deps, caller, params.sessionId);
        return { status: 200, body: await standing(id) };
      },
    }),
    route({
      method: "post",
      path: "/driver/sessions/{sessionId}/dispute",
      tag,
      summary: "Dispute my bill, once, within its window",
      description:
        "The reason is kept here and shown to the operator and the arbiter; on chain goes only the proof that this bill " +
        "was posted, signed with the driver's key. Costs nothing.",
      who,
      params: schemas.ofSession,
      body: schemas.dispute,
      answers: { 202: { description: "Signed and on its way to the chain", schema: out.dispute } },
      async handle({ caller, params, body }) {
        const { id } = await ownSession(deps, caller, params.sessionId);
        const wish = { sessionId: id, driverId: caller.driverId };
        // First what is known here, so that nobody has to wait for the chain to be told.
        granted(await usecases.disputable(wish));
        const driver = await store.drivers.byId(caller.driverId);
        if (!driver) throw new Error(`Driver ${caller.driverId} signed in, but is not in the store.`);
        const { nonce } = await readChain(chain.account(driver.address));
        granted(await usecases.disputeBill({ ...wish, reason: body.reason, nonce }), body);
        return { status: 202, body: await standing(id) };
      },
    }),
  ];
}
