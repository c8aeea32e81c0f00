/** The report of a replay (format: test/scenarios/README.md), from the store, the simulated site and the chain. */
import { DEFAULT_ALGORITHM } from "../domain/algorithms.ts";
import { SLOT_S } from "../domain/slots.ts";
import type { EpochSecond } from "../domain/units.ts";
import { parametersOf } from "../optimisation/algorithms.ts";
import { parseReceipt } from "../settlement/receipt.ts";
import { gapMicroEur } from "../usecases/gap.ts";
import type { Store } from "../usecases/ports.ts";
import { costOf, equalShare, netW, type Outcome, perfectForesight, perKwh, uncontrolled } from "./baselines.ts";
import type { ScenarioRun } from "./runScenario.ts";

export type ChainTotals = {
  readonly transactions: number;
  readonly gasUsed: bigint;
  readonly runsRecorded: number;
  readonly sessionsSettled: number;
  readonly redeemedMicroEur: bigint;
  readonly shortfallMicroEur: bigint;
};
export type AuditTotals = {
  readonly ok: boolean;
  readonly runsChecked: number;
  readonly billsChecked: number;
  readonly leavesChecked: number;
};

export async function makeReport(
  run: ScenarioRun,
  store: Store,
  version: string,
  chain: ChainTotals,
  audit: AuditTotals,
  runtimeMs: number,
) {
  const { scenario } = run;
  const settlements = await store.bills.all();
  const sessions = await store.sessions.all();
  const admissions = (await Promise.all(sessions.map((session) => store.sessions.admission(session.id)))).filter(
    (one) => one !== null,
  );
  const promises = await finalPromises(store);
  const got = new Map(settlements.map((one) => [one.sessionId, one.energyWh as number]));
  const deliveredWh = [...got.values()].reduce((sum, wh) => sum + wh, 0);
  const ours = costOf(scenario, run.state.tally.carWs);
  const limits = await limitsOf(run, store);
  const equal = equalShare(scenario);
  const kinds = (kind: string) => admissions.filter((one) => one.kind === kind).length;
  const sum = (pick: (one: (typeof settlements)[number]) => bigint) =>
    settlements.reduce((total, one) => total + pick(one), 0n);
  const billed = settlements.filter((one) => one.batch !== null);
  const amount = billed.reduce((total, one) => total + one.amountMicroEur, 0n);
  const compensation = sum((one) => one.compensationMicroEur);
  const algorithm = (await store.sites.groups())[0]?.algorithm ?? DEFAULT_ALGORITHM;
  const plans = await plansOf(store, sessions.length > 0);

  return {
    scenario: scenario.name,
    version,
    algorithm: algorithm.name,
    parameters: parametersOf(algorithm),
    sessions: {
      total: sessions.length,
      smart: scenario.sessions.filter((session) => session.smart).length,
      accepted: kinds("accepted"),
      counterOffered: kinds("counter-offered"),
      refused: kinds("refused"),
      optedOut: kinds("opted-out"),
    },
    promises: {
      ...promises.counts,
      promisedWh: promises.promisedWh,
      shortWhBy: shortWhBy(settlements),
      compensationMicroEur: String(compensation),
    },
    energy: {
      needWh: scenario.sessions.reduce((total, one) => total + one.needWh, 0),
      takenPossibleWh: scenario.sessions.reduce((total, one) => total + one.takenWh, 0),
      deliveredWh,
      deferralHarmWh: deferralHarm(run, equal, got),
    },
    limits: {
      slots: ours.slots,
      violations: limits.violations,
      maxImportW: ours.maxImportW,
      guardActions: Object.values(run.state.board.groups).reduce((total, group) => total + group.guardActions, 0),
    },
    cost: {
      importMicroEur: String(ours.importMicroEur),
      perKwhMicroEur: perKwh(ours.importMicroEur, ours.deliveredWh),
      cpoMarginMicroEur: String(
        amount - ours.importMicroEur - chain.redeemedMicroEur - sum((one) => one.creditMicroEur),
      ),
      baselines: {
        uncontrolled: baseline(run, uncontrolled(scenario)),
        equalShare: baseline(run, equal),
        perfectForesight: baseline(run, perfectForesight(scenario, got)),
      },
    },
    flexibility: {
      deliveredWh: settlements.reduce((total, one) => total + one.flexWh, 0),
      mintedWh: billed.reduce((total, one) => total + one.flexWh, 0),
      valueMicroEur: String(sum((one) => one.flexValueMicroEur)),
      redeemedMicroEur: String(chain.redeemedMicroEur),
      ancestorRuleWh: settlements.reduce((total, one) => total + one.ancestorWh, 0),
    },
    bills: {
      count: billed.length,
      energyWh: billed.reduce((total, one) => total + one.energyWh, 0),
      amountMicroEur: String(amount),
      creditMicroEur: String(sum((one) => one.creditMicroEur)),
      shortfallMicroEur: String(chain.shortfallMicroEur),
    },
    chain: {
      transactions: chain.transactions,
      gasUsed: Number(chain.gasUsed),
      runsRecorded: chain.runsRecorded,
      sessionsSettled: chain.sessionsSettled,
    },
    plans,
    audit: {
      ok: audit.ok,
      runsChecked: audit.runsChecked,
      billsChecked: audit.billsChecked,
      leavesChecked: audit.leavesChecked,
    },
    runtimeMs,
  };
}

