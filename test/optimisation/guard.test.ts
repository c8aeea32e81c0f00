import { expect } from "chai";
import { type GuardedSession, guard, type SlotState } from "../../backend/optimisation/guard.ts";
import { randomFrom } from "../support/problems.ts";

const aSession = (session: string, part: Partial<GuardedSession> = {}): GuardedSession => ({
  session,
  limitW: 11_000,
  measuredW: 11_000,
  promised: false,
  slackWh: 0,
  minPowerW: 4_140,
  wantedW: 11_000,
  ...part,
});
const aState = (part: Partial<SlotState> = {}): SlotState => ({
  limitW: 30_000,
  elapsedS: 420,
  importedWh: 3_500, // 30 kW so far
  otherLoadW: 8_000,
  reactionS: 30,
  hysteresisW: 500,
  sessions: [aSession("a"), aSession("b")],
  ...part,
});

describe("in-slot guard", () => {
  it("holds while the slot's mean stays at the limit", () => {
    expect(guard(aState())).to.deep.equal({ kind: "hold" });
  });

  it("trims by what the rest of the slot has too much", () => {
    // 31 kW for 30 s are 1,000 W x 30 s too much; 1,000 W x 480/450 s must go in the 450 s that are left.
    const sessions = [aSession("a"), aSession("b", { promised: true })];
    const action = guard(aState({ otherLoadW: 9_000, sessions }));
    expect(action).to.deep.equal({ kind: "trim", limits: [{ session: "a", limitW: 11_000 - 1_067 }] });
  });

  it("lets a slot that imported little import more for the rest of it", () => {
    expect(guard(aState({ otherLoadW: 20_000, importedWh: 1_000 }))).to.deep.equal({ kind: "hold" });
  });

  it("trims best effort first, then promises with most slack", () => {
    const sessions = [
      aSession("urgent", { promised: true, slackWh: 100 }),
      aSession("patient", { promised: true, slackWh: 9_000 }),
      aSession("guest"),
    ];
    const order = [8_500, 19_000, 30_000].map((excessW) => {
      const action = guard(
        aState({ elapsedS: 0, importedWh: 0, reactionS: 0, otherLoadW: -3_000 + excessW, sessions }),
      );
      return action.kind === "trim" ? action.limits : [];
    });
    expect(order).to.deep.equal([
      [{ session: "guest", limitW: 0 }], // 2,500 W would be below its minimum power
      [
        { session: "guest", limitW: 0 },
        { session: "patient", limitW: 0 },
      ], // 8,000 of 11,000 W
      [
        { session: "guest", limitW: 0 },
        { session: "patient", limitW: 0 },
        { session: "urgent", limitW: 0 },
      ],
    ]); // prettier-ignore
  });

  it("gives back to the most urgent first, up to what the plan wants, keeping some room", () => {
    const trimmed = { limitW: 0, measuredW: 0 };
    const sessions = [aSession("guest", trimmed), aSession("urgent", { ...trimmed, promised: true, wantedW: 7_000 })];
    const state = aState({ elapsedS: 0, importedWh: 0, reactionS: 0, sessions });
    expect(guard({ ...state, otherLoadW: 18_000 })).to.deep.equal({
      kind: "give-back",
      limits: [
        { session: "urgent", limitW: 7_000 },
        { session: "guest", limitW: 4_500 },
      ], // prettier-ignore
    });
    expect(guard({ ...state, otherLoadW: 18_500 })).to.deep.equal({
      kind: "give-back",
      limits: [{ session: "urgent", limitW: 7_000 }], // 4,000 W are less than the guest's minimum
    });
    expect(guard({ ...state, otherLoadW: 25_800 })).to.deep.equal({ kind: "hold" });
  });

  it("shares what is given back: together the sessions stay within the room", () => {
    const trimmed = { limitW: 2_000, measuredW: 2_000, minPowerW: 1_380 };
    const sessions = [
      aSession("a", trimmed),
      aSession("b", { ...trimmed, slackWh: 5 }),
      aSession("c", { measuredW: 5_000 }),
    ];
    const state = aState({ elapsedS: 0, importedWh: 0, reactionS: 0, sessions });
    // 30,000 - 14,000 leaves 16,000 W for 9,000 W; less 500 W of hysteresis 6,500 W more, all to "a", which has no slack.
    const limits = [{ session: "a", limitW: 8_500 }];
    expect(guard({ ...state, otherLoadW: 14_000 })).to.deep.equal({ kind: "give-back", limits });
    const both = guard({ ...state, otherLoadW: 10_500 }); // 10,000 W more: 9,000 to "a", 1,000 to "b"
    expect(both.kind === "give-back" && both.limits.map(({ limitW }) => limitW)).to.deep.equal([11_000, 3_000]);
  });

  it("counts a limit by its own power: a session that wants no more than it has is left alone", () => {
    const content = aSession("a", { limitW: 4_000, measuredW: 4_000, wantedW: 4_000, minPowerW: 1_380 });
    expect(guard(aState({ otherLoadW: 0, sessions: [content] }))).to.deep.equal({ kind: "hold" });
  });

  it("keeps exactly the minimum power rather than nothing", () => {
    const session = aSession("a", { measuredW: 10_000, minPowerW: 4_140 });
    const state = aState({ elapsedS: 0, importedWh: 0, reactionS: 0, sessions: [session] });
    const limits = [{ session: "a", limitW: 4_140 }];
    expect(guard({ ...state, otherLoadW: 25_860 })).to.deep.equal({ kind: "trim", limits });
    expect(guard({ ...state, otherLoadW: 25_861 })).to.deep.equal({
      kind: "trim",
      limits: [{ session: "a", limitW: 0 }],
    });
  });

  it("waits for 2 % of the limit, at least 500 W, before it gives back", () => {
    const session = aSession("a", { limitW: 0, measuredW: 0, minPowerW: 1_000, wantedW: 1_000 });
    const at = (limitW: number, otherLoadW: number) =>
      guard({ limitW, elapsedS: 0, importedWh: 0, otherLoadW, reactionS: 0, sessions: [session] }).kind;
    expect([at(10_000, 8_500), at(10_000, 8_501)]).to.deep.equal(["give-back", "hold"]);
    expect([at(100_000, 97_000), at(100_000, 97_001)]).to.deep.equal(["give-back", "hold"]);
  });

  it("does nothing when no answer could take effect before the slot ends", () => {
    expect(guard(aState({ elapsedS: 880, otherLoadW: 90_000 }))).to.deep.equal({ kind: "hold" });
  });

  it("keeps the mean within the limit whenever switching everything off would, minute by minute", () => {
    const counts = { trims: 0, gives: 0, saved: 0, flips: 0 };
    for (let seed = 0; seed < 400; seed++) {
      const random = randomFrom(seed);
      const limitW = 20_000 + Math.floor(random() * 60_000);
      let sessions = Array.from({ length: 1 + Math.floor(random() * 8) }, (_, k) => {
        const wantedW = 3_000 + Math.floor(random() * 19_000);
        const minPowerW = Math.min(wantedW, random() < 0.5 ? 1_380 : 4_140);
        const promised = random() < 0.5;
        return aSession(`s${k}`, {
          limitW: wantedW,
          measuredW: wantedW,
          wantedW,
          minPowerW,
          promised,
          slackWh: random() * 9_000,
        });
      });
      let importedWh = 0;
      let otherLoadW = random() * limitW;
      let before = "";
      for (let elapsedS = 0; elapsedS < 900; elapsedS += 60) {
        // Other load jumps once or twice in the slot.
        if (random() < 0.12) otherLoadW = (random() - 0.3) * limitW * 1.3;
        const action = guard({ limitW, elapsedS, importedWh, otherLoadW, sessions, reactionS: 0 });
        if (action.kind === "trim") counts.trims++;
        if (action.kind === "give-back") counts.gives++;
        if (action.kind !== "hold" && before !== "" && before !== action.kind) counts.flips++;
        const roomW = (limitW * 900 - importedWh * 3600) / (900 - elapsedS) - otherLoadW;
        if (action.kind === "trim") {
          // Nobody is trimmed in vain: with the last one left as it was, the mean would be above the limit.
          const changed = new Map<string, number>(
            action.limits.slice(0, -1).map((limit) => [limit.session, limit.limitW]),
          );
          const withLastW = sessions.reduce((sum, s) => sum + (changed.get(s.session) ?? s.measuredW), 0);
          expect(withLastW, `seed ${seed} at ${elapsedS}`).to.be.greaterThan(roomW);
        }
        if (action.kind === "give-back") {
          const given = new Map<string, number>(action.limits.map((limit) => [limit.session, limit.limitW]));
          const thenW = sessions.reduce((sum, s) => sum + (given.get(s.session) ?? s.measuredW), 0);
          expect(thenW + Math.max(500, limitW / 50)).to.be.at.most(roomW + 1);
        }
        if (action.kind !== "hold") {
          before = action.kind;
          const limits = new Map(action.limits.map((limit) => [limit.session, limit.limitW]));
          sessions = sessions.map((s) => {
            const newW = limits.get(s.session);
            if (newW === undefined) return s;
            expect(newW === 0 || newW >= s.minPowerW, `${newW} W`).to.equal(true);
            expect(newW).to.be.at.most(s.wantedW);
            return { ...s, limitW: newW, measuredW: newW };
          });
        }
        const carsW = sessions.reduce((sum, s) => sum + s.measuredW, 0);
        // If other load stayed: within the limit, unless the rest of the slot without any car is above it.
        const restS = 900 - elapsedS;
        const meanW = (importedWh * 3600 + (otherLoadW + carsW) * restS) / 900;
        const withoutCarsW = (importedWh * 3600 + otherLoadW * restS) / 900;
        if (withoutCarsW <= limitW) expect(meanW, `seed ${seed} at ${elapsedS}`).to.be.at.most(limitW + 1e-6);
        else expect(carsW).to.equal(0);
        if (action.kind === "trim" && withoutCarsW <= limitW) counts.saved++;
        importedWh += ((otherLoadW + carsW) * 60) / 3600;
      }
    }
    expect(counts.saved).to.be.greaterThan(300);
    expect(counts.gives).to.be.greaterThan(100);
    expect(counts.flips).to.be.below(counts.trims + counts.gives);
  });
});
