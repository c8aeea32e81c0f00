/**
 * A driver disputes a bill, the arbiter refunds half of it, the money is there, and the audit agrees: everything real, with a
 * day of the sample scenario behind it and the chain's time moved on by hand. What a tamperer would change is named.
 */
import { expect } from "chai";
import { sql } from "kysely";
import { createChainEye } from "../../backend/adapters/chain/chainEye.ts";
import { type Hex, quantity, request } from "../../backend/adapters/chain/rpc.ts";
import { auditSystem } from "../../backend/auditSystem.ts";
import { chainTotals } from "../../backend/chainTotals.ts";
import { DEFAULT_SETTINGS, derivedRandom, openSystem, type System } from "../../backend/compose.ts";
import { type EpochSecond, epochSecond, microEur } from "../../backend/domain/units.ts";
import { replayScenario, worldOf } from "../../backend/replay/replayScenario.ts";
import { readScenario } from "../../backend/replay/scenario.ts";
import { audit } from "../../backend/usecases/audit.ts";
import { billStates } from "../../backend/usecases/billStates.ts";
import { decideDispute } from "../../backend/usecases/decideDispute.ts";
import { disputeBill } from "../../backend/usecases/disputeBill.ts";
import { followDisputes } from "../../backend/usecases/followDisputes.ts";
import type { ChainEye, MoneyEvent, Settlement } from "../../backend/usecases/ports.ts";
import { SAMPLE, shortened } from "../support/replays.ts";

const DAY_S = 86_400;
const WINDOW_S = 3 * DAY_S;
const HOURS = 12;
const market = DEFAULT_SETTINGS.market;

