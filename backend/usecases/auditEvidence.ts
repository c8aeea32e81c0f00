/** A session's own rows: the register never falls, and nothing was changed since its bill was made. */
import { changedReading, profilesText, promiseText, readingsText, sessionText } from "../settlement/evidence.ts";
import type { OwnRows } from "./auditFacts.ts";
import { at, billName, type Findings, promiseName, readingName, sessionName } from "./auditFindings.ts";
import type { Ledger } from "./ports.ts";

export function auditEvidence(own: OwnRows, ledger: Ledger, findings: Findings): void {
  auditRegister(own, findings);
  const { session, receipt, readings, promises, profiles } = own;
  if (!receipt) return;
  const { evidence } = receipt;
  const rows = findings.check("rows under bills");
  const hash = (text: string) => ledger.hashText(text);
  rows.looked(3 + promises.length);
  if (hash(sessionText(session)) !== evidence.session)
    rows.differs(sessionName(session.id), "was changed since its bill was made");
  if (hash(profilesText(profiles)) !== evidence.profiles)
    rows.differs(`profiles of session ${session.id}`, "were changed since the bill was made");
  for (const [index, promise] of promises.entries())
    if (hash(promiseText(promise)) !== evidence.promises[index])
      rows.differs(promiseName(session.id, promise.version), "was changed since the bill was made");
  if (promises.length !== evidence.promises.length)
    rows.differs(
      billName(session.id),
      `rests on ${evidence.promises.length} promises, the store has ${promises.length}`,
    );
  auditReadings(own, hash(readingsText(readings)) === evidence.readings, findings);
}

function auditReadings({ session, receipt, readings }: OwnRows, same: boolean, findings: Findings): void {
  const check = findings.check("meter readings");
  if (same || !receipt) return;
  const where = `readings of session ${session.id}`;
  if (readings.length !== receipt.meter.readings) {
    check.differs(where, `there are ${readings.length}, the bill rests on ${receipt.meter.readings}`);
    return;
  }
  const changed = changedReading(receipt.evidence.sums, session, readings);
  if (changed)
    check.differs(
      readingName(session.id, changed.at),
      `was changed since the bill was made: now ${changed.registerWh} Wh, ${changed.powerW} W`,
    );
  else check.differs(`readings of session ${session.id}`, "more than one was changed since the bill was made");
}

/** Registers rise from plug-in to plug-out, and lie within the stay. */
function auditRegister({ session, readings }: OwnRows, findings: Findings): void {
  const check = findings.check("meter readings");
  check.looked(readings.length);
  let last = { at: session.pluggedAt as number, registerWh: session.startRegisterWh as number };
  for (const reading of readings) {
    const where = readingName(session.id, reading.at);
    if (reading.registerWh < last.registerWh)
      check.differs(
        where,
        `the register fell to ${reading.registerWh} Wh, it was ${last.registerWh} Wh at ${at(last.at)}`,
      );
    if (reading.at < session.pluggedAt) check.differs(where, `is older than the plug-in at ${at(session.pluggedAt)}`);
    last = reading;
  }
  if (session.endRegisterWh !== null && last.registerWh > session.endRegisterWh)
    check.differs(
      readingName(session.id, last.at),
      `${last.registerWh} Wh is above the ${session.endRegisterWh} Wh at plug-out`,
    );
}
