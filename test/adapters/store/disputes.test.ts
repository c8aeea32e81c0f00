import { expect } from "chai";
import { sql } from "kysely";
import type { Dispute } from "../../../backend/domain/disputes.ts";
import { microEur } from "../../../backend/domain/units.ts";
import { addDriver, addSite, aSettlement, at, onEveryDatabase, pastSession, rejection } from "./everyDatabase.ts";

const dispute = (sessionId: string, rest: Partial<Dispute> = {}): Dispute => ({
  sessionId,
  cpoId: "cpo",
  reason: "I charged at home that day. Ça va?",
  askedAt: at(10_000),
  openedAt: null,
  lapsedAt: null,
  decision: null,
  closed: null,
  ...rest,
});
const decision = {
  at: at(11_000),
  by: "account-1",
  refundMicroEur: microEur(2n ** 53n + 1n),
  flexDeltaWh: -700,
  text: "Half.",
};
const closed = {
  at: at(12_000),
  refundMicroEur: microEur(2n ** 53n + 1n),
  backMicroEur: microEur(5n),
  flexDeltaWh: -700,
};

onEveryDatabase("Disputes", (given) => {
  const ids = async (list: Promise<readonly Dispute[]>) => (await list).map((one) => one.sessionId);

  before(async () => {
    const { store } = given();
    await addSite(store);
    await addDriver(store, "ann");
    for (const id of ["a", "b", "c", "d"])
      await store.bills.add(aSettlement(await pastSession(store, id, { driverId: "ann" })), []);
    const guest = await pastSession(store, "guest");
    await store.bills.add(aSettlement(guest), []);
  });

  it("come back as they went in, at every stage", async () => {
    const { disputes } = given().store;
    const asked = dispute("a");
    const open = { ...asked, openedAt: at(10_100) };
    for (const stage of [asked, open, { ...open, decision }, { ...open, decision, closed }]) {
      await disputes.put(stage);
      expect(await disputes.ofSession("a")).to.deep.equal(stage);
    }
    expect(await disputes.ofSession("b")).to.equal(null);
  });

  it("are unfinished until the chain has ended them or they have lapsed, oldest first", async () => {
    const { disputes } = given().store;
    await disputes.put(dispute("b", { askedAt: at(10_009), openedAt: at(10_010) }));
    await disputes.put(dispute("c", { askedAt: at(10_001) }));
    await disputes.put(dispute("d", { reason: null, lapsedAt: at(20_000) }));
    expect(await ids(disputes.unfinished())).to.deep.equal(["c", "b"]);
  });

  it("are listed by session and by CPO", async () => {
    const { disputes } = given().store;
    expect((await ids(disputes.ofSessions(["b", "nothing", "a"]))).toSorted()).to.deep.equal(["a", "b"]);
    expect(await disputes.ofSessions([])).to.deep.equal([]);
    expect(await ids(disputes.ofCpo("cpo", 2))).to.deep.equal(["b", "c"]);
    expect(await disputes.ofCpo("none", 2)).to.deep.equal([]);
    expect(await ids(disputes.all())).to.deep.equal(["a", "b", "c", "d"]);
  });

  it("lower a CPO's figures once they have ended, and show what is at stake until then", async () => {
    expect(await given().store.bills.figures("cpo")).to.deep.equal({
      bills: 4,
      energyWh: 32_000,
      billedMicroEur: 11_200_000n,
      creditedMicroEur: 0n,
      refundedMicroEur: 2n ** 53n + 1n,
      flexWh: 4 * 1_500 - 700,
      disputes: 1,
      disputedMicroEur: 2_800_000n,
    });
    expect(await given().store.bills.figures("none")).to.include({ bills: 0, billedMicroEur: 0n, flexWh: 0 });
  });

  it("cannot be half decided or half ended, nor of a session that there is not", async () => {
    const { db, store } = given();
    await rejection(sql`update dispute set decided_at = now() where session_id = 'b'`.execute(db));
    await rejection(sql`update dispute set closed_at = now() where session_id = 'b'`.execute(db));
    await rejection(store.disputes.put(dispute("nothing")));
  });
});

onEveryDatabase("The outbox", (given) => {
  it("gives up what is not done, and leaves what is", async () => {
    const { db, store } = given();
    const call = {
      lane: "billing",
      stream: null,
      contract: "C",
      call: "f",
      args: {},
      data: "0x",
      gasLimit: 1,
    } as const;
    for (const key of ["open", "done"]) await store.outbox.enqueue({ ...call, key });
    await sql`update outbox set state = 'final' where key = 'done'`.execute(db);
    for (const key of ["open", "done", "nothing"]) await store.outbox.cancel(key);
    const rows = await db.selectFrom("outbox").select(["key", "cancelled"]).orderBy("key").execute();
    expect(rows).to.deep.equal([
      { key: "done", cancelled: false },
      { key: "open", cancelled: true },
    ]);
  });
});
