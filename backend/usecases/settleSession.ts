/**
 * A closed session becomes a bill: flexibility against its own baseline, the promise judged and its missing energy
 * shared out, lines that add up exactly, and the receipt that they were computed from. Joins the closing transaction.
 */
import type { ChargingGroup, Cpo, Tariff } from "../domain/assets.ts";
import type { SiteSlot } from "../domain/meters.ts";
import { type ChargingProfile, limitAt, nextChange } from "../domain/profiles.ts";
import { type EnergyPromise, isTracked, judge, judgeFirst, toleranceWh, transition } from "../domain/promises.ts";
import type { ChargingSession } from "../domain/sessions.ts";
import { SLOT_S, slotOf, slotStart } from "../domain/slots.ts";
import { type EpochSecond, energyUp, epochSecond, microEur, microEurPerKwh, watt, wattHour } from "../domain/units.ts";
import { appliedLimit, type Draw, drawSeries } from "../flexibility/allowance.ts";
import { baseline } from "../flexibility/baseline.ts";
import {
  type Circumstances,
  FLEX_METHOD,
  type Flexibility,
  flexibility,
  limitShare,
  marginalValue,
} from "../flexibility/calculator.ts";
import { slotIntervals } from "../flexibility/intervals.ts";
import { type RegisterSeries, registerAt, registerSeries } from "../flexibility/registers.ts";
import { shown } from "../flexibility/shown.ts";
import { attribute, NO_SHARES, type Shares, vehicleShortfallWh } from "../settlement/attribution.ts";
import { compensation } from "../settlement/compensation.ts";
import { profilesText, promiseText, readingSums, readingsText, sessionText } from "../settlement/evidence.ts";
import { RECEIPT_FORMAT, type Receipt, type ReceiptPromise, receiptText } from "../settlement/receipt.ts";
import { SETTLEMENT_METHOD, settle } from "../settlement/settle.ts";
import { type GroupBoard, importSoFarWh, type LiveSession, liveSessions } from "./board.ts";
import { priceLookup } from "./groupProblem.ts";
import { orderIn, type Wanted } from "./orderLimits.ts";
import type { GroupLimit, SessionSlot, Settlement, World } from "./ports.ts";
import { commitmentsOf } from "./recordSlot.ts";

type Needs = Pick<World, "store" | "ledger" | "random" | "settings" | "clock">;

