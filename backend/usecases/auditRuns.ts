/**
 * The chain of runs: what a promise owes never gets lost between two plans, and nobody disappears. Allowed is exactly what
 * groupProblem.ts does, each with its evidence in the store:
 *
 *   need     promised - delivered, from the latest register; 0 from the promise's time on
 *   power    the session's own, or what a reading shows that the car took although it was allowed clearly more
 *   end      the promise's time, rounded down to the cut of 60 s (300 s with more than 100 cars)
 *   absent   opted out; a station that refused, did not answer or was silent in the last minutes (its load is set aside
 *            as fixed); leaving before the first cut
 */
import { type ChargingProfile, limitAt } from "../domain/profiles.ts";
import type { EnergyPromise } from "../domain/promises.ts";
import { type EpochSecond, watt } from "../domain/units.ts";
import { appliedLimit } from "../flexibility/allowance.ts";
import type { Car } from "../optimisation/problem.ts";
import { type GroupFile, type OwnRows, readingBefore, type SessionFile } from "./auditFacts.ts";
import { at, type Check, type Findings, planName, sessionName } from "./auditFindings.ts";
import { mostFloorEverW, mostFloorWh, startsAfter } from "./auditFloors.ts";
import type { PlanFile } from "./auditPlans.ts";

/** recordReadings.ts: a draw this much below the allowed power counts as all that the car takes, W. */
const UNDER_W = 150;
/** dispatchProfiles.ts: after a refusal or silence the station's load is fixed for this long, s. */
const HELD_OUT_S = 120;
/** A meter that has not been heard for this long is silent, s; the station counts as fixed load until it is heard again. */
const SILENT_S = 120;
/** Readings arrive late, or from a clock that is ahead: registers of this time around a plan may be what it knew, s. */
const LATE_S = 900;
const AHEAD_S = 120;
const HORIZON_S = 10 * 86_400;

/** Sessions that plans have counted with, by session number. */
export type Seen = Set<number>;

export function auditCars(file: PlanFile, group: GroupFile, seen: Seen, findings: Findings): void {
  const check = findings.check("chain of runs");
  const planned = new Map(file.problem.cars.map((car) => [car.session, car]));
  const cutS = file.problem.cars.length > 100 ? 300 : 60;
  for (const car of file.problem.cars) {
    check.looked();
    const session = group.sessions.find((one) => one.session.number === car.session);
    if (session) auditCar(file, car, session, group, cutS, check);
    else check.differs(planName(file.id), `plans for session number ${car.session}, which the group never had`);
    seen.add(car.session);
  }
  for (const session of group.sessions) {
    const { pluggedAt, number, id } = session.session;
    const here = pluggedAt < file.now && session.knownAt < file.now && file.now < session.closedAt;
    if (!here || planned.has(number)) continue;
    check.looked();
    const why = absence(session, file, cutS);
    if (why === null)
      check.differs(
        sessionName(id),
        `${planName(file.id)} leaves it out, although it is plugged in${seen.has(number) ? " and was planned before" : ""}`,
      );
  }
}

function auditCar(file: PlanFile, car: Car, own: SessionFile, group: GroupFile, cutS: number, check: Check): void {
  const { session } = own;
  const where = `${planName(file.id)}, session ${session.id}`;
  const evse = group.evses.find((one) => one.id === session.evseId);
  check.same(where, "row of its EVSE", car.row, evse?.row ?? null);
  if (file.now < session.pluggedAt || file.now > own.closedAt)
    check.differs(
      where,
      `is planned at ${at(file.now)}, plugged in from ${at(session.pluggedAt)} to ${at(own.closedAt)}`,
    );
  if (car.from > 0 && file.cuts[car.from - 1]! >= startsAfter(own, file.now))
    check.differs(where, `may charge from interval ${car.from} on only`);
  auditNeed(file, car, own, cutS, where, check);
  auditPower(file, car, own, where, check);
}

/** Need and end follow from the promise in force and the meter. */
function auditNeed(file: PlanFile, car: Car, own: SessionFile, cutS: number, where: string, check: Check): void {
  const promises = promisesAt(own, file.now);
  const endsAt = file.cuts[car.to]!;
  const wrongs = promises.map((promise) => {
    if (!promise || promise.by <= file.problem.at)
      return car.needWh === 0 ? null : `owes ${car.needWh} Wh, but no promise is due at ${at(file.now)}`;
    // Minimum energy first: until its time the first part is all that is owed.
    const first =
      promise.first && promise.first.by > file.problem.at && endsAt <= promise.first.by ? promise.first : null;
    const terms = first ? { wh: first.wh, by: first.by } : { wh: promise.energyWh, by: promise.by };
    const owedAt = (registerWh: number) => Math.max(0, terms.wh - (registerWh - promise.fromRegisterWh));
    const heldWh = mostFloorWh(own, file.now, file.problem.at, endsAt);
    const isOwed = (wh: number) =>
      car.needWh <= wh && (own.session.cannotPause === true || car.needWh >= Math.max(0, wh - heldWh));
    const nowWh = readingBefore(own, file.now)?.registerWh ?? own.session.startRegisterWh;
    if (!isOwed(owedAt(nowWh)) && !registersAround(own, file.now).some((wh) => isOwed(owedAt(wh))))
      return `owes ${car.needWh} Wh; promise version ${promise.version} of ${promise.energyWh} Wh from register ${promise.fromRegisterWh} Wh on and ${registerNow(own, file.now)} leave ${owedAt(nowWh)} Wh`;
    if (car.needWh === 0) return null;
    const due = Math.min(terms.by, file.problem.at + HORIZON_S);
    return endsAt === Math.floor(due / cutS) * cutS
      ? null
      : `is planned until ${at(endsAt)}, promise version ${promise.version} ends at ${at(promise.by)}`;
  });
  if (!wrongs.includes(null)) check.differs(where, wrongs[0]!);
}

