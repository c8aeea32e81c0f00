/**
 * One thin JSON-RPC client over whatever answers: the embedded chain in process, or one or more HTTP endpoints.
 * An answer is a value; only "nobody answered" is thrown. Error *texts* are for logs and never decide anything:
 * each node words them differently.
 */
export type Hex = `0x${string}`;

export type RpcCall = { readonly method: string; readonly params: readonly unknown[] };

/** What a node replied. `revert` holds the revert data of a failed eth_call or eth_estimateGas, where there is any. */
export type RpcAnswer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: number; readonly message: string; readonly revert: Hex | null };

export type Rpc = {
  readonly chainId: number;
  /** Answers in the order of the calls, from the first endpoint that replies. Throws RpcUnavailable when none does. */
  ask(calls: readonly RpcCall[]): Promise<readonly RpcAnswer[]>;
  /** The same calls put to every endpoint; null for one that does not reply. */
  askEverywhere(calls: readonly RpcCall[]): Promise<readonly (readonly RpcAnswer[] | null)[]>;
  close(): Promise<void>;
};

/** No endpoint gave a JSON-RPC answer: refused, timed out, rate-limited, an HTML page. Trying again later may help. */
export class RpcUnavailable extends Error {
  override name = "RpcUnavailable";
}

/** The node answered a plain read with an error. */
export class RpcRefused extends Error {
  override name = "RpcRefused";
  readonly code: number;
  readonly revert: Hex | null;
  constructor(method: string, code: number, message: string, revert: Hex | null) {
    super(`${method} was refused by the node with code ${code}: ${message}`);
    this.code = code;
    this.revert = revert;
  }
}

export const call = (method: string, ...params: readonly unknown[]): RpcCall => ({ method, params });

/** The result of an answer; throws RpcRefused for an error answer. */
export function resultOf<T>(method: string, answer: RpcAnswer | undefined): T {
  if (answer === undefined) throw new RpcUnavailable(`${method} got no answer`);
  if (!answer.ok) throw new RpcRefused(method, answer.code, answer.message, answer.revert);
  return answer.result as T;
}

/** One call, its plain result. */
export async function request<T>(rpc: Rpc, method: string, ...params: readonly unknown[]): Promise<T> {
  const [answer] = await rpc.ask([{ method, params }]);
  return resultOf<T>(method, answer);
}

/** The same chain, as it was at a block. */
export const asOf = (rpc: Rpc, block: number): Rpc => ({
  ...rpc,
  async ask(calls) {
    const at = quantity(block);
    const answers = await rpc.ask(
      calls.map((one) => ({ ...one, params: one.params.map((param) => (param === "latest" ? at : param)) })),
    );
    return answers.map((answer, i) => (calls[i]?.method === "eth_blockNumber" ? { ok: true, result: at } : answer));
  },
});

export const quantity = (n: number | bigint): Hex => `0x${n.toString(16)}`;

/** A number as nodes write it. Throws RpcUnavailable for anything else: what follows from it would be nonsense too. */
export function readQuantity(what: string, value: unknown): bigint {
  if (typeof value === "string" && /^0x[0-9a-f]{1,64}$/i.test(value)) return BigInt(value);
  throw nonsense(what, value);
}

/** A hash of 32 bytes. Throws RpcUnavailable for anything else. */
export function readHash(what: string, value: unknown): Hex {
  if (typeof value === "string" && /^0x[0-9a-f]{64}$/i.test(value)) return value as Hex;
  throw nonsense(what, value);
}

const nonsense = (what: string, value: unknown) =>
  new RpcUnavailable(`The node answered nonsense for ${what}: ${JSON.stringify(value)?.slice(0, 100)}`);

/** Turns the `error` member of a JSON-RPC reply into a value; nodes nest the revert data differently. */
export function failure(error: unknown): RpcAnswer {
  const { code, message, data } = (error ?? {}) as { code?: unknown; message?: unknown; data?: unknown };
  const text = typeof message === "string" ? message.slice(0, 500) : "no message";
  const revert = isHex(data) ? data : nested(data);
  return {
    ok: false,
    code: typeof code === "number" ? code : 0,
    message: text,
    revert: revert ?? (code === 3 ? "0x" : null),
  };
}

function nested(data: unknown): Hex | null {
  if (typeof data !== "object" || data === null || !("data" in data)) return null;
  return isHex(data.data) ? data.data : null;
}

const isHex = (value: unknown): value is Hex => typeof value === "string" && /^0x([0-9a-f]{2})*$/i.test(value);

