import { expect } from "chai";
import { createStore } from "../../backend/adapters/store/store.ts";
import { type AlgorithmChoice, DEFAULT_ALGORITHM } from "../../backend/domain/algorithms.ts";
import { epochSecond } from "../../backend/domain/units.ts";
import { sitePlanOf } from "../../backend/replay/replayScenario.ts";
import { makeReport } from "../../backend/replay/report.ts";
import { createRun } from "../../backend/replay/runScenario.ts";
import type { Scenario, ScenarioEvent, ScenarioSession } from "../../backend/replay/scenario.ts";
import { withoutTimings } from "../../backend/replay/withoutTimings.ts";
import { postBills } from "../../backend/usecases/postBills.ts";
import { registerDrivers } from "../../backend/usecases/registerDriver.ts";
import { setUpSite } from "../../backend/usecases/setUpSite.ts";
import { emptyDatabase } from "../support/databases.ts";
import { aWorldAround, HOUR, MINUTE } from "../support/world.ts";

const MONDAY = Date.parse("2026-03-02T08:00:00Z") / 1000;

type Part = Partial<Omit<ScenarioSession, "plugIn" | "plugOut" | "departure">> & {
  readonly stay: [number, number];
  readonly leaves?: number;
};
const session = (from: number, id: string, { stay, leaves, ...part }: Part): ScenarioSession => ({
  id,
  evseId: "a",
  driverId: `driver-${id}`,
  plugIn: epochSecond(from + stay[0] * MINUTE),
  plugOut: epochSecond(from + stay[1] * MINUTE),
  departure: epochSecond(from + (leaves ?? stay[1]) * MINUTE),
  needWh: 4_000,
  takenWh: 4_000,
  maxPowerW: 8_000,
  phases: 1,
  smart: true,
  ...part,
});

/** Three hours behind 10 kW, EUR 0.10 per kWh, in the second hour 0.02. */
function tiny(from: number, sessions: ScenarioSession[], events: ScenarioEvent[] = []): Scenario {
  return {
    name: "tiny",
    about: "",
    timeZone: "Europe/Oslo",
    from: epochSecond(from),
    to: epochSecond(from + 3 * HOUR),
    driverPrice: 300_000,
    flexSharePercent: 50,
    sessions,
    carbon: new Map(),
    prices: new Map(
      Array.from({ length: 4 * 96 }, (_, k) => [from / 900 - 96 + k, k >= 100 && k < 104 ? 20_000 : 100_000]),
    ),
    events,
    groups: [
      {
        id: "g",
        supplyLimitW: 10_000,
        evses: ["a", "b"].map((id) => ({ id, maxPowerW: 8_000, phases: 1 as const })),
        demand: null,
        production: null,
      },
    ],
  };
}

async function reportOf(scenario: Scenario, algorithm: AlgorithmChoice = DEFAULT_ALGORITHM) {
  const { db } = await emptyDatabase("pglite");
  const store = createStore(db);
  const run = createRun(scenario, null, (parts) => aWorldAround({ ...parts, store }));
  await setUpSite(run.world, sitePlanOf(scenario, `0x${"77".repeat(20)}`, algorithm));
  await registerDrivers(
    run.world,
    scenario.sessions.map(({ driverId }) => ({ id: driverId, accountId: null, name: driverId, consentText: "yes" })),
  );
  while (await run.step());
  await postBills(run.world, true);
  const chain = {
    transactions: 7,
    gasUsed: 8n,
    runsRecorded: 9,
    sessionsSettled: 2,
    redeemedMicroEur: 1_000n,
    shortfallMicroEur: 0n,
  };
  const audit = { ok: true, runsChecked: 1, billsChecked: 2, leavesChecked: 3 };
  return makeReport(run, store, "test", chain, audit, 1);
}

