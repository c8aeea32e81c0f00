/** Ends a test run that hangs, even inside a loop that never yields: mocha's own timeouts need the event loop. */
import { Worker } from "node:worker_threads";

const MOST_MINUTES = 40;

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
