/** A group that grows while it is recorded: charge points and PV have rows from the slot on that the chain says. */
import { expect } from "chai";
import { createChainEye } from "../../backend/adapters/chain/chainEye.ts";
import { auditSystem } from "../../backend/auditSystem.ts";
import { DEFAULT_SETTINGS, derivedRandom, openSystem } from "../../backend/compose.ts";
import { watt } from "../../backend/domain/units.ts";
import { registerSite, sitePlanOf, worldOf } from "../../backend/replay/replayScenario.ts";
import { createRun } from "../../backend/replay/runScenario.ts";
import { readScenario } from "../../backend/replay/scenario.ts";
import { setUpSite } from "../../backend/usecases/setUpSite.ts";
import { auditedReplay } from "../support/auditedReplay.ts";
import { SAMPLE, shortened } from "../support/replays.ts";

const ROW_BYTES = 12;
const GROWS_AFTER = 5;

describe("The audit of a group that grows", function () {
  this.timeout(120_000);

  it("finds a row of each asset since its slot, and none before", async () => {
    const system = await openSystem({ random: derivedRandom("growth") });
    const scenario = readScenario(shortened(SAMPLE, 3));
    const run = createRun(scenario, null, (parts) => ({ ...parts, ...worldOf(system, DEFAULT_SETTINGS) }));
    await registerSite(system, run);
    const plan = sitePlanOf(scenario, system.treasury);
    const more = plan.groups.map((one) => ({
      ...one,
      evses: [...one.evses, { id: "late", maxPowerW: watt(11_040), phases: 3 as const }],
      pvs: [...one.pvs, { id: "late roof", ratedPowerW: watt(5000) }],
    }));
    let recordedSlot = 0;
    for (let steps = 1; await run.step(); steps++) {
      if (steps !== GROWS_AFTER) continue;
      // Recorded a minute before it begins, so without what comes now.
      recordedSlot = run.world.board.groups[plan.groups[0]!.group.id]!.recordedSlot;
      await setUpSite(run.world, { ...plan, groups: more });
    }
    await system.writer.drain();

    const report = await auditSystem(system, { market: DEFAULT_SETTINGS.market, live: true });
    expect(report.differences).to.deep.equal([]);
    const eye = await createChainEye(system.rpc, system.manifest, system.contracts, system.artifacts);
    const { evses, pvs } = plan.groups[0]!;
    const first = evses.length + pvs.length;
    const runs = await eye.runs();
    const rows = runs.map((one) => (one.rows.length / 2 - 1) / ROW_BYTES);
    expect(rows).to.deep.equal(runs.map(({ slot }) => (slot <= recordedSlot ? first : first + 2)));
    expect([...new Set(rows)]).to.deep.equal([first, first + 2]);
    await system.close();
  });

  it("names a charge point that was registered too late for the cars that stood there", async () => {
    const { eye, system, auditAfter } = await auditedReplay();
    const assets = await eye.assets();
    const [first] = await system.store.sessions.all();
    const { row } = (await system.store.sites.evse(first!.evseId))!;
    const late = Math.max(...(await eye.runs()).map(({ slot }) => slot)) + 1;
    const moved = assets.map((one) => (one.index === row ? { ...one, fromSlot: late } : one));
    const report = await auditAfter([], { chain: { ...eye, assets: async () => moved } });
    const words = `${first!.evseId} has no row before slot ${late}, but a car is there`;
    const named = report.differences.filter(({ text }) => text === words);
    // In each slot in which a car stood there as it was recorded, and in no other.
    const stays = (await system.store.sessions.all()).filter(({ evseId }) => evseId === first!.evseId);
    const occupied = stays.reduce((sum, one) => sum + Math.floor(((one.unpluggedAt ?? 0) - one.pluggedAt) / 900), 0);
    expect(named.length).to.be.within(occupied - stays.length, occupied + stays.length);
    expect(named.length).to.be.above(0);
  });
});
