/** Where a life of the contracts is acted out once, on EDR, and written down: people with keys, a clock, and verbs. */
import { id as hash, Interface, Wallet } from "ethers";
import {
  type Artifacts,
  type ContractName,
  deployContracts,
  loadArtifacts,
  type Manifest,
} from "../../../backend/adapters/chain/deployment.ts";
import type { Hex, Rpc, RpcAnswer } from "../../../backend/adapters/chain/rpc.ts";
import { deployer } from "../chain.ts";
import { deploymentOf } from "./deploymentOf.ts";
import { type Call, edr, type Node } from "./nodes.ts";
import { blockOf, CHAIN_ID, type Fork, GENESIS_AT, type Outcome, type Step } from "./trace.ts";

const ROLES = ["admin", "guardian", "operator", "biller", "registrar", "arbiter", "publisher", "pauser", "faucet"];
const PEOPLE = ["payee", "nextPayee", "anna", "ben", "carl", "stranger"];
const NAMES = [...ROLES, ...PEOPLE];

/** Between two transactions where nobody waits, seconds. */
const BLOCK_S = 12;
const GAS = 16_000_000;

export type Contract = ContractName;
export type Args = readonly unknown[];

export type Stage = {
  /** By name: admin, anna, ... */
  readonly people: Readonly<Record<string, Wallet>>;
  readonly artifacts: Artifacts;
  readonly manifest: Manifest;
  addressOf(contract: Contract): Hex;
  encode(contract: Contract, verb: string, args: Args): Hex;
  /** Time of the next block, epoch seconds. */
  now(): number;
  /** Lets time pass before the next block. */
  wait(seconds: number): void;
  /** A call that succeeds; throws when it does not. Answers what it returned, decoded. */
  does(who: string, contract: Contract, verb: string, args?: Args, gasLimit?: number): Promise<any>;
  /** A call that is refused with this error; throws when it is not. */
  refused(error: string, who: string, contract: Contract, verb: string, args?: Args, gasLimit?: number): Promise<void>;
  /** Puts code on the chain; answers its address. */
  creates(who: string, what: string, code: Hex): Promise<Hex>;
};

/** What was acted out, and what happened in it. */
export type Recording = {
  readonly steps: readonly Step[];
  readonly outcomes: readonly Outcome[];
  readonly manifest: Manifest;
  /** All who had ether before the first step. */
  readonly funded: readonly Hex[];
  /** "Settlement.post" of calls that succeeded or failed, whoever made them. */
  readonly done: ReadonlySet<string>;
  readonly failed: ReadonlySet<string>;
  /** "Settlement.Billed", "Settlement.AboveTariff". */
  readonly events: ReadonlySet<string>;
  readonly errors: ReadonlySet<string>;
  readonly node: Node;
};