export async function settleSession(
  world: Needs,
  session: ChargingSession,
  live: LiveSession,
  board: GroupBoard,
): Promise<Settlement> {
  const { store, ledger } = world;
  const from = session.pluggedAt;
  const to = session.unpluggedAt as EpochSecond;
  const group = (await store.sites.group(session.groupId)) as ChargingGroup;
  const cpo = (await store.sites.cpos()).find((one) => one.id === session.cpoId) as Cpo;
  const tariff = (await store.sites.tariff(session.tariffId)) as Tariff;
  const driver = session.driverId === null ? null : await store.drivers.byId(session.driverId);
  const readings = await store.meters.ofSession(session.id);
  const sent = await store.profiles.ofSession(session.id);
  const limit = appliedLimit(sent, from, watt(0));
  const series = registerSeries({
    startAt: from,
    startWh: session.startRegisterWh,
    endAt: to,
    endWh: session.endRegisterWh ?? session.startRegisterWh,
    readings,
  });
  const limits = await store.sites.limits(group.id, from);
  const orders = await store.grid.orders(group.id, from);

  const flex = flexibility({
    series,
    limit,
    circumstances: await circumstancesOf(world, session, live, board, group, { limits, orders }),
    rewarded: session.mode !== "opted-out" && (await store.priorities.boosts(session.id)).length === 0,
    mostW: session.maxPowerW,
  });
  const judged = await judgeAtUnplug(world, session, live, series, limit, { limits, orders }, board, tariff);
  const bill = settle({
    energy: [{ energyWh: flex.energyWh, pricePerKwh: tariff.pricePerKwh }],
    compensation: judged?.compensation ?? null,
    flexWh: flex.flexWh,
  });
  const plan = await store.plans.latest(group.id);
  const commitments = plan && commitmentsOf(world.ledger, plan);

  const receipt: Receipt = {
    format: RECEIPT_FORMAT,
    methods: { flexibility: FLEX_METHOD, settlement: SETTLEMENT_METHOD },
    cpo: cpo.number,
    group: group.number,
    session: session.number,
    driver: driver?.address ?? null,
    settledAt: world.clock.now(),
    tariff: { id: tariff.id, number: tariff.number, pricePerKwh: tariff.pricePerKwh, fixedFeeMicroEur: microEur(0n) },
    meter: {
      startAt: from,
      startWh: session.startRegisterWh,
      endAt: to,
      endWh: wattHour(session.endRegisterWh ?? 0),
      readings: readings.length,
      signedRecord: null,
    },
    lines: bill.lines,
    amountMicroEur: bill.amountMicroEur,
    creditMicroEur: bill.creditMicroEur,
    promise: judged,
    flex: receiptFlex(flex),
    plan: commitments
      ? { algorithm: commitments.algorithm, problem: commitments.problem, plan: commitments.plan }
      : null,
    evidence: {
      session: ledger.hashText(sessionText(session)),
      promises: (await store.promises.history(session.id)).map((one) => ledger.hashText(promiseText(one))),
      profiles: ledger.hashText(profilesText(sent)),
      readings: ledger.hashText(readingsText(readings)),
      sums: readingSums(session, readings),
    },
  };
  const text = receiptText(receipt);
  const salt = `0x${Buffer.from(world.random(32, `receipt:${session.id}`)).toString("hex")}` as const;
  const settlement: Settlement = {
    sessionId: session.id,
    sessionNumber: session.number,
    cpoId: session.cpoId,
    driverId: session.driverId,
    settledAt: world.clock.now(),
    energyWh: bill.energyWh,
    amountMicroEur: bill.amountMicroEur,
    creditMicroEur: bill.creditMicroEur,
    compensationMicroEur: bill.compensationMicroEur,
    flexWh: bill.flexWh,
    flexValueMicroEur: flex.valueMicroEur,
    ancestorWh: shown(flex, session.maxPowerW).ancestorWh,
    receipt: text,
    salt,
    detailHash: world.ledger.leaf(salt, text),
    batch: null,
  };
  await store.bills.add(settlement, slotsOf(session, flex));
  return settlement;
}

const receiptFlex = (flex: Flexibility): Receipt["flex"] => {
  const { powerW, energyWh, startsAt, meanValue, rewarded, flexWh, valueMicroEur, intervals } = flex;
  return { powerW, energyWh, startsAt, meanValue, rewarded, flexWh, valueMicroEur, intervals };
};

const slotsOf = (session: ChargingSession, flex: Flexibility): SessionSlot[] =>
  flex.intervals.map((one) => ({
    sessionId: session.id,
    groupId: session.groupId,
    slot: slotOf(one.from),
    baselineWh: one.baselineWh,
    allowedWh: one.allowedWh,
    meteredWh: one.meteredWh,
  }));

/** What the group and its market were like in each slot of the stay. */
async function circumstancesOf(
  world: Needs,
  session: ChargingSession,
  live: LiveSession,
  board: GroupBoard,
  group: ChargingGroup,
  wanted: Wanted,
): Promise<Circumstances[]> {
  const { store, settings } = world;
  const from = session.pluggedAt;
  const to = session.unpluggedAt as EpochSecond;
  const firstSlot = slotOf(from);
  const priceOf = priceLookup(await store.prices.from(settings.market, firstSlot - 2 * 96));
  const measured = new Map((await store.meters.siteSlots(group.id, firstSlot)).map((slot) => [slot.slot, slot]));
  const closed = new Map<number, { baselineWh: number; allowedWh: number }[]>();
  for (const slot of await store.bills.slots(group.id, firstSlot, slotOf(to) + 1)) {
    const list = closed.get(slot.slot) ?? [];
    list.push(slot);
    closed.set(slot.slot, list);
  }
  const others = openBaselines(board, session.id, firstSlot);
  const own = openBaselines({ ...board, sessions: { [session.id]: live } }, "", firstSlot);
  return slotIntervals(from, to).map((interval): Circumstances => {
    const slot = measured.get(interval.slot);
    const share = slot
      ? limitShare({
          limitWh: Math.floor((slot.limitW * SLOT_S) / 3600),
          otherWh: Math.floor(((slot.demandW - slot.productionW) * SLOT_S) / 3600),
          sessions: [
            ...(closed.get(interval.slot) ?? []),
            ...(others.get(interval.slot) ?? []),
            ...(own.get(interval.slot) ?? []),
          ],
        })
      : { limitExcessWh: 0, limitReducibleWh: 0 };
    const importWh = slot ? importOf(slot) : Math.round(importSoFarWh(board, to, settings.staleS));
    return {
      from: interval.from,
      to: interval.to,
      ...marginalValue({ importWh, price: microEurPerKwh(priceOf(interval.slot)), feedIn: group.feedIn }),
      order: orderIn(wanted, interval.from, interval.to),
      ...share,
    };
  });
}

