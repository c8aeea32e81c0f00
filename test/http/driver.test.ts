import { expect } from "chai";
import { iso, NOON, type Service, startService, type Who } from "./service.ts";

describe("HTTP: a driver's session", () => {
  let service: Service;
  let anna: Who;
  let backEnd: Who;
  before(async () => {
    service = await startService();
    anna = await service.signUp("anna");
    backEnd = await service.key("north", "cpo");
  });
  after(() => service?.close());

  it("gives a new driver a wallet", async () => {
    const { status, body } = await service.ask("GET", "/account", { as: anna });
    expect(status).to.equal(200);
    expect(body).to.include({ email: "anna@example.org", kind: "driver" });
    expect(body.address).to.match(/^0x[0-9a-fA-F]{40}$/);
  });

  it("runs from the scan to the receipt", async () => {
    const scan = await service.ask("GET", "/driver/evses/north-1-1", { as: anna });
    expect(scan.body).to.include({ free: true, maxPowerW: 11_000, pricePerKwhMicroEur: "350000" });

    const wish = {
      evseId: "north-1-1",
      optIn: true,
      energyNeedWh: 10_000,
      departsAt: iso(NOON + 4 * 3600),
      requestId: "first",
    };
    const started = await service.ask("POST", "/driver/sessions", { as: anna, body: wish });
    expect(started.status, JSON.stringify(started.body)).to.equal(201);
    expect(started.body.answer).to.deep.include({ kind: "accepted" });
    expect(started.body.answer.promise).to.include({ energyWh: 10_000, by: iso(NOON + 4 * 3600), state: "accepted" });
    const { id } = started.body.session;

    const before = await service.digest();
    const again = await service.ask("POST", "/driver/sessions", { as: anna, body: wish });
    expect(again.status).to.equal(200);
    expect(again.body).to.deep.equal(started.body);
    expect(await service.digest()).to.equal(before);

    await service.pass(5);
    expect(service.sent).not.to.have.length(0);
    const profiles = await service.ask("GET", "/machine/profiles", { as: backEnd });
    const [profile] = profiles.body.profiles;
    expect(profile).to.include({ sessionId: id, evseId: "north-1-1", state: "sent" });
    const path = `/machine/profiles/${encodeURIComponent(profile.id)}/answer`;
    const answer = { state: "applied", at: iso(service.clock.now()) };
    expect((await service.ask("POST", path, { as: backEnd, body: answer })).status).to.equal(204);

    await service.pass(60);
    const reading = { sessionId: id, at: iso(service.clock.now()), registerWh: 100, powerW: 6000 };
    const values = await service.ask("POST", "/machine/meter-values", { as: backEnd, body: { readings: [reading] } });
    expect(values.body).to.deep.equal({ accepted: 1, duplicates: 0, refused: [] });
    const twice = await service.ask("POST", "/machine/meter-values", { as: backEnd, body: { readings: [reading] } });
    expect(twice.body).to.deep.equal({ accepted: 0, duplicates: 1, refused: [] });

    const watched = await service.ask("GET", `/driver/sessions/${id}`, { as: anna });
    expect(watched.status, JSON.stringify(watched.body)).to.equal(200);
    expect(watched.body).to.deep.include({
      deliveredWh: 100,
      wish: { energyNeedWh: 10_000, departsAt: wish.departsAt },
    });
    expect(watched.body.live.limits).to.include({ measuredW: 6000 });
    expect((await service.ask("GET", `/driver/sessions/${id}/receipt`, { as: anna })).body.type).to.equal(
      "/docs#no-settlement",
    );

    await service.pass(60);
    const stop = { at: iso(service.clock.now()), registerWh: 200 };
    const stopped = await service.ask("POST", `/machine/sessions/${id}/stop`, { as: backEnd, body: stop });
    expect(stopped.status, JSON.stringify(stopped.body)).to.equal(200);
    expect(stopped.body).to.include({ energyWh: 200 });
    const settled = await service.digest();
    const repeated = await service.ask("POST", `/machine/sessions/${id}/stop`, { as: backEnd, body: stop });
    expect(repeated.body).to.deep.equal(stopped.body);
    expect(await service.digest()).to.equal(settled);

    const receipt = await service.ask("GET", `/driver/sessions/${id}/receipt`, { as: anna });
    expect(receipt.body).to.deep.include(stopped.body);
    expect(receipt.body.solar, "without a site meter").to.equal(null);
    // The hash on chain is what anybody computes from the text and the salt.
    expect(service.world.ledger.leaf(receipt.body.salt, receipt.body.receipt)).to.equal(receipt.body.detailHash);
    const mine = await service.ask("GET", "/driver/sessions", { as: anna });
    expect(mine.body.sessions.map((one: { id: string; energyWh: number }) => [one.id, one.energyWh])).to.deep.equal([
      [id, 200],
    ]);
  });

  const start = (who: Who, evseId: string, more: object) =>
    service.ask("POST", "/driver/sessions", { as: who, body: { evseId, ...more } });
  const in2h = () => iso(service.clock.now() + 7200);

  it("offers less when the group is full, holds the offer for two minutes, and takes the answer", async () => {
    const [ben, cleo, dora] = [await service.signUp("ben"), await service.signUp("cleo"), await service.signUp("dora")];
    await service.pass(900 - (service.clock.now() % 900));
    // 22 kW for 2 h are 44 kWh; each car can take 22 kWh of them.
    const wish = { optIn: true, energyNeedWh: 20_000, departsAt: in2h() };
    expect((await start(ben, "south-1-1", wish)).body.answer.kind).to.equal("accepted");
    expect((await start(cleo, "south-1-2", wish)).body.answer.kind).to.equal("accepted");
    const third = await start(dora, "south-1-3", wish);
    expect(third.status).to.equal(201);
    const { answer, session } = third.body;
    expect(answer).to.include({ kind: "counter-offer" });
    expect(answer.promise).to.include({ state: "offered", expiresAt: iso(service.clock.now() + 120) });
    expect(answer.promise.energyWh).to.be.within(3000, 4000);
    expect(answer.promise.energyWh + answer.shortfallWh).to.equal(20_000);
    expect(Date.parse(answer.laterAt)).to.be.above(Date.parse(wish.departsAt));

    const taken = await service.ask("POST", `/driver/sessions/${session.id}/offer`, {
      as: dora,
      body: { accept: true },
    });
    expect(taken.body).to.include({ state: "accepted", energyWh: answer.promise.energyWh, expiresAt: null });
    const before = await service.digest();
    const again = await service.ask("POST", `/driver/sessions/${session.id}/offer`, {
      as: dora,
      body: { accept: true },
    });
    expect(again.body).to.deep.equal(taken.body);
    expect(await service.digest()).to.equal(before);

    const more = { energyNeedWh: 21_000, departsAt: wish.departsAt };
    const amended = await service.ask("PUT", `/driver/sessions/${session.id}/request`, { as: dora, body: more });
    expect(amended.body).to.include({ kind: "not-possible" });
    expect(amended.body.detail)
      .to.match(/promise that stands is kept/)
      .and.contain(`at most ${amended.body.energyWh} Wh`);
  });

  it("lets an offer expire", async () => {
    const eve = await service.signUp("eve");
    await service.ask("PUT", "/cpo/tariff", {
      as: await service.staff("north"),
      body: { pricePerKwhMicroEur: "350000" },
    });
    const limit = { kind: "operator", limitW: 5000, from: iso(service.clock.now()), until: null };
    await service.ask("POST", "/cpo/groups/north-1/limits", { as: await service.staff("north"), body: limit });
    await service.pass(5);
    const { body } = await start(eve, "north-1-3", { optIn: true, energyNeedWh: 30_000, departsAt: in2h() });
    expect(body.answer.kind).to.equal("counter-offer");
    await service.pass(130);
    const path = `/driver/sessions/${body.session.id}/offer`;
    const late = await service.ask("POST", path, { as: eve, body: { accept: true } });
    expect(late.status, JSON.stringify(late.body)).to.equal(409);
    const watched = await service.ask("GET", `/driver/sessions/${body.session.id}`, { as: eve });
    expect(watched.body.session.mode).to.equal("best-effort");
  });

  it("gives who opts out full power, or says what is left", async () => {
    const finn = await service.signUp("finn");
    const out = await start(finn, "north-1-2", { optIn: false });
    expect(out.status).to.equal(201);
    expect(out.body.session.mode).to.equal("opted-out");
    expect(out.body.answer).to.include({ kind: "limited" });
    expect(out.body.answer.limitW).to.be.at.most(5000);
  });

  it("opens no more than three sessions for one driver", async () => {
    const gus = await service.signUp("gus");
    const staff = await service.staff("south");
    const evses = [1, 2, 3, 4].map((n) => ({ id: `many-${n}`, maxPowerW: 11_000, phases: 3 }));
    const group = {
      id: "many",
      supplyLimitW: 40_000,
      limitKind: "contract",
      feedInMicroEurPerKwh: "0",
      evses,
      pvs: [],
    };
    const location = { id: "many", name: "Many", timeZone: "UTC" };
    const tariff = { id: "south-tariff", pricePerKwhMicroEur: "350000" };
    const site = { payee: `0x${"13".repeat(20)}`, location, tariff, groups: [group] };
    expect((await service.ask("POST", "/cpo/sites", { as: staff, body: site })).status).to.equal(201);
    const said = [];
    for (const { id } of evses) said.push((await start(gus, id, { optIn: false })).status);
    expect(said).to.deep.equal([201, 201, 201, 409]);
  });

  it("keeps a driver's preferences", async () => {
    const mine = {
      optIn: true,
      energyNeedWh: 12_000,
      stayS: 28_800,
      batteryWh: 60_000,
      targetPercent: 90,
      cannotPause: true,
    };
    expect((await service.ask("PUT", "/driver/preferences", { as: anna, body: mine })).status).to.equal(200);
    expect((await service.ask("GET", "/driver/preferences", { as: anna })).body).to.deep.equal(mine);
  });

  it("redeems FLEX once at a time", async () => {
    const me = (await service.ask("GET", "/account", { as: anna })).body;
    const [bill] = await service.world.store.bills.ofDriver(me.driverId, 10);
    await service.db
      .updateTable("settlement")
      .set({ flex_wh: 900 })
      .where("session_id", "=", bill!.sessionId)
      .execute();
    const flex = await service.ask("GET", "/driver/flex", { as: anna });
    expect(flex.body).to.deep.include({ balanceWh: 12_500, earnedWh: 900 });
    expect(flex.body.offers[0]).to.deep.equal({ cpoId: "north", pricePerKwhMicroEur: "45000", potMicroEur: "1000000" });
    const redeem = () =>
      service.ask("POST", "/driver/flex/redemptions", { as: anna, body: { cpoId: "north", wh: 500 } });
    const first = await redeem();
    expect(first.status).to.equal(202);
    expect(first.body.key).to.match(new RegExp(`^redeem:${me.address}:0:[0-9a-f]{16}$`));
    const before = await service.digest();
    expect((await redeem()).body.type).to.equal("/docs#redemption-waits");
    expect(await service.digest()).to.equal(before);
  });
});