export async function record(fork: Fork, scenes: readonly ((stage: Stage) => Promise<void>)[]): Promise<Recording> {
  const people = Object.fromEntries(NAMES.map((name) => [name, new Wallet(hash(`key of ${name}`))]));
  const funded = [deployer.address, ...Object.values(people).map(({ address }) => address as Hex)];
  const node = await edr(fork, funded);
  const artifacts = loadArtifacts();
  const abis = Object.fromEntries(
    Object.entries(artifacts).map(([name, { abi }]) => [name, new Interface(abi)]),
  ) as Record<Contract, Interface>;
  const [steps, outcomes]: [Step[], Outcome[]] = [[], []];
  const [done, failed, events, errors] = [1, 2, 3, 4].map(() => new Set<string>()) as [
    Set<string>,
    Set<string>,
    Set<string>,
    Set<string>,
  ];
  const nonces = new Map<string, number>();
  let at = GENESIS_AT;
  let nextAt = at + BLOCK_S;

  async function run(what: string, raw: Hex): Promise<Outcome> {
    const step = { what, raw, block: blockOf(steps.length + 1, nextAt) };
    const outcome = await node.run(step);
    steps.push(step);
    outcomes.push(outcome);
    [at, nextAt] = [nextAt, nextAt + BLOCK_S];
    return outcome;
  }

  // The project's own deployment, on a clock and with blocks of ours.
  const deployed: { readonly call: Call; readonly outcome: Outcome }[] = [];
  const directed: Rpc = {
    ...node.rpc,
    async ask(calls) {
      const answers: RpcAnswer[] = [];
      for (const one of calls)
        if (one.method === "eth_sendRawTransaction") {
          const outcome = await run("deployment", one.params[0] as Hex);
          deployed.push({ call: node.lastCall(), outcome });
          answers.push({ ok: true, result: null });
        } else answers.push(...(await node.rpc.ask([one])));
      return answers;
    },
  };
  const manifest = await deployContracts(directed, deployer, artifacts, deploymentOf(people, at));
  const names = new Map(
    Object.entries(manifest.contracts).map(([name, { address }]) => [address.toLowerCase(), name as Contract]),
  );
  for (const { call, outcome } of deployed) {
    note(call);
    noteEvents(outcome);
  }

  /** Which verbs of ours were called in a tree of calls, and whether they stood. */
  function note(call: Call, stands = true): void {
    const here = stands && call.error === undefined;
    const contract = names.get(call.to?.toLowerCase() ?? "");
    const verb = contract && abis[contract].getFunction(call.input.slice(0, 10))?.name;
    if (verb) (here ? done : failed).add(`${contract}.${verb}`);
    if (contract && call.error !== undefined && call.output) {
      const error = abis[contract].parseError(call.output)?.name;
      if (error) errors.add(`${contract}.${error}`);
    }
    for (const inner of call.calls ?? []) note(inner, here);
  }

  function noteEvents({ logs }: Outcome): void {
    for (const { address, topics, data } of logs) {
      const contract = names.get(address);
      const event = contract && abis[contract].parseLog({ topics: [...topics], data });
      if (event) events.add(`${contract}.${event.name}`);
    }
  }

  async function send(who: string, what: string, to: Hex | null, data: Hex, gasLimit = GAS): Promise<Outcome> {
    const nonce = nonces.get(who) ?? 0;
    nonces.set(who, nonce + 1);
    const fees = { maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 0n };
    const transaction = { type: 2, chainId: CHAIN_ID, nonce, to, data, gasLimit, ...fees };
    const outcome = await run(`${who}: ${what}`, (await people[who]!.signTransaction(transaction)) as Hex);
    note(node.lastCall());
    noteEvents(outcome);
    return outcome;
  }

  const encode: Stage["encode"] = (contract, verb, args) => abis[contract].encodeFunctionData(verb, [...args]) as Hex;
  const addressOf = (contract: Contract) => manifest.contracts[contract]!.address;
  const call = (who: string, contract: Contract, verb: string, args: Args, gasLimit?: number) =>
    send(who, `${contract}.${verb}`, addressOf(contract), encode(contract, verb, args), gasLimit);
  const errorOf = (output: Hex) =>
    Object.values(abis)
      .map((abi) => abi.parseError(output)?.name)
      .find((name) => name !== undefined) ?? output;

  const stage: Stage = {
    people,
    artifacts,
    manifest,
    addressOf,
    encode,
    now: () => nextAt,
    wait(seconds) {
      nextAt = at + seconds;
    },
    async does(who, contract, verb, args = [], gasLimit) {
      const { ok, output } = await call(who, contract, verb, args, gasLimit);
      if (!ok) throw new Error(`${who}: ${contract}.${verb} was refused with ${errorOf(output)}.`);
      return abis[contract].decodeFunctionResult(verb, output);
    },
    async refused(error, who, contract, verb, args = [], gasLimit) {
      const { ok, output } = await call(who, contract, verb, args, gasLimit);
      if (ok || errorOf(output) !== error)
        throw new Error(`${who}: ${contract}.${verb} ${ok ? "succeeded" : errorOf(output)} instead of ${error}.`);
    },
    async creates(who, what, code) {
      const { ok, output } = await send(who, `creates ${what}`, null, code);
      if (!ok) throw new Error(`${what} could not be created: ${errorOf(output)}`);
      return node.lastCall().to as Hex;
    },
  };
  for (const scene of scenes) await scene(stage);
  return { steps, outcomes, manifest, funded, done, failed, events, errors, node };
}
