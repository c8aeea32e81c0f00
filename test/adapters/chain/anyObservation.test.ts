/**
 * The transition of an outbox row under observations that no chain would show: receipts of any attempt in any block, true
 * or false or untold, heads that jump, simulations and effects that contradict each other. Whatever it is told, the row
 * keeps its promises. (outboxRow.test.ts has the same on a chain that behaves like one, and that it gets there.)
 */
import { expect } from "chai";
import fc from "fast-check";
import {
  type Action,
  type Attempt,
  apply,
  LOCAL_POLICY,
  next,
  type Observation,
  type Policy,
  type Receipt,
  type Row,
} from "../../../backend/adapters/chain/outboxRow.ts";
import type { Hex } from "../../../backend/adapters/chain/rpc.ts";

const RUNS = Number(process.env.PROPERTY_RUNS ?? 2_000);
const SEED = Number(process.env.PROPERTY_SEED ?? 20_261_121);

const START: Row = {
  ...{ state: "queued", nonce: null, attempts: [], inclusion: null, cancelled: false },
  ...{ gasLimit: 100_000, tries: 0, retryAt: null, error: null },
};

/** Receipts name attempts by position: the hashes come into being while the sequence runs. */
type Told = Omit<Observation, "receipts"> & {
  readonly receipts: readonly (Omit<Receipt, "hash"> & { readonly of: number })[];
  readonly passS: number;
  readonly cancels: boolean;
};

const block = fc.integer({ min: 0, max: 30 });
const told: fc.Arbitrary<Told> = fc.record({
  head: block,
  fees: fc
    .tuple(fc.bigInt(0n, 300_000_000_000n), fc.bigInt(1n, 3_000_000_000n))
    .map(([base, tip]) => ({ maxFee: 2n * base + tip, tip })),
  balance: fc.oneof(fc.constant(0n), fc.constant(10n ** 20n)),
  // One look has at most one receipt of a hash.
  receipts: fc.uniqueArray(
    fc.record({
      of: fc.nat(3),
      blockNumber: block,
      blockHash: fc.nat(2).map((n): Hex => `0xb${n}`),
      succeeded: fc.boolean(),
      canonical: fc.constantFrom(true, true, false, null),
    }),
    { maxLength: 3, selector: ({ of }) => of },
  ),
  lowest: fc.boolean(),
  inFlight: fc.nat(2),
  simulation: fc.constantFrom(
    { reverts: false, gas: 50_000 } as const,
    { reverts: false, gas: null } as const,
    { reverts: false, gas: 17_000_000 } as const,
    { reverts: true, proven: true, error: "OutOfOrder(3)" } as const,
    { reverts: true, proven: false, error: "limit exceeded" } as const,
  ),
  effect: fc.boolean(),
  passS: fc.nat(120),
  cancels: fc.nat(9).map((n) => n === 0),
});

const policies: fc.Arbitrary<Policy> = fc
  .record({ depth: fc.nat(6), simulate: fc.boolean(), estimate: fc.boolean() })
  .map((over) => ({ ...LOCAL_POLICY, ...over }));

type Step = { readonly before: Row; readonly after: Row; readonly action: Action; readonly seen: Observation };

/** Every step that the row takes, and all that was ever signed for it with which nonce. */
function live(policy: Policy, stories: readonly Told[]) {
  let row = START;
  let now = 0;
  let nonces = 0;
  const steps: Step[] = [];
  const signed: { readonly attempt: Attempt; readonly nonce: number }[] = [];
  for (const { receipts, passS, cancels, ...rest } of stories) {
    now += passS;
    const told = receipts.flatMap(({ of, ...receipt }): Receipt[] => {
      const hash = row.attempts[of]?.hash;
      return hash === undefined ? [] : [{ ...receipt, hash }];
    });
    row = { ...row, cancelled: row.cancelled || cancels };
    let seen: Observation = { ...rest, receipts: told, simulation: null, effect: null };
    for (let i = 0; ; i++) {
      if (i === 12)
        throw new Error(`A look does not come to rest: ${JSON.stringify(steps.slice(-4).map((s) => s.action.kind))}`);
      const before = row;
      const action = next(row, seen, now, policy);
      if (action.kind === "ask") {
        seen = { ...seen, [action.what]: rest[action.what] };
        continue;
      }
      if (action.kind === "sign") {
        const nonce = row.nonce ?? nonces++;
        const { what: kind, gasLimit, maxFee, tip } = action;
        const no = signed.length + 1;
        const attempt: Attempt = {
          ...{ kind, gasLimit, maxFee, tip, no },
          hash: `0xa${no}`,
          signedAt: now,
          sentAt: null,
        };
        signed.push({ attempt, nonce });
        row = apply(row, action, now, { attempt, nonce });
      } else row = apply(row, action, now);
      steps.push({ before, after: row, action, seen });
      // The next look comes with the next observation.
      if (["wait", "sign", "send", "park"].includes(action.kind)) break;
    }
  }
  return { row, steps, signed };
}

