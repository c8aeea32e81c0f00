/** What is held against each other: a chain and a database, of a saved run, a running service, or a server with its node. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Manifest } from "../../backend/adapters/chain/deployment.ts";
import { type ChainDump, importChain } from "../../backend/adapters/chain/embedded.ts";
import { readManifest } from "../../backend/adapters/chain/manifest.ts";
import { connectRpc, type Hex, type Rpc, RpcUnavailable, request } from "../../backend/adapters/chain/rpc.ts";
import { type OpenDatabase, openDatabase } from "../../backend/adapters/store/database.ts";
import { createStore } from "../../backend/adapters/store/store.ts";
import { CannotVerify, type Options } from "./options.ts";

export type Opened = {
  readonly what: string;
  readonly rpc: Rpc;
  readonly manifest: Manifest;
  readonly database: OpenDatabase;
  readonly live: boolean;
  readonly market: string | null;
  close(): Promise<void>;
};

export async function open(options: Options): Promise<Opened> {
  if (options.run !== null) return openRun(options.run, options);
  if (options.service !== null) return openService(options.service, options);
  return openServer(options.database as string, options);
}

/** A folder with database.tar and chain.json. The chain is executed again, block by block, to the same head. */
async function openRun(folder: string, options: Options): Promise<Opened> {
  const file = async (name: string) =>
    readFile(join(folder, name)).catch(() => {
      throw new CannotVerify(
        `${join(folder, name)} cannot be read. --run takes the folder of npm run replay -- --save.`,
      );
    });
  const [dump, saved] = [await file("database.tar"), await file("chain.json")];
  let chainDump: ChainDump;
  try {
    chainDump = JSON.parse(saved.toString("utf8")) as ChainDump;
  } catch {
    throw new CannotVerify(`${join(folder, "chain.json")} is no JSON. Save the run again.`);
  }
  const chain = await importChain(chainDump);
  const database = await openDump(dump, join(folder, "database.tar"));
  const manifest = await manifestOf(chain.rpc, database, options);
  const close = async () => {
    await database.close();
    await chain.close();
  };
  return { what: `saved run ${folder}`, rpc: chain.rpc, manifest, database, live: false, market: null, close };
}

/** What a service shows to auditors: its manifest to everybody, its database to those with a key. */
async function openService(service: string, options: Options): Promise<Opened> {
  const told = toldBy(service, (await download(service, "/audit/manifest", null)).toString("utf8"));
  const url = options.rpc ?? told.rpcUrl;
  if (url === null)
    throw new CannotVerify(`${service} does not say where its chain answers. Give the node with --rpc.`);
  const rpc = await connect(url);
  // The chain is looked at before the database is taken, so that whatever it says stands in the database already.
  const pinned = stopped(rpc, Number(await request<Hex>(rpc, "eth_blockNumber")));
  const database = await openDump(await download(service, "/audit/database", options.key), service);
  const manifest = options.manifest === null ? told.manifest : await manifestOf(rpc, database, options);
  const close = async () => {
    await database.close();
    await rpc.close();
  };
  return { what: `service ${service}`, rpc: pinned, manifest, database, live: true, market: told.market, close };
}

function toldBy(service: string, text: string) {
  try {
    const told = JSON.parse(text) as { manifest: Manifest; market: string; rpcUrl: string | null };
    if (told.manifest.contracts.Settlement) return told;
  } catch {
    // Said below.
  }
  throw new CannotVerify(`${service} answers, but is no Oli Move service: it names no manifest. Check the address.`);
}

async function openServer(url: string, options: Options): Promise<Opened> {
  const rpc = await connect(options.rpc as string);
  const database = await openDatabase({ url, migrate: false });
  const close = async () => {
    await database.close();
    await rpc.close();
  };
  try {
    // Lazy connections fail at the first query.
    await createStore(database.db).sites.cpos();
    const manifest = await manifestOf(rpc, database, options);
    return { what: `database ${hostOf(url)}`, rpc, manifest, database, live: true, market: null, close };
  } catch (error) {
    await close();
    if (error instanceof CannotVerify) throw error;
    throw new CannotVerify(
      `The database at ${hostOf(url)} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** What was saved by an earlier version lacks columns that are read today; the copy in memory gets them. */
const openDump = (dump: Uint8Array, from: string) =>
  openDatabase({ dump }).catch((error) => {
    throw new CannotVerify(
      `The database from ${from} cannot be opened: ${error instanceof Error ? error.message : error}`,
    );
  });

export const connect = (url: string): Promise<Rpc> =>
  connectRpc({ urls: [url], timeoutMs: 60_000 }).then(patient, (error) => {
    throw new CannotVerify(`No chain answers at ${hostOf(url)}: ${error instanceof Error ? error.message : error}`);
  });

/**
 * Nothing is ever sent from here, so what got no answer is asked again: nodes close connections that were idle, for instance
 * while the database was being loaded, and the next call on one is lost.
 */
const patient = (rpc: Rpc): Rpc => ({
  ...rpc,
  ask: async (calls) => {
    for (let tries = 1; ; tries++)
      try {
        return await rpc.ask(calls);
      } catch (error) {
        if (tries === TRIES || !(error instanceof RpcUnavailable)) throw error;
        await setTimeout(tries * 500);
      }
  },
});
const TRIES = 3;

async function download(service: string, path: string, key: string | null): Promise<Buffer> {
  const url = new URL(path, service);
  let response: Response;
  try {
    response = await fetch(url, key === null ? {} : { headers: { authorization: `Bearer ${key}` } });
  } catch {
    throw new CannotVerify(`Nobody answers at ${url.origin}. Is the service running?`);
  }
  const body = Buffer.from(await response.arrayBuffer());
  if (!response.ok) throw new CannotVerify(`${url} answers ${response.status}: ${body.toString("utf8").slice(0, 500)}`);
  return body;
}

/** Where the contracts lie. Nothing depends on who says so: their code is compared with the local compile. */
async function manifestOf(rpc: Rpc, database: OpenDatabase, { manifest }: Options): Promise<Manifest> {
  if (manifest !== null) return manifestIn(manifest);
  const genesis = await request<{ hash: Hex }>(rpc, "eth_getBlockByNumber", "0x0", false);
  const remembered = await createStore(database.db).snapshots.load(`manifest:${genesis.hash}`);
  const found = (remembered?.state as Manifest | undefined) ?? (await readManifest(rpc.chainId));
  if (!found)
    throw new CannotVerify(`Nobody knows where the contracts are on chain ${rpc.chainId}. Give --manifest FILE.`);
  return found;
}

export async function manifestIn(file: string): Promise<Manifest> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new CannotVerify(`The manifest ${file} cannot be read.`);
  });
  try {
    const manifest = JSON.parse(text) as Partial<Manifest> | null;
    if (manifest?.contracts?.Settlement && manifest.chainId !== undefined) return manifest as Manifest;
  } catch {
    // Said below.
  }
  throw new CannotVerify(`${file} is no manifest. npm run deploy writes one: deployments/<chain id>.json.`);
}

/** A chain that does not grow any more. */
const stopped = (rpc: Rpc, block: number): Rpc => ({
  ...rpc,
  ask: async (calls) => {
    const answers = await rpc.ask(calls);
    return answers.map((answer, i) =>
      calls[i]?.method === "eth_blockNumber" ? { ok: true, result: `0x${block.toString(16)}` } : answer,
    );
  },
});

/** Without user and password. */
function hostOf(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
