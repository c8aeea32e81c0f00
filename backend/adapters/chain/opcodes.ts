/** Whether a chain can run what the compiler emits (evmVersion cancun), asked before the first transaction is paid for. */
import { call, type Rpc } from "./rpc.ts";

/** Init code: PUSH0 PUSH0 PUSH0 MCOPY, PUSH0 TLOAD POP, STOP. The newest opcodes of shanghai and cancun. */
const PROBE = "0x5f5f5f5e5f5c5000";

/** Throws on a chain on which PUSH0, MCOPY or TLOAD is no instruction. */
export async function requireCancun(rpc: Rpc): Promise<void> {
  const [answer] = await rpc.ask([call("eth_call", { data: PROBE }, "latest")]);
  if (answer?.ok) return;
  throw new Error(
    `Chain ${rpc.chainId} does not run PUSH0, MCOPY and TLOAD (${answer?.message ?? "no answer"}): the contracts need the cancun rules. Deploy to a network that has them; nothing was sent.`,
  );
}
