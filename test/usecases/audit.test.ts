/**
 * One short replay with everything real; then one thing is changed at a time, and the audit must name it. Each change
 * happens in a transaction that is rolled back after the audit.
 */
import { expect } from "chai";
import { sql } from "kysely";
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

  /** What the audit says after the statements, which are undone again. Each must change one row. */
  async function auditAfter(statements: readonly string[], parts: Partial<AuditParts> = {}): Promise<AuditReport> {
    let report: AuditReport | null = null;
    const undo = new Error("undo");
    const work = system.database.db.transaction().execute(async (trx) => {
      await sql`set local session_replication_role = replica`.execute(trx);
      for (const statement of statements) {
        const { numAffectedRows } = await sql.raw(statement).execute(trx);
        expect(numAffectedRows, statement).to.equal(1n);
      }
      report = await auditOf(trx, parts);
      throw undo;
    });
    await work.catch((error) => {
      if (error !== undo) throw error;
    });
    return report!;
  }

  const rows = async <T>(query: string): Promise<T[]> => (await sql.raw<T>(query).execute(system.database.db)).rows;
  const namesOf = (report: AuditReport) => report.differences.map(({ where }) => where);
  /** Some difference is about the thing. Several plans that share one hash are named together. */
  const names = (report: AuditReport, thing: string, what = "") =>
    expect(
      namesOf(report).some((where) => where.split(", ").includes(thing)),
      `${what}: ${thing} in ${[...new Set(namesOf(report))].slice(0, 12).join(" | ") || "no difference"}`,
    ).to.equal(true);

  /** One statement per column, each for a row of its own. */
  async function everyColumn(table: string, keys: readonly string[], except: readonly string[], special: Columns = {}) {
    const columns = await rows<{ name: string; type: string }>(
      `select column_name as name, data_type as type from information_schema.columns
       where table_name = '${table}' order by ordinal_position`,
    );
    const changed = columns.filter(({ name }) => !except.includes(name));
    expect(changed.length, `rows of ${table}`).to.be.at.most(keys.length);
    return changed.map(({ name, type }, i) => ({
      column: `${table}.${name}`,
      key: keys[i]!,
      statement: `update ${table} set ${name} = ${(special[name] ?? CHANGE[type] ?? unknownType(type))(name)} where ${keys[i]}`,
    }));
  }

  it("finds nothing in an honest replay, and looks at everything", async () => {
    expect(honest.differences).to.deep.equal([]);
    expect(honest.ok).to.equal(true);
    expect(honest.runsChecked).to.equal(4 * HOURS);
    for (const { check, checked } of honest.table) expect(checked, check).to.be.above(0);
    const [stored] = await rows<{ plans: number; bills: number; readings: number }>(
      `select (select count(*) from plan)::int as plans, (select count(*) from settlement)::int as bills,
              (select count(*) from meter_reading)::int as readings`,
    );
    expect([honest.plansChecked, honest.billsChecked, honest.readingsChecked]).to.deep.equal(Object.values(stored!));
    expect(honest.leavesChecked).to.be.above(400);
  });

  it("names the bill, whichever of its columns is changed", async () => {
    const bills = await rows<{ session_id: string }>(
      "select session_id from settlement where driver_id is not null order by session_number",
    );
    const keys = bills.map(({ session_id }) => `session_id = '${session_id}'`);
    const changes = await everyColumn("settlement", keys, [], { session_number: (column) => `${column} + 1000` });
    const report = await auditAfter(changes.map(({ statement }) => statement));
    for (const [i, { column }] of changes.entries()) names(report, `bill of session ${bills[i]!.session_id}`, column);
  });

  it("names the promise, whichever of its columns is changed", async () => {
    const promises = await rows<{ session_id: string; version: number }>(
      "select session_id, version from promise where state in ('kept', 'late', 'short') order by session_id",
    );
    const keys = promises.map(({ session_id, version }) => `session_id = '${session_id}' and version = ${version}`);
    const changes = await everyColumn("promise", keys, ["session_id", "version"], { state: () => "'at-risk'" });
    const report = await auditAfter(changes.map(({ statement }) => statement));
    for (const [i, { column }] of changes.entries())
      names(report, `promise of session ${promises[i]!.session_id} version ${promises[i]!.version}`, column);
  });

  it("names the reading, wherever in its session it lies and whatever is changed", async () => {
    const readings = await rows<{ session_id: string; at: Date }>(
      `select distinct on (session_id) session_id, at from meter_reading
       where extract(minute from at)::int % 15 = 7 and register_wh > 0 order by session_id, at desc`,
    );
    const where = (i: number) =>
      `session_id = '${readings[i]!.session_id}' and at = '${readings[i]!.at.toISOString()}'`;
    const report = await auditAfter([
      `update meter_reading set register_wh = register_wh + 1 where ${where(0)}`,
      `update meter_reading set register_wh = register_wh - 1 where ${where(1)}`,
      `update meter_reading set power_w = power_w # 1 where ${where(2)}`,
      `update meter_reading set at = at + interval '1 second' where ${where(3)}`,
      `delete from meter_reading where ${where(4)}`,
    ]);
    const at = (i: number, later = 0) => formatInstant((readings[i]!.at.getTime() / 1000 + later) as EpochSecond);
    for (const i of [0, 1, 2]) names(report, `reading of session ${readings[i]!.session_id} at ${at(i)}`);
    names(report, `reading of session ${readings[3]!.session_id} at ${at(3, 1)}`);
    names(report, `readings of session ${readings[4]!.session_id}`);
  });

  it("names the session and the profiles, whichever column is changed", async () => {
    const sessions = (await rows<{ id: string }>("select id from charging_session order by number")).map(
      ({ id }) => id,
    );
    const changes = await everyColumn(
      "charging_session",
      sessions.map((id) => `id = '${id}'`),
      ["id"],
      {
        number: (column) => `${column} + 1000`,
        mode: (column) => `case ${column} when 'smart' then 'best-effort' else 'smart' end`,
        phases: (column) => `${column} % 3 + 1`,
        start_register_wh: (column) => `${column} - 1`,
      },
    );
    const report = await auditAfter(changes.map(({ statement }) => statement));
    for (const [i, { column }] of changes.entries()) names(report, `session ${sessions[i]}`, column);

    const sent = await rows<{ id: string; session_id: string }>(
      "select distinct on (session_id) id, session_id from sent_profile where answered_at is not null order by session_id, no desc",
    );
    const profiles = await everyColumn(
      "sent_profile",
      sent.map(({ id }) => `id = '${id}'`),
      ["no"],
      {
        periods: (column) => `replace(${column}::text, ']]', '1]]')::json`,
      },
    );
    const second = await auditAfter(profiles.map(({ statement }) => statement));
    for (const [i, { column }] of profiles.entries())
      names(second, `profiles of session ${sent[i]!.session_id}`, column);
  });

  describe("of a plan", () => {
    let commanding: string[] = [];
    let earlier: string[] = [];
    before(async () => {
      // Plans with a car, that claim least cost and were not repaired.
      const plans = await rows<{ id: string; commands: boolean }>(
        `select id, id in (select plan_id from recorded_slot) as commands from plan
         where algorithm = 'least-cost' and length(y) > 0 and repaired_intervals = 0 and length(x) > 100
           and record_key is not null order by no`,
      );
      commanding = plans.filter(({ commands }) => commands).map(({ id }) => id);
      earlier = plans.filter(({ commands }) => !commands).map(({ id }) => id);
    });

    const flipped = (column: string, place: string) =>
      `set_byte(${column}, ${place}, get_byte(${column}, ${place}) # 1)`;
    const PLACES = ["0", "length(%) / 2", "length(%) - 1"];

    for (const kind of ["commanding", "earlier"] as const)
      it(`names it, whichever byte or figure is changed (${kind} plan)`, async () => {
        const ids = kind === "commanding" ? commanding : earlier;
        const changes = [
          ...["problem", "x", "y", "w"].flatMap((column) =>
            PLACES.map((place) => [column, flipped(column, place.replace("%", column))] as const),
          ),
          ...(["cost", "bound"] as const).map((column) => [column, `${column} + 1`] as const),
          ["slot", "slot + 1"] as const,
          ["at", "at + interval '1 second'"] as const,
          ["repaired_intervals", "repaired_intervals + 1"] as const,
          ["algorithm", "'least-laxity'"] as const,
        ];
        expect(ids.length).to.be.at.least(changes.length);
        const report = await auditAfter(
          changes.map(([column, value], i) => `update plan set ${column} = ${value} where id = '${ids[i]}'`),
        );
        for (const [i, [column]] of changes.entries()) names(report, `plan ${ids[i]}`, `${column} (${i})`);
      });
  });
});

type Columns = Readonly<Record<string, (column: string) => string>>;

/** The least change of a value of each type. */
const CHANGE: Columns = {
  integer: (column) => `coalesce(${column}, 0) + 1`,
  smallint: (column) => `coalesce(${column}, 0) + 1`,
  bigint: (column) => `coalesce(${column}, 0) + 1`,
  numeric: (column) => `coalesce(${column}, 0) + 1`,
  "timestamp with time zone": (column) => `${column} + interval '1 second'`,
  text: (column) => `left(${column}, -1) || case right(${column}, 1) when 'a' then 'b' else 'a' end`,
};
const unknownType = (type: string) => {
  throw new Error(`No change is known for the type ${type}.`);
};

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
