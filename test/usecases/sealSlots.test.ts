/** One run for all groups of a CPO: when a slot is sealed, what comes too late, and what a crash in between leaves. */
import { expect } from "chai";
import { keccak256 } from "ethers";
import { epochSecond, microEurPerKwh, watt } from "../../backend/domain/units.ts";
import { everyMinute } from "../../backend/usecases/everyMinute.ts";
import { tenantGroup } from "../../backend/usecases/ledgerPort.ts";
import type { Hex, Privacy, RunRecord, World } from "../../backend/usecases/ports.ts";
import { runControlCycle } from "../../backend/usecases/runControlCycle.ts";
import { nodesOver, proofWithin, sealSlots, tenantRun } from "../../backend/usecases/sealSlots.ts";
import { setUpSite } from "../../backend/usecases/setUpSite.ts";
import { aLedger, aSite, GROUP, MINUTE, type Site, T0 } from "../support/world.ts";

/** The slot after the one in which every site starts; it is planned in minute 14. */
const FIRST = T0 / 900 + 1;
const LEAD = T0 + 14 * MINUTE;

const group = (id: string) => ({
  group: {
    id,
    supplyLimitW: watt(10_000),
    limitKind: "contract" as const,
    feedIn: microEurPerKwh(0),
    algorithm: { name: "least-cost" as const, parameters: {} },
  },
  evses: [{ id: `evse-of-${id}`, maxPowerW: watt(11_040), phases: 3 as const }],
  pvs: [],
});

/** A CPO with the groups "group", number 1, and "second", number 2. */
async function twoGroups(privacy: Privacy = "tenant-root"): Promise<Site> {
  const site = await aSite();
  Object.assign(site.world, { ledger: { ...site.world.ledger, privacy } });
  await addSite(site, "cpo", "second");
  return site;
}
const addSite = (site: Site, cpo: string, ...groups: readonly string[]) =>
  setUpSite(site.world, {
    cpo: { id: cpo, name: cpo },
    payee: `0x${"77".repeat(20)}`,
    location: { id: `place of ${cpo}`, cpoId: cpo, name: "Garage", timeZone: "Europe/Oslo" },
    tariff: { id: `tariff of ${cpo}`, pricePerKwh: microEurPerKwh(350_000) },
    groups: groups.map(group),
  });

/** What the outbox holds of runs and of the numbers of all groups, in order. */
async function sent(site: Site): Promise<string[]> {
  const rows = await site.db
    .selectFrom("outbox")
    .select("key")
    .where("call", "in", ["record", "setGroup"])
    .orderBy("id")
    .execute();
  return rows.map(({ key }) => key).filter((key) => !/^group:\d{1,3}:/.test(key));
}
const runs = async (site: Site, slot: number) => site.store.plans.sealedRuns("cpo", slot, slot + 1);
/** The service is killed after this group was planned for the next slot, before anything else happens. */
const planAlone = (site: Site, groupId: string) => runControlCycle(site.world, groupId, "slot");
/** The service was killed after both were planned. */
async function planBoth(site: Site): Promise<void> {
  await site.until(LEAD - 1);
  await planAlone(site, GROUP);
  await planAlone(site, "second");
}
const ALL = tenantGroup(1);

