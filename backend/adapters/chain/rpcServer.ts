/**
 * JSON-RPC over HTTP on 127.0.0.1, so that a browser or a wallet can read the embedded chain. Only reading and sending
 * transactions that somebody has signed: nothing from outside can move the clock, mine, or use a key of ours.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Rpc, RpcAnswer } from "./rpc.ts";

const ALLOWED = new Set([
  "eth_accounts",
  "eth_blockNumber",
  "eth_call",
  "eth_chainId",
  "eth_estimateGas",
  "eth_feeHistory",
  "eth_gasPrice",
  "eth_getBalance",
  "eth_getBlockByHash",
  "eth_getBlockByNumber",
  "eth_getBlockTransactionCountByHash",
  "eth_getBlockTransactionCountByNumber",
  "eth_getCode",
  "eth_getLogs",
  "eth_getStorageAt",
  "eth_getTransactionByBlockHashAndIndex",
  "eth_getTransactionByBlockNumberAndIndex",
  "eth_getTransactionByHash",
  "eth_getTransactionCount",
  "eth_getTransactionReceipt",
  "eth_maxPriorityFeePerGas",
  "eth_sendRawTransaction",
  "eth_syncing",
  "net_listening",
  "net_version",
  "web3_clientVersion",
]);
const MAX_BODY_BYTES = 1_000_000;
const MAX_BATCH = 100;

type Request = { readonly id?: unknown; readonly method?: unknown; readonly params?: unknown };

export async function serveRpc(rpc: Rpc, port: number): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response): Promise<unknown> => {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "content-type");
    if (request.method === "OPTIONS") return response.writeHead(204).end();
    if (request.method !== "POST") return response.writeHead(405, { allow: "POST" }).end();
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) return response.writeHead(413).end();
      chunks.push(chunk);
    }
    response.setHeader("content-type", "application/json");
    return response.end(JSON.stringify(await reply(rpc, Buffer.concat(chunks).toString("utf8"))));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function reply(rpc: Rpc, body: string): Promise<unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return envelope(null, refused(-32700, "The body is not JSON."));
  }
  if (!Array.isArray(parsed)) return one(rpc, parsed);
  if (parsed.length === 0 || parsed.length > MAX_BATCH)
    return envelope(null, refused(-32600, `A batch has 1 to ${MAX_BATCH} calls.`));
  const replies = [];
  for (const entry of parsed) replies.push(await one(rpc, entry));
  return replies;
}

async function one(rpc: Rpc, entry: unknown): Promise<unknown> {
  const { id = null, method, params = [] } = (typeof entry === "object" && entry !== null ? entry : {}) as Request;
  if (typeof method !== "string" || !Array.isArray(params))
    return envelope(id, refused(-32600, "Not a JSON-RPC request."));
  if (!ALLOWED.has(method)) return envelope(id, refused(-32601, `${method} is not offered by this chain.`));
  try {
    const [answer] = await rpc.ask([{ method, params }]);
    return envelope(id, answer ?? refused(-32603, "No answer."));
  } catch (error) {
    return envelope(id, refused(-32603, (error as Error).message));
  }
}

const refused = (code: number, message: string): RpcAnswer => ({ ok: false, code, message, revert: null });

function envelope(id: unknown, answer: RpcAnswer): unknown {
  if (answer.ok) return { jsonrpc: "2.0", id, result: answer.result };
  const data = answer.revert === null ? {} : { data: answer.revert };
  return { jsonrpc: "2.0", id, error: { code: answer.code, message: answer.message, ...data } };
}
