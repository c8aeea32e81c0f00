/** One pass over one lane: look at the chain, decide by the pure transition, store, send, look again. */
import type { Lane } from "../../usecases/ports.ts";
import type { Alarm, Lanes } from "./lanes.ts";
import { broadcast, type ChainView, look, type Simulator, simulate } from "./laneView.ts";
import {
  addAttempts,
  type Db,
  highestAttempts,
  markSent,
  type OutboxEntry,
  readInFlight,
  readSendable,
  save,
} from "./outbox.ts";
import { type Action, type Attempt, apply, laneTrouble, next, type Observation, type Policy } from "./outboxRow.ts";
import type { Hex, Rpc } from "./rpc.ts";

export type PassConfig = Omit<Simulator, "gasCap" | "estimate"> & {
  readonly rpc: Rpc;
  readonly policy: Policy;
  /** Tip offered to the block's producer, wei per gas. */
  readonly tip?: bigint;
  /** Whether the chain already shows what the call would do; asked only about calls that revert. */
  readonly effect: (call: Pick<OutboxEntry, "key" | "contract" | "call" | "args" | "data">) => Promise<boolean>;
  /** Epoch seconds of the real clock: waiting for a block is not simulated. */
  readonly now: () => number;
  readonly alarm: (alarm: Alarm) => void;
  /** Called where a crash would matter; the fault tests throw from it. */
  readonly checkpoint?: (point: Checkpoint) => void;
};

export const CHECKPOINTS = [
  "after-look",
  "before-commit",
  "after-commit",
  "after-send",
  "after-receipt",
  "before-noted",
] as const;
export type Checkpoint = (typeof CHECKPOINTS)[number];

/** `moved`: rows that came further; a lane without any waits for somebody else. */
export type LaneProgress = { readonly sent: number; readonly final: number; readonly moved: number };

type Sign = Action & { readonly kind: "sign" };
type Decision = {
  readonly before: OutboxEntry;
  readonly after: OutboxEntry;
  readonly sign: Sign | null;
  readonly send: Hex | null;
};
type Sending = { readonly entry: OutboxEntry; readonly hash: Hex };

const DEFAULT_TIP = 1_000_000n;
const NOTHING: LaneProgress = { sent: 0, final: 0, moved: 0 };

export async function passLane(
  config: PassConfig,
  lanes: Lanes,
  db: Db,
  lane: Lane,
  options: { readonly parkedToo: boolean; readonly anyInFlight: boolean },
): Promise<LaneProgress> {
  const { rpc, policy, now } = config;
  const { address } = lanes.signerOf(lane);
  const { open, nextNonce } = await lanes.read(db, lane);
  const inFlight = options.anyInFlight ? await readInFlight(db, lane) : [];
  const free = policy.window - inFlight.filter(({ state }) => state === "signed").length;
  const sendable = open ? await readSendable(db, lane, now(), free, options.parkedToo) : [];
  if (inFlight.length + sendable.length === 0) return NOTHING;

  const view = await look(rpc, address, inFlight);
  if (view.silent) config.alarm({ kind: "unreachable", lane, key: null, text: ONE_SILENT });
  const lowest = inFlight[0];
  const lowestOpen = lowest?.nonce ?? null;
  const lowestHasReceipt = lowest?.attempts.some(({ hash }) => view.receipts.has(hash)) ?? false;
  const trouble = laneTrouble({ chainNonce: view.chainNonce, nextNonce, lowestOpen, lowestHasReceipt });
  await lanes.watch(db, lane, trouble, view.chainNonce, lowestOpen ?? nextNonce);

  config.checkpoint?.("after-look");

  // On suspicion nothing new is signed: its nonce might be taken.
  const trusted = trouble === null ? sendable : [];
  const due = options.parkedToo ? trusted.map((entry) => ({ ...entry, retryAt: entry.retryAt && now() })) : trusted;
  const first = await decide(config, lanes, lane, view, inFlight, due);
  const sending = await store(config, lanes, db, lane, first);
  if (sending.length === 0) return tally(first);

  config.checkpoint?.("after-commit");
  await broadcast(
    rpc,
    sending.map(({ entry, hash }) => entry.raw[hash] as Hex),
  );
  config.checkpoint?.("after-send");
  const sent = sending.map(({ entry }) => entry);
  const second = await decide(config, lanes, lane, await look(rpc, address, sent), sent, []);
  config.checkpoint?.("after-receipt");
  await db.transaction().execute(async (trx) => {
    for (const { before, after } of second) if (changed(before, after)) await save(trx, before, after);
    const waiting = sending.filter((_, i) => second[i]?.after.state === "signed");
    const hashes = waiting.map(({ hash }) => hash);
    await markSent(trx, hashes, now());
    config.checkpoint?.("before-noted");
  });
  const [a, b] = [tally(first), tally(second)];
  return { sent: sending.length, final: a.final + b.final, moved: a.moved + b.moved };
}

