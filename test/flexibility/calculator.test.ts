import { expect } from "chai";
import fc from "fast-check";
import { epochSecond, microEurPerKwh, watt } from "../../backend/domain/units.ts";
import { baseline, baselineStart } from "../../backend/flexibility/baseline.ts";
import {
  type Circumstances,
  type Flexibility,
  flexibility,
  limitShare,
  marginalValue,
  PRICE_MARGIN,
  reckon,
} from "../../backend/flexibility/calculator.ts";
import { slotIntervals } from "../../backend/flexibility/intervals.ts";
import { shown } from "../../backend/flexibility/shown.ts";
import { at, limitOf, randomSession, START, seriesOf, stayOf } from "./sessions.ts";

type Given = {
  readonly powerW: number;
  readonly meteredWh: readonly number[];
  /** Default: the meter, so that the limit alone kept the car from drawing more. */
  readonly allowedWh?: readonly number[];
  /** Thousands of micro-euro per kWh. */
  readonly value: readonly number[];
  readonly each?: Partial<Circumstances>;
  readonly rewarded?: boolean;
};

/** One interval per slot from START on. */
const slots = ({ powerW, meteredWh, allowedWh = meteredWh, value, each = {}, rewarded = true }: Given): Flexibility =>
  reckon({
    powerW: watt(powerW),
    startsAt: START,
    rewarded,
    intervals: meteredWh.map((wh, t) => ({
      from: at(900 * t),
      to: at(900 * (t + 1)),
      value: microEurPerKwh(Math.round(1_000 * (value[t] ?? 0))),
      order: null,
      surplus: false,
      limitExcessWh: 0,
      limitReducibleWh: 0,
      ...each,
      meteredWh: wh,
      allowedWh: allowedWh[t] ?? 0,
    })),
  });
const column = (flex: Flexibility, key: keyof Flexibility["intervals"][number]) =>
  flex.intervals.map((one) => one[key]);

describe("flex/1, the cases that it was made for", () => {
  const shifted = { powerW: 7_360, meteredWh: [0, 0, 0, 1_840, 1_840, 0], value: [120, 100, 90, 60, 60, 80] };

  it("rewards 3,680 Wh moved from dear slots to cheap ones, worth 184,000 micro-euro", () => {
    const flex = slots(shifted);
    expect(column(flex, "baselineWh")).to.deep.equal([1_840, 1_840, 0, 0, 0, 0]);
    expect(flex).to.include({
      energyWh: 3_680,
      meanValue: 60_000,
      movedWh: 3_680,
      downWh: 3_680,
      flexWh: 3_680,
      valueMicroEur: 184_000n,
    });
    expect(column(flex, "down")).to.deep.equal(["PRICE", "PRICE", "PRICE", null, null, "PRICE"]);
    expect(shown(flex, watt(22_000)).timeFlexibilityS).to.equal(3_600);
  });

  it("gives the same from the meter's readings and the applied limit", () => {
    const series = seriesOf([
      [0, 50],
      [2_700, 50],
      [3_600, 1_890],
      [4_500, 3_730],
      [5_400, 3_730],
    ]);
    const limit = limitOf([0, 0], [2_700, 7_360], [4_500, 0]);
    const circumstances = slotIntervals(at(0), at(5_400)).map(
      ({ from, to }, t): Circumstances => ({
        from,
        to,
        value: microEurPerKwh(shifted.value[t]! * 1_000),
        order: null,
        surplus: false,
        limitExcessWh: 0,
        limitReducibleWh: 0,
      }),
    );
    expect(flexibility({ series, limit, circumstances, rewarded: true })).to.deep.equal(slots(shifted));
  });

  it("rewards nothing in a stay of two slots at full power", () => {
    expect(slots({ powerW: 7_360, meteredWh: [1_840, 1_840], value: [200, 50] })).to.include({
      movedWh: 0,
      flexWh: 0,
      valueMicroEur: 0n,
    });
  });

  it("counts a Wh once that left a dear slot and came in one with a negative price", () => {
    const flex = slots({ powerW: 7_360, meteredWh: [0, 0, 1_840, 0], value: [50, 50, -20, 50] });
    expect(flex).to.include({ downWh: 1_840, upWh: 1_840, flexWh: 1_840, valueMicroEur: 128_800n });
  });

  it("does not ask what was declared: 20,000 Wh declared and 3,680 taken earn what 3,680 declared earn", () => {
    // The method's only inputs are meter, limit and circumstances; a longer stay moves nothing more either.
    const longer = { ...shifted, meteredWh: [...shifted.meteredWh, 0, 0, 0], value: [...shifted.value, 80, 80, 80] };
    expect(slots(longer)).to.include({ flexWh: 3_680, valueMicroEur: 184_000n });
  });

  it("rewards nothing to a car that draws 920 Wh throughout where 1,840 are allowed", () => {
    const flex = slots({
      powerW: 3_680,
      meteredWh: [920, 920, 920, 920],
      allowedWh: [1_840, 1_840, 1_840, 1_840],
      value: [200, 50, 200, 50],
    });
    expect(flex).to.include({ movedWh: 0, flexWh: 0, valueMicroEur: 0n });
  });

  it("mints nothing for boost and opt-out, and still says what was moved", () => {
    expect(slots({ ...shifted, rewarded: false })).to.include({ flexWh: 0, movedWh: 3_680, valueMicroEur: 184_000n });
  });

  it("rounds the mean value down, below 0 too", () => {
    expect(slots({ powerW: 2_000, meteredWh: [500, 500], value: [0.001, 0] }).meanValue).to.equal(0);
    expect(slots({ powerW: 2_000, meteredWh: [500, 500], value: [-0.001, 0] }).meanValue).to.equal(-1);
  });

  it("answers a session that took nothing with zeros", () => {
    const flex = slots({ powerW: 0, meteredWh: [0, 0], allowedWh: [500, 500], value: [100, -100] });
    expect(flex).to.include({
      energyWh: 0,
      meanValue: 0,
      movedWh: 0,
      downWh: 0,
      upWh: 0,
      flexWh: 0,
      valueMicroEur: 0n,
    });
  });
});

