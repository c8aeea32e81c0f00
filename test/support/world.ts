/**
 * A site to try things on: one charging group with simulated stations and cars in virtual time, the real use cases on an
 * empty PGlite, and the real encoders of the ledger, whose calls wait in the outbox for a chain that never comes.
 *
 *   const site = await aSite({ limitW: 20_000, evses: 3 });
 *   const car = await site.plugIn(1, { takesWh: 30_000 });
 *   await car.ask(10_000, site.in(2 * HOUR));
 *   await site.minutes(10);
 *   const { settlement } = await car.unplug();
 */

import { createHash } from "node:crypto";
import { bindContracts } from "../../backend/adapters/chain/contracts.ts";
import { loadArtifacts, type Manifest } from "../../backend/adapters/chain/deployment.ts";
import { createLedger } from "../../backend/adapters/chain/ledger.ts";
import { createQueueClock } from "../../backend/adapters/clock/queueClock.ts";
import * as stage from "../../backend/adapters/cpo/simulated/simulatedSite.ts";
import { solveWithJavascriptLpSolver } from "../../backend/adapters/solvers/javascriptLpSolver.ts";
import { createStore } from "../../backend/adapters/store/store.ts";
import { type AlgorithmChoice, DEFAULT_ALGORITHM, METHOD_NAMES } from "../../backend/domain/algorithms.ts";
import { limitAt, type SentProfile } from "../../backend/domain/profiles.ts";
import { SLOT_S, slotOf, slotStart } from "../../backend/domain/slots.ts";
import { type EpochSecond, epochSecond, microEurPerKwh, watt, wattHour } from "../../backend/domain/units.ts";
import { parseReceipt } from "../../backend/settlement/receipt.ts";
import { answerOffer } from "../../backend/usecases/answerOffer.ts";
import { createBoard, findLive, groupBoard, minPowerOf } from "../../backend/usecases/board.ts";
import { boost, cancelBoost } from "../../backend/usecases/boost.ts";
import { answerProfile } from "../../backend/usecases/dispatchProfiles.ts";
import { everyMinute } from "../../backend/usecases/everyMinute.ts";
import { loadBoard } from "../../backend/usecases/loadBoard.ts";
import { optOut } from "../../backend/usecases/optOut.ts";
import type { Job, Settings, Store, World } from "../../backend/usecases/ports.ts";
import { recordMeterReadings, recordSiteReadings } from "../../backend/usecases/recordReadings.ts";
import { registerDriver } from "../../backend/usecases/registerDriver.ts";
import { requestCharging } from "../../backend/usecases/requestCharging.ts";
import { runJob } from "../../backend/usecases/runJob.ts";
import { setGroupLimit } from "../../backend/usecases/setGroupLimit.ts";
import { setUpSite } from "../../backend/usecases/setUpSite.ts";
import { startSession } from "../../backend/usecases/startSession.ts";
import { stopSession } from "../../backend/usecases/stopSession.ts";
import type { ChargingTerms } from "../../backend/usecases/strategies.ts";
import { emptyDatabase } from "./databases.ts";

export const MINUTE = 60;
export const HOUR = 3600;
/** 2026-03-02T08:00:00Z, a Monday and a slot boundary; every site starts here. */
export const T0 = 1_772_438_400;
export const GROUP = "group";
export const evseId = (n: number) => `evse-${n}`;

export type SiteOptions = {
  readonly limitW?: number;
  readonly limitKind?: "contract" | "thermal";
  /** Number of EVSEs, "evse-1" and so on. */
  readonly evses?: number;
  readonly evseW?: number;
  readonly phases?: 1 | 2 | 3;
  /** Reported by a HEMS once a minute; without it there is no HEMS. */
  readonly demandW?: number;
  /** Micro-euro per kWh of a slot, counted from the start of the site's first day; null: none is published. */
  readonly priceOf?: ((slot: number) => number) | null;
  readonly algorithm?: AlgorithmChoice;
  readonly settings?: Partial<Settings>;
  /** How long bills can be disputed, s; 0 by default. */
  readonly windowS?: number;
};

