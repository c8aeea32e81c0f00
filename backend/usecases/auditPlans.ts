/**
 * Every plan that was ever made, one after the other: are its bytes the ones that the chain commits to, is it feasible and
 * what it claims to cost, by the contract and by the TypeScript checker, and was it made from what was known then?
 */

import { planValue } from "../optimisation/checker.ts";
import { decodeProblem, decodeSigned64, decodeX } from "../optimisation/encoding.ts";
import type { GroupProblem, Plan } from "../optimisation/problem.ts";
import type { Facts, GroupFile } from "./auditFacts.ts";
import { type Findings, planName, slotName } from "./auditFindings.ts";
import { leastPowerW } from "./auditFloors.ts";
import type {
  ChainEye,
  Hex,
  Ledger,
  Privacy,
  PublishedAlgorithm,
  RecordedSlot,
  RunRecord,
  StoredPlan,
} from "./ports.ts";
import { type commitmentsOf, rowsText } from "./recordSlot.ts";

/** A plan read back from its bytes, and the run that commits to it. */
export type PlanFile = {
  readonly id: string;
  readonly stored: StoredPlan;
  /** When the cycle ran; the plan itself starts a few seconds later. */
  readonly now: number;
  /** With each car's least power, which is no part of the bytes. */
  readonly problem: GroupProblem;
  readonly plan: Plan;
  /** Start of each interval and end of the last one, epoch seconds. */
  readonly cuts: readonly number[];
  /** The record that names the plan as the one that commands its slot; null for plans made inside a slot. */
  readonly commands: RecordedSlot | null;
};

/** Which record names a plan, and as what. */
export type Named = { readonly record: RecordedSlot; readonly run: RunRecord | null; readonly commands: boolean };

export function namedPlans(facts: Facts, runs: readonly RunRecord[], findings: Findings): ReadonlyMap<string, Named> {
  const check = findings.check("commitments of plans");
  const named = new Map<string, Named>();
  for (const { group, records } of facts.groups) {
    const bySlot = new Map(runs.filter((run) => run.group === group.number).map((run) => [run.slot, run]));
    for (const record of records)
      for (const id of [record.planId, ...record.earlierPlanIds]) {
        if (named.has(id)) check.differs(planName(id), "is named by two records");
        named.set(id, { record, run: bySlot.get(record.slot) ?? null, commands: id === record.planId });
      }
  }
  return named;
}

/** The plan in its bytes; null when they are none, which is a difference of its own. */
export function readPlan(stored: StoredPlan, facts: Facts, named: Named | null, findings: Findings): PlanFile | null {
  try {
    const { problem: bare } = decodeProblem(bytes(stored.problem));
    const cars = bare.cars.map((car) => {
      const minPowerW = leastPowerW(facts.byNumber.get(car.session), instantOf(stored), car.powerW);
      const first = stored.firsts.find(({ session }) => session === car.session);
      const second = first ? { first: { wh: first.wh, to: first.to } } : {};
      return { ...car, minPowerW: minPowerW as typeof car.minPowerW, ...second };
    });
    const problem: GroupProblem = { ...bare, cars };
    const [y, w] = [decodeSigned64(bytes(stored.y)), decodeSigned64(bytes(stored.w))];
    const claims = y.length > 0 || w.length > 0;
    if (claims && (y.length !== cars.length || w.length !== problem.intervals.length))
      throw new RangeError(`y and w have ${y.length} and ${w.length} numbers`);
    const bound = { certificate: claims ? { y, w } : null, cost: 0n, bound: null };
    const claimed: Plan = { algorithm: stored.algorithm, energyWh: decodeX(problem, bytes(stored.x)), ...bound };
    const plan: Plan = { ...claimed, ...planValue(problem, claimed) };
    let end: number = problem.at;
    const cuts = [end, ...problem.intervals.map((interval) => (end += interval.durationS))];
    const commands = named?.commands ? named.record : null;
    return { id: stored.id, stored, now: instantOf(stored), problem, plan, cuts, commands };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    findings.check("commitments of plans").differs(planName(stored.id), `its bytes are no plan: ${text}`);
    return null;
  }
}

/** A plan's id says when its cycle ran. One that does not is taken to have run when the plan starts. */
function instantOf(stored: StoredPlan): number {
  const ran = Number(/:(\d+):\d+$/.exec(stored.id)?.[1] ?? stored.at);
  return ran <= stored.at && stored.at - ran <= 300 ? ran : stored.at;
}

/** How the chain shows the run that names a plan: rows that are not public are under the root. A group may have none at all. */
export function privacyOf(named: Named | null): Privacy {
  if (named?.run?.rows !== "0x") return "rows";
  const { record, run } = named;
  const hidden = rowsText(run.group, record.slot, record.rows);
  return record.rows !== "0x" || record.leaves.some(({ text }) => text === hidden) ? "root" : "rows";
}

