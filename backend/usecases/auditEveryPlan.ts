/** All plans in the order in which they were made, page by page; each check in its own file. */

import { epochSecond } from "../domain/units.ts";
import { auditAllocations, auditProfiles, type Commanded } from "./auditCommands.ts";
import type { Facts, GroupFile } from "./auditFacts.ts";
import { attempt, createFindings, type Findings, planName, slotName } from "./auditFindings.ts";
import { auditInputs, type Published } from "./auditInputs.ts";
import { auditJudgement, auditMethod, type BeyondLimit, type Gap } from "./auditMethod.ts";
import { auditOrdersOfPlan, type PlanOfOrders } from "./auditOrders.ts";
import {
  auditCommitments,
  auditEarlier,
  auditHeader,
  type EarlierPlan,
  type Named,
  namedPlans,
  type PlanFile,
  privacyOf,
  readPlan,
} from "./auditPlans.ts";
import { auditLeaves, auditRows } from "./auditRecords.ts";
import { auditCars, type Seen } from "./auditRuns.ts";
import type { Scope } from "./auditScope.ts";
import type { ChainEye, Hex, Ledger, PublishedAlgorithm, RunRecord, Store, StoredMethod, StoredPlan } from "./ports.ts";
import { commitmentsOf, earlierStart } from "./recordSlot.ts";

type Parts = {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly chain: ChainEye;
  readonly facts: Facts;
  readonly runs: readonly RunRecord[];
  readonly findings: Findings;
  readonly contractJudges: "every plan" | "recorded runs";
  /** Without one all plans are judged. */
  readonly scope?: Scope | undefined;
};

export type PlansAudited = {
  readonly count: number;
  readonly leaves: number;
  /** "problem hash:plan hash" of every plan. */
  readonly hashes: ReadonlySet<string>;
  readonly gaps: readonly Gap[];
  /** Of groups that have flexibility orders. */
  readonly ordered: readonly PlanOfOrders[];
};

/** Plans at a time: the contract judges the next ones while these are checked here. */
const PAGE = 32;
/** Allotments of a session that may still be followed: stations that do not obey keep an older one. */
const RECENT = 4;

type Commitments = ReturnType<typeof commitmentsOf>;
type Specs = ReadonlyMap<string, PublishedAlgorithm | null>;

/** What is carried from one plan of a group to the next. */
type GroupState = {
  seen: Seen;
  published: Published;
  commanded: Commanded;
  lastAt: number;
  unrecorded: string[];
  beyond: BeyondLimit;
  /** Slot since which an asset is registered, by its row. */
  readonly since: ReadonlyMap<number, number>;
  previous?: PlanFile;
};

export async function auditEveryPlan(parts: Parts, onProgress: (share: number) => void): Promise<PlansAudited> {
  const { chain, ledger, facts, runs, findings } = parts;
  const named = namedPlans(facts, runs, findings);
  const specs = new Map<string, PublishedAlgorithm | null>();
  for (const [method, version] of Object.entries(ledger.versions)) specs.set(method, await chain.algorithm(version));
  const exact = await exactMethod(parts, specs);
  const assets = await chain.assets();
  const sinceOf = (group: number) =>
    new Map(assets.filter((one) => one.group === group).map(({ index, fromSlot }) => [index, fromSlot]));
  const states = new Map<string, GroupState>(
    facts.groups.map(({ group }) => [
      group.id,
      {
        seen: new Set(),
        published: { lastSlot: 0 },
        commanded: new Map(),
        lastAt: 0,
        unrecorded: [],
        beyond: { plans: 0, intervals: 0, mostWh: 0 },
        since: sinceOf(group.number),
      },
    ]),
  );
  const links = new Map<string, EarlierPlan>();
  const hashes = new Set<string>();
  const gaps: Gap[] = [];
  const ordered: PlanOfOrders[] = [];
  let leaves = 0;
  let count = 0;
  for (let page = await nextPage(parts, specs, named, ""); page.length > 0; ) {
    const next = nextPage(parts, specs, named, page[page.length - 1]!.stored.id);
    for (const { stored, judgement, isJudged } of page) {
      // What only leads up to the part that is judged is followed in silence.
      const findings = isJudged ? parts.findings : createFindings();
      if (isJudged) count++;
      const file = readPlan(stored, facts, named.get(stored.id) ?? null, findings);
      const mode = privacyOf(named.get(stored.id) ?? null);
      const commitments = commitmentsOf(ledger, { ...stored, ...(file ? valueOfBytes(file) : {}) }, mode);
      hashes.add(`${commitments.problem}:${commitments.plan}`);
      const start = earlierStart(ledger, stored, mode);
      links.set(stored.id, { at: file?.problem.at ?? stored.at, ...commitments, start });
      const answer = await judgement;
      const group = facts.groups.find((one) => one.group.id === stored.groupId);
      const state = states.get(stored.groupId);
      if (!group || !state || !file) continue;
      if (answer) auditJudgement(file, answer, findings);
      if (isJudged) auditMethod(file, group, facts, findings, gaps, state.beyond, state.previous, exact);
      state.previous = file;
      const kept = auditOrdersOfPlan(file, group, ledger, findings);
      if (kept) ordered.push(kept);
      const seen = await auditOne(
        { ...parts, findings },
        ...([file, commitments, group, state, named.get(stored.id) ?? null, specs] as const),
      );
      if (isJudged) leaves += seen;
    }
    onProgress(Math.min(1, count / Math.max(1, named.size)));
    page = await next;
  }
  finish(parts, states, links);
  return { count, leaves, hashes, gaps, ordered };
}

