/**
 * The audit's eyes: everything that the contracts ever said, read from logs and state alone. Amounts are bigint
 * micro-euro, energies whole Wh, instants epoch seconds.
 */
import type { Interface, LogDescription, Result } from "ethers";
import type { BillLine, Judgement, RunRecord } from "../../usecases/ports.ts";
import { EMPTY_CHAIN, extendChain, linkOf } from "./commitments.ts";
import type { Contracts } from "./contracts.ts";
import type { ContractName } from "./deployment.ts";
import { call, type Hex, quantity, type Rpc, request, resultOf } from "./rpc.ts";

export type Logged<T> = T & { readonly block: number; readonly tx: Hex; readonly logIndex: number };

export type RecordedRun = Logged<RunRecord>;
export type BilledLine = Logged<{
  readonly cpo: number;
  readonly number: number;
  readonly driver: Hex;
  readonly amount: bigint;
  readonly credit: bigint;
  readonly flex: number;
}>;
export type PostedBatch = Logged<{
  readonly cpo: number;
  readonly seq: number;
  readonly root: Hex;
  readonly pot: bigint;
  readonly count: number;
}>;

export type ChainReader = ReturnType<typeof createChainReader>;

/** ISettlement's DisputeState. */
const DISPUTE_STATES = ["none", "open", "resolved"] as const;

/** Blocks per eth_getLogs; hosted nodes limit the range. */
const PAGE = 9_000;

