import { expect } from "chai";
import { id as hash, ZeroAddress } from "ethers";
import { networkHelpers } from "../support/chain.ts";
import { available, blockTime, CPO, EURO, settlementFixture, TARIFF, TERMS } from "../support/settlement.ts";

const DAY = 86_400;
const plain = () => settlementFixture();
const withNotices = () => settlementFixture({ payeeNoticeS: 2 * DAY, tariffNoticeS: DAY });

describe("Settlement: registers", () => {
  describe("registerDrivers", () => {
    it("makes addresses billable and keeps the consent's hash in the event", async () => {
      const { settlement, asRegistrar, stranger, otherPayee } = await networkHelpers.loadFixture(plain);
      await expect(asRegistrar.registerDrivers([stranger.address, otherPayee.address], [hash("a"), hash("b")]))
        .to.emit(settlement, "DriverRegistered")
        .withArgs(stranger.address, hash("a"))
        .and.to.emit(settlement, "DriverRegistered")
        .withArgs(otherPayee.address, hash("b"));
      expect((await settlement.accountOf(stranger.address)).isDriver).to.equal(true);
    });

    it("keeps money that was there before", async () => {
      const { settlement, asRegistrar, stranger, deposit } = await networkHelpers.loadFixture(plain);
      await deposit(stranger, EURO);
      await asRegistrar.registerDrivers([stranger.address], [hash("a")]);
      expect(await available(settlement, stranger)).to.equal(EURO);
    });

    it("refuses an address twice, the zero address, a missing consent and lists of different length", async () => {
      const { settlement, asRegistrar, anna, stranger } = await networkHelpers.loadFixture(plain);
      const refused = (drivers: string[], consents: string[], error: string) =>
        expect(asRegistrar.registerDrivers(drivers, consents)).to.be.revertedWithCustomError(settlement, error);
      await refused([anna.address], [hash("a")], "AlreadyRegistered");
      await refused([stranger.address, stranger.address], [hash("a"), hash("a")], "AlreadyRegistered");
      await refused([ZeroAddress], [hash("a")], "ZeroAddress");
      await refused([stranger.address], [`0x${"00".repeat(32)}`], "MissingConsent");
      await refused([stranger.address], [], "LengthMismatch");
    });
  });

  describe("setPayee", () => {
    it("takes effect at once the first time", async () => {
      const { settlement, asRegistrar, stranger } = await networkHelpers.loadFixture(withNotices);
      const at = (await blockTime()) + 5;
      await networkHelpers.time.setNextBlockTimestamp(at);
      await expect(asRegistrar.setPayee(9, stranger.address))
        .to.emit(settlement, "PayeeSet")
        .withArgs(9, stranger.address, at);
      expect(await settlement.payeeOf(9)).to.equal(stranger.address);
    });

    it("takes effect after the notice when it is a change, and not a second before", async () => {
      const { settlement, asRegistrar, payee, otherPayee } = await networkHelpers.loadFixture(withNotices);
      const at = (await blockTime()) + 5;
      await networkHelpers.time.setNextBlockTimestamp(at);
      await expect(asRegistrar.setPayee(CPO, otherPayee.address))
        .to.emit(settlement, "PayeeSet")
        .withArgs(CPO, otherPayee.address, at + 2 * DAY);
      await networkHelpers.time.increaseTo(at + 2 * DAY - 1);
      expect(await settlement.payeeOf(CPO)).to.equal(payee.address);
      await networkHelpers.time.increaseTo(at + 2 * DAY);
      expect(await settlement.payeeOf(CPO)).to.equal(otherPayee.address);
    });

    it("is withdrawn by announcing the present payee again", async () => {
      const { settlement, asRegistrar, payee, otherPayee } = await networkHelpers.loadFixture(withNotices);
      await asRegistrar.setPayee(CPO, otherPayee.address);
      await asRegistrar.setPayee(CPO, payee.address);
      await networkHelpers.time.increase(3 * DAY);
      expect(await settlement.payeeOf(CPO)).to.equal(payee.address);
    });

    it("refuses CPO 0 and the zero address", async () => {
      const { settlement, asRegistrar, payee } = await networkHelpers.loadFixture(plain);
      await expect(asRegistrar.setPayee(0, payee.address))
        .to.be.revertedWithCustomError(settlement, "UnknownCpo")
        .withArgs(0);
      await expect(asRegistrar.setPayee(9, ZeroAddress)).to.be.revertedWithCustomError(settlement, "ZeroAddress");
    });
  });

  describe("setTariff", () => {
    it("publishes a tariff once and for ever", async () => {
      const { settlement, asRegistrar } = await networkHelpers.loadFixture(plain);
      await expect(asRegistrar.setTariff(5, TERMS)).to.emit(settlement, "TariffSet").withArgs(5, Object.values(TERMS));
      expect([...(await settlement.tariffOf(5))]).to.deep.equal([BigInt(CPO), 350_000n, EURO, 0n]);
      await expect(asRegistrar.setTariff(5, { ...TERMS, maxFixed: 0 }))
        .to.be.revertedWithCustomError(settlement, "TariffExists")
        .withArgs(5);
    });

    it("refuses a CPO without payee", async () => {
      const { settlement, asRegistrar } = await networkHelpers.loadFixture(plain);
      await expect(asRegistrar.setTariff(5, { ...TERMS, cpo: 8 }))
        .to.be.revertedWithCustomError(settlement, "UnknownCpo")
        .withArgs(8);
    });

    it("refuses a tariff that is usable before the notice is over, by one second", async () => {
      const { settlement, asRegistrar } = await networkHelpers.loadFixture(withNotices);
      const at = (await blockTime()) + 5;
      await networkHelpers.time.setNextBlockTimestamp(at);
      await expect(asRegistrar.setTariff(5, { ...TERMS, from: at + DAY - 1 }))
        .to.be.revertedWithCustomError(settlement, "TariffTooSoon")
        .withArgs(at + DAY - 1, at + DAY);
      await networkHelpers.time.setNextBlockTimestamp(at + 1);
      await asRegistrar.setTariff(5, { ...TERMS, from: at + 1 + DAY });
      expect(await settlement.tariffNotice()).to.equal(BigInt(DAY));
    });
  });

  it("lets nobody but the registrar write", async () => {
    const { settlement, admin, biller, operator, stranger } = await networkHelpers.loadFixture(plain);
    const calls: [string, unknown[]][] = [
      ["registerDrivers", [[stranger.address], [hash("a")]]],
      ["setPayee", [9, stranger.address]],
      ["setTariff", [TARIFF + 1, TERMS]],
      ["setOffer", [CPO, 1]],
    ];
    for (const other of [admin, biller, operator, stranger])
      for (const [verb, args] of calls)
        await expect(settlement.connect(other)[verb](...args))
          .to.be.revertedWithCustomError(settlement, "AccessManagedUnauthorized")
          .withArgs(other.address);
  });
});
