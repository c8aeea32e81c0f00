/** A limit from a person, an API or a grid operator: an input of the plan, merged with all others by minimum. */
import { type EpochSecond, epochSecond, type Watt } from "../domain/units.ts";
import type { GroupLimit, World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export type LimitWish = {
  readonly groupId: string;
  readonly kind: "operator" | "order";
  readonly limitW: Watt;
  readonly from: EpochSecond;
  readonly until: EpochSecond | null;
};

/** Below this a limit other than 0 is a value in kW, W. */
const LEAST_W = 1000;

export async function setGroupLimit(
  world: World,
  wish: LimitWish,
): Promise<
  { readonly kind: "set"; readonly limit: GroupLimit } | Refused<"unknown-group" | "suspicious-limit" | "past-limit">
> {
  const now = world.clock.now();
  const group = await world.store.sites.group(wish.groupId);
  if (!group) return refused("unknown-group", `Group ${wish.groupId} is not known.`);
  const suspicious = suspiciousLimit(wish.limitW, group.supplyLimitW);
  if (suspicious) return refused("suspicious-limit", suspicious);
  if (wish.until !== null && (wish.until <= now || wish.until <= wish.from))
    return refused("past-limit", "The limit would end before it begins, or has ended already. Give a later `until`.");
  const limit: GroupLimit = { id: `${wish.groupId}:${wish.kind}:${wish.from}:${wish.until ?? "open"}`, ...wish };
  await world.store.sites.addLimit(limit);
  world.clock.schedule(epochSecond(now + 1), { kind: "cycle", groupId: wish.groupId });
  scheduleChanges(world.clock, limit);
  return { kind: "set", limit };
}

/** What makes a limit look like another unit or no limit at all, in words; null when nothing does. */
export function suspiciousLimit(limitW: number, supplyLimitW: number): string | null {
  if (limitW < 0 || (limitW > 0 && limitW < LEAST_W))
    return `A limit of ${limitW} W is less than one car can use. Limits are in W: is ${limitW} kW = ${limitW * 1000} W meant?`;
  return limitW > supplyLimitW
    ? `${limitW} W is above the supply limit of ${supplyLimitW} W; a limit can only lower it.`
    : null;
}

/** Plans are made again when the limit begins and when it ends. */
export function scheduleChanges(clock: World["clock"], { groupId, kind, from, until }: GroupLimit): void {
  // Stations know the minutes of a capacity profile beforehand.
  if (kind === "capacity") return;
  for (const at of [from, until])
    if (at !== null && at > clock.now()) clock.schedule(at, { kind: "limit", groupId, at });
}

/** The operator takes back its own limit from an instant on. */
export async function liftGroupLimit(world: World, groupId: string, at: EpochSecond): Promise<void> {
  const open = (await world.store.sites.limits(groupId, at)).filter(
    (limit) => limit.kind === "operator" && limit.until === null && limit.from <= at,
  );
  for (const limit of open) await world.store.sites.addLimit({ ...limit, until: at });
  world.clock.schedule(epochSecond(world.clock.now() + 1), { kind: "cycle", groupId });
}
