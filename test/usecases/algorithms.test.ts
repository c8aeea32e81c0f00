/** Groups under the algorithms that a CPO may choose, through the whole control cycle. */
import { expect } from "chai";
import { ALGORITHM_NAMES, type AlgorithmChoice, type AlgorithmName } from "../../backend/domain/algorithms.ts";
import { epochSecond } from "../../backend/domain/units.ts";
import { ALGORITHMS, parametersOf } from "../../backend/optimisation/algorithms.ts";
import type { StoredPlan } from "../../backend/usecases/ports.ts";
import { runControlCycle } from "../../backend/usecases/runControlCycle.ts";
import { setGroupAlgorithm } from "../../backend/usecases/setGroupAlgorithm.ts";
import { near } from "../support/near.ts";
import { randomFrom } from "../support/problems.ts";
import { aSite, type Car, GROUP, HOUR, MINUTE, type Site, T0 } from "../support/world.ts";

const choose = (site: Site, name: string, parameters?: Record<string, unknown>) =>
  setGroupAlgorithm(site.world, { groupId: GROUP, name, ...(parameters ? { parameters } : {}) });
const latest = async (site: Site): Promise<StoredPlan> => (await site.store.plans.latest(GROUP))!;
const only = (name: AlgorithmName, parameters: AlgorithmChoice["parameters"] = {}) => ({ name, parameters });

describe("A CPO's choice of an algorithm", () => {
  it("is how the next plan is made, a second later, and is remembered with its beginning", async () => {
    const site = await aSite();
    await site.plugIn(1);
    await site.minutes(2);
    expect(await latest(site)).to.deep.include({ algorithm: "least-cost" });
    const at = site.now();
    expect(await choose(site, "first-come", { protectPromises: 0 })).to.deep.equal({
      kind: "set",
      choice: only("first-come", { protectPromises: 0 }),
    });
    await site.seconds(2);
    expect(await latest(site)).to.deep.include({ algorithm: "first-come", parameters: { protectPromises: 0 } });
    expect((await site.store.sites.group(GROUP))?.algorithm).to.deep.equal(only("first-come", { protectPromises: 0 }));
    expect(await site.store.sites.algorithms(GROUP)).to.deep.equal([
      { from: 0, choice: only("least-cost") },
      { from: at, choice: only("first-come", { protectPromises: 0 }) },
    ]);
  });

  it("has defaults for what is left out, also when it was set before", async () => {
    const site = await aSite();
    await choose(site, "proportional-flexibility", { highFlexibilityW: 7_000 });
    await choose(site, "proportional-flexibility");
    await site.plugIn(1);
    await site.minutes(1);
    expect((await latest(site)).parameters).to.deep.equal({ highFlexibilityW: 11_000, protectPromises: 1 });
  });

  it("said again changes nothing, defaults spelled out or not", async () => {
    const site = await aSite();
    await choose(site, "equal-share");
    expect(await choose(site, "equal-share", { protectPromises: 1 })).to.include({ kind: "duplicate" });
    expect(await site.store.sites.algorithms(GROUP)).to.have.length(2);
  });

  it("is refused with what there is to choose from", async () => {
    const site = await aSite();
    const refusals: [string, Record<string, unknown>, string, RegExp][] = [
      ["cheapest", {}, "unknown-algorithm", /"cheapest".*least-cost, linear-program, proportional-flexibility/],
      ["equal-share", { protect: 1 }, "unknown-parameter", /no parameter "protect".*protectPromises/],
      ["uncontrolled", { protectPromises: 1 }, "unknown-parameter", /no parameters/],
      ["equal-share", { protectPromises: 2 }, "unknown-parameter", /from 0 to 1.*2 is outside/],
      ["equal-share", { protectPromises: 0.5 }, "unknown-parameter", /whole number \(0 or 1\), not 0.5/],
      ["equal-share", { protectPromises: "1" }, "unknown-parameter", /whole number.*not "1"/],
      ["proportional-flexibility", { highFlexibilityW: -1 }, "unknown-parameter", /from 0 to 1000000 \(W\)/],
    ];
    for (const [name, parameters, reason, says] of refusals) {
      const answer = await choose(site, name, parameters);
      expect(answer).to.include({ kind: "refused", reason });
      expect("text" in answer ? answer.text : "").to.match(says);
    }
    expect(await setGroupAlgorithm(site.world, { groupId: "elsewhere", name: "equal-share" })).to.include({
      reason: "unknown-group",
    });
    expect(await site.store.sites.algorithms(GROUP)).to.have.length(1);
  });
});

