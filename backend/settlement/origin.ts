/**
 * Where the energy of a stay came from, beside the bill and no part of it. In each quarter of an hour all that the group
 * uses, cars and building, has the same mix of PV and grid: no car has a better claim to the roof. What comes from the grid
 * is as clean as the grid's mean was (attributional, as in the GHG protocol's location-based method); PV counts as 0.
 */
import type { SiteSlot } from "../domain/meters.ts";
import { SLOT_S, slotOf } from "../domain/slots.ts";
import { type WattHour, wattHour } from "../domain/units.ts";
import type { ReceiptInterval } from "./receipt.ts";

type Site = Pick<SiteSlot, "demandW" | "productionW" | "carsWh">;
type Charged = Pick<ReceiptInterval, "from" | "meteredWh">;

/** `ofWh`: the energy of quarter-hours in which the site's meter was heard. */
export type SolarShare = { readonly solarWh: WattHour; readonly ofWh: WattHour };

/** Whole grams of CO2 equivalent: as it was charged, and had the car drawn the same energy uncontrolled. */
export type Emissions = { readonly meteredG: number; readonly atOnceG: number };

/** By slot. */
type Sites = ReadonlyMap<number, Site>;
/** Grams per kWh by slot. */
type Carbon = ReadonlyMap<number, number>;

const whOf = (powerW: number) => (powerW * SLOT_S) / 3600;

/** PV's part, 0 to 1, of what the group would have used had the car drawn `wh` where it drew `meteredWh`. */
function solarPart({ demandW, productionW, carsWh }: Site, meteredWh: number, wh: number): number {
  const usedWh = wh + Math.max(0, whOf(demandW) + carsWh - meteredWh);
  return usedWh > 0 ? Math.min(1, whOf(productionW) / usedWh) : 0;
}

/** Null where nothing was measured. */
export function solarShare(intervals: readonly Charged[], sites: Sites): SolarShare | null {
  let [solarWh, ofWh] = [0, 0];
  for (const { from, meteredWh } of intervals) {
    const site = sites.get(slotOf(from));
    if (!site) continue;
    ofWh += meteredWh;
    solarWh += meteredWh * solarPart(site, meteredWh, meteredWh);
  }
  return ofWh === 0 ? null : { solarWh: wattHour(Math.floor(solarWh)), ofWh: wattHour(ofWh) };
}

/** Null where any quarter-hour is not known in which the car drew, or would have drawn: parts cannot be compared. */
export function emissions(
  intervals: readonly (Charged & Pick<ReceiptInterval, "baselineWh">)[],
  sites: Sites,
  carbon: Carbon,
): Emissions | null {
  let [meteredMg, atOnceMg] = [0, 0];
  for (const { from, meteredWh, baselineWh } of intervals) {
    if (meteredWh === 0 && baselineWh === 0) continue;
    const [site, gramsPerKwh] = [sites.get(slotOf(from)), carbon.get(slotOf(from))];
    if (!site || gramsPerKwh === undefined) return null;
    const mgOf = (wh: number) => wh * (1 - solarPart(site, meteredWh, wh)) * gramsPerKwh;
    meteredMg += mgOf(meteredWh);
    atOnceMg += mgOf(baselineWh);
  }
  return { meteredG: Math.round(meteredMg / 1000), atOnceG: Math.round(atOnceMg / 1000) };
}
