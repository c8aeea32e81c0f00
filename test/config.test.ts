import { expect } from "chai";
import { openSystem, trueRandom } from "../backend/compose.ts";
import { readConfig, readFlags } from "../backend/config.ts";

const key = (n: number) => `0x${n.toString(16).padStart(64, "0")}` as const;
const LANES = { deployer: key(1), registry: key(2), slots: key(3), billing: key(4), treasury: key(5) };
const text = (keys: Record<string, string>) =>
  Object.entries(keys)
    .map(([lane, value]) => `${lane}=${value}`)
    .join(",");

describe("The configuration", () => {
  it("takes the chain's keys with an arbiter's or without", () => {
    expect(readConfig({ CHAIN_KEYS: text(LANES) }).chainKeys).to.deep.equal(LANES);
    const all = { ...LANES, arbiter: key(6) };
    expect(readConfig({ CHAIN_KEYS: text(all) }).chainKeys).to.deep.equal(all);
    expect(() => readConfig({ CHAIN_KEYS: text({ ...LANES, arbiter: "0x06" }) })).to.throw(/for arbiter /);
    const { billing: _, ...rest } = LANES;
    expect(() => readConfig({ CHAIN_KEYS: text({ ...rest, arbiter: key(6) }) })).to.throw(/for billing /);
  });

  it("gives an hour for disputes of bills unless another time is said, also none", () => {
    expect(readConfig({}).disputeWindowS).to.equal(3600);
    expect(readConfig({ DISPUTE_WINDOW_S: "0" }).disputeWindowS).to.equal(0);
    for (const wrong of ["-1", "1.5", "a day"])
      expect(() => readConfig({ DISPUTE_WINDOW_S: wrong })).to.throw(/DISPUTE_WINDOW_S/);
  });

  it("of a service whose arbiter bills, too, is refused", async () => {
    const opening = openSystem({ random: trueRandom, chainKeys: { ...LANES, arbiter: LANES.billing } });
    const said = await opening.then(
      () => "opened",
      (error: Error) => error.message,
    );
    expect(said).to.match(/Who bills must not decide disputes/);
  }).timeout(30_000);

  it("takes from the command line what stands behind the pages, and how much of its past", () => {
    expect(readFlags([])).to.deep.equal({ site: "demo", days: 1 });
    expect(readFlags(["--days", "14"])).to.deep.equal({ site: "demo", days: 14 });
    expect(readFlags(["--scenario", "recorded", "--days=3"])).to.deep.equal({
      site: { scenario: "recorded" },
      days: 3,
    });
    expect(readFlags(["--no-demo"]).site).to.equal("none");
  });

  it("says what is wrong on the command line", () => {
    for (const days of ["0", "-1", "15", "1.5", "two", ""])
      expect(() => readFlags([`--days=${days}`]), days).to.throw(/--days must be a whole number from 1 to 14/);
    expect(() => readFlags(["--no-demo", "--scenario", "x"])).to.throw(/--no-demo has no site/);
    expect(() => readFlags(["--no-demo", "--days", "2"])).to.throw(/--no-demo has no site/);
    expect(() => readFlags(["--scenarios", "x"])).to.throw(/--scenarios.*npm start \[-- --scenario DIR\]/);
    expect(() => readFlags(["recorded"])).to.throw(/recorded.*npm start/);
  });
});
