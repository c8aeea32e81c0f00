/** The scenarios that a benchmark runs over. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Scenario } from "../../backend/replay/scenario.ts";

/** Where the project's own scenarios lie. */
export const SCENARIOS = fileURLToPath(new URL("../../test/scenarios", import.meta.url));

/** Names of the scenarios in a folder, or those of a comma-separated list. Throws when there is none. */
export function scenarioFolders(folder: string, only?: string): string[] {
  const names = readdirSync(folder).filter(
    (name) => existsSync(join(folder, name, "scenario.json")) && (!only || only.split(",").includes(name)),
  );
  if (names.length === 0)
    throw new Error(`There is no scenario ${only ?? ""} in ${folder}. Name a folder of scenarios.`);
  return names;
}

/** What the stays of drivers who take part allow by themselves, up to what these wish, Wh. */
export const possibleWh = (scenario: Scenario) =>
  scenario.sessions
    .filter(({ smart }) => smart)
    .reduce((sum, session) => {
      const evses = scenario.groups.flatMap((group) => group.evses);
      const evseW = evses.find(({ id }) => id === session.evseId)?.maxPowerW ?? 0;
      const stayS = Math.max(0, session.departure - session.plugIn);
      return sum + Math.min(session.needWh, Math.floor((Math.min(session.maxPowerW, evseW) * stayS) / 3600));
    }, 0);
