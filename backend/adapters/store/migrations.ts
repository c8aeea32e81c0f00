/**
 * How the tables came to be. A migration that was released is never edited: the next one changes what it left.
 * Text that orders anything is compared byte by byte (collate "C"), so that every database gives the same order.
 */
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { up as chain } from "../chain/tables.ts";

/** Accounts have their tables in the same database; whoever needs them passes their migrations, whose names begin so. */
export const ACCOUNTS = "9";

export const migrations: Readonly<Record<string, Migration>> = {
  "1_chain": { up: chain },
  "2_assets": { up: (db) => run(db, ASSETS) },
  "3_drivers_and_sessions": { up: (db) => run(db, SESSIONS) },
  "4_meters_and_prices": { up: (db) => run(db, METERS) },
  "5_plans": { up: (db) => run(db, PLANS) },
  "6_bills": { up: (db) => run(db, BILLS) },
  "7_algorithms": { up: (db) => run(db, ALGORITHMS) },
  "8_priorities": { up: (db) => run(db, PRIORITIES) },
  "8b_grid": { up: (db) => run(db, GRID) },
  "8c_disputes": { up: (db) => run(db, DISPUTES) },
  "8d_byte_index": { up: (db) => run(db, BYTE_INDEX) },
  "8e_rights": { up: (db) => run(db, RIGHTS) },
  "8f_tenant_roots": { up: (db) => run(db, TENANT_ROOTS) },
  "8g_stated_batteries": { up: (db) => run(db, STATED_BATTERIES) },
  "8h_carbon": { up: (db) => run(db, CARBON) },
  "8i_places": { up: (db) => run(db, PLACES) },
  "8j_batteries": { up: (db) => run(db, BATTERIES) },
  "8k_heard_soc": { up: (db) => run(db, HEARD_SOC) },
  "8l_usual_target": { up: (db) => run(db, USUAL_TARGET) },
};

