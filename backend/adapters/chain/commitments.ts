/**
 * The hashes that the chain commits to, as the contracts compute them. Everything personal lies under a salt of 32
 * random bytes: without it a leaf cannot be found by trying likely values.
 */
import { AbiCoder, hexlify, ZeroHash } from "ethers";
import type { AssetRow, BillLine, Privacy, RunRecord } from "../../usecases/ports.ts";
import { keccak256 } from "./keccak.ts";
import type { Hex } from "./rpc.ts";

const coder = AbiCoder.defaultAbiCoder();
const encode = (types: readonly string[], values: readonly unknown[]) => coder.encode(types, values);
const hashOf = (types: readonly string[], values: readonly unknown[]) => keccak256(encode(types, values)) as Hex;

/** Bound of a plan that claims nothing. */
export const NO_BOUND = -(2n ** 127n);

/** keccak256(p); p begins with its salt. */
export const problemHash = (p: Uint8Array | Hex) => keccak256(p) as Hex;

/** keccak256(abi.encode(salt, keccak256(x), keccak256(y), keccak256(w))); the salt is the first 32 bytes of the problem. */
export function planHash(salt: Hex, x: Uint8Array | Hex, y: Uint8Array | Hex, w: Uint8Array | Hex): Hex {
  return hashOf(["bytes32", "bytes32", "bytes32", "bytes32"], [salt, keccak256(x), keccak256(y), keccak256(w)]);
}

export type PlanValue = {
  readonly mode: Privacy;
  readonly cost: bigint;
  readonly bound: bigint | null;
  readonly salt: Hex;
};

/** With public rows int128 cost | int128 bound in clear; else under the salt, since a cost of 0 shows an empty home. */
export function valueWord({ mode, cost, bound, salt }: PlanValue): Hex {
  const least = bound ?? NO_BOUND;
  if (mode !== "rows") return hashOf(["bytes32", "int256", "int256"], [salt, cost, least]);
  for (const value of [cost, least])
    if (value < NO_BOUND || value >= -NO_BOUND) throw new RangeError(`${value} does not fit into an int128.`);
  return word((BigInt.asUintN(128, cost) << 128n) | BigInt.asUintN(128, least));
}

export type EarlierPlan = {
  readonly at: number;
  readonly algorithm: Hex;
  readonly problem: Hex;
  readonly plan: Hex;
  readonly value: Hex;
};

/** Chain over the plans made since the last record: keccak256(abi.encode(previous, at, algorithm, problem, plan, value)). */
export function earlierLink(previous: Hex, { at, algorithm, problem, plan, value }: EarlierPlan): Hex {
  const types = ["bytes32", "uint40", "bytes32", "bytes32", "bytes32", "bytes32"];
  return hashOf(types, [previous, at, algorithm, problem, plan, value]);
}

/**
 * Link of a run in its group's hash chain (ISlotLedger). A root may stand over thousands: the words are put together
 * without an encoder. Throws on what is no run.
 */
export function linkOf(run: RunRecord): Hex {
  const { group, slot, algorithm, problem, plan, value, earlier, root, rows } = run;
  const words = [uint32(group), uint32(slot), algorithm, problem, plan, value, earlier, root, keccak256(rows)];
  for (const one of words) if (!/^0x[0-9a-f]{64}$/i.test(one)) throw new RangeError(`${one} is no word of a run.`);
  return keccak256(Buffer.from(words.map((one) => one.slice(2)).join(""), "hex")) as Hex;
}
function uint32(n: number): Hex {
  const value = BigInt(n);
  if (value < 0n || value >= 2n ** 32n) throw new RangeError(`${n} does not fit into a uint32.`);
  return word(value);
}

/** 28 zero bytes: the chain before a group's first run. */
export const EMPTY_CHAIN: Hex = `0x${"00".repeat(28)}`;

/** bytes28(keccak256(abi.encode(chain, link))). */
export const extendChain = (chain: Hex, link: Hex): Hex =>
  hashOf(["bytes28", "bytes32"], [chain, link]).slice(0, 58) as Hex;

const ROW_BYTES = 12;

