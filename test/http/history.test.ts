import { expect } from "chai";
import { sql } from "kysely";
import { offerPromise } from "../../backend/domain/promises.ts";
import { slotOf, slotStart } from "../../backend/domain/slots.ts";
import { epochSecond, microEurPerKwh, watt, wattHour } from "../../backend/domain/units.ts";
import { parseReceipt } from "../../backend/settlement/receipt.ts";
import { setUpSite } from "../../backend/usecases/setUpSite.ts";
import { near } from "../support/near.ts";
import { iso, NOON, type Service, siteOf, startService, type Who } from "./service.ts";

type Stay = { sessionNumber: number; evseId: string; groupId: string; energyWh: number | null };

/** A charge point whose label a spreadsheet would run. */
const FORMULA = '=HYPERLINK("//evil","x")';

describe("HTTP: what was", () => {
  let service: Service;
  let north: Who;
  let south: Who;
  let auditor: Who;
  before(async () => {
    service = await startService();
    north = await service.staff("north");
    south = await service.staff("south");
    auditor = await service.auditor();
    await setUpSite(service.world, {
      ...siteOf("north"),
      location: { id: "yard", cpoId: "north", name: "Yard", timeZone: "UTC" },
      groups: [
        {
          ...siteOf("north").groups[0]!,
          group: { ...siteOf("north").groups[0]!.group, id: "north-2", feedIn: microEurPerKwh(0) },
          evses: [{ id: FORMULA, maxPowerW: watt(11_000), phases: 3 }],
        },
      ],
    });
    const prices = Array.from({ length: 96 }, (_, i) => ({
      ...{ slot: slotOf(NOON) + i, price: microEurPerKwh(100_000 + 37_000 * (i % 3)) },
    }));
    await service.world.store.prices.put(service.world.settings.market, prices);
    const anna = await service.signUp("anna");
    const { driverId } = (await service.ask("GET", "/account", { as: anna })).body;
    // Five stays: two after each other at one point, one at a second, one in another group, one of another CPO; one lasts.
    await charge("one", "north-1-1", driverId, 3000, 40);
    await charge("two", "north-1-1", null, 1500, 20);
    await charge("three", FORMULA, driverId, 2500, 30);
    await charge("far", "south-1-1", driverId, 4000, 40);
    await plugIn("lasting", "north-1-2", driverId, "north");
    await service.pass(600);
  });
  after(() => service?.close());

  const plugIn = async (sessionId: string, evseId: string, driverId: string | null, side: "north" | "south") => {
    const as = await service.key(side, "cpo");
    const body = { sessionId, evseId, driverId, at: iso(service.clock.now()), registerWh: 0 };
    const { status } = await service.ask("POST", "/machine/sessions", { as, body });
    expect(status).to.equal(201);
    return as;
  };
  async function charge(id: string, evseId: string, driverId: string | null, registerWh: number, minutes: number) {
    const as = await plugIn(id, evseId, driverId, evseId.startsWith("south") ? "south" : "north");
    // Most of it in the second half: not what an uncontrolled car would do.
    await service.pass(30 * minutes);
    const readings = [{ sessionId: id, at: iso(service.clock.now()), registerWh: 300, powerW: 600 }];
    expect((await service.ask("POST", "/machine/meter-values", { as, body: { readings } })).status).to.equal(200);
    await service.pass(30 * minutes);
    const body = { at: iso(service.clock.now()), registerWh };
    const { status } = await service.ask("POST", `/machine/sessions/${id}/stop`, { as, body });
    expect(status).to.equal(200);
    await service.pass(300);
  }
  const numberOf = async (id: string) => (await service.world.store.sessions.byId(id))!.number;
  const numbersOf = (...ids: string[]) => Promise.all(ids.map(numberOf));
  const listed = async (query: Record<string, string> = {}, as: Who = north) => {
    const said = await service.ask("GET", `/cpo/stays?${new URLSearchParams(query)}`, { as });
    expect(said.status, JSON.stringify(said.body)).to.equal(200);
    return said.body as { stays: Stay[]; totals: Record<string, unknown> };
  };
  const shown = async (query: Record<string, string> = {}, as: Who = north) =>
    (await listed(query, as)).stays.map(({ sessionNumber }) => sessionNumber);

  it("lists a CPO's own stays, oldest first, each with what it came to", async () => {
    const { stays } = await listed();
    expect(stays.map(({ sessionNumber }) => sessionNumber)).to.deep.equal(
      await numbersOf("one", "two", "three", "lasting"),
    );
    expect(stays[0]).to.deep.include({
      ...{ evseId: "north-1-1", groupId: "north-1", mode: "best-effort", promise: null, promisedWh: null },
      // 3 kWh at 35 ct.
      ...{ energyWh: 3000, amountMicroEur: "1050000", stayS: 2400 },
      ...{ pluggedAt: iso(NOON), unpluggedAt: iso(NOON + 2400) },
    });
    expect(stays[3]).to.include({ unpluggedAt: null, energyWh: null, amountMicroEur: null, flexWh: null, stayS: 600 });
  });

  it("adds up to what the database says", async () => {
    const { totals } = await listed();
    const { rows } = await sql<{
      n: number;
      wh: number;
      amount: string;
      compensation: string;
      flex: number;
      s: number;
    }>`
      select count(*)::int n, sum(t.energy_wh)::int wh, sum(t.amount_micro_eur)::text amount,
        sum(t.compensation_micro_eur)::text compensation, sum(t.flex_wh)::int flex,
        sum(extract(epoch from s.unplugged_at - s.plugged_at))::int s
      from settlement t join charging_session s on s.id = t.session_id
      join charging_group g on g.id = s.group_id where g.cpo_id = 'north'`.execute(service.db);
    const [sums] = rows;
    expect(sums!.n).to.equal(3);
    expect(totals).to.deep.include({
      ...{ count: 4, running: 1, energyWh: sums!.wh, amountMicroEur: sums!.amount, flexWh: sums!.flex },
      compensationMicroEur: sums!.compensation,
      meanEnergyWh: Math.round(sums!.wh / 3),
      meanStayS: Math.round(sums!.s / 3),
    });
    expect(sums!.wh).to.equal(3000 + 1500 + 2500);
  });

  it("says what the energy was worth as it was charged, and at once, as the receipts do", async () => {
    const { totals } = await listed();
    const receipts = await service.db
      .selectFrom("settlement")
      .innerJoin("charging_session", "charging_session.id", "settlement.session_id")
      .select("settlement.receipt")
      .where("charging_session.group_id", "in", ["north-1", "north-2"])
      .execute();
    const sum = (of: "meteredWh" | "baselineWh") =>
      receipts
        .flatMap(({ receipt }) => parseReceipt(receipt).flex.intervals)
        .reduce((all, one) => all + (one[of] * one.value) / 1000, 0);
    expect(receipts).to.have.length(3);
    expect(Number(totals.costMicroEur)).to.satisfy(near(sum("meteredWh"), 3));
    expect(Number(totals.atOnceMicroEur)).to.satisfy(near(sum("baselineWh"), 3));
    expect(sum("meteredWh")).to.be.above(700_000);
    expect(sum("baselineWh")).not.to.satisfy(near(sum("meteredWh"), 1000));
  });

  it("says how much CO2 the grid's share was, of the stays of which it is known", async () => {
    const { store, settings } = service.world;
    const first = slotOf(NOON);
    const [sunW, gramsOf] = [2400, (slot: number) => 200 + 50 * ((slot - first) % 4)];
    const before = (await listed()).totals;
    expect(before).to.include({ carbonG: null, atOnceCarbonG: null, carbonOfWh: 0 });
    // The site's meter was heard until two quarter-hours before the third stay ended.
    const third = await store.bills.ofSession("three");
    const last = slotOf(parseReceipt(third!.receipt).meter.endAt) - 2;
    for (const groupId of ["north-1", "north-2"])
      for (let slot = first; slot <= last; slot++)
        await store.meters.putSiteSlot({
          ...{
            groupId,
            slot,
            demandW: watt(1000),
            productionW: watt(sunW),
            carsWh: wattHour(800),
            limitW: watt(22_000),
          },
        } as never);
    await store.prices.putCarbon(
      settings.market,
      Array.from({ length: 40 }, (_, k) => ({ slot: first + k, gramsPerKwh: gramsOf(first + k) })),
    );
    const { stays, totals } = await listed();
    /** Of a kWh from the roof nothing counts: the group has 600 Wh of sun for 250 Wh of building and whatever the cars draw. */
    const gramsBy = (text: string, of: "meteredWh" | "baselineWh") => {
      let mg = 0;
      for (const one of parseReceipt(text).flex.intervals) {
        if (one[of] === 0) continue;
        const allWh = Math.max(0, 250 + 800 - one.meteredWh) + one[of];
        mg += one[of] * Math.max(0, 1 - 600 / allWh) * gramsOf(slotOf(one.from));
      }
      return Math.round(mg / 1000);
    };
    const known = await Promise.all(["one", "two"].map((id) => store.bills.ofSession(id)));
    const sum = (of: "meteredWh" | "baselineWh") => known.reduce((all, one) => all + gramsBy(one!.receipt, of), 0);
    expect(sum("meteredWh")).to.be.above(200);
    expect(sum("baselineWh")).not.to.equal(sum("meteredWh"));
    expect(totals).to.include({
      ...{ carbonG: sum("meteredWh"), atOnceCarbonG: sum("baselineWh"), carbonOfWh: 3000 + 1500 },
    });
    expect(stays.map((one) => (one as unknown as { carbonG: number | null }).carbonG)).to.deep.equal([
      ...known.map((one) => gramsBy(one!.receipt, "meteredWh")),
      null,
      null,
    ]);
  });

  it("counts promises that came to an end, and those that were kept", async () => {
    const terms = { energyWh: wattHour(1000), by: epochSecond(NOON + 3600), fromRegisterWh: wattHour(0), version: 1 };
    for (const [sessionId, state] of [
      ["one", "kept"],
      ["two", "short"],
      ["three", "withdrawn"],
      ["lasting", "accepted"],
    ] as const)
      await service.world.store.promises.put({ ...offerPromise({ sessionId, ...terms }, NOON), state });
    const { totals, stays } = await listed();
    expect(totals).to.include({ promised: 2, kept: 1, missedByUs: 0 });
    expect(stays.map((one) => (one as unknown as { promise: string | null }).promise)).to.deep.equal([
      ...["kept", "short", "withdrawn", "accepted"],
    ]);
  });

  it("can be asked of a group, a charge point and a time", async () => {
    expect(await shown({ groupId: "north-2" })).to.deep.equal(await numbersOf("three"));
    expect(await shown({ evseId: "north-1-1" })).to.deep.equal(await numbersOf("one", "two"));
    expect(await shown({ groupId: "north-2", evseId: "north-1-1" })).to.deep.equal([]);
    // One ended at +40 min, two lasted from +45 to +65 min: what touches the time belongs to it.
    const within = (from: number, until: number) =>
      shown({ groupId: "north-1", from: iso(NOON + 60 * from), until: iso(NOON + 60 * until) });
    expect(await within(0, 40)).to.deep.equal(await numbersOf("one"));
    expect(await within(40, 45)).to.deep.equal([]);
    expect(await within(39, 46)).to.deep.equal(await numbersOf("one", "two"));
    expect(await within(-60, 0)).to.deep.equal([]);
  });

  it("refuses a time that is none, or too long", async () => {
    const refusal = async (path: string, from: number, until: number) => {
      const query = new URLSearchParams({ from: iso(NOON + from), until: iso(NOON + until) });
      const response = await service.call("GET", `${path}?${query}`, { as: north });
      return [response.status, /"pointer":"([^"]*)"/.exec(await response.text())?.[1]];
    };
    for (const path of ["/cpo/stays", "/cpo/stays.csv", "/cpo/groups/north-1/history"]) {
      expect(await refusal(path, 60, 60), path).to.deep.equal([400, "#/from"]);
      expect(await refusal(path, 0, 93 * 86_400), path).to.deep.equal([400, "#/from"]);
      expect((await refusal(path, 0, 92 * 86_400))[0], path).to.equal(200);
    }
    expect((await service.ask("GET", "/cpo/stays?evse=x", { as: north })).status).to.equal(400);
  });

  it("is another CPO's own, and all of it an auditor's", async () => {
    expect(await shown({}, south)).to.deep.equal(await numbersOf("far"));
    expect(await shown({}, auditor)).to.have.members(await numbersOf("one", "two", "three", "far", "lasting"));
    expect((await service.ask("GET", "/cpo/stays?groupId=north-1", { as: south })).status).to.equal(404);
    expect((await service.ask("GET", "/cpo/stays.csv?groupId=north-1", { as: south })).status).to.equal(404);
    const text = JSON.stringify(await listed({}, auditor));
    expect(text).not.to.match(/anna|driver-/);
  });

  it("comes as a table too, in which no label is a formula", async () => {
    const response = await service.call("GET", "/cpo/stays.csv", { as: north });
    expect(response.headers.get("content-type")).to.equal("text/csv; charset=utf-8");
    const text = await response.text();
    const [names, ...rows] = text.trimEnd().split("\r\n").map(cellsOf);
    const { stays } = await listed();
    expect(names).to.deep.equal(Object.keys(stays[0]!));
    expect(rows).to.deep.equal(
      stays.map((one) =>
        Object.values(one).map((value) => {
          if (value === null) return "";
          return value === FORMULA ? `'${FORMULA}` : `${value}`;
        }),
      ),
    );
    expect(text).not.to.match(/(^|,|"|\n)[=+@]/);
  });

  it("shows a group's slots: import is building less sun plus cars", async () => {
    const first = slotOf(NOON) - 40;
    for (const [i, carsWh] of [0, 500, 2750, 900].entries())
      await service.world.store.meters.putSiteSlot({
        ...{ groupId: "north-1", slot: first + i, demandW: watt(2000), productionW: watt(6000) },
        ...{ carsWh: wattHour(carsWh), limitW: watt(22_000) },
      } as never);
    const query = new URLSearchParams({ from: iso(slotStart(first)), until: iso(slotStart(first + 2) + 1) });
    const path = `/cpo/groups/north-1/history?${query}`;
    const { body } = await service.ask("GET", path, { as: north });
    // Wh of a quarter of an hour are four times as many W; the third has begun when the span ends, the fourth has not.
    expect(body.slots.map((one: { at: string; importW: number }) => [one.at, one.importW])).to.deep.equal([
      [iso(slotStart(first)), -4000],
      [iso(slotStart(first + 1)), -2000],
      [iso(slotStart(first + 2)), 7000],
    ]);
    expect((await service.ask("GET", path, { as: auditor })).body).to.deep.equal(body);
    expect((await service.ask("GET", path, { as: south })).status).to.equal(404);
  });
});

/** One line of RFC 4180, read by hand. */
function cellsOf(line: string): string[] {
  const cells: string[] = [];
  for (let rest = line; ; ) {
    const [whole, quoted, plain] = /^(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/.exec(rest)!;
    cells.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'));
    if (whole.length === rest.length && !whole.endsWith(",")) return cells;
    rest = rest.slice(whole.length);
  }
}
