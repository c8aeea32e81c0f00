/** What is said of a bill beyond its sum: its energy's worth and origin, and who missed its promise. None is part of it. */
import { slotOf } from "../domain/slots.ts";
import type { EpochSecond } from "../domain/units.ts";
import { gridWh } from "../settlement/attribution.ts";
import { type Emissions, emissions, type SolarShare, solarShare } from "../settlement/origin.ts";
import { parseReceipt, type Receipt } from "../settlement/receipt.ts";
import { worths } from "../settlement/worth.ts";
import type { Settlement, World } from "./ports.ts";

export type StayFigures = {
  readonly worths: ReturnType<typeof worths>;
  readonly missedBy: ReturnType<typeof missedBy>;
  readonly solar: SolarShare | null;
  readonly emissions: Emissions | null;
};

type Bill = Pick<Settlement, "receipt">;

/** Reads once what a group used and how clean the grid was from `from` until `until`, for all bills of that time. */
export async function stayFigures(
  { store, settings }: Pick<World, "store" | "settings">,
  groupId: string,
  from: EpochSecond,
  until: EpochSecond,
): Promise<(bill: Bill) => StayFigures> {
  const [first, end] = [slotOf(from), slotOf(until) + 1];
  const sites = new Map((await store.meters.siteSlots(groupId, first, end)).map((one) => [one.slot, one]));
  const intensities = await store.prices.carbon(settings.market, first, end);
  const carbon = new Map(intensities.map(({ slot, gramsPerKwh }) => [slot, gramsPerKwh]));
  return ({ receipt }) => {
    const { promise, flex } = parseReceipt(receipt);
    return {
      worths: worths(flex.intervals),
      missedBy: missedBy({ promise }),
      solar: solarShare(flex.intervals, sites),
      emissions: emissions(flex.intervals, sites, carbon),
    };
  };
}

/** Whose part of the missing energy is the largest, when the promise was late or short; the system's where two are equal. */
export function missedBy({ promise }: Pick<Receipt, "promise">) {
  if (!promise || promise.outcome === "kept") return null;
  const { driverWh, vehicleWh, operatorWh, systemWh } = promise.shares;
  const parts = [
    ["system", systemWh],
    ["operator", operatorWh],
    ["grid", gridWh(promise.shares)],
    ["vehicle", vehicleWh],
    ["driver", driverWh],
  ] as const;
  return parts.reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}