/** Runs every row through the transition until it waits, asking the chain for what it wants to know. */
async function decide(
  config: PassConfig,
  lanes: Lanes,
  lane: Lane,
  view: ChainView,
  inFlight: readonly OutboxEntry[],
  sendable: readonly OutboxEntry[],
): Promise<Decision[]> {
  const { rpc, policy, now } = config;
  const { address } = lanes.signerOf(lane);
  const tip = config.tip ?? DEFAULT_TIP;
  const fees = { maxFee: 2n * view.baseFee + tip, tip };
  const held = new Set<string>();
  let pending = inFlight.filter(({ state }) => state === "signed").length;
  const decisions: Decision[] = [];

  async function settle(before: OutboxEntry): Promise<Decision> {
    const own = before.state === "signed" ? 1 : 0;
    const receipts = before.attempts.flatMap(({ hash }) => view.receipts.get(hash) ?? []);
    const { head, balance } = view;
    let seen: Observation = {
      head,
      balance,
      fees,
      receipts,
      lowest: before.nonce === view.chainNonce,
      inFlight: pending - own,
      simulation: null,
      effect: null,
    };
    let after = before;
    for (;;) {
      const action = next(after, seen, now(), policy);
      switch (action.kind) {
        case "wait":
          if (action.alarm) config.alarm({ kind: action.alarm, lane, key: before.key, text: WAITING[action.alarm] });
          return { before, after, sign: null, send: null };
        case "ask":
          if (action.what === "effect") seen = { ...seen, effect: await config.effect(before) };
          else {
            const simulation = await simulate(rpc, address, before, head, {
              ...config,
              gasCap: policy.gasCap,
              estimate: policy.estimate,
            });
            seen = { ...seen, simulation };
          }
          continue;
        case "sign":
          if (own === 0) pending++;
          return { before, after, sign: action, send: null };
        case "send":
          return { before, after, sign: null, send: action.hash };
        case "mined":
          pending -= own;
          break;
        case "park":
        case "reverted":
          // Told once, not with every try.
          if (action.error === before.error) break;
          config.alarm({
            kind: action.kind === "park" ? "parked" : "reverted",
            lane,
            key: before.key,
            text: action.error,
          });
          break;
      }
      after = { ...after, ...apply(after, action, now()) };
      if (action.kind === "park") return { before, after, sign: null, send: null };
    }
  }

  for (const entry of inFlight) decisions.push(await settle(entry));
  for (const entry of sendable) {
    if (entry.stream !== null && held.has(entry.stream)) continue;
    const decision = await settle(entry);
    decisions.push(decision);
    const left = decision.sign !== null || decision.after.state === "final" || decision.after.state === "reverted";
    if (!left && entry.stream !== null) held.add(entry.stream);
  }
  return decisions;
}

const ONE_SILENT =
  "An endpoint does not say whether blocks stand. Nothing becomes final until all of CHAIN_RPC_URL agree: mend it, or take it out.";
const WAITING = {
  "fee-ceiling": "Gas costs more than the policy's ceiling; the call waits.",
  "low-balance": "The lane's address cannot pay for the call; send it ether.",
};

/** One transaction: nonces, signed bytes, hashes and new states. Answers what is to be broadcast after it. */
async function store(
  config: PassConfig,
  lanes: Lanes,
  db: Db,
  lane: Lane,
  decisions: readonly Decision[],
): Promise<Sending[]> {
  const again = decisions.flatMap(({ after, send }) => (send === null ? [] : [{ entry: after, hash: send }]));
  const moved = decisions.filter(({ before, after, sign }) => sign === null && changed(before, after));
  const signing = decisions.flatMap((one) => (one.sign === null ? [] : [{ ...one, sign: one.sign }]));
  if (moved.length + signing.length === 0) return again;
  const signed = await db.transaction().execute(async (trx) => {
    for (const { before, after } of moved) await save(trx, before, after);
    const done = signing.length === 0 ? [] : await signAll(config, lanes, trx, lane, signing);
    config.checkpoint?.("before-commit");
    return done;
  });
  return [...signed, ...again];
}

async function signAll(
  config: PassConfig,
  lanes: Lanes,
  trx: Db,
  lane: Lane,
  signing: readonly { readonly before: OutboxEntry; readonly after: OutboxEntry; readonly sign: Sign }[],
): Promise<Sending[]> {
  const signer = lanes.signerOf(lane);
  const fresh = signing.filter(({ before }) => before.nonce === null);
  const nonces = await lanes.takeNonces(trx, lane, fresh.length);
  const triedBefore = signing.filter(({ before }) => before.nonce !== null || before.tries > 0);
  const numbers = await highestAttempts(
    trx,
    triedBefore.map(({ before }) => before.id),
  );
  const done: { entry: OutboxEntry; attempt: Attempt; nonce: number; raw: Hex }[] = [];
  for (const { before, after, sign } of signing) {
    const { what: kind, gasLimit, maxFee, tip } = sign;
    const nonce = before.nonce ?? (nonces.shift() as number);
    const target =
      kind === "noop"
        ? { to: signer.address, data: "0x" as const }
        : { to: config.addressOf(before.contract), data: before.data };
    const { raw, hash } = await signer.sign({ chainId: config.rpc.chainId, nonce, ...target, gasLimit, maxFee, tip });
    const no = (numbers.get(before.id) ?? 0) + 1;
    const attempt = { hash, no, kind, gasLimit, maxFee, tip, signedAt: config.now(), sentAt: null };
    const raws = { ...after.raw, [hash]: raw };
    const entry = { ...after, ...apply(after, sign, config.now(), { attempt, nonce }), raw: raws };
    await save(trx, before, entry);
    done.push({ entry, attempt, nonce, raw });
  }
  await addAttempts(trx, done);
  return done.map(({ entry, attempt }) => ({ entry, hash: attempt.hash }));
}

/** Whether there is anything to write: the states of the row, not the instants of its attempts. */
function changed(before: OutboxEntry, after: OutboxEntry): boolean {
  return before.state !== after.state || before.inclusion !== after.inclusion || before.tries !== after.tries;
}

function tally(decisions: readonly Decision[]): LaneProgress {
  const moved = decisions.filter(
    ({ before, after, sign }) => sign !== null || (before.state !== after.state && after.state !== "blocked"),
  );
  return { sent: 0, final: decisions.filter(({ after }) => after.state === "final").length, moved: moved.length };
}
