import { expect } from "chai";
import type { EmbeddedChain } from "../../../backend/adapters/chain/embedded.ts";
import { failure, type Rpc, RpcUnavailable } from "../../../backend/adapters/chain/rpc.ts";
import type { ChainTables } from "../../../backend/adapters/chain/tables.ts";
import { databases, whyNoPostgres } from "../../support/databases.ts";
import { aBench, type Bench, BILLING, embedded, nonceOf, SLOTS, secondPool, sendForeign } from "./bench.ts";
import { sequenceCall } from "./sequence.ts";

const slot = (n: number) => sequenceCall("slots", n);

for (const kind of databases)
  describe(`the chain writer on ${kind} and the embedded chain`, function () {
    this.timeout(60_000);
    let chain: EmbeddedChain;
    let bench: Bench;
    before(function () {
      if (kind === "postgres" && whyNoPostgres() !== null) this.skip();
    });
    beforeEach(async () => {
      chain = await embedded();
      bench = await aBench(chain.rpc, {}, kind);
    });
    afterEach(() => chain.close());

    it("sends forty calls of one stream in order and calls them final", async () => {
      await bench.enqueue(...Array.from({ length: 40 }, (_, i) => slot(i + 1)));
      const done = await bench.writer().drain();
      expect(done).to.include({ open: 0, parked: 0, reachable: true });
      expect(await bench.taken()).to.deep.equal(Array.from({ length: 40 }, (_, i) => i + 1));
      expect(await nonceOf(chain.rpc, SLOTS)).to.equal(40);
    });

    it("fills a window of sixteen in one pass where calls do not need each other's effect to pass", async () => {
      const trusting = bench.writer({ policy: { ...bench.config.policy, simulate: false } });
      await bench.enqueue(...Array.from({ length: 20 }, (_, i) => slot(i + 1)));
      expect(await trusting.pass()).to.include({ sent: 16, final: 16, open: 4 });
      expect(await trusting.pass()).to.include({ sent: 4, final: 4, open: 0 });
    });

    it("offers what a call needs instead of what it names where the policy estimates", async () => {
      await bench.enqueue(slot(1));

      await bench.writer({ policy: { ...bench.config.policy, estimate: true } }).drain();

      const { gas_limit } = await bench.db.selectFrom("attempt").select("gas_limit").executeTakeFirstOrThrow();

      expect(Number(gas_limit)).to.be.within(21_000, 100_000);
    });

    it("keeps the first call of a key, whatever the second one says", async () => {
      expect(await bench.enqueue(slot(1))).to.equal(1);
      expect(await bench.enqueue(sequenceCall("slots", 1, { data: slot(9).data }), slot(2))).to.equal(1);
      await bench.writer().drain();
      expect(await bench.enqueue(slot(1))).to.equal(0);
      expect(await bench.taken()).to.deep.equal([1, 2]);
    });

    it("enqueues with the business transaction or not at all", async () => {
      const failed = bench.db.transaction().execute(async (trx) => {
        const { enqueue } = await import("../../../backend/adapters/chain/outbox.ts");
        await enqueue(trx, [slot(1)]);
        throw new Error("the business change failed");
      });
      expect(await failed.catch((error: Error) => error.message)).to.equal("the business change failed");
      expect(await bench.states()).to.deep.equal({});
    });

    it("does not send before a call is due", async () => {
      const { enqueue } = await import("../../../backend/adapters/chain/outbox.ts");
      await enqueue(bench.db, [slot(1)], bench.clock.now + 60);
      const writer = bench.writer();
      expect(await writer.pass()).to.include({ sent: 0, open: 1 });
      bench.clock.now += 60;
      expect(await writer.pass()).to.include({ sent: 1, open: 0 });
    });

    it("does not let a call overtake an earlier one of its stream that is not due yet", async () => {
      const { enqueue } = await import("../../../backend/adapters/chain/outbox.ts");

      await enqueue(bench.db, [slot(1)], bench.clock.now + 60);

      await bench.enqueue(slot(2), sequenceCall("billing", 1, { stream: null }));

      expect(await bench.writer().drain()).to.include({ open: 2, parked: 0 });

      expect(await nonceOf(chain.rpc, SLOTS)).to.equal(0);
    });

    it("parks a call that would revert with the decoded error and without a nonce, and holds its stream only", async () => {
      await bench.enqueue(slot(2), slot(3), sequenceCall("slots", 1, { stream: null }));
      const writer = bench.writer();
      await writer.pass();
      expect(await bench.states()).to.deep.equal({ "slots:2": "blocked", "slots:3": "queued", "slots:1": "final" });
      const row = await bench.db
        .selectFrom("outbox")
        .selectAll()
        .where("key", "=", "slots:2")
        .executeTakeFirstOrThrow();
      expect(row).to.include({ error: "OutOfOrder(1)", nonce: null, tries: 1 });
      expect(bench.alarms).to.deep.equal([{ kind: "parked", lane: "slots", key: "slots:2", text: "OutOfOrder(1)" }]);
      await writer.pass();
      expect(await bench.taken(), "not before its pause is over").to.deep.equal([1]);
      bench.clock.now += 15;
      await writer.pass();
      await writer.pass();
      expect(await bench.taken()).to.deep.equal([1, 2, 3]);
    });

    it("lets a parked call try again within drain when another lane brought what it waited for", async () => {
      await bench.enqueue(slot(2), sequenceCall("billing", 1));
      expect(await bench.writer().drain()).to.include({ open: 0 });
      expect(await bench.taken()).to.deep.equal([1, 2]);
      expect(await nonceOf(chain.rpc, SLOTS)).to.equal(1);
      expect(await nonceOf(chain.rpc, BILLING)).to.equal(1);
    });

    it("ends drain when only parked calls are left", async () => {
      await bench.enqueue(slot(5));
      expect(await bench.writer().drain()).to.include({ open: 1, parked: 1 });
      expect(await nonceOf(chain.rpc, SLOTS)).to.equal(0);
    });

    it("takes a call whose effect is on chain already as done, without a nonce", async () => {
      await bench.enqueue(sequenceCall("billing", 1));
      await bench.writer().drain();
      await bench.enqueue(slot(1));
      expect(await bench.writer().drain()).to.include({ open: 0 });
      expect(await bench.taken()).to.deep.equal([1]);
      expect(await nonceOf(chain.rpc, SLOTS)).to.equal(0);
    });

    it("does not repeat a transaction that reverted on chain: done if its effect is there, else parked", async () => {
      await bench.enqueue(sequenceCall("billing", 1));
      await bench.writer().drain();
      await bench.enqueue(slot(1), slot(7));
      const blind = bench.writer({ policy: { ...bench.config.policy, simulate: false } });
      expect(await blind.pass()).to.include({ sent: 2, open: 1, parked: 1 });
      expect(await bench.states()).to.include({ "slots:1": "final", "slots:7": "blocked" });
      expect(await nonceOf(chain.rpc, SLOTS), "both nonces are used up").to.equal(2);
      bench.clock.now += 15;
      expect(await blind.pass(), "a second try is simulated first").to.include({ sent: 0 });
    });

    it("gives up a parked call on demand, and then lets its stream go on", async () => {
      await bench.enqueue(slot(9), slot(1));
      const writer = bench.writer();
      await writer.drain();
      expect(await bench.states()).to.deep.equal({ "slots:9": "blocked", "slots:1": "queued" });
      await writer.cancel("slots:9");
      await writer.drain();
      expect(await bench.states()).to.deep.equal({ "slots:9": "reverted", "slots:1": "final" });
    });

    it("tries a parked call again on demand", async () => {
      await bench.enqueue(slot(2));
      const writer = bench.writer();
      await writer.pass();
      await bench.enqueue(sequenceCall("billing", 1));
      await writer.pass();
      expect(await writer.pass()).to.include({ sent: 0 });
      await writer.retry("slots:2");
      expect(await writer.pass()).to.include({ sent: 1, open: 0 });
    });

    it("keeps everything queued while the chain is away, and goes on afterwards", async () => {
      await bench.enqueue(slot(1), slot(2));
      let away = true;
      const flaky: Rpc = {
        ...chain.rpc,
        ask: async (calls) => {
          if (away) throw new RpcUnavailable("nobody there");
          return chain.rpc.ask(calls);
        },
      };
      const writer = bench.writer({ rpc: flaky });
      expect(await writer.pass()).to.include({ reachable: false, open: 2, sent: 0 });
      expect(await bench.states()).to.deep.equal({ "slots:1": "queued", "slots:2": "queued" });
      away = false;
      expect(await writer.drain()).to.include({ open: 0 });
    });

    it("treats an error answer to a plain read as a chain that is away", async () => {
      await bench.enqueue(slot(1));
      const limited: Rpc = {
        ...chain.rpc,
        ask: async (calls) => calls.map(() => failure({ code: -32005, message: "limit exceeded" })),
      };
      expect(await bench.writer({ rpc: limited }).pass()).to.include({ reachable: false, open: 1 });
    });

    it("waits while the lane's purse is empty", async () => {
      await bench.enqueue(slot(1));
      const poor: Rpc = {
        ...chain.rpc,
        ask: async (calls) =>
          (await chain.rpc.ask(calls)).map((answer, i) =>
            calls[i]?.method === "eth_getBalance" ? { ok: true, result: "0x1" } : answer,
          ),
      };
      await bench.writer({ rpc: poor }).pass();
      expect(bench.alarms.map(({ kind }) => kind)).to.deep.equal(["low-balance"]);
      expect(await bench.states()).to.deep.equal({ "slots:1": "queued" });
    });

    it("blocks the lane when somebody else uses its key, and goes on with new nonces once it is reopened", async () => {
      await bench.enqueue(slot(1));
      const writer = bench.writer();
      await writer.drain();
      await sendForeign(chain.rpc, SLOTS, 1);
      await bench.enqueue(slot(2));
      for (let i = 0; i < 4; i++) {
        await writer.pass();
        bench.clock.now += 60;
      }
      const before = await writer.status();
      expect(before.lanes[0]).to.deep.include({ lane: "slots", state: "blocked" });
      expect(bench.alarms.map(({ kind }) => kind)).to.include("foreign-nonce");
      expect(await bench.taken()).to.deep.equal([1]);
      await writer.reopenLane("slots");
      expect(await writer.drain()).to.include({ open: 0 });
      expect(await bench.taken()).to.deep.equal([1, 2]);
    });

    it("refuses a database whose lanes belong to another key", async () => {
      await bench.enqueue(slot(1));
      await bench.writer().drain();
      await bench.enqueue(slot(2));
      const swapped = bench.writer({ signers: { slots: BILLING } });
      const refusal = await swapped.pass().then(
        () => "accepted",
        (error: Error) => error.message,
      );
      expect(refusal).to.match(/^Lane slots of this database belongs to 0x/);
    });

    it("lets one writer at a time work on a lane", async () => {
      await bench.enqueue(...Array.from({ length: 12 }, (_, i) => slot(i + 1)));
      const [a, b] = [bench.writer(), bench.writer()];
      await Promise.all([a.drain(), b.drain(), a.drain(), b.drain()]);
      await a.drain();
      expect(await bench.taken()).to.deep.equal(Array.from({ length: 12 }, (_, i) => i + 1));
      expect(await nonceOf(chain.rpc, SLOTS)).to.equal(12);
    });

    it("tells what waits, and since when", async () => {
      await bench.enqueue(slot(1), slot(5));
      const writer = bench.writer();
      await writer.pass();
      await writer.pass();
      const status = await writer.status();
      expect(status).to.include({ open: 1, parked: 1 });
      expect(status.oldestAt).to.be.within(1_700_000_000, 5_000_000_000);
      expect(status.lanes).to.have.length(1);
      expect(status.lanes[0]).to.deep.include({
        lane: "slots",
        address: SLOTS.address,
        nextNonce: 1,
        rows: { blocked: 1 },
      });
    });
  });

