/**
 * What a plan was made from: published prices, the supply limit and lower limits in force, the feed-in value, room for
 * those who did not opt in. Forecasts of other load and PV are not checked: nobody can say later what should have been
 * expected.
 */

import { CAPACITY_STEP_S, capacityPieces } from "../domain/capacity.ts";
import { SLOT_S, SLOTS_PER_DAY } from "../domain/slots.ts";
import type { Facts, GroupFile } from "./auditFacts.ts";
import { at, type Findings, planName, priceName } from "./auditFindings.ts";
import { mostFloorW } from "./auditFloors.ts";
import type { PlanFile } from "./auditPlans.ts";

/** A limit that was in force for this long must have reached the plan, s. */
const REACTION_S = 60;

/** Last slot whose price was public when the group's latest plan was made; it never goes back. */
export type Published = { lastSlot: number };

export function auditInputs(
  file: PlanFile,
  group: GroupFile,
  facts: Facts,
  published: Published,
  findings: Findings,
): void {
  auditGrid(file, findings);
  auditPrices(file, group, facts, published, findings);
  auditLimits(file, group, findings);
  auditFixed(file, group, findings);
  const check = findings.check("prices of plans");
  for (const { feedIn } of file.problem.intervals)
    if (feedIn !== group.group.feedIn)
      check.differs(
        `group ${group.group.id}`,
        `feed-in value ${group.group.feedIn}, ${planName(file.id)} has ${feedIn}`,
      );
}

/** Intervals lie within slots and reach a day ahead. */
function auditGrid({ id, cuts, problem }: PlanFile, findings: Findings): void {
  const check = findings.check("parameters of plans");
  for (const [t, { durationS }] of problem.intervals.entries())
    if (durationS <= 0 || Math.floor(cuts[t]! / SLOT_S) !== Math.floor((cuts[t + 1]! - 1) / SLOT_S))
      check.differs(planName(id), `interval ${t} of ${durationS} s does not lie within one slot`);
  const endsAt = cuts[cuts.length - 1]!;
  if (endsAt < problem.at + SLOTS_PER_DAY * SLOT_S)
    check.differs(planName(id), `looks ahead until ${at(endsAt)} only, less than a day`);
}

/** A plan looks back for prices no further than this. */
const LOOK_BACK_SLOTS = 2 * SLOTS_PER_DAY;

/** The slot whose price stood for a slot when `last` was the last one with a price: itself, or that of the last known day. */
const standIn = (slot: number, last: number) =>
  slot - Math.max(0, Math.ceil((slot - last) / SLOTS_PER_DAY)) * SLOTS_PER_DAY;

function auditPrices(
  { id, now, cuts, problem }: PlanFile,
  { orders }: GroupFile,
  facts: Facts,
  published: Published,
  findings: Findings,
): void {
  const check = findings.check("prices of plans");
  const priceOf = (slot: number) => (slot < problem.slot - LOOK_BACK_SLOTS ? undefined : facts.prices.get(slot));
  const knownPrice = (slot: number, last: number) => priceOf(standIn(slot, last)) ?? priceOf(last) ?? 0;
  // An acknowledged upward order makes its slots cheaper for the plan.
  const bonusIn = (slot: number) =>
    orders
      .filter((one) => one.direction === "up" && one.givenAt < now)
      .filter((one) => one.slots.some((row) => row.slot === slot && row.acknowledgedWh > 0))
      .reduce((most, one) => Math.max(most, one.bonus), 0);
  const wanted = problem.intervals.map(({ price }, t) => {
    const slot = Math.floor(cuts[t]! / SLOT_S);
    return { price: price + bonusIn(slot), slot };
  });
  check.looked(wanted.length);
  const wrongAt = (last: number) => wanted.filter(({ price, slot }) => knownPrice(slot, last) !== price);
  if (wrongAt(published.lastSlot).length === 0) return;
  // Prices come out by the day, but any slot may have been the last one; which it was shows in the plan itself.
  const highest = Math.max(0, ...facts.prices.keys());
  const horizon = Math.floor(cuts[cuts.length - 1]! / SLOT_S);
  const candidates: number[] = [];
  for (
    let last = Math.max(published.lastSlot, problem.slot - SLOTS_PER_DAY);
    last <= Math.min(highest, horizon);
    last++
  )
    if (facts.prices.has(last)) candidates.push(last);
  let best = { last: published.lastSlot, wrong: wanted };
  for (const last of [...candidates, highest]) {
    const wrong = wrongAt(last);
    if (wrong.length < best.wrong.length) best = { last, wrong };
    if (wrong.length === 0) break;
  }
  for (const { slot, price } of best.wrong) {
    const known = knownPrice(slot, best.last);
    check.differs(
      priceName(standIn(slot, best.last)),
      `the store has ${known}, ${planName(id)} was made with ${price}`,
    );
  }
  if (best.wrong.length === 0) published.lastSlot = best.last;
}

