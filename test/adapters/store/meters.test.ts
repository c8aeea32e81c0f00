import { expect } from "chai";
import { sql } from "kysely";
import type { MeterReading } from "../../../backend/domain/meters.ts";
import { watt, wattHour } from "../../../backend/domain/units.ts";
import { tamper } from "../../support/databases.ts";
import { at, onEveryDatabase, rejection } from "./everyDatabase.ts";

const reading = (sessionId: string, seconds: number, registerWh = seconds): MeterReading => ({
  sessionId,
  at: at(seconds),
  registerWh: wattHour(registerWh),
  powerW: watt(7_360),
});
const many = (sessionId: string, from: number, count: number) =>
  Array.from({ length: count }, (_, i) => reading(sessionId, from + i * 60));

onEveryDatabase("Meters", (given) => {
  it("appends readings and gives them back in order of time", async () => {
    const { meters } = given().store;
    expect(await meters.append([reading("a", 120), reading("a", 60), reading("b", 60)])).to.equal(3);
    expect(await meters.ofSession("a")).to.deep.equal([reading("a", 60), reading("a", 120)]);
    expect(await meters.latest("a")).to.deep.equal(reading("a", 120));
    expect([await meters.latest("c"), await meters.ofSession("c"), await meters.append([])]).to.deep.equal([
      null,
      [],
      0,
    ]);
  });

  it("knows the latest reading in which the car said its state of charge", async () => {
    const { meters } = given().store;
    const says = (seconds: number, socPercent: number) => ({ ...reading("soc", seconds), socPercent });
    await meters.append([reading("soc", 60), says(120, 0), says(180, 41), reading("soc", 240)]);
    expect(await meters.latestSoc("soc")).to.deep.equal(says(180, 41));
    expect(await meters.ofSession("soc")).to.deep.include.members([reading("soc", 60), says(120, 0)]);
    expect(await meters.latestSoc("a")).to.equal(null);
    await rejection(meters.append([says(300, 101)]));
  });

  it("ignores a reading of the same session and instant, whatever it says", async () => {
    const { meters } = given().store;
    await meters.append([reading("twice", 60, 100)]);
    expect(await meters.append([reading("twice", 60, 999), reading("twice", 90), reading("twice", 90, 5)])).to.equal(1);
    expect(await meters.ofSession("twice")).to.deep.equal([reading("twice", 60, 100), reading("twice", 90)]);
  });

  it("appends 5,000 readings in one call", async () => {
    const { meters } = given().store;
    expect(await meters.append(many("long", 0, 5_000))).to.equal(5_000);
    expect((await meters.latest("long"))?.at).to.equal(at(4_999 * 60));
  });

  it("holds registers beyond 2^31 Wh", async () => {
    const { meters } = given().store;
    await meters.append([reading("old", 0, 5_000_000_000)]);
    expect((await meters.latest("old"))?.registerWh).to.equal(5_000_000_000);
  });

  it("refuses a reading that is no whole number of Wh, with all that came with it", async () => {
    const { meters } = given().store;
    await rejection(meters.append([reading("broken", 0), { ...reading("broken", 60), registerWh: 1.5 as never }]));
    expect(await meters.ofSession("broken")).to.deep.equal([]);
  });

  for (const table of ["meter_reading", "site_reading"] as const) {
    it(`refuses to change or delete a row of ${table}`, async () => {
      const { store, db } = given();
      await store.meters.append([reading("evidence", 0)]);
      await store.meters.appendSite([{ groupId: "g", at: at(0), demandW: watt(1), productionW: watt(2) }]);
      const update = db
        .updateTable(table)
        .set({ at: new Date(0) })
        .execute();
      expect((await rejection(update)).message).to.contain(`${table} is append-only`);
      expect((await rejection(db.deleteFrom(table).execute())).message).to.contain(`${table} is append-only`);
      const truncate = sql`truncate ${sql.table(table)}`.execute(db);
      expect((await rejection(truncate)).message).to.contain(`${table} is append-only`);
      expect(await store.meters.latest("evidence")).to.deep.equal(reading("evidence", 0));
    });
  }

  it("can be tampered with only by who switches the triggers off, as an audit's test does", async () => {
    const { store, db } = given();
    await store.meters.append([reading("victim", 0, 10)]);
    await tamper(db, "update meter_reading set register_wh = register_wh + 1 where session_id = 'victim'");
    expect((await store.meters.latest("victim"))?.registerWh).to.equal(11);
    expect((await rejection(db.deleteFrom("meter_reading").execute())).message).to.contain("append-only");
  });

  it("keeps a site's readings and the means of its slots", async () => {
    const { meters } = given().store;
    const site = (seconds: number) => ({
      groupId: "group",
      at: at(seconds),
      demandW: watt(900),
      productionW: watt(40),
    });
    expect(await meters.appendSite([site(0), site(60), site(0)])).to.equal(2);
    expect(await meters.appendSite([site(60)])).to.equal(0);
    expect(await meters.latestSite("group")).to.deep.equal(site(60));
    expect(await meters.latestSite("other")).to.equal(null);
    await meters.appendSite([{ ...site(120), batteryW: -300 }]);
    expect(await meters.latestSite("group")).to.deep.equal({ ...site(120), batteryW: -300 });
    const slot = (number: number, demandW: number) => ({
      groupId: "group",
      slot: number,
      demandW: watt(demandW),
      productionW: watt(0),
      carsWh: wattHour(2_750),
      limitW: watt(40_000),
    });
    for (const one of [slot(8, 5), slot(7, 1), slot(8, 6)]) await meters.putSiteSlot(one);
    expect(await meters.siteSlots("group", 8)).to.deep.equal([slot(8, 6)]);
    expect(await meters.siteSlots("group", 0)).to.deep.equal([slot(7, 1), slot(8, 6)]);
    expect(await meters.siteSlots("group", 0, 8)).to.deep.equal([slot(7, 1)]);
    expect(await meters.siteSlots("group", 7, 9)).to.deep.equal([slot(7, 1), slot(8, 6)]);
    expect(await meters.siteSlots("group", 0, 0)).to.deep.equal([]);
  });

  describe("write-behind in a transaction", () => {
    it("counts what is new exactly, also against what was stored before and what still waits", async () => {
      const { store } = given();
      await store.meters.append(many("wb", 0, 3));
      const counts = await store.transaction(async (tx) => [
        await tx.meters.append([reading("wb", 120), reading("wb", 180)]),
        await tx.meters.append([reading("wb", 180), reading("wb", 240), reading("wb2", 0)]),
        await tx.meters.append([reading("wb", 30), reading("wb2", 0)]),
        await tx.meters.append(many("wb", 0, 100)),
        await tx.meters.append([reading("wb", 99 * 60), reading("wb", 100 * 60)]),
      ]);
      // 0..240 s and 30 s are there when the 100 readings of every minute come: 95 are new.
      expect(counts).to.deep.equal([1, 2, 1, 95, 1]);
      const stored = await store.meters.ofSession("wb");
      expect(stored).to.have.length(3 + 1 + 1 + 1 + 95 + 1);
    });

    it("counts the readings of sites too, and shows them to the transaction", async () => {
      const { store } = given();
      const site = (seconds: number) => ({ groupId: "tx", at: at(seconds), demandW: watt(1), productionW: watt(0) });
      await store.meters.appendSite([site(60)]);
      await store.transaction(async (tx) => {
        expect(await tx.meters.appendSite([site(60), site(120)])).to.equal(1);
        expect(await tx.meters.appendSite([site(120), site(0)])).to.equal(1);
        expect(await tx.meters.appendSite([site(150)])).to.equal(1);
        expect(await tx.meters.latestSite("tx")).to.deep.equal(site(150));
        expect(await tx.meters.appendSite([site(180)])).to.equal(1);
      });
      expect(await store.meters.latestSite("tx")).to.deep.equal(site(180));
    });

    it("writes before a read of the same transaction", async () => {
      await given().store.transaction(async (tx) => {
        await tx.meters.append([reading("seen", 0)]);
        expect(await tx.meters.latest("seen")).to.deep.equal(reading("seen", 0));
        await tx.meters.append([reading("seen", 60)]);
        expect(await tx.meters.ofSession("seen")).to.have.length(2);
      });
    });

    it("writes at the commit, and nothing after a rollback", async () => {
      const { store } = given();
      await store.transaction(async (tx) => {
        for (let s = 0; s < 1_500; s++) await tx.meters.append([reading("kept", s)]);
      });
      expect(await store.meters.ofSession("kept")).to.have.length(1_500);
      const failing = store.transaction(async (tx) => {
        for (let s = 0; s < 1_500; s++) await tx.meters.append([reading("lost", s)]);
        throw new Error("power cut");
      });
      expect((await rejection(failing)).message).to.equal("power cut");
      expect(await store.meters.ofSession("lost")).to.have.length(0);
    });
  });
});
