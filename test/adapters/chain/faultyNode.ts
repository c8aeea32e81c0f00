/**
 * A JSON-RPC endpoint over HTTP in front of a good chain that fails in all ways in which hosted nodes fail. Which way is
 * drawn for each HTTP request; how often each one happened is counted.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  call,
  type Hex,
  quantity,
  type Rpc,
  type RpcAnswer,
  type RpcCall,
  request,
} from "../../../backend/adapters/chain/rpc.ts";

/**
 * Chance of each fault per HTTP request. `fork`: another block hash at every height. `dead receipts`: for a while, receipts
 * of blocks that were replaced, as nodes have given them (go-ethereum #28885).
 */
export const FAULTS = {
  "request lost": 0.04,
  "answer lost": 0.04,
  "half a batch": 0.03,
  "HTTP 429": 0.02,
  "HTML page": 0.02,
  "no batch": 0.02,
  nonsense: 0.03,
  "call refused": 0.03,
  "another chain": 0.004,
  "stale head": 0.05,
  fork: 0.02,
  "dead receipts": 0.01,
  hanging: 0.005,
} as const;
export type Fault = keyof typeof FAULTS;

export type FaultyNode = { readonly url: string; close(): Promise<void> };

type Numbered = RpcCall & { readonly id: number };

/** Requests for which a node goes on giving dead receipts, or stands on another chain. */
const DEAD_REQUESTS = 30;
const ELSEWHERE_REQUESTS = 12;
const NONSENSE: readonly unknown[] = ["nonsense", "0xzz", {}, [], 17, true, null];

export async function startFaultyNode(
  upstream: Rpc,
  random: () => number,
  count: (fault: Fault | "dead receipt served") => void,
): Promise<FaultyNode> {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk) => chunks.push(chunk));
    incoming.on("end", () => {
      const batch = JSON.parse(Buffer.concat(chunks).toString()) as Numbered[];
      const calls = batch.map(({ method, params }) => ({ method, params }));
      const ids = batch.map(({ id }) => id);
      answer(calls, ids, response).catch(() => response.destroy());
    });
  });

  /** Every receipt that there ever was. */
  const receipts = new Map<unknown, RpcAnswer>();
  let dead = 0;
  let away = 0;

  async function good(calls: readonly RpcCall[]): Promise<readonly RpcAnswer[]> {
    const answers = await upstream.ask(calls);
    if (dead > 0) dead--;
    return answers.map((one, i) => {
      const { method, params } = calls[i] as RpcCall;
      if (method !== "eth_getTransactionReceipt" || !one.ok) return one;
      if (one.result !== null) receipts.set(params[0], one);
      else if (dead > 0 && receipts.has(params[0])) count("dead receipt served");
      return one.result === null && dead > 0 ? (receipts.get(params[0]) ?? one) : one;
    });
  }

  async function answer(calls: readonly RpcCall[], ids: readonly number[], response: ServerResponse): Promise<void> {
    const dice = drawn(random());
    const fault = away > 0 ? "another chain" : dice;
    if (fault !== null) count(fault);
    const reply = (answers: readonly RpcAnswer[]) => response.end(JSON.stringify(replies(ids, answers)));
    switch (fault) {
      case "request lost":
        return void response.destroy();
      case "answer lost":
        await upstream.ask(calls);
        return void response.destroy();
      case "half a batch":
        await upstream.ask(calls.slice(0, Math.ceil(random() * calls.length)));
        return void response.destroy();
      case "HTTP 429":
        return void response.writeHead(429, { "retry-after": "1" }).end("Too many requests");
      case "HTML page":
        return void response.writeHead(200).end("<html><body>Welcome</body></html>");
      case "no batch":
        return void response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32005, message: "no" } }));
      case "hanging":
        // Until the other side has had enough.
        return;
      case "nonsense": {
        const answers = await upstream.ask(calls);
        const broken = (): RpcAnswer => ({ ok: true, result: NONSENSE[Math.floor(random() * NONSENSE.length)] });
        return void reply(answers.map((one) => (random() < 0.5 ? broken() : one)));
      }
      case "call refused": {
        const answers = await upstream.ask(calls);
        const refused: RpcAnswer = { ok: false, code: -32005, message: "limit exceeded", revert: null };
        return void reply(answers.map((one) => (random() < 0.3 ? refused : one)));
      }
      case "another chain":
        away = away > 0 ? away - 1 : ELSEWHERE_REQUESTS;
        return void reply(calls.map(elsewhere));
      case "stale head":
        return void reply(await stale(upstream, calls, 1 + Math.floor(random() * 3)));
      case "fork":
        return void reply((await upstream.ask(calls)).map(withOtherHash));
      case "dead receipts":
        dead = DEAD_REQUESTS;
        return void reply(await good(calls));
      default:
        return void reply(await good(calls));
    }
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function drawn(dice: number): Fault | null {
  let left = dice;
  for (const [fault, chance] of Object.entries(FAULTS)) {
    left -= chance;
    if (left < 0) return fault as Fault;
  }
  return null;
}

const replies = (ids: readonly number[], answers: readonly RpcAnswer[]) =>
  answers.map((one, i) => {
    const base = { jsonrpc: "2.0", id: ids[i] };
    if (one.ok) return { ...base, result: one.result };
    return { ...base, error: { code: one.code, message: one.message, data: one.revert ?? undefined } };
  });

/** A chain with a few blocks, on which our key has sent a lot. */
function elsewhere({ method }: RpcCall): RpcAnswer {
  const block = { number: "0x5", hash: `0x${"5".repeat(64)}`, baseFeePerGas: "0x7", timestamp: "0x0" };
  const results: Readonly<Record<string, unknown>> = {
    ...{ eth_chainId: "0x5", eth_blockNumber: "0x5", eth_getBlockByNumber: block, eth_getTransactionCount: "0x1f4" },
  };
  const result = method in results ? results[method] : method === "eth_getTransactionReceipt" ? null : "0x0";
  return { ok: true, result };
}

/** What a node says that has not seen the last `lag` blocks. It passes transactions on like any other. */
export async function stale(upstream: Rpc, calls: readonly RpcCall[], lag: number): Promise<RpcAnswer[]> {
  const head = Math.max(0, Number(await request<Hex>(upstream, "eth_blockNumber")) - lag);
  const unknown = (height: unknown) => typeof height === "string" && Number(height) > head;
  const answers = await upstream.ask(
    calls.map((one) =>
      one.method === "eth_getTransactionReceipt" || one.method === "eth_sendRawTransaction"
        ? one
        : call(one.method, ...one.params.map((param) => (param === "latest" ? quantity(head) : param))),
    ),
  );
  return answers.map((one, i): RpcAnswer => {
    const { method, params } = calls[i] as RpcCall;
    if (method === "eth_blockNumber") return { ok: true, result: quantity(head) };
    if (method === "eth_getBlockByNumber" && unknown(params[0])) return { ok: true, result: null };
    if (/^eth_(call|estimateGas)$/.test(method) && unknown(params[1]))
      return { ok: false, code: -32000, message: "header not found", revert: null };
    const block =
      method === "eth_getTransactionReceipt" && one.ok ? (one.result as { blockNumber?: Hex } | null) : null;
    return unknown(block?.blockNumber) ? { ok: true, result: null } : one;
  });
}

/** A node on another branch. */
function withOtherHash(one: RpcAnswer): RpcAnswer {
  if (!one.ok || typeof one.result !== "object" || one.result === null || !("baseFeePerGas" in one.result)) return one;
  return { ok: true, result: { ...one.result, hash: `0x${"f0".repeat(32)}` } };
}
