/** Who caused a promise's missing Wh. Judged from what was planned, allowed and drawn, never from outside knowledge. */
import { type EpochSecond, type WattHour, wattHour } from "../domain/units.ts";

/**
 * The missing part, share by share. `order` (a flexibility order) and `outage` together are the grid's; they are kept
 * apart because orders are compensated and outages are not.
 */
export type Shares = {
  readonly driverWh: WattHour;
  readonly vehicleWh: WattHour;
  readonly orderWh: WattHour;
  readonly outageWh: WattHour;
  readonly operatorWh: WattHour;
  readonly systemWh: WattHour;
};

const CAUSES = ["driverWh", "vehicleWh", "orderWh", "outageWh", "operatorWh"] as const;

/**
 * Shares S out in the order driver, vehicle, grid, operator, system. Each takes what it caused, capped by what is left;
 * the system takes all the rest. The arguments are Wh that each of them kept out of the car before `by`, and may overlap.
 */
export function attribute(caused: {
  /** S */
  readonly missingWh: number;
  /** Planned between an early unplug and `by`; 0 when the car stayed. */
  readonly driverWh: number;
  /** `vehicleShortfallWh` */
  readonly vehicleWh: number;
  readonly orderWh: number;
  readonly outageWh: number;
  /** Fault of a station, or a limit that the operator lowered. */
  readonly operatorWh: number;
  /** What the promise could have missed and still been kept, Wh (default 0). A rest no larger than this broke nothing. */
  readonly toleranceWh?: number;
}): Shares {
  let leftWh = caused.missingWh;
  const take = (wh: number) => {
    const shareWh = Math.min(leftWh, Math.max(0, wh));
    leftWh -= shareWh;
    return wattHour(shareWh);
  };
  const driverWh = take(caused.driverWh);
  const vehicleWh = take(caused.vehicleWh);
  const orderWh = take(caused.orderWh);
  const outageWh = take(caused.outageWh);
  const operatorWh = take(caused.operatorWh);
  const shares = { driverWh, vehicleWh, orderWh, outageWh, operatorWh, systemWh: wattHour(leftWh) };
  const first = CAUSES.find((cause) => shares[cause] > 0);
  if (first === undefined || leftWh > (caused.toleranceWh ?? 0)) return shares;
  // Without the first cause the promise would have been kept, so the rest goes with it.
  return { ...shares, [first]: wattHour(shares[first] + leftWh), systemWh: wattHour(0) };
}

export const NO_SHARES: Shares = attribute({
  missingWh: 0,
  driverWh: 0,
  vehicleWh: 0,
  orderWh: 0,
  outageWh: 0,
  operatorWh: 0,
});

/** The grid's share, order and outage. */
export const gridWh = (shares: Shares) => wattHour(shares.orderWh + shares.outageWh);

/** A draw below the allowance that ends sooner may be the station's or our own delay, s. */
export const REACTION_S = 180;

/**
 * Wh that the car could have drawn before `by` and did not: the allowance minus the draw, over stretches without
 * interruption in which it drew less than it was allowed for more than 3 minutes. Such a stretch counts from its first
 * second. It may last beyond `by`; what it lacks after that does not count.
 */
export function vehicleShortfallWh(
  draws: readonly {
    readonly from: EpochSecond;
    readonly to: EpochSecond;
    readonly allowedWh: number;
    readonly meteredWh: number;
  }[],
  by: EpochSecond,
): WattHour {
  let totalWh = 0;
  let stretchWh = 0;
  let stretchS = 0;
  let endedAt = Number.NEGATIVE_INFINITY;
  const close = () => {
    if (stretchS > REACTION_S) totalWh += stretchWh;
    stretchWh = 0;
    stretchS = 0;
  };
  for (const { from, to, allowedWh, meteredWh } of draws) {
    if (meteredWh >= allowedWh || from !== endedAt) close();
    endedAt = to;
    if (meteredWh >= allowedWh) continue;
    stretchS += to - from;
    const beforeS = Math.max(0, Math.min(to, by) - from);
    stretchWh += Math.floor(((allowedWh - meteredWh) * beforeS) / (to - from));
  }
  close();
  return wattHour(totalWh);
}
