/** Rows and bills of the same drivers are never both public: the attack that this prevents, and what is left of it. */
import { expect } from "chai";
import { keccak256 } from "ethers";
import { merkleProof, provesLeaf, saltedLeaf } from "../../backend/adapters/chain/commitments.ts";
import { call, type Hex, request, resultOf } from "../../backend/adapters/chain/rpc.ts";
import { openSystem, privacyOn, trueRandom } from "../../backend/compose.ts";
import { readConfig } from "../../backend/config.ts";
import { formatInstant } from "../../backend/domain/instants.ts";
import { slotStart } from "../../backend/domain/slots.ts";
import type { EpochSecond } from "../../backend/domain/units.ts";
import { privacyOf } from "../../backend/usecases/auditPlans.ts";
import type { Privacy } from "../../backend/usecases/ports.ts";
import { rowsText } from "../../backend/usecases/recordSlot.ts";
import { startAnvil } from "../support/anvil.ts";
import { type AuditedReplay, auditedReplay, expectNamed } from "../support/auditedReplay.ts";
import { sightings } from "../support/observer.ts";
import { aSite, HOUR, T0 } from "../support/world.ts";

const LOCAL = 31_337;
const SEPOLIA = 11_155_111;

const nameOfSlot = (slot: number) =>
  `recorded slot ${slot} of garage (${formatInstant(slotStart(slot) as EpochSecond)})`;

