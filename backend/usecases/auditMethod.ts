/**
 * Was a plan made by the method that it names, as the CPO had chosen it, and how far is it from the optimum? A rule is run
 * again on the plan's own problem and must give the same energies; least cost proves itself, unless least power had to
 * change it; a general solver's answer cannot be repeated, so its plan is judged by what it is: feasible, with a gap.
 */

import type { AlgorithmChoice, AlgorithmName } from "../domain/algorithms.ts";
import { divUp } from "../domain/money.ts";
import { ALGORITHMS, type Parameters, parametersOf, repeat } from "../optimisation/algorithms.ts";
import { planValue, type Violation, violations } from "../optimisation/checker.ts";
import { leastLaxity } from "../optimisation/leastLaxity.ts";
import type { Plan } from "../optimisation/problem.ts";
import { refine } from "../optimisation/refine.ts";
import type { Facts, GroupFile } from "./auditFacts.ts";
import { attempt, type Findings, planName } from "./auditFindings.ts";
import type { PlanFile } from "./auditPlans.ts";
import { promisesAt } from "./auditRuns.ts";
import { keepsOrder, unexpected } from "./planGroup.ts";
import type { Judgement, StoredMethod } from "./ports.ts";

/** What a plan costs above the certified bound: cost - bound in nano-euro x scale, and in micro-euro. */
export type Gap = {
  readonly plan: string;
  readonly algorithm: Plan["algorithm"];
  readonly gap: bigint;
  readonly microEur: bigint;
};

/** How far a group's uncontrolled plans exceed its limit: that is no difference, it is what they show. */
export type BeyondLimit = { plans: number; intervals: number; mostWh: number };

/** Feasible, made by the method that it names, and how far from the optimum. */
export function auditMethod(
  file: PlanFile,
  group: GroupFile,
  facts: Facts,
  findings: Findings,
  gaps: Gap[],
  beyond: BeyondLimit,
  previous: PlanFile | undefined,
  exact: StoredMethod | null,
): void {
  const check = findings.check("checker in TypeScript");
  const { plan, problem, stored } = file;
  const where = planName(file.id);
  const found = violations(problem, plan);
  check.looked();
  for (const broken of unexpected(plan, found))
    check.differs(
      where,
      `breaks ${broken.rule} at interval ${broken.interval} by ${broken.excess}, session ${broken.session}`,
    );
  countBeyond(beyond, found);
  check.same(where, "cost in the store", stored.cost, plan.cost);
  check.same(where, "bound in the store", stored.bound, plan.bound);
  if (stored.algorithm === "least-laxity") {
    check.same(where, "bound of a fallback", plan.bound, null);
    if (!facts.incidents.has(`fallback:${file.id}`)) check.differs(where, "is a fallback, but no incident says why");
    if (!sameEnergy(leastLaxity(problem), plan)) check.differs(where, "is not what least laxity gives for its problem");
    return;
  }
  auditChoice(file, group, findings);
  auditFirsts(file, facts, findings);
  if (plan.bound === null) {
    check.differs(where, "claims a certified bound without a certificate");
    return;
  }
  const gap = plan.cost - plan.bound;
  if (isPlain(file)) check.same(where, "gap between cost and certified bound", gap, 0n);
  const name = stored.algorithm;
  if (ALGORITHMS[name].repeatable)
    attempt(findings.check("plans made again"), where, () => auditAgain(file, name, previous, exact, findings));
  const scale = BigInt(Math.max(1, problem.weights.scale));
  if (gap !== 0n) gaps.push({ plan: file.id, algorithm: stored.algorithm, gap, microEur: divUp(gap, 1000n * scale) });
}

/** Least cost proves itself, unless least power changed it, or it knew more than the bytes and the certificate hold. */
const isPlain = ({ stored }: PlanFile) =>
  stored.algorithm === "least-cost" &&
  stored.repairedIntervals === 0 &&
  stored.firsts.length === 0 &&
  !stored.parameters.waitingMicroEurPerHour;

/** First deadlines are those of the promises in force, and no more than they promise. */
function auditFirsts(file: PlanFile, facts: Facts, findings: Findings): void {
  const check = findings.check("parameters of plans");
  for (const { session, wh, to } of file.stored.firsts) {
    const own = facts.byNumber.get(session);
    const promised = own ? promisesAt(own, file.now) : [];
    const due = promised.some((one) => one?.first && wh <= one.first.wh && file.cuts[to]! <= one.first.by);
    check.looked();
    if (!due) check.differs(planName(file.id), `owes session number ${session} ${wh} Wh first, which nobody promised`);
  }
}

