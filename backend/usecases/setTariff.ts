/** A CPO's new price: a tariff of its own, for sessions that start from now on. Running sessions keep theirs. */
import type { Tariff } from "../domain/assets.ts";
import { type MicroEurPerKwh, microEur } from "../domain/units.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export type NewTariff = { readonly cpoId: string; readonly pricePerKwh: MicroEurPerKwh };

/** A price above is in another unit, micro-euro per kWh. */
const HIGHEST = 5_000_000;

export async function setTariff(
  world: Pick<World, "store" | "ledger" | "clock">,
  { cpoId, pricePerKwh }: NewTariff,
): Promise<
  { readonly kind: "set" | "duplicate"; readonly tariff: Tariff } | Refused<"unknown-cpo" | "suspicious-price">
> {
  if (pricePerKwh < 0 || pricePerKwh > HIGHEST)
    return refused(
      "suspicious-price",
      `${pricePerKwh} micro-euro per kWh is ${pricePerKwh / 1e6} EUR/kWh. Is it in micro-euro per kWh?`,
    );
  const now = world.clock.now();
  return world.store.transaction(async (store) => {
    const cpo = (await store.sites.cpos()).find((one) => one.id === cpoId);
    if (!cpo) return refused("unknown-cpo", `CPO ${cpoId} is not known. Register its site first.`);
    const current = await store.sites.currentTariff(cpoId);
    if (current && current.pricePerKwh === pricePerKwh) return { kind: "duplicate", tariff: current };
    const id = `${cpoId}:${(current?.number ?? 0) + 1}:${now}`;
    const tariff = await store.sites.addTariff({ id, cpoId, pricePerKwh });
    await store.outbox.enqueue(
      world.ledger.setTariff({
        tariff: tariff.number,
        cpo: cpo.number,
        maxPerKwh: pricePerKwh,
        maxFixed: microEur(0n),
        fromAt: now,
      }),
    );
    return { kind: "set", tariff };
  });
}
