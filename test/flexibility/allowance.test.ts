import { expect } from "chai";
import fc from "fast-check";
import { limitAt, type ProfileState, type SentProfile } from "../../backend/domain/profiles.ts";
import { type EpochSecond, watt } from "../../backend/domain/units.ts";
import {
  allowedPerInterval,
  appliedLimit,
  drawSeries,
  entitledPerInterval,
  firstOffer,
} from "../../backend/flexibility/allowance.ts";
import { evenIntervals, slotIntervals } from "../../backend/flexibility/intervals.ts";
import { at, limitOf, randomSession, START, seriesOf, stayOf } from "./sessions.ts";

const sent = (
  answeredS: number,
  state: ProfileState,
  ...periods: readonly (readonly [number, number])[]
): SentProfile => ({
  id: String(answeredS),
  sessionId: "s1",
  evseId: "e1",
  reason: "plan",
  state,
  sentAt: at(answeredS - 5),
  answeredAt: state === "sent" ? null : at(answeredS),
  profile: limitOf(...periods),
});
const told = (limit: ReturnType<typeof limitOf>) => limit.map(({ from, limitW }) => [from - START, limitW]);

describe("The applied limit", () => {
  it("holds from the station's confirmation until the next confirmed profile", () => {
    const limit = appliedLimit(
      [sent(60, "applied", [0, 4_000], [900, 6_000], [1_800, 2_000]), sent(1_000, "applied", [900, 8_000])],
      at(0),
      watt(1_380),
    );
    expect(told(limit)).to.deep.equal([
      [0, 1_380],
      [60, 4_000],
      [900, 6_000],
      [1_000, 8_000],
    ]);
  });

  it("is not changed by a profile that was refused, timed out or not answered yet", () => {
    const limit = appliedLimit(
      [
        sent(60, "applied", [0, 4_000]),
        sent(120, "refused", [0, 1]),
        sent(180, "timed-out", [0, 2]),
        sent(240, "sent", [0, 3]),
      ],
      at(0),
      watt(0),
    );
    expect(told(limit)).to.deep.equal([
      [0, 0],
      [60, 4_000],
    ]);
  });

  it("takes the order of confirmations, not that of sending", () => {
    const late = { ...sent(300, "applied", [0, 5_000]), sentAt: at(10) };
    expect(told(appliedLimit([late, sent(100, "applied", [0, 3_000])], at(0), watt(0)))).to.deep.equal([
      [0, 0],
      [100, 3_000],
      [300, 5_000],
    ]);
  });

  it("of a profile confirmed before plug-in holds from plug-in", () => {
    expect(told(appliedLimit([sent(-50, "applied", [-60, 5_000])], at(0), watt(0)))).to.deep.equal([[0, 5_000]]);
  });
});

describe("Allowed energy", () => {
  it("is 1,000 Wh for 4 kW over one slot, and rounds down once per interval", () => {
    expect(allowedPerInterval(limitOf([0, 4_000]), slotIntervals(at(0), at(900)))).to.deep.equal([1_000]);
    expect(allowedPerInterval(limitOf([0, 5_000]), [{ from: at(0), to: at(60) }])).to.deep.equal([83]);
    expect(allowedPerInterval([], slotIntervals(at(0), at(900)))).to.deep.equal([0]);
  });

  it("equals the sum over every second", () => {
    fc.assert(
      fc.property(randomSession, ({ limit, series }) => {
        const intervals = slotIntervals(...stayOf(series));
        const bySecond = intervals.map(({ from, to }) => {
          let wattSeconds = 0;
          for (let s = from; s < to; s++) wattSeconds += limitAt(limit, s as EpochSecond);
          return Math.floor(wattSeconds / 3600);
        });
        expect(allowedPerInterval(limit, intervals)).to.deep.equal(bySecond);
      }),
      { numRuns: 30 },
    );
  });

  it("knows the first instant at which anything was offered", () => {
    expect(firstOffer(limitOf([0, 0], [500, 6_000]), at(0), at(900))).to.equal(at(500));
    expect(firstOffer(limitOf([-100, 6_000]), at(0), at(900))).to.equal(at(0));
    expect(firstOffer(limitOf([0, 0], [900, 6_000]), at(0), at(900))).to.equal(null);
  });
});

describe("What was allowed and drawn", () => {
  it("goes from reading to reading, cut once more at the promise's time", () => {
    const series = seriesOf([
      [0, 0],
      [600, 500],
      [1_200, 600],
    ]);
    const draws = drawSeries(series, limitOf([0, 3_000]), at(900));
    expect(draws.map(({ from, allowedWh, meteredWh }) => [from - START, allowedWh, meteredWh])).to.deep.equal([
      [0, 500, 500],
      [600, 250, 50],
      [900, 250, 50],
    ]);
    expect(drawSeries(series, limitOf([0, 3_000]), at(600))).to.have.length(2);
    expect(drawSeries(series, limitOf([0, 3_000]), at(5_000))).to.have.length(2);
  });
});

describe("What a car could have had", () => {
  /** In windows of 5 minutes: what was allowed and what was drawn, Wh; one interval each. */
  const entitled = (...windows: readonly (readonly [allowedWh: number, meteredWh: number])[]) => {
    let wh = 0;
    const points = windows.map(([, meteredWh], t): [number, number] => {
      wh += meteredWh;
      return [300 * (t + 1), wh];
    });
    return entitledPerInterval(
      seriesOf([[0, 0], ...points]),
      limitOf(...windows.map(([allowedWh], t): [number, number] => [300 * t, allowedWh * 12])),
      evenIntervals(at(0), at(300 * windows.length), 300),
      watt(7_368),
    );
  };
  /** 7,368 W and the 12 W by which a 5-minute mean of whole Wh may be too high, for 5 minutes. */
  const ALL = 615;

  it("is what it was allowed", () => {
    expect(entitled([300, 300], [300, 304], [0, 0], [300, 291])).to.deep.equal([300, 300, 0, 300]);
  });

  it("is all that its EVSE gives where it left more than 3 % and 3 Wh of that undrawn", () => {
    expect(entitled([300, 291], [300, 290])).to.deep.equal([300, ALL]);
    expect(entitled([10, 7], [10, 6])).to.deep.equal([10, ALL]);
  });

  it("and for an hour after it took less than a quarter of its allowance, until it draws again", () => {
    const hour = Array.from({ length: 13 }, () => [0, 0] as const);
    expect(entitled([300, 70], ...hour)).to.deep.equal([...Array.from({ length: 13 }, () => ALL), 0]);
    expect(entitled([300, 70], [0, 0], [200, 200], [0, 0])).to.deep.equal([ALL, ALL, ALL, 0]);
    // A slow car that is put off by the plan was willing.
    expect(entitled([300, 75], [0, 0])).to.deep.equal([ALL, 0]);
  });

  it("counts window by window within a slot", () => {
    // 5 minutes at 3,600 W of 7,200, 10 minutes at a limit of 0.
    const series = seriesOf([
      [0, 0],
      [300, 300],
      [900, 300],
    ]);
    const limit = limitOf([0, 7_200], [300, 0]);
    expect(entitledPerInterval(series, limit, slotIntervals(at(0), at(900)), watt(7_368))).to.deep.equal([ALL]);
  });
});
