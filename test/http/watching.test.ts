import { expect } from "chai";
import { iso, type Service, startService, type Who } from "./service.ts";

/** What reaches the battery of each Wh at the meter, as the API announces it. */
const ARRIVES = 0.88;

describe("HTTP: who is here", () => {
  let service: Service;
  before(async () => {
    service = await startService();
  });
  after(() => service?.close());

  const here = (as?: Who) => service.ask("GET", "/account/here", as ? { as } : {});

  it("says who is signed in, and that nobody is no error", async () => {
    const nobody = { account: null };
    const anna = await service.signUp("anna");
    expect((await here(anna)).body.account).to.deep.equal((await service.ask("GET", "/account", { as: anna })).body);
    expect((await here(await service.staff("north"))).body.account).to.include({ kind: "staff", driverId: null });
    for (const as of [undefined, { cookie: "oli.session_token=made-up" }, await service.key("north", "cpo")]) {
      const { status, body } = await here(as);
      expect([status, body], JSON.stringify(as)).to.deep.equal([200, nobody]);
    }
    await service.ask("POST", "/account/sign-out", { as: anna });
    expect((await here(anna)).body).to.deep.equal(nobody);
  });
});

describe("HTTP: a session that is watched", () => {
  let service: Service;
  let anna: Who;
  let backEnd: Who;
  let stops: { sessionId: string; evseId: string }[];
  let registerWh: number;
  beforeEach(async () => {
    stops = [];
    registerWh = 0;
    const sendProfile = async () => {};
    const stopSession = async (asked: (typeof stops)[number]) => stops.push(asked) > 0;
    service = await startService({ world: { cpo: { sendProfile, stopSession } } });
    anna = await service.signUp("anna");
    backEnd = await service.key("north", "cpo");
  });
  afterEach(() => service?.close());

  const start = async (wish: object) => {
    const departsAt = iso(service.clock.now() + 8 * 3600);
    const body = { evseId: "north-1-1", optIn: true, departsAt, ...wish };
    const started = await service.ask("POST", "/driver/sessions", { as: anna, body });
    expect(started.status, JSON.stringify(started.body)).to.equal(201);
    return started.body.session.id as string;
  };
  const read = async (sessionId: string, addedWh: number, powerW: number, socPercent?: number) => {
    // As long as 11 kW take for it at least.
    await service.pass(60 * Math.max(1, Math.ceil(addedWh / 180)));
    registerWh += addedWh;
    const readings = [{ sessionId, at: iso(service.clock.now()), registerWh, powerW, socPercent }];
    const { status } = await service.ask("POST", "/machine/meter-values", { as: backEnd, body: { readings } });
    expect(status).to.equal(200);
  };
  const unplug = (id: string) => {
    const body = { at: iso(service.clock.now()), registerWh };
    return service.ask("POST", `/machine/sessions/${id}/stop`, { as: backEnd, body });
  };
  const powerOf = async (id: string) =>
    (await service.ask("GET", `/driver/sessions/${id}/power`, { as: anna })).body.power as {
      at: string;
      powerW: number;
    }[];
  const socOf = async (id: string) => (await service.ask("GET", `/driver/sessions/${id}`, { as: anna })).body.soc;

  it("has the power that the meter reported, minute by minute, also when it is over", async () => {
    const id = await start({ energyNeedWh: 5000 });
    expect(await powerOf(id)).to.deep.equal([]);
    const said: { at: string; powerW: number }[] = [];
    for (const powerW of [6000, 7500, 0, 4200]) {
      await read(id, Math.round(powerW / 60), powerW);
      said.push({ at: iso(service.clock.now()), powerW });
    }
    expect(await powerOf(id)).to.deep.equal(said);
    expect((await unplug(id)).status).to.equal(200);
    expect(await powerOf(id)).to.deep.equal(said);
  });

  it("draws a long stay with means of equal spans, and no more than 301 of them", async () => {
    const id = await start({ energyNeedWh: 5000 });
    const { pluggedAt } = (await service.world.store.sessions.byId(id))!;
    const rows = Array.from({ length: 1000 }, (_, minute) => ({
      session_id: id,
      at: new Date((pluggedAt + 60 * minute) * 1000),
      register_wh: minute,
      // The mean of each four minutes, as the 999 minutes are drawn, is 1 W above their first.
      power_w: 1000 + (minute - (minute % 4)) + [0, 0, 2, 2][minute % 4]!,
    }));
    await service.db.insertInto("meter_reading").values(rows).execute();
    const drawn = await powerOf(id);
    expect(drawn).to.have.length(250);
    expect(drawn.map(({ at, powerW }) => [Date.parse(at) / 1000 - pluggedAt, powerW])).to.deep.equal(
      Array.from({ length: 250 }, (_, span) => [240 * span, 1000 + 4 * span + 1]),
    );
  });

  it("is ended from afar where the connector can, and says so", async () => {
    const id = await start({ energyNeedWh: 5000 });
    expect((await service.ask("POST", `/driver/sessions/${id}/stop`, { as: anna })).status).to.equal(204);
    expect(stops).to.deep.equal([{ sessionId: id, evseId: "north-1-1" }]);
    // The station says when it is over; until then the session is open.
    const open = await service.ask("GET", `/driver/sessions/${id}`, { as: anna });
    expect(open.body.session.unpluggedAt).to.equal(null);
    await unplug(id);
    const late = await service.ask("POST", `/driver/sessions/${id}/stop`, { as: anna });
    expect([late.status, late.body.type]).to.deep.equal([409, "/docs#closed"]);
    expect(stops).to.have.length(1);
  });

  it("tells the driver to unplug where the connector cannot end it", async () => {
    const id = await start({ energyNeedWh: 5000 });
    const before = await service.digest();
    // No connector of the CPO can, or this one cannot.
    for (const stopSession of [undefined, async () => false]) {
      service.world.cpo.stopSession = stopSession as never;
      const { status, body } = await service.ask("POST", `/driver/sessions/${id}/stop`, { as: anna });
      expect([status, body.type]).to.deep.equal([409, "/docs#stop-at-station"]);
      expect(body.detail).to.match(/Unplug the car/);
    }
    expect(await service.digest()).to.equal(before);
  });

  it("shows the state of charge that was stated and what the meter added, and how sure that is", async () => {
    const id = await start({ soc: { fromPercent: 40, toPercent: 80, batteryWh: 50_000 } });
    const stated = { source: "stated", at: null };
    expect(await socOf(id)).to.deep.equal({ percent: 40, leastPercent: 40, mostPercent: 40, ...stated });
    let addedWh = 0;
    for (const more of [1000, 2000, 3000, 16_000, 9000]) {
      await read(id, more, 6000);
      addedWh += more;
      const filled = (arrives: number) => 40 + (arrives * addedWh * 100) / 50_000;
      expect(await socOf(id), `${registerWh} Wh`).to.deep.equal({
        ...{ percent: Math.floor(filled(ARRIVES)), leastPercent: Math.floor(filled(0.8) + 1e-9) },
        ...{ mostPercent: Math.ceil(filled(0.95) - 1e-9), ...stated },
      });
    }
    await unplug(id);
    expect((await socOf(id)).percent).to.equal(Math.floor(40 + (31_000 * ARRIVES) / 500));
  });

  it("believes the car rather than its driver, and the driver again who says it later", async () => {
    const id = await start({ soc: { fromPercent: 40, toPercent: 80, batteryWh: 50_000 } });
    await read(id, 5000, 6000, 51);
    const heardAt = iso(service.clock.now());
    const heard = { source: "vehicle", at: heardAt };
    expect(await socOf(id)).to.deep.equal({ percent: 51, leastPercent: 51, mostPercent: 51, ...heard });
    await read(id, 5000, 6000);
    // 5 kWh more in a battery of 50 kWh: 8 to 9.5 %, most likely 8.8.
    expect(await socOf(id)).to.deep.equal({ percent: 59, leastPercent: 59, mostPercent: 61, ...heard });
    const departsAt = iso(service.clock.now() + 4 * 3600);
    const body = { soc: { fromPercent: 57, toPercent: 80, batteryWh: 50_000 }, departsAt };
    await service.ask("PUT", `/driver/sessions/${id}/request`, { as: anna, body });
    expect(await socOf(id)).to.include({ percent: 57, source: "stated" });
  });

  it("says of a car whose battery nobody knows no more than the car did", async () => {
    const id = await start({ energyNeedWh: 20_000 });
    await read(id, 100, 6000, 30);
    expect(await socOf(id)).to.include({ percent: 30, leastPercent: 30, mostPercent: 30 });
    await read(id, 5000, 6000);
    expect(await socOf(id)).to.include({ percent: 30, leastPercent: 30, mostPercent: 100 });
  });

  it("has the sun's share in its receipt, as far as the site's meter was heard", async () => {
    const site = await service.key("north", "hems");
    const id = await start({ energyNeedWh: 20_000 });
    for (let minute = 1; minute <= 46; minute++) {
      await service.pass(60);
      // Two quarters of an hour at 8 kW beside 2 kW of building and 5 kW of sun: half of all that is used.
      const readings = [{ at: iso(service.clock.now()), buildingW: 2000, pvW: 5000 }];
      await service.ask("POST", "/machine/groups/north-1/readings", { as: site, body: { readings } });
      if (minute > 30) continue;
      registerWh = Math.round((minute * 8000) / 60);
      const metered = [{ sessionId: id, at: iso(service.clock.now()), registerWh, powerW: 8000 }];
      await service.ask("POST", "/machine/meter-values", { as: backEnd, body: { readings: metered } });
    }
    await unplug(id);
    const { body } = await service.ask("GET", `/driver/sessions/${id}/receipt`, { as: anna });
    expect(body).to.deep.include({ energyWh: 4000 });
    expect(body.solar.ofWh).to.equal(4000);
    // The site's meter speaks for the first time after a minute.
    expect(body.solar.solarWh).to.be.within(1900, 2010);
  });

  it("says why it does not charge, by a word that pages translate and in English", async () => {
    const pauseOf = async (id: string) => {
      const { live } = (await service.ask("GET", `/driver/sessions/${id}`, { as: anna })).body;
      return [live.pause, live.pausedBecause];
    };
    const id = await start({ energyNeedWh: 5000, notBefore: iso(service.clock.now() + 3 * 3600) });
    expect(await pauseOf(id)).to.deep.equal(["not-yet", "The planned start has not come yet."]);
    await read(id, 100, 6000);
    expect(await pauseOf(id)).to.deep.equal([null, null]);
    await read(id, 4900, 0);
    expect((await pauseOf(id))[0]).to.equal("done");
  });

  it("never shows more than a full battery", async () => {
    const id = await start({ soc: { fromPercent: 90, toPercent: 100, batteryWh: 20_000 } });
    await read(id, 9000, 6000);
    expect((await socOf(id)).percent).to.equal(100);
  });

  it("counts from the latest word of the driver, and shows nothing without one", async () => {
    const id = await start({ energyNeedWh: 5000 });
    await read(id, 2000, 6000);
    expect(await socOf(id)).to.equal(null);
    const departsAt = iso(service.clock.now() + 4 * 3600);
    const ask = async (body: object) => {
      const said = await service.ask("PUT", `/driver/sessions/${id}/request`, { as: anna, body });
      expect(said.body.kind, JSON.stringify(said.body)).to.equal("accepted");
    };
    await ask({ soc: { fromPercent: 60, toPercent: 80, batteryWh: 50_000 }, departsAt });
    expect((await socOf(id)).percent).to.equal(60);
    await read(id, 5000, 6000);
    expect((await socOf(id)).percent).to.equal(Math.floor(60 + (5000 * ARRIVES) / 500));
    await ask({ soc: { fromPercent: 50, toPercent: 80, batteryWh: 50_000 }, departsAt });
    await read(id, 1000, 6000);
    expect((await socOf(id)).percent).to.equal(51);
    await ask({ energyNeedWh: 9000, departsAt });
    expect(await socOf(id)).to.equal(null);
  });

  it("takes the battery of the driver's preferences where the wish names none", async () => {
    const preferences = { optIn: true, energyNeedWh: null, stayS: null, batteryWh: 40_000, cannotPause: false };
    await service.ask("PUT", "/driver/preferences", { as: anna, body: preferences });
    const id = await start({ soc: { fromPercent: 20, toPercent: 60 } });
    await read(id, 4000, 6000);
    expect((await socOf(id)).percent).to.equal(Math.floor(20 + (4000 * ARRIVES) / 400));
  });
});