/** What the chain commits to, recomputed from the bytes of the commanding plan. */
export function auditCommitments(
  file: PlanFile,
  now: ReturnType<typeof commitmentsOf>,
  run: RunRecord,
  findings: Findings,
): boolean {
  const check = findings.check("commitments of plans");
  const where = planName(file.id);
  const right = [
    check.same(where, "version of the algorithm", now.algorithm, run.algorithm),
    check.same(where, "hash of the problem's bytes", now.problem, run.problem),
    check.same(where, "hash of the bytes of x, y and w", now.plan, run.plan),
  ];
  if (now.value === run.value) return right.every(Boolean);
  if (run.rows === "0x") {
    check.same(where, "hash of salt, cost and bound", now.value, run.value);
    return false;
  }
  const [chain, own] = [claimOf(run.value), { cost: file.plan.cost, bound: file.plan.bound }];
  if (chain.cost !== own.cost) check.differs(where, `cost on chain ${chain.cost}, bytes give ${own.cost}`);
  if (chain.bound !== own.bound) check.differs(where, `bound on chain ${chain.bound}, bytes give ${own.bound}`);
  return false;
}

/** int128 cost, int128 bound; the least int128 claims nothing. */
function claimOf(word: Hex): { readonly cost: bigint; readonly bound: bigint | null } {
  const signed = (hex: string) => BigInt.asIntN(128, BigInt(`0x${hex}`));
  const bound = signed(word.slice(34));
  return { cost: signed(word.slice(2, 34)), bound: bound === -(2n ** 127n) ? null : bound };
}

/** A plan in the chain of those made inside a slot; `start` is what that chain begins with when this plan is recorded. */
export type EarlierPlan = Parameters<Ledger["earlierLink"]>[1] & { readonly start: Hex };

/** Plans made inside a slot: the chain keeps one hash over all of them, in the order in which they were made. */
export function auditEarlier(
  record: RecordedSlot,
  run: RunRecord,
  links: ReadonlyMap<string, EarlierPlan>,
  ledger: Ledger,
  findings: Findings,
): void {
  const check = findings.check("commitments of plans");
  const ids = record.earlierPlanIds;
  check.looked(ids.length);
  const missing = ids.filter((id) => !links.has(id));
  for (const id of missing) check.differs(planName(id), `is named by the record of slot ${record.slot}, but lost`);
  if (missing.length > 0) return;
  const hash = ids.reduce<Hex>(
    (link, id) => ledger.earlierLink(link, links.get(id)!),
    links.get(record.planId)?.start ?? ZERO,
  );
  if (hash === run.earlier) return;
  const where = ids.length > 0 ? ids.map(planName).join(", ") : slotName(record.groupId, record.slot);
  check.differs(where, `the chain commits to other plans made before slot ${record.slot}: ${run.earlier}, not ${hash}`);
}

/** Group, slot, instant and parameters in the problem's header. */
export function auditHeader(
  file: PlanFile,
  { group }: GroupFile,
  named: Named | null,
  spec: PublishedAlgorithm | null,
  chain: ChainEye,
  findings: Findings,
): void {
  const check = findings.check("parameters of plans");
  const { problem, stored } = file;
  const where = planName(file.id);
  if (!spec) {
    check.differs(where, `no version of ${stored.algorithm} is published on chain`);
    return;
  }
  check.same(where, "method of its version", spec.method, `${stored.algorithm}/1`);
  check.same(where, "checker of its version", spec.checker.toLowerCase(), chain.checker.toLowerCase());
  check.same(where, "group in the header", problem.group, group.number);
  check.same(where, "slot in the header", problem.slot, stored.slot);
  check.same(where, "instant in the header", problem.at, stored.at);
  check.same(where, "slot of its instant", Math.floor(problem.at / 900), problem.slot);
  check.same(where, "voll", problem.weights.voll, spec.voll);
  check.same(where, "extra", problem.weights.extra, spec.extra);
  const { scale, early } = problem.weights;
  if (scale > spec.maxScale) check.differs(where, `scale ${scale} is above the registered ${spec.maxScale}`);
  if (early > spec.maxEarly) check.differs(where, `early weight ${early} is above the registered ${spec.maxEarly}`);
  // Planned in the lead time, a plan still names the slot before the one that it commands.
  const slot = named?.record.slot;
  if (named?.commands && slot !== problem.slot && slot !== problem.slot + 1)
    check.differs(where, `was made in slot ${problem.slot} and is recorded for slot ${slot}`);
  if (slot !== undefined && problem.slot > slot)
    check.differs(where, `was made in slot ${problem.slot}, after slot ${slot} under which it is recorded`);
}

export const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
const ZERO: Hex = `0x${"00".repeat(32)}`;
