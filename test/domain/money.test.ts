import { expect } from "chai";
import fc from "fast-check";
import { amountDown, divDown, divUp, worth } from "../../backend/domain/money.ts";

describe("Dividing money", () => {
  it("rounds down towards minus infinity and up towards plus infinity", () => {
    expect([divDown(7n, 2n), divDown(-7n, 2n), divDown(-8n, 2n)]).to.deep.equal([3n, -4n, -4n]);
    expect([divUp(7n, 2n), divUp(-7n, 2n), divUp(8n, 2n)]).to.deep.equal([4n, -3n, 4n]);
  });

  it("leaves less than one divisor on either side", () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 24n), 10n ** 24n), fc.bigInt(1n, 10n ** 12n), (a, b) => {
        const restDown = a - divDown(a, b) * b;
        const restUp = divUp(a, b) * b - a;
        expect(restDown >= 0n && restDown < b && restUp >= 0n && restUp < b).to.equal(true);
      }),
    );
  });

  it("values 3 Wh at 0.35 EUR/kWh at 1,050 micro-euro and 1 Wh at 0.000001 EUR/kWh at nothing", () => {
    expect(amountDown(worth(3, 350_000))).to.equal(1_050n);
    expect(amountDown(worth(1, 1))).to.equal(0n);
    expect(amountDown(worth(1, -1))).to.equal(-1n);
  });
});
