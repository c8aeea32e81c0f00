/**
 * npm run bench -- value [--json] [--scenarios DIR] [--only NAME,..] [--algorithms NAME,..] : what each algorithm is worth
 * at every scenario of a folder (test/scenarios by default), through the real use cases without a chain. Returns false
 * when an algorithm that keeps limits broke one, or when a promise was broken by the system.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readScenario } from "../../backend/replay/scenario.ts";
import { type Figures, header, row } from "./figures.ts";
import { CHOICES, foresightFigures, scenarioFigures } from "./scenarioValue.ts";

const SCENARIOS = fileURLToPath(new URL("../../test/scenarios", import.meta.url));

export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      scenarios: { type: "string", default: SCENARIOS },
      only: { type: "string" },
      algorithms: { type: "string" },
    },
  });
  const picked = (list: string | undefined, name: string) => list === undefined || list.split(",").includes(name);
  const folders = scenarioFolders(values.scenarios).filter((name) => picked(values.only, name));
  if (folders.length === 0) throw new Error(`There is no such scenario in ${values.scenarios}.`);
  const figures: Figures[] = [];
  const add = (one: Figures) => {
    figures.push(one);
    if (!values.json) console.log(row(one));
  };
  if (!values.json) console.log(header());
  for (const name of folders) {
    const scenario = readScenario(join(values.scenarios, name));
    for (const choice of CHOICES)
      if (picked(values.algorithms, choice.name)) add(await scenarioFigures(scenario, choice));
    add(foresightFigures(scenario));
  }
  const ok = figures.every((one) => one.limitViolations === 0 || one.algorithm.startsWith("uncontrolled"));
  if (values.json) console.log(JSON.stringify({ benchmark: "value", node: process.version, ok, figures }, null, 2));
  return ok;
}

export const scenarioFolders = (folder: string) =>
  readdirSync(folder).filter((name) => existsSync(join(folder, name, "scenario.json")));
