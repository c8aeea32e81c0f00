/**
 * Tables of the accounts: better-auth's own (under names of ours, so that nobody mistakes a login session for a
 * charging session) and the machines' keys. Handed to `openDatabase` as migrations.
 */
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import type { Account, MachineKey } from "../../http/accountsPort.ts";

const ACCOUNT_TABLES = [
  `create table account_user (
     id text primary key, name text not null, email text not null unique, email_verified boolean not null,
     image text, created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
     kind text not null check (kind in ('driver', 'staff', 'auditor')), cpo_id text,
     check ((kind = 'staff') = (cpo_id is not null)))`,
  `create table account_session (
     id text primary key, expires_at timestamptz not null, token text not null unique,
     created_at timestamptz not null default now(), updated_at timestamptz not null, ip_address text, user_agent text,
     user_id text not null references account_user (id) on delete cascade)`,
  `create index account_session_user on account_session (user_id)`,
  `create table account_credential (
     id text primary key, account_id text not null, provider_id text not null,
     user_id text not null references account_user (id) on delete cascade,
     access_token text, refresh_token text, id_token text, access_token_expires_at timestamptz,
     refresh_token_expires_at timestamptz, scope text, password text,
     created_at timestamptz not null default now(), updated_at timestamptz not null)`,
  `create index account_credential_user on account_credential (user_id)`,
  `create table account_verification (
     id text primary key, identifier text not null, value text not null, expires_at timestamptz not null,
     created_at timestamptz not null default now(), updated_at timestamptz not null default now())`,
  `create index account_verification_identifier on account_verification (identifier)`,
  `create table account_rate_limit (
     id text primary key, key text not null unique, count integer not null, last_request bigint not null)`,
  // Only a hash of the secret: whoever reads this table cannot use a key.
  `create table machine_key (
     id text primary key, prefix text not null unique, secret_hash text not null, name text not null,
     cpo_id text, purpose text not null check (purpose in ('cpo', 'hems', 'audit')), location_id text, group_id text,
     created_at timestamptz not null, revoked_at timestamptz, check ((purpose = 'audit') = (cpo_id is null)))`,
  `create index machine_key_cpo on machine_key (cpo_id)`,
];

const ARBITERS = [
  `alter table account_user drop constraint account_user_kind_check, add constraint account_user_kind_check
     check (kind in ('driver', 'staff', 'auditor', 'arbiter'))`,
];

/** Whoever publishes prices and carbon intensity does so for all CPOs. */
const MARKET_KEYS = [
  `alter table machine_key drop constraint machine_key_purpose_check, drop constraint machine_key_check,
     add constraint machine_key_purpose_check check (purpose in ('cpo', 'hems', 'audit', 'market')),
     add constraint machine_key_check check ((purpose in ('audit', 'market')) = (cpo_id is null))`,
];

async function run(db: Kysely<unknown>, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** Also on a database with other tables: nothing of theirs is touched. */
export const accountMigrations: Readonly<Record<string, Migration>> = {
  "9_accounts": { up: (db) => run(db, ACCOUNT_TABLES) },
  "9b_arbiters": { up: (db) => run(db, ARBITERS) },
  "9c_market_keys": { up: (db) => run(db, MARKET_KEYS) },
};

export async function down<Tables>(db: Kysely<Tables>): Promise<void> {
  for (const table of ["machine_key", "account_rate_limit", "account_verification", "account_credential"])
    await db.schema.dropTable(table).execute();
  await db.schema.dropTable("account_session").execute();
  await db.schema.dropTable("account_user").execute();
}

export type MachineKeyTable = {
  id: string;
  prefix: string;
  secret_hash: string;
  name: string;
  /** Null for a key of an auditor or the market, which belongs to no CPO. */
  cpo_id: string | null;
  purpose: MachineKey["purpose"];
  location_id: string | null;
  group_id: string | null;
  created_at: Date;
  revoked_at: Date | null;
};

/** What is read without better-auth. */
export type AccountUserTable = {
  id: string;
  email: string;
  name: string;
  kind: Account["kind"];
  cpo_id: string | null;
};

/** What is read of better-auth's own table of sessions. */
type AccountSessionTable = {
  user_id: string;
  created_at: Date;
  expires_at: Date;
  ip_address: string | null;
  user_agent: string | null;
};

export type AccountTables = {
  machine_key: MachineKeyTable;
  account_user: AccountUserTable;
  account_session: AccountSessionTable;
};
