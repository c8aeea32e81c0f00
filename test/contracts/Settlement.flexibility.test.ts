import { expect } from "chai";
import { Signature, toBeHex, ZeroAddress } from "ethers";
import { networkHelpers } from "../support/chain.ts";
import {
  anIntent,
  available,
  blockTime,
  CPO,
  EURO,
  type Intent,
  OFFER,
  signIntent,
  withFlex,
} from "../support/settlement.ts";

const REFUSAL = {
  none: 0,
  expired: 1,
  wrongNonce: 2,
  badSignature: 3,
  notEnoughFlex: 4,
  payoutTooLow: 5,
  potTooSmall: 6,
};
const SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const flexOf = async (settlement: any, owner: { address: string }) =>
  (await settlement.accountOf(owner.address)).flex as bigint;

describe("Settlement: flexibility", () => {
  describe("the CPO's offer and pot", () => {
    it("is set by the registrar and told to everybody; 0 buys none", async () => {
      const { settlement, asRegistrar, anna } = await networkHelpers.loadFixture(withFlex);
      await expect(asRegistrar.setOffer(CPO, 0)).to.emit(settlement, "OfferSet").withArgs(CPO, 0);
      expect([...(await settlement.offerOf(CPO))]).to.deep.equal([0n, 10n * EURO]);
      await expect(settlement.connect(anna).redeem(CPO, 1_000, 1))
        .to.be.revertedWithCustomError(settlement, "RedemptionRefused")
        .withArgs(anna.address, REFUSAL.payoutTooLow);
    });

    it("is filled by anyone with euros, which count as held", async () => {
      const { settlement, asFaucet, faucet } = await networkHelpers.loadFixture(withFlex);
      const before = await settlement.held();
      await expect(asFaucet.fundPot(CPO, 5n))
        .to.emit(settlement, "PotFunded")
        .withArgs(CPO, faucet.address, 5n, 10n * EURO + 5n);
      expect(await settlement.held()).to.equal(before + 5n);
      await expect(asFaucet.fundPot(8, 5n)).to.be.revertedWithCustomError(settlement, "UnknownCpo").withArgs(8);
    });

    it("goes back to the CPO's payee and to nobody else, at most all of it", async () => {
      const { settlement, payee, anna } = await networkHelpers.loadFixture(withFlex);
      const before = await available(settlement, payee);
      await expect(settlement.connect(anna).reclaimPot(CPO, 1))
        .to.be.revertedWithCustomError(settlement, "NotPayee")
        .withArgs(CPO, anna.address);
      await expect(settlement.connect(payee).reclaimPot(CPO, 10n * EURO + 1n))
        .to.be.revertedWithCustomError(settlement, "PotTooSmall")
        .withArgs(10n * EURO, 10n * EURO + 1n);
      await expect(settlement.connect(payee).reclaimPot(CPO, 10n * EURO))
        .to.emit(settlement, "PotReclaimed")
        .withArgs(CPO, payee.address, 10n * EURO, 0);
      expect(await available(settlement, payee)).to.equal(before + 10n * EURO);
    });
  });

  describe("claimFlex", () => {
    it("turns earned flexibility into tokens of any address, 1,000 units = 1 kWh", async () => {
      const { settlement, flex, anna, stranger } = await networkHelpers.loadFixture(withFlex);
      await expect(settlement.connect(anna).claimFlex(stranger.address))
        .to.emit(settlement, "FlexClaimed")
        .withArgs(anna.address, stranger.address, 2_000);
      expect(await flex.balanceOf(stranger.address)).to.equal(2_000n);
      expect(await flex.decimals()).to.equal(3n);
      expect(await flexOf(settlement, anna)).to.equal(0n);
      await expect(settlement.connect(anna).claimFlex(anna.address))
        .to.be.revertedWithCustomError(settlement, "NothingToClaim")
        .withArgs(anna.address);
    });

    it("refuses the zero address and keeps what was earned", async () => {
      const { settlement, flex, anna } = await networkHelpers.loadFixture(withFlex);
      await expect(settlement.connect(anna).claimFlex(ZeroAddress)).to.be.revertedWithCustomError(
        flex,
        "ERC20InvalidReceiver",
      );
      expect(await flexOf(settlement, anna)).to.equal(2_000n);
    });
  });

  describe("redeem", () => {
    it("pays wh x offer / 1000 from the pot to the owner's balance", async () => {
      const { settlement, anna } = await networkHelpers.loadFixture(withFlex);
      const before = await available(settlement, anna);
      await expect(settlement.connect(anna).redeem(CPO, 1_500, 150_000))
        .to.emit(settlement, "Redeemed")
        .withArgs(CPO, anna.address, 1_500, 0, 150_000);
      expect(await available(settlement, anna)).to.equal(before + 150_000n);
      expect(await flexOf(settlement, anna)).to.equal(500n);
      expect((await settlement.offerOf(CPO)).pot).to.equal(10n * EURO - 150_000n);
    });

    it("rounds down, so that many small redemptions never pay more than one large one", async () => {
      const { settlement, asRegistrar, anna } = await networkHelpers.loadFixture(withFlex);
      await asRegistrar.setOffer(CPO, 1_999);
      const before = await available(settlement, anna);
      for (let i = 0; i < 4; i++) await settlement.connect(anna).redeem(CPO, 1, 1);
      expect(await available(settlement, anna)).to.equal(before + 4n);
      await settlement.connect(anna).redeem(CPO, 4, 7);
      await expect(settlement.connect(anna).redeem(CPO, 4, 8))
        .to.be.revertedWithCustomError(settlement, "RedemptionRefused")
        .withArgs(anna.address, REFUSAL.payoutTooLow);
    });

    it("uses earned flexibility first and then burns tokens", async () => {
      const { settlement, flex, anna, ben } = await networkHelpers.loadFixture(withFlex);
      await settlement.connect(ben).claimFlex(anna.address);
      await expect(settlement.connect(anna).redeem(CPO, 3_000, 0))
        .to.emit(settlement, "Redeemed")
        .withArgs(CPO, anna.address, 3_000, 1_000, 300_000);
      expect(await flexOf(settlement, anna)).to.equal(0n);
      expect(await flex.balanceOf(anna.address)).to.equal(4_000n);
      expect(await flex.totalSupply()).to.equal(4_000n);
    });

    it("takes all of both, to the last Wh, and touches no token where the earned is enough", async () => {
      const { settlement, flex, anna, ben } = await networkHelpers.loadFixture(withFlex);
      const earned = await flexOf(settlement, anna);
      await expect(settlement.connect(anna).redeem(CPO, 1, 0)).not.to.emit(flex, "Transfer");
      await settlement.connect(ben).claimFlex(anna.address);
      const tokens = await flex.balanceOf(anna.address);
      await settlement.connect(anna).redeem(CPO, earned - 1n + tokens, 0);
      expect([await flexOf(settlement, anna), await flex.balanceOf(anna.address)]).to.deep.equal([0n, 0n]);
    });

    it("takes tokens of anybody: FLEX is the same whoever earned it", async () => {
      const { settlement, anna, stranger } = await networkHelpers.loadFixture(withFlex);
      await settlement.connect(anna).claimFlex(stranger.address);
      await settlement.connect(stranger).redeem(CPO, 2_000, 200_000);
      expect(await available(settlement, stranger)).to.equal(200_000n);
    });

    it("refuses more FLEX than there is, a payout below the wish, and an empty pot", async () => {
      const { settlement, payee, anna } = await networkHelpers.loadFixture(withFlex);
      const refused = (wh: number, minPayout: number, reason: number) =>
        expect(settlement.connect(anna).redeem(CPO, wh, minPayout))
          .to.be.revertedWithCustomError(settlement, "RedemptionRefused")
          .withArgs(anna.address, reason);
      await refused(2_001, 0, REFUSAL.notEnoughFlex);
      await refused(2_000, 200_001, REFUSAL.payoutTooLow);
      await settlement.connect(payee).reclaimPot(CPO, 10n * EURO - 199_999n);
      await refused(2_000, 200_000, REFUSAL.potTooSmall);
      await settlement.connect(anna).redeem(CPO, 1_999, 199_900);
    });

    it("refuses the largest numbers without overflow", async () => {
      const { settlement, asRegistrar, anna } = await networkHelpers.loadFixture(withFlex);
      const U64 = 2n ** 64n - 1n;
      await asRegistrar.setOffer(CPO, U64);
      const refused = (wh: bigint | number, reason: number) =>
        expect(settlement.connect(anna).redeem(CPO, wh, 0))
          .to.be.revertedWithCustomError(settlement, "RedemptionRefused")
          .withArgs(anna.address, reason);
      await refused(U64, REFUSAL.notEnoughFlex);
      await refused(2_000, REFUSAL.potTooSmall);
    });

    it("works while paused and after retirement", async () => {
      const { settlement, pauser, admin, anna } = await networkHelpers.loadFixture(withFlex);
      await settlement.connect(pauser).pause();
      await settlement.connect(admin).retire();
      await settlement.connect(anna).redeem(CPO, 1_000, 100_000);
    });
  });

  describe("redeemBySig", () => {
    it("redeems for a driver who signed and has no gas, whoever sends it", async () => {
      const { settlement, address, anna, stranger } = await networkHelpers.loadFixture(withFlex);
      const intent = anIntent(anna, { minPayout: 100_000n });
      const before = await available(settlement, anna);
      await expect(settlement.connect(stranger).redeemBySig(intent, await signIntent(anna, address, intent)))
        .to.emit(settlement, "Redeemed")
        .withArgs(CPO, anna.address, 1_000, 0, 100_000);
      expect(await available(settlement, anna)).to.equal(before + 100_000n);
      expect((await settlement.accountOf(anna.address)).nonce).to.equal(1n);
    });

    async function expectRefused(reason: number, intent: Intent, signature: string) {
      const { settlement, stranger } = await networkHelpers.loadFixture(withFlex);
      await expect(settlement.connect(stranger).redeemBySig(intent, signature))
        .to.be.revertedWithCustomError(settlement, "RedemptionRefused")
        .withArgs(intent.driver, reason);
    }

    it("refuses the same intent twice, and a nonce out of turn", async () => {
      const { settlement, address, anna } = await networkHelpers.loadFixture(withFlex);
      const intent = anIntent(anna);
      const signature = await signIntent(anna, address, intent);
      await settlement.connect(anna).redeemBySig(intent, signature);
      await expect(settlement.connect(anna).redeemBySig(intent, signature))
        .to.be.revertedWithCustomError(settlement, "RedemptionRefused")
        .withArgs(anna.address, REFUSAL.wrongNonce);
      const next = anIntent(anna, { nonce: 1 });
      await expectRefused(REFUSAL.wrongNonce, next, await signIntent(anna, address, next));
    });

    it("refuses an intent after its deadline, to the second", async () => {
      const { settlement, address, anna } = await networkHelpers.loadFixture(withFlex);
      const deadline = (await blockTime()) + 100;
      const intent = anIntent(anna, { deadline });
      const signature = await signIntent(anna, address, intent);
      await networkHelpers.time.setNextBlockTimestamp(deadline + 1);
      await expect(settlement.connect(anna).redeemBySig(intent, signature))
        .to.be.revertedWithCustomError(settlement, "RedemptionRefused")
        .withArgs(anna.address, REFUSAL.expired);
      const again = await networkHelpers.loadFixture(withFlex);
      await networkHelpers.time.setNextBlockTimestamp(deadline);
      await again.settlement.connect(anna).redeemBySig(intent, signature);
    });

    it("refuses a signature for another chain, contract, version or name", async () => {
      const { address, anna } = await networkHelpers.loadFixture(withFlex);
      const intent = anIntent(anna);
      for (const domain of [
        { chainId: 1 },
        { verifyingContract: anna.address },
        { version: "2" },
        { name: "Settlement" },
      ])
        await expectRefused(REFUSAL.badSignature, intent, await signIntent(anna, address, intent, domain));
    });

    it("refuses a signature for any other number in the intent, and somebody else's", async () => {
      const { address, anna, ben } = await networkHelpers.loadFixture(withFlex);
      const intent = anIntent(anna, { minPayout: 5n });
      const signature = await signIntent(anna, address, intent);
      for (const part of [
        { wh: 999n },
        { minPayout: 4n },
        { cpo: CPO + 1 },
        { deadline: intent.deadline - 1 },
        { driver: ben.address },
      ])
        await expectRefused(REFUSAL.badSignature, { ...intent, ...part }, signature);
      await expectRefused(REFUSAL.badSignature, intent, await signIntent(ben, address, intent));
    });

    it("refuses malleable, short, long and empty signatures, and nobody's address", async () => {
      const { address, anna } = await networkHelpers.loadFixture(withFlex);
      const intent = anIntent(anna);
      const { r, s, v } = Signature.from(await signIntent(anna, address, intent));
      const good = `${r}${s.slice(2)}${toBeHex(v).slice(2)}`;
      const flipped = `${r}${toBeHex(SECP256K1_N - BigInt(s), 32).slice(2)}${toBeHex(55 - v).slice(2)}`;
      for (const signature of [flipped, good.slice(0, -2), `${good}00`, "0x", `0x${"00".repeat(65)}`])
        await expectRefused(REFUSAL.badSignature, intent, signature);
      await expectRefused(REFUSAL.badSignature, { ...intent, driver: ZeroAddress }, `0x${"00".repeat(65)}`);
    });

    it("refuses what redeem refuses, and then keeps the nonce", async () => {
      const { settlement, address, anna } = await networkHelpers.loadFixture(withFlex);
      const intent = anIntent(anna, { wh: 2_001n });
      await expectRefused(REFUSAL.notEnoughFlex, intent, await signIntent(anna, address, intent));
      expect((await settlement.accountOf(anna.address)).nonce).to.equal(0n);
    });
  });

  describe("redeemBatch", () => {
    it("redeems for many and skips what is not possible, with its reason", async () => {
      const { settlement, address, anna, ben, carl, stranger } = await networkHelpers.loadFixture(withFlex);
      const intents = [
        anIntent(anna),
        anIntent(carl),
        anIntent(anna),
        anIntent(anna, { nonce: 1 }),
        anIntent(ben, { wh: 5_000n }),
      ];
      const signers = [anna, carl, anna, anna, carl];
      const signatures = await Promise.all(intents.map((intent, i) => signIntent(signers[i]!, address, intent)));
      await expect(settlement.connect(stranger).redeemBatch(intents, signatures))
        .to.emit(settlement, "RedemptionSkipped")
        .withArgs(carl.address, 0, REFUSAL.notEnoughFlex)
        .and.to.emit(settlement, "RedemptionSkipped")
        .withArgs(anna.address, 0, REFUSAL.wrongNonce)
        .and.to.emit(settlement, "RedemptionSkipped")
        .withArgs(ben.address, 0, REFUSAL.badSignature);
      expect(await flexOf(settlement, anna)).to.equal(0n);
      expect(await flexOf(settlement, ben)).to.equal(5_000n);
      expect((await settlement.accountOf(anna.address)).nonce).to.equal(2n);
      expect((await settlement.offerOf(CPO)).pot).to.equal(10n * EURO - 2n * OFFER);
    });

    it("stops paying when the pot is used up, and goes on with smaller ones", async () => {
      const { settlement, address, payee, anna, ben } = await networkHelpers.loadFixture(withFlex);
      await settlement.connect(payee).reclaimPot(CPO, 10n * EURO - 250_000n);
      const intents = [anIntent(anna, { wh: 2_000n }), anIntent(ben, { wh: 600n }), anIntent(ben, { wh: 500n })];
      const signatures = [
        await signIntent(anna, address, intents[0]!),
        await signIntent(ben, address, intents[1]!),
        await signIntent(ben, address, intents[2]!),
      ];
      await expect(settlement.connect(ben).redeemBatch(intents, signatures))
        .to.emit(settlement, "RedemptionSkipped")
        .withArgs(ben.address, 0, REFUSAL.potTooSmall);
      expect((await settlement.offerOf(CPO)).pot).to.equal(0n);
    });

    it("refuses lists of different length", async () => {
      const { settlement, anna } = await networkHelpers.loadFixture(withFlex);
      await expect(settlement.connect(anna).redeemBatch([anIntent(anna)], [])).to.be.revertedWithCustomError(
        settlement,
        "LengthMismatch",
      );
    });
  });
});
