/** What a public network demands of the roles file. */
import { expect } from "chai";
import { ZeroAddress } from "ethers";
import type { AlgorithmSpec } from "../../../backend/adapters/chain/deployment.ts";
import type { Hex } from "../../../backend/adapters/chain/rpc.ts";
import { configAt, requireStranger, settingsOf } from "../../../scripts/deployment/settings.ts";

const DAY = 86_400;
/** Digits only: there are no capital letters to get right. */
const who = (digit: number): Hex => `0x${String(digit).repeat(40)}`;
const FILE = {
  admin: who(1),
  guardian: [who(2)],
  operator: [who(3)],
  biller: [who(4)],
  registrar: [who(5)],
  arbiter: [who(6)],
  publisher: [who(5)],
  pauser: [who(7)],
  payees: [{ cpo: 1, payee: who(8) }],
};

const refusal = (file: object, local = false): string => {
  try {
    settingsOf(file, local);
    return "accepted";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("The roles file of a deployment", () => {
  it("gives public networks days of notice, and local ones none", () => {
    expect(settingsOf(FILE, false)).to.deep.include({
      ...{ adminDelayS: 2 * DAY, windowS: 3 * DAY, tariffNoticeS: DAY, withdrawNoticeS: 2 * DAY },
      ...{ payeeNoticeS: 2 * DAY, activationDelayS: DAY, maxCreditMicroEur: 10_000_000n, euro: null },
    });
    expect(settingsOf(FILE, true)).to.deep.include({
      ...{ adminDelayS: 0, windowS: 0, tariffNoticeS: 0, withdrawNoticeS: 0, payeeNoticeS: 0, activationDelayS: 0 },
    });
  });

  it("can say other delays, which on public networks are never 0", () => {
    const file = { ...FILE, delays: { windowS: 60 } };
    expect(settingsOf(file, false)).to.deep.include({ windowS: 60, adminDelayS: 2 * DAY });
    expect(settingsOf(file, true)).to.deep.include({ windowS: 60, adminDelayS: 0 });
    for (const name of [
      "adminDelayS",
      "windowS",
      "tariffNoticeS",
      "withdrawNoticeS",
      "payeeNoticeS",
      "activationDelayS",
    ]) {
      expect(refusal({ ...FILE, delays: { [name]: 0 } })).to.include(`delays.${name}: 0 is for local networks only`);
      expect(refusal({ ...FILE, delays: { [name]: 0 } }, true)).to.equal("accepted");
      expect(refusal({ ...FILE, delays: { [name]: -1 } }, true)).to.include(`delays.${name}: `);
    }
  });

  for (const role of ["guardian", "operator", "biller", "registrar", "arbiter", "publisher", "pauser"])
    it(`must name a ${role} on public networks`, () => {
      expect(refusal({ ...FILE, [role]: [] })).to.include(`${role}: nobody holds this role`);
      expect(refusal({ ...FILE, [role]: undefined })).to.include(`${role}: nobody holds this role`);
      expect(refusal({ ...FILE, [role]: [] }, true)).to.equal("accepted");
    });

  for (const role of ["operator", "registrar", "arbiter"])
    it(`must not let the ${role} bill`, () => {
      const both = { ...FILE, [role]: [who(9), who(4)] };
      expect(refusal(both)).to.include(`biller: ${who(4)} is ${role} too`);
      expect(refusal(both, true)).to.equal("accepted");
    });

  it("must not let a CPO's payee judge its bills, however its address is written", () => {
    const arbiter = "0xA84585fb6728f413d4d89eC972c45E94686bf38e";
    for (const payee of [arbiter, arbiter.toLowerCase()])
      expect(refusal({ ...FILE, arbiter: [arbiter], payees: [{ cpo: 7, payee }] })).to.include(
        `arbiter: ${arbiter} receives the money of CPO 7`,
      );
  });

  it("is refused with every fault at once: no address, a wrong word, a CPO without number", () => {
    const text = refusal({ ...FILE, admin: "0x12", operators: [who(3)], payees: [{ cpo: 0, payee: ZeroAddress }] });
    expect(text).to.match(/admin: "0x12" is no address/);
    expect(text).to.match(/operators/);
    expect(text).to.match(/payees\.0\.cpo/);
    expect(text).to.match(/nothing was sent\.$/);
  });

  it("names the deployer nowhere: it ends without a role", () => {
    const settings = settingsOf(FILE, false);
    expect(() => requireStranger(settings, who(9))).to.not.throw();
    expect(() => requireStranger(settings, who(1))).to.throw(/would be admin/);
    expect(() => requireStranger(settings, who(7))).to.throw(/would be pauser/);
  });
});

describe("The methods of a deployment", () => {
  const specs = (activeFrom: number) => [{ activeFrom }] as unknown as AlgorithmSpec[];

  it("are active an hour after their notice at the earliest, at once where there is none", () => {
    const at = (local: boolean) => configAt(settingsOf(FILE, local), 1_800_000_000, specs).algorithms[0]?.activeFrom;
    expect(at(false)).to.equal(1_800_000_000 + DAY + 3600);
    expect(at(true)).to.equal(0);
  });
});