describe("flex/1, what counts as wanted", () => {
  // 1,000 Wh late by one slot; the values differ by less than the price margin unless a test says otherwise.
  const late = { powerW: 4_000, meteredWh: [0, 1_000], value: [60, 60] };

  it("does not reward a shift for which nobody had a reason", () => {
    expect(slots(late)).to.include({ movedWh: 1_000, downWh: 0, upWh: 0, flexWh: 0 });
  });

  it("calls a price high from 5,000 micro-euro above the session's own mean on", () => {
    const margin = PRICE_MARGIN / 1_000;
    expect(slots({ ...late, value: [60 + margin, 60] }).flexWh).to.equal(1_000);
    expect(slots({ ...late, value: [60 + margin - 0.001, 60] }).flexWh).to.equal(0);
  });

  it("rewards a downward and an upward order, PV surplus and a value below 0", () => {
    expect(slots({ ...late, each: { order: "down" } })).to.include({ downWh: 1_000, upWh: 0, flexWh: 1_000 });
    expect(slots({ ...late, each: { order: "up" } })).to.include({ downWh: 0, upWh: 1_000, flexWh: 1_000 });
    expect(slots({ ...late, each: { surplus: true } })).to.include({ upWh: 1_000, flexWh: 1_000 });
    expect(slots({ ...late, value: [-1, -1] })).to.include({ upWh: 1_000, flexWh: 1_000 });
    expect(slots({ ...late, value: [0, 0] })).to.include({ upWh: 0, flexWh: 0 });
  });

  it("names the first reason that holds", () => {
    const each = { surplus: true, limitExcessWh: 10, limitReducibleWh: 10 };
    const reasons = (more: Partial<Circumstances>, value: readonly number[]) => {
      const flex = slots({ ...late, value, each: { ...each, ...more } });
      return [flex.intervals[0]!.down, flex.intervals[0]!.up];
    };
    expect(reasons({ order: "down" }, [90, 60])).to.deep.equal(["ORDER", "SURPLUS"]);
    expect(reasons({ order: "up" }, [90, 60])).to.deep.equal(["PRICE", "ORDER"]);
    expect(reasons({}, [60, 60])).to.deep.equal(["LIMIT", "SURPLUS"]);
    expect(reasons({ surplus: false }, [-9, -9])).to.deep.equal(["LIMIT", "NEGATIVE"]);
  });

  it("counts for a limit only the session's share of the excess, rounded down", () => {
    const share = (limitExcessWh: number, limitReducibleWh: number) =>
      slots({ ...late, each: { limitExcessWh, limitReducibleWh } }).downWh;
    expect(share(3_000, 3_000)).to.equal(1_000);
    expect(share(1_000, 3_000)).to.equal(333);
    expect(share(9_000, 3_000)).to.equal(1_000);
    expect(share(0, 3_000)).to.equal(0);
    // A sum that forgot this session cannot blow its share up.
    expect(share(500, 0)).to.equal(500);
  });

  it("does not reward what the car itself left undrawn", () => {
    const flex = slots({ ...late, value: [90, 60], allowedWh: [600, 1_000] });
    expect(flex).to.include({ movedWh: 1_000, downWh: 400, flexWh: 400 });
  });
});

