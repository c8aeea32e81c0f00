import { expect } from "chai";
import { concat, id as hash, keccak256 } from "ethers";
import { networkHelpers } from "../support/chain.ts";
import {
  aLine,
  available,
  blockTime,
  CPO,
  EURO,
  FAR,
  type Line,
  leafOf,
  proofOf,
  rootOf,
  settlementFixture,
  signAs,
} from "../support/settlement.ts";

const HOUR = 3_600;
const WINDOW_S = 72 * HOUR;
const TERM_S = 30 * 24 * HOUR;

/** anna has EUR 100, ben 1, carl nothing; a batch of five lines is posted, the CPO has nothing. */
async function posted() {
  const fixture = await settlementFixture({ windowS: WINDOW_S });
  const { anna, ben, carl, address, asBiller, settlement, arbiter } = fixture;
  await fixture.deposit(anna, 100n * EURO);
  await fixture.deposit(ben, EURO);
  const lines = [
    aLine(anna),
    aLine(ben, { number: 2 }),
    aLine(carl, { number: 3, amount: 0n, credit: 0n }),
    aLine(anna, { number: 4, amount: EURO, wh: 3_000, flex: 0 }),
    aLine(anna, { number: 5, wh: 10_000, flex: 10_000 }),
  ];
  await asBiller.post(CPO, 1, lines);
  const leaves = lines.map((line) => leafOf(address, 1, line));
  const proof = (index: number) => proofOf(leaves, index);
  const dispute = (index: number, line: Line = lines[index]!) => {
    const driver = [anna, ben, carl].find((one) => one.address === line.driver)!;
    return settlement.connect(driver).dispute(CPO, 1, line, proof(index));
  };
  return { ...fixture, lines, leaves, proof, dispute, asArbiter: settlement.connect(arbiter) };
}
type Posted = Awaited<ReturnType<typeof posted>>;

const potOf = async ({ settlement }: Posted) => (await settlement.batchOf(CPO, 1)).pot;
const START = 8n * EURO;

