import { expect } from "chai";
import { epochSecond, microEurPerKwh, watt } from "../../backend/domain/units.ts";
import { type OrderWish, orderFlexibility } from "../../backend/usecases/orderFlexibility.ts";
import { aSite, GROUP, HOUR, MINUTE, type Site, T0 } from "../support/world.ts";

const wishOf = (part: Partial<Record<keyof OrderWish, unknown>>): OrderWish =>
  ({
    id: "order",
    groupId: GROUP,
    direction: "down",
    powerW: watt(8_000),
    from: epochSecond(T0 + HOUR),
    until: epochSecond(T0 + 2 * HOUR),
    price: null,
    force: false,
    givenBy: "grid",
    ...part,
  }) as OrderWish;
const order = (site: Site, part: Partial<Record<keyof OrderWish, unknown>>) => orderFlexibility(site.world, wishOf(part));
const answered = async (site: Site, part: Partial<Record<keyof OrderWish, unknown>>) => {
  const answer = await order(site, part);
  if (answer.kind !== "answered") throw new Error(answer.text);
  return answer.order;
};

describe("A flexibility order down", () => {
  it("is acknowledged in full where the cars can wait, and delivered", async () => {
    const site = await aSite({ limitW: 30_000 });
    const car = await site.plugIn(1);
    await car.ask(40_000, site.in(6 * HOUR));
    await site.until(T0 + 20 * MINUTE);
    const said = await answered(site, { powerW: watt(11_000), price: microEurPerKwh(50_000) });
    expect(said.answer).to.equal("accepted");
    expect(said.slots.map(({ orderedWh }) => orderedWh)).to.deep.equal([2_750, 2_750, 2_750, 2_750]);
    const before = car.registerWh;
    await site.until(T0 + HOUR);
    const at1 = car.registerWh;
    await site.until(T0 + 2 * HOUR);
    expect(at1 - before).to.be.greaterThan(6_000);
    const planned = said.slots.reduce((sum, { plannedWh }) => sum + plannedWh, 0);
    expect(car.registerWh - at1).to.be.at.most(planned - 11_000 + 100);
    await site.until(T0 + 2 * HOUR + 6 * MINUTE);
    const settled = await site.store.grid.settlement("order");
    expect(settled).to.include({ outcome: "met" });
    expect(settled!.amountMicroEur).to.equal(BigInt(settled!.deliveredWh * 50));
    await site.until(T0 + 6 * HOUR);
    const { receipt } = await car.unplug();
    expect(receipt.promise).to.include({ outcome: "kept" });
    expect(receipt.flex.intervals.filter(({ down }) => down === "ORDER").length).to.equal(4);
  });
});
