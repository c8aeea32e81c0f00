/** A replay is saved with every slot. What it knows beyond that is lost with the process, so it must know nothing more. */
import { expect } from "chai";
import { DEFAULT_SETTINGS, derivedRandom, openSystem, type System } from "../../backend/compose.ts";
import { registerSite, replayScenario, worldOf } from "../../backend/replay/replayScenario.ts";
import { createRun, type ScenarioState } from "../../backend/replay/runScenario.ts";
import { readScenario, type Scenario } from "../../backend/replay/scenario.ts";
import { factsOf, SAMPLE } from "../support/replays.ts";

const scenario = readScenario(SAMPLE);

describe("A replay that is begun anew after every slot", () => {
  it("does what an uninterrupted one does", async () => {
    const whole = await factsAfter(runThrough);
    const pieces = await factsAfter(beginAnewEachSlot);
    expect(pieces).to.deep.equal(whole);
  });

  it("refuses a database that holds another replay", async () => {
    const system = await openSystem({ random: derivedRandom("another") });
    try {
      const { store, ledger, wallets, random, solver, writer, treasury } = system;
      await registerSite(system, begin(system, null));
      const other = { ...scenario, name: "elsewhere" };
      const audit = () => Promise.reject(new Error("never reached"));
      const options = { scenario: other, settings: DEFAULT_SETTINGS, version: "0", totals: audit, audit };
      const failed = await replayScenario({ store, ledger, wallets, random, solver, writer, treasury }, options).catch(
        (error: unknown) => error,
      );
      expect(String(failed)).to.match(/holds another site.*none of elsewhere.*empty database/);
      expect((await store.sites.cpos()).length).to.equal(1);
    } finally {
      await system.close();
    }
  });
});

async function factsAfter(work: (system: System) => Promise<void>) {
  const system = await openSystem({ random: derivedRandom(`replay of ${scenario.name}`) });
  try {
    await work(system);
    return await factsOf(system.database.db);
  } finally {
    await system.close();
  }
}

async function runThrough(system: System): Promise<void> {
  const run = begin(system, null);
  await registerSite(system, run);
  while (await run.step());
}

/** Only what the database holds goes on; the first start is cut off between registration and the first slot. */
async function beginAnewEachSlot(system: System): Promise<void> {
  await registerSite(system, begin(system, null));
  for (;;) {
    const saved = await system.store.snapshots.load(`replay:${scenario.name}`);
    if (!(await begin(system, saved?.state as ScenarioState).step())) return;
  }
}

const begin = (system: System, saved: ScenarioState | null, of: Scenario = scenario) =>
  createRun(of, saved, (parts) => ({ ...parts, ...worldOf(system, DEFAULT_SETTINGS) }));
