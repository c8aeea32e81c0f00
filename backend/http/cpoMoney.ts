/** A CPO's money: bills, what they come to, and disputes of them. Auditors may read all of it. */
import { z } from "zod";
import * as out from "./billAnswers.ts";
import type { Deps } from "./deps.ts";
import { latestBills } from "./latestBills.ts";
import { money, moneyText, wh } from "./quantities.ts";
import { type Caller, type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

export const figures = z
  .object({
    cpoId: z.string(),
    bills: z.int(),
    energyWh: wh,
    billedMicroEur: moneyText,
    refundedMicroEur: moneyText.meta({ description: "micro-euro that ended disputes lowered bills by" }),
    creditedMicroEur: moneyText.meta({ description: "micro-euro of compensation above bills" }),
    revenueMicroEur: moneyText.meta({ description: "micro-euro billed, less refunds and credits; paid or owed" }),
    disputes: z.int().meta({ description: "Open now" }),
    disputedMicroEur: moneyText.meta({ description: "micro-euro of bills whose disputes are open" }),
    flexWh: wh.meta({ description: "Wh that drivers earned, after disputes" }),
    flexOffer: z
      .object({ pricePerKwhMicroEur: moneyText, potMicroEur: moneyText })
      .nullable()
      .meta({ description: "What the CPO pays for 1 kWh of FLEX, and what is left in its pot; null: chain away" }),
  })
  .meta({ id: "CpoFigures" });

export function cpoMoney(deps: Deps): readonly Route[] {
  const { usecases, store, chain } = deps;
  const tag = "CPO" as const;
  const readers = ["staff", "auditor"] as const;

  const cposOf = async (caller: Caller): Promise<readonly string[]> =>
    "cpoId" in caller ? [caller.cpoId] : (await store.sites.cpos()).map((cpo) => cpo.id);

  /** The sums are the database's: they are shown without the chain too. */
  async function offerOf(cpoId: string): Promise<z.output<typeof figures>["flexOffer"]> {
    const cpo = (await store.sites.cpos()).find(({ id }) => id === cpoId);
    const offer = cpo ? await chain.offer(cpo.number).catch(() => null) : null;
    return offer && { pricePerKwhMicroEur: money(offer.pricePerKwh), potMicroEur: money(offer.potMicroEur) };
  }

  return [
    route({
      method: "get",
      path: "/cpo/settlements",
      tag,
      summary: "Bills: those that wait and the latest batches on chain",
      who: readers,
      query: schemas.page,
      answers: {
        200: { description: "Bills, newest first", schema: z.object({ settlements: z.array(out.settlement) }) },
      },
      async handle({ caller, query }) {
        const bills = await latestBills(deps, await cposOf(caller), query.limit);
        return { status: 200, body: { settlements: (await usecases.billStates(bills)).map(out.settlementOut) } };
      },
    }),
    route({
      method: "get",
      path: "/cpo/disputes",
      tag,
      summary: "Disputes of bills, newest first, with the drivers' reasons",
      who: readers,
      query: schemas.page,
      answers: { 200: { description: "Disputes", schema: z.object({ disputes: z.array(out.dispute) }) } },
      async handle({ caller, query }) {
        const found = [];
        for (const cpoId of await cposOf(caller)) found.push(...(await store.disputes.ofCpo(cpoId, query.limit)));
        const newest = found.sort((a, b) => b.askedAt - a.askedAt).slice(0, query.limit);
        const standing = await usecases.standingOf(newest);
        return { status: 200, body: { disputes: standing.map((one) => out.disputeOut(one, usecases.disputeTerms)) } };
      },
    }),
    route({
      method: "get",
      path: "/cpo/figures",
      tag,
      summary: "What all bills come to: revenue, refunds, what is disputed",
      who: readers,
      answers: { 200: { description: "Figures by CPO", schema: z.object({ figures: z.array(figures) }) } },
      async handle({ caller }) {
        const list: z.output<typeof figures>[] = [];
        for (const cpoId of await cposOf(caller)) {
          const sums = await store.bills.figures(cpoId);
          list.push({
            cpoId,
            bills: sums.bills,
            energyWh: sums.energyWh,
            billedMicroEur: money(sums.billedMicroEur),
            refundedMicroEur: money(sums.refundedMicroEur),
            creditedMicroEur: money(sums.creditedMicroEur),
            revenueMicroEur: money(sums.billedMicroEur - sums.refundedMicroEur - sums.creditedMicroEur),
            disputes: sums.disputes,
            disputedMicroEur: money(sums.disputedMicroEur),
            flexWh: sums.flexWh,
            flexOffer: await offerOf(cpoId),
          });
        }
        return { status: 200, body: { figures: list } };
      },
    }),
  ];
}
