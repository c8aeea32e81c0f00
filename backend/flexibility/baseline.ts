/** The baseline: what this car would have drawn uncontrolled, for the energy that it really took. */
import type { ChargingProfile } from "../domain/profiles.ts";
import type { EpochSecond, Watt } from "../domain/units.ts";
import { firstOffer } from "./allowance.ts";
import type { Interval } from "./intervals.ts";
import { firstDraw, type RegisterSeries, registerAt } from "./registers.ts";

/** A car that draws nothing for so long after its first offer was waiting for itself, not for us; s. */
export const OWN_DELAY_S = 180;

/**
 * B_t = min(ceil(P * tau_t / 3600), E - sum_{u<t} B_u), and never so little that sum B falls behind sum M: an
 * uncontrolled car is never later than the controlled one. That second part matters only in the first 5 minutes of a
 * stay, where a car may draw more than its highest 5-minute mean. Hence sum B = E and sum_{u<=t} (B - M) >= 0, always.
 */
export function baseline(session: {
  readonly powerW: Watt;
  /** From `baselineStart`; tau counts from here. */
  readonly startsAt: EpochSecond;
  readonly intervals: readonly Interval[];
  readonly meteredWh: readonly number[];
}): number[] {
  const energyWh = session.meteredWh.reduce((sum, wh) => sum + wh, 0);
  let drawnWh = 0;
  let meteredWh = 0;
  return session.intervals.map(({ from, to }, t) => {
    meteredWh += session.meteredWh[t] ?? 0;
    const connectedS = Math.max(0, to - Math.max(from, session.startsAt));
    const uncontrolledWh = Math.min(Math.ceil((session.powerW * connectedS) / 3600), energyWh - drawnWh);
    const baselineWh = Math.max(uncontrolledWh, meteredWh - drawnWh);
    drawnWh += baselineWh;
    return baselineWh;
  });
}

/** Plug-in; or the first draw, if the car drew nothing within 3 minutes of its first offer. */
export function baselineStart(series: RegisterSeries, limit: ChargingProfile): EpochSecond {
  const first = series[0];
  const last = series[series.length - 1];
  if (!first || !last)
    throw new RangeError("A session without a register has no baseline. Pass its start and end registers.");
  const offeredAt = firstOffer(limit, first.at, last.at);
  const drawnAt = firstDraw(series);
  if (offeredAt === null || drawnAt === null) return first.at;
  const waited = registerAt(series, offeredAt + OWN_DELAY_S) === first.registerWh;
  return waited ? drawnAt : first.at;
}
