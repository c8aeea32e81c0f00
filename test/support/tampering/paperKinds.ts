/** Forgeries of what a session leaves behind: readings, a bill, a baseline, a promise. */
import { promiseText } from "../../../backend/settlement/evidence.ts";
import { parseReceipt, type Receipt } from "../../../backend/settlement/receipt.ts";
import type { Settlement } from "../../../backend/usecases/ports.ts";
import { billedBy, settledAgain } from "../forgedReceipt.ts";
import { type Kind, named } from "./kind.ts";
import type { Forgery, SavedRun } from "./savedRun.ts";

export const paperKinds = async (run: SavedRun): Promise<readonly Kind[]> => [await aByte(run), ...(await bills(run))];

async function aByte({ store }: SavedRun): Promise<Kind> {
  const [bill] = (await store.bills.all()).filter((one) => one.driverId !== null);
  const readings = await store.meters.ofSession(bill!.sessionId);
  const { at } = readings[Math.floor(readings.length / 2)]!;
  const statement = `update meter_reading set power_w = power_w # 1
    where session_id = '${bill!.sessionId}' and at = to_timestamp(${at})`;
  const reading = named(
    `reading of session ${bill!.sessionId} at ${new Date(at * 1000).toISOString().replace(".000", "")}`,
    "was changed since the bill was made",
  );
  return {
    kind: "a byte of a row in the database",
    forgery: { statements: [statement] },
    recorded: null,
    database: reading,
  };
}

const OTHER_HASH = "hash of the receipt on chain 0x\\w+, the store has";

async function bills(run: SavedRun): Promise<Kind[]> {
  const { store, ledger } = run;
  const all = (await store.bills.all()).filter(({ driverId, batch }) => driverId !== null && batch !== null);
  const receipts = all.map((settlement) => ({ settlement, receipt: parseReceipt(settlement.receipt) }));
  const plain = receipts.find(({ receipt }) => !receipt.promise?.compensation.amountMicroEur)!;
  const flexible = receipts.find(({ receipt }) => receipt.flex.flexWh > 0)!;
  const kept = receipts.find(({ receipt }) => receipt.promise?.outcome === "kept" && receipt.promise.energyWh > 2_000)!;
  const { energyWh, version } = kept.receipt.promise!;
  const promises = await store.promises.history(kept.settlement.sessionId);
  const index = promises.findIndex((one) => one.version === version);
  const instead = (of: { settlement: Settlement }, receipt: Receipt, ...more: string[]): Forgery => {
    const { line, statement } = billedBy(receipt, of.settlement, ledger);
    return {
      statements: [statement, ...more],
      billed: (one) => (one.number === of.settlement.sessionNumber ? { ...one, ...line } : one),
    };
  };
  const less = { ...promises[index]!, energyWh: (energyWh - 1_000) as typeof energyWh };
  const [interval] = flexible.receipt.flex.intervals;
  const bill = ({ settlement }: { settlement: Settlement }) => `bill of session ${settlement.sessionId}`;
  return [
    {
      kind: "a bill",
      forgery: instead(
        plain,
        settledAgain({
          ...plain.receipt,
          meter: { ...plain.receipt.meter, endWh: (plain.receipt.meter.endWh + 1_000) as never },
        }),
      ),
      recorded: named(bill(plain), "register at plug-out \\(Wh\\) is"),
      database: named(bill(plain), "amount \\(micro-euro\\) on chain \\d+, the store has"),
    },
    {
      kind: "a baseline",
      forgery: instead(
        flexible,
        {
          ...flexible.receipt,
          flex: {
            ...flexible.receipt.flex,
            intervals: flexible.receipt.flex.intervals.map((one, t) =>
              t === 0 ? { ...one, baselineWh: one.baselineWh + 1 } : one,
            ),
          },
        },
        `update session_slot set baseline_wh = baseline_wh + 1
         where session_id = '${flexible.settlement.sessionId}' and slot = ${Math.floor(interval!.from / 900)}`,
      ),
      recorded: named(bill(flexible), "flex\\.intervals\\[0\\]\\.baselineWh is"),
      database: named(bill(flexible), OTHER_HASH),
    },
    {
      kind: "a promise",
      forgery: instead(
        kept,
        {
          ...kept.receipt,
          promise: { ...kept.receipt.promise!, energyWh: less.energyWh },
          evidence: {
            ...kept.receipt.evidence,
            promises: kept.receipt.evidence.promises.map((one, i) =>
              i === index ? ledger.hashText(promiseText(less)) : one,
            ),
          },
        },
        `update promise set energy_wh = ${less.energyWh} where session_id = '${kept.settlement.sessionId}' and version = ${version}`,
      ),
      recorded: named(
        `promise of session ${kept.settlement.sessionId} version ${version}`,
        `recorded slot \\d+ .* holds ${energyWh} Wh by \\d+, the store has ${less.energyWh} Wh`,
      ),
      database: named(bill(kept), OTHER_HASH),
    },
  ];
}
