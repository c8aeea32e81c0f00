/** A driver's bundle: whoever holds it finds every byte that was changed in it, and with a chain everything that was left out. */
import { expect } from "chai";
import type { BundleReport } from "../../backend/usecases/auditBundle.ts";
import { auditBundle } from "../../backend/usecases/auditBundle.ts";
import { type Bundle, bundleOut, readBundle } from "../../backend/usecases/bundle.ts";
import { driverBundle } from "../../backend/usecases/driverBundle.ts";
import type { ChainEye, Hex } from "../../backend/usecases/ports.ts";
import { type AuditedReplay, auditedReplay } from "../support/auditedReplay.ts";

/** One digit of a hex string, or one character of a text, made another. */
const otherAt = (text: string, place: number) => {
  const at = (place + text.length) % text.length;
  return text.slice(0, at) + (text[at] === "1" ? "2" : "1") + text.slice(at + 1);
};

describe("A driver's bundle", function () {
  this.timeout(300_000);
  let replay: AuditedReplay;
  let bundles: Bundle[];
  /** Of the driver of a session under a promise that was billed. */
  let bundle: Bundle;
  /** As it comes from a file. */
  let plain: string;

  before(async () => {
    replay = await auditedReplay();
    const { store, ledger } = replay.system;
    const clock = { now: () => 1_777_999_999 };
    bundles = [];
    for (const driver of await store.drivers.all()) {
      const sessions = await store.sessions.ofDriver(driver.id, 100);
      bundles.push(await driverBundle({ store, ledger, clock } as never, driver.id, sessions));
    }
    bundle = bundles.find(
      ({ sessions: [one] }) => one?.bill?.posted && one.rows.promises.length > 0 && one.slots.length > 4,
    )!;
    plain = JSON.stringify(bundleOut(bundle));
  });

  const check = (of: Bundle, chain: ChainEye | null = null) => auditBundle(of, replay.system.ledger, chain);
  const parsed = () => JSON.parse(plain);
  const id = () => (JSON.parse(bundle.sessions[0]!.rows.session) as { id: string }).id;
  /** What is found when something of the file is changed. */
  async function tampered(change: (file: any) => void, chain: ChainEye | null = null): Promise<BundleReport> {
    const file = parsed();
    change(file);
    expect(JSON.stringify(file), "the change changes nothing").not.to.equal(plain);
    return check(readBundle(file), chain);
  }
  function expectNamed({ differences }: BundleReport, where: string | RegExp, words: string | RegExp): void {
    const matches = (text: string, wanted: string | RegExp) =>
      typeof wanted === "string" ? text.includes(wanted) : wanted.test(text);
    const found = differences.some((one) => matches(one.where, where) && matches(one.text, words));
    const all = differences.map((one) => `${one.where}: ${one.text}`).join("\n") || "no difference";
    expect(found, `${where} ${words} among\n${all}\n`).to.equal(true);
  }

  it("is honest for every driver of an honest replay, off line and on chain", async () => {
    expect(bundles.filter(({ sessions }) => sessions.length > 0)).to.have.length.above(5);
    for (const of of bundles) {
      const [offLine, onChain] = [await check(of), await check(of, replay.eye)];
      expect(offLine.differences, JSON.stringify(of.driver)).to.deep.equal([]);
      expect(onChain.differences, JSON.stringify(of.driver)).to.deep.equal([]);
      expect(onChain.leavesChecked).to.equal(of.sessions.flatMap(({ slots }) => slots.flatMap((s) => s.leaves)).length);
    }
  });

  it("holds nothing of other drivers: neither names nor numbers, nor the bytes of plans", async () => {
    const { store } = replay.system;
    const own = new Set(bundle.sessions.map(({ rows }) => JSON.parse(rows.session).id as string));
    for (const driver of await store.drivers.all())
      if (driver.address !== bundle.driver) expect(plain).not.to.contain(driver.address);
    for (const session of await store.sessions.all())
      if (!own.has(session.id)) expect(plain, session.id).not.to.contain(`"${session.id}"`);
    const numbers = new Set(bundle.sessions.map(({ rows }) => JSON.parse(rows.session).number as number));
    for (const { text } of bundle.sessions.flatMap(({ slots }) => slots.flatMap(({ leaves }) => leaves)))
      expect(numbers.has(JSON.parse(text).session)).to.equal(true);
  });

  it("says off line what only a chain can tell, and in any case what no driver can see", async () => {
    const offLine = await check(bundle);
    expect(offLine.onChain).to.equal(false);
    expect(offLine.notes.join("\n")).to.match(/only a chain can tell whether the roots/);
    expect(offLine.notes.join("\n")).to.match(/not looked at, since it is no driver's alone: plans/);
    const onChain = await check(bundle, replay.eye);
    expect(onChain.notes.join("\n")).not.to.contain("off line");
    expect(onChain.notes.join("\n")).to.contain("not looked at");
  });

  it("names the bill when a byte of receipt, salt, line, proof or root was changed", async () => {
    const bill = () => `bill of session ${id()}`;
    const { receipt, posted } = bundle.sessions[0]!.bill!;
    for (const place of [5, Math.floor(receipt.length / 3), Math.floor(receipt.length / 2), receipt.length - 9])
      expectNamed(
        await tampered(({ sessions: [one] }) => (one.bill.receipt = otherAt(receipt, place))),
        bill(),
        "hash of salt and receipt is",
      );
    expectNamed(
      await tampered(({ sessions: [one] }) => (one.bill.salt = otherAt(one.bill.salt, -1))),
      bill(),
      "hash of",
    );
    const moved: Record<string, unknown> = { amount: String(posted!.line.amount + 1n), credit: "1", wh: 1, flex: 1 };
    for (const [column, value] of Object.entries({ ...moved, number: 9, tariff: 9, detail: `0x${"11".repeat(32)}` }))
      expectNamed(
        await tampered(({ sessions: [one] }) => (one.bill.posted.line[column] = value)),
        bill(),
        `root of batch ${posted!.seq} by its proof`,
      );
    expect(posted!.proof, "a batch of several lines").not.to.have.length(0);
    for (const k of posted!.proof.keys())
      expectNamed(
        await tampered(({ sessions: [{ bill: of }] }) => (of.posted.proof[k] = otherAt(of.posted.proof[k], -1))),
        bill(),
        "by its proof is",
      );
    const root = (file: any) => (file.sessions[0].bill.posted.root = otherAt(file.sessions[0].bill.posted.root, -1));
    expectNamed(await tampered(root), bill(), "by its proof is");
  });

  it("names the slot when a byte of leaf, salt, proof or root was changed", async () => {
    const slots = bundle.sessions[0]!.slots;
    for (const s of [0, Math.floor(slots.length / 2), slots.length - 1]) {
      const where = `recorded slot ${slots[s]!.slot}, session ${id()}`;
      for (const i of slots[s]!.leaves.keys()) {
        const leafOf = (file: any) => file.sessions[0].slots[s].leaves[i];
        const edits: ((leaf: any) => void)[] = [
          (leaf) =>
            (leaf.text = leaf.text.replace(/:(\d)/, (_: string, digit: string) => `:${(Number(digit) + 1) % 10}`)),
          (leaf) => (leaf.salt = otherAt(leaf.salt, 10)),
          ...slots[s]!.leaves[i]!.proof.map((_, k) => (leaf: any) => (leaf.proof[k] = otherAt(leaf.proof[k], -3))),
        ];
        for (const edit of edits) expectNamed(await tampered((file) => edit(leafOf(file))), where, "the root is");
      }
      const root = (file: any) => (file.sessions[0].slots[s].root = otherAt(file.sessions[0].slots[s].root, -1));
      expectNamed(await tampered(root), where, "the root is");
    }
  });

  it("names the row: promise, reading, profile or the session itself", async () => {
    const rowsOf = (file: any) => file.sessions[0].rows;
    const digit = (key: string) => (text: string) =>
      text.replace(new RegExp(`"${key}":(\\d+)`), (_, n: string) => `"${key}":${Number(n) + 1}`);
    for (const key of ["energyWh", "by", "fromRegisterWh", "offeredAt"])
      expectNamed(
        await tampered((file) => (rowsOf(file).promises[0] = digit(key)(rowsOf(file).promises[0]))),
        `promise of session ${id()} version 1`,
        /was changed since/,
      );
    const less = await tampered((file) => (rowsOf(file).promises[0] = digit("energyWh")(rowsOf(file).promises[0])));
    expectNamed(less, `promise of session ${id()} version 1`, /slot \d+ holds \d+ Wh by \d+, the bundle has/);
    const readings = JSON.parse(bundle.sessions[0]!.rows.readings) as number[][];
    const k = Math.floor(readings.length / 2);
    for (const column of [1, 2]) {
      const changed = readings.map((row, i) => (i === k ? row.map((n, c) => (c === column ? n + 1 : n)) : row));
      expectNamed(
        await tampered((file) => (rowsOf(file).readings = JSON.stringify(changed))),
        new RegExp(`^reading of session ${id()} at `),
        /was changed since/,
      );
    }
    expectNamed(
      await tampered((file) => (rowsOf(file).profiles = rowsOf(file).profiles.replace(/"sentAt":(\d+)/, '"sentAt":1'))),
      `profiles of session ${id()}`,
      "were changed",
    );
    expectNamed(
      await tampered((file) => (rowsOf(file).session = digit("startRegisterWh")(rowsOf(file).session))),
      `session ${id()}`,
      /was changed since/,
    );
    expectNamed(await tampered((file) => (rowsOf(file).readings = "[]]")), "sessions[0]", "its rows cannot be read");
    expectNamed(await tampered((file) => (rowsOf(file).readings += " ")), "sessions[0]", "is not canonical");
  });

  it("finds what another driver's bundle was made of", async () => {
    const other = bundles.find(({ driver, sessions }) => driver !== bundle.driver && sessions[0]?.bill?.posted)!;
    const taken = await tampered((file) => (file.sessions[0].bill = (bundleOut(other) as any).sessions[0].bill));
    expectNamed(taken, `bill of session ${id()}`, "driver's address in the receipt is");
    expectNamed(taken, `session ${id()}`, /was changed since/);
    const renamed = await tampered((file) => (file.driver = other.driver));
    expectNamed(renamed, `bill of session ${id()}`, "driver's address in the receipt is");
  });

  it("finds a promise that is dropped between two slots", async () => {
    const { slots } = bundle.sessions[0]!;
    const held = slots.map(({ leaves }) => leaves.some(({ text }) => text.includes('"kind":"promise"')));
    const s = held.findIndex((is, i) => is && held[i - 1] && held[i + 1]);
    expect(s).to.be.above(0);
    const report = await tampered(({ sessions: [one] }) => {
      one.slots[s].leaves = one.slots[s].leaves.filter(({ text }: { text: string }) => !text.includes('"promise"'));
    });
    expectNamed(report, `promise of session ${id()} version 1`, `slot ${slots[s]!.slot} has no leaf of it`);
  });

  describe("on chain", () => {
    /** The chain as it would be if it had said something else. */
    const chain = (change: Partial<ChainEye>): ChainEye => ({ ...replay.eye, ...change });

    it("finds roots that were never recorded or posted", async () => {
      const slot = bundle.sessions[0]!.slots[1]!.slot;
      const runs = (await replay.eye.runs()).map((run) =>
        run.slot === slot ? { ...run, root: `0x${"22".repeat(32)}` as Hex } : run,
      );
      const other = await check(bundle, chain({ runs: async () => runs }));
      expectNamed(other, `recorded slot ${slot}, session ${id()}`, "root is");
      expectNamed(other, /^group \d+$/, "do not lead to the head of the hash chain");
      const without = runs.filter((run) => run.slot !== slot);
      const removed = await check(bundle, chain({ runs: async () => without }));
      expectNamed(removed, `recorded slot ${slot}, session ${id()}`, "is not on chain");
      const batch: ChainEye["batch"] = async () => ({ root: `0x${"33".repeat(32)}`, pot: 0n, finalised: true });
      expectNamed(await check(bundle, chain({ batch })), `bill of session ${id()}`, "that the contract keeps is");
    });

    it("finds a slot of the stay that the bundle leaves out", async () => {
      const { slots } = bundle.sessions[0]!;
      const left = Math.floor(slots.length / 2);
      const report = await tampered(({ sessions: [one] }) => one.slots.splice(left, 1), replay.eye);
      expectNamed(report, `recorded slot ${slots[left]!.slot}, session ${id()}`, "but not in the bundle");
    });

    it("finds contracts that are not this source's, and a driver whom nobody registered", async () => {
      const deploymentDifferences = async () => ["Settlement: has other code"];
      expectNamed(await check(bundle, chain({ deploymentDifferences })), "contract Settlement", "has other code");
      const account: ChainEye["account"] = async () => ({ available: 0n, flexWh: 0, isDriver: false });
      expectNamed(await check(bundle, chain({ account })), `driver ${bundle.driver}`, "is not registered on chain");
    });
  });

  it("is refused where it is none", () => {
    for (const change of [
      (file: any) => delete file.sessions,
      (file: any) => (file.format = "oli-move/bundle/1"),
      (file: any) => (file.sessions[0].slots[0].leaves[0].proof = "0x"),
      (file: any) => (file.more = 1),
    ]) {
      const file = parsed();
      change(file);
      expect(() => readBundle(file)).to.throw(RangeError, /^\$/);
    }
  });
});