describe("A stranger who reads the chain", function () {
  this.timeout(300_000);

  describe("where rows are recorded", () => {
    it("finds out of every driver at which charge point he was, and when", async () => {
      const { system, rows } = await auditedReplay("least-cost", "rows");
      const truth = await rows<{ number: number; row: number; driver: string; plugged: number; unplugged: number }>(
        `select s.number, e.row, d.address as driver, extract(epoch from s.plugged_at)::int as plugged,
                extract(epoch from s.unplugged_at)::int as unplugged
         from charging_session s join evse e on e.id = s.evse_id join driver d on d.id = s.driver_id
         where s.unplugged_at is not null`,
      );
      const found = await sightings(system.reader);
      expect(truth.length).to.be.above(10);
      expect(found).to.have.length(truth.length);
      for (const { number, index, driver, fromSlot, toSlot } of found) {
        const own = truth.find((one) => one.number === number)!;
        expect([own.row, own.driver.toLowerCase()]).to.deep.equal([index, driver.toLowerCase()]);
        // Rows show the end of the slot before, and are recorded a minute ahead of theirs.
        expect(own.plugged).to.be.at.least(slotStart(fromSlot) - 900);
        expect(own.unplugged).to.be.at.most(slotStart(toSlot));
      }
    });
  });

  describe("where a root is all that is recorded", () => {
    let replay: AuditedReplay;
    before(async () => {
      replay = await auditedReplay("least-cost", "root");
    });

    it("finds nobody, although the same bills are public", async () => {
      const { reader } = replay.system;
      const [open, shown] = [(await auditedReplay("least-cost", "rows")).system.reader, reader];
      expect(await sightings(shown)).to.deep.equal([]);
      const billed = async (one: typeof reader) => (await one.billed()).map(({ number, amount }) => [number, amount]);
      expect(await billed(shown)).to.deep.equal(await billed(open));
    });

    it("cannot tell a slot in which somebody came or left from any other", async () => {
      const { reader, rpc } = replay.system;
      const runs = await reader.runs();
      const words = runs.flatMap(({ problem, plan, value, earlier, root }) => [problem, plan, value, earlier, root]);
      expect(words.filter((word) => BigInt(word) === 0n)).to.deep.equal([]);
      expect(new Set(words).size).to.equal(words.length);
      expect(new Set(runs.map(({ rows }) => rows))).to.deep.equal(new Set(["0x"]));
      expect(runs.map(({ slot }) => slot)).to.deep.equal(runs.map((_, i) => runs[0]!.slot + i));
      const sent = await rpc.ask(runs.map(({ tx }) => call("eth_getTransactionByHash", tx)));
      const sizes = sent.map((one) => resultOf<{ input: Hex }>("eth_getTransactionByHash", one).input.length);
      expect(new Set(sizes).size).to.equal(1);
    });

    it("cannot confirm a guess, however good: the salt is missing; who has it proves the rows", async () => {
      const { system } = replay;
      const runs = await system.reader.runs();
      const records = await system.store.plans.records("garage");
      const words = new Set(runs.flatMap((run) => [run.problem, run.plan, run.value, run.earlier, run.root]));
      const no = `0x${"00".repeat(32)}` as Hex;
      for (const [i, { rows, leaves, slot }] of records.entries()) {
        const text = rowsText(runs[i]!.group, slot, rows);
        for (const guess of [keccak256(rows), keccak256(Buffer.from(text)), saltedLeaf(no, text)])
          expect(words.has(guess as Hex)).to.equal(false);
        const hashes = leaves.map((leaf) => saltedLeaf(leaf.salt as Hex, leaf.text));
        const at = leaves.findIndex((leaf) => leaf.text === text);
        expect(provesLeaf(runs[i]!.root, hashes[at]!, merkleProof(hashes, at)), `slot ${slot}`).to.equal(true);
      }
      expect(records).to.have.length(runs.length);
    });

    it("learns nothing from the time of a bill: it is the same whenever in the hour before somebody left", async () => {
      const postedAt = async (privacy: Privacy, stayMinutes: readonly number[]) => {
        const site = await aSite({ settings: { billingWaitS: HOUR, billingLines: 2 } });
        Object.assign(site.world, { ledger: { ...site.world.ledger, privacy } });
        for (const [i, minutes] of stayMinutes.entries()) {
          const car = await site.plugIn(1, { driverId: `driver-${i}` });
          await site.minutes(minutes);
          await car.unplug();
        }
        await site.minutes(150);
        return (await site.store.bills.batches("cpo")).map(({ at }) => at - T0);
      };
      const early = [4, 3, 3];
      const late = [21, 12, 9];
      expect(await postedAt("root", early)).to.deep.equal([HOUR, HOUR]);
      expect(await postedAt("root", late)).to.deep.equal([HOUR, HOUR]);
      expect(await postedAt("tenant-root", late)).to.deep.equal([HOUR, HOUR]);
      expect(await postedAt("rows", early)).to.not.deep.equal(await postedAt("rows", late));
    });

    it("sees of a group without charge points no more, and the auditor knows it by its leaf", () => {
      const run = { group: 7, slot: 5, rows: "0x" };
      const named = (rows: string, leaves: readonly string[], shown = "0x") =>
        ({
          record: { slot: 5, rows, leaves: leaves.map((text) => ({ text })) },
          run: { ...run, rows: shown },
        }) as never;
      expect(privacyOf(named("0x", [rowsText(7, 5, "0x")]))).to.equal("root");
      expect(privacyOf(named("0x", []))).to.equal("rows");
      expect(privacyOf(named("0x1234", []))).to.equal("root");
      expect(privacyOf(named("0x1234", [rowsText(7, 5, "0x1234")], "0x1234"))).to.equal("rows");
      expect(privacyOf(null)).to.equal("rows");
    });

    it("does not keep the auditor from anything", async () => {
      const { honest, eye, rows, auditAfter } = replay;
      const open = (await auditedReplay("least-cost", "rows")).honest;
      expect(honest.differences).to.deep.equal([]);
      expect(honest.table.map(({ check }) => check)).to.deep.equal(open.table.map(({ check }) => check));
      expect(honest.runsChecked).to.equal(open.runsChecked);

      const [one] = await rows<{ slot: number }>(
        "select slot from recorded_slot where json_array_length(earlier_plan_ids) > 0 order by slot limit 1",
      );
      const slot = Number(one!.slot);
      const last = "case when right(rows, 1) = '0' then '1' else '0' end";
      const changed = await auditAfter([
        `update recorded_slot set rows = left(rows, length(rows) - 1) || ${last} where slot = ${slot}`,
      ]);
      expectNamed(changed, nameOfSlot(slot), "has no leaf for its rows");
      const runs = await eye.runs();
      for (const [field, words] of [
        ["value", "hash of salt, cost and bound"],
        ["earlier", "commits to other plans"],
      ] as const) {
        const forged = runs.map((run) => (run.slot === slot ? { ...run, [field]: keccak256("0x") as Hex } : run));
        const report = await auditAfter([], { chain: { ...eye, runs: async () => forged } });
        const found = report.differences.some(({ text }) => text.includes(words));
        expect(found, `${field}: ${report.differences.map(({ text }) => text).join("; ")}`).to.equal(true);
      }
    });
  });

  describe("on a public network", () => {
    it("finds no rows: the service refuses to start with them unless it is told that all drivers are simulated", () => {
      expect(privacyOn(LOCAL, {})).to.equal("rows");
      expect(privacyOn(LOCAL, { privacy: "root" })).to.equal("root");
      expect(privacyOn(SEPOLIA, {})).to.equal("root");
      expect(privacyOn(SEPOLIA, { privacy: "tenant-root" })).to.equal("tenant-root");
      expect(privacyOn(SEPOLIA, { privacy: "root", publicRows: true })).to.equal("root");
      expect(privacyOn(SEPOLIA, { publicRows: true })).to.equal("root");
      expect(privacyOn(SEPOLIA, { privacy: "rows", publicRows: true })).to.equal("rows");
      for (const publicRows of [false, undefined])
        expect(() =>
          privacyOn(SEPOLIA, { privacy: "rows", ...(publicRows === undefined ? {} : { publicRows }) }),
        ).to.throw(
          /^Rows on chain 11155111 would be public beside the bills.*CHAIN_PRIVACY=root.*CHAIN_PUBLIC_ROWS=yes/,
        );
    });

    it("is told so before anything was sent", async function () {
      const anvil = await startAnvil({ mines: true, funded: [], chainId: SEPOLIA });
      if (anvil === null) return this.skip();
      const key = (digit: string): Hex => `0x${digit.repeat(64)}`;
      const chainKeys = {
        registry: key("1"),
        slots: key("2"),
        billing: key("3"),
        treasury: key("4"),
        deployer: key("5"),
      };
      const { privacy, publicRows } = readConfig({ CHAIN_PRIVACY: "rows" });
      let refusal = "started";
      try {
        const options = { chainRpcUrls: [anvil.url], chainKeys, random: trueRandom, privacy, publicRows };
        await (await openSystem(options)).close();
      } catch (error) {
        refusal = (error as Error).message;
      }
      expect(refusal).to.match(/^Rows on chain 11155111 would be public/);
      expect(Number(await request<Hex>(anvil.rpc, "eth_blockNumber"))).to.equal(0);
      await anvil.stop();
    });

    it("is what the environment says, and nothing else", () => {
      const read = (environment: Record<string, string>) => {
        const { privacy, publicRows } = readConfig(environment);
        return { privacy, publicRows };
      };
      expect(read({})).to.deep.equal({ privacy: null, publicRows: false });
      for (const privacy of ["root", "tenant-root"])
        expect(read({ CHAIN_PRIVACY: privacy })).to.deep.equal({ privacy, publicRows: false });
      expect(read({ CHAIN_PRIVACY: "rows", CHAIN_PUBLIC_ROWS: "yes" })).to.deep.equal({
        privacy: "rows",
        publicRows: true,
      });
      for (const wrong of ["none", "ROOT", "tenant", "tenant_root"])
        expect(() => readConfig({ CHAIN_PRIVACY: wrong })).to.throw(
          /^Configuration: CHAIN_PRIVACY: .*"rows"\|"root"\|"tenant-root"$/,
        );
      expect(() => readConfig({ CHAIN_PUBLIC_ROWS: "true" })).to.throw(/CHAIN_PUBLIC_ROWS/);
    });
  });
});
