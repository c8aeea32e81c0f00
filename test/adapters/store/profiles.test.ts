import { expect } from "chai";
import type { SentProfile } from "../../../backend/domain/profiles.ts";
import { watt } from "../../../backend/domain/units.ts";
import type { Store } from "../../../backend/usecases/ports.ts";
import { at, onEveryDatabase, rejection } from "./everyDatabase.ts";

const sent = (id: string, sessionId: string, limitW: number): SentProfile => ({
  id,
  sessionId,
  evseId: "evse-1",
  reason: "plan",
  state: "sent",
  sentAt: at(0),
  answeredAt: null,
  profile: [
    { from: at(0), limitW: watt(limitW) },
    { from: at(900), limitW: watt(0) },
  ],
});

onEveryDatabase("Profiles", (given) => {
  it("keeps profiles in the order of sending, and one that is added twice once", async () => {
    const { profiles } = given().store;
    await profiles.add([sent("z", "one", 7_000), sent("a", "one", 6_000)]);
    await profiles.add([sent("a", "one", 1), { ...sent("m", "one", 5_000), reason: "guard", profile: [] }]);
    expect(await profiles.ofSession("one")).to.deep.equal([
      sent("z", "one", 7_000),
      sent("a", "one", 6_000),
      { ...sent("m", "one", 5_000), reason: "guard", profile: [] },
    ]);
    expect(await profiles.byId("z")).to.deep.equal(sent("z", "one", 7_000));
    expect([await profiles.byId("none"), await profiles.ofSession("none")]).to.deep.equal([null, []]);
  });

  it("holds the profile that was applied last, not the one that was sent last", async () => {
    const { profiles } = given().store;
    await profiles.add([sent("p1", "two", 1_000), sent("p2", "two", 2_000), sent("p3", "two", 3_000)]);
    expect(await profiles.applied("two")).to.equal(null);
    await profiles.answer("p2", "applied", at(5));
    await profiles.answer("p1", "applied", at(9));
    await profiles.answer("p3", "refused", at(12));
    expect(await profiles.applied("two")).to.deep.equal(sent("p1", "two", 1_000).profile);
    expect(await profiles.byId("p3")).to.deep.equal({
      ...sent("p3", "two", 3_000),
      state: "refused",
      answeredAt: at(12),
    });
    await profiles.answer("p2", "applied", at(9));
    expect(await profiles.applied("two")).to.deep.equal(sent("p2", "two", 2_000).profile);
  });

  it("shows a transaction its own profiles and answers, and keeps nothing of one that fails", async () => {
    const { store } = given();
    await store.profiles.add([sent("old", "three", 1_000)]);
    const expected = [
      { ...sent("old", "three", 1_000), state: "applied", answeredAt: at(8) },
      { ...sent("new", "three", 2_000), state: "applied", answeredAt: at(7) },
    ];
    const work = async (tx: Store) => {
      // "old" is known already: it stays as it was sent, and its answer counts.
      await tx.profiles.add([sent("old", "three", 9_999), sent("new", "three", 2_000)]);
      await tx.profiles.answer("new", "applied", at(7));
      await tx.profiles.answer("old", "applied", at(8));
      await tx.profiles.add([sent("new", "three", 8_888)]);
    };
    const failing = store.transaction(async (tx) => {
      await work(tx);
      expect(await tx.profiles.applied("three")).to.deep.equal(expected[0]?.profile);
      const [third, fourth] = [sent("third", "three", 3_000), sent("fourth", "three", 4_000)];
      await tx.profiles.add([third]);
      expect(await tx.profiles.byId("third")).to.deep.equal(third);
      await tx.profiles.add([fourth]);
      expect(await tx.profiles.ofSession("three")).to.deep.equal([...expected, third, fourth]);
      throw new Error("undo");
    });
    expect((await rejection(failing)).message).to.equal("undo");
    expect(await store.profiles.ofSession("three")).to.deep.equal([sent("old", "three", 1_000)]);
    await store.transaction(work);
    expect(await store.profiles.ofSession("three")).to.deep.equal(expected);
    const ghost = store.transaction((tx) => tx.profiles.answer("ghost", "applied", at(0)));
    expect((await rejection(ghost)).message).to.contain("ghost");
  });

  it("refuses the answer to a profile that was never sent", async () => {
    expect((await rejection(given().store.profiles.answer("ghost", "applied", at(0)))).message).to.contain("ghost");
  });
});
