/**
 * npm run verify: holds everything that the contracts ever said against a database, of a saved replay, of a PostgreSQL
 * server, or of a running service. Exit code 0: no difference; 1: differences, which come first; 2: it could not be done.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createChainEye } from "../backend/adapters/chain/chainEye.ts";
import { bindContracts } from "../backend/adapters/chain/contracts.ts";
import { loadArtifacts, type Manifest } from "../backend/adapters/chain/deployment.ts";
import { type ChainDump, importChain } from "../backend/adapters/chain/embedded.ts";
import { createLedger } from "../backend/adapters/chain/ledger.ts";
import { readManifest } from "../backend/adapters/chain/manifest.ts";
import { connectRpc, type Hex, type Rpc, request } from "../backend/adapters/chain/rpc.ts";
import { type OpenDatabase, openDatabase } from "../backend/adapters/store/database.ts";
import { createStore } from "../backend/adapters/store/store.ts";
import { parseInstant } from "../backend/domain/instants.ts";
import { type AuditReport, audit, type Outage } from "../backend/usecases/audit.ts";

const USAGE = `npm run verify -- --run FOLDER            a replay that was kept with npm run replay -- --save FOLDER
                --service URL --key KEY  a running service; KEY is an audit key that its operator made
                --database URL --rpc URL a PostgreSQL server and a JSON-RPC node

  --manifest FILE        where the contracts are; else deployments/<chain id>.json, or what the database remembers
  --rpc URL              with --service: another node than the one that the service names
  --market NAME          name of the wholesale price series (day-ahead)
  --outage FROM/UNTIL    a declared time without records, RFC 3339; may be given several times
  --json                 the whole result as JSON

Exit code 0: no difference. 1: differences, named first. 2: wrong usage, or something could not be reached.`;

/** Ends with exit code 2 and this text alone. */
class CannotVerify extends Error {
  override name = "CannotVerify";
}

type Opened = {
  readonly what: string;
  readonly rpc: Rpc;
  readonly manifest: Manifest;
  readonly database: OpenDatabase;
  readonly live: boolean;
  readonly market: string | null;
  close(): Promise<void>;
};

/* ---------------------------------------------------------------------------------------------------- options */

type Options = {
  readonly run: string | null;
  readonly database: string | null;
  readonly service: string | null;
  readonly rpc: string | null;
  readonly key: string | null;
  readonly manifest: string | null;
  readonly market: string | null;
  readonly outages: readonly Outage[];
  readonly json: boolean;
};

