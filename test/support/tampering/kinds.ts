/**
 * Every kind of tampering, each done with skill to one thing of a saved run, and what the audit says about it: where the forger
 * also held the operator's keys and recorded the forgery on chain, and where only the database was within reach.
 */
import { chunksOf } from "../../../backend/adapters/chain/codeChunks.ts";
import { planValue } from "../../../backend/optimisation/checker.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import { leastLaxity } from "../../../backend/optimisation/leastLaxity.ts";
import type { Car, GroupProblem, Interval, Plan } from "../../../backend/optimisation/problem.ts";
import type { Hex, RunRecord } from "../../../backend/usecases/ports.ts";
import { aTarget, best, dearer, rewritten, type Target } from "./forgedPlan.ts";
import { type Kind, named } from "./kind.ts";
import { paperKinds } from "./paperKinds.ts";
import type { Forgery, SavedRun } from "./savedRun.ts";

export async function kindsOf(run: SavedRun): Promise<readonly Kind[]> {
  const target = await aTarget(run.store);
  return [...schedules(run, target), ...problems(run, target), ...records(run, target), ...(await paperKinds(run))];
}

/** Another plan in place of one that commands its slot. */
function replaced(
  run: SavedRun,
  target: Target,
  problem: GroupProblem,
  plan: Plan,
  more: Partial<Recorded> = {},
): Forgery {
  const { statement, commitments } = rewritten(target, problem, plan, run.ledger);
  const { leaves, statements = [] } = more;
  const set = leaves && leavesOf(run, target, leaves);
  return {
    statements: [statement, ...(set ? [set.statement] : []), ...statements],
    recorded: (one) => (isOf(run, target, one) ? { ...one, ...commitments, ...(set ? { root: set.root } : {}) } : one),
  };
}
type Recorded = { readonly leaves: Target["record"]["leaves"]; readonly statements: readonly string[] };

const groupOf = ({ runs }: SavedRun, { record }: Target) =>
  runs.find(({ root, slot }) => root === record.root && slot === record.slot)!.group;
const isOf = (run: SavedRun, target: Target, one: RunRecord) =>
  one.group === groupOf(run, target) && one.slot === target.record.slot;

function leavesOf({ ledger }: SavedRun, { record }: Target, leaves: Target["record"]["leaves"]) {
  const root = ledger.merkleRoot(leaves.map(({ salt, text }) => ledger.leaf(salt as Hex, text)));
  const json = JSON.stringify(leaves).replaceAll("'", "''");
  const statement = `update recorded_slot set leaves = '${json}', root = '${root}'
    where group_id = '${record.groupId}' and slot = ${record.slot}`;
  return { root, statement };
}

const HASH_OF_PLAN = "hash of the bytes of x, y and w is";
const HASH_OF_PROBLEM = "hash of the problem's bytes is";

function schedules(run: SavedRun, target: Target): Kind[] {
  const { problem, car, stored } = target;
  const plan = `plan ${stored.id}`;
  const optimum = leastCost(problem);
  const { y, w } = optimum.certificate!;
  const slow: Plan = {
    ...optimum,
    energyWh: leastLaxity(problem).energyWh,
    certificate: { y: y.map((one) => one - 1n), w },
  };
  const rule: Plan = { ...best(problem, target.previous), algorithm: "equal-share" };
  const found = {
    recorded: named(plan, "gap between cost and certified bound is [1-9]"),
    database: named(plan, HASH_OF_PLAN),
  };
  return [
    { kind: "a schedule changed by 1 Wh", forgery: replaced(run, target, problem, dearer(problem, car)!), ...found },
    {
      kind: "a dearer but feasible schedule with its own certificate",
      forgery: replaced(run, target, problem, { ...slow, ...planValue(problem, slow) }),
      ...found,
    },
    {
      kind: "a different algorithm version",
      forgery: replaced(run, target, problem, rule, {
        statements: [`update plan set parameters = '{"protectPromises": 1}' where id = '${stored.id}'`],
      }),
      recorded: named(plan, "was made by equal-share protectPromises 1, the group had least-cost"),
      database: named(plan, "version of the algorithm is"),
    },
    {
      kind: "another text of the exact method on chain",
      forgery: { statements: [], stored: () => chunksOf("function leastCost() {}")[0]! },
      recorded: named("algorithm least-cost", "The code stored on chain has the hash"),
      database: null,
    },
  ];
}

