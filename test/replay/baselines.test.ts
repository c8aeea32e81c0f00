import { expect } from "chai";
import { epochSecond } from "../../backend/domain/units.ts";
import { costOf, equalShare, perfectForesight, perKwh, uncontrolled } from "../../backend/replay/baselines.ts";
import type { Scenario, ScenarioSession } from "../../backend/replay/scenario.ts";

const T0 = 1_772_438_400;
const SLOT = T0 / 900;
const HOUR = 3600;

type Part = Partial<Record<"plugIn" | "plugOut" | "needWh" | "takenWh" | "maxPowerW", number>>;
const session = (id: string, evseId: string, part: Part = {}): ScenarioSession => ({
  id,
  evseId,
  driverId: `driver-${id}`,
  plugIn: epochSecond(T0 + (part.plugIn ?? 0)),
  plugOut: epochSecond(T0 + (part.plugOut ?? HOUR)),
  departure: epochSecond(T0 + (part.plugOut ?? HOUR)),
  needWh: part.needWh ?? part.takenWh ?? 4_000,
  takenWh: part.takenWh ?? 4_000,
  maxPowerW: part.maxPowerW ?? 8_000,
  phases: 1,
  smart: true,
});

/** One hour, one group of two EVSEs with 8 kW each behind 10 kW; EUR 0.10 per kWh, in the third quarter-hour 0.02. */
const scenario = (sessions: ScenarioSession[], rest: Partial<Scenario["groups"][number]> = {}): Scenario => ({
  name: "tiny",
  about: "",
  timeZone: "UTC",
  from: epochSecond(T0),
  to: epochSecond(T0 + HOUR),
  driverPrice: 350_000,
  flexSharePercent: 50,
  sessions,
  carbon: new Map(),
  prices: new Map([0, 1, 2, 3].map((k) => [SLOT + k, k === 2 ? 20_000 : 100_000])),
  events: [],
  groups: [
    {
      id: "g",
      supplyLimitW: 10_000,
      evses: [
        { id: "a", maxPowerW: 8_000, phases: 1 },
        { id: "b", maxPowerW: 8_000, phases: 1 },
      ],
      demand: null,
      production: null,
      ...rest,
    },
  ],
});
const whBySlot = (carWs: Record<string, Record<number, number>>) =>
  [0, 1, 2, 3].map((k) => Math.round((carWs.g?.[SLOT + k] ?? 0) / 3.6) / 1000);
const wh = (outcome: { delivered: ReadonlyMap<string, number> }) =>
  Object.fromEntries([...outcome.delivered].map(([id, ws]) => [id, Math.round(ws / 3.6) / 1000]));

describe("Uncontrolled charging", () => {
  it("draws full power from plug-in until the battery is full, whatever the limit", () => {
    const outcome = uncontrolled(scenario([session("1", "a"), session("2", "b", { takenWh: 3_000 })]));
    // 16 kW for 15 min, then 16 kW for 7.5 min, then 8 kW for 7.5 min.
    expect(whBySlot(outcome.carWs)).to.deep.equal([4_000, 3_000, 0, 0]);
    expect(wh(outcome)).to.deep.equal({ 1: 4_000, 2: 3_000 });
    expect(costOf(scenario([]), outcome.carWs)).to.deep.equal({
      importMicroEur: 700_000n,
      deliveredWh: 7_000,
      violations: 2,
      slots: 4,
      maxImportW: 16_000,
    });
  });

  it("ends when the car leaves, and draws the car's power where that is lower", () => {
    const outcome = uncontrolled(scenario([session("1", "a", { plugIn: 600, plugOut: 1_200, maxPowerW: 6_000 })]));
    expect(whBySlot(outcome.carWs)).to.deep.equal([500, 500, 0, 0]);
  });
});

