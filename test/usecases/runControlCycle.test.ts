import { expect } from "chai";
import { limitAt } from "../../backend/domain/profiles.ts";
import { epochSecond } from "../../backend/domain/units.ts";
import { violations } from "../../backend/optimisation/checker.ts";
import { decodeProblem, decodeX } from "../../backend/optimisation/encoding.ts";
import type { Plan } from "../../backend/optimisation/problem.ts";
import type { StoredPlan } from "../../backend/usecases/ports.ts";
import { aSite, GROUP, HOUR, MINUTE, type Site, T0 } from "../support/world.ts";

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
const allPlans = (site: Site) => site.store.plans.page(epochSecond(0), "", 1_000);

/** The plan as it was stored, decoded from its bytes. */
function decoded(stored: StoredPlan) {
  const { problem } = decodeProblem(bytes(stored.problem));
  const energyWh = decodeX(problem, bytes(stored.x));
  const plan: Plan = { algorithm: stored.algorithm, energyWh, certificate: null, cost: stored.cost, bound: null };
  return { problem, plan };
}

describe("The control cycle", () => {
  it("runs a minute before each slot and one second after an event, and plans from five seconds later on", async () => {
    const site = await aSite();
    await site.until(T0 + 3 * MINUTE + 7);
    const car = await site.plugIn(1);
    await site.until(T0 + 31 * MINUTE);
    const plans = (await allPlans(site)).map(({ at, cause }) => [at - T0, cause]);
    expect(plans).to.deep.equal([
      [3 * MINUTE + 7 + 1 + 5, "event"],
      [14 * MINUTE + 5, "slot"],
      [29 * MINUTE + 5, "slot"],
    ]);
    // Nothing changed since the first plan: the station is told nothing new.
    expect((await car.profiles()).map(({ sentAt }) => sentAt - T0)).to.deep.equal([3 * MINUTE + 7 + 1]);
  });

  it("takes several events of the same second as one", async () => {
    const site = await aSite({ evses: 3 });
    for (const evse of [1, 2, 3]) await (await site.plugIn(evse)).ask(5_000, T0 + 2 * HOUR);
    await site.minutes(2);
    expect(await allPlans(site)).to.have.length(1);
  });

  it("charges in the cheapest slots that the departure leaves, and not in others", async () => {
    // Slots 32 to 39 (8:00 to 10:00): the third hour is out of reach, 9:15 to 9:45 is cheapest before it.
    const price = new Map([
      [37, 20_000],
      [38, 10_000],
      [40, 0],
    ]);
    const site = await aSite({ priceOf: (slot) => price.get(slot) ?? 200_000 });
    const car = await site.plugIn(1);
    expect((await car.ask(5_000, T0 + 2 * HOUR)).kind).to.equal("accepted");
    await site.until(T0 + 75 * MINUTE);
    expect(car.registerWh).to.equal(0);
    await site.until(T0 + 105 * MINUTE);
    // 2,760 Wh in the cheapest slot, the rest in the other.
    expect(car.registerWh).to.be.within(4_960, 5_000);
    expect(site.meanImportW(6)).to.be.within(10_850, 11_040);
    expect(site.meanImportW(5)).to.be.within(8_850, 9_100);
  });

  it("stores each plan with a certificate whose gap is 0, and what the checker says of its bytes: nothing", async () => {
    const site = await aSite({ limitW: 15_000, evses: 3, demandW: 3_000, priceOf: (slot) => (slot % 7) * 40_000 });
    for (const evse of [1, 2, 3]) await (await site.plugIn(evse)).ask(4_000 * evse, T0 + evse * HOUR);
    await site.minutes(90);
    const plans = await allPlans(site);
    expect(plans.length).to.be.at.least(7);
    for (const stored of plans) {
      const { problem, plan } = decoded(stored);
      expect(violations(problem, plan, { minimumPower: true })).to.deep.equal([]);
      expect(stored.algorithm).to.equal("least-cost");
      if (stored.repairedIntervals === 0) expect(stored.cost).to.equal(stored.bound);
      else expect(stored.cost >= stored.bound!).to.equal(true);
    }
  });

  it("records one run per slot on the chain's outbox, and every plan under one of them", async () => {
    const site = await aSite();
    await site.plugIn(1);
    await site.until(T0 + 5 * MINUTE);
    await site.plugIn(2);
    await site.until(T0 + 61 * MINUTE);
    const records = await site.store.plans.records(GROUP);
    const first = T0 / 900 + 1;
    expect(records.map(({ slot }) => slot)).to.deep.equal([first, first + 1, first + 2, first + 3]);
    const named = records.flatMap(({ planId, earlierPlanIds }) => [...earlierPlanIds, planId]);
    expect(named).to.deep.equal((await allPlans(site)).map(({ id }) => id));
  });

  it("never sends a limit between 0 and 6 A per phase", async () => {
    const site = await aSite({ limitW: 12_000, evses: 4 });
    const cars = [await site.plugIn(1), await site.plugIn(2, { maxW: 3_680, phases: 1 }), await site.plugIn(3)];
    await cars[0]!.ask(3_000, T0 + HOUR);
    await cars[2]!.ask(2_000, T0 + 90 * MINUTE);
    await site.minutes(40);
    cars.push(await site.plugIn(4));
    await site.minutes(60);
    for (const car of cars)
      for (const { profile } of await car.profiles())
        for (const { limitW } of profile)
          expect(limitW === 0 || limitW >= car.live.minPowerW, `${limitW} W`).to.equal(true);
    expect(cars.map(({ live }) => live.minPowerW)).to.deep.equal([4_140, 1_380, 4_140, 4_140]);
  });
});

