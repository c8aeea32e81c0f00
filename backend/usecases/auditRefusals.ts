/**
 * Every refusal and counter-offer: its proof shows, to the checker in TypeScript and to the contract, that what was wished
 * did not fit beside the promises that there were. Its limits are held against the group's own, its promises against the
 * store; forecasts of other load and PV nobody can check later. Second deadlines (minimum energy first) are not in the
 * bytes: where a promise has one, the proof may show less than what was missing.
 */
import { planValue, violations } from "../optimisation/checker.ts";
import { decodeProblem, decodeSigned64, decodeX } from "../optimisation/encoding.ts";
import type { GroupProblem, Plan } from "../optimisation/problem.ts";
import type { GroupFile, SessionFile } from "./auditFacts.ts";
import { at, type Check, type Findings } from "./auditFindings.ts";
import { bytes } from "./auditPlans.ts";
import { promisesAt } from "./auditRuns.ts";
import { limitWs } from "./groupLimits.ts";
import { RESERVE } from "./groupProblem.ts";
import type { ChainEye } from "./ports.ts";

type Refusal = SessionFile["refusals"][number];

/** `chain`: null where the contract is not asked. */
export async function auditRefusals(
  groups: readonly GroupFile[],
  chain: Pick<ChainEye, "check" | "checker"> | null,
  findings: Findings,
): Promise<void> {
  for (const group of groups)
    for (const own of group.sessions)
      for (const refusal of own.refusals) {
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

/** The group's limits less the reserve of promises; the running slot holds what it has not used yet, which is not checked. */
function auditCapacity(where: string, { group, limits }: GroupFile, problem: GroupProblem, check: Check): void {
  // An operator's limit that was in force may have had no end yet: when it is lifted, its end is set.
  const known = limits.map((one) =>
    one.kind === "operator" && one.from <= problem.at && (one.until ?? 0) > problem.at ? { ...one, until: null } : one,
  );
  let from: number = problem.at;
  for (const { durationS, limitWh } of problem.intervals) {
    const to = from + durationS;
    const wh = Math.floor((limitWs(group, known, from, to) * (1 - RESERVE.promise / 1000)) / 3600);
    if (Math.floor(from / 900) !== Math.floor(problem.at / 900) && limitWh < wh)
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
