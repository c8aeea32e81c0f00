/**
 * The Store port on a database, one file per subject. Every part is plain functions over a Kysely instance, so the same
 * code runs on the whole database and inside a transaction.
 */
import type { Store } from "../../usecases/ports.ts";
import { billStore } from "./bills.ts";
import { byteStore } from "./bytes.ts";
import { disputeStore } from "./disputes.ts";
import { driverStore } from "./drivers.ts";
import { gridStore } from "./grid.ts";
import { incidentStore } from "./incidents.ts";
import { meterStore } from "./meters.ts";
import { noticingStrays, withoutStrays } from "./oneTransaction.ts";
import { outboxStore } from "./outbox.ts";
import { planStore } from "./plans.ts";
import { priceStore } from "./prices.ts";
import { priorityStore } from "./priorities.ts";
import { profileStore } from "./profiles.ts";
import { promiseStore } from "./promises.ts";
import type { Db } from "./schema.ts";
import { sessionStore } from "./sessions.ts";
import { siteStore } from "./sites.ts";
import { snapshotStore } from "./snapshots.ts";
import { walletStore } from "./wallets.ts";
import { createWaiting, type Waiting } from "./writeBehind.ts";

/** Long after any honest transaction, ms. */
const PATIENCE_MS = 5000;

/**
 * The store over a database, or over a transaction that is already open (`transaction` then joins it). A transaction
 * whose work waits for the outer store is ended after `patienceMs` (oneTransaction.ts).
 */
export function createStore(db: Db, patienceMs = PATIENCE_MS): Store {
  if (db.isTransaction) return { ...parts(db, null), transaction: (work) => joined(db, work) };
  return {
    ...parts(db.withPlugin(noticingStrays), null),
    transaction: (work) => db.transaction().execute((trx) => withoutStrays(() => joined(trx, work), patienceMs)),
  };
}

/** Runs the work with a store of the transaction and writes what the work left waiting. */
async function joined<T>(trx: Db, work: (store: Store) => Promise<T>): Promise<T> {
  const waiting = createWaiting();
  const store: Store = { ...parts(trx, waiting), transaction: (inner) => inner(store) };
  const result = await work(store);
  await waiting.flush();
  return result;
}

const parts = (db: Db, waiting: Waiting | null): Omit<Store, "transaction"> => ({
  sites: siteStore(db),
  drivers: driverStore(db),
  wallets: walletStore(db),
  sessions: sessionStore(db),
  meters: meterStore(db, waiting),
  prices: priceStore(db),
  promises: promiseStore(db, waiting),
  priorities: priorityStore(db),
  profiles: profileStore(db, waiting),
  plans: planStore(db),
  grid: gridStore(db),
  bills: billStore(db),
  disputes: disputeStore(db),
  bytes: byteStore(db),
  incidents: incidentStore(db),
  outbox: outboxStore(db),
  snapshots: snapshotStore(db),
});