describe("When the optimiser is late", () => {
  it("least laxity plans, its plan is feasible, promises are kept and the incident is noted", async () => {
    const site = await aSite({ limitW: 12_000, evses: 3 });
    site.faults.optimiser = true;
    const cars = [await site.plugIn(1), await site.plugIn(2), await site.plugIn(3)];
    await cars[0]!.ask(8_000, T0 + 2 * HOUR);
    await cars[1]!.ask(5_000, T0 + HOUR);
    await site.until(T0 + 10 * MINUTE);
    const plans = await allPlans(site);
    expect(plans.map(({ algorithm }) => algorithm)).to.deep.equal(plans.map(() => "least-laxity"));
    for (const stored of plans) {
      const { problem, plan } = decoded(stored);
      expect(violations(problem, plan)).to.deep.equal([]);
      expect(stored).to.include({ bound: null, y: "", w: "" });
    }
    expect(await site.incidents()).to.deep.equal(plans.map(() => "fallback"));
    // The second one can wait least: 5,000 Wh in an hour at 11 kW, against 8,000 in two.
    expect(cars[1]!.allowedW).to.be.greaterThan(10_000);
    site.faults.optimiser = false;
    await site.until(T0 + 2 * HOUR + 2 * MINUTE);
    expect((await allPlans(site)).at(-1)!.algorithm).to.equal("least-cost");
    for (const car of cars.slice(0, 2)) expect(await car.promise()).to.include({ state: "kept" });
  });

  it("keeps every promise with the fallback alone", async () => {
    const site = await aSite({ limitW: 12_000, evses: 3 });
    site.faults.optimiser = true;
    const cars = [await site.plugIn(1), await site.plugIn(2), await site.plugIn(3)];
    expect((await cars[0]!.ask(11_000, T0 + 2 * HOUR)).kind).to.equal("accepted");
    expect((await cars[1]!.ask(8_000, T0 + HOUR)).kind).to.equal("accepted");
    await site.until(T0 + 2 * HOUR + 2 * MINUTE);
    for (const car of cars.slice(0, 2)) expect(await car.promise()).to.include({ state: "kept" });
    for (let slot = 0; slot < 8; slot++) expect(site.meanImportW(slot)).to.be.at.most(12_000);
  });
});

