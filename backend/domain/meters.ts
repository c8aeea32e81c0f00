/** What meters said. Append-only: a reading is never changed. */
import type { EpochSecond, Watt, WattHour } from "./units.ts";

/** OCPP MeterValue of a session: `Energy.Active.Import.Register`, `Power.Active.Import`, and `SoC` where the car says it. */
export type MeterReading = {
  readonly sessionId: string;
  readonly at: EpochSecond;
  readonly registerWh: WattHour;
  readonly powerW: Watt;
  /** State of charge, whole percent. */
  readonly socPercent?: number | undefined;
};

/** What the HEMS measured behind the supply limit, the cars excluded. */
export type SiteReading = {
  readonly groupId: string;
  readonly at: EpochSecond;
  readonly demandW: Watt;
  readonly productionW: Watt;
  /** Of it the stationary battery's: positive while it charges, part of the demand, else part of the production. */
  readonly batteryW?: number | undefined;
};

/** What a group really did in a slot; the forecast's history and what limits are judged by. */
export type SiteSlot = {
  readonly groupId: string;
  readonly slot: number;
  /** Means of the other load and of PV. */
  readonly demandW: Watt;
  readonly productionW: Watt;
  /** Metered energy of all sessions. */
  readonly carsWh: WattHour;
  /** Limit in force at the end of the slot. */
  readonly limitW: Watt;
};
