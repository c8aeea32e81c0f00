/** One thing is changed at a time, in the database or on the way from the chain, and the audit must name it. */
import { expect } from "chai";
import { formatInstant } from "../../backend/domain/instants.ts";
import { slotStart } from "../../backend/domain/slots.ts";
import type { EpochSecond } from "../../backend/domain/units.ts";
import type { ChainEye, Hex } from "../../backend/usecases/ports.ts";
import { type AuditedReplay, auditedReplay, expectNamed, HOURS } from "../support/auditedReplay.ts";

const iso = (at: number) => formatInstant(at as EpochSecond);
const nameOfSlot = (slot: number) => `recorded slot ${slot} of garage (${iso(slotStart(slot))})`;

describe("The audit", function () {
  this.timeout(300_000);
  let replay: AuditedReplay;
  let rows: AuditedReplay["rows"];
  let auditAfter: AuditedReplay["auditAfter"];
  before(async () => {
    replay = await auditedReplay();
    ({ rows, auditAfter } = replay);
  });

  /** One statement per column, each for a row of its own. */
  async function everyColumn(table: string, keys: readonly string[], except: readonly string[], special: Columns = {}) {
    const columns = await rows<{ name: string; type: string }>(
      `select column_name as name, data_type as type from information_schema.columns
       where table_name = '${table}' order by ordinal_position`,
    );
    const changed = columns.filter(({ name }) => !except.includes(name));
    expect(changed.length, `rows of ${table}`).to.be.within(1, keys.length);
    return changed.map(({ name, type }, i) => {
      const change = special[name] ?? CHANGE[type];
      if (!change) throw new Error(`No change is known for the type ${type} of ${table}.${name}.`);
      return {
        column: `${table}.${name}`,
        statement: `update ${table} set ${name} = ${change(name)} where ${keys[i]}`,
      };
    });
  }

  it("finds nothing in an honest replay, and looks at everything", async () => {
    const { honest } = replay;
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

  describe("when the database was changed", () => {
    it("names the bill, whichever of its columns it was", async () => {
      const bills = await rows<{ session_id: string }>(
        "select session_id from settlement where driver_id is not null order by session_number",
      );
      const keys = bills.map(({ session_id }) => `session_id = '${session_id}'`);
      const changes = await everyColumn("settlement", keys, [], { session_number: (column) => `${column} + 1000` });
      const report = await auditAfter(changes.map(({ statement }) => statement));
      for (const [i, { column }] of changes.entries())
        expectNamed(report, `bill of session ${bills[i]!.session_id}`, "", column);
    });

    it("names the bill whose receipt or slots were changed, or that is gone", async () => {
      const bills = await rows<{ session_id: string; slot: number }>(
        `select session_id, max(slot) as slot from session_slot group by session_id order by session_id`,
      );
      const [receipt, baseline, allowed, metered, gone] = bills as Required<typeof bills>;
      const slotOf = (bill: { session_id: string; slot: number }) =>
        `session_id = '${bill.session_id}' and slot = ${bill.slot}`;
      const report = await auditAfter([
        `update settlement set receipt = replace(receipt, '"flexWh":', '"flexWh":1') where session_id = '${receipt!.session_id}'`,
        `update session_slot set baseline_wh = baseline_wh + 1 where ${slotOf(baseline!)}`,
        `update session_slot set allowed_wh = allowed_wh + 1 where ${slotOf(allowed!)}`,
        `delete from session_slot where ${slotOf(metered!)}`,
        `delete from settlement where session_id = '${gone!.session_id}'`,
      ]);
      expectNamed(report, `bill of session ${receipt!.session_id}`, "hash of salt and receipt");
      expectNamed(report, `bill of session ${baseline!.session_id}`, "");
      for (const [bill, word] of [
        [baseline!, "baseline"],
        [allowed!, "allowed"],
        [metered!, "metered"],
      ] as const)
        expectNamed(report, `slot ${bill.slot}`, word);
      expectNamed(report, `bill of session ${gone!.session_id}`, "never settled");
    });

    it("names the promise, whichever of its columns it was", async () => {
      const promises = await rows<{ session_id: string; version: number }>(
        "select session_id, version from promise where state in ('kept', 'late', 'short') order by session_id",
      );
      const keys = promises.map(({ session_id, version }) => `session_id = '${session_id}' and version = ${version}`);
      const changes = await everyColumn("promise", keys, ["session_id", "version"], {
        state: () => "'at-risk'",
        first_part: () => `'{"wh":1,"by":4000000000,"missingWh":null}'`,
      });
      const report = await auditAfter(changes.map(({ statement }) => statement));
      for (const [i, { column }] of changes.entries())
        expectNamed(
          report,
          `promise of session ${promises[i]!.session_id} version ${promises[i]!.version}`,
          "",
          column,
        );

      const [first, second] = promises;
      const moved = await auditAfter([
        `update promise set version = 7 where ${keys[0]}`,
        `delete from promise where ${keys[1]}`,
      ]);
      expectNamed(moved, `promise of session ${first!.session_id} version 7`, "version is 7, not 1");
      expectNamed(moved, `bill of session ${second!.session_id}`, "the store has 0");
    });

    it("names the reading, wherever in its session it lies and whatever was changed", async () => {
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
        `update meter_reading set session_id = session_id || 'x' where ${where(5)}`,
      ]);
      const at = (i: number, later = 0) => iso(readings[i]!.at.getTime() / 1000 + later);
      for (const i of [0, 1, 2]) expectNamed(report, `reading of session ${readings[i]!.session_id} at ${at(i)}`);
      expectNamed(report, `reading of session ${readings[3]!.session_id} at ${at(3, 1)}`);
      for (const i of [4, 5]) expectNamed(report, `readings of session ${readings[i]!.session_id}`);
    });

    it("names the session, whichever column it was", async () => {
      const sessions = (await rows<{ id: string }>("select id from charging_session order by number")).map(
        ({ id }) => id,
      );
      const keys = sessions.map((id) => `id = '${id}'`);
      const changes = await everyColumn("charging_session", keys, ["id"], {
        number: (column) => `${column} + 1000`,
        mode: (column) => `case ${column} when 'smart' then 'best-effort' else 'smart' end`,
        phases: (column) => `${column} % 3 + 1`,
        start_register_wh: (column) => `${column} - 1`,
      });
      const report = await auditAfter(changes.map(({ statement }) => statement));
      for (const [i, { column }] of changes.entries()) expectNamed(report, `session ${sessions[i]}`, "", column);
    });

    it("names the session whose profiles were changed, whichever column it was", async () => {
      const sent = await rows<{ id: string; session_id: string }>(
        `select distinct on (session_id) id, session_id from sent_profile where answered_at is not null
         order by session_id, no desc`,
      );
      const keys = sent.map(({ id }) => `id = '${id}'`);
      const changes = await everyColumn("sent_profile", keys, ["no"], {
        periods: (column) => `replace(${column}::text, ']]', '],[4000000000,1]]')::json`,
      });
      const report = await auditAfter(changes.map(({ statement }) => statement));
      for (const [i, { column }] of changes.entries())
        expectNamed(report, `profiles of session ${sent[i]!.session_id}`, "", column);
    });

    for (const kind of ["commanding", "earlier"] as const)
      it(`names the plan, whichever byte or figure it was (${kind} plan)`, async () => {
        // Plans with cars, that claim least cost and were not repaired.
        const plans = await rows<{ id: string }>(
          `select id from plan where algorithm = 'least-cost' and length(y) > 0 and length(x) > 100
           and repaired_intervals = 0 and record_key is not null
           and (id in (select plan_id from recorded_slot)) = ${kind === "commanding"} order by no`,
        );
        const byte = (column: string, place: string) => {
          const at = place.replace("%", column);
          return [column, `set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 1)`] as const;
        };
        const changes = [
          ...["problem", "x", "y", "w"].flatMap((column) =>
            ["0", "length(%) / 2", "length(%) - 1"].map((place) => byte(column, place)),
          ),
          ["cost", "cost + 1"],
          ["bound", "bound + 1"],
          ["bound", "null"],
          ["slot", "slot + 1"],
          ["at", "at + interval '1 second'"],
          ["repaired_intervals", "repaired_intervals + 1"],
          ["algorithm", "'least-laxity'"],
        ] as const;
        expect(plans.length).to.be.at.least(changes.length);
        const report = await auditAfter(
          changes.map(([column, value], i) => `update plan set ${column} = ${value} where id = '${plans[i]!.id}'`),
        );
        for (const [i, [column]] of changes.entries())
          expectNamed(report, `plan ${plans[i]!.id}`, "", `${column} (${i})`);
      });

    it("names a plan that is gone, whose allotment was changed, or whose fallback nobody noted", async () => {
      const plans = await rows<{ plan_id: string; session_number: number; earlier: boolean }>(
        `select distinct on (plan_id) plan_id, session_number, plan_id not in (select plan_id from recorded_slot) as earlier
         from allocation order by plan_id, session_number`,
      );
      const [commanding, other] = plans.filter(({ earlier }) => !earlier);
      const [earlier, without] = plans.filter((one) => one.earlier);
      const key = ({ plan_id, session_number }: { plan_id: string; session_number: number }) =>
        `plan_id = '${plan_id}' and session_number = ${session_number}`;
      const report = await auditAfter([
        `delete from plan where id = '${commanding!.plan_id}'`,
        `delete from plan where id = '${earlier!.plan_id}'`,
        `update allocation set periods = replace(periods::text, ']]', '],[4000000000,1]]')::json where ${key(other!)}`,
        `delete from allocation where ${key(without!)}`,
      ]);
      expectNamed(report, `plan ${commanding!.plan_id}`, "is lost");
      expectNamed(report, `plan ${earlier!.plan_id}`, "lost");
      expectNamed(report, `plan ${other!.plan_id}`, `allots`);
      expectNamed(report, `plan ${without!.plan_id}`, `has no allotment`);
    });

    it("names the recorded slot, whichever column, leaf or salt it was", async () => {
      const records = await rows<{ slot: number; plan_id: string; earlier: string[]; text: string; salt: string }>(
        `select slot, plan_id, earlier_plan_ids as earlier, leaves->0->>'text' as text, leaves->0->>'salt' as salt
         from recorded_slot where json_array_length(leaves) > 0 and json_array_length(earlier_plan_ids) > 0 order by slot`,
      );
      const swapped = (text: string) => `${text.slice(0, -1)}${text.endsWith("a") ? "b" : "a"}`;
      const set = (i: number, assignment: string) =>
        `update recorded_slot set ${assignment} where slot = ${records[i]!.slot}`;
      const escaped = (text: string) => JSON.stringify(text).slice(1, -1).replaceAll("'", "''");
      const report = await auditAfter([
        set(0, "rows = overlay(rows placing '7' from 30 for 1)"),
        set(1, "root = left(root, -1) || case right(root, 1) when 'a' then 'b' else 'a' end"),
        set(2, `leaves = replace(leaves::text, '${records[2]!.salt}', '${swapped(records[2]!.salt)}')::json`),
        set(
          3,
          `leaves = replace(leaves::text, '${escaped(records[3]!.text)}', '${escaped(records[3]!.text.replace('"limitW":', '"limitW":1'))}')::json`,
        ),
        set(4, "leaves = '[]'"),
        set(5, "slot = slot + 1000"),
        set(6, `earlier_plan_ids = '[]'`),
        set(7, `plan_id = '${records[7]!.earlier[0]}'`),
      ]);
      for (const i of [0, 1, 2, 3, 4, 5]) expectNamed(report, nameOfSlot(records[i]!.slot), "", `change ${i}`);
      expectNamed(report, `plan ${records[6]!.earlier[0]}`, "is in no record");
      expectNamed(report, `plan ${records[7]!.earlier[0]}`);
      expectNamed(report, `plan ${records[7]!.plan_id}`, "is in no record");
    });

    it("names the price", async () => {
      const [price] = await rows<{ slot: number }>(
        "select slot from recorded_slot where json_array_length(leaves) > 2 order by slot limit 1",
      );
      const report = await auditAfter([
        `update price set price_micro_eur_per_kwh = price_micro_eur_per_kwh + 1 where slot = ${price!.slot}`,
      ]);
      expectNamed(report, `price of slot ${price!.slot} (${iso(slotStart(price!.slot))})`, "was made with");
    });

    it("names the tariff, the group, the charge point, the PV or the driver that is not what the chain registered", async () => {
      const [first, second] = await rows<{ id: string }>("select id from driver order by id");
      const evses = await rows<{ id: string }>("select id from evse order by row");
      const expected: readonly (readonly [statement: string, name: string])[] = [
        ["update tariff set price_micro_eur_per_kwh = price_micro_eur_per_kwh + 1", "tariff sample-15h-tariff"],
        [
          `update driver set consent_hash = left(consent_hash, -1) || '0' where id = '${first!.id}'`,
          `driver ${first!.id}`,
        ],
        [`update driver set address = left(address, -1) || '#' where id = '${second!.id}'`, `driver ${second!.id}`],
        [`update evse set max_power_w = max_power_w + 1 where id = '${evses[0]!.id}'`, `EVSE ${evses[0]!.id}`],
        [`update evse set phases = phases - 1 where id = '${evses[1]!.id}'`, `EVSE ${evses[1]!.id}`],
        [`update evse set id = id || 'X' where id = '${evses[2]!.id}'`, `EVSE ${evses[2]!.id}X`],
        ["update pv_asset set rated_power_w = rated_power_w + 1", "PV garage-pv"],
        ["update charging_group set supply_limit_w = supply_limit_w - 10", "group garage"],
        ["update charging_group set feed_in_micro_eur_per_kwh = 1", "group garage"],
      ];
      const report = await auditAfter(expected.map(([statement]) => statement));
      for (const [statement, name] of expected) expectNamed(report, name, "", statement);
      expectNamed(report, "group garage", "feed-in value");
      expectNamed(report, "group garage", "supply limit");
    });

    it("finds plans above a limit, and bills without an order that was given", async () => {
      const limit = (kind: string, limitW: number) =>
        `insert into group_limit values ('x${kind}', 'garage', '${kind}', ${limitW}, '2026-05-04T08:00:00Z', '2026-05-04T12:00:00Z')`;
      const report = await auditAfter([limit("operator", 20_000), limit("order", 42_000)]);
      const texts = report.differences.map(({ what, text }) => `${what}: ${text}`);
      expect(
        texts.some((text) => /^limits of plans: interval \d+ has a limit of \d+ Wh, 20000 W for/.test(text)),
      ).to.equal(true);
      expect(texts.some((text) => /^bills: order in interval \d+ is false, not true/.test(text))).to.equal(true);
    });
  });

  describe("when the chain says something else", () => {
    const auditSeeing = (
      changed: Partial<ChainEye>,
      parts: { live?: boolean; outages?: { from: number; until: number }[] } = {},
      statements: string[] = [],
    ) => auditAfter(statements, { chain: { ...replay.eye, ...changed }, ...parts });

    it("names a contract that is not this source's", async () => {
      const report = await auditSeeing({
        deploymentDifferences: async () => ["Settlement: 0x12 did not create 0x34."],
      });
      expectNamed(report, "contract Settlement", "did not create");
    });

    it("finds an event that is missing, changed or in another place", async () => {
      const runs = await replay.eye.runs();
      const lost = await auditSeeing({ runs: async () => runs.filter((_, i) => i !== 20) });
      expectNamed(lost, "group garage", "do not lead to the head");
      expectNamed(lost, nameOfSlot(runs[20]!.slot), "not on chain");
      expectNamed(lost, "group garage", "1 slots from");
      const other = await auditSeeing({
        runs: async () => runs.map((run, i) => (i === 20 ? { ...run, rows: `${run.rows.slice(0, -1)}7` as Hex } : run)),
      });
      expectNamed(other, "group garage", "do not lead to the head");
      const [a, b] = [runs[20]!, runs[21]!];
      const swapped = await auditSeeing({ runs: async () => runs.map((run) => (run === a ? b : run === b ? a : run)) });
      expectNamed(swapped, "group garage", "do not lead to the head");
    });

    it("accepts a gap only in an outage that was declared", async () => {
      const runs = await replay.eye.runs();
      const gone = runs[10]!.slot;
      const without = runs.filter((run) => run.slot !== gone);
      const [record] = await replay.rows<{ plan_id: string; ids: string }>(
        `select plan_id, array_to_string(array(select json_array_elements_text(earlier_plan_ids)), ''',''') as ids from recorded_slot where slot = ${gone}`,
      );
      const statements = [
        `delete from recorded_slot where slot = ${gone}`,
        `delete from plan where id in ('${record!.plan_id}', '${record!.ids}')`,
      ];
      expect(record!.ids).to.equal("");
      const seen = {
        runs: async () => without,
        head: async () => ({ slot: runs[runs.length - 1]!.slot, chain: replay.eye.chainOf(without) }),
      };
      const silent = await auditSeeing(seen, {}, statements);
      expectNamed(silent, "group garage", `1 slots from ${iso(slotStart(gone))}`);
      const outages = [{ from: slotStart(gone), until: slotStart(gone + 1) }];
      const declared = await auditSeeing(seen, { outages }, statements);
      expect(declared.differences).to.deep.equal([]);
      expect(declared.notes.join()).to.contain("an outage was declared");
    });

    it("takes what waits in the outbox as a note where the service is running, else as a difference", async () => {
      const runs = await replay.eye.runs();
      const early = runs.slice(0, -2);
      const seen = {
        runs: async () => early,
        head: async () => ({ slot: early[early.length - 1]!.slot, chain: replay.eye.chainOf(early) }),
      };
      const running = await auditSeeing(seen, { live: true });
      expect(running.differences).to.deep.equal([]);
      expect(running.notes.join()).to.contain("2 records of the store are not on chain yet");
      const saved = await auditSeeing(seen);
      expectNamed(saved, nameOfSlot(runs[runs.length - 1]!.slot), "not on chain");
    });

    it("names the account, the pot or the total that events do not lead to", async () => {
      const events = await replay.eye.moneyEvents();
      const payer = events.find((event) => event.kind === "billed")!;
      const [driver] = await replay.rows<{ id: string }>(`select id from driver where address = '${payer.driver}'`);
      const funded = { kind: "pot-funded", cpo: 1, by: payer.driver, amount: 5n } as const;
      const report = await auditSeeing({
        moneyEvents: async () => [...events, funded],
        account: async (owner) => {
          const account = await replay.eye.account(owner);
          return owner === payer.driver
            ? { ...account, available: account.available + 1n, flexWh: account.flexWh + 1 }
            : account;
        },
        totals: async () => {
          const totals = await replay.eye.totals();
          return { held: totals.held + 1n, owned: totals.held, flexTokensWh: 1n };
        },
      });
      expectNamed(report, `account of driver ${driver!.id}`, "balance");
      expectNamed(report, `account of driver ${driver!.id}`, "FLEX");
      expectNamed(report, "pot for FLEX of CPO 1", "balance");
      expectNamed(report, "Settlement", "held");
      expectNamed(report, "Settlement", "less than");
      expectNamed(report, "FLEX", "supply of tokens");
    });

    it("names the bill whose line or event differs, and a batch whose root does not fit", async () => {
      const events = await replay.eye.moneyEvents();
      const billed = events.find((event) => event.kind === "billed")!;
      const [own] = await replay.rows<{ session_id: string }>(
        `select session_id from settlement where session_number = ${billed.number}`,
      );
      const line = await auditSeeing({
        linesOf: async (batch) =>
          (await replay.eye.linesOf(batch)).map((one) =>
            one.number === billed.number ? { ...one, amount: one.amount + 1n } : one,
          ),
      });
      expectNamed(line, `bill of session ${own!.session_id}`, "amount (micro-euro) on chain");
      expectNamed(line, "batch 1 of CPO 1", "root of its lines");
      const event = await auditSeeing({
        moneyEvents: async () =>
          events.map((one) => (one === billed ? { ...billed, amount: billed.amount + 1n } : one)),
      });
      expectNamed(event, `event Billed of session number ${billed.number}`, "amount");
      const missing = await auditSeeing({ moneyEvents: async () => events.filter((one) => one.kind !== "posted") });
      expectNamed(missing, `bill of session ${own!.session_id}`, "does not have it");
      const twice = await auditSeeing({
        linesOf: async (batch) => [...(await replay.eye.linesOf(batch)), ...(await replay.eye.linesOf(batch))],
      });
      expectNamed(twice, "batch 1 of CPO 1", `session number ${billed.number} is billed a second time`);
    });

    it("finds a shortfall that the balance does not give", async () => {
      const events = await replay.eye.moneyEvents();
      const short = events.filter((event) => event.kind === "shortfall");
      const billed = events.find((event) => event.kind === "billed")!;
      const invented = { ...billed, kind: "shortfall", missing: 5n } as const;
      const report = await auditSeeing({
        moneyEvents: async () => [...events.filter((one) => !short.includes(one as never)), invented],
      });
      expectNamed(report, `bill of session number ${billed.number}`, "shortfall on chain is 5");
    });
  });
});

type Columns = Readonly<Record<string, (column: string) => string>>;

/** The least change of a value of each type. */
const CHANGE: Columns = {
  boolean: (column) => `not ${column}`,
  integer: (column) => `coalesce(${column}, 0) + 1`,
  smallint: (column) => `coalesce(${column}, 0) + 1`,
  bigint: (column) => `coalesce(${column}, 0) + 1`,
  numeric: (column) => `coalesce(${column}, 0) + 1`,
  "timestamp with time zone": (column) => `${column} + interval '1 second'`,
  text: (column) => `left(${column}, -1) || case right(${column}, 1) when 'a' then 'b' else 'a' end`,
};
