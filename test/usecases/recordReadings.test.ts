import { expect } from "chai";
import type { MeterReading } from "../../backend/domain/meters.ts";
import { epochSecond, watt, wattHour } from "../../backend/domain/units.ts";
import { recordMeterReadings, recordSiteReadings } from "../../backend/usecases/recordReadings.ts";
import { aSite, type Car, GROUP, HOUR, MINUTE, type Site } from "../support/world.ts";

const reading = (site: Site, car: Car, part: Partial<Record<keyof MeterReading, number>> = {}): MeterReading => ({
  sessionId: car.id,
  at: epochSecond(part.at ?? site.now()),
  registerWh: wattHour(part.registerWh ?? car.registerWh),
  powerW: watt(part.powerW ?? 0),
});

describe("A meter reading", () => {
  let site: Site;
  let car: Car;
  /** Eleven minutes in: about 1,840 Wh at 11,040 W since second 6; the meter was read 30 s ago. */
  beforeEach(async () => {
    site = await aSite();
    car = await site.plugIn(1);
    await site.until(site.now() + 10 * MINUTE + 30);
  });
  const record = (...readings: MeterReading[]) => recordMeterReadings(site.world, readings);
  const refusal = async (one: MeterReading) => {
    const before = { live: structuredClone(car.live), stored: await site.store.meters.ofSession(car.id) };
    const noted = await record(one);
    expect({ live: car.live, stored: await site.store.meters.ofSession(car.id) }).to.deep.equal(before);
    expect(noted).to.deep.include({ accepted: 0, duplicates: 0 });
    return noted.refused[0]!.text;
  };

  it("is appended once; the same one again is a duplicate and changes nothing", async () => {
    const one = reading(site, car, { powerW: 11_040 });
    expect(await record(one)).to.deep.equal({ accepted: 1, duplicates: 0, refused: [] });
    const before = structuredClone(car.live);
    expect(await record(one)).to.deep.equal({ accepted: 0, duplicates: 1, refused: [] });
    expect(await record(one, one)).to.deep.equal({ accepted: 0, duplicates: 2, refused: [] });
    expect(car.live).to.deep.equal(before);
  });

  it("changes nothing when another value comes for an instant that is known", async () => {
    const one = reading(site, car, { powerW: 11_040 });
    await record(one);
    await record({ ...one, powerW: watt(5_000), registerWh: wattHour(one.registerWh + 3) });
    expect((await site.store.meters.latest(car.id))!.powerW).to.equal(11_040);
    expect(car.live).to.include({ powerW: 11_040, registerWh: one.registerWh });
  });

  it("that comes late is kept and does not turn the live picture back", async () => {
    const registerWh = car.live.registerWh;
    const late = reading(site, car, { at: site.now() - 100, registerWh: registerWh - 100, powerW: 7_000 });
    expect(await record(late)).to.include({ accepted: 1 });
    expect(car.live.registerWh).to.equal(registerWh);
    expect((await site.store.meters.ofSession(car.id)).map((one) => one.at)).to.include(late.at);
  });

  it("is refused when its register falls", async () => {
    const text = await refusal(reading(site, car, { registerWh: car.live.registerWh - 1 }));
    expect(text)
      .to.contain(`from ${car.live.registerWh} to ${car.live.registerWh - 1} Wh`)
      .and.match(/check the meter/i);
  });

  it("is refused when its register is in kWh", async () => {
    const text = await refusal(reading(site, car, { registerWh: 2 }));
    expect(text).to.match(/fell .* unit/);
  });

  it("is refused when its register is in mWh, or rises faster than EVSE and car allow", async () => {
    const text = await refusal(reading(site, car, { registerWh: car.registerWh * 1000 }));
    expect(text).to.contain("more than 11040 W allow").and.contain("Is the value in Wh?");
    // 30 s and a minute's grace at 11,040 W, a quarter more, and 100 Wh: 445 Wh.
    const mostWh = car.live.registerWh + Math.floor((11_040 * 90 * 1.25) / 3600 + 100);
    expect(mostWh - car.live.registerWh).to.equal(445);
    await refusal(reading(site, car, { registerWh: mostWh + 1 }));
    expect(await record(reading(site, car, { registerWh: mostWh }))).to.include({ accepted: 1 });
  });

  it("is refused when its power is a thousand times too high", async () => {
    expect(await refusal(reading(site, car, { powerW: 11_040_000 }))).to.contain("Is the value in W?");
  });

  it("is refused from the future, from before the plug-in, and of an unknown session", async () => {
    expect(await refusal(reading(site, car, { at: site.now() + 121 }))).to.match(/future.*clock/);
    expect(await refusal(reading(site, car, { at: car.live.pluggedAt - 1 }))).to.match(/plug-in/);
    const stranger = { ...reading(site, car), sessionId: "nobody" };
    expect(await refusal(stranger)).to.contain("Session nobody is not open");
  });

  it("that is refused does not keep its neighbours out", async () => {
    const noted = await record(
      reading(site, car, { registerWh: 2 }),
      reading(site, car, { powerW: 11_040 }),
      reading(site, car, { at: site.now() + 999 }),
    );
    expect(noted).to.include({ accepted: 1, duplicates: 0 });
    expect(noted.refused).to.have.length(2);
  });

  it("that fits the one before it in the same batch is judged by that one", async () => {
    const first = reading(site, car, { registerWh: car.live.registerWh + 92, powerW: 11_040 });
    const falling = reading(site, car, { at: site.now() + 1, registerWh: car.live.registerWh + 91 });
    expect((await record(first, falling)).refused.map(({ text }) => text)[0]).to.match(/fell/);
  });
});

