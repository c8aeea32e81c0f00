/** A station says how it is; a fault with a car plugged in is noted, so that a broken promise finds its cause. */
import type { EvseStatus } from "../domain/assets.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import { liveSessions } from "./board.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export async function setEvseStatus(
  world: World,
  report: { readonly evseId: string; readonly status: EvseStatus; readonly at: EpochSecond },
): Promise<{ readonly kind: "noted" } | Refused<"unknown-evse">> {
  const evse = await world.store.sites.evse(report.evseId);
  if (!evse) return refused("unknown-evse", `EVSE ${report.evseId} is not registered.`);
  if (evse.status !== report.status) {
    await world.store.sites.setEvseStatus(evse.id, report.status);
    world.updates?.publish(`group:${evse.groupId}`, { kind: "status", evseId: evse.id });
  }
  const group = world.board.groups[evse.groupId];
  const live = group && liveSessions(group).find((one) => one.evseId === evse.id);
  if (live) {
    const broken = report.status === "INOPERATIVE" || report.status === "OUTOFORDER";
    const last = live.faults.at(-1);
    if (broken && (!last || last.until !== null)) live.faults.push({ from: report.at, until: null });
    if (!broken && last?.until === null) last.until = report.at;
    live.heldOutUntil = 0;
    world.clock.schedule(epochSecond(world.clock.now() + 1), { kind: "cycle", groupId: evse.groupId });
  }
  return { kind: "noted" };
}
