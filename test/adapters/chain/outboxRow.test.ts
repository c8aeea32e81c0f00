import { expect } from "chai";
import fc from "fast-check";
import {
  type Action,
  type Attempt,
  apply,
  bumped,
  LOCAL_POLICY,
  laneTrouble,
  next,
  type Observation,
  type Policy,
  type Receipt,
  type Row,
} from "../../../backend/adapters/chain/outboxRow.ts";
import type { Hex } from "../../../backend/adapters/chain/rpc.ts";

const GWEI = 1_000_000_000n;
const policy: Policy = { ...LOCAL_POLICY, depth: 3, retryAfterS: 15, retryAtMostS: 100, maxTries: 4 };

const queued: Row = {
  state: "queued",
  nonce: null,
  attempts: [],
  inclusion: null,
  cancelled: false,
  gasLimit: 100_000,
  tries: 0,
  retryAt: null,
  error: null,
};
const seen: Observation = {
  head: 10,
  fees: { maxFee: 3n * GWEI, tip: GWEI },
  balance: 10n ** 18n,
  receipts: [],
  lowest: true,
  inFlight: 0,
  simulation: { reverts: false, gas: null },
  effect: null,
};
const attempt: Attempt = {
  hash: "0xa1",
  no: 1,
  kind: "call",
  gasLimit: 100_000,
  maxFee: 3n * GWEI,
  tip: GWEI,
  signedAt: 100,
  sentAt: 100,
};
const signed: Row = { ...queued, state: "signed", nonce: 7, attempts: [attempt] };
const inclusion = { hash: "0xa1", blockNumber: 8, blockHash: "0xb8", succeeded: true } as const;
const receipt: Receipt = { ...inclusion, canonical: true };
const mined: Row = { ...signed, state: "mined", inclusion };

