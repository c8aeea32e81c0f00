/**
 * The driver takes a counter-offer or leaves it; an offer that nobody takes in time gives its capacity back. `less`, the most
 * energy by the wished time, is held until then; `later`, all of it by a later time, is asked for again when it is taken:
 * it is exact then too, but somebody else may have been faster. The other one stands until one is taken.
 */
import { type EnergyPromise, isExpired, OFFER_S, transition } from "../domain/promises.ts";
import { epochSecond } from "../domain/units.ts";
import { cameToNothing, findLive, type LiveSession } from "./board.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";
import { requestCharging } from "./requestCharging.ts";

export type OfferAnswer =
  | { readonly kind: "accepted" | "withdrawn" | "expired"; readonly promise: EnergyPromise }
  | Refused<"unknown-session" | "no-offer" | "later-gone">;

export async function answerOffer(
  world: World,
  answer: { readonly sessionId: string; readonly accept: boolean; readonly which?: "less" | "later" | undefined },
): Promise<OfferAnswer> {
  if (answer.accept && answer.which === "later") return takeLater(world, answer.sessionId);
  const found = findLive(world.board, answer.sessionId);
  if (!found) return refused("unknown-session", `Session ${answer.sessionId} is not open.`);
  const { live } = found;
  const offer = live.promise;
  if (!offer) return refused("no-offer", "There is no offer to answer. Ask for energy first.");
  if (offer.state !== "offered") {
    // The same answer again is answered the same way.
    if (answer.accept && !cameToNothing(offer)) return { kind: "accepted", promise: offer };
    return refused("no-offer", `The promise is ${offer.state}; only an offer can be taken or declined.`);
  }
  const at = world.clock.now();
  if (isExpired(offer, at))
    return { kind: "expired", promise: await end(world, live, transition(offer, { kind: "expire", at })) };
  if (!answer.accept)
    return { kind: "withdrawn", promise: await end(world, live, transition(offer, { kind: "withdraw", at })) };
  const promise = transition(offer, { kind: "accept", at });
  await world.store.promises.put(promise);
  live.promise = promise;
  return { kind: "accepted", promise };
}

/** All of the wish by the later time that the answer to it named. */
async function takeLater(world: World, sessionId: string): Promise<OfferAnswer> {
  const found = findLive(world.board, sessionId);
  if (!found) return refused("unknown-session", `Session ${sessionId} is not open.`);
  const at = world.clock.now();
  const { promise } = found.live;
  const admission = await world.store.sessions.admission(sessionId);
  const laterAt = admission?.laterAt;
  // The same answer again is answered the same way.
  if (promise && admission?.kind === "accepted" && promise.state !== "offered" && !cameToNothing(promise))
    return { kind: "accepted", promise };
  if (!admission || laterAt === undefined || at >= admission.at + OFFER_S)
    return refused("no-offer", "There is no later time on offer. Ask for energy again.");
  const wish = await world.store.sessions.preferences(sessionId);
  const asked = await requestCharging(world, {
    ...wish,
    sessionId,
    energyNeedWh: admission.wishedWh,
    departsAt: laterAt,
  });
  if (asked.kind === "accepted") return asked;
  return refused(
    "later-gone",
    "Somebody else took the room by that time. Ask again for the earliest time that there is now.",
  );
}

export async function expireOffer(world: World, sessionId: string): Promise<void> {
  const live = findLive(world.board, sessionId)?.live;
  const at = world.clock.now();
  if (live?.promise?.state !== "offered") return;
  if (isExpired(live.promise, at)) await end(world, live, transition(live.promise, { kind: "expire", at }));
  // The job waited for an earlier offer: this one stands longer.
  else world.clock.schedule(live.promise.expiresAt, { kind: "offer-expiry", sessionId });
}

/** Without a promise the car goes on, best effort. */
async function end(world: World, live: LiveSession, promise: EnergyPromise): Promise<EnergyPromise> {
  await world.store.transaction(async (store) => {
    await store.promises.put(promise);
    await store.sessions.setMode(live.sessionId, "best-effort");
  });
  live.promise = null;
  live.mode = "best-effort";
  const groupId = findLive(world.board, live.sessionId)?.group.groupId;
  if (groupId) world.clock.schedule(epochSecond(world.clock.now() + 1), { kind: "cycle", groupId });
  return promise;
}
