import { expect } from "chai";
import fc from "fast-check";
import { type EpochSecond, epochSecond } from "../../backend/domain/units.ts";
import { inPresent } from "../../backend/replay/inPresent.ts";
import { readScenario, type Scenario } from "../../backend/replay/scenario.ts";
import { SAMPLE } from "../support/replays.ts";

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const at = (text: string) => epochSecond(Date.parse(text) / 1000);
const slotsOf = (from: string, to: string, value: (slot: number) => number) =>
  new Map(
    Array.from({ length: (at(to) - at(from)) / 900 }, (_, i) => at(from) / 900 + i).map((slot) => [slot, value(slot)]),
  );

/** A car for an hour every hour; prices and demand that tell their slot. `files`: until when they reach. */
function recordingOf(timeZone: string, from: string, to: string, files = to): Scenario {
  const hours = (at(to) - at(from)) / HOUR_S;
  return {
    ...{ name: "recorded", about: "A garage", timeZone, from: at(from), to: at(to), driverPrice: 1 },
    ...{ flexSharePercent: 50, events: [] },
    prices: slotsOf(from, files, (slot) => slot),
    carbon: slotsOf(from, files, (slot) => 2 * slot),
    sessions: Array.from({ length: hours }, (_, i) => {
      const plugIn = at(from) + i * HOUR_S + 60;
      return {
        ...{ id: `s${i}`, evseId: "E1", driverId: "d", needWh: 1, takenWh: 1, maxPowerW: 1, phases: 1, smart: true },
        ...{ plugIn, plugOut: plugIn + HOUR_S - 1, departure: plugIn + 2 * HOUR_S },
      } as Scenario["sessions"][number];
    }),
    groups: [
      {
        ...{ id: "g", supplyLimitW: 1, evses: [], production: null },
        demand: slotsOf(from, files, (slot) => -slot),
      },
    ],
  };
}

/** What a clock on the wall and a calendar beside it show. */
const shown = (timeZone: string) => {
  const format = new Intl.DateTimeFormat("en", { timeZone, weekday: "short", hour: "2-digit" });
  return (instant: number) => format.format(instant * 1000);
};
const inHour = (timeZone: string) => {
  const format = new Intl.DateTimeFormat("en", { timeZone, hour: "2-digit" });
  return (instant: number) => format.format(instant * 1000);
};
const days = (from: EpochSecond, n: number) => epochSecond(from + n * DAY_S);

