import { expect } from "chai";
import { id as hash } from "ethers";
import { ethers, networkHelpers } from "../support/chain.ts";
import {
  aLine,
  available,
  blockTime,
  CPO,
  EURO,
  funded,
  type Line,
  leafOf,
  proofOf,
  rootOf,
  settlementFixture,
  TERMS,
  verifies,
} from "../support/settlement.ts";

const HOUR = 3_600;
const plain = () => settlementFixture();

describe("Settlement: bills", () => {
  describe("post", () => {
    it("moves what is due from the drivers to the batch's pot and adds their flexibility", async () => {
      const { settlement, asBiller, anna, ben } = await networkHelpers.loadFixture(funded);
      const lines = [
        aLine(anna),
        aLine(ben, { number: 2, amount: 2n * EURO, flex: 500 }),
        aLine(anna, { number: 3, amount: 1n }),
      ];
      await asBiller.post(CPO, 1, lines);
      const account = await settlement.accountOf(anna.address);
      expect([...account]).to.deep.equal([97n * EURO - 1n, 4_000n, 0n, 0n, true]);
      expect(await available(settlement, ben)).to.equal(98n * EURO);
      const { pot, count, finalised, postedAt } = await settlement.batchOf(CPO, 1);
      expect([pot, count, finalised, postedAt]).to.deep.equal([5n * EURO + 1n, 3n, false, BigInt(await blockTime())]);
      expect(await settlement.held()).to.equal(350n * EURO);
    });

    it("tells everybody about each line and the batch", async () => {
      const { settlement, asBiller, anna, address } = await networkHelpers.loadFixture(funded);
      const lines = [aLine(anna), aLine(anna, { number: 2, amount: 0n, credit: EURO })];
      const root = rootOf(lines.map((line) => leafOf(address, 1, line)));
      await expect(asBiller.post(CPO, 1, lines))
        .to.emit(settlement, "Billed")
        .withArgs(CPO, 1, anna.address, 3n * EURO, 0, 2_000)
        .and.to.emit(settlement, "Billed")
        .withArgs(CPO, 2, anna.address, 0, EURO, 2_000)
        .and.to.emit(settlement, "Posted")
        .withArgs(CPO, 1, root, 3n * EURO, 2);
    });

    describe("exactly once", () => {
      it("refuses a batch that was sent before, with the number that is expected", async () => {
        const { settlement, asBiller, anna } = await networkHelpers.loadFixture(funded);
        await asBiller.post(CPO, 1, [aLine(anna)]);
        await expect(asBiller.post(CPO, 1, [aLine(anna)]))
          .to.be.revertedWithCustomError(settlement, "OutOfOrder")
          .withArgs(CPO, 1, 2);
        for (const seq of [0, 3, 2 ** 32 - 1])
          await expect(asBiller.post(CPO, seq, [aLine(anna, { number: 2 })]))
            .to.be.revertedWithCustomError(settlement, "OutOfOrder")
            .withArgs(CPO, seq, 2);
        expect(await settlement.lastSeq(CPO)).to.equal(1n);
        expect(await available(settlement, anna)).to.equal(97n * EURO);
      });

      it("refuses a session in two batches or twice in one, and then the whole batch", async () => {
        const { settlement, asBiller, anna, ben } = await networkHelpers.loadFixture(funded);
        await asBiller.post(CPO, 1, [aLine(anna, { number: 611 })]);
        for (const lines of [
          [aLine(ben), aLine(anna, { number: 611 })],
          [aLine(ben), aLine(ben, { number: 611 })],
        ])
          await expect(asBiller.post(CPO, 2, lines))
            .to.be.revertedWithCustomError(settlement, "AlreadyBilled")
            .withArgs(611);
        await expect(asBiller.post(CPO, 2, [aLine(ben, { number: 5 }), aLine(ben, { number: 5 })]))
          .to.be.revertedWithCustomError(settlement, "AlreadyBilled")
          .withArgs(5);
        expect(await available(settlement, ben)).to.equal(100n * EURO);
      });

      it("bills neighbouring numbers and the ends of the range once each", async () => {
        const { settlement, asBiller, anna } = await networkHelpers.loadFixture(funded);
        const numbers = [0, 1, 254, 255, 256, 257, 511, 512, 2 ** 32 - 1];
        await asBiller.post(
          CPO,
          1,
          numbers.map((number) => aLine(anna, { number })),
        );
        for (const number of numbers) expect(await settlement.isBilled(CPO, number), `${number}`).to.equal(true);
        for (const number of [2, 253, 258, 510, 513, 2 ** 32 - 2])
          expect(await settlement.isBilled(CPO, number), `${number}`).to.equal(false);
      });

      it("counts batches and sessions of each CPO on their own", async () => {
        const { settlement, asBiller, asRegistrar, anna, otherPayee } = await networkHelpers.loadFixture(funded);
        await asRegistrar.setPayee(8, otherPayee.address);
        await asRegistrar.setTariff(9, { ...TERMS, cpo: 8 });
        await asBiller.post(CPO, 1, [aLine(anna)]);
        await asBiller.post(8, 1, [aLine(anna, { tariff: 9 })]);
        expect(await settlement.isBilled(8, 1)).to.equal(true);
        expect(await available(settlement, anna)).to.equal(94n * EURO);
      });
    });

    it("refuses a line whose words carry bits beyond their fields: the leaf copies the words as they are", async () => {
      const { settlement, biller, anna } = await networkHelpers.loadFixture(funded);
      const good = settlement.interface.encodeFunctionData("post", [CPO, 1, [aLine(anna)]]);
      const firstWord = 2 + 8 + 4 * 64;
      for (let field = 0; field < 7; field++) {
        const at = firstWord + field * 64;
        const data = `${good.slice(0, at)}f${good.slice(at + 1)}`;
        await expect(biller.sendTransaction({ to: settlement, data }), `field ${field}`).to.be.revertedWithoutReason(
          ethers,
        );
      }
      await biller.sendTransaction({ to: settlement, data: good });
      expect((await settlement.batchOf(CPO, 1)).root).to.equal(await settlement.leafOf(CPO, 1, aLine(anna)));
    });

    describe("a driver without enough money", () => {
      it("pays what is there; the rest is owed and blocks nobody", async () => {
        const { settlement, asBiller, deposit, anna, ben } = await networkHelpers.loadFixture(plain);
        await deposit(anna, EURO);
        await deposit(ben, 100n * EURO);
        const lines = [aLine(anna), aLine(ben, { number: 2 })];
        await expect(asBiller.post(CPO, 1, lines))
          .to.emit(settlement, "Shortfall")
          .withArgs(CPO, 1, anna.address, 2n * EURO);
        expect([...(await settlement.debtOf(CPO, 1))]).to.deep.equal([anna.address, 2n * EURO, 1n]);
        expect((await settlement.debtOf(CPO, 2)).amount).to.equal(0n);
        expect((await settlement.batchOf(CPO, 1)).pot).to.equal(4n * EURO);
        expect(await available(settlement, anna)).to.equal(0n);
      });

      it("still earns flexibility", async () => {
        const { settlement, asBiller, anna } = await networkHelpers.loadFixture(plain);
        await asBiller.post(CPO, 1, [aLine(anna)]);
        expect((await settlement.accountOf(anna.address)).flex).to.equal(2_000n);
      });

      it("with exactly enough owes nothing", async () => {
        const { settlement, asBiller, deposit, anna } = await networkHelpers.loadFixture(plain);
        await deposit(anna, 3n * EURO);
        await expect(asBiller.post(CPO, 1, [aLine(anna)])).not.to.emit(settlement, "Shortfall");
      });
    });

    describe("credit", () => {
      const credited = (driver: { address: string }, credit: bigint, part: Partial<Line> = {}) =>
        aLine(driver, { amount: 0n, credit, ...part });

      it("goes from the CPO's balance to the driver", async () => {
        const { settlement, asBiller, anna, payee } = await networkHelpers.loadFixture(funded);
        await asBiller.post(CPO, 1, [credited(anna, 787_500n)]);
        expect(await available(settlement, anna)).to.equal(100n * EURO + 787_500n);
        expect(await available(settlement, payee)).to.equal(50n * EURO - 787_500n);
        expect((await settlement.batchOf(CPO, 1)).pot).to.equal(0n);
      });

      it("is what the CPO has when that is less; the rest is named and blocks nobody", async () => {
        const { settlement, asBiller, anna, ben, payee } = await networkHelpers.loadFixture(funded);
        await settlement.connect(payee).withdraw(47n * EURO, payee.address);
        const lines = [
          credited(anna, 2n * EURO),
          credited(ben, 4n * EURO, { number: 2 }),
          credited(anna, EURO, { number: 3 }),
        ];
        await expect(asBiller.post(CPO, 1, lines))
          .to.emit(settlement, "CreditShort")
          .withArgs(CPO, 2, ben.address, 3n * EURO)
          .and.to.emit(settlement, "CreditShort")
          .withArgs(CPO, 3, anna.address, EURO);
        const told = await settlement.queryFilter(settlement.filters.CreditShort!());
        expect(told.map(({ args }: any) => args.number)).to.deep.equal([2n, 3n]);
        expect(await available(settlement, payee)).to.equal(0n);
        expect(await available(settlement, anna)).to.equal(102n * EURO);
        expect(await available(settlement, ben)).to.equal(101n * EURO);
      });

      it("changes nothing when the payee is the driver", async () => {
        const { settlement, asBiller, asRegistrar, payee } = await networkHelpers.loadFixture(funded);
        await asRegistrar.registerDrivers([payee.address], [hash("consent")]);
        await asBiller.post(CPO, 1, [credited(payee, 5n * EURO)]);
        expect(await available(settlement, payee)).to.equal(50n * EURO);
      });

      it("is refused above EUR 10, and beside an amount", async () => {
        const { settlement, asBiller, anna } = await networkHelpers.loadFixture(funded);
        const refused = (line: Line) =>
          expect(asBiller.post(CPO, 1, [line]))
            .to.be.revertedWithCustomError(settlement, "CreditNotAllowed")
            .withArgs(1);
        await refused(credited(anna, 10n * EURO + 1n));
        await refused(aLine(anna, { amount: 1n, credit: 1n }));
        await asBiller.post(CPO, 1, [credited(anna, 10n * EURO)]);
        expect(await settlement.maxCredit()).to.equal(10n * EURO);
      });
    });

    describe("tariff", () => {
      it("allows exactly energy x price + fixed, and refuses one micro-euro more", async () => {
        const { settlement, asBiller, anna } = await networkHelpers.loadFixture(funded);
        const cap = (10_000n * TERMS.maxPerKwh) / 1_000n + TERMS.maxFixed;
        await expect(asBiller.post(CPO, 1, [aLine(anna, { amount: cap + 1n })]))
          .to.be.revertedWithCustomError(settlement, "AboveTariff")
          .withArgs(1);
        await asBiller.post(CPO, 1, [aLine(anna, { amount: cap })]);
      });

      it("rounds in the driver's favour: 1 Wh at 0.35 EUR/kWh is at most 350 micro-euro, 3 Wh at 333/kWh 0", async () => {
        const { settlement, asBiller, asRegistrar, anna } = await networkHelpers.loadFixture(funded);
        await asRegistrar.setTariff(5, { ...TERMS, maxFixed: 0 });
        await asRegistrar.setTariff(6, { ...TERMS, maxFixed: 0, maxPerKwh: 333 });
        const small = (part: Partial<Line>) => [aLine(anna, { wh: 1, flex: 0, tariff: 5, amount: 350n, ...part })];
        await expect(asBiller.post(CPO, 1, small({ amount: 351n }))).to.be.revertedWithCustomError(
          settlement,
          "AboveTariff",
        );
        await expect(asBiller.post(CPO, 1, small({ wh: 3, tariff: 6, amount: 1n }))).to.be.revertedWithCustomError(
          settlement,
          "AboveTariff",
        );
        await asBiller.post(CPO, 1, small({}));
      });

      it("must be this CPO's, exist, and be usable already", async () => {
        const { settlement, asBiller, asRegistrar, anna, otherPayee } = await networkHelpers.loadFixture(funded);
        const from = (await blockTime()) + HOUR;
        await asRegistrar.setPayee(8, otherPayee.address);
        await asRegistrar.setTariff(8, { ...TERMS, cpo: 8 });
        await asRegistrar.setTariff(9, { ...TERMS, from });
        for (const tariff of [8, 9, 77])
          await expect(asBiller.post(CPO, 1, [aLine(anna, { tariff })]))
            .to.be.revertedWithCustomError(settlement, "WrongTariff")
            .withArgs(1, tariff);
        await networkHelpers.time.setNextBlockTimestamp(from);
        await asBiller.post(CPO, 1, [aLine(anna, { tariff: 9 })]);
      });

      it("holds at the ends of every field", async () => {
        const { settlement, asBiller, asRegistrar, anna } = await networkHelpers.loadFixture(funded);
        const U64 = 2n ** 64n - 1n;
        await asRegistrar.setTariff(5, { ...TERMS, maxPerKwh: U64, maxFixed: U64 });
        await asBiller.post(CPO, 1, [aLine(anna, { tariff: 5, amount: U64, wh: 2 ** 32 - 1, flex: 2 ** 32 - 1 })]);
        expect((await settlement.debtOf(CPO, 1)).amount).to.equal(U64 - 100n * EURO);
      });
    });

    it("refuses more flexibility than energy, by 1 Wh", async () => {
      const { settlement, asBiller, anna } = await networkHelpers.loadFixture(funded);
      await expect(asBiller.post(CPO, 1, [aLine(anna, { flex: 10_001 })]))
        .to.be.revertedWithCustomError(settlement, "FlexAboveEnergy")
        .withArgs(1);
      await asBiller.post(CPO, 1, [aLine(anna, { flex: 10_000 })]);
    });

    it("refuses a driver who is not registered, an unknown CPO and an empty batch", async () => {
      const { settlement, asBiller, stranger, anna } = await networkHelpers.loadFixture(funded);
      await expect(asBiller.post(CPO, 1, [aLine(anna), aLine(stranger, { number: 2 })]))
        .to.be.revertedWithCustomError(settlement, "UnknownDriver")
        .withArgs(stranger.address);
      await expect(asBiller.post(12, 1, [aLine(anna)]))
        .to.be.revertedWithCustomError(settlement, "UnknownCpo")
        .withArgs(12);
      await expect(asBiller.post(CPO, 1, [])).to.be.revertedWithCustomError(settlement, "EmptyBatch");
    });

    it("lets nobody but the biller post or pay, least of all the operator of the slots", async () => {
      const { settlement, admin, operator, registrar, payee, anna } = await networkHelpers.loadFixture(funded);
      for (const other of [admin, operator, registrar, payee, anna]) {
        const as = settlement.connect(other);
        await expect(as.post(CPO, 1, [aLine(anna)]))
          .to.be.revertedWithCustomError(settlement, "AccessManagedUnauthorized")
          .withArgs(other.address);
        await expect(as.pay(CPO, anna.address, 1, hash("ref"))).to.be.revertedWithCustomError(
          settlement,
          "AccessManagedUnauthorized",
        );
      }
    });
  });

  describe("Merkle root", () => {
    it("is the one of the posted lines, for 1 to 17 lines, and every line's proof leads to it", async () => {
      const { settlement, asBiller, anna, ben, address } = await networkHelpers.loadFixture(funded);
      let number = 0;
      for (let count = 1; count <= 17; count++) {
        const lines = Array.from({ length: count }, (_, i) =>
          aLine(i % 2 ? ben : anna, { number: number++, amount: BigInt(i), detail: hash(`${number}`) }),
        );
        await asBiller.post(CPO, count, lines);
        const leaves = lines.map((line) => leafOf(address, count, line));
        const { root } = await settlement.batchOf(CPO, count);
        expect(root, `${count} lines`).to.equal(rootOf(leaves));
        for (const [i, leaf] of leaves.entries())
          expect(verifies(leaf, proofOf(leaves, i), root), `line ${i} of ${count}`).to.equal(true);
      }
    });

    it("gives another leaf for any other field, batch, CPO or contract", async () => {
      const { settlement, anna, ben, address } = await networkHelpers.loadFixture(funded);
      const line = aLine(anna);
      const others: Line[] = [
        { ...line, number: 2 },
        { ...line, driver: ben.address },
        { ...line, amount: 1n },
        { ...line, credit: 1n },
        { ...line, wh: 1 },
        { ...line, flex: 1 },
        { ...line, tariff: 1 },
        { ...line, detail: hash("other") },
      ];
      const leaves = await Promise.all([line, ...others].map((one) => settlement.leafOf(CPO, 1, one)));
      leaves.push(await settlement.leafOf(CPO, 2, line), await settlement.leafOf(CPO + 1, 1, line));
      expect(leaves[0]).to.equal(leafOf(address, 1, line));
      expect(leafOf(anna.address, 1, line)).to.not.equal(leaves[0]);
      expect(new Set(leaves).size).to.equal(11);
    });
  });
});
