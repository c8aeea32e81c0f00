/**
 * What the market says of each slot. Plans were made with the prices that were known, and bills and audits read the same
 * series: so a price that was published stays, prices follow one another without a gap, and none comes after its slot began.
 * Carbon intensity decides nothing: its newest figure is the best one.
 */
import { formatInstant } from "../domain/instants.ts";
import { slotOf, slotStart } from "../domain/slots.ts";
import type { MicroEurPerKwh } from "../domain/units.ts";
import type { CarbonPoint, PricePoint, World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

type Needs = Pick<World, "store" | "clock" | "settings">;

export type Published = {
  readonly kind: "published";
  /** Slots that were not known; one that is sent again with its price counts nowhere. */
  readonly accepted: number;
  /** Slots that keep the price that was published first, or that began before anybody said theirs. */
  readonly kept: readonly { readonly slot: number; readonly text: string }[];
};

/** @param points in any order, at most one a slot */
export async function publishPrices(
  { store, clock, settings: { market } }: Needs,
  points: readonly PricePoint[],
): Promise<Published | Refused<"price-gap">> {
  const running: number = slotOf(clock.now());
  return store.transaction(async ({ prices }) => {
    const first = points.reduce((least, { slot }) => Math.min(least, slot), running);
    const known = new Map((await prices.from(market, first)).map(({ slot, price }) => [slot, price]));
    const kept: { readonly slot: number; readonly text: string }[] = [];
    const fresh: PricePoint[] = [];
    for (const point of points.toSorted((a, b) => a.slot - b.slot)) {
      const said = known.get(point.slot);
      if (said === point.price) continue;
      if (said === undefined && point.slot > running) fresh.push(point);
      else kept.push({ slot: point.slot, text: said === undefined ? "It has begun." : `It was published as ${said}.` });
    }
    const next = Math.max(running, ...known.keys()) + 1;
    const gapAt = fresh.find(({ slot }, k) => slot !== next + k);
    if (gapAt) {
      const missing = formatInstant(slotStart(next + fresh.indexOf(gapAt)));
      return refused("price-gap", `Prices follow one another without a gap: that of ${missing} is missing.`);
    }
    await prices.put(market, fresh);
    return { kind: "published", accepted: fresh.length, kept };
  });
}

export const publishCarbon = ({ store, settings }: Needs, points: readonly CarbonPoint[]): Promise<void> =>
  store.prices.putCarbon(settings.market, points);

export type MarketSlot = {
  readonly slot: number;
  readonly price: MicroEurPerKwh | null;
  readonly gramsPerKwh: number | null;
};

/** Slots of [fromSlot, untilSlot) of which anything is known, ascending. */
export async function marketSlots(
  { store, settings: { market } }: Needs,
  fromSlot: number,
  untilSlot: number,
): Promise<readonly MarketSlot[]> {
  const prices = new Map(
    (await store.prices.from(market, fromSlot, untilSlot)).map(({ slot, price }) => [slot, price]),
  );
  const carbon = new Map(
    (await store.prices.carbon(market, fromSlot, untilSlot)).map(({ slot, gramsPerKwh }) => [slot, gramsPerKwh]),
  );
  return Array.from({ length: untilSlot - fromSlot }, (_, k) => fromSlot + k)
    .filter((slot) => prices.has(slot) || carbon.has(slot))
    .map((slot) => ({ slot, price: prices.get(slot) ?? null, gramsPerKwh: carbon.get(slot) ?? null }));
}
