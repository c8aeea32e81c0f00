import { expect } from "chai";
import fc from "fast-check";
import {
  advance,
  createSimulatedSite,
  evseOf,
  plugIn,
  readMeters,
  registerWh,
  type SimulatedCar,
  takeProfile,
  unplug,
} from "../../../backend/adapters/cpo/simulated/simulatedSite.ts";
import { epochSecond, watt } from "../../../backend/domain/units.ts";

const T0 = 1_772_438_400;
const at = (seconds: number) => epochSecond(T0 + seconds);
const periods = (...list: [number, number][]) =>
  list.map(([from, limitW]) => ({ from: at(from), limitW: watt(limitW) }));
const car = (part: Partial<SimulatedCar> = {}): SimulatedCar => ({
  sessionId: "s1",
  maxPowerW: 11_000,
  minPowerW: 4_140,
  roomWs: 1e12,
  ...part,
});
function aSiteWith(one: SimulatedCar, ...profile: [number, number][]) {
  const site = createSimulatedSite(at(0), [{ id: "e", maxPowerW: 11_040 }]);
  plugIn(site, "e", one);
  if (profile.length > 0) expect(takeProfile(site, "e", one.sessionId, periods(...profile))).to.equal("applied");
  return { site, evse: evseOf(site, "e") };
}

describe("A simulated car", () => {
  it("draws nothing before its station was told a limit", () => {
    const { site, evse } = aSiteWith(car());
    advance(site, at(3600));
    expect(evse.registerWs).to.equal(0);
  });

  it("draws the least of limit, station and car, to the second of every change", () => {
    const { site, evse } = aSiteWith(car(), [0, 20_000], [100, 6_000], [250, 0], [400, 5_000]);
    advance(site, at(1_000));
    expect(evse.registerWs).to.equal(11_000 * 100 + 6_000 * 150 + 0 + 5_000 * 600);
  });

  it("draws nothing below its least power", () => {
    const { site, evse } = aSiteWith(car(), [0, 4_139], [60, 4_140]);
    advance(site, at(60));
    expect(evse.registerWs).to.equal(0);
    advance(site, at(120));
    expect(evse.registerWs).to.equal(4_140 * 60);
  });

  it("stops when it is full, to the W*s", () => {
    const { site, evse } = aSiteWith(car({ roomWs: 1_000_001 }), [0, 9_000]);
    advance(site, at(3600));
    expect(evse.registerWs).to.equal(1_000_001);
    expect(readMeters(site)).to.deep.equal([
      { sessionId: "s1", at: T0 + 3600, registerWh: Math.floor(1_000_001 / 3600), powerW: 0 },
    ]);
  });

  it("draws nothing while its station is broken, and again after the repair", () => {
    const { site, evse } = aSiteWith(car(), [0, 9_000]);
    advance(site, at(100));
    evse.faultUntil = T0 + 200;
    advance(site, at(300));
    expect(evse.registerWs).to.equal(9_000 * 200);
  });

  it("never draws more than its room, its power or the limits allow, however the time is cut", () => {
    const step = fc.integer({ min: 1, max: 700 });
    const limit = fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 15_000 }));
    fc.assert(
      fc.property(
        fc.array(limit, { minLength: 1, maxLength: 6 }),
        fc.array(step, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 0, max: 20_000_000 }),
        (limits, steps, roomWs) => {
          const profile = [...new Map(limits)].sort(([a], [b]) => a - b);
          const end = steps.reduce((sum, s) => sum + s, 0);
          const cut = aSiteWith(car({ roomWs }), ...profile);
          for (const s of steps) advance(cut.site, epochSecond(cut.site.at + s));
          const whole = aSiteWith(car({ roomWs }), ...profile);
          advance(whole.site, at(end));
          expect(cut.evse.registerWs).to.equal(whole.evse.registerWs);
          let mostWs = 0;
          for (let t = 0; t < end; t++) {
            const limitW = profile.findLast(([from]) => from <= t)?.[1] ?? profile[0]![1];
            mostWs += limitW < 4_140 ? 0 : Math.min(limitW, 11_000);
          }
          expect(cut.evse.registerWs).to.equal(Math.min(roomWs, mostWs));
          expect(cut.evse.car!.roomWs).to.equal(roomWs - cut.evse.registerWs);
        },
      ),
      { numRuns: 60, seed: 7 },
    );
  });
});

describe("A simulated station", () => {
  it("keeps its register from car to car and forgets the last car's limit", () => {
    const { site, evse } = aSiteWith(car(), [0, 9_000]);
    advance(site, at(400));
    unplug(site, "e");
    advance(site, at(800));
    plugIn(site, "e", car({ sessionId: "s2" }));
    advance(site, at(1_200));
    expect(registerWh(evse, T0 + 1_200)).to.equal(1_000);
    expect(takeProfile(site, "e", "s1", periods([0, 9_000])), "of the car before").to.equal("refused");
    expect(takeProfile(site, "e", "s2", periods([0, 9_000]))).to.equal("applied");
  });

  it("refuses as often as it was told to, and its old profile goes on", () => {
    const { site, evse } = aSiteWith(car(), [0, 9_000]);
    evse.refusals = 2;
    const lower = periods([0, 5_000]);
    expect([1, 2, 3].map(() => takeProfile(site, "e", "s1", lower))).to.deep.equal(["refused", "refused", "applied"]);
  });

  it("that is silent answers nothing, reports nothing, and charges on", () => {
    const { site, evse } = aSiteWith(car(), [0, 9_000]);
    evse.silentUntil = T0 + 300;
    advance(site, at(200));
    expect(takeProfile(site, "e", "s1", periods([0, 0]))).to.equal(null);
    expect(readMeters(site)).to.deep.equal([]);
    expect(evse.registerWs).to.equal(9_000 * 200);
    advance(site, at(300));
    expect(readMeters(site)).to.have.length(1);
  });

  it("with a frozen register repeats it, and shows everything when it thaws", () => {
    const { site, evse } = aSiteWith(car(), [0, 9_000]);
    advance(site, at(400));
    evse.frozen = { until: T0 + 1_000, registerWh: registerWh(evse, T0 + 400) };
    advance(site, at(800));
    expect(readMeters(site)[0]).to.include({ registerWh: 1_000, powerW: 9_000 });
    advance(site, at(1_000));
    expect(readMeters(site)[0]).to.include({ registerWh: 2_500 });
  });

  it("that there is not is named", () => {
    const site = createSimulatedSite(at(0), []);
    expect(() => evseOf(site, "nowhere")).to.throw("no EVSE nowhere");
  });
});