export type CarOptions = {
  /** Most that it takes. */
  readonly maxW?: number;
  readonly phases?: 1 | 2 | 3;
  /** What the battery still takes; endless by default. */
  readonly takesWh?: number;
  readonly driverId?: string | null;
  readonly cannotPause?: boolean;
};

export type Site = Awaited<ReturnType<typeof aSite>>;
export type Car = Awaited<ReturnType<Site["plugIn"]>>;

type SiteEvent = { readonly kind: "minute" } | { readonly kind: "answer"; readonly sent: SentProfile };

const SETTINGS: Settings = {
  leadS: 60,
  dispatchS: 5,
  answerS: 10,
  staleS: 120,
  quantilePerMille: 950,
  flexSharePercent: 50,
  billingLines: 200,
  billingWaitS: 86_400,
  market: "day-ahead",
  forecast: "persistence",
};
/** A station answers after this long, s. */
const ANSWER_S = 2;

/** The rest of a World: encoders for contracts that are nowhere, wallets without keys, bytes that the label decides. */
export const aWorldAround = (
  parts: Pick<World, "store" | "clock" | "board" | "cpo" | "faults">,
  settings: Partial<Settings> = {},
  windowS = 0,
): World => ({
  ...parts,
  ledger: aLedger(windowS),
  wallets: {
    create: aWallet,
    signRedeem: async (_, intent) => hash(Object.values(intent).join()),
    signDispute: async (_, intent) => hash(Object.values(intent).join()),
    signPayout: async (_, payout) => hash(Object.values(payout).join()),
    exportKey: async (wallet) => hash(wallet.address),
  },
  solve: async (lp) => solveWithJavascriptLpSolver(lp),
  random: (bytes, label) => new Uint8Array(createHash("sha256").update(label).digest().subarray(0, bytes)),
  settings: { ...SETTINGS, ...settings },
});

