/**
 * A dishonest operator: database and chain agree with each other, hashes and all, but what was recorded was not right. Each
 * forgery is made of an honest replay, recorded as the operator would have recorded it, and must be found by its content.
 */
import { expect } from "chai";
import { leastCostText } from "../../backend/adapters/chain/algorithms.ts";
import { runnable, storedMethod } from "../../backend/adapters/chain/storedMethod.ts";
import type { EnergyPromise } from "../../backend/domain/promises.ts";
import { planValue, violations } from "../../backend/optimisation/checker.ts";
import { decodeProblem, encodeProblem, encodeW, encodeX, encodeY } from "../../backend/optimisation/encoding.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { leastLaxity } from "../../backend/optimisation/leastLaxity.ts";
import { leastPower } from "../../backend/optimisation/leastPower.ts";
import type { Car, GroupProblem, Interval, Plan } from "../../backend/optimisation/problem.ts";
import { parseReceipt, type Receipt } from "../../backend/settlement/receipt.ts";
import type { AuditReport } from "../../backend/usecases/audit.ts";
import { minPowerOf } from "../../backend/usecases/board.ts";
import type { BillLine, ChainEye, Hex, RunRecord, StoredPlan } from "../../backend/usecases/ports.ts";
import { commitmentsOf } from "../../backend/usecases/recordSlot.ts";
import { type AuditedReplay, auditedReplay, expectNamed } from "../support/auditedReplay.ts";
import { billedBy, settledAgain } from "../support/forgedReceipt.ts";

type Forged = { readonly problem: GroupProblem; readonly plan: Plan };
type Target = {
  readonly stored: StoredPlan;
  readonly problem: GroupProblem;
  readonly session: string;
  readonly car: number;
  readonly promise: EnergyPromise;
};

