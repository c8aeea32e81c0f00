/** The newest bills of a CPO: those that wait for a batch, then batch by batch backwards. */
import type { Settlement } from "../usecases/ports.ts";
import type { Deps } from "./deps.ts";

export async function latestBills(
  { store }: Pick<Deps, "store">,
  cpoIds: Iterable<string>,
  limit: number,
): Promise<readonly Settlement[]> {
  const found: Settlement[] = [];
  for (const cpoId of cpoIds) {
    const own: Settlement[] = [...(await store.bills.waiting(cpoId))];
    for (const { seq } of [...(await store.bills.batches(cpoId))].reverse()) {
      if (own.length >= limit) break;
      own.push(...(await store.bills.ofBatch(cpoId, seq)));
    }
    found.push(...own);
  }
  return found.sort((a, b) => b.settledAt - a.settledAt || b.sessionNumber - a.sessionNumber).slice(0, limit);
}