async function run(db: Kysely<unknown>, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const ID = `text collate "C"`;
/** Micro-euro and certificates: integers to 128 bits. */
const INTEGER = "numeric(39, 0)";

const ASSETS = [
  `create table counter (name ${ID} primary key, value bigint not null)`,
  `create table cpo (id ${ID} primary key, number integer not null unique, name text not null)`,
  `create table location (
     id ${ID} primary key, cpo_id ${ID} not null references cpo, name text not null, time_zone text not null)`,
  `create table charging_group (
     id ${ID} primary key, number integer not null unique, cpo_id ${ID} not null references cpo,
     location_id ${ID} not null references location, supply_limit_w integer not null check (supply_limit_w >= 0),
     limit_kind text not null check (limit_kind in ('contract', 'thermal')),
     feed_in_micro_eur_per_kwh bigint not null, algorithm text not null)`,
  `create table evse (
     id ${ID} primary key, group_id ${ID} not null references charging_group, row integer not null,
     max_power_w integer not null check (max_power_w >= 0), phases smallint not null check (phases between 1 and 3),
     status text not null, unique (group_id, row))`,
  `create table pv_asset (
     id ${ID} primary key, group_id ${ID} not null references charging_group, row integer not null,
     rated_power_w integer not null check (rated_power_w >= 0), unique (group_id, row))`,
  `create table group_limit (
     id ${ID} primary key, group_id ${ID} not null references charging_group,
     kind text not null check (kind in ('operator', 'order')), limit_w integer not null,
     from_at timestamptz not null, until_at timestamptz)`,
  `create index group_limit_until on group_limit (group_id, until_at)`,
  `create table tariff (
     id ${ID} primary key, number integer not null unique, cpo_id ${ID} not null references cpo,
     price_micro_eur_per_kwh bigint not null)`,
];

const SESSIONS = [
  `create table driver (
     id ${ID} primary key, account_id ${ID} unique, name text not null, address text not null unique,
     consent_hash text not null, registered_at timestamptz not null,
     wallet_id text not null unique references wallet)`,
  `create table driver_preferences (
     driver_id ${ID} primary key references driver, opt_in boolean not null, energy_need_wh bigint, stay_s integer,
     battery_wh bigint)`,
  `create table charging_session (
     id ${ID} primary key, number integer not null unique, cpo_id ${ID} not null references cpo,
     group_id ${ID} not null references charging_group, evse_id ${ID} not null references evse,
     driver_id ${ID} references driver, tariff_id ${ID} not null references tariff,
     mode text not null check (mode in ('smart', 'best-effort', 'opted-out')),
     plugged_at timestamptz not null, unplugged_at timestamptz check (unplugged_at >= plugged_at),
     max_power_w integer not null check (max_power_w >= 0), phases smallint not null check (phases between 1 and 3),
     start_register_wh bigint not null, end_register_wh bigint check (end_register_wh >= start_register_wh),
     check ((unplugged_at is null) = (end_register_wh is null)))`,
  // One car per EVSE: two transactions that plug in at the same EVSE, and one of them wins.
  `create unique index charging_session_occupies on charging_session (evse_id) where unplugged_at is null`,
  `create index charging_session_open on charging_session (group_id, number) where unplugged_at is null`,
  `create index charging_session_stay on charging_session (group_id, plugged_at)`,
  `create index charging_session_driver on charging_session (driver_id, plugged_at)`,
  `create table session_preferences (
     no bigint generated always as identity primary key, session_id ${ID} not null references charging_session,
     at timestamptz not null, energy_need_wh bigint not null, departs_at timestamptz not null)`,
  `create index session_preferences_session on session_preferences (session_id, no)`,
  `create table admission (
     no bigint generated always as identity primary key, session_id ${ID} not null references charging_session,
     at timestamptz not null, kind text not null, wished_wh bigint not null, wished_by timestamptz not null,
     offered_wh bigint not null, shortfall_wh bigint not null)`,
  `create index admission_session on admission (session_id, no)`,
  `create table promise (
     session_id ${ID} not null references charging_session, version integer not null, energy_wh bigint not null,
     by_at timestamptz not null, from_register_wh bigint not null, state text not null, offered_at timestamptz not null,
     expires_at timestamptz not null, changed_at timestamptz not null, slack_wh bigint, good_runs integer not null,
     missing_wh bigint, missing_at_unplug_wh bigint, primary key (session_id, version))`,
  // No foreign key: a profile may still be on its way when its session is gone from the live picture.
  `create table sent_profile (
     no bigint generated always as identity primary key, id ${ID} not null unique, session_id ${ID} not null,
     evse_id ${ID} not null, reason text not null, state text not null, sent_at timestamptz not null,
     answered_at timestamptz, periods json not null)`,
  `create index sent_profile_session on sent_profile (session_id, no)`,
];

/** Readings are evidence. A correction would be a new reading, an erasure is a decision of its own. */
const appendOnly = (table: string) => [
  `create trigger ${table}_append_only before update or delete or truncate on ${table}
     for each statement execute function refuse_change()`,
];

const METERS = [
  `create function refuse_change() returns trigger language plpgsql as $$
     begin raise exception '% is append-only: add a new row instead.', tg_table_name; end $$`,
  `create table meter_reading (
     session_id ${ID} not null, at timestamptz not null, register_wh bigint not null, power_w integer not null,
     primary key (session_id, at))`,
  ...appendOnly("meter_reading"),
  `create table site_reading (
     group_id ${ID} not null, at timestamptz not null, demand_w integer not null, production_w integer not null,
     primary key (group_id, at))`,
  ...appendOnly("site_reading"),
  `create table site_slot (
     group_id ${ID} not null, slot integer not null, demand_w integer not null, production_w integer not null,
     cars_wh bigint not null, limit_w integer not null, primary key (group_id, slot))`,
  `create table price (
     market ${ID} not null, slot integer not null, price_micro_eur_per_kwh bigint not null, primary key (market, slot))`,
  `create table forecast (
     group_id ${ID} not null, slot integer not null, demand_w integer not null, production_w integer not null,
     primary key (group_id, slot))`,
];

const PLANS = [
  `create table plan (
     no bigint generated always as identity primary key, id ${ID} not null unique,
     group_id ${ID} not null references charging_group, slot integer not null, at timestamptz not null,
     algorithm text not null, problem bytea not null, x bytea not null, y bytea not null, w bytea not null,
     cost ${INTEGER} not null, bound ${INTEGER}, repaired_intervals integer not null, solve_ms double precision not null,
     cause text not null, record_key text)`,
  `create index plan_group on plan (group_id, no)`,
  `create index plan_unrecorded on plan (group_id, no) where record_key is null`,
  `create table allocation (
     plan_id ${ID} not null, session_number integer not null, periods json not null,
     primary key (plan_id, session_number))`,
  `create table recorded_slot (
     group_id ${ID} not null references charging_group, slot integer not null, record_key text not null unique,
     plan_id ${ID} not null references plan (id), earlier_plan_ids json not null, rows text not null,
     root text not null, leaves json not null, primary key (group_id, slot))`,
];

const BILLS = [
  `create table settlement (
     session_id ${ID} primary key references charging_session, session_number integer not null unique,
     cpo_id ${ID} not null references cpo, driver_id ${ID} references driver, settled_at timestamptz not null,
     energy_wh bigint not null, amount_micro_eur ${INTEGER} not null, credit_micro_eur ${INTEGER} not null,
     compensation_micro_eur ${INTEGER} not null, flex_wh bigint not null, flex_value_micro_eur ${INTEGER} not null,
     ancestor_wh bigint not null, receipt text not null, salt text not null, detail_hash text not null, batch integer)`,
  `create index settlement_waiting on settlement (cpo_id, session_number) where batch is null`,
  `create index settlement_batch on settlement (cpo_id, batch)`,
  `create index settlement_driver on settlement (driver_id, settled_at)`,
  `create table batch (
     cpo_id ${ID} not null references cpo, seq integer not null, at timestamptz not null, primary key (cpo_id, seq))`,
  `create table session_slot (
     session_id ${ID} not null, group_id ${ID} not null, slot integer not null, baseline_wh bigint not null,
     allowed_wh bigint not null, metered_wh bigint not null, primary key (session_id, slot))`,
  `create index session_slot_group on session_slot (group_id, slot)`,
  `create table incident (
     no bigint generated always as identity primary key, id ${ID} not null unique, at timestamptz not null,
     group_id ${ID}, kind text not null, text text not null)`,
  `create index incident_at on incident (at, no)`,
  // JSON as text: it is written with every step and read once, at start. To compress it would cost more than to write it.
  `create table snapshot (name ${ID} primary key, at timestamptz not null, state text storage external not null)`,
];

/** Until then every group ran least-cost, without parameters. The history says since when a group has run what. */
const ALGORITHMS = [
  `alter table charging_group add column algorithm_parameters jsonb not null default '{}'`,
  `alter table plan add column parameters jsonb not null default '{}'`,
  `alter table plan add column firsts jsonb not null default '[]'`,
  `create table group_algorithm (
     no bigint generated always as identity primary key, group_id ${ID} not null references charging_group,
     from_at timestamptz not null, algorithm text not null, parameters jsonb not null)`,
  `create index group_algorithm_group on group_algorithm (group_id, no)`,
  `insert into group_algorithm (group_id, from_at, algorithm, parameters)
     select id, to_timestamp(0), algorithm, algorithm_parameters from charging_group`,
];

const PRIORITIES = [
  `alter table charging_session add column cannot_pause boolean not null default false`,
  `alter table driver_preferences add column cannot_pause boolean not null default false`,
  `alter table session_preferences add column not_before timestamptz, add column first_wh bigint,
     add column first_by timestamptz, add check ((first_wh is null) = (first_by is null))`,
  `alter table admission add column later_at timestamptz`,
  `alter table promise add column first_part json`,
  `create table boost (
     no bigint generated always as identity primary key, id ${ID} not null unique,
     session_id ${ID} not null references charging_session, asked_by text not null check (asked_by in ('driver', 'cpo')),
     asked_at timestamptz not null, until_at timestamptz not null, energy_wh bigint, from_register_wh bigint not null,
     ended_at timestamptz, ended text, check ((ended_at is null) = (ended is null)))`,
  `create index boost_session on boost (session_id, no)`,
  `create table power_grant (
     no bigint generated always as identity primary key, session_id ${ID} not null references charging_session,
     at timestamptz not null, kind text not null check (kind in ('opt-out', 'boost', 'steady')),
     limit_w integer not null check (limit_w >= 0), from_at timestamptz not null, until_at timestamptz)`,
  `create index power_grant_session on power_grant (session_id, no)`,
  ...appendOnly("power_grant"),
  `create table refusal (
     no bigint generated always as identity primary key, session_id ${ID} not null references charging_session,
     at timestamptz not null, wished_wh bigint not null, wished_by timestamptz not null, shortfall_wh bigint not null,
     problem bytea not null, x bytea not null, y bytea not null, w bytea not null)`,
  `create index refusal_session on refusal (session_id, no)`,
  ...appendOnly("refusal"),
  `create table evse_strategies (
     no bigint generated always as identity primary key, evse_id ${ID} not null references evse,
     at timestamptz not null, windows json not null)`,
  `create index evse_strategies_evse on evse_strategies (evse_id, no)`,
];

/**
 * What grid parties say. A capacity profile that was replaced stays: it says what was in force until then. An order and
 * its settlement are evidence: written once.
 */
const GRID = [
  `create table capacity_profile (
     no bigint generated always as identity primary key, id ${ID} not null unique,
     group_id ${ID} not null references charging_group, given_at timestamptz not null, given_by text not null,
     periods json not null)`,
  `create index capacity_profile_group on capacity_profile (group_id, no)`,
  `create table flexibility_order (
     no bigint generated always as identity primary key, id ${ID} not null unique,
     group_id ${ID} not null references charging_group, direction text not null check (direction in ('down', 'up')),
     power_w integer not null, from_at timestamptz not null, until_at timestamptz not null,
     price_micro_eur_per_kwh bigint, force boolean not null, given_at timestamptz not null, given_by text not null,
     answer text not null check (answer in ('accepted', 'reduced', 'refused')), baseline json not null,
     slots json not null, bonus_micro_eur_per_kwh bigint not null, at_risk json not null)`,
  `create index flexibility_order_group on flexibility_order (group_id, until_at)`,
  `create table order_settlement (
     order_id ${ID} primary key references flexibility_order (id), settled_at timestamptz not null,
     slots json not null, delivered_wh bigint not null, outcome text not null,
     amount_micro_eur ${INTEGER} not null, meters json not null)`,
];

/** Times of blocks are noted where bills can be disputed. */
const DISPUTES = [
  `alter table batch add column posted_at timestamptz, add column finalised_at timestamptz`,
  `create index batch_unfinalised on batch (cpo_id, seq) where posted_at is not null and finalised_at is null`,
  `create table dispute (
     session_id ${ID} primary key references charging_session, cpo_id ${ID} not null references cpo, reason text,
     asked_at timestamptz not null, opened_at timestamptz, lapsed_at timestamptz,
     decided_at timestamptz, decided_by text, decided_refund_micro_eur ${INTEGER}, decided_flex_delta_wh bigint,
     decided_text text, closed_at timestamptz, refund_micro_eur ${INTEGER}, back_micro_eur ${INTEGER},
     flex_delta_wh bigint,
     check ((decided_at is null) = (decided_refund_micro_eur is null)),
     check ((closed_at is null) = (refund_micro_eur is null)))`,
  `create index dispute_unfinished on dispute (asked_at) where closed_at is null and lapsed_at is null`,
  `create index dispute_cpo on dispute (cpo_id, asked_at)`,
];

/** Made when auditors ask (committedBytes.ts): nothing depends on it. */
const BYTE_INDEX = [
  `create table byte_index (hash ${ID} not null, part text not null, of_id ${ID} not null, primary key (hash, of_id))`,
  `create index byte_index_of on byte_index (of_id, part)`,
];

/** Drivers' rights: who took the key out, and who was erased. */
const RIGHTS = [
  `alter table wallet add column exported_at timestamptz`,
  `create index wallet_kek on wallet (kek_version, wallet_id) where wrapped_dek is not null`,
  `alter table driver add column erased_at timestamptz`,
];

/** Runs of groups that the chain knows by one root per CPO and slot; many records then share the key of one call. */
const TENANT_ROOTS = [
  `alter table recorded_slot add column run json`,
  `alter table recorded_slot alter column record_key drop not null`,
  `alter table recorded_slot drop constraint recorded_slot_record_key_key`,
  `create index recorded_slot_tenant on recorded_slot (slot) where run is not null`,
  `create index recorded_slot_unsealed on recorded_slot (slot) where record_key is null`,
];

/** What drivers say of their batteries with a wish. */
const STATED_BATTERIES = [
  `alter table session_preferences add column battery_wh bigint, add column battery_percent smallint,
     add column battery_register_wh bigint`,
];

/** Of the grid's power, by slot; what came last counts. */
const CARBON = [
  `create table carbon_intensity (
     market ${ID} not null, slot integer not null, grams_per_kwh integer not null check (grams_per_kwh >= 0),
     primary key (market, slot))`,
];

/** Where charge points stand, in degrees. */
const PLACES = [
  `alter table location add column latitude double precision, add column longitude double precision`,
  `alter table evse add column latitude double precision, add column longitude double precision,
     add column floor_level text, add column physical_reference text`,
];

/** Stationary ones, part of a site's demand or production. */
const BATTERIES = [`alter table site_reading add column battery_w integer`];

/** Of cars that say it. */
const HEARD_SOC = [
  `alter table meter_reading add column soc_percent smallint check (soc_percent between 0 and 100)`,
  `create index meter_reading_soc on meter_reading (session_id, at) where soc_percent is not null`,
];

const USUAL_TARGET = [
  `alter table driver_preferences add column target_percent smallint check (target_percent between 1 and 100)`,
];
