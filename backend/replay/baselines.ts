/**
 * What the same sessions would have cost and got otherwise: uncontrolled, equal share, perfect foresight. Computed from
 * the scenario alone, by other code than the system's; energies in W*s, so that nothing is rounded on the way.
 */
import { SLOT_S, slotOf, slotStart } from "../domain/slots.ts";
import { type EpochSecond, microEurPerKwh, second, watt, wattHour } from "../domain/units.ts";
import { leastCost } from "../optimisation/leastCost.ts";
import type { GroupProblem } from "../optimisation/problem.ts";
import type { Scenario, ScenarioSession } from "./scenario.ts";

type Group = Scenario["groups"][number];
/** Energy of all cars by group and slot, W*s. */
export type CarWs = Record<string, Record<number, number>>;

export type Outcome = {
  readonly carWs: CarWs /** By session, W*s. */;
  readonly delivered: ReadonlyMap<string, number>;
};

const groupOf = (scenario: Scenario, session: ScenarioSession) =>
  scenario.groups.find((group) => group.evses.some((evse) => evse.id === session.evseId)) as Group;

export const sessionsOf = (scenario: Scenario, group: Group) =>
  scenario.sessions.filter((session) => groupOf(scenario, session) === group);

const powerOf = (group: Group, session: ScenarioSession) =>
  Math.min(session.maxPowerW, group.evses.find((evse) => evse.id === session.evseId)?.maxPowerW ?? 0);

export const netW = (group: Group, slot: number) => (group.demand?.get(slot) ?? 0) - (group.production?.get(slot) ?? 0);

function addWs(carWs: CarWs, group: Group, from: number, to: number, powerW: number): void {
  carWs[group.id] ??= {};
  const perSlot = carWs[group.id] as Record<number, number>;
  for (let at = from; at < to; ) {
    const slot = slotOf(at as EpochSecond);
    const until = Math.min(to, slotStart(slot + 1));
    perSlot[slot] = (perSlot[slot] ?? 0) + powerW * (until - at);
    at = until;
  }
}

/** Full power from plug-in, whatever the limit. */
export function uncontrolled(scenario: Scenario): Outcome {
  const carWs: CarWs = {};
  const delivered = new Map<string, number>();
  for (const group of scenario.groups)
    for (const session of sessionsOf(scenario, group)) {
      const powerW = powerOf(group, session);
      const ws = Math.min(session.takenWh * 3600, powerW * (session.plugOut - session.plugIn));
      addWs(carWs, group, session.plugIn, session.plugIn + ws / powerW, powerW);
      delivered.set(session.id, ws);
    }
  return { carWs, delivered };
}

/** What the limit leaves, divided equally among the plugged cars at every moment; what one cannot take goes to the others. */
export function equalShare(scenario: Scenario): Outcome {
  const carWs: CarWs = {};
  const delivered = new Map<string, number>();
  for (const group of scenario.groups) {
    const sessions = sessionsOf(scenario, group);
    const events = [
      ...new Set(sessions.flatMap((session) => [session.plugIn as number, session.plugOut as number])),
    ].sort((a, b) => a - b);
    const left = new Map(sessions.map((session) => [session.id, session.takenWh * 3600]));
    let at = events[0] ?? 0;
    const last = events[events.length - 1] ?? 0;
    while (at < last) {
      const present = sessions.filter(
        (session) => session.plugIn <= at && at < session.plugOut && (left.get(session.id) as number) > 0,
      );
      const slot = slotOf(at as EpochSecond);
      let to = Math.min(slotStart(slot + 1), events.find((event) => event > at) ?? last);
      const shares = fill(
        Math.max(0, group.supplyLimitW - netW(group, slot)),
        present.map((session) => powerOf(group, session)),
      );
      for (const [i, session] of present.entries()) {
        const powerW = shares[i] as number;
        if (powerW > 0) to = Math.min(to, at + (left.get(session.id) as number) / powerW);
      }
      for (const [i, session] of present.entries()) {
        const ws = Math.min(left.get(session.id) as number, (shares[i] as number) * (to - at));
        addWs(carWs, group, at, to, ws / (to - at));
        const rest = (left.get(session.id) as number) - ws;
        left.set(session.id, rest < 1 ? 0 : rest);
      }
      at = to;
    }
    for (const session of sessions)
      delivered.set(session.id, session.takenWh * 3600 - (left.get(session.id) as number));
  }
  return { carWs, delivered };
}

/** Equal shares of a power, none above its most. */
function fill(availableW: number, mostW: readonly number[]): number[] {
  const shares = mostW.map(() => 0);
  let leftW = availableW;
  let open = mostW.map((_, i) => i);
  while (open.length > 0 && leftW > 1e-9) {
    const shareW = leftW / open.length;
    const capped = open.filter((i) => (mostW[i] as number) - (shares[i] as number) <= shareW);
    for (const i of capped.length > 0 ? capped : open) {
      const moreW = capped.length > 0 ? (mostW[i] as number) - (shares[i] as number) : shareW;
      shares[i] = (shares[i] as number) + moreW;
      leftW -= moreW;
    }
    if (capped.length === 0) break;
    open = open.filter((i) => !capped.includes(i));
  }
  return shares;
}

