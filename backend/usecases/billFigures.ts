/**
 * What is said of a bill beyond its sum: what its energy was worth, and how much of it came from the sun. In each quarter
 * of an hour all that the group uses, cars and building, has the same mix of PV and grid: no car has a better claim to the
 * roof. Neither is part of the bill.
 */
import type { SiteSlot } from "../domain/meters.ts";
import { SLOT_S, slotOf } from "../domain/slots.ts";
import { type WattHour, wattHour } from "../domain/units.ts";
import { gridWh } from "../settlement/attribution.ts";
import { parseReceipt, type ReceiptInterval } from "../settlement/receipt.ts";
import { worths } from "../settlement/worth.ts";
import type { Settlement, World } from "./ports.ts";

/** `ofWh`: the energy of quarter-hours in which the site's meter was heard. */
export type SolarShare = { readonly solarWh: WattHour; readonly ofWh: WattHour };

export const worthsOf = ({ receipt }: Pick<Settlement, "receipt">) => worths(parseReceipt(receipt).flex.intervals);

/** Whose part of the missing energy is the largest, when a promise was late or short; the system's where two are equal. */
export function missedBy({ receipt }: Pick<Settlement, "receipt">) {
  const { promise } = parseReceipt(receipt);
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

export async function solarShareOf(
  { store }: Pick<World, "store">,
  { sessionId, receipt }: Pick<Settlement, "sessionId" | "receipt">,
): Promise<SolarShare | null> {
  const session = await store.sessions.byId(sessionId);
  const [first, ...rest] = parseReceipt(receipt).flex.intervals;
  if (!session || !first) return null;
  const untilSlot = slotOf((rest.at(-1) ?? first).from) + 1;
  return solarShare([first, ...rest], await store.meters.siteSlots(session.groupId, slotOf(first.from), untilSlot));
}

/** Null where nothing was measured. */
export function solarShare(
  intervals: readonly Pick<ReceiptInterval, "from" | "meteredWh">[],
  slots: readonly Pick<SiteSlot, "slot" | "demandW" | "productionW" | "carsWh">[],
): SolarShare | null {
  const measured = new Map(slots.map((one) => [one.slot, one]));
  let [solarWh, ofWh] = [0, 0];
  for (const { from, meteredWh } of intervals) {
    const site = measured.get(slotOf(from));
    if (!site) continue;
    const whOf = (powerW: number) => (powerW * SLOT_S) / 3600;
    const usedWh = Math.max(meteredWh, whOf(site.demandW) + site.carsWh);
    ofWh += meteredWh;
    if (usedWh > 0) solarWh += meteredWh * Math.min(1, whOf(site.productionW) / usedWh);
  }
  return ofWh === 0 ? null : { solarWh: wattHour(Math.floor(solarWh)), ofWh: wattHour(ofWh) };
}
