/** The whole replay: site and drivers registered, sessions run in virtual time, bills posted, FLEX redeemed, everything audited. */

import { type AlgorithmChoice, DEFAULT_ALGORITHM } from "../domain/algorithms.ts";
import type { EpochSecond } from "../domain/units.ts";
import { microEur, microEurPerKwh, watt } from "../domain/units.ts";
import { redemptionOffer } from "../flexibility/redemption.ts";

type AuditResult = { ok: boolean; runsChecked: number; billsChecked: number; leavesChecked: number };

import type { Hex, RedeemIntent, Settings, Store, World } from "../usecases/ports.ts";
import { postBills } from "../usecases/postBills.ts";
import { registerDrivers } from "../usecases/registerDriver.ts";
import { setUpSite } from "../usecases/setUpSite.ts";
import { type ChainTotals, makeReport, type Report } from "./report.ts";
import { createRun, type ScenarioRun, type ScenarioState } from "./runScenario.ts";
import type { Scenario } from "./scenario.ts";

/** What a replay needs of the system around it; compose.ts's System fits. */
export type ReplaySystem = Pick<World, "store" | "ledger" | "wallets" | "random"> & {
  readonly solver: { readonly solve: World["solve"] };
  readonly treasury: Hex;
  readonly writer: { pass(): Promise<unknown>; drain(): Promise<{ readonly open: number; readonly parked: number }> };
};

export type ReplayOptions = {
  readonly scenario: Scenario;
  readonly settings: Settings;
  /** What every group runs; least cost when absent. */
  readonly algorithm?: AlgorithmChoice;
  readonly version: string;
  readonly totals: () => Promise<ChainTotals>;
  readonly audit: (store: Store) => Promise<Pick<AuditResult, "ok" | "runsChecked" | "billsChecked" | "leavesChecked">>;
  readonly onProgress?: (share: number, what: string) => void;
};

/** What every driver pays in, and what the CPO keeps ready for compensation. */
const DEPOSIT = microEur(1_000_000_000n);
const CPO_FUNDS = microEur(100_000_000_000n);
/** The chain writer runs after so many slots: it sends a window of rows faster than one by one. */
const SLOTS_PER_PASS = 8;
const REDEMPTIONS_PER_CALL = 50;
const NO_DEADLINE = (2 ** 40 - 1) as EpochSecond;

export async function replayScenario(
  system: ReplaySystem,
  options: ReplayOptions,
): Promise<{ readonly report: Report; readonly run: ScenarioRun }> {
  const began = performance.now();
  const { scenario, settings } = options;
  const { store, writer } = system;
  const saved = (await store.snapshots.load(`replay:${scenario.name}`))?.state as ScenarioState | undefined;
  if (!saved) await requireOwnSite(store, scenario.name);
  const run = createRun(scenario, saved ?? null, (parts) => ({ ...parts, ...worldOf(system, settings) }));
  if (!saved) await registerSite(system, run, options.algorithm);

  for (let steps = 1; await run.step(); steps++) {
    if (steps % SLOTS_PER_PASS === 0) await writer.pass();
    options.onProgress?.(run.progress(), "charging");
  }
  options.onProgress?.(1, "billing");
  await postBills(run.world, true);
  await drain(writer);
  await redeemAll(system, run, settings);
  await drain(writer);
  options.onProgress?.(1, "auditing");
  const totals = await options.totals();
  const audit = await options.audit(store);
  const report = await makeReport(run, store, options.version, totals, audit, Math.round(performance.now() - began));
  return { report, run };
}

export const worldOf = (
  system: ReplaySystem,
  settings: Settings,
): Pick<World, "store" | "ledger" | "wallets" | "random" | "solve" | "settings"> => ({
  store: system.store,
  ledger: system.ledger,
  wallets: system.wallets,
  random: system.random,
  solve: system.solver.solve,
  settings,
});

/** A scenario that was not begun needs a database of its own. */
export async function requireOwnSite(store: Pick<Store, "sites">, name: string): Promise<void> {
  if ((await store.sites.cpos()).length === 0) return;
  throw new Error(
    `The database holds another site already, and none of ${name}. Start on an empty database (DATABASE_URL) and chain, or with what it holds.`,
  );
}

async function drain(writer: ReplaySystem["writer"]): Promise<void> {
  const { open, parked } = await writer.drain();
  if (open > 0)
    throw new Error(
      `${open} calls did not reach the chain, ${parked} of them would revert. See the outbox table's error column.`,
    );
}

