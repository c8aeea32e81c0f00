import { expect } from "chai";
import { getAddress } from "ethers";
import { iso, PASSWORD, type Service, startService, type Who } from "./service.ts";

const OWN = getAddress(`0x${"ab".repeat(20)}`);

describe("HTTP: what drivers take out", () => {
  let service: Service;
  let anna: Who;
  let announced = { amountMicroEur: 0n, readyAt: 0 };
  const ask = (method: string, path: string, body?: unknown) =>
    service.ask(method, path, { as: anna, ...(body === undefined ? {} : { body }) });
  const taken = () => service.db.updateTable("outbox").set({ state: "final" }).execute();
  const sessions = async () =>
    (
      await service.db
        .selectFrom("account_session" as never)
        .selectAll()
        .execute()
    ).length;

  before(async () => {
    service = await startService();
    service.chain.withdrawal = async () => announced;
    anna = await service.signUp("anna");
  });
  after(() => service?.close());

  it("say what there is, what is announced and what happens next", async () => {
    expect((await ask("GET", "/driver/withdrawal")).body).to.deep.equal({
      ...{ availableMicroEur: "50000000", unbookedMicroEur: "0", announcedMicroEur: "0", readyAt: null, noticeS: 0 },
      ...{ underWay: null, next: "Announce a withdrawal. Until you make it, the money can still pay your bills." },
    });
    const { status, body } = await ask("POST", "/driver/withdrawal/announcement", { amountMicroEur: "50000000" });
    expect(status).to.equal(202);
    const until = iso(service.clock.now() + 86_400);
    const wish = { kind: "announce", amountMicroEur: "50000000", to: null, validUntil: until, refusedBecause: null };
    expect(body.underWay).to.deep.equal(wish);
    expect(body.next).to.match(/^Wait until the chain/);
    const again = await ask("POST", "/driver/withdrawal/announcement", { amountMicroEur: "1" });
    expect(again.body.type).to.equal("/docs#payout-waits");
    await taken();
    announced = { amountMicroEur: 50_000_000n, readyAt: service.clock.now() + 60 };
    const waiting = (await ask("GET", "/driver/withdrawal")).body;
    expect(waiting).to.include({ announcedMicroEur: "50000000", readyAt: iso(announced.readyAt), underWay: null });
    expect(waiting.next).to.contain(`Withdraw from ${iso(announced.readyAt)} on.`);
  });

  it("need the password again, the end of the notice and an address that was copied whole", async () => {
    const take = (part: object = {}) =>
      ask("POST", "/driver/withdrawal", { amountMicroEur: "20000000", to: OWN, password: PASSWORD, ...part });
    const type = async (part: object = {}) => (await take(part)).body.type;
    const before = [await sessions(), await service.digest()];
    expect(await type({ password: "something else" })).to.equal("/docs#wrong-credentials");
    expect(await type()).to.equal("/docs#notice-runs");
    expect(await type({ to: OWN.replace("a", "A") })).to.equal("/docs#invalid-request");
    expect(await type({ to: OWN.slice(0, -1) })).to.equal("/docs#invalid-request");
    expect(await type({ to: `0x${"00".repeat(20)}` })).to.equal("/docs#bad-address");
    expect([await sessions(), await service.digest()], "nothing is left behind").to.deep.equal(before);
    await service.pass(60);
    const { status, body } = await take({ to: OWN.toLowerCase() });
    expect(status).to.equal(202);
    expect(body.underWay).to.include({ kind: "withdraw", to: OWN, amountMicroEur: "20000000" });
    await service.db.updateTable("outbox").set({ state: "blocked", error: "InsufficientBalance(1)" }).execute();
    const refused = (await ask("GET", "/driver/withdrawal")).body;
    expect(refused.underWay.refusedBecause).to.equal("InsufficientBalance(1)");
    expect(refused.next).to.match(/^The chain refuses what you asked for/);
    await taken();
  });

  it("turn FLEX into tokens, with the password", async () => {
    const claim = (password: string) => ask("POST", "/driver/flex/claim", { to: OWN, password });
    expect((await claim("something else")).status).to.equal(401);
    const { status, body } = await claim(PASSWORD);
    expect([status, body.underWay.kind, body.underWay.to]).to.deep.equal([202, "claim", OWN]);
  });

  it("say so when the chain is away", async () => {
    service.chain.away = true;
    expect((await ask("GET", "/driver/withdrawal")).status).to.equal(503);
    service.chain.away = false;
  });
});