function problems(run: SavedRun, target: Target): Kind[] {
  const { problem, previous, car, session, stored } = target;
  const of = (changed: GroupProblem, more?: Partial<Recorded>) =>
    replaced(run, target, changed, best(changed, previous), more);
  const withCar = (change: (one: Car) => Partial<Car>) =>
    of({ ...problem, cars: problem.cars.map((one, i) => (i === car ? { ...one, ...change(one) } : one)) });
  const withWeights = (weights: Partial<GroupProblem["weights"]>) =>
    of({ ...problem, weights: { ...problem.weights, ...weights } });
  const t = Math.min(4, problem.intervals.length - 1);
  const fixed = problem.intervals.map((one, i) =>
    i === t ? { ...one, fixedWh: (one.fixedWh + 5_000) as Interval["fixedWh"] } : one,
  );
  const { session: number } = problem.cars[car]!;
  const without = target.record.leaves.filter(
    ({ text }) => !text.includes(`"session":${number},`) && !text.includes(`"session":${number}}`),
  );
  const plan = `plan ${stored.id}`;
  const database = named(plan, HASH_OF_PROBLEM);
  return [
    {
      kind: "a smaller voll",
      forgery: withWeights({ voll: problem.weights.voll - 1 }),
      recorded: named(plan, "voll is"),
      database,
    },
    {
      kind: "a larger weight",
      forgery: withWeights({ early: 4_000_000_000 }),
      recorded: named(plan, "early weight 4000000000 is above the registered"),
      database,
    },
    {
      kind: "a shrunk need of a promised session",
      forgery: withCar((one) => ({ needWh: (one.needWh - 1_000) as Car["needWh"] })),
      recorded: named(`session ${session}`, "owes \\d+ Wh; promise version \\d+ .* leave \\d+ Wh"),
      database,
    },
    {
      kind: "a shrunk departure of a promised session",
      forgery: withCar((one) => ({ to: one.to - 1 })),
      recorded: named(`session ${session}`, "is planned until .*, promise version \\d+ ends at"),
      database,
    },
    {
      kind: "a fixed load that no offer explains",
      forgery: of({ ...problem, intervals: fixed }),
      recorded: named(plan, `interval ${t} sets`),
      database,
    },
    {
      kind: "a session dropped between two runs",
      forgery: of(
        { ...problem, cars: problem.cars.filter((_, i) => i !== car) },
        {
          leaves: without,
          statements: [`delete from allocation where plan_id = '${stored.id}' and session_number = ${number}`],
        },
      ),
      recorded: named(`session ${session}`, "plan .* leaves it out, although it is plugged in"),
      database,
    },
  ];
}

function records(run: SavedRun, target: Target): Kind[] {
  const { record, problem, car, session } = target;
  const slot = `recorded slot ${record.slot} of ${record.groupId} (${new Date(record.slot * 900_000).toISOString().replace(".000", "")})`;
  const number = problem.cars[car]!.session;
  const leaf = record.leaves.findIndex(
    ({ text }) => text.includes('"kind":"allocation"') && text.includes(`"session":${number}`),
  );
  const leaves = leavesOf(
    run,
    target,
    record.leaves.map((one, i) =>
      i === leaf ? { ...one, text: one.text.replace(/"limitW":\d+/, '"limitW":77') } : one,
    ),
  );
  const own = run.runs.filter(({ group }) => group === groupOf(run, target));
  const at = own.findIndex((one) => one.slot === record.slot);
  const [first, second] = [own[at]!, own[at + 1]!];
  const move = (from: number, to: number) =>
    `update recorded_slot set slot = ${to} where group_id = '${record.groupId}' and slot = ${from}`;
  const swapped = (one: RunRecord): RunRecord => {
    const other =
      one.group !== first.group ? one : one.slot === first.slot ? second : one.slot === second.slot ? first : one;
    return { ...other, slot: one.slot };
  };
  return [
    {
      kind: "a leaf",
      forgery: {
        statements: [leaves.statement],
        recorded: (one) => (isOf(run, target, one) ? { ...one, root: leaves.root } : one),
      },
      recorded: named(`${slot}, allotment of session ${session}`, "limit is 77 W, allotted were"),
      database: named(slot, "root of the leaves in the store is"),
    },
    {
      kind: "a reordered slot",
      forgery: {
        statements: [move(first.slot, 1), move(second.slot, first.slot), move(1, second.slot)],
        recorded: swapped,
      },
      recorded:
        /^plan \S+: was made in slot \d+(, after slot \d+ under which it is recorded| and is recorded for slot \d+)/,
      database: named(slot, "root of the leaves in the store is"),
    },
  ];
}