describe("The audit of a dishonest operator", function () {
  this.timeout(300_000);
  let replay: AuditedReplay;
  /** A recorded plan with several cars, one of them under a promise and not yet done. */
  let target: Target;
  before(async () => {
    replay = await auditedReplay();
    target = await choose();
  });

  async function choose(): Promise<Target> {
    const { store } = replay.system;
    for (const record of await store.plans.records("garage")) {
      const stored = (await store.plans.byId(record.planId))!;
      const problem = await problemOf(stored);
      const car = problem.cars.findIndex((one) => one.needWh > 3_000 && one.powerW > 7_000);
      if (problem.cars.length < 4 || car < 0 || stored.repairedIntervals > 0 || stored.bound === null) continue;
      const session = (await store.sessions.byNumber(problem.cars[car]!.session))!.id;
      return { stored, problem, session, car, promise: (await store.promises.ofSession(session))! };
    }
    throw new Error("The replay has no plan to forge.");
  }

  /** With each car's least power, as the operator knows it. */
  async function problemOf(stored: StoredPlan): Promise<GroupProblem> {
    const { problem } = decodeProblem(Buffer.from(stored.problem, "hex"));
    const cars = await Promise.all(
      problem.cars.map(async (car) => {
        const session = (await replay.system.store.sessions.byNumber(car.session))!;
        return {
          ...car,
          minPowerW: Math.min(minPowerOf(session.maxPowerW, session.phases), car.powerW) as Car["minPowerW"],
        };
      }),
    );
    return { ...problem, cars };
  }

  /** Records another plan in place of the honest one, certified and hashed as if it had been made that way. */
  async function recordInstead(
    { problem, plan }: Forged,
    algorithm: Plan["algorithm"] = "least-cost",
  ): Promise<AuditReport> {
    const { stored } = target;
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
    const salt = Buffer.from(stored.problem.slice(0, 64), "hex");
    const { cost, bound } = planValue(problem, plan);
    const bytes = {
      problem: hex(encodeProblem(problem, salt)),
      x: hex(encodeX(problem, plan)),
      y: hex(encodeY(plan)),
      w: hex(encodeW(plan)),
    };
    const forged: StoredPlan = { ...stored, ...bytes, algorithm, cost, bound };
    const { ledger } = replay.system;
    const slot = (await replay.system.store.plans.records("garage")).find(
      (record) => record.planId === stored.id,
    )!.slot;
    const columns = Object.entries(bytes).map(([column, value]) => `${column} = '\\x${value}'`);
    const statement = `update plan set ${columns.join(", ")}, cost = ${cost}, bound = ${bound}, algorithm = '${algorithm}' where id = '${stored.id}'`;
    return replay.auditAfter([statement], {
      chain: await recorded((run) => (run.slot === slot ? { ...run, ...commitmentsOf(ledger, forged) } : run)),
    });
  }

  /** The chain as it would be if other runs had been recorded. */
  async function recorded(change: (run: RunRecord) => RunRecord): Promise<ChainEye> {
    const { eye } = replay;
    const runs = (await eye.runs()).map(change);
    return {
      ...eye,
      runs: async () => runs,
      head: async () => ({ slot: runs[runs.length - 1]!.slot, chain: eye.chainOf(runs) }),
    };
  }

  /** The best plan of a changed problem, with its true certificate. */
  const best = (problem: GroupProblem): Forged => ({
    problem,
    plan: leastPower(problem, leastCost(problem)).plan,
  });
  const withCar = (change: (car: Car) => Car): Forged =>
    best({ ...target.problem, cars: target.problem.cars.map((car, i) => (i === target.car ? change(car) : car)) });
  const withInterval = (t: number, change: (interval: Interval) => Interval): Forged =>
    best({
      ...target.problem,
      intervals: target.problem.intervals.map((interval, i) => (i === t ? change(interval) : interval)),
    });
  const withWeights = (weights: Partial<GroupProblem["weights"]>): Forged =>
    best({ ...target.problem, weights: { ...target.problem.weights, ...weights } });
  const planName = () => `plan ${target.stored.id}`;
  const ofCar = () => `session ${target.session}`;

  it("can be fooled by none of this: the honest plan recorded in this way is not found wrong", async () => {
    const report = await recordInstead(best(target.problem));
    expect(report.differences).to.deep.equal([]);
  });

  it("finds a promise of which a kilowatt-hour is forgotten", async () => {
    const report = await recordInstead(withCar((car) => ({ ...car, needWh: (car.needWh - 1_000) as Car["needWh"] })));
    expectNamed(report, ofCar(), /owes \d+ Wh; promise version 1 .* leave \d+ Wh/);
  });

  it("finds a car that disappears from the plan", async () => {
    const report = await recordInstead(
      best({ ...target.problem, cars: target.problem.cars.filter((_, i) => i !== target.car) }),
    );
    expectNamed(report, ofCar(), "leaves it out, although it is plugged in");
  });

  it("finds a car that may charge slower than it can, and one that may charge faster", async () => {
    const slower = await recordInstead(withCar((car) => ({ ...car, powerW: (car.powerW - 1_000) as Car["powerW"] })));
    expectNamed(slower, ofCar(), "no reading shows that the car takes no more");
    const faster = await recordInstead(withCar((car) => ({ ...car, powerW: (car.powerW + 1_000) as Car["powerW"] })));
    expectNamed(faster, ofCar(), /may charge at \d+ W, the session has/);
  });

  it("finds a promise that is planned past its time, or not up to it", async () => {
    for (const by of [-1, 1]) {
      const report = await recordInstead(withCar((car) => ({ ...car, to: car.to + by })));
      expectNamed(report, ofCar(), /is planned until .*, promise version 1 ends at/);
    }
  });

  it("finds a car that may begin later only, a stranger, and a wrong row", async () => {
    expectNamed(await recordInstead(withCar((car) => ({ ...car, from: 1 }))), ofCar(), "from interval 1 on only");
    expectNamed(await recordInstead(withCar((car) => ({ ...car, row: car.row + 1 }))), ofCar(), "row of its EVSE");
    const last = target.problem.cars[target.problem.cars.length - 1]!;
    const stranger = best({ ...target.problem, cars: [...target.problem.cars, { ...last, session: 4_000 }] });
    expectNamed(await recordInstead(stranger), planName(), "session number 4000, which the group never had");
  });

  it("finds a price that was not published", async () => {
    const report = await recordInstead(
      withInterval(5, (one) => ({ ...one, price: (one.price - 1) as Interval["price"] })),
    );
    expect(
      report.differences.some(({ where, text }) => where.startsWith("price of slot") && text.includes(planName())),
    ).to.equal(true);
    const feedIn = await recordInstead(withInterval(5, (one) => ({ ...one, feedIn: 1 as Interval["feedIn"] })));
    expectNamed(feedIn, "group garage", "feed-in value");
  });

  it("finds a limit above the group's, in a later slot and in the running one", async () => {
    const above = (t: number) =>
      withInterval(t, (one) => ({
        ...one,
        limitWh: (Math.floor((42_000 * one.durationS) / 3600) + 1) as Interval["limitWh"],
      }));
    expectNamed(await recordInstead(above(9)), planName(), "interval 9 has a limit of");
    const running = withInterval(0, (one) => ({ ...one, limitWh: 30_000 as Interval["limitWh"] }));
    expectNamed(await recordInstead(running), planName(), "the whole slot has");
  });

  it("finds room that is set aside for nobody", async () => {
    const report = await recordInstead(
      withInterval(4, (one) => ({ ...one, fixedWh: (one.fixedWh + 5_000) as Interval["fixedWh"] })),
    );
    expectNamed(report, planName(), "interval 4 sets");
  });

  it("finds parameters that are not the registered ones", async () => {
    expectNamed(await recordInstead(withWeights({ voll: target.problem.weights.voll + 1 })), planName(), "voll is");
    expectNamed(await recordInstead(withWeights({ extra: target.problem.weights.extra - 1 })), planName(), "extra is");
    expectNamed(await recordInstead(withWeights({ early: 4_000_000_000 })), planName(), "above the registered");
  });

  it("finds a horizon that is cut off, and intervals that mix two slots", async () => {
    const { problem } = target;
    const shorter = problem.intervals.slice(0, -8);
    const cars = problem.cars.map((car) => ({ ...car, to: Math.min(car.to, shorter.length) }));
    expectNamed(await recordInstead(best({ ...problem, cars, intervals: shorter })), planName(), "less than a day");
    const mixed = problem.intervals.map((one, t) => ({
      ...one,
      durationS: (one.durationS + (t === 0 ? 60 : t === 1 ? -60 : 0)) as Interval["durationS"],
    }));
    expectNamed(
      await recordInstead(best({ ...problem, intervals: mixed })),
      planName(),
      "does not lie within one slot",
    );
  });

  it("finds a plan that is dearer than its certificate says possible", async () => {
    const { problem } = target;
    const dearer: Plan = { ...leastCost(problem), energyWh: leastLaxity(problem).energyWh };
    const report = await recordInstead({ problem, plan: dearer });
    expectNamed(report, planName(), "gap between cost and certified bound");
  });

  it("finds a schedule of which 1 Wh is moved to a dearer hour, or left out, although it is feasible", async () => {
    const { problem } = target;
    const optimum = leastCost(problem);
    const least = planValue(problem, optimum).cost;
    const withWh = (k: number, wh: number, plan: Plan = optimum): Plan => ({
      ...plan,
      energyWh: plan.energyWh.map((stay, i) => (i === target.car ? stay.map((e, j) => (j === k ? e + wh : e)) : stay)),
    });
    const stay = optimum.energyWh[target.car]!;
    const drawn = stay.findIndex((wh) => wh > 0);
    const dearer = stay
      .map((_, k) => withWh(k, 1, withWh(drawn, -1)))
      .find((plan) => violations(problem, plan).length === 0 && planValue(problem, plan).cost > least);
    expect(dearer, "an hour that is dearer and has room").not.to.equal(undefined);
    for (const plan of [dearer!, withWh(drawn, -1)]) {
      expect(violations(problem, plan)).to.deep.equal([]);
      expectNamed(await recordInstead({ problem, plan }), planName(), "gap between cost and certified bound");
    }
  });

  it("finds a dearer schedule whose own certificate claims less", async () => {
    const { problem } = target;
    const own = leastCost(problem).certificate!;
    const weaker = { y: own.y.map((y) => y - 1n), w: own.w };
    const dearer: Plan = { ...leastCost(problem), energyWh: leastLaxity(problem).energyWh, certificate: weaker };
    expectNamed(await recordInstead({ problem, plan: dearer }), planName(), "gap between cost and certified bound");
  });

  it("finds a run that names another version than its plan's", async () => {
    const { versions } = replay.system.ledger;
    const slot = (await replay.system.store.plans.records("garage")).find(
      ({ planId }) => planId === target.stored.id,
    )!.slot;
    const chain = await recorded((run) => (run.slot === slot ? { ...run, algorithm: versions["equal-share"] } : run));
    expectNamed(await replay.auditAfter([], { chain }), planName(), "version of the algorithm");
  });

  it("finds a certificate that proves the optimum as well, but is not the method's own", async () => {
    const { problem } = target;
    const { y, w } = leastCost(problem).certificate!;
    const least = planValue(problem, leastCost(problem)).cost;
    const others = problem.intervals.flatMap((_, t) =>
      [-1n, 1n].map((by) => ({ y, w: w.map((one, i) => (i === t ? one + by : one)) })),
    );
    const plan = best(problem).plan;
    const own = others.find((certificate) => planValue(problem, { ...plan, certificate }).bound === least);
    expect(own, "another proof").not.to.equal(undefined);
    const report = await recordInstead({ problem, plan: { ...plan, certificate: own! } });
    expectNamed(report, planName(), "its w is not what the method's text on chain gives for its problem");
  });

  it("makes plans again by the chain's text, not by its own: another text is named, and one that cannot be run", async () => {
    const { eye } = replay;
    const text = leastCostText();
    // Energy without a promise is worth nothing to this one.
    const later = text.replace("const v2 = weights.scale * weights.extra;", "const v2 = 0;");
    expect(later).not.to.equal(text);
    const other = await replay.auditAfter([], {
      chain: { ...eye, method: async () => ({ isOurs: false, run: runnable(later) }) },
    });
    expect(other.differences.map(({ text }) => text)).to.include.members([
      "its y is not what the method's text on chain gives for its problem",
      "is not what least-cost gives for its problem",
    ]);
    expect(other.notes.join("\n")).to.match(/text of the exact method, 0x\w+, is not this source's/);
    // A text with the same results is none the worse.
    const same = await replay.auditAfter([], {
      chain: { ...eye, method: async () => ({ isOurs: false, run: runnable(`${text}// ours\n`) }) },
    });
    expect(same.differences).to.deep.equal([]);
    const none = await replay.auditAfter([], {
      chain: { ...eye, method: async (code) => storedMethod(code, "0x") },
    });
    expectNamed(none, "algorithm least-cost", "No text with the hash");
    expect(replay.honest.table.find(({ check }) => check === "text of the exact method")?.checked).to.be.above(100);
  });

  it("finds a plan that breaks a limit, by both checkers", async () => {
    const { problem } = target;
    const plan = leastCost(problem);
    const energyWh = plan.energyWh.map((stay) => stay.map((wh, k) => (k < 3 ? wh + 20_000 : wh)));
    const report = await recordInstead({ problem, plan: { ...plan, energyWh } });
    expectNamed(report, planName(), "breaks car-power");
    expectNamed(report, planName(), "ScheduleChecker refuses it");
  });

  it("finds a fallback that nobody needed", async () => {
    const report = await recordInstead({ problem: target.problem, plan: leastLaxity(target.problem) }, "least-laxity");
    expectNamed(report, planName(), "no incident says why");
    const other = await recordInstead(
      { problem: target.problem, plan: { ...leastCost(target.problem), certificate: null } },
      "least-laxity",
    );
    expectNamed(other, planName(), "is not what least laxity gives");
  });

  it("finds a row that says something else than profile and meter", async () => {
    const [record] = await replay.rows<{ slot: number; rows: Hex }>(
      `select slot, rows from recorded_slot where plan_id = '${target.stored.id}'`,
    );
    const { row } = target.problem.cars[target.car]!;
    const names = ["limit (W)", "power (W)", "status", "flags", "register (Wh)"];
    for (const [i, byte] of [3, 5, 6, 7, 11].entries()) {
      const bytes = Buffer.from(record!.rows.slice(2), "hex");
      bytes[12 * row + byte]! ^= 1;
      const rows: Hex = `0x${bytes.toString("hex")}`;
      const report = await replay.auditAfter(
        [`update recorded_slot set rows = '${rows}' where slot = ${record!.slot}`],
        {
          chain: await recorded((run) => (run.slot === record!.slot ? { ...run, rows } : run)),
        },
      );
      expect(report.differences.map(({ text }) => text).join("\n")).to.contain(`${names[i]} of `);
    }
  });

  it("finds a leaf that promises less, allots another power, or is left out", async () => {
    const { ledger, store } = replay.system;
    const record = (await store.plans.records("garage")).find(({ planId }) => planId === target.stored.id)!;
    const number = target.problem.cars[target.car]!.session;
    const leafOf = (kind: string) =>
      record.leaves.findIndex(({ text }) => text.includes(`"kind":"${kind}"`) && text.includes(`"session":${number}`));
    const forge = async (leaves: typeof record.leaves) => {
      const root = ledger.merkleRoot(leaves.map(({ salt, text }) => ledger.leaf(salt as Hex, text)));
      const json = JSON.stringify(leaves).replaceAll("'", "''");
      return replay.auditAfter(
        [`update recorded_slot set leaves = '${json}', root = '${root}' where slot = ${record.slot}`],
        {
          chain: await recorded((run) => (run.slot === record.slot ? { ...run, root } : run)),
        },
      );
    };
    const edited = (kind: string, change: (text: string) => string) =>
      record.leaves.map((leaf, i) => (i === leafOf(kind) ? { ...leaf, text: change(leaf.text) } : leaf));
    const less = await forge(edited("promise", (text) => text.replace(/"energyWh":\d+/, '"energyWh":100')));
    expectNamed(less, `promise of session ${target.session} version 1`, "holds 100 Wh");
    const other = await forge(edited("allocation", (text) => text.replace(/"limitW":\d+/, '"limitW":77')));
    expectNamed(other, `allotment of session ${target.session}`, "limit is 77 W");
    const without = await forge(record.leaves.filter((_, i) => i !== leafOf("promise")));
    expect(without.differences.map(({ text }) => text)).to.include(
      `has no leaf for the promise of session number ${number}`,
    );
  });

  describe("who rewrites a bill, its receipt and its line on chain", () => {
    const BROKEN = "fault-while-charging";

    async function billInstead(sessionId: string, change: (receipt: Receipt) => Receipt): Promise<AuditReport> {
      const { store, ledger } = replay.system;
      const { eye } = replay;
      const settlement = (await store.bills.ofSession(sessionId))!;
      const receipt = change(parseReceipt(settlement.receipt));
      const { line: figures, statement } = billedBy(receipt, settlement, ledger);
      const lines = new Map<string, BillLine[]>();
      const events = await Promise.all(
        (await eye.moneyEvents()).map(async (event) => {
          if (event.kind === "billed" && event.number === settlement.sessionNumber)
            return {
              ...event,
              amount: receipt.amountMicroEur,
              credit: receipt.creditMicroEur,
              flexWh: receipt.flex.flexWh,
            };
          if (event.kind !== "posted") return event;
          const own = (await eye.linesOf(event)).map((line) =>
            line.number === settlement.sessionNumber ? { ...line, ...figures } : line,
          );
          lines.set(`${event.cpo}:${event.seq}`, own);
          return { ...event, root: eye.batchRoot(event.cpo, event.seq, own) };
        }),
      );
      const chain: ChainEye = {
        ...eye,
        moneyEvents: async () => events,
        linesOf: async (batch) => lines.get(`${batch.cpo}:${batch.seq}`)!,
        batch: async (cpo, seq) => ({
          ...(await eye.batch(cpo, seq)),
          root: eye.batchRoot(cpo, seq, lines.get(`${cpo}:${seq}`)!),
        }),
      };
      return replay.auditAfter([statement], { chain });
    }

    it("is found by the cause that takes the blame, and by the outcome that the meter gives", async () => {
      const report = await billInstead(BROKEN, (receipt) => {
        const promise = receipt.promise!;
        const none = { driverWh: 0, vehicleWh: 0, orderWh: 0, outageWh: 0, operatorWh: 0, systemWh: 0 };
        const shares = { ...none, driverWh: promise.missingWh } as typeof promise.shares;
        expect(promise.shares.driverWh).to.equal(0);
        expect(promise.compensation.amountMicroEur > 0n).to.equal(true);
        return settledAgain({ ...receipt, promise: { ...promise, shares } });
      });
      expectNamed(report, `promise of session ${BROKEN} version 1`, /are put on the driver, who stayed until/);
      expect(report.differences.filter(({ where }) => where === `bill of session ${BROKEN}`)).to.deep.equal([]);

      const kept = await billInstead(BROKEN, (receipt) => settledAgain({ ...receipt, promise: null }));
      expectNamed(kept, `bill of session ${BROKEN}`, "leaves out a promise that was judged");
    });

    it("is found by a blame that has no trace: an order, an outage", async () => {
      for (const cause of ["orderWh", "outageWh"] as const) {
        const report = await billInstead(BROKEN, (receipt) => {
          const promise = receipt.promise!;
          const shares = {
            ...promise.shares,
            operatorWh: 0,
            systemWh: 0,
            [cause]: promise.shares.operatorWh + promise.shares.systemWh,
          } as typeof promise.shares;
          return settledAgain({ ...receipt, promise: { ...promise, shares } });
        });
        expectNamed(
          report,
          `promise of session ${BROKEN} version 1`,
          cause === "orderWh" ? "an order that nobody gave" : "an outage that nobody noted",
        );
      }
    });

    it("is found by a baseline that the meter and the method do not give", async () => {
      const [flexible] = await replay.rows<{ session_id: string }>(
        "select session_id from settlement where flex_wh > 0 and driver_id is not null order by session_number limit 1",
      );
      const rebased = (receipt: Receipt, change: (wh: number, t: number) => number) => ({
        ...receipt.flex,
        intervals: receipt.flex.intervals.map((one, t) => ({ ...one, baselineWh: change(one.baselineWh, t) })),
      });
      const first = await billInstead(flexible!.session_id, (receipt) => ({
        ...receipt,
        flex: rebased(receipt, (wh, t) => (t === 0 ? wh + 1 : wh)),
      }));
      expectNamed(first, `bill of session ${flexible!.session_id}`, "flex.intervals[0].baselineWh is");
      // Shifted in time, so that all sums stay what they are.
      const shifted = await billInstead(flexible!.session_id, (receipt) => {
        const drawn = receipt.flex.intervals.findIndex(({ baselineWh }) => baselineWh > 0);
        const last = receipt.flex.intervals.length - 1;
        const flex = rebased(receipt, (wh, t) => wh + (t === last ? 1 : 0) - (t === drawn ? 1 : 0));
        return { ...receipt, flex };
      });
      expectNamed(shifted, `bill of session ${flexible!.session_id}`, "baselineWh is");
    });

    it("is found by the price of the tariff, and by the account that paid too much", async () => {
      const [plain] = await replay.rows<{ session_id: string }>(
        "select session_id from settlement where compensation_micro_eur = 0 and driver_id is not null order by session_number limit 1",
      );
      const report = await billInstead(plain!.session_id, (receipt) => {
        const tariff = {
          ...receipt.tariff,
          pricePerKwh: (receipt.tariff.pricePerKwh + 1) as typeof receipt.tariff.pricePerKwh,
        };
        return settledAgain({ ...receipt, tariff });
      });
      expectNamed(report, `bill of session ${plain!.session_id}`, "price in the receipt is");
      expect(report.differences.some(({ where }) => where.startsWith("account of driver"))).to.equal(true);
    });

    it("is found by the meter: a register at plug-out that nobody read", async () => {
      const [plain] = await replay.rows<{ session_id: string }>(
        "select session_id from settlement where compensation_micro_eur = 0 and driver_id is not null order by session_number limit 1",
      );
      const report = await billInstead(plain!.session_id, (receipt) =>
        settledAgain({ ...receipt, meter: { ...receipt.meter, endWh: (receipt.meter.endWh + 1_000) as never } }),
      );
      expectNamed(report, `bill of session ${plain!.session_id}`, "register at plug-out (Wh) is");
    });
  });
});
