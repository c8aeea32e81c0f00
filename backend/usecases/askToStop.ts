/** A driver wants to end the session from afar. The station ends it where its connector can; the plug-out then comes as ever. */
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export async function askToStop(
  { store, cpo }: Pick<World, "store" | "cpo">,
  { sessionId }: { readonly sessionId: string },
): Promise<{ readonly kind: "asked" } | Refused<"unknown-session" | "closed" | "stop-at-station">> {
  const session = await store.sessions.byId(sessionId);
  if (!session) return refused("unknown-session", `There is no session ${sessionId}.`);
  if (session.unpluggedAt !== null) return refused("closed", `Session ${sessionId} has ended.`);
  if (await cpo.stopSession?.({ sessionId, evseId: session.evseId })) return { kind: "asked" };
  return refused(
    "stop-at-station",
    "This charge point cannot be stopped from afar. Unplug the car to end the session.",
  );
}
