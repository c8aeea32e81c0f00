/**
 * Every bill: the receipt agrees with itself and with the meter, the limits, the prices, the promise and the tariff in the
 * store, and what stands on chain is what the receipt says. Energies are interpolated anew, in exact fractions.
 */

import type { Tariff } from "../domain/assets.ts";
import { slotOf } from "../domain/slots.ts";
import { epochSecond, watt } from "../domain/units.ts";
import { entitledPerInterval } from "../flexibility/allowance.ts";
import { baselineStart } from "../flexibility/baseline.ts";
import { FLEX_METHOD, reckon } from "../flexibility/calculator.ts";
import { flexFaults } from "../flexibility/recheck.ts";
import { highestMeanW, registerSeries } from "../flexibility/registers.ts";
import { shown } from "../flexibility/shown.ts";
import type { Receipt } from "../settlement/receipt.ts";
import { receiptFaults } from "../settlement/recheck.ts";
import { SETTLEMENT_METHOD } from "../settlement/settle.ts";
import { auditErasedBill, erasedDriverOf } from "./auditErasures.ts";
import type { Facts, GroupFile, OwnRows, SessionFile } from "./auditFacts.ts";
import { billName, type Check, type Findings, priceName, readingName } from "./auditFindings.ts";
import { limitOf } from "./auditRuns.ts";
import type { Hex, Ledger, Settlement } from "./ports.ts";

export type BillContext = {
  readonly facts: Facts;
  readonly group: GroupFile;
  readonly tariff: Tariff | null;
  /** Commitments of all plans: "problem hash:plan hash". */
  readonly plans: ReadonlySet<string>;
  readonly ledger: Ledger;
  readonly findings: Findings;
};

export function auditBill(own: SessionFile, context: BillContext): void {
  const erased = erasedDriverOf(own, context.facts);
  if (erased) {
    auditErasedBill(own, erased, context.findings.check("bills"));
    return;
  }
  const { settlement, receipt, session } = own;
  const check = context.findings.check("bills");
  const where = billName(session.id);
  if (!settlement) {
    if (session.unpluggedAt !== null) check.differs(where, "the session has ended, but was never settled");
    return;
  }
  check.looked();
  const hash = context.ledger.leaf(settlement.salt as Hex, settlement.receipt);
  check.same(where, "hash of salt and receipt", hash, settlement.detailHash);
  if (!receipt) {
    check.differs(where, `its receipt cannot be read: ${own.receiptFault}`);
    return;
  }
  for (const fault of [...receiptFaults(receipt), ...flexFaults(receipt.flex)]) check.differs(where, fault);
  auditNames(own, settlement, receipt, context, check, where);
  auditColumns(settlement, receipt, session.maxPowerW, check, where);
  auditMeter(own, receipt, check, where);
  const rewarded = session.mode !== "opted-out" && own.boosts.length === 0;
  check.same(where, "rewarded", receipt.flex.rewarded, rewarded);
  auditCircumstances(own, receipt, context);
}

/** What the receipt names: session, driver, operator, tariff, plan, methods. */
function auditNames(
  { session }: SessionFile,
  settlement: Settlement,
  receipt: Receipt,
  { facts, group, tariff, plans }: BillContext,
  check: Check,
  where: string,
): void {
  const driver = settlement.driverId === null ? null : facts.drivers.get(settlement.driverId);
  const cpo = facts.cpos.find((one) => one.id === settlement.cpoId);
  check.same(where, "session", settlement.sessionNumber, session.number);
  check.same(where, "number of the session in the receipt", receipt.session, session.number);
  check.same(where, "driver", settlement.driverId, session.driverId);
  check.same(
    where,
    "driver's address in the receipt",
    receipt.driver,
    driver === null ? null : (driver?.address ?? "unknown"),
  );
  check.same(where, "CPO", settlement.cpoId, session.cpoId);
  check.same(where, "number of the CPO in the receipt", receipt.cpo, cpo?.number ?? null);
  check.same(where, "number of the group in the receipt", receipt.group, group.group.number);
  check.same(where, "tariff in the receipt", receipt.tariff.id, session.tariffId);
  if (tariff) {
    check.same(where, "number of the tariff in the receipt", receipt.tariff.number, tariff.number);
    check.same(where, "price in the receipt", receipt.tariff.pricePerKwh, tariff.pricePerKwh);
  } else check.differs(where, `its tariff ${session.tariffId} is not in the store`);
  check.same(where, "method of flexibility", receipt.methods.flexibility, FLEX_METHOD);
  check.same(where, "method of settlement", receipt.methods.settlement, SETTLEMENT_METHOD);
  if (receipt.plan && !plans.has(`${receipt.plan.problem}:${receipt.plan.plan}`))
    check.differs(where, `names a plan that nobody made: ${receipt.plan.problem}`);
}

/** The settlement's columns are the receipt's figures. */
function auditColumns(settlement: Settlement, receipt: Receipt, ratedW: number, check: Check, where: string): void {
  const { flex } = receipt;
  check.same(where, "settled_at", settlement.settledAt, receipt.settledAt);
  check.same(where, "energy_wh", settlement.energyWh, receipt.meter.endWh - receipt.meter.startWh);
  check.same(where, "amount_micro_eur", settlement.amountMicroEur, receipt.amountMicroEur);
  check.same(where, "credit_micro_eur", settlement.creditMicroEur, receipt.creditMicroEur);
  const compensation = receipt.promise?.compensation.amountMicroEur ?? 0n;
  check.same(where, "compensation_micro_eur", settlement.compensationMicroEur, compensation);
  check.same(where, "flex_wh", settlement.flexWh, flex.flexWh);
  check.same(where, "flex_value_micro_eur", settlement.flexValueMicroEur, flex.valueMicroEur);
  const intervals = flex.intervals.map((one) => ({ ...one, order: null, surplus: false }));
  const ancestorWh = shown({ ...reckon({ ...flex, intervals }), intervals: flex.intervals }, watt(ratedW)).ancestorWh;
  check.same(where, "ancestor_wh", settlement.ancestorWh, ancestorWh);
}

