/** The port `Ledger`: business facts in, calls for the outbox out. Pure; everything that is personal arrives as a hash. */

import { AbiCoder, MaxUint256 } from "ethers";
import { METHOD_NAMES } from "../../domain/algorithms.ts";
import { batchKey, disputeKey, payoutKeys, resolveKey, slotKey } from "../../usecases/ledgerPort.ts";
import type { AssetSpec, ChainCall, Lane, Ledger, Privacy, RunRecord } from "../../usecases/ports.ts";
import {
  earlierLink,
  hashText,
  lineLeaf,
  linkOf,
  merkleProof,
  merkleRoot,
  packRows,
  planHash,
  problemHash,
  saltedLeaf,
  valueWord,
} from "./commitments.ts";
import type { Contracts } from "./contracts.ts";
import type { ContractName } from "./deployment.ts";
import { keccak256 } from "./keccak.ts";
import type { Hex } from "./rpc.ts";

const KIND = { "charge-point": 1, inverter: 2, battery: 3 } as const;
/** AssetRegistry's State.Active. */
const ACTIVE = 2;

/**
 * Gas limits, so that no estimate is needed: measured cost with empty storage, and half as much again. What is not used
 * is not paid. EIP-7825 caps a transaction at 16,777,216.
 */
const GAS_CAP = 16_777_216;
const capped = (gas: number) => Math.min(gas, GAS_CAP);
/** Settlement.DISPUTE_TERM: it is a constant of the contract. */
const DISPUTE_TERM_S = 30 * 86_400;
const PAYOUTS = {
  announce: { verb: "requestWithdrawBySig", gasLimit: 150_000 },
  withdraw: { verb: "withdrawBySig", gasLimit: 200_000 },
  claim: { verb: "claimFlexBySig", gasLimit: 200_000 },
} as const;
/** geth refuses transactions above 128 KiB. */
const MAX_DATA_BYTES = 120_000;

