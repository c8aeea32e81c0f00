/** A difference between database and chain, as people and machines get to see it. When one is raised: usecases/reconcile. */
import { expect } from "chai";
import { reconcile } from "../../backend/usecases/reconcile.ts";
import type { ChainTally, Totals } from "../../backend/usecases/totalsPort.ts";
import { type Service, startService } from "./service.ts";

describe("HTTP: database and chain differ", () => {
  let service: Service;
  let database: Totals;
  const tally: ChainTally = {
    since: async () => ({ block: 12, hash: `0x${"ab".repeat(32)}`, events: { "bills of CPO 1": 3n }, contracts: {} }),
  };
  const look = () => reconcile(service.world, { tally, books: { until: async () => database } });

  // A picture that was just made is shown again: each test has its own.
  beforeEach(async () => {
    service = await startService();
  });
  afterEach(() => service?.close());

  const seen = async () => {
    const incidents = [];
    for (const as of [await service.staff("north"), await service.staff("south"), await service.auditor()])
      incidents.push((await service.ask("GET", "/cpo/incidents", { as })).body.incidents);
    const picture = await service.ask("GET", "/cpo/groups/north-1", { as: await service.staff("north") });
    const live = await service.ask("GET", "/live");
    const { reconciliation, incidents: kinds } = (await service.ask("GET", "/health")).body;
    return { incidents, picture: picture.body.incidents, open: live.body.groups[0].incidents, reconciliation, kinds };
  };

  it("is nowhere while they agree", async () => {
    database = { "bills of CPO 1": 3n };
    await look();
    const { incidents, picture, open, reconciliation, kinds } = await seen();
    expect([...incidents, picture, open]).to.deep.equal([[], [], [], [], []]);
    expect(reconciliation).to.include({ block: 12, differences: 0 });
    expect(kinds).to.deep.equal({});
  });

  it("is in health, in the incidents of staff and auditors and in each group's picture; strangers get no figure", async () => {
    database = { "bills of CPO 1": 4n };
    await look();
    await look();
    const { incidents, picture, open, reconciliation, kinds } = await seen();
    for (const [one, ...others] of [...incidents, picture]) {
      expect(others).to.deep.equal([]);
      expect(one).to.include({ kind: "chain", groupId: null });
      expect(one.text).to.match(/differ on bills of CPO 1 .* the database has 4, the chain's events say 3/);
    }
    expect(open).to.have.length(1);
    expect(open[0].text).to.equal("Chain and service disagreed.");
    expect(reconciliation).to.include({ block: 12, differences: 1 });
    expect(kinds).to.deep.equal({ chain: 1 });
  });
});
