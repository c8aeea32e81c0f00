import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Kysely, sql } from "kysely";
import { openDatabase } from "../../../backend/adapters/store/database.ts";
import { ACCOUNTS } from "../../../backend/adapters/store/migrations.ts";
import { createStore } from "../../../backend/adapters/store/store.ts";
import { databases, openTestDatabase, urlOf, whyNoPostgres } from "../../support/databases.ts";
import { addSite, rejection } from "./everyDatabase.ts";

const emptyDump = async () => {
  const empty = await openTestDatabase("pglite");
  return empty.dump().finally(empty.close);
};

describe("The database", () => {
  it("gives groups from before there were algorithms least cost, from the beginning", async () => {
    const before = await openTestDatabase("pglite");
    await addSite(createStore(before.db));
    for (const statement of [
      "drop table group_algorithm",
      "alter table charging_group drop column algorithm_parameters",
      "alter table plan drop column parameters, drop column firsts",
      "delete from kysely_migration where name = '7_algorithms'",
    ])
      await sql.raw(statement).execute(before.db);
    const dump = await before.dump().finally(before.close);
    const now = await openDatabase({ dump });
    const { sites } = createStore(now.db);
    const choice = { name: "least-cost", parameters: {} };
    expect((await sites.group("group"))?.algorithm).to.deep.equal(choice);
    expect(await sites.algorithms("group")).to.deep.equal([{ from: 0, choice }]);
    await now.close();
  });

  for (const kind of databases) {
    it(`hands out the same JavaScript types from ${kind}`, async function () {
      if (kind === "postgres" && whyNoPostgres()) this.skip();
      const { db, close } = await openTestDatabase(kind);
      const { rows } = await sql<Record<string, unknown>>`
        select 7::bigint as small, 9007199254740993::bigint as large, 1.50::numeric as price, count(*) as none,
               '2026-03-01 10:00:00+01'::timestamptz as instant, '1969-12-31 23:59:59.5+00'::timestamptz as fraction,
               '\\x00ff'::bytea as bytes, '{"a":[1]}'::json as document, true as yes
        from cpo`.execute(db);
      const { bytes, ...rest } = rows[0]!;
      expect(rest).to.deep.equal({
        small: 7,
        large: 9_007_199_254_740_993n,
        price: "1.50",
        none: 0,
        instant: new Date("2026-03-01T09:00:00Z"),
        fraction: new Date(-500),
        document: { a: [1] },
        yes: true,
      });
      expect([...(bytes as Uint8Array)]).to.deep.equal([0, 255]);
      await close();
    });
  }

  it("brings a dump back to life, numbers and all", async () => {
    const first = await openTestDatabase("pglite");
    await createStore(first.db).sites.addCpo({ id: "a", name: "A" });
    const dump = await first.dump();
    await first.close();
    const second = await openDatabase({ dump });
    const { sites } = createStore(second.db);
    expect((await sites.addCpo({ id: "b", name: "B" })).number).to.equal(2);
    expect(await sites.cpos()).to.have.length(2);
    await second.close();
  });

  it("lives on in a folder", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "oli-move-pglite-"));
    const first = await openDatabase({ dataDir });
    await createStore(first.db).sites.addCpo({ id: "a", name: "A" });
    await first.close();
    const second = await openDatabase({ dataDir });
    expect(await createStore(second.db).sites.cpos()).to.deep.equal([{ id: "a", number: 1, name: "A" }]);
    await second.close();
    await rm(dataDir, { recursive: true });
  });

  it("is migrated once by four processes that start together", async function () {
    if (whyNoPostgres()) this.skip();
    const base = await openTestDatabase("postgres");
    await sql`drop schema public cascade`.execute(base.db);
    await sql`create schema public`.execute(base.db);
    const url = await urlOf(base);
    const opened = await Promise.all(Array.from({ length: 4 }, () => openDatabase({ url })));
    const names = await Promise.all(
      opened.map(async ({ db }) => (await createStore(db).sites.addCpo({ id: "x", name: "X" })).number),
    );
    expect(names).to.deep.equal([1, 1, 1, 1]);
    for (const one of opened) await one.close();
    await base.close();
  });

  it("runs somebody else's migration after ours, once", async () => {
    let runs = 0;
    const up = async (db: Kysely<unknown>) => {
      runs++;
      await sql`create table account_of (cpo_id text references cpo)`.execute(db);
    };
    const opened = await openDatabase({ dump: await emptyDump(), migrations: { [ACCOUNTS]: { up } } });
    const dump = await opened.dump();
    await opened.close();
    // A later start, once with the migration and once without it, finds it done.
    for (const options of [{ dump, migrations: { [ACCOUNTS]: { up } } }, { dump }]) {
      const again = await openDatabase(options);
      expect((await sql`select * from account_of`.execute(again.db)).rows).to.deep.equal([]);
      await again.close();
    }
    expect(runs).to.equal(1);
  });

  it("says which migration failed, and leaves nothing open", async () => {
    const up = (db: Kysely<unknown>) => sql`create table cpo (id int)`.execute(db).then(() => undefined);
    const error = await rejection(openDatabase({ dump: await emptyDump(), migrations: { "9_twice": { up } } }));
    expect(error.message).to.contain('"9_twice" failed').and.to.contain("already exists");
  });

  it("sweeps what is overwritten: 1,200 versions of a snapshot take the room of a few", async () => {
    const { db, close } = await openTestDatabase("pglite");
    const store = createStore(db);
    const state = Array.from({ length: 500 }, (_, i) => Math.sin(i));
    for (let i = 0; i < 1_200; i++)
      await store.transaction((tx) => tx.snapshots.save("board", 0 as never, [i, ...state]));
    const { rows } = await sql<{ bytes: number }>`select pg_total_relation_size('snapshot') as bytes`.execute(db);
    expect(rows[0]!.bytes).to.be.below(600 * JSON.stringify(state).length);
    await close();
  });

  it("fails with the server's word when it is not there", async () => {
    const error = await rejection(openDatabase({ url: "postgres://nobody@127.0.0.1:1/none" }));
    expect(String(error)).to.contain("ECONNREFUSED");
  });
});
