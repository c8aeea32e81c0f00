import { expect } from "chai";
import { epochSecond, watt, wattHour } from "../../backend/domain/units.ts";
import { solarShare } from "../../backend/usecases/billFigures.ts";

const FIRST = 2_000_000;
/** Energy of a car in the slot so many after the first. */
const charged = (after: number, meteredWh: number) => ({
  from: epochSecond((FIRST + after) * 900 + (after === 0 ? 450 : 0)),
  meteredWh: wattHour(meteredWh),
});
const site = (after: number, demandW: number, productionW: number, carsWh: number) => ({
  ...{ slot: FIRST + after, demandW: watt(demandW), productionW: watt(productionW), carsWh: wattHour(carsWh) },
});

describe("The sun's share of a stay", () => {
  it("is its share of all that the group used in each quarter of an hour", () => {
    // 2 kW of building and 1.5 kWh of cars are 2 kWh; 4 kW of sun are 1 kWh: half. Then a tenth, then night.
    const slots = [site(0, 2000, 4000, 1500), site(1, 0, 800, 2000), site(2, 5000, 0, 1000)];
    const stay = [charged(0, 1000), charged(1, 2000), charged(2, 1000)];
    expect(solarShare(stay, slots)).to.deep.equal({ solarWh: 500 + 200, ofWh: 4000 });
  });

  it("is never more than all of it, and the same for every car", () => {
    expect(solarShare([charged(0, 700)], [site(0, 0, 40_000, 700)])).to.deep.equal({ solarWh: 700, ofWh: 700 });
    const slots = [site(0, 1000, 3000, 1250)];
    const [small, large] = [solarShare([charged(0, 250)], slots), solarShare([charged(0, 1000)], slots)];
    expect([small!.solarWh, large!.solarWh]).to.deep.equal([125, 500]);
  });

  it("says of how much it is known, and nothing where nothing was measured", () => {
    const slots = [site(1, 0, 4000, 1000)];
    expect(solarShare([charged(0, 3000), charged(1, 500)], slots)).to.deep.equal({ solarWh: 500, ofWh: 500 });
    expect(solarShare([charged(0, 3000)], slots)).to.equal(null);
    expect(solarShare([charged(1, 0)], slots)).to.equal(null);
    expect(solarShare([], slots)).to.equal(null);
  });
});
