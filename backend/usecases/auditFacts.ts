/** Everything in the store that an audit holds against the chain, read once. Plans are read page by page, by auditPlans. */
import type { ChargingGroup, Cpo, Evse, PvAsset } from "../domain/assets.ts";
import { type CapacityProfile, capacityPieces } from "../domain/capacity.ts";
import type { Dispute } from "../domain/disputes.ts";
import type { MeterReading, SiteSlot } from "../domain/meters.ts";
import type { FlexibilityOrder } from "../domain/orders.ts";
import type { SentProfile } from "../domain/profiles.ts";
import type { EnergyPromise } from "../domain/promises.ts";
import type {
  Admission,
  Boost,
  ChargingPreferences,
  ChargingSession,
  PowerGrant,
  Refusal,
} from "../domain/sessions.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import { parseReceipt, type Receipt } from "../settlement/receipt.ts";
import { minPowerOf } from "./board.ts";
import { learnedPreferences } from "./learnedPreferences.ts";
import type { Driver, GroupLimit, RecordedSlot, Settlement, Store } from "./ports.ts";

export type SessionFile = {
  readonly session: ChargingSession;
  readonly minPowerW: number;
  /** Ascending by instant. */
  readonly readings: readonly MeterReading[];
  /** In order of sending. */
  readonly profiles: readonly SentProfile[];
  /** All versions, first one first. */
  readonly promises: readonly EnergyPromise[];
  readonly admission: Admission | null;
  readonly boosts: readonly Boost[];
  /** Power that was set aside outside of plans, in the order in which it was granted. */
  readonly grants: readonly PowerGrant[];
  readonly refusals: readonly Refusal[];
  /** All that the driver wished, first one first, and what held without a word of the driver's. */
  readonly wishes: readonly (ChargingPreferences & { readonly at: EpochSecond })[];
  readonly learned: ChargingPreferences;
  readonly settlement: Settlement | null;
  readonly dispute: Dispute | null;
  /** Null without a settlement, or when its text cannot be read (`receiptFault`). */
  readonly receipt: Receipt | null;
  readonly receiptFault: string | null;
  /** First instant at which the service certainly knew of the session: a reading, a profile, an answer to the driver. */
  readonly knownAt: number;
  /** Until when the session was on the live board. */
  readonly closedAt: number;
};

/** What of a session the driver has, too. */
export type OwnRows = Pick<SessionFile, "session" | "readings" | "profiles" | "promises" | "receipt">;

export type GroupFile = {
  readonly group: ChargingGroup;
  readonly cpo: Cpo;
  readonly evses: readonly Evse[];
  readonly pvs: readonly PvAsset[];
  /** Without those of capacity profiles. */
  readonly limits: readonly GroupLimit[];
  /** What the group has run since when. */
  readonly algorithms: Awaited<ReturnType<Store["sites"]["algorithms"]>>;
  /** In the order in which they were given, refused ones too. */
  readonly orders: readonly FlexibilityOrder[];
  /** In the order in which they were given. */
  readonly capacities: readonly CapacityProfile[];
  readonly siteSlots: ReadonlyMap<number, SiteSlot>;
  /** Ascending by slot. */
  readonly records: readonly RecordedSlot[];
  /** By number. */
  readonly sessions: readonly SessionFile[];
};

export type Facts = {
  readonly cpos: readonly Cpo[];
  readonly groups: readonly GroupFile[];
  readonly sessions: readonly SessionFile[];
  readonly byNumber: ReadonlyMap<number, SessionFile>;
  readonly drivers: ReadonlyMap<string, Driver>;
  /** Published prices, micro-euro per kWh by slot. */
  readonly prices: ReadonlyMap<number, number>;
  /** Ids of incidents of the kind "fallback" name the plan: "fallback:<plan>". */
  readonly incidents: ReadonlySet<string>;
};

const BEGINNING = epochSecond(0);

