/**
 * A saved run, and copies of it in which something was forged. The forger owns the machine: every row of the database, and the
 * keys by which the operator recorded and billed. So a copy's chain may be another one, executed from the start, in which
 * everything was signed, sent and hashed as if it had been true.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HDNodeWallet, Mnemonic, type Result, Transaction } from "ethers";
import { type ChainReader, createChainReader } from "../../../backend/adapters/chain/chainReader.ts";
import { bindContracts, type Contracts } from "../../../backend/adapters/chain/contracts.ts";
import { loadArtifacts, type Manifest } from "../../../backend/adapters/chain/deployment.ts";
import {
  type ChainDump,
  exportChain,
  importChain,
  startEmbeddedChain,
} from "../../../backend/adapters/chain/embedded.ts";
import { createLedger } from "../../../backend/adapters/chain/ledger.ts";
import { call, type Hex, quantity, request, resultOf } from "../../../backend/adapters/chain/rpc.ts";
import { type OpenDatabase, openDatabase } from "../../../backend/adapters/store/database.ts";
import { createStore } from "../../../backend/adapters/store/store.ts";
import type { BillLine, Ledger, RunRecord, Store } from "../../../backend/usecases/ports.ts";
import { tamper } from "../databases.ts";

export type SavedRun = {
  readonly dump: Uint8Array;
  readonly chain: ChainDump;
  readonly manifest: Manifest;
  readonly contracts: Contracts;
  readonly ledger: Ledger;
  readonly store: Store;
  readonly database: OpenDatabase;
  readonly runs: Awaited<ReturnType<ChainReader["runs"]>>;
  close(): Promise<void>;
};

/** What is done to a copy: to its database, and to what was said to the chain. */
export type Forgery = {
  readonly statements: readonly string[];
  readonly recorded?: (run: RunRecord) => RunRecord;
  readonly billed?: (line: BillLine) => BillLine;
  /** Chunks of the exact method's text. */
  readonly stored?: (chunk: Hex) => Hex;
};

export async function openSaved(folder: string): Promise<SavedRun> {
  const dump = readFileSync(join(folder, "database.tar"));
  const chain = JSON.parse(readFileSync(join(folder, "chain.json"), "utf8")) as ChainDump;
  const database = await openDatabase({ dump, migrate: false });
  const store = createStore(database.db);
  const { rpc, close } = await importChain(chain);
  const genesis = await request<{ hash: Hex }>(rpc, "eth_getBlockByNumber", "0x0", false);
  const manifest = (await store.snapshots.load(`manifest:${genesis.hash}`))?.state as Manifest;
  const contracts = bindContracts(manifest, loadArtifacts());
  const runs = await createChainReader(rpc, contracts).runs();
  await close();
  const ledger = createLedger(contracts);
  return { dump, chain, manifest, contracts, ledger, store, database, runs, close: () => database.close() };
}

/** Writes the forged copy's database; its chain is still to be written, by one of the next two. */
export async function writeDatabase(run: SavedRun, { statements }: Forgery, folder: string): Promise<void> {
  const database = await openDatabase({ dump: run.dump, migrate: false });
  for (const statement of statements) await tamper(database.db, statement);
  writeFileSync(join(folder, "database.tar"), await database.dump());
  await database.close();
}

/** As it was: only the database was within the forger's reach. */
export const writeChain = (run: SavedRun, folder: string): void =>
  writeFileSync(join(folder, "chain.json"), JSON.stringify(run.chain));

export const writeForgedChain = async (run: SavedRun, forgery: Forgery, folder: string): Promise<void> =>
  writeFileSync(join(folder, "chain.json"), JSON.stringify(await chainWith(run, forgery)));

/** The public development accounts, by whose keys a chain of a saved run was written. */
const wallets = new Map(
  Array.from({ length: 10 }, (_, i) => {
    const phrase = Mnemonic.fromPhrase("test test test test test test test test test test test junk");
    const wallet = HDNodeWallet.fromMnemonic(phrase, `m/44'/60'/0'/0/${i}`);
    return [wallet.address, wallet] as const;
  }),
);

/** The same blocks at the same times, some transactions with other data, signed again. Throws where the chain refuses one. */
async function chainWith(run: SavedRun, forgery: Forgery): Promise<ChainDump> {
  const { chain } = run;
  const { chainId, at, funded } = chain.genesis;
  const rebuilt = await startEmbeddedChain({ chainId, genesisAt: at, funded });
  const { rpc } = rebuilt;
  try {
    await request(rpc, "evm_setAutomine", false);
    const hashes: string[] = [];
    for (const block of chain.blocks) {
      for (const raw of block.raw) {
        const tx = Transaction.from(raw);
        const data = forgedData(tx, run, forgery);
        if (data !== tx.data) {
          tx.data = data;
          tx.signature = wallets.get(Transaction.from(raw).from as string)!.signingKey.sign(tx.unsignedHash);
          hashes.push(tx.hash as string);
        }
        await request(rpc, "eth_sendRawTransaction", tx.serialized);
      }
      await request(rpc, "evm_setNextBlockTimestamp", quantity(block.at));
      await request(rpc, "evm_mine");
    }
    const receipts = await rpc.ask(hashes.map((hash) => call("eth_getTransactionReceipt", hash)));
    for (const receipt of receipts)
      if (resultOf<{ status: Hex }>("eth_getTransactionReceipt", receipt).status !== "0x1")
        throw new Error("The chain refuses what the forger would record.");
    return await exportChain(rebuilt);
  } finally {
    await rebuilt.close();
  }
}

function forgedData(tx: Transaction, { contracts, ledger }: SavedRun, forgery: Forgery): string {
  const { abi, addressOf, encode } = contracts;
  const { recorded, billed, stored } = forgery;
  const args = (contract: "SlotLedger" | "Settlement" | "AlgorithmRegistry", verb: string): Result | null =>
    tx.to?.toLowerCase() === addressOf(contract).toLowerCase() &&
    tx.data.startsWith(abi[contract].getFunction(verb)!.selector)
      ? abi[contract].decodeFunctionData(verb, tx.data)
      : null;
  const record = recorded && args("SlotLedger", "record");
  if (record) return ledger.record(plain<RunRecord>(record.runs, "group", "slot").map(recorded)).data;
  const post = billed && args("Settlement", "post");
  if (post) {
    const lines = plain<BillLine>(post.lines, "number", "wh", "flex", "tariff").map(billed);
    return ledger.post({ cpo: Number(post.cpo), seq: Number(post.seq), lines }).data;
  }
  const store = stored && args("AlgorithmRegistry", "storeCode");
  if (store) return encode("AlgorithmRegistry", "storeCode", [store.code, stored(store.chunk)]);
  return tx.data;
}

/** Structs as this project writes them, with numbers where they are small. */
const plain = <T>(structs: Result, ...small: string[]): T[] =>
  structs.map((one: Result) => {
    const fields = one.toObject();
    return { ...fields, ...Object.fromEntries(small.map((name) => [name, Number(fields[name])])) } as T;
  });
