/**
 * What row duals prove about a linear program: for any duals u, every feasible x costs at least
 *   sum_r min over [lower_r, upper_r] of u_r b  +  sum_j min over [lower_j, upper_j] of (cost_j - sum_r u_r a_rj) x
 * so that no dual needs to be feasible or exact. (Neumaier and Shcherbina 2004: safe bounds in linear programming.)
 */
import type { LinearProgram } from "./program.ts";

/** Lower bound of the objective, in its unit, below the exact sum by a bound of its own rounding errors; -Infinity if a box is unbounded where it matters. */
export function dualBound({ columns, rows }: LinearProgram, duals: readonly number[]): number {
  const reduced = columns.map(({ cost }) => cost);
  const magnitude = columns.map(({ cost }) => Math.abs(cost));
  let [bound, terms, size] = [0, 0, 0];
  const add = (value: number, most: number) => {
    bound += value;
    size += most;
    terms++;
  };
  for (const [r, { lower, upper, terms: row }] of rows.entries()) {
    const u = duals[r]!;
    if (u === 0) continue;
    const value = u * (u > 0 ? lower : upper);
    add(value, Math.abs(value));
    for (const { column, coefficient } of row) {
      reduced[column]! -= u * coefficient;
      magnitude[column]! += Math.abs(u * coefficient);
      terms++;
    }
  }
  for (const [j, { lower, upper }] of columns.entries()) {
    const d = reduced[j]!;
    if (d === 0 && magnitude[j] === 0) continue;
    // Whichever sign the exact reduced cost has: its error counts at the larger end of the box.
    const end = d >= 0 ? lower : upper;
    if (!Number.isFinite(end) && d !== 0) return Number.NEGATIVE_INFINITY;
    const reach = Math.max(Math.abs(lower), Number.isFinite(upper) ? Math.abs(upper) : 0);
    add(d === 0 ? 0 : d * end, magnitude[j]! * reach);
  }
  return bound - 2 * (terms + 1) * Number.EPSILON * size;
}
