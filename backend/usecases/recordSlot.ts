/**
 * One record per group and slot for SlotLedger (SC2): the plan that commands the slot, the plans made since the last
 * record, one row per asset, and the root of the salted leaves (allocations, promises, orders; the rows themselves where they
 * are not public). Joins the cycle's transaction. Sent by itself, or sealed with those of the CPO's other groups.
 */
import type { ChargingGroup, PvAsset } from "../domain/assets.ts";
import { type FlexibilityOrder, orderText } from "../domain/orders.ts";
import { type ChargingProfile, limitAt } from "../domain/profiles.ts";
import { slotStart } from "../domain/slots.ts";
import { type GroupBoard, type LiveSession, liveSessions } from "./board.ts";
import { slotKey } from "./ledgerPort.ts";
import type { AssetRow, Hex, Privacy, RunRecord, StoredPlan, World } from "./ports.ts";
import { sealKeyOf } from "./sealSlots.ts";

type Needs = Pick<World, "store" | "ledger" | "random" | "settings" | "clock">;

/** What the plan allots, by session. */
export type Wishes = ReadonlyMap<string, ChargingProfile>;

const ZERO: Hex = `0x${"00".repeat(32)}`;
/** Status of an asset in a row; numbers are the contract's. */
const ROW_STATUS = { available: 0, occupied: 1, charging: 2, silent: 3 };

export async function recordSlot(
  world: Needs,
  group: ChargingGroup,
  board: GroupBoard,
  plan: StoredPlan,
  wishes: Wishes,
): Promise<void> {
  const { store, ledger } = world;
  const slot = plan.slot + (slotStart(plan.slot + 1) - plan.at <= world.settings.leadS ? 1 : 0);
  if (slot <= board.recordedSlot) return;
  const earlierPlans = (await store.plans.unrecorded(group.id)).filter((other) => other.id !== plan.id);
  const rows = [
    ...rowsOf(await store.sites.evses(group.id), board, slot, wishes, world),
    ...inverterRows(await store.sites.pvs(group.id), board),
  ].sort((a, b) => a.index - b.index);
  const orders = await store.grid.orders(group.id, world.clock.now());
  const packed = ledger.packRows(rows);
  const leaves = [...leavesOf(board, plan, slot, wishes, world), ...orderLeaves(orders, slot, world)];
  if (ledger.privacy !== "rows") leaves.push(rowsLeaf(packed, group, slot, world));
  const root =
    leaves.length > 0 ? ledger.merkleRoot(leaves.map((leaf) => ledger.leaf(leaf.salt as Hex, leaf.text))) : ZERO;
  const run: RunRecord = {
    group: group.number,
    slot,
    ...commitmentsOf(ledger, plan),
    earlier: earlierPlans.reduce<Hex>(
      (link, other) => ledger.earlierLink(link, { at: other.at, ...commitmentsOf(ledger, other) }),
      earlierStart(ledger, plan),
    ),
    root,
    rows: ledger.privacy === "rows" ? packed : "0x",
  };
  const sealKey = await sealKeyOf(world, group.cpoId, slot);
  await store.plans.addRecord(
    {
      groupId: group.id,
      slot,
      planId: plan.id,
      earlierPlanIds: earlierPlans.map((other) => other.id),
      rows: packed,
      root,
      leaves,
      run: sealKey === null ? null : run,
    },
    sealKey ?? slotKey(group.number, slot),
  );
  if (sealKey === null) await store.outbox.enqueue(ledger.record([run]));
  board.recordedSlot = slot;
}

/** What the chain is told of a plan instead of the plan. */
export function commitmentsOf(ledger: World["ledger"], plan: StoredPlan, mode: Privacy = ledger.privacy) {
  const salt = saltOf(plan);
  return {
    algorithm: ledger.versions[plan.algorithm],
    problem: ledger.problemHash(bytes(plan.problem)),
    plan: ledger.planHash(salt, bytes(plan.x), bytes(plan.y), bytes(plan.w)),
    value: ledger.valueWord({ mode, cost: plan.cost, bound: plan.bound, salt }),
  };
}

/**
 * What the hash chain over the plans inside a slot begins with: 0 where rows are public; else what only the holder of the
 * recorded plan's salt knows, so that a slot in which somebody came or left looks like any other.
 */
