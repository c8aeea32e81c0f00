/** Attacks and faults that no other file tells whole; contracts/README.md names all of them by these numbers. */
import { expect } from "chai";
import { concat, id as hash, keccak256, toBeHex, Wallet } from "ethers";
import { saltedLeaf } from "../../backend/adapters/chain/commitments.ts";
import type { Hex } from "../../backend/adapters/chain/rpc.ts";
import { networkHelpers } from "../support/chain.ts";
import { randomFrom } from "../support/problems.ts";
import {
  aLine,
  available,
  CPO,
  EURO,
  funded,
  leafOf,
  proofOf,
  settlementFixture,
  TARIFF,
  TERMS,
} from "../support/settlement.ts";

const DAY = 86_400;
const windowed = () => settlementFixture({ windowS: DAY, withdrawNoticeS: DAY });

describe("Settlement: attacks and faults", () => {
  it("3: one driver without money in a batch of 200 blocks none of the others", async () => {
    const { settlement, asBiller, asRegistrar, deposit } = await networkHelpers.loadFixture(funded);
    const drivers = Array.from({ length: 200 }, (_, i) => ({ address: new Wallet(hash(`driver ${i}`)).address }));
    await asRegistrar.registerDrivers(
      drivers.map(({ address }) => address),
      drivers.map(() => hash("consent")),
    );
    const poor = drivers[117]!;
    for (const driver of drivers) if (driver !== poor) await deposit(driver, 3n * EURO);
    const lines = drivers.map((driver, i) => aLine(driver, { number: 1_000 + i }));
    await expect(asBiller.post(CPO, 1, lines))
      .to.emit(settlement, "Shortfall")
      .withArgs(CPO, 1_117, poor.address, 3n * EURO);
    expect((await settlement.batchOf(CPO, 1)).pot).to.equal(199n * 3n * EURO);
    expect((await settlement.debtOf(CPO, 1_117)).amount).to.equal(3n * EURO);
    for (const driver of drivers) expect(await available(settlement, driver)).to.equal(0n);
  });

  it("11: a leaked biller key bills at most the tariff, gets nothing out, and every driver gets it back", async () => {
    const place = await networkHelpers.loadFixture(windowed);
    const { settlement, biller, admin, manager, payee, anna, ben, carl, stranger, deposit, address } = place;
    const drivers = [anna, ben, carl];
    for (const driver of drivers) await deposit(driver, 10n * EURO);
    await deposit(payee, 5n * EURO);
    const thief = settlement.connect(biller);
    const most = (10_000n * TERMS.maxPerKwh) / 1_000n + TERMS.maxFixed;
    const lines = drivers.map((driver, i) => aLine(driver, { number: i, amount: most }));
    await expect(thief.post(CPO, 1, [{ ...lines[0]!, amount: most + 1n }])).to.be.revertedWithCustomError(
      settlement,
      "AboveTariff",
    );
    await thief.post(CPO, 1, lines);
    await expect(thief.pay(CPO, biller.address, EURO, hash("for me"))).to.be.revertedWithCustomError(
      settlement,
      "UnknownDriver",
    );
    for (const [verb, ...args] of [
      ["registerDrivers", [biller.address], [hash("consent")]],
      ["setPayee", CPO, biller.address],
      ["setTariff", 99, { ...TERMS, maxPerKwh: 2n ** 63n }],
      ["resolve", CPO, 0, 0, 0],
      ["unpause"],
    ] as const)
      await expect(thief[verb](...args), verb).to.be.revertedWithCustomError(settlement, "AccessManagedUnauthorized");
    await expect(thief.withdraw(1, biller.address)).to.be.revertedWithCustomError(settlement, "InsufficientBalance");

    // One transaction ends it, and nothing that it billed reaches anybody against the drivers' will.
    await manager.connect(admin).revokeRole(3, biller.address);
    await expect(thief.post(CPO, 2, [aLine(anna, { number: 7 })])).to.be.revertedWithCustomError(
      settlement,
      "AccessManagedUnauthorized",
    );
    const leaves = lines.map((line) => leafOf(address, 1, line));
    for (const [i, driver] of drivers.entries())
      await settlement.connect(driver).dispute(CPO, 1, lines[i], proofOf(leaves, i));
    await networkHelpers.time.increase(30 * DAY);
    for (const i of drivers.keys()) await settlement.connect(stranger).expire(CPO, i);
    await settlement.connect(stranger).finalise(CPO, 1);
    for (const driver of drivers) expect(await available(settlement, driver)).to.equal(10n * EURO);
    expect(await available(settlement, payee)).to.equal(5n * EURO);
  });

  it("31: who knows everything but the salt finds no leaf, who has the salt finds it at once", () => {
    const text = (wh: number, cents: number) => `anna ${wh} Wh ${cents} cents`;
    const salt = hash("256 random bits") as Hex;
    const onChain = saltedLeaf(salt, text(7_300, 256));
    const guesses: string[] = [];
    for (let wh = 7_000; wh < 7_400; wh += 100)
      for (let cents = 250; cents < 260; cents++) {
        const guess = text(wh, cents);
        guesses.push(keccak256(keccak256(Buffer.from(guess))), keccak256(keccak256(keccak256(Buffer.from(guess)))));
        for (let small = 0; small < 50; small++) guesses.push(saltedLeaf(toBeHex(small, 32) as Hex, guess));
      }
    expect(guesses).to.not.include(onChain);
    expect(saltedLeaf(salt, text(7_300, 256))).to.equal(onChain);
    expect(keccak256(keccak256(concat([salt, keccak256(Buffer.from(text(7_300, 256)))])))).to.equal(onChain);
  });

  it("32: a batch that runs out of gas changes nothing, and no gas limit above the cap helps", async () => {
    const { settlement, asBiller, deposit, anna } = await networkHelpers.loadFixture(funded);
    await deposit(anna, 3_000n * EURO);
    const lines = Array.from({ length: 120 }, (_, i) => aLine(anna, { number: i, amount: 1n }));
    const refused = (gasLimit: number) =>
      asBiller.post(CPO, 1, lines, { gasLimit }).then(
        () => false,
        () => true,
      );
    expect(await refused(800_000)).to.equal(true);
    expect(await refused(16_777_217)).to.equal(true);
    expect(await settlement.lastSeq(CPO)).to.equal(0n);
    expect(await settlement.isBilled(CPO, 0)).to.equal(false);
    // Parts of it do the same, in their order.
    await asBiller.post(CPO, 1, lines.slice(0, 60), { gasLimit: 800_000 });
    await asBiller.post(CPO, 2, lines.slice(60), { gasLimit: 800_000 });
    expect(await settlement.lastSeq(CPO)).to.equal(2n);
    expect(await available(settlement, anna)).to.equal(3_100n * EURO - 120n);
  });

  it("34: amounts beyond 2^53 micro-euro are exact to the unit, through bill, dispute, decision and withdrawal", async () => {
    const place = await networkHelpers.loadFixture(windowed);
    const { settlement, euro, faucet, asBiller, asRegistrar, arbiter, anna, payee, deposit } = place;
    const random = randomFrom(34);
    const beyond = () => 2n ** 53n + BigInt(Math.floor(random() * 2 ** 40)) * 2n + 1n;
    await euro.connect(faucet).mint(faucet.address, 2n ** 64n);
    await asRegistrar.setTariff(TARIFF + 1, { ...TERMS, maxFixed: 2n ** 62n });
    for (let number = 1; number <= 5; number++) {
      const [amount, rest] = [beyond(), beyond()];
      const refund = amount - BigInt(Math.floor(random() * 2 ** 50)) - 1n;
      const before = await available(settlement, payee);
      await deposit(anna, amount + rest);
      const line = aLine(anna, { number, amount, tariff: TARIFF + 1 });
      await asBiller.post(CPO, number, [line]);
      await settlement.connect(anna).dispute(CPO, number, line, []);
      await settlement.connect(arbiter).resolve(CPO, number, refund, 0);
      expect(await available(settlement, anna)).to.equal(rest + refund);
      expect((await available(settlement, payee)) - before).to.equal(amount - refund);
      await settlement.connect(anna).requestWithdraw(rest + refund);
      await networkHelpers.time.increase(DAY);
      const purse: bigint = await euro.balanceOf(anna.address);
      await settlement.connect(anna).withdraw(rest + refund, anna.address);
      expect((await euro.balanceOf(anna.address)) - purse).to.equal(rest + refund);
    }
  });
});
