/**
 * Promises: terms that hang together, an outcome that the meter gives, and causes for which there is evidence in the store.
 * What was attributed to the vehicle is held within what it left unused; live notes about it are not kept.
 */
import { isHolding, judge, OFFER_S } from "../domain/promises.ts";
import { epochSecond } from "../domain/units.ts";
import { registerAt, registerSeries } from "../flexibility/registers.ts";
import type { ReceiptPromise } from "../settlement/receipt.ts";
import type { GroupFile, OwnRows, SessionFile } from "./auditFacts.ts";
import { at, billName, type Findings, promiseName } from "./auditFindings.ts";

export function auditPromises(own: SessionFile, group: GroupFile, findings: Findings): void {
  const check = findings.check("promises");
  const { session, promises, receipt } = own;
  for (const [index, promise] of promises.entries()) {
    const where = promiseName(session.id, promise.version);
    check.looked();
    check.same(where, "version", promise.version, index + 1);
    check.same(where, "time to answer (s)", promise.expiresAt - promise.offeredAt, OFFER_S);
    if (promise.energyWh <= 0 || promise.by <= promise.offeredAt)
      check.differs(where, `promises ${promise.energyWh} Wh by ${at(promise.by)}, offered at ${at(promise.offeredAt)}`);
    if (promise.offeredAt < session.pluggedAt || promise.changedAt < promise.offeredAt)
      check.differs(
        where,
        `offered at ${at(promise.offeredAt)}, changed at ${at(promise.changedAt)}, plug-in at ${at(session.pluggedAt)}`,
      );
    if (promise.fromRegisterWh < session.startRegisterWh)
      check.differs(
        where,
        `counts from ${promise.fromRegisterWh} Wh, the register at plug-in was ${session.startRegisterWh} Wh`,
      );
    if (promise.goodRuns > (promise.state === "at-risk" ? 1 : 0) && isHolding(promise.state))
      check.differs(where, `is ${promise.state} with ${promise.goodRuns} good runs`);
    if (own.settlement && isHolding(promise.state))
      check.differs(where, `is still ${promise.state}, the session is settled`);
  }
  const judged = promises.filter((one) => one.state === "kept" || one.state === "late" || one.state === "short");
  const billed = receipt?.promise ?? null;
  if (!receipt) return;
  // A promise that was kept may be followed by another; the last one is billed.
  const promise = judged[judged.length - 1];
  for (const one of judged.slice(0, -1))
    check.same(
      promiseName(session.id, one.version),
      "outcome of a promise that another one followed",
      one.state,
      "kept",
    );
  if (!promise || !billed) {
    if (promise || billed)
      check.differs(
        billName(session.id),
        billed ? "bills a promise that was not judged" : "leaves out a promise that was judged",
      );
    return;
  }
  const where = promiseName(session.id, promise.version);
  check.same(where, "version in the bill", billed.version, promise.version);
  check.same(where, "energy (Wh)", promise.energyWh, billed.energyWh);
  check.same(where, "time", promise.by, billed.by);
  check.same(where, "register that it counts from (Wh)", promise.fromRegisterWh, billed.fromRegisterWh);
  check.same(where, "outcome", promise.state, billed.outcome);
  check.same(where, "missing in time (Wh)", promise.missingWh, billed.missingWh);
  if (promise.missingAtUnplugWh !== null)
    check.same(where, "missing at unplug (Wh)", promise.missingAtUnplugWh, billed.missingAtUnplugWh);
  auditOutcome(own, billed, findings);
  auditCauses(own, billed, group, findings);
}

/** Judged again from the register at the promise's time. */
export function auditOutcome({ session, readings }: OwnRows, billed: ReceiptPromise, findings: Findings): void {
  const check = findings.check("promises");
  const where = promiseName(session.id, billed.version);
  if (session.unpluggedAt === null || session.endRegisterWh === null || session.endRegisterWh < session.startRegisterWh)
    return;
  const stay = {
    startAt: session.pluggedAt,
    startWh: session.startRegisterWh,
    endAt: session.unpluggedAt,
    endWh: session.endRegisterWh,
  };
  const series = registerSeries({ ...stay, readings });
  const inTime = registerAt(series, Math.min(billed.by, session.unpluggedAt)) - billed.fromRegisterWh;
  const atUnplug = Math.max(0, session.endRegisterWh - billed.fromRegisterWh);
  const again = judge({
    promisedWh: billed.energyWh,
    meteredByWh: Math.min(atUnplug, Math.max(0, inTime)),
    meteredAtUnplugWh: atUnplug,
  });
  check.same(where, "outcome by the meter", billed.outcome, again.outcome === "open" ? "short" : again.outcome);
  check.same(where, "missing in time by the meter (Wh)", billed.missingWh, again.missingWh);
  check.same(where, "missing at unplug by the meter (Wh)", billed.missingAtUnplugWh, again.missingAtUnplugWh ?? 0);
}

/** A cause that frees the operator from paying must have been there. */
function auditCauses(own: SessionFile, billed: ReceiptPromise, group: GroupFile, findings: Findings): void {
  const check = findings.check("promises");
  const { session } = own;
  const { shares, by } = billed;
  const where = promiseName(session.id, billed.version);
  const unplug = session.unpluggedAt ?? epochSecond(by);
  const end = Math.min(by, unplug);
  const within = (one: { readonly from: number; readonly until: number | null }) =>
    one.from < end && (one.until ?? end) > session.pluggedAt;
  const ordered =
    group.limits.some((one) => one.kind === "order" && within(one)) ||
    group.orders.some((one) => one.force && one.direction === "down" && within(one));
  if (shares.driverWh > 0 && unplug >= by)
    check.differs(where, `${shares.driverWh} Wh are put on the driver, who stayed until ${at(unplug)}`);
  if (shares.orderWh > 0 && !ordered) check.differs(where, `${shares.orderWh} Wh are put on an order that nobody gave`);
  if (shares.outageWh > 0) check.differs(where, `${shares.outageWh} Wh are put on an outage that nobody noted`);
  // Until it was unplugged and after that until `by` the car could at most have drawn its full power.
  const mostWh = Math.ceil((session.maxPowerW * (by - session.pluggedAt)) / 3600);
  const drawnWh = (session.endRegisterWh ?? session.startRegisterWh) - session.startRegisterWh;
  const missedWh = unplug <= by ? mostWh - drawnWh : mostWh;
  if (shares.vehicleWh > Math.max(0, missedWh) + billed.energyWh / 100 + 100)
    check.differs(where, `${shares.vehicleWh} Wh are put on the vehicle, which left at most ${missedWh} Wh unused`);
}
