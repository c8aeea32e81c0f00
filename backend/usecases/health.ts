/** Is everything well? What the load balancer, the operator and the first look ask. */
import { epochSecond } from "../domain/units.ts";
import type { World } from "./ports.ts";
import { lastReconciliation } from "./reconcile.ts";

export type Health = {
  readonly ok: boolean;
  readonly database: { readonly ok: boolean; readonly kind: string };
  readonly chain: { readonly ok: boolean; readonly chainId: number | null; readonly block: number | null };
  /** Records that the chain has not confirmed, and the age of the oldest, s. Records queue while the chain is away. */
  readonly outbox: { readonly open: number; readonly oldestAgeS: number | null };
  /** The last comparison of database and chain, and on how many subjects they differ since; null: not compared yet. */
  readonly reconciliation: { readonly ageS: number; readonly block: number; readonly differences: number } | null;
  /** Of the last 24 h, by kind. */
  readonly incidents: Readonly<Record<string, number>>;
  readonly groups: readonly { readonly id: string; readonly lastCycleAgeS: number | null }[];
};

export type Probes = {
  readonly databaseKind: string;
  chain(): Promise<{ readonly chainId: number; readonly block: number }>;
};

export async function health(world: Pick<World, "store" | "clock" | "board">, probes: Probes): Promise<Health> {
  const now = world.clock.now();
  const chain = await probes.chain().then(
    (seen) => ({ ok: true, ...seen }),
    () => ({ ok: false, chainId: null, block: null }),
  );
  try {
    const outbox = await world.store.outbox.open();
    const compared = await lastReconciliation(world.store);
    const incidents: Record<string, number> = {};
    for (const incident of await world.store.incidents.since(epochSecond(now - 86_400)))
      incidents[incident.kind] = (incidents[incident.kind] ?? 0) + 1;
    return {
      // Charging and billing go on while the chain is away, so that alone does not make the service unwell.
      ok: true,
      database: { ok: true, kind: probes.databaseKind },
      chain,
      outbox: { open: outbox.count, oldestAgeS: outbox.oldestAt === null ? null : now - outbox.oldestAt },
      reconciliation: compared && {
        ageS: now - compared.at,
        block: compared.block,
        differences: compared.differences,
      },
      incidents,
      groups: Object.values(world.board.groups).map((group) => ({
        id: group.groupId,
        lastCycleAgeS: group.lastCycleAt === 0 ? null : now - group.lastCycleAt,
      })),
    };
  } catch {
    return {
      ok: false,
      database: { ok: false, kind: probes.databaseKind },
      chain,
      outbox: { open: 0, oldestAgeS: null },
      reconciliation: null,
      incidents: {},
      groups: [],
    };
  }
}
