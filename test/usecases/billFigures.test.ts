import { expect } from "chai";
import { epochSecond, watt, wattHour } from "../../backend/domain/units.ts";
import { type Receipt, receiptText } from "../../backend/settlement/receipt.ts";
import { missedBy, solarShare } from "../../backend/usecases/billFigures.ts";
import { at, limitOf, seriesOf } from "../flexibility/sessions.ts";
import { receiptOf } from "../settlement/receipts.ts";

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

describe("Who missed a promise", () => {
  /** 4 kW for an hour, then nothing: of 20 kWh promised by 4 h. */
  const short = receiptOf(
    {
      series: seriesOf([
        [0, 100],
        [3_600, 4_100],
        [14_400, 4_100],
      ]),
      limit: limitOf([0, 5_000]),
      circumstances: [],
    },
    {
      ...{ pricePerKwh: 350_000, fee: 0n, rewarded: true },
      promise: { energyWh: 20_000, by: at(14_400), orderWh: 0, outageWh: 0, operatorWh: 0 },
    },
  );
  const NONE = { driverWh: 0, vehicleWh: 0, orderWh: 0, outageWh: 0, operatorWh: 0, systemWh: 0 };
  const by = (shares: Partial<typeof NONE>, outcome = "short") => {
    const promise = { ...short.promise, outcome, shares: { ...NONE, ...shares } };
    return missedBy({ receipt: receiptText({ ...short, promise } as unknown as Receipt) });
  };

  it("is whose part is the largest, the grid's two parts together, and of two alike the one who runs the place", () => {
    expect(by({ driverWh: 900, systemWh: 100 })).to.equal("driver");
    expect(by({ vehicleWh: 900, driverWh: 100 })).to.equal("vehicle");
    expect(by({ orderWh: 300, outageWh: 300, driverWh: 500 })).to.equal("grid");
    expect(by({ operatorWh: 500, driverWh: 400 })).to.equal("operator");
    expect(by({ systemWh: 500, driverWh: 500 }, "late")).to.equal("system");
  });

  it("is nobody where it was kept, or where there was none", () => {
    expect(by({ systemWh: 90 }, "kept")).to.equal(null);
    expect(missedBy({ receipt: receiptText({ ...short, promise: null }) })).to.equal(null);
  });
});
