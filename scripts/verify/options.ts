/** What `npm run verify` is asked. */
import { parseArgs } from "node:util";
import { parseInstant } from "../../backend/domain/instants.ts";
import type { Outage } from "../../backend/usecases/audit.ts";
import type { AuditWish } from "../../backend/usecases/auditScope.ts";

export const USAGE = `npm run verify -- --run FOLDER            a replay that was kept with npm run replay -- --save FOLDER
                --service URL --key KEY  a running service; KEY is an audit key that its operator made
                --database URL --rpc URL a PostgreSQL server and a JSON-RPC node
                --bundle FILE            what a driver downloaded (GET /driver/bundle): off line, or with --rpc

  --manifest FILE        where the contracts are; else deployments/<chain id>.json, or what the database remembers
  --rpc URL              with --service: another node than the one that the service names
  --group NAME           judges this group alone, by its id or its number on chain
  --session ID           judges this session alone: its bill, and its group while it stays
  --from TIME --to TIME  judges this time alone (RFC 3339); one of them is enough
  --market NAME          name of the wholesale price series (day-ahead)
  --outage FROM/UNTIL    a declared time without records, RFC 3339; may be given several times
  --json                 the whole result as JSON

Exit code 0: no difference. 1: differences, named first. 2: wrong usage, or something could not be reached.`;

/** Ends with exit code 2 and this text alone. */
export class CannotVerify extends Error {
  override name = "CannotVerify";
}

export type Options = {
  readonly run: string | null;
  readonly database: string | null;
  readonly service: string | null;
  readonly bundle: string | null;
  readonly rpc: string | null;
  readonly key: string | null;
  readonly manifest: string | null;
  readonly market: string | null;
  readonly outages: readonly Outage[];
  readonly part: AuditWish;
  readonly json: boolean;
};

/** Ends the process where nothing can be done with them. */
export function readOptions(): Options {
  try {
    return optionsOf();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

function optionsOf(): Options {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      ...{ run: text, database: text, service: text, bundle: text, rpc: text, key: text, manifest: text, market: text },
      ...{ group: text, session: text, from: text, to: text },
      outage: { type: "string", multiple: true, default: [] },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const { run = null, database = null, service = null, bundle = null, rpc = null, key = null } = values;
  const sources = [run, database, service, bundle].filter((one) => one !== null);
  if (sources.length !== 1) throw new Error("Give one of --run, --service, --database and --bundle.");
  if (database !== null && rpc === null) throw new Error("--database needs --rpc, the node that carries its chain.");
  if (run !== null && rpc !== null) throw new Error("--run brings its chain along: leave out --rpc.");
  for (const [option, url, protocols] of [
    ["--rpc", rpc, ["http:", "https:"]],
    ["--service", service, ["http:", "https:"]],
    ["--database", database, ["postgres:", "postgresql:"]],
  ] as const)
    if (url !== null && !protocols.some((one) => url.startsWith(`${one}//`) && URL.canParse(url)))
      throw new Error(`${option} takes a URL that begins with ${protocols.join("// or ")}//.`);
  if (service !== null && key === null) throw new Error("--service needs --key: only an audit key opens the database.");
  const { group, session, from, to } = values;
  const part: AuditWish = {
    ...(group === undefined ? {} : { group }),
    ...(session === undefined ? {} : { session }),
    ...(from === undefined ? {} : { from: instantOf("--from", from) }),
    ...(to === undefined ? {} : { until: instantOf("--to", to) }),
  };
  if (bundle !== null && Object.keys(part).length > 0)
    throw new Error("--bundle is judged as a whole: leave out --group, --session, --from and --to.");
  const { manifest = null, market = null, json } = values;
  const outages = values.outage.map(readOutage);
  return { run, database, service, bundle, rpc, key, manifest, market, outages, part, json };
}

function instantOf(option: string, text: string): number {
  try {
    return parseInstant(text);
  } catch (error) {
    throw new Error(`${option} ${text}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readOutage(text: string): Outage {
  const [from, until, more] = text.split("/");
  if (from === undefined || until === undefined || more !== undefined)
    throw new Error(`--outage ${text}: write FROM/UNTIL, for instance 2026-03-01T10:00:00Z/2026-03-01T11:30:00Z.`);
  return { from: parseInstant(from), until: parseInstant(until) };
}
