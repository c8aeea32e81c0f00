/**
 * Power that was held outside of plans, as the audit sees it: never more than was granted, and only to who asked for it, who
 * opted out, or whose car cannot pause. The rows of the grants are the evidence; how much of a grant a floor used shows in
 * what was allotted.
 */
import type { ChargingProfile } from "../domain/profiles.ts";
import { limitAt } from "../domain/profiles.ts";
import type { EpochSecond } from "../domain/units.ts";
import type { SessionFile } from "./auditFacts.ts";

/** The most that may be held for the session at an instant, by what had been granted when the plan was made. W */
export function mostFloorW(own: SessionFile, now: number, instant: number): number {
  const boosted = own.boosts.some((one) => one.askedAt <= now && (one.endedAt ?? now) >= now);
  const steady = own.grants.findLast((grant) => grant.kind === "steady" && grant.at <= now);
  return own.grants.reduce((most, grant) => {
    if (grant.at > now || grant.from > instant || (grant.until ?? Number.POSITIVE_INFINITY) <= instant) return most;
    const isHeld =
      grant.kind === "steady"
        ? grant === steady && own.session.cannotPause === true
        : grant.kind === "boost" && boosted;
    return isHeld ? Math.max(most, grant.limitW) : most;
  }, 0);
}

/** The most that may be held at any time from an instant on: a floor may begin later. W */
export const mostFloorEverW = (own: SessionFile, now: number, from: number): number =>
  Math.max(
    ...[from, ...own.grants.map((grant) => grant.from)]
      .filter((at) => at >= from)
      .map((at) => mostFloorW(own, now, at)),
  );

/** Energy of the highest possible floor between two instants, Wh, rounded up. */
export function mostFloorWh(own: SessionFile, now: number, from: number, to: number): number {
  const cuts = [from, to, ...own.grants.flatMap((one) => [one.from, one.until ?? to])]
    .filter((cut) => cut >= from && cut <= to)
    .sort((a, b) => a - b);
  const ws = cuts.slice(1).reduce((sum, cut, k) => sum + mostFloorW(own, now, cuts[k]!) * (cut - cuts[k]!), 0);
  return Math.ceil(ws / 3600);
}

/** Until when a session may be kept from charging by its plan: a planned start, a boost, a car that cannot pause yet. */
export function startsAfter(own: SessionFile, now: number): number {
  if (own.session.cannotPause) return Number.POSITIVE_INFINITY;
  const wishes = own.wishes.filter((wish) => wish.at <= now + 1);
  const starts = [own.learned, ...wishes.slice(-2)].map((wish) => wish.notBefore ?? 0);
  const boosts = own.grants.filter((grant) => grant.kind === "boost" && grant.at <= now);
  return Math.max(...starts, ...boosts.map((grant) => grant.until ?? 0));
}

/** What was allotted, less what the plan gives: null where it is not a floor that was granted. */
export function isOnFloor(own: SessionFile, now: number, planned: ChargingProfile, given: ChargingProfile): boolean {
  const from = planned[0]?.from ?? 0;
  const instants = new Set([...planned, ...given].map((period) => period.from as number));
  for (const { from, until } of own.grants) for (const cut of [from, until]) if (cut !== null) instants.add(cut);
  return [...instants]
    .filter((instant) => instant >= from)
    .every((instant) => {
      const heldW = limitAt(given, instant as EpochSecond) - limitAt(planned, instant as EpochSecond);
      return heldW >= 0 && heldW <= mostFloorW(own, now, instant);
    });
}

/** A car that is held at its least power may be given any power beyond it: its plan was made without a least power. */
export function leastPowerW(own: SessionFile | undefined, now: number, powerW: number): number {
  const steady = own?.grants.findLast((one) => one.kind === "steady" && one.at <= now);
  return own && !(steady && steady.limitW > 0) ? Math.min(own.minPowerW, powerW) : 0;
}