describe("The report of a replay", () => {
  it("says which algorithm ran, with all of its parameters, and what it cost above the optimum", async () => {
    const one = tiny(MONDAY, [session(MONDAY, "1", { stay: [0, 150] })]);
    const rule = await reportOf(one, { name: "equal-share", parameters: {} });
    expect(rule).to.deep.include({ algorithm: "equal-share", parameters: { protectPromises: 1 } });
    // It charges at once instead of waiting for the cheap hour.
    expect(rule.plans.gapMicroEurMax).to.be.greaterThan(0);
    const optimum = await reportOf(one);
    expect(optimum).to.include({ algorithm: "least-cost" });
    expect(optimum.plans.gapMicroEurMax).to.equal(0);
    expect(BigInt(rule.cost.importMicroEur) > BigInt(optimum.cost.importMicroEur)).to.equal(true);
  });

  it("has figures that can be checked by hand", async () => {
    // The first one waits for the cheap hour, the second one does not take part and charges at once.
    const report = await reportOf(
      tiny(MONDAY, [
        session(MONDAY, "1", { stay: [0, 150] }),
        session(MONDAY, "2", { evseId: "b", stay: [0, 50], takenWh: 2_000, needWh: 3_000, smart: false }),
      ]),
    );
    expect(report.sessions).to.deep.equal({
      total: 2,
      smart: 1,
      accepted: 1,
      counterOffered: 0,
      refused: 0,
      optedOut: 1,
    });
    const nobody = { driver: 0, vehicle: 0, grid: 0, operator: 0, system: 0 };
    expect(report.promises).to.deep.equal({
      ...{ made: 1, kept: 1, late: 0, short: 0, open: 0, promisedWh: 4_000 },
      ...{ shortWhBy: nobody, compensationMicroEur: "0" },
    });
    expect(report.energy).to.deep.equal({
      needWh: 7_000,
      takenPossibleWh: 6_000,
      deliveredWh: 6_000,
      deferralHarmWh: 0,
    });
    expect(report.limits).to.include({ slots: 12, violations: 0 });
    expect(report.limits.maxImportW).to.be.within(7_900, 8_000);
    // 2 kWh at EUR 0.10 and 4 kWh at 0.02, but for what was charged in the last minute before the cheap hour.
    expect(Number(report.cost.importMicroEur)).to.be.within(280_000, 283_000);
    expect(report.cost.perKwhMicroEur).to.equal(String(Math.floor(Number(report.cost.importMicroEur) / 6)));
    expect(report.cost.baselines.uncontrolled).to.deep.equal({
      importMicroEur: "600000",
      deliveredWh: 6_000,
      perKwhMicroEur: "100000",
      // 16 kW for the quarter-hour in which the second one is not full yet.
      violations: 1,
    });
    expect(report.cost.baselines.equalShare).to.include({
      importMicroEur: "600000",
      deliveredWh: 6_000,
      violations: 0,
    });
    expect(report.cost.baselines.perfectForesight).to.include({ importMicroEur: "280000", deliveredWh: 6_000 });
    expect(report.bills).to.deep.equal({
      ...{ count: 2, energyWh: 6_000, amountMicroEur: "1800000" },
      ...{ creditMicroEur: "0", shortfallMicroEur: "0" },
    });
    expect(report.cost.cpoMarginMicroEur).to.equal(String(1_800_000 - Number(report.cost.importMicroEur) - 1_000));
    // 4 kWh moved from EUR 0.10 to 0.02; the opted-out car moved nothing.
    expect(report.flexibility).to.include({ deliveredWh: 4_000, mintedWh: 4_000, redeemedMicroEur: "1000" });
    expect(Number(report.flexibility.valueMicroEur)).to.be.within(310_000, 320_000);
    expect(report.plans).to.include({ fallback: 0, gapMicroEurMax: 0, incidents: 0 });
    expect(report.plans.certified).to.equal(report.plans.cycles);
  });

  it("names the driver who left early, and what waiting cost them", async () => {
    const leaves = session(MONDAY, "1", { stay: [0, 30], leaves: 150 });
    const report = await reportOf(tiny(MONDAY, [leaves]));
    const { energy, promises } = report;
    expect(energy.deliveredWh).to.be.lessThan(100);
    expect(promises).to.deep.include({ made: 1, short: 1, promisedWh: 4_000 });
    expect(promises.shortWhBy.driver).to.equal(4_000 - energy.deliveredWh);
    // Equal share would have had the 4 kWh in within the half hour.
    expect(energy.deferralHarmWh).to.equal(4_000 - energy.deliveredWh);
  });

  it("judges a lowered limit by its mean over the slot", async () => {
    const at = epochSecond(MONDAY + 20 * MINUTE);
    const events = [
      { at, kind: "order", target: "g", value: "-6000:3600" },
      { at: epochSecond(MONDAY + 90 * MINUTE), kind: "fault", target: "a", value: "600" },
    ];
    const report = await reportOf(
      tiny(
        MONDAY,
        [
          session(MONDAY, "1", { stay: [0, 170], takenWh: 16_000, needWh: 16_000 }),
          session(MONDAY, "2", { evseId: "b", stay: [5, 175], takenWh: 9_000, needWh: 9_000 }),
        ],
        events,
      ),
    );
    expect(report.limits.violations).to.equal(0);
    expect(report.limits.maxImportW).to.be.within(9_800, 10_000);
    expect(report.promises.shortWhBy).to.include({ system: 0 });
    expect(report.bills.energyWh).to.equal(report.energy.deliveredWh);
  });

  it("is the same for the hour in which clocks change: slots are UTC", async () => {
    const sessions = (from: number) => [
      session(from, "1", { stay: [10, 150] }),
      session(from, "2", { evseId: "b", stay: [20, 100], takenWh: 9_000, needWh: 9_000 }),
    ];
    const ordinary = Date.parse("2026-03-28T00:00:00Z") / 1000;
    const change = Date.parse("2026-03-29T00:00:00Z") / 1000;
    const autumn = Date.parse("2026-10-25T00:00:00Z") / 1000;
    const [a, b, c] = [
      await reportOf(tiny(ordinary, sessions(ordinary))),
      await reportOf(tiny(change, sessions(change))),
      await reportOf(tiny(autumn, sessions(autumn))),
    ].map(withoutTimings);
    expect(b).to.deep.equal(a);
    expect(c).to.deep.equal(a);
  });
});
