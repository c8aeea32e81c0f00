import { expect } from "chai";
import fc from "fast-check";
import { microEurPerKwh, wattHour } from "../../backend/domain/units.ts";
import { worths } from "../../backend/settlement/worth.ts";
import { near } from "../support/near.ts";
import { randomReceipt } from "./receipts.ts";

describe("What a stay's energy was worth", () => {
  it("is each interval's energy times its value: 4 kWh moved from 30 ct to 10 ct save 80 ct", () => {
    const at = (meteredWh: number, baselineWh: number, value: number) => ({
      ...{ meteredWh: wattHour(meteredWh), baselineWh: wattHour(baselineWh), value: microEurPerKwh(value) },
    });
    const intervals = [at(0, 4000, 300_000), at(4000, 0, 100_000)];
    expect(worths(intervals)).to.deep.equal({ metered: 400_000n, atOnce: 1_200_000n });
    expect(worths([at(1500, 1000, -20_000)])).to.deep.equal({ metered: -30_000n, atOnce: -20_000n });
    expect(worths([])).to.deep.equal({ metered: 0n, atOnce: 0n });
  });

  it("of whatever receipt is what floating point says, as well as it can", () => {
    fc.assert(
      fc.property(randomReceipt, ({ flex: { intervals } }) => {
        const { metered, atOnce } = worths(intervals);
        const holds = (exact: bigint, of: "meteredWh" | "baselineWh") => {
          const terms = intervals.map((one) => (one[of] / 1000) * one.value);
          // A micro-euro for rounding once, and what doubles lose of sums as large as these.
          const lost = 1e-12 * terms.reduce((all, term) => all + Math.abs(term), 0);
          const sum = terms.reduce((all, term) => all + term, 0);
          expect(Number(exact)).to.satisfy(near(sum, 1 + lost));
        };
        holds(metered, "meteredWh");
        holds(atOnce, "baselineWh");
      }),
      { numRuns: 200 },
    );
  });
});
