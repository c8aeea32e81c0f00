import { expect } from "chai";
import { slotOf } from "../../backend/domain/slots.ts";
import { epochSecond, microEurPerKwh } from "../../backend/domain/units.ts";
import { publishPrices } from "../../backend/usecases/market.ts";
import { auditedSite } from "../support/auditedSite.ts";
import { aSite, HOUR, MINUTE, type Site, T0 } from "../support/world.ts";

const T0_SLOT = slotOf(epochSecond(T0));
/** From the slot so many after the site's beginning on, EUR/MWh. */
const publish = (site: Site, first: number, ...prices: number[]) =>
  publishPrices(
    site.world,
    prices.map((price, k) => ({ slot: T0_SLOT + first + k, price: microEurPerKwh(price * 1000) })),
  );

describe("Published prices", () => {
  it("move a car that charged without them into the cheap hours, and the audit finds nothing", async () => {
    const site = await aSite({ priceOf: null });
    const car = await site.plugIn(1);
    expect(await car.ask(20_000, T0 + 8 * HOUR)).to.include({ kind: "accepted" });
    await site.minutes(10);
    const beforeWh = car.registerWh;
    expect(beforeWh, "nobody knows a reason to wait").to.be.above(1000);

    // Dear until two hours from now, then cheap; half of it comes late, in the running slot nothing changes any more.
    expect(await publish(site, 0, 200, 200, 200, 200)).to.deep.include({ accepted: 3 });
    expect(await publish(site, 4, 200, 200, 200, 200, ...Array(40).fill(20))).to.deep.include({
      accepted: 44,
      kept: [],
    });
    await site.until(T0 + 16 * MINUTE);
    const dearWh = car.registerWh;
    await site.until(T0 + 2 * HOUR - MINUTE);
    expect(car.registerWh, "in the dear hours").to.equal(dearWh);
    await site.until(T0 + 5 * HOUR);
    expect(await car.promise()).to.include({ state: "on-track" });
    expect(car.registerWh).to.be.at.least(20_000);
    await site.until(T0 + 8 * HOUR);
    const { receipt } = await car.unplug();
    expect(receipt.promise?.outcome).to.equal("kept");
    const values = new Map(receipt.flex.intervals.map(({ from, value }) => [slotOf(from) - T0_SLOT, value]));
    expect([values.get(1), values.get(7), values.get(8)]).to.deep.equal([200_000, 200_000, 20_000]);
    expect(await auditedSite(site.world)).to.deep.equal([]);
  });

  it("go on day after day, and every plan in between was made with what was known", async () => {
    const site = await aSite({ priceOf: null });
    await publish(site, 1, ...Array.from({ length: 12 }, (_, k) => 50 + ((k * 37) % 60)));
    const car = await site.plugIn(1);
    await car.ask(30_000, T0 + 9 * HOUR);
    for (let hour = 1; hour <= 6; hour++) {
      await site.until(T0 + hour * HOUR);
      const more = Array.from({ length: 4 }, (_, k) => 40 + ((hour * 29 + k * 13) % 90));
      expect(await publish(site, 9 + 4 * hour, ...more)).to.deep.include({ accepted: 4 });
    }
    await site.until(T0 + 9 * HOUR);
    await car.unplug();
    expect((await site.store.plans.page(epochSecond(T0), "", 500)).length).to.be.above(30);
    expect(await auditedSite(site.world)).to.deep.equal([]);
  });
});
