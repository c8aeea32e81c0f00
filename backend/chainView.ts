/** What the API shows of the chain, from the reader and the outbox. */
import type { System } from "./compose.ts";
import type { ChainView } from "./http/deps.ts";

export function chainView({ reader, database }: Pick<System, "reader" | "database">): ChainView {
  const { db } = database;
  return {
    async account(address) {
      const { available, flexWh, nonce } = await reader.account(address as `0x${string}`);
      return { availableMicroEur: available, flexWh, nonce };
    },
    async withdrawal(address) {
      const { amount, readyAt } = await reader.withdrawal(address as `0x${string}`);
      return { amountMicroEur: amount, readyAt };
    },
    async owed(address) {
      let owed = 0n;
      for (const { args } of await reader.logs("Settlement", "Shortfall", [null, null, address])) {
        const [debt] = await reader.ask("Settlement", "debtOf", [args.cpo, args.number]);
        owed += debt.amount;
      }
      return owed;
    },
    async offer(cpoNumber) {
      const [offer, pot] = await reader.ask("Settlement", "offerOf", [cpoNumber]);
      return { pricePerKwh: BigInt(offer), potMicroEur: BigInt(pot) };
    },
    async latest(limit) {
      const rows = await db
        .selectFrom("outbox")
        .select(["key", "contract", "call", "block_no", "tx_hash"])
        .where("state", "=", "final")
        .orderBy("id", "desc")
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        key: row.key,
        contract: row.contract,
        call: row.call,
        block: row.block_no === null ? null : Number(row.block_no),
        txHash: row.tx_hash,
      }));
    },
  };
}
