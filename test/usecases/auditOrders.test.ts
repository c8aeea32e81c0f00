/** The parts of the audit that look at capacity profiles and flexibility orders, on a site without a chain. */
import { expect } from "chai";
import type { FlexibilityOrder, OrderSettlement } from "../../backend/domain/orders.ts";
import { epochSecond, microEurPerKwh, watt, wattHour } from "../../backend/domain/units.ts";
import { auditAllocations } from "../../backend/usecases/auditCommands.ts";
import { type GroupFile, readFacts } from "../../backend/usecases/auditFacts.ts";
import { createFindings } from "../../backend/usecases/auditFindings.ts";
import { auditInputs } from "../../backend/usecases/auditInputs.ts";
import { auditOrders, auditOrdersOfPlan } from "../../backend/usecases/auditOrders.ts";
import { namedPlans, readPlan } from "../../backend/usecases/auditPlans.ts";
import { auditLeaves } from "../../backend/usecases/auditRecords.ts";
import { setCapacityProfile } from "../../backend/usecases/capacityProfile.ts";
import { orderFlexibility } from "../../backend/usecases/orderFlexibility.ts";
import type { RunRecord } from "../../backend/usecases/ports.ts";
import { aSite, GROUP, HOUR, MINUTE, type Site, T0 } from "../support/world.ts";

type Forge = {
  readonly order?: (order: FlexibilityOrder) => FlexibilityOrder;
  readonly settlement?: (settlement: OrderSettlement) => OrderSettlement;
  readonly group?: (group: GroupFile) => GroupFile;
};

/** What the audit finds, where the store tells it something else. */
async function found(site: Site, forge: Forge = {}): Promise<string[]> {
  const { store, ledger, settings } = site.world;
  const findings = createFindings();
  const facts = await readFacts(store, settings.market, () => undefined);
  const groups = facts.groups.map((group) => {
    const orders = group.orders.map(forge.order ?? ((order) => order));
    return (forge.group ?? ((same) => same))({ ...group, orders });
  });
  const group = groups[0]!;
  const named = namedPlans(facts, [], findings);
  const published = { lastSlot: 0 };
  const plans = [];
  for (const stored of await store.plans.page(epochSecond(0), "", 10_000)) {
    const file = readPlan(stored, facts, named.get(stored.id) ?? null, findings)!;
    auditInputs(file, group, facts, published, findings);
    const allotted = await store.plans.allocations(stored.id);
    auditAllocations(file, group, new Map(allotted.map((one) => [one.sessionNumber, one.periods])), findings);
    if (file.commands) {
      const run = { slot: file.commands.slot, root: file.commands.root } as RunRecord;
      const allotments = new Map(allotted.map((one) => [one.sessionNumber, one.periods]));
      auditLeaves(file.commands, run, file, group, facts, allotments, new Map(), ledger, findings);
    }
    const kept = auditOrdersOfPlan(file, group, ledger, findings);
    if (kept) plans.push(kept);
  }
  const settlements = new Map<string, OrderSettlement>();
  for (const { id } of group.orders) {
    const settlement = await store.grid.settlement(id);
    if (settlement) settlements.set(id, (forge.settlement ?? ((same) => same))(settlement));
  }
  auditOrders([group], plans, settlements, findings);
  return findings.differences.map(({ where, text }) => `${where}: ${text}`);
}

const first = <T>(list: readonly T[], change: (one: T) => T): T[] =>
  list.map((one, k) => (k === 0 ? change(one) : one));