describe("a row of the outbox", () => {
  it("asks for a simulation before it takes a nonce", () => {
    expect(next(queued, { ...seen, simulation: null }, 0, policy)).to.deep.equal({ kind: "ask", what: "simulation" });
    expect(next(queued, seen, 0, policy)).to.deep.include({ kind: "sign", what: "call", gasLimit: 100_000 });
  });

  it("needs no simulation where the policy says so and the gas is known, but does after a failure", () => {
    const trusting = { ...policy, simulate: false };
    const blind = { ...seen, simulation: null };
    expect(next(queued, blind, 0, trusting).kind).to.equal("sign");
    expect(next({ ...queued, gasLimit: null }, blind, 0, trusting).kind).to.equal("ask");
    expect(next({ ...queued, tries: 1 }, blind, 0, trusting).kind).to.equal("ask");
  });

  it("offers 1.2 times the estimate, and never more than EIP-7825 allows", () => {
    const estimated = (gas: number) =>
      next({ ...queued, gasLimit: null }, { ...seen, simulation: { reverts: false, gas } }, 0, policy);
    expect(estimated(50_001)).to.include({ kind: "sign", gasLimit: 60_002 });
    expect(estimated(16_000_000)).to.include({ kind: "sign", gasLimit: 16_777_216 });
    expect(estimated(16_777_217)).to.include({ kind: "park" });
    const measured = { ...seen, simulation: { reverts: false, gas: 50_000 } } as const;
    expect(next(queued, measured, 0, policy)).to.include({ gasLimit: 100_000 });
    expect(next(queued, measured, 0, { ...policy, estimate: true, simulate: false })).to.include({ gasLimit: 60_000 });
    expect(
      next(queued, { ...seen, simulation: null }, 0, { ...policy, estimate: true, simulate: false }).kind,
    ).to.equal("ask");
  });

  it("parks a call that would revert, without a nonce, and waits twice as long each time", () => {
    const failing: Observation = {
      ...seen,
      simulation: { reverts: true, proven: true, error: "UnknownGroup(7)" },
      effect: false,
    };
    const first = next(queued, failing, 1000, policy);
    expect(first).to.deep.equal({ kind: "park", error: "UnknownGroup(7)", retryAt: 1015 });
    const parked = apply(queued, first, 1000);
    expect(parked).to.deep.include({ state: "blocked", nonce: null, tries: 1 });
    expect(next(parked, failing, 1014, policy)).to.deep.equal({ kind: "wait" });
    expect(next(parked, failing, 1015, policy)).to.deep.include({ kind: "park", retryAt: 1045 });
    const often = { ...parked, tries: 40 };
    expect(next(often, failing, 1015, policy), "retryAtMostS at most").to.deep.include({ retryAt: 1115 });
  });

  it("does not park what may only be early, nor what is done already", () => {
    const failing: Observation = { ...seen, simulation: { reverts: true, proven: true, error: "OutOfOrder(3)" } };
    expect(next(queued, { ...failing, inFlight: 1 }, 0, policy)).to.deep.equal({ kind: "wait" });
    expect(next(queued, failing, 0, policy)).to.deep.equal({ kind: "ask", what: "effect" });
    expect(next(queued, { ...failing, effect: true }, 0, policy)).to.deep.equal({ kind: "final" });
  });

  it("waits with an alarm while gas is dearer than the ceiling or the purse is empty", () => {
    const dear = { ...seen, fees: { maxFee: policy.feeCeiling + 1n, tip: 1n } };
    expect(next(queued, dear, 0, policy)).to.deep.equal({ kind: "wait", alarm: "fee-ceiling" });
    const poor = { ...seen, balance: 100_000n * 3n * GWEI - 1n };
    expect(next(queued, poor, 0, policy)).to.deep.equal({ kind: "wait", alarm: "low-balance" });
  });

  it("sends stored bytes again until there is a receipt in a standing block", () => {
    expect(next({ ...signed, attempts: [{ ...attempt, sentAt: null }] }, seen, 101, policy)).to.include({
      kind: "send",
    });
    expect(next(signed, seen, 129, policy)).to.deep.equal({ kind: "wait" });
    expect(next(signed, seen, 130, policy)).to.deep.equal({ kind: "send", hash: "0xa1" });
    const dead = { ...seen, receipts: [{ ...receipt, canonical: false }] };
    expect(next(signed, dead, 101, policy)).to.deep.equal({ kind: "wait" });
    expect(next(signed, { ...seen, receipts: [receipt] }, 101, policy)).to.deep.equal({ kind: "mined", inclusion });
  });

  it("raises both fees by an eighth, rounded up, when the lowest row is stuck for 48 s", () => {
    expect(bumped(1n)).to.equal(2n);
    expect(bumped(0n)).to.equal(1n);
    expect(bumped(8n)).to.equal(9n);
    expect(bumped(9n)).to.equal(11n);
    const action = next(signed, seen, 148, policy);
    expect(action).to.deep.equal({
      kind: "sign",
      what: "call",
      gasLimit: 100_000,
      maxFee: 3_375_000_000n,
      tip: 1_125_000_000n,
    });
    expect(next(signed, { ...seen, lowest: false }, 148, policy).kind).to.equal("send");
    const spike = { ...seen, fees: { maxFee: 60n * GWEI, tip: 2n * GWEI } };
    expect(next(signed, spike, 148, policy)).to.include({ maxFee: 60n * GWEI, tip: 2n * GWEI });
  });

  it("stops raising at five times the suggestion and at the ceiling, and says so", () => {
    const old = { ...attempt, maxFee: 14n * GWEI, sentAt: 140 };
    expect(next({ ...signed, attempts: [old] }, seen, 148, policy)).to.deep.equal({
      kind: "wait",
      alarm: "fee-ceiling",
    });
    const tight = { ...policy, feeCeiling: 3n * GWEI };
    expect(next(signed, seen, 148, tight).kind).to.equal("send");
  });

  it("replaces a stuck call that can no longer succeed by an empty transfer with the same nonce", () => {
    const hopeless: Observation = { ...seen, simulation: { reverts: true, proven: true, error: "Paused()" } };
    const action = next(signed, hopeless, 148, policy);
    expect(action).to.include({ kind: "sign", what: "noop", gasLimit: 21_000 });
    const replaced = apply(signed, action, 148, {
      attempt: { ...attempt, hash: "0xa2", no: 2, kind: "noop" },
      nonce: 7,
    });
    expect(replaced.nonce).to.equal(7);
    const buried = { ...replaced, state: "mined", inclusion: { ...inclusion, hash: "0xa2" } } as const;
    const deep = { ...seen, head: 11, receipts: [{ ...receipt, hash: "0xa2" as Hex }] };
    expect(next(buried, deep, 200, policy)).to.include({ kind: "park" });
    expect(next({ ...buried, cancelled: true }, deep, 200, policy)).to.include({ kind: "reverted" });
  });

  it("is final only three blocks deep, and only while its block stands on every endpoint", () => {
    const at = (head: number, canonical: boolean | null = true) => ({
      ...seen,
      head,
      receipts: [{ ...receipt, canonical }],
    });
    expect(next(mined, at(10), 0, policy)).to.deep.equal({ kind: "wait" });
    expect(next(mined, at(11), 0, policy)).to.deep.equal({ kind: "final" });
    expect(next(mined, at(11, null), 0, policy)).to.deep.equal({ kind: "wait" });
    expect(next(mined, at(11, false), 0, policy)).to.deep.equal({ kind: "reopen" });
    expect(next(mined, { ...seen, head: 11 }, 0, policy)).to.deep.equal({ kind: "reopen" });
  });

  it("goes back to signed in a reorganisation, keeps its nonce and sends the same bytes at once", () => {
    const back = apply(mined, { kind: "reopen" }, 500);
    expect(back).to.deep.include({ state: "signed", nonce: 7, inclusion: null });
    expect(next(back, seen, 101, policy)).to.deep.equal({ kind: "send", hash: "0xa1" });
    const elsewhere = { ...receipt, blockNumber: 9, blockHash: "0xc9" as Hex };
    expect(next(mined, { ...seen, receipts: [elsewhere] }, 0, policy)).to.deep.include({ kind: "mined" });
  });

  it("looks for the effect of a reverted transaction instead of sending it again", () => {
    const reverted: Row = { ...mined, inclusion: { ...inclusion, succeeded: false } };
    const deep = { ...seen, head: 11, receipts: [{ ...receipt, succeeded: false }] };
    expect(next(reverted, deep, 0, policy)).to.deep.equal({ kind: "ask", what: "effect" });
    expect(next(reverted, { ...deep, effect: true }, 0, policy)).to.deep.equal({ kind: "final" });
    const parked = apply(reverted, next(reverted, { ...deep, effect: false }, 0, policy), 0);
    expect(parked).to.deep.include({ state: "blocked", nonce: null, attempts: [], retryAt: 15 });
    const often = next({ ...reverted, tries: 3 }, { ...deep, effect: false }, 0, policy);
    expect(often, "gas is not burnt for ever").to.deep.include({ retryAt: null });
  });

  it("leaves the queue at once when it is cancelled before it was sent", () => {
    expect(next({ ...queued, cancelled: true }, seen, 0, policy)).to.include({ kind: "reverted" });
    expect(next({ ...signed, cancelled: true }, seen, 101, policy)).to.include({ kind: "sign", what: "noop" });
  });
});

