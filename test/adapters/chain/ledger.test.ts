import { expect } from "chai";
import { hexlify, keccak256, randomBytes, TypedDataEncoder, toBeHex, verifyTypedData, zeroPadValue } from "ethers";
import { chainOf } from "../../../backend/adapters/chain/chainReader.ts";
import {
  earlierLink,
  linkOf,
  merkleProof,
  merkleRoot,
  NO_BOUND,
  packRows,
  provesLeaf,
  saltedLeaf,
  unpackRows,
} from "../../../backend/adapters/chain/commitments.ts";
import { type Hex, request } from "../../../backend/adapters/chain/rpc.ts";
import { createWallets, REDEEM_TYPES, settlementDomain } from "../../../backend/adapters/chain/wallets.ts";
import { epochSecond, microEur, microEurPerKwh } from "../../../backend/domain/units.ts";
import { encodeProblem, encodeW, encodeX, encodeY } from "../../../backend/optimisation/encoding.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import type { BillLine, ChainCall, RunRecord } from "../../../backend/usecases/ports.ts";
import { randomProblem } from "../../support/problems.ts";
import { key, nonceOf } from "./bench.ts";
import { aDeployment, CPO, type Deployed, KEYS } from "./deployed.ts";

const word = (n: number) => zeroPadValue(toBeHex(n), 32) as Hex;
const GROUP = 7;
const SLOT = 1_960_000;
const ROWS = packRows([
  { index: 0, limitW: 11_000, powerW: 7_400, status: 2, flags: 0, registerWh: 1_234_567 },
  { index: 1, limitW: 0, powerW: -3_000, status: 1, flags: 1, registerWh: 0 },
]);

