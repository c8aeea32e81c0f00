/** All plans in the order in which they were made, page by page; each check in its own file. */

import { epochSecond } from "../domain/units.ts";
import { auditAllocations, auditProfiles, type Commanded } from "./auditCommands.ts";
import type { Facts, GroupFile } from "./auditFacts.ts";
import { type Findings, planName } from "./auditFindings.ts";
import { auditInputs, type Published } from "./auditInputs.ts";
import {
  auditCommitments,
  auditEarlier,
  auditHeader,
  auditJudgement,
  auditRule,
  type Gap,
  type Named,
  namedPlans,
  type PlanFile,
  readPlan,
} from "./auditPlans.ts";
import { auditLeaves, auditRows } from "./auditRecords.ts";
import { auditCars, type Seen } from "./auditRuns.ts";
import type { ChainEye, Hex, Judgement, Ledger, PublishedAlgorithm, RunRecord, Store, StoredPlan } from "./ports.ts";
import { commitmentsOf } from "./recordSlot.ts";

type Parts = {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly chain: ChainEye;
  readonly facts: Facts;
  readonly runs: readonly RunRecord[];
  readonly findings: Findings;
  readonly live: boolean;
};

export type PlansAudited = {
  readonly count: number;
  readonly leaves: number;
  /** "problem hash:plan hash" of every plan. */
  readonly hashes: ReadonlySet<string>;
  readonly gaps: readonly Gap[];
};

/** Plans at a time: the contract judges them while the rest is checked here. */
const PAGE = 32;
/** Allotments of a session that may still be followed: stations that do not obey keep an older one. */
const RECENT = 4;

/** What is carried from one plan of a group to the next. */
type GroupState = { seen: Seen; published: Published; commanded: Commanded; lastAt: number; unrecorded: string[] };

export async function auditEveryPlan(parts: Parts, onProgress: (share: number) => void): Promise<PlansAudited> {
  const { store, chain, ledger, facts, runs, findings } = parts;
  const named = namedPlans(facts, runs, findings);
  const specs = new Map<string, PublishedAlgorithm | null>();
  for (const [method, version] of Object.entries(ledger.versions)) specs.set(method, await chain.algorithm(version));
  const states = new Map<string, GroupState>(
    facts.groups.map(({ group }) => [
      group.id,
      { seen: new Set(), published: { lastSlot: 0 }, commanded: new Map(), lastAt: 0, unrecorded: [] },
    ]),
  );
  const links = new Map<string, Parameters<Ledger["earlierLink"]>[1]>();
  const hashes = new Set<string>();
  const gaps: Gap[] = [];
  let leaves = 0;
  let count = 0;
  let after = "";
  for (;;) {
    const page = await store.plans.page(epochSecond(0), after, PAGE);
    const last = page[page.length - 1];
    if (!last) break;
    after = last.id;
    const judged = page.map((stored) => judge(chain, specs.get(stored.algorithm)?.checker ?? chain.checker, stored));
    for (const [i, stored] of page.entries()) {
      count++;
      const group = facts.groups.find((one) => one.group.id === stored.groupId);
      const state = states.get(stored.groupId);
      const file = readPlan(stored, facts, named.get(stored.id) ?? null, findings);
      const { cost, bound } = file?.plan ?? stored;
      const commitments = commitmentsOf(ledger, { ...stored, cost, bound });
      hashes.add(`${commitments.problem}:${commitments.plan}`);
      links.set(stored.id, { at: file?.problem.at ?? stored.at, ...commitments });
      if (!group || !state || !file) {
        await judged[i];
        continue;
      }
      auditJudgement(file, (await judged[i])!, findings);
      auditRule(file, facts, findings, gaps);
      leaves += await auditOne(parts, file, group, state, named.get(stored.id) ?? null, specs);
    }
    onProgress(count / Math.max(count + (page.length === PAGE ? PAGE : 0), named.size));
    if (page.length < PAGE) break;
  }
  finish(parts, states, links);
  return { count, leaves, hashes, gaps };
}

async function judge(chain: ChainEye, checker: Hex, stored: StoredPlan): Promise<Judgement> {
  const { problem, x, y, w } = stored;
  return chain.check(checker, `0x${problem}`, `0x${x}`, `0x${y}`, `0x${w}`);
}

/** One plan in the sequence of its group. Answers how many leaves its record has. */
async function auditOne(
  { store, chain, ledger, facts, findings }: Parts,
  file: PlanFile,
  group: GroupFile,
  state: GroupState,
  named: Named | null,
  specs: ReadonlyMap<string, PublishedAlgorithm | null>,
): Promise<number> {
  const run = named?.commands ? named.run : null;
  const sound = run ? auditCommitments(file, run, ledger, findings) : true;
  auditHeader(file, group, named, specs.get(file.stored.algorithm) ?? null, chain, findings);
  if (file.problem.at < state.lastAt)
    findings.check("parameters of plans").differs(planName(file.id), "is older than the plan before it");
  state.lastAt = file.problem.at;
  if (!named) state.unrecorded.push(file.id);
  else if (state.unrecorded.length > 0) {
    for (const id of state.unrecorded) findings.check("commitments of plans").differs(planName(id), "is in no record");
    state.unrecorded.length = 0;
  }
  // What follows judges plans by the store and the store by plans; bytes that were changed are named already.
  if (sound) {
    auditInputs(file, group, facts, state.published, findings);
    auditCars(file, group, state.seen, findings);
  }
  const allotments = auditAllocations(file, await store.plans.allocations(file.id), findings);
  auditProfiles(group, state.commanded, file.now, findings);
  for (const [number, profile] of allotments) {
    const own = state.commanded.get(number);
    if (!own) continue;
    own.allotments.push({ planId: file.id, now: file.now, profile });
    if (own.allotments.length > RECENT) own.allotments.shift();
  }
  if (!named?.commands || !run) return 0;
  if (sound) auditRows(file, group, run, allotments, findings);
  return auditLeaves(named.record, run, file, group, facts, allotments, ledger, findings);
}

/** What can be said only when all plans were seen. */
function finish(
  parts: Parts,
  states: ReadonlyMap<string, GroupState>,
  links: ReadonlyMap<string, Parameters<Ledger["earlierLink"]>[1]>,
): void {
  const { facts, runs, ledger, findings } = parts;
  for (const group of facts.groups) {
    const state = states.get(group.group.id);
    if (state) auditProfiles(group, state.commanded, Number.POSITIVE_INFINITY, findings);
    const bySlot = new Map(runs.filter((run) => run.group === group.group.number).map((run) => [run.slot, run]));
    for (const record of group.records) {
      const run = bySlot.get(record.slot);
      if (!run) continue;
      auditEarlier(record, run, links, ledger, findings);
      if (!links.has(record.planId))
        findings
          .check("commitments of plans")
          .differs(planName(record.planId), `commands slot ${record.slot}, but is lost`);
    }
    if (state && state.unrecorded.length > 0)
      findings.notes.push(`${group.group.id}: ${state.unrecorded.length} plans since the last record`);
  }
}
