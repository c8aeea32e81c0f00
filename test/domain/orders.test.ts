import { expect } from "chai";
import { complianceOf, deliveredWh } from "../../backend/domain/orders.ts";
import { microEurPerKwh, wattHour } from "../../backend/domain/units.ts";

const row = (orderedWh: number, plannedWh: number, acknowledgedWh = orderedWh, slot = 0) => ({
  slot,
  orderedWh: wattHour(orderedWh),
  plannedWh: wattHour(plannedWh),
  acknowledgedWh: wattHour(acknowledgedWh),
});
const delivery = (deliveredWh: number) => ({ slot: 0, measuredWh: wattHour(0), deliveredWh: wattHour(deliveredWh) });

describe("What an order delivered in a slot", () => {
  for (const [what, wh, expected] of [
    ["down: planned less measured", deliveredWh("down", row(1_000, 2_500), 1_700), 800],
    ["down: never more than ordered", deliveredWh("down", row(1_000, 2_500), 0), 1_000],
    ["down: nothing where more was taken than planned", deliveredWh("down", row(1_000, 2_500), 2_600), 0],
    ["up: measured less planned", deliveredWh("up", row(1_000, 500), 1_100), 600],
    ["up: never more than ordered", deliveredWh("up", row(1_000, 500), 9_000), 1_000],
    ["up: nothing where less was taken than planned", deliveredWh("up", row(1_000, 500), 400), 0],
  ] as const)
    it(`${what}`, () => expect(wh).to.equal(expected));

  it("counts once when a second order goes on where the first one ends", () => {
    // Planned 3,000; the first order takes 1,000 off, the second 600 more; 1,500 were measured.
    const first = deliveredWh("down", row(2_000, 3_000, 1_000), 1_500, 2_000);
    const second = deliveredWh("down", row(600, 2_000), 1_500);
    expect([first, second]).to.deep.equal([1_000, 500]);
  });
});

describe("An order's compliance", () => {
  const slots = [row(1_000, 3_000), row(1_000, 3_000, 600), row(20_000, 30_000)];
  it("is met when each slot has what was acknowledged, within 100 Wh or 1 %", () => {
    const { outcome, deliveredWh, amountMicroEur } = complianceOf(
      { slots, price: microEurPerKwh(80_000) },
      [900, 500, 19_800].map(delivery),
    );
    // 21.2 kWh at 0.08 EUR/kWh.
    expect([outcome, deliveredWh, amountMicroEur]).to.deep.equal(["met", 21_200, 1_696_000n]);
  });
  it("is partly met when one slot has less, whatever the others have", () =>
    expect(complianceOf({ slots, price: null }, [899, 1_000, 20_000].map(delivery))).to.include({
      outcome: "partly",
      amountMicroEur: 0n,
    }));
  it("is missed when nothing was delivered", () =>
    expect(complianceOf({ slots, price: null }, [0, 0, 0].map(delivery)).outcome).to.equal("missed"));
  it("is paid for whole micro-euro, rounded down", () =>
    expect(complianceOf({ slots, price: microEurPerKwh(999) }, [1, 0, 0].map(delivery)).amountMicroEur).to.equal(0n));
});
