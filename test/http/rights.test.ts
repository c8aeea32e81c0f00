import { expect } from "chai";
import { computeAddress } from "ethers";
import { iso, PASSWORD, type Service, startService, type Who } from "./service.ts";

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
