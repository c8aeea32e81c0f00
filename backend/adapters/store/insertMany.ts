/**
 * Many rows in one statement whose text does not depend on their number: one array per column, spread by `unnest`.
 * Measured on PGlite: about 100,000 readings per second in batches of 500, and no limit on the number of parameters.
 */
import { type RawBuilder, sql } from "kysely";
import type { Database, Db } from "./schema.ts";

type ColumnKind = "text" | "int" | "bigint" | "boolean" | "json" | "instant";

/** Column by column: its SQL type and where its value stands in a row. `instant` takes epoch seconds. */
export type Columns<R> = { readonly [column: string]: readonly [kind: ColumnKind, value: (row: R) => unknown] };

/** Inserts the rows and answers how many there were new. `tail` is an `on conflict` clause. */
export async function insertMany<R>(
  db: Db,
  table: keyof Database,
  columns: Columns<R>,
  rows: readonly R[],
  tail: RawBuilder<unknown> = sql``,
): Promise<number> {
  if (rows.length === 0) return 0;
  const entries = Object.entries(columns);
  const names = sql.join(entries.map(([name]) => sql.ref(name)));
  const values = sql.join(entries.map(([name, [kind]]) => spread(name, kind)));
  const arrays = sql.join(entries.map(([, [kind, value]]) => sql`${rows.map(value)}::${sql.raw(ARRAY[kind])}`));
  const result = await sql`
    insert into ${sql.table(table)} (${names}) select ${values} from unnest(${arrays}) as v(${names}) ${tail}`.execute(
    db,
  );
  return Number(result.numAffectedRows ?? 0n);
}

/** Leaves a row that is there already as it is. */
export const keepKnown = sql`on conflict do nothing`;

/** Gives a row that is there already, by its key, all other columns anew. A statement may name a row only once. */
export function replacing<R>(key: readonly string[], columns: Columns<R>): RawBuilder<unknown> {
  const others = Object.keys(columns).filter((name) => !key.includes(name));
  const names = sql.join(key.map((name) => sql.ref(name)));
  const sets = sql.join(others.map((name) => sql`${sql.ref(name)} = ${sql.ref(`excluded.${name}`)}`));
  return sql`on conflict (${names}) do update set ${sets}`;
}

const ARRAY: Record<ColumnKind, string> = {
  text: "text[]",
  int: "int[]",
  bigint: "bigint[]",
  boolean: "boolean[]",
  json: "text[]",
  instant: "bigint[]",
};

function spread(name: string, kind: ColumnKind): RawBuilder<unknown> {
  if (kind === "json") return sql`${sql.ref(`v.${name}`)}::json`;
  if (kind === "instant") return sql`to_timestamp(${sql.ref(`v.${name}`)})`;
  return sql.ref(`v.${name}`);
}
