/**
 * Everything outside, as the use cases see it. One World is built in main.ts, others in tests and replays; a use case
 * takes the `Pick` of it that it needs.
 *
 *   store   what is remembered           cpo     charge point operators' back ends and stations
 *   ledger  calls of the contracts       clock   time, and jobs for later
 *   solve   linear programs              random  salts and keys
 */
import type { AlgorithmChoice, MethodName } from "../domain/algorithms.ts";
import type {
  ChargingGroup,
  Cpo as CpoEntity,
  Evse,
  EvseStatus,
  Location,
  Place,
  PvAsset,
  Tariff,
} from "../domain/assets.ts";
import type { CapacityProfile } from "../domain/capacity.ts";
import type { MeterReading, SiteReading, SiteSlot } from "../domain/meters.ts";
import type { FlexibilityOrder, OrderSettlement } from "../domain/orders.ts";
import type { ChargingProfile, ProfileState, SentProfile } from "../domain/profiles.ts";
import type { EnergyPromise } from "../domain/promises.ts";
import type {
  Admission,
  Boost,
  BoostEnd,
  ChargingMode,
  ChargingPreferences,
  ChargingSession,
  PowerGrant,
  Refusal,
} from "../domain/sessions.ts";
import type { EpochSecond, MicroEur, MicroEurPerKwh, WattHour } from "../domain/units.ts";
import type { Solve } from "../optimisation/model.ts";
import type { Board } from "./board.ts";
import type { ByteStore } from "./bytePort.ts";
import type { DisputeStore } from "./disputePort.ts";
import type { ChainCall, Ledger, RunRecord } from "./ledgerPort.ts";
import type { StrategyWindow } from "./strategies.ts";
import type { SealedWallet, WalletStore, Wallets } from "./walletPort.ts";

export type * from "./bytePort.ts";
export type * from "./chainReaderPort.ts";
export type * from "./disputePort.ts";
export type * from "./ledgerPort.ts";
export type * from "./walletPort.ts";

export type World = {
  readonly store: Store;
  readonly cpo: CpoPort;
  readonly ledger: Ledger;
  readonly wallets: Wallets;
  readonly clock: Clock;
  readonly solve: Solve;
  /** `label` names the purpose, so that a replay can derive the same bytes again. */
  readonly random: (bytes: number, label: string) => Uint8Array;
  /** The live picture of every group, kept in memory and saved with each step (board.ts). */
  readonly board: Board;
  readonly settings: Settings;
  /** Whether the service holds the key of an arbiter, so that it can send decisions. */
  readonly holdsArbiterKey?: boolean;
  /** Live updates for whoever watches; nothing depends on them. */
  readonly updates?: { publish(topic: string, data: unknown): void };
  /** Tests and the sample scenario make the optimiser late or the second solver differ. */
  readonly faults?: { optimiserFails(groupId: string): boolean; solverDiffers(groupId: string): boolean };
};

/** How the operator runs the service; config.ts reads it from the environment. */
export type Settings = {
  /** Cycles start this long before a slot, so that profiles are in force when it starts. */
  readonly leadS: number;
  /** A plan starts this long after the instant at which it is made: sending and confirming takes time. */
  readonly dispatchS: number;
  /** A station that has not answered a profile by then counts as silent. */
  readonly answerS: number;
  /** A reading older than this is stale. */
  readonly staleS: number;
  /** Share of forecasts' own errors that the promises' capacity covers, in per mille. */
  readonly quantilePerMille: number;
  /** Share of V paid out for FLEX, percent. */
  readonly flexSharePercent: number;
  /** Bills are posted when this many wait, or when the oldest has waited `billingWaitS`; see postBills.ts. */
  readonly billingLines: number;
  readonly billingWaitS: number;
  /** Name of the price series of the wholesale market. */
  readonly market: string;
  /** How forecasts of other load are made; `actual` lets a replay look into the files. */
  readonly forecast: "persistence" | "actual";
};

/** A job is data, so that a saved world can go on with it. */
export type Job =
  | { readonly kind: "cycle"; readonly groupId: string }
  /** A cycle at an instant of its own, at which a limit begins or ends. */
  | { readonly kind: "limit"; readonly groupId: string; readonly at: EpochSecond }
  | { readonly kind: "offer-expiry"; readonly sessionId: string }
  | { readonly kind: "promise-due"; readonly sessionId: string }
  /** The time of a promise's first part. */
  | { readonly kind: "first-due"; readonly sessionId: string }
  /** A flexibility order is over and can be settled. */
  | { readonly kind: "order-due"; readonly orderId: string }
  | { readonly kind: "answer-due"; readonly profileId: string };