/** No interval has more energy than the limits in force give. */
function auditLimits({ id, now, cuts, problem }: PlanFile, file: GroupFile, findings: Findings): void {
  const check = findings.check("limits of plans");
  const supplyW = file.group.supplyLimitW as number;
  const limitW = (instant: number) =>
    file.limits
      // A limit that begins later may not have been announced when the plan was made.
      .filter(
        (limit) =>
          limit.from + REACTION_S <= now &&
          limit.from <= instant &&
          instant < (limit.until ?? Number.POSITIVE_INFINITY),
      )
      .reduce((least, limit) => Math.min(least, limit.limitW), supplyW);
  const capacities = capacityPieces(file.capacities.filter((one) => one.givenAt < now));
  /** Minute by minute the smaller one of the limit at `heldAt` and the capacity profile of then. */
  const mostWs = (from: number, to: number, heldAt = from) => {
    const byTheMinute = capacities.filter((piece) => piece.from < to && piece.until > from);
    let ws = 0;
    for (let instant = from; instant < to; ) {
      const next = Math.min(to, (Math.floor(instant / CAPACITY_STEP_S) + 1) * CAPACITY_STEP_S);
      const piece = byTheMinute.find((one) => one.from <= instant && instant < one.until);
      ws += Math.min(limitW(heldAt), piece?.limitW ?? Number.POSITIVE_INFINITY) * (next - instant);
      instant = next;
    }
    return ws;
  };
  let runningWh = 0;
  for (const [t, { durationS, limitWh }] of problem.intervals.entries()) {
    check.looked();
    const ws = mostWs(cuts[t]!, cuts[t + 1]!);
    const mostWh = Math.floor(ws / 3600);
    if (Math.floor(cuts[t]! / SLOT_S) === problem.slot) runningWh += limitWh;
    else if (limitWh > mostWh)
      check.differs(
        planName(id),
        `interval ${t} has a limit of ${limitWh} Wh, ${ws / durationS} W for ${durationS} s are ${mostWh} Wh`,
      );
  }
  // The limit is a mean over the slot: what was not imported so far may be imported now, and what PV fed in comes on top.
  const slot = file.siteSlots.get(problem.slot);
  const fedInW = slot?.productionW ?? file.pvs.reduce((sum, pv) => sum + pv.ratedPowerW, 0);
  const slotWs = mostWs(problem.slot * SLOT_S, (problem.slot + 1) * SLOT_S, problem.at);
  const mostWh = Math.ceil((slotWs + fedInW * SLOT_S) / 3600) + 1;
  if (runningWh > mostWh)
    check.differs(
      planName(id),
      `what is left of slot ${problem.slot} is ${runningWh} Wh, the whole slot has ${mostWh} Wh`,
    );
}

/** Room is set aside only for sessions that are plugged in and not planned, and for cars that are asked to draw again. */
function auditFixed({ id, now, cuts, problem }: PlanFile, file: GroupFile, findings: Findings): void {
  const check = findings.check("limits of plans");
  const planned = new Map(problem.cars.map((car) => [car.session, car]));
  const present = file.sessions.filter(({ session, closedAt }) => session.pluggedAt <= now && now <= closedAt);
  const mostAt = (instant: number) =>
    present.reduce((sum, own) => {
      const car = planned.get(own.session.number);
      if (car === undefined) return sum + own.session.maxPowerW;
      return sum + (car.powerW === 0 ? own.minPowerW : mostFloorW(own, now, instant));
    }, 0);
  check.looked(problem.intervals.length);
  // Each of them is rounded up by itself.
  for (const [t, { fixedWh, durationS }] of problem.intervals.entries()) {
    const mostW = mostAt(cuts[t]!);
    if (fixedWh > Math.ceil((mostW * durationS) / 3600) + (mostW > 0 ? present.length : 0))
      check.differs(
        planName(id),
        `interval ${t} sets ${fixedWh} Wh aside, those who are not planned can take ${mostW} W`,
      );
  }
}
