import { expect } from "chai";
import { epochSecond, wattHour } from "../../backend/domain/units.ts";
import { setEvseStatus } from "../../backend/usecases/setEvseStatus.ts";
import { type PlugIn, startSession } from "../../backend/usecases/startSession.ts";
import { type PlugOut, stopSession } from "../../backend/usecases/stopSession.ts";
import { aSite, HOUR, MINUTE, type Site, T0 } from "../support/world.ts";

const plugIn = (site: Site, part: Partial<PlugIn> = {}): PlugIn => ({
  sessionId: "new",
  evseId: "evse-2",
  driverId: null,
  at: site.now(),
  registerWh: wattHour(0),
  ...part,
});

describe("A plug-in", () => {
  let site: Site;
  before(async () => {
    site = await aSite({ evses: 3 });
    await site.plugIn(1);
    await site.minutes(2);
  });
  const refusal = async (part: Partial<PlugIn>) => {
    const before = await site.store.sessions.all();
    const answer = await startSession(site.world, plugIn(site, part));
    expect(await site.store.sessions.all()).to.deep.equal(before);
    expect(site.board.sessions).to.have.all.keys("s1");
    expect(answer.kind).to.equal("refused");
    return answer as { reason: string; text: string };
  };

  it("at an unknown EVSE is refused with its id", async () => {
    const { reason, text } = await refusal({ evseId: "evse-77" });
    expect(reason).to.equal("unknown-evse");
    expect(text).to.contain("evse-77").and.contain("Register it");
  });

  it("at an occupied EVSE is refused, and says by which session", async () => {
    const { reason, text } = await refusal({ evseId: "evse-1" });
    expect(reason).to.equal("occupied");
    expect(text).to.contain("session s1").and.contain("Stop that session first");
  });

  it("at an EVSE out of order is refused until it works again", async () => {
    await setEvseStatus(site.world, { evseId: "evse-3", status: "OUTOFORDER", at: site.now() });
    const { reason, text } = await refusal({ evseId: "evse-3" });
    expect(reason).to.equal("out-of-order");
    expect(text).to.contain("AVAILABLE");
  });

  it("in the future is refused; a clock two minutes ahead is not", async () => {
    expect(await refusal({ at: site.in(121) })).to.include({ reason: "bad-instant" });
  });

  it("of an unknown driver is refused with its id", async () => {
    expect((await refusal({ driverId: "nobody" })).text).to.contain("nobody");
  });

  it("that is known already is answered as it was and changes nothing", async () => {
    const known = await site.store.sessions.byId("s1");
    const live = structuredClone(site.board.sessions.s1);
    const again = await startSession(site.world, plugIn(site, { sessionId: "s1", registerWh: wattHour(99) }));
    expect(again).to.deep.equal({ kind: "duplicate", session: known });
    expect(site.board.sessions.s1).to.deep.equal(live);
    expect(await site.store.sessions.all()).to.have.length(1);
  });
});

describe("A car at an EVSE", () => {
  it("is never planned with more than EVSE and car allow", async () => {
    const site = await aSite({ evseW: 7_360, phases: 1, evses: 2 });
    const big = await site.plugIn(1, { maxW: 22_000, phases: 1 });
    const small = await site.plugIn(2, { maxW: 3_680, phases: 1 });
    await site.minutes(3);
    expect([big.live.maxPowerW, small.live.maxPowerW]).to.deep.equal([7_360, 3_680]);
    expect(big.allowedW).to.be.within(7_300, 7_360);
    expect(small.allowedW).to.be.within(3_650, 3_680);
  });

  it("has the EVSE's power and phases when nothing is known of it", async () => {
    const site = await aSite({ evseW: 11_040, phases: 3 });
    const started = await startSession(site.world, plugIn(site));
    expect(started).to.deep.include({ kind: "started" });
    expect((started as { session: object }).session).to.include({ maxPowerW: 11_040, phases: 3, mode: "best-effort" });
    expect(site.board.sessions.new).to.include({ minPowerW: 3 * 1_380 });
  });

  it("without a driver charges best effort; its bill waits for no batch", async () => {
    const site = await aSite();
    const car = await site.plugIn(1, { driverId: null, takesWh: 1_000 });
    await site.minutes(20);
    const { settlement } = await car.unplug();
    expect(settlement).to.include({ driverId: null, energyWh: 1_000 });
    expect(await site.store.bills.waiting("cpo")).to.deep.equal([]);
  });
});

