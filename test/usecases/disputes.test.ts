import { expect } from "chai";
import { sql } from "kysely";
import type { BillState } from "../../backend/domain/disputes.ts";
import { epochSecond, microEur } from "../../backend/domain/units.ts";
import { billStates, disputeFile } from "../../backend/usecases/billStates.ts";
import { type DecisionWish, decideDispute } from "../../backend/usecases/decideDispute.ts";
import { disputeBill } from "../../backend/usecases/disputeBill.ts";
import { followDisputes } from "../../backend/usecases/followDisputes.ts";
import type { ChainCall, ChainNews, ChainWatch, WatchedEvent } from "../../backend/usecases/ports.ts";
import { postBills } from "../../backend/usecases/postBills.ts";
import { redeemFlex } from "../../backend/usecases/redeemFlex.ts";
import { aLedger, aSite, HOUR, type Site } from "../support/world.ts";

const DAY_S = 86_400;
const WINDOW_S = 3 * DAY_S;
const CPO = 1;

type Said<Event> = Event extends unknown ? Omit<Event, "at" | "cpo"> : never;

/** What the chain would tell, told by the test: each item is a block's news. */
function aChain(site: Site) {
  const blocks: WatchedEvent[][] = [];
  const watch: ChainWatch = {
    async since(block): Promise<ChainNews | null> {
      const from = block === null ? 0 : block + 1;
      if (from >= blocks.length) return null;
      return { block: blocks.length - 1, at: site.now(), events: blocks.slice(from).flat() };
    },
  };
  return {
    watch,
    /** A block with these events, and the service looks. */
    async says(...events: readonly Said<WatchedEvent>[]): Promise<number> {
      blocks.push(events.map((event) => ({ at: site.now(), cpo: CPO, ...event })));
      return followDisputes(site.world, watch);
    },
  };
}

/** A bill of "ada" of some Wh of energy and FLEX, in batch 1 with another bill before and one behind it. */
async function aBill(windowS = WINDOW_S) {
  const site = await aSite({ windowS, priceOf: (slot) => (slot < 34 ? 200_000 : 20_000), evses: 3 });
  const chain = aChain(site);
  const first = await site.plugIn(2, { driverId: "ben", takesWh: 2_000 });
  const car = await site.plugIn(1, { driverId: "ada" });
  await car.ask(5_000, site.in(2 * HOUR));
  const last = await site.plugIn(3, { driverId: "cal", takesWh: 1_000 });
  await site.minutes(75);
  for (const other of [first, last]) await other.unplug();
  const { settlement } = await car.unplug();
  const cars = { ada: car, ben: first, cal: last };
  await postBills(site.world, true);
  const state = async (driver: keyof typeof cars = "ada"): Promise<BillState> => {
    const [standing] = await billStates(site.world, [(await site.store.bills.ofSession(cars[driver].id))!]);
    return standing!.state;
  };
  const dispute = (driver: keyof typeof cars = "ada", nonce = 0, sessionId = cars[driver].id) =>
    disputeBill(site.world, { sessionId, driverId: driver, reason: "I was not there.", nonce });
  const decide = (wish: Partial<DecisionWish> = {}) =>
    decideDispute(
      { ...site.world, holdsArbiterKey: true },
      {
        sessionId: car.id,
        by: "arbiter",
        refundMicroEur: microEur(settlement.amountMicroEur / 2n),
        flexDeltaWh: 0,
        text: "Half of it.",
        ...wish,
      },
    );
  const line = { number: settlement.sessionNumber };
  return { site, chain, car, settlement, state, dispute, decide, line };
}

/** Keys of the calls about batches and disputes that the outbox holds; those that were given up in brackets. */
async function calls({ db }: Site): Promise<string[]> {
  const rows = await db.selectFrom("outbox").select(["key", "cancelled"]).orderBy("id").execute();
  return rows
    .filter(({ key }) => /^(batch|finalise|dispute|resolve|expire):/.test(key))
    .map(({ key, cancelled }) => (cancelled ? `(${key})` : key));
}