export type Clock = {
  now(): EpochSecond;
  /** Runs the job once at or soon after `at`; a job with the same content that already waits keeps its earlier time. */
  schedule(at: EpochSecond, job: Job): void;
};

/** A CPO's back end or station. The answer to a profile arrives later, by the use case `answerProfile`. */
export type CpoPort = {
  /** Rejects only when the station could not be reached; the profile then counts as timed out. */
  sendProfile(profile: SentProfile): Promise<void>;
  /** Asks the station to end a session (OCPI STOP_SESSION, OCPP RequestStopTransaction); absent or false where it cannot. */
  stopSession?(session: { readonly sessionId: string; readonly evseId: string }): Promise<boolean>;
};

/* ------------------------------------------------------------------------------------------------- store */

export type Store = {
  /** Runs the work in one transaction; inside a transaction the work joins it. The work must use the given store. */
  transaction<T>(work: (store: Store) => Promise<T>): Promise<T>;
  readonly sites: SiteStore;
  readonly drivers: DriverStore;
  readonly wallets: WalletStore;
  readonly sessions: SessionStore;
  readonly meters: MeterStore;
  readonly prices: PriceStore;
  readonly promises: PromiseStore;
  readonly priorities: PriorityStore;
  readonly profiles: ProfileStore;
  readonly plans: PlanStore;
  readonly grid: GridStore;
  readonly bills: BillStore;
  readonly disputes: DisputeStore;
  readonly bytes: ByteStore;
  readonly incidents: IncidentStore;
  readonly outbox: OutboxStore;
  readonly snapshots: SnapshotStore;
};

export type SiteStore = {
  /** Inserts get the next number (u32) or row of the group; an id that exists already is left as it is and returned. */
  addCpo(cpo: Omit<CpoEntity, "number">): Promise<CpoEntity>;
  addLocation(location: Location): Promise<Location>;
  locations(cpoId: string): Promise<readonly Location[]>;
  addGroup(group: Omit<ChargingGroup, "number">): Promise<ChargingGroup>;
  addEvse(evse: Omit<Evse, "row">): Promise<Evse>;
  addPv(pv: Omit<PvAsset, "row">): Promise<PvAsset>;
  cpos(): Promise<readonly CpoEntity[]>;
  groups(): Promise<readonly ChargingGroup[]>;
  group(id: string): Promise<ChargingGroup | null>;
  setAlgorithm(groupId: string, choice: AlgorithmChoice, at: EpochSecond): Promise<void>;
  /** What the group has run since when, oldest first; the first one from the beginning of time. */
  algorithms(groupId: string): Promise<readonly { readonly from: EpochSecond; readonly choice: AlgorithmChoice }[]>;
  /** IANA time zone of the group's location. */
  timeZone(groupId: string): Promise<string | null>;
  evses(groupId: string): Promise<readonly Evse[]>;
  evse(id: string): Promise<Evse | null>;
  pvs(groupId: string): Promise<readonly PvAsset[]>;
  pv(id: string): Promise<PvAsset | null>;
  setEvseStatus(id: string, status: EvseStatus): Promise<void>;
  setPlace(id: string, place: Place): Promise<void>;
  /** Limits in force: the contract's from `from = 0`, an operator's from its instant, orders for their time. */
  addLimit(limit: GroupLimit): Promise<void>;
  /** Limits that end after `after`; those of capacity profiles for the time in which they were in force. */
  limits(groupId: string, after: EpochSecond): Promise<readonly GroupLimit[]>;
  tariff(id: string): Promise<Tariff | null>;
  currentTariff(cpoId: string): Promise<Tariff | null>;
  addTariff(tariff: Omit<Tariff, "number">): Promise<Tariff>;
};

/** All limits that hold at an instant are merged by minimum. */
export type GroupLimit = {
  readonly id: string;
  readonly groupId: string;
  /** `operator`: a lowered limit counts as the operator's cause; `order`: a flexibility order, the grid's. */
  /** `capacity`: a minute or more of a capacity profile, from whom the group has it. */
  readonly kind: "operator" | "order" | "capacity";
  readonly limitW: number;
  readonly from: EpochSecond;
  readonly until: EpochSecond | null;
  /** Since when it is known; `from` where nobody noted it. */
  readonly announcedAt?: EpochSecond;
};