describe("The audit of flexibility orders and capacity profiles", () => {
  let site: Site;
  before(async () => {
    site = await aSite({
      limitW: 25_000,
      evses: 3,
      demandW: 2_000,
      priceOf: (slot) => 50_000 + ((slot * 7) % 5) * 10_000,
    });
    const cars = [await site.plugIn(1), await site.plugIn(2)];
    await cars[0]!.ask(30_000, site.in(6 * HOUR));
    await cars[1]!.ask(30_000, site.in(5 * HOUR));
    await site.until(T0 + 20 * MINUTE);
    for (const [id, direction, from, powerW] of [
      ["down", "down", 1, 9_000],
      ["more", "down", 1, 20_000],
      ["up", "up", 3, 6_000],
    ] as const) {
      const said = await orderFlexibility(site.world, {
        ...{ id, groupId: GROUP, direction, powerW: watt(powerW), price: null, force: false, givenBy: "grid" },
        from: epochSecond(T0 + from * HOUR),
        until: epochSecond(T0 + (from + 1) * HOUR),
      });
      expect(said.kind, JSON.stringify(said)).to.equal("answered");
    }
    await setCapacityProfile(site.world, {
      groupId: GROUP,
      givenBy: "grid",
      periods: Array.from({ length: 30 }, (_, k) => ({
        from: epochSecond(T0 + (150 + k) * MINUTE),
        until: epochSecond(T0 + (151 + k) * MINUTE),
        limitW: watt(5_000 + ((k * 37) % 11) * 1_000),
      })),
    });
    await site.until(T0 + 2.6 * HOUR);
    await cars[1]!.unplug();
    await site.until(T0 + 4 * HOUR + 10 * MINUTE);
  });

  it("finds nothing where all is true", async () => {
    const orders = await site.store.grid.orders(GROUP, epochSecond(0));
    for (const { id, slots } of orders)
      expect(
        slots.reduce((sum, { acknowledgedWh }) => sum + acknowledgedWh, 0),
        id,
      ).to.be.greaterThan(0);
    for (const { id } of orders) expect(await site.store.grid.settlement(id), id).not.to.equal(null);
    expect(await found(site)).to.deep.equal([]);
  });

  for (const [what, forge, says] of [
    [
      "a baseline that was not planned",
      {
        order: (order) => ({
          ...order,
          slots: first(order.slots, (row) => ({ ...row, plannedWh: wattHour(row.plannedWh + 100) })),
        }),
      },
      /^order down: planned in slot \d+ \(Wh\) is/,
    ],
    [
      "another plan as baseline",
      { order: (order) => ({ ...order, baseline: { ...order.baseline, planHash: "0x00" } }) },
      /^order down: plan of the baseline is 0x00/,
    ],
    [
      "an answer that plans did not keep",
      {
        order: (order) => ({
          ...order,
          slots: order.slots.map((row) => ({ ...row, acknowledgedWh: row.orderedWh })),
        }),
      },
      /^order more: plan .* has \d+ Wh in slot \d+, the order leaves its cars \d+ Wh/,
    ],
    [
      "a meter that showed something else",
      { settlement: (one) => ({ ...one, meters: first(one.meters, (m) => ({ ...m, wh: m.wh.map((wh) => wh + 1) })) }) },
      /^order down: energy of session s1 in slot/,
    ],
    [
      "a delivery that was not measured",
      { settlement: (one) => ({ ...one, deliveredWh: wattHour(one.deliveredWh + 1) }) },
      /^order down: delivered \(Wh\) is/,
    ],
    [
      "an outcome that is too good",
      { settlement: (one) => ({ ...one, outcome: "missed" }) },
      /^order down: outcome is/,
    ],
    [
      "another price than the one recorded on chain",
      { order: (order) => ({ ...order, price: microEurPerKwh(90_000) }) },
      /has no leaf for order down as the store has it/,
    ],
    [
      "prices without an order",
      { group: (group) => ({ ...group, orders: group.orders.filter(({ id }) => id !== "up") }) },
      /^price of slot \d+ .*: the store has \d+, plan/,
    ],
    [
      "more than a capacity profile allows",
      {
        group: (group) => ({
          ...group,
          capacities: group.capacities.map((one) => ({
            ...one,
            periods: one.periods.map((period) => ({ ...period, limitW: watt(period.limitW - 3_000) })),
          })),
        }),
      },
      /has a limit of \d+ Wh/,
    ],
  ] as readonly (readonly [string, Forge, RegExp])[])
    it(`names ${what}`, async () => {
      const texts = await found(site, forge);
      expect(
        texts.some((text) => says.test(text)),
        texts.slice(0, 5).join("\n"),
      ).to.equal(true);
    });
});