describe("The second solver", () => {
  it("agrees once an hour, and a cost that differs is an incident", async () => {
    const site = await aSite({ limitW: 12_000, priceOf: (slot) => (slot % 5) * 30_000 });
    await (await site.plugIn(1)).ask(8_000, T0 + 6 * HOUR);
    await site.plugIn(2);
    await site.minutes(60);
    expect(await site.incidents()).to.deep.equal([]);
    site.faults.solver = true;
    await site.minutes(120);
    expect(await site.incidents()).to.deep.equal(["solver-differs", "solver-differs"]);
    const [incident] = await site.store.incidents.since(epochSecond(0));
    expect(incident!.text).to.match(/cost of \d+, the plan costs \d+; the plan's certificate has gap \d+/);
  });
});

describe("A station that goes silent under a promise", () => {
  it("is planned with its worst case and its promise is at risk; heard again, two good runs bring it back", async () => {
    const site = await aSite({ limitW: 20_000, demandW: 2_000 });
    const silent = await site.plugIn(1);
    const other = await site.plugIn(2);
    await silent.ask(12_000, T0 + 3 * HOUR);
    await site.until(T0 + 16 * MINUTE + 30);
    expect(await silent.promise()).to.include({ state: "on-track" });
    const allowedW = silent.allowedW;
    expect(allowedW).to.be.greaterThan(6_000);
    silent.station.silentUntil = T0 + 34 * MINUTE;

    await site.until(T0 + 18 * MINUTE + 10);
    expect(silent.live.silent, "after 2 minutes it may still be late").to.equal(false);
    await site.until(T0 + 19 * MINUTE + 10);
    expect(silent.live).to.include({ silent: true });
    expect(await site.incidents()).to.deep.equal(["silent-station"]);
    expect(silent.allowedW, "the station goes on as it was told").to.equal(allowedW);
    const [latest] = (await allPlans(site)).slice(-1);
    const { problem } = decoded(latest!);
    expect(problem.cars.map(({ session }) => session)).to.deep.equal([other.number]);
    const interval = problem.intervals[0]!;
    expect(interval.fixedWh).to.equal(
      Math.ceil((limitAt(silent.live.applied, site.now()) * interval.durationS) / 3600),
    );

    await site.until(T0 + 29 * MINUTE + 10);
    expect(await silent.promise()).to.include({ state: "at-risk" });
    await site.until(T0 + 46 * MINUTE);
    expect(silent.live.silent).to.equal(false);
    expect(await silent.promise()).to.include({ state: "on-track" });
    expect(silent.live.faults).to.have.length(1);
    await site.until(T0 + 3 * HOUR + 2 * MINUTE);
    expect(await silent.promise()).to.include({ state: "kept" });
    for (let slot = 0; slot < 12; slot++) expect(site.meanImportW(slot), `slot ${slot}`).to.be.at.most(20_000);
  });
});

describe("A car that stays after its departure", () => {
  it("keeps charging best effort, behind the promises of others", async () => {
    const site = await aSite({ limitW: 12_000 });
    const overstays = await site.plugIn(1);
    await overstays.ask(4_000, T0 + HOUR);
    await site.until(T0 + 61 * MINUTE);
    expect(await overstays.promise()).to.include({ state: "kept" });
    const atDeparture = overstays.registerWh;
    await site.until(T0 + 2 * HOUR);
    expect(overstays.registerWh - atDeparture).to.be.greaterThan(9_500);
    const other = await site.plugIn(2);
    expect((await other.ask(10_000, T0 + 3 * HOUR)).kind).to.equal("accepted");
    await site.until(T0 + 3 * HOUR + 2 * MINUTE);
    expect(await other.promise()).to.include({ state: "kept" });
    const { receipt } = await overstays.unplug();
    expect(receipt.promise).to.include({ outcome: "kept" });
    expect(receipt.lines[0]!.energyWh).to.equal(overstays.registerWh);
  });
});