describe("A bill that can be disputed", () => {
  it("waits for its batch, then for the chain, is open for the window, and is final", async () => {
    const { site, chain, state } = await aBill();
    expect(await state()).to.deep.equal({ kind: "posting" });
    const postedAt = site.now();
    await chain.says({ kind: "posted", seq: 1 });
    // Two minutes before the end nobody can be sure any more that the chain takes it in time.
    const until = epochSecond(postedAt + WINDOW_S - 120);
    expect(await state()).to.deep.equal({ kind: "open", until });
    await site.away(until - 1 - site.now());
    expect(await state()).to.include({ kind: "open" });
    await site.away(until - site.now());
    expect(await state()).to.deep.equal({ kind: "final" });
  });

  it("is finalised by the service when the window is over by the chain's own time, once", async () => {
    const { site, chain } = await aBill();
    expect(await calls(site)).to.deep.equal(["batch:1:1"]);
    await chain.says({ kind: "posted", seq: 1 });
    await site.away(WINDOW_S - 1);
    await chain.says();
    expect(await calls(site)).to.deep.equal(["batch:1:1"]);
    await site.away(1);
    await chain.says();
    await chain.says();
    expect(await calls(site)).to.deep.equal(["batch:1:1", "finalise:1:1"]);
    await chain.says({ kind: "finalised", seq: 1 });
    expect(await site.store.bills.unfinalised()).to.deep.equal([]);
  });

  it("is final at once where the window is 0, and nobody follows the chain for it", async () => {
    const { site, chain, state, dispute } = await aBill(0);
    expect(await calls(site)).to.deep.equal(["batch:1:1", "finalise:1:1"]);
    expect(await chain.says({ kind: "posted", seq: 1 })).to.equal(0);
    expect(await state()).to.deep.equal({ kind: "final" });
    expect(await dispute()).to.include({ kind: "refused", reason: "bill-final" });
  });

  it("of a session without a driver is nobody's", async () => {
    const { site } = await aBill();
    const guest = await site.plugIn(2, { driverId: null });
    await site.minutes(2);
    const { settlement } = await guest.unplug();
    const [standing] = await billStates(site.world, [settlement]);
    expect(standing!.state).to.deep.equal({ kind: "unbilled" });
  });
});

