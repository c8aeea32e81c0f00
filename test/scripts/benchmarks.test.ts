import { expect } from "chai";
import { jain } from "../../scripts/benchmarks/figures.ts";
import { YEAR_SITES, yearOf } from "../../scripts/benchmarks/year.ts";
import { yearFigures, yearForesight } from "../../scripts/benchmarks/yearValue.ts";
import { near } from "../support/near.ts";

describe("Jain's index of fairness", () => {
  it("is 1 when all got the same share and 1/n when one got everything", () => {
    expect(jain([0.4, 0.4, 0.4])).to.satisfy(near(1, 1e-12));
    expect(jain([1, 0, 0, 0])).to.equal(0.25);
    expect(jain([1, 0.5])).to.satisfy(near(0.9, 1e-12));
    expect([jain([]), jain([0, 0])]).to.deep.equal([1, 1]);
  });
});

describe("The generated year", () => {
  it("is the same from the same seed, another from another, and never has more cars than EVSEs", () => {
    expect(yearOf("work", 3, 5)).to.deep.equal(yearOf("work", 3, 5));
    expect(yearOf("work", 4, 5).prices).not.to.deep.equal(yearOf("work", 3, 5).prices);
    for (const name of YEAR_SITES) {
      const { cars, limitW } = yearOf(name, 1, 10);
      expect(limitW).to.be.greaterThan(0);
      for (const car of cars) {
        expect(car.to).to.be.greaterThan(car.from);
        expect(cars.filter((one) => one.from <= car.from && car.from < one.to).length).to.be.at.most(25);
      }
    }
  });

  it("costs least cost less than equal share, within the limit, and never less than perfect foresight", async () => {
    const days = 4;
    const year = yearOf("home", 1, days);
    const least = await yearFigures(year, days, { name: "least-cost", parameters: {} });
    const equal = await yearFigures(year, days, { name: "equal-share", parameters: {} });
    expect(least.centPerKwh).to.be.below(equal.centPerKwh);
    for (const one of [least, equal]) {
      expect(one.limitViolations).to.equal(0);
      expect(one.aboveForesightPercent).to.be.at.least(0);
      expect(one.promises?.ourFaultKwh).to.equal(0);
    }
    expect(yearForesight(year).centPerKwh).to.be.at.most(least.centPerKwh + 0.2);
  });

  it("shows what no control does to the limit", async () => {
    const year = yearOf("home", 1, 4);
    expect((await yearFigures(year, 4, { name: "uncontrolled", parameters: {} })).limitViolations).to.be.greaterThan(0);
  });
});
