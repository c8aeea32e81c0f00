/** At a promise's time: kept, or not yet; what is still missing may come until unplug, when it is judged for good. */
import { isTracked, judge, transition } from "../domain/promises.ts";
import { epochSecond } from "../domain/units.ts";
import { registerAt, registerSeries } from "../flexibility/registers.ts";
import { findLive } from "./board.ts";
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
  const session = await world.store.sessions.byId(sessionId);
  if (!session) return;
  const readings = await world.store.meters.ofSession(sessionId);
  const series = registerSeries({
    startAt: session.pluggedAt,
    startWh: session.startRegisterWh,
    endAt: epochSecond(Math.max(live.readAt, session.pluggedAt)),
    endWh: live.registerWh as typeof session.startRegisterWh,
    readings,
  });
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
