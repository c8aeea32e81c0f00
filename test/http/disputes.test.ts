import { expect } from "chai";
import { followDisputes } from "../../backend/usecases/followDisputes.ts";
import type { WatchedEvent } from "../../backend/usecases/ports.ts";
import { postBills } from "../../backend/usecases/postBills.ts";
import { iso, type Service, startService, type Who } from "./service.ts";

const WINDOW_S = 2 * 86_400;
const REASON = { reason: "My car stood there,\nbut it did not charge." };
type Said<Event> = Event extends unknown ? Omit<Event, "at" | "cpo"> : never;

describe("HTTP: disputes", () => {
  let service: Service;
  let people: Readonly<Record<"anna" | "ben" | "staff" | "south" | "arbiter" | "auditor", Who>>;
  let block = 0;

  /** A block in which the chain says this of the north. */
  const chainSays = (...events: readonly Said<WatchedEvent>[]) =>
    followDisputes(service.world, {
      since: async () => {
        const at = service.clock.now();
        return { block: ++block, at, events: events.map((event) => ({ at, cpo: 1, ...event })) };
      },
    });
  const ask = (who: keyof typeof people, method: string, path: string, body?: unknown) =>
    service.ask(method, path, { as: people[who], ...(body === undefined ? {} : { body }) });

  /** A session of the driver at the north, with its bill in a batch of its own. */
  async function aBill(who: "anna" | "ben", sessionId: string, wh: number): Promise<number> {
    const backEnd = await service.key("north", "cpo");
    const { driverId } = (await ask(who, "GET", "/account")).body;
    const plugIn = { sessionId, evseId: "north-1-1", driverId, at: iso(service.clock.now()), registerWh: 0 };
    await service.ask("POST", "/machine/sessions", { as: backEnd, body: plugIn });
    await service.pass(1800);
    const stop = { at: iso(service.clock.now()), registerWh: wh };
    const stopped = await service.ask("POST", `/machine/sessions/${sessionId}/stop`, { as: backEnd, body: stop });
    expect(stopped.body).to.deep.include({
      state: { kind: "waiting", until: null, refundMicroEur: "0", flexDeltaWh: 0 },
    });
    await postBills(service.world, true);
    return stopped.body.sessionNumber;
  }

  before(async () => {
    service = await startService({ windowS: WINDOW_S });
    people = {
      anna: await service.signUp("anna"),
      ben: await service.signUp("ben"),
      staff: await service.staff("north"),
      south: await service.staff("south"),
      arbiter: await service.arbiter(),
      auditor: await service.auditor(),
    };
  });
  after(() => service?.close());

  let number: number;
  let until: string;
  it("say until when a bill can be disputed, what it costs and what happens next", async () => {
    expect((await ask("anna", "GET", "/driver/sessions/s1/dispute")).body).to.include({
      type: "/docs#unknown-session",
    });
    number = await aBill("anna", "s1", 4000);
    const waiting = await ask("anna", "GET", "/driver/sessions/s1/dispute");
    expect(waiting.body.bill.state.kind).to.equal("posting");
    expect(waiting.body.next).to.contain("can be disputed for 2 days");
    const early = await ask("anna", "POST", "/driver/sessions/s1/dispute", REASON);
    expect(early).to.deep.include({ status: 409 });
    expect(early.body.type).to.equal("/docs#not-posted");
    await chainSays({ kind: "posted", seq: 1 });
    until = iso(service.clock.now() + WINDOW_S - 120);
    const { body } = await ask("anna", "GET", "/driver/sessions/s1/dispute");
    expect(body.bill.state).to.include({ kind: "open", until });
    expect(body).to.include({ windowS: WINDOW_S, termS: 30 * 86_400, costMicroEur: "0", reason: null, openedAt: null });
    expect(body.next)
      .to.contain(until)
      .and.to.match(/once.*costs nothing.*arbiter.*30 days/);
    expect((await ask("anna", "GET", "/driver/settlements")).body.settlements[0].state).to.include({ kind: "open" });
  });

  it("refuse what cannot be meant, with its place", async () => {
    for (const [body, words] of [
      [{}, /Give text/],
      [{ reason: "  " }, /in a few words/],
      [{ reason: "x".repeat(2001) }, /2000 characters/],
      [{ reason: "a\u0000b" }, /control characters/],
      [{ reason: "a", refundMicroEur: "1" }, /not known here/],
    ] as const) {
      const { status, body: problem } = await ask("anna", "POST", "/driver/sessions/s1/dispute", body);
      expect(status, JSON.stringify(body).slice(0, 40)).to.equal(400);
      expect(problem.errors[0].detail).to.match(words);
    }
  });

  it("are asked by the driver alone, once, while the chain is there", async () => {
    const somebodyElse = await ask("ben", "POST", "/driver/sessions/s1/dispute", REASON);
    expect(somebodyElse.body).to.include({ type: "/docs#unknown-session", status: 404 });
    service.chain.away = true;
    const away = await ask("anna", "POST", "/driver/sessions/s1/dispute", REASON);
    expect(away.body).to.include({ type: "/docs#chain-away", status: 503 });
    service.chain.away = false;
    const asked = await ask("anna", "POST", "/driver/sessions/s1/dispute", REASON);
    expect(asked.status, JSON.stringify(asked.body)).to.equal(202);
    expect(asked.body).to.include({ reason: REASON.reason, askedAt: iso(service.clock.now()), openedAt: null });
    expect(asked.body.bill.state).to.include({ kind: "asked" });
    expect((await ask("arbiter", "GET", "/arbiter/disputes")).body.disputes, "not before it is on chain").to.deep.equal(
      [],
    );
    const again = await ask("anna", "POST", "/driver/sessions/s1/dispute", REASON);
    expect(again.body).to.include({ type: "/docs#already-disputed", status: 409 });
  });

  it("are shown to the operator with their reason, to no other operator, and to auditors", async () => {
    await chainSays({ kind: "disputed", number });
    const { disputes } = (await ask("staff", "GET", "/cpo/disputes")).body;
    expect(disputes).to.have.length(1);
    expect(disputes[0]).to.include({ sessionId: "s1", reason: REASON.reason });
    expect(disputes[0].bill.state).to.include({ kind: "disputed", until: iso(service.clock.now() + 30 * 86_400) });
    expect(JSON.stringify(disputes)).not.to.match(/anna|driver-/);
    expect((await ask("south", "GET", "/cpo/disputes")).body.disputes).to.deep.equal([]);
    expect((await ask("auditor", "GET", "/cpo/disputes")).body.disputes).to.deep.equal(disputes);
    const { settlements } = (await ask("staff", "GET", "/cpo/settlements")).body;
    expect(settlements[0].state.kind).to.equal("disputed");
    const [figures] = (await ask("staff", "GET", "/cpo/figures")).body.figures;
    expect(figures).to.include({ bills: 1, billedMicroEur: "1400000", disputes: 1, disputedMicroEur: "1400000" });
    expect(figures).to.include({ refundedMicroEur: "0", revenueMicroEur: "1400000" });
    expect(figures.flexOffer).to.deep.equal({ pricePerKwhMicroEur: "45000", potMicroEur: "1000000" });
    service.chain.away = true;
    const { figures: without } = (await ask("staff", "GET", "/cpo/figures")).body;
    service.chain.away = false;
    expect(without).to.deep.equal([{ ...figures, flexOffer: null }]);
  });

  it("lie before the arbiter with their evidence", async () => {
    const { disputes } = (await ask("arbiter", "GET", "/arbiter/disputes")).body;
    expect(disputes.map((one: { sessionId: string }) => one.sessionId)).to.deep.equal(["s1"]);
    const { body: file } = await ask("arbiter", "GET", "/arbiter/disputes/s1");
    expect(file).to.include({ genuine: true, reason: REASON.reason, promise: null });
    expect(file.meter).to.include({ startWh: 0, endWh: 4000 });
    const meteredWh = file.slots.reduce((sum: number, one: { meteredWh: number }) => sum + one.meteredWh, 0);
    expect(meteredWh).to.equal(4000);
    expect(service.world.ledger.leaf(file.salt, file.receipt)).to.equal(file.bill.detailHash);
    expect((await ask("arbiter", "GET", "/arbiter/disputes/s2")).body.type).to.equal("/docs#unknown-dispute");
  });

  const decide = (body: unknown) => ask("arbiter", "PUT", "/arbiter/disputes/s1/decision", body);
  it("are decided within the bill, once", async () => {
    const half = { refundMicroEur: "700000", text: "The meter stood still for half of the time." };
    for (const [body, status, at] of [
      [{ ...half, refundMicroEur: "1400001" }, 422, "#/refundMicroEur"],
      [{ ...half, refundMicroEur: "0.7" }, 400, "#/refundMicroEur"],
      [{ ...half, refundMicroEur: 700_000 }, 400, "#/refundMicroEur"],
      [{ ...half, flexDeltaWh: 4001 }, 422, "#/flexDeltaWh"],
      [{ ...half, flexDeltaWh: -1 }, 422, "#/flexDeltaWh"],
      [{ ...half, text: "" }, 400, "#/text"],
      [{ ...half, flexDeltaWh: 0.5 }, 400, "#/flexDeltaWh"],
    ] as const) {
      const answer = await decide(body);
      expect(answer.status, JSON.stringify(answer.body)).to.equal(status);
      expect(answer.body.errors[0].pointer).to.equal(at);
    }
    const decided = await decide(half);
    expect(decided.status, JSON.stringify(decided.body)).to.equal(202);
    expect(decided.body.decision).to.include({ refundMicroEur: "700000", flexDeltaWh: 0, text: half.text });
    expect(decided.body.next).to.contain("on its way to the chain");
    expect((await decide(half)).status).to.equal(202);
    expect((await decide({ ...half, refundMicroEur: "1" })).body.type).to.equal("/docs#already-decided");
    expect(await service.world.store.outbox.waiting("resolve:1:1")).to.have.length(1);
  });

  it("change bill and figures when the chain says so", async () => {
    const refund = 700_000n as never;
    await chainSays({ kind: "resolved", number, refund, back: refund, flexDeltaWh: 0 });
    const { body } = await ask("anna", "GET", "/driver/sessions/s1/dispute");
    expect(body.bill).to.include({ amountMicroEur: "1400000", dueMicroEur: "700000" });
    expect(body.bill.state).to.deep.equal({ kind: "resolved", until: null, refundMicroEur: "700000", flexDeltaWh: 0 });
    const receipt = (await ask("anna", "GET", "/driver/sessions/s1/receipt")).body;
    expect(receipt).to.include({ dueMicroEur: "700000" });
    expect((await ask("arbiter", "GET", "/arbiter/disputes")).body.disputes).to.deep.equal([]);
    const [figures] = (await ask("staff", "GET", "/cpo/figures")).body.figures;
    expect(figures).to.include({ refundedMicroEur: "700000", revenueMicroEur: "700000", disputes: 0 });
  });

  it("come too late after the window, and wait for a redemption that is on its way", async () => {
    await aBill("ben", "s2", 3000);
    await chainSays({ kind: "posted", seq: 2 });
    const { address } = (await ask("ben", "GET", "/account")).body;
    const call = {
      lane: "billing",
      stream: null,
      contract: "Settlement",
      call: "redeemBatch",
      args: {},
      data: "0x",
      gasLimit: 1,
    } as const;
    await service.world.store.outbox.enqueue({ ...call, key: `redeem:${address}:0` });
    const waits = await ask("ben", "POST", "/driver/sessions/s2/dispute", REASON);
    expect(waits.body).to.include({ type: "/docs#redemption-waits", status: 409 });
    await service.pass(WINDOW_S);
    // What is known here needs no chain.
    service.chain.away = true;
    const late = await ask("ben", "POST", "/driver/sessions/s2/dispute", REASON);
    service.chain.away = false;
    expect(late.body).to.include({ type: "/docs#window-closed", status: 409 });
    expect((await ask("ben", "GET", "/driver/sessions/s2/dispute")).body.next).to.contain(
      "The time for disputes is over",
    );
  });
});

