/**
 * The plan carried out by Hardhat Ignition: the same contracts as by the service's own start, whenever it is cut off.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { Interface, type InterfaceAbi, Transaction } from "ethers";
import type { Artifacts } from "../../../backend/adapters/chain/artifacts.ts";
import {
  type AlgorithmSpec,
  type DeploymentConfig,
  deployContracts,
  deploymentDifferences,
  localDeployment,
  type Manifest,
  ROLES,
} from "../../../backend/adapters/chain/deployment.ts";
import { type EmbeddedChain, startEmbeddedChain } from "../../../backend/adapters/chain/embedded.ts";
import { type Hex, quantity, type Rpc, request } from "../../../backend/adapters/chain/rpc.ts";
import { openFolder } from "../../../scripts/deployment/folder.ts";
import { deployWithIgnition, type Ignition } from "../../../scripts/deployment/ignite.ts";
import { ARTIFACTS, KEYS } from "../../adapters/chain/deployed.ts";

const { deployer, registry } = KEYS;
const GENESIS_AT = 1_700_000_000;
const nobody = { guardian: [], operator: [], biller: [], registrar: [], publisher: [], pauser: [], faucet: [] };
const SPEC: AlgorithmSpec = {
  method: "least-cost/1",
  sourceHash: `0x${"5".repeat(64)}`,
  code: "export const plan = () => 0;",
  activeFrom: 0,
  maxScale: 4_000,
  voll: 10_000_000,
  extra: 2_000_000,
  maxEarly: 40,
  uri: "https://example.org",
};
const config = localDeployment(
  { ...nobody, operator: [registry.address], guardian: [registry.address] },
  { admin: registry.address, payees: [{ cpo: 1, payee: registry.address }], algorithms: [SPEC] },
);
/** Eight contracts, a text, its method, a payee, the wiring. */
const STEPS = 12;

