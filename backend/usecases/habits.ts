/**
 * What the drivers of a group turned out to do, against what they said. Learned from sessions that have ended, for the
 * price of waiting (earlyWeight.ts) alone: no promise depends on it.
 */
import type { LiveSession } from "./board.ts";

export type Habits = {
  /**
   * Of each hour of the day (UTC): for how long cars were there that could still take energy, s, and how many of them
   * were driven away then, clearly before their stated departure.
   */
  readonly hours: readonly { willingS: number; left: number }[];
  /** Of cars that took all they could: what they took, and what had been wished for them, Wh. */
  takenWh: number;
  wishedWh: number;
};

/** What habits are learned from. */
export type Stay = Pick<
  LiveSession,
  "pluggedAt" | "departsAt" | "startRegisterWh" | "registerWh" | "wishedWh" | "seenMaxW" | "unwilling"
>;

const HOUR_S = 3600;
const HOURS = 24;
/** A stay that ends this long before its stated departure ended early, s. */
const EARLY_S = 900;
/** Before the group's drivers are known: one early leaver in so many hours, and that they wish for what they take, Wh. */
const PRIOR = { leavers: 1, hours: 1_000, wishedWh: 30_000 };
/** An hour of the day is told from the others by what is known of it and of the hours less than so far away. */
const NEAR_HOURS = 3;
/** The day as a whole counts in each of its hours like so many hours of that hour's own. */
const WHOLE_DAY_HOURS = 10;

export const createHabits = (): Habits => ({
  hours: Array.from({ length: HOURS }, () => ({ willingS: 0, left: 0 })),
  takenWh: 0,
  wishedWh: 0,
});

/** A session ends. A car that is full loses nothing, however early it goes, and tells how much was wished too much. */
export function learn(habits: Habits, live: Stay, at: number): void {
  const fullSince = live.seenMaxW === 0 ? live.unwilling.at(-1)?.from : undefined;
  const until = fullSince ?? at;
  for (let from = live.pluggedAt; from < until; ) {
    const to = Math.min(until, (Math.floor(from / HOUR_S) + 1) * HOUR_S);
    hourOf(habits, from).willingS += to - from;
    from = to;
  }
  if (fullSince !== undefined) {
    habits.takenWh += live.registerWh - live.startRegisterWh;
    habits.wishedWh += live.wishedWh;
  } else if (live.departsAt - at > EARLY_S) hourOf(habits, at).left++;
}

const hourOf = ({ hours }: Habits, at: number) => hours[Math.floor(at / HOUR_S) % HOURS] as (typeof hours)[number];

/** Rate, per hour, at which cars that could still take energy are driven away early about this time of the day. */
export function leavingPerHour(habits: Habits, at: number): number {
  let dayLeft = PRIOR.leavers;
  let dayHours = PRIOR.hours;
  let nearLeft = 0;
  let nearHours = 0;
  for (const [hour, { willingS, left }] of habits.hours.entries()) {
    const apart = (((hour + 0.5 - at / HOUR_S) % HOURS) + HOURS) % HOURS;
    const near = Math.max(0, 1 - Math.min(apart, HOURS - apart) / NEAR_HOURS);
    dayLeft += left;
    dayHours += willingS / HOUR_S;
    nearLeft += near * left;
    nearHours += (near * willingS) / HOUR_S;
  }
  return (nearLeft + (WHOLE_DAY_HOURS * dayLeft) / dayHours) / (nearHours + WHOLE_DAY_HOURS);
}

/** What is taken of a Wh that is wished, at most 1. */
export const takenShare = ({ takenWh, wishedWh }: Habits) =>
  Math.min(1, (takenWh + PRIOR.wishedWh) / (wishedWh + PRIOR.wishedWh));
