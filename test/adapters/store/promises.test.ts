import { expect } from "chai";
import { type EnergyPromise, offerPromise, type PromiseState, transition } from "../../../backend/domain/promises.ts";
import { wattHour } from "../../../backend/domain/units.ts";
import type { Store } from "../../../backend/usecases/ports.ts";
import { addSite, aSession, at, onEveryDatabase, rejection } from "./everyDatabase.ts";

const offer = (sessionId: string, version: number): EnergyPromise =>
  offerPromise(
    { sessionId, version, energyWh: wattHour(20_000), by: at(7_200), fromRegisterWh: wattHour(1_000) },
    at(version),
  );
const inState = (sessionId: string, version: number, state: PromiseState) => ({ ...offer(sessionId, version), state });

onEveryDatabase("Promises", (given) => {
  before(async () => {
    await addSite(given().store);
    for (const number of [1, 2, 3]) await given().store.sessions.start(aSession(`session-${number}`, `evse-${number}`));
  });
  beforeEach(() => given().db.deleteFrom("promise").execute());

  it("reads back every column of a promise at the end of its life", async () => {
    const { promises } = given().store;
    const judged: EnergyPromise = {
      ...transition(offer("session-1", 1), { kind: "accept", at: at(10) }),
      state: "short",
      slackWh: -4_000,
      goodRuns: 1,
      missingWh: wattHour(4_000),
      missingAtUnplugWh: wattHour(1_500),
      changedAt: at(7_200),
    };
    await promises.put(judged);
    expect(await promises.ofSession("session-1")).to.deep.equal(judged);
    expect(await promises.all()).to.deep.equal([judged]);
    expect(await promises.ofSession("session-2")).to.equal(null);
  });

  it("overwrites the state of a version and keeps every version", async () => {
    const { promises } = given().store;
    await promises.put(offer("session-1", 1));
    await promises.put(transition(offer("session-1", 1), { kind: "accept", at: at(9) }));
    await promises.put(offer("session-1", 2));
    expect((await promises.history("session-1")).map((one) => [one.version, one.state])).to.deep.equal([
      [1, "accepted"],
      [2, "offered"],
    ]);
  });

  const cases: readonly (readonly [PromiseState[], number])[] = [
    [["amended", "accepted"], 2],
    [["on-track", "expired"], 1],
    [["amended", "withdrawn"], 2],
    [["kept", "expired"], 1],
    [["kept", "offered"], 2],
    [["amended", "late", "withdrawn"], 2],
    [["expired"], 1],
  ];
  for (const [states, version] of cases) {
    it(`of versions that are ${states.join(", ")}, number ${version} is the session's`, async () => {
      const { promises } = given().store;
      for (const [index, state] of states.entries()) await promises.put(inState("session-2", index + 1, state));
      await promises.put(inState("session-1", 7, "accepted"));
      expect((await promises.ofSession("session-2"))?.version).to.equal(version);
      const all = await promises.ofSessions(["session-2", "nobody", "session-1"]);
      expect([...all].map(([id, one]) => [id, one.version])).to.have.deep.members([
        ["session-1", 7],
        ["session-2", version],
      ]);
    });
  }

  it("writes the last state of a transaction, shows it each of them, and keeps none of one that fails", async () => {
    const { store } = given();
    const work = async (tx: Store) => {
      await tx.promises.put(inState("session-1", 1, "accepted"));
      expect((await tx.promises.ofSession("session-1"))?.state).to.equal("accepted");
      await tx.promises.put(inState("session-1", 1, "amended"));
      await tx.promises.put(inState("session-1", 2, "offered"));
      await tx.promises.put(inState("session-1", 2, "on-track"));
      expect((await tx.promises.holding("group")).map((one) => one.version)).to.deep.equal([2]);
      await tx.promises.put(inState("session-1", 2, "at-risk"));
      expect((await tx.promises.all()).map((one) => one.state)).to.deep.equal(["amended", "at-risk"]);
      await tx.promises.put(inState("session-1", 2, "short"));
    };
    const failing = store.transaction(async (tx) => {
      await work(tx);
      expect(await tx.promises.history("session-1")).to.deep.equal([
        inState("session-1", 1, "amended"),
        inState("session-1", 2, "short"),
      ]);
      throw new Error("undo");
    });
    expect((await rejection(failing)).message).to.equal("undo");
    expect(await store.promises.all()).to.deep.equal([]);
    await store.transaction(work);
    expect((await store.promises.history("session-1")).map((one) => one.state)).to.deep.equal(["amended", "short"]);
  });

  it("fails at the commit when the promise's session is unknown", async () => {
    const { store } = given();
    const failing = store.transaction((tx) => tx.promises.put(inState("nobody", 1, "offered")));
    expect((await rejection(failing)).message).to.contain("foreign key");
  });

  it("finds what holds capacity in a group: of open sessions only", async () => {
    const { promises, sessions } = given().store;
    await promises.put(inState("session-1", 1, "amended"));
    await promises.put(inState("session-1", 2, "at-risk"));
    await promises.put(inState("session-2", 1, "offered"));
    await promises.put(inState("session-3", 1, "on-track"));
    const holding = async () => (await promises.holding("group")).map((one) => [one.sessionId, one.version]);
    expect(await holding()).to.deep.equal([
      ["session-1", 2],
      ["session-2", 1],
      ["session-3", 1],
    ]);
    await sessions.close("session-3", at(100), wattHour(2_000));
    await promises.put(inState("session-2", 1, "kept"));
    expect(await holding()).to.deep.equal([["session-1", 2]]);
    expect(await promises.holding("elsewhere")).to.deep.equal([]);
  });
});