/** The choice that was in force when the plan was made; both where it changed in the very second. */
function auditChoice({ id, now, stored }: PlanFile, { algorithms }: GroupFile, findings: Findings): void {
  const check = findings.check("parameters of plans");
  const until = (index: number) => algorithms[index + 1]?.from ?? Number.POSITIVE_INFINITY;
  const inForce = algorithms.filter(({ from }, i) => from <= now && now <= until(i)).map(({ choice }) => choice);
  check.looked();
  if (inForce.some((choice) => sameChoice(choice, stored))) return;
  const chosen = inForce.map((choice) => nameOf(choice.name, parametersOf(choice))).join(" or ");
  check.differs(planName(id), `was made by ${nameOf(stored.algorithm, stored.parameters)}, the group had ${chosen}`);
}

const sameChoice = (choice: AlgorithmChoice, { algorithm, parameters }: PlanFile["stored"]) =>
  choice.name === algorithm &&
  Object.entries(parametersOf(choice)).every(
    // A plan from before there were parameters has none: its algorithm's defaults.
    ([name, value]) => (parameters[name] ?? parametersOf({ name: choice.name, parameters: {} })[name]) === value,
  );

const nameOf = (name: string, parameters: Parameters) =>
  [name, ...Object.entries(parameters).map(([key, value]) => `${key} ${value}`)].join(" ");

/**
 * The method on the same problem, and what came after it (cars exchanged energy, least power may have changed the plan), done
 * again. The exact method is run from its text on chain: y and w are its own, and x is what became of its x.
 */
function auditAgain(
  file: PlanFile,
  name: AlgorithmName,
  previous: PlanFile | undefined,
  exact: StoredMethod | null,
  findings: Findings,
): void {
  const check = findings.check("plans made again");
  const where = planName(file.id);
  const { problem, plan, stored } = file;
  const before = previous && { problem: previous.problem, energyWh: previous.plan.energyWh };
  const own = name === "least-cost" && exact ? auditExact(file, exact, findings) : madeHere(file, name);
  const again = refine(problem, own, { previous: before, keepsOrder: keepsOrder(stored.parameters) });
  check.same(where, "number of intervals repaired for least power", stored.repairedIntervals, again.repairedIntervals);
  check.same(where, "bound that its problem gives", plan.bound, again.plan.bound);
  if (!sameEnergy(again.plan, plan)) check.differs(where, `is not what ${name} gives for its problem`);
}

const madeHere = ({ problem, stored }: PlanFile, name: AlgorithmName) =>
  repeat(problem, { name, parameters: stored.parameters });

/** The optimum by the text on chain. What that text knows nothing of (first deadlines, prices of waiting) is added here. */
function auditExact(file: PlanFile, exact: StoredMethod, findings: Findings): Plan {
  const { problem, plan, stored } = file;
  const own = exact.run(problem);
  for (const name of ["y", "w"] as const) {
    const [is, shouldBe] = [plan.certificate?.[name] ?? [], own.certificate?.[name] ?? []];
    findings.check("text of the exact method").looked();
    if (is.length !== shouldBe.length || is.some((one, i) => one !== shouldBe[i]))
      findings
        .check("text of the exact method")
        .differs(planName(file.id), `its ${name} is not what the method's text on chain gives for its problem`);
  }
  const hasMore = stored.firsts.length > 0 || (stored.parameters.waitingMicroEurPerHour ?? 0) > 0;
  const { energyWh } = hasMore ? madeHere(file, "least-cost") : own;
  const made: Plan = { algorithm: "least-cost", energyWh, certificate: own.certificate, cost: 0n, bound: null };
  return { ...made, ...planValue(problem, made) };
}

const sameEnergy = (a: Plan, b: Plan) =>
  a.energyWh.every((stay, i) => stay.every((wh, k) => wh === b.energyWh[i]?.[k]));

function countBeyond(beyond: BeyondLimit, found: readonly Violation[]): void {
  const above = found.filter(({ rule }) => rule === "group-limit");
  if (above.length === 0) return;
  beyond.plans++;
  beyond.intervals += above.length;
  beyond.mostWh = Math.max(beyond.mostWh, ...above.map(({ excess }) => excess));
}

/** The contract's number of the rule about the group's limit. */
const LIMIT = 7;

/** The same question to the contract. It must refuse an uncontrolled plan at the first interval above the limit. */
export function auditJudgement(file: PlanFile, judgement: Judgement, findings: Findings): void {
  const check = findings.check("checker contract");
  const where = planName(file.id);
  check.looked();
  const found = violations(file.problem, file.plan);
  const above = unexpected(file.plan, found).length < found.length ? found[0] : undefined;
  if (judgement.kind === "broken") {
    if (judgement.rule === LIMIT && judgement.at === above?.interval) return;
    check.differs(where, `ScheduleChecker refuses it: rule ${judgement.rule} at ${judgement.at}`);
    return;
  }
  if (above) check.differs(where, `exceeds the limit at interval ${above.interval}, but ScheduleChecker accepts it`);
  const bound = judgement.bound === -(2n ** 127n) ? null : judgement.bound;
  check.same(where, "cost by the contract", judgement.cost, file.plan.cost);
  check.same(where, "bound by the contract", bound, file.plan.bound);
}
