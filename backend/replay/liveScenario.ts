/**
 * A scenario that goes on in real time. What lies in the past is replayed at the start, in seconds; from then on each event
 * is handled when it is due. Where it began is kept with the database, so that a service that was stopped goes on with it.
 */
import { SLOT_S, slotFloor } from "../domain/slots.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import { reconcileBoard } from "../usecases/loadBoard.ts";
import type { Settings, World } from "../usecases/ports.ts";
import { postBills } from "../usecases/postBills.ts";
import { type ReplaySystem, registerSite, requireOwnSite, worldOf } from "./replayScenario.ts";
import { createRun, type ScenarioRun, type ScenarioState } from "./runScenario.ts";
import type { Scenario } from "./scenario.ts";

const DAY_S = 86_400;
/** The chain writer runs after so many slots of the past. */
const SLOTS_PER_PASS = 8;

/** A site by its name, as it is from an instant on. */
export type LivingSite = {
  readonly name: string;
  /** When its cars came; absent where they are made up. */
  readonly recorded?: { readonly from: EpochSecond; readonly until: EpochSecond };
  readonly from: (from: EpochSecond) => Scenario;
};

export type LiveOptions = {
  /** How much of the past is replayed at the first start. */
  readonly days: number;
  readonly settings: Settings;
  /** What the world has beyond a replay's. */
  readonly more: Partial<World>;
  /** The wall clock, epoch ms. */
  readonly wall: () => number;
  /** Share of the past that is replayed, 0 to 1. */
  readonly onProgress: (share: number) => void;
};

export async function liveScenario(system: ReplaySystem, site: LivingSite, options: LiveOptions): Promise<ScenarioRun> {
  const { store, writer } = system;
  const nowS = () => Math.floor(options.wall() / 1000);
  const anchored = `${site.name}-anchor`;
  const anchor = (await store.snapshots.load(anchored))?.state as { from: number } | undefined;
  const from = epochSecond(anchor?.from ?? slotFloor(epochSecond(nowS() - options.days * DAY_S)));
  const scenario = site.from(from);
  const saved = (await store.snapshots.load(`replay:${scenario.name}`))?.state as ScenarioState | undefined;
  if (!saved) await requireOwnSite(store, scenario.name);
  if (!anchor) await store.snapshots.save(anchored, from, { from });
  const run = createRun(scenario, saved ?? null, (parts) => ({
    ...parts,
    ...worldOf(system, { ...options.settings, flexSharePercent: scenario.flexSharePercent }),
    ...options.more,
  }));
  if (saved) await reconcileBoard(store, run.world.clock, run.world.board, saved.clock.now);
  else await registerSite(system, run);

  const began = run.world.clock.now();
  for (let steps = 1; run.world.clock.now() + SLOT_S <= nowS() && (await run.step()); steps++) {
    if (steps % SLOTS_PER_PASS === 0) await writer.pass();
    options.onProgress((run.world.clock.now() - began) / Math.max(1, nowS() - began));
  }
  await postBills(run.world, true);
  return run;
}
