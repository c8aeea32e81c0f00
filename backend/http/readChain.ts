/** Reads of the chain for an answer: while it is away, the answer says so. */
import { Problem } from "./problems.ts";

export const readChain = <T>(reading: Promise<T>): Promise<T> =>
  reading.catch(() => {
    throw new Problem("chain-away", "The chain does not answer. Charging and billing go on; try again in a minute.", {
      headers: { "retry-after": "60" },
    });
  });