describe("A plug-out", () => {
  let site: Site;
  beforeEach(async () => {
    site = await aSite();
  });
  const stop = (part: Partial<PlugOut>) =>
    stopSession(site.world, { sessionId: "s1", at: site.now(), registerWh: wattHour(0), ...part });
  const refusal = async (part: Partial<PlugOut>) => {
    const answer = await stop(part);
    expect(answer.kind).to.equal("refused");
    expect(await site.store.bills.all()).to.deep.equal([]);
    expect((await site.store.sessions.byId("s1"))?.unpluggedAt ?? null).to.equal(null);
    return (answer as { text: string }).text;
  };

  it("that comes again is answered with the same bill and changes nothing", async () => {
    const car = await site.plugIn(1, { takesWh: 2_000 });
    await site.minutes(20);
    const first = await car.unplug();
    const again = await stop({ at: site.in(-10), registerWh: wattHour(2_500) });
    expect(again).to.deep.include({ kind: "duplicate" });
    expect((again as typeof first).settlement).to.deep.equal(first.settlement);
    expect(await site.store.bills.all()).to.have.length(1);
    expect(await site.store.sessions.byId(car.id)).to.include({ endRegisterWh: 2_000 });
  });

  it("of an unknown session, in the future or before the plug-in is refused", async () => {
    expect(await refusal({ sessionId: "nobody" })).to.contain("nobody");
    await site.plugIn(1);
    await site.minutes(5);
    expect(await refusal({ at: site.in(121), registerWh: wattHour(900) })).to.match(/future.*clock/);
    expect(await refusal({ at: epochSecond(T0 - 1) })).to.match(/before the plug-in/);
  });

  it("with a register that fell, in kWh, or faster than possible is refused with what to fix", async () => {
    const car = await site.plugIn(1);
    await site.minutes(30);
    const { registerWh } = car.live;
    expect(await refusal({ registerWh: wattHour(registerWh - 1) })).to.contain(
      `from ${registerWh} to ${registerWh - 1}`,
    );
    expect(await refusal({ registerWh: wattHour(5) })).to.contain("in Wh");
    expect(await refusal({ registerWh: wattHour(registerWh * 1000) })).to.contain("Is the value in Wh?");
    expect((await stop({ registerWh: car.registerWh })).kind).to.equal("stopped");
  });

  it("frees its EVSE and its power for the others at once", async () => {
    site = await aSite({ limitW: 12_000 });
    const first = await site.plugIn(1);
    await first.ask(10_500, T0 + HOUR);
    const second = await site.plugIn(2);
    await site.minutes(10);
    expect(second.allowedW).to.equal(0);
    await first.unplug();
    await site.seconds(10);
    expect(second.allowedW).to.be.greaterThan(10_500);
    await site.plugIn(1);
  });

  it("counts the energy that was drawn after the last reading", async () => {
    const car = await site.plugIn(1);
    await site.until(T0 + 10 * MINUTE + 50);
    expect(car.registerWh - car.live.registerWh).to.be.within(150, 156);
    const { settlement } = await car.unplug();
    expect(settlement.energyWh).to.equal(car.registerWh);
  });
});

describe("The status of an EVSE", () => {
  it("of which nobody knows is refused", async () => {
    const site = await aSite();
    const answer = await setEvseStatus(site.world, { evseId: "evse-9", status: "AVAILABLE", at: site.now() });
    expect(answer).to.include({ kind: "refused", reason: "unknown-evse" });
  });

  it("out of order under a car takes it out of the others' way, said twice it is one fault", async () => {
    const site = await aSite({ limitW: 12_000 });
    const broken = await site.plugIn(1);
    const other = await site.plugIn(2);
    await broken.ask(10_500, T0 + HOUR);
    await site.minutes(10);
    expect(other.allowedW).to.equal(0);
    for (let i = 0; i < 2; i++)
      await setEvseStatus(site.world, { evseId: "evse-1", status: "INOPERATIVE", at: site.now() });
    broken.station.faultUntil = T0 + 40 * MINUTE;
    await site.seconds(10);
    expect(broken.live.faults).to.deep.equal([{ from: T0 + 10 * MINUTE, until: null }]);
    expect(other.allowedW).to.be.greaterThan(10_500);
    await site.until(T0 + 40 * MINUTE);
    await setEvseStatus(site.world, { evseId: "evse-1", status: "CHARGING", at: site.now() });
    expect(broken.live.faults).to.deep.equal([{ from: T0 + 10 * MINUTE, until: T0 + 40 * MINUTE }]);
    await site.minutes(2);
    expect(broken.allowedW).to.be.greaterThan(10_000);
  });
});
