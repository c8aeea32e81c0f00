import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { broadcast } from "../../../backend/adapters/chain/laneView.ts";
import { call, connectRpc, failure, RpcRefused, RpcUnavailable, request } from "../../../backend/adapters/chain/rpc.ts";

type Reply = { readonly result?: unknown; readonly error?: unknown };

describe("the JSON-RPC client over HTTP", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  async function listen(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** A node whose answers are a function of the method; replies in reversed order, as JSON-RPC allows. */
  const node = (answer: (method: string) => Reply, seen: string[] = [], chain: () => string = () => "0x7a69") =>
    listen(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const calls = JSON.parse(Buffer.concat(chunks).toString()) as { id: number; method: string }[];
      seen.push(...calls.map(({ method }) => method));
      const replies = calls.map(({ id, method }) => ({
        jsonrpc: "2.0",
        id,
        ...(method === "eth_chainId" ? { result: chain() } : answer(method)),
      }));
      response.end(JSON.stringify(replies.reverse()));
    });

  const refusal = (promise: Promise<unknown>) =>
    promise.then(
      () => "accepted",
      (error: Error) => error,
    );

  it("puts answers in the order of the calls, in batches of fifty that begin with the chain id", async () => {
    const seen: string[] = [];
    const url = await node((method) => ({ result: method }), seen);
    const rpc = await connectRpc({ urls: [url] });
    expect(rpc.chainId).to.equal(31_337);
    const methods = Array.from({ length: 120 }, (_, i) => `m${i}`);
    const answers = await rpc.ask(methods.map((method) => call(method)));
    expect(answers.map((answer) => answer.ok && answer.result)).to.deep.equal(methods);
    // The first look is at the chain id alone, asked for like any other call.
    const batch = (from: number, to: number) => ["eth_chainId", ...methods.slice(from, to)];
    expect(seen).to.deep.equal(["eth_chainId", "eth_chainId", ...batch(0, 49), ...batch(49, 98), ...batch(98, 120)]);
  });

  it("refuses a node of another chain at start, and a second node of another chain too", async () => {
    const url = await node(() => ({ result: null }));
    expect(await refusal(connectRpc({ urls: [url], chainId: 1 })))
      .to.have.property("message")
      .that.matches(/serves chain 31337, not 1/);
    const other = await node(
      () => ({ result: null }),
      [],
      () => "0x1",
    );
    expect(await refusal(connectRpc({ urls: [url, other] })))
      .to.have.property("message")
      .that.matches(/serves chain 1, not 31337/);
  });

  it("takes a second node that came late, and of another chain, for one that does not answer", async () => {
    const url = await node(() => ({ result: "0x10" }));
    let chain: string | null = null;
    const late = await node(
      () => ({ result: "0x11" }),
      [],
      () => chain as string,
    );
    const rpc = await connectRpc({ urls: [url, late] });
    chain = "0x1";
    const [first, second] = await rpc.askEverywhere([call("eth_blockNumber")]);
    expect([first, second]).to.deep.equal([[{ ok: true, result: "0x10" }], null]);
    chain = "0x7a69";
    expect((await rpc.askEverywhere([call("eth_blockNumber")]))[1]).to.deep.equal([{ ok: true, result: "0x11" }]);
  });

  it("hears no more of a node behind which the chain changed, and takes nonsense for no answer", async () => {
    let chain: string | null = "0x7a69";
    const url = await node(
      () => ({ result: "0x10" }),
      [],
      () => chain as string,
    );
    const rpc = await connectRpc({ urls: [url] });
    expect(await request(rpc, "eth_blockNumber")).to.equal("0x10");
    for (chain of ["0x5", "31337", "0x", null]) {
      const error = await refusal(request(rpc, "eth_blockNumber"));
      expect(error, String(chain)).to.be.instanceOf(RpcUnavailable);
      expect(String(error)).to.match(/serves chain 5, not 31337|nonsense for eth_chainId/);
    }
    chain = "0x7a69";
    expect(await request(rpc, "eth_blockNumber")).to.equal("0x10");
  });

  it("takes an HTML page, a rate limit, a closed port and a silent node for unavailable, with no secret in the message", async () => {
    const page = await listen((_, response) => response.writeHead(502).end("<html>Bad gateway</html>"));
    const limited = await listen((_, response) => response.writeHead(429).end(JSON.stringify({ error: "slow down" })));
    const silent = await listen(() => {});
    const closed = "http://127.0.0.1:1";
    for (const url of [page, limited, silent, closed]) {
      const error = await refusal(connectRpc({ urls: [`${url}/v3/secret-access-key`], timeoutMs: 150 }));
      expect(error).to.be.instanceOf(RpcUnavailable);
      expect(String(error)).to.not.contain("secret-access-key");
    }
  });

  it("goes on with the second node when the first is away, and hears both where both are wanted", async () => {
    const away = await listen((_, response) => response.writeHead(503).end());
    const up = await node(() => ({ result: "0x10" }));
    const rpc = await connectRpc({ urls: [away, up] });
    expect(await request(rpc, "eth_blockNumber")).to.equal("0x10");
    expect(await rpc.askEverywhere([call("eth_blockNumber")])).to.deep.equal([null, [{ ok: true, result: "0x10" }]]);
  });

  it("hands signed bytes to every node, and is content with one that takes them", async () => {
    const [first, second]: string[][] = [[], []];
    const away = await listen((_, response) => response.writeHead(503).end());
    const urls = [await node(() => ({ result: "0x1" }), first), away, await node(() => ({ result: "0x1" }), second)];
    await broadcast(await connectRpc({ urls }), ["0x01", "0x02"]);
    for (const seen of [first, second])
      expect(seen?.filter((method) => method === "eth_sendRawTransaction")).to.have.length(2);
    const all = { ...(await connectRpc({ urls })), askEverywhere: async () => [null, null] };
    expect(await refusal(broadcast(all, ["0x01"]))).to.be.instanceOf(RpcUnavailable);
  });

  it("gives an error answer back as a value, and throws it where a plain result is wanted", async () => {
    const url = await node(() => ({ error: { code: -32005, message: "limit exceeded" } }));
    const rpc = await connectRpc({ urls: [url] });
    expect(await rpc.ask([call("eth_blockNumber")])).to.deep.equal([
      { ok: false, code: -32005, message: "limit exceeded", revert: null },
    ]);
    expect(await refusal(request(rpc, "eth_blockNumber"))).to.be.instanceOf(RpcRefused);
  });

  it("refuses an answer that leaves a call of the batch out", async () => {
    let replies = [0, 1];
    const url = await listen((_, response) =>
      response.end(JSON.stringify(replies.map((id) => ({ jsonrpc: "2.0", id, result: "0x7a69" })))),
    );
    const rpc = await connectRpc({ urls: [url] });
    replies = [0, 2];
    expect(await refusal(rpc.ask([call("a"), call("b")]))).to.be.instanceOf(RpcUnavailable);
  });

  it("finds revert data wherever a node puts it", () => {
    const data = "0xdeadbeef";
    for (const error of [
      { code: 3, message: "execution reverted", data },
      { code: -32000, message: "reverted", data: { data } },
      { code: -32603, message: "x", data: { data, transactionHash: "0x1" } },
    ])
      expect(failure(error)).to.include({ ok: false, revert: data });
    expect(failure({ code: 3, message: "execution reverted" })).to.include({ revert: "0x" });
    expect(failure({ code: -32000, message: "insufficient funds" })).to.include({ revert: null });
    expect(failure(null)).to.deep.equal({ ok: false, code: 0, message: "no message", revert: null });
  });
});