export const importOf = (slot: SiteSlot) =>
  slot.carsWh + Math.round(((slot.demandW - slot.productionW) * SLOT_S) / 3600);

/** Baselines of sessions that are still open, from what is known of them by now. */
function openBaselines(
  board: GroupBoard,
  except: string,
  firstSlot: number,
): Map<number, { baselineWh: number; allowedWh: number }[]> {
  const bySlot = new Map<number, { baselineWh: number; allowedWh: number }[]>();
  for (const live of liveSessions(board)) {
    if (live.sessionId === except || live.slots.length === 0) continue;
    const intervals = live.slots.map((slot) => ({
      from: epochSecond(Math.max(live.pluggedAt, slotStart(slot.slot))),
      to: slotStart(slot.slot + 1),
    }));
    const baselineWh = baseline({
      powerW: watt(live.peakW),
      startsAt: epochSecond(live.pluggedAt),
      intervals,
      meteredWh: live.slots.map((slot) => slot.meteredWh),
    });
    for (const [i, slot] of live.slots.entries()) {
      if (slot.slot < firstSlot) continue;
      const list = bySlot.get(slot.slot) ?? [];
      list.push({ baselineWh: baselineWh[i] as number, allowedWh: slot.allowedWh });
      bySlot.set(slot.slot, list);
    }
  }
  return bySlot;
}

/** The promise's end, judged from the meter; null without a promise that was accepted. */
async function judgeAtUnplug(
  world: Needs,
  session: ChargingSession,
  live: LiveSession,
  series: RegisterSeries,
  limit: ChargingProfile,
  wanted: Wanted,
  board: GroupBoard,
  tariff: Tariff,
): Promise<ReceiptPromise | null> {
  const promise = live.promise;
  if (!promise || !(isTracked(promise.state) || promise.state === "kept")) {
    if (promise?.state === "offered")
      await world.store.promises.put(transition(promise, { kind: "withdraw", at: world.clock.now() }));
    return null;
  }
  const unplug = session.unpluggedAt as EpochSecond;
  const by = epochSecond(Math.min(promise.by, unplug));
  const meteredAtUnplugWh = Math.max(0, (session.endRegisterWh ?? 0) - promise.fromRegisterWh);
  const judgement = judge({
    promisedWh: promise.energyWh,
    meteredByWh: Math.min(meteredAtUnplugWh, Math.max(0, registerAt(series, by) - promise.fromRegisterWh)),
    meteredAtUnplugWh,
  });
  const outcome = judgement.outcome === "open" ? "short" : judgement.outcome;
  const missingAtUnplugWh = wattHour(judgement.missingAtUnplugWh ?? 0);
  const shares =
    outcome === "kept"
      ? NO_SHARES
      : sharesOf({ promise, missingWh: judgement.missingWh, unplug, series, limit, wanted, live, board });
  // The car may have gone before the time of the first part.
  const at = Math.min(promise.first?.by ?? unplug, unplug);
  const whole = judgeFirst(promise, Math.max(0, registerAt(series, at) - promise.fromRegisterWh));
  if (isTracked(promise.state))
    await world.store.promises.put(transition(whole, { kind: "judge", at: world.clock.now(), judgement }));
  return {
    version: promise.version,
    energyWh: promise.energyWh,
    by: promise.by,
    fromRegisterWh: promise.fromRegisterWh,
    outcome,
    missingWh: judgement.missingWh,
    missingAtUnplugWh,
    shares,
    compensateOrders: true,
    compensation: compensation({ outcome, shares, missingAtUnplugWh, pricePerKwh: tariff.pricePerKwh }),
  };
}

