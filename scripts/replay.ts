/** npm run replay -- --scenario DIR --out report.json: the main job over recorded sessions in virtual time. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exportChain } from "../backend/adapters/chain/embedded.ts";
import { auditSystem } from "../backend/auditSystem.ts";
import { chainTotals } from "../backend/chainTotals.ts";
import { DEFAULT_SETTINGS, derivedRandom, openSystem } from "../backend/compose.ts";
import { readConfig } from "../backend/config.ts";
import { type AlgorithmChoice, DEFAULT_ALGORITHM } from "../backend/domain/algorithms.ts";
import { parseChoice } from "../backend/optimisation/algorithms.ts";
import { replayScenario } from "../backend/replay/replayScenario.ts";
import { readScenario, type Scenario } from "../backend/replay/scenario.ts";

const USAGE = `npm run replay -- --scenario DIR [--out report.json] [--forecast persistence|actual] [--save DIR]
                                 [--algorithm NAME [--parameter NAME=VALUE]...]
  --scenario  folder in the format of test/scenarios/README.md
  --out       where the report goes; standard output when absent
  --forecast  persistence (default), or the files' own values
  --algorithm how the groups share out their power; least-cost when absent
  --parameter of the algorithm, by name; its default when absent
  --save      folder for the database and the chain, to be audited later with npm run verify -- --run DIR
With DATABASE_URL and CHAIN_RPC_URL the replay runs on PostgreSQL and a JSON-RPC node, and goes on after a kill.`;

const { values } = parseArgs({
  options: {
    scenario: { type: "string" },
    out: { type: "string" },
    forecast: { type: "string", default: "persistence" },
    save: { type: "string" },
    algorithm: { type: "string", default: DEFAULT_ALGORITHM.name },
    parameter: { type: "string", multiple: true, default: [] },
    help: { type: "boolean", default: false },
  },
});

if (values.help || !values.scenario || !["persistence", "actual"].includes(values.forecast)) {
  console.error(USAGE);
  process.exit(values.help ? 0 : 2);
}

let lastPercent = -1;
const config = readConfig();
const algorithm = choiceOrSay(values.algorithm, values.parameter);
const scenario = readOrSay(values.scenario);
const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};
if (values.save && config.databaseUrl) {
  console.error("--save keeps the embedded database and chain; with DATABASE_URL they are kept where they are.");
  process.exit(2);
}

const system = await openSystem({
  database: config.databaseUrl ? { url: config.databaseUrl } : {},
  chainRpcUrls: config.chainRpcUrls,
  privacy: config.privacy,
  publicRows: config.publicRows,
  random: derivedRandom(`replay of ${scenario.name}`),
  alarm: (text) => console.error(`chain: ${text}`),
});
try {
  const { report } = await replayScenario(system, {
    scenario,
    algorithm,
    settings: {
      ...DEFAULT_SETTINGS,
      flexSharePercent: scenario.flexSharePercent,
      forecast: values.forecast as "persistence" | "actual",
    },
    version,
    totals: () => chainTotals(system),
    audit: async () => {
      const found = await auditSystem(system, { market: DEFAULT_SETTINGS.market });
      for (const { what, where, text } of found.differences.slice(0, 20)) console.error(`${what}: ${where}: ${text}`);
      return found;
    },
    onProgress: showProgress,
  });
  if (process.stderr.isTTY) process.stderr.write("\n");
  const text = `${JSON.stringify(report, null, 2)}\n`;
  if (values.out) await writeFile(values.out, text);
  else process.stdout.write(text);
  if (values.save && system.embedded) {
    await mkdir(values.save, { recursive: true });
    await writeFile(join(values.save, "database.tar"), await system.database.dump());
    await writeFile(join(values.save, "chain.json"), JSON.stringify(await exportChain(system.embedded)));
  }
  if (!report.audit.ok) {
    console.error("The audit found differences; npm run verify names them.");
    process.exitCode = 1;
  }
} finally {
  await system.close();
}
process.exit(process.exitCode ?? 0);

function choiceOrSay(name: string, parameters: readonly string[]): AlgorithmChoice {
  const values = parameters.map((text) => {
    const [key = "", ...value] = text.split("=");
    const number = value.join("=");
    return [key, /^-?\d+$/.test(number) ? Number(number) : number] as const;
  });
  const parsed = parseChoice(name, Object.fromEntries(values));
  if (parsed.kind === "choice") return parsed.choice;
  console.error(parsed.text);
  process.exit(2);
}

function readOrSay(folder: string): Scenario {
  try {
    return readScenario(folder);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(2);
  }
}

/** One line that is rewritten on a terminal; a log gets one line for every tenth. */
function showProgress(share: number, what: string): void {
  const percent = Math.floor(share * 100);
  if (process.stderr.isTTY)
    process.stderr.write(
      `\r[${"#".repeat(percent / 4).padEnd(25)}] ${String(percent).padStart(3)} % ${what.padEnd(10)}`,
    );
  else if (percent % 10 === 0 && percent !== lastPercent) process.stderr.write(`${percent} % ${what}\n`);
  lastPercent = percent;
}
