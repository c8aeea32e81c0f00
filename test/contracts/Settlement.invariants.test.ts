import { expect } from "chai";
import { ethers, networkHelpers } from "../support/chain.ts";
import { randomFrom } from "../support/problems.ts";
import { aLine, EURO } from "../support/settlement.ts";
import { expectEverybodyCanLeave, expectLawfulHistory, LAWS, pictureOf } from "../support/settlementLaws.ts";
import { CPOS, DELAYS, startWalk, TERM_S, town } from "../support/settlementTown.ts";
import { walkOn } from "../support/settlementWalk.ts";

/** Walks of `STEPS` random calls each. Walk n is the same in every run: its seed is n. `test:long` goes 1,000 x 128. */
const SEQUENCES = Number(process.env.SETTLEMENT_SEQUENCES ?? 256);
const STEPS = Number(process.env.SETTLEMENT_STEPS ?? 64);
const FIRST = Number(process.env.SETTLEMENT_FIRST ?? 1);

describe("Settlement: invariants", () => {
  const seen = new Map<string, number>();

  it(`hold after each call of ${SEQUENCES} walks of ${STEPS} calls, which never fail unexpectedly`, async function () {
    this.timeout(7_200_000);
    for (let seed = FIRST; seed < FIRST + SEQUENCES; seed++) {
      const place = await networkHelpers.loadFixture(town);
      const block = await ethers.provider.getBlockNumber();
      const walk = startWalk(place, randomFrom(seed * 7_919));
      let [what, law] = ["the beginning", "no unexpected refusal"];
      try {
        for (let step = 1; step <= STEPS; step++) {
          what = await walkOn(walk);
          seen.set(what, (seen.get(what) ?? 0) + 1);
          const picture = await pictureOf(walk);
          for (const [name, holds] of Object.entries(LAWS)) {
            law = name;
            holds(picture, walk);
          }
          law = "no unexpected refusal";
        }
        law = "history";
        await expectLawfulHistory(walk, block);
        law = "invariantWithdrawAlwaysPossible";
        await expectEverybodyCanLeave(walk);
      } catch (cause) {
        throw new Error(`Walk ${seed}, step ${walk.step}, after ${what}: ${law}: ${cause}`, { cause });
      }
    }
  });

  it("were tried with every verb, with success and with refusals", () => {
    const verbs = [
      ...["deposit", "requestWithdraw", "withdraw", "post", "finalise", "settleOwed", "pay", "pause", "unpause"],
      ...["dispute", "resolve", "expire", "setOffer", "fundPot", "reclaimPot", "claimFlex", "redeem", "redeemBatch"],
      ...["requestWithdrawBySig", "withdrawBySig", "claimFlexBySig", "redeemBySig", "disputeBySig"],
      ...["donate", "transfer FLEX"],
    ];
    const missing = verbs.filter((verb) => !seen.has(verb));
    // A few walks do not lead everywhere.
    if (SEQUENCES * STEPS >= 16_000) expect(missing, [...seen.keys()].join(", ")).to.deep.equal([]);
    expect([...seen.keys()].filter((name) => name.includes(":")).length).to.be.greaterThan(8);
  });

  it("let everybody take out everything, also paused and retired", async () => {
    const place = await networkHelpers.loadFixture(town);
    const { settlement, asBiller, people, pauser, admin, anna, ben, payee } = place;
    for (const person of people) await settlement.connect(person).deposit(person.address, 30n * EURO);
    await asBiller.post(3, 1, [aLine(anna), aLine(ben, { number: 2 })]);
    await asBiller.post(8, 1, [aLine(ben, { tariff: 9 })]);
    await settlement.connect(ben).fundPot(3, 2n * EURO);
    await settlement.connect(ben).dispute(8, 1, aLine(ben, { tariff: 9 }), []);
    await settlement.connect(pauser).pause();
    await settlement.connect(admin).retire();
    await networkHelpers.time.increase(DELAYS.windowS);
    for (const cpo of CPOS) await settlement.connect(ben).finalise(cpo, 1);
    await settlement.connect(payee).reclaimPot(3, 2n * EURO);
    await networkHelpers.time.increase(TERM_S);
    await settlement.connect(anna).expire(8, 1);
    for (const person of people) await settlement.connect(person).requestWithdraw(1_000n * EURO);
    await networkHelpers.time.increase(DELAYS.withdrawNoticeS);
    for (const person of people) {
      const { available } = await settlement.accountOf(person.address);
      await settlement.connect(person).withdraw(available, person.address);
    }
    expect(await settlement.held()).to.equal(0n);
  });
});
