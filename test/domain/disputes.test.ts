import { expect } from "chai";
import { billState, corrected, type Dispute, disputableUntil, endsAt } from "../../backend/domain/disputes.ts";
import { epochSecond, microEur } from "../../backend/domain/units.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;
const TERMS = { windowS: 3 * DAY, termS: 30 * DAY };
const at = (seconds: number) => epochSecond(1_800_000_000 + seconds);
const POSTED = at(0);
const OPENED = at(DAY);
const BILL = { driverId: "ann", batch: 4 };
const asked: Dispute = {
  sessionId: "s",
  cpoId: "cpo",
  reason: "No.",
  askedAt: at(DAY - 60),
  openedAt: null,
  lapsedAt: null,
  decision: null,
  closed: null,
};
const open = { ...asked, openedAt: OPENED };
const decision = { at: at(2 * DAY), by: "a", refundMicroEur: microEur(5n), flexDeltaWh: -3, text: "Yes." };
const closed = (seconds: number) => ({
  at: at(seconds),
  refundMicroEur: microEur(5n),
  backMicroEur: microEur(5n),
  flexDeltaWh: -3,
});
const kind = (dispute: Dispute | null, now: number, posted = true, terms = TERMS) =>
  billState(BILL, posted ? POSTED : null, dispute, terms, at(now)).kind;

describe("How a bill stands", () => {
  it("is nobody's without a driver, waits without a batch, and is on its way until the chain has posted it", () => {
    expect(billState({ ...BILL, driverId: null }, POSTED, null, TERMS, at(0))).to.deep.equal({ kind: "unbilled" });
    expect(billState({ ...BILL, batch: null }, null, null, TERMS, at(0))).to.deep.equal({ kind: "waiting" });
    expect(kind(null, 0, false)).to.equal("posting");
  });

  it("is open until two minutes before the window ends, or half of it where it is shorter than four", () => {
    expect(disputableUntil(POSTED, TERMS)).to.equal(at(3 * DAY - 120));
    expect(disputableUntil(POSTED, { ...TERMS, windowS: 100 })).to.equal(at(50));
    expect(kind(null, 3 * DAY - 121)).to.equal("open");
    expect(kind(null, 3 * DAY - 120)).to.equal("final");
  });

  it("is final at once where nothing can be disputed, posted or not", () => {
    const never = { ...TERMS, windowS: 0 };
    expect(kind(null, 0, true, never)).to.equal("final");
    expect(kind(null, 0, false, never)).to.equal("final");
  });

  it("is disputed from the driver's word on, until the chain has ended it", () => {
    expect(kind(asked, DAY)).to.equal("asked");
    expect(billState(BILL, POSTED, open, TERMS, at(9 * DAY))).to.deep.equal({
      kind: "disputed",
      until: at(31 * DAY),
    });
    expect(endsAt(OPENED, TERMS)).to.equal(at(31 * DAY));
    expect(kind({ ...open, decision }, 2 * DAY)).to.equal("disputed");
    expect(kind({ ...asked, lapsedAt: at(3 * DAY) }, 3 * DAY)).to.equal("final");
  });

  it("is resolved by a decision, early or late, and expired when there was none in time", () => {
    expect(kind({ ...open, decision, closed: closed(2 * DAY) }, 3 * DAY)).to.equal("resolved");
    expect(kind({ ...open, decision, closed: closed(40 * DAY) }, 41 * DAY)).to.equal("resolved");
    // An arbiter elsewhere was in time.
    expect(kind({ ...open, closed: closed(31 * DAY - 1) }, 41 * DAY)).to.equal("resolved");
    expect(kind({ ...open, closed: closed(31 * DAY) }, 41 * DAY)).to.equal("expired");
  });

  it("comes to the bill less its refund, with the FLEX that is left", () => {
    const bill = { amountMicroEur: microEur(12n), flexWh: 10 };
    expect(corrected(bill, null)).to.deep.equal({ dueMicroEur: 12n, flexWh: 10 });
    expect(corrected(bill, closed(0))).to.deep.equal({ dueMicroEur: 7n, flexWh: 7 });
  });
});