export const earlierStart = (ledger: World["ledger"], plan: StoredPlan, mode: Privacy = ledger.privacy): Hex =>
  mode === "rows" ? ZERO : ledger.leaf(saltOf(plan), "earlier");

const saltOf = (plan: StoredPlan): Hex => `0x${plan.problem.slice(0, 64)}`;

function rowsOf(
  evses: readonly { id: string; row: number }[],
  board: GroupBoard,
  slot: number,
  wishes: Wishes,
  world: Needs,
): AssetRow[] {
  const now = world.clock.now();
  const byEvse = new Map(liveSessions(board).map((live) => [live.evseId, live]));
  return evses.map((evse) => {
    const live = byEvse.get(evse.id);
    if (!live)
      return {
        index: evse.row,
        limitW: 0,
        powerW: 0,
        status: ROW_STATUS.available,
        flags: 0,
        registerWh: board.registers[evse.id] ?? 0,
      };
    const silent = now - live.readAt > world.settings.staleS;
    return {
      index: evse.row,
      limitW: limitAt(commandedOf(live, wishes, now), slotStart(slot)),
      powerW: live.powerW,
      status: silent ? ROW_STATUS.silent : live.powerW > 0 ? ROW_STATUS.charging : ROW_STATUS.occupied,
      flags: 0,
      registerWh: live.registerWh,
    };
  });
}

/** What commands the station: the plan's wish, unless it is not sent because the station does not obey. */
const commandedOf = (live: LiveSession, wishes: Wishes, now: number) =>
  (live.heldOutUntil <= now ? wishes.get(live.sessionId) : undefined) ?? live.pending?.profile ?? live.applied;

/** PV gives, so its power is negative; what was measured is shared out by rated power. */
function inverterRows(pvs: readonly PvAsset[], board: GroupBoard): AssetRow[] {
  const ratedW = pvs.reduce((sum, pv) => sum + pv.ratedPowerW, 0);
  const productionW = board.site?.productionW ?? 0;
  return pvs.map((pv) => ({
    index: pv.row,
    limitW: pv.ratedPowerW,
    powerW: ratedW === 0 ? 0 : -Math.round((productionW * pv.ratedPowerW) / ratedW),
    status: productionW > 0 ? ROW_STATUS.charging : ROW_STATUS.available,
    flags: 0,
    registerWh: 0,
  }));
}

/** What a driver can prove with salt and text: the promise that held and the power that was allotted. */
function leavesOf(
  board: GroupBoard,
  plan: StoredPlan,
  slot: number,
  wishes: Wishes,
  world: Needs,
): { text: string; salt: string }[] {
  return liveSessions(board).flatMap((live) => {
    const salt = (what: string) =>
      `0x${Buffer.from(world.random(32, `leaf:${what}:${live.sessionId}:${slot}`)).toString("hex")}`;
    const allocation = JSON.stringify({
      kind: "allocation",
      limitW: limitAt(wishes.get(live.sessionId) ?? live.desired, slotStart(slot)),
      plan: plan.id,
      session: live.number,
      slot,
    });
    const leaves = [{ text: allocation, salt: salt("allocation") }];
    if (live.promise)
      leaves.push({
        text: JSON.stringify({
          baseline: "flex/1",
          by: live.promise.by,
          energyWh: live.promise.energyWh,
          kind: "promise",
          maxPowerW: live.maxPowerW,
          pluggedAt: live.pluggedAt,
          session: live.number,
        }),
        salt: salt("promise"),
      });
    return leaves;
  });
}

/** Orders that are not over yet, with their answers: what was acknowledged cannot be changed any more. */
const orderLeaves = (orders: readonly FlexibilityOrder[], slot: number, world: Needs) =>
  orders.map((order) => ({
    text: orderText(order),
    salt: `0x${Buffer.from(world.random(32, `leaf:order:${order.id}:${slot}`)).toString("hex")}`,
  }));

export const rowsText = (group: number, slot: number, rows: string) =>
  JSON.stringify({ group, kind: "rows", rows, slot });

/** Where rows are not public, whoever has salt and text can still prove them. */
const rowsLeaf = (rows: Hex, group: ChargingGroup, slot: number, world: Needs) => ({
  text: rowsText(group.number, slot, rows),
  salt: `0x${Buffer.from(world.random(32, `leaf:rows:${group.id}:${slot}`)).toString("hex")}`,
});

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
