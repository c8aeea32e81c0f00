import { expect } from "chai";
import { sql } from "kysely";
import { slotCeil } from "../../backend/domain/slots.ts";
import { epochSecond, microEurPerKwh } from "../../backend/domain/units.ts";
import { everyMinute } from "../../backend/usecases/everyMinute.ts";
import { postBills } from "../../backend/usecases/postBills.ts";
import { redeemFlex } from "../../backend/usecases/redeemFlex.ts";
import { registerDriver, registerDrivers } from "../../backend/usecases/registerDriver.ts";
import { setTariff } from "../../backend/usecases/setTariff.ts";
import { aSite, HOUR, MINUTE, type Site } from "../support/world.ts";

const outbox = async (site: Site) => (await site.store.outbox.open()).count;
const batches = (site: Site) => site.store.bills.batches("cpo");

/** So many sessions of a few minutes, each of its own driver, billed and waiting. */
async function stays(site: Site, count: number) {
  for (let i = 0; i < count; i++) {
    const car = await site.plugIn(1, { driverId: `driver-${i}` });
    await site.minutes(2);
    await car.unplug();
  }
}

describe("Bills", () => {
  it("wait until a batch is full, and never more than a batch holds", async () => {
    const site = await aSite({ settings: { billingLines: 3 } });
    await stays(site, 2);
    expect(await postBills(site.world)).to.equal(0);
    await stays(site, 5);
    const before = await outbox(site);
    expect(await postBills(site.world)).to.equal(6);
    expect(await batches(site)).to.have.length(2);
    expect(await site.store.bills.ofBatch("cpo", 1)).to.have.length(3);
    expect(await site.store.bills.ofBatch("cpo", 2)).to.have.length(3);
    expect((await outbox(site)) - before, "posted and finalised, each batch").to.equal(4);
    expect(await postBills(site.world)).to.equal(0);
    expect(await postBills(site.world, true)).to.equal(1);
    expect(await site.store.bills.waiting("cpo")).to.deep.equal([]);
  });

  it("are posted when the oldest has waited long enough, by the clock alone", async () => {
    const site = await aSite({ settings: { billingWaitS: HOUR } });
    await stays(site, 1);
    await site.minutes(57);
    expect(await batches(site)).to.have.length(0);
    await site.minutes(18);
    expect(await batches(site)).to.have.length(1);
  });

  it("are posted in the first minute of a slot, also by a clock that is called a little late", async () => {
    const site = await aSite({ settings: { billingWaitS: 60 } });
    await stays(site, 1);
    const late = (seconds: number) => {
      const now = () => epochSecond(slotCeil(site.now()) + seconds);
      return everyMinute({ ...site.world, clock: { ...site.world.clock, now } });
    };
    await late(60);
    expect(await batches(site)).to.have.length(0);
    await late(7);
    expect(await batches(site)).to.have.length(1);
  });

  it("are posted in any minute where less than a minute is waited for", async () => {
    const site = await aSite({ settings: { billingWaitS: 20 } });
    await stays(site, 1);
    const now = () => epochSecond(slotCeil(site.now()) + 300);
    await everyMinute({ ...site.world, clock: { ...site.world.clock, now } });
    expect(await batches(site)).to.have.length(1);
  });

  it("of all sessions add up to what the meters measured, each in one batch", async () => {
    const site = await aSite({ settings: { billingLines: 4 } });
    await stays(site, 6);
    await postBills(site.world, true);
    const meteredWh = Math.floor(site.stage.evses["evse-1"]!.registerWs / 3600);
    const bills = await site.store.bills.all();
    expect(bills.reduce((sum, bill) => sum + bill.energyWh, 0)).to.equal(meteredWh);
    expect(bills.map(({ batch }) => batch).toSorted()).to.deep.equal([1, 1, 1, 1, 2, 2]);
    for (const bill of bills) expect(bill.amountMicroEur).to.equal(BigInt(bill.energyWh) * 350n);
  });
});

