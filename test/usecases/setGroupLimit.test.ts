import { expect } from "chai";
import { epochSecond, watt } from "../../backend/domain/units.ts";
import type { GroupLimit } from "../../backend/usecases/ports.ts";
import { presentProblem } from "../../backend/usecases/runControlCycle.ts";
import { type LimitWish, liftGroupLimit, setGroupLimit } from "../../backend/usecases/setGroupLimit.ts";
import { aSite, GROUP, HOUR, MINUTE, type Site, T0 } from "../support/world.ts";

const wish = (part: Partial<Record<"limitW" | "from" | "until", number | null>> & { kind?: LimitWish["kind"] }) => ({
  groupId: GROUP,
  kind: part.kind ?? ("operator" as const),
  limitW: watt(part.limitW ?? 9_000),
  from: epochSecond(part.from ?? T0),
  until: part.until === undefined || part.until === null ? null : epochSecond(part.until),
});

describe("A limit of a group", () => {
  it("from the operator and an order of the grid are merged by minimum, slot by slot", async () => {
    const site = await aSite({ limitW: 20_000 });
    await site.plugIn(1);
    await setGroupLimit(site.world, wish({ limitW: 12_000, from: T0 + 15 * MINUTE }));
    await setGroupLimit(site.world, wish({ kind: "order", limitW: 8_000, from: T0 + 30 * MINUTE, until: T0 + HOUR }));
    await setGroupLimit(
      site.world,
      wish({ kind: "order", limitW: 15_000, from: T0 + 45 * MINUTE, until: T0 + 2 * HOUR }),
    );
    const { built } = await presentProblem(site.world, site.board, site.now());
    const slotWh = (w: number) => Math.floor((w * 900 * 0.997) / 3600);
    // The first interval is what is left of the running slot.
    expect(built.problem.intervals.slice(1, 10).map(({ limitWh }) => limitWh)).to.deep.equal(
      [12_000, 8_000, 8_000, 12_000, 12_000, 12_000, 12_000, 12_000, 12_000].map(slotWh),
    );
  });

  it("holds in the running slot for what is left of it, and is kept by the cars", async () => {
    const site = await aSite({ limitW: 20_000 });
    const cars = [await site.plugIn(1), await site.plugIn(2)];
    await site.until(T0 + 15 * MINUTE);
    expect(await site.limit("order", 6_000, HOUR)).to.include({ kind: "set" });
    await site.seconds(10);
    expect(cars[0]!.allowedW + cars[1]!.allowedW).to.be.within(4_140, 6_000);
    await site.until(T0 + 76 * MINUTE);
    for (let slot = 1; slot < 5; slot++) expect(site.meanImportW(slot)).to.be.within(5_500, 6_000);
    expect(cars[0]!.allowedW + cars[1]!.allowedW, "and after it").to.be.greaterThan(19_000);
  });

  it("may be 0: nothing charges", async () => {
    const site = await aSite({ limitW: 20_000 });
    const car = await site.plugIn(1);
    await site.until(T0 + 15 * MINUTE);
    await site.limit("operator", 0, 30 * MINUTE);
    await site.seconds(10);
    const { registerWh } = car;
    await site.until(T0 + 45 * MINUTE);
    expect(car.registerWh - registerWh).to.be.at.most(0);
    await site.minutes(1);
    expect(car.allowedW).to.be.within(11_000, 11_040);
  });

  it("that the operator lifts is over; an order of the grid goes on", async () => {
    const site = await aSite({ limitW: 20_000 });
    await site.plugIn(1);
    await site.plugIn(2);
    await site.limit("operator", 6_000);
    await site.limit("order", 9_000, 2 * HOUR);
    await site.until(T0 + 15 * MINUTE);
    await liftGroupLimit(site.world, GROUP, site.now());
    await site.seconds(5);
    expect(site.board.limitW).to.equal(9_000);
    await site.until(T0 + 2 * HOUR + 1 * MINUTE);
    expect(site.board.limitW).to.equal(20_000);
  });

  it("set twice is the same limit", async () => {
    const site = await aSite({ limitW: 20_000 });
    const first = await site.limit("order", 9_000, HOUR);
    expect(await site.limit("order", 9_000, HOUR)).to.deep.equal(first);
    expect(await site.store.sites.limits(GROUP, site.now())).to.have.length(1);
  });

  describe("that cannot be meant", () => {
    let site: Site;
    before(async () => {
      site = await aSite({ limitW: 20_000 });
    });
    const cases: [string, LimitWish, string, RegExp][] = [
      ["11 W", wish({ limitW: 11 }), "suspicious-limit", /11 W.*is 11 kW = 11000 W meant\?/],
      ["999 W", wish({ limitW: 999 }), "suspicious-limit", /999 W/],
      ["-5,000 W", wish({ limitW: -5_000 }), "suspicious-limit", /-5000 W/],
      [
        "more than the supply limit",
        wish({ limitW: 20_001 }),
        "suspicious-limit",
        /20001 W is above the supply limit of 20000 W/,
      ],
      ["one that ends before it begins", wish({ from: T0 + HOUR, until: T0 + 1800 }), "past-limit", /later `until`/],
      ["one that is over", wish({ from: T0 - HOUR, until: T0 }), "past-limit", /ended already/],
      ["of an unknown group", { ...wish({}), groupId: "elsewhere" }, "unknown-group", /elsewhere/],
    ];
    for (const [what, one, reason, text] of cases)
      it(`is refused: ${what}`, async () => {
        const answer = await setGroupLimit(site.world, one);
        expect(answer).to.include({ kind: "refused", reason });
        expect((answer as { text: string }).text).to.match(text);
        expect(await site.store.sites.limits(GROUP, site.now())).to.deep.equal([] as GroupLimit[]);
      });
  });
});