describe("the ledger on the real contracts", function () {
  this.timeout(60_000);
  let on: Deployed;
  let drivers: readonly Hex[];
  const wallets = () =>
    createWallets({
      keks: { 1: Buffer.alloc(32, 9) },
      kekVersion: 1,
      random: (n, label) => Buffer.from(keccak256(Buffer.from(label)).slice(2), "hex").subarray(0, n),
      domain: { chainId: on.chain.rpc.chainId, settlement: on.contracts.addressOf("Settlement") },
    });

  async function write(...calls: ChainCall[]) {
    expect(await on.write(...calls)).to.include({ open: 0, parked: 0 });
  }

  before(async () => {
    on = await aDeployment();
    drivers = ["a", "b", "c"].map((id) => wallets().create(id).address);
  });
  after(() => on.chain.close());

  const line = (number: number, over: Partial<BillLine> = {}): BillLine => ({
    number,
    driver: drivers[0] as Hex,
    amount: 2_000_000n,
    credit: 0n,
    wh: 10_000,
    flex: 4_000,
    tariff: 1,
    detail: word(number),
    ...over,
  });

  describe("registers", () => {
    it("sets groups and registers assets whose ids and rows lead back to them", async () => {
      const { ledger, reader } = on;
      const assets = ["NO*OLI*E1", "NO*OLI*E2"].map((evseId, index) => ({
        id: ledger.assetId(CPO, word(0), evseId),
        group: GROUP,
        index,
        kind: "charge-point" as const,
        ratedW: 22_000,
        minW: 4_140,
        capacityWh: 0,
        phases: 3,
        connector: 2,
        metadata: word(77),
        fromSlot: SLOT,
      }));
      await write(
        ledger.setGroup({ group: GROUP, cpo: CPO, capacityW: 60_000, parent: 0, fromSlot: SLOT }),
        ledger.registerAssets(assets),
      );
      for (const [index, { id }] of assets.entries()) {
        expect((await reader.ask("AssetRegistry", "idOf", [CPO, word(0), `NO*OLI*E${index + 1}`]))[0]).to.equal(id);
        expect((await reader.ask("AssetRegistry", "memberOf", [GROUP, index]))[0]).to.equal(id);
      }
      const [asset] = await reader.ask("AssetRegistry", "assetOf", [assets[1]?.id]);
      expect([asset.kind, asset.state, asset.ratedPower, asset.minPower, asset.phases]).to.deep.equal([
        1n,
        2n,
        22_000n,
        4_140n,
        3n,
      ]);
    });

    it("registers drivers, a payee, a tariff and an offer", async () => {
      const { ledger, reader } = on;
      const terms = {
        tariff: 1,
        cpo: CPO,
        maxPerKwh: microEurPerKwh(600_000),
        maxFixed: microEur(1_000_000n),
        fromAt: epochSecond(0),
      };
      await write(
        ledger.registerDrivers(drivers.map((driver, i) => ({ driver, consent: word(i + 1) }))),
        ledger.setPayee({ cpo: CPO, payee: KEYS.treasury.address }),
        ledger.setTariff(terms),
        ledger.setOffer({ cpo: CPO, price: microEurPerKwh(50_000), key: "offer:3:1" }),
      );
      expect((await reader.account(drivers[2] as Hex)).isDriver).to.equal(true);
      expect((await reader.ask("Settlement", "tariffOf", [1]))[0].maxPerKwh).to.equal(600_000n);
      expect((await reader.ask("Settlement", "offerOf", [CPO])).offer).to.equal(50_000n);
    });

    it("takes a repetition under another key as done", async () => {
      const { ledger } = on;
      const again = [
        ledger.setTariff({
          tariff: 1,
          cpo: CPO,
          maxPerKwh: microEurPerKwh(600_000),
          maxFixed: microEur(1_000_000n),
          fromAt: epochSecond(0),
        }),
        ledger.registerDrivers([{ driver: drivers[1] as Hex, consent: word(9) }]),
      ].map((one) => ({ ...one, key: `${one.key}:again` }));
      const before = await nonceOf(on.chain.rpc, KEYS.registry);
      await write(...again);
      expect(await nonceOf(on.chain.rpc, KEYS.registry)).to.equal(before);
    });
  });

  describe("money and FLEX", () => {
    it("mints, deposits, bills a batch once, and computes the very root that the contract computes", async () => {
      const { ledger, reader } = on;
      await write(
        ledger.mintTestEuro(KEYS.treasury.address, microEur(100_000_000n), "mint:1"),
        ledger.approveDeposits(),
        ledger.deposit(drivers[0] as Hex, microEur(20_000_000n), "deposit:a:1"),
        ledger.deposit(KEYS.treasury.address, microEur(30_000_000n), "deposit:cpo:1"),
        ledger.fundPot({ cpo: CPO, amount: microEur(10_000_000n), key: "pot:3:1" }),
      );
      const lines = [
        line(11),
        line(12, { driver: drivers[1] as Hex, amount: 1_000_000n, flex: 0 }),
        line(13, { driver: drivers[2] as Hex, amount: 0n, credit: 787_500n, flex: 1 }),
      ];
      await write(ledger.post({ cpo: CPO, seq: 1, lines }));

      const leaves = ledger.batchLeaves(CPO, 1, lines);
      const [batch] = await reader.posted(CPO);
      expect(batch).to.include({ seq: 1, count: 3, pot: 2_000_000n, root: ledger.merkleRoot(leaves) });
      expect((await reader.ask("Settlement", "leafOf", [CPO, 1, lines[2]]))[0]).to.equal(leaves[2]);
      expect(await reader.linesOf(batch as NonNullable<typeof batch>)).to.deep.equal(lines);
      expect(
        (await reader.billed()).map(({ number, amount, credit, flex }) => [number, amount, credit, flex]),
      ).to.deep.equal([
        [11, 2_000_000n, 0n, 4_000],
        [12, 1_000_000n, 0n, 0],
        [13, 0n, 787_500n, 1],
      ]);
      expect((await reader.logs("Settlement", "Shortfall")).map(({ args }) => args.missing)).to.deep.equal([
        1_000_000n,
      ]);
      expect(await reader.account(drivers[0] as Hex)).to.include({ available: 18_000_000n, flexWh: 4_000, nonce: 0 });
      expect(await reader.account(drivers[2] as Hex)).to.include({ available: 787_500n });
    });

    it("redeems what drivers signed, and skips a signature that is not theirs", async () => {
      const { ledger, reader } = on;
      const wallet = wallets().create("a");
      const intent = {
        driver: wallet.address,
        cpo: CPO,
        wh: 3_000,
        minPayout: 150_000n,
        nonce: 0,
        deadline: epochSecond(2 ** 40 - 1),
      };
      const signature = await wallets().signRedeem(wallet, intent);
      const domain = settlementDomain({
        chainId: on.chain.rpc.chainId,
        settlement: on.contracts.addressOf("Settlement"),
      });
      expect(verifyTypedData(domain, REDEEM_TYPES, intent, signature)).to.equal(wallet.address);
      const forged = { ...intent, driver: drivers[2] as Hex, wh: 1, minPayout: 0n, signature };
      await write(ledger.redeem([forged, { ...intent, signature }], "redeem:3:1"));
      expect(await reader.account(wallet.address)).to.include({ flexWh: 1_000, nonce: 1, available: 18_150_000n });
      expect(await reader.account(drivers[2] as Hex)).to.include({ flexWh: 1, nonce: 0 });
    });

    it("finalises a batch once, and every euro is accounted for", async () => {
      const { ledger, reader } = on;
      const before = (await reader.account(KEYS.treasury.address)).available;
      await write(ledger.finalise({ cpo: CPO, seq: 1 }), { ...ledger.finalise({ cpo: CPO, seq: 1 }), key: "again" });
      expect((await reader.account(KEYS.treasury.address)).available - before).to.equal(2_000_000n);
      expect(await reader.funds()).to.deep.equal({ held: 60_000_000n, owned: 60_000_000n });
    });

    it("parks a bill above its tariff with the contract's own words and holds the batches behind it", async () => {
      const { ledger, reader } = on;
      const dear = ledger.post({ cpo: CPO, seq: 2, lines: [line(21, { amount: 7_000_001n })] });
      const done = await on.write(dear, ledger.post({ cpo: CPO, seq: 3, lines: [line(22)] }));
      expect(done).to.include({ open: 2, parked: 1 });
      expect(on.alarms.at(-1)).to.deep.include({ kind: "parked", key: "batch:3:2", text: "AboveTariff(21)" });
      expect((await reader.ask("Settlement", "lastSeq", [CPO]))[0]).to.equal(1n);
      await on.db.deleteFrom("outbox").where("state", "in", ["queued", "blocked"]).execute();
    });

    it("takes a batch that is on chain as done, and one with another content not", async () => {
      const { ledger } = on;
      const first = { ...ledger.post({ cpo: CPO, seq: 2, lines: [line(31)] }), key: "first" };
      await write(first, { ...first, key: "repeated" });
      const other = { ...ledger.post({ cpo: CPO, seq: 2, lines: [line(32)] }), key: "other" };
      expect(await on.write(other)).to.include({ open: 1, parked: 1 });
      expect(on.alarms.at(-1)).to.deep.include({ text: "OutOfOrder(3, 2, 3)" });
      await on.db.deleteFrom("outbox").where("state", "in", ["queued", "blocked"]).execute();
    });
  });

  describe("large calls", () => {
    it("post 200 lines of which none is covered, and register 150 assets, in one transaction each", async () => {
      const { ledger, reader } = on;
      const many = Array.from({ length: 200 }, (_, i) => wallets().create(`many ${i}`).address);
      await write(
        ledger.registerDrivers(many.map((driver) => ({ driver, consent: word(1) }))),
        ledger.post({ cpo: CPO, seq: 3, lines: many.map((driver, i) => line(1000 + i, { driver })) }),
        ledger.setGroup({ group: 70, cpo: CPO, capacityW: 60_000, parent: 0, fromSlot: SLOT }),
        ledger.registerAssets(
          Array.from({ length: 150 }, (_, index) => ({
            id: ledger.assetId(CPO, word(0), `large ${index}`),
            group: 70,
            index,
            kind: "inverter" as const,
            ratedW: 1,
            minW: 0,
            capacityWh: 0,
            phases: 1,
            connector: 0,
            metadata: word(index + 1),
            fromSlot: SLOT,
          })),
        ),
      );
      expect(await reader.batch(CPO, 3)).to.include({ count: 200, pot: 0n });
      expect((await reader.ask("AssetRegistry", "countOf", [70]))[0]).to.equal(150n);
    });
  });

  describe("runs", () => {
    it("records runs whose plans anyone can check, and whose history is one hash", async () => {
      const { ledger, reader } = on;
      const runs: RunRecord[] = [];
      const bytes: { p: Hex; x: Hex; y: Hex; w: Hex; value: Hex }[] = [];
      let earlier: Hex = word(0);
      for (let i = 0; i < 4; i++) {
        const problem = { ...randomProblem(100 + i), group: GROUP, slot: SLOT + i };
        const plan = leastCost(problem);
        const salt = randomBytes(32);
        const p = encodeProblem(problem, salt);
        const [x, y, w] = [encodeX(problem, plan), encodeY(plan), encodeW(plan)];
        const value = ledger.valueWord({
          mode: "rows",
          cost: plan.cost,
          bound: plan.bound,
          salt: hexlify(salt) as Hex,
        });
        const committed = {
          algorithm: ledger.versions["least-cost"],
          problem: ledger.problemHash(p),
          plan: ledger.planHash(hexlify(salt) as Hex, x, y, w),
          value,
        };
        runs.push({ group: GROUP, slot: SLOT + i, ...committed, earlier, root: merkleRoot([word(i)]), rows: ROWS });
        earlier = ledger.earlierLink(earlier, { at: epochSecond(i), ...committed });
        bytes.push({ p: hexlify(p) as Hex, x: hexlify(x) as Hex, y: hexlify(y) as Hex, w: hexlify(w) as Hex, value });
        await write(ledger.record([runs[i] as RunRecord]));
      }
      const recorded = await reader.runs(GROUP);
      expect(recorded).to.have.length(4);
      for (const [i, run] of runs.entries()) {
        expect(recorded[i]).to.deep.include(run);
        expect((await reader.ask("SlotLedger", "linkOf", [run]))[0]).to.equal(linkOf(run));
        const { p, x, y, w, value } = bytes[i] as (typeof bytes)[number];
        const checker = on.contracts.addressOf("ScheduleChecker");
        const judged = await reader.check(checker, p, x, y, w);
        expect(judged.kind).to.equal("checked");
        if (judged.kind === "checked") {
          expect(judged.bound).to.equal(judged.cost);
          expect(ledger.valueWord({ mode: "rows", cost: judged.cost, bound: judged.bound, salt: word(0) })).to.equal(
            value,
          );
        }
        expect(await reader.check(checker, p, `0x${"ff".repeat(x.length / 2 - 1)}`, y, w)).to.include({
          kind: "broken",
        });
      }
      expect(await reader.head(GROUP)).to.deep.equal({ slot: SLOT + 3, chain: chainOf(recorded) });
      expect(chainOf(recorded.slice(1))).to.not.equal(chainOf(recorded));

      const [before, ...later] = [
        chainOf(runs.slice(0, 1)),
        linkOf(runs[2] as RunRecord),
        linkOf(runs[3] as RunRecord),
      ];
      const confirm = on.contracts.encode("SlotLedger", "confirm", [
        before,
        runs[1],
        later,
        bytes[1]?.p,
        bytes[1]?.x,
        bytes[1]?.y,
        bytes[1]?.w,
      ]);
      await write({
        lane: "billing",
        key: "confirm",
        stream: null,
        contract: "SlotLedger",
        call: "confirm",
        args: {},
        data: confirm,
        gasLimit: 5_000_000,
      });
      expect((await reader.ask("SlotLedger", "verdictOf", [GROUP, SLOT + 1]))[0], "confirmed on chain").to.equal(1n);
    });

    it("takes a recorded run as done, and a different one for the same slot not", async () => {
      const { ledger, reader } = on;
      const [first] = await reader.runs(GROUP);
      const run = first as RunRecord;
      await write({ ...ledger.record([run]), key: "repeated run" });
      const forged = { ...ledger.record([{ ...run, root: word(5) }]), key: "forged run" };
      expect(await on.write(forged)).to.include({ open: 1, parked: 1 });
      expect(on.alarms.at(-1)).to.deep.include({ text: `OutOfOrder(${GROUP}, ${SLOT}, ${SLOT + 3})` });
      await on.db.deleteFrom("outbox").where("state", "=", "blocked").execute();
    });

    it("tells the registered parameters of a version", async () => {
      const { ledger, reader } = on;
      expect(await reader.algorithm(ledger.versions["least-laxity"])).to.include({
        method: "least-laxity/1",
        voll: 10_000_000,
      });
      expect(await reader.algorithm(word(1))).to.equal(null);
    });

    it("lets the checker judge 150 cars over 96 intervals in one free call", async () => {
      const base = randomProblem(1);
      const car = base.cars[0] ?? {
        session: 1,
        row: 0,
        needWh: 0,
        moreWh: 0,
        powerW: 11_000,
        minPowerW: 0,
        from: 0,
        to: 1,
      };
      const interval = base.intervals[0] as (typeof base.intervals)[number];
      const problem = {
        ...base,
        intervals: Array.from({ length: 96 }, () => interval),
        cars: Array.from({ length: 150 }, (_, i) => ({ ...car, session: i + 1, row: i, from: 0, to: 96 })),
      } as typeof base;
      const plan = leastCost(problem);
      const hex = (bytes: Uint8Array) => hexlify(bytes) as Hex;
      const checker = on.contracts.addressOf("ScheduleChecker");
      const p = encodeProblem(problem, Buffer.alloc(32, 1));
      const verdict = await on.reader.check(
        checker,
        hex(p),
        hex(encodeX(problem, plan)),
        hex(encodeY(plan)),
        hex(encodeW(plan)),
      );
      expect(verdict).to.deep.equal({ kind: "checked", cost: plan.cost, bound: plan.cost });
    });
  });

  it("names the value that does not fit instead of sending something else", () => {
    const { ledger } = on;
    expect(() => ledger.setOffer({ cpo: 2 ** 32, price: microEurPerKwh(1), key: "k" })).to.throw(
      RangeError,
      "4294967296",
    );
    expect(() => ledger.post({ cpo: 1, seq: 1, lines: [line(1, { amount: 2n ** 64n })] })).to.throw(RangeError);
    expect(() => ledger.setOffer({ cpo: 1, price: microEurPerKwh(-1), key: "k" })).to.throw(RangeError);
    expect(() => ledger.post({ cpo: 1, seq: 1, lines: Array.from({ length: 600 }, (_, i) => line(i)) })).to.throw(
      "Split it",
    );
  });

  describe("gas", () => {
    it("uses less gas than the encoders allow, with a fifth to spare", async () => {
      const rows = await on.db
        .selectFrom("outbox")
        .select(["key", "tx_hash", "gas_limit"])
        .where("tx_hash", "is not", null)
        .execute();
      expect(rows.length).to.be.greaterThan(15);
      for (const { key, tx_hash, gas_limit } of rows) {
        const { gasUsed } = await request<{ gasUsed: Hex }>(on.chain.rpc, "eth_getTransactionReceipt", tx_hash);
        expect(Number(gasUsed) * 1.2, `gas of ${key}`).to.be.below(Number(gas_limit));
      }
    });
  });
});

