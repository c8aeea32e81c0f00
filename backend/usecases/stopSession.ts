/** The car is unplugged: the last reading closes the session, the promise is judged, and the bill is computed at once. */
import type { ChargingSession } from "../domain/sessions.ts";
import { type EpochSecond, epochSecond, type WattHour, watt } from "../domain/units.ts";
import { findLive, foldMeterReading, groupBoard, integrateAllowed, removeSession } from "./board.ts";
import { endBoost } from "./grants.ts";
import type { Settlement, World } from "./ports.ts";
import { movedAt } from "./recordReadings.ts";
import { type Refused, refused } from "./refused.ts";
import { settleSession } from "./settleSession.ts";

export type PlugOut = { readonly sessionId: string; readonly at: EpochSecond; readonly registerWh: WattHour };

export type Stopped =
  | { readonly kind: "stopped" | "duplicate"; readonly session: ChargingSession; readonly settlement: Settlement }
  | Refused<"unknown-session" | "bad-instant" | "implausible-register">;

const AHEAD_S = 120;

export async function stopSession(world: World, plugOut: PlugOut): Promise<Stopped> {
  const now = world.clock.now();
  const { store } = world;
  const session = await store.sessions.byId(plugOut.sessionId);
  if (!session)
    return refused("unknown-session", `Session ${plugOut.sessionId} is not known. Start it first, or check its id.`);
  if (session.unpluggedAt !== null) {
    const settlement = await store.bills.ofSession(session.id);
    if (!settlement)
      throw new Error(`Session ${session.id} is closed but has no settlement, although both commit together.`);
    return { kind: "duplicate", session, settlement };
  }
  if (plugOut.at > now + AHEAD_S)
    return refused("bad-instant", "The plug-out lies in the future. Check the station's clock.");
  if (plugOut.at < session.pluggedAt) return refused("bad-instant", "The plug-out lies before the plug-in.");
  const found = findLive(world.board, session.id);
  if (!found)
    throw new Error(`Session ${session.id} is open but not on the live board. Restart the service to rebuild it.`);
  const { live } = found;
  if (plugOut.registerWh < live.registerWh)
    return refused(
      "implausible-register",
      `The register fell from ${live.registerWh} to ${plugOut.registerWh} Wh. Send the register of the same meter, in Wh.`,
    );
  const mostWh = (live.maxPowerW * (plugOut.at - movedAt(live) + 60) * 1.25) / 3600 + 100;
  if (plugOut.registerWh - live.registerWh > mostWh)
    return refused(
      "implausible-register",
      `The register rose by ${plugOut.registerWh - live.registerWh} Wh in ${plugOut.at - movedAt(live)} s, more than ${live.maxPowerW} W allow. Is the value in Wh?`,
    );

  const closed: ChargingSession = { ...session, unpluggedAt: plugOut.at, endRegisterWh: plugOut.registerWh };
  const settlement = await store.transaction(async (tx) => {
    await tx.meters.append([
      { sessionId: session.id, at: plugOut.at, registerWh: plugOut.registerWh, powerW: watt(0) },
    ]);
    await endBoost({ ...world, store: tx }, live, "unplugged");
    await tx.sessions.close(session.id, plugOut.at, plugOut.registerWh);
    return settleSession({ ...world, store: tx }, closed, found.live, found.group);
  });
  integrateAllowed(live, plugOut.at);
  const board = groupBoard(world.board, session.groupId, now);
  foldMeterReading(board, live, { ...plugOut, powerW: watt(0) });
  removeSession(board, session.id, plugOut.at);
  world.clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: session.groupId });
  world.updates?.publish(`session:${session.id}`, { kind: "stopped" });
  world.updates?.publish(`group:${session.groupId}`, { kind: "session", sessionId: session.id });
  return { kind: "stopped", session: closed, settlement };
}