describe("A recording in the present", () => {
  it("has every car on the weekday and at the hour of its day, also when the clocks changed meanwhile", () => {
    const recording = recordingOf("Europe/Oslo", "2020-06-29T00:00:00Z", "2020-07-13T00:00:00Z");
    const place = shown("Europe/Oslo");
    for (const today of ["2026-01-15T21:15:00Z", "2026-07-15T21:15:00Z", "2019-12-31T23:45:00Z"]) {
      const now = inPresent(recording, at(today), days(at(today), 20));
      expect(now.sessions.length).to.be.within(20 * 24 - 1, 20 * 24 + 1);
      for (const { id, plugIn, plugOut, departure } of now.sessions) {
        const recorded = recording.sessions.find((one) => one.id === id.split("~")[0])!;
        expect(place(plugIn), `${id}, ${today}`).to.equal(place(recorded.plugIn));
        expect([plugOut - plugIn, departure - plugIn]).to.deep.equal([HOUR_S - 1, 2 * HOUR_S]);
      }
      for (const [series, factor] of [
        [now.prices, 1],
        [now.carbon, 2],
        [now.groups[0]!.demand!, -1],
      ] as const)
        for (let slot = at(today) / 900; slot < at(today) / 900 + 20 * 96; slot++) {
          const recordedAt = (series.get(slot)! / factor) * 900;
          expect(place(slot * 900), `slot ${slot}`).to.equal(place(recordedAt));
        }
    }
  });

  it("is an hour off after a change of the clocks, until the recording begins again", () => {
    const summer = recordingOf("Europe/Oslo", "2020-06-29T00:00:00Z", "2020-07-06T00:00:00Z");
    const hour = inHour("Europe/Oslo");
    // The clocks are set back in the night to Sunday, 25 October 2026; the recording begins again on Monday.
    const now = inPresent(summer, at("2026-10-20T00:00:00Z"), at("2026-10-30T00:00:00Z"));
    const off = (instant: string) => {
      const slot = at(instant) / 900;
      return [hour(at(instant)), hour(now.prices.get(slot)! * 900)];
    };
    expect(off("2026-10-24T12:00:00Z")).to.deep.equal(["02 PM", "02 PM"]);
    expect(off("2026-10-25T12:00:00Z")).to.deep.equal(["01 PM", "02 PM"]);
    expect(off("2026-10-26T12:00:00Z")).to.deep.equal(["01 PM", "01 PM"]);
  });

  it("moves a recording of less than a week by days, and everything of it together", () => {
    const sample = readScenario(SAMPLE);
    const from = at("2026-11-20T21:30:00Z");
    const now = inPresent(sample, from, days(from, 6));
    const hour = inHour(sample.timeZone);
    // 60 hours begin again after three days: twice in six days, less than a day of the first run is over.
    const ids = now.sessions.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    const last = sample.sessions.at(-1)!.id;
    expect(ids).to.include.members([last, `${last}~2`]);
    for (const event of now.events.filter(({ kind }) => kind === "slow-draw")) expect(ids).to.include(event.target);
    expect(now.events.some(({ target }) => target.endsWith("~2"))).to.equal(true);
    for (const [i, event] of now.events.entries()) {
      const recorded = sample.events.find(
        (one) => one.kind === event.kind && one.value === event.value && one.target === event.target.split("~")[0],
      );
      expect(recorded, `event ${i}`).not.to.equal(undefined);
      // Amsterdam showed summer time then.
      expect(hour(event.at)).to.equal(hour(recorded!.at));
    }
  });

  it("goes on as a week before where the files end before the recording's last week does", () => {
    const recording = recordingOf("UTC", "2020-01-20T00:00:00Z", "2020-01-31T00:00:00Z", "2020-02-02T00:00:00Z");
    const monday = at("2026-11-16T00:00:00Z");
    const now = inPresent(recording, monday, days(monday, 28));
    const recordedDay = (day: number) => (now.prices.get((monday + day * DAY_S) / 900)! * 900 - recording.from) / DAY_S;
    expect([0, 10, 12, 13, 14, 27, 28, 30].map(recordedDay)).to.deep.equal([0, 10, 12, 6, 0, 6, 0, 2]);
    // Prices are known for days to come; cars come while it is lived only.
    const daysWithCars = new Set(now.sessions.map(({ plugIn }) => Math.floor((plugIn - monday) / DAY_S)));
    expect([...daysWithCars]).to.deep.equal([...Array(11).keys(), ...Array.from({ length: 11 }, (_, i) => 14 + i)]);
  });

  it("begins at most a week before, with nobody who came earlier, wherever now is", () => {
    const recording = recordingOf("America/Los_Angeles", "2021-08-02T00:00:00Z", "2021-08-16T00:00:00Z");
    const now = fc.integer({ min: at("2015-01-01T00:00:00Z") / 900, max: at("2040-01-01T00:00:00Z") / 900 });
    fc.assert(
      fc.property(now, fc.integer({ min: 1, max: 40 }), (slot, length) => {
        const from = epochSecond(slot * 900);
        const moved = inPresent(recording, from, days(from, length));
        const first = moved.prices.get(slot)! * 900 - recording.from;
        expect(first).to.be.within(0, 7 * DAY_S + HOUR_S);
        for (const { plugIn } of moved.sessions) expect(plugIn).to.be.within(from, from + length * DAY_S - 1);
        expect(moved.sessions.length).to.be.within(24 * length - 2, 24 * length + 2);
        expect(new Set(moved.sessions.map(({ id }) => id)).size).to.equal(moved.sessions.length);
        for (let i = 0; i < length * 96; i += 7) expect(moved.groups[0]!.demand!.has(slot + i)).to.equal(true);
      }),
      { numRuns: 100 },
    );
  });
});
