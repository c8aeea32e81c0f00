import { expect } from "chai";
import type { EmbeddedChain } from "../../../backend/adapters/chain/embedded.ts";
import { type Rpc, request } from "../../../backend/adapters/chain/rpc.ts";
import { startAnvil } from "../../support/anvil.ts";
import { aBench, type Bench, BILLING, DEPLOYER, embedded, nonceOf, SLOTS } from "./bench.ts";
import { stale } from "./faultyNode.ts";
import { sequenceCall } from "./sequence.ts";

const slot = (n: number) => sequenceCall("slots", n);

describe("the chain writer while the chain does not mine", () => {
  let chain: EmbeddedChain;
  let bench: Bench;
  beforeEach(async () => {
    chain = await embedded();
    bench = await aBench(chain.rpc);
    await request(chain.rpc, "evm_setAutomine", false);
  });
  afterEach(() => chain.close());

  const mine = () => request(chain.rpc, "evm_mine");
  const attempts = () => bench.db.selectFrom("attempt").selectAll().orderBy("no").execute();

  it("bumps both fees with the same nonce after 48 s, and takes whichever attempt is mined", async () => {
    await bench.enqueue(slot(1));
    const writer = bench.writer();
    await writer.pass();
    bench.clock.now += 47;
    await writer.pass();
    expect(await attempts()).to.have.length(1);
    bench.clock.now += 1;
    await writer.pass();
    const [first, second] = await attempts();
    expect(second).to.deep.include({ nonce: first?.nonce, no: 2, kind: "call" });
    for (const field of ["max_fee", "tip"] as const)
      expect(BigInt(second?.[field] ?? 0) * 8n >= BigInt(first?.[field] ?? 0) * 9n, field).to.equal(true);
    await mine();
    expect(await writer.drain()).to.include({ open: 0 });
    expect(await bench.taken()).to.deep.equal([1]);
    const row = await bench.db.selectFrom("outbox").select("tx_hash").executeTakeFirstOrThrow();
    expect(row.tx_hash).to.equal(second?.hash);
  });

  it("uses the nonce of a cancelled call for an empty transfer, and the next call goes on behind it", async () => {
    await bench.enqueue(slot(1));
    const writer = bench.writer({ policy: { ...bench.config.policy, simulate: false } });
    await writer.pass();
    await writer.cancel("slots:1");
    await bench.enqueue(sequenceCall("slots", 1, { key: "slots:1:instead" }));
    await writer.pass();
    await mine();
    await writer.drain();
    expect(await bench.states()).to.deep.equal({ "slots:1": "reverted", "slots:1:instead": "final" });
    expect(await bench.taken()).to.deep.equal([1]);
    expect(await nonceOf(chain.rpc, SLOTS)).to.equal(2);
    expect(bench.alarms.map(({ kind }) => kind)).to.deep.equal(["reverted"]);
  });

  it("frees the lane from a stuck call that can no longer succeed, and keeps the call for later", async () => {
    await bench.enqueue(slot(1));
    const writer = bench.writer();
    await writer.pass();
    await request(chain.rpc, "hardhat_setStorageAt", bench.address, "0x0", `0x${"00".repeat(31)}05`);
    bench.clock.now += 48;
    await writer.pass();
    expect((await attempts()).map(({ kind }) => kind)).to.deep.equal(["call", "noop"]);
    await mine();
    await writer.pass();
    expect(await bench.states()).to.deep.equal({ "slots:1": "blocked" });
    expect(await nonceOf(chain.rpc, SLOTS)).to.equal(1);
    await request(chain.rpc, "hardhat_setStorageAt", bench.address, "0x0", `0x${"00".repeat(32)}`);
    await request(chain.rpc, "evm_setAutomine", true);
    await writer.retry("slots:1");
    expect(await writer.drain()).to.include({ open: 0 });
    expect(await bench.taken()).to.deep.equal([1]);
    expect((await attempts()).map(({ no, nonce }) => [no, Number(nonce)])).to.deep.equal([
      [1, 0],
      [2, 0],
      [3, 1],
    ]);
  });

  describe("and its node lags behind by a block", () => {
    /** One mined, with less than the depth on top; the other one signed and due for a bump. */
    async function oneMinedOneStuck(lagging: (method: string) => boolean) {
      const policy = { ...bench.config.policy, depth: 3 };
      await bench.enqueue(slot(1), slot(2));
      await bench.writer({ policy }).pass();
      await mine();
      await bench.writer({ policy }).pass();
      expect(await bench.states()).to.deep.equal({ "slots:1": "mined", "slots:2": "signed" });
      bench.clock.now += 48;
      const rpc: Rpc = {
        ...chain.rpc,
        ask: async (calls) => {
          const late = calls.some(({ method }) => lagging(method));
          return late ? stale(chain.rpc, calls, 1) : chain.rpc.ask(calls);
        },
      };
      await bench.writer({ policy, rpc }).pass();
      return (await attempts()).map(({ nonce, kind }) => `${nonce} ${kind}`);
    }

    it("does not touch a call whose predecessor the node has not seen", async () => {
      expect(await oneMinedOneStuck(() => true)).to.deep.equal(["0 call", "1 call"]);
    });

    it("bumps a call that only a lagging node calls hopeless, and does not give it up", async () => {
      expect(await oneMinedOneStuck((method) => method === "eth_call")).to.deep.equal(["0 call", "1 call", "1 call"]);
    });
  });

  it("takes a head without a number, a block hash that is none and a strange balance for no answer", async () => {
    await bench.enqueue(slot(1));
    await bench.writer().pass();
    await mine();
    const broken: Readonly<Record<string, (honest: never) => unknown>> = {
      eth_getBlockByNumber: (block: object) => ({ ...block, number: "0xzz" }),
      eth_getTransactionReceipt: (receipt: object) => ({ ...receipt, blockHash: "yes" }),
      eth_getBalance: () => true,
      eth_getTransactionCount: () => null,
    };
    for (const [method, nonsense] of Object.entries(broken)) {
      const rpc: Rpc = {
        ...chain.rpc,
        ask: async (calls) =>
          (await chain.rpc.ask(calls)).map((one, i) =>
            one.ok && calls[i]?.method === method ? { ok: true, result: nonsense(one.result as never) } : one,
          ),
      };
      expect(await bench.writer({ rpc }).pass(), method).to.include({ reachable: false });
      expect(await bench.states(), method).to.deep.equal({ "slots:1": "signed" });
    }
    expect(await bench.writer().drain()).to.include({ open: 0 });
  });

  it("stops bumping at the ceiling with an alarm and still sends again", async () => {
    await bench.enqueue(slot(1));
    const { maxFee } = { maxFee: 3_000_000_000n };
    const writer = bench.writer({ policy: { ...bench.config.policy, feeCeiling: maxFee, simulate: false } });
    await writer.pass();
    for (let i = 0; i < 20; i++) {
      bench.clock.now += 48;
      await writer.pass();
    }
    const made = await attempts();
    expect(made.length).to.be.greaterThan(1);
    for (const { max_fee } of made) expect(BigInt(max_fee) <= maxFee).to.equal(true);
    bench.clock.now += 5;
    await writer.pass();
    expect(bench.alarms.map(({ kind }) => kind)).to.include("fee-ceiling");
  });

  it("waits for the depth of the policy before anything is final", async () => {
    await bench.enqueue(slot(1));
    const writer = bench.writer({ policy: { ...bench.config.policy, depth: 2 } });
    await writer.pass();
    await mine();
    await writer.pass();
    expect(await bench.states()).to.deep.equal({ "slots:1": "mined" });
    await mine();
    await writer.pass();
    expect(await bench.states()).to.deep.equal({ "slots:1": "mined" });
    await mine();
    await writer.pass();
    expect(await bench.states()).to.deep.equal({ "slots:1": "final" });
  });

  it("calls nothing final while a second endpoint shows another block at that height", async () => {
    await bench.enqueue(slot(1));
    let second: "other" | "silent" | "same" = "other";
    const doubted: Rpc = {
      ...chain.rpc,
      async askEverywhere(calls) {
        const [answers] = await chain.rpc.askEverywhere(calls);
        if (second === "silent") return [answers ?? null, null];
        const other = calls.map(() => ({ ok: true, result: { hash: `0x${"99".repeat(32)}` } }) as const);
        return [answers ?? null, second === "same" ? (answers ?? null) : other];
      },
    };
    const writer = bench.writer({ rpc: doubted });
    await writer.pass();
    await mine();
    for (second of ["other", "silent"] as const) {
      await writer.pass();
      expect(await bench.states(), second).to.deep.equal({ "slots:1": "signed" });
      const told = bench.alarms.filter(({ kind }) => kind === "unreachable").length;
      expect(told, "who is silent is told of").to.equal(second === "silent" ? 1 : 0);
    }
    second = "same";
    await writer.pass();
    expect(await bench.states()).to.deep.equal({ "slots:1": "final" });
  });
});

