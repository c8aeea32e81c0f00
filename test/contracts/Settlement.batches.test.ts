import { expect } from "chai";
import { id as hash } from "ethers";
import { networkHelpers } from "../support/chain.ts";
import { aLine, available, blockTime, CPO, EURO, funded, settlementFixture, TARIFF } from "../support/settlement.ts";

const HOUR = 3_600;
const withWindow = () => settlementFixture({ windowS: 72 * HOUR, payeeNoticeS: HOUR });

describe("Settlement: after the bill", () => {
  describe("finalise", () => {
    it("pays the pot to the CPO's payee, whoever calls", async () => {
      const { settlement, asBiller, anna, payee, stranger } = await networkHelpers.loadFixture(funded);
      await asBiller.post(CPO, 1, [aLine(anna)]);
      await expect(settlement.connect(stranger).finalise(CPO, 1))
        .to.emit(settlement, "Finalised")
        .withArgs(CPO, 1, payee.address, 3n * EURO);
      expect(await available(settlement, payee)).to.equal(53n * EURO);
      expect((await settlement.batchOf(CPO, 1)).finalised).to.equal(true);
    });

    it("waits for the window, to the second, and pays whoever is the payee then", async () => {
      const { settlement, asBiller, asRegistrar, anna, deposit, otherPayee } =
        await networkHelpers.loadFixture(withWindow);
      await deposit(anna, 3n * EURO);
      const at = (await blockTime()) + 5;
      await networkHelpers.time.setNextBlockTimestamp(at);
      await asBiller.post(CPO, 1, [aLine(anna)]);
      await asRegistrar.setPayee(CPO, otherPayee.address);
      await networkHelpers.time.setNextBlockTimestamp(at + 72 * HOUR - 1);
      await expect(settlement.finalise.staticCall(CPO, 1, { blockTag: "pending" }))
        .to.be.revertedWithCustomError(settlement, "WindowOpen")
        .withArgs(CPO, 1, at + 72 * HOUR);
      await networkHelpers.time.setNextBlockTimestamp(at + 72 * HOUR);
      await asBiller.finalise(CPO, 1);
      expect(await available(settlement, otherPayee)).to.equal(3n * EURO);
    });

    it("refuses a batch twice, and one that does not exist", async () => {
      const { settlement, asBiller, anna } = await networkHelpers.loadFixture(funded);
      await asBiller.post(CPO, 1, [aLine(anna)]);
      await asBiller.finalise(CPO, 1);
      await expect(asBiller.finalise(CPO, 1))
        .to.be.revertedWithCustomError(settlement, "AlreadyFinalised")
        .withArgs(CPO, 1);
      await expect(asBiller.finalise(CPO, 2))
        .to.be.revertedWithCustomError(settlement, "UnknownBatch")
        .withArgs(CPO, 2);
      await expect(asBiller.finalise(8, 1)).to.be.revertedWithCustomError(settlement, "UnknownBatch").withArgs(8, 1);
    });
  });

  describe("settleOwed", () => {
    async function owing() {
      const fixture = await settlementFixture();
      await fixture.asBiller.post(CPO, 1, [aLine(fixture.anna)]);
      await fixture.settlement.connect(fixture.stranger).finalise(CPO, 1);
      return fixture;
    }

    it("waits until the batch is final", async () => {
      const { settlement, asBiller, anna, stranger } = await networkHelpers.loadFixture(owing);
      await asBiller.post(CPO, 2, [aLine(anna, { number: 2 })]);
      await expect(settlement.connect(stranger).settleOwed(CPO, 2, 1))
        .to.be.revertedWithCustomError(settlement, "NotFinal")
        .withArgs(CPO, 2);
    });

    it("pays a debt in parts from the driver's balance to the CPO, whoever calls", async () => {
      const { settlement, deposit, anna, payee, stranger } = await networkHelpers.loadFixture(owing);
      await deposit(anna, 5n * EURO);
      const asStranger = settlement.connect(stranger);
      await expect(asStranger.settleOwed(CPO, 1, EURO))
        .to.emit(settlement, "DebtPaid")
        .withArgs(CPO, 1, anna.address, EURO, 2n * EURO);
      await asStranger.settleOwed(CPO, 1, 2n * EURO);
      expect(await available(settlement, payee)).to.equal(3n * EURO);
      expect(await available(settlement, anna)).to.equal(2n * EURO);
      expect((await settlement.debtOf(CPO, 1)).amount).to.equal(0n);
    });

    it("refuses more than is owed and more than the driver has", async () => {
      const { settlement, deposit, anna, stranger } = await networkHelpers.loadFixture(owing);
      await deposit(anna, EURO);
      const asStranger = settlement.connect(stranger);
      await expect(asStranger.settleOwed(CPO, 1, 3n * EURO + 1n))
        .to.be.revertedWithCustomError(settlement, "MoreThanOwed")
        .withArgs(1, 3n * EURO);
      await expect(asStranger.settleOwed(CPO, 2, 1))
        .to.be.revertedWithCustomError(settlement, "MoreThanOwed")
        .withArgs(2, 0);
      await expect(asStranger.settleOwed(CPO, 1, EURO + 1n))
        .to.be.revertedWithCustomError(settlement, "InsufficientBalance")
        .withArgs(anna.address, EURO, EURO + 1n);
    });
  });

  describe("pay", () => {
    it("moves the CPO's own money to a driver, once per reason", async () => {
      const { settlement, asBiller, anna, payee } = await networkHelpers.loadFixture(funded);
      await expect(asBiller.pay(CPO, anna.address, EURO, hash("refund 7")))
        .to.emit(settlement, "Paid")
        .withArgs(CPO, anna.address, hash("refund 7"), EURO);
      expect(await available(settlement, anna)).to.equal(101n * EURO);
      expect(await available(settlement, payee)).to.equal(49n * EURO);
      expect(await settlement.isPaid(CPO, hash("refund 7"))).to.equal(true);
      await expect(asBiller.pay(CPO, anna.address, EURO, hash("refund 7")))
        .to.be.revertedWithCustomError(settlement, "AlreadyPaid")
        .withArgs(CPO, hash("refund 7"));
    });

    it("refuses a stranger, and more than the CPO has", async () => {
      const { settlement, asBiller, anna, stranger, payee } = await networkHelpers.loadFixture(funded);
      await expect(asBiller.pay(CPO, stranger.address, 1, hash("a")))
        .to.be.revertedWithCustomError(settlement, "UnknownDriver")
        .withArgs(stranger.address);
      await expect(asBiller.pay(CPO, anna.address, 50n * EURO + 1n, hash("a")))
        .to.be.revertedWithCustomError(settlement, "InsufficientBalance")
        .withArgs(payee.address, 50n * EURO, 50n * EURO + 1n);
    });

    it("never touches the batches' pots", async () => {
      const { settlement, asBiller, anna, payee } = await networkHelpers.loadFixture(funded);
      await settlement.connect(payee).withdraw(50n * EURO, payee.address);
      await asBiller.post(CPO, 1, [aLine(anna)]);
      await expect(asBiller.pay(CPO, anna.address, 1, hash("a"))).to.be.revertedWithCustomError(
        settlement,
        "InsufficientBalance",
      );
    });
  });

  describe("pause and retire", () => {
    it("pause stops post only; the admin resumes", async () => {
      const { settlement, asBiller, pauser, admin, anna } = await networkHelpers.loadFixture(funded);
      await asBiller.post(CPO, 1, [aLine(anna)]);
      await expect(settlement.connect(pauser).pause()).to.emit(settlement, "Paused");
      await expect(asBiller.post(CPO, 2, [aLine(anna, { number: 2 })])).to.be.revertedWithCustomError(
        settlement,
        "EnforcedPause",
      );
      await asBiller.finalise(CPO, 1);
      await asBiller.pay(CPO, anna.address, 1, hash("a"));
      await settlement.connect(admin).unpause();
      await asBiller.post(CPO, 2, [aLine(anna, { number: 2 })]);
    });

    it("retire stops post for ever and nothing else", async () => {
      const { settlement, asBiller, admin, anna } = await networkHelpers.loadFixture(funded);
      await asBiller.post(CPO, 1, [aLine(anna)]);
      await expect(settlement.connect(admin).retire()).to.emit(settlement, "RetiredForEver");
      expect(await settlement.retired()).to.equal(true);
      await expect(asBiller.post(CPO, 2, [aLine(anna, { number: 2 })])).to.be.revertedWithCustomError(
        settlement,
        "Retired",
      );
      await asBiller.finalise(CPO, 1);
    });

    it("are out of reach of the wrong roles", async () => {
      const { settlement, pauser, admin, biller } = await networkHelpers.loadFixture(funded);
      const refused = (call: Promise<unknown>) =>
        expect(call).to.be.revertedWithCustomError(settlement, "AccessManagedUnauthorized");
      await refused(settlement.connect(admin).pause());
      await refused(settlement.connect(biller).pause());
      await settlement.connect(pauser).pause();
      await refused(settlement.connect(pauser).unpause());
      await refused(settlement.connect(pauser).retire());
      await refused(settlement.connect(biller).retire());
    });
  });

  it("says what never changes", async () => {
    const { settlement, euro, flex } = await networkHelpers.loadFixture(withWindow);
    const names = ["euro", "flexToken", "window", "tariffNotice", "withdrawNotice", "payeeNotice", "maxCredit"];
    const values = await Promise.all(names.map((name) => settlement[name]()));
    expect(values).to.deep.equal([
      await euro.getAddress(),
      await flex.getAddress(),
      BigInt(72 * HOUR),
      0n,
      0n,
      BigInt(HOUR),
      10n * EURO,
    ]);
    expect((await settlement.tariffOf(TARIFF)).cpo).to.equal(BigInt(CPO));
  });
});