describe("A tariff", () => {
  it("in EUR per MWh or ten times too high is refused, with what it would cost", async () => {
    const site = await aSite();
    const answer = await setTariff(site.world, { cpoId: "cpo", pricePerKwh: microEurPerKwh(350_000_000) });
    expect(answer).to.include({ kind: "refused", reason: "suspicious-price" });
    expect((answer as { text: string }).text).to.contain("350 EUR/kWh");
    const negative = await setTariff(site.world, { cpoId: "cpo", pricePerKwh: microEurPerKwh(-1) });
    expect(negative).to.include({ kind: "refused" });
    const unknown = await setTariff(site.world, { cpoId: "nobody", pricePerKwh: microEurPerKwh(1) });
    expect(unknown).to.include({ kind: "refused", reason: "unknown-cpo" });
    expect((await site.store.sites.currentTariff("cpo"))!.pricePerKwh).to.equal(350_000);
  });

  it("that is set again is the same tariff", async () => {
    const site = await aSite();
    const first = await setTariff(site.world, { cpoId: "cpo", pricePerKwh: microEurPerKwh(400_000) });
    const before = await outbox(site);
    const again = await setTariff(site.world, { cpoId: "cpo", pricePerKwh: microEurPerKwh(400_000) });
    expect(again).to.deep.equal({ ...first, kind: "duplicate" });
    expect(await outbox(site)).to.equal(before);
  });
});

describe("A driver", () => {
  it("who registers twice keeps the first wallet and goes on chain once", async () => {
    const site = await aSite();
    const driver = { id: "ada", accountId: null, name: "Ada", consentText: "yes" };
    const first = await registerDriver(site.world, driver);
    const before = await outbox(site);
    expect(await registerDriver(site.world, { ...driver, name: "Somebody else" })).to.deep.equal(first);
    expect(await outbox(site)).to.equal(before);
    expect((await site.store.drivers.wallet("ada"))!.address).to.equal(first.address);
  });

  it("is registered with others in calls of at most a hundred", async () => {
    const site = await aSite();
    const before = await outbox(site);
    const drivers = Array.from({ length: 250 }, (_, i) => `d${i}`);
    await registerDrivers(
      site.world,
      drivers.map((id) => ({ id, accountId: null, name: id, consentText: "yes" })),
    );
    expect((await outbox(site)) - before).to.equal(3);
    expect(await site.store.drivers.all()).to.have.length(250);
  });

  it("consents with a text that nobody can guess from what goes on chain", async () => {
    const site = await aSite();
    const of = (id: string) => registerDriver(site.world, { id, accountId: null, name: id, consentText: "yes" });
    expect((await of("a")).consentHash).not.to.equal((await of("b")).consentHash);
  });
});

describe("FLEX", () => {
  it("is redeemed up to what was earned, one wish after the other, also when the chain passed over one", async () => {
    const site = await aSite({ priceOf: (slot) => (slot < 34 ? 200_000 : 20_000) });
    const car = await site.plugIn(1, { driverId: "ada" });
    await car.ask(5_000, site.in(2 * HOUR));
    await site.minutes(75);
    const { settlement } = await car.unplug();
    // Nothing was drawn in the dear half hour: all of the 5 kWh were moved.
    expect(settlement.flexWh).to.be.within(4_900, 5_300);
    const redeem = (wh: number, part: object = {}) =>
      redeemFlex(site.world, { driverId: "ada", cpoId: "cpo", wh, nonce: 0, ...part });
    expect(await redeem(settlement.flexWh + 1)).to.include({ kind: "refused", reason: "too-much" });
    expect(await redeem(0)).to.include({ kind: "refused", reason: "too-little" });
    expect(await redeem(1, { driverId: "nobody" })).to.include({ kind: "refused", reason: "unknown-driver" });
    expect(await redeem(1, { cpoId: "nobody" })).to.include({ kind: "refused", reason: "unknown-cpo" });
    const before = await outbox(site);
    expect(await redeem(settlement.flexWh)).to.include({ kind: "queued" });
    expect(await redeem(settlement.flexWh)).to.include({ kind: "refused", reason: "redemption-waits" });
    expect((await outbox(site)) - before).to.equal(1);
    // A batch that passes over an intent leaves its nonce free: the next wish goes out with the same one.
    await sql`update outbox set state = 'final'`.execute(site.db);
    await site.minutes(1);
    expect(await redeem(settlement.flexWh)).to.include({ kind: "queued" });
    expect(await outbox(site)).to.equal(1);
  });

  it("is nothing for a car that charged at once", async () => {
    const site = await aSite();
    const car = await site.plugIn(1, { takesWh: 3_000 });
    await site.until(site.now() + 30 * MINUTE);
    expect((await car.unplug()).settlement.flexWh).to.equal(0);
  });

  it("is nothing for a driver who declares a late departure and gets the same as everybody", async () => {
    // B14: the declared departure moves nothing when the car charges as it would have anyway.
    const site = await aSite();
    const car = await site.plugIn(1, { takesWh: 6_000 });
    await car.ask(6_000, epochSecond(site.now() + 20 * HOUR));
    await site.minutes(45);
    const { settlement } = await car.unplug();
    expect(settlement).to.include({ energyWh: 6_000, flexWh: 0 });
  });
});