describe("HTTP: disputes where the deployment has none", () => {
  it("are refused, and the answer says that bills are final at once", async () => {
    const service = await startService();
    const anna = await service.signUp("anna");
    const backEnd = await service.key("north", "cpo");
    const { driverId } = (await service.ask("GET", "/account", { as: anna })).body;
    const plugIn = { sessionId: "s", evseId: "north-1-1", driverId, at: iso(service.clock.now()), registerWh: 0 };
    await service.ask("POST", "/machine/sessions", { as: backEnd, body: plugIn });
    const running = await service.ask("GET", "/driver/sessions/s/dispute", { as: anna });
    expect(running.body.type).to.equal("/docs#no-settlement");
    const stop = { at: iso(service.clock.now()), registerWh: 0 };
    await service.ask("POST", "/machine/sessions/s/stop", { as: backEnd, body: stop });
    const shown = await service.ask("GET", "/driver/sessions/s/dispute", { as: anna });
    expect(shown.body).to.include({ windowS: 0 });
    expect(shown.body.next).to.contain("window for disputes is 0 seconds");
    const refused = await service.ask("POST", "/driver/sessions/s/dispute", { as: anna, body: REASON });
    expect(refused.body).to.include({ type: "/docs#bill-final", status: 409 });
    await service.close();
  });
});
