import { expect } from "chai";
import { watt, wattHour } from "../../backend/domain/units.ts";
import { equalShare, shareEqually } from "../../backend/optimisation/equalShare.ts";
import { planByRule } from "../../backend/optimisation/rule.ts";
import { aCar, anInterval, aProblem } from "../support/problems.ts";

const full = { protectPromises: 1 };
const claim = (wantedWh: number, leastWh = 0) => ({
  car: aCar({ session: 1 }),
  wantedWh,
  leastWh,
  mostWh: wantedWh,
  laterWh: 0,
  owedWh: 0,
});

describe("equal share", () => {
  it("gives three cars a third of the limit each", () => {
    const cars = [1, 2, 3].map((session) => aCar({ session, moreWh: wattHour(9_000) }));
    const problem = aProblem({ cars, intervals: [anInterval({ limitWh: wattHour(3_000) })] });
    expect(equalShare(problem, full).energyWh).to.deep.equal([[1_000], [1_000], [1_000]]);
  });

  it("gives to the others what one cannot take, by its power or by its energy", () => {
    // 3,680 W for a quarter of an hour are 920 Wh; the second car wants 400 Wh: 3,000 - 920 - 400 = 1,680 for the third.
    const cars = [
      aCar({ session: 1, moreWh: wattHour(9_000), powerW: watt(3_680) }),
      aCar({ session: 2, moreWh: wattHour(400) }),
      aCar({ session: 3, moreWh: wattHour(9_000) }),
    ];
    const problem = aProblem({ cars, intervals: [anInterval({ limitWh: wattHour(3_000) })] });
    expect(equalShare(problem, full).energyWh).to.deep.equal([[920], [400], [1_680]]);
  });

  it("hands out the Wh that whole numbers leave by session", () => {
    expect(shareEqually([claim(500), claim(500), claim(500)], 800, 900)).to.deep.equal([267, 267, 266]);
    expect(shareEqually([claim(266), claim(500), claim(500)], 800, 900)).to.deep.equal([266, 267, 267]);
  });

  it("counts what a promise needs as part of the share", () => {
    // 700 Wh for the first; the others share the remaining 800 of 1,500.
    expect(shareEqually([claim(1_000, 700), claim(1_000), claim(1_000)], 1_500, 900)).to.deep.equal([700, 400, 400]);
    // Less than its share: it makes no difference.
    expect(shareEqually([claim(1_000, 300), claim(1_000), claim(1_000)], 1_500, 900)).to.deep.equal([500, 500, 500]);
  });

  it("begins anew in every interval, among those who are there, with PV surplus and without", () => {
    const cars = [
      aCar({ session: 1, moreWh: wattHour(9_000), to: 2 }),
      aCar({ session: 2, moreWh: wattHour(9_000), from: 1, to: 3 }),
    ];
    const intervals = [
      anInterval({ limitWh: wattHour(1_000) }),
      anInterval({ limitWh: wattHour(1_000), demandWh: wattHour(200) }),
      anInterval({ limitWh: wattHour(1_000), productionWh: wattHour(500) }),
    ];
    const plan = equalShare(aProblem({ cars, intervals }), full);
    expect(plan.energyWh).to.deep.equal([
      [1_000, 400],
      [400, 1_500],
    ]);
    expect(plan.algorithm).to.equal("equal-share");
  });
});

describe("promises under a rule", () => {
  // Two intervals of 1,000 Wh; the first car was promised 1,600 Wh by the end of the second one, 1,000 Wh at most each.
  const intervals = [anInterval({ limitWh: wattHour(1_000) }), anInterval({ limitWh: wattHour(1_000) })];
  const cars = [
    aCar({ session: 1, moreWh: wattHour(5_000), to: 2 }),
    aCar({ session: 2, needWh: wattHour(1_600), powerW: watt(4_000), to: 2 }),
  ];

  it("are kept by giving up as much of the rule as it takes", () => {
    // The last interval can serve 1,000 of it, so 600 must be charged now; the other car gets the rest of this interval.
    expect(equalShare(aProblem({ cars, intervals }), full).energyWh).to.deep.equal([
      [400, 0],
      [600, 1_000],
    ]);
  });

  it("are broken by the rule alone", () => {
    expect(equalShare(aProblem({ cars, intervals }), { protectPromises: 0 }).energyWh).to.deep.equal([
      [500, 500],
      [500, 500],
    ]);
  });

  it("change nothing while there is capacity left later", () => {
    const plenty = [...intervals, anInterval({ limitWh: wattHour(1_000) }), anInterval({ limitWh: wattHour(1_000) })];
    const longer = cars.map((car) => ({ ...car, to: 4 }));
    const problem = aProblem({ cars: longer, intervals: plenty });
    expect(equalShare(problem, full).energyWh).to.deep.equal(equalShare(problem, { protectPromises: 0 }).energyWh);
    expect(equalShare(problem, full).energyWh).to.deep.equal([
      [500, 500, 500, 900],
      [500, 500, 500, 100],
    ]);
  });

  it("have their first part kept too", () => {
    // 900 of the 1,600 Wh are due after the first interval; by the last deadline alone 600 would do there.
    const early = [cars[0]!, { ...cars[1]!, first: { wh: wattHour(900), to: 1 } }];
    expect(equalShare(aProblem({ cars: early, intervals }), full).energyWh).to.deep.equal([
      [100, 300],
      [900, 700],
    ]);
  });

  it("give back their earliest reservation when the rule gave more", () => {
    // A rule that gives the first interval to the second car alone: only 600 of its 1,600 Wh are then still reserved.
    const plan = planByRule("equal-share", aProblem({ cars, intervals }), true, (claims, roomWh) =>
      claims.map(({ car, wantedWh, leastWh }, _, all) =>
        all.length === 1 || car.session === 2
          ? Math.min(wantedWh, roomWh)
          : Math.min(wantedWh, Math.max(leastWh, roomWh - Math.min(roomWh, all[1]!.wantedWh))),
      ),
    );
    expect(plan.energyWh).to.deep.equal([
      [0, 400],
      [1_000, 600],
    ]);
  });

  it("are served as far as any method could, when they cannot all be kept", () => {
    const owed = [1, 2, 3].map((session) => aCar({ session, needWh: wattHour(1_500), to: 2 }));
    const plan = equalShare(aProblem({ cars: owed, intervals }), full);
    expect(plan.energyWh.flat().reduce((a, b) => a + b)).to.equal(2_000);
  });
});
