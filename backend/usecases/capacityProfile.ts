/**
 * A capacity profile comes in: checked, kept with those before it, and from now on the only one in force. Merged with
 * every other limit by minimum; the new plan follows it in every minute. No promise is asked: what it takes away from
 * one is the operator's part of the bill, who let it in.
 */
import { CAPACITY_STEP_S, type CapacityPeriod, type CapacityProfile, joined } from "../domain/capacity.ts";
import { formatInstant } from "../domain/instants.ts";
import { type EpochSecond, epochSecond, type Watt } from "../domain/units.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";
import { suspiciousLimit } from "./setGroupLimit.ts";

export type CapacityWish = {
  readonly groupId: string;
  readonly givenBy: string;
  /** In any order; none takes the present profile back. */
  readonly periods: readonly { readonly from: EpochSecond; readonly until: EpochSecond; readonly limitW: Watt }[];
};

export type CapacityRefusal = Refused<"unknown-group" | "suspicious-limit" | "bad-capacity">;

/** A profile may reach this far ahead, s: as far as a plan can. */
const FURTHEST_S = 10 * 86_400;

export async function setCapacityProfile(
  world: World,
  wish: CapacityWish,
): Promise<{ readonly kind: "set"; readonly profile: CapacityProfile } | CapacityRefusal> {
  const now = world.clock.now();
  const group = await world.store.sites.group(wish.groupId);
  if (!group) return refused("unknown-group", `Group ${wish.groupId} is not known.`);
  const periods = [...wish.periods].sort((a, b) => a.from - b.from || a.until - b.until);
  for (const [k, period] of periods.entries()) {
    const fault = faultOf(period, periods[k - 1], now);
    if (fault) return refused("bad-capacity", fault);
    const suspicious = suspiciousLimit(period.limitW, group.supplyLimitW);
    if (suspicious) return refused("suspicious-limit", `${nameOf(period)}: ${suspicious}`);
  }
  const profile: CapacityProfile = {
    id: `${wish.groupId}:capacity:${now}:${Buffer.from(world.random(4, `capacity:${wish.groupId}:${now}`)).toString("hex")}`,
    groupId: wish.groupId,
    givenAt: now,
    givenBy: wish.givenBy,
    periods: joined(periods),
  };
  await world.store.grid.addCapacity(profile);
  world.clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: wish.groupId });
  return { kind: "set", profile };
}

const nameOf = ({ from, until }: CapacityPeriod) => `The period from ${formatInstant(from)} to ${formatInstant(until)}`;

/** What is wrong with a period, in words; null when nothing is. */
function faultOf(period: CapacityPeriod, before: CapacityPeriod | undefined, now: EpochSecond): string | null {
  const name = nameOf(period);
  if (period.until <= period.from) return `${name} ends before it begins. Give a later \`until\`.`;
  if (period.from % CAPACITY_STEP_S !== 0 || period.until % CAPACITY_STEP_S !== 0)
    return `${name} does not begin and end on a full minute. Give instants with second 00.`;
  if (period.until <= now) return `${name} has ended already. Leave it out.`;
  if (period.until > now + FURTHEST_S)
    return `${name} ends more than ten days ahead, further than any plan. Is the date right?`;
  if (before && before.until > period.from)
    return `${name} overlaps the one that begins at ${formatInstant(before.from)}. Give each minute one limit.`;
  return null;
}
