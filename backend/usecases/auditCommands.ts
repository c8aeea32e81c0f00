/**
 * What was commanded is what was planned: allotments are the plan's periods, charging profiles follow the plan that was
 * in force when they were sent, and the rows and leaves on chain say the same as profiles, readings and promises.
 */
import { type ChargingProfile, compact, limitAt, type SentProfile } from "../domain/profiles.ts";
import { SLOT_S, slotStart } from "../domain/slots.ts";
import { type EpochSecond, epochSecond, watt } from "../domain/units.ts";
import { periodsOf } from "../optimisation/profile.ts";
import { withinMinutes } from "../optimisation/withinMinutes.ts";
import { type GroupFile, limitsKnownAt, type SessionFile } from "./auditFacts.ts";
import { at, type Findings, planName } from "./auditFindings.ts";
import { isOnFloor } from "./auditFloors.ts";
import type { PlanFile } from "./auditPlans.ts";
import { carsCapacity } from "./groupLimits.ts";

/** What one plan allotted to a session. */
export type Allotment = { readonly planId: string; readonly now: number; readonly profile: ChargingProfile };

/** Latest allotments of each session, newest last, and how many of its profiles were looked at. */
export type Commanded = Map<number, { allotments: Allotment[]; profiles: number }>;

/** The stored allotments, by session number, are the plan's own periods, one per car. */
export function auditAllocations(
  file: PlanFile,
  group: GroupFile,
  allotments: ReadonlyMap<number, ChargingProfile>,
  findings: Findings,
): void {
  const check = findings.check("allotments of plans");
  const where = planName(file.id);
  const capacityW =
    file.stored.algorithm === "uncontrolled"
      ? null
      : carsCapacity(group.group, file.problem, limitsKnownAt(group, file.now));
  const own = periodsOfCars(file, capacityW);
  for (const car of file.problem.cars) {
    check.looked();
    const [given, planned] = [allotments.get(car.session), own.get(car.session)];
    if (!given) check.differs(where, `has no allotment for session number ${car.session}`);
    else if (planned && !sameProfile(planned, given) && !isHeld(planned, given, group, car.session, file.now))
      check.differs(where, `allots ${text(given)} to session number ${car.session}, its bytes give ${text(planned)}`);
    else if (!planned && !isAsking(given, group, car.session))
      check.differs(where, `allots ${text(given)} to session number ${car.session}, which does not draw`);
  }
  for (const session of allotments.keys())
    if (!file.problem.cars.some((car) => car.session === session))
      check.differs(where, `has an allotment for session number ${session}, which is no car of it`);
}

/** Periods of the cars that draw, as the plan's bytes give them. */
function periodsOfCars(
  { problem, plan }: PlanFile,
  capacityW: ((at: EpochSecond) => number) | null,
): ReadonlyMap<number, ChargingProfile> {
  const drawing = problem.cars.flatMap((car, i) => {
    if (car.powerW === 0) return [];
    const profile = periodsOf(problem, plan, i).map(({ startS, limitW }) => ({
      from: epochSecond(problem.at + startS),
      limitW,
    }));
    return [{ session: car.session, profile, car }];
  });
  const capped = capacityW ? withinMinutes(problem, drawing, capacityW) : drawing.map(({ profile }) => profile);
  return new Map(drawing.map(({ session }, i) => [session, capped[i]!]));
}

/** More than the plan gives is what was granted outside of it. */
function isHeld(planned: ChargingProfile, given: ChargingProfile, group: GroupFile, session: number, now: number) {
  const own = group.sessions.find((one) => one.session.number === session);
  return own !== undefined && isOnFloor(own, now, planned, given);
}

/** A car that does not draw is offered its least power for a while, or nothing. */
function isAsking(given: ChargingProfile, group: GroupFile, session: number): boolean {
  const minPowerW = group.sessions.find((one) => one.session.number === session)?.minPowerW ?? 0;
  const [first, ...later] = given.map(({ limitW }) => limitW as number);
  return (first === 0 || first === minPowerW) && later.every((limitW) => limitW === 0);
}

export const sameProfile = (a: ChargingProfile, b: ChargingProfile) =>
  a.length === b.length && a.every((period, k) => period.from === b[k]!.from && period.limitW === b[k]!.limitW);

