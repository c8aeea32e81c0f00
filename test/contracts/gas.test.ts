/**
 * What the calls cost. Each figure is held against the limit that was set for it, and against gas.json, the figures of the
 * last change: a change of price shows in a review. GAS_WRITE=yes writes gas.json anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { encodeBytes32String, id as hash, hexlify, keccak256 } from "ethers";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { ethers, networkHelpers } from "../support/chain.ts";
import { near } from "../support/near.ts";
import { realisticProblem } from "../support/problems.ts";
import {
  aLine,
  anIntent,
  CPO,
  EURO,
  leafOf,
  proofOf,
  settlementFixture,
  signIntent,
  withFlex,
} from "../support/settlement.ts";
import { bytesOf, ledgerFixture, rowsOf } from "../support/slotLedger.ts";

const FILE = new URL("gas.json", import.meta.url);
const before: Record<string, number> = JSON.parse(readFileSync(FILE, "utf8"));
const now: Record<string, number> = {};
/** Hashes in the calldata have another number of zero bytes whenever a plan or a salt changes: a few hundred gas. */
const TOLERANCE = 0.02;
const MOST_OF_A_TRANSACTION = 16_777_216;

const plain = () => settlementFixture();
const windowed = () => settlementFixture({ windowS: 3_600 });
const gasOf = async (sent: Promise<any>) => Number((await (await sent).wait()).gasUsed);

/** Keeps the figure of one case; `each` divides it. */
function keep(what: string, gas: number, most: number, each = 1): void {
  const figure = Math.round(gas / each);
  now[what] = figure;
  expect(figure, `${what}: above its limit`).to.be.at.most(most);
  expect(gas, `${what}: above the cap of a transaction`).to.be.below(MOST_OF_A_TRANSACTION);
  if (process.env.GAS_WRITE === undefined) {
    const last = before[what];
    expect(last, `${what} is not in gas.json; run with GAS_WRITE=yes`).to.be.a("number");
    expect(figure, `${what}: gas.json says otherwise; run with GAS_WRITE=yes and look at the difference`).to.satisfy(
      near(last!, Math.ceil(last! * TOLERANCE)),
    );
  }
}

