/**
 * Meter values and HEMS readings come in: appended, laid onto the live picture, and answered within the minute: the
 * in-slot guard trims when the slot's mean would rise above the limit, a car that draws less than allowed gives the
 * rest back, one that draws again gets it back.
 */
import type { MeterReading, SiteReading } from "../domain/meters.ts";
import { limitAt } from "../domain/profiles.ts";
import { SLOT_S, slotFloor, slotStart } from "../domain/slots.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import {
  deliveredWh,
  findLive,
  foldMeterReading,
  foldSiteReading,
  type GroupBoard,
  groupBoard,
  isBroken,
  type LiveSession,
  netLoadW,
  rollSlots,
} from "./board.ts";
import { renewGrant } from "./grants.ts";
import { guardSlot } from "./guardSlot.ts";
import type { World } from "./ports.ts";

export type Noted<R> = {
  readonly accepted: number;
  readonly duplicates: number;
  readonly refused: readonly { readonly reading: R; readonly text: string }[];
};

/** A car that draws this much less than it may, for this long, leaves the rest to others. */
const UNDER_W = 150;
const UNDER_S = 60;
/** A register may run this much faster than the rated power before it is not believed. */
const PLAUSIBLE = 1.25;
const AHEAD_S = 120;

export async function recordMeterReadings(
  world: World,
  readings: readonly MeterReading[],
): Promise<Noted<MeterReading>> {
  const now = world.clock.now();
  const refused: { reading: MeterReading; text: string }[] = [];
  const good: { reading: MeterReading; live: LiveSession; group: GroupBoard }[] = [];
  const latest = new Map<string, { registerWh: number; at: number }>();
  for (const reading of readings) {
    const found = findLive(world.board, reading.sessionId);
    if (!found) {
      refused.push({ reading, text: `Session ${reading.sessionId} is not open. Start it first, or check its id.` });
      continue;
    }
    const before = latest.get(reading.sessionId) ?? { registerWh: found.live.registerWh, at: movedAt(found.live) };
    const problem = implausible(reading, before, found.live, now);
    if (problem) refused.push({ reading, text: problem });
    else {
      latest.set(reading.sessionId, {
        registerWh: Math.max(before.registerWh, reading.registerWh),
        at: Math.max(before.at, reading.at),
      });
      good.push({ reading, ...found });
    }
  }
  const accepted = await world.store.meters.append(good.map((entry) => entry.reading));
  const groups = new Set<GroupBoard>();
  for (const { reading, live, group } of good) {
    if (reading.at <= live.readAt) continue;
    const wished = deliveredWh(live) >= live.wishedWh;
    const before = { registerWh: live.registerWh, powerW: live.powerW, readAt: live.readAt };
    foldMeterReading(group, live, reading);
    noteFrozenRegister(group, live, before, reading);
    // All that was wished is in: a car that still draws gets what is left, at once.
    if (!wished && deliveredWh(live) >= live.wishedWh && live.powerW > 0) replan(world, group);
    if (noteDraw(world, group, live, reading.at) && live.mode === "opted-out") await renewGrant(world, group, live);
    groups.add(group);
    world.updates?.publish(`session:${live.sessionId}`, {
      kind: "reading",
      at: reading.at,
      powerW: reading.powerW,
      registerWh: reading.registerWh,
    });
  }
  for (const group of groups) {
    await guardSlot(world, group);
    world.updates?.publish(`group:${group.groupId}`, { kind: "readings" });
  }
  return { accepted, duplicates: good.length - accepted, refused };
}

/** When the register was last seen where it is: since then it may have risen. */
export const movedAt = (live: LiveSession) => live.frozenSince ?? live.readAt;

function implausible(
  reading: MeterReading,
  before: { registerWh: number; at: number },
  live: LiveSession,
  now: number,
): string | null {
  if (reading.at > now + AHEAD_S) return "The reading lies in the future. Check the station's clock.";
  if (reading.at < live.pluggedAt) return "The reading is older than the session's plug-in.";
  if (reading.at < before.at) return null;
  if (reading.registerWh < before.registerWh)
    return `The register fell from ${before.registerWh} to ${reading.registerWh} Wh. A register never runs backwards: check the meter or the unit.`;
  const mostWh = (live.maxPowerW * (reading.at - before.at + 60) * PLAUSIBLE) / 3600 + 100;
  if (reading.registerWh - before.registerWh > mostWh)
    return `The register rose by ${reading.registerWh - before.registerWh} Wh in ${reading.at - before.at} s, more than ${live.maxPowerW} W allow. Is the value in Wh?`;
  if (reading.powerW > live.maxPowerW * PLAUSIBLE + 200)
    return `${reading.powerW} W is more than the EVSE and the car allow (${live.maxPowerW} W). Is the value in W?`;
  return null;
}

