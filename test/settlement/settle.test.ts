import { expect } from "chai";
import fc from "fast-check";
import { microEur, microEurPerKwh, wattHour } from "../../backend/domain/units.ts";
import type { Compensation } from "../../backend/settlement/compensation.ts";
import { settle } from "../../backend/settlement/settle.ts";

const part = (energyWh: number, perKwh: number) => ({ energyWh, pricePerKwh: microEurPerKwh(perKwh) });
const due = (amount: bigint): Compensation => ({
  amountMicroEur: microEur(amount),
  missingWh: wattHour(1_500),
  lateWh: wattHour(1_500),
  pricePerKwh: microEurPerKwh(350_000),
});

describe("Settling a session", () => {
  it("bills 18,500 Wh at 0.35 EUR/kWh, less 787,500 micro-euro of compensation: 5,687,500", () => {
    const settled = settle({ energy: [part(18_500, 350_000)], compensation: due(787_500n), flexWh: 3_680 });
    expect(settled.lines).to.deep.equal([
      { kind: "energy", energyWh: 18_500, pricePerKwh: 350_000, amountMicroEur: 6_475_000n },
      { kind: "promise-compensation", energyWh: 3_000, pricePerKwh: 350_000, amountMicroEur: -787_500n },
      { kind: "flex", energyWh: 3_680, pricePerKwh: 0, amountMicroEur: 0n },
    ]);
    expect(settled).to.include({
      energyWh: 18_500,
      amountMicroEur: 5_687_500n,
      creditMicroEur: 0n,
      compensationMicroEur: 787_500n,
      flexWh: 3_680,
    });
  });

  it("credits compensation above the bill to the driver", () => {
    const settled = settle({ energy: [part(1_000, 350_000)], compensation: due(787_500n), flexWh: 0 });
    expect(settled).to.include({ amountMicroEur: 0n, creditMicroEur: 437_500n });
  });

  it("rounds once, down: three prices whose parts end in .4, .4 and .4 make 1, not 0 and not 2", () => {
    const settled = settle({ energy: [part(1, 400), part(1, 400), part(1, 400)], compensation: null, flexWh: 0 });
    expect(settled.amountMicroEur).to.equal(1n);
    expect(settled.lines.map((line) => line.amountMicroEur)).to.deep.equal([0n, 0n, 1n]);
  });

  it("adds a fixed fee, and leaves out lines about nothing", () => {
    const settled = settle({
      energy: [part(0, 350_000)],
      fixedFeeMicroEur: microEur(500_000n),
      compensation: due(0n),
      flexWh: 0,
    });
    expect(settled.lines.map((line) => line.kind)).to.deep.equal(["energy", "fixed-fee"]);
    expect(settled.amountMicroEur).to.equal(500_000n);
  });

  it("refuses more FLEX than energy, and energy that is no whole number from 0 up", () => {
    const base = { energy: [part(1_000, 350_000)], compensation: null };
    expect(() => settle({ ...base, flexWh: 1_001 })).to.throw(/no more can be moved/);
    expect(() => settle({ ...base, flexWh: -1 })).to.throw(RangeError);
    expect(() => settle({ ...base, flexWh: 0, energy: [part(-1, 1)] })).to.throw(/Check the session's registers/);
    expect(() => settle({ ...base, flexWh: 0, energy: [part(0.5, 1)] })).to.throw(RangeError);
  });

  it("always adds up: lines to amount - credit, energy lines to the metered energy, and within the tariff's cap", () => {
    const parts = fc.array(fc.tuple(fc.nat(90_000), fc.integer({ min: 0, max: 900_000 })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(parts, fc.bigInt(0n, 2_000_000n), fc.bigInt(0n, 10_000_000n), (list, fee, compensated) => {
        const energy = list.map(([wh, perKwh]) => part(wh, perKwh));
        const settled = settle({ energy, fixedFeeMicroEur: microEur(fee), compensation: due(compensated), flexWh: 0 });
        const total = settled.lines.reduce((sum, line) => sum + line.amountMicroEur, 0n);
        expect(total).to.equal(settled.amountMicroEur - settled.creditMicroEur);
        expect(settled.amountMicroEur === 0n || settled.creditMicroEur === 0n).to.equal(true);
        const wh = settled.lines.reduce((sum, line) => sum + (line.kind === "energy" ? line.energyWh : 0), 0);
        expect(wh).to.equal(list.reduce((sum, [one]) => sum + one, 0));
        // The exact bill in thousandths, by another route: rounding took less than one micro-euro, from the bill.
        const exact = list.reduce((sum, [one, perKwh]) => sum + BigInt(one) * BigInt(perKwh), 0n);
        const lost = exact + (fee - compensated) * 1_000n - total * 1_000n;
        expect(lost >= 0n && lost < 1_000n).to.equal(true);
        // What the contract checks.
        const dearest = BigInt(Math.max(...list.map(([, perKwh]) => perKwh)));
        expect(settled.amountMicroEur * 1_000n <= BigInt(wh) * dearest + fee * 1_000n).to.equal(true);
      }),
    );
  });
});
