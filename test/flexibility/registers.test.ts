import { expect } from "chai";
import fc from "fast-check";
import { epochSecond, wattHour } from "../../backend/domain/units.ts";
import { evenIntervals, slotIntervals } from "../../backend/flexibility/intervals.ts";
import {
  firstDraw,
  highestMeanW,
  meteredPerInterval,
  registerAt,
  registerSeries,
} from "../../backend/flexibility/registers.ts";
import { at, randomSession, START, seriesOf, stayOf } from "./sessions.ts";

describe("The intervals of a stay", () => {
  it("are slots cut at plug-in and plug-out", () => {
    const intervals = slotIntervals(at(840), at(1_900));
    expect(intervals.map(({ from, to }) => [from - START, to - START])).to.deep.equal([
      [840, 900],
      [900, 1_800],
      [1_800, 1_900],
    ]);
    expect(intervals.map(({ slot }) => slot - START / 900)).to.deep.equal([0, 1, 2]);
  });

  it("are none for a stay without length, and one for a slot exactly", () => {
    expect(slotIntervals(at(900), at(900))).to.deep.equal([]);
    expect(slotIntervals(at(900), at(1_800))).to.have.length(1);
  });

  it("number 100 slots on a local day of 25 hours", () => {
    expect(slotIntervals(epochSecond(START), epochSecond(START + 25 * 3600))).to.have.length(100);
  });

  it("can be minutes", () => {
    expect(evenIntervals(at(30), at(150), 60).map(({ from }) => from - START)).to.deep.equal([30, 60, 120]);
  });
});

describe("A register series", () => {
  const stay = { startAt: at(0), startWh: wattHour(100), endAt: at(600), endWh: wattHour(400) };
  const reading = (s: number, wh: number) => ({ at: at(s), registerWh: wattHour(wh) });

  it("keeps the billed ends and leaves out what lies outside the stay", () => {
    const series = registerSeries({
      ...stay,
      readings: [reading(-60, 90), reading(0, 101), reading(600, 399), reading(700, 500)],
    });
    expect(series).to.deep.equal([reading(0, 100), reading(600, 400)]);
  });

  it("sorts readings, takes the first of two of one instant and never falls or passes the end", () => {
    const readings = [reading(300, 250), reading(120, 260), reading(300, 270), reading(480, 450), reading(60, 40)];
    expect(registerSeries({ ...stay, readings }).map(({ registerWh }) => registerWh)).to.deep.equal([
      100, 100, 260, 260, 400, 400,
    ]);
  });

  it("throws when the register fell over the stay, saying what to do", () => {
    expect(() => registerSeries({ ...stay, endWh: wattHour(99), readings: [] })).to.throw(
      /neither falls.*Hold the session/,
    );
  });
});

describe("Energy from registers", () => {
  it("is linear between readings, rounded down: 7 Wh over 600 s are 3 Wh after 300 s", () => {
    const series = seriesOf([
      [0, 1_000],
      [600, 1_007],
    ]);
    expect(registerAt(series, at(300))).to.equal(1_003);
    expect(registerAt(series, at(-5))).to.equal(1_000);
    expect(registerAt(series, at(9_999))).to.equal(1_007);
  });

  it("of all intervals is the register's difference exactly, however they are cut", () => {
    fc.assert(
      fc.property(randomSession, fc.integer({ min: 1, max: 1_800 }), ({ series }, stepS) => {
        const [from, to] = stayOf(series);
        const differenceWh = series[series.length - 1]!.registerWh - series[0]!.registerWh;
        for (const intervals of [slotIntervals(from, to), evenIntervals(from, to, stepS)]) {
          const perInterval = meteredPerInterval(series, intervals);
          expect(perInterval.every((wh) => wh >= 0)).to.equal(true);
          expect(perInterval.reduce((sum, wh) => sum + wh, 0)).to.equal(differenceWh);
        }
      }),
    );
  });
});

describe("P, the highest 5-minute mean", () => {
  it("is 7,360 W for 1,840 Wh metered every 15 minutes", () => {
    const series = seriesOf([
      [0, 0],
      [900, 0],
      [1_800, 1_840],
      [2_700, 1_900],
    ]);
    expect(highestMeanW(series)).to.equal(7_360);
    expect(
      highestMeanW(
        seriesOf([
          [0, 0],
          [300, 600],
          [600, 600],
          [900, 900],
        ]),
      ),
    ).to.equal(7_200);
  });

  it("finds a window that ends at a reading as well as one that begins there", () => {
    // 60 Wh in the minute before 330 s: only windows around it hold all of it.
    expect(
      highestMeanW(
        seriesOf([
          [0, 0],
          [270, 0],
          [330, 60],
          [900, 60],
        ]),
      ),
    ).to.equal(720);
  });

  it("does not take a spike of one minute for the car's power", () => {
    // 11 kW for one minute are 183 Wh, 2,196 W over 5 minutes.
    expect(
      highestMeanW(
        seriesOf([
          [0, 0],
          [600, 0],
          [660, 183],
          [3_600, 183],
        ]),
      ),
    ).to.equal(2_196);
  });

  it("is the mean of a stay shorter than 5 minutes, and 0 without one", () => {
    expect(
      highestMeanW(
        seriesOf([
          [0, 0],
          [120, 100],
        ]),
      ),
    ).to.equal(3_000);
    expect(highestMeanW(seriesOf([[0, 5]]))).to.equal(0);
    expect(highestMeanW([])).to.equal(0);
  });

  it("equals a search over every second of the stay with exact fractions", () => {
    fc.assert(
      fc.property(randomSession, ({ series }) => {
        const [from, to] = stayOf(series);
        fc.pre(to - from > 300);
        // The register in units of 1/scale Wh, scale a multiple of every gap between readings.
        const scale = series
          .slice(1)
          .reduce((product, point, index) => product * BigInt(point.at - series[index]!.at), 1n);
        const exact: bigint[] = [BigInt(series[0]!.registerWh) * scale];
        for (const [index, point] of series.slice(1).entries()) {
          const before = series[index]!;
          const perSecond = (BigInt(point.registerWh - before.registerWh) * scale) / BigInt(point.at - before.at);
          for (let s = before.at; s < point.at; s++) exact.push(exact[exact.length - 1]! + perSecond);
        }
        let most = 0n;
        for (let s = 0; s + 300 < exact.length; s++)
          most = exact[s + 300]! - exact[s]! > most ? exact[s + 300]! - exact[s]! : most;
        expect(BigInt(highestMeanW(series))).to.equal((most * 12n + scale - 1n) / scale);
      }),
      { numRuns: 40 },
    );
  });
});

describe("The first draw", () => {
  it("is the last instant at which nothing had been drawn", () => {
    expect(
      firstDraw(
        seriesOf([
          [0, 7],
          [60, 7],
          [120, 7],
          [180, 8],
        ]),
      ),
    ).to.equal(at(120));
    expect(
      firstDraw(
        seriesOf([
          [0, 7],
          [60, 7],
        ]),
      ),
    ).to.equal(null);
  });
});
