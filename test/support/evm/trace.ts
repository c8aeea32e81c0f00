/**
 * A life of the contracts as a list of signed transactions, each in a block of its own whose header is given, and what an
 * EVM makes of it: outcome by outcome, then every account with all of its storage. Two EVMs are compared by words.
 */
import { keccak256, toBeHex } from "ethers";
import type { Hex } from "../../../backend/adapters/chain/rpc.ts";

export const FORKS = ["cancun", "prague", "osaka"] as const;
export type Fork = (typeof FORKS)[number];

export const CHAIN_ID = 31_337;
/** Time of block 0, epoch seconds: a whole slot. */
export const GENESIS_AT = 1_958_400 * 900;
export const COINBASE: Hex = "0xc01bca5ec01bca5ec01bca5ec01bca5ec01bca5e";
export const BLOCK_GAS = 60_000_000n;

/** What a transaction can see of its block. */
export type Block = {
  readonly number: number;
  /** Epoch seconds. */
  readonly at: number;
  /** Wei per gas. */
  readonly baseFee: bigint;
  readonly prevRandao: Hex;
};
export const blockOf = (number: number, at: number): Block => ({
  number,
  at,
  baseFee: 1_000_000_000n + 7n * BigInt(number),
  prevRandao: keccak256(toBeHex(number, 32)) as Hex,
});

export type Step = {
  /** Who does what, for messages. */
  readonly what: string;
  /** The signed transaction. */
  readonly raw: Hex;
  readonly block: Block;
};

export type Log = { readonly address: Hex; readonly topics: readonly Hex[]; readonly data: Hex };

export type Outcome = {
  readonly ok: boolean;
  readonly gas: bigint;
  /** Returned or reverted with; of a creation the code. */
  readonly output: Hex;
  readonly logs: readonly Log[];
};

export type Account = {
  readonly nonce: bigint;
  /** Wei; gas was paid from it, so it is the same only under the same fork. */
  readonly balance: bigint;
  readonly code: Hex;
  /** Root over all storage words that are not 0. */
  readonly storageRoot: Hex;
};

export type Evm = {
  readonly name: string;
  readonly fork: Fork;
  /** Executes one transaction in its block. Throws when the block is not the one that was asked for. */
  run(step: Step): Promise<Outcome>;
  account(address: Hex): Promise<Account>;
  /** One storage word, 32 bytes. */
  word(address: Hex, slot: Hex): Promise<Hex>;
  /** For tampering: what runs or what is stored there from now on. */
  setCode(address: Hex, code: Hex): Promise<void>;
  setWord(address: Hex, slot: Hex, word: Hex): Promise<void>;
  close(): Promise<void>;
};

/** "address slot" of every storage word that was written. */
export type Slots = ReadonlySet<string>;

export type Life = {
  readonly name: string;
  readonly fork: Fork;
  readonly outcomes: readonly Outcome[];
  readonly accounts: ReadonlyMap<Hex, Account>;
  readonly words: ReadonlyMap<string, Hex>;
};

/** Runs all steps; `before` may tamper ahead of a step. */
export async function play(
  evm: Evm,
  steps: readonly Step[],
  before: (index: number) => Promise<void> = async () => {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [i, step] of steps.entries()) {
    await before(i);
    outcomes.push(await evm.run(step));
  }
  return outcomes;
}

/** What an EVM holds at the end. */
export async function lifeOf(
  evm: Evm,
  outcomes: readonly Outcome[],
  addresses: readonly Hex[],
  slots: Slots,
): Promise<Life> {
  const accounts = new Map<Hex, Account>();
  for (const address of addresses) accounts.set(address, await evm.account(address));
  const words = new Map<string, Hex>();
  for (const key of slots) words.set(key, await evm.word(...(key.split(" ") as [Hex, Hex])));
  return { name: evm.name, fork: evm.fork, outcomes, accounts, words };
}

/** One sentence per difference; gas and balances count under the same fork only. */
export function differences(one: Life, other: Life, steps: readonly Step[]): string[] {
  const found: string[] = [];
  const say = (where: string, what: string, a: unknown, b: unknown) => {
    const [left, right] = [text(a), text(b)];
    if (left !== right)
      found.push(`${where}: ${what} is ${left} on ${one.name} ${one.fork}, ${right} on ${other.name} ${other.fork}`);
  };
  const sameFork = one.fork === other.fork;
  for (const [i, { what }] of steps.entries()) {
    const [a, b] = [one.outcomes[i], other.outcomes[i]];
    const where = `${i} ${what}`;
    say(where, "success", a?.ok, b?.ok);
    say(where, "data", a?.output, b?.output);
    say(where, "log", a?.logs, b?.logs);
    if (sameFork) say(where, "gas", a?.gas, b?.gas);
  }
  for (const [address, a] of one.accounts) {
    const b = other.accounts.get(address);
    say(address, "nonce", a.nonce, b?.nonce);
    say(address, "code", a.code, b?.code);
    say(address, "storage root", a.storageRoot, b?.storageRoot);
    if (sameFork) say(address, "balance", a.balance, b?.balance);
  }
  for (const [key, word] of one.words) say(key, "storage word", word, other.words.get(key));
  return found;
}

const text = (value: unknown) =>
  JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}` : part)) ?? "missing";