describe("Equal share", () => {
  it("divides the limit equally and gives what one cannot take to the other", () => {
    const outcome = equalShare(scenario([session("1", "a", { maxPowerW: 2_000 }), session("2", "b")]));
    // 2 kW and 8 kW for half an hour, when the second one has its 4 kWh; then 2 kW.
    expect(whBySlot(outcome.carWs)).to.deep.equal([2_500, 2_500, 500, 500]);
    expect(wh(outcome)).to.deep.equal({ 1: 2_000, 2: 4_000 });
  });

  it("divides anew when a car comes, is full, or leaves", () => {
    const outcome = equalShare(
      scenario([session("1", "a"), session("2", "b", { plugIn: 900, plugOut: 1_800, takenWh: 9_000 })]),
    );
    // 2,000 Wh alone; then 5 kW each for 15 min: 1,250 each; then 750 Wh of the first one at 8 kW.
    expect(whBySlot(outcome.carWs)).to.deep.equal([2_000, 2_500, 750, 0]);
    expect(wh(outcome)).to.deep.equal({ 1: 4_000, 2: 1_250 });
  });

  it("leaves the building its load, adds PV, and gives nothing when the building takes all", () => {
    const demand = new Map([0, 1, 2, 3].map((k) => [SLOT + k, [4_000, 10_000, 12_000, 4_000][k]!]));
    const production = new Map([[SLOT, 1_000]]);
    const outcome = equalShare(scenario([session("1", "a", { takenWh: 9_000 })], { demand, production }));
    expect(whBySlot(outcome.carWs)).to.deep.equal([7_000 / 4, 0, 0, 6_000 / 4]);
  });
});

describe("Perfect foresight", () => {
  it("charges the energy that was really delivered where it is cheapest, below the limit", () => {
    const tiny = scenario([session("1", "a"), session("2", "b")]);
    const outcome = perfectForesight(
      tiny,
      new Map([
        ["1", 2_000],
        ["2", 1_500],
      ]),
    );
    // The cheap quarter-hour holds 2,500 Wh; 1,000 Wh go elsewhere.
    expect(whBySlot(outcome.carWs)[2]).to.equal(2_500);
    expect(wh(outcome)).to.deep.equal({ 1: 2_000, 2: 1_500 });
    expect(costOf(tiny, outcome.carWs).importMicroEur).to.equal(2_500n * 20n + 1_000n * 100n);
    expect(costOf(tiny, outcome.carWs).violations).to.equal(0);
  });

  it("does not charge before plug-in or after plug-out", () => {
    const tiny = scenario([session("1", "a", { plugIn: 300, plugOut: 1_500 })]);
    const outcome = perfectForesight(tiny, new Map([["1", 2_000]]));
    const [first, second, ...rest] = whBySlot(outcome.carWs);
    expect(first! + second!).to.equal(2_000);
    expect(first).to.be.at.most((8_000 * 600) / 3600);
    expect(second).to.be.at.most((8_000 * 600) / 3600);
    expect(rest).to.deep.equal([0, 0]);
  });
});

describe("The cost of charging", () => {
  it("is what the cars add to the import: nothing while PV surplus feeds them", () => {
    const production = new Map([[SLOT, 6_000]]);
    const demand = new Map([[SLOT, 2_000]]);
    const tiny = scenario([], { demand, production });
    // Surplus 4 kW; the cars take 7 kW: 3 kW for a quarter-hour are imported, 750 Wh at EUR 0.10.
    expect(costOf(tiny, { g: { [SLOT]: 7_000 * 900 } })).to.include({ importMicroEur: 75_000n, maxImportW: 3_000 });
    expect(costOf(tiny, { g: { [SLOT]: 4_000 * 900 } })).to.include({ importMicroEur: 0n });
  });

  it("is negative where the price is", () => {
    const tiny = { ...scenario([]), prices: new Map([[SLOT, -50_000]]) };
    expect(costOf(tiny, { g: { [SLOT]: 8_000 * 900 } }).importMicroEur).to.equal(-100_000n);
    expect(perKwh(-100_000n, 2_000)).to.equal("-50000");
  });

  it("counts a slot above the limit as violation only when cars draw in it", () => {
    const demand = new Map([
      [SLOT, 10_001],
      [SLOT + 1, 10_001],
      [SLOT + 2, 9_000],
    ]);
    const tiny = scenario([], { demand });
    const carWs = { g: { [SLOT + 1]: 1, [SLOT + 2]: 1_000 * 900 } };
    expect(costOf(tiny, carWs).violations).to.equal(1);
    expect(costOf(tiny, carWs, () => 20_000).violations).to.equal(0);
  });

  it("per kWh is rounded down, also below 0, and unknown without energy", () => {
    expect(perKwh(100n, 3_000)).to.equal("33");
    expect(perKwh(-100n, 3_000)).to.equal("-34");
    expect(perKwh(100n, 0)).to.equal(null);
  });
});
