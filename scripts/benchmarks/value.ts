/**
 * npm run bench -- value [--json] [--scenarios DIR] [--only NAME,..] [--algorithms NAME,..] [--days 365] [--curve]
 * `--only year` leaves the scenarios out, `--only` with names of scenarios the year.
 * What each algorithm is worth beside perfect foresight: at every scenario of a folder (test/scenarios by default) through
 * the real use cases without a chain, and over a generated year at three sites.
 * --curve: instead, cost against energy delivered over the parameters of the price of waiting.
 * False when an algorithm that keeps limits broke one.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { AlgorithmChoice } from "../../backend/domain/algorithms.ts";
import { readScenario } from "../../backend/replay/scenario.ts";
import { type Figures, header, row } from "./figures.ts";
import { SCENARIOS, scenarioFolders } from "./scenarios.ts";
import { CHOICES, equalShareFigures, foresightFigures, scenarioFigures } from "./scenarioValue.ts";
import { DAYS, YEAR_SITES, yearOf } from "./year.ts";
import { yearFigures, yearForesight } from "./yearValue.ts";

/** Each parameter is varied alone, the others keep their default. */
const CURVE: readonly AlgorithmChoice[] = [
  { automaticEarly: 0 },
  ...[0, 50_000, 100_000, 150_000, 200_000, 300_000, 600_000].map((value) => ({ lostMicroEurPerKwh: value })),
  ...[0, 10_000, 20_000, 40_000, 80_000].map((value) => ({ scarceMicroEurPerKwhHour: value })),
].map((parameters) => ({ name: "least-cost", parameters }));

export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      scenarios: { type: "string", default: SCENARIOS },
      only: { type: "string" },
      algorithms: { type: "string" },
      days: { type: "string", default: String(DAYS) },
      curve: { type: "boolean", default: false },
    },
  });
  const days = Number(values.days);
  const only = values.only?.split(",");
  const folders = values.only === "year" ? [] : scenarioFolders(values.scenarios, values.only);
  const sites = values.curve || (only && !only.includes("year")) ? [] : YEAR_SITES;
  const choices = values.curve
    ? CURVE
    : CHOICES.filter(({ name }) => values.algorithms?.split(",").includes(name) ?? true);
  const figures: Figures[] = [];
  const add = (one: Figures) => {
    figures.push(one);
    if (!values.json) console.log(row(one));
  };
  if (!values.json) console.log(header());
  for (const name of folders) {
    const scenario = readScenario(join(values.scenarios, name));
    for (const choice of choices) add(await scenarioFigures(scenario, choice));
    add(equalShareFigures(scenario));
    add(foresightFigures(scenario));
  }
  for (const name of sites) {
    const year = yearOf(name, 1, days);
    for (const choice of choices) add(await yearFigures(year, days, choice));
    add(yearForesight(year));
  }
  const ok = figures.every((one) => one.limitViolations === 0 || one.algorithm.startsWith("uncontrolled"));
  if (values.json) console.log(JSON.stringify({ benchmark: "value", node: process.version, ok, figures }, null, 2));
  return ok;
}
