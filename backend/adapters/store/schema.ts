/**
 * The tables as TypeScript sees them: snake_case, units in the names, and nothing but what the driver hands out.
 *
 *   bigint       number, where it is a safe integer (database.ts)
 *   numeric      text: money and other integers beyond 2^53
 *   timestamptz  Date, whole seconds
 *   bytea        bytes
 *   json         parsed
 *
 * Rows never leave this folder; each subject's file maps its own rows to the domain's types.
 */
import type { ColumnType, Generated, GeneratedAlways, Kysely } from "kysely";
import type { AlgorithmChoice, AlgorithmName } from "../../domain/algorithms.ts";
import type { ChargingGroup, EvseStatus } from "../../domain/assets.ts";
import type { FlexibilityOrder, OrderSettlement } from "../../domain/orders.ts";
import type { ProfileReason, ProfileState } from "../../domain/profiles.ts";
import type { EnergyPromise, PromiseState } from "../../domain/promises.ts";
import type { Admission, Boost, ChargingMode, PowerGrant } from "../../domain/sessions.ts";
import type {
  EvseStrategies,
  GroupLimit,
  Incident,
  IndexedBytes,
  RunRecord,
  StoredPlan,
} from "../../usecases/ports.ts";
import type { ChainTables } from "../chain/tables.ts";

export type Db = Kysely<Database>;

/** Written as text, read as what it says. */
type Json<T> = ColumnType<T, string, string>;