describe("a row under every weather", () => {
  /** A chain of one row: blocks that may hold one of its attempts, forks, amnesia, lag. */
  type Weather =
    | { readonly kind: "pass" }
    | { readonly kind: "include"; readonly which: number; readonly succeeds: boolean }
    | { readonly kind: "blocks"; readonly count: number }
    | { readonly kind: "fork"; readonly depth: number }
    | { readonly kind: "wait"; readonly seconds: number }
    | { readonly kind: "blind"; readonly blind: boolean }
    | { readonly kind: "revert"; readonly reverts: boolean };

  const weather: fc.Arbitrary<Weather> = fc.oneof(
    { weight: 6, arbitrary: fc.constant({ kind: "pass" } as const) },
    fc.record({ kind: fc.constant("include" as const), which: fc.nat(5), succeeds: fc.boolean() }),
    fc.record({ kind: fc.constant("blocks" as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant("fork" as const), depth: fc.integer({ min: 1, max: policy.depth - 1 }) }),
    fc.record({ kind: fc.constant("wait" as const), seconds: fc.nat(100) }),
    fc.record({ kind: fc.constant("blind" as const), blind: fc.boolean() }),
    fc.record({ kind: fc.constant("revert" as const), reverts: fc.boolean() }),
  );

  function world() {
    let row: Row = queued;
    let now = 0;
    let forks = 0;
    let highest = 0;
    let blind = false;
    let reverts = false;
    let nonces = 0;
    let signatures = 0;
    /** Index = block number; what it holds of the row. */
    const blocks: ({ hash: Hex; nonce: number; succeeded: boolean; fork: number } | null)[] = [null];
    const everSigned = new Map<Hex, { nonce: number; attempt: Attempt }>();
    const usedNonces = () => new Set(blocks.flatMap((block) => (block === null ? [] : [block.nonce])));
    const hashAt = (n: number): Hex => `0xb${n}f${blocks[n]?.fork ?? 0}`;

    function observe(): Observation {
      const receipts = row.attempts.flatMap(({ hash }) =>
        blocks.flatMap((block, n): Receipt[] =>
          block?.hash === hash
            ? [
                {
                  hash,
                  blockNumber: n,
                  blockHash: hashAt(n),
                  succeeded: block.succeeded,
                  canonical: blind ? null : true,
                },
              ]
            : [],
        ),
      );
      const simulation = reverts
        ? ({ reverts: true, proven: true, error: "No()" } as const)
        : ({ reverts: false, gas: null } as const);
      return { ...seen, head: blocks.length - 1, receipts, simulation, effect: false };
    }

    /** One pass of the writer over the row, with the promises of the transition checked at every step. */
    function pass(): void {
      for (let steps = 0; steps < 10; steps++) {
        const before = row;
        const observed = observe();
        const action: Action = next(row, observed, now, policy);
        if (action.kind === "wait") return;
        if (action.kind === "sign") {
          const nonce = row.nonce ?? nonces++;
          const { maxFee, tip, gasLimit, what: kind } = action;
          const made: Attempt = {
            hash: `0xa${++signatures}`,
            no: signatures,
            kind,
            gasLimit,
            maxFee,
            tip,
            signedAt: now,
            sentAt: now,
          };
          const old = row.attempts.at(-1);
          if (old !== undefined) {
            expect(maxFee * 8n >= old.maxFee * 9n, "maxFee rises by 12.5 %").to.equal(true);
            expect(tip * 8n >= old.tip * 9n, "tip rises by 12.5 %").to.equal(true);
          }
          everSigned.set(made.hash, { nonce, attempt: made });
          row = apply(row, action, now, { attempt: made, nonce });
          return;
        }
        row = apply(row, action, now);
        if (before.nonce !== null && row.nonce !== before.nonce) {
          const depth = observed.head - (before.inclusion?.blockNumber ?? Number.POSITIVE_INFINITY);
          expect(before.state, "a nonce is left only when it is used up").to.equal("mined");
          expect(depth).to.be.at.least(policy.depth);
        }
        if (row.state === "final" && before.state !== "final") {
          const own = blocks[before.inclusion?.blockNumber as number];
          expect(own, "final is on the chain").to.include({ hash: before.inclusion?.hash, succeeded: true });
          expect(observed.head - (before.inclusion?.blockNumber as number)).to.be.at.least(policy.depth);
        }
        if (action.kind === "send" || action.kind === "park") return;
      }
      throw new Error("A pass does not come to rest.");
    }

    function include(which: number, succeeds: boolean): void {
      const open = [...everSigned.values()].filter(({ nonce }) => !usedNonces().has(nonce));
      const lowest = Math.min(...open.map(({ nonce }) => nonce));
      const choices = open.filter(({ nonce }) => nonce === lowest);
      const chosen = choices[which % Math.max(1, choices.length)];
      if (chosen === undefined) return;
      const succeeded = chosen.attempt.kind === "noop" || succeeds;
      blocks.push({ hash: chosen.attempt.hash, nonce: chosen.nonce, succeeded, fork: forks });
    }

    return {
      row: () => row,
      successes: () =>
        blocks.filter((block) => block?.succeeded && everSigned.get(block.hash)?.attempt.kind === "call"),
      blow(wind: Weather): void {
        switch (wind.kind) {
          case "pass":
            pass();
            return;
          case "include":
            include(wind.which, wind.succeeds);
            return;
          case "blocks":
            for (let i = 0; i < wind.count; i++) blocks.push(null);
            return;
          case "fork":
            forks++;
            // Never below what the policy calls final, also in several forks.
            highest = Math.max(highest, blocks.length);
            blocks.length = Math.max(1, highest - (policy.depth - 1), blocks.length - wind.depth);
            return;
          case "wait":
            now += wind.seconds;
            return;
          case "blind":
            blind = wind.blind;
            return;
          case "revert":
            reverts = wind.reverts;
            return;
        }
      },
      calm(): void {
        blind = false;
        reverts = false;
        for (let i = 0; i < 60 && row.state !== "final" && row.state !== "reverted"; i++) {
          now += 3600;
          if (row.state === "blocked" && row.retryAt === null) row = { ...row, retryAt: 0, tries: 0 };
          pass();
          include(0, true);
          for (let n = 0; n < policy.depth; n++) blocks.push(null);
        }
      },
    };
  }

  it("never leaves a nonce unused, never claims more than the chain shows, and ends in one effect", () => {
    fc.assert(
      fc.property(fc.array(weather, { maxLength: 80, size: "max" }), (winds) => {
        const here = world();
        for (const wind of winds) here.blow(wind);
        here.calm();
        expect(here.row().state).to.equal("final");
        expect(here.successes()).to.have.length(1);
      }),
      { numRuns: 1000, seed: 20_261_121 },
    );
  });
});

describe("the nonce of a lane", () => {
  const fine = { chainNonce: 5, nextNonce: 8, lowestOpen: 5, lowestHasReceipt: false };

  it("is in order while the chain waits for our lowest open one, or shows its receipt", () => {
    expect(laneTrouble(fine)).to.equal(null);
    expect(laneTrouble({ ...fine, chainNonce: 7, lowestHasReceipt: true })).to.equal(null);
    expect(laneTrouble({ ...fine, chainNonce: 8, lowestOpen: null })).to.equal(null);
  });

  it("shows a stranger when the chain is further than our receipts", () => {
    expect(laneTrouble({ ...fine, chainNonce: 6 })).to.equal("foreign");
    expect(laneTrouble({ ...fine, chainNonce: 9, lowestOpen: null })).to.equal("foreign");
  });

  it("shows a lost predecessor when the chain is behind everything that we think is done", () => {
    expect(laneTrouble({ ...fine, chainNonce: 4 })).to.equal("rewound");
    expect(laneTrouble({ ...fine, chainNonce: 7, lowestOpen: null })).to.equal("rewound");
  });
});