export type HttpRpcConfig = {
  /** Asked in order; the second and later ones also give a second opinion before anything counts as final. */
  readonly urls: readonly string[];
  /** Refuse any other chain. Absent: whatever the first endpoint says, the same for all. */
  readonly chainId?: number;
  readonly timeoutMs?: number;
};

/** Calls per HTTP request; hosted nodes limit batches. */
const BATCH = 50;

/** Connects to HTTP endpoints and pins the chain id. Throws when one that answers serves another chain, or none answers. */
export async function connectRpc({ urls, chainId, timeoutMs = 10_000 }: HttpRpcConfig): Promise<Rpc> {
  if (urls.length === 0) throw new Error("No JSON-RPC endpoint is configured. Set CHAIN_RPC_URL.");
  let pinned = chainId ?? null;
  let connected = false;

  /**
   * Every batch asks for the chain id too: what stands behind an address can change. Another chain at the start is a
   * mistake of the configuration; later it is an endpoint that does not answer us.
   */
  async function post(url: string, calls: readonly RpcCall[]): Promise<readonly RpcAnswer[]> {
    const answers: RpcAnswer[] = [];
    for (let i = 0; i < calls.length; i += BATCH - 1) {
      const batch = [call("eth_chainId"), ...calls.slice(i, i + BATCH - 1)];
      const [first, ...rest] = await postBatch(url, batch, timeoutMs);
      const found = Number(readQuantity("eth_chainId", resultOf("eth_chainId", first)));
      pinned ??= found;
      if (found !== pinned) {
        const text = `${hostOf(url)} serves chain ${found}, not ${pinned}. Correct CHAIN_RPC_URL.`;
        throw connected ? new RpcUnavailable(text) : new Error(text);
      }
      answers.push(...rest);
    }
    return answers;
  }

  /** Whatever comes out of one endpoint: its answers, or why it has none. */
  const attempt = (url: string, calls: readonly RpcCall[]): Promise<readonly RpcAnswer[] | RpcUnavailable> =>
    post(url, calls).catch((error: unknown) => {
      if (error instanceof RpcUnavailable) return error;
      throw error;
    });
  const unavailable = (reasons: readonly RpcUnavailable[]) =>
    new RpcUnavailable(reasons.map(({ message }) => message).join("; "));

  async function ask(calls: readonly RpcCall[]): Promise<readonly RpcAnswer[]> {
    if (calls.length === 0) return [];
    const reasons: RpcUnavailable[] = [];
    for (const url of urls) {
      const answers = await attempt(url, calls);
      if (!(answers instanceof RpcUnavailable)) return answers;
      reasons.push(answers);
    }
    throw unavailable(reasons);
  }

  async function askEverywhere(calls: readonly RpcCall[]): Promise<readonly (readonly RpcAnswer[] | null)[]> {
    const everybody = await Promise.all(urls.map((url) => attempt(url, calls)));
    return everybody.map((answers) => (answers instanceof RpcUnavailable ? null : answers));
  }

  // One after the other: where nothing else is said, the first one that answers decides which chain it is.
  const reasons: RpcUnavailable[] = [];
  for (const url of urls) {
    const answers = await attempt(url, [call("eth_chainId")]);
    if (answers instanceof RpcUnavailable) reasons.push(answers);
  }
  if (pinned === null || reasons.length === urls.length) throw unavailable(reasons);
  connected = true;
  return { chainId: pinned, ask, askEverywhere, close: async () => {} };
}

async function postBatch(url: string, calls: readonly RpcCall[], timeoutMs: number): Promise<readonly RpcAnswer[]> {
  const body = JSON.stringify(calls.map((one, id) => ({ jsonrpc: "2.0", id, ...one })));
  let replies: unknown;
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    replies = await response.json();
  } catch (error) {
    throw new RpcUnavailable(`${hostOf(url)} gave no JSON answer: ${(error as Error).message}`);
  }
  if (!Array.isArray(replies))
    throw new RpcUnavailable(`${hostOf(url)} did not answer the batch: ${JSON.stringify(replies).slice(0, 200)}`);
  const byId = new Map<unknown, { error?: unknown; result?: unknown }>(replies.map((reply) => [reply?.id, reply]));
  return calls.map((_, id) => {
    const reply = byId.get(id);
    if (reply === undefined) throw new RpcUnavailable(`${hostOf(url)} left a call of the batch unanswered`);
    return "error" in reply ? failure(reply.error) : { ok: true, result: reply.result ?? null };
  });
}

/** URLs of hosted nodes carry an access key in their path: only the host may appear in a message. */
function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return "the JSON-RPC endpoint";
  }
}
