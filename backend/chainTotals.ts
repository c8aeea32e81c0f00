/** What a system's calls came to on the chain: counted from receipts and events, not from what we meant to send. */
import { call, type Hex, resultOf } from "./adapters/chain/rpc.ts";
import type { System } from "./compose.ts";
import type { ChainTotals } from "./replay/report.ts";

const RECEIPTS_PER_REQUEST = 200;

export async function chainTotals({
  database,
  rpc,
  reader,
}: Pick<System, "database" | "rpc" | "reader">): Promise<ChainTotals> {
  const rows = await database.db
    .selectFrom("outbox")
    .select("tx_hash")
    .where("tx_hash", "is not", null)
    .orderBy("id")
    .execute();
  let gasUsed = 0n;
  for (let i = 0; i < rows.length; i += RECEIPTS_PER_REQUEST) {
    const answers = await rpc.ask(
      rows.slice(i, i + RECEIPTS_PER_REQUEST).map((row) => call("eth_getTransactionReceipt", row.tx_hash)),
    );
    for (const answer of answers)
      gasUsed += BigInt(resultOf<{ gasUsed: Hex }>("eth_getTransactionReceipt", answer).gasUsed);
  }
  const sum = async (event: string, field: string) =>
    (await reader.logs("Settlement", event)).reduce((total, log) => total + BigInt(log.args[field]), 0n);
  return {
    transactions: rows.length,
    gasUsed,
    runsRecorded: (await reader.runs()).length,
    sessionsSettled: (await reader.billed()).length,
    redeemedMicroEur: await sum("Redeemed", "payout"),
    shortfallMicroEur: await sum("Shortfall", "missing"),
  };
}