/** Site, drivers, deposits and the first state of the replay commit together, so that a restart finds all or nothing. */
export async function registerSite(
  system: ReplaySystem,
  run: ScenarioRun,
  algorithm: AlgorithmChoice = DEFAULT_ALGORITHM,
): Promise<void> {
  const { scenario, world } = run;
  const { ledger } = system;
  const penniless = new Set(
    scenario.events.filter((event) => event.kind === "no-deposit").map((event) => event.target),
  );
  await system.store.transaction(async (store) => {
    const inStep = { ...world, store };
    await setUpSite(inStep, sitePlanOf(scenario, system.treasury, algorithm));
    const ids = [...new Set(scenario.sessions.map((session) => session.driverId))];
    const drivers = await registerDrivers(
      inStep,
      ids.map((id) => ({ id, accountId: null, name: id, consentText: "Replay of a recorded session" })),
    );
    const paying = drivers.filter((driver) => !penniless.has(driver.id));
    const total = microEur(DEPOSIT * BigInt(paying.length) + 2n * CPO_FUNDS);
    await store.outbox.enqueue(ledger.mintTestEuro(system.treasury, total, `mint:${scenario.name}`));
    await store.outbox.enqueue(ledger.approveDeposits());
    await store.outbox.enqueue(ledger.deposit(system.treasury, CPO_FUNDS, `deposit:cpo:${scenario.name}`));
    for (const driver of paying)
      await store.outbox.enqueue(ledger.deposit(driver.address as Hex, DEPOSIT, `deposit:${driver.address}`));
    await store.snapshots.save(`replay:${scenario.name}`, scenario.from, run.state);
  });
}

export const sitePlanOf = (
  scenario: Scenario,
  payee: Hex,
  algorithm: AlgorithmChoice = DEFAULT_ALGORITHM,
): Parameters<typeof setUpSite>[1] => ({
  cpo: { id: "cpo", name: "Recorded site's CPO" },
  payee,
  location: { id: scenario.name, cpoId: "cpo", name: scenario.about, timeZone: scenario.timeZone },
  tariff: { id: `${scenario.name}-tariff`, pricePerKwh: microEurPerKwh(scenario.driverPrice) },
  groups: scenario.groups.map((group) => ({
    group: {
      id: group.id,
      supplyLimitW: watt(group.supplyLimitW),
      limitKind: "contract",
      feedIn: microEurPerKwh(0),
      algorithm,
    },
    evses: group.evses.map(({ id, maxPowerW, phases, coordinates }) => ({
      ...{ id, maxPowerW: watt(maxPowerW), phases },
      ...(coordinates ? { place: { coordinates, floorLevel: null, physicalReference: null } } : {}),
    })),
    pvs: group.production
      ? [{ id: `${group.id}-pv`, ratedPowerW: watt(Math.max(1, ...group.production.values())) }]
      : [],
  })),
});

/** The CPO sets its offer by the rule of flex/1, funds its pot with what that can cost, and every driver redeems. */
async function redeemAll(system: ReplaySystem, run: ScenarioRun, settings: Settings): Promise<void> {
  const { ledger, wallets } = system;
  const { scenario } = run;
  await system.store.transaction(async (store) => {
    const billed = (await store.bills.all()).filter((one) => one.batch !== null);
    const cpo = (await store.sites.cpos())[0];
    if (!cpo) throw new Error("The replay has no CPO.");
    const offer = redemptionOffer({
      flexWh: billed.reduce((sum, one) => sum + one.flexWh, 0),
      valueMicroEur: microEur(billed.reduce((sum, one) => sum + one.flexValueMicroEur, 0n)),
      sharePercent: settings.flexSharePercent,
      orderShareMicroEur: microEur(0n),
    });
    if (offer === 0) return;
    const byDriver = new Map<string, number>();
    for (const one of billed)
      if (one.driverId !== null && one.flexWh > 0)
        byDriver.set(one.driverId, (byDriver.get(one.driverId) ?? 0) + one.flexWh);
    const most = [...byDriver.values()].reduce((sum, wh) => sum + BigInt(wh) * BigInt(offer), 0n) / 1000n + 1n;
    await store.outbox.enqueue(ledger.setOffer({ cpo: cpo.number, price: offer, key: `offer:${scenario.name}` }));
    await store.outbox.enqueue(
      ledger.fundPot({ cpo: cpo.number, amount: microEur(most), key: `pot:${scenario.name}` }),
    );
    const intents: (RedeemIntent & { signature: Hex })[] = [];
    for (const [driverId, wh] of [...byDriver].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const wallet = await store.drivers.wallet(driverId);
      if (!wallet) throw new Error(`Driver ${driverId} has no wallet.`);
      const intent = { driver: wallet.address, cpo: cpo.number, wh, minPayout: 0n, nonce: 0, deadline: NO_DEADLINE };
      intents.push({ ...intent, signature: await wallets.signRedeem(wallet, intent) });
    }
    for (let i = 0; i < intents.length; i += REDEMPTIONS_PER_CALL)
      await store.outbox.enqueue(
        ledger.redeem(intents.slice(i, i + REDEMPTIONS_PER_CALL), `redeem:${scenario.name}:${i}`),
      );
  });
}
