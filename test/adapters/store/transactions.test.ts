import { expect } from "chai";
import { createStore } from "../../../backend/adapters/store/store.ts";
import type { Store } from "../../../backend/usecases/ports.ts";
import { addSite, aGroup, anEvse, aSession, onEveryDatabase, pastSession, rejection } from "./everyDatabase.ts";

onEveryDatabase("Transactions", (given) => {
  before(() => addSite(given().store));
  const cpoIds = async (store: Store) => (await store.sites.cpos()).map((cpo) => cpo.id);

  it("commits all or nothing", async () => {
    const { store } = given();
    const failing = store.transaction(async (tx) => {
      await tx.sites.addCpo({ id: "half", name: "Half" });
      expect(await cpoIds(tx)).to.include("half");
      throw new Error("stop");
    });
    expect((await rejection(failing)).message).to.equal("stop");
    expect(await cpoIds(store)).to.deep.equal(["cpo"]);
    expect(await store.transaction(async (tx) => (await tx.sites.addCpo({ id: "two", name: "Two" })).number)).to.equal(
      2,
    );
    expect(await cpoIds(store)).to.deep.equal(["cpo", "two"]);
  });

  it("joins the open transaction, so that the outer one takes the inner one's work along", async () => {
    const { store } = given();
    const failing = store.transaction(async (outer) => {
      await outer.transaction(async (inner) => {
        expect(inner).to.equal(outer);
        await inner.sites.addCpo({ id: "inner", name: "Inner" });
      });
      throw new Error("outer fails");
    });
    expect((await rejection(failing)).message).to.equal("outer fails");
    expect(await cpoIds(store)).not.to.include("inner");
  });

  it("joins a transaction that somebody else opened on the database", async () => {
    const { db, store } = given();
    const failing = db.transaction().execute(async (trx) => {
      await createStore(trx).transaction((tx) => tx.sites.addCpo({ id: "joined", name: "Joined" }));
      expect(await cpoIds(createStore(trx))).to.include("joined");
      throw new Error("theirs fails");
    });
    await rejection(failing);
    expect(await cpoIds(store)).not.to.include("joined");
  });

  it("gives numbers and rows of a rolled-back transaction again", async () => {
    const { store } = given();
    const take = async (tx: Store, name: string) => {
      const group = await tx.sites.addGroup(aGroup(name));
      const evse = await tx.sites.addEvse(anEvse(`${name}-evse`, "group"));
      const session = await pastSession(tx, `${name}-session`);
      return [group.number, evse.row, session.number];
    };
    let taken: number[] = [];
    const failing = store.transaction(async (tx) => {
      taken = await take(tx, "lost");
      throw new Error("undo");
    });
    await rejection(failing);
    expect(await store.transaction((tx) => take(tx, "found"))).to.deep.equal(taken);
    expect(await take(store, "third")).to.deep.equal(taken.map((number) => number + 1));
  });

  it("lets many callers take numbers at the same time without a gap or a repetition", async () => {
    const { store } = given();
    const groups = await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.sites.addGroup(aGroup(`many-${i % 15}`))),
    );
    const numbers = [...new Set(groups.map((group) => group.number))].toSorted((a, b) => a - b);
    expect(numbers).to.have.length(15);
    expect(numbers.at(-1)! - numbers[0]!).to.equal(14);
  });

  it("lets one of two cars that arrive together have the EVSE", async () => {
    const { store, kind } = given();
    const before = (await store.sessions.all()).length;
    // PostgreSQL: both look first and find the EVSE free; they meet only when they write. PGlite has them in turn.
    const bothLooked = meeting(kind === "postgres" ? 2 : 1);
    const arrive = (id: string) =>
      store.transaction(async (tx) => {
        if (kind === "postgres") expect(await tx.sessions.openAt("evse-2")).to.equal(null);
        await bothLooked();
        return tx.sessions.start(aSession(id, "evse-2"));
      });
    const outcomes = await Promise.allSettled([arrive("left"), arrive("right")]);
    const names = outcomes.map((outcome) => (outcome.status === "fulfilled" ? "started" : outcome.reason.name));
    expect(names.toSorted()).to.deep.equal(["EvseOccupiedError", "started"]);
    const sessions = await store.sessions.all();
    expect(sessions).to.have.length(before + 1);
    expect(sessions.at(-1)?.number).to.equal(sessions.length);
  });

  it("names the mistake when the outer store is used inside, instead of waiting for ever", async function () {
    // On PostgreSQL the stray statement takes another connection and waits for nobody.
    if (given().kind === "postgres") this.skip();
    const store = createStore(given().db, 50);
    const stuck = store.transaction(async (tx) => {
      await tx.sites.addCpo({ id: "stuck", name: "Stuck" });
      await store.sites.cpos();
    });
    expect((await rejection(stuck)).message).to.contain("Use the store that the work is given");
    expect(await cpoIds(store)).not.to.include("stuck");
  });
});

/** Lets whoever comes wait until `size` of them are there. */
function meeting(size: number): () => Promise<void> {
  let there = 0;
  const all = Promise.withResolvers<void>();
  return () => {
    if (++there >= size) all.resolve();
    return all.promise;
  };
}
