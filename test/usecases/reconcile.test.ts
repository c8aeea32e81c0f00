/** When a difference between database and chain becomes an incident, and when it ends. The sums: adapters/chain/chainTally. */
import { expect } from "chai";
import { epochSecond } from "../../backend/domain/units.ts";
import { health } from "../../backend/usecases/health.ts";
import type { Incident } from "../../backend/usecases/ports.ts";
import { differencesOf, lastReconciliation, reconcile } from "../../backend/usecases/reconcile.ts";
import type { ChainTally, Tallied, Totals } from "../../backend/usecases/totalsPort.ts";
import { aSite } from "../support/world.ts";

describe("Three accounts of the same facts", () => {
  it("agree when all who know a subject say the same, and nobody's word for nothing is 0", () => {
    const chain = { bills: 3n, elsewhere: 9n, held: 5n };
    expect(differencesOf({ bills: 3n, records: 0n }, chain, { held: 5n })).to.deep.equal([]);
  });

  it("differ by subject, with what each says", () => {
    expect(differencesOf({ bills: 4n, lost: 1n }, { bills: 3n, held: 5n }, { held: 6n, bills: 3n })).to.deep.equal([
      { subject: "bills", database: 4n, events: 3n, contracts: 3n },
      { subject: "held", database: null, events: 5n, contracts: 6n },
      { subject: "lost", database: 1n, events: 0n, contracts: null },
    ]);
  });
});

describe("The reconciliation", () => {
  async function aScene() {
    const site = await aSite();
    const now = site.world.clock.now();
    let block = 10;
    let database: Totals = { bills: 3n };
    const asked: (Tallied | null)[] = [];
    const tally: ChainTally = {
      async since(tallied) {
        asked.push(tallied);
        return { block: ++block, hash: `0x${"ab".repeat(32)}`, events: { bills: 3n }, contracts: {} };
      },
    };
    const incidents = async (): Promise<readonly Incident[]> => site.store.incidents.since(epochSecond(0));
    const databaseSays = (totals: Totals) => {
      database = totals;
    };
    const books = { until: async () => database };
    return { site, now, asked, incidents, databaseSays, look: () => reconcile(site.world, { tally, books }) };
  }

  it("goes on from where it was, and says nothing while all agree", async () => {
    const { asked, look, incidents, site } = await aScene();
    expect(await lastReconciliation(site.store)).to.equal(null);
    expect(await look()).to.deep.equal({ block: 11, differences: [], settled: true });
    await look();
    expect(asked[0]).to.equal(null);
    expect(asked[1]).to.deep.include({ block: 11, events: { bills: 3n } });
    expect(await incidents()).to.deep.equal([]);
    expect(await lastReconciliation(site.store)).to.deep.include({ block: 12, differences: 0 });
  });

  it("believes a difference at the second look, tells it once, and tells when it is gone", async () => {
    const { look, incidents, databaseSays, site } = await aScene();
    databaseSays({ bills: 4n });
    expect(await look()).to.include({ settled: false });
    expect(await incidents(), "one look proves nothing").to.deep.equal([]);
    expect(await lastReconciliation(site.store)).to.include({ differences: 0 });

    for (const _ of [2, 3]) expect(await look()).to.include({ settled: true });
    const [told, ...more] = await incidents();
    expect(more).to.deep.equal([]);
    expect(told).to.include({ kind: "chain", groupId: null });
    expect(told?.text).to.match(/differ on bills as of block 12: the database has 4, the chain's events say 3\./);
    expect(await lastReconciliation(site.store)).to.include({ differences: 1 });

    databaseSays({ bills: 3n });
    expect(await look()).to.include({ settled: true });
    expect((await incidents()).map(({ text }) => text)[1]).to.match(/agree again on bills as of block 14/);
    expect(await lastReconciliation(site.store)).to.include({ differences: 0 });
  });

  it("forgets a suspicion that the next look does not share", async () => {
    const { look, incidents, databaseSays } = await aScene();
    for (const bills of [4n, 3n, 4n, 3n]) {
      databaseSays({ bills });
      await look();
    }
    expect(await incidents()).to.deep.equal([]);
  });

  it("is in health: when, up to which block, and how much differs", async () => {
    const { look, databaseSays, site, now } = await aScene();
    const probes = { databaseKind: "pglite", chain: async () => ({ chainId: 31_337, block: 12 }) };
    expect((await health(site.world, probes)).reconciliation).to.equal(null);
    databaseSays({ bills: 4n });
    await look();
    await look();
    expect((await health(site.world, probes)).reconciliation).to.deep.equal({ ageS: 0, block: 12, differences: 1 });
    expect(site.world.clock.now()).to.equal(now);
  });
});