describe("The circumstances", () => {
  it("value a kWh at the price, in surplus at the feed-in value but never above the price", () => {
    const value = (importWh: number, price: number, feedIn: number) =>
      marginalValue({ importWh, price: microEurPerKwh(price), feedIn: microEurPerKwh(feedIn) });
    expect(value(1, 90_000, 40_000)).to.deep.equal({ value: 90_000, surplus: false });
    expect(value(0, 90_000, 40_000)).to.deep.equal({ value: 90_000, surplus: false });
    expect(value(-1, 90_000, 40_000)).to.deep.equal({ value: 40_000, surplus: true });
    expect(value(-1, 10_000, 40_000)).to.deep.equal({ value: 10_000, surplus: true });
  });

  it("share an excess among all who gave up something: their shares never sum up to more than it", () => {
    const group = {
      limitWh: 5_000,
      otherWh: 1_000,
      sessions: [
        { baselineWh: 3_000, allowedWh: 1_000 },
        { baselineWh: 2_000, allowedWh: 2_500 },
      ],
    };
    expect(limitShare(group)).to.deep.equal({ limitExcessWh: 1_000, limitReducibleWh: 2_000 });
    expect(limitShare({ ...group, otherWh: -3_000 })).to.deep.equal({ limitExcessWh: 0, limitReducibleWh: 0 });
  });

  it("never reward a group more for a limit than its baselines exceeded it", () => {
    const wh = fc.integer({ min: 0, max: 5_500 });
    fc.assert(
      fc.property(fc.array(fc.tuple(wh, wh), { minLength: 1, maxLength: 20 }), wh, (pairs, limitWh) => {
        const share = limitShare({
          limitWh,
          otherWh: 0,
          sessions: pairs.map(([baselineWh, allowedWh]) => ({ baselineWh, allowedWh })),
        });
        // Each session takes its baseline in the second slot, and its power is such that the first would have held it.
        const rewards = pairs.map(([baselineWh, allowedWh]) =>
          slots({
            powerW: baselineWh * 4,
            meteredWh: [0, baselineWh],
            allowedWh: [allowedWh, baselineWh],
            value: [0, 0],
            each: share,
          }),
        );
        const rewardedWh = rewards.reduce((sum, { downWh }) => sum + downWh, 0);
        expect(rewardedWh).to.be.at.most(share.limitExcessWh);
        expect(rewardedWh).to.be.above(Math.min(share.limitExcessWh, share.limitReducibleWh) - pairs.length);
      }),
    );
  });
});