describe("A HEMS reading", () => {
  it("is refused for an unknown group and from the future, and taken once", async () => {
    const site = await aSite();
    const now = site.now();
    const one = { groupId: GROUP, at: now, demandW: watt(3_000), productionW: watt(0) };
    const noted = await recordSiteReadings(site.world, [
      one,
      { ...one, groupId: "elsewhere" },
      { ...one, at: epochSecond(now + 121), demandW: watt(9_000) },
    ]);
    expect(noted.accepted).to.equal(1);
    expect(noted.refused.map(({ text }) => text)).to.deep.equal([
      "Group elsewhere is not known. Register it first.",
      "The reading lies in the future. Check the meter's clock.",
    ]);
    expect(await recordSiteReadings(site.world, [one])).to.include({ accepted: 0, duplicates: 1 });
    expect(site.board.site).to.deep.equal({ demandW: 3_000, productionW: 0, at: now });
  });

  it("leaves the means of its slots as the forecast's history", async () => {
    const site = await aSite({ demandW: 3_000 });
    await site.minutes(5);
    site.load(9_000, 1_200);
    await site.minutes(26);
    const [first, second] = await site.store.meters.siteSlots(GROUP, 0);
    // 3 kW until the reading of minute 6, 9 kW for the other 9 minutes.
    expect(first).to.include({ demandW: (6 * 3_000 + 9 * 9_000) / 15, productionW: (9 * 1_200) / 15, carsWh: 0 });
    expect(second).to.include({ demandW: 9_000, productionW: 1_200, limitW: 40_000 });
  });
});

describe("A car that draws less than it may", () => {
  it("gives the rest back to its neighbour a minute after the meter shows it, and gets it back when it draws again", async () => {
    const site = await aSite({ limitW: 14_000 });
    const first = await site.plugIn(1);
    const second = await site.plugIn(2);
    expect((await first.ask(10_000, site.in(HOUR))).kind).to.equal("accepted");
    await site.until(site.now() + 15 * MINUTE + 30);
    expect(first.allowedW).to.be.greaterThan(9_000);
    const before = { first: first.allowedW, second: second.allowedW };
    first.slowTo(4_200);
    // Minute 16 shows it for the first time, minute 17 for the second: replanned, lowered, confirmed, raised by 17:10.
    await site.until(site.now() + 30 + MINUTE + 10);
    // What it was seen to take, 5 % and 50 W: 4,460 W, less what whole Wh lose.
    expect(first.allowedW).to.be.within(4_450, 4_460);
    expect(second.allowedW).to.be.greaterThan(before.second + 4_000);
    expect((await first.promise())!.energyWh, "the promise stays").to.equal(10_000);

    first.slowTo(11_040);
    await site.minutes(2);
    expect(first.live.seenMaxW).to.equal(null);
    expect(first.allowedW).to.be.greaterThan(before.first - 500);
    expect(second.allowedW).to.be.lessThan(before.second + 1_000);
  });

  it("is not judged by the seconds after a new limit, nor by a pause that it was told to make", async () => {
    const site = await aSite({ limitW: 11_040 });
    const first = await site.plugIn(1);
    const second = await site.plugIn(2);
    await second.ask(9_500, site.in(HOUR));
    await site.minutes(40);
    expect(first.allowedW).to.equal(0);
    expect(first.live).to.include({ seenMaxW: null, underSince: null });
    expect(first.live.unwilling).to.deep.equal([]);
  });
});

