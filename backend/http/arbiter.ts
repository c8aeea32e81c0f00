/** The arbiter, who is neither a CPO nor who bills: open disputes with their evidence, and the decision. */
import { z } from "zod";
import * as out from "./billAnswers.ts";
import type { Deps } from "./deps.ts";
import { granted, Problem } from "./problems.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

export function arbiterRoutes(deps: Deps): readonly Route[] {
  const { usecases, store } = deps;
  const tag = "Arbiter" as const;
  const who = ["arbiter"] as const;

  async function file(sessionId: string) {
    const found = await usecases.disputeFile(sessionId);
    if (!found) throw new Problem("unknown-dispute", `No bill of session ${sessionId} is disputed. Check the id.`);
    return out.disputeFileOut(found, await store.meters.ofSession(sessionId), usecases.disputeTerms);
  }

  return [
    route({
      method: "get",
      path: "/arbiter/disputes",
      tag,
      summary: "Disputes that are open on chain, oldest first",
      who,
      answers: { 200: { description: "Disputes", schema: z.object({ disputes: z.array(out.dispute) }) } },
      async handle() {
        const open = (await store.disputes.unfinished()).filter(({ openedAt }) => openedAt !== null);
        const standing = await usecases.standingOf(open);
        return { status: 200, body: { disputes: standing.map((one) => out.disputeOut(one, usecases.disputeTerms)) } };
      },
    }),
    route({
      method: "get",
      path: "/arbiter/disputes/{sessionId}",
      tag,
      summary: "A dispute with its evidence: meter record, slots, promise, baseline, readings",
      description: "`receipt` and `salt` give the hash that stands on chain, so that everybody judges the same bill.",
      who,
      params: schemas.ofSession,
      answers: { 200: { description: "The dispute", schema: out.disputeFile } },
      handle: async ({ params }) => ({ status: 200, body: await file(params.sessionId) }),
    }),
    route({
      method: "put",
      path: "/arbiter/disputes/{sessionId}/decision",
      tag,
      summary: "Decide: what the bill is lowered by, and FLEX given or taken back",
      description:
        "The refund goes off the debt first, the rest to the driver's balance; what else was paid goes to the CPO. A " +
        "decision is not taken back; the same one again changes nothing.",
      who,
      params: schemas.ofSession,
      body: schemas.decision,
      answers: { 202: { description: "Decided, and on its way to the chain", schema: out.dispute } },
      async handle({ caller, params, body }) {
        const wish = { sessionId: params.sessionId, by: caller.accountId, ...body };
        granted(await usecases.decideDispute(wish), body);
        const [decided] = await usecases.standingOf(await store.disputes.ofSessions([params.sessionId]));
        if (!decided) throw new Error(`The dispute of session ${params.sessionId} was decided, but is gone.`);
        return { status: 202, body: out.disputeOut(decided, usecases.disputeTerms) };
      },
    }),
  ];
}
