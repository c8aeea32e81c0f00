/** Charging profiles: limits over time that a station obeys (OCPI ChargingProfile, OCPP ChargingSchedule). */
import { type EpochSecond, epochSecond, type Watt } from "./units.ts";

/** From this instant on, this limit. */
export type ProfilePeriod = { readonly from: EpochSecond; readonly limitW: Watt };

/** Contiguous periods in ascending order. Before the first period and after the last one its own limit holds. */
export type ChargingProfile = readonly ProfilePeriod[];

/** Why a profile was sent. */
export type ProfileReason = "plan" | "guard" | "safe";

/** `sent` until the station answers; only an `applied` one holds. */
export type ProfileState = "sent" | "applied" | "refused" | "timed-out";

export type SentProfile = {
  readonly id: string;
  readonly sessionId: string;
  readonly evseId: string;
  readonly reason: ProfileReason;
  readonly state: ProfileState;
  readonly sentAt: EpochSecond;
  readonly answeredAt: EpochSecond | null;
  readonly profile: ChargingProfile;
};

/** Limit of a profile at an instant. */
export function limitAt(profile: ChargingProfile, at: EpochSecond): number {
  let limitW: number = profile[0]?.limitW ?? 0;
  for (const period of profile) {
    if (period.from > at) break;
    limitW = period.limitW;
  }
  return limitW;
}

/** Next instant after `at` at which the limit may change, or null. */
export const nextChange = (profile: ChargingProfile, at: EpochSecond): EpochSecond | null => {
  const next = profile.find((period) => period.from > at);
  return next ? epochSecond(next.from) : null;
};

/** The profile without repeated limits and without periods that ended before `from`. */
export function compact(profile: ChargingProfile, from: EpochSecond): ChargingProfile {
  const periods: ProfilePeriod[] = [{ from, limitW: limitAt(profile, from) as Watt }];
  for (const period of profile)
    if (period.from > from && period.limitW !== periods[periods.length - 1]?.limitW) periods.push(period);
  return periods;
}
