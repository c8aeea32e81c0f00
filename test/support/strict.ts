/** Two things that a test run must not do and that mocha lets pass: hang in a loop, and lose a rejected promise. */
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";

const MOST_MINUTES = 40;

/** Mocha 12 passes a rejection on to nobody and carries on; thrown, it fails the test that is running. */
process.on("unhandledRejection", (reason) => {
  throw reason;
});

/** A thread of its own, because mocha's timeouts need the event loop that a hanging test holds. */
export function mochaGlobalSetup(): void {
  const text = `The tests ran for more than ${MOST_MINUTES} minutes. The last test named above hangs.`;
  const worker = new Worker(
    `setTimeout(() => {
       require("node:fs").writeSync(2, ${JSON.stringify(`${text}\n`)});
       process.kill(process.pid, "SIGKILL");
     }, ${MOST_MINUTES * 60_000});`,
    { eval: true },
  );
  worker.unref();
}

/** Leaves the last test's stray promises the time to be noticed before mocha ends the process. */
export const mochaGlobalTeardown = () => sleep(50);
