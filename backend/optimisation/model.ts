/** The front door of model/: the problem as a linear program, the solver port, the second opinion. */
export { type CrossCheck, crossCheck, planFrom } from "./model/crossCheck.ts";
export { linearProgram } from "./model/groupProgram.ts";
export type { Column, LinearProgram, LpSolution, Row, Solve, Term } from "./model/program.ts";
