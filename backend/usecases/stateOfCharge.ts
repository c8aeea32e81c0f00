/**
 * How full a car is, by whoever knew it last: the car itself (OCPP measurand SoC), or its driver; and what the meter added
 * since. Where both spoke at the same register, the car is believed. How sure that is follows from what is lost between meter and battery. Pure.
 */
import type { MeterReading } from "../domain/meters.ts";
import type { StatedBattery } from "../domain/sessions.ts";
import type { EpochSecond } from "../domain/units.ts";

/** Of what the meter shows so much arrives in the battery, percent: what a driver who names a state of charge would miss. */
export const EFFICIENCY_PERCENT = 88;
/** With alternating current it is between these: a small car on one phase, a large one on three. */
const [LEAST_ARRIVES_PERCENT, MOST_ARRIVES_PERCENT] = [80, 95];

export type StateOfCharge = {
  /** Whole percent, 0 to 100; the truth lies between `least` and `most`. */
  readonly percent: number;
  readonly least: number;
  readonly most: number;
  readonly source: "vehicle" | "stated";
  /** When the car said so; null where the driver did. */
  readonly at: EpochSecond | null;
};

export type SocFacts = {
  readonly stated: StatedBattery | undefined;
  /** The car's latest word. */
  readonly heard: MeterReading | null;
  /** What the battery holds by the driver's profile, Wh; a wish that says it comes first. */
  readonly batteryWh: number | null;
  /** Register of the meter now, Wh. */
  readonly registerWh: number;
};

/** Null where nobody said anything. */
export function stateOfCharge({ stated, heard, batteryWh, registerWh }: SocFacts): StateOfCharge | null {
  const isCars = heard?.socPercent !== undefined && heard.registerWh >= (stated?.registerWh ?? 0);
  const from = isCars ? { percent: heard.socPercent as number, registerWh: heard.registerWh } : stated;
  if (!from) return null;
  const holdsWh = stated?.wh ?? batteryWh;
  const addedWh = Math.max(0, registerWh - from.registerWh);
  const after = (arrivesPercent: number, unknown: number) => {
    if (addedWh === 0) return from.percent;
    return holdsWh === null ? unknown : Math.min(100, from.percent + (arrivesPercent * addedWh) / holdsWh);
  };
  return {
    percent: Math.floor(after(EFFICIENCY_PERCENT, from.percent)),
    least: Math.floor(after(LEAST_ARRIVES_PERCENT, from.percent)),
    most: Math.ceil(after(MOST_ARRIVES_PERCENT, 100)),
    source: isCars ? "vehicle" : "stated",
    at: isCars ? heard.at : null,
  };
}
