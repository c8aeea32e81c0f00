/** What an order is settled against: the last certified plan that was recorded on chain before it came. */
import { type FlexibilityOrder, type OrderBaseline, wantedWh } from "../domain/orders.ts";
import { decodeProblem, decodeX } from "../optimisation/encoding.ts";
import { carsWhBySlot } from "../optimisation/orders.ts";
import type { StoredPlan, World } from "./ports.ts";
import { commitmentsOf } from "./recordSlot.ts";

export type BaselinePlan = {
  readonly named: OrderBaseline;
  /** Cars' energy by slot as planned, less (or more) what orders took (or gave) that the plan did not know. Wh */
  readonly wh: ReadonlyMap<number, number>;
};

/** `others`: orders that are applied. Null before the group's first recorded plan. */
export async function baselineOf(
  { store, ledger, settings }: Pick<World, "store" | "ledger" | "settings">,
  groupId: string,
  others: readonly FlexibilityOrder[],
): Promise<BaselinePlan | null> {
  const plan = await store.plans.latestRecorded(groupId);
  if (!plan) return null;
  const { problem, plan: planHash } = commitmentsOf(ledger, plan);
  const unknown = others.filter((order) => order.givenAt >= plan.at - settings.dispatchS);
  return { named: { planId: plan.id, problemHash: problem, planHash }, wh: plannedWh(plan, unknown) };
}

/** From the plan's bytes; only slots that it covers whole. */
export function plannedWh(plan: StoredPlan, unknown: readonly FlexibilityOrder[]): Map<number, number> {
  const { problem } = decodeProblem(bytes(plan.problem));
  const wh = carsWhBySlot(problem, { energyWh: decodeX(problem, bytes(plan.x)) });
  wh.delete(problem.slot);
  for (const order of unknown)
    for (const row of order.slots) {
      const before = wh.get(row.slot);
      if (before === undefined) continue;
      const wanted = wantedWh(order, row);
      wh.set(row.slot, order.direction === "down" ? Math.min(before, wanted) : Math.max(before, wanted));
    }
  return wh;
}

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
