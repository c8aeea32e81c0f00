import { expect } from "chai";
import fc from "fast-check";
import {
  type EnergyPromise,
  firstOutcome,
  isExpired,
  isHolding,
  isTracked,
  judge,
  judgeFirst,
  offerPromise,
  type PromiseEvent,
  type PromiseState,
  toleranceWh,
  transition,
} from "../../backend/domain/promises.ts";
import { epochSecond, wattHour } from "../../backend/domain/units.ts";

const NOON = epochSecond(1_767_265_200);
const noonPlus = (s: number) => epochSecond(NOON + s);
const offered = () =>
  offerPromise(
    {
      sessionId: "s1",
      version: 1,
      energyWh: wattHour(20_000),
      by: noonPlus(4 * 3600),
      fromRegisterWh: wattHour(5_000),
    },
    NOON,
  );
const accepted = () => transition(offered(), { kind: "accept", at: noonPlus(10) });
const run = (promise: EnergyPromise, s: number, slackWh: number, fresh = true) =>
  transition(promise, { kind: "assess", at: noonPlus(s), slackWh, fresh });
const open = judge({ promisedWh: 20_000, meteredByWh: 16_000, meteredAtUnplugWh: null });
const short = judge({ promisedWh: 20_000, meteredByWh: 16_000, meteredAtUnplugWh: 18_500 });

describe("A promise's offer", () => {
  it("stands for 120 s and can be accepted until the second before", () => {
    expect(transition(offered(), { kind: "accept", at: noonPlus(119) })).to.include({
      state: "accepted",
      changedAt: noonPlus(119),
    });
    expect(isExpired(offered(), noonPlus(119))).to.equal(false);
    expect(isExpired(offered(), noonPlus(120))).to.equal(true);
    expect(() => transition(offered(), { kind: "accept", at: noonPlus(120) })).to.throw(/cannot be accepted.*ended at/);
    expect(transition(offered(), { kind: "expire", at: noonPlus(120) }).state).to.equal("expired");
    expect(() => transition(offered(), { kind: "expire", at: noonPlus(119) })).to.throw(/stands until/);
  });

  it("is not made of nothing, and not for a time that has passed", () => {
    const base = { sessionId: "s1", version: 1, fromRegisterWh: wattHour(0) };
    expect(() => offerPromise({ ...base, energyWh: wattHour(0), by: noonPlus(60) }, NOON)).to.throw(RangeError);
    expect(() => offerPromise({ ...base, energyWh: wattHour(1), by: NOON }, NOON)).to.throw(RangeError);
  });
});

describe("A promise that runs", () => {
  it("is on track with slack 0, at risk with slack -1", () => {
    expect(run(accepted(), 60, 0)).to.include({ state: "on-track", slackWh: 0 });
    expect(run(accepted(), 60, -1)).to.include({ state: "at-risk", slackWh: -1 });
  });

  it("is at risk while the data are stale, whatever the slack", () => {
    expect(run(accepted(), 60, 9_000, false).state).to.equal("at-risk");
  });

  it("is back on track after two good runs in a row, not after one", () => {
    const risky = run(accepted(), 60, -1);
    const once = run(risky, 120, 500);
    expect(once).to.include({ state: "at-risk", goodRuns: 1, changedAt: noonPlus(60) });
    expect(run(once, 180, 500)).to.include({ state: "on-track", changedAt: noonPlus(180), goodRuns: 0 });
    const again = run(once, 180, -1);
    expect(again.goodRuns).to.equal(0);
    expect(run(again, 240, 500).state).to.equal("at-risk");
  });

  it("is never on track again once its time is over", () => {
    expect(run(run(accepted(), 60, 500), 4 * 3600, 500).state).to.equal("at-risk");
  });

  it("stays at risk when its energy is missing in time and the car is plugged in, and is judged at unplug", () => {
    const due = transition(run(accepted(), 60, 500), { kind: "judge", at: noonPlus(4 * 3600), judgement: open });
    expect(due).to.include({ state: "at-risk", missingWh: 4_000, missingAtUnplugWh: null });
    const end = transition(due, { kind: "judge", at: noonPlus(5 * 3600), judgement: short });
    expect(end).to.include({ state: "short", missingWh: 4_000, missingAtUnplugWh: 1_500 });
  });

  it("is judged before its time only by an unplug", () => {
    const kept = judge({ promisedWh: 20_000, meteredByWh: 20_000, meteredAtUnplugWh: null });
    expect(() => transition(accepted(), { kind: "judge", at: noonPlus(3600), judgement: kept })).to.throw(/plugged in/);
    expect(transition(accepted(), { kind: "judge", at: noonPlus(3600), judgement: short }).state).to.equal("short");
  });

  it("refuses an event from before its present state", () => {
    expect(() => transition(accepted(), { kind: "withdraw", at: noonPlus(9) })).to.throw(/since/);
  });
});

