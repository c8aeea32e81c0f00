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
  after(() => service.close());

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
    // The hash on chain is what anybody computes from the text and the salt.
    expect(service.world.ledger.leaf(receipt.body.salt, receipt.body.receipt)).to.equal(receipt.body.detailHash);
    const mine = await service.ask("GET", "/driver/sessions", { as: anna });
    expect(mine.body.sessions.map((one: { id: string; energyWh: number }) => [one.id, one.energyWh])).to.deep.equal([
      [id, 200],
    ]);
  });
});
