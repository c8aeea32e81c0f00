/**
 * Every refusal and counter-offer: its proof shows, to the checker in TypeScript and to the contract, that what was wished
 * did not fit beside the promises that there were. Its limits are held against the group's own, its promises against the
 * store; forecasts of other load and PV nobody can check later. Second deadlines (minimum energy first) are not in the
 * bytes: where a promise has one, the proof may show less than what was missing.
 */
import { SLOT_S } from "../domain/slots.ts";
import { planValue, violations } from "../optimisation/checker.ts";
import { decodeProblem, decodeSigned64, decodeX } from "../optimisation/encoding.ts";
import type { GroupProblem, Plan } from "../optimisation/problem.ts";
import type { GroupFile, SessionFile } from "./auditFacts.ts";
import { at, type Check, type Findings } from "./auditFindings.ts";
import { bytes } from "./auditPlans.ts";
import { promisesAt } from "./auditRuns.ts";
import type { Scope } from "./auditScope.ts";
import { RESERVE } from "./groupProblem.ts";
import type { ChainEye } from "./ports.ts";

type Refusal = SessionFile["refusals"][number];

/** `chain`: null where the contract is not asked. */
export async function auditRefusals(
  groups: readonly GroupFile[],
  chain: Pick<ChainEye, "check" | "checker"> | null,
  findings: Findings,
  scope?: Pick<Scope, "hasSession" | "hasInstant">,
): Promise<void> {
  for (const group of groups)
    for (const own of group.sessions)
      for (const refusal of own.refusals) {
        if (scope && !(scope.hasSession(own) && scope.hasInstant(refusal.at))) continue;
        const where = `refusal of session ${own.session.id} at ${at(refusal.at)}`;
        const check = findings.check("proofs of refusals");
        check.looked();
        try {
          const { problem, plan } = read(refusal);
          auditProof(where, refusal, own, hasFirsts(group, refusal, problem), problem, plan, check);
          auditCapacity(where, group, problem, check);
          auditOthers(where, refusal, own, group, problem, check);
          if (chain) await auditByContract(where, refusal, plan, chain, check);
        } catch (error) {
          check.differs(where, `its proof cannot be read: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
}

function read(refusal: Refusal): { problem: GroupProblem; plan: Plan } {
  const { problem } = decodeProblem(bytes(refusal.problem));
  const certificate = { y: decodeSigned64(bytes(refusal.y)), w: decodeSigned64(bytes(refusal.w)) };
  const x = decodeX(problem, bytes(refusal.x));
  const claimed: Plan = { algorithm: "least-cost", energyWh: x, certificate, cost: 0n, bound: null };
  return { problem, plan: { ...claimed, ...planValue(problem, claimed) } };
}

/** Whether somebody in the proof was promised, or wished, a first part. */
function hasFirsts(group: GroupFile, { at: when }: Refusal, problem: GroupProblem): boolean {
  const numbers = new Set(problem.cars.map((car) => car.session));
  const present = group.sessions.filter((one) => numbers.has(one.session.number));
  return present.some(
    (one) => one.promises.some(({ first }) => first) || one.wishes.some((w) => w.first && w.at <= when),
  );
}

/** Without prices the cost is the shortfall, so the bound is the least that anybody could leave unserved. */
function auditProof(
  where: string,
  refusal: Refusal,
  own: SessionFile,
  isRelaxed: boolean,
  problem: GroupProblem,
  plan: Plan,
  check: Check,
): void {
  for (const broken of violations(problem, plan)) check.differs(where, `breaks ${broken.rule} at ${broken.interval}`);
  const { scale, voll, early } = problem.weights;
  if (early !== 0 || problem.intervals.some(({ price, feedIn }) => price !== 0 || feedIn !== 0))
    check.differs(where, "counts prices: its cost is not the shortfall");
  check.same(where, "gap of the proof", plan.cost - (plan.bound ?? 0n), 0n);
  const provenWh = Number((plan.bound ?? 0n) / (BigInt(scale) * BigInt(voll)));
  if (!isRelaxed && provenWh < refusal.shortfallWh)
    check.differs(where, `says that ${refusal.shortfallWh} Wh were missing, the proof shows ${provenWh} Wh`);
  const asking = problem.cars.find((car) => car.session === own.session.number);
  if (!asking || asking.needWh > refusal.wishedWh)
    check.differs(where, `is about ${asking?.needWh ?? 0} Wh of session ${own.session.number}, not the wish`);
}

/**
 * The group's limits less the reserve of promises. A limit that was lifted or an order that was taken back since may have
 * stood for longer then, so each counts without end. The running slot holds what it has not used yet, and forgotten
 * capacity profiles have no future any more: those are not checked.
 */
function auditCapacity(where: string, { group, limits }: GroupFile, problem: GroupProblem, check: Check): void {
  if (limits.some((limit) => limit.kind === "capacity")) return;
  const then = limits.filter(({ until }) => until === null || until > problem.at);
  let from: number = problem.at;
  for (const { durationS, limitWh } of problem.intervals) {
    const to = from + durationS;
    const limitW = Math.min(
      group.supplyLimitW,
      ...then.filter((limit) => limit.from < to).map((limit) => limit.limitW),
    );
    const wh = Math.floor((limitW * durationS * (1 - RESERVE.promise / 1000)) / 3600);
    if (Math.floor(from / SLOT_S) !== Math.floor(problem.at / SLOT_S) && limitWh < wh)
      check.differs(where, `counts with ${limitWh} Wh from ${at(from)} on, the limit gives ${wh} Wh`);
    from = to;
  }
}

/** Nobody is owed more than was promised. */
function auditOthers(
  where: string,
  refusal: Refusal,
  own: SessionFile,
  group: GroupFile,
  problem: GroupProblem,
  check: Check,
): void {
  const owed = new Map<number, number>();
  for (const car of problem.cars) {
    if (car.session !== own.session.number) owed.set(car.session, car.needWh);
  }
  for (const [number, wh] of owed) {
    const other = group.sessions.find((one) => one.session.number === number);
    const promised = other ? promisesAt(other, refusal.at).map((promise) => promise?.energyWh ?? 0) : [0];
    if (wh > Math.max(...promised))
      check.differs(
        where,
        `counts ${wh} Wh owed to session number ${number}, which was promised ${Math.max(...promised)} Wh`,
      );
  }
}

async function auditByContract(
  where: string,
  { problem, x, y, w }: Refusal,
  plan: Plan,
  chain: Pick<ChainEye, "check" | "checker">,
  check: Check,
): Promise<void> {
  const judgement = await chain.check(chain.checker, `0x${problem}`, `0x${x}`, `0x${y}`, `0x${w}`);
  if (judgement.kind === "broken") {
    check.differs(where, `ScheduleChecker refuses it: rule ${judgement.rule} at ${judgement.at}`);
    return;
  }
  check.same(where, "cost by the contract", judgement.cost, plan.cost);
  check.same(where, "bound by the contract", judgement.bound, plan.bound);
}
