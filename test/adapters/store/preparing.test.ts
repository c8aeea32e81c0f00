/** Prepared statements answer what PGlite's own queries answer, also when tables change under them. */
import { PGlite } from "@electric-sql/pglite";
import { expect } from "chai";
import { preparing } from "../../../backend/adapters/store/preparing.ts";

describe("Prepared statements on PGlite", () => {
  let pglite: PGlite;
  let engine: ReturnType<typeof preparing>;
  before(async () => {
    pglite = await PGlite.create();
    engine = preparing(pglite);
    await pglite.exec(
      "create table thing (id int primary key, name text, at timestamptz, bytes bytea, list int[], state json)",
    );
  });
  after(() => pglite.close());

  it("answer the same as PGlite itself, for every kind of value and again and again", async () => {
    const at = new Date("2026-05-04T03:02:01Z");
    const bytes = new Uint8Array([0, 1, 254, 255]);
    const insert = "insert into thing values ($1, $2, $3, $4, $5, $6)";
    for (const values of [
      [1, "a", at, bytes, [1, null, 3], { a: [1] }],
      [2, null, null, null, null, null],
      [3, "", at, new Uint8Array(), [], []],
      [4, "long é€😀 ".repeat(100), null, new Uint8Array(1000).fill(7), null, { text: "é€😀".repeat(200) }],
    ])
      expect((await engine.query(insert, values)).affectedRows).to.equal(1);
    const texts: [string, unknown[]][] = [
      ["select * from thing order by id", []],
      ["select * from thing where id = any($1::int[]) order by id", [[1, 3]]],
      ["select count(*) as n, max(at) as at from thing where name = $1 and id > $2", ["a", 0]],
      ["update thing set name = $1 where id >= $2 returning id, name", ["b", 2]],
      ["delete from thing where id = $1", [99]],
    ];
    for (let round = 0; round < 8; round++)
      for (const [text, values] of texts) {
        const ours = await engine.query(text, values, { rowMode: "object" });
        const theirs = await pglite.query(text, values, { rowMode: "object" });
        expect(ours, text).to.deep.equal(theirs);
      }
  });

  it("go on after an error, which is the database's own", async () => {
    const insert = "insert into thing (id) values ($1)";
    for (let i = 0; i < 3; i++) {
      const [ours, theirs] = [await errorOf(engine.query(insert, [1])), await errorOf(pglite.query(insert, [1]))];
      const { code, constraint, message } = theirs;
      expect(code).to.equal("23505");
      expect(ours).to.include({ code, constraint, message });
    }
    expect((await errorOf(engine.query("select nothing"))).code).to.equal("42703");
    expect((await engine.query("select 1 as one")).rows).to.deep.equal([{ one: 1 }]);
  });

  it("see new columns, and are made anew after a sweep", async () => {
    const all = async () =>
      Object.keys((await engine.query<object>("select * from thing where id = $1", [1])).rows[0]!);
    expect(await all()).not.to.include("more");
    await engine.query("alter table thing add column more int default 5");
    expect(await all()).to.include("more");
    engine.forget();
    expect(await all()).to.include("more");
  });

  it("belong to the transaction that they run in", async () => {
    const count = async () => (await engine.query<{ n: number }>("select count(*)::int as n from thing")).rows[0]!.n;
    const before = await count();
    const failed = errorOf(
      engine.transaction(async (tx) => {
        await tx.query("insert into thing (id) values ($1)", [50]);
        expect((await errorOf(tx.query("insert into thing (id) values ($1)", [50]))).code).to.equal("23505");
        // An aborted transaction answers nothing, also not what was prepared before.
        expect((await errorOf(tx.query("select count(*)::int as n from thing"))).code).to.equal("25P02");
        throw new Error("rolled back");
      }),
    );
    expect((await failed).message).to.equal("rolled back");
    expect(await count()).to.equal(before);
  });

  it("are closed when many others came after them", async () => {
    for (let i = 1; i <= 400; i++) await engine.query(`select ${i} as n`);
    const kept = await engine.query<{ n: number }>("select count(*)::int as n from pg_prepared_statements");
    expect(kept.rows[0]!.n).to.be.within(100, 210);
  });
});

const errorOf = (work: Promise<unknown>): Promise<{ code?: string; constraint?: string; message: string }> =>
  work.then(
    () => ({ message: "no error" }),
    (error) => error,
  );
