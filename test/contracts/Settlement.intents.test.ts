import { expect } from "chai";
import { Signature } from "ethers";
import { networkHelpers } from "../support/chain.ts";
import {
  aLine,
  available,
  blockTime,
  CPO,
  EURO,
  FAR,
  funded,
  settlementFixture,
  signAs,
} from "../support/settlement.ts";

const DAY = 86_400;
const REASONS = { expired: 1n, nonce: 2n, signature: 3n };

async function earned() {
  const fixture = await funded();
  await fixture.asBiller.post(CPO, 1, [aLine(fixture.anna)]);
  return fixture;
}
type Place = Awaited<ReturnType<typeof earned>>;

/** One verb by signature: its type, an intent of `owner`, and the call that a stranger sends. */
const VERBS = {
  requestWithdrawBySig: { type: "RequestIntent", fields: () => ({ amount: EURO }) },
  withdrawBySig: { type: "WithdrawIntent", fields: (owner: string) => ({ to: owner, amount: EURO }) },
  claimFlexBySig: { type: "ClaimIntent", fields: (owner: string) => ({ to: owner }) },
} as const;
type Verb = keyof typeof VERBS;

const intentOf = (verb: Verb, owner: { address: string }, part: object = {}) => ({
  owner: owner.address,
  ...VERBS[verb].fields(owner.address),
  nonce: 0,
  deadline: FAR,
  ...part,
});

/** The place after the announcement that `withdrawBySig` needs. */
async function announced() {
  const place = await earned();
  await place.settlement.connect(place.anna).requestWithdraw(50n * EURO);
  return place;
}

