/** The plan by itself: what it says before anybody carries it out. */
import { expect } from "chai";
import type { ContractName } from "../../../backend/adapters/chain/artifacts.ts";
import {
  deploymentPlan,
  localDeployment,
  PERMISSIONS,
  resolveAll,
  type Step,
} from "../../../backend/adapters/chain/deploymentPlan.ts";
import type { Hex } from "../../../backend/adapters/chain/rpc.ts";
import { ARTIFACTS, KEYS } from "./deployed.ts";

const deployer = KEYS.deployer.address;
const [admin, holder, token] = [KEYS.treasury.address, KEYS.slots.address, KEYS.billing.address];
const all = [holder];
const config = localDeployment(
  { guardian: all, operator: all, biller: all, registrar: all, publisher: all, pauser: all, faucet: all, arbiter: all },
  { admin, payees: [{ cpo: 1, payee: holder }] },
);

/** Names in the order in which a step's arguments name them, and the calls inside the last step. */
function named(step: Step): { contracts: ContractName[]; calls: string[] } {
  const contracts: ContractName[] = step.kind === "call" ? [step.contract] : [];
  const calls: string[] = [];
  const known = {
    address: (name: ContractName) => {
      contracts.push(name);
      return name;
    },
    calldata: ({ contract, verb, args }: { contract: ContractName; verb: string; args: readonly any[] }): string => {
      contracts.push(contract);
      calls.push([verb, ...resolveAll(args, known)].join(" "));
      return "";
    },
  };
  resolveAll(step.args, known);
  return { contracts, calls };
}
const deployedBy = (plan: readonly Step[]) =>
  plan.filter(({ kind }) => kind === "deploy").map(({ contract }) => contract);

describe("The deployment plan", () => {
  for (const euro of [null, token] as (Hex | null)[])
    it(`names no contract before it is deployed, with ${euro ? "a given euro" : "TestEuro"}`, () => {
      const plan = deploymentPlan({ ...config, euro }, deployer, ARTIFACTS);
      const there: ContractName[] = [];
      for (const step of plan) {
        for (const name of named(step).contracts) expect(there, `${step.contract} needs ${name}`).to.include(name);
        if (step.kind === "deploy") there.push(step.contract);
      }
      expect(deployedBy(plan)).to.deep.equal([...new Set(deployedBy(plan))]);
      expect(there.includes("TestEuro")).to.equal(euro === null);
    });

  it("gives every permission and every holder's role in the last step, and ends with the deployer's leaving", () => {
    const plan = deploymentPlan(config, deployer, ARTIFACTS);
    expect(plan.filter(({ contract, kind }) => contract === "AccessManager" && kind === "call")).to.have.length(1);
    const { calls } = named(plan.at(-1)!);
    const count = (verb: string) => calls.filter((text) => text.startsWith(`${verb} `)).length;
    expect(count("setTargetFunctionRole")).to.equal(PERMISSIONS.length + 1);
    // Eight holders, Settlement as minter, the admin twice.
    expect(count("grantRole")).to.equal(11);
    expect(calls.at(-1)).to.equal(`renounceRole 0 ${deployer}`);
  });

  it("lets a deployer who is the admin stay", () => {
    const plan = deploymentPlan({ ...config, admin: deployer.toLowerCase() as Hex }, deployer, ARTIFACTS);
    expect(named(plan.at(-1)!).calls.join()).to.not.include("renounceRole");
  });

  it("is the same data every time: nothing in it comes from a clock, a chain or chance", () => {
    const text = () =>
      JSON.stringify(deploymentPlan(config, deployer, ARTIFACTS), (_, value) =>
        typeof value === "bigint" ? `${value}n` : value,
      );
    expect(text()).to.equal(text());
  });

  it("stores a text once that two methods name", () => {
    const spec = {
      sourceHash: `0x${"5".repeat(64)}` as Hex,
      activeFrom: 0,
      maxScale: 1,
      voll: 1,
      extra: 1,
      maxEarly: 1,
      uri: "",
    };
    const algorithms = ["a/1", "b/1"].map((method) => ({ ...spec, method, code: "the same text" }));
    const verbs = deploymentPlan({ ...config, algorithms }, deployer, ARTIFACTS).map((step) =>
      step.kind === "call" ? step.verb : "",
    );
    expect(verbs.filter((verb) => verb === "storeCode")).to.have.length(1);
    expect(verbs.filter((verb) => verb === "publish")).to.have.length(2);
  });
});