export async function aSite(options: SiteOptions = {}) {
  const { limitW = 40_000, evses = 2, evseW = 11_040, phases = 3, priceOf = () => 100_000 } = options;
  const { db } = await emptyDatabase("pglite");
  const plan = { id: GROUP, supplyLimitW: watt(limitW), limitKind: options.limitKind ?? ("contract" as const) };
  const stations = Array.from({ length: evses }, (_, i) => ({ id: evseId(i + 1), maxPowerW: watt(evseW), phases }));
  let clock = createQueueClock<SiteEvent>(epochSecond(T0));
  const site = stage.createSimulatedSite(epochSecond(T0), stations);
  /** What the meters of the building and the cars really saw, W*s by slot. */
  const importWs = new Map<number, number>();
  let load = { demandW: options.demandW ?? 0, productionW: 0 };
  let hasHems = options.demandW !== undefined;
  const watchers: (() => void)[] = [];
  /** EVSEs whose station cannot be reached at all. */
  const unreachable = new Set<string>();
  const faults = { optimiser: false, solver: false };
  let world = aWorldAround(
    {
      store: createStore(db),
      clock,
      board: createBoard(),
      cpo: {
        async sendProfile(sent) {
          if (unreachable.has(sent.evseId)) throw new Error("connect ECONNREFUSED");
          clock.put(clock.now() + ANSWER_S, { kind: "answer", sent });
        },
      },
      faults: { optimiserFails: () => faults.optimiser, solverDiffers: () => faults.solver },
    },
    options.settings,
    options.windowS,
  );
  await setUpSite(world, {
    cpo: { id: "cpo", name: "Garage operator" },
    payee: `0x${"77".repeat(20)}`,
    location: { id: "place", cpoId: "cpo", name: "Garage", timeZone: "Europe/Oslo" },
    tariff: { id: "tariff", pricePerKwh: microEurPerKwh(350_000) },
    groups: [
      {
        group: { ...plan, feedIn: microEurPerKwh(0), algorithm: options.algorithm ?? DEFAULT_ALGORITHM },
        evses: stations,
        pvs: [],
      },
    ],
  });
  const midnight = slotOf(epochSecond(T0 - 8 * HOUR));
  if (priceOf)
    await world.store.prices.put(
      world.settings.market,
      Array.from({ length: 3 * 96 }, (_, k) => ({ slot: midnight + k, price: microEurPerKwh(priceOf(k)) })),
    );
  clock.put(T0, { kind: "minute" });

  /** The simulated world moves on; every second is looked at when somebody watches. */
  function advanceTo(to: number): void {
    while (site.at < to) {
      const at = site.at;
      const until = Math.min(to, slotStart(slotOf(epochSecond(at)) + 1), watchers.length > 0 ? at + 1 : to);
      const before = registersWs();
      stage.advance(site, epochSecond(until));
      const ws = registersWs() - before + (load.demandW - load.productionW) * (until - at);
      const slot = slotOf(epochSecond(at));
      importWs.set(slot, (importWs.get(slot) ?? 0) + ws);
      for (const watch of watchers) watch();
    }
  }
  const registersWs = () => Object.values(site.evses).reduce((sum, evse) => sum + evse.registerWs, 0);

  async function handle(inStep: World, event: SiteEvent | { readonly job: Job }): Promise<void> {
    const now = clock.now();
    if ("job" in event) return runJob(inStep, event.job);
    if (event.kind === "answer") {
      const { evseId, sessionId, profile, id } = event.sent;
      const state = stage.takeProfile(site, evseId, sessionId, profile);
      if (state) await answerProfile(inStep, { profileId: id, state, at: now });
      return;
    }
    clock.put(now + MINUTE, event);
    await recordMeterReadings(inStep, stage.readMeters(site));
    if (hasHems) await recordSiteReadings(inStep, [aSiteReading(now)]);
    await everyMinute(inStep);
  }
  const aSiteReading = (at: EpochSecond) => ({
    groupId: GROUP,
    at,
    demandW: watt(load.demandW),
    productionW: watt(load.productionW),
  });

  async function until(at: number): Promise<void> {
    await world.store.transaction(async (store: Store) => {
      const inStep: World = { ...world, store };
      for (let event = clock.next(epochSecond(at)); event !== null; event = clock.next(epochSecond(at))) {
        advanceTo(clock.now());
        await handle(inStep, event);
      }
      clock.moveTo(epochSecond(at));
      advanceTo(at);
    });
  }

  async function restart(): Promise<void> {
    const { waiting } = clock.save();
    clock = createQueueClock<SiteEvent>(clock.now());
    for (const { at, event } of waiting) if (!("job" in event)) clock.put(Math.max(at, clock.now()), event);
    world = { ...world, clock, board: await loadBoard(world.store, clock) };
  }

  await until(T0);
  let plugged = 0;
  async function plugIn(evse: number, car: CarOptions = {}) {
    const id = `s${++plugged}`;
    const driverId = car.driverId === undefined ? `driver-${evse}` : car.driverId;
    if (driverId !== null)
      await registerDriver(world, { id: driverId, accountId: null, name: driverId, consentText: "yes" });
    const station = stage.evseOf(site, evseId(evse));
    const maxPowerW = Math.min(evseW, car.maxW ?? evseW);
    const started = await startSession(world, {
      sessionId: id,
      evseId: station.id,
      driverId,
      at: clock.now(),
      registerWh: stage.registerWh(station, clock.now()),
      carMaxPowerW: car.maxW === undefined ? undefined : watt(car.maxW),
      phases: car.phases,
      cannotPause: car.cannotPause,
    });
    if (started.kind !== "started") throw new Error(`Plug-in at ${station.id}: ${JSON.stringify(started)}`);
    stage.plugIn(site, station.id, {
      sessionId: id,
      maxPowerW,
      minPowerW: minPowerOf(maxPowerW, car.phases ?? phases),
      roomWs: (car.takesWh ?? 1_000_000) * 3600,
    });
    return {
      id,
      number: started.session.number,
      station,
      ask: (wh: number, by: number, more: Partial<ChargingTerms> = {}) =>
        requestCharging(world, { sessionId: id, energyNeedWh: wattHour(wh), departsAt: epochSecond(by), ...more }),
      answer: (accept: boolean, which?: "less" | "later") => answerOffer(world, { sessionId: id, accept, which }),
      boost: (wish: { until?: number; energyWh?: number } = {}) =>
        boost(world, {
          sessionId: id,
          askedBy: "driver",
          until: wish.until === undefined ? undefined : epochSecond(wish.until),
          energyWh: wish.energyWh === undefined ? undefined : wattHour(wish.energyWh),
        }),
      cancelBoost: () => cancelBoost(world, { sessionId: id }),
      optOut: () => optOut(world, { sessionId: id }),
      /** The car takes no more than this from now on. */
      slowTo: (maxPowerW: number) => {
        if (station.car) station.car = { ...station.car, maxPowerW };
      },
      async unplug() {
        const registerWh = stage.registerWh(station, clock.now());
        const stopped = await stopSession(world, { sessionId: id, at: clock.now(), registerWh });
        if (stopped.kind !== "stopped") throw new Error(`Plug-out of ${id}: ${JSON.stringify(stopped)}`);
        stage.unplug(site, station.id);
        return { ...stopped, receipt: parseReceipt(stopped.settlement.receipt) };
      },
      /** The system's live picture of it. */
      get live() {
        return findLive(world.board, id)!.live;
      },
      /** What the station itself allows now, W. */
      get allowedW() {
        return limitAt(station.profile, clock.now());
      },
      /** What the meter says now, from the station's beginning, Wh. */
      get registerWh() {
        return stage.registerWh(station, clock.now());
      },
      promise: () => world.store.promises.ofSession(id),
      profiles: () => world.store.profiles.ofSession(id),
    };
  }

  return {
    get world() {
      return world;
    },
    get store() {
      return world.store;
    },
    get board() {
      return groupBoard(world.board, GROUP, clock.now());
    },
    db,
    stage: site,
    faults,
    unreachable,
    now: () => clock.now(),
    in: (seconds: number) => epochSecond(clock.now() + seconds),
    plugIn,
    until,
    minutes: (n: number) => until(clock.now() + n * MINUTE),
    seconds: (n: number) => until(clock.now() + n),
    /** The building's load and its PV from now on; the HEMS reports them at the next full minute. */
    load(demandW: number, productionW = 0) {
      load = { demandW, productionW };
      hasHems = true;
    },
    limit: (kind: "operator" | "order", limitW: number, forS: number | null = null) =>
      setGroupLimit(world, {
        groupId: GROUP,
        kind,
        limitW: watt(limitW),
        from: clock.now(),
        until: forS === null ? null : epochSecond(clock.now() + forS),
      }),
    /** Called for every second from now on, after the cars have drawn. */
    eachSecond: (watch: () => void) => void watchers.push(watch),
    /** Sum of what the stations themselves allow now, W. */
    allowedW: () =>
      Object.values(site.evses).reduce((sum, e) => sum + (e.car ? limitAt(e.profile, clock.now()) : 0), 0),
    /** Mean import of a slot, counted from the first one, W. */
    meanImportW: (slot: number) => (importWs.get(slotOf(epochSecond(T0)) + slot) ?? 0) / SLOT_S,
    incidents: async () => (await world.store.incidents.since(epochSecond(0))).map((one) => one.kind),
    /** The process ends and another begins: what was not stored is lost, the stations go on. */
    restart,
    /** Nobody is there for so long; then another process begins. */
    async away(seconds: number) {
      const back = clock.now() + seconds;
      advanceTo(back);
      clock.moveTo(epochSecond(back));
      await restart();
    },
  };
}

/* ------------------------------------------------------------------------------------------------- the ledger */

const hash = (text: string) => `0x${createHash("sha256").update(text).digest("hex")}` as const;
const address = (text: string) => `0x${hash(text).slice(2, 42)}` as const;
const artifacts = loadArtifacts();
/** Calls are encoded for these addresses and never sent. */
const MANIFEST: Manifest = {
  chainId: 31_337,
  contracts: Object.fromEntries(
    Object.keys(artifacts).map((name) => [
      name,
      { address: address(name), block: 1, tx: hash(name), bytecodeHash: hash("code"), args: [] },
    ]),
  ) as unknown as Manifest["contracts"],
  algorithms: Object.fromEntries(METHOD_NAMES.map((name) => [`${name}/1`, hash(name)])),
};
/** `windowS`: how long bills can be disputed. */
export const aLedger = (windowS = 0) => createLedger({ ...bindContracts(MANIFEST, artifacts), windowS });
export const aWallet = (id: string) =>
  ({ walletId: id, address: address(id), kekVersion: 1, sealedKey: "0x00", wrappedDek: "0x00" }) as const;
