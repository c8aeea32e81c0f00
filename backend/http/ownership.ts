/** Whose it is. What belongs to somebody else is answered like what does not exist, so that nobody can find out. */
import type { ChargingGroup, Evse } from "../domain/assets.ts";
import type { ChargingSession } from "../domain/sessions.ts";
import type { Deps } from "./deps.ts";
import { Problem } from "./problems.ts";
import type { Caller } from "./route.ts";

type Needs = Pick<Deps, "store">;

/** Whether the caller may see and change things of this group (staff and keys), or see them (auditors). */
function isOwn(caller: Caller, group: ChargingGroup): boolean {
  switch (caller.kind) {
    case "driver":
    case "arbiter":
    case "audit-key":
    case "market-key":
      return false;
    case "auditor":
      return true;
    case "staff":
      return group.cpoId === caller.cpoId;
    case "cpo-key":
    case "hems-key":
      return (
        group.cpoId === caller.cpoId &&
        (caller.locationId === null || caller.locationId === group.locationId) &&
        (caller.groupId === null || caller.groupId === group.id)
      );
  }
}

export async function ownGroup({ store }: Needs, caller: Caller, groupId: string): Promise<ChargingGroup> {
  const group = await store.sites.group(groupId);
  if (group && isOwn(caller, group)) return group;
  throw new Problem("unknown-group", `There is no group ${groupId} of yours. Check the id.`);
}

export async function ownGroups({ store }: Needs, caller: Caller): Promise<readonly ChargingGroup[]> {
  return (await store.sites.groups()).filter((group) => isOwn(caller, group));
}

export async function ownEvse({ store }: Needs, caller: Caller, evseId: string): Promise<Evse> {
  const evse = await store.sites.evse(evseId);
  const group = evse && (await store.sites.group(evse.groupId));
  if (evse && group && isOwn(caller, group)) return evse;
  throw new Problem("unknown-evse", `There is no EVSE ${evseId} of yours. Check the id.`);
}

/** A driver's own session, or one in an own group. */
export async function ownSession({ store }: Needs, caller: Caller, sessionId: string): Promise<ChargingSession> {
  const session = await store.sessions.byId(sessionId);
  if (session && (await isOwnSession({ store }, caller, session))) return session;
  throw new Problem("unknown-session", `There is no session ${sessionId} of yours. Check the id.`);
}

export async function isOwnSession({ store }: Needs, caller: Caller, session: ChargingSession): Promise<boolean> {
  if (caller.kind === "driver") return session.driverId === caller.driverId;
  const group = await store.sites.group(session.groupId);
  return group !== null && isOwn(caller, group);
}
