/** Receipts whose figures were changed with skill: everything that hangs on them fits again. */
import { compensation } from "../../backend/settlement/compensation.ts";
import { type Receipt, receiptText } from "../../backend/settlement/receipt.ts";
import { settle } from "../../backend/settlement/settle.ts";
import type { BillLine, Hex, Ledger, Settlement } from "../../backend/usecases/ports.ts";

/** The receipt's own sums and lines, made to fit what was changed in it. */
export function settledAgain(receipt: Receipt): Receipt {
  const { meter, tariff, flex } = receipt;
  const { pricePerKwh } = tariff;
  const promise = receipt.promise && {
    ...receipt.promise,
    compensation: compensation({ ...receipt.promise, pricePerKwh }),
  };
  const bill = settle({
    energy: [{ energyWh: meter.endWh - meter.startWh, pricePerKwh }],
    fixedFeeMicroEur: tariff.fixedFeeMicroEur,
    compensation: promise?.compensation ?? null,
    flexWh: flex.flexWh,
  });
  const { lines, amountMicroEur, creditMicroEur } = bill;
  return { ...receipt, promise, lines, amountMicroEur, creditMicroEur };
}

/** The statement that puts the receipt in place of a bill's, and the figures of the line that the chain would have. */
export function billedBy(receipt: Receipt, { sessionId, salt }: Settlement, ledger: Pick<Ledger, "leaf">) {
  const text = receiptText(receipt);
  const line: Pick<BillLine, "amount" | "credit" | "wh" | "flex" | "detail"> = {
    amount: receipt.amountMicroEur,
    credit: receipt.creditMicroEur,
    wh: receipt.meter.endWh - receipt.meter.startWh,
    flex: receipt.flex.flexWh,
    detail: ledger.leaf(salt as Hex, text),
  };
  const columns = {
    receipt: `'${text.replaceAll("'", "''")}'`,
    detail_hash: `'${line.detail}'`,
    energy_wh: line.wh,
    amount_micro_eur: receipt.amountMicroEur,
    credit_micro_eur: receipt.creditMicroEur,
    compensation_micro_eur: receipt.promise?.compensation.amountMicroEur ?? 0n,
    flex_wh: receipt.flex.flexWh,
    flex_value_micro_eur: receipt.flex.valueMicroEur,
  };
  const set = Object.entries(columns).map(([column, value]) => `${column} = ${value}`);
  return { line, statement: `update settlement set ${set.join(", ")} where session_id = '${sessionId}'` };
}
