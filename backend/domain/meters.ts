/** What meters said. Append-only: a reading is never changed. */
import type { EpochSecond, Watt, WattHour } from "./units.ts";

/** OCPP MeterValue of a session: `Energy.Active.Import.Register` and `Power.Active.Import`. */
export type MeterReading = {
  readonly sessionId: string;
  readonly at: EpochSecond;
  readonly registerWh: WattHour;
  readonly powerW: Watt;
};

/** What the HEMS measured behind the supply limit, the cars excluded. */
export type SiteReading = {
  readonly groupId: string;
  readonly at: EpochSecond;
  readonly demandW: Watt;
  readonly productionW: Watt;
};

/** Mean of a slot, made from site readings; the forecast's own history. */
export type SiteSlot = {
  readonly groupId: string;
  readonly slot: number;
  readonly demandW: Watt;
  readonly productionW: Watt;
};