describe("Runs of all groups of a CPO", () => {
  it("go out as one, in the minute in which all have recorded the slot; their number is registered once", async () => {
    const site = await twoGroups();
    await site.until(LEAD);
    expect(await sent(site)).to.deep.equal([`group:${ALL}:${FIRST}`, `slot:${ALL}:${FIRST}`]);
    await site.until(LEAD + 30 * MINUTE);
    const later = [FIRST + 1, FIRST + 2].map((slot) => `slot:${ALL}:${slot}`);
    expect((await sent(site)).slice(2)).to.deep.equal(later);
    expect((await runs(site, FIRST)).map(({ group }) => group)).to.have.members([1, 2]);
    expect((await site.store.plans.records("second")).map(({ slot }) => slot)).to.deep.equal([
      FIRST,
      FIRST + 1,
      FIRST + 2,
    ]);
    const call = await site.db
      .selectFrom("outbox")
      .selectAll()
      .where("key", "=", `slot:${ALL}:${FIRST}`)
      .executeTakeFirstOrThrow();
    const run = tenantRun(site.world.ledger, 1, await runs(site, FIRST));
    expect(`0x${Buffer.from(call.data).toString("hex")}`).to.equal(site.world.ledger.record([run]).data);
  });

  it("are recorded one by one in the other modes", async () => {
    for (const privacy of ["rows", "root"] as const) {
      const site = await twoGroups(privacy);
      await site.until(LEAD);
      expect(await sent(site), privacy).to.have.members([`slot:1:${FIRST}`, `slot:2:${FIRST}`]);
      expect(await site.store.plans.unsealed()).to.deep.equal([]);
    }
  });

  it("do not wait longer than until the slot begins for a group that stands still; it records by itself afterwards", async () => {
    const site = await twoGroups();
    const { second } = site.world.board.groups;
    delete site.world.board.groups.second;
    await site.until(LEAD + 59);
    expect(await sent(site)).to.deep.equal([]);
    await site.until(LEAD + 60);
    expect((await sent(site)).slice(1)).to.deep.equal([`slot:${ALL}:${FIRST}`]);
    expect((await runs(site, FIRST)).map(({ group }) => group)).to.deep.equal([1]);

    site.world.board.groups.second = second!;
    await planAlone(site, "second");
    expect((await sent(site)).slice(2)).to.deep.equal([`slot:2:${FIRST}`]);
    expect((await site.store.plans.records("second")).map(({ run }) => run)).to.deep.equal([null]);
    await site.until(LEAD + 15 * MINUTE);
    expect((await sent(site)).slice(3)).to.deep.equal([`slot:${ALL}:${FIRST + 1}`]);
    expect((await runs(site, FIRST + 1)).map(({ group }) => group)).to.have.members([1, 2]);
  });

  it("are sealed although a group fails minute after minute, which is told", async () => {
    const site = await twoGroups();
    await site.until(LEAD - 1);
    Object.assign(site.world, {
      faults: {
        solverDiffers: () => false,
        optimiserFails(groupId: string) {
          if (groupId === GROUP) throw new Error("the group is broken");
          return false;
        },
      },
    });
    const minute = (now: number) =>
      everyMinute({ ...site.world, clock: { ...site.world.clock, now: () => epochSecond(now) } }).then(String, String);
    expect(await minute(LEAD)).to.equal("Error: the group is broken");
    expect((await site.store.plans.unsealed()).map(({ run }) => run.group)).to.deep.equal([2]);
    expect(await minute(LEAD + 60)).to.equal("undefined");
    expect((await sent(site)).slice(1)).to.deep.equal([`slot:${ALL}:${FIRST}`]);
    const failing = {
      ...site.store,
      plans: { ...site.store.plans, unsealed: () => Promise.reject(new Error("no database")) },
    };
    Object.assign(site.world, { store: failing });
    expect(await minute(LEAD + 15 * MINUTE)).to.match(
      /AggregateError: 2 things failed in one minute, first: Error: the group/,
    );
  });

  it("are sealed once and in order after the service was killed between planning and sealing", async () => {
    const site = await twoGroups();
    await site.until(LEAD - 1);
    await planAlone(site, GROUP);
    expect(await sent(site)).to.deep.equal([]);
    expect((await site.store.plans.unsealed()).map(({ cpoId, run }) => [cpoId, run.group])).to.deep.equal([["cpo", 1]]);
    await site.away(40 * MINUTE);
    await site.until(site.now() + 30 * MINUTE);
    const keys = await sent(site);
    expect(keys.slice(0, 2)).to.deep.equal([`group:${ALL}:${FIRST}`, `slot:${ALL}:${FIRST}`]);
    expect(keys).to.deep.equal([...new Set(keys)]);
    const slots = keys.slice(1).map((key) => Number(key.split(":")[2]));
    expect(slots).to.deep.equal([...slots].sort());
    expect(slots.length).to.be.above(1);
    const before = await sent(site);
    await sealSlots(site.world);
    expect(await sent(site)).to.deep.equal(before);
  });

  it("wait on, whole, when sealing fails halfway", async () => {
    const site = await twoGroups();
    await planBoth(site);
    const waiting = await site.store.plans.unsealed();
    const { store } = site.world;
    const failing: World["store"] = {
      ...store,
      transaction: (work) =>
        store.transaction((inner) =>
          work({
            ...inner,
            outbox: {
              ...inner.outbox,
              enqueue: async (call) => {
                if (call.call === "record") throw new Error("killed");
                await inner.outbox.enqueue(call);
              },
            },
          }),
        ),
    };
    const said = await sealSlots({ ...site.world, store: failing }).then(String, String);
    expect(said).to.contain("killed");
    expect([await store.plans.unsealed(), await sent(site)]).to.deep.equal([waiting, []]);
    await sealSlots(site.world);
    expect(await sent(site)).to.deep.equal([`group:${ALL}:${FIRST}`, `slot:${ALL}:${FIRST}`]);
  });

  it("are sealed although the service shows single roots, or rows, by then", async () => {
    for (const privacy of ["rows", "root"] as const) {
      const site = await twoGroups();
      await planBoth(site);
      Object.assign(site.world, { ledger: { ...site.world.ledger, privacy } });
      await site.until(LEAD + 15 * MINUTE);
      expect((await sent(site)).slice(1)).to.have.members([
        `slot:${ALL}:${FIRST}`,
        `slot:1:${FIRST + 1}`,
        `slot:2:${FIRST + 1}`,
      ]);
    }
  });

  it("are those of their own CPO alone: another one's groups do not delay them", async () => {
    const site = await twoGroups();
    await addSite(site, "other", "third");
    delete site.world.board.groups.third;
    await site.until(LEAD);
    expect((await sent(site)).slice(1)).to.deep.equal([`slot:${ALL}:${FIRST}`]);
    const waits = await twoGroups();
    await addSite(waits, "other", "third");
    await waits.until(LEAD);
    const others = tenantGroup(2);
    expect(await sent(waits)).to.have.members([
      ...[`group:${ALL}:${FIRST}`, `slot:${ALL}:${FIRST}`],
      ...[`group:${others}:${FIRST}`, `slot:${others}:${FIRST}`],
    ]);
  });
});

