/**
 * Time and what waits for it: jobs and the world's own events in one queue, ordered by time, then by age. Virtual in
 * replays and tests, where taking an event moves the time; once it follows the wall clock, the wall moves it.
 */
import { type EpochSecond, epochSecond } from "../../domain/units.ts";
import type { Clock, Job } from "../../usecases/ports.ts";

export type Waiting<E> = { readonly at: number; readonly seq: number; readonly event: E };

export type QueueClock<E> = Clock & {
  /** Puts an event of the simulated world into the queue. */
  put(at: number, event: E): void;
  /** Takes the next event at or before `until` and moves the time to it; null when none is left. */
  next(until: EpochSecond): E | { readonly job: Job } | null;
  moveTo(at: EpochSecond): void;
  /** From now on the time is the wall's, epoch ms. */
  follow(wall: () => number): void;
  /** What waits, as plain data, and back. */
  save(): {
    readonly now: number;
    readonly seq: number;
    readonly waiting: readonly Waiting<E | { readonly job: Job }>[];
  };
};

export function createQueueClock<E>(start: EpochSecond, saved?: ReturnType<QueueClock<E>["save"]>): QueueClock<E> {
  let now: EpochSecond = saved ? epochSecond(saved.now) : start;
  let wall: (() => number) | null = null;
  let seq = saved?.seq ?? 0;
  const waiting: Waiting<E | { job: Job }>[] = saved ? [...saved.waiting] : [];
  const before = (a: Waiting<unknown>, b: Waiting<unknown>) => a.at < b.at || (a.at === b.at && a.seq < b.seq);

  function put(at: number, event: E | { job: Job }): void {
    const entry = { at, seq: seq++, event };
    let i = waiting.length;
    while (i > 0 && before(entry, waiting[i - 1] as Waiting<unknown>)) i--;
    waiting.splice(i, 0, entry);
  }

  return {
    now: () => (wall ? epochSecond(Math.max(now, Math.floor(wall() / 1000))) : now),
    follow(next) {
      wall = next;
    },
    schedule(at, job) {
      const text = JSON.stringify(job);
      const same = waiting.findIndex(({ event }) => isJob(event) && JSON.stringify(event.job) === text);
      if (same >= 0) {
        if ((waiting[same] as Waiting<unknown>).at <= at) return;
        waiting.splice(same, 1);
      }
      put(Math.max(at, now), { job });
    },
    put,
    next(until) {
      const first = waiting[0];
      if (!first || first.at > until) return null;
      waiting.shift();
      now = epochSecond(Math.max(now, first.at));
      return first.event;
    },
    moveTo(at) {
      now = epochSecond(Math.max(now, at));
    },
    save: () => ({ now, seq, waiting: [...waiting] }),
  };
}

const isJob = (event: unknown): event is { job: Job } => typeof event === "object" && event !== null && "job" in event;