describe("The deployment with Hardhat Ignition", function () {
  this.timeout(300_000);
  const chains: EmbeddedChain[] = [];
  const deployments = pathToFileURL(`${mkdtempSync(join(tmpdir(), "ignition-"))}/`);
  after(async () => {
    await Promise.all(chains.map((chain) => chain.close()));
    rmSync(deployments, { recursive: true });
  });
  let made = 0;
  const freshChain = async () => {
    // A second apart, so that each chain has a genesis block and a folder of its own.
    const chain = await startEmbeddedChain({ funded: [deployer.address], genesisAt: GENESIS_AT + made++ });
    chains.push(chain);
    return chain.rpc;
  };
  /** One run of the deployer's command; `keep` comes before each transaction is kept. */
  async function run(rpc: Rpc, wanted: DeploymentConfig = config, keep = async () => {}, more: Partial<Ignition> = {}) {
    const { url, sent } = await openFolder(deployments, rpc, GENESIS_AT);
    const journal = {
      kept: sent.kept,
      keep: async (raw: Hex) => {
        await keep();
        await sent.keep(raw);
      },
    };
    return deployWithIgnition({
      rpc,
      signer: deployer,
      artifacts: ARTIFACTS,
      config: wanted,
      folder: url,
      sent: journal,
      pollMs: 5,
      ...more,
    });
  }
  const sentBy = async (rpc: Rpc) =>
    Number(await request<Hex>(rpc, "eth_getTransactionCount", deployer.address, "latest"));

  it("ends in the same contracts, arguments and versions as the service's own start", async () => {
    const own = await deployContracts(await freshChain(), deployer, ARTIFACTS, config);
    const rpc = await freshChain();
    const manifest = await run(rpc);
    expect(lasting(manifest)).to.deep.equal(lasting(own));
    expect(JSON.parse(JSON.stringify(manifest))).to.deep.equal(manifest);
    expect(await deploymentDifferences(rpc, manifest, ARTIFACTS)).to.deep.equal([]);
    expect(await sentBy(rpc)).to.equal(STEPS);
  });

  it("leaves the deployer no role and gives the others theirs", async () => {
    const rpc = await freshChain();
    const { contracts } = await run(rpc);
    const has = async (role: bigint, holder: Hex) => {
      const abi = new Interface(ARTIFACTS.AccessManager.abi as InterfaceAbi);
      const data = abi.encodeFunctionData("hasRole", [role, holder]);
      const answer = await request<Hex>(rpc, "eth_call", { to: contracts.AccessManager.address, data }, "latest");
      return abi.decodeFunctionResult("hasRole", answer)[0];
    };
    for (const [role, number] of Object.entries(ROLES)) {
      expect(await has(number, deployer.address), `deployer as ${role}`).to.equal(false);
      const wanted = ["admin", "governor", "operator", "guardian"].includes(role);
      expect(await has(number, registry.address), `registry as ${role}`).to.equal(wanted);
      expect(await has(number, contracts.Settlement.address), `Settlement as ${role}`).to.equal(role === "minter");
    }
  });

  it("answers no manifest in which the deployer has a role left", async () => {
    const holders = { ...config.holders, pauser: [deployer.address] };
    expect(await refusalOf(run(await freshChain(), { ...config, holders }))).to.match(/still has the role pauser/);
  });

  for (const [moment, dying] of [
    ["before its transaction is signed for good", "keep"],
    ["after its transaction is kept, before it is sent", "before"],
    ["after its transaction is sent, before anybody knows", "after"],
  ] as const)
    it(`goes on after a step in which it dies ${moment}`, async () => {
      const wanted = lasting(await deployContracts(await freshChain(), deployer, ARTIFACTS, config));
      for (const step of [1, 9, STEPS]) {
        const rpc = await freshChain();
        const killed = dying === "keep" ? run(rpc, config, dyingAt(step)) : run(dyingRpc(rpc, step, dying));
        expect(await refusalOf(killed), `step ${step}`).to.match(/killed/);
        expect(await sentBy(rpc), `step ${step}`).to.equal(dying === "after" ? step : step - 1);
        expect(lasting(await run(rpc)), `killed at step ${step}`).to.deep.equal(wanted);
        expect(await sentBy(rpc), "transactions in all").to.equal(STEPS);
      }
    });

  it("goes on when it was killed while the list of addresses was written", async () => {
    const rpc = await freshChain();
    expect(await refusalOf(run(rpc, config, dyingAt(6)))).to.match(/killed/);
    const { url } = await openFolder(deployments, rpc, GENESIS_AT);
    writeFileSync(new URL("deployed_addresses.json", url), '{ "OliMove#Acc');
    await run(rpc);
    expect(await sentBy(rpc)).to.equal(STEPS);
  });

  it("says so when the node does not take the kept transaction, and goes on once it does", async () => {
    const rpc = await freshChain();
    await refusalOf(run(dyingRpc(rpc, 3, "before")));
    await request(rpc, "hardhat_setBalance", deployer.address, "0x1");
    expect(await refusalOf(run(rpc))).to.match(
      /does not take transaction 0x.* of OliMove#ScheduleChecker: .*too little ether/,
    );
    expect(await sentBy(rpc)).to.equal(2);
    await request(rpc, "hardhat_setBalance", deployer.address, "0x1000000000000000000");
    await run(rpc);
    expect(await sentBy(rpc)).to.equal(STEPS);
  });

  it("answers the same manifest when everything was mined already", async () => {
    const rpc = await freshChain();
    const first = await run(rpc);
    expect(await run(rpc)).to.deep.equal(first);
    expect(await sentBy(rpc)).to.equal(STEPS);
  });

  it("refuses to go on with another configuration or with other code", async () => {
    const rpc = await freshChain();
    await refusalOf(run(dyingRpc(rpc, 9, "after")));
    const otherDelay = await refusalOf(run(rpc, { ...config, windowS: 60 }));
    expect(otherDelay).to.match(/does not fit what was begun in .*Settlement.*argument/is);
    const code = { ...ARTIFACTS.SlotLedger, bytecode: ARTIFACTS.FlexToken.bytecode };
    const artifacts = { ...ARTIFACTS, SlotLedger: code } as Artifacts;
    const otherCode = await refusalOf(run(rpc, config, undefined, { artifacts }));
    expect(otherCode).to.match(/does not fit what was begun in .*SlotLedger.*bytecode/is);
    expect(await sentBy(rpc)).to.equal(9);
    await run(rpc);
  });

  it("names the step that fails and its reason, and goes on when that is mended", async () => {
    const rpc = await freshChain();
    const early = { ...config, activationDelayS: 3600 };
    const refusal = await refusalOf(run(rpc, early));
    expect(refusal).to.match(/stopped.*AlgorithmRegistry_publish.*ActiveTooSoon.*goes on from this step/s);
    expect(await sentBy(rpc)).to.equal(9);
    const mended = { ...early, algorithms: [{ ...SPEC, activeFrom: GENESIS_AT + 10 * 365 * 86_400 }] };
    expect(await deploymentDifferences(rpc, await run(rpc, mended), ARTIFACTS)).to.deep.equal([]);
    expect(await sentBy(rpc)).to.equal(STEPS);
  });

  it("sends what is not mined again with higher fees, and does everything once", async () => {
    const rpc = await freshChain();
    const manifest = await run(slowNode(rpc, 3), config, undefined, { bumpMs: 1 });
    expect(await deploymentDifferences(rpc, manifest, ARTIFACTS)).to.deep.equal([]);
    expect(await sentBy(rpc)).to.equal(STEPS);
    const { sent } = await openFolder(deployments, rpc, GENESIS_AT);
    const fees = sent.kept.map((raw) => Transaction.from(raw).maxFeePerGas as bigint);
    expect(fees).to.have.length(3 * STEPS);
    for (let i = 1; i < fees.length; i++)
      if (i % 3 !== 0) expect(fees[i]! >= (fees[i - 1]! * 110n) / 100n, `signature ${i}`).to.equal(true);
  });

  it("gives up after twenty more attempts, and sends nothing anew that may still be mined", async () => {
    const rpc = await freshChain();
    const refusal = await refusalOf(run(slowNode(rpc, Number.POSITIVE_INFINITY), config, undefined, { bumpMs: 1 }));
    expect(refusal).to.match(/OliMove#AccessManager was sent and not mined.*Begin with a fresh key/s);
    expect(await refusalOf(run(rpc))).to.match(
      /An earlier run gave up.*AccessManager.*timed out.*Begin with a fresh key/s,
    );
    expect((await openFolder(deployments, rpc, GENESIS_AT)).sent.kept).to.have.length(21);
    expect(await sentBy(rpc)).to.equal(0);
  });

  it("keeps chains of one chain id apart, and the first run's start", async () => {
    const [one, other] = [await freshChain(), await freshChain()];
    const first = await openFolder(deployments, one, 1);
    expect((await openFolder(deployments, one, 2)).startedAt, "nothing was sent yet").to.equal(2);
    await run(one);
    expect(await openFolder(deployments, one, 3)).to.deep.include({ url: first.url, startedAt: GENESIS_AT });
    expect((await openFolder(deployments, other, 3)).url).to.not.deep.equal(first.url);
  });
});

/** The parts of a manifest that do not depend on the route or the moment. */
const lasting = ({ contracts, algorithms }: Manifest) => ({
  algorithms,
  contracts: Object.entries(contracts).map(([name, { address, bytecodeHash, args }]) => [
    name,
    address,
    bytecodeHash,
    args,
  ]),
});

function dyingAt(step: number) {
  let count = 0;
  return async () => {
    if (++count === step) throw new Error("killed");
  };
}

/** The process dies at its n-th transaction: before or after the node has it. */
function dyingRpc(rpc: Rpc, step: number, moment: "before" | "after"): Rpc {
  let count = 0;
  return {
    ...rpc,
    async ask(calls) {
      const dies = calls[0]?.method === "eth_sendRawTransaction" && ++count === step;
      if (dies && moment === "before") throw new Error("killed");
      const answers = await rpc.ask(calls);
      if (dies) throw new Error("killed");
      return answers;
    },
  };
}

/**
 * A node that has every transaction in its mempool but mines it only at the n-th attempt; meanwhile blocks are empty.
 */
function slowNode(rpc: Rpc, attempts: number): Rpc {
  const waiting = new Map<string, Transaction>();
  return {
    ...rpc,
    async ask(calls) {
      const { method, params } = calls[0]!;
      if (method === "eth_sendRawTransaction") {
        const transaction = Transaction.from(params[0] as Hex);
        const earlier = [...waiting.values()].filter(({ nonce }) => nonce === transaction.nonce);
        if (earlier.length + 1 === attempts) {
          for (const { hash } of earlier) waiting.delete(hash as Hex);
          return rpc.ask(calls);
        }
        waiting.set(transaction.hash as Hex, transaction);
        return [{ ok: true, result: transaction.hash }];
      }
      const pending = method === "eth_getTransactionByHash" ? waiting.get(params[0] as Hex) : undefined;
      if (pending === undefined) return rpc.ask(calls);
      await request(rpc, "evm_mine");
      const { hash, maxFeePerGas, maxPriorityFeePerGas } = pending;
      const fees = { maxFeePerGas: quantity(maxFeePerGas!), maxPriorityFeePerGas: quantity(maxPriorityFeePerGas!) };
      const nowhere = { blockHash: null, blockNumber: null };
      return [{ ok: true, result: { hash, ...fees, ...nowhere, from: deployer.address, input: "0x", nonce: "0x0" } }];
    },
  };
}

const refusalOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: Error) => error.message,
  );
