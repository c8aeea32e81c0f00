/** What happens by the clock: slots end, cycles run ahead of each slot, stale meters and silent stations are noticed. */
import { SLOT_S, slotCeil } from "../domain/slots.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import { type GroupBoard, liveSessions } from "./board.ts";
import { tickGrants } from "./grants.ts";
import { guardSlot } from "./guardSlot.ts";
import type { World } from "./ports.ts";
import { postBills } from "./postBills.ts";
import { rollGroup } from "./recordReadings.ts";
import { runControlCycle } from "./runControlCycle.ts";
import { sealSlots } from "./sealSlots.ts";

/**
 * Called once a minute, on the minute or, in real time, a little later. What fails for one group holds up no other; it is
 * thrown when all had their minute.
 */
export async function everyMinute(world: World): Promise<void> {
  const now = world.clock.now();
  const failures: unknown[] = [];
  const attempt = (work: Promise<void>) => work.catch((error: unknown) => void failures.push(error));
  for (const group of Object.values(world.board.groups).sort((a, b) => (a.groupId < b.groupId ? -1 : 1)))
    await attempt(groupMinute(world, group, now));
  await attempt(cpoMinute(world, now));
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1)
    throw new AggregateError(failures, `${failures.length} things failed in one minute, first: ${failures[0]}`);
}

async function groupMinute(world: World, group: GroupBoard, now: EpochSecond): Promise<void> {
  await rollGroup(world, group, now);
  await noteSilence(world, group, now);
  await tickGrants(world, group);
  await guardSlot(world, group);
  if (isCycleTime(now, world.settings.leadS)) await runControlCycle(world, group.groupId, "slot");
}

async function cpoMinute(world: World, now: EpochSecond): Promise<void> {
  const slotBegins = now % SLOT_S < MINUTE_S;
  // What another mode left waiting is looked for once per slot.
  if (slotBegins || world.ledger.privacy === "tenant-root") await sealSlots(world);
  // A wait of less than a minute is for a site where somebody stands and waits for the receipt.
  if (slotBegins || world.settings.billingWaitS < MINUTE_S) await postBills(world);
}

const MINUTE_S = 60;

/** The minute in which the cycle ahead of the next slot runs. */
const isCycleTime = (now: EpochSecond, leadS: number) => {
  const left = slotCeil(epochSecond(now + 1)) - now;
  return left <= leadS && left > leadS - 60;
};

/** Stations whose meter has not been heard for too long: worst-case load, noted once, and again good when heard. */
async function noteSilence(world: World, group: GroupBoard, now: EpochSecond): Promise<void> {
  await noteSilentSite(world, group, now);
  for (const live of liveSessions(group)) {
    const silent = now - live.readAt > world.settings.staleS;
    const last = live.faults.at(-1);
    const open = last !== undefined && last.until === null;
    if (silent && !open) {
      live.faults.push({ from: live.readAt, until: null });
      live.silent = true;
      await world.store.incidents.add({
        id: `silent:${live.sessionId}:${live.readAt}`,
        at: now,
        groupId: group.groupId,
        kind: "silent-station",
        text: `${live.evseId} has not reported for ${now - live.readAt} s; it counts with the most that it may draw.`,
      });
      world.clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: group.groupId });
    } else if (!silent && open && live.silent) {
      last.until = live.readAt;
      live.silent = false;
      live.heldOutUntil = 0;
      world.clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: group.groupId });
    }
    if (live.silent) live.heldOutUntil = now + 120;
    // A station that refused or was late with its answer is tried again when its time as a fixed load is over.
    if (live.heldOutUntil <= now && live.heldOutUntil > now - 60)
      world.clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: group.groupId });
    if (live.frozenSince !== null && now - live.frozenSince > world.settings.staleS && !live.frozenNoted) {
      live.frozenNoted = true;
      await world.store.incidents.add({
        id: `frozen:${live.sessionId}:${live.frozenSince}`,
        at: now,
        groupId: group.groupId,
        kind: "frozen-register",
        text: `${live.evseId} reports power, but its register stands still since ${now - live.frozenSince} s.`,
      });
    }
    if (live.frozenSince === null) live.frozenNoted = false;
  }
}

/** The meter of building and PV: without it plans count on the bound of the forecast. */
async function noteSilentSite(world: World, group: GroupBoard, now: EpochSecond): Promise<void> {
  const silent = group.site !== null && now - group.site.at > world.settings.staleS;
  if (silent === group.siteSilent) return;
  group.siteSilent = silent;
  world.clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: group.groupId });
  if (silent && group.site)
    await world.store.incidents.add({
      id: `silent-site:${group.groupId}:${group.site.at}`,
      at: now,
      groupId: group.groupId,
      kind: "silent-site-meter",
      text: `Building and PV of ${group.groupId} have not reported for ${now - group.site.at} s; plans count with the worst that is likely.`,
    });
}
