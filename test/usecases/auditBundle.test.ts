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
    bundle = bundles.find(({ sessions: [one] }) => one?.bill?.posted && one.rows.promises.length > 0 && one.slots.length > 4)!;
    plain = JSON.stringify(bundleOut(bundle));
  });

  const check = (of: Bundle, chain: ChainEye | null = null) => auditBundle(of, replay.system.ledger, chain);
  const parsed = () => JSON.parse(plain);
  const id = () => (JSON.parse(bundle.sessions[0]!.rows.session) as { id: string }).id;
  /** What is found when something of the file is changed. */
  async function after(change: (file: any) => void, chain: ChainEye | null = null): Promise<BundleReport> {
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
});
