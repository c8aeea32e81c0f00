/**
 * The deployment plan as a Hardhat Ignition module: every step waits for the one before it, so nonces and addresses
 * never vary.
 */
import { type ArgumentType, buildModule, type Artifact as IgnitionArtifact } from "@nomicfoundation/ignition-core";
import type { Artifacts, ContractName } from "../../backend/adapters/chain/artifacts.ts";
import { type Known, resolveAll, type Step } from "../../backend/adapters/chain/deploymentPlan.ts";

export function ignitionModule(plan: readonly Step[], artifacts: Artifacts) {
  return buildModule("OliMove", (m) => {
    type Contract = ReturnType<typeof m.contract>;
    const contracts = new Map<ContractName, Contract>();
    const known: Known<ArgumentType> = {
      address: (name) => contracts.get(name) as Contract,
      calldata: ({ contract, verb, args }) =>
        m.encodeFunctionCall(contracts.get(contract) as Contract, verb, resolveAll(args, known) as ArgumentType[], {
          id: unique(`encode_${verb}`),
        }),
    };
    const names = new Map<string, number>();
    /** Ignition knows a step again by its name: "publish", "publish_2", ... */
    const unique = (name: string) => {
      const count = (names.get(name) ?? 0) + 1;
      names.set(name, count);
      return count === 1 ? name : `${name}_${count}`;
    };

    let before: (Contract | ReturnType<typeof m.call>)[] = [];
    for (const step of plan) {
      const args = resolveAll(step.args, known) as ArgumentType[];
      const options = { after: before };
      if (step.kind === "deploy") {
        const artifact = artifacts[step.contract] as unknown as IgnitionArtifact;
        const deployed = m.contract(step.contract, artifact, args, options) as unknown as Contract;
        contracts.set(step.contract, deployed);
        before = [deployed];
      } else {
        const id = unique(`${step.contract}_${step.verb}`);
        before = [m.call(contracts.get(step.contract) as Contract, step.verb, args, { ...options, id })];
      }
    }
    return Object.fromEntries(contracts);
  });
}
