import { expect } from "chai";
import type { Receipt } from "../../backend/settlement/receipt.ts";
import { missedBy } from "../../backend/usecases/billFigures.ts";
import { at, limitOf, seriesOf } from "../flexibility/sessions.ts";
import { receiptOf } from "../settlement/receipts.ts";

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
    return missedBy({ promise } as unknown as Receipt);
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
    expect(missedBy({ promise: null })).to.equal(null);
  });
});
