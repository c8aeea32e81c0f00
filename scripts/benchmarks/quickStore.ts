/**
 * A store for benchmarks: what is written every minute and every cycle stays in memory, the rest goes to the store
 * below. Some ten times as fast as PGlite alone. Transactions are not atomic: a benchmark that fails is run again.
 */
import type { MeterReading, SiteReading, SiteSlot } from "../../backend/domain/meters.ts";
import type { SentProfile } from "../../backend/domain/profiles.ts";
import type {
  Incident,
  MeterStore,
  PlanStore,
  PriceStore,
  ProfileStore,
  Store,
  StoredPlan,
} from "../../backend/usecases/ports.ts";

export function quickStore(below: Store): Store {
  const incidents: Incident[] = [];
  const store: Store = {
    ...below,
    transaction: (work) => work(store),
    sites: remembered(below.sites),
    drivers: remembered(below.drivers),
    sessions: remembered(below.sessions),
    promises: remembered(below.promises),
    bills: remembered(below.bills),
    meters: meters(below.meters),
    profiles: profiles(below.profiles),
    plans: plans(below.plans),
    prices: prices(below.prices),
    incidents: { add: async (incident) => void incidents.push(incident), since: async () => incidents },
    snapshots: { ...below.snapshots, save: async () => undefined },
    outbox: { ...below.outbox, enqueue: async () => undefined },
  };
  return store;
}

const WRITES = /^(add|set|put|start|close|assign)/;

/** Answers of reads are kept until anything is written to that part. */
function remembered<T extends object>(below: T): T {
  const answers = new Map<string, unknown>();
  const entries = Object.entries(below).map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      if (WRITES.test(name)) {
        answers.clear();
        return method(...args);
      }
      const key = `${name} ${args.join(" ")}`;
      if (!answers.has(key)) answers.set(key, await method(...args));
      return answers.get(key);
    },
  ]);
  return Object.fromEntries(entries) as T;
}

function meters(below: MeterStore): MeterStore {
  const bySession = createLists<MeterReading>();
  const bySite = createLists<SiteReading>();
  const slots = createLists<SiteSlot>();
  return {
    ...below,
    append: async (readings) => {
      let added = 0;
      for (const reading of readings) {
        const list = bySession(reading.sessionId);
        if ((list.at(-1)?.at ?? -1) >= reading.at) continue;
        list.push(reading);
        added++;
      }
      return added;
    },
    ofSession: async (id) => bySession(id),
    latest: async (id) => bySession(id).at(-1) ?? null,
    appendSite: async (readings) => {
      for (const reading of readings) bySite(reading.groupId).push(reading);
      return readings.length;
    },
    latestSite: async (groupId) => bySite(groupId).at(-1) ?? null,
    putSiteSlot: async (slot) => {
      const list = slots(slot.groupId);
      if (list.at(-1)?.slot === slot.slot) list.pop();
      list.push(slot);
    },
    siteSlots: async (groupId, fromSlot, untilSlot = Number.POSITIVE_INFINITY) =>
      fromOn(slots(groupId), fromSlot).filter(({ slot }) => slot < untilSlot),
  };
}

function profiles(below: ProfileStore): ProfileStore {
  const byId = new Map<string, SentProfile>();
  const idsOf = createLists<string>();
  const ofSession = (sessionId: string) => idsOf(sessionId).map((id) => byId.get(id) as SentProfile);
  return {
    ...below,
    add: async (sent) => {
      for (const one of sent) {
        byId.set(one.id, one);
        idsOf(one.sessionId).push(one.id);
      }
    },
    answer: async (id, state, answeredAt) => {
      const sent = byId.get(id);
      if (!sent) throw new Error(`Profile ${id} was answered but never sent.`);
      byId.set(id, { ...sent, state, answeredAt });
    },
    byId: async (id) => byId.get(id) ?? null,
    ofSession: async (sessionId) => ofSession(sessionId),
    applied: async (sessionId) => ofSession(sessionId).findLast(({ state }) => state === "applied")?.profile ?? null,
  };
}

/** Allocations and records are proof, and nobody asks for proof here. */
function plans(below: PlanStore): PlanStore {
  const all: StoredPlan[] = [];
  const placeOf = new Map<string, number>();
  const latest = new Map<string, StoredPlan>();
  return {
    ...below,
    add: async (plan) => {
      placeOf.set(plan.id, all.length);
      all.push(plan);
      latest.set(plan.groupId, plan);
    },
    unrecorded: async () => [],
    addRecord: async () => undefined,
    unsealed: async () => [],
    byId: async (id) => all[placeOf.get(id) ?? -1] ?? null,
    page: async (_after, afterId, limit) => {
      const from = (placeOf.get(afterId) ?? -1) + 1;
      return all.slice(from, from + limit);
    },
    latest: async (groupId) => latest.get(groupId) ?? null,
  };
}

function prices(below: PriceStore): PriceStore {
  const known = new Map<string, Map<number, Awaited<ReturnType<PriceStore["from"]>>[number]>>();
  return {
    ...below,
    put: async (market, points) => {
      const bySlot = known.get(market) ?? new Map();
      known.set(market, bySlot);
      for (const point of points) if (!bySlot.has(point.slot)) bySlot.set(point.slot, point);
    },
    from: async (market, slot) =>
      fromOn(
        [...(known.get(market)?.values() ?? [])].sort((a, b) => a.slot - b.slot),
        slot,
      ),
  };
}

/** The part of an ascending list from a slot on. */
function fromOn<T extends { readonly slot: number }>(list: readonly T[], slot: number): readonly T[] {
  const first = list.findIndex((one) => one.slot >= slot);
  return first < 0 ? [] : list.slice(first);
}

/** Lists by key, made when they are first asked for. */
function createLists<T>(): (key: string) => T[] {
  const lists = new Map<string, T[]>();
  return (key) => {
    let list = lists.get(key);
    if (!list) {
      list = [];
      lists.set(key, list);
    }
    return list;
  };
}
