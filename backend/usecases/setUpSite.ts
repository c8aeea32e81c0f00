/** A CPO's site is registered: once in the store, once on chain. Called again it adds what is new and changes nothing else. */
import type { ChargingGroup, Cpo, Evse, Location, PvAsset, Tariff } from "../domain/assets.ts";
import { slotOf } from "../domain/slots.ts";
import { microEur, microEurPerKwh } from "../domain/units.ts";
import { groupBoard, minPowerOf } from "./board.ts";
import type { AssetSpec, Hex, Ledger, Store, World } from "./ports.ts";

export type SitePlan = {
  readonly cpo: Omit<Cpo, "number">;
  /** Who receives the CPO's money on chain; null: whoever it is already. */
  readonly payee: Hex | null;
  readonly location: Location;
  /** Null: the CPO's present one. */
  readonly tariff: Omit<Tariff, "number" | "cpoId"> | null;
  readonly groups: readonly PlannedGroup[];
};
type PlannedGroup = {
  readonly group: Omit<ChargingGroup, "number" | "cpoId" | "locationId">;
  readonly evses: readonly Omit<Evse, "row" | "groupId" | "status">[];
  readonly pvs: readonly Omit<PvAsset, "row" | "groupId">[];
};

const PUBLIC_SALT: Hex = `0x${"00".repeat(32)}`;
/** Assets per registering call, below the gas cap of a transaction. */
const ASSETS_PER_CALL = 100;

export async function setUpSite(
  world: Pick<World, "store" | "ledger" | "clock" | "board">,
  site: SitePlan,
): Promise<{ readonly cpo: Cpo; readonly tariff: Tariff }> {
  const { ledger } = world;
  const now = world.clock.now();
  const fromSlot = slotOf(now);
  return world.store.transaction(async (store) => {
    const cpo = await store.sites.addCpo(site.cpo);
    await store.sites.addLocation(site.location);
    const tariff = site.tariff
      ? await store.sites.addTariff({ ...site.tariff, cpoId: cpo.id })
      : await store.sites.currentTariff(cpo.id);
    if (!tariff) throw new Error(`CPO ${cpo.id} has no tariff. Give one with its first site.`);
    if (site.payee) await store.outbox.enqueue(ledger.setPayee({ cpo: cpo.number, payee: site.payee }));
    if (site.tariff)
      await store.outbox.enqueue(
        ledger.setTariff({
          tariff: tariff.number,
          cpo: cpo.number,
          maxPerKwh: microEurPerKwh(tariff.pricePerKwh),
          maxFixed: microEur(0n),
          fromAt: now,
        }),
      );
    for (const planned of site.groups) {
      const known = await store.sites.group(planned.group.id);
      const group =
        known ?? (await store.sites.addGroup({ ...planned.group, cpoId: cpo.id, locationId: site.location.id }));
      if (!known) {
        await store.outbox.enqueue(
          ledger.setGroup({ group: group.number, cpo: cpo.number, capacityW: group.supplyLimitW, parent: 0, fromSlot }),
        );
        const board = groupBoard(world.board, group.id, now);
        board.limitW = group.supplyLimitW;
        board.slotLimitW = group.supplyLimitW;
      }
      // A slot that is recorded has no row of what comes after it.
      const recordedSlot = world.board.groups[group.id]?.recordedSlot ?? 0;
      const ofGroup = {
        ...{ cpo: cpo.number, group: group.number, groupId: group.id },
        fromSlot: Math.max(fromSlot, recordedSlot + 1),
      };
      const assets = [
        ...(await newEvses(store, ledger, ofGroup, planned)),
        ...(await newPvs(store, ledger, ofGroup, planned)),
      ];
      for (let i = 0; i < assets.length; i += ASSETS_PER_CALL)
        await store.outbox.enqueue(ledger.registerAssets(assets.slice(i, i + ASSETS_PER_CALL)));
    }
    return { cpo, tariff };
  });
}

type OfGroup = { readonly cpo: number; readonly group: number; readonly groupId: string; readonly fromSlot: number };

/** The chain takes an asset once: what is registered already is left out. */
async function newEvses(store: Store, ledger: Ledger, of: OfGroup, { evses }: PlannedGroup): Promise<AssetSpec[]> {
  const assets: AssetSpec[] = [];
  for (const evse of evses) {
    if (await store.sites.evse(evse.id)) continue;
    const added = await store.sites.addEvse({ ...evse, groupId: of.groupId, status: "AVAILABLE" });
    assets.push({
      ...assetOf(ledger, of, added),
      kind: "charge-point",
      ratedW: added.maxPowerW,
      minW: minPowerOf(added.maxPowerW, 1),
      phases: added.phases,
      connector: 2,
    });
  }
  return assets;
}

async function newPvs(store: Store, ledger: Ledger, of: OfGroup, { pvs }: PlannedGroup): Promise<AssetSpec[]> {
  const assets: AssetSpec[] = [];
  for (const pv of pvs) {
    if (await store.sites.pv(pv.id)) continue;
    const added = await store.sites.addPv({ ...pv, groupId: of.groupId });
    assets.push({
      ...assetOf(ledger, of, added),
      kind: "inverter",
      ratedW: added.ratedPowerW,
      minW: 0,
      phases: 3,
      connector: 0,
    });
  }
  return assets;
}

/** What the chain learns of any asset; where it stands is no part of it. */
const assetOf = (ledger: Ledger, { cpo, group, fromSlot }: OfGroup, { id, row }: { id: string; row: number }) => ({
  id: ledger.assetId(cpo, PUBLIC_SALT, id),
  group,
  index: row,
  capacityWh: 0,
  metadata: ledger.hashText(id),
  fromSlot,
});
