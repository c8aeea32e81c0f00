/**
 * A scenario through the real use cases in virtual time, without a chain: calls are encoded and dropped, and what is
 * written often stays in memory. A scenario takes some seconds instead of a minute or two.
 */
import { createSolvers } from "../../backend/adapters/solvers/createSolver.ts";
import { createStore } from "../../backend/adapters/store/store.ts";
import { type AlgorithmChoice, DEFAULT_ALGORITHM } from "../../backend/domain/algorithms.ts";
import { sitePlanOf } from "../../backend/replay/replayScenario.ts";
import { makeReport, type Report } from "../../backend/replay/report.ts";
import { createRun, type ScenarioRun } from "../../backend/replay/runScenario.ts";
import type { Scenario } from "../../backend/replay/scenario.ts";
import type { Hex, Ledger, Settings, Store } from "../../backend/usecases/ports.ts";
import { postBills } from "../../backend/usecases/postBills.ts";
import { registerDrivers } from "../../backend/usecases/registerDriver.ts";
import { setUpSite } from "../../backend/usecases/setUpSite.ts";
import { emptyDatabase } from "../../test/support/databases.ts";
import { aLedger, aWorldAround } from "../../test/support/world.ts";
import { quickStore } from "./quickStore.ts";

const PAYEE = `0x${"77".repeat(20)}` as const;
const NO_CHAIN = {
  transactions: 0,
  gasUsed: 0n,
  runsRecorded: 0,
  sessionsSettled: 0,
  redeemedMicroEur: 0n,
  shortfallMicroEur: 0n,
};
const NO_AUDIT = { ok: true, runsChecked: 0, billsChecked: 0, leavesChecked: 0 };

export type ScenarioOutcome = { readonly report: Report; readonly run: ScenarioRun; readonly store: Store };

/** Nobody will look at the commitments: numbers take the place of hashes. */
function withoutHashes(ledger: Ledger): Ledger {
  let last = 0;
  const next = (): Hex => `0x${(++last).toString(16).padStart(64, "0")}`;
  return {
    ...ledger,
    problemHash: next,
    planHash: next,
    valueWord: next,
    earlierLink: next,
    leaf: next,
    merkleRoot: next,
    hashText: next,
  };
}

/** `look` sees the finished run; the next one empties its database. */
export async function runScenario<T>(
  scenario: Scenario,
  options: { readonly algorithm?: AlgorithmChoice; readonly settings?: Partial<Settings> },
  look: (outcome: ScenarioOutcome) => Promise<T>,
): Promise<T> {
  const began = performance.now();
  const database = await emptyDatabase("pglite");
  const store = quickStore(createStore(database.db));
  const { algorithm = DEFAULT_ALGORITHM } = options;
  const solver = algorithm.name === "linear-program" ? createSolvers() : null;
  const run = createRun(scenario, null, (parts) => ({
    ...aWorldAround({ ...parts, store }, options.settings),
    ledger: withoutHashes(aLedger()),
    // The second opinion costs more than everything else, and decides nothing; linear-program has no plan without it.
    solve: solver?.solve ?? (async () => ({ kind: "failed", reason: "a benchmark asks for no second opinion" })),
  }));
  const plan = sitePlanOf(scenario, PAYEE);
  await setUpSite(run.world, {
    ...plan,
    groups: plan.groups.map(({ group, ...rest }) => ({ ...rest, group: { ...group, algorithm } })),
  });
  await registerDrivers(
    run.world,
    [...new Set(scenario.sessions.map((session) => session.driverId))].map((id) => ({
      id,
      accountId: null,
      name: id,
      consentText: "A recorded session",
    })),
  );
  while (await run.step());
  await postBills(run.world, true);
  await solver?.close();
  const report = await makeReport(run, store, "bench", NO_CHAIN, NO_AUDIT, Math.round(performance.now() - began));
  return await look({ report, run, store });
}
