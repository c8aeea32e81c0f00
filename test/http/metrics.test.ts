import { expect } from "chai";
import { metricsText } from "../../backend/http/metrics.ts";
import { type Service, startService } from "./service.ts";

/** Reads the exposition format as a scraper does: name and labels to value. */
const read = (text: string) =>
  new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))] as const),
  );

describe("HTTP: metrics", () => {
  let service: Service;
  before(async () => {
    service = await startService();
  });
  after(() => service?.close());

  it("say for a scraper what health says for people", async () => {
    await service.pass(900);
    const answer = await service.call("GET", "/metrics");
    expect(answer.headers.get("content-type")).to.equal("text/plain; version=0.0.4; charset=utf-8");
    const seen = read(await answer.text());
    const { body: health } = await service.ask("GET", "/health");
    expect(seen.get("oli_up")).to.equal(1);
    expect(seen.get("oli_outbox_open")).to.equal(health.outbox.open);
    for (const { id, lastCycleAgeS } of health.groups)
      expect(seen.get(`oli_group_last_cycle_age_seconds{group="${id}"}`)).to.equal(lastCycleAgeS ?? undefined);
  });

  it("have a help, a type and a number for each name, escape labels, and leave out what is not known", () => {
    const text = metricsText({
      ok: false,
      database: { ok: true, kind: "pglite" },
      chain: { ok: false, chainId: null, block: null },
      outbox: { open: 3, oldestAgeS: null },
      reconciliation: { ageS: 5, block: 9, differences: 2 },
      incidents: { chain: 4 },
      groups: [{ id: 'a "quoted"\\\nname', lastCycleAgeS: 7 }],
    });
    const seen = read(text);
    expect([seen.get("oli_up"), seen.get("oli_database_up"), seen.get("oli_chain_up")]).to.deep.equal([0, 1, 0]);
    expect(seen.get("oli_reconciliation_differences")).to.equal(2);
    expect(seen.get('oli_incidents{kind="chain"}')).to.equal(4);
    expect(seen.get('oli_group_last_cycle_age_seconds{group="a \\"quoted\\"\\\\\\nname"}')).to.equal(7);
    expect([...seen.keys()].some((name) => /block|oldest/.test(name))).to.equal(false);
    const names = new Set([...seen.keys()].map((key) => key.split("{")[0]));
    for (const name of names) expect(text).to.match(new RegExp(`# HELP ${name} .+\n# TYPE ${name} gauge\n${name}`));
  });
});