describe("Each algorithm in the control cycle", () => {
  for (const name of ALGORITHM_NAMES)
    it(`${name}: a plan with its method, its parameters and a bound, without an incident`, async () => {
      const site = await aSite({ limitW: 15_000, evses: 3, algorithm: only(name), priceOf: (k) => (k % 5) * 50_000 });
      for (const evse of [1, 2, 3]) await (await site.plugIn(evse)).ask(3_000 * evse, T0 + (evse + 1) * HOUR);
      await site.minutes(50);
      const plan = await latest(site);
      expect(plan.algorithm).to.equal(name);
      expect(plan.parameters).to.deep.equal(parametersOf(only(name)));
      expect(plan.bound).to.be.a("bigint");
      if (ALGORITHMS[name].withinLimit) expect(plan.cost >= plan.bound!).to.equal(true);
      expect(await site.incidents()).to.deep.equal([]);
    });

  it("a solver that gives no answer is replaced by least laxity, and a person is told", async () => {
    const site = await aSite({ algorithm: only("linear-program") });
    await site.plugIn(1);
    const solve = async () => ({ kind: "failed" as const, reason: "no answer within 30 s" });
    const plan = await runControlCycle({ ...site.world, solve }, GROUP, "event");
    expect(plan).to.deep.include({ algorithm: "least-laxity", parameters: {}, bound: null });
    const [incident] = await site.store.incidents.since(epochSecond(0));
    expect(incident).to.include({ kind: "fallback" });
    expect(incident!.text).to.match(/instead of linear-program.*no answer within 30 s/);
  });

  it("a rule's bound is held against the second solver once an hour", async () => {
    const site = await aSite({ limitW: 12_000, algorithm: only("equal-share"), priceOf: (k) => (k % 5) * 50_000 });
    for (const evse of [1, 2]) await (await site.plugIn(evse)).ask(3_000 * evse, T0 + (evse + 1) * HOUR);
    await site.until(T0 + HOUR);
    expect(await site.incidents()).to.deep.equal([]);
    site.faults.solver = true;
    await site.until(T0 + 2 * HOUR);
    expect(await site.incidents()).to.include("solver-differs");
  });

  it("equal share gives three cars the same power, whatever the price", async () => {
    const site = await aSite({ limitW: 24_000, evses: 3, algorithm: only("equal-share"), priceOf: (k) => k * 1_000 });
    const cars = [await site.plugIn(1), await site.plugIn(2), await site.plugIn(3)];
    await site.until(T0 + 20 * MINUTE);
    // The plan keeps 0.3 % of the limit free: 24,000 x 0.997 / 3 = 7,976 W.
    for (const car of cars) expect(car.allowedW).to.be.within(7_900, 8_000);
  });

  it("first come serves the car that was there first", async () => {
    const site = await aSite({ limitW: 16_000, algorithm: only("first-come") });
    const [first, second] = [await site.plugIn(1), await site.plugIn(2)];
    await site.until(T0 + 20 * MINUTE);
    expect(first.allowedW).to.be.within(11_000, 11_040);
    expect(second.allowedW).to.be.within(4_800, 4_960);
  });

  for (const limitKind of ["contract", "thermal"] as const)
    it(`uncontrolled lets everyone charge at full power, above a ${limitKind} limit too, and the guard looks on`, async () => {
      const site = await aSite({ limitW: 12_000, limitKind, algorithm: only("uncontrolled") });
      const cars = [await site.plugIn(1), await site.plugIn(2)];
      await site.until(T0 + 31 * MINUTE);
      for (const car of cars) expect(car.allowedW).to.equal(11_040);
      expect(site.meanImportW(1)).to.satisfy(near(22_080, 20));
      expect(site.board.guardActions).to.equal(0);
      expect(await site.incidents()).to.deep.equal([]);
      await choose(site, "least-cost");
      await site.until(T0 + 61 * MINUTE);
      expect(site.meanImportW(3), "and with control again").to.be.at.most(12_000);
    });
});

describe("What a promise is worth under a rule", () => {
  /** 8 kW for two cars; the first was promised 7 kWh in an hour, of which an equal share gives it 4. */
  async function aPromise(choice: AlgorithmChoice) {
    const site = await aSite({ limitW: 8_000, evses: 2, algorithm: choice });
    const [promised, other] = [await site.plugIn(1), await site.plugIn(2)];
    expect(await promised.ask(7_000, T0 + HOUR)).to.include({ kind: "accepted" });
    await site.until(T0 + HOUR + MINUTE);
    return { state: (await promised.promise())!.state, otherWh: other.live.registerWh - other.live.startRegisterWh };
  }

  it("it is kept: the rule shares only what the promise leaves", async () => {
    const { state, otherWh } = await aPromise(only("equal-share"));
    expect(state).to.equal("kept");
    expect(otherWh).to.be.within(500, 1_100);
  });

  it("nothing, when the rule is chosen alone", async () => {
    const { state, otherWh } = await aPromise(only("equal-share", { protectPromises: 0 }));
    expect(state).not.to.equal("kept");
    expect(otherWh).to.be.within(3_500, 4_300);
  });

  for (const name of ALGORITHM_NAMES)
    it(`${name}: a random afternoon keeps them all`, async () => {
      const random = randomFrom(7);
      const between = (from: number, to: number) => from + Math.floor(random() * (to - from));
      const site = await aSite({ limitW: 16_000, evses: 4, demandW: 3_000, algorithm: only(name) });
      const cars: Car[] = [];
      for (const evse of [1, 2, 3, 4]) {
        await site.minutes(between(3, 25));
        const car = await site.plugIn(evse, random() < 0.4 ? { maxW: 3_680, phases: 1 } : {});
        const answer = await car.ask(between(2_000, 9_000), site.now() + between(60, 150) * MINUTE);
        if (answer.kind === "counter-offer") await car.answer(true);
        cars.push(car);
      }
      await site.until(T0 + 5 * HOUR);
      let kept = 0;
      for (const car of cars) {
        const promise = await car.promise();
        if (!promise || promise.state === "expired") continue;
        expect(promise.state, car.id).to.equal("kept");
        kept++;
      }
      expect(kept).to.be.at.least(3);
    });
});
