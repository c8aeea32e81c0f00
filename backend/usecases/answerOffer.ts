/** The driver takes a counter-offer or leaves it; an offer that nobody takes in time gives its capacity back. */
import { type EnergyPromise, isExpired, transition } from "../domain/promises.ts";
import { epochSecond } from "../domain/units.ts";
import { cameToNothing, findLive, type LiveSession } from "./board.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export type OfferAnswer =
  | { readonly kind: "accepted" | "withdrawn" | "expired"; readonly promise: EnergyPromise }
  | Refused<"unknown-session" | "no-offer">;

export async function answerOffer(
  world: World,
  answer: { readonly sessionId: string; readonly accept: boolean },
): Promise<OfferAnswer> {
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