describe("The promise's states", () => {
  // The diagram of the design, written a second time as a table: state -> events that it allows.
  const allows: Record<PromiseState, readonly PromiseEvent["kind"][]> = {
    offered: ["accept", "expire", "amend", "withdraw"],
    accepted: ["amend", "withdraw", "assess", "judge"],
    "on-track": ["amend", "withdraw", "assess", "judge"],
    "at-risk": ["amend", "withdraw", "assess", "judge"],
    kept: [],
    late: [],
    short: [],
    expired: [],
    amended: [],
    withdrawn: [],
  };
  const states = Object.keys(allows) as PromiseState[];
  const events = (state: PromiseState): PromiseEvent[] => [
    { kind: "accept", at: noonPlus(60) },
    { kind: "expire", at: noonPlus(state === "offered" ? 120 : 60) },
    { kind: "amend", at: noonPlus(60) },
    { kind: "withdraw", at: noonPlus(60) },
    { kind: "assess", at: noonPlus(60), slackWh: 0, fresh: true },
    { kind: "judge", at: noonPlus(60), judgement: short },
  ];
  for (const state of states)
    it(`${state} allows ${allows[state].join(", ") || "nothing"}`, () => {
      for (const event of events(state)) {
        const move = () => transition({ ...offered(), state }, event);
        if (allows[state].includes(event.kind)) expect(move().state).to.not.equal("offered");
        else expect(move).to.throw(/^Promise 1 of session s1 cannot .+: .+\. Read its state first\.$/);
      }
    });

  it("hold capacity exactly where something can still happen, and are tracked where they can be judged", () => {
    for (const state of states) {
      expect(isHolding(state)).to.equal(allows[state].length > 0);
      expect(isTracked(state)).to.equal(allows[state].includes("judge"));
    }
  });
});

describe("Judging a promise", () => {
  it("keeps a promise up to max(100 Wh, 1 %) missing", () => {
    const at = (promisedWh: number, missingWh: number) =>
      judge({ promisedWh, meteredByWh: promisedWh - missingWh, meteredAtUnplugWh: promisedWh - missingWh }).outcome;
    expect([at(2_000, 100), at(2_000, 101)]).to.deep.equal(["kept", "short"]);
    expect([at(20_000, 200), at(20_000, 201)]).to.deep.equal(["kept", "short"]);
    expect([at(20_099, 200), at(20_099, 201)]).to.deep.equal(["kept", "short"]);
    expect(toleranceWh(10_000)).to.equal(100);
  });

  it("calls it late when the missing part came before unplug, short when not, open while that is not known", () => {
    const m = { promisedWh: 20_000, meteredByWh: 16_000 };
    expect(judge({ ...m, meteredAtUnplugWh: 19_800 })).to.deep.equal({
      outcome: "late",
      missingWh: 4_000,
      missingAtUnplugWh: 200,
    });
    expect(judge({ ...m, meteredAtUnplugWh: 19_799 }).outcome).to.equal("short");
    expect(judge({ ...m, meteredAtUnplugWh: null })).to.deep.equal({
      outcome: "open",
      missingWh: 4_000,
      missingAtUnplugWh: null,
    });
  });

  it("never finds a negative part missing, and refuses a register that fell", () => {
    expect(judge({ promisedWh: 5_000, meteredByWh: 6_000, meteredAtUnplugWh: 7_000 })).to.deep.equal({
      outcome: "kept",
      missingWh: 0,
      missingAtUnplugWh: 0,
    });
    expect(() => judge({ promisedWh: 5_000, meteredByWh: 6_000, meteredAtUnplugWh: 5_999 })).to.throw(/never fall/);
  });

  it("never gets worse by more energy", () => {
    const rank = { kept: 0, late: 1, short: 2, open: 3 };
    const wh = fc.integer({ min: 0, max: 60_000 });
    fc.assert(
      fc.property(wh, wh, wh, wh, (promisedWh, meteredByWh, more, extra) => {
        const poor = judge({ promisedWh, meteredByWh, meteredAtUnplugWh: meteredByWh + more });
        const rich = judge({ promisedWh, meteredByWh, meteredAtUnplugWh: meteredByWh + more + extra });
        expect(rank[rich.outcome]).to.be.at.most(rank[poor.outcome]);
        const sooner = judge({ promisedWh, meteredByWh: meteredByWh + more, meteredAtUnplugWh: meteredByWh + more });
        expect(rank[sooner.outcome]).to.be.at.most(rank[poor.outcome]);
      }),
    );
  });
});

describe("A promise with a first part", () => {
  const first = { wh: wattHour(5_000), by: noonPlus(3600) };
  const terms = { sessionId: "s1", version: 1, energyWh: wattHour(20_000), fromRegisterWh: wattHour(0) };
  const promise = () => offerPromise({ ...terms, by: noonPlus(4 * 3600), first }, NOON);

  it("is offered with it, unless it is no part: too much, too late, or nothing", () => {
    expect(promise().first).to.deep.equal({ ...first, missingWh: null });
    expect(offerPromise({ ...terms, by: noonPlus(3600) }, NOON)).not.to.have.property("first");
    for (const part of [
      { ...first, wh: wattHour(20_001) },
      { ...first, wh: wattHour(0) },
      { ...first, by: noonPlus(4 * 3600) },
      { ...first, by: NOON },
    ])
      expect(() => offerPromise({ ...terms, by: noonPlus(4 * 3600), first: part }, NOON)).to.throw(RangeError);
  });

  it("is judged once at its time, with the tolerance of promises; the promise itself goes on", () => {
    expect(firstOutcome(promise())).to.equal(null);
    const kept = judgeFirst(promise(), 4_900);
    expect(kept.first?.missingWh).to.equal(100);
    expect([firstOutcome(kept), kept.state]).to.deep.equal(["kept", "offered"]);
    const late = judgeFirst(promise(), 4_899);
    expect([firstOutcome(late), late.first?.missingWh]).to.deep.equal(["late", 101]);
    expect(judgeFirst(late, 5_000)).to.equal(late);
    expect(judgeFirst(promise(), 9_000).first?.missingWh).to.equal(0);
    expect(judgeFirst(offered(), 0)).to.deep.equal(offered());
  });
});
