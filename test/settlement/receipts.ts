/** Receipts made the way a session makes them: meter -> flexibility, promise -> judgement -> shares -> bill -> receipt. */
import fc from "fast-check";
import { judge } from "../../backend/domain/promises.ts";
import { epochSecond, microEur, microEurPerKwh, wattHour } from "../../backend/domain/units.ts";
import { drawSeries } from "../../backend/flexibility/allowance.ts";
import { FLEX_METHOD, flexibility } from "../../backend/flexibility/calculator.ts";
import { registerAt } from "../../backend/flexibility/registers.ts";
import { attribute, NO_SHARES, vehicleShortfallWh } from "../../backend/settlement/attribution.ts";
import { compensation } from "../../backend/settlement/compensation.ts";
import { RECEIPT_FORMAT, type Receipt, type ReceiptPromise } from "../../backend/settlement/receipt.ts";
import { SETTLEMENT_METHOD, settle } from "../../backend/settlement/settle.ts";
import { type RandomSession, randomSession, stayOf } from "../flexibility/sessions.ts";

export type Terms = {
  readonly pricePerKwh: number;
  readonly fee: bigint;
  readonly rewarded: boolean;
  /** Promised from plug-in on, and what grid and operator kept out of the car. */
  readonly promise: {
    readonly energyWh: number;
    readonly by: number;
    readonly orderWh: number;
    readonly outageWh: number;
    readonly operatorWh: number;
  } | null;
};

export function receiptOf({ series, limit, circumstances }: RandomSession, terms: Terms): Receipt {
  const [startAt, endAt] = stayOf(series);
  const startWh = series[0]!.registerWh;
  const endWh = series[series.length - 1]!.registerWh;
  const pricePerKwh = microEurPerKwh(terms.pricePerKwh);
  const flex = flexibility({ series, limit, circumstances, rewarded: terms.rewarded });

  let promise: ReceiptPromise | null = null;
  if (terms.promise) {
    const energyWh = wattHour(terms.promise.energyWh);
    const by = epochSecond(terms.promise.by);
    const { orderWh, outageWh, operatorWh } = terms.promise;
    const meteredByWh = registerAt(series, Math.min(by, endAt)) - startWh;
    const judged = judge({ promisedWh: energyWh, meteredByWh, meteredAtUnplugWh: endWh - startWh });
    const outcome = judged.outcome as ReceiptPromise["outcome"];
    const missingAtUnplugWh = judged.missingAtUnplugWh!;
    const vehicleWh = vehicleShortfallWh(drawSeries(series, limit, by), by);
    const caused = { missingWh: judged.missingWh, driverWh: 0, vehicleWh, orderWh, outageWh, operatorWh };
    const shares = outcome === "kept" ? NO_SHARES : attribute(caused);
    const compensated = compensation({ outcome, shares, missingAtUnplugWh, pricePerKwh });
    const { missingWh } = judged;
    promise = {
      version: 1,
      energyWh,
      by,
      fromRegisterWh: startWh,
      outcome,
      missingWh,
      missingAtUnplugWh,
      shares,
      compensateOrders: true,
      compensation: compensated,
    };
  }
  const fixedFeeMicroEur = microEur(terms.fee);
  const bill = settle({
    energy: [{ energyWh: flex.energyWh, pricePerKwh }],
    fixedFeeMicroEur,
    compensation: promise?.compensation ?? null,
    flexWh: flex.flexWh,
  });
  return {
    format: RECEIPT_FORMAT,
    methods: { flexibility: FLEX_METHOD, settlement: SETTLEMENT_METHOD },
    cpo: 3,
    group: 7,
    session: 611,
    driver: "0x00000000000000000000000000000000000000AA",
    settledAt: endAt,
    tariff: { id: "day", number: 4, pricePerKwh, fixedFeeMicroEur },
    meter: { startAt, startWh, endAt, endWh, readings: series.length - 2, signedRecord: null },
    lines: bill.lines,
    amountMicroEur: bill.amountMicroEur,
    creditMicroEur: bill.creditMicroEur,
    promise,
    flex,
    plan: { algorithm: "0x01", problem: "0x02", plan: "0x03" },
    evidence: { session: "0x04", promises: ["0x05"], profiles: "0x06", readings: "0x07", sums: [0, 1, 2, 3, 4, 5] },
  };
}

export const randomReceipt: fc.Arbitrary<Receipt> = fc
  .tuple(
    randomSession,
    fc.record({
      pricePerKwh: fc.integer({ min: 0, max: 900_000 }),
      fee: fc.oneof(fc.constant(0n), fc.bigInt(0n, 2_000_000n)),
      rewarded: fc.boolean(),
      /** Promised energy and time as thousandths of the metered energy and of the stay. */
      promise: fc.option(
        fc.record({
          energy: fc.integer({ min: 0, max: 2_000 }),
          time: fc.integer({ min: 0, max: 1_500 }),
          orderWh: fc.nat(500),
          outageWh: fc.nat(500),
          operatorWh: fc.nat(5_000),
        }),
      ),
    }),
  )
  .map(([session, { promise, ...terms }]) => {
    const first = session.series[0]!;
    const last = session.series[session.series.length - 1]!;
    if (!promise) return receiptOf(session, { ...terms, promise });
    const energyWh = 1 + Math.floor(((last.registerWh - first.registerWh) * promise.energy) / 1_000);
    const by = first.at + 1 + Math.floor(((last.at - first.at) * promise.time) / 1_000);
    return receiptOf(session, { ...terms, promise: { ...promise, energyWh, by } });
  });