/** Registers, energy per slot, highest power and applied limits from readings and profiles. */
export function auditMeter(own: OwnRows, receipt: Receipt, check: Check, where: string): void {
  const { session, readings } = own;
  const { meter, flex } = receipt;
  const endWh = session.endRegisterWh ?? session.startRegisterWh;
  const endAt = session.unpluggedAt ?? session.pluggedAt;
  check.same(where, "register at plug-in (Wh)", meter.startWh, session.startRegisterWh);
  check.same(where, "register at plug-out (Wh)", meter.endWh, endWh);
  check.same(where, "plug-in", meter.startAt, session.pluggedAt);
  check.same(where, "plug-out", meter.endAt, endAt);
  check.same(where, "number of readings", meter.readings, readings.length);
  if (endWh < session.startRegisterWh) return;

  const points = [
    { at: session.pluggedAt as number, wh: session.startRegisterWh as number },
    ...readings.flatMap((one) =>
      one.at > session.pluggedAt && one.at < endAt ? [{ at: one.at, wh: one.registerWh }] : [],
    ),
    { at: endAt as number, wh: endWh as number },
  ];
  for (const [t, { from, to, meteredWh }] of flex.intervals.entries()) {
    const wh = wholeAt(points, to) - wholeAt(points, from);
    if (wh === meteredWh) continue;
    const near = points.find((point) => point.at >= to) ?? points[points.length - 1]!;
    check.differs(where, `interval ${t} has ${meteredWh} Wh, readings give ${wh} Wh`);
    check.differs(
      readingName(session.id, near.at),
      `the bill has ${meteredWh} Wh from ${from} to ${to}, readings give ${wh} Wh`,
    );
  }
  const stay = { startAt: session.pluggedAt, startWh: session.startRegisterWh, endAt, endWh };
  const series = registerSeries({ ...stay, readings });
  const limit = limitOf(own);
  check.same(where, "highest 5-minute mean (W)", flex.powerW, highestMeanW(series));
  check.same(where, "start of the baseline", flex.startsAt, baselineStart(series, limit));
  const entitled = entitledPerInterval(series, limit, flex.intervals, session.maxPowerW);
  for (const [t, { allowedWh, meteredWh }] of flex.intervals.entries())
    check.same(where, `energy allowed in interval ${t} (Wh)`, allowedWh, Math.max(meteredWh, entitled[t]!));
}

/** Register at an instant, rounded down: a straight line between the readings around it. */
function wholeAt(points: readonly { readonly at: number; readonly wh: number }[], instant: number): number {
  const next = points.findIndex((point) => point.at > instant);
  const [a, b] = [points[next - 1], points[next]];
  if (!a || !b) return (next < 0 ? points[points.length - 1]! : points[0]!).wh;
  const [rise, run, done] = [BigInt(b.wh - a.wh), BigInt(b.at - a.at), BigInt(instant - a.at)];
  return a.wh + Number((rise * done) / run);
}

/** Prices, surplus and orders slot by slot. What others in the group could have given up (LIMIT) was seen at settlement only. */
function auditCircumstances({ session }: SessionFile, receipt: Receipt, context: BillContext): void {
  const { facts, group, findings } = context;
  const check = findings.check("bills");
  const where = billName(session.id);
  const { feedIn } = group.group;
  for (const [t, { from, to, value, down, up }] of receipt.flex.intervals.entries()) {
    const slot = slotOf(from);
    const price = facts.prices.get(slot);
    if (price === undefined) continue;
    const surplusValue = Math.min(price, feedIn);
    const wanted = up === "SURPLUS" ? surplusValue : price;
    const site = group.siteSlots.get(slot);
    if (value !== price && value !== surplusValue)
      check.differs(priceName(slot), `the store has ${price}, ${where} was made with ${value}`);
    else if (up !== "ORDER") check.same(where, `value of interval ${t}`, value, wanted);
    // A slot that was not over when the car left was judged by what had been measured so far.
    if (site && up !== "ORDER" && session.unpluggedAt! >= epochSecond((slot + 1) * 900 + 60)) {
      const importWh = site.carsWh + Math.round(((site.demandW - site.productionW) * 900) / 3600);
      check.same(where, `surplus in interval ${t}`, up === "SURPLUS", importWh < 0);
    }
    const limited = group.limits.some(
      (one) => one.kind === "order" && one.from < to && (one.until === null || one.until > from),
    );
    const ordered = (direction: "down" | "up") =>
      group.orders.some(
        (one) =>
          one.direction === direction &&
          one.givenAt < to &&
          one.slots.some((row) => row.acknowledgedWh > 0 && row.slot === slot),
      );
    const isDown = limited || ordered("down");
    check.same(where, `order in interval ${t}`, down === "ORDER", isDown);
    check.same(where, `upward order in interval ${t}`, up === "ORDER", !isDown && ordered("up"));
  }
}
