/** Runs for tests of SlotLedger: a real plan with its committed bytes, and the hash chain by another route (ethers). */
import { AbiCoder, concat, encodeBytes32String, id as hash, hexlify, keccak256, toBeHex, zeroPadValue } from "ethers";
import type { Hex } from "../../backend/adapters/chain/rpc.ts";
import { encodeProblem, encodeW, encodeX, encodeY } from "../../backend/optimisation/encoding.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import type { GroupProblem, Plan } from "../../backend/optimisation/problem.ts";
import { deployAll, networkHelpers } from "./chain.ts";
import { realisticProblem, WEIGHTS } from "./problems.ts";

const coder = AbiCoder.defaultAbiCoder();
export const ZERO = `0x${"00".repeat(32)}`;
export const FIRST_CHAIN = `0x${"00".repeat(28)}`;
export const GROUP = 7;
export const SLOT = 1_958_400;
const SALT = new Uint8Array(32).fill(9);

export type Run = {
  group: number;
  slot: number;
  algorithm: string;
  problem: string;
  plan: string;
  value: string;
  earlier: string;
  root: string;
  rows: string;
};
export type Bytes = readonly [p: string, x: string, y: string, w: string];

export const aRow = (
  index: number,
  part: { limitW?: number; powerW?: number; status?: number; registerWh?: number } = {},
) => {
  const power = BigInt.asUintN(16, BigInt((part.powerW ?? 0) / 20));
  return concat([
    toBeHex(index, 2),
    toBeHex((part.limitW ?? 11_000) / 10, 2),
    toBeHex(power, 2),
    toBeHex(part.status ?? 2, 1),
    toBeHex(0, 1),
    toBeHex(part.registerWh ?? 1_234_567, 4),
  ]);
};
export const rowsOf = (count: number) => concat(Array.from({ length: count }, (_, i) => aRow(i)));

export const linkOf = (run: Run) =>
  keccak256(
    coder.encode(
      ["uint32", "uint32", ...Array(7).fill("bytes32")],
      [
        run.group,
        run.slot,
        run.algorithm,
        run.problem,
        run.plan,
        run.value,
        run.earlier,
        run.root,
        keccak256(run.rows),
      ],
    ),
  );
export const extend = (chain: string, link: string) =>
  keccak256(coder.encode(["bytes28", "bytes32"], [chain, link])).slice(0, 2 + 56);
export const chainOf = (runs: readonly Run[]) => runs.reduce((chain, run) => extend(chain, linkOf(run)), FIRST_CHAIN);

export const valueWord = (cost: bigint, bound: bigint) =>
  zeroPadValue(toBeHex((BigInt.asUintN(128, cost) << 128n) | BigInt.asUintN(128, bound)), 32);

/** What a plan commits to. */
export function bytesOf(problem: GroupProblem, plan: Plan): Bytes {
  return [
    hexlify(encodeProblem(problem, SALT)),
    hexlify(encodeX(problem, plan)),
    hexlify(encodeY(plan)),
    hexlify(encodeW(plan)),
  ];
}
export const planHashOf = ([p, x, y, w]: Bytes) =>
  keccak256(coder.encode(Array(4).fill("bytes32"), [p.slice(0, 66), keccak256(x), keccak256(y), keccak256(w)]));

export const aProblem = (part: Partial<GroupProblem> = {}): GroupProblem => ({
  ...realisticProblem(4, 1, { intervals: 8 }),
  ...part,
  group: GROUP,
  slot: part.slot ?? SLOT,
  weights: part.weights ?? WEIGHTS,
});

/** Deploys with one published algorithm; the block time is at the start of SLOT. */
export async function ledgerFixture() {
  const method = {
    sourceHash: hash("source") as Hex,
    activeFrom: 0,
    maxScale: WEIGHTS.scale,
    voll: WEIGHTS.voll,
    extra: WEIGHTS.extra,
    maxEarly: 40,
    uri: "",
  };
  const deployed = await deployAll({ algorithms: [{ ...method, method: "least-cost/1" }] });
  await networkHelpers.time.increaseTo(Math.max(SLOT * 900, (await networkHelpers.time.latest()) + 1));
  const algorithm = deployed.manifest.algorithms["least-cost/1"]!;

  /** A run of an honest plan, with the bytes behind its commitments. */
  function aRun(
    part: Partial<Run> = {},
    problem = aProblem(),
    made: Plan = leastCost(problem),
  ): { run: Run; bytes: Bytes } {
    const bytes = bytesOf(problem, made);
    const bound = made.bound ?? -(2n ** 127n);
    const run = {
      group: GROUP,
      slot: SLOT,
      algorithm,
      problem: keccak256(bytes[0]),
      plan: planHashOf(bytes),
      value: valueWord(made.cost, bound),
      earlier: ZERO,
      root: hash("root"),
      rows: rowsOf(4),
      ...part,
    };
    return { run, bytes };
  }
  return {
    ...deployed,
    ledger: deployed.ledger.connect(deployed.operator),
    algorithm,
    aRun,
    spec: { ...method, method: encodeBytes32String("least-cost/1"), code: ZERO },
  };
}
