/** At a promise's time: kept, or not yet; what is still missing may come until unplug, when it is judged for good. */
import { firstOutcome, isTracked, judge, judgeFirst, transition } from "../domain/promises.ts";
import { epochSecond, wattHour } from "../domain/units.ts";
import { type RegisterSeries, registerAt, registerSeries } from "../flexibility/registers.ts";
import { findLive, type LiveSession } from "./board.ts";
import type { World } from "./ports.ts";

export async function judgePromise(world: World, sessionId: string): Promise<void> {
  const now = world.clock.now();
  const live = findLive(world.board, sessionId)?.live;
  const promise = live?.promise;
  if (!live || !promise || !isTracked(promise.state)) return;
  if (promise.by > now) {
    // The job waited for an earlier version: this one was amended to a later time.
    world.clock.schedule(promise.by, { kind: "promise-due", sessionId });
    return;
  }
  if (live.readAt < promise.by && now - promise.by < world.settings.staleS) {
    // The register at `by` lies between two readings: wait for the second one.
    world.clock.schedule(epochSecond(now + 30), { kind: "promise-due", sessionId });
    return;
  }
  const series = await seriesOf(world, live);
  if (!series) return;
  const judgement = judge({
    promisedWh: promise.energyWh,
    meteredByWh: Math.max(0, registerAt(series, promise.by) - promise.fromRegisterWh),
    meteredAtUnplugWh: null,
  });
  const judged = transition(promise, { kind: "judge", at: now, judgement });
  await world.store.promises.put(judged);
  live.promise = judged;
  world.updates?.publish(`session:${sessionId}`, { kind: "promise", state: judged.state });
}

/** At the time of a promise's first part: what was there, for good. */
export async function judgeFirstPart(world: World, sessionId: string): Promise<void> {
  const now = world.clock.now();
  const live = findLive(world.board, sessionId)?.live;
  const promise = live?.promise;
  const first = promise?.first;
  if (!live || !promise || !first || first.missingWh !== null || !isTracked(promise.state)) return;
  const waits = live.readAt < first.by && now - first.by < world.settings.staleS;
  if (first.by > now || waits) {
    world.clock.schedule(epochSecond(Math.max(first.by, now + 30)), { kind: "first-due", sessionId });
    return;
  }
  const series = await seriesOf(world, live);
  if (!series) return;
  const judged = judgeFirst(promise, Math.max(0, registerAt(series, first.by) - promise.fromRegisterWh));
  await world.store.promises.put(judged);
  live.promise = judged;
  world.updates?.publish(`session:${sessionId}`, { kind: "first-part", outcome: firstOutcome(judged) });
}

/** The register over the stay until the latest reading. */
async function seriesOf({ store }: Pick<World, "store">, live: LiveSession): Promise<RegisterSeries | null> {
  const session = await store.sessions.byId(live.sessionId);
  return (
    session &&
    registerSeries({
      startAt: session.pluggedAt,
      startWh: session.startRegisterWh,
      endAt: epochSecond(Math.max(live.readAt, session.pluggedAt)),
      endWh: wattHour(live.registerWh),
      readings: await store.meters.ofSession(live.sessionId),
    })
  );
}
