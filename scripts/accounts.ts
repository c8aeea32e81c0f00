/**
 * npm run accounts: who may use the service beside drivers, who register themselves. With the environment of the service.
 * A password or key is drawn here, shown once on standard output, and kept only as a hash; none is ever an argument.
 * Exit code 0: done; 1: refused, nothing was changed; 2: it could not be done.
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { type Accounts, createAccounts } from "../backend/adapters/accounts/accounts.ts";
import { type AccountTables, accountMigrations } from "../backend/adapters/accounts/accountTables.ts";
import { openDatabase } from "../backend/adapters/store/database.ts";
import { createStore } from "../backend/adapters/store/store.ts";
import { readConfig } from "../backend/config.ts";
import type { Store } from "../backend/usecases/ports.ts";

const USAGE = `npm run accounts -- list
npm run accounts -- add --role staff --email E --name N --cpo ID [--cpo-name N]   --cpo-name makes a CPO that is new
npm run accounts -- add --role auditor|arbiter --email E --name N
npm run accounts -- password --email E                                            another one; signs out
npm run accounts -- remove --email E
npm run accounts -- add-key --name N                                              for npm run verify -- --service URL --key KEY
npm run accounts -- add-key --name N --for market                                 publishes prices and carbon intensity
npm run accounts -- remove-key --id ID`;

const KEYS: Readonly<Record<string, string>> = { audit: "auditor's", market: "market's" };
const ROLES = ["staff", "auditor", "arbiter"] as const;

class Refused extends Error {}

type Flags = Readonly<Partial<Record<"role" | "email" | "name" | "cpo" | "cpo-name" | "id" | "for", string>>>;
type Deps = { readonly accounts: Accounts; readonly store: Store };

const COMMANDS: Readonly<Record<string, (deps: Deps, flags: Flags) => Promise<string>>> = {
  list,
  add,
  password,
  remove,
  async "add-key"({ accounts }, flags) {
    const purpose = flags.for ?? "audit";
    if (purpose !== "audit" && purpose !== "market")
      throw new Refused(`--for is audit or market, not ${purpose}. CPOs make the keys of their machines themselves.`);
    const { key, token } = await accounts.createKey({ name: needed(flags, "name"), cpoId: null, purpose });
    return `${key.id} for "${key.name}". Shown this once:\n${token}`;
  },
  async "remove-key"({ accounts }, flags) {
    const id = needed(flags, "id");
    if (!(await accounts.revokeKey(null, id)))
      throw new Refused(`No key in use of an auditor or the market has the id ${id}.`);
    return `${id} opens nothing any more.`;
  },
};

async function list({ accounts, store }: Deps): Promise<string> {
  const cpos = (await store.sites.cpos()).map(
    ({ id, name, number }) => `cpo ${id}, number ${number} on chain: ${name}`,
  );
  const people = (await accounts.operators()).map(
    ({ kind, cpoId, email, name }) => `${kind}${cpoId === null ? "" : ` of ${cpoId}`} ${email}: ${name}`,
  );
  const keys = (await accounts.keysOf(null)).map(({ id, name, purpose }) => `${KEYS[purpose]} key ${id}: ${name}`);
  const lines = [...cpos, ...people, ...keys];
  return lines.length === 0 ? "No CPO, no account beside drivers', no key yet." : lines.join("\n");
}

async function add({ accounts, store }: Deps, flags: Flags): Promise<string> {
  const said = needed(flags, "role");
  const role = ROLES.find((one) => one === said);
  if (role === undefined)
    throw new Refused(`--role is staff, auditor or arbiter, not ${said}. Drivers register themselves.`);
  const wish = { email: anEmail(flags), name: needed(flags, "name"), kind: role };
  if (role !== "staff" && flags.cpo !== undefined)
    throw new Refused(`Whoever is ${role} belongs to no CPO: leave --cpo out.`);
  const cpoId = role === "staff" ? needed(flags, "cpo") : null;
  if (cpoId !== null) await cpoOf(store, cpoId, flags["cpo-name"]);
  const drawn = aPassword();
  const { account, isNew } = await accounts.addAccount({ ...wish, cpoId, password: drawn });
  if (!isNew)
    return `${account.email} is ${role} already and keeps the password. Another one: npm run accounts -- password`;
  return shown(account.email, drawn);
}

/** A CPO sets up its own sites; that it exists is said here. */
async function cpoOf(store: Store, id: string, name: string | undefined): Promise<void> {
  if ((await store.sites.cpos()).some((cpo) => cpo.id === id)) return;
  if (name === undefined) throw new Refused(`There is no CPO ${id}. Give --cpo-name too, to make it.`);
  await store.sites.addCpo({ id, name });
}

async function password({ accounts }: Deps, flags: Flags): Promise<string> {
  const { id, email } = await operator(accounts, flags);
  const drawn = aPassword();
  await accounts.replacePassword(id, drawn);
  return shown(email, drawn);
}

async function remove({ accounts }: Deps, flags: Flags): Promise<string> {
  const { id, email } = await operator(accounts, flags);
  await accounts.remove(id);
  return `${email} is no account any more.`;
}

async function operator(accounts: Accounts, flags: Flags) {
  const email = anEmail(flags);
  const found = (await accounts.operators()).find((one) => one.email === email);
  if (!found)
    throw new Refused(`No staff, auditor or arbiter has the e-mail ${email}. Drivers look after theirs themselves.`);
  return found;
}

function needed(flags: Flags, name: keyof Flags): string {
  const value = flags[name];
  if (value === undefined || value === "") throw new Refused(`--${name} is missing.\n${USAGE}`);
  return value;
}

function anEmail(flags: Flags): string {
  const email = needed(flags, "email").toLowerCase();
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw new Refused(`${email} is no e-mail address.`);
  return email;
}

const aPassword = () => randomBytes(15).toString("base64url");
const shown = (email: string, drawn: string) => `${email} signs in with this password, shown this once:\n${drawn}`;

try {
  const options = Object.fromEntries(
    ["role", "email", "name", "cpo", "cpo-name", "id", "for"].map((name) => [name, { type: "string" as const }]),
  );
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const command = COMMANDS[positionals[0] ?? ""];
  if (command === undefined || positionals.length > 1) throw new Refused(USAGE);
  const { databaseUrl, authSecret, publicUrl } = readConfig();
  if (databaseUrl === null || authSecret === null)
    throw new Error("Set DATABASE_URL and AUTH_SECRET as for the service: a database in memory keeps no accounts.");
  const database = await openDatabase({
    url: databaseUrl,
    migrations: accountMigrations,
  });
  try {
    const accounts = createAccounts({
      db: database.db.withTables<AccountTables>(),
      random: randomBytes,
      now: () => Math.floor(Date.now() / 1000),
      secret: authSecret,
      publicUrl: publicUrl ?? "http://127.0.0.1",
    });
    console.log(await command({ accounts, store: createStore(database.db) }, values as Flags));
  } finally {
    await database.close();
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof Refused ? 1 : 2;
}