describe("Settlement: signed intents", () => {
  it("announce a withdrawal and make it, without any gas of the driver's", async () => {
    const place = await settlementFixture({ withdrawNoticeS: DAY });
    const { settlement, euro, address, deposit, anna, stranger } = place;
    await deposit(anna, 5n * EURO);
    const asStranger = settlement.connect(stranger);
    const request = intentOf("requestWithdrawBySig", anna, { amount: 3n * EURO });
    await expect(asStranger.requestWithdrawBySig(request, await signAs(anna, address, "RequestIntent", request)))
      .to.emit(settlement, "WithdrawalRequested")
      .withArgs(anna.address, 3n * EURO, (await blockTime()) + 1 + DAY);
    const take = intentOf("withdrawBySig", anna, { amount: 3n * EURO, to: stranger.address, nonce: 1 });
    const signature = await signAs(anna, address, "WithdrawIntent", take);
    await expect(asStranger.withdrawBySig(take, signature)).to.be.revertedWithCustomError(
      settlement,
      "WithdrawalNotReady",
    );
    await networkHelpers.time.increase(DAY);
    await expect(asStranger.withdrawBySig(take, signature))
      .to.emit(settlement, "Withdrawn")
      .withArgs(anna.address, stranger.address, 3n * EURO);
    expect(await euro.balanceOf(stranger.address)).to.equal(3n * EURO);
    expect(await available(settlement, anna)).to.equal(2n * EURO);
    expect((await settlement.accountOf(anna.address)).nonce).to.equal(2n);
  });

  it("claim flexibility for whoever the owner names", async () => {
    const { settlement, flex, address, anna, ben, stranger } = await networkHelpers.loadFixture(earned);
    const intent = intentOf("claimFlexBySig", anna, { to: ben.address });
    await settlement.connect(stranger).claimFlexBySig(intent, await signAs(anna, address, "ClaimIntent", intent));
    expect(await flex.balanceOf(ben.address)).to.equal(2_000n);
    const again = { ...intent, nonce: 1 };
    await expect(settlement.connect(stranger).claimFlexBySig(again, await signAs(anna, address, "ClaimIntent", again)))
      .to.be.revertedWithCustomError(settlement, "NothingToClaim")
      .withArgs(anna.address);
  });

  it("withdraw neither to nobody nor more than there is", async () => {
    const { settlement, address, anna, stranger } = await networkHelpers.loadFixture(announced);
    const sent = async (part: object) => {
      const intent = intentOf("withdrawBySig", anna, part);
      return settlement.connect(stranger).withdrawBySig(intent, await signAs(anna, address, "WithdrawIntent", intent));
    };
    await expect(sent({ to: `0x${"00".repeat(20)}` })).to.be.revertedWithCustomError(settlement, "ZeroAddress");
    await expect(sent({ amount: 51n * EURO })).to.be.revertedWithCustomError(settlement, "WithdrawalNotReady");
  });

  for (const verb of Object.keys(VERBS) as Verb[])
    describe(verb, () => {
      const { type } = VERBS[verb];
      const send = ({ settlement, stranger }: Place, intent: object, signature: string) =>
        settlement.connect(stranger)[verb](intent, signature);
      const refused = async (place: Place, sent: Promise<unknown>, reason: bigint, owner = place.anna.address) =>
        expect(sent).to.be.revertedWithCustomError(place.settlement, "IntentRefused").withArgs(owner, reason);

      it("works once per nonce", async () => {
        const place = await networkHelpers.loadFixture(announced);
        const intent = intentOf(verb, place.anna);
        const signature = await signAs(place.anna, place.address, type, intent);
        await send(place, intent, signature);
        expect((await place.settlement.accountOf(place.anna.address)).nonce).to.equal(1n);
        await refused(place, send(place, intent, signature), REASONS.nonce);
      });

      it("works until its deadline and not a second longer", async () => {
        const place = await networkHelpers.loadFixture(announced);
        const deadline = (await blockTime()) + 100;
        const intent = intentOf(verb, place.anna, { deadline });
        const signature = await signAs(place.anna, place.address, type, intent);
        await networkHelpers.time.setNextBlockTimestamp(deadline + 1);
        await refused(place, send(place, intent, signature), REASONS.expired);
        const later = intentOf(verb, place.anna, { deadline: deadline + 2 });
        const valid = await signAs(place.anna, place.address, type, later);
        await networkHelpers.time.setNextBlockTimestamp(deadline + 2);
        await send(place, later, valid);
      });

      it("refuses another chain, contract, version, signer, field, a malleable or cut signature, nobody's", async () => {
        const place = await networkHelpers.loadFixture(announced);
        const { anna, ben, address, flex } = place;
        const intent = intentOf(verb, anna);
        const good = await signAs(anna, address, type, intent);
        const { r, s, v } = Signature.from(good);
        const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
        const high = (order - BigInt(s)).toString(16).padStart(64, "0");
        const malleable = `${r}${high}${(v === 27 ? 28 : 27).toString(16)}`;
        for (const signature of [
          await signAs(anna, address, type, intent, { chainId: 1 }),
          await signAs(anna, address, type, intent, { verifyingContract: await flex.getAddress() }),
          await signAs(anna, address, type, intent, { version: "2" }),
          await signAs(anna, address, type, intent, { name: "Oli Move" }),
          await signAs(ben, address, type, intent),
          await signAs(anna, address, type, { ...intent, deadline: FAR - 1 }),
          malleable,
          good.slice(0, -2),
          "0x",
          `0x${"00".repeat(65)}`,
        ])
          await refused(place, send(place, intent, signature), REASONS.signature);
        const nobody = `0x${"00".repeat(20)}`;
        const forged = { ...intent, owner: nobody };
        await refused(place, send(place, forged, `0x${"00".repeat(64)}1b`), REASONS.signature, nobody);
        await send(place, intent, good);
      });

      it("does not pass as another verb's intent", async () => {
        const place = await networkHelpers.loadFixture(announced);
        for (const other of (Object.keys(VERBS) as Verb[]).filter((one) => one !== verb)) {
          const signature = await signAs(place.anna, place.address, VERBS[other].type, intentOf(other, place.anna));
          await refused(place, send(place, intentOf(verb, place.anna), signature), REASONS.signature);
        }
      });
    });
});
