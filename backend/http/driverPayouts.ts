/** A driver takes money out to an address of the driver's own, and FLEX as tokens. */
import { z } from "zod";
import { confirmed } from "./accountRoutes.ts";
import type { Deps } from "./deps.ts";
import { granted } from "./problems.ts";
import { at, atOrNull, instantText, money, moneyText } from "./quantities.ts";
import { onChainOf } from "./readChain.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

const underWay = z.object({
  kind: z.enum(["announce", "withdraw", "claim"]),
  amountMicroEur: moneyText.nullable(),
  to: z.string().nullable(),
  validUntil: instantText.meta({ description: "The chain refuses it from then on" }),
  refusedBecause: z.string().nullable().meta({
    description: "Why the chain refuses it as it stands; it is tried again until then, or until you ask anew",
  }),
});
export const withdrawal = z
  .object({
    availableMicroEur: moneyText,
    unbookedMicroEur: moneyText.meta({ description: "What bills that are not on chain yet will take; not paid out" }),
    announcedMicroEur: moneyText,
    readyAt: instantText.nullable().meta({ description: "From when the announced amount can be withdrawn" }),
    noticeS: z.int().meta({ description: "s from announcing until it can be withdrawn" }),
    underWay: underWay.nullable(),
    next: z.string(),
  })
  .meta({ id: "Withdrawal" });

export function driverPayouts(deps: Deps): readonly Route[] {
  const { usecases } = deps;
  const standingOf = (driverId: string) => onChainOf(deps, driverId);
  const tag = "Driver" as const;
  const who = ["driver"] as const;
  const queued = { 202: { description: "Signed and on its way to the chain", schema: withdrawal } };

  async function shown(driverId: string): Promise<z.output<typeof withdrawal>> {
    const onChain = await standingOf(driverId);
    const { availableMicroEur, announcedMicroEur, readyAt } = onChain;
    const waiting = await usecases.waitingPayout(onChain.address);
    const isAnnounced = announcedMicroEur > 0n;
    return {
      availableMicroEur: money(availableMicroEur),
      unbookedMicroEur: money(await usecases.unbookedMicroEur(driverId)),
      announcedMicroEur: money(announcedMicroEur),
      readyAt: atOrNull(isAnnounced ? readyAt : null),
      noticeS: usecases.withdrawNoticeS,
      underWay: waiting && {
        kind: waiting.kind,
        amountMicroEur: waiting.amountMicroEur === null ? null : money(waiting.amountMicroEur),
        to: waiting.to,
        validUntil: at(waiting.deadline),
        refusedBecause: waiting.refusedBecause,
      },
      next: nextOf(waiting, isAnnounced ? readyAt : null),
    };
  }

  function nextOf(waiting: Awaited<ReturnType<typeof usecases.waitingPayout>>, readyAt: number | null): string {
    if (waiting?.refusedBecause) return "The chain refuses what you asked for. Ask anew; the old one is then given up.";
    if (waiting) return "Wait until the chain has taken what you asked for; that takes a minute.";
    if (readyAt === null) return "Announce a withdrawal. Until you make it, the money can still pay your bills.";
    return usecases.now() < readyAt
      ? `Withdraw from ${at(readyAt)} on. Until then the money can still pay your bills.`
      : "Withdraw what you announced to an address of your own.";
  }

  return [
    route({
      method: "get",
      path: "/driver/withdrawal",
      tag,
      summary: "What I can take out, what I announced, and what happens next",
      who,
      answers: { 200: { description: "How it stands", schema: withdrawal } },
      handle: async ({ caller }) => ({ status: 200, body: await shown(caller.driverId) }),
    }),
    route({
      method: "post",
      path: "/driver/withdrawal/announcement",
      tag,
      summary: "Announce a withdrawal; it replaces an earlier announcement",
      description: "Costs nothing. The money can still pay bills until it is withdrawn.",
      who,
      body: schemas.announcement,
      answers: queued,
      async handle({ caller: { driverId }, body }) {
        granted(await usecases.announceWithdrawal({ driverId, ...body, onChain: await standingOf(driverId) }), body);
        return { status: 202, body: await shown(driverId) };
      },
    }),
    route({
      method: "post",
      path: "/driver/withdrawal",
      tag,
      summary: "Withdraw what I announced to an address of my own, once the notice is over",
      description: "Needs the password again. Nobody can bring back what was sent to a wrong address.",
      who,
      body: schemas.withdrawal,
      answers: queued,
      async handle({ caller: { driverId }, body: { password, ...wish }, client }) {
        await confirmed(deps, password, client);
        granted(await usecases.withdraw({ driverId, ...wish, onChain: await standingOf(driverId) }), wish);
        return { status: 202, body: await shown(driverId) };
      },
    }),
    route({
      method: "post",
      path: "/driver/flex/claim",
      tag,
      summary: "Turn all my FLEX into tokens at an address of my own",
      description:
        "Needs the password again. Tokens can be sent and traded like any ERC-20; this service redeems only FLEX that is " +
        "not claimed.",
      who,
      body: schemas.flexClaim,
      answers: queued,
      async handle({ caller: { driverId }, body: { password, ...wish }, client }) {
        await confirmed(deps, password, client);
        granted(await usecases.claimFlex({ driverId, ...wish, onChain: await standingOf(driverId) }), wish);
        return { status: 202, body: await shown(driverId) };
      },
    }),
  ];
}
