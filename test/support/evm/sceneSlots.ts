/** SlotLedger and ScheduleChecker: records, proofs, judgements, the stop. */
import { readFileSync } from "node:fs";
import { AbiCoder, encodeBytes32String, id as hash, keccak256 } from "ethers";
import { merkleProof, merkleRoot } from "../../../backend/adapters/chain/commitments.ts";
import type { Hex } from "../../../backend/adapters/chain/rpc.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import { randomProblem } from "../problems.ts";
import {
  aProblem,
  aRow,
  type Bytes,
  bytesOf,
  chainOf,
  FIRST_CHAIN,
  GROUP,
  linkOf,
  planHashOf,
  type Run,
  rowsOf,
  valueWord,
  ZERO,
} from "../slotLedger.ts";
import { DAY, HOUR, METHOD, SPEC } from "./deploymentOf.ts";
import type { Stage } from "./stage.ts";

const SLOT_S = 900;
const RANDOM_PROBLEMS = 20;
const TENANT = 1_000;
const ODD_CHECKER = new URL("../../../artifacts/test/contracts/mocks/OddChecker.sol/OddChecker.json", import.meta.url);

export async function slots(stage: Stage): Promise<void> {
  const { does, refused, now, wait, manifest, encode, addressOf } = stage;
  const record = (...runs: Run[]) => does("operator", "SlotLedger", "record", [runs]);
  const notRecorded = (error: string, ...runs: Run[]) => refused(error, "operator", "SlotLedger", "record", [runs]);
  const confirmed = (run: Run, bytes: Bytes, before = FIRST_CHAIN, later: string[] = []) =>
    does("stranger", "SlotLedger", "confirm", [before, run, later, ...bytes]);
  const notConfirmed = (error: string, run: Run, bytes: Bytes, before = FIRST_CHAIN, gasLimit?: number) =>
    refused(error, "stranger", "SlotLedger", "confirm", [before, run, [], ...bytes], gasLimit);
  const ask = (verb: string, ...args: unknown[]) => does("stranger", "SlotLedger", verb, args);
  const slot = Math.floor(now() / SLOT_S);
  const algorithm = manifest.algorithms[METHOD] as string;

  const made = leastCost(aProblem({ slot }));
  const bytes = bytesOf(aProblem({ slot }), made);
  const aRun = (part: Partial<Run> = {}): Run => ({
    group: GROUP,
    slot,
    algorithm,
    problem: keccak256(bytes[0]),
    plan: planHashOf(bytes),
    value: valueWord(made.cost, made.bound!),
    earlier: ZERO,
    root: hash("root"),
    rows: rowsOf(12),
    ...part,
  });

  await refused("AccessManagedUnauthorized", "stranger", "SlotLedger", "record", [[aRun()]]);
  await notRecorded("UnknownVersion", aRun({ algorithm: hash("no version") }));
  await notRecorded("SlotInFuture", aRun({ slot: slot + 20 }));
  await notRecorded("RowsMalformed", aRun({ rows: "0x1234" }));
  await notRecorded("RowsMalformed", aRun({ rows: aRow(3) + aRow(2).slice(2) }));
  const honest = aRun();
  const liar = aRun({ group: GROUP + 1, value: valueWord(made.cost - 1n, made.bound!) });
  const large = aRun({ group: GROUP + 3, rows: rowsOf(150) });
  const quiet = aRun({ group: GROUP + 2, rows: "0x", earlier: hash("earlier") });
  await record(honest, liar, quiet, large);
  await notRecorded("OutOfOrder", honest);

  await ask("proves", FIRST_CHAIN, honest, []);
  await ask("proves", FIRST_CHAIN, liar, [hash("later")]);
  await ask("linkOf", honest);
  await notConfirmed("ProofPrivate", quiet, bytes);
  await notConfirmed("UnknownRun", honest, bytes, chainOf([honest]));
  await notConfirmed("WrongBytes", honest, [bytes[0], bytes[1], bytes[3], bytes[2]]);
  await confirmed(honest, bytes);
  await confirmed(liar, bytes);
  await notConfirmed("AlreadyJudged", honest, bytes);

  // Infeasible bytes: one car gets all at once. The next record also shows a gap of slots, and is judged behind a later link.
  wait(4 * SLOT_S);
  const problem = aProblem({ slot: slot + 4 });
  const greedy = { ...made, energyWh: made.energyWh.map((stay, i) => (i === 2 ? stay.map(() => 2 ** 24 - 1) : stay)) };
  const broken = bytesOf(problem, greedy);
  const next = aRun({ slot: slot + 4, problem: keccak256(broken[0]), plan: planHashOf(broken) });
  const last = aRun({ slot: slot + 5 });
  await record(next, last);
  await confirmed(next, broken, chainOf([honest]), [linkOf(last)]);
  await does("stranger", "ScheduleChecker", "check", bytes);
  await refused("Broken", "stranger", "ScheduleChecker", "check", broken);
  // Every length, header, order and stay that the checker refuses first, and bytes that are nothing.
  const spoiled = (at: number, byte: string) => `${bytes[0].slice(0, 2 + 2 * at)}${byte}${bytes[0].slice(4 + 2 * at)}`;
  for (const p of ["0x", spoiled(32, "02"), spoiled(64, "ff"), spoiled(70, "01"), spoiled(64 + 16, "ff")])
    await refused("Broken", "stranger", "ScheduleChecker", "check", [p, ...bytes.slice(1)]);
  await does("stranger", "ScheduleChecker", "check", [bytes[0], bytes[1], "0x", "0x"]);

  // Ties, shortage, PV surplus, negative prices, odd durations; plans that claim nothing less than the optimum.
  for (let seed = 1; seed <= RANDOM_PROBLEMS; seed++) {
    const random = randomProblem(seed);
    await does("stranger", "ScheduleChecker", "check", bytesOf(random, leastCost(random)));
  }

  // One root for all groups of a tenant.
  const own = [aRun({ group: 31, rows: "0x" }), aRun({ group: 32, rows: "0x" }), aRun({ group: 33, rows: "0x" })];
  const links = own.map((run) => linkOf(run) as Hex);
  const tenant = aRun({ group: TENANT, problem: ZERO, plan: ZERO, value: ZERO, rows: "0x", root: merkleRoot(links) });
  await record(tenant);
  for (const [i, run] of own.entries()) await ask("provesWithin", FIRST_CHAIN, tenant, [], run, merkleProof(links, i));
  await ask("provesWithin", FIRST_CHAIN, tenant, [], own[0], merkleProof(links, 1));

  // A checker that never answers: nothing is judged, whatever gas it was given.
  const { bytecode } = JSON.parse(readFileSync(ODD_CHECKER, "utf8")) as { bytecode: Hex };
  const way = AbiCoder.defaultAbiCoder().encode(["uint256"], [0]).slice(2);
  const checker = await stage.creates("stranger", "OddChecker", `${bytecode}${way}`);
  const odd = { ...SPEC, method: encodeBytes32String("odd/1"), code: ZERO, checker, encoding: 1 };
  const [version] = await does("publisher", "AlgorithmRegistry", "publish", [
    { ...odd, activeFrom: now() + DAY + HOUR },
  ]);
  await notRecorded("NotActive", aRun({ slot: slot + 6, algorithm: version }));
  wait(2 * DAY);
  const unjudged = aRun({ group: 40, algorithm: version });
  await record(unjudged);
  await notConfirmed("CheckerFailed", unjudged, bytes, FIRST_CHAIN, 3_000_000);

  // The stop: the pauser's at once, its end the admin's two days later.
  await refused("AccessManagedUnauthorized", "operator", "SlotLedger", "pause");
  await refused("AccessManagerNotScheduled", "admin", "SlotLedger", "unpause");
  await does("pauser", "SlotLedger", "pause");
  await refused("EnforcedPause", "pauser", "SlotLedger", "pause");
  await notRecorded("EnforcedPause", aRun({ slot: slot + 6 }));
  await does("admin", "AccessManager", "schedule", [addressOf("SlotLedger"), encode("SlotLedger", "unpause", []), 0]);
  await refused("AccessManagerNotReady", "admin", "SlotLedger", "unpause");
  await ask("paused");
  wait(2 * DAY);
  await does("admin", "SlotLedger", "unpause");
  await record(aRun({ slot: slot + 7 }));

  for (const [verb, ...args] of [
    ["headOf", GROUP],
    ["headOf", 99],
    ["verdictOf", GROUP, slot],
    ["verdictOf", GROUP + 1, slot],
    ["verdictOf", 40, slot],
    ["algorithms"],
  ] as const)
    await ask(verb, ...args);
}
