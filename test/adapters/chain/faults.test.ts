/**
 * The writer under faults from a seed: the process dies at every point where it matters, requests and answers get lost,
 * calls are enqueued twice, blocks are replaced, the mempool is emptied. What the chain shows at the end must be what one
 * undisturbed run would have left: every number once, in order, and not one nonce more.
 */
import { expect } from "chai";
import { type Rpc, RpcUnavailable, request } from "../../../backend/adapters/chain/rpc.ts";
import { createWriter, type WriterConfig } from "../../../backend/adapters/chain/writer.ts";
import { startAnvil } from "../../support/anvil.ts";
import { randomFrom } from "../../support/problems.ts";
import { aBench, type Bench, BILLING, DEPLOYER, embedded, nonceOf, SLOTS } from "./bench.ts";
import { sequenceCall } from "./sequence.ts";

class Crash extends Error {}

type Counts = { crashes: number; lost: number; reorgs: number; dropped: number; duplicates: number };

/** An Rpc whose requests or answers get lost. Once in a while only some of the calls of a batch get through. */
function lossy(rpc: Rpc, random: () => number, counts: Counts): Rpc {
  return {
    ...rpc,
    async ask(calls) {
      if (random() < 0.1) {
        counts.lost++;
        throw new RpcUnavailable("the request got lost");
      }
      const cut = random() < 0.1;
      const answers = await rpc.ask(cut ? calls.slice(0, Math.floor(random() * (calls.length + 1))) : calls);
      if (cut || random() < 0.1) {
        counts.lost++;
        throw new RpcUnavailable("the answer got lost");
      }
      return answers;
    },
  };
}

/** Runs `jobs` calls through crash after crash; `weather` happens to the chain between passes. */
async function storm(
  bench: Bench,
  seed: number,
  jobs: number,
  weather: (random: () => number) => Promise<void>,
): Promise<Counts> {
  const random = randomFrom(seed);
  const counts: Counts = { crashes: 0, lost: 0, reorgs: 0, dropped: 0, duplicates: 0 };
  const config: WriterConfig = {
    ...bench.config,
    rpc: lossy(bench.rpc, random, counts),
    checkpoint() {
      if (random() < 0.12) throw new Crash("killed");
    },
  };
  let writer = createWriter(config);
  let enqueued = 0;
  for (let round = 0; round < jobs * 30; round++) {
    while (enqueued < jobs && random() < 0.6) await bench.enqueue(sequenceCall("slots", ++enqueued));
    if (enqueued > 0 && random() < 0.2) {
      const n = 1 + Math.floor(random() * enqueued);
      counts.duplicates +=
        1 - (await bench.enqueue(sequenceCall("slots", n, { data: sequenceCall("slots", 9_999).data })));
    }
    try {
      await writer.pass();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      counts.crashes++;
      writer = createWriter(config);
    }
    bench.clock.now += Math.floor(random() * 40);
    await weather(random);
    const { open } = await writer.status();
    if (enqueued === jobs && open === 0) return counts;
  }
  throw new Error(`Not done: ${JSON.stringify(await writer.status())}`);
}

async function expectOneEffectEach(bench: Bench, jobs: number): Promise<void> {
  expect(await bench.taken()).to.deep.equal(Array.from({ length: jobs }, (_, i) => i + 1));
  expect(await nonceOf(bench.rpc, SLOTS), "one nonce per call").to.equal(jobs);
  const states = new Set(Object.values(await bench.states()));
  expect([...states]).to.deep.equal(["final"]);
}

describe("the chain writer under faults", function () {
  this.timeout(60_000);

  for (const seed of [1, 2, 3, 4, 5])
    it(`leaves one effect of each of 40 calls, in order, on the embedded chain (seed ${seed})`, async () => {
      const chain = await embedded();
      const bench = await aBench(chain.rpc, { simulate: seed % 2 === 0 });
      const counts = await storm(bench, seed, 40, async () => {});
      await expectOneEffectEach(bench, 40);
      expect(Math.min(counts.crashes, counts.lost, counts.duplicates), "faults happened").to.be.greaterThan(0);
      await chain.close();
    });

  describe("on anvil, where blocks are replaced and the mempool is emptied", () => {
    for (const seed of [11, 12, 13])
      it(`leaves one effect of each of 25 calls, in order (seed ${seed})`, async function () {
        const funded = [DEPLOYER, SLOTS, BILLING].map(({ address }) => address);
        const anvil = await startAnvil({ mines: true, funded });
        if (anvil === null) return this.skip();
        try {
          const { rpc } = anvil;
          const bench = await aBench(rpc, { depth: 4, simulate: seed % 2 === 0 });
          await request(rpc, "evm_setAutomine", false);
          for (let i = 0; i < 8; i++) await request(rpc, "evm_mine");
          let reorgs = 0;
          let dropped = 0;
          /** Forks may follow each other; together they stay within what the policy calls not yet final. */
          let highest = 0;
          await storm(bench, seed, 25, async (random) => {
            const dice = random();
            if (dice < 0.6) await request(rpc, "evm_mine");
            else if (dice < 0.75) {
              const head = Number(await request(rpc, "eth_blockNumber"));
              highest = Math.max(highest, head);
              const depth = Math.min(1 + Math.floor(random() * 3), head - (highest - 3));
              if (depth < 1) return;
              await request(rpc, "anvil_reorg", depth, []);
              reorgs++;
            } else if (dice < 0.85) {
              await request(rpc, "anvil_dropAllTransactions");
              dropped++;
            }
          });
          await expectOneEffectEach(bench, 25);
          expect(Math.min(reorgs, dropped), "the chain misbehaved").to.be.greaterThan(0);
        } finally {
          await anvil.stop();
        }
      });
  });
});
