/** The product as `npm start` runs it, in a process of its own: a site with at least a day of records behind it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";

const TOP = join(import.meta.dirname, "..", "..");

export type Running = {
  readonly url: string;
  readonly staffPassword: string;
  readonly auditKey: string;
  stop(): Promise<void>;
};

/** `flags`: what stands after `npm start --`. */
export async function startProduct(...flags: readonly string[]): Promise<Running> {
  const env = { ...process.env, PORT: `${await freePort()}`, CHAIN_RPC_PORT: `${await freePort()}` };
  for (const name of ["DATABASE_URL", "CHAIN_RPC_URL"]) delete (env as Record<string, string | undefined>)[name];
  const child = spawn(process.execPath, [join(TOP, "backend", "main.ts"), ...flags], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  let complaints = "";
  child.stderr.on("data", (chunk) => {
    complaints = `${complaints}${chunk}`.slice(-4000);
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      text += chunk;
      if (/arbiter {2,}/.test(text)) resolve();
    });
    child.once("exit", (code) => reject(new Error(`The product ended with ${code} before it ran:\n${complaints}`)));
  });
  const found = (pattern: RegExp) => {
    const [, value] = pattern.exec(text) ?? [];
    if (value === undefined) throw new Error(`The greeting does not say ${pattern}:\n${text}`);
    return value;
  };
  return {
    url: found(/open\s+(http:\/\/[^/\s]+)\//),
    staffPassword: found(/operator@example\.org, password (\S+)/),
    auditKey: found(/--key (\S+)/),
    stop: () => stopped(child),
  };
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await ended;
  clearTimeout(timer);
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