export function createLedger(contracts: Contracts, privacy: Privacy = "rows"): Ledger {
  const version = (method: string) => {
    const found = contracts.algorithms[method];
    if (found === undefined) throw new Error(`The deployment has not published the algorithm ${method}. Deploy again.`);
    return found;
  };

  type Plan = {
    readonly lane: Lane;
    readonly key: string;
    readonly stream?: string;
    readonly gasLimit: number;
    /** For people and logs. */
    readonly args: unknown;
  };
  function callOf(contract: ContractName, verb: string, values: readonly unknown[], plan: Plan): ChainCall {
    const data = encoded(contract, verb, values);
    if (data.length / 2 > MAX_DATA_BYTES)
      throw new RangeError(`${contract}.${verb} (${plan.key}) has ${data.length / 2} bytes of data. Split it.`);
    return { stream: null, ...plan, gasLimit: capped(plan.gasLimit), contract, call: verb, data };
  }
  function encoded(contract: ContractName, verb: string, values: readonly unknown[]): Hex {
    try {
      return contracts.encode(contract, verb, values);
    } catch (error) {
      const { argument, value } = error as { argument?: string; value?: unknown };
      throw new RangeError(`${contract}.${verb}: ${String(value)} does not fit into ${argument ?? "its field"}.`);
    }
  }

  return {
    privacy,
    versions: Object.fromEntries(METHOD_NAMES.map((name) => [name, version(`${name}/1`)])) as Ledger["versions"],

    disputeTerms: { windowS: contracts.windowS, termS: DISPUTE_TERM_S },
    withdrawNoticeS: contracts.withdrawNoticeS,
    isContract: contracts.isContract,

    /* Registers */

    setGroup: ({ group, cpo, capacityW, parent, fromSlot }) =>
      callOf("AssetRegistry", "setGroup", [group, { cpo, capacity: capacityW, parent, fromSlot }], {
        lane: "registry",
        key: `group:${group}:${fromSlot}`,
        stream: `group:${group}`,
        gasLimit: 250_000,
        args: { group, cpo, capacityW, parent, fromSlot },
      }),
    registerAssets(list) {
      const first = list[0];
      if (first === undefined) throw new RangeError("There is no asset to register.");
      const ids = list.map(({ id }) => id);
      return callOf("AssetRegistry", "register", [ids, list.map(assetOf)], {
        lane: "registry",
        key: `assets:${keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32[]"], [ids]))}`,
        stream: `group:${first.group}`,
        gasLimit: 150_000 + 170_000 * list.length,
        args: { group: first.group, indices: list.map(({ index }) => index) },
      });
    },
    assetId: (cpo, salt, evseId) =>
      keccak256(AbiCoder.defaultAbiCoder().encode(["uint32", "bytes32", "string"], [cpo, salt, evseId])) as Hex,
    registerDrivers(list) {
      const [drivers, consents] = [list.map(({ driver }) => driver), list.map(({ consent }) => consent)];
      return callOf("Settlement", "registerDrivers", [drivers, consents], {
        lane: "registry",
        key: list.length === 1 ? `driver:${drivers[0]}` : `drivers:${hashText(drivers.join())}`,
        gasLimit: 80_000 + 60_000 * list.length,
        args: { drivers },
      });
    },
    setPayee: ({ cpo, payee }) =>
      callOf("Settlement", "setPayee", [cpo, payee], {
        lane: "registry",
        key: `payee:${cpo}:${payee}`,
        stream: `cpo:${cpo}`,
        gasLimit: 150_000,
        args: { cpo, payee },
      }),
    setTariff: ({ tariff, cpo, maxPerKwh, maxFixed, fromAt }) =>
      callOf("Settlement", "setTariff", [tariff, { cpo, maxPerKwh, maxFixed, from: fromAt }], {
        lane: "registry",
        key: `tariff:${tariff}`,
        stream: `cpo:${cpo}`,
        gasLimit: 150_000,
        args: { tariff, cpo, maxPerKwh, maxFixed: String(maxFixed), fromAt },
      }),
    setOffer: ({ cpo, price, key }) =>
      callOf("Settlement", "setOffer", [cpo, price], {
        lane: "registry",
        key,
        stream: `cpo:${cpo}`,
        gasLimit: 120_000,
        args: { cpo, price },
      }),

    /* Money */

    mintTestEuro: (to, amount, key) =>
      callOf("TestEuro", "mint", [to, amount], {
        lane: "treasury",
        key,
        stream: "treasury",
        gasLimit: 150_000,
        args: { to, amount: String(amount) },
      }),
    approveDeposits: () =>
      callOf("TestEuro", "approve", [contracts.addressOf("Settlement"), MaxUint256], {
        lane: "treasury",
        key: "approve:settlement",
        stream: "treasury",
        gasLimit: 100_000,
        args: {},
      }),
    deposit: (to, amount, key) =>
      callOf("Settlement", "deposit", [to, amount], {
        lane: "treasury",
        key,
        stream: "treasury",
        gasLimit: 250_000,
        args: { to, amount: String(amount) },
      }),
    fundPot: ({ cpo, amount, key }) =>
      callOf("Settlement", "fundPot", [cpo, amount], {
        lane: "treasury",
        key,
        stream: "treasury",
        gasLimit: 250_000,
        args: { cpo, amount: String(amount) },
      }),

    /* Runs */

    record(runs) {
      const [first] = runs;
      if (first === undefined) throw new RangeError("There is no run to record.");
      const one = runs.length === 1;
      const bytes = runs.reduce((sum, { rows }) => sum + rows.length / 2, 0);
      return callOf("SlotLedger", "record", [runs.map(tupleOf)], {
        lane: "slots",
        key: one ? slotKey(first.group, first.slot) : `slots:${first.slot}:${runs.map(({ group }) => group).join("+")}`,
        stream: one ? `slot:${first.group}` : "slots",
        gasLimit: 80_000 + 90_000 * runs.length + 80 * bytes,
        args: runs.map(({ group, slot }) => ({ group, slot })),
      });
    },

    linkOf,

    /* Bills */

    post({ cpo, seq, lines }) {
      return callOf("Settlement", "post", [cpo, seq, lines], {
        lane: "billing",
        key: batchKey(cpo, seq),
        stream: `batch:${cpo}`,
        gasLimit: 250_000 + 110_000 * lines.length,
        args: { cpo, seq, sessions: lines.map(({ number }) => number) },
      });
    },
    finalise: ({ cpo, seq }) =>
      callOf("Settlement", "finalise", [cpo, seq], {
        lane: "billing",
        key: `finalise:${cpo}:${seq}`,
        gasLimit: 150_000,
        args: { cpo, seq },
      }),
    redeem: (intents, key) =>
      callOf("Settlement", "redeemBatch", [intents, intents.map(({ signature }) => signature)], {
        lane: "billing",
        key,
        gasLimit: 100_000 + 110_000 * intents.length,
        args: intents.map(({ driver, cpo, wh, nonce }) => ({ driver, cpo, wh, nonce })),
      }),

    payout({ kind, signature, ...intent }) {
      const { verb, gasLimit } = PAYOUTS[kind];
      const amount = "amount" in intent ? { amount: String(intent.amount) } : {};
      return callOf("Settlement", verb, [intent, signature], {
        lane: "billing",
        key: `${payoutKeys(intent.owner)}${kind}:${intent.nonce}:${signature.slice(2, 18)}`,
        gasLimit,
        args: { kind, ...intent, ...amount },
      });
    },

    /* Disputes */

    dispute({ seq, lines, intent: { signature, ...intent } }) {
      const { cpo, number, driver, nonce } = intent;
      const index = lines.findIndex((line) => line.number === number);
      const leaves = lines.map((line) => lineLeaf(contracts.domainSeparator, cpo, seq, line));
      const proof = merkleProof(leaves, index);
      return callOf("Settlement", "disputeBySig", [seq, lines[index], proof, intent, signature], {
        lane: "billing",
        key: disputeKey(cpo, number),
        gasLimit: 250_000 + 2_000 * proof.length,
        args: { cpo, seq, number, driver, nonce },
      });
    },
    resolve: ({ cpo, number, refund, flexDeltaWh }) =>
      callOf("Settlement", "resolve", [cpo, number, refund, flexDeltaWh], {
        lane: "arbiter",
        key: resolveKey(cpo, number),
        gasLimit: 200_000,
        args: { cpo, number, refund: String(refund), flexDeltaWh },
      }),
    expire: ({ cpo, number }) =>
      callOf("Settlement", "expire", [cpo, number], {
        lane: "billing",
        key: `expire:${cpo}:${number}`,
        gasLimit: 200_000,
        args: { cpo, number },
      }),

    /* Commitments */

    problemHash,
    planHash,
    valueWord,
    earlierLink,
    packRows,
    leaf: saltedLeaf,
    merkleRoot,
    merkleProof,
    hashText,
    batchLeaves: (cpo, seq, lines) => lines.map((line) => lineLeaf(contracts.domainSeparator, cpo, seq, line)),
  };
}

function assetOf(asset: AssetSpec) {
  const { connector, phases, group, index, fromSlot, metadata } = asset;
  const powers = { ratedPower: asset.ratedW, minPower: asset.minW, capacity: asset.capacityWh };
  return { kind: KIND[asset.kind], state: ACTIVE, connector, phases, group, index, fromSlot, ...powers, metadata };
}

/** Only the contract's fields, in its order. */
const tupleOf = (run: RunRecord) => {
  const { group, slot, algorithm, problem, plan, value, earlier, root, rows } = run;
  return { group, slot, algorithm, problem, plan, value, earlier, root, rows };
};
