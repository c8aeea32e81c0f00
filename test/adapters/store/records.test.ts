import { expect } from "chai";
import type { ChainCall, Incident } from "../../../backend/usecases/ports.ts";
import { at, onEveryDatabase, rejection } from "./everyDatabase.ts";

const call = (key: string): ChainCall => ({
  lane: "slots",
  key,
  stream: null,
  contract: "SlotLedger",
  call: "record",
  args: { slot: 1 },
  data: "0x00ff",
  gasLimit: null,
});

onEveryDatabase("Incidents, outbox and snapshots", (given) => {
  it("reports an incident once, from an instant on, in order of time", async () => {
    const { incidents } = given().store;
    const incident = (id: string, seconds: number, groupId: string | null): Incident => ({
      id,
      at: at(seconds),
      groupId,
      kind: "silent-station",
      text: `EVSE ${id} did not answer.`,
    });
    const [late, early, whole] = [
      incident("late", 60, "group"),
      incident("early", 0, "group"),
      incident("z", 30, null),
    ];
    for (const one of [late!, early!, whole!, { ...early!, text: "again" }]) await incidents.add(one);
    expect(await incidents.since(at(0))).to.deep.equal([early, whole, late]);
    expect(await incidents.since(at(31))).to.deep.equal([late]);
  });

  it("enqueues a call once, and counts what is not final", async () => {
    const { store, db } = given();
    expect(await store.outbox.open()).to.deep.equal({ count: 0, oldestAt: null });
    for (const key of ["slot:1:1", "slot:1:2", "slot:1:1"]) await store.outbox.enqueue(call(key));
    const open = await store.outbox.open();
    expect(open.count).to.equal(2);
    expect(open.oldestAt).to.satisfy(Number.isInteger);
    await db.updateTable("outbox").set({ state: "final" }).where("key", "=", "slot:1:1").execute();
    expect((await store.outbox.open()).count).to.equal(1);
  });

  it("enqueues in the transaction of the business change", async () => {
    const { store } = given();
    const { count } = await store.outbox.open();
    const failing = store.transaction(async (tx) => {
      await tx.outbox.enqueue(call("never"));
      throw new Error("no");
    });
    await rejection(failing);
    expect((await store.outbox.open()).count).to.equal(count);
  });

  it("overwrites a snapshot and gives back the latest as it was saved", async () => {
    const { snapshots } = given().store;
    expect(await snapshots.load("board")).to.equal(null);
    const state = { groups: { "a b": [1, null, -0.5, "ü\u2028"] }, empty: {} };
    await snapshots.save("board", at(1), { old: true });
    await snapshots.save("board", at(2), state);
    await snapshots.save("jobs", at(3), []);
    expect(await snapshots.load("board")).to.deep.equal({ at: at(2), state });
    expect(await snapshots.load("jobs")).to.deep.equal({ at: at(3), state: [] });
  });

  it("refuses to save what JSON would lose", async () => {
    const { snapshots } = given().store;
    expect(await rejection(snapshots.save("money", at(0), { amount: 1n }))).to.be.instanceOf(TypeError);
    expect(await snapshots.load("money")).to.equal(null);
  });
});
