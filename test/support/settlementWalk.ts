/** Random walks through Settlement: each call succeeds, or is refused by the error that the bigint model says beforehand. */

import { provider } from "./chain.ts";
import { blockTime } from "./settlement.ts";
import { Refused } from "./settlementModel.ts";
import { randomStep } from "./settlementSteps.ts";
import { HOUR_S, TERM_S, type Walk } from "./settlementTown.ts";

/**
 * Takes one step and says what happened: the verb, and the error by which it was refused. Throws when the chain does anything
 * else than the model expects: an unexpected refusal ends the walk.
 */
export async function walkOn(walk: Walk): Promise<string> {
  walk.step++;
  const { name, from, to, data, expected } = randomStep(walk);
  const pause = { "an hour": HOUR_S, "thirty days": TERM_S }[name] ?? 1;
  const now = (await blockTime()) + pause;
  let refusal: string | null = null;
  try {
    expected(now);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refusal = error.message;
  }
  await provider.request({ method: "evm_setNextBlockTimestamp", params: [`0x${now.toString(16)}`] });
  const answer =
    from === undefined || to === undefined ? await mine() : await send(walk, from.address, to, await data!);
  if (answer !== refusal)
    throw new Error(`Step ${walk.step}, ${name}: ${answer ?? "success"}, expected ${refusal ?? "success"}.`);
  return refusal === null ? name : `${name}: ${refusal}`;
}

async function mine(): Promise<null> {
  await provider.request({ method: "evm_mine" });
  return null;
}

/** The name of the error, null when it succeeds. Straight to the chain: ethers would ask six questions before it sends. */
export async function send({ place }: Walk, from: string, to: string, data: string): Promise<string | null> {
  try {
    await provider.request({ method: "eth_sendTransaction", params: [{ from, to, data, gas: "0x7a1200" }] });
    return null;
  } catch (error) {
    const reason = (error as { data?: string }).data ?? "0x";
    const known = place.settlement.interface.parseError(reason) ?? place.euro.interface.parseError(reason);
    return known?.name ?? String(error);
  }
}