/** Least cost with everything known, for the energy that each session really got. */
export function perfectForesight(scenario: Scenario, gotWh: ReadonlyMap<string, number>): Outcome {
  const carWs: CarWs = {};
  const delivered = new Map<string, number>();
  for (const group of scenario.groups) {
    const sessions = sessionsOf(scenario, group);
    const cuts = new Set<number>();
    for (let at: number = scenario.from; at <= scenario.to; at += SLOT_S) cuts.add(at);
    for (const session of sessions) {
      cuts.add(session.plugIn);
      cuts.add(session.plugOut);
    }
    const edges = [...cuts].sort((a, b) => a - b);
    const index = new Map(edges.map((at, i) => [at, i]));
    const problem: GroupProblem = {
      group: 1,
      slot: slotOf(scenario.from),
      at: scenario.from,
      weights: { scale: 65_535, early: 1, voll: 40_000_000, extra: 10_000_000 },
      cars: sessions.map((session, i) => ({
        session: i + 1,
        row: 0,
        needWh: wattHour(gotWh.get(session.id) ?? 0),
        moreWh: wattHour(0),
        powerW: watt(powerOf(group, session)),
        minPowerW: watt(0),
        from: index.get(session.plugIn) as number,
        to: index.get(session.plugOut) as number,
      })),
      intervals: edges.slice(0, -1).map((from, i) => {
        const durationS = (edges[i + 1] as number) - from;
        const slot = slotOf(from as EpochSecond);
        const wh = (powerW: number) => wattHour(Math.floor((powerW * durationS) / 3600));
        const net = netW(group, slot);
        return {
          durationS: second(durationS),
          limitWh: wh(group.supplyLimitW),
          demandWh: wattHour(Math.ceil((Math.max(0, net) * durationS) / 3600)),
          productionWh: wh(Math.max(0, -net)),
          fixedWh: wattHour(0),
          feedIn: microEurPerKwh(0),
          price: microEurPerKwh(scenario.prices.get(slot) ?? 0),
        };
      }),
    };
    const plan = leastCost(problem);
    for (const [i, car] of problem.cars.entries()) {
      let wh = 0;
      for (const [k, energyWh] of (plan.energyWh[i] ?? []).entries()) {
        if (energyWh === 0) continue;
        const from = edges[car.from + k] as number;
        const to = edges[car.from + k + 1] as number;
        addWs(carWs, group, from, to, (energyWh * 3600) / (to - from));
        wh += energyWh;
      }
      delivered.set((sessions[i] as ScenarioSession).id, wh * 3600);
    }
  }
  return { carWs, delivered };
}

export type Cost = {
  readonly importMicroEur: bigint;
  readonly deliveredWh: number;
  readonly violations: number;
  readonly slots: number;
  readonly maxImportW: number;
};

/** What the import that the cars caused cost at the wholesale price, and where it went above the limit. */
export function costOf(
  scenario: Scenario,
  carWs: CarWs,
  limitW: (group: Group, slot: number) => number = (group) => group.supplyLimitW,
): Cost {
  let microEurWs = 0n;
  let deliveredWs = 0;
  let violations = 0;
  let slots = 0;
  let maxImportW = 0;
  for (const group of scenario.groups)
    for (let at = scenario.from as number; at < scenario.to; at += SLOT_S) {
      const slot = slotOf(at as EpochSecond);
      const ws = carWs[group.id]?.[slot] ?? 0;
      const netWs = netW(group, slot) * SLOT_S;
      const caused = Math.max(0, netWs + ws) - Math.max(0, netWs);
      microEurWs += BigInt(Math.round(caused)) * BigInt(scenario.prices.get(slot) ?? 0);
      deliveredWs += ws;
      const importW = (netWs + ws) / SLOT_S;
      maxImportW = Math.max(maxImportW, importW);
      slots++;
      // A limit is broken by the cars: what the building alone draws above it is no violation of ours.
      if (ws > 0 && importW > limitW(group, slot) + 1e-6) violations++;
    }
  return {
    importMicroEur: microEurWs / 3_600_000n,
    deliveredWh: Math.round(deliveredWs / 3600),
    violations,
    slots,
    maxImportW: Math.round(maxImportW),
  };
}

export const perKwh = (importMicroEur: bigint, deliveredWh: number): string | null => {
  if (deliveredWh === 0) return null;
  const product = importMicroEur * 1000n;
  const wh = BigInt(deliveredWh);
  return String(product / wh - (product % wh < 0n ? 1n : 0n));
};
