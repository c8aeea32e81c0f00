/** One driver of a replay is erased: the audit says so, and everything else still holds. */
import { expect } from "chai";
import { sql } from "kysely";
import type { Db } from "../../backend/adapters/store/schema.ts";
import { createStore } from "../../backend/adapters/store/store.ts";
import { DEFAULT_SETTINGS } from "../../backend/compose.ts";
import { epochSecond } from "../../backend/domain/units.ts";
import { type AuditReport, audit } from "../../backend/usecases/audit.ts";
import { eraseDriver } from "../../backend/usecases/eraseDriver.ts";
import { type AuditedReplay, auditedReplay, expectNamed } from "../support/auditedReplay.ts";

const market = DEFAULT_SETTINGS.market;

describe("The audit of a replay with an erased driver", function () {
  this.timeout(300_000);
  let replay: AuditedReplay;
  let driverId: string;
  let sessionId: string;

  before(async () => {
    replay = await auditedReplay();
    const [row] = await replay.rows<{ driver_id: string; session_id: string }>(
      `select driver_id, min(session_id) session_id from settlement where driver_id is not null and flex_wh > 0
       group by driver_id order by 1 limit 1`,
    );
    driverId = row!.driver_id;
    sessionId = row!.session_id;
  });

  /** What the audit says of the driver's erasure and of what was done beside it; nothing of it stays. */
  async function afterErasure(...statements: readonly string[]): Promise<AuditReport> {
    const { system, eye } = replay;
    const undo = new Error("undo");
    let report: AuditReport | undefined;
    const work = system.database.db.transaction().execute(async (trx: Db) => {
      await sql`set local session_replication_role = replica`.execute(trx);
      const store = createStore(trx);
      const address = (await store.drivers.byId(driverId))!.address as `0x${string}`;
      const { available, flexWh, nonce } = await system.reader.account(address);
      const onChain = { nonce, availableMicroEur: available, flexWh, announcedMicroEur: 0n, readyAt: epochSecond(0) };
      const clock = { now: () => epochSecond(4_000_000_000), schedule: () => undefined };
      const wish = { driverId, onChain, owedMicroEur: 0n };
      const parts = { store, ledger: system.ledger, clock };
      if (available > 0n || flexWh > 0)
        expect(await eraseDriver(parts, { ...wish, giveUp: false })).to.include({ reason: "balance-left" });
      expect(await eraseDriver(parts, { ...wish, giveUp: true })).to.include({ kind: "erased", givenUpFlexWh: flexWh });
      for (const statement of statements)
        expect((await sql.raw(statement).execute(trx)).numAffectedRows, statement).to.equal(1n);
      const { ledger } = system;
      report = await audit({ store, ledger, chain: eye, market, contractJudges: "recorded runs" });
      throw undo;
    });
    await work.catch((error) => {
      if (error !== undo) throw error;
    });
    return report!;
  }

  it("is content, names the driver as erased, and checks as much as before but for the receipts", async () => {
    const report = await afterErasure();
    expect(report.differences).to.deep.equal([]);
    const note = report.notes.find((text) => text.startsWith(`driver ${driverId} was erased at `))!;
    expect(note).to.match(/the receipts of \d+ bills? cannot be opened any more/);
    expect(note).to.contain(sessionId);
    const { honest } = replay;
    expect(report).to.include({ ok: true, runsChecked: honest.runsChecked, plansChecked: honest.plansChecked });
    expect(report).to.include({ billsChecked: honest.billsChecked, leavesChecked: honest.leavesChecked });
    const checked = (of: AuditReport, name: string) => of.table.find(({ check }) => check === name)!.checked;
    for (const name of ["batches of bills", "money and FLEX"])
      expect(checked(report, name), name).to.equal(checked(honest, name));
  });

  it("still names what was changed of the erased driver's bills, and of everybody else's", async () => {
    const bill = `bill of session ${sessionId}`;
    const of = `where session_id = '${sessionId}'`;
    const cases: readonly (readonly [string, RegExp])[] = [
      [`update settlement set amount_micro_eur = amount_micro_eur + 1 ${of}`, /amount \(micro-euro\) on chain/],
      [`update settlement set flex_wh = flex_wh - 1 ${of}`, /FLEX \(Wh\) on chain/],
      [`update settlement set energy_wh = energy_wh + 1 ${of}`, /energy_wh is/],
      [`update settlement set detail_hash = '0x00' ${of}`, /hash of the receipt on chain/],
      [`update settlement set receipt = '{}' ${of}`, /receipt or salt is still there/],
      [`update driver set erased_at = 'epoch' where id = '${driverId}'`, /is of a driver who was erased before/],
    ];
    for (const [statement, words] of cases) expectNamed(await afterErasure(statement), bill, words, statement);
    const named = await afterErasure(`update driver set name = 'Ada' where id = '${driverId}'`);
    expectNamed(named, `driver ${driverId}`, /the name or the account is still there/);
    const [other] = await replay.rows<{ session_id: string }>(
      `select session_id from settlement where driver_id <> '${driverId}' order by 1 limit 1`,
    );
    const pretext = await afterErasure(`update settlement set receipt = '' where session_id = '${other!.session_id}'`);
    expectNamed(pretext, `bill of session ${other!.session_id}`, /hash of salt and receipt is/);
  });
});