function readOptions(): Options {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({
      options: {
        ...{ run: text, database: text, service: text, rpc: text, key: text, manifest: text, market: text },
        outage: { type: "string", multiple: true, default: [] },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const { run = null, database = null, service = null, rpc = null, key = null } = values;
    const sources = [run, database, service].filter((one) => one !== null);
    if (sources.length !== 1) throw new Error("Give one of --run, --service and --database.");
    if (database !== null && rpc === null) throw new Error("--database needs --rpc, the node that carries its chain.");
    if (service !== null && key === null)
      throw new Error("--service needs --key: only an audit key opens the database.");
    const outages = values.outage.map(readOutage);
    const { manifest = null, market = null, json } = values;
    return { run, database, service, rpc, key, manifest, market, outages, json };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

function readOutage(text: string): Outage {
  const [from, until, more] = text.split("/");
  if (from === undefined || until === undefined || more !== undefined)
    throw new Error(`--outage ${text}: write FROM/UNTIL, for instance 2026-03-01T10:00:00Z/2026-03-01T11:30:00Z.`);
  return { from: parseInstant(from), until: parseInstant(until) };
}

/* ---------------------------------------------------------------------------------------------------- opening */

async function open(options: Options): Promise<Opened> {
  if (options.run !== null) return openRun(options.run, options);
  if (options.service !== null) return openService(options.service, options);
  return openServer(options.database as string, options);
}

/** A folder with database.tar and chain.json. The chain is executed again, block by block, to the same head. */
async function openRun(folder: string, options: Options): Promise<Opened> {
  const file = async (name: string) =>
    readFile(join(folder, name)).catch(() => {
      throw new CannotVerify(
        `${join(folder, name)} cannot be read. --run takes the folder of npm run replay -- --save.`,
      );
    });
  const [dump, saved] = [await file("database.tar"), await file("chain.json")];
  let chainDump: ChainDump;
  try {
    chainDump = JSON.parse(saved.toString("utf8")) as ChainDump;
  } catch {
    throw new CannotVerify(`${join(folder, "chain.json")} is no JSON. Save the run again.`);
  }
  const chain = await importChain(chainDump);
  const database = await openDump(dump, join(folder, "database.tar"));
  const manifest = await manifestOf(chain.rpc, database, options);
  const close = async () => {
    await database.close();
    await chain.close();
  };
  return { what: `saved run ${folder}`, rpc: chain.rpc, manifest, database, live: false, market: null, close };
}

/** What a service shows to auditors: its manifest to everybody, its database to those with a key. */
async function openService(service: string, options: Options): Promise<Opened> {
  const told = JSON.parse((await download(service, "/audit/manifest", null)).toString("utf8")) as {
    manifest: Manifest;
    market: string;
    rpcUrl: string | null;
  };
  const url = options.rpc ?? told.rpcUrl;
  if (url === null)
    throw new CannotVerify(`${service} does not say where its chain answers. Give the node with --rpc.`);
  const rpc = await connect(url);
  // The chain is looked at before the database is taken, so that whatever it says stands in the database already.
  const pinned = stopped(rpc, Number(await request<Hex>(rpc, "eth_blockNumber")));
  const database = await openDump(await download(service, "/audit/database", options.key), service);
  const manifest = options.manifest === null ? told.manifest : await manifestOf(rpc, database, options);
  const close = async () => {
    await database.close();
    await rpc.close();
  };
  return { what: `service ${service}`, rpc: pinned, manifest, database, live: true, market: told.market, close };
}

async function openServer(url: string, options: Options): Promise<Opened> {
  const rpc = await connect(options.rpc as string);
  const database = await openDatabase({ url, migrate: false });
  const close = async () => {
    await database.close();
    await rpc.close();
  };
  try {
    // Lazy connections fail at the first query.
    await createStore(database.db).sites.cpos();
    const manifest = await manifestOf(rpc, database, options);
    return { what: `database ${hostOf(url)}`, rpc, manifest, database, live: true, market: null, close };
  } catch (error) {
    await close();
    if (error instanceof CannotVerify) throw error;
    throw new CannotVerify(
      `The database at ${hostOf(url)} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
}

const openDump = (dump: Uint8Array, from: string) =>
  openDatabase({ dump, migrate: false }).catch((error) => {
    throw new CannotVerify(
      `The database from ${from} cannot be opened: ${error instanceof Error ? error.message : error}`,
    );
  });

const connect = (url: string) =>
  connectRpc({ urls: [url] }).catch((error) => {
    throw new CannotVerify(`No chain answers at ${hostOf(url)}: ${error instanceof Error ? error.message : error}`);
  });

async function download(service: string, path: string, key: string | null): Promise<Buffer> {
  const url = new URL(path, service);
  let response: Response;
  try {
    response = await fetch(url, key === null ? {} : { headers: { authorization: `Bearer ${key}` } });
  } catch {
    throw new CannotVerify(`Nobody answers at ${url.origin}. Is the service running?`);
  }
  const body = Buffer.from(await response.arrayBuffer());
  if (!response.ok) throw new CannotVerify(`${url} answers ${response.status}: ${body.toString("utf8").slice(0, 500)}`);
  return body;
}

/** Where the contracts lie. Nothing depends on who says so: their code is compared with the local compile. */
async function manifestOf(rpc: Rpc, database: OpenDatabase, { manifest }: Options): Promise<Manifest> {
  if (manifest !== null) {
    const text = await readFile(manifest, "utf8").catch(() => {
      throw new CannotVerify(`The manifest ${manifest} cannot be read.`);
    });
    return JSON.parse(text) as Manifest;
  }
  const genesis = await request<{ hash: Hex }>(rpc, "eth_getBlockByNumber", "0x0", false);
  const remembered = await createStore(database.db).snapshots.load(`manifest:${genesis.hash}`);
  const found = (remembered?.state as Manifest | undefined) ?? (await readManifest(rpc.chainId));
  if (!found)
    throw new CannotVerify(`Nobody knows where the contracts are on chain ${rpc.chainId}. Give --manifest FILE.`);
  return found;
}

/** A chain that does not grow any more. */
const stopped = (rpc: Rpc, block: number): Rpc => ({
  ...rpc,
  ask: async (calls) => {
    const answers = await rpc.ask(calls);
    return answers.map((answer, i) =>
      calls[i]?.method === "eth_blockNumber" ? { ok: true, result: `0x${block.toString(16)}` } : answer,
    );
  },
});

/** Without user and password. */
function hostOf(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/* ----------------------------------------------------------------------------------------------------- output */

function showProgress(share: number, what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${Math.floor(share * 100)} % ${what}`);
}

/** Differences that are printed one by one; --json has all. */
const SHOWN = 40;

function asText(report: AuditReport, about: string): string {
  const { differences, notes, table, gaps } = report;
  const lines = differences.slice(0, SHOWN).map(({ where, text }) => `DIFFERS  ${where}: ${text}`);
  if (differences.length > SHOWN) lines.push(`DIFFERS  ${differences.length - SHOWN} more; --json shows all`);
  if (lines.length > 0) lines.push("");
  const width = Math.max(...table.map(({ check }) => check.length));
  const count = (n: number) => n.toLocaleString("en").padStart(12);
  lines.push(`${"check".padEnd(width)}${"looked at".padStart(12)}${"differences".padStart(12)}`);
  for (const { check, checked, differences: found } of table)
    lines.push(`${check.padEnd(width)}${count(checked)}${count(found)}`);
  lines.push("");
  for (const note of notes) lines.push(`Note: ${note}`);
  for (const [algorithm, plans] of Map.groupBy(gaps, (one) => one.algorithm)) {
    const dearest = plans[0]!;
    const why = algorithm === "least-cost" ? "were repaired for least power" : `are by ${algorithm}`;
    lines.push(
      `Note: ${plans.length} plans ${why}; the dearest, ${dearest.plan}, is at most ${dearest.microEur} micro-euro above the certified optimum, energy left out included`,
    );
  }
  const { runsChecked, plansChecked, billsChecked, leavesChecked, readingsChecked } = report;
  const seen = `${runsChecked} runs, ${plansChecked} plans, ${leavesChecked} leaves, ${billsChecked} bills and ${readingsChecked} readings`;
  const verdict = report.ok ? "No difference." : `${differences.length} differences.`;
  lines.push(`${about}: ${seen}. ${verdict}`);
  return `${lines.join("\n")}\n`;
}

function asJson(report: AuditReport, about: string): string {
  return JSON.stringify({ about, ...report }, (_, value) => (typeof value === "bigint" ? String(value) : value), 2);
}

/* ------------------------------------------------------------------------------------------------------- main */

const options = readOptions();
let opened: Opened | null = null;
try {
  opened = await open(options);
  const { rpc, manifest, database, live, market } = opened;
  const artifacts = loadArtifacts();
  const contracts = bindContracts(manifest, artifacts);
  const chain = await createChainEye(rpc, manifest, contracts, artifacts);
  const ledger = createLedger(contracts);
  // One picture of the database: while a service goes on writing, rows that belong together must be of one instant.
  const report = await database.db
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute((trx) =>
      audit({
        ...{ store: createStore(trx), ledger, chain, live, outages: options.outages, onProgress: showProgress },
        market: options.market ?? market ?? "day-ahead",
      }),
    );
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const about = `${opened.what}, chain ${rpc.chainId} at block ${chain.block}`;
  process.stdout.write(options.json ? `${asJson(report, about)}\n` : asText(report, about));
  process.exitCode = report.ok ? 0 : 1;
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  console.error(error instanceof CannotVerify ? text : `The audit could not be done. ${text}`);
  process.exitCode = 2;
} finally {
  await opened?.close().catch(() => undefined);
}
process.exit(process.exitCode);