/** Power without progress of the register: the reading is kept, the incident is raised once. */
function noteFrozenRegister(
  group: GroupBoard,
  live: LiveSession,
  before: Pick<LiveSession, "registerWh" | "powerW" | "readAt">,
  reading: MeterReading,
): void {
  const expectedWh = (Math.min(before.powerW, reading.powerW) * (reading.at - before.readAt)) / 3600;
  if (reading.registerWh > before.registerWh) {
    live.frozenSince = null;
    live.frozenWs = 0;
    return;
  }
  if (expectedWh >= 5) live.frozenSince ??= before.readAt;
  if (live.frozenSince === null) return;
  const inSlotS = Math.max(0, reading.at - Math.max(before.readAt, slotStart(group.slot)));
  live.frozenWs += Math.max(before.powerW, reading.powerW) * inSlotS;
}

/**
 * What the car was seen to take when it was allowed more; the next plan gives the rest to others. Answers whether what the
 * car takes is another one than before: who opted out gives back what is not used, and gets it again when it is.
 */
function noteDraw(world: World, group: GroupBoard, live: LiveSession, at: EpochSecond): boolean {
  const allowedW = Math.min(live.maxPowerW, limitAt(live.applied, at));
  const steady = limitAt(live.applied, epochSecond(at - UNDER_S)) >= allowedW && live.pending === null;
  if (isBroken(live)) return false;
  if (live.powerW >= allowedW - UNDER_W) {
    live.underSince = null;
    const isMore = allowedW >= live.minPowerW && live.powerW > 0 && live.seenMaxW !== null;
    if (!isMore) return false;
    // It takes everything that it is given, so what was seen before is no bound any more.
    live.seenMaxW = null;
    const last = live.unwilling.at(-1);
    if (last) last.until ??= at;
    replan(world, group);
    return true;
  }
  if (allowedW < live.minPowerW || !steady) {
    live.underSince = null;
    return false;
  }
  live.underSince ??= at;
  if (at - live.underSince < UNDER_S) return false;
  const seenW =
    live.powerW < live.minPowerW / 4
      ? 0
      : Math.min(live.maxPowerW, Math.max(live.minPowerW, Math.ceil(live.powerW * 1.05) + 50));
  const before = live.seenMaxW ?? live.maxPowerW;
  live.seenMaxW = seenW;
  live.triedAt = at;
  if (live.unwilling.at(-1)?.until !== null) live.unwilling.push({ from: live.underSince, until: null });
  const isOther = Math.abs(seenW - before) > 200;
  if (isOther) replan(world, group);
  return isOther;
}

const replan = (world: World, group: GroupBoard) =>
  world.clock.schedule(epochSecond(world.clock.now() + 1), { kind: "cycle", groupId: group.groupId });

export async function recordSiteReadings(world: World, readings: readonly SiteReading[]): Promise<Noted<SiteReading>> {
  const now = world.clock.now();
  const refused: { reading: SiteReading; text: string }[] = [];
  const good = readings.filter((reading) => {
    const text = world.board.groups[reading.groupId]
      ? reading.at > now + AHEAD_S
        ? "The reading lies in the future. Check the meter's clock."
        : null
      : `Group ${reading.groupId} is not known. Register it first.`;
    if (text) refused.push({ reading, text });
    return text === null;
  });
  const accepted = await world.store.meters.appendSite(good);
  for (const reading of good) {
    const group = groupBoard(world.board, reading.groupId, now);
    await rollGroup(world, group, reading.at);
    if (group.site && reading.at < group.site.at) continue;
    foldSiteReading(group, reading);
    await guardSlot(world, group);
    replanWhenOff(world, group, now);
    world.updates?.publish(`group:${group.groupId}`, { kind: "site-reading" });
  }
  return { accepted, duplicates: good.length - accepted, refused };
}

/** Slots that ended leave their mean as the forecast's history. */
export async function rollGroup(world: World, group: GroupBoard, now: EpochSecond): Promise<void> {
  for (const slot of rollSlots(group, now)) await world.store.meters.putSiteSlot(slot);
}

/** The load turned out otherwise than the plan expected: room to give back, or a slot to save. */
function replanWhenOff(world: World, group: GroupBoard, now: EpochSecond): void {
  if (Math.abs(netLoadW(group) - group.expectedNetW) < group.limitW / 100) return;
  if (now - group.lastCycleAt < 60 || slotFloor(now) + SLOT_S - now < 120) return;
  replan(world, group);
}
