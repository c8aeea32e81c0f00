import { expect } from "chai";
import {
  exportChain,
  importChain,
  LOCAL_CHAIN_ID,
  startEmbeddedChain,
} from "../../../backend/adapters/chain/embedded.ts";
import { call, connectRpc, type Hex, request } from "../../../backend/adapters/chain/rpc.ts";
import { DEPLOYER, embedded, nonceOf, SLOTS, sendForeign } from "./bench.ts";
import { deploySequence, numbersTaken, wordOf } from "./sequence.ts";

const fees = { maxFee: 100_000_000_000n, tip: 1n };

async function take(rpc: Parameters<typeof deploySequence>[0], to: Hex, n: number, nonce: number): Promise<void> {
  const { raw } = await SLOTS.sign({ chainId: rpc.chainId, nonce, to, data: wordOf(n), gasLimit: 120_000, ...fees });
  await request(rpc, "eth_sendRawTransaction", raw);
}

describe("the embedded chain", () => {
  it("mines each transaction at once, and funds only the addresses that it was told", async () => {
    const chain = await embedded();
    expect(Number(await request(chain.rpc, "eth_chainId"))).to.equal(LOCAL_CHAIN_ID);
    expect(await request(chain.rpc, "eth_accounts")).to.deep.equal([]);
    expect(BigInt(await request(chain.rpc, "eth_getBalance", SLOTS.address, "latest"))).to.equal(10n ** 24n);
    await sendForeign(chain.rpc, SLOTS, 0);
    expect(Number(await request(chain.rpc, "eth_blockNumber"))).to.equal(1);
    expect(await nonceOf(chain.rpc, SLOTS)).to.equal(1);
    await chain.close();
  });

  it("does not let blocks run ahead of the clock", async () => {
    const chain = await startEmbeddedChain({ funded: [SLOTS.address], genesisAt: 1_700_000_000 });
    const startedMs = Date.now();
    for (let nonce = 0; nonce < 60; nonce++) await sendForeign(chain.rpc, SLOTS, nonce);
    const { timestamp } = await request<{ timestamp: Hex }>(chain.rpc, "eth_getBlockByNumber", "latest", false);
    expect(Number(timestamp) - 1_700_000_000).to.be.at.most(Math.ceil((Date.now() - startedMs) / 1000) + 1);
    await chain.close();
  });

  it("refuses a transaction above EIP-7825's cap of 16,777,216 gas, as real networks do", async () => {
    const chain = await embedded();
    const send = async (gasLimit: number) => {
      const plain = { chainId: chain.rpc.chainId, nonce: 0, to: SLOTS.address, data: "0x" as const, gasLimit, ...fees };
      const { raw } = await SLOTS.sign(plain);
      return (await chain.rpc.ask([call("eth_sendRawTransaction", raw)]))[0]?.ok;
    };
    expect(await send(16_777_217)).to.equal(false);
    expect(await send(16_777_216)).to.equal(true);
    await chain.close();
  });

  it("is saved and rebuilt to the same blocks, reverted transactions and calls in between included", async () => {
    const chain = await embedded();
    const address = await deploySequence(chain.rpc, DEPLOYER);
    for (const [nonce, n] of [1, 2, 7, 3].entries()) {
      await take(chain.rpc, address, n, nonce);
      await request(chain.rpc, "eth_call", { to: address, data: wordOf(n + 1), from: SLOTS.address }, "pending").catch(
        () => null,
      );
    }
    const dump = JSON.parse(JSON.stringify(await exportChain(chain)));
    const rebuilt = await importChain(dump);
    expect(await numbersTaken(rebuilt.rpc, address)).to.deep.equal([1, 2, 3]);
    for (let n = 0; n <= 5; n++) {
      const [before, after] = await Promise.all(
        [chain, rebuilt].map(({ rpc }) => request(rpc, "eth_getBlockByNumber", `0x${n}`, true)),
      );
      expect(after, `block ${n}`).to.deep.equal(before);
    }
    await take(rebuilt.rpc, address, 4, 4);
    expect(await numbersTaken(rebuilt.rpc, address), "it goes on living").to.deep.equal([1, 2, 3, 4]);
    expect((await exportChain(rebuilt)).blocks.slice(0, 5)).to.deep.equal(dump.blocks);
    await Promise.all([chain.close(), rebuilt.close()]);
  });

  it("goes on with the time of day after it was rebuilt from a dump of long ago", async () => {
    const chain = await startEmbeddedChain({ funded: [SLOTS.address], genesisAt: 1_600_000_000 });
    await sendForeign(chain.rpc, SLOTS, 0);
    const rebuilt = await importChain(await exportChain(chain));
    const timeOf = async (n: string) =>
      Number((await request<{ timestamp: Hex }>(rebuilt.rpc, "eth_getBlockByNumber", n, false)).timestamp);
    expect(await timeOf("0x1")).to.be.within(1_600_000_000, 1_600_000_100);
    await sendForeign(rebuilt.rpc, SLOTS, 1);
    expect(Math.abs((await timeOf("0x2")) - Date.now() / 1000)).to.be.below(60);
    await Promise.all([chain.close(), rebuilt.close()]);
  });

  it("refuses a dump in which a transaction was changed, left out or moved in time", async () => {
    const chain = await embedded();
    const address = await deploySequence(chain.rpc, DEPLOYER);
    for (const n of [1, 2]) await take(chain.rpc, address, n, n - 1);
    const dump = await exportChain(chain);
    const other = await SLOTS.sign({
      chainId: LOCAL_CHAIN_ID,
      nonce: 1,
      to: address,
      data: wordOf(3),
      gasLimit: 120_000,
      ...fees,
    });
    const [first, second, last] = dump.blocks as [
      (typeof dump.blocks)[0],
      (typeof dump.blocks)[0],
      (typeof dump.blocks)[0],
    ];
    const changed = [
      [first, second, { ...last, raw: [other.raw] }],
      [first, second],
      [first, second, { ...last, at: last.at + 1 }],
    ];
    for (const blocks of changed) {
      const outcome = await importChain({ ...dump, blocks }).then(
        () => "accepted",
        (error: Error) => error.message,
      );
      expect(outcome).to.match(/^The rebuilt chain ends in/);
    }
    await chain.close();
  });

  describe("for a browser or a wallet on 127.0.0.1", () => {
    it("answers reads and signed transactions, alone and in batches", async () => {
      const chain = await startEmbeddedChain({ funded: [SLOTS.address], port: 0 });
      expect(chain.url).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
      const outside = await connectRpc({ urls: [chain.url as string], chainId: LOCAL_CHAIN_ID });
      await sendForeign(outside, SLOTS, 0);
      expect(await nonceOf(outside, SLOTS)).to.equal(1);
      expect(await nonceOf(chain.rpc, SLOTS)).to.equal(1);
      await chain.close();
    });

    it("moves no clock, mines nothing, uses no key, and survives nonsense", async () => {
      const chain = await startEmbeddedChain({ funded: [SLOTS.address], port: 0 });
      const post = async (body: string, method = "POST") => {
        const response = await fetch(chain.url as string, { method, ...(method === "POST" ? { body } : {}) });
        return { status: response.status, text: await response.text(), headers: response.headers };
      };
      const forbidden = [
        "evm_mine",
        "evm_setNextBlockTimestamp",
        "evm_increaseTime",
        "evm_snapshot",
        "hardhat_setBalance",
      ];
      forbidden.push("hardhat_impersonateAccount", "eth_sendTransaction", "eth_sign", "debug_traceTransaction");
      for (const method of forbidden) {
        const { text } = await post(JSON.stringify({ jsonrpc: "2.0", id: 5, method, params: [] }));
        expect(JSON.parse(text)).to.deep.include({
          id: 5,
          error: { code: -32601, message: `${method} is not offered by this chain.` },
        });
      }
      expect(Number(await request(chain.rpc, "eth_blockNumber"))).to.equal(0);
      expect(JSON.parse((await post("{")).text).error.code).to.equal(-32700);
      expect(JSON.parse((await post("[]")).text).error.code).to.equal(-32600);
      expect(JSON.parse((await post('[1, "x", null]')).text)).to.have.length(3);
      expect((await post(`"${"x".repeat(1_000_001)}"`)).status).to.equal(413);
      expect((await post("", "GET")).status).to.equal(405);
      expect((await post("", "OPTIONS")).headers.get("access-control-allow-origin")).to.equal("*");
      await chain.close();
    });
  });
});
