/**
 * A promise of energy: this much by this time. It is made before charging starts, held by every plan, tracked while it
 * runs and judged once.
 *
 *   offered -> accepted -> on-track <-> at-risk -> kept | late | short
 *   offered -> expired;  anything that holds capacity -> amended (a newer version took its place) | withdrawn
 */
import type { FirstPart } from "./sessions.ts";
import { type EpochSecond, epochSecond, type WattHour, wattHour } from "./units.ts";

export type PromiseState =
  | "offered"
  | "accepted"
  | "on-track"
  | "at-risk"
  | "kept"
  | "late"
  | "short"
  | "expired"
  | "amended"
  | "withdrawn";

export type EnergyPromise = {
  readonly sessionId: string;
  /** 1 for the session's first promise, one more for each that is offered after it. */
  readonly version: number;
  readonly energyWh: WattHour;
  readonly by: EpochSecond;
  /** Register of the EVSE's meter from which the energy counts: at plug-in, or at the request if that came later. */
  readonly fromRegisterWh: WattHour;
  readonly state: PromiseState;
  readonly offeredAt: EpochSecond;
  /** An offer holds its capacity until then. */
  readonly expiresAt: EpochSecond;
  /** When the state was last entered. */
  readonly changedAt: EpochSecond;
  /** Slack of the latest run: Wh that can be guaranteed by then, all other promises held, minus the need left. */
  readonly slackWh: number | null;
  /** Good runs since the last bad one; counted while at risk. */
  readonly goodRuns: number;
  /** Missing part at `by` (or at unplug, if earlier) and at unplug; null until judged. */
  readonly missingWh: WattHour | null;
  readonly missingAtUnplugWh: WattHour | null;
  /** Minimum energy first: a second, earlier deadline. `missingWh`: what was missing then, null until judged. */
  readonly first?: { readonly wh: WattHour; readonly by: EpochSecond; readonly missingWh: WattHour | null };
};

/** How long an offer stands, s. */
export const OFFER_S = 120;
/** Good runs that bring a promise back on track. */
export const GOOD_RUNS = 2;

/** States that hold capacity in admission. */
export const isHolding = (state: PromiseState) => state === "offered" || isTracked(state);
/** States that every run assesses and that will be judged. */
export const isTracked = (state: PromiseState) => state === "accepted" || state === "on-track" || state === "at-risk";
/** An offer that nobody took in time. */
export const isExpired = (promise: EnergyPromise, at: EpochSecond) =>
  promise.state === "offered" && at >= promise.expiresAt;

export function offerPromise(
  offer: Pick<EnergyPromise, "sessionId" | "version" | "energyWh" | "by" | "fromRegisterWh"> & {
    readonly first?: FirstPart | undefined;
  },
  at: EpochSecond,
): EnergyPromise {
  const { sessionId, version, energyWh, by, fromRegisterWh, first } = offer;
  if (energyWh <= 0 || by <= at)
    throw new RangeError(
      `A promise of ${energyWh} Wh by ${by}, made at ${at}, promises nothing. Offer energy above 0 Wh by a later time.`,
    );
  if (first && !(first.wh > 0 && first.wh <= energyWh && first.by > at && first.by < by))
    throw new RangeError(
      `A first part of ${first.wh} Wh by ${first.by} is none of ${energyWh} Wh by ${by}. Offer less, earlier.`,
    );
  return {
    sessionId,
    version,
    energyWh,
    by,
    fromRegisterWh,
    ...(first && { first: { ...first, missingWh: null } }),
    state: "offered",
    offeredAt: at,
    expiresAt: epochSecond(at + OFFER_S),
    changedAt: at,
    slackWh: null,
    goodRuns: 0,
    missingWh: null,
    missingAtUnplugWh: null,
  };
}

/* ------------------------------------------------------------------------------------------------ judgement */

export type Judgement = {
  /** `open`: the energy was missing in time and the car is still plugged in; judge again at unplug. */
  readonly outcome: "kept" | "late" | "short" | "open";
  /** S: promised - metered at `by`, or at unplug if that came earlier; never below 0. */
  readonly missingWh: WattHour;
  /** Promised - metered at unplug, never below 0; null while plugged in. */
  readonly missingAtUnplugWh: WattHour | null;
};

/** A missing part up to here is measurement, not breach: max(100 Wh, 1 %). */
export const toleranceWh = (promisedWh: number) => Math.max(100, Math.floor(promisedWh / 100));

/**
 * Whether a promise was kept. Metered energies count from the promise's `fromRegisterWh`; `meteredByWh` is taken at
 * `by`, or at unplug if that came earlier; `meteredAtUnplugWh` is null while the car is plugged in.
 * Kept if S <= tolerance; late if the missing part was delivered before unplug (within the same tolerance), else short.
 */
export function judge(m: {
  readonly promisedWh: number;
  readonly meteredByWh: number;
  readonly meteredAtUnplugWh: number | null;
}): Judgement {
  if (m.meteredAtUnplugWh !== null && m.meteredAtUnplugWh < m.meteredByWh)
    throw new RangeError(
      `Metered ${m.meteredAtUnplugWh} Wh at unplug but ${m.meteredByWh} Wh before it: registers never fall. Check the session's readings.`,
    );
  const allowed = toleranceWh(m.promisedWh);
  const missingWh = wattHour(Math.max(0, m.promisedWh - m.meteredByWh));
  const missingAtUnplugWh =
    m.meteredAtUnplugWh === null ? null : wattHour(Math.max(0, m.promisedWh - m.meteredAtUnplugWh));
  if (missingWh <= allowed) return { outcome: "kept", missingWh, missingAtUnplugWh };
  if (missingAtUnplugWh === null) return { outcome: "open", missingWh, missingAtUnplugWh };
  return { outcome: missingAtUnplugWh <= allowed ? "late" : "short", missingWh, missingAtUnplugWh };
}

