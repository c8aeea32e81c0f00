import { expect } from "chai";
import { sql } from "kysely";
import { epochSecond } from "../../backend/domain/units.ts";
import { disputeBill } from "../../backend/usecases/disputeBill.ts";
import { eraseDriver } from "../../backend/usecases/eraseDriver.ts";
import { claimFlex, type OnChain } from "../../backend/usecases/payouts.ts";
import { postBills } from "../../backend/usecases/postBills.ts";
import { setDriverPreferences } from "../../backend/usecases/registerDriver.ts";
import { startSession } from "../../backend/usecases/startSession.ts";
import { aSite, HOUR, type Site } from "../support/world.ts";

const DAY = 24 * HOUR;
const EMPTY: OnChain = { nonce: 0, availableMicroEur: 0n, flexWh: 0, announcedMicroEur: 0n, readyAt: epochSecond(0) };
const REASON = "Nobody else knows this sentence.";

describe("The erasure of a driver", () => {
  let site: Site;
  const erase = (part: object = {}) =>
    eraseDriver(site.world, { driverId: "ada", onChain: EMPTY, owedMicroEur: 0n, giveUp: false, ...part });
  const reason = async (part: object = {}) => ((await erase(part)) as { reason: string }).reason;
  const chainTookAll = () => sql`update outbox set state = 'final' where not cancelled`.execute(site.db);

  beforeEach(async () => {
    site = await aSite({ windowS: 2 * DAY });
  });
  const aBill = async () => {
    const car = await site.plugIn(1, { driverId: "ada", takesWh: 2_000 });
    await site.minutes(20);
    return car;
  };

  it("waits for the end of the session, for the bill, its window, a dispute, a debt, and what is on its way", async () => {
    const car = await aBill();
    expect(await reason()).to.equal("session-open");
    await car.unplug();
    expect(await reason(), "in no batch").to.equal("bill-open");
    await postBills(site.world, true);
    expect(await reason(), "not on chain").to.equal("bill-open");
    await chainTookAll();
    await site.store.bills.markBatch("cpo", 1, "posted", site.now());
    expect(await reason(), "can be disputed").to.equal("bill-open");
    const dispute = { sessionId: car.id, driverId: "ada", reason: REASON, nonce: 0 };
    expect(await disputeBill(site.world, dispute)).to.include({ kind: "asked" });
    expect(await reason()).to.equal("dispute-open");
    const asked = (await site.store.disputes.ofSession(car.id))!;
    const closed = { at: site.now(), refundMicroEur: 0n, backMicroEur: 0n, flexDeltaWh: 0 } as never;
    await site.store.disputes.put({ ...asked, openedAt: site.now(), closed });
    await chainTookAll();
    await site.store.bills.markBatch("cpo", 1, "finalised", site.now());
    const rich = { onChain: { ...EMPTY, flexWh: 5 } };
    const to = `0x${"42".repeat(20)}` as const;
    expect(await claimFlex(site.world, { driverId: "ada", to, ...rich })).to.deep.equal({ kind: "queued" });
    expect(await reason()).to.equal("payout-waits");
    await chainTookAll();
    expect(await reason({ owedMicroEur: 1n })).to.equal("debt-left");
    expect(await reason(rich)).to.equal("balance-left");
    expect(await reason({ onChain: { ...EMPTY, availableMicroEur: 1n } })).to.equal("balance-left");
    expect(await site.store.drivers.wallet("ada")).not.to.equal(null);
    expect(await erase({ ...rich, giveUp: true })).to.deep.equal({
      ...{ kind: "erased", at: site.now(), givenUpMicroEur: 0n, givenUpFlexWh: 5 },
    });
  });

  it("leaves no name, no key, no receipt, no salt and no word of the driver's, and every number as it was", async () => {
    const car = await aBill();
    await setDriverPreferences(site.world, {
      ...{ driverId: "ada", optIn: true, energyNeedWh: null, stayS: 7_654_321, batteryWh: null },
    });
    const { settlement } = await car.unplug();
    await postBills(site.world, true);
    await chainTookAll();
    await site.store.bills.markBatch("cpo", 1, "posted", site.now());
    await disputeBill(site.world, { sessionId: car.id, driverId: "ada", reason: REASON, nonce: 0 });
    const asked = (await site.store.disputes.ofSession(car.id))!;
    const figure = { refundMicroEur: 7n, flexDeltaWh: 0 } as never;
    const decision = { at: site.now(), by: "arbiter", text: "Ada is right.", ...(figure as object) } as never;
    const closed = { at: site.now(), backMicroEur: 7n, ...(figure as object) } as never;
    await site.store.disputes.put({ ...asked, openedAt: site.now(), decision, closed });
    await chainTookAll();
    await site.store.bills.markBatch("cpo", 1, "finalised", site.now());
    await sql`update driver set name = 'Ada Unmistakable', account_id = 'the-account' where id = 'ada'`.execute(
      site.db,
    );
    const wallet = (await site.store.drivers.wallet("ada"))!;
    await sql`update wallet set wrapped_dek = '0xfeedface01', sealed_key = '0xfeedface02' where wallet_id = 'ada'`.execute(
      site.db,
    );
    const secrets = ["Ada", "the-account", REASON, "0xfeedface", settlement.salt, settlement.receipt, "7654321"];
    const before = await everything();
    for (const secret of secrets) expect(before, secret).to.contain(JSON.stringify(secret).slice(1, -1));
    const figures = await site.store.bills.figures("cpo");

    expect(await erase()).to.include({ kind: "erased" });
    const after = await everything();
    for (const secret of secrets) expect(after, secret).not.to.contain(JSON.stringify(secret).slice(1, -1));
    expect(await site.store.bills.figures("cpo")).to.deep.equal(figures);
    const { receipt, salt, ...kept } = (await site.store.bills.ofSession(car.id))!;
    expect({ ...settlement, batch: 1 }).to.deep.include(kept);
    expect((await site.store.drivers.byId("ada"))!).to.include({ address: wallet.address, name: "", accountId: null });
    expect(await site.store.drivers.wallet("ada")).to.equal(null);
  });

  it("is for good: nobody charges or signs for an erased driver, and to ask again changes nothing", async () => {
    const car = await aBill();
    await car.unplug();
    await postBills(site.world, true);
    await chainTookAll();
    await site.store.bills.markBatch("cpo", 1, "finalised", site.now());
    const first = await erase();
    await site.minutes(10);
    expect(await erase()).to.deep.equal(first);
    expect(await reason({ driverId: "nobody" })).to.equal("unknown-driver");
    const plugIn = { sessionId: "later", evseId: "evse-1", driverId: "ada", at: site.now(), registerWh: 0 as never };
    expect(await startSession(site.world, plugIn)).to.include({ kind: "refused", reason: "unknown-driver" });
    const to = `0x${"42".repeat(20)}` as const;
    const claim = { driverId: "ada", to, onChain: { ...EMPTY, flexWh: 5 } };
    expect(await claimFlex(site.world, claim)).to.include({ reason: "unknown-driver" });
  });

  /** All rows of all tables, as text. */
  async function everything(): Promise<string> {
    const tables = (await site.db.introspection.getTables()).map(({ name }) => name);
    const parts: string[] = [];
    for (const name of tables) {
      const { rows } = await sql<{ row: string }>`select row_to_json(t)::text "row" from ${sql.table(name)} t`.execute(
        site.db,
      );
      parts.push(...rows.map(({ row }) => row));
    }
    return parts.join("\n");
  }
});
