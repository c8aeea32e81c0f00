/**
 * After a start: the saved live picture, brought up to date from the store. Sessions that began or ended since are added
 * or taken away; registers and applied limits are the store's latest.
 */
import type { ChargingSession } from "../domain/sessions.ts";
import { slotOf, slotStart } from "../domain/slots.ts";
import { type EpochSecond, epochSecond, watt, wattHour } from "../domain/units.ts";
import { registerAt, registerSeries } from "../flexibility/registers.ts";
import {
  addSession,
  type Board,
  cameToNothing,
  createBoard,
  foldMeterReading,
  type GroupBoard,
  groupBoard,
  type LiveSession,
  rollSlots,
  siteOf,
} from "./board.ts";
import { learnedPreferences } from "./learnedPreferences.ts";
import type { Clock, Store } from "./ports.ts";
import { scheduleChanges } from "./setGroupLimit.ts";
import { settlesAt } from "./settleOrder.ts";

const SNAPSHOT = "board";
/** An answer that has not come so long after the profile was sent was lost with the process before, s. */
const ANSWER_S = 10;

export const saveBoard = (store: Store, board: Board, at: EpochSecond) => store.snapshots.save(SNAPSHOT, at, board);

export async function loadBoard(store: Store, clock: Clock): Promise<Board> {
  const saved = await store.snapshots.load(SNAPSHOT);
  const board = (saved?.state as Board | undefined) ?? createBoard();
  await reconcileBoard(store, clock, board, saved?.at ?? 0);
  return board;
}

/** Brings a board that was saved at `savedAt` up to date with the store. */
export async function reconcileBoard(store: Store, clock: Clock, board: Board, savedAt: number): Promise<void> {
  const now = clock.now();
  for (const order of await store.grid.unsettled())
    clock.schedule(epochSecond(Math.max(now + 1, settlesAt(order))), { kind: "order-due", orderId: order.id });
  for (const group of await store.sites.groups()) {
    const known = board.groups[group.id] !== undefined;
    const live = groupBoard(board, group.id, now);
    live.limitW = group.supplyLimitW;
    live.slotLimitW = group.supplyLimitW;
    const evses = new Map((await store.sites.evses(group.id)).map((evse) => [evse.id, evse]));
    const open = await store.sessions.openIn(group.id);
    for (const id of Object.keys(live.sessions))
      if (!open.some((session) => session.id === id)) delete live.sessions[id];
    for (const session of open) {
      const evse = evses.get(session.evseId);
      if (!evse) continue;
      const entry = live.sessions[session.id] ?? addSession(live, session, evse, now);
      await bringUpToDate(store, clock, live, entry, session, savedAt);
    }
    const site = await store.meters.latestSite(group.id);
    if (site) live.site = siteOf(site);
    if (!known || live.slot < slotOf(now) - 1) {
      // The service was away: slots that it did not see are left out, the running one had the latest known load.
      live.slot = slotOf(now);
      live.demandWs = 0;
      live.productionWs = 0;
      live.unseenWs = 0;
      live.siteUpTo = slotStart(live.slot);
    }
    rollSlots(live, now);
    for (const session of open) await beginSlot(store, live, session);
    const ended = await store.bills.slots(group.id, live.slot, live.slot + 1);
    live.endedWh = ended.reduce((sum, slot) => sum + slot.meteredWh, 0);
    for (const limit of await store.sites.limits(group.id, now)) scheduleChanges(clock, limit);
    clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: group.id });
  }
}

async function bringUpToDate(
  store: Store,
  clock: Clock,
  group: GroupBoard,
  live: LiveSession,
  session: ChargingSession,
  savedAt: number,
): Promise<void> {
  const now = clock.now();
  live.mode = session.mode;
  const wish = (await store.sessions.preferences(session.id)) ?? (await learnedPreferences(store, session));
  live.departsAt = wish.departsAt;
  live.wishedWh = wish.energyNeedWh;
  live.notBefore = wish.notBefore ?? 0;
  live.cannotPause = session.cannotPause ?? false;
  await loadPriorities(store, live);
  const promise = await store.promises.ofSession(session.id);
  live.promise = promise && !cameToNothing(promise) ? promise : null;
  if (promise) live.wishedWh = wish.energyNeedWh + (promise.fromRegisterWh - session.startRegisterWh);
  if (live.promise) {
    clock.schedule(live.promise.by > now ? live.promise.by : epochSecond(now + 1), {
      kind: "promise-due",
      sessionId: session.id,
    });
    const first = live.promise.first;
    if (first?.missingWh === null)
      clock.schedule(first.by > now ? first.by : epochSecond(now + 1), { kind: "first-due", sessionId: session.id });
    if (live.promise.state === "offered")
      clock.schedule(live.promise.expiresAt > now ? live.promise.expiresAt : epochSecond(now + 1), {
        kind: "offer-expiry",
        sessionId: session.id,
      });
  }
  const reading = await store.meters.latest(session.id);
  if (reading && reading.at >= live.readAt) foldMeterReading(group, live, reading);
  const applied = await store.profiles.applied(session.id);
  if (applied && savedAt < now - 60) live.applied = applied;
  live.allowedUpTo = Math.max(live.allowedUpTo, now);
  // What was sent and not answered may be in force: until the station says otherwise the higher limit counts.
  const sent = await store.profiles.ofSession(session.id);
  const last = sent.at(-1);
  live.sends = Math.max(live.sends, sent.length);
  live.pending = last?.state === "sent" ? { id: last.id, profile: last.profile, sentAt: last.sentAt } : null;
  if (live.pending)
    clock.schedule(epochSecond(Math.max(now + 1, live.pending.sentAt + ANSWER_S)), {
      kind: "answer-due",
      profileId: live.pending.id,
    });
}

/** What was granted outside of plans; looked at again within a minute. */
async function loadPriorities(store: Store, live: LiveSession): Promise<void> {
  const boost = (await store.priorities.boosts(live.sessionId)).find(({ endedAt }) => endedAt === null);
  live.boost = boost
    ? { id: boost.id, until: boost.until, energyWh: boost.energyWh, fromRegisterWh: boost.fromRegisterWh }
    : null;
  const grants = await store.priorities.grants(live.sessionId);
  const grant = grants.findLast(({ kind }) => kind === (live.mode === "opted-out" ? "opt-out" : "boost"));
  const isGranted = grant && (live.mode === "opted-out" || live.boost !== null);
  live.grant = isGranted ? { limitW: grant.limitW, until: grant.until ?? grant.from } : null;
  if (live.mode === "opted-out" && live.seenMaxW !== 0) live.grant ??= { limitW: watt(0), until: 0 };
  const steady = grants.findLast(({ kind }) => kind === "steady");
  live.steadyFrom = steady && steady.limitW > 0 ? steady.from : null;
}

/** The register at the slot's start, from the readings: what was charged before is no import of this slot. */
async function beginSlot(store: Store, group: GroupBoard, session: ChargingSession): Promise<void> {
  const live = group.sessions[session.id];
  if (!live) return;
  const series = registerSeries({
    startAt: session.pluggedAt,
    startWh: session.startRegisterWh,
    endAt: epochSecond(Math.max(live.readAt, session.pluggedAt)),
    endWh: wattHour(live.registerWh),
    readings: await store.meters.ofSession(session.id),
  });
  live.slotStartWh = registerAt(series, slotStart(group.slot));
}