describe("A driver's dispute", () => {
  it("goes to the chain as a signed proof of the line in its batch, and its reason stays here", async () => {
    const { site, chain, state, dispute, car } = await aBill();
    await chain.says({ kind: "posted", seq: 1 });
    const postedAt = site.now();
    expect(await dispute()).to.include({ kind: "asked" });
    expect(await state()).to.deep.equal({ kind: "asked" });
    const row = await site.db
      .selectFrom("outbox")
      .selectAll()
      .where("key", "=", `dispute:1:${car.number}`)
      .executeTakeFirstOrThrow();
    expect(row).to.include({ lane: "billing", contract: "Settlement", call: "disputeBySig" });
    expect(row.args).to.include({ cpo: CPO, seq: 1, number: car.number, nonce: 0 });
    expect(Buffer.from(row.data).includes("not there")).to.equal(false);
    expect(JSON.stringify(row.args)).not.to.contain("there");
    // What the ledger makes of the same batch, put together by hand.
    const bills = (await site.store.bills.ofBatch("cpo", 1)).toSorted((a, b) => a.sessionNumber - b.sessionNumber);
    const lines = [];
    for (const bill of bills)
      lines.push({
        number: bill.sessionNumber,
        driver: (await site.store.drivers.byId(bill.driverId!))!.address as `0x${string}`,
        ...{ amount: bill.amountMicroEur, credit: bill.creditMicroEur, wh: bill.energyWh, flex: bill.flexWh },
        ...{ tariff: 1, detail: bill.detailHash as `0x${string}` },
      });
    const wallet = (await site.store.drivers.wallet("ada"))!;
    const deadline = epochSecond(postedAt + WINDOW_S);
    const intent = { driver: wallet.address, cpo: CPO, number: car.number, nonce: 0, deadline };
    const signature = await site.world.wallets.signDispute(wallet, intent);
    const wanted: ChainCall = aLedger(WINDOW_S).dispute({ seq: 1, lines, intent: { ...intent, signature } });
    expect(`0x${Buffer.from(row.data).toString("hex")}`).to.equal(wanted.data);
  });

  it("is refused twice, to somebody else, before the bill is posted and when it is too late, and changes nothing", async () => {
    const { site, chain, dispute, car } = await aBill();
    expect(await dispute()).to.include({ kind: "refused", reason: "not-posted" });
    await chain.says({ kind: "posted", seq: 1 });
    const before = await calls(site);
    for (const [answer, reason] of [
      [await dispute("ben", 0, car.id), "unknown-session"],
      [await dispute("ada", 0, "nothing"), "unknown-session"],
    ] as const)
      expect(answer).to.include({ kind: "refused", reason });
    const open = await site.plugIn(1, { driverId: "ada" });
    expect(await dispute("ada", 0, open.id)).to.include({ kind: "refused", reason: "no-settlement" });
    // Who is erased has no key to sign with.
    await site.db.updateTable("wallet").set({ wrapped_dek: null }).where("wallet_id", "=", "cal").execute();
    expect(await dispute("cal")).to.include({ kind: "refused", reason: "unknown-driver" });
    expect(await calls(site)).to.deep.equal(before);
    await dispute();
    expect(await dispute("ada", 1)).to.include({ kind: "refused", reason: "already-disputed" });
    await site.away(WINDOW_S - 120);
    expect(await dispute("ben")).to.include({ kind: "refused", reason: "window-closed" });
    expect(await calls(site)).to.deep.equal([...before, `dispute:1:${car.number}`]);
  });

  it("and a redemption of FLEX go to the chain one after the other, since each needs the driver's next number", async () => {
    const { site, chain, dispute, line } = await aBill();
    await chain.says({ kind: "posted", seq: 1 });
    await dispute();
    const redeem = () => redeemFlex(site.world, { driverId: "ada", cpoId: "cpo", wh: 1, nonce: 1 });
    expect(await redeem()).to.include({ kind: "refused", reason: "dispute-waits" });
    const second = await site.plugIn(1, { driverId: "ada" });
    await site.minutes(2);
    await second.unplug();
    await postBills(site.world, true);
    await chain.says({ kind: "posted", seq: 2 });
    expect(await dispute("ada", 1, second.id)).to.include({ kind: "refused", reason: "dispute-waits" });
    // Others' do not wait for it.
    expect(await dispute("ben")).to.include({ kind: "asked" });
    await chain.says({ kind: "disputed", ...line });
    expect(await redeem()).to.include({ kind: "queued" });
    expect(await dispute("ada", 2, second.id)).to.include({ kind: "refused", reason: "redemption-waits" });
    await sql`update outbox set state = 'final' where starts_with(key, 'redeem:')`.execute(site.db);
    expect(await dispute("ada", 2, second.id)).to.include({ kind: "asked" });
  });

  it("that did not reach the chain in time is given up", async () => {
    const { site, chain, state, dispute, car } = await aBill();
    await chain.says({ kind: "posted", seq: 1 });
    await dispute();
    await site.away(WINDOW_S - 1);
    await chain.says();
    expect(await state()).to.deep.equal({ kind: "asked" });
    await site.away(1);
    await chain.says();
    expect(await state()).to.deep.equal({ kind: "final" });
    expect(await calls(site)).to.deep.equal(["batch:1:1", `(dispute:1:${car.number})`, "finalise:1:1"]);
    expect(await dispute()).to.include({ kind: "refused", reason: "already-disputed" });
  });

  it("that was opened on chain without the service is a dispute like any other", async () => {
    const { site, chain, state, car, line, decide } = await aBill();
    await chain.says({ kind: "posted", seq: 1 }, { kind: "disputed", ...line });
    expect(await state()).to.deep.equal({ kind: "disputed", until: epochSecond(site.now() + 30 * DAY_S) });
    expect(await site.store.disputes.ofSession(car.id)).to.include({ reason: null });
    expect(await decide()).to.include({ kind: "decided" });
    // Lines of other contracts' users, and of sessions that are not ours, are not looked at.
    expect(await chain.says({ kind: "disputed", number: 999 })).to.equal(1);
    expect(await site.store.disputes.all()).to.have.length(1);
  });
});

