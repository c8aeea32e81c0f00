/** The wall clock. Jobs run one after another, each at or soon after its time. */
import { epochSecond } from "../../domain/units.ts";
import type { Clock, Job } from "../../usecases/ports.ts";

export type RealClock = Clock & {
  /** Jobs go here; before that they wait. */
  onJob(run: (job: Job) => Promise<void>): void;
  stop(): void;
};

export function createRealClock(now: () => number = Date.now): RealClock {
  const timers = new Map<string, { timer: NodeJS.Timeout; at: number }>();
  let run: (job: Job) => Promise<void> = async () => undefined;
  const nowAt = () => epochSecond(Math.floor(now() / 1000));
  return {
    now: nowAt,
    schedule(at, job) {
      const key = JSON.stringify(job);
      const known = timers.get(key);
      if (known && known.at <= at) return;
      if (known) clearTimeout(known.timer);
      const waitMs = Math.min(2 ** 31 - 1, Math.max(0, at * 1000 - now()));
      const timer = setTimeout(() => {
        timers.delete(key);
        void run(job);
      }, waitMs);
      timers.set(key, { timer, at });
    },
    onJob(next) {
      run = next;
    },
    stop() {
      for (const { timer } of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