export function createChainReader(rpc: Rpc, contracts: Contracts) {
  const { abi, fromBlock } = contracts;

  /** All logs of one event, oldest first; `topics` narrow indexed arguments. */
  async function logs(contract: ContractName, event: string, topics: readonly unknown[] = []) {
    const address = contracts.addressOf(contract);
    const filter = abi[contract].encodeFilterTopics(event, [...topics]);
    const head = Number(await request<Hex>(rpc, "eth_blockNumber"));
    const pages = Array.from({ length: Math.ceil((head - fromBlock + 1) / PAGE) }, (_, i) => fromBlock + i * PAGE);
    const answers = await rpc.ask(
      pages.map((from) => {
        const [fromBlock, toBlock] = [quantity(from), quantity(Math.min(head, from + PAGE - 1))];
        return call("eth_getLogs", { address, topics: filter, fromBlock, toBlock });
      }),
    );
    return answers
      .flatMap((answer) => resultOf<RawLog[]>("eth_getLogs", answer))
      .map((log) => parsed(abi[contract], log));
  }

  /** A view function's result. */
  async function ask(
    contract: ContractName,
    verb: string,
    args: readonly unknown[],
    to: Hex = contracts.addressOf(contract),
  ): Promise<Result> {
    const data = contracts.encode(contract, verb, args);
    const result = await request<Hex>(rpc, "eth_call", { to, data }, "latest");
    return abi[contract].decodeFunctionResult(verb, result);
  }

  async function batch(cpo: number, seq: number) {
    const [found] = await ask("Settlement", "batchOf", [cpo, seq]);
    const { root, pot, postedAt, count, finalised } = found;
    return { root: root as Hex, pot: pot as bigint, postedAt: Number(postedAt), count: Number(count), finalised };
  }

  async function dispute(cpo: number, number: number) {
    const [{ state, openedAt }] = await ask("Settlement", "disputeOf", [cpo, number]);
    return { state: DISPUTE_STATES[Number(state)] as (typeof DISPUTE_STATES)[number], openedAt: Number(openedAt) };
  }

  async function account(owner: Hex) {
    const [{ available, flex, nonce, isDriver }] = await ask("Settlement", "accountOf", [owner]);
    return {
      available: available as bigint,
      flexWh: Number(flex),
      nonce: Number(nonce),
      isDriver: isDriver as boolean,
    };
  }

  /** What a driver announced to take out; the amount is 0 when nothing is left of it. */
  async function withdrawal(owner: Hex) {
    const [{ amount, readyAt }] = await ask("Settlement", "withdrawalOf", [owner]);
    return { amount: amount as bigint, readyAt: Number(readyAt) };
  }

  async function head(group: number): Promise<{ readonly slot: number; readonly chain: Hex }> {
    const [{ slot, chain }] = await ask("SlotLedger", "headOf", [group]);
    return { slot: Number(slot), chain };
  }

  async function runs(group?: number): Promise<RecordedRun[]> {
    return (await logs("SlotLedger", "SlotRecorded", [group ?? null])).map(({ args, ...where }) => ({
      ...runOf(args.run),
      ...where,
    }));
  }

  async function runsOf(group: number, slot: number): Promise<RecordedRun[]> {
    const found = await logs("SlotLedger", "SlotRecorded", [group, slot]);
    return found.map(({ args, ...where }) => ({ ...runOf(args.run), ...where }));
  }

  async function posted(cpo?: number): Promise<PostedBatch[]> {
    return (await logs("Settlement", "Posted", [cpo ?? null])).map(({ args, ...where }) => ({
      cpo: Number(args.cpo),
      seq: Number(args.seq),
      root: args.root,
      pot: args.pot,
      count: Number(args.count),
      ...where,
    }));
  }

  async function billed(cpo?: number): Promise<BilledLine[]> {
    return (await logs("Settlement", "Billed", [cpo ?? null])).map(({ args, ...where }) => ({
      cpo: Number(args.cpo),
      number: Number(args.number),
      driver: args.driver,
      amount: args.amount,
      credit: args.credit,
      flex: Number(args.flex),
      ...where,
    }));
  }

  /** The lines of a batch from the calldata of the transaction that posted it. */
  async function linesOf(batch: PostedBatch): Promise<BillLine[]> {
    const sent = await request<{ input: Hex }>(rpc, "eth_getTransactionByHash", batch.tx);
    const [, , lines] = abi.Settlement.decodeFunctionData("post", sent.input);
    return (lines as Result[]).map((line) => ({
      number: Number(line.number),
      driver: line.driver,
      amount: line.amount,
      credit: line.credit,
      wh: Number(line.wh),
      flex: Number(line.flex),
      tariff: Number(line.tariff),
      detail: line.detail,
    }));
  }

  /** The published specification of a version; null when there is none. */
  async function algorithm(version: Hex) {
    const found = await logs("AlgorithmRegistry", "Published", [version]);
    const spec = found[0]?.args.spec;
    if (spec === undefined) return null;
    return {
      method: Buffer.from(spec.method.slice(2), "hex").toString("ascii").replace(/\0+$/, ""),
      sourceHash: spec.sourceHash as Hex,
      code: spec.code as Hex,
      checker: spec.checker as Hex,
      activeFrom: Number(spec.activeFrom),
      maxScale: Number(spec.maxScale),
      voll: Number(spec.voll),
      extra: Number(spec.extra),
      maxEarly: Number(spec.maxEarly),
      uri: spec.uri as string,
    };
  }

  /**
   * Asks the rule itself, for free. Thousands of schedules of tens of kilobytes are asked about, so the call is put together
   * from the hex that they come in: four offsets, then each length with its bytes padded to whole words. 400 cars x 96
   * intervals need 7 million gas; throws when the node allows less.
   */
  async function check(checker: Hex, ...schedule: readonly [p: Hex, x: Hex, y: Hex, w: Hex]): Promise<Judgement> {
    const word = (n: number) => n.toString(16).padStart(64, "0");
    let offset = 32 * schedule.length;
    let heads = "";
    let tails = "";
    for (const hex of schedule) {
      const bytes = (hex.length - 2) / 2;
      const padded = hex.slice(2).padEnd(2 * 32 * Math.ceil(bytes / 32), "0");
      heads += word(offset);
      tails += word(bytes) + padded;
      offset += 32 + padded.length / 2;
    }
    const data = `${abi.ScheduleChecker.getFunction("check")?.selector}${heads}${tails}`;
    const [answer] = await rpc.ask([call("eth_call", { to: checker, data }, "latest")]);
    if (answer?.ok) {
      const [cost, bound] = abi.ScheduleChecker.decodeFunctionResult("check", answer.result as Hex);
      return { kind: "checked", cost, bound };
    }
    const broken = answer?.revert ? abi.ScheduleChecker.parseError(answer.revert)?.args : undefined;
    if (broken !== undefined) return { kind: "broken", rule: Number(broken[0]), at: Number(broken[1]) };
    throw new Error(
      `The checker ${checker} gave no verdict: ${answer?.message}. Raise the node's gas limit for eth_call.`,
    );
  }

  /** Euros that Settlement really owns, and the sum of all claims on them. */
  async function funds() {
    const [held] = await ask("Settlement", "held", []);
    const [euro] = await ask("Settlement", "euro", []);
    const [owned] = await ask("TestEuro", "balanceOf", [contracts.addressOf("Settlement")], euro);
    return { held: held as bigint, owned: owned as bigint };
  }

  return {
    ask,
    logs,
    account,
    algorithm,
    batch,
    billed,
    check,
    dispute,
    funds,
    head,
    linesOf,
    posted,
    runs,
    runsOf,
    withdrawal,
  };
}

/** The hash chain that a group's runs lead to; it equals `head(group).chain` when no run is missing, changed or moved. */
export const chainOf = (runs: readonly RunRecord[]): Hex =>
  runs.reduce((chain, run) => extendChain(chain, linkOf(run)), EMPTY_CHAIN);

type RawLog = {
  readonly topics: string[];
  readonly data: string;
  readonly blockNumber: Hex;
  readonly transactionHash: Hex;
  readonly logIndex: Hex;
};

function parsed(abi: Interface, log: RawLog): Logged<{ readonly args: Result }> {
  const { args } = abi.parseLog(log) as LogDescription;
  return { args, block: Number(log.blockNumber), tx: log.transactionHash, logIndex: Number(log.logIndex) };
}

/** A run as a log or calldata holds it. */
function runOf(run: Result): RunRecord {
  const { group, slot, algorithm, problem, plan, value, earlier, root, rows } = run;
  return { group: Number(group), slot: Number(slot), algorithm, problem, plan, value, earlier, root, rows };
}
