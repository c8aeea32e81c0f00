/** Follows Settlement from block to block: what the service itself must know of batches and disputes. */
import type { LogDescription } from "ethers";
import { epochSecond, microEur } from "../../domain/units.ts";
import type { ChainWatch, WatchedEvent } from "../../usecases/ports.ts";
import type { Contracts } from "./contracts.ts";
import { call, type Hex, quantity, type Rpc, request, resultOf } from "./rpc.ts";

/** Blocks per eth_getLogs; hosted nodes limit the range. */
const PAGE = 9_000;

type RawLog = { readonly topics: string[]; readonly data: string; readonly blockNumber: Hex; readonly logIndex: Hex };

/** Blocks with fewer than `depth` others on top are not looked at yet: they may still be replaced. */
export function createChainWatch(rpc: Rpc, contracts: Contracts, depth: number): ChainWatch {
  const abi = contracts.abi.Settlement;
  const address = contracts.addressOf("Settlement");
  const topics = [["Posted", "Finalised", "Disputed", "Resolved"].map((name) => abi.getEvent(name)?.topicHash)];

  async function timesOf(blocks: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const answers = await rpc.ask(blocks.map((block) => call("eth_getBlockByNumber", quantity(block), false)));
    const times = answers.map((answer) =>
      Number(resultOf<{ timestamp: Hex }>("eth_getBlockByNumber", answer).timestamp),
    );
    return new Map(blocks.map((block, i) => [block, times[i] as number]));
  }

  return {
    async since(block) {
      const head = Number(await request<Hex>(rpc, "eth_blockNumber")) - depth;
      const from = Math.max(contracts.fromBlock, (block ?? -1) + 1);
      if (head < from) return null;
      const logs: RawLog[] = [];
      for (let first = from; first <= head; first += PAGE) {
        const [fromBlock, toBlock] = [quantity(first), quantity(Math.min(head, first + PAGE - 1))];
        logs.push(...(await request<RawLog[]>(rpc, "eth_getLogs", { address, topics, fromBlock, toBlock })));
      }
      const times = await timesOf([...new Set([head, ...logs.map((log) => Number(log.blockNumber))])]);
      const at = (one: number) => epochSecond(times.get(one) as number);
      const events = logs
        .toSorted((a, b) => Number(a.blockNumber) - Number(b.blockNumber) || Number(a.logIndex) - Number(b.logIndex))
        .map((log) => ({ at: at(Number(log.blockNumber)), ...said(abi.parseLog(log) as LogDescription) }));
      return { block: head, at: at(head), events };
    },
  };
}

type Said<T> = T extends unknown ? Omit<T, "at"> : never;

function said({ name, args }: LogDescription): Said<WatchedEvent> {
  const cpo = Number(args.cpo);
  switch (name) {
    case "Posted":
    case "Finalised":
      return { kind: name === "Posted" ? "posted" : "finalised", cpo, seq: Number(args.seq) };
    case "Disputed":
      return { kind: "disputed", cpo, number: Number(args.number) };
    default: {
      const { number, refund, back, flexDelta } = args;
      const money = { refund: microEur(refund), back: microEur(back), flexDeltaWh: Number(flexDelta) };
      return { kind: "resolved", cpo, number: Number(number), ...money };
    }
  }
}
