import { expect } from "chai";
import { computeAddress } from "ethers";
import { iso, PASSWORD, type Service, startService, type Who } from "./service.ts";

describe("HTTP: a driver who wants to be forgotten", () => {
  let service: Service;
  let anna: Who;
  let driverId: string;
  const forget = (body: object = {}) =>
    service.ask("POST", "/driver/erasure", { as: anna, body: { password: PASSWORD, ...body } });
  const type = async (body: object = {}) => (await forget(body)).body.type;

  before(async () => {
    service = await startService();
    anna = await service.signUp("anna");
    driverId = (await service.ask("GET", "/account", { as: anna })).body.driverId;
  });
  after(() => service?.close());

  it("says the password again, pays what is owed, and takes out or gives up what is left", async () => {
    const before = await service.digest();
    expect(await type({ password: "something else" })).to.equal("/docs#wrong-credentials");
    expect(await type()).to.equal("/docs#balance-left");
    service.chain.owed = async () => 1n;
    expect(await type({ giveUp: true })).to.equal("/docs#debt-left");
    service.chain.owed = async () => 0n;
    service.chain.away = true;
    expect(await type({ giveUp: true })).to.equal("/docs#chain-away");
    service.chain.away = false;
    expect(await service.digest()).to.equal(before);
    const fault = (await forget({ giveUp: false })).body.errors[0];
    expect(fault.pointer).to.equal("#/giveUp");
  });

  it("is signed out, has no account any more, and can begin anew as somebody else", async () => {
    const { status, body, headers } = await forget({ giveUp: true });
    expect(status).to.equal(200);
    expect(body).to.include({ givenUpMicroEur: "50000000", givenUpFlexWh: 12_500 });
    expect(body.erasedAt).to.equal(iso(service.clock.now()));
    expect(headers.getSetCookie().join()).to.contain("Max-Age=0");
    expect((await service.ask("GET", "/driver/balance", { as: anna })).status).to.equal(401);
    const credentials = { email: "anna@example.org", password: PASSWORD };
    expect((await service.ask("POST", "/account/sign-in", { body: credentials })).status).to.equal(401);
    expect((await service.world.store.drivers.byId(driverId))!).to.include({ name: "", accountId: null });
    const again = await service.signUp("anna");
    const { body: account } = await service.ask("GET", "/account", { as: again });
    expect(account.driverId).not.to.equal(driverId);
  });

  it("whose account outlived the erasure, because the service died between the two, only asks again", async () => {
    anna = await service.signUp("late");
    const { body: account } = await service.ask("GET", "/account", { as: anna });
    await service.world.store.drivers.erase(account.driverId, service.clock.now());
    expect(await type({ password: "something else" })).to.equal("/docs#wrong-credentials");
    expect((await forget()).status).to.equal(200);
    expect((await service.ask("GET", "/account", { as: anna })).status).to.equal(401);
  });
});

describe("HTTP: a driver's own key", () => {
  let service: Service;
  let anna: Who;
  const take = (body: object) => service.ask("POST", "/driver/key/export", { as: anna, body });
  before(async () => {
    service = await startService();
    anna = await service.signUp("anna");
  });
  after(() => service?.close());

  it("is given only for the password, said again, and with the word that the driver knows what it means", async () => {
    const before = await service.digest();
    expect((await take({ password: "something else", understood: true })).body.type).to.equal(
      "/docs#wrong-credentials",
    );
    expect((await take({ password: PASSWORD, understood: false })).body.type).to.equal("/docs#invalid-request");
    expect((await take({ password: PASSWORD })).body.type).to.equal("/docs#invalid-request");
    expect(await service.digest()).to.equal(before);
  });

  it("is the key of the driver's address, and each time says when it was taken out before", async () => {
    const { address } = (await service.ask("GET", "/account", { as: anna })).body;
    const first = await take({ password: PASSWORD, understood: true });
    expect(first.status).to.equal(200);
    expect(first.headers.get("cache-control")).to.equal("no-store");
    expect(first.body).to.include({ address, exportedBefore: null });
    expect(first.body.meaning).to.match(/^Whoever holds this key can spend/);
    expect(computeAddress(first.body.privateKey)).to.equal(address);
    const at = service.clock.now();
    await service.pass(60);
    const second = await take({ password: PASSWORD, understood: true });
    expect(second.body).to.include({ privateKey: first.body.privateKey, exportedBefore: iso(at) });
  });
});
