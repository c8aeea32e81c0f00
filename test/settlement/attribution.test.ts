import { expect } from "chai";
import fc from "fast-check";
import { epochSecond, microEurPerKwh } from "../../backend/domain/units.ts";
import { attribute, gridWh, NO_SHARES, vehicleShortfallWh } from "../../backend/settlement/attribution.ts";
import { COMPENSATION_CAP, compensation } from "../../backend/settlement/compensation.ts";

const BY = epochSecond(1_767_279_600);
/** Draws one after the other, ending `afterS` after BY: [duration s, allowed Wh, metered Wh]. */
const draws = (list: readonly (readonly [number, number, number])[], afterS = 0) => {
  let from = BY + afterS - list.reduce((sum, [durationS]) => sum + durationS, 0);
  return list.map(([durationS, allowedWh, meteredWh]) => {
    const draw = { from: epochSecond(from), to: epochSecond(from + durationS), allowedWh, meteredWh };
    from += durationS;
    return draw;
  });
};
const nobody = { driverWh: 0, vehicleWh: 0, orderWh: 0, outageWh: 0, operatorWh: 0 };

describe("Attribution of a missing part", () => {
  it("goes driver, vehicle, grid, operator, system; each takes no more than is left", () => {
    const shares = attribute({
      missingWh: 4_000,
      driverWh: 500,
      vehicleWh: 1_000,
      orderWh: 700,
      outageWh: 300,
      operatorWh: 900,
    });
    expect(shares).to.deep.equal({
      driverWh: 500,
      vehicleWh: 1_000,
      orderWh: 700,
      outageWh: 300,
      operatorWh: 900,
      systemWh: 600,
    });
    expect(gridWh(shares)).to.equal(1_000);
    const early = attribute({
      missingWh: 4_000,
      driverWh: 9_000,
      vehicleWh: 1_000,
      orderWh: 700,
      outageWh: 300,
      operatorWh: 900,
    });
    expect(early).to.deep.equal({ ...NO_SHARES, driverWh: 4_000 });
  });

  it("leaves the system what nobody else caused", () => {
    expect(attribute({ ...nobody, missingWh: 4_000 }).systemWh).to.equal(4_000);
  });

  it("always adds up to the missing part, without a negative share", () => {
    const wh = fc.integer({ min: -1_000, max: 20_000 });
    fc.assert(
      fc.property(
        fc.nat(20_000),
        wh,
        wh,
        wh,
        wh,
        wh,
        (missingWh, driverWh, vehicleWh, orderWh, outageWh, operatorWh) => {
          const shares = Object.values(attribute({ missingWh, driverWh, vehicleWh, orderWh, outageWh, operatorWh }));
          expect(shares.reduce((sum, share) => sum + share, 0)).to.equal(missingWh);
          expect(Math.min(...shares)).to.be.at.least(0);
        },
      ),
    );
  });
});

describe("The vehicle's part", () => {
  it("is what it left undrawn in a stretch of more than 3 minutes, from the first second", () => {
    expect(
      vehicleShortfallWh(
        draws([
          [60, 100, 100],
          [60, 100, 40],
          [60, 100, 40],
          [60, 100, 40],
          [60, 100, 40],
        ]),
        BY,
      ),
    ).to.equal(240);
  });

  it("is nothing in a stretch of 3 minutes exactly", () => {
    expect(
      vehicleShortfallWh(
        draws([
          [60, 100, 40],
          [60, 100, 40],
          [60, 100, 40],
          [60, 100, 100],
        ]),
        BY,
      ),
    ).to.equal(0);
  });

  it("is nothing while the car may not draw, and starts anew after a minute at the full allowance", () => {
    expect(
      vehicleShortfallWh(
        draws([
          [900, 0, 0],
          [900, 0, 0],
        ]),
        BY,
      ),
    ).to.equal(0);
    expect(
      vehicleShortfallWh(
        draws([
          [120, 200, 40],
          [60, 100, 100],
          [120, 200, 40],
        ]),
        BY,
      ),
    ).to.equal(0);
  });

  it("starts anew after a gap in the record", () => {
    const [first, , third] = draws([
      [120, 200, 40],
      [60, 100, 0],
      [120, 200, 40],
    ]);
    expect(vehicleShortfallWh([first!, third!], BY)).to.equal(0);
  });

  it("counts what was lacking before the promise's time, of a stretch that may end after it", () => {
    expect(
      vehicleShortfallWh(
        draws(
          [
            [120, 200, 0],
            [120, 200, 0],
          ],
          120,
        ),
        BY,
      ),
    ).to.equal(200);
    expect(vehicleShortfallWh(draws([[600, 1_000, 0]], 300), BY)).to.equal(500);
    expect(vehicleShortfallWh(draws([[600, 1_000, 0]], 900), BY)).to.equal(0);
  });
});

