/**
 * Opens the database: PGlite in this process, or PostgreSQL by its URL. Both hand out the same JavaScript types
 * (schema.ts), and both are brought to the latest migration before anybody sees them.
 */
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect, PostgresDialect, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import pg from "pg";
import { ACCOUNTS, migrations } from "./migrations.ts";
import { type Engine, preparing } from "./preparing.ts";
import type { Database, Db } from "./schema.ts";

export type OpenDatabase = {
  readonly kind: "pglite" | "postgres";
  readonly db: Db;
  /** The whole database as bytes that `openDatabase({ dump })` takes (tar; PGlite only). */
  dump(): Promise<Uint8Array>;
  close(): Promise<void>;
};

export type DatabaseOptions = {
  /** PostgreSQL; without it PGlite runs in this process. */
  readonly url?: string | undefined;
  /** Folder of the PGlite database; without it the database lives in memory and ends with the process. */
  readonly dataDir?: string | undefined;
  /** Start PGlite with the content of a `dump()`. */
  readonly dump?: Uint8Array | undefined;
  /** Migrations of others that share the database, by name; they come after ours (see ACCOUNTS in migrations.ts). */
  readonly migrations?: Readonly<Record<string, Migration>> | undefined;
  /** False: the database is taken as it is. An audit changes nothing in what it looks at. */
  readonly migrate?: false;
};

/** Opens, migrates, and answers the database. Throws when it cannot be reached or a migration fails; then nothing stays open. */
export async function openDatabase(options: DatabaseOptions = {}): Promise<OpenDatabase> {
  const opened = options.url ? openPostgres(options.url) : await openPGlite(options);
  try {
    if (options.migrate !== false) await migrate(opened.db, options.migrations ?? {});
  } catch (error) {
    await opened.close().catch(() => undefined);
    throw error;
  }
  return opened;
}

/** int8 as a number: counts, registers in Wh and row numbers stay below 2^53; what does not is a bigint, never bent. */
function parseInt8(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}
/** "2026-03-01 10:00:00+00", as both databases write whole seconds in UTC, five times as fast as by `new Date`. */
function parseInstant(text: string): Date {
  if (text.length !== 22 || !text.endsWith("+00")) return pg.types.getTypeParser(TIMESTAMPTZ)(text);
  const n = (from: number, to: number) => Number(text.slice(from, to));
  return new Date(Date.UTC(n(0, 4), n(5, 7) - 1, n(8, 10), n(11, 13), n(14, 16), n(17, 19)));
}
const [INT8, BYTEA, TIMESTAMPTZ, NUMERIC] = [20, 17, 1184, 1700];
const PARSERS: Record<number, (text: string) => unknown> = {
  [INT8]: parseInt8,
  [NUMERIC]: (text) => text,
  [TIMESTAMPTZ]: parseInstant,
  // PGlite's own turns the bytes one by one, 1.5 ms for a plan.
  [BYTEA]: (text) => Buffer.from(text.slice(2), "hex"),
};
const SERIALIZERS: Record<number, (value: unknown) => string> = {
  [BYTEA]: (bytes) => `\\x${Buffer.from(bytes as Uint8Array).toString("hex")}`,
};

/**
 * In memory nothing survives the process, so what protects from a power cut is switched off, and the write-ahead log is
 * kept short: it would be kept in memory too. Compiling queries costs more than running ours.
 */
const PGLITE_SETTINGS = [
  "full_page_writes=off",
  "synchronous_commit=off",
  "min_wal_size=32MB",
  "max_wal_size=64MB",
  "jit=off",
];

async function openPGlite({ dataDir, dump }: DatabaseOptions): Promise<OpenDatabase> {
  const pglite = await PGlite.create({
    ...(dataDir === undefined ? { postgresqlconf: PGLITE_SETTINGS } : { dataDir }),
    ...(dump === undefined ? {} : { loadDataDir: new Blob([new Uint8Array(dump)]) }),
    parsers: PARSERS,
    serializers: SERIALIZERS,
  });
  const db = new Kysely<Database>({ dialect: new PGliteDialect({ pglite: swept(pglite) }) });
  return {
    kind: "pglite",
    db,
    dump: async () => {
      // Commits wait in memory for the next write (synchronous_commit=off); the files alone would lack them.
      await sql`checkpoint`.execute(db);
      return new Uint8Array(await (await pglite.dumpDataDir("none")).arrayBuffer());
    },
    close: async () => {
      await db.destroy();
      if (!pglite.closed) await pglite.close();
    },
  };
}

/**
 * PGlite has no autovacuum, and the rows that are overwritten with every step would fill the memory with their old
 * versions. Between two transactions, now and then, they are swept; about 10 ms.
 */
function swept(pglite: PGlite): Engine {
  const engine = preparing(pglite);
  let commits = 0;
  return {
    get closed() {
      return pglite.closed;
    },
    get ready() {
      return pglite.ready;
    },
    waitReady: pglite.waitReady,
    close: () => pglite.close(),
    query: (text, parameters, options) => thenSweep(engine.query(text, parameters, options)),
    transaction: (work) => thenSweep(engine.transaction(work)),
  };

  async function thenSweep<T>(done: Promise<T>): Promise<T> {
    const result = await done;
    // What was asked for is done: a sweep that fails must not look like its failure, and the next one follows soon.
    if (++commits % SWEEP_EVERY === 0) {
      await pglite.exec(`vacuum ${OVERWRITTEN.join(", ")}`).catch(() => undefined);
      engine.forget();
    }
    return result;
  }
}
const SWEEP_EVERY = 500;
const OVERWRITTEN: readonly (keyof Database)[] = [
  ...(["snapshot", "counter", "promise", "sent_profile", "evse", "site_slot", "forecast"] as const),
  ...(["outbox", "lane", "attempt"] as const),
];

function openPostgres(url: string): OpenDatabase {
  const types = {
    getTypeParser: (oid: number, format?: "text" | "binary") =>
      (format !== "binary" && PARSERS[oid]) || pg.types.getTypeParser(oid, format),
  } as pg.CustomTypesConfig;
  const pool = new pg.Pool({ connectionString: url, max: 10, types, options: "-c TimeZone=UTC" });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on("error", () => undefined);
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  return {
    kind: "postgres",
    db,
    dump: () => Promise.reject(new Error("PostgreSQL is not dumped from here. Use pg_dump on the server.")),
    close: () => db.destroy(),
  };
}

/** Processes that start together on PostgreSQL take turns: Kysely holds an advisory lock around all migrations. */
async function migrate(db: Db, others: Readonly<Record<string, Migration>>): Promise<void> {
  // Asked before the migrator opens its transaction: PGlite has one connection.
  const done = await accountsDone(db);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...done, ...migrations, ...others }) },
    // A later version of ours may come after somebody else's has run.
    allowUnorderedMigrations: true,
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed = results.find((result) => result.status === "Error")?.migrationName;
  throw new Error(`The database could not be migrated${failed ? `: "${failed}" failed` : ""}. ${String(error)}`, {
    cause: error,
  });
}

/** Kysely refuses a database in which a migration ran that it is not given; a replay has no use for the accounts'. */
async function accountsDone(db: Db): Promise<Record<string, Migration>> {
  const known = await sql<{ table: string | null }>`select to_regclass('kysely_migration')::text as table`.execute(db);
  if (!known.rows[0]?.table) return {};
  const { rows } = await sql<{
    name: string;
  }>`select name from kysely_migration where name like ${`${ACCOUNTS}%`}`.execute(db);
  return Object.fromEntries(rows.map(({ name }) => [name, { up: async () => undefined }]));
}
