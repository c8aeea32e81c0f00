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
  /** Once it charges it must not be stopped before its energy is in: some cars do not wake up again. Only where it is so. */
  readonly cannotPause?: true;
};

/** What the driver said (OCPI ChargingPreferences), or what was learned when the driver said nothing. */
export type ChargingPreferences = {
  readonly energyNeedWh: WattHour;
  readonly departsAt: EpochSecond;
  /** Planned start: no charging before this instant. */
  readonly notBefore?: EpochSecond;
  /** Minimum energy first: this part of the need by an earlier time. */
  readonly first?: FirstPart;
  /** What the driver said of the battery. */
  readonly battery?: StatedBattery;
};

/** Energy that the battery holds, its state of charge when it was said, and the meter's register then. */
export type StatedBattery = { readonly wh: WattHour; readonly percent: number; readonly registerWh: WattHour };

export type FirstPart = { readonly wh: WattHour; readonly by: EpochSecond };

/** Why a request was turned into what it became; kept for the driver and the auditor. */
export type Admission = {
  readonly sessionId: string;
  readonly at: EpochSecond;
  readonly kind: "accepted" | "counter-offered" | "refused" | "opted-out";
  readonly wishedWh: WattHour;
  readonly wishedBy: EpochSecond;
  readonly offeredWh: WattHour;
  readonly shortfallWh: WattHour;
  /** All of the wish would have fitted by then; the driver may take that instead (answerOffer.ts). */
  readonly laterAt?: EpochSecond;
};

/** A driver, or the CPO for a driver, asks for full power now; F = 0 for the session from then on. Kept for ever. */
export type Boost = {
  readonly id: string;
  readonly sessionId: string;
  readonly askedBy: "driver" | "cpo";
  readonly askedAt: EpochSecond;
  /** It ends by itself then, or when `energyWh` is in, whichever comes first. */
  readonly until: EpochSecond;
  readonly energyWh: WattHour | null;
  /** Register of the EVSE's meter at the request. */
  readonly fromRegisterWh: WattHour;
  readonly endedAt: EpochSecond | null;
  readonly ended: BoostEnd | null;
};
export type BoostEnd = "energy" | "time" | "cancelled" | "unplugged";

/**
 * Power that was set aside for a session, outside of the plan, from the instant on that the row was written: what opted-out
 * and boosted sessions were granted, and the least power of a car that cannot pause (`until` null: until its energy is in).
 */
export type PowerGrant = {
  readonly sessionId: string;
  readonly at: EpochSecond;
  readonly kind: "opt-out" | "boost" | "steady";
  readonly limitW: Watt;
  readonly from: EpochSecond;
  readonly until: EpochSecond | null;
};

/** A request that could not be met as wished, and the proof of it: bytes as in encoding.ts, hex. */
export type Refusal = {
  readonly sessionId: string;
  readonly at: EpochSecond;
  readonly wishedWh: WattHour;
  readonly wishedBy: EpochSecond;
  readonly shortfallWh: WattHour;
  readonly problem: string;
  readonly x: string;
  readonly y: string;
  readonly w: string;
};