describe("the chain writer when a block deeper than the policy's depth is lost", function () {
  this.timeout(60_000);

  it("says so, and sends the same bytes again instead of a second transaction", async function () {
    const anvil = await startAnvil({ mines: true, funded: [DEPLOYER, SLOTS, BILLING].map(({ address }) => address) });
    if (anvil === null) return this.skip();
    try {
      const { rpc } = anvil;
      const bench = await aBench(rpc, { depth: 1, simulate: false });
      for (let i = 0; i < 5; i++) await request(rpc, "evm_mine");
      const writer = bench.writer({ patienceMs: 5_000 });
      await bench.enqueue(slot(1), slot(2));
      await writer.pass();
      for (let i = 0; i < 20 && (await writer.status()).open > 0; i++) {
        await request(rpc, "evm_mine");
        await writer.pass();
      }
      expect(await bench.taken()).to.deep.equal([1, 2]);

      await request(rpc, "anvil_reorg", 5, []);
      await request(rpc, "anvil_dropAllTransactions");
      expect(await bench.taken(), "the chain has forgotten").to.deep.equal([]);
      await bench.enqueue(slot(3));
      for (let i = 0; i < 30 && (i < 5 || (await writer.status()).open > 0); i++) {
        bench.clock.now += 31;
        await writer.pass();
        await request(rpc, "evm_mine");
      }
      expect(bench.alarms.map(({ kind }) => kind)).to.include("rewound");
      expect(await bench.taken()).to.deep.equal([1, 2, 3]);
      expect(await nonceOf(rpc, SLOTS)).to.equal(3);
      const hashes = await bench.db.selectFrom("attempt").select("hash").execute();
      expect(hashes, "no call was signed twice").to.have.length(3);
    } finally {
      await anvil.stop();
    }
  });

  it("refuses a replacement below +10 % nowhere but in itself: both fees of a bump pass geth's rule", async () => {
    const { bumped } = await import("../../../backend/adapters/chain/outboxRow.ts");
    for (const fee of [0n, 1n, 7n, 999_999_999n, 1_000_000_000n, 123_456_789_012n])
      expect(bumped(fee) * 10n >= fee * 11n && bumped(fee) > fee).to.equal(true);
  });
});
