/**
 * Three accounts of the same facts, compared as of one block: our database's totals, the contracts' events added up, and
 * what the contracts keep. A difference that two looks in a row find is an incident and stands in health until it is gone;
 * one look alone may have caught the writer between a block and its note of it. Sums only: `npm run verify` finds the row.
 */
import type { EpochSecond } from "../domain/units.ts";
import type { Hex, World } from "./ports.ts";
import type { Books, ChainTally, Totals } from "./totalsPort.ts";

export type Difference = {
  readonly subject: string;
  readonly database: bigint | null;
  readonly events: bigint;
  readonly contracts: bigint | null;
};

/** Subjects of the database and of the contracts; of events without either, others may be the cause. */
export function differencesOf(database: Totals, events: Totals, contracts: Totals): Difference[] {
  return [...new Set([...Object.keys(database), ...Object.keys(contracts)])]
    .sort()
    .map((subject) => ({
      subject,
      database: database[subject] ?? null,
      events: events[subject] ?? 0n,
      contracts: contracts[subject] ?? null,
    }))
    .filter((one) => [one.database, one.contracts].some((total) => total !== null && total !== one.events));
}

type Saved = {
  readonly block: number;
  readonly hash: Hex;
  readonly events: Readonly<Record<string, string>>;
  /** Found by the last look for the first time. */
  readonly suspected: readonly string[];
  /** Since when, by subject. */
  readonly standing: Readonly<Record<string, EpochSecond>>;
};

/** Name of the snapshot that holds how far the chain was read and what differs. */
const RECONCILED = "reconciled";

type Needs = Pick<World, "store" | "clock">;

/** `settled`: nothing differs, or all of it stands as an incident already; else look again soon. */
export type Reconciliation = {
  readonly block: number;
  readonly differences: readonly Difference[];
  readonly settled: boolean;
};

/**
 * One look. Null while there is nothing to look at; rejects while the chain is away. `run` takes the changes into the
 * service's line of steps: chain and totals are read outside of it.
 */
export async function reconcile(
  { store, clock }: Needs,
  sources: { readonly tally: ChainTally; readonly books: Books },
  run: (step: () => Promise<void>) => Promise<void> = (step) => step(),
): Promise<Reconciliation | null> {
  const saved = (await store.snapshots.load(RECONCILED))?.state as Saved | undefined;
  const tallied = await sources.tally.since(saved ? { ...saved, events: asNumbers(saved.events) } : null);
  if (!tallied) return null;
  const { block, hash, events, contracts } = tallied;
  const differences = differencesOf(await sources.books.until(block), events, contracts);

  const before = saved?.standing ?? {};
  const suspects = new Set(saved?.suspected);
  const now = clock.now();
  const standing: Record<string, EpochSecond> = {};
  for (const { subject } of differences) {
    const since = before[subject] ?? (suspects.has(subject) ? now : null);
    if (since !== null) standing[subject] = since;
  }
  const suspected = differences.map(({ subject }) => subject).filter((subject) => !(subject in standing));
  await run(() =>
    store.transaction(async (inStep) => {
      const tell = (id: string, text: string) =>
        inStep.incidents.add({ id: `${id}:${now}`, at: now, groupId: null, kind: "chain", text });
      for (const one of differences)
        if (one.subject in standing && !(one.subject in before))
          await tell(`differs:${one.subject}`, inWords(one, block));
      for (const subject of Object.keys(before))
        if (!(subject in standing))
          await tell(`agrees:${subject}`, `Database and chain agree again on ${subject} as of block ${block}.`);
      const next: Saved = { block, hash, events: asText(events), suspected, standing };
      await inStep.snapshots.save(RECONCILED, now, next);
    }),
  );
  return { block, differences, settled: suspected.length === 0 };
}

/** When chain and database were last compared, at which block, and how many subjects differ since; null: not yet. */
export async function lastReconciliation(
  store: World["store"],
): Promise<{ readonly at: EpochSecond; readonly block: number; readonly differences: number } | null> {
  const found = await store.snapshots.load(RECONCILED);
  if (!found) return null;
  const { block, standing } = found.state as Saved;
  return { at: found.at, block, differences: Object.keys(standing).length };
}

function inWords({ subject, database, events, contracts }: Difference, block: number): string {
  const parts = [
    ...(database === null ? [] : [`the database has ${database}`]),
    `the chain's events say ${events}`,
    ...(contracts === null ? [] : [`the contracts keep ${contracts}`]),
  ];
  return `Database and chain differ on ${subject} as of block ${block}: ${parts.join(", ")}. Run npm run verify to find where.`;
}

const asText = (totals: Totals) => Object.fromEntries(Object.entries(totals).map(([name, n]) => [name, String(n)]));
const asNumbers = (totals: Saved["events"]): Totals =>
  Object.fromEntries(Object.entries(totals).map(([name, n]) => [name, BigInt(n)]));
