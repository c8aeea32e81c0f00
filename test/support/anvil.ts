/** anvil as a child process: a second node, spoken to over HTTP, that can lose blocks and forget its mempool. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { HARDFORK } from "../../backend/adapters/chain/embedded.ts";
import { connectRpc, type Hex, quantity, type Rpc, RpcUnavailable, request } from "../../backend/adapters/chain/rpc.ts";

const BIN = fileURLToPath(new URL("../../node_modules/@foundry-rs/anvil/bin.mjs", import.meta.url));

export type Anvil = { readonly rpc: Rpc; readonly url: string; stop(): Promise<void> };

/** Starts anvil on a free port; null where the platform has none. `mines` = a block per transaction, at once. */
export async function startAnvil(options: {
  readonly mines: boolean;
  readonly funded: readonly Hex[];
  /** So many of anvil's own accounts have ether, the public development accounts; 1 if not said. */
  readonly accounts?: number;
  /** The embedded chain's if not said. */
  readonly hardfork?: string;
  /** 31,337 if not said. */
  readonly chainId?: number;
  /** More of anvil's command line. */
  readonly flags?: readonly string[];
}): Promise<Anvil | null> {
  const port = await freePort();
  const chainId = options.chainId ?? 31_337;
  const flags = [
    "--port",
    String(port),
    "--chain-id",
    String(chainId),
    "--hardfork",
    options.hardfork ?? HARDFORK,
    "--accounts",
    String(options.accounts ?? 1),
    "--silent",
    ...(options.flags ?? []),
  ];
  const child = spawn(process.execPath, [BIN, ...flags, ...(options.mines ? [] : ["--no-mining"])], {
    stdio: "ignore",
  });
  let ended = false;
  child.once("exit", () => {
    ended = true;
  });
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  const url = `http://127.0.0.1:${port}`;
  for (let waitedMs = 0; waitedMs < 15_000 && !ended; waitedMs += 50) {
    try {
      const rpc = await connectRpc({ urls: [url], chainId });
      for (const address of options.funded) await request(rpc, "anvil_setBalance", address, quantity(10n ** 24n));
      return { rpc, url, stop: () => stopped(child) };
    } catch (error) {
      if (!(error instanceof RpcUnavailable)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  await stopped(child);
  return null;
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No free port.");
  return address.port;
}
