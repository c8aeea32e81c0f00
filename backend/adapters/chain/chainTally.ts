/**
 * Adds up what the contracts' events say, block by block, and reads what the contracts keep, both as of one block. Only new
 * blocks are read; a block that was replaced since makes it begin again.
 */
import { AbiCoder, type LogDescription, type Result } from "ethers";
import { type ChainTally, SUBJECTS, type Tallied, type Totals } from "../../usecases/totalsPort.ts";
import type { Contracts } from "./contracts.ts";
import type { ContractName } from "./deployment.ts";
import {
  call,
  type Hex,
  quantity,
  type Rpc,
  type RpcCall,
  RpcUnavailable,
  readHash,
  readQuantity,
  request,
  resultOf,
} from "./rpc.ts";

/** Blocks per eth_getLogs; hosted nodes limit the range. */
const PAGE = 9_000;
const WORD = AbiCoder.defaultAbiCoder();

type RawLog = { readonly address: Hex; readonly topics: string[]; readonly data: string };
type Block = { readonly number: Hex; readonly hash: Hex } | null;

/** Blocks with fewer than `depth` others on top are not looked at yet. Deposits are told from others' by `treasury`. */
export function createChainTally(rpc: Rpc, contracts: Contracts, depth: number, treasury: Hex): ChainTally {
  const [slotLedger, settlement] = (["SlotLedger", "Settlement"] as const).map(contracts.addressOf) as [Hex, Hex];
  const ours = treasury.toLowerCase();
  const view = (contract: ContractName, verb: string, args: readonly unknown[], at: Hex, to?: Hex) =>
    call("eth_call", { to: to ?? contracts.addressOf(contract), data: contracts.encode(contract, verb, args) }, at);
  let euro: Hex | null = null;

  async function isThere({ block, hash }: Tallied): Promise<boolean> {
    const found = await request<Block>(rpc, "eth_getBlockByNumber", quantity(block), false);
    return found?.hash === hash;
  }

  /** Tokens of Settlement's own currency never change. */
  async function currency(at: Hex): Promise<Hex> {
    if (euro !== null) return euro;
    const [answer] = await rpc.ask([view("Settlement", "euro", [], at)]);
    euro = WORD.decode(["address"], resultOf<Hex>("eth_call", answer))[0] as Hex;
    return euro;
  }

  return {
    async since(tallied) {
      const head = Number(readQuantity("a block's number", await request(rpc, "eth_blockNumber"))) - depth;
      if (head < contracts.fromBlock) return null;
      const known = tallied !== null && tallied.block <= head && (await isThere(tallied)) ? tallied : null;
      const sums = new Map(Object.entries(known?.events ?? {}));
      const at = quantity(head);
      // All in one batch, so that one node answers; it must know the block at both ends of it.
      const block = call("eth_getBlockByNumber", at, false);
      const pages = pagesOf((known?.block ?? contracts.fromBlock - 1) + 1, head, [slotLedger, settlement]);
      const answers = await rpc.ask([block, ...pages, block]);
      const [first, last] = [answers[0], answers.at(-1)].map((one) => resultOf<Block>("eth_getBlockByNumber", one));
      if (!first || first.hash !== last?.hash)
        throw new RpcUnavailable(`Block ${head} was replaced while its events were read.`);
      for (const answer of answers.slice(1, -1))
        for (const log of resultOf<RawLog[]>("eth_getLogs", answer)) {
          const from = log.address.toLowerCase() === slotLedger.toLowerCase() ? "SlotLedger" : "Settlement";
          const said = contracts.abi[from].parseLog(log);
          if (said !== null) tell(sums, said, ours);
        }
      const events: Totals = Object.fromEntries(sums);
      const hash = readHash("a block", first.hash);
      return { block: head, hash, events, contracts: await kept(events, at) };
    },
  };

  /** What the contracts keep of the groups and CPOs that the events named, and of everybody's money. */
  async function kept(events: Totals, at: Hex): Promise<Totals> {
    const numbers = (name: (n: number) => string) =>
      Object.keys(events).flatMap((subject) => {
        const n = Number(/ (\d+)$/.exec(subject)?.[1] ?? Number.NaN);
        return subject === name(n) ? [n] : [];
      });
    const [groups, cpos] = [numbers(SUBJECTS.lastSlot), numbers(SUBJECTS.batches)];
    const token = await currency(at);
    const answers = await rpc.ask([
      view("Settlement", "held", [], at),
      view("TestEuro", "balanceOf", [settlement], at, token),
      view("FlexToken", "totalSupply", [], at),
      ...groups.map((group) => view("SlotLedger", "headOf", [group], at)),
      ...cpos.map((cpo) => view("Settlement", "lastSeq", [cpo], at)),
    ]);
    // A number, or a struct whose first word is one.
    const words = answers.map((one) => BigInt(resultOf<Hex>("eth_call", one).slice(0, 66)));
    const [held, owned, tokens, ...rest] = words as [bigint, bigint, bigint, ...bigint[]];
    return {
      [SUBJECTS.held]: held,
      [SUBJECTS.missing]: owned < held ? held - owned : 0n,
      [SUBJECTS.tokens]: tokens,
      ...Object.fromEntries(groups.map((group, i) => [SUBJECTS.lastSlot(group), rest[i] as bigint])),
      ...Object.fromEntries(cpos.map((cpo, i) => [SUBJECTS.batches(cpo), rest[groups.length + i] as bigint])),
    };
  }
}

function pagesOf(first: number, last: number, address: readonly Hex[]): RpcCall[] {
  const pages: RpcCall[] = [];
  for (let from = first; from <= last; from += PAGE)
    pages.push(
      call("eth_getLogs", { address, fromBlock: quantity(from), toBlock: quantity(Math.min(last, from + PAGE - 1)) }),
    );
  return pages;
}

function tell(sums: Map<string, bigint>, { name, args }: LogDescription, treasury: string): void {
  const add = (subject: string, amount: unknown) =>
    sums.set(subject, (sums.get(subject) ?? 0n) + BigInt(amount as bigint));
  const [cpo, group] = [Number(args.toObject().cpo), Number(args.toObject().group)];
  const told: Readonly<Record<string, (args: Result) => void>> = {
    SlotRecorded({ slot }) {
      add(SUBJECTS.records(group), 1);
      sums.set(SUBJECTS.lastSlot(group), slot);
    },
    Posted: () => add(SUBJECTS.batches(cpo), 1),
    Billed({ amount, credit, flex }) {
      add(SUBJECTS.bills(cpo), 1);
      add(SUBJECTS.billed(cpo), amount);
      add(SUBJECTS.credited(cpo), credit);
      add(SUBJECTS.flex(cpo), flex);
    },
    Deposited({ from, amount }) {
      if (String(from).toLowerCase() === treasury) add(SUBJECTS.deposited, amount);
      add(SUBJECTS.held, amount);
    },
    PotFunded: ({ amount }) => add(SUBJECTS.held, amount),
    Withdrawn: ({ amount }) => add(SUBJECTS.held, -amount),
    FlexClaimed: ({ wh }) => add(SUBJECTS.tokens, wh),
    Redeemed: ({ fromTokens }) => add(SUBJECTS.tokens, -fromTokens),
  };
  told[name]?.(args);
}