describe("gas", () => {
  after(() => {
    if (process.env.GAS_WRITE !== undefined) writeFileSync(FILE, `${JSON.stringify({ ...before, ...now }, null, 2)}\n`);
  });

  for (const [count, most] of [
    [0, 57_500],
    [10, 60_000],
    [150, 98_000],
    [400, 200_000],
  ] as const)
    it(`of record with ${count} rows, second record of a group`, async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      await ledger.record([aRun({ slot: 1_000, rows: rowsOf(count) }).run]);
      const sent = ledger.record([aRun({ slot: 1_001, rows: rowsOf(count) }).run]);
      keep(`SlotLedger.record, ${count} rows`, await gasOf(sent), most);
    });

  for (const [count, most] of [
    [10, 26_500],
    [150, 17_500],
  ] as const)
    it(`of post with ${count} lines of as many drivers, second batch, and of finalise`, async () => {
      const { asBiller, asRegistrar, asFaucet } = await networkHelpers.loadFixture(plain);
      const drivers = Array.from({ length: count }, (_, i) => ({
        address: ethers.getAddress(keccak256(hexlify(new Uint8Array([i]))).slice(0, 42)),
      }));
      await asRegistrar.registerDrivers(
        drivers.map(({ address }) => address),
        drivers.map(() => hash("consent")),
      );
      for (const { address } of drivers) await asFaucet.deposit(address, 10n * EURO);
      // Far from the first batch: numbers that open new words of the bitmap are the dearest.
      const lines = (from: number) => drivers.map((driver, i) => aLine(driver, { number: from + i }));
      await asBiller.post(CPO, 1, lines(0));
      keep(
        `Settlement.post per session, ${count} lines`,
        await gasOf(asBiller.post(CPO, 2, lines(1_000))),
        most,
        count,
      );
      keep("Settlement.finalise", await gasOf(asBiller.finalise(CPO, 1)), 60_000);
    });

  for (const [cars, intervals, most] of [
    [10, 24, 130_000],
    [10, 96, 380_000],
    [40, 96, 900_000],
    [150, 96, 3_000_000],
  ] as const)
    it(`of check as a transaction (a call is free), ${cars} cars x ${intervals} intervals`, async () => {
      const { checker } = await networkHelpers.loadFixture(ledgerFixture);
      const problem = realisticProblem(cars, 1, { intervals });
      const data = checker.interface.encodeFunctionData("check", bytesOf(problem, leastCost(problem)));
      const gas = Number(await ethers.provider.estimateGas({ to: await checker.getAddress(), data }));
      keep(`ScheduleChecker.check, ${cars} x ${intervals}`, gas, most);
    });

  it("of register per asset in a batch of 150", async () => {
    const { registry, registrar } = await networkHelpers.loadFixture(ledgerFixture);
    const asRegistrar = registry.connect(registrar);
    await asRegistrar.setGroup(7, { cpo: 3, capacity: 100_000, parent: 0, fromSlot: 1 });
    const assets = Array.from({ length: 150 }, (_, index) => ({
      kind: 1,
      state: 2,
      connector: 3,
      phases: 3,
      group: 7,
      index,
      fromSlot: 1,
      ratedPower: 22_000,
      minPower: 4_140,
      capacity: 0,
      metadata: hash(`document ${index}`),
    }));
    const ids = assets.map(({ index }) => hash(`asset ${index}`));
    keep("AssetRegistry.register per asset, 150 assets", await gasOf(asRegistrar.register(ids, assets)), 80_000, 150);
  });

  it("of a dispute in a batch of 150, and of its decision", async () => {
    const { settlement, asBiller, address, deposit, arbiter, anna } = await networkHelpers.loadFixture(windowed);
    await deposit(anna, 1_000n * EURO);
    const lines = Array.from({ length: 150 }, (_, i) => aLine(anna, { number: i }));
    await asBiller.post(CPO, 1, lines);
    const proof = proofOf(
      lines.map((line) => leafOf(address, 1, line)),
      77,
    );
    keep(
      "Settlement.dispute, 150 lines",
      await gasOf(settlement.connect(anna).dispute(CPO, 1, lines[77], proof)),
      140_000,
    );
    keep("Settlement.resolve", await gasOf(settlement.connect(arbiter).resolve(CPO, 77, EURO, -5)), 110_000);
  });

  it("of the other verbs of a driver's life", async () => {
    const { settlement, asRegistrar, asFaucet, address, anna, ben, stranger } =
      await networkHelpers.loadFixture(withFlex);
    const register = asRegistrar.registerDrivers([stranger.address], [hash("consent")]);
    keep("Settlement.registerDrivers, 1 driver", await gasOf(register), 65_000);
    keep("Settlement.deposit, first", await gasOf(asFaucet.deposit(stranger.address, EURO)), 65_000);
    const intent = anIntent(anna);
    const signature = await signIntent(anna, address, intent);
    const redeem = settlement.connect(stranger).redeemBySig(intent, signature);
    keep("Settlement.redeemBySig, earned FLEX", await gasOf(redeem), 55_000);
    keep("Settlement.claimFlex, first", await gasOf(settlement.connect(ben).claimFlex(ben.address)), 100_000);
  });

  it("of storing 5,000 bytes of code, and of publishing a version", async () => {
    const { algorithms, publisher, spec, checker } = await networkHelpers.loadFixture(ledgerFixture);
    const asPublisher = algorithms.connect(publisher);
    const store = asPublisher.storeCode(hash("text"), `0x${"fe".repeat(5_000)}`);
    keep("AlgorithmRegistry.storeCode, 5,000 bytes", await gasOf(store), 1_400_000);
    const next = { ...spec, method: encodeBytes32String("next/1"), checker: await checker.getAddress(), encoding: 1 };
    keep("AlgorithmRegistry.publish", await gasOf(asPublisher.publish(next)), 220_000);
  });
});
