/** A driver's money: receipts, the balance on chain, FLEX and its redemption. */
import { z } from "zod";
import { corrected } from "../domain/disputes.ts";
import * as out from "./billAnswers.ts";
import type { Deps } from "./deps.ts";
import { ownSession } from "./ownership.ts";
import { granted, Problem } from "./problems.ts";
import { money, moneyText, wh } from "./quantities.ts";
import { readChain } from "./readChain.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

export const balance = z
  .object({ address: z.string(), availableMicroEur: moneyText, flexWh: wh })
  .meta({ id: "Balance" });
export const flex = z
  .object({
    balanceWh: wh,
    earnedWh: wh,
    offers: z.array(
      z.object({
        cpoId: z.string(),
        pricePerKwhMicroEur: moneyText.meta({ description: "Paid for 1 kWh of FLEX" }),
        potMicroEur: moneyText,
      }),
    ),
    earned: z.array(out.settlement),
  })
  .meta({ id: "Flex" });

export function driverMoney(deps: Deps): readonly Route[] {
  const { usecases, store, chain } = deps;
  const tag = "Driver" as const;
  const who = ["driver"] as const;

  async function accountOf(driverId: string) {
    const driver = await store.drivers.byId(driverId);
    if (!driver) throw new Error(`Driver ${driverId} signed in, but is not in the store.`);
    return { address: driver.address, ...(await readChain(chain.account(driver.address))) };
  }

  return [
    route({
      method: "get",
      path: "/driver/sessions/{sessionId}/receipt",
      tag,
      summary: "The receipt of a session: what was billed, and the bytes that anybody can check",
      who,
      params: schemas.ofSession,
      answers: { 200: { description: "The receipt", schema: out.receipt } },
      async handle({ caller, params }) {
        const session = await ownSession(deps, caller, params.sessionId);
        const bill = await store.bills.ofSession(session.id);
        if (!bill)
          throw new Problem("no-settlement", "The session still runs. Its receipt comes when the car is unplugged.");
        const [standing] = await usecases.billStates([bill]);
        if (!standing) throw new Error(`The bill of session ${session.id} does not stand anywhere.`);
        return { status: 200, body: out.receiptOut(standing, await usecases.figuresOf(session, bill)) };
      },
    }),
    route({
      method: "get",
      path: "/driver/settlements",
      tag,
      summary: "My bills, newest first, and how each of them stands",
      who,
      query: schemas.page,
      answers: { 200: { description: "Bills", schema: z.object({ settlements: z.array(out.settlement) }) } },
      async handle({ caller, query }) {
        const bills = await store.bills.ofDriver(caller.driverId, query.limit);
        return { status: 200, body: { settlements: (await usecases.billStates(bills)).map(out.settlementOut) } };
      },
    }),
    route({
      method: "get",
      path: "/driver/balance",
      tag,
      summary: "My balance on chain",
      who,
      answers: { 200: { description: "Balance", schema: balance } },
      async handle({ caller }) {
        const { address, availableMicroEur, flexWh } = await accountOf(caller.driverId);
        return { status: 200, body: { address, availableMicroEur: money(availableMicroEur), flexWh: Number(flexWh) } };
      },
    }),
    route({
      method: "get",
      path: "/driver/flex",
      tag,
      summary: "My FLEX, how I earned it and what CPOs pay for it",
      who,
      query: schemas.page,
      answers: { 200: { description: "FLEX", schema: flex } },
      async handle({ caller, query }) {
        const { flexWh } = await accountOf(caller.driverId);
        const bills = await usecases.billStates(await store.bills.ofDriver(caller.driverId, query.limit));
        const flexWhOf = ({ bill, dispute }: (typeof bills)[number]) => corrected(bill, dispute?.closed ?? null).flexWh;
        const earned = bills.filter((one) => flexWhOf(one) > 0);
        const offers = [];
        for (const cpo of await store.sites.cpos()) {
          const { pricePerKwh, potMicroEur } = await readChain(chain.offer(cpo.number));
          if (pricePerKwh > 0n)
            offers.push({ cpoId: cpo.id, pricePerKwhMicroEur: money(pricePerKwh), potMicroEur: money(potMicroEur) });
        }
        const earnedWh = earned.reduce((sum, one) => sum + flexWhOf(one), 0);
        return {
          status: 200,
          body: { balanceWh: Number(flexWh), earnedWh, offers, earned: earned.map(out.settlementOut) },
        };
      },
    }),
    route({
      method: "post",
      path: "/driver/flex/redemptions",
      tag,
      summary: "Turn FLEX into money of a CPO's pot",
      who,
      body: schemas.redemption,
      answers: {
        202: { description: "Signed and on its way to the chain", schema: z.object({ key: z.string() }) },
      },
      async handle({ caller, body }) {
        const { flexWh, nonce } = await accountOf(caller.driverId);
        if (body.wh > Number(flexWh)) {
          const detail = `You have ${flexWh} Wh of FLEX. Redeem at most that.`;
          throw new Problem("too-much", detail, { faults: [{ pointer: "#/wh", detail }] });
        }
        const said = granted(await usecases.redeemFlex({ driverId: caller.driverId, ...body, nonce }), body);
        return { status: 202, body: { key: said.key } };
      },
    }),
  ];
}
