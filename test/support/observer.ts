/**
 * A stranger with nothing but the chain, who wants to know which driver was at which charge point. Rows show each charge point's
 * register slot by slot, bills each driver's energy: a stay whose register rose by exactly the Wh of one bill, and of no other, is
 * that driver's.
 */
import type { ChainReader } from "../../backend/adapters/chain/chainReader.ts";
import { unpackRows } from "../../backend/adapters/chain/commitments.ts";
import type { Hex } from "../../backend/adapters/chain/rpc.ts";

/** A charge point that was not free: between the two slots' beginnings its register rose by `wh`. */
export type Stay = {
  readonly group: number;
  readonly index: number;
  readonly fromSlot: number;
  readonly toSlot: number;
  readonly wh: number;
};
export type Sighting = Stay & { readonly driver: Hex; readonly number: number };

const FREE = 0;

/** Stays of all assets, from the rows of the recorded runs. */
export async function staysOn(reader: Pick<ChainReader, "runs">): Promise<Stay[]> {
  const runs = [...(await reader.runs())].sort((a, b) => a.group - b.group || a.slot - b.slot);
  const freeAt = new Map<string, { readonly slot: number; readonly wh: number }>();
  const busy = new Set<string>();
  const stays: Stay[] = [];
  for (const { group, slot, rows } of runs)
    for (const { index, status, registerWh } of unpackRows(rows)) {
      const key = `${group}:${index}`;
      if (status !== FREE) {
        busy.add(key);
        continue;
      }
      const last = freeAt.get(key);
      if (last && busy.has(key))
        stays.push({ group, index, fromSlot: last.slot, toSlot: slot, wh: registerWh - last.wh });
      busy.delete(key);
      freeAt.set(key, { slot, wh: registerWh });
    }
  return stays;
}

/** Which stays are whose: the bills' energies are in the calldata of the transactions that posted them. */
export async function sightings(reader: Pick<ChainReader, "runs" | "posted" | "linesOf">): Promise<Sighting[]> {
  const batches = await Promise.all((await reader.posted()).map((batch) => reader.linesOf(batch)));
  const lines = batches.flat().filter(({ wh }) => wh > 0);
  const stays = await staysOn(reader);
  return stays.flatMap((stay) => {
    const fitting = lines.filter(({ wh }) => wh === stay.wh);
    const rivals = stays.filter(({ wh }) => wh === stay.wh);
    const [line] = fitting;
    return line && fitting.length === 1 && rivals.length === 1
      ? [{ ...stay, driver: line.driver, number: line.number }]
      : [];
  });
}