describe("The run for all groups", () => {
  const ledger = aLedger();
  const word = (n: number) => keccak256(Uint8Array.of(n)) as Hex;
  const aRun = (group: number, slot = 7): RunRecord => ({
    ...{ group, slot, algorithm: word(1), problem: word(2), plan: word(3), value: word(4), earlier: word(5) },
    ...{ root: word(group % 200), rows: "0x" },
  });

  it("commits to nothing but the groups' runs, in whatever order they come", () => {
    const members = [3, 11, 2].map((group) => aRun(group));
    const run = tenantRun(ledger, 9, members);
    expect(tenantRun(ledger, 9, members.toReversed())).to.deep.equal(run);
    const zero = `0x${"00".repeat(32)}`;
    const { root, ...rest } = run;
    const nothing = { problem: zero, plan: zero, value: zero, earlier: zero, rows: "0x" };
    expect(rest).to.deep.equal({ group: 2_147_483_657, slot: 7, algorithm: ledger.versions["least-cost"], ...nothing });
    const pair = (a: Hex, b: Hex) =>
      keccak256(
        `0x${[a, b]
          .sort()
          .map((hex) => hex.slice(2))
          .join("")}`,
      ) as Hex;
    const [two, three, eleven] = [2, 3, 11].map((group) => ledger.linkOf(aRun(group))) as [Hex, Hex, Hex];
    expect(root).to.equal(pair(pair(two, three), eleven));
    expect(proofWithin(ledger, members, 3)).to.deep.equal({ proof: [two, eleven], root });
    expect(proofWithin(ledger, members, 11)).to.deep.equal({ proof: [pair(two, three)], root });
    expect(tenantRun(ledger, 9, [aRun(3)]).root).to.equal(three);
    const ascending = (...pair: Hex[]) => pair.sort();
    expect(nodesOver(ledger, members)).to.deep.equal([ascending(two, three), ascending(pair(two, three), eleven)]);
    expect(nodesOver(ledger, [aRun(3)])).to.deep.equal([]);
  });

  it("is none over runs of several slots, or over none at all; nobody is proven who is not among them", () => {
    expect(() => tenantRun(ledger, 9, [])).to.throw(RangeError, /0 runs are not those of one slot/);
    expect(() => tenantRun(ledger, 9, [aRun(1), aRun(2, 8)])).to.throw(RangeError, /2 runs/);
    expect(() => proofWithin(ledger, [aRun(1)], 2)).to.throw(RangeError);
    const none: object[] = [
      { value: "0x12" },
      { root: "" },
      { plan: undefined },
      { group: -1 },
      { slot: 2 ** 32 },
      { group: 1.5 },
    ];
    for (const part of [...none, { rows: undefined }, { rows: "0xg0" }])
      expect(() => ledger.linkOf({ ...aRun(1), ...part }), JSON.stringify(part)).to.throw();
  });
});
