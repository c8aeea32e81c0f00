/**
 * Settled sessions go to the chain in batches: every `billingLines` lines, or when the oldest has waited long enough. Where the
 * chain shows no rows, at whole multiples of that wait only: else the time of a batch would tell when one of its drivers left.
 */
import type { Cpo, Tariff } from "../domain/assets.ts";
import type { BillLine, Settlement, World } from "./ports.ts";

type Needs = Pick<World, "store" | "ledger" | "clock" | "settings">;

/** `everything`: also a batch that is neither full nor old enough. Answers the number of lines posted. */
export async function postBills(world: Needs, everything = false): Promise<number> {
  const { ledger, settings, clock } = world;
  const hour = ledger.privacy !== "rows" ? clock.now() - (clock.now() % settings.billingWaitS) : null;
  let posted = 0;
  for (const cpo of await world.store.sites.cpos()) {
    for (;;) {
      const { lines, oldestAt } = await world.store.bills.waitingSince(cpo.id);
      if (oldestAt === null) break;
      const due =
        hour === null
          ? lines >= settings.billingLines || clock.now() - oldestAt >= settings.billingWaitS
          : oldestAt < hour;
      if (!due && !everything) break;
      const batch = (await world.store.bills.waiting(cpo.id))
        .filter(({ settledAt }) => everything || hour === null || settledAt < hour)
        .slice(0, settings.billingLines);
      await postBatch(world, cpo, batch);
      posted += batch.length;
    }
  }
  return posted;
}

async function postBatch(world: Needs, cpo: Cpo, settlements: readonly Settlement[]): Promise<void> {
  await world.store.transaction(async (store) => {
    const seq = await store.bills.assignBatch(
      cpo.id,
      settlements.map((one) => one.sessionId),
      world.clock.now(),
    );
    const lines: BillLine[] = [];
    for (const settlement of settlements) lines.push(await lineOf(store, settlement));
    await store.outbox.enqueue(world.ledger.post({ cpo: cpo.number, seq, lines }));
    // Where bills can be disputed, followDisputes.ts finalises the batch when its window is over.
    if (world.ledger.disputeTerms.windowS === 0)
      await store.outbox.enqueue(world.ledger.finalise({ cpo: cpo.number, seq }));
  });
}

/** One bill as the contract takes it. */
export async function lineOf(store: World["store"], settlement: Settlement): Promise<BillLine> {
  const driver = settlement.driverId === null ? null : await store.drivers.byId(settlement.driverId);
  if (!driver)
    throw new Error(
      `Settlement of session ${settlement.sessionId} has no registered driver and cannot be billed on chain.`,
    );
  const tariff = (await tariffOf(store, settlement)) as Tariff;
  return {
    number: settlement.sessionNumber,
    driver: driver.address as `0x${string}`,
    amount: settlement.amountMicroEur,
    credit: settlement.creditMicroEur,
    wh: settlement.energyWh,
    flex: settlement.flexWh,
    tariff: tariff.number,
    detail: settlement.detailHash as `0x${string}`,
  };
}

async function tariffOf(store: World["store"], settlement: Settlement): Promise<Tariff | null> {
  const session = await store.sessions.byId(settlement.sessionId);
  return session ? store.sites.tariff(session.tariffId) : null;
}
