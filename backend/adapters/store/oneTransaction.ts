/**
 * A call that goes past the open transaction, to the whole database, waits on PGlite for the only connection, which the
 * transaction holds: both would wait for ever. Such a transaction is ended with an error that names the mistake.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { KyselyPlugin } from "kysely";

const open = new AsyncLocalStorage<{ stray(): void }>();

/** Sees every statement of the whole database's store; those that come from inside a transaction are strays. */
export const noticingStrays: KyselyPlugin = {
  transformQuery({ node }) {
    open.getStore()?.stray();
    return node;
  },
  transformResult: async ({ result }) => result,
};

/** Runs the work of a transaction; rejects when a stray was noticed and the transaction is still open much later. */
export async function withoutStrays<T>(work: () => Promise<T>, patienceMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let stray = () => {};
  const blocked = new Promise<never>((_, reject) => {
    stray = () => {
      timer ??= setTimeout(() => reject(new Error(MISTAKE)), patienceMs);
    };
  });
  try {
    return await Promise.race([open.run({ stray: () => stray() }, work), blocked]);
  } finally {
    stray = () => {};
    clearTimeout(timer);
  }
}

const MISTAKE =
  "Inside store.transaction(...) something used the outer store, which waits for the transaction to end while the " +
  "transaction waits for it. Use the store that the work is given.";
