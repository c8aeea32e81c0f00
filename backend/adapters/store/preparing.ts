/**
 * PGlite's own `query` parses and plans a text every time that it runs, in six messages; that takes four times as long
 * as running ours. Here a text is prepared when it first comes, and each run is one message.
 */
import { type PGlite, parse, protocol, types } from "@electric-sql/pglite";
import type { PGliteDialect } from "kysely";

/** What Kysely's dialect needs of PGlite. */
export type Engine = Exclude<ConstructorParameters<typeof PGliteDialect>[0]["pglite"], (...none: never[]) => unknown>;

/** A statement that PGlite keeps under a name, and the types of its parameters. */
type Prepared = { readonly name: string; readonly parameterTypes: readonly number[] };

/** Texts of lists have one form per length of the list; those that have not come for long are given up. */
const MOST_KEPT = 200;
/** Characters. */
const LONG = 256;

export function preparing(pglite: PGlite): Engine & { forget(): void } {
  const { bind, close, describe, execute, parse: compile, sync } = protocol.serialize;
  /** The least recently used first. */
  const kept = new Map<string, Prepared>();
  /** Names whose statements are dropped with the next message. */
  let leaving: string[] = [];
  let names = 0;

  function drop(text: string): void {
    leaving.push(kept.get(text)?.name as string);
    kept.delete(text);
  }
  /** Plans were made for tables as they were: small, or with other columns. */
  function forget(): void {
    for (const text of kept.keys()) drop(text);
  }

  async function send(messages: readonly Uint8Array[]) {
    const closing = leaving.map((name) => close({ type: "S", name }));
    leaving = [];
    return (await pglite.execProtocol(Buffer.concat([...closing, ...messages, sync()]), { syncToFs: false })).messages;
  }

  async function prepared(text: string): Promise<Prepared> {
    const known = kept.get(text);
    if (known) {
      kept.delete(text);
      kept.set(text, known);
      return known;
    }
    const name = `kept_${names++}`;
    const answer = await send([compile({ name, text }), describe({ type: "S", name })]);
    const made = { name, parameterTypes: parse.parseDescribeStatementResults(answer) };
    kept.set(text, made);
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEPT && oldest !== undefined) drop(oldest);
    return made;
  }

  /** Bytes and long texts go as they are: PGlite would turn bytes into hex, and count a text's bytes one by one. */
  function asSent(value: unknown, type: number): string | Uint8Array | null {
    if (value === null || value === undefined) return null;
    if (type === types.BYTEA && value instanceof Uint8Array) return value;
    const text = pglite.serializers[type]?.(value) ?? String(value);
    return text.length > LONG && (type === types.TEXT || type === types.JSON) ? Buffer.from(text) : text;
  }

  const query: Engine["query"] = async (text, parameters = [], options) => {
    const { name, parameterTypes } = await prepared(text);
    const values = parameters.map((value, i) => asSent(value, parameterTypes[i] as number));
    try {
      const answer = await send([bind({ statement: name, values }), describe({ type: "P" }), execute({})]);
      return parse.parseResults(answer, pglite.parsers, options)[0] as never;
    } catch (error) {
      drop(text);
      throw error;
    } finally {
      if (!/^\s*(select|insert|update|delete|with)\b/i.test(text)) forget();
    }
  };

  return {
    get closed() {
      return pglite.closed;
    },
    get ready() {
      return pglite.ready;
    },
    waitReady: pglite.waitReady,
    close: () => pglite.close(),
    query: (text, parameters, options) =>
      pglite._runExclusiveTransaction(async () => {
        const result = await pglite._runExclusiveQuery(() => query(text, parameters, options));
        await pglite.syncToFs();
        return result as never;
      }),
    transaction: (work) =>
      pglite.transaction((tx) => {
        const inside: typeof tx.query = (text, parameters, options) =>
          pglite._runExclusiveQuery(() => query(text, parameters, options)) as never;
        return work({ ...tx, query: inside } as never);
      }),
    forget,
  };
}
