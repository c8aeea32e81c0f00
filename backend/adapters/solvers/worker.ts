/** The thread in which a general solver runs: both block until they are done. One program at a time, by message. */
import { parentPort, workerData } from "node:worker_threads";
import type { LinearProgram, LpSolution } from "../../optimisation/model/program.ts";

export type SolverName = "javascript-lp-solver" | "highs";
export type WorkerData = { readonly solver: SolverName; readonly timeLimitS: number };
export type Question = { readonly id: number; readonly lp: LinearProgram };
export type Answer = { readonly id: number; readonly solution: LpSolution };

const { solver, timeLimitS } = workerData as WorkerData;

async function answer(lp: LinearProgram): Promise<LpSolution> {
  try {
    if (solver === "highs") return await (await import("./highs.ts")).solveWithHighs(lp, timeLimitS);
    return (await import("./javascriptLpSolver.ts")).solveWithJavascriptLpSolver(lp);
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on("message", async ({ id, lp }: Question) => {
  parentPort?.postMessage({ id, solution: await answer(lp) } satisfies Answer);
});