export type Driver = {
  readonly id: string;
  /** Account of the login, null for drivers known only by a token or a replay. */
  readonly accountId: string | null;
  readonly name: string;
  /** Random address on chain; its key lies sealed in the wallet table. */
  readonly address: string;
  readonly consentHash: string;
  readonly registeredAt: EpochSecond;
  /** Since then nobody knows who it was: name, account, key, preferences, receipts and their salts are gone. */
  readonly erasedAt?: EpochSecond;
};

export type DriverPreferences = {
  readonly driverId: string;
  readonly optIn: boolean;
  readonly energyNeedWh: WattHour | null;
  /** Usual length of a stay, s. */
  readonly stayS: number | null;
  /** Battery, Wh. */
  readonly batteryWh: WattHour | null;
  /** State of charge that the driver usually wishes, percent. */
  readonly targetPercent?: number | null | undefined;
  /** The driver's car does not go on once it was stopped. */
  readonly cannotPause?: boolean | undefined;
};

export type DriverStore = {
  add(driver: Driver, wallet: SealedWallet): Promise<void>;
  byId(id: string): Promise<Driver | null>;
  byAccount(accountId: string): Promise<Driver | null>;
  all(): Promise<readonly Driver[]>;
  wallet(driverId: string): Promise<SealedWallet | null>;
  preferences(driverId: string): Promise<DriverPreferences | null>;
  setPreferences(preferences: DriverPreferences): Promise<void>;
  /** Forgets who the driver was and deletes the key; what was posted on chain stays as it was. */
  erase(driverId: string, at: EpochSecond): Promise<void>;
};

export type SessionStore = {
  /** Gives the number. Throws when the EVSE is occupied: callers look first. */
  start(session: Omit<ChargingSession, "number" | "unpluggedAt" | "endRegisterWh">): Promise<ChargingSession>;
  setMode(id: string, mode: ChargingMode): Promise<void>;
  close(id: string, unpluggedAt: EpochSecond, endRegisterWh: WattHour): Promise<void>;
  byId(id: string): Promise<ChargingSession | null>;
  byNumber(number: number): Promise<ChargingSession | null>;
  openAt(evseId: string): Promise<ChargingSession | null>;
  openIn(groupId: string): Promise<readonly ChargingSession[]>;
  /** Newest first. */
  ofDriver(driverId: string, limit: number): Promise<readonly ChargingSession[]>;
  /** Sessions of the group whose stay overlaps [from, to). */
  overlapping(groupId: string, from: EpochSecond, to: EpochSecond): Promise<readonly ChargingSession[]>;
  setPreferences(sessionId: string, at: EpochSecond, preferences: ChargingPreferences): Promise<void>;
  preferences(sessionId: string): Promise<ChargingPreferences | null>;
  /** All that was said, first one first. */
  wishes(sessionId: string): Promise<readonly (ChargingPreferences & { readonly at: EpochSecond })[]>;
  addAdmission(admission: Admission): Promise<void>;
  admission(sessionId: string): Promise<Admission | null>;
  all(): Promise<readonly ChargingSession[]>;
};

export type MeterStore = {
  /** Appends; a reading of the same session and instant is a duplicate and changes nothing. Number of new ones. */
  append(readings: readonly MeterReading[]): Promise<number>;
  ofSession(sessionId: string): Promise<readonly MeterReading[]>;
  latest(sessionId: string): Promise<MeterReading | null>;
  /** The latest one in which the car said its state of charge. */
  latestSoc(sessionId: string): Promise<MeterReading | null>;
  appendSite(readings: readonly SiteReading[]): Promise<number>;
  latestSite(groupId: string): Promise<SiteReading | null>;
  putSiteSlot(slot: SiteSlot): Promise<void>;
  /** In order, up to `untilSlot` without it; all since `fromSlot` where it is not said. */
  siteSlots(groupId: string, fromSlot: number, untilSlot?: number): Promise<readonly SiteSlot[]>;
};

export type PricePoint = { readonly slot: number; readonly price: MicroEurPerKwh };