const holds = (what: string, check: (lived: ReturnType<typeof live>, policy: Policy) => void) =>
  it(what, () => {
    const stories = fc.array(told, { maxLength: 25, size: "max" });
    fc.assert(
      fc.property(policies, stories, (policy, list) => check(live(policy, list), policy)),
      { numRuns: RUNS, seed: SEED },
    );
  });

const depthOf = ({ before, seen }: Step) => seen.head - (before.inclusion?.blockNumber ?? Number.POSITIVE_INFINITY);
/** The receipt of the inclusion that the row believes in, as the look shows it. */
const proofOf = ({ before, seen }: Step) =>
  seen.receipts.find((one) => one.hash === before.inclusion?.hash && one.blockHash === before.inclusion.blockHash);

describe("a row under any observation", () => {
  holds(
    "has one nonce from its first signature on, which it leaves only when a deep, standing block has used it",
    ({ steps }, policy) => {
      for (const step of steps) {
        const { before, after } = step;
        if (before.nonce === null || after.nonce === before.nonce) continue;
        expect(step.action.kind).to.equal("park");
        expect(before.state).to.equal("mined");
        expect(proofOf(step)?.canonical).to.equal(true);
        expect(depthOf(step)).to.be.at.least(policy.depth);
      }
    },
  );

  holds(
    "never has two calls alive: it knows all attempts of its nonce and no others, so that at most one is ever mined",
    ({ steps, signed }) => {
      const made = new Set<Hex>();
      for (const { after, action } of steps) {
        if (action.kind === "sign") made.add(after.attempts.at(-1)?.hash as Hex);
        const own = signed.filter(({ attempt, nonce }) => made.has(attempt.hash) && nonce === after.nonce);
        expect(after.attempts.map(({ hash }) => hash)).to.deep.equal(own.map(({ attempt }) => attempt.hash));
      }
    },
  );

  holds(
    "sends a call anew only when what took the nonce before was empty, or failed without an effect",
    ({ steps }) => {
      for (const { before, after, seen } of steps) {
        if (before.state !== "mined" || after.state !== "blocked") continue;
        const { inclusion, attempts } = before;
        const kind = attempts.find(({ hash }) => hash === inclusion?.hash)?.kind;
        expect(kind === "noop" || (inclusion?.succeeded === false && seen.effect === false)).to.equal(true);
      }
    },
  );

  holds(
    "is final only with a standing receipt below the depth, or because the effect is there",
    ({ steps }, policy) => {
      for (const step of steps) {
        if (step.action.kind !== "final") continue;
        if (step.seen.effect === true && step.before.nonce === null) continue;
        expect(step.before.state).to.equal("mined");
        expect(depthOf(step)).to.be.at.least(policy.depth);
        expect(proofOf(step)?.canonical).to.equal(true);
        expect(step.before.inclusion?.succeeded === true || step.seen.effect === true).to.equal(true);
        expect(step.before.attempts.find(({ hash }) => hash === step.before.inclusion?.hash)?.kind).to.equal("call");
      }
    },
  );

  holds("says nothing more once it is final or given up", ({ steps }) => {
    const end = steps.findIndex(({ after }) => after.state === "final" || after.state === "reverted");
    if (end >= 0)
      expect([...new Set(steps.slice(end + 1).map(({ action }) => action.kind))]).to.satisfy((kinds: string[]) =>
        kinds.every((kind) => kind === "wait"),
      );
  });

  holds(
    "gives nothing up that was signed unless somebody cancelled it, and then only after an empty transfer",
    ({ steps }) => {
      for (const { before, action } of steps) {
        if (action.kind !== "reverted") continue;
        expect(before.cancelled).to.equal(true);
        if (before.nonce === null) continue;
        expect(before.attempts.find(({ hash }) => hash === before.inclusion?.hash)?.kind).to.equal("noop");
      }
    },
  );

  holds(
    "replaces with both fees up by an eighth, below the ceiling, within the cap, and by nothing on a node's bare word",
    ({ steps }, policy) => {
      for (const { before, action, seen } of steps) {
        if (action.kind !== "sign") continue;
        expect(action.maxFee <= policy.feeCeiling && action.tip <= action.maxFee).to.equal(true);
        expect(action.gasLimit).to.be.at.most(policy.gasCap);
        const old = before.attempts.at(-1);
        if (old === undefined) continue;
        expect(action.maxFee * 8n >= old.maxFee * 9n, "maxFee").to.equal(true);
        expect(action.tip * 8n >= old.tip * 9n, "tip").to.equal(true);
        if (old.kind === "call" && action.what === "noop" && !before.cancelled)
          expect(seen.simulation).to.include({ reverts: true, proven: true });
      }
    },
  );

  it("meets every action in these runs", () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(policies, fc.array(told, { maxLength: 25, size: "max" }), (policy, list) => {
        for (const { action } of live(policy, list).steps) met.add(action.kind);
      }),
      { numRuns: 500, seed: SEED },
    );
    expect([...met].sort()).to.deep.equal(["final", "mined", "park", "reopen", "reverted", "send", "sign", "wait"]);
  });
});
