/** A driver joins: a random key of its own, sealed; a random address on chain with a salted hash of the consent. */
import type { Driver, DriverPreferences, World } from "./ports.ts";

export type NewDriver = {
  readonly id: string;
  readonly accountId: string | null;
  readonly name: string;
  readonly consentText: string;
};

export async function registerDriver(
  world: Pick<World, "store" | "wallets" | "ledger" | "random" | "clock">,
  driver: NewDriver,
): Promise<Driver> {
  const known = await world.store.drivers.byId(driver.id);
  if (known) return known;
  const wallet = world.wallets.create(driver.id);
  const salt = Buffer.from(world.random(32, `consent:${driver.id}`)).toString("hex");
  const added: Driver = {
    id: driver.id,
    accountId: driver.accountId,
    name: driver.name,
    address: wallet.address,
    consentHash: world.ledger.hashText(`${salt}:${driver.consentText}`),
    registeredAt: world.clock.now(),
  };
  await world.store.transaction(async (store) => {
    await store.drivers.add(added, wallet);
    await store.outbox.enqueue(
      world.ledger.registerDrivers([{ driver: wallet.address, consent: added.consentHash as `0x${string}` }]),
    );
  });
  return added;
}

export async function setDriverPreferences(world: Pick<World, "store">, preferences: DriverPreferences): Promise<void> {
  await world.store.drivers.setPreferences(preferences);
}