describe("The baseline", () => {
  const circumstancesOf = slotIntervals(at(600), at(2_400));

  it("counts connected seconds in cut slots: 3.6 kW are 300 Wh in the last 5 minutes of a slot", () => {
    const baselineWh = baseline({
      powerW: watt(3_600),
      startsAt: at(600),
      intervals: circumstancesOf,
      meteredWh: [0, 200, 1_000],
    });
    expect(baselineWh).to.deep.equal([300, 900, 0]);
  });

  it("starts at the first draw if the car took nothing within 3 minutes of its first offer", () => {
    const series = seriesOf([
      [0, 0],
      [400, 0],
      [460, 50],
      [900, 400],
    ]);
    expect(baselineStart(series, limitOf([0, 7_360]))).to.equal(at(400));
    expect(baselineStart(series, limitOf([0, 0], [220, 7_360]))).to.equal(at(400));
    expect(baselineStart(series, limitOf([0, 0]))).to.equal(at(0));
  });

  it("starts at plug-in if the first Wh came 3 minutes after the offer, and not if it came a second later", () => {
    const series = seriesOf([
      [0, 0],
      [400, 0],
      [401, 5],
      [900, 400],
    ]);
    expect(baselineStart(series, limitOf([0, 0], [221, 7_360]))).to.equal(at(0));
    expect(baselineStart(series, limitOf([0, 0], [220, 7_360]))).to.equal(at(400));
  });

  it("rounds up: 3,601 W are 901 Wh in a slot", () => {
    const intervals = slotIntervals(at(0), at(1_800));
    expect(baseline({ powerW: watt(3_601), startsAt: at(0), intervals, meteredWh: [0, 1_800] })).to.deep.equal([
      901, 899,
    ]);
  });

  it("never falls behind the meter, not even where a car peaks in the first minute of a stay", () => {
    // 183 Wh in 60 s, then nothing: the 5-minute mean is 2,196 W, 37 Wh in that minute.
    const intervals = slotIntervals(at(840), at(1_800));
    expect(baseline({ powerW: watt(2_196), startsAt: at(840), intervals, meteredWh: [183, 0] })).to.deep.equal([
      183, 0,
    ]);
  });

  it("refuses a session without a register", () => {
    expect(() => baselineStart([], [])).to.throw(/Pass its start and end registers/);
  });
});

describe("flex/1 as laws", () => {
  const measured = randomSession.map((session) => ({ ...session, flex: flexibility({ ...session, rewarded: true }) }));
  const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);

  it("the baselines sum up to the energy, and never lag behind the meter", () => {
    fc.assert(
      fc.property(measured, ({ flex, series }) => {
        const differences = flex.intervals.map((one) => one.baselineWh - one.meteredWh);
        expect(sum(flex.intervals.map((one) => one.baselineWh))).to.equal(flex.energyWh);
        expect(flex.energyWh).to.equal(series[series.length - 1]!.registerWh - series[0]!.registerWh);
        let ahead = 0;
        for (const difference of differences) {
          ahead += difference;
          expect(ahead).to.be.at.least(0);
        }
        expect(sum(differences.map((d) => Math.max(0, d)))).to.equal(flex.movedWh);
        expect(sum(differences.map((d) => Math.max(0, -d)))).to.equal(flex.movedWh);
      }),
      { numRuns: 300 },
    );
  });

  it("FLEX is at most what was moved, and 0 <= F <= E", () => {
    fc.assert(
      fc.property(measured, ({ flex }) => {
        expect(flex.flexWh).to.be.within(0, Math.min(flex.movedWh, flex.energyWh));
        expect(flex.downWh).to.be.at.most(flex.movedWh);
        expect(flex.upWh).to.be.at.most(flex.movedWh);
      }),
      { numRuns: 300 },
    );
  });

  it("V is the difference of two procurement bills, rounded down once", () => {
    fc.assert(
      fc.property(measured, ({ flex }) => {
        const bill = (key: "baselineWh" | "meteredWh") =>
          flex.intervals.reduce((total, one) => total + BigInt(one[key]) * BigInt(one.value), 0n);
        const rest = bill("baselineWh") - bill("meteredWh") - flex.valueMicroEur * 1_000n;
        expect(rest >= 0n && rest < 1_000n).to.equal(true);
      }),
    );
  });

  it("every Wh of FLEX is one Wh that left an interval and came in another, one of them for a reason", () => {
    fc.assert(
      fc.property(measured, ({ flex }) => {
        // Pair what left with what came in order of time; a pair counts if either end was wanted.
        const left = flex.intervals.flatMap((one) =>
          one.baselineWh > one.meteredWh ? [{ wh: one.baselineWh - one.meteredWh, wanted: one.down !== null }] : [],
        );
        const came = flex.intervals.flatMap((one) =>
          one.meteredWh > one.baselineWh ? [{ wh: one.meteredWh - one.baselineWh, wanted: one.up !== null }] : [],
        );
        let pairedWh = 0;
        while (left[0] && came[0]) {
          const wh = Math.min(left[0].wh, came[0].wh);
          if (left[0].wanted || came[0].wanted) pairedWh += wh;
          left[0].wh -= wh;
          came[0].wh -= wh;
          if (left[0].wh === 0) left.shift();
          if (came[0].wh === 0) came.shift();
        }
        expect(flex.flexWh).to.be.at.most(pairedWh);
      }),
      { numRuns: 300 },
    );
  });

  it("a receipt's numbers give the same again", () => {
    fc.assert(
      fc.property(measured, ({ flex }) => {
        const intervals = flex.intervals.map((one) => ({
          ...one,
          order: one.down === "ORDER" ? ("down" as const) : one.up === "ORDER" ? ("up" as const) : null,
          surplus: one.up === "SURPLUS",
        }));
        expect(
          reckon({ powerW: flex.powerW, startsAt: flex.startsAt, rewarded: flex.rewarded, intervals }),
        ).to.deep.equal(flex);
      }),
    );
  });

  it("opting out mints nothing, whatever was moved", () => {
    fc.assert(
      fc.property(randomSession, (session) => {
        expect(flexibility({ ...session, rewarded: false }).flexWh).to.equal(0);
      }),
    );
  });

  it("staying plugged in longer without drawing never earns more than the same draw does", () => {
    fc.assert(
      fc.property(randomSession, fc.integer({ min: 1, max: 20_000 }), ({ series, limit, circumstances }, longerS) => {
        const [from, to] = stayOf(series);
        const end = series[series.length - 1]!;
        const longer = [...series, { at: epochSecond(to + longerS), registerWh: end.registerWh }];
        const calm = slotIntervals(from, epochSecond(to + longerS)).map((interval): Circumstances => {
          const same = circumstances.find((one) => one.from === interval.from);
          return same
            ? { ...same, to: interval.to }
            : {
                ...interval,
                value: microEurPerKwh(0),
                order: null,
                surplus: false,
                limitExcessWh: 0,
                limitReducibleWh: 0,
              };
        });
        fc.pre(to - from >= 300);
        const short = flexibility({ series, limit, circumstances, rewarded: true });
        const long = flexibility({ series: longer, limit, circumstances: calm, rewarded: true });
        // Only the seconds added to the slot of the old departure may hold more baseline.
        expect(long.powerW).to.equal(short.powerW);
        expect(long.movedWh).to.be.at.most(short.movedWh + Math.ceil((short.powerW * longerS) / 3600));
      }),
    );
  });
});

