/**
 * Records through the writer in all weathers: the process dies where it matters, calls are enqueued twice, two writers
 * share the lane, its purse is emptied, fees jump, blocks are replaced, the mempool is emptied, and the node fails in the
 * ways of faultyNode.ts.
 */
import { enqueue } from "../../../backend/adapters/chain/outbox.ts";
import { connectRpc, type Hex, quantity, request } from "../../../backend/adapters/chain/rpc.ts";
import type { ChainTables } from "../../../backend/adapters/chain/tables.ts";
import { createWriter, type Writer, type WriterConfig } from "../../../backend/adapters/chain/writer.ts";
import { startAnvil } from "../../support/anvil.ts";
import type { Kind } from "../../support/databases.ts";
import { randomFrom } from "../../support/problems.ts";
import { aBench, type Bench, BILLING, DEPLOYER, embedded, nonceOf, SLOTS, secondPool } from "./bench.ts";
import { startFaultyNode } from "./faultyNode.ts";
import { sequenceCall } from "./sequence.ts";

export type Setting = {
  readonly chain: "embedded" | "anvil";
  readonly database: Kind;
  readonly seed: number;
  readonly records: number;
};

/** What happened, and what was left of it. */
export type Outcome = {
  readonly setting: Setting;
  /** The chain's log: what was taken, in order. */
  readonly taken: readonly number[];
  readonly nonces: number;
  /** Transactions of the lane that reverted on chain. */
  readonly reverts: number;
  /** Of rows. */
  readonly states: readonly string[];
  readonly bumps: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly seconds: number;
};

/** Blocks on top before something is final on a chain that loses blocks; forks are at most as deep. */
export const DEPTH = 4;
const TIMEOUT_MS = 600;
const FULL = quantity(10n ** 24n);
const SPIKE_WEI = 20_000_000_000n;

class Crash extends Error {}

/** null where there is no anvil for this platform. */
export async function storm(setting: Setting): Promise<Outcome | null> {
  const funded = [DEPLOYER, SLOTS, BILLING].map(({ address }) => address);
  const chain = setting.chain === "embedded" ? await embedded() : await startAnvil({ mines: true, funded });
  if (chain === null) return null;
  const other = { close: async () => {} };
  const began = performance.now();
  try {
    const settings = setting.chain === "embedded" ? {} : { depth: DEPTH };
    const bench = await aBench(chain.rpc, { ...settings, simulate: setting.seed % 4 === 0 }, setting.database);
    const second = setting.database === "postgres" ? await secondPool() : null;
    if (second !== null) other.close = second.close;
    const faults = await blow(bench, second?.db.$pickTables<keyof ChainTables>() ?? bench.db, setting);
    return { ...(await outcome(bench, setting)), faults, seconds: (performance.now() - began) / 1000 };
  } finally {
    await other.close();
    await ("stop" in chain ? chain.stop() : chain.close());
  }
}

async function blow(bench: Bench, otherDb: Bench["db"], setting: Setting): Promise<Record<string, number>> {
  const { seed, records } = setting;
  const random = randomFrom(seed);
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const nodes = [await startFaultyNode(bench.rpc, randomFrom(seed + 1_000), count)];
  if (seed % 3 === 0) nodes.push(await startFaultyNode(bench.rpc, randomFrom(seed + 2_000), count));
  const deaths = randomFrom(seed + 3_000);
  const config: WriterConfig = {
    ...bench.config,
    rpc: await connected(nodes.map(({ url }) => url)),
    checkpoint(point) {
      if (deaths() >= 0.06) return;
      count(`crash ${point}`);
      throw new Crash("killed");
    },
  };
  const databases = [bench.db, otherDb];
  const writers = databases.map((db) => createWriter({ ...config, db }));
  const weather = setting.chain === "anvil" ? await stormyWeather(bench, random, count) : warm(bench, random, count);

  /** A writer that dies is started again. */
  async function pass(i: number): Promise<void> {
    await (writers[i] as Writer).pass().catch((error: unknown) => {
      if (!(error instanceof Crash)) throw error;
      writers[i] = createWriter({ ...config, db: databases[i] as Bench["db"] });
    });
  }

  /** The business transaction is rolled back, and done again by whoever comes next. */
  async function dieWhileEnqueueing(n: number): Promise<void> {
    const transaction = bench.db.transaction().execute(async (trx) => {
      await enqueue(trx, [sequenceCall("slots", n)]);
      throw new Crash("killed");
    });
    await transaction.catch((error: unknown) => {
      if (!(error instanceof Crash)) throw error;
      count("crash while enqueueing");
    });
  }

  const judge = finalOnly(bench, setting);
  try {
    let enqueued = 0;
    for (let round = 0; round < records * 30; round++) {
      while (enqueued < records && random() < 0.7) {
        if (deaths() < 0.05) await dieWhileEnqueueing(enqueued + 1);
        await bench.enqueue(sequenceCall("slots", ++enqueued));
      }
      if (random() < 0.2) {
        const again = 1 + Math.floor(random() * Math.max(1, enqueued));
        const changed = sequenceCall("slots", again, { data: sequenceCall("slots", 9_999).data });
        if (again <= enqueued && (await bench.enqueue(changed)) === 0) count("enqueued twice");
      }
      if (random() < 0.15) {
        count("two writers at once");
        await Promise.all([pass(0), pass(1)]);
      } else await pass(0);
      bench.clock.now += Math.floor(random() * 40);
      await judge();
      await weather();
      const status = await (writers[0] as Writer).status();
      if (status.lanes.some(({ state }) => state !== "open"))
        throw new Error(`Seed ${seed} blocked a lane: ${JSON.stringify([status, bench.alarms.at(-1)])}`);
      if (enqueued === records && status.open === 0) return counts;
    }
    throw new Error(
      `Seed ${seed} did not finish: ${JSON.stringify([await (writers[0] as Writer).status(), counts, bench.alarms.at(-1)])}`,
    );
  } finally {
    for (const node of nodes) await node.close();
  }
}

