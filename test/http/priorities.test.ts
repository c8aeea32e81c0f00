import { expect } from "chai";
import { iso, NOON, type Service, startService, type Who } from "./service.ts";

const HOUR = 3600;

describe("HTTP: what drivers may wish", () => {
  let service: Service;
  let anna: Who;
  let staff: Who;
  before(async () => {
    service = await startService();
    anna = await service.signUp("anna");
    staff = await service.staff("north");
  });
  after(() => service?.close());

  const start = async (evseId: string, wish: object, as = anna) =>
    service.ask("POST", "/driver/sessions", { as, body: { evseId, optIn: true, requestId: `at ${evseId}`, ...wish } });
  const idAt = (evseId: string) =>
    Object.values(service.world.board.groups["north-1"]!.sessions).find((one) => one.evseId === evseId)!.sessionId;

  it("80 % in three hours, a part of it first, with the battery of the preferences", async () => {
    const wish = {
      soc: { fromPercent: 50, toPercent: 80 },
      withinS: 3 * HOUR,
      first: { toPercent: 60, withinS: HOUR },
    };
    const without = await start("north-1-1", wish);
    expect(without.status).to.equal(201);
    expect(without.body.answer, "the car is plugged in, the wish is no wish yet").to.equal(null);
    expect(without.body.problem.detail).to.contain("battery");
    expect(without.body.problem.type).to.match(/^\/docs#/);

    const preferences = { optIn: true, energyNeedWh: null, stayS: null, batteryWh: 50_000 };
    await service.ask("PUT", "/driver/preferences", { as: anna, body: preferences });
    const asked = await service.ask("PUT", `/driver/sessions/${idAt("north-1-1")}/request`, { as: anna, body: wish });
    expect(asked.status, JSON.stringify(asked.body)).to.equal(200);
    // 30 % and 10 % of 50 kWh, at 88 % of what is drawn.
    expect(asked.body.promise).to.deep.include({
      energyWh: 17_046,
      by: iso(NOON + 3 * HOUR),
      first: { energyWh: 5_682, by: iso(NOON + HOUR), missingWh: null, outcome: null },
    });
  });

  it("says with a pointer what a wish lacks or says twice", async () => {
    const path = `/driver/sessions/${idAt("north-1-1")}/request`;
    const departsAt = iso(NOON + 2 * HOUR);
    for (const [body, pointer] of [
      [{ departsAt }, "#/energyNeedWh"],
      [{ energyNeedWh: 5_000 }, "#/departsAt"],
      [{ energyNeedWh: 5_000, departsAt, withinS: 600 }, "#/withinS"],
      [{ energyNeedWh: 5_000, departsAt, soc: { fromPercent: 10, toPercent: 20 } }, "#/energyNeedWh"],
      [{ soc: { fromPercent: 40, toPercent: 20 }, departsAt }, "#/soc/toPercent"],
      [{ energyNeedWh: 5_000, departsAt, first: { toPercent: 20, withinS: 600 } }, "#/first/toPercent"],
      [{ energyNeedWh: 5_000, departsAt, first: { energyWh: 1_000 } }, "#/first"],
      [{ energyNeedWh: 5_000, departsAt, strategy: "cheap" }, "#/strategy"],
      [{ energyNeedWh: 5_000, departsAt, notBefore: departsAt }, "#/notBefore"],
      [{ energyNeedWh: 5_000, departsAt, first: { energyWh: 6_000, withinS: 600 } }, "#/first"],
    ] as const) {
      const { status, body: problem } = await service.ask("PUT", path, { as: anna, body });
      expect(status, JSON.stringify(body)).to.be.oneOf([400, 422]);
      expect(
        problem.errors?.map((fault: { pointer: string }) => fault.pointer),
        JSON.stringify(body),
      ).to.include(pointer);
    }
  });

  it("as fast as possible, by the earliest time that can be promised; the same request again changes nothing", async () => {
    const wish = { energyNeedWh: 5_000, strategy: "fastest", cannotPause: true };
    const fastest = await start("north-1-2", wish);
    expect(fastest.body.answer, JSON.stringify(fastest.body)).to.include({ kind: "accepted" });
    const by = Date.parse(fastest.body.answer.promise.by) / 1000;
    expect(by).to.be.within(NOON + 28 * 60, NOON + 60 * 60);
    await service.pass(2);
    const again = await start("north-1-2", wish);
    expect(again.status).to.equal(200);
    const { energyWh, version, by: same } = fastest.body.answer.promise;
    expect(again.body.answer.promise).to.include({ energyWh, version, by: same });
    const { body } = await service.ask("GET", `/driver/sessions/${idAt("north-1-2")}`, { as: anna });
    expect(body.live).to.include({ cannotPause: true, boost: null, notBefore: null });
    expect(body.live.marginWh).to.be.at.least(0);
    expect(Date.parse(body.live.promiseReadyAt) / 1000).to.be.at.most(by);
  });

  it("shows both counter-offers, the proof that more did not fit, and takes the later one", async () => {
    const departsAt = iso(service.clock.now() + HOUR);
    const started = await start("north-1-3", { energyNeedWh: 15_000, departsAt });
    const { answer } = started.body;
    expect(answer, JSON.stringify(started.body)).to.include({ kind: "counter-offer" });
    expect(answer.laterAt).to.be.a("string");
    const id = idAt("north-1-3");
    const seen = await service.ask("GET", `/driver/sessions/${id}`, { as: anna });
    expect(seen.body.admission).to.include({ kind: "counter-offered", laterAt: answer.laterAt });
    const { body } = await service.ask("GET", `/driver/sessions/${id}/refusals`, { as: anna });
    expect(body.refusals).to.have.length(1);
    expect(body.refusals[0]).to.include({ wishedWh: 15_000, wishedBy: departsAt, shortfallWh: answer.shortfallWh });
    expect(body.refusals[0].proof.problem).to.match(/^0x[0-9a-f]{300,}$/);
    expect((await service.ask("GET", `/cpo/sessions/${id}/refusals`, { as: staff })).body).to.deep.equal(body);

    const taken = await service.ask("POST", `/driver/sessions/${id}/offer`, {
      as: anna,
      body: { accept: true, which: "later" },
    });
    expect(taken.status, JSON.stringify(taken.body)).to.equal(200);
    expect(taken.body).to.include({ energyWh: 15_000, by: answer.laterAt, state: "accepted", version: 2 });
  });

  it("boosts, shows what is granted, keeps the history and ends", async () => {
    const id = idAt("north-1-1");
    const path = `/driver/sessions/${id}/boost`;
    expect((await service.ask("DELETE", path, { as: anna })).body).to.include({ type: "/docs#no-boost" });
    const late = await service.ask("POST", path, { as: anna, body: { until: iso(NOON + 48 * HOUR) } });
    expect(late.body).to.include({ type: "/docs#bad-boost" });
    expect(late.body.errors[0].pointer).to.equal("#/until");

    const boosted = await service.ask("POST", path, { as: anna, body: { energyWh: 2_000 } });
    expect(boosted.status, JSON.stringify(boosted.body)).to.equal(200);
    expect(boosted.body.boost).to.include({ sessionId: id, askedBy: "driver", energyWh: 2_000, ended: null });
    expect(boosted.body.note).to.contain("no FLEX");
    const seen = await service.ask("GET", `/driver/sessions/${id}`, { as: anna });
    expect(seen.body.live.boost).to.include({ energyWh: 2_000, limitW: boosted.body.limitW });
    expect((await service.ask("DELETE", path, { as: anna })).status).to.equal(204);

    const byStaff = await service.ask("POST", `/cpo/sessions/${id}/boost`, { as: staff, body: {} });
    expect(byStaff.body.boost).to.include({ askedBy: "cpo" });
    expect((await service.ask("DELETE", `/cpo/sessions/${id}/boost`, { as: staff })).status).to.equal(204);
    const history = await service.ask("GET", `/driver/sessions/${id}/boosts`, { as: anna });
    expect(history.body.boosts.map((one: { ended: string }) => one.ended)).to.deep.equal(["cancelled", "cancelled"]);
    expect(history.body.grants.length).to.be.at.least(2);
    const ofGroup = await service.ask("GET", "/cpo/groups/north-1/boosts", { as: staff });
    expect(ofGroup.body.boosts.map((one: { askedBy: string }) => one.askedBy)).to.deep.equal(["cpo", "driver"]);
  });

  it("holds the least power of a car that cannot pause, by the driver's preferences too", async () => {
    const ben = await service.signUp("ben");
    const preferences = { optIn: true, energyNeedWh: null, stayS: null, batteryWh: null, cannotPause: true };
    await service.ask("PUT", "/driver/preferences", { as: ben, body: preferences });
    const stop = { at: iso(service.clock.now()), registerWh: 0 };
    const backEnd = await service.key("north", "cpo");
    await service.ask("POST", `/machine/sessions/${idAt("north-1-3")}/stop`, { as: backEnd, body: stop });
    const started = await start("north-1-3", { energyNeedWh: 3_000, withinS: 6 * HOUR }, ben);
    expect(started.status, JSON.stringify(started.body)).to.equal(201);
    const seen = await service.ask("GET", `/driver/sessions/${started.body.session.id}`, { as: ben });
    expect(seen.body.live).to.include({ cannotPause: true });
  });

  it("lets staff set what an EVSE does by day and by night", async () => {
    const path = "/cpo/evses/north-1-2/strategies";
    expect((await service.ask("GET", path, { as: staff })).body).to.deep.equal({ evseId: "north-1-2", windows: [] });
    const window = { fromMinute: 1200, toMinute: 360, energyWh: 30_000 };
    const night = { ...window, strategy: { kind: "until", minute: 420, notBeforeMinute: 1380 } };
    const set = await service.ask("PUT", path, { as: staff, body: { windows: [night] } });
    expect(set.status, JSON.stringify(set.body)).to.equal(200);
    expect((await service.ask("GET", path, { as: staff })).body).to.deep.equal(set.body);
    const twice = await service.ask("PUT", path, { as: staff, body: { windows: [night, night] } });
    expect(twice.body).to.include({ type: "/docs#bad-strategy", status: 422 });
    const odd = { ...night, strategy: { kind: "slow" } };
    expect((await service.ask("PUT", path, { as: staff, body: { windows: [odd] } })).status).to.equal(400);
  });
});