describe("Compensation", () => {
  const price = microEurPerKwh(350_000);
  const shares = attribute({ ...nobody, missingWh: 4_000, vehicleWh: 1_000 });
  const breach = { outcome: "short" as const, shares, missingAtUnplugWh: 1_500, pricePerKwh: price };

  it("is 787,500 micro-euro for 20,000 Wh promised, 16,000 in time, 1,000 undrawn, 18,500 at unplug at 0.35 EUR/kWh", () => {
    expect(compensation(breach)).to.deep.equal({
      amountMicroEur: 787_500n,
      missingWh: 1_500,
      lateWh: 1_500,
      pricePerKwh: 350_000,
    });
  });

  it("is nothing when the promise was kept, or when driver and vehicle caused it all", () => {
    expect(compensation({ ...breach, outcome: "kept" }).amountMicroEur).to.equal(0n);
    const own = attribute({ ...nobody, missingWh: 4_000, driverWh: 3_000, vehicleWh: 1_000 });
    expect(compensation({ ...breach, shares: own }).amountMicroEur).to.equal(0n);
  });

  it("pays half for what came late and all of it for what never came", () => {
    const all = attribute({ ...nobody, missingWh: 1_000 });
    expect(compensation({ ...breach, shares: all, missingAtUnplugWh: 0, outcome: "late" }).amountMicroEur).to.equal(
      175_000n,
    );
    expect(compensation({ ...breach, shares: all, missingAtUnplugWh: 1_000 }).amountMicroEur).to.equal(350_000n);
  });

  it("covers operator, system and orders, not outages; an operator may leave orders out", () => {
    const each = attribute({ ...nobody, missingWh: 4_000, orderWh: 1_000, outageWh: 1_000, operatorWh: 1_000 });
    const due = (compensateOrders: boolean) =>
      compensation({ ...breach, shares: each, missingAtUnplugWh: 4_000, compensateOrders });
    expect(due(true).amountMicroEur).to.equal(3n * 350_000n);
    expect(due(false).amountMicroEur).to.equal(2n * 350_000n);
    expect(compensation({ ...breach, shares: each, missingAtUnplugWh: 4_000 })).to.deep.equal(due(true));
  });

  it("rounds up, stops at EUR 10 and is nothing at a price below 0", () => {
    const one = attribute({ ...nobody, missingWh: 1 });
    const at = (perKwh: number) =>
      compensation({ ...breach, shares: one, missingAtUnplugWh: 0, pricePerKwh: microEurPerKwh(perKwh) });
    expect(at(1).amountMicroEur).to.equal(1n);
    expect(at(2_000).amountMicroEur).to.equal(1n);
    expect(at(2_001).amountMicroEur).to.equal(2n);
    expect(at(-350_000).amountMicroEur).to.equal(0n);
    const huge = attribute({ ...nobody, missingWh: 90_000 });
    expect(compensation({ ...breach, shares: huge, missingAtUnplugWh: 90_000 }).amountMicroEur).to.equal(
      COMPENSATION_CAP,
    );
    expect(COMPENSATION_CAP).to.equal(10_000_000n);
  });
});
