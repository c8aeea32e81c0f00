/** The solver port, kept: programs queue for one worker thread, which is replaced when it is late or has grown old. */
import { Worker } from "node:worker_threads";
import type { LinearProgram, LpSolution, Solve } from "../../optimisation/model/program.ts";
import { buffersOf, pack } from "./packed.ts";
import type { Answer, Question, SolverName, WorkerData } from "./worker.ts";

export type SolverOptions = {
  readonly solver: SolverName;
  /** From the start of the run until the answer is given up. s */
  readonly timeLimitS?: number;
  /** A worker is replaced after so many programs: WebAssembly memory never shrinks. */
  readonly programsPerWorker?: number;
};

export type Solver = { readonly solve: Solve; readonly close: () => Promise<void> };

/** A thread gets this long beyond the limit to answer by itself before it is stopped. ms */
const GRACE_MS = 500;

export function createSolver({ solver, timeLimitS = 30, programsPerWorker = 500 }: SolverOptions): Solver {
  let worker: Worker | null = null;
  let asked = 0;
  let closed = false;
  /** Programs run one after the other; the end of the queue. */
  let last: Promise<unknown> = Promise.resolve();

  function start(): Worker {
    const workerData: WorkerData = { timeLimitS };
    const started = new Worker(new URL("./worker.ts", import.meta.url), { workerData });
    started.on("error", () => {}); // seen by whoever waits for an answer; a late failure concerns nobody
    started.unref(); // an idle solver does not keep the process alive
    return started;
  }

  async function stop(): Promise<void> {
    const stopped = worker;
    worker = null;
    asked = 0;
    await stopped?.terminate();
  }

  async function run(lp: LinearProgram): Promise<LpSolution> {
    if (closed) return { kind: "failed", reason: "the solver is closed" };
    const packed = solver === "highs" ? pack(lp) : null;
    if (asked >= programsPerWorker) await stop();
    worker ??= start();
    const current = worker;
    const id = asked++;
    const question: Question = packed ? { id, packed } : { id, lp };
    const buffers = packed ? buffersOf(packed) : [];
    const { promise, resolve } = Promise.withResolvers<LpSolution>();
    const onMessage = (answer: Answer) => answer.id === id && resolve(answer.solution);
    const onError = (error: Error) => resolve({ kind: "failed", reason: error.message });
    const onExit = () => resolve({ kind: "failed", reason: "the solver's thread ended" });
    const timer = setTimeout(() => resolve({ kind: "time-limit" }), timeLimitS * 1000 + GRACE_MS);
    current.on("message", onMessage).on("error", onError).on("exit", onExit);
    current.ref();
    current.postMessage(question, buffers);
    const solution = await promise;
    clearTimeout(timer);
    current.off("message", onMessage).off("error", onError).off("exit", onExit);
    current.unref();
    if (solution.kind === "time-limit" || solution.kind === "failed") await stop();
    return solution;
  }

  function solve(lp: LinearProgram): Promise<LpSolution> {
    const answer = last
      .then(() => run(lp))
      .catch((error: unknown): LpSolution => ({ kind: "failed", reason: String(error) }));
    last = answer;
    return answer;
  }

  async function close(): Promise<void> {
    closed = true;
    await stop();
  }

  return { solve, close };
}

/**
 * Small programs to javascript-lp-solver, large ones to HiGHS: beyond some 40 cars a dense tableau takes seconds, and far
 * sooner with many rows (V2G). Mixed-integer programs go to HiGHS at any size.
 */
export function createSolvers(
  options: { readonly timeLimitS?: number; readonly smallColumns?: number; readonly smallRows?: number } = {},
): Solver {
  const { smallColumns = 2_500, smallRows = 400, ...rest } = options;
  const small = createSolver({ solver: "javascript-lp-solver", ...rest });
  const large = createSolver({ solver: "highs", ...rest });
  return {
    solve: (lp) => {
      const isSmall = lp.columns.length <= smallColumns && lp.rows.length <= smallRows;
      return (isSmall && !lp.columns.some(({ integer }) => integer) ? small : large).solve(lp);
    },
    close: async () => {
      await Promise.all([small.close(), large.close()]);
    },
  };
}
