import { expect } from "chai";
import { id as hash, MaxUint256, Signature, ZeroAddress } from "ethers";
import { ethers, networkHelpers } from "../support/chain.ts";
import { aLine, available, blockTime, CPO, EURO, funded, settlementFixture } from "../support/settlement.ts";

const DAY = 86_400;
const plain = () => settlementFixture();
const withNotices = () => settlementFixture({ withdrawNoticeS: 2 * DAY, tariffNoticeS: DAY });

describe("Settlement: money in and out", () => {
  describe("deposit", () => {
    it("adds to the balance of anyone and to what is held", async () => {
      const { settlement, euro, asFaucet, faucet, anna, address } = await networkHelpers.loadFixture(plain);
      await expect(asFaucet.deposit(anna.address, 5n * EURO))
        .to.emit(settlement, "Deposited")
        .withArgs(faucet.address, anna.address, 5n * EURO);
      expect(await available(settlement, anna)).to.equal(5n * EURO);
      expect(await settlement.held()).to.equal(5n * EURO);
      expect(await euro.balanceOf(address)).to.equal(5n * EURO);
    });

    it("refuses the zero address, and money that the sender does not have or did not approve", async () => {
      const { settlement, euro, asFaucet, stranger, faucet, address } = await networkHelpers.loadFixture(plain);
      await expect(asFaucet.deposit(ZeroAddress, 1)).to.be.revertedWithCustomError(settlement, "ZeroAddress");
      const asStranger = settlement.connect(stranger);
      await expect(asStranger.deposit(stranger.address, 1)).to.be.revertedWithCustomError(
        euro,
        "ERC20InsufficientAllowance",
      );
      await euro.connect(stranger).approve(address, 10);
      await expect(asStranger.deposit(stranger.address, 1)).to.be.revertedWithCustomError(
        euro,
        "ERC20InsufficientBalance",
      );
      await euro.connect(faucet).transfer(stranger.address, 1);
      await asStranger.deposit(stranger.address, 1);
    });

    it("ignores euros that were sent without it", async () => {
      const { settlement, euro, faucet, address, deposit, anna } = await networkHelpers.loadFixture(plain);
      await euro.connect(faucet).transfer(address, 7n * EURO);
      await deposit(anna, EURO);
      expect(await settlement.held()).to.equal(EURO);
      expect(await available(settlement, anna)).to.equal(EURO);
    });
  });

  describe("depositWithPermit", () => {
    async function permitOf(fixture: Awaited<ReturnType<typeof plain>>, value: bigint) {
      const { euro, faucet, stranger, address } = fixture;
      await euro.connect(faucet).transfer(stranger.address, 10n * EURO);
      const domain = { name: "Test Euro", version: "1", chainId: 31_337, verifyingContract: await euro.getAddress() };
      const names = ["owner", "spender", "value", "nonce", "deadline"];
      const Permit = names.map((name) => ({
        name,
        type: name === "owner" || name === "spender" ? "address" : "uint256",
      }));
      const message = { owner: stranger.address, spender: address, value, nonce: 0, deadline: MaxUint256 };
      return Signature.from(await stranger.signTypedData(domain, { Permit }, message));
    }

    it("needs no approval before", async () => {
      const fixture = await networkHelpers.loadFixture(plain);
      const { settlement, stranger, anna } = fixture;
      const { v, r, s } = await permitOf(fixture, 4n * EURO);
      await settlement.connect(stranger).depositWithPermit(anna.address, 4n * EURO, MaxUint256, v, r, s);
      expect(await available(settlement, anna)).to.equal(4n * EURO);
    });

    it("still works when somebody else used the permit first", async () => {
      const fixture = await networkHelpers.loadFixture(plain);
      const { settlement, euro, stranger, anna, address, ben } = fixture;
      const { v, r, s } = await permitOf(fixture, 4n * EURO);
      await euro.connect(ben).permit(stranger.address, address, 4n * EURO, MaxUint256, v, r, s);
      await settlement.connect(stranger).depositWithPermit(anna.address, 4n * EURO, MaxUint256, v, r, s);
      expect(await available(settlement, anna)).to.equal(4n * EURO);
    });

    it("takes nothing with a permit for less, or somebody else's", async () => {
      const fixture = await networkHelpers.loadFixture(plain);
      const { settlement, euro, stranger, anna, ben } = fixture;
      const { v, r, s } = await permitOf(fixture, 4n * EURO);
      const refused = (sender: typeof ben) =>
        expect(
          settlement.connect(sender).depositWithPermit(anna.address, 4n * EURO + 1n, MaxUint256, v, r, s),
        ).to.be.revertedWithCustomError(euro, "ERC20InsufficientAllowance");
      await refused(stranger);
      await refused(ben);
    });
  });

  describe("withdraw", () => {
    it("pays a CPO at once, to any address", async () => {
      const { settlement, euro, payee, stranger } = await networkHelpers.loadFixture(funded);
      await expect(settlement.connect(payee).withdraw(20n * EURO, stranger.address))
        .to.emit(settlement, "Withdrawn")
        .withArgs(payee.address, stranger.address, 20n * EURO);
      expect(await euro.balanceOf(stranger.address)).to.equal(20n * EURO);
      expect(await available(settlement, payee)).to.equal(30n * EURO);
      expect(await settlement.held()).to.equal(330n * EURO);
    });

    it("refuses more than there is, by one micro-euro, and the zero address", async () => {
      const { settlement, payee } = await networkHelpers.loadFixture(funded);
      const asPayee = settlement.connect(payee);
      await expect(asPayee.withdraw(50n * EURO + 1n, payee.address))
        .to.be.revertedWithCustomError(settlement, "InsufficientBalance")
        .withArgs(payee.address, 50n * EURO, 50n * EURO + 1n);
      await expect(asPayee.withdraw(1, ZeroAddress)).to.be.revertedWithCustomError(settlement, "ZeroAddress");
      await asPayee.withdraw(50n * EURO, payee.address);
    });

    it("pays a driver what was announced, after the notice and not a second before", async () => {
      const { settlement, anna, deposit } = await networkHelpers.loadFixture(withNotices);
      await deposit(anna, 10n * EURO);
      const asAnna = settlement.connect(anna);
      const at = (await blockTime()) + 5;
      await networkHelpers.time.setNextBlockTimestamp(at);
      await expect(asAnna.requestWithdraw(6n * EURO))
        .to.emit(settlement, "WithdrawalRequested")
        .withArgs(anna.address, 6n * EURO, at + 2 * DAY);
      await networkHelpers.time.setNextBlockTimestamp(at + 2 * DAY - 1);
      await expect(asAnna.withdraw(6n * EURO, anna.address))
        .to.be.revertedWithCustomError(settlement, "WithdrawalNotReady")
        .withArgs(6n * EURO, at + 2 * DAY);
      await networkHelpers.time.setNextBlockTimestamp(at + 2 * DAY);
      await asAnna.withdraw(2n * EURO, anna.address);
      await asAnna.withdraw(4n * EURO, anna.address);
      await expect(asAnna.withdraw(1, anna.address))
        .to.be.revertedWithCustomError(settlement, "WithdrawalNotReady")
        .withArgs(0, at + 2 * DAY);
      expect([...(await settlement.withdrawalOf(anna.address))]).to.deep.equal([0n, BigInt(at + 2 * DAY)]);
    });

    it("refuses a driver who announced nothing or less, also without a notice", async () => {
      const { settlement, anna } = await networkHelpers.loadFixture(funded);
      const asAnna = settlement.connect(anna);
      await expect(asAnna.withdraw(1, anna.address))
        .to.be.revertedWithCustomError(settlement, "WithdrawalNotReady")
        .withArgs(0, 0);
      await asAnna.requestWithdraw(5);
      await expect(asAnna.withdraw(6, anna.address)).to.be.revertedWithCustomError(settlement, "WithdrawalNotReady");
      await asAnna.withdraw(5, anna.address);
    });

    it("lets a newer announcement replace the older one, with a new notice", async () => {
      const { settlement, anna, deposit } = await networkHelpers.loadFixture(withNotices);
      await deposit(anna, 10n * EURO);
      const asAnna = settlement.connect(anna);
      await asAnna.requestWithdraw(1n * EURO);
      await networkHelpers.time.increase(2 * DAY);
      await asAnna.requestWithdraw(10n * EURO);
      await expect(asAnna.withdraw(EURO, anna.address)).to.be.revertedWithCustomError(settlement, "WithdrawalNotReady");
    });

    it("does not keep announced money from being billed", async () => {
      const { settlement, anna, deposit, asBiller } = await networkHelpers.loadFixture(withNotices);
      const later = (await blockTime()) + 3 * DAY;
      await networkHelpers.time.increaseTo(later);
      await deposit(anna, 3n * EURO);
      await settlement.connect(anna).requestWithdraw(3n * EURO);
      await asBiller.post(CPO, 1, [aLine(anna)]);
      await networkHelpers.time.increase(2 * DAY);
      await expect(settlement.connect(anna).withdraw(3n * EURO, anna.address)).to.be.revertedWithCustomError(
        settlement,
        "InsufficientBalance",
      );
    });

    it("works while paused and after retirement, for drivers and CPOs", async () => {
      const { settlement, pauser, admin, anna, payee } = await networkHelpers.loadFixture(funded);
      await settlement.connect(pauser).pause();
      await settlement.connect(admin).retire();
      await settlement.connect(anna).requestWithdraw(100n * EURO);
      await settlement.connect(anna).withdraw(100n * EURO, anna.address);
      await settlement.connect(payee).withdraw(50n * EURO, payee.address);
      expect(await settlement.held()).to.equal(200n * EURO);
    });
  });

  describe("hostile tokens", () => {
    async function withToken(name: string) {
      const fixture = await settlementFixture();
      const { manager, flex, payee, anna, others } = fixture;
      const token: any = await ethers.deployContract(name);
      const settlement: any = await ethers.deployContract("Settlement", [
        await manager.getAddress(),
        await token.getAddress(),
        await flex.getAddress(),
        [0, 0, 0, 0],
        EURO,
      ]);
      await token.mint(payee.address, 100n * EURO);
      await token.connect(payee).approve(await settlement.getAddress(), MaxUint256);
      return { ...fixture, token, settlement, owner: payee, anna, others, asOwner: settlement.connect(payee) };
    }
    const hostile = () => withToken("HostileEuro");
    const silent = () => withToken("SilentEuro");

    it("refuses a deposit of which the token keeps a part", async () => {
      const { token, settlement, asOwner, owner } = await networkHelpers.loadFixture(hostile);
      await token.setFee(3);
      await expect(asOwner.deposit(owner.address, EURO))
        .to.be.revertedWithCustomError(settlement, "WrongAmountReceived")
        .withArgs(EURO - 3n, EURO);
    });

    it("works with a token whose transfers return nothing and which knows no permit", async () => {
      const { token, asOwner, owner, others } = await networkHelpers.loadFixture(silent);
      await asOwner.deposit(owner.address, EURO);
      await asOwner.depositWithPermit(owner.address, EURO, 0, 27, hash("r"), hash("s"));
      await asOwner.withdraw(2n * EURO, others[9]!.address);
      expect(await token.balanceOf(others[9]!.address)).to.equal(2n * EURO);
    });

    it("keeps a blocked receiver from nothing but its own transfer", async () => {
      const { token, asOwner, owner, anna, stranger, settlement } = await networkHelpers.loadFixture(hostile);
      await asOwner.deposit(owner.address, EURO);
      await asOwner.deposit(stranger.address, EURO);
      await token.setBlocked(anna.address);
      await expect(asOwner.withdraw(EURO, anna.address)).to.be.revertedWithCustomError(token, "Blocked");
      await settlement.connect(stranger).withdraw(EURO, stranger.address);
      await asOwner.withdraw(EURO, owner.address);
    });

    it("refuses every verb that moves tokens when it is called in the middle of a transfer", async () => {
      const { token, settlement, asOwner, owner } = await networkHelpers.loadFixture(hostile);
      await asOwner.deposit(owner.address, 10n * EURO);
      await asOwner.deposit(await token.getAddress(), 10n * EURO);
      const intent = [owner.address, CPO, 1, 0, 0, 0];
      const calls: [string, unknown[]][] = [
        ["deposit", [owner.address, 1]],
        ["depositWithPermit", [owner.address, 1, 0, 27, hash("r"), hash("s")]],
        ["withdraw", [EURO, await token.getAddress()]],
        ["withdrawBySig", [[owner.address, await token.getAddress(), EURO, 0, 0], "0x"]],
        ["claimFlex", [owner.address]],
        ["claimFlexBySig", [[owner.address, owner.address, 0, 0], "0x"]],
        ["redeem", [CPO, 0, 0]],
        ["redeemBySig", [intent, "0x"]],
        ["redeemBatch", [[intent], ["0x"]]],
        ["fundPot", [CPO, 1]],
      ];
      const reentrant = settlement.interface.encodeErrorResult("ReentrancyGuardReentrantCall", []);
      for (const [verb, args] of calls) {
        await token.setCallback(await settlement.getAddress(), settlement.interface.encodeFunctionData(verb, args));
        await asOwner.withdraw(1, owner.address);
        expect(await token.calledBack(), verb).to.equal(false);
        expect(await token.answer(), verb).to.equal(reentrant);
      }
    });
  });
});
