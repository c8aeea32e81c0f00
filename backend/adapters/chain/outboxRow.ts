/**
 * The life of one call to the chain as a pure function: what is known of the row and what the chain shows now give one
 * action. All reading and writing around it is in writer.ts.
 *
 *   queued -> signed -> mined -> final          the normal way
 *   queued -> blocked -> queued                 would revert: parked without a nonce, simulated again later
 *   mined -> signed                             the block was replaced: the same bytes are sent again
 *   mined -> blocked                            reverted on chain and its effect is not there
 *   signed -> mined -> reverted                 cancelled: a zero-value transfer to ourselves took the nonce
 *
 * A nonce, once given, is never given back: either the call or its replacement is mined with it.
 */
import type { Hex } from "./rpc.ts";

export type RowState = "queued" | "signed" | "mined" | "final" | "blocked" | "reverted";

export type Fees = { readonly maxFee: bigint; readonly tip: bigint };

/** Signed bytes that were stored before they were first sent; all of a row's attempts carry the row's nonce. */
export type Attempt = Fees & {
  readonly hash: Hex;
  readonly gasLimit: number;
  readonly no: number;
  readonly kind: "call" | "noop";
  readonly signedAt: number;
  readonly sentAt: number | null;
};

export type Inclusion = {
  readonly hash: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly succeeded: boolean;
};

export type Row = {
  readonly state: RowState;
  readonly nonce: number | null;
  /** Ascending by `no`. */
  readonly attempts: readonly Attempt[];
  readonly inclusion: Inclusion | null;
  readonly cancelled: boolean;
  /** Given with the call; otherwise estimated. */
  readonly gasLimit: number | null;
  readonly tries: number;
  readonly retryAt: number | null;
  readonly error: string | null;
};

/** `canonical`: the block still stands on every endpoint; null when that cannot be told now. */
export type Receipt = Inclusion & { readonly canonical: boolean | null };

export type Simulation =
  | { readonly reverts: false; readonly gas: number | null }
  /** `proven`: by revert data, so that the call failed and not the node. */
  | { readonly reverts: true; readonly proven: boolean; readonly error: string };

/** What the chain shows now. `null` in `simulation` and `effect` means not asked yet: `next` says when it needs them. */
export type Observation = {
  readonly head: number;
  readonly fees: Fees;
  /** Wei that the lane's address owns. */
  readonly balance: bigint;
  /** Receipts of the row's attempts. */
  readonly receipts: readonly Receipt[];
  /** The chain's next transaction of this key is this row's: everything before it is there. */
  readonly lowest: boolean;
  /** Calls of the lane that are signed and not mined, this row aside. */
  readonly inFlight: number;
  readonly simulation: Simulation | null;
  /** Whether the call's effect is on chain already. */
  readonly effect: boolean | null;
};

export type Policy = {
  /** Blocks on top before an inclusion counts as final: 0 or 1 local, 6 on a test network, 12 on mainnet. */
  readonly depth: number;
  /** eth_call (and an estimate where no gas limit is given) before a nonce is spent. */
  readonly simulate: boolean;
  /** Estimate also where the call names a gas limit: on public networks the limit has to be covered by the balance. */
  readonly estimate: boolean;
  /** Calls in flight per lane; geth keeps 16 executable transactions per account. */
  readonly window: number;
  readonly bumpAfterS: number;
  readonly resendAfterS: number;
  /** First pause of a parked row; doubled with each try up to `retryAtMostS`. A try is a simulation and costs nothing. */
  readonly retryAfterS: number;
  readonly retryAtMostS: number;
  /** After so many tries a call that reverted on chain (and so cost gas) is tried again only by hand. */
  readonly maxTries: number;
  /** Never offer more than this per gas, wei. */
  readonly feeCeiling: bigint;
  /** EIP-7825: no transaction above this is valid. */
  readonly gasCap: number;
};

export const LOCAL_POLICY: Policy = {
  depth: 0,
  simulate: true,
  estimate: false,
  window: 16,
  bumpAfterS: 48,
  resendAfterS: 30,
  retryAfterS: 15,
  retryAtMostS: 3600,
  maxTries: 8,
  feeCeiling: 500_000_000_000n,
  gasCap: 16_777_216,
};

/** For networks that others run too. */
export const PUBLIC_POLICY: Policy = { ...LOCAL_POLICY, depth: 6, estimate: true };

