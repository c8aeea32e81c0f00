/**
 * A linear program in plain data, and the port of the solvers that take it. Inside a program energy is kWh and prices
 * are EUR/MWh (1,000 micro-euro per kWh): well conditioned numbers, in which one micro-euro per kWh is far above a
 * solver's tolerance. Only variables >= 0: javascript-lp-solver answers "infeasible" to feasible programs with
 * unrestricted ones. Limits of one variable are its bounds, never rows: rows are what costs time.
 */

/** A variable with its price in the objective. lower >= 0; `upper` may be Infinity. */
export type Column = {
  readonly name: string;
  readonly cost: number;
  readonly lower: number;
  readonly upper: number;
  /** Whole numbers only. Makes the program a mixed-integer one, which only HiGHS takes. */
  readonly integer?: true;
};
export type Term = { readonly column: number; readonly coefficient: number };
/** lower <= sum of coefficient x column <= upper. */
export type Row = {
  readonly name: string;
  readonly lower: number;
  readonly upper: number;
  readonly terms: readonly Term[];
};
/** Minimise the cost of the columns. */
export type LinearProgram = { readonly columns: readonly Column[]; readonly rows: readonly Row[] };

export type LpSolution =
  | {
      readonly kind: "optimal";
      readonly objective: number;
      readonly values: readonly number[];
      /** Price of each row (change of the objective per unit of its right-hand side); none of mixed-integer programs. */
      readonly duals?: readonly number[];
      /** Of a mixed-integer program: no solution has a lower objective. Optimal then means within the relative gap asked for. */
      readonly bound?: number;
    }
  | { readonly kind: "infeasible" | "unbounded" | "time-limit" }
  | { readonly kind: "failed"; readonly reason: string };

/** The solver port. Never rejects: a failure is a solution of kind `failed`. */
export type Solve = (lp: LinearProgram) => Promise<LpSolution>;

export const WH_PER_KWH = 1_000;
/** 1 EUR/MWh. */
export const MICRO_EUR_PER_KWH = 1_000;

/** A program while it is being put together. */
export type Draft = { readonly columns: Column[]; readonly rows: Row[] };

/** Adds the column, gives its number. */
export const addColumn = (draft: Draft, column: Column): number => draft.columns.push(column) - 1;

export const term = (column: number, coefficient = 1): Term => ({ column, coefficient });

export const equality = (name: string, value: number, terms: readonly Term[]): Row => ({
  name,
  lower: value,
  upper: value,
  terms,
});
export const atLeast = (name: string, lower: number, terms: readonly Term[]): Row => ({
  name,
  lower,
  upper: Number.POSITIVE_INFINITY,
  terms,
});
export const atMost = (name: string, upper: number, terms: readonly Term[]): Row => ({
  name,
  lower: Number.NEGATIVE_INFINITY,
  upper,
  terms,
});