/** The promise in force, or null for none; both where the promise changed in the very second of the plan. */
export function promisesAt({ promises }: SessionFile, now: number): (EnergyPromise | null)[] {
  const ends = (promise: EnergyPromise, index: number) => {
    if (promise.state === "expired" || promise.state === "withdrawn") return promise.changedAt;
    return promises[index + 1]?.offeredAt ?? Number.POSITIVE_INFINITY;
  };
  const found: (EnergyPromise | null)[] = promises.filter((one, i) => one.offeredAt <= now && now <= ends(one, i));
  const certain = promises.some((one, i) => one.offeredAt < now && now < ends(one, i));
  return certain ? found : [...found, null];
}

/** Registers that the plan may have known instead of the latest one before it. */
function registersAround(own: SessionFile, now: number): number[] {
  const around = own.readings.filter((one) => one.at > now - LATE_S && one.at <= now + AHEAD_S);
  const start = now - own.session.pluggedAt < LATE_S ? [own.session.startRegisterWh] : [];
  return [...around.map((one) => one.registerWh), ...start];
}

function registerNow(own: SessionFile, now: number): string {
  const reading = readingBefore(own, now);
  return reading
    ? `the reading of ${at(reading.at)} (${reading.registerWh} Wh)`
    : `the register at plug-in (${own.session.startRegisterWh} Wh)`;
}

/** Less than the session's power only if the car was seen to take no more while it was allowed more. */
function auditPower(file: PlanFile, car: Car, own: SessionFile, where: string, check: Check): void {
  const { maxPowerW } = own.session;
  const heldW = mostFloorEverW(own, file.now, file.problem.at);
  if (car.powerW === maxPowerW || (car.powerW < maxPowerW && car.powerW >= maxPowerW - heldW)) return;
  if (car.powerW > maxPowerW) {
    check.differs(where, `may charge at ${car.powerW} W, the session has ${maxPowerW} W`);
    return;
  }
  const limit = limitOf(own);
  const seen = own.readings.some((reading) => {
    const takesW = takes(reading.powerW, own);
    if (reading.at > file.now + AHEAD_S || takesW < car.powerW || takesW - heldW > car.powerW) return false;
    const allowedW = Math.min(maxPowerW, limitAt(limit, reading.at as EpochSecond));
    return reading.powerW < allowedW - UNDER_W;
  });
  if (!seen)
    check.differs(where, `may charge at ${car.powerW} W only, but no reading shows that the car takes no more`);
}

const limits = new WeakMap<OwnRows, ChargingProfile>();
/** What the station had applied over the whole stay; computed once. */
export function limitOf(own: OwnRows): ChargingProfile {
  const limit = limits.get(own) ?? appliedLimit(own.profiles, own.session.pluggedAt, watt(0));
  limits.set(own, limit);
  return limit;
}

/** What a car is taken to take after a reading (recordReadings.ts), W. */
const takes = (powerW: number, { session, minPowerW }: SessionFile) =>
  powerW < minPowerW / 4 ? 0 : Math.min(session.maxPowerW, Math.max(minPowerW, Math.ceil(powerW * 1.05) + 50));

/** Why a session that is plugged in is no car of the plan; null when there is no reason. */
function absence(own: SessionFile, file: PlanFile, cutS: number): string | null {
  const { admission } = own;
  const { now, problem } = file;
  const promise = promisesAt(own, now)[0] ?? null;
  if (!promise) {
    if (admission?.kind === "opted-out" && admission.at <= now) return "opted out";
    // Only the latest answer to the driver is kept: before it the driver may have opted out.
    if (admission && admission.at >= now) return "not asked yet";
  }
  const refused = own.profiles.some(
    ({ state, answeredAt }) =>
      (state === "refused" || state === "timed-out") &&
      answeredAt !== null &&
      answeredAt <= now &&
      now <= answeredAt + HELD_OUT_S,
  );
  if (refused) return "station refused";
  if (wasSilent(own, now)) return "silent";
  const end = promise && promise.by > problem.at ? promise.by : null;
  if (end !== null && end - problem.at <= cutS) return "promise due";
  if (problem.cars.length > 90 && !promise) return "leaves before the first cut";
  return null;
}

/** No reading for longer than two minutes, up to some minutes ago: the station is taken in again by the minute. */
function wasSilent(own: SessionFile, now: number): boolean {
  const instants = [own.session.pluggedAt as number, ...own.readings.map((one) => one.at as number)];
  for (const [i, instant] of instants.entries()) {
    const next = Math.min(instants[i + 1] ?? now, now);
    if (instant > now) break;
    if (next - instant > SILENT_S && next > now - HELD_OUT_S - 60) return true;
  }
  return false;
}
