/** Drivers join: a random key of their own, sealed; a random address on chain with a salted hash of the consent. */
import type { Driver, DriverPreferences, SealedWallet, World } from "./ports.ts";

export type NewDriver = {
  readonly id: string;
  readonly accountId: string | null;
  readonly name: string;
  readonly consentText: string;
};

type Needs = Pick<World, "store" | "wallets" | "ledger" | "random" | "clock">;

/** Registering per call, below the gas cap of a transaction. */
const PER_CALL = 100;

export async function registerDriver(world: Needs, driver: NewDriver): Promise<Driver> {
  const [registered] = await registerDrivers(world, [driver]);
  return registered as Driver;
}

/** Drivers that are known already are answered as they are. */
export async function registerDrivers(world: Needs, drivers: readonly NewDriver[]): Promise<readonly Driver[]> {
  return world.store.transaction(async (store) => {
    const all: Driver[] = [];
    const added: { driver: Driver; wallet: SealedWallet }[] = [];
    for (const wanted of drivers) {
      const known = await store.drivers.byId(wanted.id);
      if (!known) added.push(newDriver(world, wanted));
      all.push(known ?? (added[added.length - 1] as (typeof added)[number]).driver);
    }
    for (const { driver, wallet } of added) await store.drivers.add(driver, wallet);
    for (let i = 0; i < added.length; i += PER_CALL)
      await store.outbox.enqueue(
        world.ledger.registerDrivers(
          added.slice(i, i + PER_CALL).map(({ driver, wallet }) => ({
            driver: wallet.address,
            consent: driver.consentHash as `0x${string}`,
          })),
        ),
      );
    return all;
  });
}

function newDriver(world: Needs, { id, accountId, name, consentText }: NewDriver) {
  const wallet = world.wallets.create(id);
  const salt = Buffer.from(world.random(32, `consent:${id}`)).toString("hex");
  const consentHash = world.ledger.hashText(`${salt}:${consentText}`);
  return {
    wallet,
    driver: { id, accountId, name, address: wallet.address, consentHash, registeredAt: world.clock.now() },
  };
}

export async function setDriverPreferences(world: Pick<World, "store">, preferences: DriverPreferences): Promise<void> {
  await world.store.drivers.setPreferences(preferences);
}