/**
 * Asked after every pass: what is called final since the last time is in the chain itself, as deep as the policy wants. Forks
 * are no deeper, so what is final stays.
 */
function finalOnly(bench: Bench, { seed }: Setting): () => Promise<void> {
  const judged = new Set<string>();
  return async () => {
    const rows = await bench.db.selectFrom("outbox").select(["key", "tx_hash"]).where("state", "=", "final").execute();
    // Without a transaction of its own its effect was there already: the log at the end tells.
    for (const { key, tx_hash } of rows.filter((row) => row.tx_hash !== null && !judged.has(row.key))) {
      judged.add(key);
      const head = Number(await request<Hex>(bench.rpc, "eth_blockNumber"));
      const receipt = await request<{ blockNumber: Hex } | null>(bench.rpc, "eth_getTransactionReceipt", tx_hash);
      const depth = receipt === null ? null : head - Number(receipt.blockNumber);
      if (depth === null || depth < bench.config.policy.depth)
        throw new Error(`Seed ${seed} called ${key} final, which the chain has ${depth ?? "not at all"} blocks deep.`);
    }
  };
}

/** A first answer is needed to know the chain; the service would refuse to start without one. */
async function connected(urls: readonly string[]) {
  for (let tries = 0; ; tries++) {
    try {
      return await connectRpc({ urls, chainId: 31_337, timeoutMs: TIMEOUT_MS });
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}

/** On a chain that mines at once: jumping fees and an empty purse. */
function warm(bench: Bench, random: () => number, count: (what: string) => void) {
  const { rpc } = bench;
  let empty = false;
  return async (): Promise<void> => {
    if (empty) {
      await request(rpc, "hardhat_setBalance", SLOTS.address, FULL);
      empty = false;
    }
    const dice = random();
    if (dice < 0.04) {
      await request(rpc, "hardhat_setBalance", SLOTS.address, "0x1");
      empty = true;
      count("empty tank");
    } else if (dice < 0.08) {
      await request(rpc, "hardhat_setNextBlockBaseFeePerGas", quantity(SPIKE_WEI));
      await request(rpc, "evm_mine");
      count("fee spike");
    }
  };
}

/** And blocks that come when they come, are replaced, and a mempool that forgets. */
async function stormyWeather(bench: Bench, random: () => number, count: (what: string) => void) {
  const { rpc } = bench;
  const balance = (wei: string) => request(rpc, "anvil_setBalance", SLOTS.address, wei);
  await request(rpc, "evm_setAutomine", false);
  // What was deployed lies deeper than any fork.
  for (let i = 0; i < 2 * DEPTH; i++) await request(rpc, "evm_mine");
  /** Forks may follow each other; together they stay within what the policy calls not yet final. */
  let highest = 0;
  return async (): Promise<void> => {
    const dice = random();
    if (dice < 0.6) await request(rpc, "evm_mine");
    else if (dice < 0.72) {
      const head = Number(await request<Hex>(rpc, "eth_blockNumber"));
      highest = Math.max(highest, head);
      const depth = Math.min(1 + Math.floor(random() * DEPTH), head - (highest - DEPTH));
      if (depth < 1) return;
      await request(rpc, "anvil_reorg", depth, []);
      count(`reorg of depth ${depth}`);
    } else if (dice < 0.8) {
      await request(rpc, "anvil_dropAllTransactions");
      count("mempool emptied");
    } else if (dice < 0.84) {
      await request(rpc, "anvil_setNextBlockBaseFeePerGas", quantity(SPIKE_WEI));
      await request(rpc, "evm_mine");
      count("fee spike");
    } else if (dice < 0.87) {
      await balance("0x1");
      count("empty tank");
    } else if (dice < 0.93) await balance(FULL);
  };
}

async function outcome(bench: Bench, setting: Setting): Promise<Omit<Outcome, "faults" | "seconds">> {
  const attempts = await bench.db.selectFrom("attempt").select(["hash", "no"]).execute();
  const calls = attempts.map(({ hash }) => ({ method: "eth_getTransactionReceipt", params: [hash] }));
  const receipts = (await bench.rpc.ask(calls)).map((one) => (one.ok ? (one.result as { status: Hex } | null) : null));
  return {
    setting,
    taken: await bench.taken(),
    nonces: await nonceOf(bench.rpc, SLOTS),
    reverts: receipts.filter((receipt) => receipt !== null && Number(receipt.status) !== 1).length,
    states: [...new Set(Object.values(await bench.states()))],
    bumps: attempts.filter(({ no }) => no > 1).length,
  };
}
