import { expect } from "chai";
import { sql } from "kysely";
import { iso, NOON, type Service, startService, type Who } from "./service.ts";

/** Where the rows of a table that belong to a session are found in the driver's data. */
const OF_SESSION: Readonly<Record<string, string>> = {
  session_preferences: "wishes",
  promise: "promises",
  refusal: "refusals",
  boost: "boosts",
  power_grant: "grants",
  sent_profile: "profiles",
  meter_reading: "readings",
  settlement: "bill",
  dispute: "dispute",
  // The latest answer; each wish has had one.
  admission: "admission",
};
/** Their content is in the receipt, interval by interval. */
const IN_THE_RECEIPT = ["session_slot"];
const OF_DRIVER = ["charging_session", "driver_preferences", "settlement"];

describe("HTTP: everything about me", () => {
  let service: Service;
  let anna: Who;
  let id: string;
  let data: any;
  before(async () => {
    service = await startService();
    anna = await service.signUp("anna");
    const backEnd = await service.key("north", "cpo");
    const ask = async (as: Who, method: string, path: string, body?: object) => {
      const said = await service.ask(method, path, { as, ...(body ? { body } : {}) });
      expect(said.status, `${path}: ${JSON.stringify(said.body)}`).to.be.below(300);
      return said.body;
    };
    const preferences = { optIn: true, energyNeedWh: 7000, stayS: 7200, batteryWh: 50_000, cannotPause: false };
    await ask(anna, "PUT", "/driver/preferences", preferences);
    const departsAt = iso(NOON + 3 * 3600);
    const wish = { evseId: "north-1-1", optIn: true, soc: { fromPercent: 20, toPercent: 40 }, departsAt };
    id = (await ask(anna, "POST", "/driver/sessions", wish)).session.id;
    const path = `/driver/sessions/${id}`;
    await ask(anna, "PUT", `${path}/request`, { energyNeedWh: 70_000, departsAt });
    await ask(anna, "PUT", `${path}/request`, { energyNeedWh: 9000, departsAt });
    await ask(anna, "POST", `${path}/boost`, {});
    await service.pass(120);
    const readings = [{ sessionId: id, at: iso(service.clock.now()), registerWh: 200, powerW: 6000 }];
    await ask(backEnd, "POST", "/machine/meter-values", { readings });
    await service.pass(120);
    await ask(backEnd, "POST", `/machine/sessions/${id}/stop`, { at: iso(service.clock.now()), registerWh: 400 });
    const ben = await service.signUp("ben");
    await ask(ben, "POST", "/driver/sessions", {
      ...wish,
      evseId: "north-1-2",
      soc: { ...wish.soc, batteryWh: 40_000 },
    });
    data = await ask(anna, "GET", "/driver/data");
  });
  after(() => service?.close());

  it("begins with who I am and what I usually wish", async () => {
    const { body: account } = await service.ask("GET", "/account", { as: anna });
    const { logins, ...named } = data.account;
    expect(named).to.deep.equal({ email: "anna@example.org", name: "anna" });
    const { rows } = await sql<{ at: Date; ip: string; agent: string }>`
      select s.created_at at, s.ip_address ip, s.user_agent agent from account_session s join account_user u on u.id = s.user_id
      where u.email = 'anna@example.org'`.execute(service.db);
    expect(
      logins.map((one: { since: number; address: string; browser: string }) => [one.since, one.address]),
    ).to.deep.equal(rows.map(({ at, ip }) => [Math.floor(at.getTime() / 1000), ip]));
    expect(logins).to.have.length(1);
    expect(logins[0].address).to.be.a("string");
    expect(data.driver).to.include({ id: account.driverId, address: account.address, name: "anna" });
    expect(data.preferences).to.include({ batteryWh: 50_000, energyNeedWh: 7000, stayS: 7200 });
  });

  it("has every row that leads to me: a table more fails here", async () => {
    const { rows: tables } = await sql<{ table_name: string; column_name: string }>`
      select table_name, column_name from information_schema.columns
      where table_schema = 'public' and column_name in ('session_id', 'driver_id')`.execute(service.db);
    const named = (column: string) =>
      tables.filter(({ column_name }) => column_name === column).map(({ table_name }) => table_name);
    expect(named("session_id")).to.have.members([...Object.keys(OF_SESSION), ...IN_THE_RECEIPT]);
    expect(named("driver_id")).to.have.members(OF_DRIVER);
    const [stay] = data.sessions;
    for (const [table, place] of Object.entries(OF_SESSION)) {
      const { rows } = await sql<{
        n: number;
      }>`select count(*)::int n from ${sql.table(table)} where session_id = ${id}`.execute(service.db);
      expect(stay, table).to.have.property(place);
      const there = Array.isArray(stay[place]) ? stay[place].length : stay[place] === null ? 0 : 1;
      expect(there, table).to.equal(table === "admission" ? Math.min(1, rows[0]!.n) : rows[0]!.n);
      if (table !== "dispute") expect(there, `${table} is tried`).to.be.above(0);
    }
  });

  it("says what I wished and what was metered and billed", () => {
    const [stay] = data.sessions;
    expect(data.sessions).to.have.length(1);
    expect(stay.session).to.include({ id, evseId: "north-1-1", endRegisterWh: 400 });
    expect(stay.wishes[0].battery).to.deep.equal({ wh: 50_000, percent: 20, registerWh: 0 });
    expect(stay.readings.map((one: { registerWh: number }) => one.registerWh)).to.include.members([200, 400]);
    expect(stay.bill).to.include({ energyWh: 400, amountMicroEur: "140000" });
    expect(stay.refusals[0]).to.include({ wishedWh: 70_000 });
  });

  it("says nothing of anybody else", () => {
    const text = JSON.stringify(data);
    expect(text).not.to.match(/\bben\b|north-1-2/);
    // A plan's problem holds everybody's needs.
    expect(text).not.to.contain('"problem":');
  });
});