/** Profiles that were sent before `until` follow the allotments so far. */
export function auditProfiles(group: GroupFile, commanded: Commanded, until: number, findings: Findings): void {
  for (const own of group.sessions) {
    const state = commanded.get(own.session.number) ?? { allotments: [], profiles: 0 };
    commanded.set(own.session.number, state);
    for (; state.profiles < own.profiles.length; state.profiles++) {
      const sent = own.profiles[state.profiles]!;
      if (sent.sentAt >= until) break;
      auditProfile(sent, own, state.allotments, findings);
    }
  }
}

function auditProfile(sent: SentProfile, own: SessionFile, allotments: readonly Allotment[], findings: Findings): void {
  const check = findings.check("profiles sent");
  const where = `profile ${sent.id}`;
  const { session } = own;
  check.looked();
  check.same(where, "EVSE", sent.evseId, session.evseId);
  if (sent.answeredAt !== null && sent.answeredAt < sent.sentAt)
    check.differs(where, `was answered at ${at(sent.answeredAt)}, before it was sent at ${at(sent.sentAt)}`);
  for (const { limitW } of sent.profile)
    if (limitW < 0 || limitW > session.maxPowerW)
      check.differs(where, `allows ${limitW} W, the session has ${session.maxPowerW} W`);
  if (session.mode === "opted-out" || allotments.length === 0) return;
  const before = allotments.filter((one) => one.now <= sent.sentAt);
  const slotEnd = (Math.floor(sent.sentAt / SLOT_S) + 1) * SLOT_S;
  const followed = before.some(({ profile }) =>
    sent.reason === "guard" ? sameFrom(sent.profile, profile, slotEnd) : follows(sent, profile),
  );
  const last = before.at(-1);
  if (!followed)
    check.differs(
      where,
      `${text(sent.profile)} does not follow ${last ? `${planName(last.planId)}: ${text(last.profile)}` : "any plan"}`,
    );
}

/** The plan's own limits from when they begin on; until then the profile keeps what was in force. */
function follows(sent: SentProfile, planned: ChargingProfile): boolean {
  const starts = Math.max(sent.sentAt, planned[0]?.from ?? 0);
  return sameFrom(sent.profile, planned, starts);
}

function sameFrom(a: ChargingProfile, b: ChargingProfile, from: number): boolean {
  return sameProfile(merged(compact(a, epochSecond(from))), merged(compact(b, epochSecond(from))));
}
const merged = (profile: ChargingProfile) => profile.filter((period, k) => period.limitW !== profile[k - 1]?.limitW);

/**
 * Limits that may have been in force or on their way to the station at an instant: the latest profile that was not refused,
 * and what held before it. More than one where things happened in the very second.
 */
export function inForce(own: SessionFile, now: number): ChargingProfile[] {
  const stopped: ChargingProfile = [{ from: own.session.pluggedAt, limitW: watt(0) }];
  const found = new Set<ChargingProfile>();
  const sends = own.profiles.filter((one) => one.sentAt <= now);
  const shortest = sends.filter((one) => one.sentAt < now).length;
  for (let count = shortest; count <= sends.length; count++)
    for (const strict of [true, false]) {
      let applied = stopped;
      let pending: SentProfile | null = null;
      for (const [i, one] of sends.slice(0, count).entries()) {
        pending = one;
        // A profile that was replaced before it was answered never counts.
        const replacedAt = i + 1 < count ? sends[i + 1]!.sentAt : Number.POSITIVE_INFINITY;
        const { answeredAt } = one;
        if (answeredAt === null || answeredAt > replacedAt || (strict ? answeredAt >= now : answeredAt > now)) continue;
        pending = null;
        const higher = limitAt(one.profile, answeredAt) > limitAt(applied, answeredAt);
        if (one.state === "applied" || (one.state === "timed-out" && higher)) applied = one.profile;
      }
      found.add(pending?.profile ?? applied);
    }
  return [...found];
}

export const text = (profile: ChargingProfile) =>
  profile
    .map(({ from, limitW }) => `${limitW} W from ${at(from)}`)
    .slice(0, 4)
    .join(", ") + (profile.length > 4 ? ", ..." : "");

export const limitsAt = (profiles: readonly ChargingProfile[], slot: number) =>
  profiles.map((profile) => limitAt(profile, slotStart(slot) as EpochSecond));