/** What grid operators, traders and energy managers say. */
export type GridStore = {
  /** The profile given last before it is forgotten, but not lost. */
  addCapacity(profile: CapacityProfile): Promise<void>;
  /** Newest first. */
  capacities(groupId: string, limit: number): Promise<readonly CapacityProfile[]>;
  /** An order with its answer, for ever: what was acknowledged is never changed. */
  addOrder(order: FlexibilityOrder): Promise<void>;
  order(id: string): Promise<FlexibilityOrder | null>;
  /** Orders of the group that end after `after`, refused ones too, in the order in which they were given. */
  orders(groupId: string, after: EpochSecond): Promise<readonly FlexibilityOrder[]>;
  settleOrder(settlement: OrderSettlement): Promise<void>;
  settlement(orderId: string): Promise<OrderSettlement | null>;
  /** Applied orders that are not settled yet. */
  unsettled(): Promise<readonly FlexibilityOrder[]>;
};

/** Grams of CO2 equivalent per kWh from the grid. */
export type CarbonPoint = { readonly slot: number; readonly gramsPerKwh: number };

export type PriceStore = {
  /** Wholesale import prices of a market; a slot that is known already keeps its price. */
  put(market: string, prices: readonly PricePoint[]): Promise<void>;
  /** Known prices from the slot on, ascending; up to `untilSlot` without it where it is said. */
  from(market: string, slot: number, untilSlot?: number): Promise<readonly PricePoint[]>;
  /** Of the slots of [fromSlot, untilSlot), ascending; newest wins. */
  putCarbon(market: string, points: readonly CarbonPoint[]): Promise<void>;
  carbon(market: string, fromSlot: number, untilSlot: number): Promise<readonly CarbonPoint[]>;
  /** Forecasts that came from outside (a HEMS), newest wins. */
  putForecast(groupId: string, points: readonly ForecastPoint[]): Promise<void>;
  forecast(groupId: string, fromSlot: number): Promise<readonly ForecastPoint[]>;
};
export type ForecastPoint = { readonly slot: number; readonly demandW: number; readonly productionW: number };

export type PromiseStore = {
  put(promise: EnergyPromise): Promise<void>;
  /** The version in force, or the offer that waits. */
  ofSession(sessionId: string): Promise<EnergyPromise | null>;
  /** The same of many sessions, by session; those without one are not in it. */
  ofSessions(sessionIds: readonly string[]): Promise<ReadonlyMap<string, EnergyPromise>>;
  history(sessionId: string): Promise<readonly EnergyPromise[]>;
  /** Promises of open sessions of a group that hold capacity. */
  holding(groupId: string): Promise<readonly EnergyPromise[]>;
  all(): Promise<readonly EnergyPromise[]>;
};

/** Boosts, what was granted outside of plans, refusals with their proofs, and what EVSEs do when the driver says nothing. */
export type PriorityStore = {
  addBoost(boost: Boost): Promise<void>;
  endBoost(id: string, at: EpochSecond, ended: BoostEnd): Promise<void>;
  /** Oldest first. */
  boosts(sessionId: string): Promise<readonly Boost[]>;
  /** Of the group's sessions, newest first. */
  boostsIn(groupId: string, limit: number): Promise<readonly Boost[]>;
  addGrant(grant: PowerGrant): Promise<void>;
  /** In the order in which they were given. */
  grants(sessionId: string): Promise<readonly PowerGrant[]>;
  addRefusal(refusal: Refusal): Promise<void>;
  refusals(sessionId: string): Promise<readonly Refusal[]>;
  /** Replaces what held before; the old ones are kept. */
  setStrategies(strategies: EvseStrategies): Promise<void>;
  /** Those in force at the instant. */
  strategies(evseId: string, at: EpochSecond): Promise<EvseStrategies | null>;
};

export type EvseStrategies = {
  readonly evseId: string;
  readonly at: EpochSecond;
  readonly windows: readonly StrategyWindow[];
};

export type ProfileStore = {
  add(profiles: readonly SentProfile[]): Promise<void>;
  answer(id: string, state: ProfileState, at: EpochSecond): Promise<void>;
  byId(id: string): Promise<SentProfile | null>;
  /** In order of sending. */
  ofSession(sessionId: string): Promise<readonly SentProfile[]>;
  applied(sessionId: string): Promise<ChargingProfile | null>;
};

