/** A plan that is forged with skill: the best plan of a changed problem, refined and certified as the honest one was. */

import type { EpochSecond } from "../../../backend/domain/units.ts";
import { planValue, violations } from "../../../backend/optimisation/checker.ts";
import {
  decodeProblem,
  decodeX,
  encodeProblem,
  encodeW,
  encodeX,
  encodeY,
} from "../../../backend/optimisation/encoding.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import type { Car, GroupProblem, Plan } from "../../../backend/optimisation/problem.ts";
import { refine } from "../../../backend/optimisation/refine.ts";
import type { Before } from "../../../backend/optimisation/steady.ts";
import { minPowerOf } from "../../../backend/usecases/board.ts";
import type { Ledger, RecordedSlot, Store, StoredPlan } from "../../../backend/usecases/ports.ts";
import { commitmentsOf } from "../../../backend/usecases/recordSlot.ts";

export type Target = {
  readonly stored: StoredPlan;
  readonly problem: GroupProblem;
  readonly previous: Before;
  readonly record: RecordedSlot;
  readonly session: string;
  /** Index of a car under a promise that is far from done. */
  readonly car: number;
};

/** A recorded plan with several cars, one of them under a promise; from the middle of the run, so that much hangs on it. */
export async function aTarget(store: Store): Promise<Target> {
  const plans: StoredPlan[] = [];
  for (let page = await store.plans.page(0 as EpochSecond, "", 500); page.length > 0; ) {
    plans.push(...page);
    page = await store.plans.page(0 as EpochSecond, page.at(-1)!.id, 500);
  }
  const groups = await store.sites.groups();
  const records = (await Promise.all(groups.map(({ id }) => store.plans.records(id)))).flat();
  const middle = Math.floor(records.length / 2);
  for (const record of [...records.slice(middle), ...records.slice(0, middle)]) {
    const stored = plans.find(({ id }) => id === record.planId)!;
    if (stored.algorithm !== "least-cost" || stored.repairedIntervals > 0 || stored.cost !== stored.bound) continue;
    const before = plans.slice(0, plans.indexOf(stored)).findLast(({ groupId }) => groupId === stored.groupId);
    const problem = await problemOf(store, stored);
    const car = problem.cars.findIndex((one) => one.needWh > 3_000 && one.to - one.from > 6);
    if (!before || problem.cars.length < 3 || car < 0 || dearer(problem, car) === null) continue;
    const { problem: earlier } = decodeProblem(bytes(before.problem));
    const previous = { problem: earlier, energyWh: decodeX(earlier, bytes(before.x)) };
    const session = (await store.sessions.byNumber(problem.cars[car]!.session))!.id;
    return { stored, problem, previous, record, session, car };
  }
  throw new Error("The run has no plan to forge: none with three cars, one of them under a promise.");
}

/** With each car's least power, as the operator knows it. */
async function problemOf(store: Store, stored: StoredPlan): Promise<GroupProblem> {
  const { problem } = decodeProblem(bytes(stored.problem));
  const cars = problem.cars.map(async (car) => {
    const session = (await store.sessions.byNumber(car.session))!;
    const minPowerW = Math.min(minPowerOf(session.maxPowerW, session.phases), car.powerW) as Car["minPowerW"];
    return { ...car, minPowerW };
  });
  return { ...problem, cars: await Promise.all(cars) };
}

export const best = (problem: GroupProblem, previous: Before): Plan =>
  refine(problem, leastCost(problem), { previous }).plan;

/** The optimum, but for 1 Wh of a car that is moved to a dearer interval; null where none has room. */
export function dearer(problem: GroupProblem, car: number, plan: Plan = leastCost(problem)): Plan | null {
  const { cost } = planValue(problem, plan);
  const { powerW, from } = problem.cars[car]!;
  const stay = plan.energyWh[car]!;
  const drawn = stay.findIndex((wh) => wh > 1);
  for (let k = 0; drawn >= 0 && k < stay.length; k++) {
    const most = Math.floor((powerW * problem.intervals[from + k]!.durationS) / 3600);
    if (k === drawn || stay[k] === 0 || stay[k]! >= most) continue;
    const moved = stay.map((wh, j) => (j === k ? wh + 1 : j === drawn ? wh - 1 : wh));
    const other: Plan = { ...plan, energyWh: plan.energyWh.map((one, i) => (i === car ? moved : one)) };
    const value = planValue(problem, other);
    if (value.cost > cost && violations(problem, other).length === 0) return { ...other, ...value };
  }
  return null;
}

/** The plan's row with other bytes, and what the chain would commit to. */
export function rewritten(target: Target, problem: GroupProblem, plan: Plan, ledger: Ledger) {
  const salt = bytes(target.stored.problem).subarray(0, 32);
  const columns = {
    problem: hex(encodeProblem(problem, salt)),
    x: hex(encodeX(problem, plan)),
    y: hex(encodeY(plan)),
    w: hex(encodeW(plan)),
  };
  const forged: StoredPlan = { ...target.stored, ...columns, algorithm: plan.algorithm, ...planValue(problem, plan) };
  const set = Object.entries(columns).map(([name, value]) => `${name} = '\\x${value}'`);
  const statement = `update plan set ${set.join(", ")}, cost = ${forged.cost}, bound = ${forged.bound},
    algorithm = '${forged.algorithm}' where id = '${forged.id}'`;
  return { statement, commitments: commitmentsOf(ledger, forged) };
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const hex = (all: Uint8Array) => Buffer.from(all).toString("hex");
