import { expect } from "chai";
import { epochSecond, watt } from "../../backend/domain/units.ts";
import { orderFlexibility } from "../../backend/usecases/orderFlexibility.ts";
import { randomFrom } from "../support/problems.ts";
import { aSite, type Car, GROUP, HOUR, MINUTE, T0 } from "../support/world.ts";

const HOURS = 5;
const SLOT = 15 * MINUTE;

/** Cars come and go at random, and every now and then somebody orders less or more for some quarter-hours. */
async function anOrderedAfternoon(seed: number) {
  const random = randomFrom(seed);
  const between = (from: number, to: number) => from + Math.floor(random() * (to - from));
  const site = await aSite({ limitW: 25_000, evses: 4, demandW: 4_000, priceOf: (slot) => ((slot * 7) % 11) * 20_000 });
  const free = new Map([1, 2, 3, 4].map((evse) => [evse, T0 + between(0, 30) * MINUTE]));
  const present: { evse: number; car: Car; leavesAt: number }[] = [];
  const answers: string[] = [];
  let promised = 0;
  /** What the meters themselves show at slot boundaries: cars' Wh by slot. */
  const gotWh = new Map<number, number>();
  let before = 0;
  const stations = () => Object.values(site.stage.evses).reduce((sum, evse) => sum + evse.registerWs / 3600, 0);
  for (let at = T0; at < T0 + HOURS * HOUR; at += MINUTE) {
    await site.until(at);
    if ((at - T0) % SLOT === 0) {
      const now = stations();
      if (at > T0) gotWh.set(at / SLOT - 1, now - before);
      before = now;
      if (random() < 0.8 && at >= T0 + 30 * MINUTE && at < T0 + (HOURS - 2) * HOUR) {
        const from = at + SLOT * between(1, 5);
        const said = await orderFlexibility(site.world, {
          ...{ id: `o${answers.length}`, groupId: GROUP, price: null, force: false, givenBy: "grid" },
          direction: random() < 0.7 ? "down" : "up",
          powerW: watt(between(1_000, 15_000)),
          from: epochSecond(from),
          until: epochSecond(from + SLOT * between(1, 4)),
        });
        answers.push(said.kind === "answered" ? said.order.answer : said.reason);
      }
    }
    for (const one of present.filter(({ leavesAt }) => leavesAt <= at)) {
      present.splice(present.indexOf(one), 1);
      await one.car.unplug();
      free.set(one.evse, at + between(1, 40) * MINUTE);
    }
    for (const [evse, from] of free) {
      if (at < from) continue;
      free.delete(evse);
      const car = await site.plugIn(evse, random() < 0.4 ? { maxW: 3_680, phases: 1 } : {});
      const leavesAt = Math.min(at + between(30, 180) * MINUTE, T0 + HOURS * HOUR);
      present.push({ evse, car, leavesAt: leavesAt + between(0, 3) * MINUTE });
      const answer = await car.ask(between(1_000, 9_000), leavesAt);
      if (answer.kind === "counter-offer") await car.answer(true);
      if (answer.kind === "accepted" || answer.kind === "counter-offer") promised++;
    }
  }
  await site.minutes(3);
  for (const { car } of present) await car.unplug();
  await site.until(T0 + (HOURS + 1) * HOUR);
  return { site, promised, answers, gotWh };
}

describe("Promises under random orders", () => {
  for (const seed of [2, 5, 11])
    it(`stay whole, and what was acknowledged is delivered (afternoon ${seed})`, async () => {
      const { site, promised, answers, gotWh } = await anOrderedAfternoon(seed);
      expect(promised).to.be.greaterThan(6);
      const orders = await site.store.grid.orders(GROUP, epochSecond(0));
      const applied = orders.filter(({ answer }) => answer !== "refused");
      expect(applied.length, String(answers)).to.be.greaterThan(1);
      for (const promise of await site.store.promises.all())
        if (promise.state !== "withdrawn" && promise.state !== "amended" && promise.state !== "expired")
          expect(promise.state, `${promise.sessionId}: ${answers}`).to.equal("kept");
      for (const bill of await site.store.bills.all()) expect(bill.compensationMicroEur).to.equal(0n);
      for (let slot = 0; slot < HOURS * 4; slot++)
        expect(site.meanImportW(slot), `mean of slot ${slot}`).to.be.at.most(25_000);
      for (const order of applied) {
        const settlement = await site.store.grid.settlement(order.id);
        expect(settlement, order.id).not.to.equal(null);
        for (const [k, { slot, plannedWh, acknowledgedWh }] of order.slots.entries()) {
          const measured = gotWh.get(slot)!;
          expect(settlement!.slots[k]!.measuredWh).to.be.within(measured - 10, measured + 10);
          // The meters themselves: a down order is kept in every slot in which anything was acknowledged.
          if (order.direction === "down" && acknowledgedWh > 0)
            expect(measured, `${order.id}, slot ${slot}`).to.be.at.most(plannedWh - acknowledgedWh + 1);
        }
      }
    });
});
