/** 5.3.1 and 5.3.3, the supply point's side: limits of import and export, PV, prices. One function per constraint. */
import { type ModelOptions, type ModelProblem, mostWh, netWh, pricesOf } from "./modelProblem.ts";
import { addColumn, atLeast, atMost, type Draft, equality, MICRO_EUR_PER_KWH, term, WH_PER_KWH } from "./program.ts";

/** Import, export and curtailed PV of one interval: columns, or null where there can be none. */
export type Supply = { readonly imported: number; readonly exported: number | null; readonly curtailed: number | null };

/** Most energy that the limit lets in; never less than the other load takes, which the cars cannot help. Wh */
export function importLimitWh(interval: ModelProblem["intervals"][number]): number {
  return Math.max(interval.limitWh + (interval.flexibilityWh ?? 0), netWh(interval), 0);
}

/**
 * C1.4, C3.1, C2.3 and O1: what crosses the supply point, and what it costs. [kWh, EUR/MWh]
 *   0 <= import_t <= max(limit_t + flexibility_t, net_t)      at the price
 *   0 <= export_t <= exportLimit_t (`min_power`)              for the feed-in value
 *   0 <= curtailed_t <= production_t
 */
export function c14SupplyLimit(draft: Draft, problem: ModelProblem, options: ModelOptions): Supply[] {
  const present = presence(problem);
  return problem.intervals.map((interval, t) => {
    const prices = pricesOf(interval, options);
    const { batteries, leaving, dischargeWh } = present[t]!;
    const [inMargin, outMargin] = options.roundingMargin ? [leaving, 2 * batteries] : [0, 0];
    const net = netWh(interval);
    const most = Math.max(importLimitWh(interval) - inMargin, net, 0);
    const imported = column(draft, `import ${t}`, prices.import, most);
    const surplus = Math.max(0, -net);
    const limit = interval.exportLimitWh;
    const exportable = Math.min(surplus + dischargeWh, limit === undefined ? Infinity : Math.max(0, limit - outMargin));
    const mayExport = prices.mayExport && exportable > 0;
    const exported = mayExport ? column(draft, `export ${t}`, -prices.feedIn, exportable) : null;
    const mayCurtail = interval.productionWh > 0 && (options.curtailPv || exportable < surplus || !prices.mayExport);
    const curtailed = mayCurtail ? column(draft, `curtail ${t}`, prices.curtail, interval.productionWh) : null;
    if (prices.binary && exported !== null) oneDirection(draft, t, imported, most, exported, exportable);
    return { imported, exported, curtailed };
  });
}

const column = (draft: Draft, name: string, microEurPerKwh: number, wh: number) =>
  addColumn(draft, { name, cost: microEurPerKwh / MICRO_EUR_PER_KWH, lower: 0, upper: wh / WH_PER_KWH });

/** O1, exactly: import or export, never both. [kWh]   import_t <= most b_t,  export_t <= most (1 - b_t),  b_t 0 or 1 */
function oneDirection(draft: Draft, t: number, imported: number, mostIn: number, exported: number, mostOut: number) {
  const b = addColumn(draft, { name: `importing ${t}`, cost: 0, lower: 0, upper: 1, integer: true });
  const [inKwh, outKwh] = [mostIn / WH_PER_KWH, mostOut / WH_PER_KWH];
  draft.rows.push(atMost(`O1 importing ${t}`, 0, [term(imported), term(b, -inKwh)]));
  draft.rows.push(atMost(`O1 exporting ${t}`, outKwh, [term(exported), term(b, outKwh)]));
}

/** V1.2: energy at the supply point; production is subtracted. [kWh]   import_t - export_t = net_t + curtailed_t + sum_i x_it - sum_v d_vt */
export function v12Supply(
  draft: Draft,
  { cars, intervals }: ModelProblem,
  charge: number[][],
  discharge: number[][],
  supply: Supply[],
): void {
  const terms = supply.map(({ imported, exported, curtailed }) => [
    term(imported, -1),
    ...(exported === null ? [] : [term(exported)]),
    ...(curtailed === null ? [] : [term(curtailed)]),
  ]);
  for (const [i, { from }] of cars.entries()) {
    for (const [k, column_] of charge[i]!.entries()) terms[from + k]!.push(term(column_));
    for (const [k, column_] of discharge[i]!.entries()) terms[from + k]!.push(term(column_, -1));
  }
  for (const [t, interval] of intervals.entries())
    draft.rows.push(equality(`V1.2 supply ${t}`, -netWh(interval) / WH_PER_KWH, terms[t]!));
}

/** C3.2: an order to consume is followed as far as needs allow. [kWh]   import_t - export_t + missed_t >= leastImport_t; missed costs `extra`, less than any promise */
export function c32LeastImport(draft: Draft, { intervals, weights }: ModelProblem, supply: Supply[]): void {
  for (const [t, { leastImportWh }] of intervals.entries()) {
    if (leastImportWh === undefined) continue;
    const { imported, exported } = supply[t]!;
    const mostOut = exported === null ? 0 : draft.columns[exported]!.upper * WH_PER_KWH;
    const missed = column(draft, `missed ${t}`, weights.extra, leastImportWh + mostOut);
    const terms = [term(imported), ...(exported === null ? [] : [term(exported, -1)]), term(missed)];
    draft.rows.push(atLeast(`C3.2 least import ${t}`, leastImportWh / WH_PER_KWH, terms));
  }
}

/** Batteries in each interval, those that leave at its end, and the most that all can feed back. */
function presence({ cars, intervals }: ModelProblem) {
  const present = intervals.map(() => ({ batteries: 0, leaving: 0, dischargeWh: 0 }));
  for (const { from, to, battery } of cars) {
    if (!battery || from === to) continue;
    present[to - 1]!.leaving++;
    for (let t = from; t < to; t++) {
      present[t]!.batteries++;
      present[t]!.dischargeWh += mostWh(battery.dischargeW, intervals[t]!.durationS);
    }
  }
  return present;
}