/**
 * The promise with its first part judged, once, at its time or at unplug if that came earlier. A first part that came late
 * is a fact of its own, shown to the driver and the operator: the promise's outcome and compensation follow from its end.
 */
export function judgeFirst(promise: EnergyPromise, meteredByWh: number): EnergyPromise {
  const { first } = promise;
  if (!first || first.missingWh !== null) return promise;
  return { ...promise, first: { ...first, missingWh: wattHour(Math.max(0, first.wh - meteredByWh)) } };
}

/** Whether the first part was there in time; null without one, or before its time. */
export const firstOutcome = ({ first }: EnergyPromise): "kept" | "late" | null =>
  !first || first.missingWh === null ? null : first.missingWh <= toleranceWh(first.wh) ? "kept" : "late";

/* ----------------------------------------------------------------------------------------------- transitions */

export type PromiseEvent =
  | { readonly kind: "accept" | "expire" | "amend" | "withdraw"; readonly at: EpochSecond }
  /** A run of the control cycle; `fresh` is false when the readings that it rests on are stale. */
  | { readonly kind: "assess"; readonly at: EpochSecond; readonly slackWh: number; readonly fresh: boolean }
  | { readonly kind: "judge"; readonly at: EpochSecond; readonly judgement: Judgement };

/** The promise after the event. Throws when the event cannot happen in the promise's state, saying why and what to do. */
export function transition(promise: EnergyPromise, event: PromiseEvent): EnergyPromise {
  const to = (state: PromiseState, more: Partial<EnergyPromise> = {}): EnergyPromise => ({
    ...promise,
    ...more,
    state,
    changedAt: state === promise.state ? promise.changedAt : event.at,
  });
  if (event.at < promise.changedAt) throw illegal(promise, event, `it is ${promise.state} since ${promise.changedAt}`);
  switch (event.kind) {
    case "accept":
      if (promise.state !== "offered") throw illegal(promise, event, `it is ${promise.state}; only an offer can be`);
      if (isExpired(promise, event.at)) throw illegal(promise, event, `the offer ended at ${promise.expiresAt}`);
      return to("accepted");
    case "expire":
      if (promise.state !== "offered") throw illegal(promise, event, `it is ${promise.state}; only an offer can`);
      if (!isExpired(promise, event.at)) throw illegal(promise, event, `the offer stands until ${promise.expiresAt}`);
      return to("expired");
    case "amend":
      if (!isHolding(promise.state)) throw illegal(promise, event, `it has ended as ${promise.state}`);
      return to("amended");
    case "withdraw":
      if (!isHolding(promise.state)) throw illegal(promise, event, `it has ended as ${promise.state}`);
      return to("withdrawn");
    case "assess":
      if (!isTracked(promise.state)) throw illegal(promise, event, `it is ${promise.state}, nothing to track`);
      return assess(promise, event, to);
    case "judge":
      if (!isTracked(promise.state)) throw illegal(promise, event, `it is ${promise.state}, nothing to judge`);
      return settle(promise, event, to);
  }
}

type Move = (state: PromiseState, more?: Partial<EnergyPromise>) => EnergyPromise;

/** At risk when the slack is negative, the data stale or the time over; back after two good runs in a row. */
function assess(promise: EnergyPromise, run: PromiseEvent & { kind: "assess" }, to: Move): EnergyPromise {
  const { slackWh } = run;
  if (slackWh < 0 || !run.fresh || run.at >= promise.by) return to("at-risk", { slackWh, goodRuns: 0 });
  if (promise.state !== "at-risk") return to("on-track", { slackWh, goodRuns: 0 });
  const goodRuns = promise.goodRuns + 1;
  return goodRuns < GOOD_RUNS ? to("at-risk", { slackWh, goodRuns }) : to("on-track", { slackWh, goodRuns: 0 });
}

function settle(promise: EnergyPromise, event: PromiseEvent & { kind: "judge" }, to: Move): EnergyPromise {
  const { outcome, missingWh, missingAtUnplugWh } = event.judgement;
  const early = event.at < promise.by;
  // Before `by` only an unplug can end a promise.
  if (early && missingAtUnplugWh === null)
    throw illegal(promise, event, `it runs until ${promise.by} and the car is plugged in`);
  return to(outcome === "open" ? "at-risk" : outcome, { missingWh, missingAtUnplugWh, goodRuns: 0 });
}

const DEED = {
  accept: "accepted",
  expire: "expire",
  amend: "amended",
  withdraw: "withdrawn",
  assess: "assessed",
  judge: "judged",
};
function illegal(promise: EnergyPromise, event: PromiseEvent, because: string): Error {
  const deed = event.kind === "expire" ? "expire" : `be ${DEED[event.kind]}`;
  return new Error(
    `Promise ${promise.version} of session ${promise.sessionId} cannot ${deed} at ${event.at}: ${because}. Read its state first.`,
  );
}