export type Action =
  | { readonly kind: "wait"; readonly alarm?: "fee-ceiling" | "low-balance" }
  | { readonly kind: "ask"; readonly what: "simulation" | "effect" }
  /** Takes the lane's next nonce, or keeps the row's own when it has one. */
  | ({ readonly kind: "sign"; readonly what: "call" | "noop"; readonly gasLimit: number } & Fees)
  | { readonly kind: "send"; readonly hash: Hex }
  | { readonly kind: "mined"; readonly inclusion: Inclusion }
  | { readonly kind: "reopen" }
  | { readonly kind: "final" }
  | { readonly kind: "reverted"; readonly error: string }
  | { readonly kind: "park"; readonly error: string; readonly retryAt: number | null };

const WAIT: Action = { kind: "wait" };
/** Gas of a plain transfer. */
const NOOP_GAS = 21_000;

export function next(row: Row, seen: Observation, now: number, policy: Policy): Action {
  switch (row.state) {
    case "queued":
      return row.cancelled ? { kind: "reverted", error: "cancelled before it was sent" } : send(row, seen, now, policy);
    case "blocked":
      if (row.cancelled) return { kind: "reverted", error: `cancelled while parked: ${row.error ?? ""}` };
      return row.retryAt !== null && row.retryAt <= now ? send(row, seen, now, policy) : WAIT;
    case "signed":
      return include(row, seen) ?? pursue(row, seen, now, policy);
    case "mined":
      return confirm(row, seen, now, policy);
    case "final":
    case "reverted":
      return WAIT;
  }
}

/** Simulate, then take a nonce; or park without one. */
function send(row: Row, seen: Observation, now: number, policy: Policy): Action {
  const needed = policy.simulate || policy.estimate || row.gasLimit === null || row.tries > 0;
  if (needed && seen.simulation === null) return { kind: "ask", what: "simulation" };
  if (seen.simulation?.reverts) {
    // It may only be early: the state that it needs can still be on its way.
    if (seen.inFlight > 0) return WAIT;
    if (seen.effect === null) return { kind: "ask", what: "effect" };
    if (seen.effect) return { kind: "final" };
    return park(row, seen.simulation.error, now, policy);
  }
  const estimate = seen.simulation?.gas ?? null;
  const estimated = Math.ceil((estimate ?? policy.gasCap) * 1.2);
  const gasLimit = policy.estimate ? estimated : (row.gasLimit ?? estimated);
  if ((estimate ?? 0) > policy.gasCap)
    return park(row, `needs ${estimate} gas, a transaction may use ${policy.gasCap}: split it`, now, policy);
  if (seen.fees.maxFee > policy.feeCeiling) return { kind: "wait", alarm: "fee-ceiling" };
  const limited = Math.min(gasLimit, policy.gasCap);
  if (seen.balance < BigInt(limited) * seen.fees.maxFee) return { kind: "wait", alarm: "low-balance" };
  return { kind: "sign", what: "call", gasLimit: limited, ...seen.fees };
}

function park(row: Row, error: string, now: number, policy: Policy): Action {
  const pauseS = Math.min(policy.retryAtMostS, policy.retryAfterS * 2 ** Math.min(row.tries, 30));
  const byHand = row.state === "mined" && row.tries + 1 >= policy.maxTries;
  return { kind: "park", error, retryAt: byHand ? null : now + pauseS };
}

/** A receipt in a standing block is the only proof of inclusion. */
function include(row: Row, seen: Observation): Action | null {
  const receipt = seen.receipts.find((r) => r.canonical === true);
  if (receipt === undefined) return null;
  const { hash, blockNumber, blockHash, succeeded } = receipt;
  const same = row.inclusion?.hash === hash && row.inclusion.blockHash === blockHash;
  return same ? null : { kind: "mined", inclusion: { hash, blockNumber, blockHash, succeeded } };
}

/** A signed row without a receipt: replace, bump or send again. */
function pursue(row: Row, seen: Observation, now: number, policy: Policy): Action {
  const newest = row.attempts.at(-1);
  if (newest === undefined)
    throw new Error("A signed row has no attempt. Restore the attempt table from the same backup as the outbox.");
  const resend: Action =
    newest.sentAt === null || now - newest.sentAt >= policy.resendAfterS ? { kind: "send", hash: newest.hash } : WAIT;
  if (row.cancelled && newest.kind === "call") return replace(newest, "noop", seen, policy) ?? resend;
  if (newest.sentAt === null || !seen.lowest || now - newest.signedAt < policy.bumpAfterS) return resend;
  if (newest.kind === "call" && policy.simulate) {
    if (seen.simulation === null) return { kind: "ask", what: "simulation" };
    if (seen.simulation.reverts && seen.simulation.proven) return replace(newest, "noop", seen, policy) ?? resend;
  }
  return (
    replace(newest, newest.kind, seen, policy) ??
    (resend.kind === "wait" ? { kind: "wait", alarm: "fee-ceiling" } : resend)
  );
}

