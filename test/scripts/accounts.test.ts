/** `npm run accounts` as its user runs it, on PostgreSQL. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { sql } from "kysely";
import { createAccounts } from "../../backend/adapters/accounts/accounts.ts";
import type { AccountTables } from "../../backend/adapters/accounts/accountTables.ts";
import type { OpenDatabase } from "../../backend/adapters/store/database.ts";
import { createStore } from "../../backend/adapters/store/store.ts";
import { openTestDatabase, urlOf, whyNoPostgres } from "../support/databases.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/accounts.ts", import.meta.url));
const AUTH_SECRET = randomBytes(32).toString("hex");
const SAM = ["--role", "staff", "--email", "Sam@cpo.example", "--name", "Sam", "--cpo", "cpo-1"];

/** Of a key the part after its prefix, which is kept to find it by; a secret may hold an underscore itself. */
const secretOf = (shown: string) => /^oli_[^_]+_(.+)$/.exec(shown)?.[1] ?? shown;

describe("npm run accounts", function () {
  this.timeout(300_000);
  let database: OpenDatabase;
  let url: string;
  const shownOnce: string[] = [];

  before(async function () {
    if (whyNoPostgres() !== null) return this.skip();
    database = await openTestDatabase("postgres");
    url = await urlOf(database);
  });
  after(() => database?.close());

  async function run(args: readonly string[], environment: Readonly<Record<string, string>> = { DATABASE_URL: url }) {
    const env = { PATH: process.env.PATH, CHAIN_RPC_URL: "http://127.0.0.1:1", AUTH_SECRET, ...environment };
    const child = spawn(process.execPath, [SCRIPT, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    const said = { out: "", error: "" };
    child.stdout.on("data", (chunk) => {
      said.out += String(chunk);
    });
    child.stderr.on("data", (chunk) => {
      said.error += String(chunk);
    });
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    const shown = said.out.trimEnd().split("\n").at(-1) ?? "";
    if (said.out.includes("this once")) shownOnce.push(shown);
    return { code, ...said, shown };
  }

  const service = () =>
    createAccounts({
      db: database.db.withTables<AccountTables>(),
      random: randomBytes,
      now: () => 1_790_000_000,
      secret: AUTH_SECRET,
      publicUrl: "http://127.0.0.1:3000",
      signInsPerMinute: 100,
    });
  const signIn = (email: string, password: string) =>
    service().signIn({ email, password }, { address: "192.0.2.1", cookie: undefined });

  it("makes a CPO and its staff, who sign in with the password that was shown once", async () => {
    expect(await run(["add", ...SAM])).to.include({ code: 1 });
    const made = await run(["add", ...SAM, "--cpo-name", "Garages of Sam"]);
    expect(made).to.include({ code: 0, error: "" });
    expect(made.shown).to.match(/^[\w-]{20}$/);
    const entered = await signIn("sam@cpo.example", made.shown);
    expect(entered).to.have.nested.property("account.kind", "staff");
    expect(entered).to.have.nested.property("account.cpoId", "cpo-1");
    expect(await createStore(database.db).sites.cpos()).to.deep.equal([
      { id: "cpo-1", name: "Garages of Sam", number: 1 },
    ]);

    const again = await run(["add", ...SAM]);
    expect(again.code).to.equal(0);
    expect(again.out).to.match(/keeps the password/);
    expect(await signIn("sam@cpo.example", made.shown)).to.include({ kind: "signed-in" });
    expect((await run(["list"])).out).to.equal(
      "cpo cpo-1, number 1 on chain: Garages of Sam\nstaff of cpo-1 sam@cpo.example: Sam\n",
    );
  });

  it("completes an account whose maker was killed before the password", async () => {
    const arbiter = ["add", "--role", "arbiter", "--email", "ada@example.org", "--name", "Ada"];
    expect(await run(arbiter)).to.include({ code: 0 });
    await sql`delete from account_credential where user_id = (select id from account_user where name = 'Ada')`.execute(
      database.db,
    );
    const { shown } = await run(arbiter);
    expect(await signIn("ada@example.org", shown)).to.have.nested.property("account.kind", "arbiter");
  });

  it("gives another password and signs out, and takes an account away", async () => {
    const wish = ["--role", "auditor", "--email", "olga@example.org", "--name", "Olga"];
    const first = await run(["add", ...wish]);
    const entered = await signIn("olga@example.org", first.shown);
    if (entered.kind !== "signed-in") return expect.fail(entered.text);
    const cookie = entered.cookies.map((one) => one.split(";")[0]).join("; ");
    expect(await service().whoIs(cookie)).to.include({ kind: "auditor" });

    const second = await run(["password", "--email", "olga@example.org"]);
    expect(second.shown).not.to.equal(first.shown);
    expect(await service().whoIs(cookie), "signed out").to.equal(null);
    expect(await signIn("olga@example.org", first.shown)).to.include({ reason: "wrong-credentials" });
    expect(await signIn("olga@example.org", second.shown)).to.include({ kind: "signed-in" });

    expect(await run(["remove", "--email", "olga@example.org"])).to.include({ code: 0 });
    expect(await signIn("olga@example.org", second.shown)).to.include({ reason: "wrong-credentials" });
    expect(await run(["remove", "--email", "olga@example.org"])).to.include({ code: 1, out: "" });
  });

  it("makes an auditor's key and takes it back", async () => {
    const { shown, out } = await run(["add-key", "--name", "year's audit"]);
    const key = await service().keyOf(shown);
    expect(key).to.include({ purpose: "audit", cpoId: null, name: "year's audit" });
    expect(out).to.contain(`${key?.id} for`);
    const list = await run(["list"]);
    expect(list.out).to.contain(`auditor's key ${key?.id}: year's audit`);
    expect(list.out).not.to.contain(secretOf(shown));
    expect(await run(["remove-key", "--id", key!.id])).to.include({ code: 0 });
    expect(await service().keyOf(shown)).to.equal(null);
    expect(await run(["remove-key", "--id", key!.id])).to.include({ code: 1 });
  });

  it("makes a key for whoever publishes the market's figures, and for nobody else", async () => {
    const { shown } = await run(["add-key", "--name", "exchange", "--for", "market"]);
    const key = await service().keyOf(shown);
    expect(key).to.include({ purpose: "market", cpoId: null });
    expect((await run(["list"])).out).to.contain(`market's key ${key?.id}: exchange`);
    expect(await run(["remove-key", "--id", key!.id])).to.include({ code: 0 });
    expect(await service().keyOf(shown)).to.equal(null);
    const cpo = await run(["add-key", "--name", "back end", "--for", "cpo"]);
    expect(cpo).to.include({ code: 1, out: "" });
    expect(cpo.error).to.match(/audit or market, not cpo/);
  });

  it("leaves drivers alone", async () => {
    const anna = { email: "anna@example.org", name: "Anna", password: "correct horse" };
    await service().signUp(anna, { address: "192.0.2.1", cookie: undefined });
    for (const command of ["password", "remove"])
      expect(await run([command, "--email", anna.email])).to.include({ code: 1, out: "" });
    expect(await run(["add", "--role", "auditor", "--email", anna.email, "--name", "Anna"])).to.include({ code: 2 });
    expect(await signIn(anna.email, anna.password)).to.have.nested.property("account.kind", "driver");
  });

  it("refuses what it does not understand, says what it needs, and shows no secret of the environment", async () => {
    const refused = [
      [[], /npm run accounts -- list/],
      [["add", "--email", "x@example.org", "--name", "X"], /--role is missing/],
      [["add", "--role", "admin", "--email", "x@example.org", "--name", "X"], /staff, auditor or arbiter, not admin/],
      [["add", "--role", "arbiter", "--email", "x@example.org", "--name", "X", "--cpo", "cpo-1"], /belongs to no CPO/],
      [["add", "--role", "arbiter", "--email", "nobody", "--name", "X"], /no e-mail address/],
    ] as const;
    for (const [args, words] of refused) {
      const { code, error } = await run(args);
      expect([code, error]).to.satisfy(([n, text]: [number, string]) => n === 1 && words.test(text), error);
    }
    const elsewhere = { DATABASE_URL: "postgres://who:secret-word@127.0.0.1:1/none" };
    for (const environment of [{}, elsewhere, { DATABASE_URL: url, AUTH_SECRET: "" }]) {
      const { code, out, error } = await run(["list"], environment);
      expect([code, out]).to.deep.equal([2, ""]);
      expect(error).to.match(/DATABASE_URL|ECONNREFUSED/);
      expect(error).not.to.contain("secret-word");
    }
  });

  it("keeps nothing of what it showed", async () => {
    expect(shownOnce.length).to.be.above(4);
    const secrets = shownOnce.map(secretOf);
    for (const secret of secrets) expect(secret.length).to.be.above(9);
    for (const { name } of await database.db.introspection.getTables()) {
      const found = await sql<{ row: string }>`select row_to_json(t)::text "row" from ${sql.table(name)} t`.execute(
        database.db,
      );
      for (const { row } of found.rows) for (const secret of secrets) expect(row, name).not.to.contain(secret);
    }
  });
});