export async function readFacts(store: Store, market: string, onProgress: (share: number) => void): Promise<Facts> {
  const cpos = await store.sites.cpos();
  const settlements = new Map((await store.bills.all()).map((one) => [one.sessionId, one]));
  const disputes = new Map((await store.disputes.all()).map((one) => [one.sessionId, one]));
  const all = await store.sessions.all();
  const sessions: SessionFile[] = [];
  for (const session of all) {
    const bill = { settlement: settlements.get(session.id) ?? null, dispute: disputes.get(session.id) ?? null };
    sessions.push(await readSession(store, session, bill));
    onProgress(sessions.length / all.length);
  }
  const groups: GroupFile[] = [];
  for (const group of await store.sites.groups())
    groups.push({
      group,
      cpo: cpos.find((one) => one.id === group.cpoId) as Cpo,
      evses: await store.sites.evses(group.id),
      pvs: await store.sites.pvs(group.id),
      limits: (await store.sites.limits(group.id, BEGINNING)).filter(({ kind }) => kind !== "capacity"),
      orders: await store.grid.orders(group.id, BEGINNING),
      capacities: (await store.grid.capacities(group.id, Number.MAX_SAFE_INTEGER)).toReversed(),
      algorithms: await store.sites.algorithms(group.id),
      siteSlots: new Map((await store.meters.siteSlots(group.id, 0)).map((slot) => [slot.slot, slot])),
      records: await store.plans.records(group.id),
      sessions: sessions.filter((one) => one.session.groupId === group.id),
    });
  return {
    cpos,
    groups,
    sessions,
    byNumber: new Map(sessions.map((one) => [one.session.number, one])),
    drivers: new Map((await store.drivers.all()).map((driver) => [driver.id, driver])),
    prices: new Map((await store.prices.from(market, 0)).map(({ slot, price }) => [slot, price])),
    incidents: new Set((await store.incidents.since(BEGINNING)).map((incident) => incident.id)),
  };
}

async function readSession(
  store: Store,
  session: ChargingSession,
  { settlement, dispute }: Pick<SessionFile, "settlement" | "dispute">,
): Promise<SessionFile> {
  const readings = await store.meters.ofSession(session.id);
  const profiles = await store.profiles.ofSession(session.id);
  const promises = await store.promises.history(session.id);
  const admission = await store.sessions.admission(session.id);
  let receipt: Receipt | null = null;
  let receiptFault: string | null = null;
  if (settlement)
    try {
      receipt = parseReceipt(settlement.receipt);
    } catch (error) {
      receiptFault = error instanceof Error ? error.message : String(error);
    }
  return {
    session,
    minPowerW: minPowerOf(session.maxPowerW, session.phases),
    readings,
    profiles,
    promises,
    admission,
    boosts: await store.priorities.boosts(session.id),
    grants: await store.priorities.grants(session.id),
    refusals: await store.priorities.refusals(session.id),
    wishes: await store.sessions.wishes(session.id),
    learned: await learnedPreferences(store, session),
    settlement,
    dispute,
    receipt,
    receiptFault,
    knownAt: Math.min(
      ...[readings[0]?.at, profiles[0]?.sentAt, admission?.at, promises[0]?.offeredAt, Number.POSITIVE_INFINITY].filter(
        (instant) => instant !== undefined,
      ),
    ),
    closedAt: settlement?.settledAt ?? session.unpluggedAt ?? Number.POSITIVE_INFINITY,
  };
}

/** All limits as they stood to the knowledge of somebody who plans at `now`: of capacity profiles only those given by then. */
export const limitsKnownAt = ({ limits, capacities }: GroupFile, now: number): readonly GroupLimit[] => [
  ...limits,
  ...capacityPieces(capacities.filter((one) => one.givenAt < now)).map(
    ({ profileId, from, until, limitW }): GroupLimit => ({
      id: `${profileId}:${from}`,
      groupId: "",
      kind: "capacity",
      limitW,
      from,
      until,
    }),
  ),
];

/** Latest reading not after the instant. */
export function readingBefore(file: SessionFile, instant: number): MeterReading | null {
  let low = 0;
  let high = file.readings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (file.readings[middle]!.at <= instant) low = middle + 1;
    else high = middle;
  }
  return file.readings[low - 1] ?? null;
}
