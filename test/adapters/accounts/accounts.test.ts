import { randomBytes } from "node:crypto";
import { getMigrations } from "better-auth/db/migration";
import { expect } from "chai";
import { sql } from "kysely";
import { createAccounts } from "../../../backend/adapters/accounts/accounts.ts";
import { type AccountTables, accountMigrations, down } from "../../../backend/adapters/accounts/accountTables.ts";
import { authOptions } from "../../../backend/adapters/accounts/authOptions.ts";
import type { OpenDatabase } from "../../../backend/adapters/store/database.ts";
import { databases, openTestDatabase, whyNoPostgres } from "../../support/databases.ts";

const SECRET = randomBytes(32).toString("hex");
const ANNA = { email: "Anna@example.org", name: "Anna", password: "correct horse" };
const client = (address = "192.0.2.1", cookie?: string) => ({ address, cookie });
/** What a browser sends back of what it was told to keep. */
const kept = (cookies: readonly string[]) => cookies.map((cookie) => cookie.split(";")[0]).join("; ");

for (const kind of databases)
  describe(`Accounts on ${kind}`, () => {
    let database: OpenDatabase;
    const tables = () => database.db.withTables<AccountTables>();
    const open = (more: { publicUrl?: string; signInsPerMinute?: number } = {}) =>
      createAccounts({
        db: tables(),
        random: randomBytes,
        now: () => 1_790_000_000,
        secret: SECRET,
        publicUrl: "http://127.0.0.1:3000",
        signInsPerMinute: 100,
        ...more,
      });

    beforeEach(async function () {
      const why = kind === "postgres" ? whyNoPostgres() : null;
      if (why) {
        console.log(`      (skipped: ${why})`);
        this.skip();
      }
      database = await openTestDatabase(kind);
      for (const { up } of Object.values(accountMigrations)) await up(database.db);
    });
    afterEach(() => database?.close());

    it("has exactly the tables that better-auth expects", async () => {
      const options = authOptions(tables(), { secret: SECRET, publicUrl: "http://127.0.0.1:3000" });
      const plan = await getMigrations({ ...options, logger: { disabled: true } });
      expect(plan.toBeCreated).to.deep.equal([]);
      expect(plan.toBeAdded).to.deep.equal([]);
      expect(plan.schemaProblems).to.deep.equal([]);
      await sql`alter table account_session drop column user_agent`.execute(database.db);
      const missing = await getMigrations({ ...options, logger: { disabled: true } });
      expect(missing.toBeAdded.map((table) => Object.keys(table.fields))).to.deep.equal([["user_agent"]]);
    });

    it("takes its tables away again", async () => {
      await down(database.db);
      for (const { up } of Object.values(accountMigrations)) await up(database.db);
    });

    it("registers a driver, knows it by its cookie, and forgets it after signing out", async () => {
      const accounts = open();
      const entered = await accounts.signUp(ANNA, client());
      if (entered.kind !== "signed-in") return expect.fail(entered.text);
      expect(entered.account).to.deep.include({ email: "anna@example.org", name: "Anna", kind: "driver", cpoId: null });
      const cookie = kept(entered.cookies);
      expect(await accounts.whoIs(cookie)).to.deep.equal(entered.account);
      await accounts.signOut(client(undefined, cookie));
      expect(await accounts.whoIs(cookie)).to.equal(null);
    });

    it("hides the cookie from scripts and other sites, and sends it over TLS alone when the service is public", async () => {
      const open1 = await open().signUp(ANNA, client());
      const open2 = await open({ publicUrl: "https://charge.example.org" }).signIn(ANNA, client());
      if (open1.kind !== "signed-in" || open2.kind !== "signed-in") return expect.fail("not signed in");
      for (const cookie of open1.cookies)
        expect(cookie)
          .to.match(/; HttpOnly/i)
          .and.match(/; SameSite=Lax/i);
      for (const cookie of open1.cookies) expect(cookie).not.to.match(/; Secure/i);
      for (const cookie of open2.cookies)
        expect(cookie)
          .to.match(/; Secure/i)
          .and.match(/; HttpOnly/i);
    });

    it("refuses a second account with the e-mail, a wrong password, and a made-up cookie", async () => {
      const accounts = open();
      await accounts.signUp(ANNA, client());
      expect(await accounts.signUp({ ...ANNA, email: "anna@EXAMPLE.org" }, client())).to.include({
        reason: "email-taken",
      });
      const wrong = await accounts.signIn({ ...ANNA, password: "battery staple" }, client());
      expect(wrong).to.include({ kind: "refused", reason: "wrong-credentials" });
      const nobody = await accounts.signIn({ ...ANNA, email: "eve@example.org" }, client());
      expect(nobody).to.deep.equal(wrong);
      expect(await accounts.whoIs("oli-move.session_token=abc.def")).to.equal(null);
    });

    it("never lets a request make itself staff", async () => {
      const greedy = { ...ANNA, kind: "staff", cpoId: "cpo-1" };
      const entered = await open()
        .signUp(greedy, client())
        .catch(() => null);
      if (entered?.kind === "signed-in") expect(entered.account).to.include({ kind: "driver", cpoId: null });
      const { rows } = await sql<{
        n: number;
      }>`select count(*)::int n from account_user where kind <> 'driver'`.execute(database.db);
      expect(rows[0]!.n).to.equal(0);
    });

    it("slows down who guesses passwords, by address", async () => {
      const accounts = open({ signInsPerMinute: 3 });
      const guess = (address: string) =>
        accounts.signIn({ email: ANNA.email, password: "guess guess" }, client(address));
      for (let i = 0; i < 3; i++) expect(await guess("192.0.2.7")).to.include({ reason: "wrong-credentials" });
      const fourth = await guess("192.0.2.7");
      expect(fourth).to.include({ kind: "refused", reason: "too-many-requests" });
      if ("retryAfterS" in fourth) expect(fourth.retryAfterS).to.be.within(1, 60);
      expect(await guess("192.0.2.8")).to.include({ reason: "wrong-credentials" });
    });

    it("asks for the password again, under the same limit, and leaves no second session", async () => {
      const accounts = open({ signInsPerMinute: 3 });
      const entered = await accounts.signUp(ANNA, client());
      if (entered.kind !== "signed-in") return expect.fail(entered.text);
      const me = client("192.0.2.9", kept(entered.cookies));
      expect(await accounts.confirm(ANNA.password, me)).to.deep.equal({ kind: "confirmed", account: entered.account });
      const { rows } = await sql`select * from account_session`.execute(database.db);
      expect(rows).to.have.length(1);
      expect(await accounts.whoIs(me.cookie)).to.deep.equal(entered.account);
      expect(await accounts.confirm("somebody else's", me)).to.include({ reason: "wrong-credentials" });
      expect(await accounts.confirm(ANNA.password, client("192.0.2.9"))).to.include({ reason: "wrong-credentials" });
      expect(await accounts.confirm("another guess", me)).to.include({ reason: "wrong-credentials" });
      expect(await accounts.confirm(ANNA.password, me)).to.include({ reason: "too-many-requests" });
    });

    it("makes staff once, who can sign in", async () => {
      const accounts = open();
      const wish = { email: "sam@cpo.example", name: "Sam", password: "correct horse", cpoId: "cpo-1" };
      const made = await accounts.ensureStaff(wish);
      expect(made).to.include({ kind: "staff", cpoId: "cpo-1" });
      expect(await accounts.ensureStaff(wish)).to.deep.equal(made);
      expect(await accounts.signIn(wish, client())).to.deep.include({ kind: "signed-in", account: made });
      const stolen = await accounts.ensureStaff({ ...wish, cpoId: "cpo-2" }).catch((error: Error) => error.message);
      expect(stolen).to.match(/another kind or CPO/);
    });

    it("keeps of a machine's key nothing that opens anything", async () => {
      const accounts = open();
      const wish = { name: "back end", cpoId: "cpo-1", purpose: "cpo" } as const;
      const { key, token } = await accounts.createKey(wish);
      expect(key).to.deep.include({ ...wish, groupId: null, locationId: null, createdAt: 1_790_000_000 });
      expect(await accounts.keyOf(token)).to.deep.equal(key);
      const { rows } = await sql<object>`select * from machine_key`.execute(database.db);
      expect(JSON.stringify(rows)).not.to.include(token.split("_").slice(2).join("_"));
      const last = token.at(-3) === "A" ? "B" : "A";
      expect(await accounts.keyOf(token.slice(0, -3) + last + token.slice(-2))).to.equal(null);
      for (const wrong of ["", "oli_", token.slice(0, -1), `${token}A`, "oli_' or 1=1_x"])
        expect(await accounts.keyOf(wrong), wrong).to.equal(null);
    });

    it("revokes a key for its own CPO only", async () => {
      const accounts = open();
      const { key, token } = await accounts.createKey({
        name: "meter",
        cpoId: "cpo-1",
        purpose: "hems",
        groupId: "g-1",
      });
      expect(await accounts.revokeKey("cpo-2", key.id)).to.equal(false);
      expect(await accounts.keyOf(token)).to.deep.equal(key);
      expect(await accounts.revokeKey("cpo-1", key.id)).to.equal(true);
      expect(await accounts.revokeKey("cpo-1", key.id)).to.equal(false);
      expect(await accounts.keyOf(token)).to.equal(null);
      expect(await accounts.keysOf("cpo-1")).to.deep.equal([]);
    });
  });
