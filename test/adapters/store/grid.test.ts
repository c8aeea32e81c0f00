import { expect } from "chai";
import type { CapacityProfile } from "../../../backend/domain/capacity.ts";
import type { FlexibilityOrder, OrderSettlement } from "../../../backend/domain/orders.ts";
import { epochSecond, microEur, microEurPerKwh, watt, wattHour } from "../../../backend/domain/units.ts";
import { addSite, onEveryDatabase } from "./everyDatabase.ts";

const at = (minutes: number) => epochSecond(1_772_438_400 + minutes * 60);
const capacity = (id: string, givenAt: number, ...parts: readonly (readonly [number, number, number])[]) =>
  ({
    id,
    groupId: "group",
    givenAt: at(givenAt),
    givenBy: "key:grid",
    periods: parts.map(([from, until, w]) => ({ from: at(from), until: at(until), limitW: watt(w) })),
  }) satisfies CapacityProfile;
const order = (id: string, until: number, part: Partial<FlexibilityOrder> = {}): FlexibilityOrder => ({
  id,
  groupId: "group",
  direction: "down",
  powerW: watt(5_000),
  from: at(0),
  until: at(until),
  price: null,
  force: false,
  givenAt: at(-20),
  givenBy: "key:grid",
  answer: "accepted",
  baseline: { planId: "group:1:2", problemHash: "0x01", planHash: "0x02" },
  slots: [{ slot: 7, orderedWh: wattHour(1_250), plannedWh: wattHour(2_000), acknowledgedWh: wattHour(1_250) }],
  bonus: microEurPerKwh(0),
  atRisk: [],
  ...part,
});

onEveryDatabase("Capacity profiles and orders", (given) => {
  before(() => addSite(given().store));

  it("keeps every capacity profile, and says what was in force when", async () => {
    const { grid, sites } = given().store;
    const first = capacity("first", 0, [-10, 30, 5_000], [40, 60, 6_000]);
    const second = capacity("second", 20, [25, 50, 7_000]);
    for (const one of [first, second]) await grid.addCapacity(one);
    expect(await grid.capacities("group", 10)).to.deep.equal([second, first]);
    expect(await grid.capacities("group", 1)).to.deep.equal([second]);
    const inForce = async (after: number) =>
      (await sites.limits("group", at(after)))
        .filter(({ kind }) => kind === "capacity")
        .map(({ from, until, limitW, announcedAt }) => [
          (from - at(0)) / 60,
          ((until ?? 0) - at(0)) / 60,
          limitW,
          ((announcedAt ?? 0) - at(0)) / 60,
        ]);
    // The first one from when it was given until the second one came, which forgot all of it.
    expect(await inForce(-60)).to.deep.equal([
      [0, 20, 5_000, 0],
      [25, 50, 7_000, 20],
    ]);
    expect(await inForce(21)).to.deep.equal([[25, 50, 7_000, 20]]);
    await grid.addCapacity(capacity("none", 30));
    expect(await inForce(31)).to.deep.equal([]);
    expect(await inForce(26)).to.deep.equal([[25, 30, 7_000, 20]]);
    expect(await sites.limits("other", at(0))).to.deep.equal([]);
  });

  it("gives orders back as they were given and answered, in that order", async () => {
    const { grid } = given().store;
    const orders = [
      order("b", 60, {
        price: microEurPerKwh(80_000),
        atRisk: [{ sessionId: "s", missingWh: wattHour(5) }],
        force: true,
      }),
      order("a", 30, { direction: "up", bonus: microEurPerKwh(65_000) }),
      order("c", 60, { answer: "refused" }),
    ];
    for (const one of orders) await grid.addOrder(one);
    expect(await grid.orders("group", at(0))).to.deep.equal(orders);
    expect((await grid.orders("group", at(30))).map(({ id }) => id)).to.deep.equal(["b", "c"]);
    expect(await grid.orders("other", at(0))).to.deep.equal([]);
    expect(await grid.order("a")).to.deep.equal(orders[1]);
    expect(await grid.order("x")).to.equal(null);
  });

  it("takes an order and its settlement once", async () => {
    const { grid } = given().store;
    const one = order("once", 30);
    await grid.addOrder(one);
    const waiting = async () => (await grid.unsettled()).map(({ id }) => id);
    expect(await waiting()).to.deep.equal(["b", "a", "once"]);
    const settlement: OrderSettlement = {
      orderId: "once",
      settledAt: at(40),
      slots: [{ slot: 7, measuredWh: wattHour(700), deliveredWh: wattHour(1_250) }],
      deliveredWh: wattHour(1_250),
      outcome: "met",
      amountMicroEur: microEur(9_007_199_254_740_993n),
      meters: [{ session: 3, wh: [700] }],
    };
    await grid.settleOrder(settlement);
    expect(await grid.settlement("once")).to.deep.equal(settlement);
    expect(await waiting()).to.deep.equal(["b", "a"]);
    for (const again of [() => grid.addOrder(one), () => grid.settleOrder(settlement)])
      expect(
        await again().then(
          () => "taken",
          () => "refused",
        ),
      ).to.equal("refused");
  });
});
