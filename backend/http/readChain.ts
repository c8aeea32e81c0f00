/** Reads of the chain for an answer: while it is away, the answer says so. */
import { epochSecond } from "../domain/units.ts";
import type { OnChain } from "../usecases/payouts.ts";
import type { Deps } from "./deps.ts";
import { Problem } from "./problems.ts";

export const readChain = <T>(reading: Promise<T>): Promise<T> =>
  reading.catch(() => {
    throw new Problem("chain-away", "The chain does not answer. Charging and billing go on; try again in a minute.", {
      headers: { "retry-after": "60" },
    });
  });

/** A driver's account on chain, with what is announced to be taken out. */
export async function onChainOf(
  { store, chain }: Pick<Deps, "store" | "chain">,
  driverId: string,
): Promise<OnChain & { readonly address: string }> {
  const driver = await store.drivers.byId(driverId);
  if (!driver) throw new Error(`Driver ${driverId} signed in, but is not in the store.`);
  const { address } = driver;
  const { availableMicroEur, flexWh, nonce } = await readChain(chain.account(address));
  const announced = await readChain(chain.withdrawal(address));
  return {
    ...{ address, nonce, availableMicroEur, flexWh: Number(flexWh) },
    ...{ announcedMicroEur: announced.amountMicroEur, readyAt: epochSecond(announced.readyAt) },
  };
}
