/**
 * npm run bench -- forecast [--json] [--scenarios DIR] [--only NAME,..] [--quantiles 500,800,..] : how sure promises are
 * that rest on forecasts which learn from their own errors, for several quantiles, at every scenario with other load
 * behind the limit. Two tables: how often the true net load was above the bound, and what was promised and fell short.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createForecaster } from "../../backend/optimisation/forecast.ts";
import { netW } from "../../backend/replay/baselines.ts";
import { readScenario, type Scenario } from "../../backend/replay/scenario.ts";
import { percent } from "./figures.ts";
import { runScenario } from "./scenarioRun.ts";
import { possibleWh, SCENARIOS, scenarioFolders } from "./scenarios.ts";

const QUANTILES = "500,800,900,950,990";
/** Slots ahead: a quarter of an hour, an hour, four hours, a day. */
const HORIZONS = [1, 4, 16, 96] as const;
/** The first days teach. */
const LEARNING_SLOTS = 2 * 96;

type Coverage = { readonly perMille: number; readonly abovePercent: readonly number[] };
type Promised = {
  readonly perMille: number;
  readonly made: number;
  readonly promisedKwh: number;
  /** Of what the smart stays allow by themselves. */
  readonly promisedPercent: number;
  readonly kept: number;
  /** Missing by the fault of the operator or of the system. */
  readonly shortKwh: number;
  readonly deliveredKwh: number;
  readonly limitViolations: number;
};

export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      scenarios: { type: "string", default: SCENARIOS },
      only: { type: "string" },
      quantiles: { type: "string", default: QUANTILES },
    },
  });
  const quantiles = values.quantiles.split(",").map(Number);
  const results = [];
  for (const name of scenarioFolders(values.scenarios, values.only)) {
    const scenario = readScenario(join(values.scenarios, name));
    if (!scenario.groups.some((group) => group.demand || group.production)) continue;
    const coverage = quantiles.map((perMille) => coverageOf(scenario, perMille));
    const promised: Promised[] = [];
    for (const perMille of quantiles) promised.push(await promisedAt(scenario, perMille));
    results.push({ scenario: scenario.name, coverage, promised });
    if (!values.json) console.log(text(scenario.name, coverage, promised));
  }
  if (values.json) console.log(JSON.stringify({ benchmark: "forecast", node: process.version, results }, null, 2));
  return results.every(({ promised }) => promised.every((one) => one.limitViolations === 0));
}

/** Share of slots whose true net load was above the bound that was made so many slots before, per cent. */
function coverageOf(scenario: Scenario, perMille: number): Coverage {
  const above = HORIZONS.map(() => 0);
  const told = HORIZONS.map(() => 0);
  for (const group of scenario.groups) {
    const slots = [...new Set([...(group.demand?.keys() ?? []), ...(group.production?.keys() ?? [])])].sort(
      (a, b) => a - b,
    );
    const forecaster = createForecaster([], perMille);
    for (const [i, slot] of slots.entries()) {
      if (i >= LEARNING_SLOTS) {
        const bound = forecaster.conservative({ nowSlot: slot, horizonSlots: 97 });
        for (const [k, horizon] of HORIZONS.entries()) {
          const target = slot + horizon - 1;
          if (target > (slots.at(-1) as number)) continue;
          told[k]!++;
          if (netW(group, target) > bound.demandW[horizon - 1]! - bound.productionW[horizon - 1]!) above[k]!++;
        }
      }
      const demandW = group.demand?.get(slot) ?? 0;
      forecaster.fold({ slot, demandW, productionW: group.production?.get(slot) ?? 0 });
    }
  }
  return { perMille, abovePercent: HORIZONS.map((_, k) => percent(above[k]!, told[k]!)) };
}

/** Admission and planning with this quantile, through the real use cases. */
const promisedAt = (scenario: Scenario, perMille: number): Promise<Promised> =>
  runScenario(
    scenario,
    { settings: { quantilePerMille: perMille } },
    async ({ report: { promises, energy, limits } }) => ({
      perMille,
      made: promises.made,
      promisedKwh: promises.promisedWh / 1000,
      promisedPercent: percent(promises.promisedWh, possibleWh(scenario)),
      kept: promises.kept,
      shortKwh: (promises.shortWhBy.operator + promises.shortWhBy.system) / 1000,
      deliveredKwh: energy.deliveredWh / 1000,
      limitViolations: limits.violations,
    }),
  );

function text(name: string, coverage: readonly Coverage[], promised: readonly Promised[]): string {
  const table = (heads: readonly string[], rows: readonly (readonly (string | number)[])[]) =>
    [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return [
    `${name}: true net load above the bound, % of slots`,
    table(
      ["quantile per mille", "1/4 h", "1 h", "4 h", "24 h"],
      coverage.map((one) => [one.perMille, ...one.abovePercent]),
    ),
    `${name}: promises`,
    table(
      [
        "quantile per mille",
        "made",
        "promised kWh",
        "of the possible %",
        "kept",
        "short by us kWh",
        "delivered kWh",
        "slots above limit",
      ],
      promised.map((one) => [
        one.perMille,
        one.made,
        one.promisedKwh.toFixed(1),
        one.promisedPercent,
        one.kept,
        one.shortKwh.toFixed(2),
        one.deliveredKwh.toFixed(1),
        one.limitViolations,
      ]),
    ),
  ].join("\n");
}
