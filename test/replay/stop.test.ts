import { expect } from "chai";
import { DEFAULT_SETTINGS, derivedRandom, openSystem, type System } from "../../backend/compose.ts";
import { registerSite, worldOf } from "../../backend/replay/replayScenario.ts";
import { createRun } from "../../backend/replay/runScenario.ts";
import { readScenario } from "../../backend/replay/scenario.ts";
import { askToStop } from "../../backend/usecases/askToStop.ts";
import { SAMPLE } from "../support/replays.ts";

const scenario = readScenario(SAMPLE);

describe("A simulated station that is asked to end a session", () => {
  let system: System;
  beforeEach(async () => {
    system = await openSystem({ random: derivedRandom("stop") });
  });
  afterEach(() => system.close());

  it("unplugs the car, once, and the bill is made", async () => {
    const run = createRun(scenario, null, (parts) => ({ ...parts, ...worldOf(system, DEFAULT_SETTINGS) }));
    await registerSite(system, run);
    const { store } = system;
    const first = scenario.sessions.toSorted((a, b) => a.plugIn - b.plugIn)[0]!;
    while ((await store.sessions.byId(first.id)) === null) await run.step();
    const open = (await store.sessions.byId(first.id))!;
    expect(open.unpluggedAt).to.equal(null);
    const asked = [
      await askToStop(run.world, { sessionId: first.id }),
      await askToStop(run.world, { sessionId: first.id }),
    ];
    expect(asked.map(({ kind }) => kind)).to.deep.equal(["asked", "asked"]);
    await run.step();
    const ended = (await store.sessions.byId(first.id))!;
    expect(ended.unpluggedAt).to.be.within(run.world.clock.now() - 900, first.plugOut - 1);
    expect((await store.bills.ofSession(first.id))!.energyWh).to.equal(ended.endRegisterWh! - ended.startRegisterWh);
    expect(run.state.site.evses[first.evseId]!.car).to.equal(null);
  });
});
