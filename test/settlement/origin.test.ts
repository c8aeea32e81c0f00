import { expect } from "chai";
import { epochSecond, watt, wattHour } from "../../backend/domain/units.ts";
import { emissions, solarShare } from "../../backend/settlement/origin.ts";

const FIRST = 2_000_000;
/** Energy of a car in the slot so many after the first. */
const charged = (after: number, meteredWh: number) => ({
  from: epochSecond((FIRST + after) * 900 + (after === 0 ? 450 : 0)),
  meteredWh: wattHour(meteredWh),
});
const site = (after: number, demandW: number, productionW: number, carsWh: number) =>
  [FIRST + after, { demandW: watt(demandW), productionW: watt(productionW), carsWh: wattHour(carsWh) }] as const;

describe("The sun's share of a stay", () => {
  it("is its share of all that the group used in each quarter of an hour", () => {
    // 2 kW of building and 1.5 kWh of cars are 2 kWh; 4 kW of sun are 1 kWh: half. Then a tenth, then night.
    const slots = new Map([site(0, 2000, 4000, 1500), site(1, 0, 800, 2000), site(2, 5000, 0, 1000)]);
    const stay = [charged(0, 1000), charged(1, 2000), charged(2, 1000)];
    expect(solarShare(stay, slots)).to.deep.equal({ solarWh: 500 + 200, ofWh: 4000 });
  });

  it("is never more than all of it, and the same for every car", () => {
    expect(solarShare([charged(0, 700)], new Map([site(0, 0, 40_000, 700)]))).to.deep.equal({
      solarWh: 700,
      ofWh: 700,
    });
    const slots = new Map([site(0, 1000, 3000, 1250)]);
    const [small, large] = [solarShare([charged(0, 250)], slots), solarShare([charged(0, 1000)], slots)];
    expect([small!.solarWh, large!.solarWh]).to.deep.equal([125, 500]);
  });

  it("says of how much it is known, and nothing where nothing was measured", () => {
    const slots = new Map([site(1, 0, 4000, 1000)]);
    expect(solarShare([charged(0, 3000), charged(1, 500)], slots)).to.deep.equal({ solarWh: 500, ofWh: 500 });
    expect(solarShare([charged(0, 3000)], slots)).to.equal(null);
    expect(solarShare([charged(1, 0)], slots)).to.equal(null);
    expect(solarShare([], slots)).to.equal(null);
  });
});

describe("The CO2 of a stay", () => {
  const drawn = (after: number, meteredWh: number, baselineWh: number) => ({
    ...charged(after, meteredWh),
    baselineWh,
  });
  const intensity = (after: number, gramsPerKwh: number) => [FIRST + after, gramsPerKwh] as const;

  it("is the grid's share of each quarter-hour by how clean the grid was then", () => {
    // Without sun: 3 kWh at 400 g against 1 kWh at 400 g and 2 kWh at 100 g.
    const sites = new Map([site(0, 5000, 0, 1000), site(1, 0, 0, 2000)]);
    const grid = new Map([intensity(0, 400), intensity(1, 100)]);
    expect(emissions([drawn(0, 1000, 3000), drawn(1, 2000, 0)], sites, grid)).to.deep.equal({
      ...{ meteredG: 400 + 200, atOnceG: 1200 },
    });
  });

  it("counts the sun on the roof as none, and for what would have been drawn the share that it would have had", () => {
    // 2 kW of sun are 500 Wh. Building 250 Wh and another car 250 Wh; this one drew 500 Wh: half of 1,000 Wh is sun.
    const sites = new Map([site(0, 1000, 2000, 750)]);
    const grid = new Map([intensity(0, 600)]);
    // Had it drawn 1,500 Wh, 500 of 2,000 Wh would have been sun: three quarters of it from the grid.
    expect(emissions([drawn(0, 500, 1500)], sites, grid)).to.deep.equal({ meteredG: 150, atOnceG: 675 });
    // More sun than anybody uses leaves nothing for the grid.
    expect(emissions([drawn(0, 500, 500)], new Map([site(0, 0, 90_000, 500)]), grid)).to.deep.equal({
      meteredG: 0,
      atOnceG: 0,
    });
  });

  it("is not known before all of it is: half a stay says nothing of the difference", () => {
    const sites = new Map([site(0, 0, 0, 1000), site(1, 0, 0, 1000)]);
    const grid = new Map([intensity(0, 400), intensity(1, 100)]);
    const stay = [drawn(0, 0, 1000), drawn(1, 1000, 0)];
    expect(emissions(stay, sites, grid)).to.deep.equal({ meteredG: 100, atOnceG: 400 });
    expect(emissions(stay, new Map([...sites].slice(1)), grid)).to.equal(null);
    expect(emissions(stay, sites, new Map([...grid].slice(0, 1)))).to.equal(null);
    // A quarter-hour in which nothing was or would have been drawn needs no figures.
    expect(emissions([...stay, drawn(2, 0, 0)], sites, grid)).to.deep.equal({ meteredG: 100, atOnceG: 400 });
  });
});
