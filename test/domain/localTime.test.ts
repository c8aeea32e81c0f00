import { expect } from "chai";
import { formatInstant, parseInstant } from "../../backend/domain/instants.ts";
import { minuteOfDay, nextAtMinute, offsetS } from "../../backend/domain/localTime.ts";

const OSLO = "Europe/Oslo";
const at = parseInstant;
const next = (after: string, minute: number, zone = OSLO) => formatInstant(nextAtMinute(at(after), minute, zone));

describe("Clocks on walls", () => {
  it("show the zone's own time, summer and winter, halves of hours too", () => {
    expect(minuteOfDay(at("2026-01-15T22:30:00Z"), OSLO)).to.equal(23 * 60 + 30);
    expect(minuteOfDay(at("2026-07-15T22:30:00Z"), OSLO)).to.equal(30);
    expect(minuteOfDay(at("2026-07-15T22:30:00Z"), "Asia/Kathmandu")).to.equal(4 * 60 + 15);
    expect(offsetS(at("2026-07-15T22:30:00Z"), "America/St_Johns")).to.equal(-2.5 * 3600);
  });

  it("show a time again the next day, which may have 23 or 25 hours", () => {
    expect(next("2026-07-01T04:59:59Z", 7 * 60)).to.equal("2026-07-01T05:00:00Z");
    expect(next("2026-07-01T05:00:00Z", 7 * 60)).to.equal("2026-07-02T05:00:00Z");
    // The nights of 29 March and 25 October 2026.
    expect(next("2026-03-28T18:00:00Z", 7 * 60)).to.equal("2026-03-29T05:00:00Z");
    expect(next("2026-10-24T18:00:00Z", 7 * 60)).to.equal("2026-10-25T06:00:00Z");
  });

  it("leave out an hour in March: the time in it is the instant of the change", () => {
    expect(next("2026-03-28T23:30:00Z", 2 * 60 + 30)).to.equal("2026-03-29T01:00:00Z");
  });

  it("show an hour twice in October: each time in it comes first, and again", () => {
    expect(next("2026-10-24T23:30:00Z", 2 * 60 + 30)).to.equal("2026-10-25T00:30:00Z");
    expect(next("2026-10-25T00:30:00Z", 2 * 60 + 30)).to.equal("2026-10-25T01:30:00Z");
    expect(next("2026-10-25T01:30:00Z", 2 * 60 + 30)).to.equal("2026-10-26T01:30:00Z");
  });

  it("agree with themselves at every quarter-hour of the two nights", () => {
    for (const night of ["2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z"])
      for (let k = 0; k < 48; k++) {
        const instant = (at(night) + k * 900) as ReturnType<typeof at>;
        const minute = minuteOfDay(instant, OSLO);
        expect(nextAtMinute((instant - 1) as typeof instant, minute, OSLO)).to.equal(instant);
      }
  });
});
