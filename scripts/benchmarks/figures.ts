/** What a way of sharing power was worth at a site over a time: the same figures for scenarios and for the year. */

export type Figures = {
  readonly site: string;
  readonly algorithm: string;
  readonly deliveredKwh: number;
  /** What full power from plug-in to plug-out would have brought into the cars, minus what was delivered, per cent. */
  readonly unmetPercent: number;
  /** Wholesale cost of the import that the cars caused. */
  readonly centPerKwh: number;
  /** That cost above the least cost with everything known, for the energy that each car got; null where not computed. */
  readonly aboveForesightPercent: number | null;
  /** Slots in which the cars took the import above the limit. */
  readonly limitViolations: number;
  readonly promises: {
    readonly made: number;
    readonly kept: number;
    readonly late: number;
    readonly short: number;
    readonly promisedKwh: number;
    /** Missing by the fault of the operator or of the system. */
    readonly ourFaultKwh: number;
  } | null;
  /** Changes of the limit that a station had in force, per session. */
  readonly setPointsPerSession: number | null;
  /** Jain's index of delivered over wanted: 1 when all got the same share, 1/n when one got everything. */
  readonly fairness: number;
};

/** Jain, Chiu, Hawe 1984: (sum r)^2 / (n sum r^2) of the shares r that each of n got of what it could have had. */
export function jain(shares: readonly number[]): number {
  if (shares.length === 0) return 1;
  let sum = 0;
  let squares = 0;
  for (const share of shares) {
    sum += share;
    squares += share * share;
  }
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
}

export const percent = (part: number, whole: number) => (whole === 0 ? 0 : round((100 * part) / whole, 2));

export const round = (value: number, digits: number) => Number(value.toFixed(digits));

const COLUMNS: readonly (readonly [head: string, cell: (one: Figures) => string])[] = [
  ["site", (one) => one.site],
  ["algorithm", (one) => one.algorithm],
  ["MWh", (one) => (one.deliveredKwh / 1000).toFixed(3)],
  ["unmet %", (one) => one.unmetPercent.toFixed(2)],
  ["ct/kWh", (one) => one.centPerKwh.toFixed(3)],
  ["above foresight %", (one) => one.aboveForesightPercent?.toFixed(2) ?? "-"],
  ["slots above limit", (one) => String(one.limitViolations)],
  [
    "promises kept/late/short",
    ({ promises }) => (promises ? `${promises.kept}/${promises.late}/${promises.short}` : "-"),
  ],
  ["promised MWh", ({ promises }) => (promises ? (promises.promisedKwh / 1000).toFixed(3) : "-")],
  ["our fault kWh", ({ promises }) => promises?.ourFaultKwh.toFixed(1) ?? "-"],
  ["set-points/session", (one) => one.setPointsPerSession?.toFixed(1) ?? "-"],
  ["fairness", (one) => one.fairness.toFixed(4)],
];

export const header = () =>
  [COLUMNS.map(([head]) => head), COLUMNS.map(() => "---")].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

export const row = (one: Figures) => `| ${COLUMNS.map(([, cell]) => cell(one)).join(" | ")} |`;
