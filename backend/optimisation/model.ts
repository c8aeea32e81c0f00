/**
 * The same problem as a linear program in plain data, one function per constraint named as in README.md, for general
 * solvers: a second opinion on the exact method, and the way to what it does not cover (V2G, losses, batteries).
 * Inside the program energy is kWh and money is euro, which keeps the numbers well conditioned.
 */

/** A variable with its price in the objective; `upper` may be Infinity, never unrestricted below. */
export type Column = { readonly name: string; readonly cost: number; readonly lower: number; readonly upper: number };
/** lower <= sum of coefficient x column <= upper. */
export type Row = {
  readonly name: string;
  readonly lower: number;
  readonly upper: number;
  readonly terms: readonly { readonly column: number; readonly coefficient: number }[];
};
/** Minimise the cost of the columns. */
export type LinearProgram = { readonly columns: readonly Column[]; readonly rows: readonly Row[] };

export type LpSolution =
  | { readonly kind: "optimal"; readonly objective: number; readonly values: readonly number[] }
  | { readonly kind: "infeasible" | "unbounded" | "time-limit" }
  | { readonly kind: "failed"; readonly reason: string };

/** The solver port. Never rejects: a failure is a solution of kind `failed`. */
export type Solve = (lp: LinearProgram) => Promise<LpSolution>;
