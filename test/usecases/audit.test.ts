/**
 * One short replay with everything real; then one thing is changed at a time, and the audit must name it. Each change
 * happens in a transaction that is rolled back after the audit.
 */
import { expect } from "chai";
import { type RawBuilder, sql } from "kysely";
import { createChainEye } from "../../backend/adapters/chain/chainEye.ts";
import type { Db } from "../../backend/adapters/store/schema.ts";
import { createStore } from "../../backend/adapters/store/store.ts";
import { auditSystem } from "../../backend/auditSystem.ts";
import { chainTotals } from "../../backend/chainTotals.ts";
import { DEFAULT_SETTINGS, derivedRandom, openSystem, type System } from "../../backend/compose.ts";
import { formatInstant } from "../../backend/domain/instants.ts";
import type { EpochSecond } from "../../backend/domain/units.ts";
import { replayScenario } from "../../backend/replay/replayScenario.ts";
import { readScenario } from "../../backend/replay/scenario.ts";
import { type AuditParts, type AuditReport, audit } from "../../backend/usecases/audit.ts";
import type { ChainEye } from "../../backend/usecases/ports.ts";
import { SAMPLE, shortened } from "../support/replays.ts";

/** Until then the sample has a fault under a promise, a car that draws less, an early leaver and one who opts out. */
const HOURS = 15;

describe("The audit", function () {
  this.timeout(120_000);
  let system: System;
  let eye: ChainEye;
  let honest: AuditReport;

  before(async () => {
    system = await openSystem({ random: derivedRandom("audit test") });
    const market = DEFAULT_SETTINGS.market;
    await replayScenario(system, {
      scenario: readScenario(shortened(SAMPLE, HOURS)),
      settings: DEFAULT_SETTINGS,
      version: "test",
      totals: () => chainTotals(system),
      audit: async () => {
        honest = await auditSystem(system, { market });
        return honest;
      },
    });
    eye = remembering(await createChainEye(system.rpc, system.manifest, system.contracts, system.artifacts));
  });
  after(() => system.close());

  const auditOf = (db: Db, parts: Partial<AuditParts> = {}) =>
    audit({ store: createStore(db), ledger: system.ledger, chain: eye, market: DEFAULT_SETTINGS.market, ...parts });

  /** What the audit says after the statement, which is undone again. */
  async function after_(statement: RawBuilder<unknown>, parts: Partial<AuditParts> = {}): Promise<AuditReport> {
    let report: AuditReport | null = null;
    const undo = new Error("undo");
    try {
      await system.database.db.transaction().execute(async (trx) => {
        await sql`set local session_replication_role = replica`.execute(trx);
        const { numAffectedRows } = await statement.execute(trx);
        expect(numAffectedRows, "rows changed").to.equal(1n);
        report = await auditOf(trx, parts);
        throw undo;
      });
    } catch (error) {
      if (error !== undo) throw error;
    }
    return report!;
  }

  it("finds nothing in an honest replay, and looks at everything", async () => {
    expect(honest.differences).to.deep.equal([]);
    console.log(honest.table, honest.runsChecked, honest.plansChecked, honest.billsChecked);
    const t = performance.now();
    await auditOf(system.database.db);
    console.log(performance.now() - t);
    const u = performance.now();
    await auditOf(system.database.db);
    console.log(performance.now() - u);
  });
});

/** Asks the chain once for everything: it does not change while these tests run. */
function remembering(eye: ChainEye): ChainEye {
  const known = new Map<string, unknown>();
  const remembered =
    (name: string, verb: (...args: unknown[]) => unknown) =>
    (...args: unknown[]) => {
      const key = JSON.stringify([name, ...args], (_, value) => (typeof value === "bigint" ? `${value}n` : value));
      if (!known.has(key)) known.set(key, verb(...args));
      return known.get(key);
    };
  return Object.fromEntries(
    Object.entries(eye).map(([name, value]) => [
      name,
      typeof value === "function" ? remembered(name, value as (...args: unknown[]) => unknown) : value,
    ]),
  ) as ChainEye;
}
