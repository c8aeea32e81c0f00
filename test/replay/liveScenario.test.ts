import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { DEFAULT_SETTINGS, derivedRandom, openSystem, type System } from "../../backend/compose.ts";
import { type EpochSecond, epochSecond, watt, wattHour } from "../../backend/domain/units.ts";
import { type LivingSite, liveScenario } from "../../backend/replay/liveScenario.ts";
import type { Scenario } from "../../backend/replay/scenario.ts";
import { startSession } from "../../backend/usecases/startSession.ts";

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const NOW = Date.parse("2026-11-21T12:00:00Z") / 1000;
/** Since the site's beginning, s: a car yesterday, one that has come already, one that comes in ten minutes. */
const STAYS = {
  yesterday: [HOUR_S, 3 * HOUR_S],
  here: [DAY_S - HOUR_S, DAY_S + 3 * HOUR_S],
  soon: [DAY_S + 600, DAY_S + 1200],
} as const;

const SITE: LivingSite = {
  name: "yard",
  from: (from): Scenario => ({
    ...{ name: "yard-now", about: "A yard", timeZone: "UTC", from, to: epochSecond(from + DAY_S + HOUR_S) },
    ...{ driverPrice: 350_000, flexSharePercent: 30, events: [], carbon: new Map() },
    prices: new Map(Array.from({ length: 300 }, (_, i) => [from / 900 - 96 + i, 100_000])),
    sessions: Object.entries(STAYS).map(([id, [plugIn, plugOut]], i) => ({
      ...{ id, evseId: `E${i}`, driverId: "driver", needWh: 5000, takenWh: 5000, maxPowerW: 11_000, phases: 3 },
      ...{ plugIn: epochSecond(from + plugIn), plugOut: epochSecond(from + plugOut), smart: true },
      departure: epochSecond(from + plugOut),
    })),
    groups: [
      {
        ...{ id: "yard-group", supplyLimitW: 30_000, production: null },
        demand: new Map(Array.from({ length: 300 }, (_, i) => [from / 900 + i, 2000])),
        evses: Object.keys(STAYS).map((_, i) => ({ id: `E${i}`, maxPowerW: 11_000, phases: 3 })),
      },
    ],
  }),
};

describe("A scenario that goes on in real time", () => {
  let system: System;
  let nowS = NOW;
  beforeEach(async () => {
    system = await openSystem({ random: derivedRandom("live") });
    nowS = NOW;
  });
  afterEach(() => system.close());

  const wall = () => nowS * 1000;
  const options = { days: 1, settings: DEFAULT_SETTINGS, more: {}, wall, onProgress: () => undefined };
  const begin = () => liveScenario(system, SITE, options);
  async function pass(run: Awaited<ReturnType<typeof begin>>, seconds: number) {
    for (const end = nowS + seconds; nowS < end; ) {
      nowS = Math.min(end, nowS + 30);
      await run.live(wall);
    }
  }
  const session = async (id: string) => (await system.store.sessions.byId(id))!;

  it("has the past behind it, bills and all, and lets the next car come when it is due", async () => {
    const run = await begin();
    expect(run.world.clock.now()).to.equal(NOW);
    const { energyWh } = (await system.store.bills.ofSession("yesterday"))!;
    expect(energyWh).to.equal(5000);
    expect((await session("here")).unpluggedAt).to.equal(null);
    expect(await system.store.sessions.byId("soon")).to.equal(null);
    // The site's own share, not the service's.
    expect(run.world.settings.flexSharePercent).to.equal(30);
    await pass(run, 660);
    expect((await session("soon")).pluggedAt).to.be.within(NOW + 600, NOW + 630);
    await pass(run, 660);
    expect((await session("soon")).unpluggedAt).to.be.within(NOW + 1200, NOW + 1230);
  });

  it("lets a visitor stay at the charge point to which a recorded car would come", async () => {
    const run = await begin();
    await pass(run, 60);
    const started = await startSession(run.world, {
      ...{ sessionId: "visitor", evseId: "E2", driverId: null, at: run.world.clock.now(), registerWh: wattHour(0) },
      carMaxPowerW: watt(7000),
    });
    expect(started.kind).to.equal("started");
    await pass(run, 1500);
    expect(await system.store.sessions.byId("soon")).to.equal(null);
    expect(run.state.tally.plugFailures).to.equal(1);
    expect((await session("visitor")).unpluggedAt).to.equal(null);
    // The recorded car's departure takes nobody else's car away.
    expect(run.state.site.evses.E2!.car!.sessionId).to.equal("visitor");
    const reading = (await system.store.meters.latest("visitor"))!;
    expect(reading.at).to.be.within(nowS - 90, nowS);
    expect(reading.powerW).to.be.within(1, 7000);
  });

  it("goes on after a minute that failed", async () => {
    let isAway = false;
    const publish = () => {
      if (isAway) throw new Error("nobody listens");
    };
    const run = await liveScenario(system, SITE, { ...options, more: { updates: { publish } } });
    isAway = true;
    const failed = await pass(run, 90).catch((error: unknown) => error);
    expect(String(failed)).to.match(/nobody listens/);
    isAway = false;
    await pass(run, 120);
    expect((await system.store.meters.latest("here"))!.at).to.be.within(nowS - 60, nowS);
  });

  it("serves whoever is there after its end, and when it is begun anew then", async () => {
    const first = await begin();
    await pass(first, HOUR_S + 300);
    const heard = async (id: string) => (await system.store.meters.latest(id))!.at;
    expect(await heard("here")).to.be.within(nowS - 90, nowS);
    await system.store.snapshots.save("replay:yard-now", first.world.clock.now() as EpochSecond, first.state);
    nowS += HOUR_S;
    const again = await begin();
    expect(again.world.clock.now()).to.be.below(nowS - HOUR_S + 1);
    await pass(again, 300);
    expect(await heard("here")).to.be.within(nowS - 90, nowS);
    await pass(again, HOUR_S);
    expect((await session("here")).unpluggedAt).not.to.equal(null);
    expect(await system.store.bills.ofSession("here")).not.to.equal(null);
  });

  it("goes on where it began, days later", async () => {
    await begin();
    nowS += 2 * DAY_S;
    const { scenario } = await begin();
    expect(scenario.from).to.equal(NOW - DAY_S);
    expect((await system.store.sites.cpos()).length).to.equal(1);
    expect((await session("soon")).unpluggedAt).to.equal(NOW + 1200);
  });

  it("ends with 1 and says why before anything is opened when there is no scenario", () => {
    const main = join(import.meta.dirname, "..", "..", "backend", "main.ts");
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, "--scenario", "nowhere"], {
      encoding: "utf8",
    });
    expect(status).to.equal(1);
    expect(stderr).to.equal(
      "Oli Move did not start: nowhere/scenario.json is missing. A scenario folder holds scenario.json and the files that it names.\n",
    );
    expect(stdout).to.equal("");
  });

  it("refuses a database that holds another site", async () => {
    const other: LivingSite = { ...SITE, name: "other", from: (from) => ({ ...SITE.from(from), name: "other-now" }) };
    await liveScenario(system, other, options);
    const failed = await begin().catch((error: unknown) => error);
    expect(String(failed)).to.match(/holds another site already, and none of yard-now/);
  });
});
