/** What the calls cost, printed and not asserted: prices are compared by people, hardware and compilers change. */
import { id as hash, hexlify, keccak256 } from "ethers";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { ethers, networkHelpers } from "../support/chain.ts";
import { realisticProblem } from "../support/problems.ts";
import { aLine, anIntent, CPO, EURO, settlementFixture, signIntent, withFlex } from "../support/settlement.ts";
import { bytesOf, ledgerFixture, rowsOf } from "../support/slotLedger.ts";

const plain = () => settlementFixture();
const gasOf = async (sent: Promise<any>) => Number((await (await sent).wait()).gasUsed);
const say = (what: string, gas: number, each = "") =>
  console.log(`      ${what.padEnd(44)}${gas.toLocaleString("en").padStart(12)} gas${each}`);

describe("gas (for information)", () => {
  it("record of 0, 10, 150 and 400 rows, second record of a group", async () => {
    for (const count of [0, 10, 150, 400]) {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      await ledger.record([aRun({ slot: 1_000, rows: rowsOf(count) }).run]);
      say(
        `SlotLedger.record, ${count} rows`,
        await gasOf(ledger.record([aRun({ slot: 1_001, rows: rowsOf(count) }).run])),
      );
    }
  });

  it("post of 1, 10 and 150 lines, one driver per line, finalise", async () => {
    for (const count of [1, 10, 150]) {
      const { asBiller, asRegistrar, asFaucet } = await networkHelpers.loadFixture(plain);
      const drivers = Array.from({ length: count }, (_, i) => ({
        address: ethers.getAddress(keccak256(hexlify(new Uint8Array([i]))).slice(0, 42)),
      }));
      await asRegistrar.registerDrivers(
        drivers.map(({ address }) => address),
        drivers.map(() => hash("consent")),
      );
      for (const { address } of drivers) await asFaucet.deposit(address, 10n * EURO);
      const lines = (from: number) => drivers.map((driver, i) => aLine(driver, { number: from + i }));
      await asBiller.post(CPO, 1, lines(0));
      const gas = await gasOf(asBiller.post(CPO, 2, lines(1_000)));
      say(`Settlement.post, ${count} lines`, gas, `, ${Math.round(gas / count).toLocaleString("en")} per session`);
      if (count === 150) say("Settlement.finalise", await gasOf(asBiller.finalise(CPO, 1)));
    }
  });

  it("check, as a transaction (a call is free)", async () => {
    const { checker } = await networkHelpers.loadFixture(ledgerFixture);
    for (const [cars, intervals] of [
      [10, 24],
      [10, 96],
      [150, 96],
      [400, 96],
    ] as const) {
      const problem = realisticProblem(cars, 1, { intervals });
      const data = checker.interface.encodeFunctionData("check", bytesOf(problem, leastCost(problem)));
      say(
        `ScheduleChecker.check, ${cars} cars x ${intervals}`,
        Number(await ethers.provider.estimateGas({ to: await checker.getAddress(), data })),
      );
    }
  });

  it("the other verbs of a driver's life", async () => {
    const { settlement, asRegistrar, asFaucet, address, anna, ben, stranger } =
      await networkHelpers.loadFixture(withFlex);
    say("registerDrivers, 1 driver", await gasOf(asRegistrar.registerDrivers([stranger.address], [hash("consent")])));
    say("deposit, first", await gasOf(asFaucet.deposit(stranger.address, EURO)));
    const intent = anIntent(anna);
    say(
      "redeemBySig, earned FLEX",
      await gasOf(settlement.connect(stranger).redeemBySig(intent, await signIntent(anna, address, intent))),
    );
    say("claimFlex, first", await gasOf(settlement.connect(ben).claimFlex(ben.address)));
  });
});
