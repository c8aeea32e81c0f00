import { expect } from "chai";
import { microEurPerKwh } from "../../../backend/domain/units.ts";
import { onEveryDatabase } from "./everyDatabase.ts";

const point = (slot: number, price: number) => ({ slot, price: microEurPerKwh(price) });

onEveryDatabase("Prices and forecasts", (given) => {
  it("keeps the first price of a slot, market by market, also a negative one", async () => {
    const { prices } = given().store;
    await prices.put("NO1", [point(12, 30), point(11, -45_000)]);
    await prices.put("NO1", [point(12, 99), point(13, 31)]);
    await prices.put("ES", [point(12, 7)]);
    expect(await prices.from("NO1", 11)).to.deep.equal([point(11, -45_000), point(12, 30), point(13, 31)]);
    expect(await prices.from("NO1", 13)).to.deep.equal([point(13, 31)]);
    expect(await prices.from("NO1", 11, 13)).to.deep.equal([point(11, -45_000), point(12, 30)]);
    expect(await prices.from("NO1", 0, 0)).to.deep.equal([]);
    expect(await prices.from("FR", 0)).to.deep.equal([]);
  });

  it("keeps the newest carbon intensity of each slot of a market, and gives those of a span", async () => {
    const { prices } = given().store;
    const grams = (slot: number, gramsPerKwh: number) => ({ slot, gramsPerKwh });
    await prices.putCarbon("NO1", [grams(12, 30), grams(11, 31), grams(14, 32)]);
    await prices.putCarbon("NO1", [grams(12, 40), grams(13, 1), grams(13, 41)]);
    await prices.putCarbon("ES", [grams(12, 200)]);
    expect(await prices.carbon("NO1", 12, 14)).to.deep.equal([grams(12, 40), grams(13, 41)]);
    expect(await prices.carbon("FR", 0, 99)).to.deep.equal([]);
  });

  it("takes a year of prices at once", async () => {
    const { prices } = given().store;
    const year = Array.from({ length: 35_040 }, (_, slot) => point(slot, slot * 10));
    await prices.put("year", year);
    expect(await prices.from("year", 35_038)).to.deep.equal(year.slice(-2));
  });

  it("lets the newest forecast win, also within one message", async () => {
    const { prices } = given().store;
    const expected = (slot: number, demandW: number) => ({ slot, demandW, productionW: 100 });
    await prices.putForecast("group", [expected(5, 1_000), expected(6, 2_000)]);
    await prices.putForecast("group", [expected(6, 2_500), expected(7, 1), expected(7, 3_000)]);
    await prices.putForecast("group", []);
    expect(await prices.forecast("group", 6)).to.deep.equal([expected(6, 2_500), expected(7, 3_000)]);
    expect(await prices.forecast("group", 0)).to.have.length(3);
    expect(await prices.forecast("other", 0)).to.deep.equal([]);
  });
});
