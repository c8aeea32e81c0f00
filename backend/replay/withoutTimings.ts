/** Two replays of one scenario give the same report, but for how long the machine took: these three numbers. */
import type { Report } from "./report.ts";

export type TimelessReport = Omit<Report, "runtimeMs" | "plans"> & {
  readonly plans: Omit<Report["plans"], "solveMsP50" | "solveMsP99">;
};

export function withoutTimings({ runtimeMs: _runtime, plans, ...rest }: Report): TimelessReport {
  const { solveMsP50: _p50, solveMsP99: _p99, ...timeless } = plans;
  return { ...rest, plans: timeless };
}