/** The text that plans were made by, from the chain; null where it has none that can be run, which is a difference. */
async function exactMethod({ chain, findings }: Parts, specs: Specs): Promise<StoredMethod | null> {
  const check = findings.check("text of the exact method");
  const code = specs.get("least-cost")?.code;
  if (code === undefined) return null;
  try {
    const method = await chain.method(code);
    check.looked();
    if (!method.isOurs)
      findings.notes.push(
        `the chain's text of the exact method, ${code}, is not this source's; plans are held against it`,
      );
    return method;
  } catch (error) {
    check.differs("algorithm least-cost", error instanceof Error ? error.message : String(error));
    return null;
  }
}

const valueOfBytes = ({ plan }: PlanFile) => ({ cost: plan.cost, bound: plan.bound });

/** Plans of the time, and those that a record of its slots names. */
const isPart = (scope: Scope, { groupId, at }: StoredPlan, named: Named | null) =>
  scope.hasGroup(groupId) && (scope.hasInstant(at) || (named !== null && scope.hasSlot(named.record.slot)));

/** The plans after one, each already on its way to the checker contract. */
async function nextPage(
  { store, chain, contractJudges, scope }: Parts,
  specs: Specs,
  named: ReadonlyMap<string, Named>,
  after: string,
) {
  const page = await store.plans.page(epochSecond(scope?.readFrom ?? 0), after, PAGE);
  const read = scope ? page.filter(({ at }) => at < scope.readUntil) : page;
  return read.map((stored) => {
    const isJudged = !scope || isPart(scope, stored, named.get(stored.id) ?? null);
    if (!isJudged || (contractJudges === "recorded runs" && named.get(stored.id)?.commands === false))
      return { stored, judgement: null, isJudged };
    const { problem, x, y, w } = stored;
    const checker = specs.get(stored.algorithm)?.checker ?? chain.checker;
    const judgement = chain.check(checker, `0x${problem}`, `0x${x}`, `0x${y}`, `0x${w}`);
    // Whoever awaits it sees the failure; until then it must not count as unhandled.
    judgement.catch(() => undefined);
    return { stored, judgement, isJudged };
  });
}

/** One plan in the sequence of its group. Answers how many leaves its record has. */
async function auditOne(
  { store, chain, ledger, facts, findings }: Parts,
  file: PlanFile,
  commitments: Commitments,
  group: GroupFile,
  state: GroupState,
  named: Named | null,
  specs: Specs,
): Promise<number> {
  const run = named?.commands ? named.run : null;
  const sound = run ? auditCommitments(file, commitments, run, findings) : true;
  auditHeader(file, group, named, specs.get(file.stored.algorithm) ?? null, chain, findings);
  auditOrder(file, state, named, findings);
  // What follows judges plans by the store and the store by plans; bytes that were changed are named already.
  const stored = await store.plans.allocations(file.id);
  const allotments = new Map(stored.map((one) => [one.sessionNumber, one.periods]));
  attempt(findings.check("parameters of plans"), planName(file.id), () => {
    if (sound) {
      auditInputs(file, group, facts, state.published, findings);
      auditCars(file, group, state.seen, findings);
    }
    auditAllocations(file, group, allotments, findings);
  });
  auditProfiles(group, state.commanded, file.now, findings);
  for (const [number, profile] of allotments) {
    const own = state.commanded.get(number);
    if (!own) continue;
    own.allotments.push({ planId: file.id, now: file.now, profile });
    if (own.allotments.length > RECENT) own.allotments.shift();
  }
  if (!named?.commands || !run) return 0;
  attempt(findings.check("recorded slots"), slotName(group.group.id, run.slot), () => {
    const rows = privacyOf(named) === "root" ? (named.record.rows as Hex) : run.rows;
    if (sound) auditRows(file, group, { slot: run.slot, rows }, allotments, state.since, findings);
    auditLeaves(named.record, run, file, group, facts, allotments, state.commanded, ledger, findings);
  });
  return named.record.leaves.length;
}

/** Plans follow each other in time, and only those since the last record are in none. */
function auditOrder({ id, problem }: PlanFile, state: GroupState, named: Named | null, findings: Findings): void {
  if (problem.at < state.lastAt)
    findings.check("parameters of plans").differs(planName(id), "is older than the plan before it");
  state.lastAt = problem.at;
  if (!named) state.unrecorded.push(id);
  else {
    for (const lost of state.unrecorded)
      findings.check("commitments of plans").differs(planName(lost), "is in no record");
    state.unrecorded.length = 0;
  }
}

/** What can be said only when all plans were seen. */
function finish(parts: Parts, states: ReadonlyMap<string, GroupState>, links: ReadonlyMap<string, EarlierPlan>): void {
  const { facts, runs, ledger, findings } = parts;
  for (const group of facts.groups) {
    const state = states.get(group.group.id);
    if (state) auditProfiles(group, state.commanded, parts.scope?.until ?? Number.POSITIVE_INFINITY, findings);
    const bySlot = new Map(runs.filter((run) => run.group === group.group.number).map((run) => [run.slot, run]));
    for (const record of group.records) {
      const run = bySlot.get(record.slot);
      if (!run || parts.scope?.hasSlot(record.slot) === false) continue;
      auditEarlier(record, run, links, ledger, findings);
      if (!links.has(record.planId))
        findings
          .check("commitments of plans")
          .differs(planName(record.planId), `commands slot ${record.slot}, but is lost`);
    }
    if (state && state.beyond.plans > 0)
      findings.notes.push(
        `${group.group.id}: ${state.beyond.plans} uncontrolled plans exceed the limit in ${state.beyond.intervals} intervals, by up to ${state.beyond.mostWh} Wh; that is what this method is for`,
      );
    if (state && !parts.scope && state.unrecorded.length > 0)
      findings.notes.push(`${group.group.id}: ${state.unrecorded.length} plans since the last record`);
  }
}
