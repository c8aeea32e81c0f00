/**
 * A simulated CPO: stations and cars that obey limits, draw less than allowed, leave early, refuse a profile, go silent
 * or break. It stands behind the same port as the real ones and knows nothing of plans. Plain data, so that a replay
 * can be saved and go on. Energies are kept in W*s: nothing is lost between readings.
 */
import type { MeterReading } from "../../../domain/meters.ts";
import { type ChargingProfile, limitAt, nextChange } from "../../../domain/profiles.ts";
import { type EpochSecond, epochSecond, watt, wattHour } from "../../../domain/units.ts";

export type SimulatedEvse = {
  readonly id: string;
  readonly maxPowerW: number;
  /** The station's own limit over time; 0 before it was ever told. */
  profile: ChargingProfile;
  car: SimulatedCar | null;
  /** Register of the meter, W*s. */
  registerWs: number;
  refusals: number;
  silentUntil: number;
  /** The meter shows this register until then, Wh. */
  frozen: { until: number; registerWh: number } | null;
  faultUntil: number;
};

export type SimulatedCar = {
  readonly sessionId: string;
  /** Most that it draws, W. */
  readonly maxPowerW: number;
  /** Least that it draws when it draws, W. */
  readonly minPowerW: number;
  /** What the battery still takes, W*s: known to the car only. */
  roomWs: number;
};

export type SimulatedSite = { at: number; readonly evses: Record<string, SimulatedEvse> };

export function createSimulatedSite(
  at: EpochSecond,
  evses: readonly { id: string; maxPowerW: number }[],
): SimulatedSite {
  return {
    at,
    evses: Object.fromEntries(
      evses.map((evse): [string, SimulatedEvse] => [
        evse.id,
        {
          id: evse.id,
          maxPowerW: evse.maxPowerW,
          profile: [{ from: at, limitW: watt(0) }],
          car: null,
          registerWs: 0,
          refusals: 0,
          silentUntil: 0,
          frozen: null,
          faultUntil: 0,
        },
      ]),
    ),
  };
}

export function plugIn(site: SimulatedSite, evseId: string, car: SimulatedCar, profile?: ChargingProfile): void {
  const evse = evseOf(site, evseId);
  evse.car = car;
  evse.profile = profile ?? [{ from: epochSecond(site.at), limitW: watt(0) }];
}

export function unplug(site: SimulatedSite, evseId: string): void {
  evseOf(site, evseId).car = null;
}

export const evseOf = (site: SimulatedSite, evseId: string): SimulatedEvse => {
  const evse = site.evses[evseId];
  if (!evse) throw new Error(`The simulated site has no EVSE ${evseId}.`);
  return evse;
};

/** Power that a car draws under a limit: all of it, or nothing below its least. */
function drawW(evse: SimulatedEvse, at: number): number {
  const car = evse.car;
  if (!car || car.roomWs <= 0 || at < evse.faultUntil) return 0;
  const offeredW = Math.min(limitAt(evse.profile, at as EpochSecond), evse.maxPowerW);
  if (offeredW < car.minPowerW) return 0;
  return Math.min(offeredW, car.maxPowerW);
}

/** Lets the cars charge until `to`. Exact between the changes of profiles and the moment a battery is full. */
export function advance(site: SimulatedSite, to: EpochSecond): void {
  for (const evse of Object.values(site.evses)) {
    let at = site.at;
    while (at < to && evse.car && evse.car.roomWs > 0) {
      const change = nextChange(evse.profile, epochSecond(at)) ?? to;
      const until = Math.min(to, change, evse.faultUntil > at ? evse.faultUntil : to);
      const powerW = drawW(evse, at);
      const drawnWs = Math.min(evse.car.roomWs, powerW * (until - at));
      evse.car.roomWs -= drawnWs;
      evse.registerWs += drawnWs;
      at = until;
    }
  }
  site.at = Math.max(site.at, to);
}

export const registerWh = (evse: SimulatedEvse, at: number) =>
  wattHour(evse.frozen && at < evse.frozen.until ? evse.frozen.registerWh : Math.floor(evse.registerWs / 3600));

/** Meter values of all EVSEs with a car, at the site's present instant. Silent stations say nothing. */
export function readMeters(site: SimulatedSite): MeterReading[] {
  const at = epochSecond(site.at);
  return Object.values(site.evses).flatMap((evse) =>
    evse.car && at >= evse.silentUntil
      ? [{ sessionId: evse.car.sessionId, at, registerWh: registerWh(evse, at), powerW: watt(drawW(evse, at)) }]
      : [],
  );
}

/** How the station answers a profile: null is silence. An applied one holds from then on. */
export function takeProfile(
  site: SimulatedSite,
  evseId: string,
  sessionId: string,
  profile: ChargingProfile,
): "applied" | "refused" | null {
  const evse = evseOf(site, evseId);
  if (site.at < evse.silentUntil) return null;
  if (evse.car && evse.car.sessionId !== sessionId) return "refused";
  if (evse.refusals > 0) {
    evse.refusals--;
    return "refused";
  }
  evse.profile = profile;
  return "applied";
}
