/** The only reader of the environment and of the command line. Everything that is secret comes from here and from nowhere else. */
import { parseArgs } from "node:util";
import { z } from "zod";

const hex32 = z.string().regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits");
const LANES = ["deployer", "registry", "slots", "billing", "treasury"] as const;
const PRIVACIES = ["rows", "root", "tenant-root"] as const;
/** Of a lane that need not be here. */
const OPTIONAL = "arbiter";

const schema = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: z.string().default("127.0.0.1"),
  PUBLIC_URL: z.url().optional(),
  DATABASE_URL: z.string().startsWith("postgres").optional(),
  CHAIN_RPC_URL: z.string().optional(),
  CHAIN_RPC_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  CHAIN_KEYS: z.string().optional(),
  CHAIN_PRIVACY: z.enum(PRIVACIES).optional(),
  CHAIN_PUBLIC_ROWS: z.literal("yes").optional(),
  WALLET_KEKS: z.string().optional(),
  DISPUTE_WINDOW_S: z.coerce.number().int().min(0).max(31_536_000).default(3600),
  AUTH_SECRET: z.string().min(32).optional(),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
});

type ChainKeys = Readonly<Record<(typeof LANES)[number], `0x${string}`> & { [OPTIONAL]?: `0x${string}` }>;

export type Config = {
  readonly port: number;
  readonly host: string;
  readonly publicUrl: string | null;
  /** PostgreSQL; null: PGlite in memory. */
  readonly databaseUrl: string | null;
  /** JSON-RPC endpoints; null: the embedded chain. */
  readonly chainRpcUrls: readonly string[] | null;
  /** Where the embedded chain answers JSON-RPC on 127.0.0.1; null: 8545, or any free port when that is taken. */
  readonly chainRpcPort: number | null;
  /** Private keys of the lanes; null: the public development keys, on a local chain only. */
  readonly chainKeys: ChainKeys | null;
  /** What the chain shows of runs; null: rows on a local chain, a root elsewhere. */
  readonly privacy: (typeof PRIVACIES)[number] | null;
  /** Rows may stand beside bills on a public network: all drivers are simulated. */
  readonly publicRows: boolean;
  /** Key-encryption keys by version; null: random, for an embedded database only. */
  readonly walletKeks: Readonly<Record<number, Uint8Array>> | null;
  /** How long bills can be disputed after they were posted, s, on a local chain that is deployed now. */
  readonly disputeWindowS: number;
  readonly authSecret: string | null;
  readonly logLevel: string;
};

/** Throws with every variable that is wrong and what it should be; values are not repeated, they may be secret. */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = schema.safeParse(present);
  if (!parsed.success)
    throw new Error(
      `Configuration: ${parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ")}`,
    );
  const e = parsed.data;
  const durable = e.DATABASE_URL !== undefined;
  if (durable !== (e.CHAIN_RPC_URL !== undefined))
    throw new Error(
      "Configuration: DATABASE_URL and CHAIN_RPC_URL go together: of database and chain never one is kept and the other lost.",
    );
  return {
    port: e.PORT,
    host: e.HOST,
    publicUrl: e.PUBLIC_URL ?? null,
    databaseUrl: e.DATABASE_URL ?? null,
    chainRpcUrls: e.CHAIN_RPC_URL?.split(",").map((url) => url.trim()) ?? null,
    chainRpcPort: e.CHAIN_RPC_PORT ?? null,
    chainKeys: e.CHAIN_KEYS === undefined ? null : chainKeys(e.CHAIN_KEYS),
    privacy: e.CHAIN_PRIVACY ?? null,
    publicRows: e.CHAIN_PUBLIC_ROWS === "yes",
    walletKeks: e.WALLET_KEKS === undefined ? null : walletKeks(e.WALLET_KEKS),
    disputeWindowS: e.DISPUTE_WINDOW_S,
    authSecret: e.AUTH_SECRET ?? null,
    logLevel: e.LOG_LEVEL,
  };
}

/** "registry=0x..,slots=0x..,billing=0x..,treasury=0x..,deployer=0x..", and "arbiter=0x.." where it decides here. */
function chainKeys(text: string): ChainKeys {
  const pairs = Object.fromEntries(text.split(",").map((pair) => pair.trim().split("=", 2) as [string, string]));
  const wanted = OPTIONAL in pairs ? [...LANES, OPTIONAL] : LANES;
  const wrong = wanted.filter((lane) => !hex32.safeParse(pairs[lane]).success);
  if (wrong.length > 0)
    throw new Error(
      `Configuration: CHAIN_KEYS lacks a key of 0x and 64 hex digits for ${wrong.join(", ")} (form: lane=0x..,lane=0x..).`,
    );
  return pairs as ChainKeys;
}

/** "1:<64 hex>,2:<64 hex>"; the highest version seals new wallets. */
function walletKeks(text: string): NonNullable<Config["walletKeks"]> {
  return Object.fromEntries(
    text.split(",").map((entry) => {
      const [version, key] = entry.trim().split(":", 2);
      if (!/^[1-9]\d*$/.test(version ?? "") || !/^[0-9a-fA-F]{64}$/.test(key ?? ""))
        throw new Error("Configuration: WALLET_KEKS must be version:64-hex-digits, separated by commas.");
      return [Number(version), new Uint8Array(Buffer.from(key as string, "hex"))];
    }),
  );
}

const USAGE = "npm start [-- --scenario DIR] [--days N], or npm start -- --no-demo";
const MOST_DAYS = 14;

export type Flags = {
  /** What stands behind the pages: the simulated site, a recorded scenario's folder, or nothing. */
  readonly site: "demo" | "none" | { readonly scenario: string };
  /** How much of the past is replayed at the first start. */
  readonly days: number;
};

/** Throws with what is wrong on the command line. */
export function readFlags(args: readonly string[]): Flags {
  const { values } = given(args);
  const { days = "1", scenario, "no-demo": bare } = values;
  if (bare && (scenario !== undefined || values.days !== undefined))
    throw new Error(`--no-demo has no site of its own: it goes with neither --scenario nor --days. ${USAGE}`);
  if (!/^[1-9]\d?$/.test(days) || Number(days) > MOST_DAYS)
    throw new Error(`--days must be a whole number from 1 to ${MOST_DAYS}, not "${days}".`);
  return { site: bare ? "none" : scenario === undefined ? "demo" : { scenario }, days: Number(days) };
}

function given(args: readonly string[]) {
  try {
    const options = {
      "no-demo": { type: "boolean", default: false },
      scenario: { type: "string" },
      days: { type: "string" },
    } as const;
    return parseArgs({ args: [...args], options });
  } catch (error) {
    throw new Error(`${(error as Error).message}. ${USAGE}`);
  }
}