describe("A disputed bill, from the driver to the money", function () {
  this.timeout(300_000);
  let system: System;
  let bills: readonly Settlement[];
  /** Who disputes, who disputes and is never heard, and who is content. */
  let [mine, unheard, other]: Settlement[] = [];

  const chainNow = async () =>
    epochSecond(
      Number((await request<{ timestamp: Hex }>(system.rpc, "eth_getBlockByNumber", "latest", false)).timestamp),
    );
  /** The service, at the chain's time. */
  const service = async () => {
    const now = await chainNow();
    const clock = { now: (): EpochSecond => now, schedule: () => undefined };
    return { ...worldOf(system, DEFAULT_SETTINGS), clock, holdsArbiterKey: system.holdsArbiterKey };
  };
  /** The writer writes, the service looks, and what follows from it is written. */
  async function settle() {
    await system.writer.drain();
    await followDisputes(await service(), system.watch);
    const { open } = await system.writer.drain();
    await followDisputes(await service(), system.watch);
    return open;
  }
  async function later(seconds: number) {
    await request(system.rpc, "evm_increaseTime", quantity(seconds));
    await request(system.rpc, "evm_mine");
  }
  const addressOf = async (bill: Settlement) => (await system.store.drivers.byId(bill.driverId!))!.address as Hex;
  const accountOf = async (bill: Settlement) => system.reader.account(await addressOf(bill));
  const stateOf = async (bill: Settlement) => {
    const stored = (await system.store.bills.ofSession(bill.sessionId))!;
    return (await billStates(await service(), [stored]))[0]!.state;
  };
  const dispute = async (bill: Settlement) =>
    disputeBill(await service(), {
      sessionId: bill.sessionId,
      driverId: bill.driverId!,
      reason: "Half of it was charged while the car was away.",
      nonce: (await accountOf(bill)).nonce,
    });
  const differences = async (parts: Partial<Parameters<typeof auditSystem>[1]> = {}) =>
    (await auditSystem(system, { market, ...parts })).differences.map(({ where, text }) => `${where}: ${text}`);

  before(async () => {
    system = await openSystem({ random: derivedRandom("dispute"), disputeWindowS: WINDOW_S });
    await replayScenario(system, {
      scenario: readScenario(shortened(SAMPLE, HOURS)),
      settings: DEFAULT_SETTINGS,
      version: "test",
      totals: () => chainTotals(system),
      audit: () => auditSystem(system, { market }),
    });
    const all = (await system.store.bills.all()).filter(
      (bill) => bill.amountMicroEur > 1_000_000n && bill.flexWh > 500,
    );
    // Of three drivers, so that none has to wait for the other.
    bills = [...new Map(all.map((bill) => [bill.driverId, bill])).values()];
    [mine, unheard, other] = bills as [Settlement, Settlement, Settlement];
    expect(bills).to.have.length.above(2);
    expect(await settle()).to.equal(0);
  });
  after(() => system?.close());

  it("begins with bills that are open for the window, and nothing finalised", async () => {
    expect(await stateOf(mine!)).to.include({ kind: "open" });
    expect((await system.store.bills.unfinalised()).length).to.be.above(0);
    expect(await differences()).to.deep.equal([]);
  });

  it("sets aside what was paid, once the driver has said so", async () => {
    const cpo = (await system.store.sites.cpos())[0]!;
    const pot = async () => (await system.reader.batch(cpo.number, mine!.batch!)).pot;
    const before = await pot();
    expect(await dispute(mine!)).to.include({ kind: "asked" });
    expect(await dispute(unheard!)).to.include({ kind: "asked" });
    expect(await settle()).to.equal(0);
    expect(before - (await pot())).to.equal(mine!.amountMicroEur + unheard!.amountMicroEur);
    expect(await stateOf(mine!)).to.include({ kind: "disputed" });
    expect(await stateOf(other!)).to.include({ kind: "open" });
    expect(await differences()).to.deep.equal([]);
  });

  it("gives half of it back when the arbiter says so, and the rest to the operator", async () => {
    const half = microEur(mine!.amountMicroEur / 2n);
    const [before, payee] = [await accountOf(mine!), await system.reader.account(system.treasury)];
    const decision = {
      sessionId: mine!.sessionId,
      by: "arbiter",
      refundMicroEur: half,
      flexDeltaWh: -500,
      text: "Half.",
    };
    expect(await decideDispute(await service(), decision)).to.include({ kind: "decided" });
    expect(await settle()).to.equal(0);
    const after = await accountOf(mine!);
    expect(after.available - before.available).to.equal(half);
    expect(before.flexWh - after.flexWh, "FLEX was redeemed at the end of the replay").to.be.within(0, 500);
    const rest = mine!.amountMicroEur - half;
    expect((await system.reader.account(system.treasury)).available - payee.available).to.equal(rest);
    expect(await stateOf(mine!)).to.deep.equal({ kind: "resolved", refundMicroEur: half, flexDeltaWh: -500 });
    expect(await system.store.bills.figures("cpo")).to.include({ refundedMicroEur: half, disputes: 1 });
    expect(await differences()).to.deep.equal([]);
  });

  it("is finalised after the window without what is disputed; what nobody decides goes back whole", async () => {
    await later(WINDOW_S);
    expect(await settle()).to.equal(0);
    expect(await system.store.bills.unfinalised()).to.deep.equal([]);
    expect(await stateOf(other!)).to.deep.equal({ kind: "final" });
    expect(await dispute(other!)).to.include({ kind: "refused", reason: "window-closed" });
    expect(await differences()).to.deep.equal([]);
    const before = await accountOf(unheard!);
    await later(30 * DAY_S);
    // Nobody has looked yet: who audits now finds a dispute that should have ended.
    expect((await differences()).join()).to.match(
      /dispute of session .* is undecided since .*: it should have expired/,
    );
    expect(await settle()).to.equal(0);
    expect((await accountOf(unheard!)).available - before.available).to.equal(unheard!.amountMicroEur);
    expect(await stateOf(unheard!)).to.include({ kind: "expired", refundMicroEur: unheard!.amountMicroEur });
    expect(await differences()).to.deep.equal([]);
    const { held, owned } = await system.reader.funds();
    expect(owned).to.equal(held);
  });

  /* ---------------------------------------------------------------------------------------------- tampering */

  const eyeOf = () => createChainEye(system.rpc, system.manifest, system.contracts, system.artifacts);
  async function auditedWith(eye: Partial<ChainEye>): Promise<string> {
    const { store, ledger } = system;
    const chain = { ...(await eyeOf()), ...eye };
    const report = await audit({ store, ledger, chain, market, contractJudges: "recorded runs" });
    return report.differences.map(({ what, where, text }) => `${what}: ${where}: ${text}`).join("\n");
  }
  const named = (bill: Settlement) => `disputes: dispute of session ${bill.sessionId}`;

  it("names an event that was left out", async () => {
    const events = await (await eyeOf()).moneyEvents();
    const without = (...kinds: MoneyEvent["kind"][]) => ({
      moneyEvents: async () =>
        events.filter(
          (event) => !(kinds.includes(event.kind) && "number" in event && event.number === mine!.sessionNumber),
        ),
    });
    const opening = await auditedWith(without("disputed"));
    expect(opening).to.contain(`${named(mine!)}: was decided on chain, but no event says that it was opened`);
    expect(opening).to.contain("pot that the contract keeps");
    const ending = await auditedWith(without("resolved"));
    expect(ending).to.contain(`${named(mine!)}: state that the contract keeps is resolved, not open`);
    const both = await auditedWith(without("disputed", "resolved"));
    expect(both).to.contain(`${named(mine!)}: state that the contract keeps is resolved, not none`);
    expect(both).to.match(/is open in the store since .*, but not on chain/);
  });

  it("names another refund, another time, another bill than the chain's, and a dispute that the chain does not know", async () => {
    const { db } = system.database;
    const ID = `session_id = '${mine!.sessionId}'`;
    const cases: readonly (readonly [set: string, words: RegExp])[] = [
      ["refund_micro_eur = refund_micro_eur + 1", /refund in the store \(micro-euro\) is \d+, not \d+/],
      ["back_micro_eur = 0", /given back, in the store/],
      ["flex_delta_wh = 500", /FLEX given, in the store \(Wh\) is 500, not -500/],
      ["decided_refund_micro_eur = 0", /refund that the arbiter decided \(micro-euro\) is 0/],
      ["decided_flex_delta_wh = 0", /FLEX that the arbiter decided \(Wh\) is 0/],
      ["opened_at = opened_at + interval '1 second'", /time of its opening/],
      ["opened_at = null", /is open on chain, but the store does not know it/],
    ];
    const kept = (await system.store.disputes.ofSession(mine!.sessionId))!;
    for (const [set, words] of cases) {
      await sql.raw(`update dispute set ${set} where ${ID}`).execute(db);
      expect(await auditedWith({}), set).to.match(words);
      await system.store.disputes.put(kept);
    }
    await sql.raw(`delete from dispute where ${ID}`).execute(db);
    expect(await auditedWith({})).to.match(/ended on chain with \d+ micro-euro of refund, the store does not know it/);
    await system.store.disputes.put(kept);
    await system.store.disputes.put({ ...kept, sessionId: other!.sessionId });
    const invented = await auditedWith({});
    expect(invented).to.contain(
      `${named(other!)}: ended in the store with ${kept.closed!.refundMicroEur} micro-euro of refund, but not on chain`,
    );
    expect(invented).to.match(/is open in the store since .*, but not on chain/);
    await sql.raw(`delete from dispute where session_id = '${other!.sessionId}'`).execute(db);
    expect(await auditedWith({})).to.equal("");
  });

  it("takes what a running service has not noted yet as a note, not as a difference", async () => {
    const kept = (await system.store.disputes.ofSession(mine!.sessionId))!;
    await system.store.disputes.put({ ...kept, closed: null });
    const report = await auditSystem(system, { market, live: true, contractJudges: "recorded runs" });
    expect(report.differences).to.deep.equal([]);
    expect(report.notes.join("\n")).to.match(
      /ended on chain with \d+ micro-euro of refund, the store does not know it yet/,
    );
    await system.store.disputes.put(kept);
  });
});