describe("two processes with one lane", function () {
  this.timeout(60_000);
  before(function () {
    if (whyNoPostgres() !== null) this.skip();
  });

  it("take turns: the second one leaves the lane alone while the first is at it, and nothing is sent twice", async () => {
    const chain = await embedded();
    const bench = await aBench(chain.rpc, { simulate: false }, "postgres");
    const other = await secondPool();
    try {
      await bench.enqueue(...Array.from({ length: 30 }, (_, i) => slot(i + 1)));
      let arrived = () => {};
      let release = () => {};
      const inside = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      const slow: Rpc = {
        ...chain.rpc,
        async askEverywhere(calls) {
          if (calls.some(({ method }) => method === "eth_sendRawTransaction")) {
            arrived();
            await gate;
          }
          return chain.rpc.askEverywhere(calls);
        },
      };
      const first = bench.writer({ rpc: slow });
      const second = bench.writer({ db: other.db.$pickTables<keyof ChainTables>() });
      const running = first.pass();
      await inside;
      expect(await second.pass()).to.include({ sent: 0, open: 30 });
      release();
      expect(await running).to.include({ sent: 16 });
      expect(await second.pass()).to.include({ sent: 14, open: 0 });
      await Promise.all([first.drain(), second.drain()]);
      expect(await bench.taken()).to.deep.equal(Array.from({ length: 30 }, (_, i) => i + 1));
      expect(await nonceOf(chain.rpc, SLOTS)).to.equal(30);
    } finally {
      await other.close();
      await chain.close();
    }
  });
});
