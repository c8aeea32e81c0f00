import { expect } from "chai";
import { sql } from "kysely";
import { epochSecond, microEur } from "../../backend/domain/units.ts";
import { disputeBill } from "../../backend/usecases/disputeBill.ts";
import {
  announceWithdrawal,
  claimFlex,
  giveUpPayouts,
  type OnChain,
  unbookedMicroEur,
  waitingPayout,
  withdraw,
} from "../../backend/usecases/payouts.ts";
import { postBills } from "../../backend/usecases/postBills.ts";
import { redeemFlex } from "../../backend/usecases/redeemFlex.ts";
import { registerDriver } from "../../backend/usecases/registerDriver.ts";
import { aSite, HOUR, type Site } from "../support/world.ts";

const OWN = `0x${"42".repeat(20)}` as const;
const DAY = 24 * HOUR;

describe("A driver's payouts", () => {
  let site: Site;
  let address: `0x${string}`;
  const onChain = (part: Partial<OnChain> = {}): OnChain => ({
    ...{ nonce: 0, availableMicroEur: 1000n, flexWh: 50, announcedMicroEur: 600n, readyAt: site.now() },
    ...part,
  });
  const announce = (amount: bigint, part: Partial<OnChain> = {}) =>
    announceWithdrawal(site.world, { driverId: "ada", amountMicroEur: microEur(amount), onChain: onChain(part) });
  const take = (amount: bigint, part: Partial<OnChain> = {}, to: `0x${string}` = OWN) =>
    withdraw(site.world, { driverId: "ada", amountMicroEur: microEur(amount), to, onChain: onChain(part) });
  const claim = (part: Partial<OnChain> = {}, to: `0x${string}` = OWN) =>
    claimFlex(site.world, { driverId: "ada", to, onChain: onChain(part) });
  const calls = async () => (await site.store.outbox.waiting("payout:")).length;
  const chainSays = (state: string, error: string | null = null) =>
    sql`update outbox set state = ${state}, error = ${error} where starts_with(key, 'payout:')
      and state <> 'final' and not cancelled`.execute(site.db);

  beforeEach(async () => {
    site = await aSite({ settings: { billingWaitS: DAY } });
    const driver = { id: "ada", accountId: null, name: "Ada", consentText: "yes" };
    address = (await registerDriver(site.world, driver)).address as typeof address;
  });

  it("are refused beyond what there is, before the notice is over, and to addresses that are not the driver's own", async () => {
    const said = async (answer: Promise<object>) => ((await answer) as { reason: string }).reason;
    expect(await said(announce(0n))).to.equal("too-little-money");
    expect(await said(announce(1001n))).to.equal("too-much-money");
    expect(await said(take(1001n))).to.equal("too-much-money");
    expect(await said(take(601n))).to.equal("not-announced");
    expect(await said(take(600n, { readyAt: epochSecond(site.now() + 1) }))).to.equal("notice-runs");
    expect(await said(take(600n, {}, address))).to.equal("bad-address");
    expect(await said(take(600n, {}, `0x${"00".repeat(20)}`))).to.equal("bad-address");
    expect(await said(claim({ flexWh: 0 }))).to.equal("no-flex");
    expect(await said(claim({}, address))).to.equal("bad-address");
    const nobody = { driverId: "nobody", amountMicroEur: microEur(1n), onChain: onChain() };
    expect(await said(announceWithdrawal(site.world, nobody))).to.equal("unknown-driver");
    expect(await calls()).to.equal(0);
  });

  it("leave what bills will take that are not on chain yet", async () => {
    const car = await site.plugIn(1, { driverId: "ada", takesWh: 1_000 });
    await site.minutes(30);
    const { settlement } = await car.unplug();
    const billed = settlement.amountMicroEur;
    expect(billed).to.equal(350_000n);
    const rich = { availableMicroEur: billed + 10n, announcedMicroEur: billed + 10n };
    expect(await take(11n, rich)).to.include({ kind: "refused", reason: "too-much-money" });
    await postBills(site.world, true);
    expect(await unbookedMicroEur(site.store, "ada"), "posted, but not on chain").to.equal(billed);
    expect(await take(11n, rich)).to.include({ kind: "refused", reason: "too-much-money" });
    await sql`update outbox set state = 'final' where starts_with(key, 'batch:')`.execute(site.db);
    expect(await unbookedMicroEur(site.store, "ada")).to.equal(0n);
    expect(await take(11n, rich)).to.deep.equal({ kind: "queued" });
  });

  it("go one by one, and hold back whatever else the driver would sign", async () => {
    expect(await announce(600n)).to.deep.equal({ kind: "queued" });
    expect(await waitingPayout(site.store, address)).to.deep.equal({
      ...{ kind: "announce", amountMicroEur: 600n, to: null, refusedBecause: null },
      deadline: site.now() + DAY,
    });
    for (const again of [() => announce(600n), () => take(600n), () => claim()])
      expect(await again()).to.include({ kind: "refused", reason: "payout-waits" });
    expect(await calls()).to.equal(1);
    await chainSays("final");
    expect(await take(600n, { nonce: 1 })).to.deep.equal({ kind: "queued" });
    expect(await waitingPayout(site.store, address)).to.include({ kind: "withdraw", amountMicroEur: 600n, to: OWN });
  });

  it("wait for a redemption and for a dispute, and these for them", async () => {
    const dearAtFirst = await aSite({ priceOf: (slot) => (slot < 34 ? 200_000 : 20_000), windowS: 2 * DAY });
    site = dearAtFirst;
    const car = await site.plugIn(1, { driverId: "ada" });
    await car.ask(5_000, site.in(2 * HOUR));
    await site.minutes(75);
    await car.unplug();
    await postBills(site.world, true);
    await site.store.bills.markBatch("cpo", 1, "posted", site.now());
    await sql`update outbox set state = 'final'`.execute(site.db);
    const redeem = (nonce: number) => redeemFlex(site.world, { driverId: "ada", cpoId: "cpo", wh: 10, nonce });
    const dispute = () => disputeBill(site.world, { sessionId: "s1", driverId: "ada", reason: "No.", nonce: 2 });

    expect(await redeem(0)).to.include({ kind: "queued" });
    expect(await claim()).to.include({ kind: "refused", reason: "redemption-waits" });
    await sql`update outbox set state = 'final'`.execute(site.db);
    expect(await claim({ nonce: 1 })).to.deep.equal({ kind: "queued" });
    expect(await redeem(1)).to.include({ kind: "refused", reason: "payout-waits" });
    expect(await dispute()).to.include({ kind: "refused", reason: "payout-waits" });
    await chainSays("final");
    expect(await dispute()).to.include({ kind: "asked" });
    expect(await claim({ nonce: 2 })).to.include({ kind: "refused", reason: "dispute-waits" });
  });

  it("that the chain refuses make room for a new wish, and are given up when their time is over", async () => {
    await announce(600n);
    await chainSays("blocked", "InsufficientBalance");
    expect(await waitingPayout(site.store, address)).to.include({ refusedBecause: "InsufficientBalance" });
    expect(await announce(500n)).to.deep.equal({ kind: "queued" });
    expect(await calls()).to.equal(1);
    expect(await waitingPayout(site.store, address)).to.include({ amountMicroEur: 500n, refusedBecause: null });
    await site.until(site.now() + DAY + 1);
    await giveUpPayouts(site.world);
    expect(await calls(), "on its way still").to.equal(1);
    await chainSays("blocked", "IntentRefused");
    await giveUpPayouts(site.world);
    expect(await calls()).to.equal(0);
  });
});