describe("Settlement: disputes", () => {
  describe("dispute", () => {
    it("takes what was paid for the line out of the pot and keeps who, when and what", async () => {
      const place = await networkHelpers.loadFixture(posted);
      const { settlement, dispute, anna } = place;
      expect(await potOf(place)).to.equal(START);
      await expect(dispute(0))
        .to.emit(settlement, "Disputed")
        .withArgs(CPO, 1, anna.address, 1, 3n * EURO, 3n * EURO);
      expect(await potOf(place)).to.equal(START - 3n * EURO);
      expect([...(await settlement.disputeOf(CPO, 1))]).to.deep.equal([
        anna.address,
        BigInt(await blockTime()),
        1n,
        3n * EURO,
        10_000n,
        2_000n,
      ]);
      expect(await settlement.held()).to.equal(101n * EURO);
    });

    it("can be opened by the arbiter for the driver, and by nobody else", async () => {
      const { settlement, asArbiter, lines, proof, ben, biller, payee, admin } =
        await networkHelpers.loadFixture(posted);
      for (const other of [ben, biller, payee, admin])
        await expect(settlement.connect(other).dispute(CPO, 1, lines[0], proof(0)))
          .to.be.revertedWithCustomError(settlement, "AccessManagedUnauthorized")
          .withArgs(other.address);
      await asArbiter.dispute(CPO, 1, lines[0], proof(0));
      expect((await settlement.disputeOf(CPO, 1)).driver).to.equal(lines[0]!.driver);
    });

    it("delays the other lines of the batch by nothing", async () => {
      const { settlement, dispute, payee } = await networkHelpers.loadFixture(posted);
      await dispute(0);
      await networkHelpers.time.increase(WINDOW_S);
      await settlement.connect(payee).finalise(CPO, 1);
      expect(await available(settlement, payee)).to.equal(START - 3n * EURO);
    });

    it("is possible until the second before the window ends, and not in the second in which it ends", async () => {
      const { settlement, dispute } = await networkHelpers.loadFixture(posted);
      const until = (await blockTime()) + WINDOW_S;
      await networkHelpers.time.setNextBlockTimestamp(until - 1);
      await dispute(0);
      await networkHelpers.time.setNextBlockTimestamp(until);
      await expect(dispute(3)).to.be.revertedWithCustomError(settlement, "WindowClosed").withArgs(CPO, 1, until);
    });

    it("refuses a batch that does not exist", async () => {
      const { settlement, anna, lines } = await networkHelpers.loadFixture(posted);
      await expect(settlement.connect(anna).dispute(CPO, 2, lines[0], []))
        .to.be.revertedWithCustomError(settlement, "UnknownBatch")
        .withArgs(CPO, 2);
    });

    it("refuses a second dispute of the same line, open or resolved: it once paid a driver 200 for a bill of 100", async () => {
      const { settlement, dispute, asArbiter, anna } = await networkHelpers.loadFixture(posted);
      await dispute(0);
      await expect(dispute(0)).to.be.revertedWithCustomError(settlement, "AlreadyDisputed").withArgs(1);
      await asArbiter.resolve(CPO, 1, 3n * EURO, 0);
      await expect(dispute(0)).to.be.revertedWithCustomError(settlement, "AlreadyDisputed").withArgs(1);
      await expect(asArbiter.resolve(CPO, 1, 3n * EURO, 0))
        .to.be.revertedWithCustomError(settlement, "NotDisputed")
        .withArgs(1);
      expect(await available(settlement, anna)).to.equal(100n * EURO - 4n * EURO);
    });

    it("takes a proof of length 0 in a batch of one line", async () => {
      const { settlement, asBiller, anna } = await networkHelpers.loadFixture(posted);
      const line = aLine(anna, { number: 9 });
      await asBiller.post(CPO, 2, [line]);
      await settlement.connect(anna).dispute(CPO, 2, line, []);
      expect((await settlement.disputeOf(CPO, 9)).state).to.equal(1n);
    });

    it("works while posting is paused and after the contract is retired", async () => {
      const { settlement, dispute, asArbiter, pauser, admin, stranger } = await networkHelpers.loadFixture(posted);
      await settlement.connect(pauser).pause();
      await settlement.connect(admin).retire();
      await dispute(0);
      await dispute(3);
      await asArbiter.resolve(CPO, 1, EURO, 0);
      await networkHelpers.time.increase(TERM_S);
      await settlement.connect(stranger).expire(CPO, 4);
      await settlement.connect(stranger).finalise(CPO, 1);
    });
  });

  describe("a proof", () => {
    const forged: Readonly<Record<string, (place: Posted) => { line: Line; proof: string[]; seq?: number }>> = {
      "a leaf larger than its line (more money, more energy, more flexibility)": ({ lines, proof }) => ({
        line: { ...lines[0]!, amount: lines[0]!.amount + 1n },
        proof: proof(0),
      }),
      "more energy": ({ lines, proof }) => ({ line: { ...lines[0]!, wh: 10_001 }, proof: proof(0) }),
      "more flexibility": ({ lines, proof }) => ({ line: { ...lines[0]!, flex: 2_001 }, proof: proof(0) }),
      "another number": ({ lines, proof }) => ({ line: { ...lines[0]!, number: 7 }, proof: proof(0) }),
      "another receipt": ({ lines, proof }) => ({ line: { ...lines[0]!, detail: hash("other") }, proof: proof(0) }),
      "the proof of another line": ({ lines, proof }) => ({ line: lines[0]!, proof: proof(3) }),
      "a proof that is too short": ({ lines, proof }) => ({ line: lines[0]!, proof: proof(0).slice(1) }),
      "a proof that is too long": ({ lines, proof }) => ({ line: lines[0]!, proof: [...proof(0), hash("more")] }),
      "no proof": ({ lines }) => ({ line: lines[0]!, proof: [] }),
      "the root itself as proof": ({ lines, leaves }) => ({ line: lines[0]!, proof: [rootOf(leaves)] }),
    };
    for (const [name, forge] of Object.entries(forged))
      it(`is refused for ${name}`, async () => {
        const place = await networkHelpers.loadFixture(posted);
        const { line, proof } = forge(place);
        await expect(place.settlement.connect(place.anna).dispute(CPO, 1, line, proof)).to.be.revertedWithCustomError(
          place.settlement,
          "InvalidProof",
        );
      });

    it("is refused in another batch and for another CPO: the leaf names both", async () => {
      const { settlement, asBiller, asRegistrar, anna, deposit, lines, proof, otherPayee } =
        await networkHelpers.loadFixture(posted);
      await asBiller.post(CPO, 2, [aLine(anna, { number: 20 })]);
      await expect(settlement.connect(anna).dispute(CPO, 2, lines[0], proof(0))).to.be.revertedWithCustomError(
        settlement,
        "InvalidProof",
      );
      await asRegistrar.setPayee(8, otherPayee.address);
      await asRegistrar.setTariff(9, { cpo: 8, maxPerKwh: 350_000n, maxFixed: EURO, from: 0 });
      await deposit(anna, EURO);
      await asBiller.post(8, 1, [aLine(anna, { tariff: 9 })]);
      await expect(settlement.connect(anna).dispute(8, 1, lines[0], proof(0))).to.be.revertedWithCustomError(
        settlement,
        "InvalidProof",
      );
    });

    it("cannot be an inner node: leaves are hashed twice", async () => {
      const { leaves, proof } = await networkHelpers.loadFixture(posted);
      const [a, b] = [leaves[0]!, leaves[1]!];
      const inner = keccak256(BigInt(a) < BigInt(b) ? concat([a, b]) : concat([b, a]));
      expect(proof(0).length).to.equal(3);
      // The preimage of an inner node has 64 bytes, that of a leaf 32: no line can be made to hash to `inner`.
      expect(leaves).not.to.include(inner);
    });
  });

  describe("resolve", () => {
    it("splits what was paid exactly: refund to the driver, the rest to the CPO", async () => {
      const { settlement, dispute, asArbiter, anna, payee } = await networkHelpers.loadFixture(posted);
      await dispute(0);
      const before = await available(settlement, anna);
      await expect(asArbiter.resolve(CPO, 1, EURO + 1n, 0))
        .to.emit(settlement, "Resolved")
        .withArgs(CPO, 1, anna.address, payee.address, EURO + 1n, EURO + 1n, 2n * EURO - 1n, 0);
      expect(await available(settlement, anna)).to.equal(before + EURO + 1n);
      expect(await available(settlement, payee)).to.equal(2n * EURO - 1n);
      expect((await settlement.disputeOf(CPO, 1)).state).to.equal(2n);
      expect(await settlement.held()).to.equal(101n * EURO);
    });

    it("is the arbiter's alone", async () => {
      const { settlement, dispute, biller, registrar, anna, payee, admin } = await networkHelpers.loadFixture(posted);
      await dispute(0);
      for (const other of [biller, registrar, anna, payee, admin])
        await expect(settlement.connect(other).resolve(CPO, 1, 0, 0))
          .to.be.revertedWithCustomError(settlement, "AccessManagedUnauthorized")
          .withArgs(other.address);
    });

    it("refuses a refund above the bill and a line that is not disputed", async () => {
      const { settlement, dispute, asArbiter } = await networkHelpers.loadFixture(posted);
      await dispute(0);
      await expect(asArbiter.resolve(CPO, 1, 3n * EURO + 1n, 0))
        .to.be.revertedWithCustomError(settlement, "RefundTooHigh")
        .withArgs(1, 3n * EURO + 1n, 3n * EURO);
      await expect(asArbiter.resolve(CPO, 2, 0, 0))
        .to.be.revertedWithCustomError(settlement, "NotDisputed")
        .withArgs(2);
    });

    it("handles a dispute of a short line: the refund cancels the debt first", async () => {
      const place = await networkHelpers.loadFixture(posted);
      const { settlement, dispute, asArbiter, ben, payee } = place;
      await expect(dispute(1))
        .to.emit(settlement, "Disputed")
        .withArgs(CPO, 2, ben.address, 1, 3n * EURO, EURO);
      expect(await potOf(place)).to.equal(START - EURO);
      await expect(asArbiter.resolve(CPO, 2, EURO, 0))
        .to.emit(settlement, "Resolved")
        .withArgs(CPO, 2, ben.address, payee.address, EURO, 0, EURO, 0);
      expect((await settlement.debtOf(CPO, 2)).amount).to.equal(EURO);
      expect(await available(settlement, ben)).to.equal(0n);
      expect(await available(settlement, payee)).to.equal(EURO);
    });

    it("pays out of a short line no more than was paid for it", async () => {
      const { settlement, dispute, asArbiter, ben, payee } = await networkHelpers.loadFixture(posted);
      await dispute(1);
      await asArbiter.resolve(CPO, 2, 3n * EURO, 0);
      expect((await settlement.debtOf(CPO, 2)).amount).to.equal(0n);
      expect(await available(settlement, ben)).to.equal(EURO);
      expect(await available(settlement, payee)).to.equal(0n);
      expect(await settlement.held()).to.equal(101n * EURO);
    });

    it("keeps the debt of a disputed line from being collected until it is decided", async () => {
      const { settlement, dispute, asArbiter, deposit, ben, stranger } = await networkHelpers.loadFixture(posted);
      await dispute(1);
      const openedAt = await blockTime();
      await networkHelpers.time.increase(WINDOW_S);
      await settlement.connect(stranger).finalise(CPO, 1);
      await deposit(ben, 5n * EURO);
      await expect(settlement.connect(stranger).settleOwed(CPO, 2, 1))
        .to.be.revertedWithCustomError(settlement, "DisputeOpen")
        .withArgs(2, openedAt + TERM_S);
      await asArbiter.resolve(CPO, 2, EURO, 0);
      await settlement.connect(stranger).settleOwed(CPO, 2, EURO);
      expect(await available(settlement, ben)).to.equal(4n * EURO);
    });

    it("corrects flexibility within 0 and the line's energy", async () => {
      const { settlement, dispute, asArbiter, anna } = await networkHelpers.loadFixture(posted);
      await dispute(0);
      for (const delta of [-2_001n, 8_001n, -(2n ** 63n), 2n ** 63n - 1n])
        await expect(asArbiter.resolve(CPO, 1, 0, delta))
          .to.be.revertedWithCustomError(settlement, "FlexAboveEnergy")
          .withArgs(1);
      await asArbiter.resolve(CPO, 1, 0, 8_000);
      expect((await settlement.accountOf(anna.address)).flex).to.equal(20_000n);
      await dispute(4);
      await asArbiter.resolve(CPO, 5, 0, -10_000);
      expect((await settlement.accountOf(anna.address)).flex).to.equal(10_000n);
    });

    it("turns a claim and then a negative delta into a debt, which the next flexibility pays", async () => {
      const { settlement, asBiller, dispute, asArbiter, anna, flex } = await networkHelpers.loadFixture(posted);
      await dispute(4);
      await settlement.connect(anna).claimFlex(anna.address);
      await asArbiter.resolve(CPO, 5, 0, -10_000);
      const account = async () => {
        const { flex: earned, flexDebt } = await settlement.accountOf(anna.address);
        return [earned, flexDebt];
      };
      expect(await account()).to.deep.equal([0n, 10_000n]);
      expect(await flex.balanceOf(anna.address)).to.equal(12_000n);
      await asBiller.post(CPO, 2, [aLine(anna, { number: 10, flex: 4_000 })]);
      expect(await account()).to.deep.equal([0n, 6_000n]);
      await asBiller.post(CPO, 3, [aLine(anna, { number: 11, flex: 9_000 })]);
      expect(await account()).to.deep.equal([3_000n, 0n]);
    });

    it("adds a second debt to the first", async () => {
      const { settlement, dispute, asArbiter, anna } = await networkHelpers.loadFixture(posted);
      await dispute(0);
      await dispute(4);
      await settlement.connect(anna).claimFlex(anna.address);
      await asArbiter.resolve(CPO, 1, 0, -2_000);
      await asArbiter.resolve(CPO, 5, 0, -10_000);
      const { flex, flexDebt } = await settlement.accountOf(anna.address);
      expect([flex, flexDebt]).to.deep.equal([0n, 12_000n]);
    });

    it("takes back what is unclaimed first and only the rest as debt", async () => {
      const { settlement, asBiller, dispute, asArbiter, anna } = await networkHelpers.loadFixture(posted);
      await dispute(4);
      await settlement.connect(anna).claimFlex(anna.address);
      await asBiller.post(CPO, 2, [aLine(anna, { number: 10, flex: 4_000 })]);
      await asArbiter.resolve(CPO, 5, 0, -9_000);
      const { flex, flexDebt } = await settlement.accountOf(anna.address);
      expect([flex, flexDebt]).to.deep.equal([0n, 5_000n]);
    });

    it("pays the payee of the day on which it is decided", async () => {
      const { settlement, dispute, asArbiter, asRegistrar, payee, otherPayee } =
        await networkHelpers.loadFixture(posted);
      await dispute(0);
      await asRegistrar.setPayee(CPO, otherPayee.address);
      await asArbiter.resolve(CPO, 1, 0, 0);
      expect(await available(settlement, otherPayee)).to.equal(3n * EURO);
      expect(await available(settlement, payee)).to.equal(0n);
    });

    it("ends a dispute about nothing paid", async () => {
      const { settlement, dispute, asArbiter, carl } = await networkHelpers.loadFixture(posted);
      await dispute(2);
      await asArbiter.resolve(CPO, 3, 0, -2_000);
      expect([...(await settlement.accountOf(carl.address))]).to.deep.equal([0n, 0n, 0n, 0n, true]);
    });
  });

  describe("expire", () => {
    it("refunds the whole bill after thirty days, whoever calls, and not a second earlier", async () => {
      const { settlement, dispute, anna, stranger } = await networkHelpers.loadFixture(posted);
      const before = await available(settlement, anna);
      await dispute(0);
      const until = (await blockTime()) + TERM_S;
      await networkHelpers.time.setNextBlockTimestamp(until - 1);
      await expect(settlement.connect(stranger).expire(CPO, 1))
        .to.be.revertedWithCustomError(settlement, "DisputeOpen")
        .withArgs(1, until);
      await networkHelpers.time.setNextBlockTimestamp(until);
      await settlement.connect(stranger).expire(CPO, 1);
      expect(await available(settlement, anna)).to.equal(before + 3n * EURO);
      await expect(settlement.connect(stranger).expire(CPO, 1))
        .to.be.revertedWithCustomError(settlement, "NotDisputed")
        .withArgs(1);
    });
  });

  describe("a signed dispute", () => {
    const intentOf = (driver: { address: string }, part: object = {}) => ({
      driver: driver.address,
      cpo: CPO,
      number: 1,
      nonce: 0,
      deadline: FAR,
      ...part,
    });

    it("needs no gas of the driver's", async () => {
      const { settlement, address, lines, proof, anna, stranger } = await networkHelpers.loadFixture(posted);
      const intent = intentOf(anna);
      const signature = await signAs(anna, address, "DisputeIntent", intent);
      await settlement.connect(stranger).disputeBySig(1, lines[0], proof(0), intent, signature);
      expect((await settlement.disputeOf(CPO, 1)).state).to.equal(1n);
      expect((await settlement.accountOf(anna.address)).nonce).to.equal(1n);
    });

    it("is refused for another session or another driver's line", async () => {
      const { settlement, address, lines, proof, anna, ben, stranger } = await networkHelpers.loadFixture(posted);
      for (const [signer, intent, index] of [
        [anna, intentOf(anna), 3],
        [ben, intentOf(ben), 0],
        [ben, intentOf(ben, { number: 4 }), 3],
      ] as const) {
        const signature = await signAs(signer, address, "DisputeIntent", intent);
        await expect(
          settlement.connect(stranger).disputeBySig(1, lines[index], proof(index), intent, signature),
        ).to.be.revertedWithCustomError(settlement, "IntentRefused");
      }
    });
  });
});