describe("The arbiter", () => {
  async function aDispute() {
    const given = await aBill();
    await given.chain.says({ kind: "posted", seq: 1 });
    await given.dispute();
    await given.chain.says({ kind: "disputed", ...given.line });
    return given;
  }

  it("sees the bill, what it was computed from, and that these are the bytes that were posted", async () => {
    const { site, car, settlement } = await aDispute();
    const file = (await disputeFile(site.world, car.id))!;
    expect(file.dispute).to.include({ reason: "I was not there." });
    expect(file.genuine).to.equal(true);
    expect(file.receipt!.promise).to.include({ energyWh: 5_000, outcome: "kept" });
    const meteredWh = file.receipt!.flex.intervals.reduce((sum, one) => sum + one.meteredWh, 0);
    expect(meteredWh).to.equal(settlement.energyWh);
    await site.db.updateTable("settlement").set({ receipt: "{}" }).where("session_id", "=", car.id).execute();
    expect(await disputeFile(site.world, car.id)).to.include({ genuine: false, receipt: null });
    expect(await disputeFile(site.world, "nothing")).to.equal(null);
  });

  it("decides once, through a lane of its own; the bill changes when the chain says so", async () => {
    const { site, chain, state, decide, car, settlement, line } = await aDispute();
    const half = microEur(settlement.amountMicroEur / 2n);
    expect(await decide()).to.include({ kind: "decided" });
    expect(await decide({ text: "The same." })).to.include({ kind: "duplicate" });
    expect(await decide({ refundMicroEur: microEur(1n) })).to.include({ kind: "refused", reason: "already-decided" });
    const row = await site.db
      .selectFrom("outbox")
      .selectAll()
      .where("key", "=", `resolve:1:${car.number}`)
      .executeTakeFirstOrThrow();
    expect(row).to.include({ lane: "arbiter", call: "resolve" });
    expect(row.args).to.deep.equal({ cpo: CPO, number: car.number, refund: String(half), flexDeltaWh: 0 });
    expect(await state()).to.include({ kind: "disputed" });
    await chain.says({ kind: "resolved", ...line, refund: half, back: half, flexDeltaWh: 0 });
    expect(await state()).to.deep.equal({ kind: "resolved", refundMicroEur: half, flexDeltaWh: 0 });
    expect(await site.store.bills.figures("cpo")).to.include({
      refundedMicroEur: half,
      disputes: 0,
      disputedMicroEur: 0n,
    });
    expect(await site.store.incidents.since(epochSecond(0))).to.deep.equal([]);
  });

  it("can give at most the bill, and FLEX between none and the energy", async () => {
    const { site, decide, settlement } = await aDispute();
    const refused = async (wish: Partial<DecisionWish>, reason: string) =>
      expect(await decide(wish)).to.include({ kind: "refused", reason });
    await refused({ refundMicroEur: microEur(settlement.amountMicroEur + 1n) }, "bad-refund");
    await refused({ flexDeltaWh: -settlement.flexWh - 1 }, "bad-flex-delta");
    await refused({ flexDeltaWh: settlement.energyWh - settlement.flexWh + 1 }, "bad-flex-delta");
    await refused({ sessionId: "nothing" }, "unknown-dispute");
    expect(await calls(site)).not.to.include(`resolve:1:${settlement.sessionNumber}`);
    expect(await decide({ refundMicroEur: settlement.amountMicroEur, flexDeltaWh: -settlement.flexWh })).to.include({
      kind: "decided",
    });
  });

  it("cannot decide what is not open on chain, what nobody decided in time, or without a key", async () => {
    const { site, chain, dispute, decide, car } = await aBill();
    await chain.says({ kind: "posted", seq: 1 });
    await dispute();
    expect(await decide()).to.include({ kind: "refused", reason: "dispute-not-open" });
    await chain.says({ kind: "disputed", number: car.number });
    const wish = { sessionId: car.id, by: "a", refundMicroEur: microEur(0n), flexDeltaWh: 0, text: "None." };
    expect(await decideDispute(site.world, wish)).to.include({ kind: "refused", reason: "no-arbiter-key" });
    await site.away(30 * DAY_S);
    expect(await decide()).to.include({ kind: "refused", reason: "already-decided" });
  });

  it("who is silent for thirty days leaves the whole bill to the driver", async () => {
    const { site, chain, state, car, settlement, line } = await aDispute();
    const refund = settlement.amountMicroEur;
    await site.away(30 * DAY_S - 1);
    await chain.says();
    expect(await calls(site)).not.to.include(`expire:1:${car.number}`);
    await site.away(1);
    await chain.says();
    expect((await calls(site)).at(-1)).to.equal(`expire:1:${car.number}`);
    await chain.says({ kind: "resolved", ...line, refund, back: refund, flexDeltaWh: 0 });
    expect(await state()).to.deep.equal({ kind: "expired", refundMicroEur: refund, flexDeltaWh: 0 });
  });

  it("who decided in time has a day more to be carried out, and is told when the dispute ended otherwise", async () => {
    const { site, chain, state, decide, car, settlement, line } = await aDispute();
    await decide();
    await site.away(31 * DAY_S - 1);
    await chain.says();
    expect(await calls(site)).not.to.include(`expire:1:${car.number}`);
    await site.away(1);
    await chain.says();
    expect(await calls(site)).to.include(`expire:1:${car.number}`);
    const refund = settlement.amountMicroEur;
    await chain.says({ kind: "resolved", ...line, refund, back: refund, flexDeltaWh: 0 });
    expect(await calls(site)).to.include(`(resolve:1:${car.number})`);
    expect((await site.incidents()).at(-1)).to.equal("chain");
    expect(await state()).to.include({ kind: "resolved", refundMicroEur: refund });
  });

  it("who takes FLEX back, or gives some, changes what can be redeemed", async () => {
    const { site, chain, settlement, line } = await aDispute();
    const redeem = (wh: number) => redeemFlex(site.world, { driverId: "ada", cpoId: "cpo", wh, nonce: 1 });
    expect(settlement.flexWh).to.be.above(1_000);
    await chain.says({
      kind: "resolved",
      ...line,
      refund: microEur(0n),
      back: microEur(0n),
      flexDeltaWh: -1_000,
    });
    expect(await redeem(settlement.flexWh - 999)).to.include({ kind: "refused", reason: "too-much" });
    expect(await redeem(settlement.flexWh - 1_000)).to.include({ kind: "queued" });
  });
});

describe("Following the chain", () => {
  it("goes on behind the last block, and notes a block whole or not at all", async () => {
    const { site, chain, state, line } = await aBill();
    expect(await followDisputes(site.world, chain.watch)).to.equal(0);
    expect(await chain.says({ kind: "posted", seq: 1 })).to.equal(1);
    expect(await followDisputes(site.world, chain.watch)).to.equal(0);
    const broken = {
      ...site.world,
      ledger: {
        ...site.world.ledger,
        finalise: () => {
          throw new Error("full");
        },
      },
    };
    await site.away(WINDOW_S);
    const news: ChainNews = {
      block: 1,
      at: site.now(),
      events: [{ kind: "disputed", at: site.now(), cpo: CPO, ...line }],
    };
    const failing = followDisputes(broken, { since: async () => news });
    expect(await failing.then(String, (error: Error) => error.message)).to.equal("full");
    expect(await state()).to.deep.equal({ kind: "final" });
    expect(await chain.says({ kind: "disputed", ...line })).to.equal(1);
    expect(await state()).to.include({ kind: "disputed" });
  });
});
