/** The thread in which a general solver runs: both block until they are done. One program at a time, by message. */
import { parentPort, workerData } from "node:worker_threads";
import type { LinearProgram, LpSolution } from "../../optimisation/model/program.ts";
import type { PackedProgram } from "./packed.ts";

export type SolverName = "javascript-lp-solver" | "highs";
export type WorkerData = { readonly timeLimitS: number };
/** The program in the form that the thread's solver takes. */
export type Question = { readonly id: number } & ({ readonly lp: LinearProgram } | { readonly packed: PackedProgram });
export type Answer = { readonly id: number; readonly solution: LpSolution };

const { timeLimitS } = workerData as WorkerData;

async function answer(question: Question): Promise<LpSolution> {
  try {
    if ("packed" in question) return await (await import("./highs.ts")).solvePacked(question.packed, timeLimitS);
    return (await import("./javascriptLpSolver.ts")).solveWithJavascriptLpSolver(question.lp);
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on("message", async (question: Question) => {
  parentPort?.postMessage({ id: question.id, solution: await answer(question) } satisfies Answer);
});