/** 12 bytes per asset, ascending by index: index u16 | limit u16 (10 W, down) | power i16 (20 W) | status | flags | Wh u32. */
export function packRows(rows: readonly AssetRow[]): Hex {
  const bytes = Buffer.alloc(rows.length * ROW_BYTES);
  const ascending = [...rows].sort((a, b) => a.index - b.index);
  ascending.forEach((row, i) => {
    if (ascending[i - 1]?.index === row.index) throw new RangeError(`Two rows have the index ${row.index}.`);
    const at = i * ROW_BYTES;
    bytes.writeUInt16BE(row.index, at);
    bytes.writeUInt16BE(Math.floor(row.limitW / 10), at + 2);
    bytes.writeInt16BE(Math.round(row.powerW / 20), at + 4);
    bytes.writeUInt8(row.status, at + 6);
    bytes.writeUInt8(row.flags, at + 7);
    bytes.writeUInt32BE(row.registerWh, at + 8);
  });
  return hexlify(bytes) as Hex;
}

/** The rows of a record in units again. Throws on a length that is no multiple of 12. */
export function unpackRows(rows: Hex): AssetRow[] {
  const bytes = Buffer.from(rows.slice(2), "hex");
  if (bytes.length % ROW_BYTES !== 0) throw new RangeError(`${bytes.length} bytes are no whole number of rows.`);
  return Array.from({ length: bytes.length / ROW_BYTES }, (_, i) => {
    const at = i * ROW_BYTES;
    return {
      index: bytes.readUInt16BE(at),
      limitW: bytes.readUInt16BE(at + 2) * 10,
      powerW: bytes.readInt16BE(at + 4) * 20,
      status: bytes.readUInt8(at + 6),
      flags: bytes.readUInt8(at + 7),
      registerWh: bytes.readUInt32BE(at + 8),
    };
  });
}

/** keccak256 of UTF-8 text. Throws on a lone surrogate, which has no UTF-8. */
export function hashText(text: string): Hex {
  if (!text.isWellFormed()) throw new RangeError("The text is no well-formed Unicode; remove the lone surrogate.");
  return keccak256(Buffer.from(text, "utf8")) as Hex;
}

/** Leaf of a salted text, hashed twice so that no inner node can pass as a leaf. */
export const saltedLeaf = (salt: Hex, text: string) => keccak256(hashOfWords(salt, hashText(text))) as Hex;

const LINE = "tuple(uint32,address,uint64,uint64,uint32,uint32,uint32,bytes32)";

/** Leaf of a bill's line in its batch (ISettlement); `domain` is the contract's EIP-712 domain separator. */
export function lineLeaf(domain: Hex, cpo: number, seq: number, line: BillLine): Hex {
  const { number, driver, amount, credit, wh, flex, tariff, detail } = line;
  const values = [domain, cpo, seq, [number, driver, amount, credit, wh, flex, tariff, detail]];
  return keccak256(hashOf(["bytes32", "uint32", "uint32", LINE], values)) as Hex;
}

/**
 * Root of a tree whose neighbours are hashed as sorted pairs, level by level from the left; the last of an odd level
 * moves up as it is. 0 for no leaves. OpenZeppelin's MerkleProof verifies it.
 */
export function merkleRoot(leaves: readonly Hex[]): Hex {
  let level = leaves;
  while (level.length > 1) level = above(level);
  return level[0] ?? (ZeroHash as Hex);
}

/** Siblings from the leaf upwards; a level on which the node has none adds nothing. */
export function merkleProof(leaves: readonly Hex[], index: number): Hex[] {
  if (!(index >= 0 && index < leaves.length)) throw new RangeError(`There is no leaf ${index} among ${leaves.length}.`);
  const proof: Hex[] = [];
  for (let level = leaves, i = index; level.length > 1; level = above(level), i = Math.floor(i / 2)) {
    const sibling = level[i ^ 1];
    if (sibling !== undefined) proof.push(sibling);
  }
  return proof;
}

/** Whether the proof leads from the leaf to the root. */
export function provesLeaf(root: Hex, leaf: Hex, proof: readonly Hex[]): boolean {
  return proof.reduce(pair, leaf) === root;
}

function above(level: readonly Hex[]): Hex[] {
  return Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => {
    const left = level[2 * i] as Hex;
    const right = level[2 * i + 1];
    return right === undefined ? left : pair(left, right);
  });
}

/** Hex of the same length and case sorts as the numbers do. */
const pair = (a: Hex, b: Hex) => {
  const [low, high] = [a.toLowerCase() as Hex, b.toLowerCase() as Hex].sort() as [Hex, Hex];
  return hashOfWords(low, high);
};
/** keccak256 of two 32-byte words; records have thousands of leaves, and this is ten times as fast as an encoder. */
const hashOfWords = (a: Hex, b: Hex) => keccak256(Buffer.from(a.slice(2) + b.slice(2), "hex")) as Hex;
const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, "0")}`;