describe("commitments", () => {
  it("packs a row into twelve bytes: index, limit in 10 W, signed power in 20 W, status, flags, register", () => {
    const row = { index: 1, limitW: 11_009, powerW: -7_400, status: 3, flags: 128, registerWh: 0x01020304 };
    expect(packRows([row])).to.equal("0x0001044cfe8e038001020304");
    expect(unpackRows("0x0001044cfe8e038001020304")).to.deep.equal([{ ...row, limitW: 11_000 }]);
  });

  it("orders rows by index and refuses two with the same, or a value that does not fit", () => {
    const row = { index: 2, limitW: 0, powerW: 0, status: 0, flags: 0, registerWh: 0 };
    expect(packRows([row, { ...row, index: 1 }]).slice(0, 6)).to.equal("0x0001");
    expect(() => packRows([row, row])).to.throw(RangeError, "index 2");
    expect(() => packRows([{ ...row, limitW: 655_360 }])).to.throw(RangeError);
    expect(() => packRows([{ ...row, powerW: -655_380 }])).to.throw(RangeError);
  });

  it("keeps cost and bound in clear where rows are public, and under the salt where they are not", async () => {
    const { valueWord } = await import("../../../backend/adapters/chain/commitments.ts");
    const clear = valueWord({ mode: "rows", cost: -1n, bound: null, salt: key(1) });
    expect(clear).to.equal(`0x${"ff".repeat(16)}80${"00".repeat(15)}`);
    const hidden = (salt: Hex) => valueWord({ mode: "root", cost: 0n, bound: 0n, salt });
    expect(hidden(key(1))).to.not.equal(hidden(key(2)));
    expect(() => valueWord({ mode: "rows", cost: 2n ** 127n, bound: 0n, salt: key(1) })).to.throw(RangeError);
    expect(valueWord({ mode: "rows", cost: NO_BOUND, bound: NO_BOUND, salt: key(1) })).to.have.length(66);
  });

  it("proves each of 1 to 17 leaves, and no other leaf with its proof", () => {
    expect(merkleRoot([])).to.equal(`0x${"00".repeat(32)}`);
    for (let count = 1; count <= 17; count++) {
      const leaves = Array.from({ length: count }, (_, i) => saltedLeaf(key(i), `leaf ${i} of ${count}`));
      const root = merkleRoot(leaves);
      leaves.forEach((leaf, i) => {
        const proof = merkleProof(leaves, i);
        expect(provesLeaf(root, leaf, proof)).to.equal(true);
        expect(provesLeaf(root, saltedLeaf(key(99), `leaf ${i} of ${count}`), proof)).to.equal(false);
      });
    }
    expect(() => merkleProof([], 0)).to.throw(RangeError);
  });

  it("hashes a leaf twice, so that an inner node is never a leaf", () => {
    const inner = keccak256(`${key(1)}${keccak256(Buffer.from("text")).slice(2)}`);
    expect(saltedLeaf(key(1), "text")).to.equal(keccak256(inner));
  });

  it("chains earlier plans so that their order and every field count", () => {
    const plan = { at: 1, algorithm: key(1), problem: key(2), plan: key(3), value: key(4) };
    const changes = [{ at: 2 }, { algorithm: key(9) }, { problem: key(9) }, { plan: key(9) }, { value: key(9) }];
    const links = [{}, ...changes].map((change) => earlierLink(key(0), { ...plan, ...change }));
    expect(new Set(links).size).to.equal(6);
    expect(earlierLink(key(1), plan)).to.not.equal(links[0]);
  });

  it("separates domains: a signature for one contract or chain is none for another", () => {
    const intent = { driver: KEYS.slots.address, cpo: 1, wh: 1, minPayout: 0n, nonce: 0, deadline: 1 };
    const digest = (chainId: number, settlement: Hex) =>
      TypedDataEncoder.hash(settlementDomain({ chainId, settlement }), REDEEM_TYPES, intent);
    const digests = [digest(1, KEYS.slots.address), digest(2, KEYS.slots.address), digest(1, KEYS.billing.address)];
    expect(new Set(digests).size).to.equal(3);
  });
});
