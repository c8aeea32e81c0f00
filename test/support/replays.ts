/** Replays for tests: short copies of scenarios, the program as a process that can be killed, and what it left behind. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import type { OpenDatabase } from "../../backend/adapters/store/database.ts";

export const SAMPLE = fileURLToPath(new URL("../scenarios/sample/", import.meta.url));

const leftovers = new Set<() => void>();
process.once("exit", () => {
  for (const remove of leftovers) remove();
});

/** A folder that goes with this process. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "oli-move-"));
  leftovers.add(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A copy of a scenario that ends after so many hours; sessions that would still be plugged in are left out. */
export function shortened(scenario: string, hours: number): string {
  const folder = temporaryFolder();
  const file = (name: string) => readFileSync(join(scenario, name), "utf8");
  const meta = JSON.parse(file("scenario.json")) as { name: string; from: string; to: string };
  const to = new Date(Math.min(Date.parse(meta.to), Date.parse(meta.from) + hours * 3_600_000)).toISOString();
  const kept = (name: string, column: string) => {
    const [header = "", ...lines] = file(name).trimEnd().split("\n");
    const at = header.split(",").indexOf(column);
    return [header, ...lines.filter((line) => (line.split(",")[at] ?? "") < to), ""].join("\n");
  };
  const cut: Record<string, () => string> = {
    "scenario.json": () => JSON.stringify({ ...meta, name: `${meta.name}-${hours}h`, to }),
    "sessions.csv": () => kept("sessions.csv", "plug_out"),
    "events.csv": () => kept("events.csv", "at"),
  };
  for (const name of readdirSync(scenario)) writeFileSync(join(folder, name), cut[name]?.() ?? file(name));
  return folder;
}

/** The last EVSEs of its only group become a group of their own, "yard". Changes the folder. */
export function inTwoGroups(scenario: string): string {
  const file = join(scenario, "scenario.json");
  const { groups, ...meta } = JSON.parse(readFileSync(file, "utf8"));
  const [{ evses, ...garage }] = groups;
  const yard = { id: "yard", supplyLimitW: 20_000, evses: evses.slice(-4) };
  writeFileSync(file, JSON.stringify({ ...meta, groups: [{ ...garage, evses: evses.slice(0, -4) }, yard] }));
  return scenario;
}

export type ReplayProcess = {
  readonly out: string;
  /** What it wrote to standard error so far. */
  log(): string;
  /** SIGKILL: no handler runs, nothing is flushed. Answers false when it had ended by itself. */
  kill(): Promise<boolean>;
  /** Exit code; null after a kill. */
  readonly ended: Promise<number | null>;
};

/** The replay as a user starts it on PostgreSQL and a JSON-RPC node. */
export function startReplay(scenario: string, at: { readonly databaseUrl: string; readonly chainUrl: string }) {
  const out = join(temporaryFolder(), `${basename(scenario)}.json`);
  const script = fileURLToPath(new URL("../../scripts/replay.ts", import.meta.url));
  const child = spawn(process.execPath, [script, "--scenario", scenario, "--out", out], {
    env: { ...process.env, DATABASE_URL: at.databaseUrl, CHAIN_RPC_URL: at.chainUrl },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += String(chunk);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  leftovers.add(() => child.kill("SIGKILL"));
  const kill = async () => {
    child.kill("SIGKILL");
    return (await ended) === null;
  };
  return { out, log: () => log, kill, ended } satisfies ReplayProcess;
}

/** What the writer and the process know for themselves; every other table says what happened, also one that comes later. */
const NO_FACTS = ["attempt", "lane", "outbox", "snapshot"];
/** `no` has gaps where a transaction was rolled back. */
const PASSING = ["no", "solve_ms"];

/** One line per table: how many rows, and a hash of what they say. Equal for databases that hold the same facts. */
export async function factsOf(db: OpenDatabase["db"]): Promise<Record<string, string>> {
  const facts: Record<string, string> = {};
  const tables = (await db.introspection.getTables())
    .map(({ name }) => name)
    .filter((name) => !NO_FACTS.includes(name));
  for (const table of tables.sort()) {
    const { rows } = await sql<{ rows: number; hash: string | null }>`
      select count(*) as rows, md5(string_agg(line, chr(10) order by line collate "C")) as hash
      from (select (to_jsonb(t) - ${PASSING}::text[])::text as line from ${sql.table(table)} as t) as lines`.execute(
      db,
    );
    facts[table] = `${rows[0]?.rows} rows, ${rows[0]?.hash}`;
  }
  // What the writer was told to send; nonces, fees and blocks are the chain's.
  const { rows } = await sql<{ rows: number; hash: string | null }>`
    select count(*) as rows, md5(string_agg(concat_ws(' ', lane, key, state, encode(data, 'hex')), chr(10)
      order by key collate "C")) as hash from outbox`.execute(db);
  facts.outbox = `${rows[0]?.rows} rows, ${rows[0]?.hash}`;
  return facts;
}

/** Numbers that look random and are the same for the same seed (mulberry32); in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