describe("Figures shown beside it", () => {
  it("give F_p as the whole power from 15 minutes on, below that its share", () => {
    const stay = (lastS: number) =>
      reckon({
        powerW: watt(6_000),
        startsAt: START,
        rewarded: true,
        intervals: [
          {
            from: at(0),
            to: at(lastS),
            value: microEurPerKwh(0),
            order: null,
            surplus: false,
            limitExcessWh: 0,
            limitReducibleWh: 0,
            meteredWh: 1_000,
            allowedWh: 1_000,
          },
        ],
      });
    expect(shown(stay(1_500), watt(11_000))).to.include({ timeFlexibilityS: 900, powerFlexibilityW: 6_000 });
    expect(shown(stay(1_050), watt(11_000))).to.include({ timeFlexibilityS: 450, powerFlexibilityW: 3_000 });
    expect(shown(stay(600), watt(11_000))).to.include({ timeFlexibilityS: 0, powerFlexibilityW: 0 });
  });

  it("give the ancestor's (rated - assigned) * 0.25 kWh per slot until the session is done", () => {
    const flex = slots({
      powerW: 4_000,
      meteredWh: [0, 1_000, 500, 0],
      allowedWh: [0, 1_000, 1_000, 1_000],
      value: [90, 60, 60, 60],
    });
    expect(shown(flex, watt(11_000)).ancestorWh).to.equal(2_750 + 1_750 + 1_750);
  });

  it("pay a car that can never draw its EVSE's rated power by the ancestor's rule, and nothing by flex/1", () => {
    const flex = slots({ powerW: 3_680, meteredWh: [920, 920], allowedWh: [920, 920], value: [200, 50] });
    expect(shown(flex, watt(22_000)).ancestorWh).to.equal(2 * (5_500 - 920));
    expect(flex.flexWh).to.equal(0);
  });
});
