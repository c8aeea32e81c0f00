/** A car is plugged in: opens the session, so that its meter and its limits have an owner. */
import type { ChargingSession } from "../domain/sessions.ts";
import { type EpochSecond, epochSecond, type Watt, type WattHour, watt } from "../domain/units.ts";
import { addSession, groupBoard } from "./board.ts";
import { learnedPreferences } from "./learnedPreferences.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export type PlugIn = {
  readonly sessionId: string;
  readonly evseId: string;
  /** Null for RFID, roaming and ad hoc sessions: they charge best effort and are billed by the CPO. */
  readonly driverId: string | null;
  readonly at: EpochSecond;
  readonly registerWh: WattHour;
  /** What the car can take where it is known; the EVSE's own otherwise. */
  readonly carMaxPowerW?: Watt | undefined;
  readonly phases?: 1 | 2 | 3 | undefined;
  /** Some cars do not go on once they were stopped; else as the driver's preferences say. */
  readonly cannotPause?: boolean | undefined;
};

export type Started =
  | { readonly kind: "started"; readonly session: ChargingSession }
  | { readonly kind: "duplicate"; readonly session: ChargingSession }
  | Refused<"unknown-evse" | "occupied" | "out-of-order" | "unknown-driver" | "bad-instant" | "no-tariff">;

/** Clocks of stations may be this much ahead of ours, s. */
const AHEAD_S = 120;

export async function startSession(world: World, plugIn: PlugIn): Promise<Started> {
  const now = world.clock.now();
  const { store } = world;
  const known = await store.sessions.byId(plugIn.sessionId);
  if (known) return { kind: "duplicate", session: known };
  const evse = await store.sites.evse(plugIn.evseId);
  if (!evse) return refused("unknown-evse", `EVSE ${plugIn.evseId} is not registered. Register it in its group first.`);
  if (evse.status === "INOPERATIVE" || evse.status === "OUTOFORDER")
    return refused("out-of-order", `EVSE ${evse.id} is ${evse.status}. Report it AVAILABLE when it works again.`);
  const occupant = await store.sessions.openAt(evse.id);
  if (occupant)
    return refused(
      "occupied",
      `EVSE ${evse.id} is occupied by session ${occupant.id} since its plug-in. Stop that session first.`,
    );
  if (plugIn.at > now + AHEAD_S)
    return refused("bad-instant", "The plug-in lies in the future. Check the station's clock.");
  const driver = plugIn.driverId === null ? null : await store.drivers.byId(plugIn.driverId);
  if (plugIn.driverId !== null && (!driver || driver.erasedAt !== undefined))
    return refused("unknown-driver", `Driver ${plugIn.driverId} is not registered.`);
  const group = await store.sites.group(evse.groupId);
  if (!group) throw new Error(`EVSE ${evse.id} belongs to group ${evse.groupId}, which is not in the store.`);
  const tariff = await store.sites.currentTariff(group.cpoId);
  if (!tariff) return refused("no-tariff", `CPO ${group.cpoId} has no tariff. Set one before sessions start.`);

  const preferences = plugIn.driverId === null ? null : await store.drivers.preferences(plugIn.driverId);
  const cannotPause = plugIn.cannotPause ?? preferences?.cannotPause ?? false;
  const session = await store.transaction((tx) =>
    tx.sessions.start({
      id: plugIn.sessionId,
      cpoId: group.cpoId,
      groupId: group.id,
      evseId: evse.id,
      driverId: plugIn.driverId,
      tariffId: tariff.id,
      mode: "best-effort",
      pluggedAt: plugIn.at,
      maxPowerW: watt(Math.min(evse.maxPowerW, plugIn.carMaxPowerW ?? evse.maxPowerW)),
      phases: plugIn.phases ?? evse.phases,
      startRegisterWh: plugIn.registerWh,
      ...(cannotPause && { cannotPause: true }),
    }),
  );
  const board = groupBoard(world.board, group.id, now);
  const live = addSession(board, session, evse, now);
  const learned = await learnedPreferences(store, session);
  live.departsAt = learned.departsAt;
  live.wishedWh = learned.energyNeedWh;
  live.notBefore = learned.notBefore ?? 0;
  world.clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: group.id });
  world.updates?.publish(`group:${group.id}`, { kind: "session", sessionId: session.id });
  return { kind: "started", session };
}