/** Who kept the missing energy out of the car, from what was planned, allowed, ordered and drawn. */
function sharesOf(c: {
  promise: EnergyPromise;
  missingWh: number;
  unplug: EpochSecond;
  series: RegisterSeries;
  limit: ChargingProfile;
  wanted: Wanted;
  live: LiveSession;
  board: GroupBoard;
}): Shares {
  const { promise, unplug, live } = c;
  const end = Math.min(promise.by, unplug);
  const draws = entitled(drawSeries(c.series, c.limit, promise.by), live, unplug);
  const overlapS = (from: number, until: number | null) =>
    Math.max(0, Math.min(end, until ?? end) - Math.max(live.pluggedAt, from));
  const reduced = (kind: GroupLimit["kind"]) =>
    c.wanted.limits
      .filter((one) => one.kind === kind)
      .reduce((sum, one) => sum + Math.floor((live.maxPowerW * overlapS(one.from, one.until)) / 3600), 0);
  // An order that was acknowledged with promises whole is no excuse; one that was forced is.
  const forcedWh = c.wanted.orders
    .filter((one) => one.force && one.direction === "down")
    .reduce((sum, one) => sum + Math.floor((live.maxPowerW * overlapS(one.from, one.until)) / 3600), 0);
  const faultWh = live.faults.reduce(
    (sum, fault) => sum + Math.floor((live.maxPowerW * overlapS(fault.from, fault.until)) / 3600),
    0,
  );
  return attribute({
    missingWh: c.missingWh,
    driverWh: unplug < promise.by ? profileWh(live.desired, unplug, promise.by) : 0,
    vehicleWh: vehicleShortfallWh(draws, promise.by) + leftUnwillingWh(live, unplug, promise.by),
    orderWh: reduced("order") + forcedWh,
    outageWh: 0,
    operatorWh: faultWh + reduced("operator") + reduced("capacity"),
    toleranceWh: toleranceWh(promise.energyWh),
  });
}

/**
 * A car that did not draw when it was unplugged early had no energy planned for the rest of its time any more, only
 * because it did not draw: until `by` it could have had its full power.
 */
const leftUnwillingWh = (live: LiveSession, unplug: EpochSecond, by: EpochSecond) =>
  live.unwilling.at(-1)?.until === null ? energyUp(live.maxPowerW, Math.max(0, by - unplug)) : 0;

/** An offer that was not taken speaks for this long, s: a car that does not draw is asked again about once an hour. */
const SPEAKS_S = 3600;

/** A car that takes less than it is offered is given less to the good of others; what it could have had stays its own affair. */
function entitled(draws: readonly Draw[], live: LiveSession, unplug: EpochSecond): Draw[] {
  let offeredAt = Number.NEGATIVE_INFINITY;
  return draws.map((draw) => {
    // A station that is out of order allows nothing, whatever its profile says.
    if (live.faults.some((fault) => draw.to > fault.from && draw.from < (fault.until ?? unplug)))
      return { ...draw, allowedWh: draw.meteredWh };
    const unwilling = live.unwilling.some((stretch) => draw.to > stretch.from && draw.to <= (stretch.until ?? unplug));
    if (!unwilling) return draw;
    if (draw.allowedWh > draw.meteredWh) offeredAt = draw.to;
    if (draw.from - offeredAt > SPEAKS_S) return draw;
    return {
      ...draw,
      allowedWh: Math.max(draw.allowedWh, Math.floor((live.maxPowerW * (draw.to - draw.from)) / 3600)),
    };
  });
}

/** Energy of a profile between two instants, Wh, rounded up. */
function profileWh(profile: ChargingProfile, from: EpochSecond, to: EpochSecond): number {
  let ws = 0;
  for (let at: number = from; at < to; ) {
    const until = Math.min(to, nextChange(profile, at as EpochSecond) ?? to);
    ws += limitAt(profile, at as EpochSecond) * (until - at);
    at = until;
  }
  return Math.ceil(ws / 3600);
}
