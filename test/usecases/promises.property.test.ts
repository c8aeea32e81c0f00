import { expect } from "chai";
import { randomFrom } from "../support/problems.ts";
import { aSite, type Car, HOUR, MINUTE, T0 } from "../support/world.ts";

const HOURS = 5;
const LIMIT_W = 18_000;

/**
 * Cars come and go at random to four EVSEs behind a limit that is too small for all of them, beside a building whose
 * load changes every quarter-hour around a known level. All of them obey, want what they say and stay until they said.
 */
async function aBusyAfternoon(seed: number) {
  const random = randomFrom(seed);
  const between = (from: number, to: number) => from + Math.floor(random() * (to - from));
  const site = await aSite({
    limitW: LIMIT_W,
    evses: 4,
    demandW: 4_000,
    priceOf: (slot) => ((slot * 7) % 11) * 20_000,
  });
  const free = new Map([1, 2, 3, 4].map((evse) => [evse, T0 + between(0, 30) * MINUTE]));
  const present: { evse: number; car: Car; leavesAt: number }[] = [];
  const promised: { energyWh: number; by: number; gotWh: () => number; car: Car }[] = [];
  const answers: string[] = [];
  for (let at = T0; at < T0 + HOURS * HOUR; at += MINUTE) {
    await site.until(at);
    if ((at - T0) % (15 * MINUTE) === 0) site.load(between(3_500, 4_500));
    for (const one of present.filter(({ leavesAt }) => leavesAt <= at)) {
      present.splice(present.indexOf(one), 1);
      await one.car.unplug();
      free.set(one.evse, at + between(1, 40) * MINUTE);
    }
    for (const [evse, from] of free) {
      if (at < from) continue;
      free.delete(evse);
      const stayS = between(20, 150) * MINUTE;
      const car = await site.plugIn(evse, random() < 0.4 ? { maxW: 3_680, phases: 1 } : {});
      const startWh = car.registerWh;
      const leavesAt = Math.min(at + stayS, T0 + HOURS * HOUR);
      present.push({ evse, car, leavesAt: leavesAt + between(0, 3) * MINUTE });
      if (random() < 0.15) {
        answers.push((await car.optOut()).kind);
        continue;
      }
      const answer = await car.ask(between(1_000, 12_000), leavesAt);
      answers.push(answer.kind);
      if (answer.kind === "counter-offer") await car.answer(true);
      if (answer.kind !== "accepted" && answer.kind !== "counter-offer") continue;
      const { energyWh } = answer.promise;
      // The meter itself is asked at the departure, not the system.
      let gotWh = 0;
      site.eachSecond(() => {
        if (site.stage.at <= leavesAt && car.station.car?.sessionId === car.id) gotWh = car.registerWh - startWh;
      });
      promised.push({ energyWh, by: leavesAt, gotWh: () => gotWh, car });
    }
  }
  await site.minutes(3);
  for (const { car } of present) await car.unplug();
  return { site, promised, answers };
}

describe("Promises to obedient cars that stay", () => {
  for (const seed of [6, 14, 33])
    it(`are kept, every one of them, whatever comes later (afternoon ${seed})`, async () => {
      const { site, promised, answers } = await aBusyAfternoon(seed);
      expect(promised.length).to.be.greaterThan(7);
      expect(new Set(answers).size, String(answers)).to.be.at.least(3);
      for (const { energyWh, gotWh, car } of promised) {
        const toleranceWh = Math.max(100, Math.floor(energyWh / 100));
        expect(gotWh(), `${car.id} of ${energyWh} Wh`).to.be.at.least(energyWh - toleranceWh);
        expect(await car.promise(), car.id).to.include({ state: "kept", energyWh });
      }
      for (let slot = 0; slot < HOURS * 4; slot++)
        expect(site.meanImportW(slot), `mean of slot ${slot}`).to.be.at.most(LIMIT_W);
      for (const bill of await site.store.bills.all()) expect(bill.compensationMicroEur).to.equal(0n);
    });
});
