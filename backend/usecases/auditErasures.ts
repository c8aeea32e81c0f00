/**
 * Drivers who were erased: their receipts cannot be opened any more, which is no difference. What was posted of their bills
 * is checked as everybody's (auditBatches.ts); what an erasure must not leave behind, or be a pretext for, is checked here.
 */
import type { Facts, SessionFile } from "./auditFacts.ts";
import { at, billName, type Check, type Findings } from "./auditFindings.ts";
import { ERASED } from "./ledgerPort.ts";
import type { Driver } from "./ports.ts";

export function erasedDriverOf({ session }: SessionFile, facts: Facts): Driver | null {
  const driver = session.driverId === null ? null : facts.drivers.get(session.driverId);
  return driver?.erasedAt === undefined ? null : driver;
}

/** Instead of the receipt: that it is gone, and that what stands beside it agrees with the session. */
export function auditErasedBill({ session, settlement }: SessionFile, driver: Driver, check: Check): void {
  const where = billName(session.id);
  const erasedAt = driver.erasedAt as number;
  if (session.pluggedAt > erasedAt || (settlement?.settledAt ?? 0) > erasedAt)
    check.differs(where, `is of a driver who was erased before, at ${at(erasedAt)}`);
  if (!settlement) {
    check.differs(where, `its driver was erased at ${at(erasedAt)}, but it was never settled`);
    return;
  }
  check.looked();
  if (settlement.receipt !== ERASED.receipt || settlement.salt !== ERASED.salt)
    check.differs(where, `its driver was erased at ${at(erasedAt)}, but its receipt or salt is still there`);
  check.same(where, "driver", settlement.driverId, session.driverId);
  check.same(where, "session", settlement.sessionNumber, session.number);
  check.same(where, "CPO", settlement.cpoId, session.cpoId);
  const wh = (session.endRegisterWh ?? session.startRegisterWh) - session.startRegisterWh;
  check.same(where, "energy_wh", settlement.energyWh, wh);
}

/** Names what nobody can open any more, and why. */
export function noteErasures(facts: Facts, findings: Findings): void {
  for (const driver of facts.drivers.values()) {
    if (driver.erasedAt === undefined) continue;
    const check = findings.check("erased drivers");
    check.looked();
    const where = `driver ${driver.id}`;
    if (driver.name !== "" || driver.accountId !== null)
      check.differs(where, `was erased at ${at(driver.erasedAt)}, but the name or the account is still there`);
    const bills = facts.sessions.filter((own) => own.session.driverId === driver.id && own.settlement);
    const ids = bills.map(({ session }) => session.id).join(", ");
    findings.notes.push(
      `${where} was erased at ${at(driver.erasedAt)}: the receipts of ${bills.length} bills cannot be opened any more${ids && ` (sessions ${ids})`}; what was posted of them was checked`,
    );
  }
}
