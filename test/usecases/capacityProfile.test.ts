import { expect } from "chai";
import { epochSecond, watt } from "../../backend/domain/units.ts";
import { setCapacityProfile } from "../../backend/usecases/capacityProfile.ts";
import { presentProblem } from "../../backend/usecases/runControlCycle.ts";
import { randomFrom } from "../support/problems.ts";
import { aSite, GROUP, HOUR, MINUTE, type Site, type SiteOptions, T0 } from "../support/world.ts";

/** Minutes from T0 on, and W. */
type Part = readonly [from: number, until: number, limitW: number];

const give = (site: Site, parts: readonly Part[]) =>
  setCapacityProfile(site.world, {
    groupId: GROUP,
    givenBy: "grid",
    periods: parts.map(([from, until, limitW]) => ({
      from: epochSecond(T0 + from * MINUTE),
      until: epochSecond(T0 + until * MINUTE),
      limitW: watt(limitW),
    })),
  });
const limitsWh = async (site: Site) =>
  (await presentProblem(site.world, site.board, site.now())).built.problem.intervals.map(({ limitWh }) => limitWh);
const slotWh = (ws: number) => Math.floor((ws * 0.997) / 3600);

describe("A capacity profile", () => {
  it("gives an interval the sum of its minutes; where it says nothing, the other limits hold", async () => {
    const site = await aSite({ limitW: 20_000 });
    await site.plugIn(1);
    const said = await give(site, [
      [17, 19, 3_000],
      [20, 28, 10_000],
      [45, 60, 0],
    ]);
    expect(said).to.include({ kind: "set" });
    expect((await limitsWh(site)).slice(1, 5)).to.deep.equal([
      slotWh((2 * 20_000 + 2 * 3_000 + 1 * 20_000 + 8 * 10_000 + 2 * 20_000) * 60),
      slotWh(15 * 20_000 * 60),
      0,
      slotWh(15 * 20_000 * 60),
    ]);
  });

  it("is merged with the operator's limits by minimum", async () => {
    const site = await aSite({ limitW: 20_000 });
    await site.plugIn(1);
    await site.limit("operator", 8_000);
    await give(site, [
      [15, 20, 15_000],
      [20, 30, 5_000],
    ]);
    expect((await limitsWh(site))[1]).to.equal(slotWh((5 * 8_000 + 10 * 5_000) * 60));
  });

  it("forgets the one before it entirely, and none takes it back; all are kept", async () => {
    const site = await aSite({ limitW: 20_000 });
    await site.plugIn(1);
    await give(site, [[0, 60, 4_000]]);
    await site.until(T0 + 5 * MINUTE);
    await give(site, [[30, 45, 9_000]]);
    expect((await limitsWh(site)).slice(1, 4)).to.deep.equal([20_000, 9_000, 20_000].map((w) => slotWh(w * 900)));
    await site.minutes(1);
    await give(site, []);
    expect((await limitsWh(site)).slice(1, 4)).to.deep.equal([20_000, 20_000, 20_000].map((w) => slotWh(w * 900)));
    const kept = await site.store.grid.capacities(GROUP, 10);
    expect(kept.map(({ periods }) => periods.length)).to.deep.equal([0, 1, 1]);
    // What was in force then is still known.
    const then = (await site.store.sites.limits(GROUP, epochSecond(T0))).filter(({ kind }) => kind === "capacity");
    expect(then.map(({ from, until, limitW }) => [from - T0, (until ?? 0) - T0, limitW])).to.deep.equal([
      [0, 5 * MINUTE, 4_000],
    ]);
  });

  it("that takes energy from a promise is the operator's part of the bill", async () => {
    const site = await aSite({ limitW: 20_000 });
    const car = await site.plugIn(1);
    expect(await car.ask(21_000, site.in(2 * HOUR))).to.include({ kind: "accepted" });
    await site.until(T0 + 20 * MINUTE);
    await give(site, [[30, 90, 0]]);
    await site.until(T0 + 2 * HOUR);
    const { receipt } = await car.unplug();
    expect(receipt.promise).to.include({ outcome: "short" });
    const { operatorWh, orderWh, systemWh } = receipt.promise!.shares;
    expect([orderWh, systemWh]).to.deep.equal([0, 0]);
    expect(operatorWh).to.be.within(9_500, 11_040);
    expect(receipt.promise!.compensation.amountMicroEur).to.be.a("bigint").that.is.greaterThan(0n);
  });

  for (const [what, parts, reason, says] of [
    [
      "overlapping periods",
      [
        [10, 20, 5_000],
        [19, 30, 4_000],
      ],
      "bad-capacity",
      /overlaps/,
    ],
    ["a period that ends before it begins", [[20, 20, 5_000]], "bad-capacity", /ends before it begins/],
    ["half minutes", [[10.5, 20, 5_000]], "bad-capacity", /full minute/],
    ["the past", [[-20, -10, 5_000]], "bad-capacity", /ended already/],
    ["next month", [[10, 40_000, 5_000]], "bad-capacity", /ten days ahead/],
    ["kW", [[10, 20, 12]], "suspicious-limit", /12 kW = 12000 W/],
    ["more than the supply", [[10, 20, 25_000]], "suspicious-limit", /above the supply limit/],
  ] as const)
    it(`refuses ${what}, and changes nothing`, async () => {
      const site = await aSite({ limitW: 20_000 });
      const said = await give(site, parts as unknown as readonly Part[]);
      expect(said).to.include({ kind: "refused", reason });
      expect("text" in said && said.text).to.match(says);
      expect(await site.store.grid.capacities(GROUP, 10)).to.deep.equal([]);
    });

  for (const [name, options, seed] of [
    ["under a contract", {}, 3],
    ["under a thermal limit", { limitKind: "thermal" }, 4],
    ["beside a building", { demandW: 3_000 }, 5],
    ["with a driver who did not opt in", { demandW: 1_000 }, 8],
  ] as readonly (readonly [string, SiteOptions, number])[])
    it(`that changes every minute is held in every minute ${name}`, async () => {
      const random = randomFrom(seed);
      const site = await aSite({ limitW: 30_000, evses: 4, ...options });
      const demandW = options.demandW ?? 0;
      const cars = [await site.plugIn(1), await site.plugIn(2, { maxW: 3_680, phases: 1 }), await site.plugIn(3)];
      await cars[0]!.ask(6_000, site.in(3 * HOUR));
      if (name.includes("opt in")) await cars[2]!.optOut();
      const capacityW = Array.from({ length: 120 }, () =>
        random() < 0.2 ? demandW : demandW + 1_500 + Math.floor(random() * 20_000),
      );
      await site.until(T0 + 10 * MINUTE);
      // Announced five minutes ahead, each minute with a limit of its own.
      const said = await give(
        site,
        capacityW.map((w, k) => [15 + k, 16 + k, w] as const),
      );
      expect(said).to.include({ kind: "set" });
      let wh = 0;
      for (let k = -5; k < 120; k++) {
        const before = cars.map((car) => car.station.registerWs);
        await site.until(T0 + (15 + k) * MINUTE + MINUTE);
        if (k === 40) cars.push(await site.plugIn(4));
        const meanW =
          cars.reduce((sum, car, i) => sum + car.station.registerWs - (before[i] ?? car.station.registerWs), 0) / 60;
        if (k >= 0) expect(meanW + demandW, `minute ${k}`).to.be.at.most(capacityW[k]!);
        wh += k >= 0 ? (meanW * 60) / 3600 : 0;
      }
      // And used: most of what the minutes leave is charged.
      const usableWh = capacityW.reduce((sum, w) => sum + Math.max(0, w - demandW) / 60, 0);
      expect(wh / usableWh).to.be.greaterThan(0.7);
    });
});