/** The last version of every session's promise that was ever accepted. */
async function finalPromises(store: Store) {
  const last = new Map<string, Awaited<ReturnType<Store["promises"]["all"]>>[number]>();
  for (const promise of await store.promises.all()) {
    if (["expired", "withdrawn", "amended", "offered"].includes(promise.state)) continue;
    const known = last.get(promise.sessionId);
    if (!known || known.version < promise.version) last.set(promise.sessionId, promise);
  }
  const counts = { made: last.size, kept: 0, late: 0, short: 0, open: 0 };
  for (const { state } of last.values())
    counts[state === "kept" || state === "late" || state === "short" ? state : "open"]++;
  return { counts, promisedWh: [...last.values()].reduce((total, one) => total + one.energyWh, 0) };
}

function shortWhBy(settlements: readonly { readonly receipt: string }[]) {
  const by = { driver: 0, vehicle: 0, grid: 0, operator: 0, system: 0 };
  for (const { receipt } of settlements) {
    const { promise } = parseReceipt(receipt);
    if (!promise) continue;
    const { shares } = promise;
    by.driver += shares.driverWh;
    by.vehicle += shares.vehicleWh;
    by.grid += shares.orderWh + shares.outageWh;
    by.operator += shares.operatorWh;
    by.system += shares.systemWh;
  }
  return by;
}

/** Slots above the limit in force; an operator's or a grid's lowered limit counts with its mean over the slot. */
async function limitsOf(run: ScenarioRun, store: Store): Promise<{ violations: number }> {
  const { scenario } = run;
  const lowered = new Map<string, Awaited<ReturnType<Store["sites"]["limits"]>>>();
  for (const group of scenario.groups) lowered.set(group.id, await store.sites.limits(group.id, scenario.from));
  const cost = costOf(scenario, run.state.tally.carWs, (group, slot) => {
    let ws = 0;
    for (let at = slot * SLOT_S; at < (slot + 1) * SLOT_S; at += 60) {
      const leastW = (lowered.get(group.id) ?? []).reduce(
        (least, one) =>
          one.from <= at && (one.until === null || at < one.until) ? Math.min(least, one.limitW) : least,
        group.supplyLimitW as number,
      );
      ws += leastW * 60;
    }
    // A car may never make it worse, but a load that alone exceeds a lowered limit is not the cars'.
    return Math.max(ws / SLOT_S, netW(group, slot));
  });
  return { violations: cost.violations };
}

/** Drivers who left early: what equal share would have given them by then, minus what they got, where positive. */
function deferralHarm(run: ScenarioRun, equal: Outcome, got: ReadonlyMap<string, number>): number {
  return run.scenario.sessions
    .filter((session) => session.smart && session.plugOut < session.departure)
    .reduce(
      (sum, session) =>
        sum + Math.max(0, Math.floor((equal.delivered.get(session.id) ?? 0) / 3600) - (got.get(session.id) ?? 0)),
      0,
    );
}

function baseline(run: ScenarioRun, outcome: Outcome) {
  const cost = costOf(run.scenario, outcome.carWs);
  return {
    importMicroEur: String(cost.importMicroEur),
    deliveredWh: cost.deliveredWh,
    perKwhMicroEur: perKwh(cost.importMicroEur, cost.deliveredWh),
    violations: cost.violations,
  };
}

async function plansOf(store: Store, any: boolean) {
  const solveMs: number[] = [];
  let [cycles, certified, fallback, repairedSlots] = [0, 0, 0, 0];
  let gapMax = 0n;
  let [after, afterId] = [0 as EpochSecond, ""];
  for (;;) {
    const page = any ? await store.plans.page(after, afterId, 500) : [];
    for (const plan of page) {
      cycles++;
      solveMs.push(plan.solveMs);
      repairedSlots += plan.repairedIntervals;
      if (plan.algorithm === "least-laxity") fallback++;
      const gap = gapMicroEur(plan);
      if (gap === null) continue;
      certified++;
      if (gap > gapMax) gapMax = gap;
    }
    const last = page[page.length - 1];
    if (!last) break;
    [after, afterId] = [last.at, last.id];
  }
  solveMs.sort((a, b) => a - b);
  const quantile = (q: number) =>
    Math.round((solveMs[Math.min(solveMs.length - 1, Math.floor(q * solveMs.length))] ?? 0) * 1000) / 1000;
  const incidents = (await store.incidents.since(0 as EpochSecond)).length;
  return {
    cycles,
    certified,
    fallback,
    gapMicroEurMax: Number(gapMax),
    repairedSlots,
    solveMsP50: quantile(0.5),
    solveMsP99: quantile(0.99),
    incidents,
  };
}

export type Report = Awaited<ReturnType<typeof makeReport>>;
