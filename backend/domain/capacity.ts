/**
 * A capacity profile: what a grid operator, a trader or an energy manager lets a group import, minute by minute. A new
 * profile forgets the one before it entirely; time that it does not speak of is not limited by it.
 */
import { type EpochSecond, epochSecond, type Watt } from "./units.ts";

/** Profiles are given in whole minutes, s. */
export const CAPACITY_STEP_S = 60;

/** Half-open: [from, until). */
export type CapacityPeriod = { readonly from: EpochSecond; readonly until: EpochSecond; readonly limitW: Watt };

export type CapacityProfile = {
  readonly id: string;
  readonly groupId: string;
  readonly givenAt: EpochSecond;
  /** Who gave it: a key or an account, by its id. */
  readonly givenBy: string;
  /** In order of time, without overlaps; none takes the capacity profile back. */
  readonly periods: readonly CapacityPeriod[];
};

/** A stretch in which a profile was in force, known since `announcedAt`. */
export type CapacityPiece = CapacityPeriod & { readonly profileId: string; readonly announcedAt: EpochSecond };

/** What held when: of each profile, given in this order, what lies between its own giving and that of the next one. */
export function capacityPieces(profiles: readonly CapacityProfile[]): CapacityPiece[] {
  return profiles.flatMap(({ id, givenAt, periods }, k) => {
    const forgottenAt = profiles[k + 1]?.givenAt ?? Number.POSITIVE_INFINITY;
    return periods.flatMap(({ from, until, limitW }): CapacityPiece[] => {
      const starts = epochSecond(Math.max(from, givenAt));
      const ends = Math.min(until, forgottenAt);
      return starts < ends
        ? [{ profileId: id, announcedAt: givenAt, from: starts, until: epochSecond(ends), limitW }]
        : [];
    });
  });
}

/** Neighbours with the same limit as one period. */
export function joined(periods: readonly CapacityPeriod[]): CapacityPeriod[] {
  const out: CapacityPeriod[] = [];
  for (const period of periods) {
    const last = out[out.length - 1];
    if (last && last.until === period.from && last.limitW === period.limitW)
      out[out.length - 1] = { ...last, until: period.until };
    else out.push(period);
  }
  return out;
}