/** A plan as it was made: the bytes that the chain commits to, and what came of them. */
export type StoredPlan = {
  readonly id: string;
  readonly groupId: string;
  readonly slot: number;
  readonly at: EpochSecond;
  readonly algorithm: MethodName;
  /** What it was made with, defaults included; a fallback has none. */
  readonly parameters: AlgorithmChoice["parameters"];
  /** First deadlines of its cars (`Car.first`), which the bytes do not hold. */
  readonly firsts: readonly { readonly session: number; readonly wh: WattHour; readonly to: number }[];
  /** Hex; the problem begins with its random salt. */
  readonly problem: string;
  readonly x: string;
  readonly y: string;
  readonly w: string;
  readonly cost: bigint;
  readonly bound: bigint | null;
  readonly repairedIntervals: number;
  readonly solveMs: number;
  readonly cause: "slot" | "event";
  /** Key of the chain call that records it, null until its slot is recorded. */
  readonly recordKey: string | null;
};

export type Allocation = { readonly planId: string; readonly sessionNumber: number; readonly periods: ChargingProfile };

/** What the chain was told of a group's slot, so that an audit can hold the chain against it. */
export type RecordedSlot = {
  readonly groupId: string;
  readonly slot: number;
  readonly planId: string;
  readonly earlierPlanIds: readonly string[];
  readonly rows: string;
  readonly root: string;
  /** Salted leaves under the root: canonical text and salt. */
  readonly leaves: readonly { readonly text: string; readonly salt: string }[];
  /** As it stands, or is going to, under the root of its CPO's run (sealSlots.ts); null for one recorded by itself. */
  readonly run: RunRecord | null;
};

export type PlanStore = {
  add(plan: StoredPlan, allocations: readonly Allocation[]): Promise<void>;
  /** Plans of the group that no record names yet, oldest first. */
  unrecorded(groupId: string): Promise<readonly StoredPlan[]>;
  addRecord(record: RecordedSlot, key: string): Promise<void>;
  /** Runs that wait for their CPO's, of all CPOs, ascending by slot. */
  unsealed(): Promise<readonly { readonly cpoId: string; readonly run: RunRecord }[]>;
  /** Those of the slot wait no longer: the chain's call of this key stands for them. */
  seal(cpoId: string, slot: number, key: string): Promise<void>;
  /** The last slot of the CPO that was sealed; 0 before the first. */
  sealedUntil(cpoId: string): Promise<number>;
  /** Of the slots of [fromSlot, untilSlot) that were sealed. */
  sealedRuns(cpoId: string, fromSlot: number, untilSlot: number): Promise<readonly RunRecord[]>;
  /** Ascending by slot; those of [fromSlot, untilSlot) where these are given. */
  records(groupId: string, fromSlot?: number, untilSlot?: number): Promise<readonly RecordedSlot[]>;
  byId(id: string): Promise<StoredPlan | null>;
  /** All plans in the order in which they were made, in pages. */
  page(after: EpochSecond, afterId: string, limit: number): Promise<readonly StoredPlan[]>;
  allocations(planId: string): Promise<readonly Allocation[]>;
  latest(groupId: string): Promise<StoredPlan | null>;
  /** The latest plan with a proven bound that commands a recorded slot. */
  latestRecorded(groupId: string): Promise<StoredPlan | null>;
};

/** One session's settlement: what was billed, and the canonical bytes that it was computed from. */
export type Settlement = {
  readonly sessionId: string;
  readonly sessionNumber: number;
  readonly cpoId: string;
  readonly driverId: string | null;
  readonly settledAt: EpochSecond;
  readonly energyWh: WattHour;
  readonly amountMicroEur: MicroEur;
  readonly creditMicroEur: MicroEur;
  readonly compensationMicroEur: MicroEur;
  readonly flexWh: WattHour;
  readonly flexValueMicroEur: MicroEur;
  /** The ancestor rule's figure, shown and never minted. */
  readonly ancestorWh: WattHour;
  /** Canonical receipt (receipt.ts), its salt and the leaf's hash; hex but for the text. */
  readonly receipt: string;
  readonly salt: string;
  readonly detailHash: string;
  /** Sequence number of the batch, null until posted; null for ever for a session that we do not bill. */
  readonly batch: number | null;
};

