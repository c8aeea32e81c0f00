/** A charging session: one car at one EVSE from plug-in to plug-out. */
import type { EpochSecond, Watt, WattHour } from "./units.ts";

/**
 * `smart`: the driver opted in and asked for energy by a time. `best-effort`: opted in without a promise (refused, or
 * no input at all). `opted-out`: wants full power now.
 */
export type ChargingMode = "smart" | "best-effort" | "opted-out";

export type ChargingSession = {
  readonly id: string;
  /** Name on chain, u32, given once. */
  readonly number: number;
  readonly cpoId: string;
  readonly groupId: string;
  readonly evseId: string;
  /** Null for RFID, roaming and ad hoc sessions. */
  readonly driverId: string | null;
  readonly tariffId: string;
  readonly mode: ChargingMode;
  readonly pluggedAt: EpochSecond;
  readonly unpluggedAt: EpochSecond | null;
  /** Most that the car takes: the smaller of its own and the EVSE's power. */
  readonly maxPowerW: Watt;
  readonly phases: 1 | 2 | 3;
  /** Register of the EVSE's meter at plug-in and at plug-out. */
  readonly startRegisterWh: WattHour;
  readonly endRegisterWh: WattHour | null;
};

/** What the driver said (OCPI ChargingPreferences), or what was learned when the driver said nothing. */
export type ChargingPreferences = {
  readonly energyNeedWh: WattHour;
  readonly departsAt: EpochSecond;
};

/** Why a request was turned into what it became; kept for the driver and the auditor. */
export type Admission = {
  readonly sessionId: string;
  readonly at: EpochSecond;
  readonly kind: "accepted" | "counter-offered" | "refused" | "opted-out";
  readonly wishedWh: WattHour;
  readonly wishedBy: EpochSecond;
  readonly offeredWh: WattHour;
  readonly shortfallWh: WattHour;
};
