import { expect } from "chai";
import fc from "fast-check";
import { microEur } from "../../backend/domain/units.ts";
import { orderDeliveredWh, redemptionOffer } from "../../backend/flexibility/redemption.ts";

describe("The redemption offer", () => {
  it("pays half of 184,000 micro-euro for 3,680 Wh: 25,000 micro-euro per kWh", () => {
    expect(redemptionOffer({ flexWh: 3_680, valueMicroEur: 184_000n, sharePercent: 50 })).to.equal(25_000);
  });

  it("adds the drivers' share of order revenue", () => {
    const orderShareMicroEur = microEur(36_800n);
    expect(redemptionOffer({ flexWh: 3_680, valueMicroEur: 184_000n, sharePercent: 50, orderShareMicroEur })).to.equal(
      35_000,
    );
  });

  it("is 0 without FLEX, and where the shifts cost more than they saved", () => {
    expect(redemptionOffer({ flexWh: 0, valueMicroEur: 184_000n, sharePercent: 50 })).to.equal(0);
    expect(redemptionOffer({ flexWh: 3_680, valueMicroEur: -1n, sharePercent: 50 })).to.equal(0);
  });

  it("never costs the CPO more than its share, and a higher price would", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000_000 }),
        fc.bigInt(-1_000_000_000n, 1_000_000_000n),
        fc.integer({ min: 0, max: 100 }),
        fc.bigInt(0n, 1_000_000n),
        (flexWh, valueMicroEur, sharePercent, revenue) => {
          const offer = BigInt(
            redemptionOffer({ flexWh, valueMicroEur, sharePercent, orderShareMicroEur: microEur(revenue) }),
          );
          // In hundredths of a thousandth of a micro-euro nothing has to be rounded.
          const budget = ((valueMicroEur > 0n ? valueMicroEur : 0n) * BigInt(sharePercent) + revenue * 100n) * 1_000n;
          expect(offer * BigInt(flexWh) * 100n <= budget).to.equal(true);
          expect((offer + 1n) * BigInt(flexWh) * 100n > budget).to.equal(true);
        },
      ),
    );
  });
});

describe("A flexibility order", () => {
  const order = { direction: "down" as const, orderedWh: 2_000, plannedWh: 9_000, measuredWh: 7_500 };

  it("delivers what the group took less than its certified plan, up to what was ordered", () => {
    expect(orderDeliveredWh(order)).to.equal(1_500);
    expect(orderDeliveredWh({ ...order, measuredWh: 5_000 })).to.equal(2_000);
    expect(orderDeliveredWh({ ...order, measuredWh: 9_500 })).to.equal(0);
  });

  it("upwards is the mirror image", () => {
    expect(orderDeliveredWh({ ...order, direction: "up", measuredWh: 9_500 })).to.equal(500);
    expect(orderDeliveredWh({ ...order, direction: "up" })).to.equal(0);
  });
});