/** What a settled session looked like slot by slot; other sessions' LIMIT shares need it. Wh per slot. */
export type SessionSlot = {
  readonly sessionId: string;
  readonly groupId: string;
  readonly slot: number;
  readonly baselineWh: number;
  readonly allowedWh: number;
  readonly meteredWh: number;
};

export type Batch = {
  readonly seq: number;
  readonly at: EpochSecond;
  /** Times of blocks. Noted only where bills can be disputed. */
  readonly postedAt: EpochSecond | null;
  readonly finalisedAt: EpochSecond | null;
};

/** What a CPO's settled sessions of drivers come to, ended disputes included. */
export type BillFigures = {
  readonly bills: number;
  readonly energyWh: WattHour;
  readonly billedMicroEur: MicroEur;
  /** Compensation above bills, which the CPO pays. */
  readonly creditedMicroEur: MicroEur;
  readonly refundedMicroEur: MicroEur;
  /** With what disputes gave and took back. */
  readonly flexWh: WattHour;
  /** Bills under dispute, and what they come to. */
  readonly disputes: number;
  readonly disputedMicroEur: MicroEur;
};

export type BillStore = {
  add(settlement: Settlement, slots: readonly SessionSlot[]): Promise<void>;
  ofSession(sessionId: string): Promise<Settlement | null>;
  /** By session; those that are not settled are not in it. */
  ofSessions(sessionIds: readonly string[]): Promise<ReadonlyMap<string, Settlement>>;
  /** How many settled sessions of drivers wait for a batch, and since when the first one does. */
  waitingSince(cpoId: string): Promise<{ readonly lines: number; readonly oldestAt: EpochSecond | null }>;
  /** Those sessions, by session number. */
  waiting(cpoId: string): Promise<readonly Settlement[]>;
  /** Gives the settlements the next batch number of the CPO, which it returns. */
  assignBatch(cpoId: string, sessionIds: readonly string[], at: EpochSecond): Promise<number>;
  /** Ascending by number. */
  batches(cpoId: string): Promise<readonly Batch[]>;
  /** When the chain posted a batch, or finalised it: the time of the block. */
  markBatch(cpoId: string, seq: number, what: "posted" | "finalised", at: EpochSecond): Promise<void>;
  /** Posted and not finalised, of all CPOs. */
  unfinalised(): Promise<readonly (Batch & { readonly cpoId: string })[]>;
  figures(cpoId: string): Promise<BillFigures>;
  ofBatch(cpoId: string, seq: number): Promise<readonly Settlement[]>;
  slots(groupId: string, fromSlot: number, toSlot: number): Promise<readonly SessionSlot[]>;
  ofDriver(driverId: string, limit: number): Promise<readonly Settlement[]>;
  all(): Promise<readonly Settlement[]>;
};

/** Something that a person should know about. */
export const INCIDENT_KINDS = [
  "solver-differs",
  "fallback",
  "invalid-plan",
  "refused-profile",
  "silent-station",
  "silent-site-meter",
  "frozen-register",
  "chain",
  "implausible-reading",
] as const;
export type Incident = {
  readonly id: string;
  readonly at: EpochSecond;
  readonly groupId: string | null;
  readonly kind: (typeof INCIDENT_KINDS)[number];
  readonly text: string;
};

export type IncidentStore = {
  add(incident: Incident): Promise<void>;
  since(at: EpochSecond): Promise<readonly Incident[]>;
};

export type WaitingCall = {
  readonly key: string;
  readonly args: unknown;
  /** Why the chain would refuse it as it stands; null while it is on its way. */
  readonly refusedBecause: string | null;
};

export type OutboxStore = {
  /** Joins the transaction of the business change; a key that exists already changes nothing. */
  enqueue(call: ChainCall): Promise<void>;
  /** Gives up a call that cannot succeed any more; without effect on one that is done or was never there. */
  cancel(key: string): Promise<void>;
  /** Calls whose key begins with this and that are neither done nor given up, in the order in which they were enqueued. */
  waiting(prefix: string): Promise<readonly WaitingCall[]>;
  /** Rows that are not final, and the age of the oldest. */
  open(): Promise<{ readonly count: number; readonly oldestAt: EpochSecond | null }>;
};

/** The board and the pending jobs, saved with each step. */
export type SnapshotStore = {
  save(name: string, at: EpochSecond, state: unknown): Promise<void>;
  load(name: string): Promise<{ readonly at: EpochSecond; readonly state: unknown } | null>;
};
