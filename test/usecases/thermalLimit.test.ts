import { expect } from "chai";
import { epochSecond, watt, wattHour } from "../../backend/domain/units.ts";
import { capToThermalLimit, type Limited } from "../../backend/optimisation/withinMinutes.ts";
import { aCar, anInterval, aProblem } from "../support/problems.ts";
import { aSite, HOUR, MINUTE, T0 } from "../support/world.ts";

describe("A thermal limit", () => {
  it("is above the stations' limits and the building at every second, bursts and changes included", async () => {
    const site = await aSite({ limitW: 15_000, limitKind: "thermal", evses: 4, demandW: 2_000 });
    let most = { sumW: 0, at: 0 };
    site.eachSecond(() => {
      if (site.allowedW() > most.sumW) most = { sumW: site.allowedW(), at: site.stage.at - T0 };
    });
    const cars = [await site.plugIn(1), await site.plugIn(2)];
    await cars[0]!.ask(8_000, site.in(HOUR));
    await site.minutes(7);
    cars.push(await site.plugIn(3));
    await cars[2]!.ask(3_000, site.in(35 * MINUTE));
    await site.minutes(9);
    cars.push(await site.plugIn(4));
    await cars[1]!.unplug();
    await site.minutes(14);
    await cars[3]!.ask(2_000, site.in(50 * MINUTE));
    await site.minutes(60);
    expect(most.sumW, JSON.stringify(most)).to.be.within(12_000, 13_000);
    for (const n of [0, 2, 3]) expect(await cars[n]!.promise(), cars[n]!.id).to.include({ state: "kept" });
  });

  it("is kept within seconds of a reading when the building's load jumps, whatever the slot has saved", async () => {
    const site = await aSite({ limitW: 20_000, limitKind: "thermal", demandW: 2_000 });
    await site.until(T0 + 24 * MINUTE);
    const cars = [await site.plugIn(1), await site.plugIn(2)];
    await site.until(T0 + 26 * MINUTE);
    expect(cars[0]!.allowedW + cars[1]!.allowedW).to.be.within(16_000, 18_000);
    site.load(9_000);
    await site.until(T0 + 27 * MINUTE + 15);
    expect(cars[0]!.allowedW + cars[1]!.allowedW).to.be.at.most(11_000);
  });

  it("cuts the car that can wait longest first, to 0 when less than its least power is left, and nothing that fits", () => {
    const at = epochSecond(T0);
    const problem = aProblem({ at, intervals: [anInterval({ limitWh: wattHour(2_500) }), anInterval()] });
    const profile = (needWh: number, ...periods: [number, number][]): Limited => ({
      car: aCar({ session: 1, minPowerW: watt(4_140), to: 2, needWh: wattHour(needWh) }),
      profile: periods.map(([from, limitW]) => ({ from: epochSecond(T0 + from), limitW: watt(limitW) })),
    });
    const capped = capToThermalLimit(problem, [
      profile(500, [0, 4_140], [300, 0]),
      profile(400, [0, 8_000], [900, 5_000]),
      profile(0, [0, 0], [300, 5_000], [900, 5_000]),
    ]).map((periods) => periods.map(({ from, limitW }) => [from - T0, limitW]));
    // 10 kW in the first interval: 4,140 + 5,860, then 8,000 and what it lost (2,140 W for 300 s) in the 600 s that are left.
    expect(capped).to.deep.equal([
      [
        [0, 4_140],
        [300, 0],
        [1_800, 0],
      ],
      [
        [0, 5_860],
        [300, 9_070],
        [900, 5_000],
        [1_800, 0],
      ],
      [
        [0, 0],
        [900, 5_000],
        [1_800, 0],
      ],
    ]);
  });
});
