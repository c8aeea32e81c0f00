/** One run judged on the spot: its bytes by their hashes from whoever keeps them, the rule by `eth_call`. */
import { concat, getBytes, hexlify, keccak256 } from "ethers";
import type { Hex, Opened, Run } from "./chain.ts";

export type Verdict =
  | { readonly kind: "optimal"; readonly cost: bigint }
  | { readonly kind: "feasible"; readonly cost: bigint; readonly gap: bigint | null }
  | { readonly kind: "broken"; readonly rule: number; readonly at: number }
  | { readonly kind: "differs"; readonly what: string };

/** Bytes that have a hash; whoever gives them need not be believed. */
export type Fetch = (hash: Hex) => Promise<Uint8Array>;

/** `fetch` is of ours: the same origin, with a key that only the operator of the service gives away. */
export const bytesFrom =
  (key: string): Fetch =>
  async (hash) => {
    const response = await fetch(`/audit/bytes/${hash}`, { headers: { authorization: `Bearer ${key}` } });
    if (!response.ok) throw new Error(((await response.json()) as { detail: string }).detail);
    return new Uint8Array(await response.arrayBuffer());
  };

const NO_CLAIM = -(2n ** 127n);

export async function judge(opened: Opened, run: Run, fetched: Fetch): Promise<Verdict> {
  const bytes = async (hash: Hex): Promise<Hex> => {
    const found = hexlify(await fetched(hash)) as Hex;
    if (keccak256(found) !== hash) throw new Error(`What was given does not have the hash ${hash}.`);
    return found;
  };
  const p = await bytes(run.problem);
  const parts = getBytes(await bytes(run.plan));
  const hashOf = (i: number) => hexlify(parts.slice(32 * i, 32 * (i + 1))) as Hex;
  if (hashOf(0) !== p.slice(0, 66)) return { kind: "differs", what: "salt" };
  const [x, y, w] = [
    await bytesOrNone(bytes, hashOf(1)),
    await bytesOrNone(bytes, hashOf(2)),
    await bytesOrNone(bytes, hashOf(3)),
  ];
  const spec = await opened.algorithm(run.algorithm);
  if (!spec) return { kind: "differs", what: "algorithm" };
  const said = await opened.reader.check(spec.checker, p, x, y, w);
  if (said.kind === "broken") return said;
  const bound = said.bound === NO_CLAIM ? null : said.bound;
  const mode = run.rows === "0x" ? "root" : "rows";
  if (opened.ledger.valueWord({ mode, cost: said.cost, bound, salt: hashOf(0) }) !== run.value)
    return { kind: "differs", what: "value" };
  if (bound === said.cost) return { kind: "optimal", cost: said.cost };
  return { kind: "feasible", cost: said.cost, gap: bound === null ? null : said.cost - bound };
}

const NOTHING = keccak256("0x");
const bytesOrNone = (bytes: (hash: Hex) => Promise<Hex>, hash: Hex): Promise<Hex> =>
  hash === NOTHING ? Promise.resolve(concat([]) as Hex) : bytes(hash);