export type Database = ChainTables & {
  counter: { name: string; value: number };
  cpo: { id: string; number: number; name: string };
  location: {
    id: string;
    cpo_id: string;
    name: string;
    time_zone: string;
    latitude: number | null;
    longitude: number | null;
  };
  charging_group: {
    id: string;
    number: number;
    cpo_id: string;
    location_id: string;
    supply_limit_w: number;
    limit_kind: ChargingGroup["limitKind"];
    feed_in_micro_eur_per_kwh: number;
    algorithm: AlgorithmName;
    algorithm_parameters: Json<AlgorithmChoice["parameters"]>;
  };
  group_algorithm: {
    no: GeneratedAlways<number>;
    group_id: string;
    from_at: Date;
    algorithm: AlgorithmName;
    parameters: Json<AlgorithmChoice["parameters"]>;
  };
  evse: {
    id: string;
    group_id: string;
    row: number;
    max_power_w: number;
    phases: number;
    status: EvseStatus;
    latitude: number | null;
    longitude: number | null;
    floor_level: string | null;
    physical_reference: string | null;
  };
  pv_asset: { id: string; group_id: string; row: number; rated_power_w: number };
  group_limit: {
    id: string;
    group_id: string;
    kind: Exclude<GroupLimit["kind"], "capacity">;
    limit_w: number;
    from_at: Date;
    until_at: Date | null;
  };
  capacity_profile: {
    no: GeneratedAlways<number>;
    id: string;
    group_id: string;
    given_at: Date;
    given_by: string;
    /** From, until, W. */
    periods: Json<readonly (readonly [number, number, number])[]>;
  };
  flexibility_order: {
    no: GeneratedAlways<number>;
    id: string;
    group_id: string;
    direction: FlexibilityOrder["direction"];
    power_w: number;
    from_at: Date;
    until_at: Date;
    price_micro_eur_per_kwh: number | null;
    force: boolean;
    given_at: Date;
    given_by: string;
    answer: FlexibilityOrder["answer"];
    baseline: Json<FlexibilityOrder["baseline"]>;
    slots: Json<FlexibilityOrder["slots"]>;
    bonus_micro_eur_per_kwh: number;
    at_risk: Json<FlexibilityOrder["atRisk"]>;
  };
  order_settlement: {
    order_id: string;
    settled_at: Date;
    slots: Json<OrderSettlement["slots"]>;
    delivered_wh: number;
    outcome: OrderSettlement["outcome"];
    amount_micro_eur: string;
    meters: Json<OrderSettlement["meters"]>;
  };
  tariff: { id: string; number: number; cpo_id: string; price_micro_eur_per_kwh: number };

  driver: {
    id: string;
    account_id: string | null;
    name: string;
    address: string;
    consent_hash: string;
    registered_at: Date;
    erased_at: Generated<Date | null>;
    wallet_id: string;
  };
  driver_preferences: {
    driver_id: string;
    opt_in: boolean;
    energy_need_wh: number | null;
    stay_s: number | null;
    battery_wh: number | null;
    target_percent: number | null;
    cannot_pause: Generated<boolean>;
  };

  charging_session: {
    id: string;
    number: number;
    cpo_id: string;
    group_id: string;
    evse_id: string;
    driver_id: string | null;
    tariff_id: string;
    mode: ChargingMode;
    plugged_at: Date;
    unplugged_at: Date | null;
    max_power_w: number;
    phases: number;
    start_register_wh: number;
    end_register_wh: number | null;
    cannot_pause: Generated<boolean>;
  };
  session_preferences: {
    no: GeneratedAlways<number>;
    session_id: string;
    at: Date;
    energy_need_wh: number;
    departs_at: Date;
    not_before: Date | null;
    first_wh: number | null;
    first_by: Date | null;
    battery_wh: number | null;
    battery_percent: number | null;
    battery_register_wh: number | null;
  };
  admission: {
    no: GeneratedAlways<number>;
    session_id: string;
    at: Date;
    kind: Admission["kind"];
    wished_wh: number;
    wished_by: Date;
    offered_wh: number;
    shortfall_wh: number;
    later_at: Date | null;
  };
  boost: {
    no: GeneratedAlways<number>;
    id: string;
    session_id: string;
    asked_by: Boost["askedBy"];
    asked_at: Date;
    until_at: Date;
    energy_wh: number | null;
    from_register_wh: number;
    ended_at: Date | null;
    ended: Boost["ended"];
  };
  power_grant: {
    no: GeneratedAlways<number>;
    session_id: string;
    at: Date;
    kind: PowerGrant["kind"];
    limit_w: number;
    from_at: Date;
    until_at: Date | null;
  };
  refusal: {
    no: GeneratedAlways<number>;
    session_id: string;
    at: Date;
    wished_wh: number;
    wished_by: Date;
    shortfall_wh: number;
    problem: Uint8Array;
    x: Uint8Array;
    y: Uint8Array;
    w: Uint8Array;
  };
  evse_strategies: {
    no: GeneratedAlways<number>;
    evse_id: string;
    at: Date;
    windows: Json<EvseStrategies["windows"]>;
  };
  promise: {
    session_id: string;
    version: number;
    energy_wh: number;
    by_at: Date;
    from_register_wh: number;
    state: PromiseState;
    offered_at: Date;
    expires_at: Date;
    changed_at: Date;
    slack_wh: number | null;
    good_runs: number;
    missing_wh: number | null;
    missing_at_unplug_wh: number | null;
    first_part: Json<NonNullable<EnergyPromise["first"]> | null>;
  };
  sent_profile: {
    no: GeneratedAlways<number>;
    id: string;
    session_id: string;
    evse_id: string;
    reason: ProfileReason;
    state: ProfileState;
    sent_at: Date;
    answered_at: Date | null;
    periods: Json<Periods>;
  };

  meter_reading: { session_id: string; at: Date; register_wh: number; power_w: number; soc_percent: number | null };
  site_reading: { group_id: string; at: Date; demand_w: number; production_w: number; battery_w: number | null };
  site_slot: {
    group_id: string;
    slot: number;
    demand_w: number;
    production_w: number;
    cars_wh: number;
    limit_w: number;
  };
  price: { market: string; slot: number; price_micro_eur_per_kwh: number };
  carbon_intensity: { market: string; slot: number; grams_per_kwh: number };
  forecast: { group_id: string; slot: number; demand_w: number; production_w: number };

  plan: {
    no: GeneratedAlways<number>;
    id: string;
    group_id: string;
    slot: number;
    at: Date;
    algorithm: StoredPlan["algorithm"];
    parameters: Json<StoredPlan["parameters"]>;
    firsts: Json<StoredPlan["firsts"]>;
    problem: Uint8Array;
    x: Uint8Array;
    y: Uint8Array;
    w: Uint8Array;
    cost: string;
    bound: string | null;
    repaired_intervals: number;
    solve_ms: number;
    cause: StoredPlan["cause"];
    record_key: string | null;
  };
  allocation: { plan_id: string; session_number: number; periods: Json<Periods> };
  recorded_slot: {
    group_id: string;
    slot: number;
    /** Null while it waits for its CPO's run. */
    record_key: string | null;
    plan_id: string;
    earlier_plan_ids: Json<string[]>;
    rows: string;
    root: string;
    leaves: Json<{ text: string; salt: string }[]>;
    run: ColumnType<RunRecord | null, string | null, string | null>;
  };

  settlement: {
    session_id: string;
    session_number: number;
    cpo_id: string;
    driver_id: string | null;
    settled_at: Date;
    energy_wh: number;
    amount_micro_eur: string;
    credit_micro_eur: string;
    compensation_micro_eur: string;
    flex_wh: number;
    flex_value_micro_eur: string;
    ancestor_wh: number;
    receipt: string;
    salt: string;
    detail_hash: string;
    batch: number | null;
  };
  byte_index: { hash: string; part: IndexedBytes["part"]; of_id: string };
  batch: { cpo_id: string; seq: number; at: Date; posted_at: Date | null; finalised_at: Date | null };
  dispute: {
    session_id: string;
    cpo_id: string;
    reason: string | null;
    asked_at: Date;
    opened_at: Date | null;
    lapsed_at: Date | null;
    decided_at: Date | null;
    decided_by: string | null;
    decided_refund_micro_eur: string | null;
    decided_flex_delta_wh: number | null;
    decided_text: string | null;
    closed_at: Date | null;
    refund_micro_eur: string | null;
    back_micro_eur: string | null;
    flex_delta_wh: number | null;
  };
  session_slot: {
    session_id: string;
    group_id: string;
    slot: number;
    baseline_wh: number;
    allowed_wh: number;
    metered_wh: number;
  };

  incident: {
    no: GeneratedAlways<number>;
    id: string;
    at: Date;
    group_id: string | null;
    kind: Incident["kind"];
    text: string;
  };
  snapshot: { name: string; at: Date; state: string };
};

/** A charging profile as pairs (epoch second, W): a few bytes instead of names in every period. */
export type Periods = (readonly [from: number, limitW: number])[];
