import { expect } from "chai";
import { parseInstant } from "../../backend/domain/instants.ts";
import { type EpochSecond, watt, wattHour } from "../../backend/domain/units.ts";
import { setStrategies } from "../../backend/usecases/setStrategies.ts";
import {
  energyOf,
  faultOfWindows,
  type StrategyWindow,
  termsOf,
  termsOfWindow,
} from "../../backend/usecases/strategies.ts";
import { aSite, HOUR, T0 } from "../support/world.ts";

const NOW = T0 as EpochSecond;
const later = (s: number) => (T0 + s) as EpochSecond;

describe("A driver's wish becomes one request", () => {
  it("as cheap as possible: an energy by the departure", () => {
    const wish = {
      amount: { kind: "energy", energyWh: wattHour(9_000) },
      ready: { kind: "by", at: later(HOUR) },
    } as const;
    expect(termsOf(wish, NOW)).to.deep.equal({ energyNeedWh: 9_000, departsAt: T0 + HOUR });
  });

  it("80 % in three hours: what the meter must show for it, rounded up", () => {
    const amount = { kind: "soc", batteryWh: wattHour(60_000), fromPercent: 35, toPercent: 80 } as const;
    // 45 % of 60 kWh are 27 kWh in the battery; at 88 % of what is drawn 30,681.8 Wh.
    expect(energyOf(amount)).to.equal(30_682);
    const terms = termsOf({ amount, ready: { kind: "within", s: 3 * HOUR } }, NOW);
    // What was said of the battery goes with it: the driver is shown its state while it charges.
    const battery = { wh: 60_000, percent: 35 };
    expect(terms).to.deep.equal({ energyNeedWh: 30_682, departsAt: T0 + 3 * HOUR, battery });
    expect(energyOf({ ...amount, toPercent: 35 })).to.equal(0);
  });

  it("as fast as possible: soonest, at the latest by the departure or within a day", () => {
    const amount = { kind: "energy", energyWh: wattHour(9_000) } as const;
    expect(termsOf({ amount, ready: { kind: "soonest", latest: null } }, NOW)).to.include({
      soonest: true,
      departsAt: T0 + 24 * HOUR,
    });
    expect(termsOf({ amount, ready: { kind: "soonest", latest: later(HOUR) } }, NOW).departsAt).to.equal(T0 + HOUR);
  });

  it("a part first, and not before a time", () => {
    const energy = (wh: number) => ({ kind: "energy", energyWh: wattHour(wh) }) as const;
    const first = { amount: energy(3_000), ready: { kind: "within", s: 2 * HOUR } } as const;
    const ready = { kind: "by", at: later(5 * HOUR) } as const;
    expect(termsOf({ amount: energy(9_000), ready, notBefore: later(HOUR), first }, NOW)).to.deep.equal({
      energyNeedWh: 9_000,
      departsAt: T0 + 5 * HOUR,
      notBefore: T0 + HOUR,
      first: { wh: 3_000, by: T0 + 2 * HOUR },
    });
  });
});

const night: StrategyWindow = {
  fromMinute: 20 * 60,
  toMinute: 6 * 60,
  energyWh: 30_000,
  strategy: { kind: "until", minute: 7 * 60, notBeforeMinute: 23 * 60 },
};
const day: StrategyWindow = { fromMinute: 6 * 60, toMinute: 20 * 60, energyWh: 11_000, strategy: { kind: "fastest" } };
const termsAt = (text: string, windows = [night, day]) =>
  termsOfWindow(windows, parseInstant(text), "Europe/Oslo", watt(11_000));

describe("Day and night strategies of an EVSE", () => {
  it("follow the clock of the place", () => {
    // 21:30 in Oslo in winter and in summer.
    for (const [plugIn, leaves, starts] of [
      ["2026-01-15T20:30:00Z", "2026-01-16T06:00:00Z", "2026-01-15T22:00:00Z"],
      ["2026-07-15T19:30:00Z", "2026-07-16T05:00:00Z", "2026-07-15T21:00:00Z"],
      // Summer time begins and ends in these nights.
      ["2026-03-28T20:30:00Z", "2026-03-29T05:00:00Z", "2026-03-28T22:00:00Z"],
      ["2026-10-24T19:30:00Z", "2026-10-25T06:00:00Z", "2026-10-24T21:00:00Z"],
    ] as const)
      expect(termsAt(plugIn), plugIn).to.deep.equal({
        energyNeedWh: 30_000,
        departsAt: parseInstant(leaves),
        notBefore: parseInstant(starts),
      });
  });

  it("begin at once for who comes after the planned start", () => {
    expect(termsAt("2026-01-16T00:30:00Z")).to.deep.equal({
      energyNeedWh: 30_000,
      departsAt: parseInstant("2026-01-16T06:00:00Z"),
    });
  });

  it("by day are as short as the car can make it, or as long as was said", () => {
    expect(termsAt("2026-01-15T12:00:00Z")?.departsAt).to.equal(parseInstant("2026-01-15T13:06:00Z"));
    const cheapest = { ...day, strategy: { kind: "cheapest", stayS: 4 * HOUR } } as const;
    expect(termsAt("2026-01-15T12:00:00Z", [cheapest])?.departsAt).to.equal(parseInstant("2026-01-15T16:00:00Z"));
    expect(termsAt("2026-01-15T23:00:00Z", [day])).to.equal(null);
  });

  it("may not contradict each other", () => {
    expect(faultOfWindows([night, day])).to.equal(null);
    expect(faultOfWindows([night, { ...day, toMinute: 20 * 60 + 1 }])).to.contain("20:00");
    expect(faultOfWindows([day, { ...night, toMinute: 20 * 60, fromMinute: 20 * 60 }])).to.contain("06:00");
  });

  it("hold for cars that are plugged in afterwards and whose drivers say nothing", async () => {
    const site = await aSite({ priceOf: (slot) => slot * 100 });
    // T0 is 09:00 in Oslo.
    const windows = [{ ...day, strategy: { kind: "until", minute: 12 * 60, notBeforeMinute: 10 * 60 } } as const];
    expect(await setStrategies(site.world, { evseId: "evse-1", windows })).to.include({ kind: "set" });
    const car = await site.plugIn(1, { driverId: null });
    expect(car.live).to.include({ departsAt: T0 + 3 * HOUR, notBefore: T0 + HOUR, wishedWh: 11_000 });
    await site.until(T0 + HOUR);
    expect(car.registerWh).to.equal(0);
    await site.restart();
    expect(car.live).to.include({ departsAt: T0 + 3 * HOUR, notBefore: T0 + HOUR });
    await site.until(T0 + 3 * HOUR);
    expect(car.registerWh).to.be.at.least(10_900);
    await setStrategies(site.world, { evseId: "evse-1", windows: [day, { ...day, energyWh: 1_000 }] }).then((answer) =>
      expect(answer).to.include({ kind: "refused", reason: "bad-strategy" }),
    );
    expect(await setStrategies(site.world, { evseId: "nowhere", windows })).to.include({ reason: "unknown-evse" });
  });
});
