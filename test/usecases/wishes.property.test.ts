import { expect } from "chai";
import { limitAt } from "../../backend/domain/profiles.ts";
import { type EpochSecond, wattHour } from "../../backend/domain/units.ts";
import { auditedSite } from "../support/auditedSite.ts";
import { randomFrom } from "../support/problems.ts";
import { aSite, type Car, HOUR, MINUTE, T0 } from "../support/world.ts";

const HOURS = 5;
const LIMIT_W = 20_000;

type Promised = {
  energyWh: number;
  by: number;
  first: { wh: number; by: number } | null;
  car: Car;
  gotWh: () => number;
  earlyWh: () => number;
};

/**
 * The afternoon of promises.property.test.ts with everything that drivers may wish: as fast as possible, a part first, a
 * planned start, boosts that come and go, cars that cannot pause, and opted-out cars that fill up.
 */
async function anAfternoonOfWishes(seed: number) {
  const random = randomFrom(seed);
  const between = (from: number, to: number) => from + Math.floor(random() * (to - from));
  const site = await aSite({
    limitW: LIMIT_W,
    evses: 4,
    demandW: 4_000,
    priceOf: (slot) => ((slot * 7) % 11) * 20_000,
  });
  const free = new Map([1, 2, 3, 4].map((evse) => [evse, T0 + between(0, 30) * MINUTE]));
  const present: { evse: number; car: Car; leavesAt: number; pausing: boolean }[] = [];
  const promised: Promised[] = [];
  const kinds = new Map<string, number>();
  const count = (kind: string) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const pauses: string[] = [];
  const told: string[] = [];
  for (let at = T0; at < T0 + HOURS * HOUR; at += MINUTE) {
    await site.until(at);
    if ((at - T0) % (15 * MINUTE) === 0) site.load(between(3_500, 4_500));
    for (const one of present.filter(({ leavesAt }) => leavesAt <= at)) {
      present.splice(present.indexOf(one), 1);
      await one.car.unplug();
      free.set(one.evse, at + between(1, 40) * MINUTE);
    }
    for (const { car } of present)
      if (random() < 0.01) {
        const wish = random() < 0.5 ? { until: at + between(5, 50) * MINUTE } : { energyWh: between(500, 4_000) };
        count((await car.boost(wish)).kind);
      } else if (car.live.boost && random() < 0.05) count((await car.cancelBoost()).kind);
    for (const [evse, from] of free) {
      if (at < from) continue;
      free.delete(evse);
      const leavesAt = Math.min(at + between(25, 150) * MINUTE, T0 + HOURS * HOUR);
      const stayS = leavesAt - at;
      const cannotPause = random() < 0.25;
      const isSmall = random() < 0.4;
      const isOut = random() < 0.12;
      const car = await site.plugIn(evse, {
        ...(isSmall ? { maxW: 3_680, phases: 1 as const } : {}),
        ...(isOut ? { takesWh: between(500, 4_000) } : {}),
        cannotPause,
      });
      present.push({ evse, car, leavesAt: leavesAt + between(0, 3) * MINUTE, pausing: !cannotPause });
      if (isOut) {
        count((await car.optOut()).kind);
        continue;
      }
      const wh = between(1_000, 11_000);
      const kind = random();
      const soon = (share: number) => (at + Math.ceil((stayS * share) / MINUTE) * MINUTE) as EpochSecond;
      const answer = await car.ask(wh, leavesAt, {
        ...(kind < 0.25 && { soonest: true }),
        ...(kind >= 0.25 && kind < 0.5 && { first: { wh: wattHour(Math.floor(wh * 0.3)), by: soon(0.4) } }),
        ...(kind >= 0.5 && kind < 0.65 && { notBefore: soon(0.3) }),
      });
      count(answer.kind);
      told.push(
        `${car.id} at ${at - T0} until ${leavesAt - T0}, ${cannotPause ? "cannot pause" : "pauses"}, kind ${kind.toFixed(2)}: ${answer.kind} ${JSON.stringify("promise" in answer ? [answer.promise.energyWh, answer.promise.by - T0, answer.promise.first] : null)} steady ${car.live.steadyFrom && car.live.steadyFrom - T0}`,
      );
      let promise = "promise" in answer ? answer.promise : null;
      if (answer.kind === "counter-offer") {
        const isLater = answer.laterAt !== null && answer.laterAt < T0 + HOURS * HOUR && random() < 0.5;
        const taken = await car.answer(true, isLater ? "later" : "less");
        promise = taken.kind === "accepted" ? taken.promise : promise;
        // Who takes the later time stays until then.
        const own = present.at(-1)!;
        if (isLater && promise) own.leavesAt = Math.max(own.leavesAt, promise.by);
      }
      if (!promise) continue;
      const startWh = car.registerWh;
      const { energyWh, by, first = null } = promise;
      let [gotWh, earlyWh, hasBegun] = [0, 0, false];
      site.eachSecond(() => {
        if (car.station.car?.sessionId !== car.id) return;
        if (site.stage.at <= by) gotWh = car.registerWh - startWh;
        if (first && site.stage.at <= first.by) earlyWh = gotWh;
        if (limitAt(car.station.profile, site.stage.at as EpochSecond) > 0) hasBegun = true;
        // By plan: the guard stops whom it must when the building takes more than anybody expected.
        const allowedW = limitAt(car.live.desired, site.stage.at as EpochSecond);
        const leastW = isSmall ? 1_380 : 4_140;
        if (cannotPause && hasBegun && gotWh < energyWh - 150 && site.stage.at < by && allowedW < leastW)
          pauses.push(`${car.id} at ${site.stage.at - T0} with ${gotWh} of ${energyWh} Wh`);
      });
      promised.push({ energyWh, by, first, car, gotWh: () => gotWh, earlyWh: () => earlyWh });
    }
  }
  await site.minutes(3);
  for (const { car } of present) await car.unplug();
  return { site, promised, kinds, pauses, told };
}

const toleranceWh = (wh: number) => Math.max(100, Math.floor(wh / 100));

describe("Whatever drivers wish", () => {
  for (const seed of (process.env.SEEDS ?? "3,21,40").split(",").map(Number))
    it(`no accepted promise is broken by the system, and the audit finds nothing (afternoon ${seed})`, async () => {
      const { site, promised, kinds, pauses, told } = await anAfternoonOfWishes(seed);
      if (process.env.TELL) console.log(told.join("\n"));
      expect(promised.length).to.be.greaterThan(5);
      expect(kinds.get("boosted") ?? 0, "boosts").to.be.greaterThan(1);
      for (const { energyWh, first, car, gotWh, earlyWh } of promised) {
        expect(gotWh(), `${car.id} of ${energyWh} Wh`).to.be.at.least(energyWh - toleranceWh(energyWh));
        if (first) expect(earlyWh(), `${car.id} first ${first.wh} Wh`).to.be.at.least(first.wh - toleranceWh(first.wh));
        expect(await car.promise(), car.id).to.include({ state: "kept", energyWh });
      }
      for (let slot = 0; slot < HOURS * 4; slot++)
        expect(site.meanImportW(slot), `mean of slot ${slot}`).to.be.at.most(LIMIT_W);
      for (const bill of await site.store.bills.all()) expect(bill.compensationMicroEur).to.equal(0n);
      expect(pauses.slice(0, 3), `${pauses.length} s of pauses`).to.deep.equal([]);
      expect((await auditedSite(site.world)).slice(0, 10)).to.deep.equal([]);
    });
});