describe("A full car that is owed energy by its promise", () => {
  it("is asked with 6 A per phase for five minutes after each half hour, and counted with in full when it draws again", async () => {
    const site = await aSite({ limitW: 14_000 });
    const full = await site.plugIn(1, { takesWh: 2_000 });
    expect((await full.ask(12_000, site.in(4 * HOUR))).kind).to.equal("accepted");
    await site.until(site.now() + 14 * MINUTE);
    expect(full.live.seenMaxW).to.equal(0);
    // A neighbour that wants everything, so that nothing is left over to be offered beside that.
    const hungry = await site.plugIn(2);
    expect((await hungry.ask(30_000, site.in(4 * HOUR))).kind).to.equal("accepted");
    await site.minutes(2);
    const offers: { from: number; seconds: number; limits: Set<number> }[] = [];
    let idle = true;
    site.eachSecond(() => {
      const limitW = full.allowedW;
      if (limitW > 0 && idle) offers.push({ from: site.stage.at, seconds: 0, limits: new Set() });
      if (limitW > 0) offers.at(-1)!.limits.add(limitW);
      if (limitW > 0) offers.at(-1)!.seconds++;
      idle = limitW === 0;
    });
    await site.minutes(105);
    expect(offers).to.have.length(2);
    for (const { seconds, limits } of offers) {
      expect(seconds).to.be.within(295, 305);
      expect([...limits]).to.deep.equal([3 * 1_380]);
    }
    expect(offers[1]!.from - offers[0]!.from).to.be.within(1_800, 2_700);
    expect(hungry.live.powerW).to.be.greaterThan(9_000);

    full.station.car!.roomWs = 30_000 * 3600;
    await site.minutes(32);
    expect(full.live.seenMaxW).to.equal(null);
    expect(full.registerWh).to.be.greaterThan(2_000);
    await site.minutes(90);
    expect((await full.promise())!.state).to.equal("kept");
  });
});

describe("A register that stands still while power flows", () => {
  it("is believed when it catches up, by a reading and by a plug-out", async () => {
    const site = await aSite();
    for (const end of ["reading", "plug-out"]) {
      const car = await site.plugIn(end === "reading" ? 1 : 2);
      await site.minutes(2);
      car.station.frozen = { until: site.now() + 20 * MINUTE, registerWh: car.registerWh };
      await site.until(site.now() + 20 * MINUTE - 1);
      expect(car.station.registerWs / 3600 - car.registerWh).to.be.greaterThan(3_500);
      await site.seconds(1);
      if (end === "reading") expect(car.live.registerWh).to.equal(car.registerWh);
      else await car.unplug();
    }
    expect(await site.incidents()).to.deep.equal(["frozen-register", "frozen-register"]);
  });

  it("is an incident after two minutes, once, and again when it freezes again", async () => {
    const site = await aSite();
    const car = await site.plugIn(1);
    await site.minutes(5);
    const freeze = (minutes: number) => {
      car.station.frozen = { until: site.now() + minutes * MINUTE, registerWh: car.registerWh };
    };
    const frozen = async () => (await site.incidents()).filter((kind) => kind === "frozen-register").length;
    freeze(2);
    await site.minutes(4);
    expect(await frozen()).to.equal(0);
    freeze(10);
    await site.minutes(11);
    expect(await frozen()).to.equal(1);
    freeze(10);
    await site.minutes(12);
    expect(await frozen()).to.equal(2);
  });
});
