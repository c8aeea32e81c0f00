/** A CPO's site is registered: once in the store, once on chain. Called again with the same ids it changes nothing. */
import type { ChargingGroup, Cpo, Evse, Location, PvAsset, Tariff } from "../domain/assets.ts";
import { slotOf } from "../domain/slots.ts";
import { microEur, microEurPerKwh } from "../domain/units.ts";
import { groupBoard, minPowerOf } from "./board.ts";
import type { AssetSpec, Hex, World } from "./ports.ts";

export type SitePlan = {
  readonly cpo: Omit<Cpo, "number">;
  /** Who receives the CPO's money on chain. */
  readonly payee: Hex;
  readonly location: Location;
  readonly tariff: Omit<Tariff, "number" | "cpoId">;
  readonly groups: readonly {
    readonly group: Omit<ChargingGroup, "number" | "cpoId" | "locationId">;
    readonly evses: readonly Omit<Evse, "row" | "groupId" | "status">[];
    readonly pvs: readonly Omit<PvAsset, "row" | "groupId">[];
  }[];
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
    const tariff = await store.sites.addTariff({ ...site.tariff, cpoId: cpo.id });
    await store.outbox.enqueue(ledger.setPayee({ cpo: cpo.number, payee: site.payee }));
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
      const group = await store.sites.addGroup({ ...planned.group, cpoId: cpo.id, locationId: site.location.id });
      await store.outbox.enqueue(
        ledger.setGroup({ group: group.number, cpo: cpo.number, capacityW: group.supplyLimitW, parent: 0, fromSlot }),
      );
      const assets: AssetSpec[] = [];
      for (const evse of planned.evses) {
        const added = await store.sites.addEvse({ ...evse, groupId: group.id, status: "AVAILABLE" });
        assets.push({
          id: ledger.assetId(cpo.number, PUBLIC_SALT, added.id),
          group: group.number,
          index: added.row,
          kind: "charge-point",
          ratedW: added.maxPowerW,
          minW: minPowerOf(added.maxPowerW, 1),
          capacityWh: 0,
          phases: added.phases,
          connector: 2,
          metadata: ledger.hashText(added.id),
          fromSlot,
        });
      }
      for (const pv of planned.pvs) {
        const added = await store.sites.addPv({ ...pv, groupId: group.id });
        assets.push({
          id: ledger.assetId(cpo.number, PUBLIC_SALT, added.id),
          group: group.number,
          index: added.row,
          kind: "inverter",
          ratedW: added.ratedPowerW,
          minW: 0,
          capacityWh: 0,
          phases: 3,
          connector: 0,
          metadata: ledger.hashText(added.id),
          fromSlot,
        });
      }
      for (let i = 0; i < assets.length; i += ASSETS_PER_CALL)
        await store.outbox.enqueue(ledger.registerAssets(assets.slice(i, i + ASSETS_PER_CALL)));
      const board = groupBoard(world.board, group.id, now);
      board.limitW = group.supplyLimitW;
      board.slotLimitW = group.supplyLimitW;
    }
    return { cpo, tariff };
  });
}