/** Same nonce, both fees up; null at the ceiling. Nodes refuse a replacement below +10 % in either fee. */
function replace(old: Attempt, what: "call" | "noop", seen: Observation, policy: Policy): Action | null {
  const maxFee = max(bumped(old.maxFee), seen.fees.maxFee);
  const tip = max(bumped(old.tip), seen.fees.tip);
  if (maxFee > policy.feeCeiling || maxFee > 5n * seen.fees.maxFee) return null;
  return {
    kind: "sign",
    what,
    gasLimit: what === "noop" ? NOOP_GAS : old.gasLimit,
    maxFee,
    tip: min(tip, maxFee),
  };
}

/** x 1.125, rounded up, and never the same: nodes want more in both fields. */
export const bumped = (fee: bigint) => max((fee * 9n + 7n) / 8n, fee + 1n);
// Math.max does not take a bigint.
function max(a: bigint, b: bigint) {
  return a > b ? a : b;
}
const min = (a: bigint, b: bigint) => -max(-a, -b);

function confirm(row: Row, seen: Observation, now: number, policy: Policy): Action {
  const inclusion = row.inclusion;
  if (inclusion === null) throw new Error("A mined row has no block. Restore the outbox from a backup.");
  const moved = include(row, seen);
  if (moved !== null) return moved;
  const receipt = seen.receipts.find((r) => r.hash === inclusion.hash && r.blockHash === inclusion.blockHash);
  if (receipt === undefined || receipt.canonical === false) {
    // Another receipt whose block cannot be checked now may be the new home: do not hurry.
    return seen.receipts.some((r) => r.canonical === null) ? WAIT : { kind: "reopen" };
  }
  if (receipt.canonical === null || seen.head - inclusion.blockNumber < policy.depth) return WAIT;
  const kind = row.attempts.find((a) => a.hash === inclusion.hash)?.kind;
  if (kind === "noop") {
    if (row.cancelled) return { kind: "reverted", error: "cancelled: its nonce was used for an empty transfer" };
    return park(row, "could no longer succeed and was replaced by an empty transfer", now, policy);
  }
  if (inclusion.succeeded) return { kind: "final" };
  // Reverted on chain. "Out of order" and "already billed" mean that somebody was first, usually ourselves.
  if (seen.effect === null) return { kind: "ask", what: "effect" };
  if (seen.effect) return { kind: "final" };
  return park(row, `reverted in block ${inclusion.blockNumber}`, now, policy);
}

/** The row after an action. `signed` is the attempt that a `sign` produced, with the nonce that it took. */
export function apply(
  row: Row,
  action: Action,
  now: number,
  signed?: { readonly attempt: Attempt; readonly nonce: number },
): Row {
  switch (action.kind) {
    case "wait":
    case "ask":
      return row;
    case "sign": {
      if (signed === undefined) throw new Error("An attempt is needed to apply a signature.");
      const attempts = [...row.attempts, signed.attempt];
      return { ...row, state: "signed", nonce: signed.nonce, attempts, retryAt: null, error: null };
    }
    case "send":
      return { ...row, attempts: row.attempts.map((a) => (a.hash === action.hash ? { ...a, sentAt: now } : a)) };
    case "mined":
      return { ...row, state: "mined", inclusion: action.inclusion };
    case "reopen":
      return { ...row, state: "signed", inclusion: null, attempts: row.attempts.map((a) => ({ ...a, sentAt: null })) };
    case "final":
      return { ...row, state: "final", retryAt: null, error: null };
    case "reverted":
      return { ...row, state: "reverted", retryAt: null, error: action.error };
    case "park": {
      const { error, retryAt } = action;
      return {
        ...row,
        state: "blocked",
        nonce: null,
        attempts: [],
        inclusion: null,
        tries: row.tries + 1,
        error,
        retryAt,
      };
    }
  }
}

export type LaneView = {
  /** Transactions of the address in the latest block. */
  readonly chainNonce: number;
  readonly nextNonce: number;
  readonly lowestOpen: number | null;
  /** The lowest open row has a receipt. */
  readonly lowestHasReceipt: boolean;
};

/**
 * Whether somebody else uses a lane's key ("foreign"), or a block with a predecessor of ours is gone ("rewound").
 * Both are believed only after several looks in a row, since nodes behind a load balancer lag.
 */
export function laneTrouble(view: LaneView): "foreign" | "rewound" | null {
  const { chainNonce, nextNonce, lowestOpen, lowestHasReceipt } = view;
  if (chainNonce > nextNonce) return "foreign";
  if (lowestOpen !== null && chainNonce > lowestOpen && !lowestHasReceipt) return "foreign";
  return chainNonce < (lowestOpen ?? nextNonce) ? "rewound" : null;
}
